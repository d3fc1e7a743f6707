"""Each press of a key once, however long it is held.

While a key is held the kernel says it again (value 2), which is no press, and another press needs the key to have come
up. Where events are lost perhaps a key came up: so after that every key counts again.
"""

from __future__ import annotations

from collections.abc import Iterator

from devices.hid.events import DOWN, DROPPED, UP, Events

LOST = -1  # stands among the keys where events were lost


class Held:
    """The kernel's events in, presses out; knows which keys are held."""

    def __init__(self) -> None:
        self._events = Events()
        self._down: set[int] = set()

    @property
    def half(self) -> bool:
        """True when the beginning of an event waits for its end."""
        return self._events.half

    def feed(self, data: bytes) -> Iterator[int]:
        """The keys that went down, each by its number; LOST where events were lost."""
        for code, value in self._events.feed(data):
            if value == DOWN and code not in self._down:
                self._down.add(code)
                yield code
            elif (code, value) == DROPPED:
                self._down.clear()
                yield LOST
            elif value == UP:
                self._down.discard(code)

    def quiet(self) -> bool:
        """Nothing has come for a while. True when half an event was lost with that."""
        if not self.half:
            return False
        self._events.clear()
        self._down.clear()
        return True

"""What a device types that counts as a keyboard: its events in, bytes out (`devices.hid.keyboard`).

And the options of such devices that ask for the same: what ends what is typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import Any

from devices.hid.events import DROPPED, Events
from devices.hid.keyboard import Typist

LOST = b""  # stands among what was typed where events were lost


class Typed:
    """The kernel's events in, what they write out."""

    def __init__(self, unicode: bool = False) -> None:
        self._events = Events()
        self._typist = Typist(unicode)

    @property
    def half(self) -> bool:
        """True when the beginning of an event waits for its end."""
        return self._events.half

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What each key writes that writes anything; LOST where events were lost."""
        write = self._typist.type
        for key in self._events.feed(data):
            typed = write(*key)
            if typed:
                yield typed
            elif key == DROPPED:
                yield LOST

    def quiet(self) -> bool:
        """Nothing has come for a while: no key is held. True when half an event was lost with that."""
        half = self.half
        if half:
            self._events.clear()
        self._typist.release()
        return half


def gap(default: float, ends: str) -> Any:
    """The field `gap`: the pause that ends what is typed. `ends`: a code, a document."""
    known = {"label": "间隔 gap", "unit": "s", "min": 0.05, "max": 3.0, "help": f"a pause ends {ends}"}
    return field(default=default, metadata=known)


def ending(default: str, label: str, choices: Iterable[str], help: str) -> Any:
    """The field `ending`: what the simulated device ends what it types with."""
    return field(default=default, metadata={"label": label, "choices": tuple(choices), "help": help})

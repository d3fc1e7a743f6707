"""Tells a press from its repeats: a pad that hears no acknowledgement says the same again, and it is still one press.

The same frame from the same address is one press until the line has been quiet for a while, or that pad has said
something else. A line with many pads is never quiet, so bytes tell the time there: at 9600 baud 960 are a second.
"""

from __future__ import annotations

PACE = 960  # bytes a second at 9600, the usual speed of these lines


class Presses:
    """What each pad has said last. `window` in seconds; with 0 every frame is a press."""

    def __init__(self, window: float) -> None:
        self._window = int(window * PACE)
        self._passed = 0
        self._last: dict[int, tuple[bytes, int, int]] = {}  # address → frame, repeats of it, when

    def __bool__(self) -> bool:
        return bool(self._last)

    def passes(self, count: int) -> None:
        """So many bytes have been heard, said or waited for."""
        self._passed += count

    def repeats(self, address: int, frame: bytes) -> int:
        """How many times this press was said before: 0 when it is new."""
        last, repeats, then = self._last.get(address, (b"", 0, 0))
        again = frame == last and self._passed - then < self._window
        repeats = repeats + 1 if again else 0
        if self._window:
            self._last[address] = (frame, repeats, self._passed)
        return repeats

    def quiet(self) -> None:
        """The line has been quiet: whatever comes now is new."""
        self._last.clear()

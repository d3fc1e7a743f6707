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
        self.passed = 0  # the line's clock in bytes: heard, said and waited for; never faster than real time
        self._last: dict[int, tuple[bytes, int, int]] = {}  # address → its newest frame, repeats of it, when

    def __bool__(self) -> bool:
        return bool(self._last)

    def passes(self, count: int) -> None:
        """So many bytes have been heard, said or waited for."""
        self.passed += count

    def again(self, address: int, frame: bytes, unanswered: bool = False) -> tuple[bool, int]:
        """Whether this was said before, and how often it was repeated before now.

        `unanswered`: our answer has not gone out yet, so it is a repeat however late it comes, and counts for none.
        """
        last, repeats, then = self._last.get(address, (b"", 0, 0))
        again = bool(self._window) and frame == last and (unanswered or self.passed - then <= self._window)
        before = repeats if again else 0
        if self._window:
            self._last[address] = (frame, before + (again and not unanswered), self.passed)
        return again, before

    def repeats(self, address: int, frame: bytes) -> int:
        """Which repeat of a press this is: 0 when it is new."""
        again, before = self.again(address, frame)
        return before + again

    def quiet(self) -> None:
        """The line has been quiet: whatever comes now is new."""
        self._last.clear()

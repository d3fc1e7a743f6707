"""An order to a device that never says whether it did it: its frames go out, and its outcome is that nobody knows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from devices.roles import News, Order, Refused, Unconfirmed

WAIT = 0.1  # s after the last frame until the outcome is told


class Telling:
    """The order under way, if there is one."""

    def __init__(self) -> None:
        self.order: Order | None = None
        self.frames: deque[bytes] = deque()
        self._begun = False  # something of it has gone out

    def take(self, order: Order, frames: Iterable[bytes]) -> None:
        """Begin with an order."""
        self.order, self.frames, self._begun = order, deque(frames), False

    def next(self) -> bytes:
        """The next frame to go out; empty when there is none."""
        if not self.frames:
            return b""
        self._begun = True
        return self.frames.popleft()

    @property
    def waits(self) -> bool:
        """All has gone out; the outcome is due after `WAIT`."""
        return self.order is not None and not self.frames

    def end(self, reason: str, outcome: type[Refused] | type[Unconfirmed] = Unconfirmed) -> list[News]:
        """The outcome; nothing when there is no order."""
        order, self.order = self.order, None
        self.frames.clear()
        if order is None:
            return []
        return [outcome(address=order.address, order=type(order).__name__, id=order.id, reason=reason)]

    def lost(self) -> list[News]:
        """The cable went."""
        if self._begun:
            return self.end("The cable went while it was being sent.")
        return self.end("The cable went before it was sent.", Refused)

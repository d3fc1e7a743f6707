"""Takes out of what arrives exactly what we have sent ourselves: some RS-485 adapters hear themselves speak.

The adapter returns each frame whole and in order, at most `bound` seconds after its last byte is out. A device's own
bytes may come before the echo, never inside it, for only one can speak at a time. So only a whole frame is taken out:
bytes that may yet become one are held back, and given up as soon as they cannot, or when their time is over. A frame
that is the same as ours but has come once more than we have sent it is the device's own.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from devices.links.base import Link

BOUND = 0.1  # seconds an adapter and its driver may take to return a frame, after its last byte is out
MOST = 65536  # bytes that may wait for their echo


class EchoCanceller:
    """Knows what is still to come back. Time is an argument, in seconds of the monotonic clock."""

    def __init__(self, bound: float = BOUND) -> None:
        self._bound = bound
        self._sent: deque[tuple[bytes, float]] = deque()  # frame, until when it may come back
        self._held = b""  # what may be the beginning of an echo
        self._waiting = 0

    def sent(self, frame: bytes, out_at: float) -> None:
        """A frame of ours has been written; its last byte leaves at `out_at`."""
        if frame and self._waiting + len(frame) <= MOST:
            self._sent.append((frame, out_at + self._bound))
            self._waiting += len(frame)

    def heard(self, data: bytes, now: float) -> bytes:
        """What of the bytes that have arrived so far is certainly a device's."""
        out, held = bytearray(), self._held + data
        while self._sent and held:
            frame, until = self._sent[0]
            at = held.find(frame)
            if at >= 0:
                out += held[:at]
                held = held[at + len(frame) :]
                self._drop()
            elif now >= until:
                self._drop()  # it will not come any more: the adapter has none, or somebody spoke into it
            else:
                at = _beginning(held, frame)
                self._held = held[at:]
                return bytes(out + held[:at])
        self._held = b""
        return bytes(out + held)

    def late(self, now: float) -> bytes:
        """What was held back and turns out to be a device's, because its time is over."""
        while self._sent and now >= self._sent[0][1]:
            if self._held:
                return self.heard(b"", now)
            self._drop()
        return b""

    @property
    def due(self) -> float | None:
        """When `late` is to be called; None: nothing is held back."""
        return self._sent[0][1] if self._sent and self._held else None

    def _drop(self) -> None:
        frame, _ = self._sent.popleft()
        self._waiting -= len(frame)


class EchoFree(Link):
    """A link whose adapter returns what is sent, without what it returns."""

    def __init__(self, link: Link, clock: Callable[[], float] = time.monotonic) -> None:
        self._link, self._clock = link, clock
        self._canceller = EchoCanceller()
        self._out_at = 0.0
        self.seconds_per_byte = link.seconds_per_byte

    @property
    def wakes(self) -> bool:  # type: ignore[override]  # as the link below does
        """See Link."""
        return self._link.wakes

    def read(self, timeout: float) -> bytes:
        """See Link."""
        due = self._canceller.due
        if due is not None:
            timeout = min(timeout, max(0.0, due - self._clock()))
        data = self._link.read(timeout)
        now = self._clock()
        return self._canceller.heard(data, now) if data else self._canceller.late(now)

    def write(self, data: bytes) -> None:
        """See Link."""
        self._link.write(data)
        self._out_at = max(self._out_at, self._clock()) + len(data) * self.seconds_per_byte
        self._canceller.sent(data, self._out_at)

    def wake(self) -> None:
        """See Link."""
        self._link.wake()

    def close(self) -> None:
        """See Link."""
        self._link.close()


def _beginning(held: bytes, frame: bytes) -> int:
    """Where in `held` the frame may have begun that has not come whole; its length when nowhere."""
    at = max(0, len(held) - len(frame) + 1)
    while (at := held.find(frame[:1], at)) >= 0:
        if frame.startswith(held[at:]):
            return at
        at += 1
    return len(held)

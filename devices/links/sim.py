"""No cable at all: the driver's own simulator inside this program (`sim:`)."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

from devices.driver import Simulator
from devices.links.base import Link, LinkLost, LinkText
from devices.roles import News, Order

TICK = 0.1  # seconds between two ticks of a simulator


class SimLink(Link):
    """A simulator that is written to and read from as if it were on a cable."""

    wakes: ClassVar[bool] = True

    def __init__(self, target: LinkText, simulator: Simulator) -> None:
        target.allow()
        self.simulator = simulator
        self.obeyed: list[Order] = []
        self._out = bytearray()
        self._changed = threading.Condition()
        self._woken = False
        self._closed = False
        self._next_tick = time.monotonic() + TICK

    def happen(self, news: News) -> None:
        """Something happens at the device."""
        with self._changed:
            self._out += self.simulator.happen(news)
            self._changed.notify()

    def read(self, timeout: float) -> bytes:
        """See Link."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (self._out or self._woken or self._closed):
                now = time.monotonic()
                if now >= self._next_tick:
                    self._next_tick = now + TICK
                    self._out += self.simulator.tick()
                elif now >= deadline:
                    break
                else:
                    self._changed.wait(min(deadline, self._next_tick) - now)
            if self._closed:
                raise LinkLost("the simulator was closed")
            self._woken = False
            data = bytes(self._out)
            self._out.clear()
            return data

    def write(self, data: bytes) -> None:
        """See Link."""
        with self._changed:
            if self._closed:
                raise LinkLost("the simulator was closed")
            self._out += self.simulator.receive(data)
            self.obeyed += self.simulator.obeyed
            self.simulator.obeyed.clear()

    def wake(self) -> None:
        """See Link."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def close(self) -> None:
        """See Link."""
        with self._changed:
            self._closed = True
            self._changed.notify()

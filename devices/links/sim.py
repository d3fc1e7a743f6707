"""No cable at all: the driver's own simulator inside this program (`sim:`)."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

from config.words import Sentence
from devices.driver import Simulator
from devices.links.base import Link, LinkLost, LinkText

TICK = 0.1  # seconds between two ticks of a simulator


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow()


class SimLink(Link):
    """A simulator that is written to and read from as if it were on a cable."""

    wakes: ClassVar[bool] = True

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._out = bytearray()
        self._changed = threading.Condition()
        self._woken = False
        self._closed = False
        self._next_tick = time.monotonic() + TICK

    def read(self, timeout: float) -> bytes:
        """See Link."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (self._out or self._woken or self._closed):
                now = time.monotonic()
                if now >= self._next_tick:
                    self._next_tick = now + TICK
                    self._out += self._simulator.tick()
                elif now >= deadline:
                    break
                else:
                    self._changed.wait(min(deadline, self._next_tick) - now)
            if self._closed:
                raise LinkLost(Sentence("the simulator was closed"))
            self._woken = False
            data = bytes(self._out)
            self._out.clear()
            return data

    def write(self, data: bytes) -> None:
        """See Link."""
        with self._changed:
            if self._closed:
                raise LinkLost(Sentence("the simulator was closed"))
            self._out += self._simulator.receive(data)
            self._simulator.obeyed.clear()  # nobody asks; a station runs for weeks

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

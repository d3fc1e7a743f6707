"""Room for whoever speaks: of the connections that keep the server waiting, the one that does so longest goes first."""

from __future__ import annotations

import gevent
from gevent import Greenlet


class Room:
    """The connections of one server, each served by a greenlet of its own, that wait for the other end's bytes."""

    def __init__(self) -> None:
        self._waiting: dict[Greenlet, None] = {}  # the longest first

    def waits(self) -> None:
        """The connection served here waits from now on."""
        self.goes_on()
        self._waiting[gevent.getcurrent()] = None

    def goes_on(self) -> None:
        """It waits no longer, or has ended."""
        self._waiting.pop(gevent.getcurrent(), None)

    def make(self) -> None:
        """Cut off the one that has waited longest, if any does but the one served here."""
        here = gevent.getcurrent()
        if (longest := next((one for one in self._waiting if one is not here), None)) is not None:
            del self._waiting[longest]
            longest.kill(block=False)

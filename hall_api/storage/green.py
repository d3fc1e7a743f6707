"""Waiting as a greenlet: thousands of askers in one thread of a gevent server, none of them holding it up.

Nothing needs to be monkey-patched, and the threading module must not be: the writer is a real thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gevent
from gevent import monkey
from gevent.hub import Waiter

from hall_api.storage.waiting import Slot

PATIENCE = 0.005  # seconds without an answer after which a busy hub may be what the threads at work wait for
GIVE = 0.0001  # seconds it then steps aside: enough for a thread to wake up and take over


class GreenSlot:
    """Waits by giving way to the other greenlets."""

    __slots__ = ("_waiter", "error", "result")

    def __init__(self) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._waiter: Any = Waiter()

    def wait(self) -> None:
        """Give way until woken."""
        self._waiter.get()

    def wake(self) -> None:
        """Only from the hub."""
        self._waiter.switch(None)


class Greenlets:
    """Bound to the hub of the thread that makes it. News is delivered in the hub: callbacks must not block."""

    def __init__(self) -> None:
        if monkey.is_module_patched("threading"):
            raise RuntimeError("the hall's writer is a real thread: do not monkey-patch threading")
        self._hub = gevent.get_hub()
        self._calls: deque[Callable[[], None]] = deque()
        self._bell = self._hub.loop.async_()
        self._bell.start(self._ring)
        self._asked = 0  # orders that other threads work on now
        self._heard = 0.0  # when the hub last had an answer, or waited for none
        self._round = self._hub.loop.check(ref=False)
        self._round.start(self._step_aside)

    def slot(self) -> GreenSlot:
        """A fresh place to wait."""
        self._asked += 1
        return GreenSlot()

    def wake(self, slots: Iterable[Slot]) -> None:
        """From any thread: the hub wakes each of them."""
        for slot in slots:
            assert isinstance(slot, GreenSlot)
            self._calls.append(partial(self._answered, slot))
        self._bell.send()

    def deliver(self, callback: Callable[[Any], None], news: Any) -> None:
        """From any thread: the hub calls back."""
        self._calls.append(lambda: callback(news))
        self._bell.send()

    def _answered(self, slot: GreenSlot) -> None:
        self._asked -= 1
        slot.wake()

    def _step_aside(self) -> None:
        """Once in every round of the hub: let the threads at work go on, however busy the hub is.

        CPython hands its lock over by request only to a waiter whose whole waiting time passed without the lock being
        let go. A hub lets it go and takes it back all the time (every look at its sockets does), so it starves them:
        an order was seen to take a minute beside one greenlet that never rests.
        """
        if not self._asked:
            self._heard = time.monotonic()
        elif time.monotonic() - self._heard > PATIENCE:
            time.sleep(GIVE)

    def _ring(self) -> None:
        self._heard = time.monotonic()
        while self._calls:
            self._calls.popleft()()

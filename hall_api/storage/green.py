"""Waiting as a greenlet: thousands of askers in one thread of a gevent server, none of them holding it up.

Nothing needs to be monkey-patched, and the threading module must not be: the writer is a real thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import gevent
from gevent import monkey
from gevent.hub import Waiter

from hall_api.storage.waiting import Slot


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

    def slot(self) -> GreenSlot:
        """A fresh place to wait."""
        return GreenSlot()

    def wake(self, slots: Iterable[Slot]) -> None:
        """From any thread: the hub wakes each of them."""
        for slot in slots:
            assert isinstance(slot, GreenSlot)
            self._calls.append(slot.wake)
        self._bell.send()

    def deliver(self, callback: Callable[[Any], None], news: Any) -> None:
        """From any thread: the hub calls back."""
        self._calls.append(lambda: callback(news))
        self._bell.send()

    def _ring(self) -> None:
        while self._calls:
            self._calls.popleft()()

"""How an asker waits while the hall's one writer works: by sleeping as a thread, or (green.py) as a greenlet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Slot(Protocol):
    """One asker's place to wait."""

    result: Any
    error: BaseException | None

    def wait(self) -> None:
        """Return when the slot has been woken."""


class Waiting(Protocol):
    """A way to wait. `wake` and `deliver` are called from native threads."""

    def slot(self) -> Slot:
        """A fresh place to wait, made by the asker."""

    def wake(self, slots: Iterable[Slot]) -> None:
        """Their results are there."""

    def deliver(self, callback: Callable[[Any], None], news: Any) -> None:
        """Call back with the news where the askers live."""


class ThreadSlot:
    """Waits on a lock."""

    __slots__ = ("_lock", "error", "result")

    def __init__(self) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._lock.acquire()

    def wait(self) -> None:
        """Sleep until woken."""
        self._lock.acquire()

    def wake(self) -> None:
        """Let the waiting thread go on."""
        self._lock.release()


class Threads:
    """For command lines, tests and threaded servers. News is delivered on the thread that brings it."""

    def slot(self) -> ThreadSlot:
        """A fresh place to wait."""
        return ThreadSlot()

    def wake(self, slots: Iterable[Slot]) -> None:
        """Wake each of them."""
        for slot in slots:
            assert isinstance(slot, ThreadSlot)
            slot.wake()

    def deliver(self, callback: Callable[[Any], None], news: Any) -> None:
        """Call back at once."""
        callback(news)

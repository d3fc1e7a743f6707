"""Hands the news of one device to a listener, in order, in a thread of its own.

A listener that takes its time never holds up the conversation with the device; when a thousand pieces of news wait,
the cable waits too, so memory stays bounded.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable

from devices.roles import FrameSeen, News

BACKLOG = 1000  # pieces of news waiting for the listener

log = logging.getLogger(__name__)


def safely(doing: str, call: Callable[[], None]) -> Exception | None:
    """Do it. A mistake in a driver or a listener must not take any cable down with it: it is logged and returned."""
    try:
        call()
    except Exception as mistake:
        log.exception("our own mistake while %s", doing)
        return mistake
    return None


class Teller:
    """A queue of news and the thread that empties it."""

    def __init__(self, name: str, listener: Callable[[str, News], None]) -> None:
        self.name = name
        self._listener = listener
        self._queue: queue.Queue[News | None] = queue.Queue(BACKLOG)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"news of {name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def tell(self, news: News) -> None:
        """Put news on its way. A frame of a live view is dropped when others still wait."""
        if isinstance(news, FrameSeen) and self._queue.qsize() > 2:
            return
        while True:
            with contextlib.suppress(queue.Full):
                self._queue.put(news, timeout=0.2)
                return
            if self._closing.is_set():
                return

    def close(self) -> None:
        """Hand on what waits, then end; a listener that hangs is left behind after some seconds."""
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=5)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def hurry(self) -> None:
        """The station closes: nobody waits for room in the queue any more."""
        self._closing.set()

    def _run(self) -> None:
        while (news := self._queue.get()) is not None:
            self._one(news)

    def _one(self, news: News) -> None:
        safely(f"telling {type(news).__name__} of {self.name}", lambda: self._listener(self.name, news))

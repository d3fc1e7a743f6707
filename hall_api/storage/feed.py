"""The hall's news as it comes: every journal line of every process, in order, each once.

The writer hands over what it stored; a listener notices what others stored. Whoever is first reads the lines in
between from the journal, so a follower never meets line 11 before line 10.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from hall_api.storage import statements as ask
from hall_api.storage.engine import Connection, Engine
from hall_api.storage.unit import Told
from hall_api.storage.waiting import Waiting

log = logging.getLogger(__name__)

PAGE = 500
RETRY_SECONDS = 1.0
Callback = Callable[[list[Told]], None]


def journal_after(connection: Connection, after: int, limit: int) -> list[Told]:
    """Journal lines following `after`, oldest first."""
    return [Told(*cells) for cells in connection.run(ask.JOURNAL_AFTER, after=after, limit=limit)]


def _hear(callback: Callback, lines: list[Told]) -> None:
    """One follower's mistake must stop neither the pen nor the other followers."""
    try:
        callback(lines)
    except Exception:  # whatever it is, it is the follower's own: it is logged, the others go on
        log.exception("a follower of the hall's news failed")


class Feed:
    """Who wants to hear, and what they have heard."""

    def __init__(self, engine: Engine, waiting: Waiting) -> None:
        self._engine, self._waiting = engine, waiting
        self._connection: Connection | None = engine.connect()
        self._lock = threading.Lock()
        self._callbacks: dict[int, Callback] = {}
        self._closed = threading.Event()
        self.last = int(self._connection.run(ask.STATE)[0][0])
        self._listener = engine.listener()
        self._thread = threading.Thread(target=self._listen, name="hall-listener", daemon=True)
        self._thread.start()

    def follow(self, callback: Callback) -> Callable[[], None]:
        """Hear all news from now on; returns how to stop."""
        with self._lock:
            number = max(self._callbacks, default=0) + 1
            self._callbacks[number] = lambda lines: _hear(callback, lines)
        return lambda: self._leave(number)

    def _leave(self, number: int) -> None:
        with self._lock:
            self._callbacks.pop(number, None)

    def stored(self, told: Sequence[Told]) -> None:
        """This process has stored these lines."""
        with self._lock:
            try:
                if told[0].seq > self.last + 1:
                    self._read_on()
            except Exception as error:
                if self._engine.refusal(error) is None:
                    raise
                return  # the listener reads on when the database is back
            self._pass_on([line for line in told if line.seq > self.last])

    def look(self) -> None:
        """Somebody may have stored something."""
        with self._lock:
            self._read_on()

    def _read_on(self) -> None:
        self._connection = self._connection or self._engine.connect()
        while lines := journal_after(self._connection, self.last, PAGE):
            self._pass_on(lines)

    def _pass_on(self, lines: list[Told]) -> None:
        if lines:
            self.last = lines[-1].seq
            for callback in list(self._callbacks.values()):
                self._waiting.deliver(callback, lines)

    def _listen(self) -> None:
        trouble = False
        while not self._closed.is_set():
            try:
                if self._listener.wait():
                    self.look()
                trouble = False
            except Exception as error:
                if self._engine.refusal(error) is None:
                    raise
                if not trouble:
                    log.warning("the hall's news feed lost its database: %s", error)
                trouble = True
                self._hang_up()
                self._closed.wait(RETRY_SECONDS)

    def _hang_up(self) -> None:
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        self._listener.close()
        self._thread.join()
        self._hang_up()

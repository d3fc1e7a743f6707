"""The hall's memory: one writer, many readers, one feed of news, over SQLite or PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar, cast

from sqlalchemy.engine import make_url

from hall_api.domain.refusal import Kind, Refusal
from hall_api.storage.engine import Connection, Engine
from hall_api.storage.feed import Feed, journal_after
from hall_api.storage.sqlite import SqliteEngine
from hall_api.storage.unit import Told, Unit
from hall_api.storage.waiting import Slot, Threads, Waiting
from hall_api.storage.writer import Writer

T = TypeVar("T")
_HOUSE = Path(__file__).resolve().parents[2]
READERS = 4
Look = Callable[[Connection], object]


class Store:
    """Use it from any thread, or from the greenlets of the hub it was opened in. Close it when done."""

    def __init__(self, engine: Engine, waiting: Waiting) -> None:
        self.engine, self._waiting = engine, waiting
        self._closed = False
        self._here = threading.local()
        self._readers = Readers(engine, waiting) if engine.remote else None
        self.feed = Feed(engine, waiting)
        self._writer = Writer(engine, waiting, self.feed.stored)

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run `work` at the writer's desk; returns when all it changed is durable."""
        return self._writer.do(work)

    def change(self, work: Callable[[Connection], T]) -> T:
        """The same for tables that are not the hall's own rows (accounts, tokens, sessions)."""

        def on_desk(unit: Unit) -> T:
            unit.touch()
            return work(unit.connection)

        return self._writer.do(on_desk)

    def read(self, look: Callable[[Connection], T]) -> T:
        """Run `look` in a reading transaction that sees a single moment."""
        if self._readers:
            return self._readers.do(look)
        connection = getattr(self._here, "connection", None)
        if connection is None:
            connection = self._here.connection = self.engine.connect()
        return _in_a_moment(self.engine, connection, look)

    def events(self, after: int, limit: int) -> list[Told]:
        """Journal lines following `after`, oldest first."""
        return self.read(lambda connection: journal_after(connection, after, limit))

    def close(self) -> None:
        """Finish what was asked, then let go of everything; once more does no harm."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self.feed.close()
        if self._readers:
            self._readers.close()
        connection = getattr(self._here, "connection", None)
        if connection is not None:
            connection.close()
            del self._here.connection
        self.engine.close()


def _in_a_moment(engine: Engine, connection: Connection, look: Callable[[Connection], T]) -> T:
    try:
        connection.begin(write=False)
        try:
            return look(connection)
        finally:
            connection.rollback()
    except Refusal:
        raise
    except Exception as error:
        refusal = engine.refusal(error)
        if refusal is None:
            raise
        raise refusal from error


class Readers:
    """A few threads that read from a database across the network while the server's hub goes on."""

    def __init__(self, engine: Engine, waiting: Waiting) -> None:
        self._engine, self._waiting = engine, waiting
        self._jobs: SimpleQueue[tuple[Look, Slot] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"hall-reader-{n}", daemon=True) for n in range(READERS)
        ]
        for thread in self._threads:
            thread.start()

    def do(self, look: Callable[[Connection], T]) -> T:
        """Wait for a reader, then for its answer."""
        slot = self._waiting.slot()
        self._jobs.put((look, slot))
        slot.wait()
        if slot.error is not None:
            raise slot.error
        return cast(T, slot.result)

    def _serve(self) -> None:
        connection: Connection | None = None
        while (job := self._jobs.get()) is not None:
            look, slot = job
            slot.error, known = None, connection is not None
            connection = self._answer(look, slot, connection)
            if connection is None and known:  # a line that died while nobody used it: asking again does no harm
                slot.error = None
                connection = self._answer(look, slot, connection)
            self._waiting.wake([slot])
        if connection:
            connection.close()

    def _answer(self, look: Look, slot: Slot, connection: Connection | None) -> Connection | None:
        """The answer into the slot; the connection if it is still good."""
        try:
            connection = connection or self._engine.connect()
            slot.result = _in_a_moment(self._engine, connection, look)
        except Refusal as refusal:
            slot.error = refusal
            if refusal.kind is not Kind.UNAVAILABLE:
                return connection
        except Exception as error:  # noqa: BLE001  the asker gets it, the reader goes on
            slot.error = self._engine.refusal(error) or error
        else:
            return connection
        if connection:
            connection.close()
        return None

    def close(self) -> None:
        """Let every reader finish."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()


def engine_for(url: str) -> Engine:
    """The engine a database address names. ValueError when it names none of ours."""
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        return SqliteEngine(url)
    if kind == "postgresql":
        from hall_api.storage.postgres import PostgresEngine  # psycopg is loaded only where it is used

        return PostgresEngine(url)
    raise ValueError(f"{url}: a hall lives in sqlite:///… or postgresql://…, not in {kind}")


def upgrade(url: str) -> None:
    """Make or renew the tables, in a process of its own: what migrations load shall not stay in the hall's memory."""
    done = subprocess.run(
        [sys.executable, "-m", "hall_api.storage.migrate", url], cwd=_HOUSE, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refusal("no_tables", Kind.UNAVAILABLE, reason=(done.stderr.strip().splitlines() or [""])[-1])


def open_store(url: str, *, waiting: Waiting | None = None) -> Store:
    """The hall's memory at this address, its tables made or brought up to date first. Refusal when it is not there."""
    engine = engine_for(url)
    try:
        if engine.upgrade_needed():
            upgrade(url)
        return Store(engine, waiting or Threads())
    except Refusal:
        raise
    except Exception as error:
        refusal = engine.refusal(error)
        if refusal is None:
            raise
        raise refusal from error

"""The hall's one pen: a thread that takes all orders lying there, writes them, commits once, then answers everybody.

A commit costs a turn of the disk; eight citizens who touch their kiosks in the same moment share one. An order that is
refused changes nothing and hurts nobody. When a transaction fails as a whole, its orders are tried again one by one, so
that only the one at fault is told so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast

from hall_api.domain.refusal import Kind, Refusal
from hall_api.storage.engine import Connection, Engine
from hall_api.storage.unit import Told, Unit
from hall_api.storage.waiting import Slot, Waiting

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Unit], Any]
TOGETHER = 64  # orders in one transaction at most
RETRIES = 3


class Writer:
    """Orders go in, answers come out when they are on the disk."""

    def __init__(self, engine: Engine, waiting: Waiting, stored: Callable[[list[Told]], None]) -> None:
        self._engine, self._waiting, self._stored = engine, waiting, stored
        self._jobs: SimpleQueue[tuple[Work, Slot] | None] = SimpleQueue()
        self._connection: Connection | None = None
        self._unit: Unit | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="hall-writer", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[Unit], T]) -> T:
        """Run `work` on the writer's desk; its answer when all it changed is durable. Raises what it raised."""
        if self._closed:
            raise Refusal("hall_closed", Kind.UNAVAILABLE)
        slot = self._waiting.slot()
        self._jobs.put((work, slot))
        slot.wait()
        if slot.error is not None:
            raise slot.error
        return cast(T, slot.result)

    def close(self) -> None:
        """Finish what lies here, then stop."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (batch := self._take()) is not None:
            try:
                self._write(batch)
            except Exception:  # after the commit: the answers are good, only telling them failed
                log.exception("the hall's news could not be told")
            self._waiting.wake([slot for _, slot in batch])
        if self._connection:
            self._connection.close()

    def _take(self) -> list[tuple[Work, Slot]] | None:
        """All orders lying there; None when the pen is to be put down."""
        first = self._jobs.get()
        if first is None:
            return None
        batch = [first]
        with suppress(Empty):
            while len(batch) < TOGETHER:
                job = self._jobs.get_nowait()
                if job is None:
                    self._jobs.put(None)
                    break
                batch.append(job)
        return batch

    def _write(self, batch: list[tuple[Work, Slot]]) -> None:
        """One transaction for all; if it fails, one for each."""
        for attempt in range(RETRIES):
            try:
                told = self._transaction(batch)
                break
            except Exception as error:  # noqa: BLE001  every asker gets an answer, the pen goes on
                self._drop()
                if self._engine.worth_retrying(error) and attempt + 1 < RETRIES:
                    continue
                if len(batch) > 1:
                    for job in batch:
                        self._write([job])
                else:
                    self._fail(batch[0][1], error)
                return
        if told:
            self._stored(told)

    def _transaction(self, batch: list[tuple[Work, Slot]]) -> list[Told]:
        connection, unit = self._desk()
        with self._engine.turn():
            try:
                connection.begin(write=True)
            except Exception as error:
                if self._engine.refusal(error) is None:
                    raise
                self._drop()  # a line that died while nobody used it: nothing was sent yet
                connection, unit = self._desk()
                connection.begin(write=True)
            unit.begin()
            for work, slot in batch:
                slot.result = slot.error = None
                try:
                    slot.result = work(unit)
                except Refusal as refusal:
                    slot.error = refusal
            if unit.empty:
                connection.rollback()
                return []
            told = unit.settle()
            if told:
                self._engine.announce(connection)
            connection.commit()
        return told

    def _desk(self) -> tuple[Connection, Unit]:
        if self._connection is None or self._unit is None:
            self._connection = self._engine.connect()
            self._unit = Unit(self._connection)
        return self._connection, self._unit

    def _drop(self) -> None:
        """Forget the failed transaction; a connection that cannot even do that is replaced."""
        if self._unit:
            self._unit.forget()
        if self._connection:
            try:
                self._connection.rollback()
            except Exception as error:  # noqa: BLE001  a dead line, whichever way it says so
                log.warning("the hall's database connection is replaced: %s", error)
                with suppress(Exception):
                    self._connection.close()
                self._connection = self._unit = None

    def _fail(self, slot: Slot, error: Exception) -> None:
        refusal = self._engine.refusal(error)
        if refusal is None:
            log.error("an order failed by our own mistake", exc_info=error)
        slot.result, slot.error = None, refusal or error

"""The writer's desk: one transaction over many orders, each row fetched once and written once.

Rows lie here between orders, so that eight numbers given out together cost one look at the queue and one change of
it. What lies here is written before any question that could miss it, and all of it before the commit. Queues and
windows stay on the desk between transactions as long as nobody else has written: the journal's last number tells.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple, TypeVar, cast

from hall_api.domain.book import Draft, key_of
from hall_api.domain.calendar import iso
from hall_api.domain.events import Event
from hall_api.domain.rows import Attachment, PrintJob, QueueDay, Row, Ticket, WindowState
from hall_api.storage import statements as ask
from hall_api.storage.engine import Connection
from hall_api.storage.reader import R, Reader, cells_of

KEEP_ANSWERS_MS = 48 * 3600 * 1000
LASTING = (QueueDay, WindowState)
K = TypeVar("K", bound=Row)


class Told(NamedTuple):
    """A journal line. `at` in ms; `data` is JSON text, ready to send on."""

    seq: int
    at: int
    type: str
    audience: str
    data: str

    def as_json(self) -> dict[str, Any]:
        """{"seq", "at", "type", "data"} as the doors give it."""
        return {"seq": self.seq, "at": iso(self.at), "type": self.type, "data": json.loads(self.data)}

    def text(self) -> str:
        """The same as JSON text, without parsing anything."""
        return f'{{"seq": {self.seq}, "at": "{iso(self.at)}", "type": "{self.type}", "data": {self.data}}}'


_FIELDS: dict[type[Event], tuple[str, ...]] = {}


def _data(event: Event) -> str:
    names = _FIELDS.get(type(event))
    if names is None:
        names = _FIELDS[type(event)] = tuple(f.name for f in fields(event))
    return json.dumps({name: getattr(event, name) for name in names}, ensure_ascii=False, default=list)


class Unit(Reader):
    """One writing transaction at a time. Fulfils `hall_api.domain.book.Book`, its own changes included."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.seq = self.at = -1
        self.business_date = ""
        self._rows: dict[tuple[Any, ...], Row | None] = {}
        self._stored: set[tuple[Any, ...]] = set()
        self._dirty: dict[tuple[Any, ...], Row] = {}
        self._windows_known = False
        self._told: list[tuple[int, str, str, str, str]] = []
        self._answers: dict[tuple[str, str], dict[str, Any]] = {}
        self._touched = False

    # -- the transaction

    def begin(self) -> None:
        """Look at where the hall stands; keep queues and windows only if nobody wrote meanwhile."""
        seq, at, date = self.connection.run(ask.TAKE_STATE)[0]
        if seq != self.seq:
            self.forget()
        for key in [k for k in self._rows if k[0] not in LASTING]:
            del self._rows[key]
        self._stored = {key for key in self._stored if key[0] in LASTING}
        self.seq, self.at, self.business_date = seq, at, date
        self._touched = False

    def forget(self) -> None:
        """After somebody else wrote, or after a transaction failed: nothing here is certain any more."""
        self._rows.clear()
        self._stored.clear()
        self._dirty.clear()
        self._told.clear()
        self._answers.clear()
        self._windows_known = False
        self.seq = -1

    def settle(self) -> list[Told]:
        """Write all that lies here; the new journal lines, numbered. To be followed by the commit."""
        self._write(*ask.TABLES)
        told = [Told(self.seq + n, *line[:4]) for n, line in enumerate(self._told, 1)]
        if told:
            self.connection.run_many(
                ask.JOURNAL_ADD,
                [{**line._asdict(), "actor": kept[4]} for line, kept in zip(told, self._told, strict=True)],
            )
            self.seq = told[-1].seq
            self._told.clear()
        if self._answers:
            self.connection.run_many(ask.REMEMBER, list(self._answers.values()))
            self._answers.clear()
        if self._touched:
            self.connection.run(ask.KEEP_STATE, seq=self.seq, at=self.at, business_date=self.business_date)
        return told

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self._touched or self._dirty or self._answers)

    def apply(self, draft: Draft, actor: str, now: int) -> None:
        """Take a decision over. Hall time moves on."""
        for key, row in draft.rows.items():
            self._rows[key] = self._dirty[key] = row
        for machine, device in draft.cleared:
            self.connection.run(ask.CLEAR_ALARM, machine=machine, device=device)
        if draft.dropped:
            self._write(*ask.TABLES)
            for attachment in draft.dropped:
                self._rows.pop((Attachment, attachment), None)
                self.connection.run(ask.DROP_ATTACHMENT, id=attachment)
        if draft.rows or draft.cleared or draft.events:
            self._touched = True
            self.at = max(self.at, now)
        for event in draft.events:
            self._told.append((now, type(event).__name__, event.audience, _data(event), actor))

    def touch(self) -> None:
        """Something is written past the desk; commit it too."""
        self._touched = True

    def turn_day(self, date: str, now: int) -> None:
        """A new business day has begun; answers remembered for repeated requests are dropped after two days."""
        self.business_date = date
        self._touched = True
        self.connection.run(ask.FORGET_BEFORE, before=now - KEEP_ANSWERS_MS)

    # -- repeated requests

    def answered(self, actor: str, key: str) -> tuple[str, str, str] | None:
        """(request, status, body) of the first request with this key, or None."""
        known = self._answers.get((actor, key))
        if known:
            return known["request"], known["status"], known["body"]
        found = self.connection.run(ask.ANSWERED, actor=actor, key=key)
        return cast(tuple[str, str, str], tuple(found[0])) if found else None

    def remember(self, actor: str, key: str, request: str, status: str, body: str, now: int) -> None:
        """Give this answer to whoever asks with this key again."""
        self._answers[actor, key] = {
            "actor": actor, "key": key, "request": request, "status": status, "body": body, "at": now,
        }  # fmt: skip

    # -- the book, through what lies here

    def _known(self, kind: type[R], *key: Any) -> tuple[bool, R | None]:
        full = (kind, *key)
        return (True, cast("R | None", self._rows[full])) if full in self._rows else (False, None)

    def _keep(self, row: R | None, kind: type[R], *key: Any) -> R | None:
        self._rows[kind, *key] = row
        if row is not None:
            self._stored.add((kind, *key))
        return row

    def row(self, kind: type[R], statement: Any, **params: Any) -> R | None:
        """One row, written ones included."""
        self._write(*ask.TABLES)
        found = super().row(kind, statement, **params)
        if found is not None:
            self._stored.add(key_of(found))
            self._rows[key_of(found)] = found
        return found

    def rows(self, kind: type[R], statement: Any, **params: Any) -> list[R]:
        """Rows, written ones included."""
        self._write(*ask.TABLES)
        found = super().rows(kind, statement, **params)
        for row in found:
            self._stored.add(key_of(row))
            self._rows[key_of(row)] = row
        return found

    def ticket(self, ticket_id: str) -> Ticket | None:
        """The ticket of this id."""
        known, row = self._known(Ticket, ticket_id)
        return row if known else super().ticket(ticket_id)

    def job(self, job_id: str) -> PrintJob | None:
        """The print job of this id."""
        known, row = self._known(PrintJob, job_id)
        return row if known else super().job(job_id)

    def queue_day(self, date: str, queue: str) -> QueueDay:
        """The queue's day."""
        known, row = self._known(QueueDay, date, queue)
        if known and row:
            return row
        found = super().queue_day(date, queue)
        self._rows[QueueDay, date, queue] = found
        return found

    def all_windows(self) -> Sequence[WindowState]:
        """Every window; read once."""
        if not self._windows_known:
            self.rows(WindowState, ask.WINDOWS)
            self._windows_known = True
        return [row for key, row in self._rows.items() if key[0] is WindowState and isinstance(row, WindowState)]

    def window(self, no: int) -> WindowState:
        """The window; a closed one when nothing was ever stored."""
        self.all_windows()
        known, row = self._known(WindowState, no)
        return row if known and row else WindowState(no=no)

    def attachments(self, ticket_id: str) -> Sequence[Attachment]:
        """What is attached to a ticket, what was attached a moment ago included."""
        self._write(*ask.TABLES)
        return super().attachments(ticket_id)

    def attachments_before(self, date: str) -> Sequence[str]:
        """The same of earlier days."""
        self._write(*ask.TABLES)
        return super().attachments_before(date)

    # -- writing

    def _write(self, *kinds: type[Row]) -> None:
        if not self._dirty:
            return
        for kind in kinds:
            mine = {key: row for key, row in self._dirty.items() if key[0] is kind}
            if not mine:
                continue
            fresh = [cells_of(row) for key, row in mine.items() if key not in self._stored]
            known = [cells_of(row) for key, row in mine.items() if key in self._stored]
            if fresh:
                self.connection.run_many(ask.INSERT[kind], fresh)
            if known:
                keys = ask.KEYS[kind]
                for cells in known:
                    cells.update({f"key_{name}": cells[name] for name in keys})
                self.connection.run_many(ask.UPDATE[kind], known)
            self._stored.update(mine)
            for key in mine:
                del self._dirty[key]

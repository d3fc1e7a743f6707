"""Looking things up in the hall's book: rows become the domain's values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy.sql.expression import ClauseElement

from hall_api.domain.rows import (
    Alarm,
    Attachment,
    Case,
    DeviceState,
    Evaluation,
    PrintJob,
    QueueDay,
    Row,
    Ticket,
    WindowState,
)
from hall_api.storage import statements as ask
from hall_api.storage.engine import Cells, Connection

R = TypeVar("R", Ticket, WindowState, QueueDay, PrintJob, Evaluation, Case, DeviceState, Alarm, Attachment)
LISTS = {"windows", "options", "roles"}  # kept as JSON text


def row_of(kind: type[R], cells: Cells) -> R:
    """A row of the database as a value of the domain."""
    values: dict[str, Any] = dict(zip(ask.NAMES[kind], cells, strict=True))
    for name in LISTS & values.keys():
        values[name] = tuple(json.loads(values[name]))
    return kind(**values)


def cells_of(row: Row) -> dict[str, Any]:
    """The other way round: column name → value."""
    values = {name: getattr(row, name) for name in ask.NAMES[type(row)]}
    for name in LISTS & values.keys():
        values[name] = json.dumps(values[name], ensure_ascii=False)
    return values


class Reader:
    """The book as one connection sees it. Fulfils `hall_api.domain.book.Book`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def rows(self, kind: type[R], statement: ClauseElement, **params: Any) -> list[R]:
        """All rows a statement finds."""
        return [row_of(kind, cells) for cells in self.connection.run(statement, **params)]

    def row(self, kind: type[R], statement: ClauseElement, **params: Any) -> R | None:
        """The one row, or None."""
        found = self.connection.run(statement, **params)
        return row_of(kind, found[0]) if found else None

    def state(self) -> tuple[int, int, str]:
        """Sequence number and hall time of the last change, and the business date."""
        return self.connection.run(ask.STATE)[0]

    def ticket(self, ticket_id: str) -> Ticket | None:
        """The ticket of this id, of any day."""
        return self.row(Ticket, ask.TICKET, id=ticket_id)

    def numbered(self, date: str, number: str) -> Ticket | None:
        """The ticket of this number on that business day."""
        return self.row(Ticket, ask.NUMBERED, date=date, number=number)

    def window(self, no: int) -> WindowState:
        """The window; a closed one when nothing was ever stored."""
        return next((w for w in self.all_windows() if w.no == no), None) or WindowState(no=no)

    def all_windows(self) -> Sequence[WindowState]:
        """Every window that was ever opened."""
        return self.rows(WindowState, ask.WINDOWS)

    def queue_day(self, date: str, queue: str) -> QueueDay:
        """The queue's day; a fresh one when nothing was stored."""
        return self.row(QueueDay, ask.QUEUE_DAY, date=date, queue=queue) or QueueDay(business_date=date, queue=queue)

    def queue_days(self, date: str) -> dict[str, QueueDay]:
        """All queues of a day that have one."""
        return {day.queue: day for day in self.rows(QueueDay, ask.QUEUE_DAYS, date=date)}

    def head(self, queue: str, first: int) -> Ticket | None:
        """Who has waited longest in a queue among those called first (1) or the others (0)."""
        return self.row(Ticket, ask.HEAD, queue=queue, first=first)

    def bound_head(self, window: int) -> Ticket | None:
        """Who waits for this very window."""
        return self.row(Ticket, ask.BOUND_HEAD, window=window)

    def line(self, queue: str, limit: int) -> Sequence[Ticket]:
        """The first `limit` waiting in a queue, in call order."""
        return self.rows(Ticket, ask.LINE, queue=queue, limit=limit)

    def line_of_window(self, window: int, limit: int) -> Sequence[Ticket]:
        """Those who wait for this very window."""
        return self.rows(Ticket, ask.LINE_OF_WINDOW, window=window, limit=limit)

    def ahead(self, ticket: Ticket) -> int:
        """How many waiting tickets of its queue come before this one."""
        where = {"queue": ticket.queue, "place": ticket.place, "bound": ticket.bound}
        if ticket.first:
            return int(self.connection.run(ask.AHEAD_FIRST, **where)[0][0])
        day = self.queue_day(ticket.business_date, ticket.queue)
        return day.first + int(self.connection.run(ask.AHEAD, **where)[0][0])

    def aside(self, window: int) -> Sequence[Ticket]:
        """Held and passed tickets of a window, latest first."""
        return self.rows(Ticket, ask.ASIDE, window=window)

    def unfinished(self) -> Sequence[Ticket]:
        """Tickets waiting, called, held or passed."""
        called = [self.ticket(w.ticket) for w in self.all_windows() if w.ticket]
        return [
            *self.rows(Ticket, ask.WAITING_ALL),
            *self.rows(Ticket, ask.ASIDE_ALL),
            *(t for t in called if t and t.state == "called"),
        ]

    def claims_before(self, date: str) -> Sequence[Ticket]:
        """Tickets of earlier days that still carry the class of their priority."""
        return self.rows(Ticket, ask.CLAIMS_BEFORE, date=date)

    def job(self, job_id: str) -> PrintJob | None:
        """The print job of this id."""
        return self.row(PrintJob, ask.JOB, id=job_id)

    def attachments(self, ticket_id: str) -> Sequence[Attachment]:
        """What is attached to a ticket, oldest first, without the documents themselves."""
        names = ask.NAMES[Attachment][:-1]
        found = self.connection.run(ask.ATTACHMENTS, ticket=ticket_id)
        return [Attachment(**dict(zip(names, cells, strict=True))) for cells in found]

    def attachments_before(self, date: str) -> Sequence[str]:
        """Ids of attachments of earlier days."""
        return [str(cells[0]) for cells in self.connection.run(ask.ATTACHMENTS_BEFORE, date=date)]

    def sealed(self, ticket_id: str, attachment: str) -> bytes | None:
        """A document as it is kept."""
        found = self.connection.run(ask.ATTACHMENT, ticket=ticket_id, id=attachment)
        return bytes(found[0][0]) if found else None

    def evaluation(self, ticket_id: str) -> Evaluation | None:
        """How the ticket was rated."""
        return self.row(Evaluation, ask.EVALUATION, ticket=ticket_id)

    def device(self, machine: str, device: str) -> DeviceState | None:
        """What was last said of a device."""
        return self.row(DeviceState, ask.DEVICE, machine=machine, device=device)

    def devices(self) -> Sequence[DeviceState]:
        """What was last said of every device."""
        return self.rows(DeviceState, ask.DEVICES)

    def silent_devices(self, since: int) -> Sequence[DeviceState]:
        """Devices not absent or disabled that nobody spoke of since then."""
        return self.rows(DeviceState, ask.SILENT, since=since)

    def alarm(self, machine: str, device: str) -> Alarm | None:
        """The alarm that is on for a device."""
        return self.row(Alarm, ask.ALARM, machine=machine, device=device)


class Snapshot(Reader):
    """The book at one moment: what is asked again and again is read once."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._windows: Sequence[WindowState] | None = None
        self._devices: Sequence[DeviceState] | None = None
        self._days: dict[tuple[str, str], QueueDay] = {}

    def all_windows(self) -> Sequence[WindowState]:
        """Every window that was ever opened."""
        if self._windows is None:
            self._windows = super().all_windows()
        return self._windows

    def devices(self) -> Sequence[DeviceState]:
        """What was last said of every device."""
        if self._devices is None:
            self._devices = super().devices()
        return self._devices

    def queue_day(self, date: str, queue: str) -> QueueDay:
        """The queue's day; a fresh one when nothing was stored."""
        if (date, queue) not in self._days:
            self._days[date, queue] = super().queue_day(date, queue)
        return self._days[date, queue]

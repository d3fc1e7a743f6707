"""The hall's open book: what a decision may look up, and the draft it writes.

`Book` is all the domain knows of storage. `Draft` lies over a book like tracing paper: it collects changed rows and
events, and looks through to the book for everything else. The book itself is never written by a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from config.plan import HallPlan, Policy
from hall_api.domain.events import Event
from hall_api.domain.orders import Actor
from hall_api.domain.refusal import Kind, Refusal
from hall_api.domain.rows import (
    Alarm,
    Attachment,
    DeviceState,
    Evaluation,
    PrintJob,
    QueueDay,
    Row,
    Ticket,
    WindowState,
)


class Book(Protocol):
    """What is stored. Rows of today unless asked by id; every answer is of this very moment."""

    def ticket(self, ticket_id: str) -> Ticket | None:
        """The ticket of this id, of any day."""

    def numbered(self, date: str, number: str) -> Ticket | None:
        """The ticket of this number on that business day."""

    def window(self, no: int) -> WindowState:
        """The window; a closed one when nothing was ever stored."""

    def all_windows(self) -> Sequence[WindowState]:
        """Every window that was ever opened."""

    def queue_day(self, date: str, queue: str) -> QueueDay:
        """The queue's day; a fresh one when nothing was stored."""

    def head(self, queue: str, first: int) -> Ticket | None:
        """Who has waited longest in a queue among those called first (1) or the others (0), bound to no window."""

    def bound_head(self, window: int) -> Ticket | None:
        """Who waits for this very window: priority first, then arrival."""

    def line(self, queue: str, limit: int) -> Sequence[Ticket]:
        """The first `limit` waiting in a queue, in call order."""

    def unfinished(self) -> Sequence[Ticket]:
        """Tickets waiting, called, held or passed."""

    def claims_before(self, date: str) -> Sequence[Ticket]:
        """Tickets of earlier days that still carry the class of their priority."""

    def job(self, job_id: str) -> PrintJob | None:
        """The print job of this id."""

    def attachments(self, ticket_id: str) -> Sequence[Attachment]:
        """What is attached to a ticket, oldest first, without the documents themselves."""

    def attachments_before(self, date: str) -> Sequence[str]:
        """Ids of attachments of earlier days."""

    def evaluation(self, ticket_id: str) -> Evaluation | None:
        """How the ticket was rated."""

    def device(self, machine: str, device: str) -> DeviceState | None:
        """What was last said of a device."""

    def devices(self) -> Sequence[DeviceState]:
        """What was last said of every device."""

    def silent_devices(self, since: int) -> Sequence[DeviceState]:
        """Devices not absent or disabled that nobody spoke of since then."""

    def alarm(self, machine: str, device: str) -> Alarm | None:
        """The alarm that is on for a device."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Who asks, when, in which hall. `now`: hall time in ms; `date`: the business day; `draw(bits)`: a fresh id."""

    plan: HallPlan
    now: int
    date: str
    actor: Actor
    draw: Callable[[int], str]
    behind: int = 0  # how far the clock is behind hall time, ms

    @property
    def policy(self) -> Policy:
        """The district's numbers."""
        return self.plan.policy


class Cleared(NamedTuple):
    """An alarm that is over: its row goes."""

    machine: str
    device: str


def key_of(row: Row) -> tuple[Any, ...]:
    """What makes a row this row: its kind and its key."""
    if isinstance(row, QueueDay):
        return QueueDay, row.business_date, row.queue
    if isinstance(row, WindowState):
        return WindowState, row.no
    if isinstance(row, DeviceState | Alarm):
        return type(row), row.machine, row.device
    return type(row), row.ticket if isinstance(row, Evaluation) else row.id


@dataclass(slots=True)
class Draft:
    """A decision being written: rows to store, events to tell, and the row the asker gets shown (`subject`)."""

    book: Book
    moment: Moment
    rows: dict[tuple[Any, ...], Row] = field(default_factory=dict)
    cleared: list[Cleared] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)  # ids of attachments that go for good
    events: list[Event] = field(default_factory=list)
    subject: Row | None = None
    ahead: int | None = None  # of a ticket just issued: how many come before it

    def save(self, row: Row) -> None:
        """This row is so from now on."""
        self.rows[key_of(row)] = row

    def tell(self, event: Event) -> None:
        """This has happened."""
        self.events.append(event)

    def ticket(self, ticket_id: str) -> Ticket:
        """The ticket as this draft has it; Refusal no_ticket (404)."""
        found = self.rows.get((Ticket, ticket_id)) or self.book.ticket(ticket_id)
        if found is None:
            raise Refusal("no_ticket", Kind.MISSING)
        assert isinstance(found, Ticket)
        return found

    def window(self, no: int) -> WindowState:
        """The window as this draft has it; Refusal no_window (404) when the plan has none."""
        if all(w.no != no for w in self.moment.plan.windows):
            raise Refusal("no_window", Kind.MISSING, window=no)
        return self.known_window(no)

    def known_window(self, no: int) -> WindowState:
        """The same for a number found in a stored row: that window may have left the plan since."""
        found = self.rows.get((WindowState, no)) or self.book.window(no)
        assert isinstance(found, WindowState)
        return found

    def devices(self) -> list[DeviceState]:
        """Every device as this draft has it."""
        rows = {key_of(row): row for row in self.book.devices()}
        rows |= {key: row for key, row in self.rows.items() if isinstance(row, DeviceState)}
        return list(rows.values())

    def only_own_window(self, no: int) -> None:
        """A window's own machine speaks for that window only; Refusal not_your_window (403) otherwise."""
        actor = self.moment.actor
        if actor.role == "window" and actor.window not in (None, no):
            raise Refusal("not_your_window", Kind.FORBIDDEN, window=no)

    def queue_day(self, queue: str, date: str = "") -> QueueDay:
        """The queue's day as this draft has it."""
        date = date or self.moment.date
        found = self.rows.get((QueueDay, date, queue)) or self.book.queue_day(date, queue)
        assert isinstance(found, QueueDay)
        return found

    def count(self, ticket: Ticket, *, waiting: int) -> None:
        """One more (1) or less (-1) waits in the ticket's queue."""
        day = self.queue_day(ticket.queue, ticket.business_date)
        self.save(replace(day, waiting=day.waiting + waiting, first=day.first + waiting * ticket.first))

"""What the hall knows right now: tickets, windows, queues, ratings, devices, as plain values.

Times are milliseconds of UTC. A row is never changed in place: a decision answers with new ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TicketState = Literal["waiting", "called", "serving", "held", "passed", "done", "cancelled", "expired"]
WindowMode = Literal["closed", "open", "paused"]
Claim = Literal["none", "claimed", "verified", "declined"]
RatingState = Literal["none", "invited", "rated", "timed_out", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One number of one business day and what has become of it."""

    id: str
    business_date: str
    queue: str
    serial: int
    number: str
    service: str = ""
    state: TicketState = "waiting"
    place: int = 0  # order in the line: microseconds of arrival
    first: int = 0  # 1: called before the others (a verified priority)
    claim: Claim = "none"
    priority: str = ""  # the class claimed: dropped at the day's end, never told
    bound: int = 0  # the only window that may call it, or 0
    window: int = 0  # where it was called last, or 0
    staff: str = ""
    kiosk: str = ""
    job: str = ""
    issued_at: int = 0
    first_called_at: int | None = None
    called_at: int | None = None  # of the present turn
    recalled_at: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    changed_at: int = 0
    recalls: int = 0  # of the present turn
    all_calls: int = 0  # without recalls
    all_recalls: int = 0
    passes: int = 0
    rejoins: int = 0
    served_ms: int = 0  # service time before the last hold or transfer
    outcome: str = ""
    rating: RatingState = "none"
    rating_until: int | None = None

    @property
    def marked(self) -> bool:
        """Whether the neutral priority mark stands on slip and screens."""
        return self.claim in ("claimed", "verified")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """A window as it is now. `ticket` is the one ticket it has called or serves."""

    no: int
    state: WindowMode = "closed"
    reason: str = ""
    staff: str = ""
    ticket: str = ""
    rating_ticket: str = ""
    rating_until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDay:
    """One queue on one business day."""

    business_date: str
    queue: str
    last_serial: int = 0
    last_place: int = 0
    closed: int = 0
    waiting: int = 0
    first: int = 0  # of those waiting, how many are called before the others
    run: int = 0  # priority calls in a row
    served: int = 0
    served_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintJob:
    """One slip to print. `first` names the job it repeats: such a slip carries 补打."""

    id: str
    ticket: str
    kiosk: str
    state: str = "queued"
    reason: str = ""
    first: str = ""
    at: int = 0
    changed_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How one visit was rated, once. Nothing in it says who the citizen was."""

    ticket: str
    business_date: str
    number: str
    queue: str
    service: str
    window: int
    staff: str
    work_no: str
    grade: int
    channel: str
    options: tuple[str, ...]
    options_version: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A rectification case: a poor rating somebody must answer for until `due_at`."""

    id: str
    ticket: str
    number: str
    window: int
    staff: str
    grade: int
    opened_at: int
    due_at: int
    state: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """What a machine last said about one of its devices."""

    machine: str
    device: str
    role: str
    state: str
    reason: str = ""
    windows: tuple[int, ...] = ()
    roles: tuple[str, ...] = ()
    since: int = 0
    seen_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something somebody must go and look at."""

    machine: str
    device: str
    reason: str
    since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A document scanned for a ticket, sealed; a list of them leaves `sealed` empty."""

    id: str
    ticket: str
    business_date: str
    window: int
    size: int  # bytes of the document
    at: int
    sealed: bytes = b""


Row = Ticket | WindowState | QueueDay | PrintJob | Evaluation | Case | DeviceState | Alarm | Attachment

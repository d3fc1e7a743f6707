"""What the hall can be asked to do: one frozen dataclass an order, in the clerk's and the citizen's verbs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a visit ended."""

    DONE = "done"
    ACCEPTED = "accepted"
    NOTICE = "notice"
    TOLERANT = "tolerant"
    REFERRED = "referred"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks. role: clerk, manager, technician, helper, kiosk, window, screen, citizen, system."""

    role: str
    name: str = ""  # login of a person, name of a machine
    window: int | None = None


@dataclass(frozen=True, kw_only=True)
class Order:
    """Something the hall is asked to do."""


@dataclass(frozen=True, kw_only=True)
class Issue(Order):
    """Give out a number. One of `queue` and `service` is enough; `kiosk` names the kiosk that prints the slip."""

    queue: str | None = None
    service: str | None = None
    priority: str | None = None  # code of a priority class the citizen claims
    kiosk: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallNext(Order):
    """Call whoever is next for this window; `finish` first ends the ticket the window still holds."""

    window: int
    finish: Outcome | None = None


@dataclass(frozen=True, kw_only=True)
class CallOne(Order):
    """Call one waiting (or passed) number to this window."""

    window: int
    number: str
    finish: Outcome | None = None


@dataclass(frozen=True, kw_only=True)
class TicketOrder(Order):
    """An order about one ticket, by id."""

    ticket: str


@dataclass(frozen=True, kw_only=True)
class Recall(TicketOrder):
    """Call the called ticket again."""


@dataclass(frozen=True, kw_only=True)
class Pass(TicketOrder):
    """Nobody came."""


@dataclass(frozen=True, kw_only=True)
class Rejoin(TicketOrder):
    """A passed citizen has come after all."""


@dataclass(frozen=True, kw_only=True)
class Start(TicketOrder):
    """The called citizen sits down."""


@dataclass(frozen=True, kw_only=True)
class Hold(TicketOrder):
    """Put the ticket being served aside (the citizen fetches a copy)."""


@dataclass(frozen=True, kw_only=True)
class Resume(TicketOrder):
    """Serve a held ticket again, at `window` (default: where it was held)."""

    window: int | None = None


@dataclass(frozen=True, kw_only=True)
class Transfer(TicketOrder):
    """Send a called or serving ticket to another queue or window; it keeps its arrival time."""

    queue: str | None = None
    window: int | None = None


@dataclass(frozen=True, kw_only=True)
class Finish(TicketOrder):
    """End the visit; a called ticket counts as started."""

    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Cancel(TicketOrder):
    """Give the number up."""


@dataclass(frozen=True, kw_only=True)
class Rate(TicketOrder):
    """Rate a finished visit, once. grade 5…1; channel: evaluator, qr, kiosk, pc; `options` are codes of reasons.

    `age`: seconds since the key was pressed, when the machine at the window could not reach the hall at once.
    """

    grade: int
    channel: str = "evaluator"
    options: tuple[str, ...] = ()
    age: int = 0


@dataclass(frozen=True, kw_only=True)
class SkipRating(TicketOrder):
    """The citizen does not wish to rate."""


@dataclass(frozen=True, kw_only=True)
class VerifyPriority(TicketOrder):
    """Staff looked at a priority claim. `age` is given when an ID card was read at the kiosk (card_age classes)."""

    accept: bool = True
    age: int | None = None


@dataclass(frozen=True, kw_only=True)
class OpenWindow(Order):
    """A clerk opens a window; `staff` is a login (default: the actor)."""

    window: int
    staff: str | None = None


@dataclass(frozen=True, kw_only=True)
class PauseWindow(Order):
    """The window calls nobody for a while."""

    window: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ResumeWindow(Order):
    """The window calls again."""

    window: int


@dataclass(frozen=True, kw_only=True)
class CloseWindow(Order):
    """The clerk leaves; refused while a ticket is held by the window."""

    window: int


@dataclass(frozen=True, kw_only=True)
class OpenQueue(Order):
    """Give numbers again."""

    queue: str


@dataclass(frozen=True, kw_only=True)
class CloseQueue(Order):
    """Give no more numbers today."""

    queue: str


@dataclass(frozen=True, kw_only=True)
class Reprint(TicketOrder):
    """Print the slip of a ticket again at `kiosk`; the paper carries 补打."""

    kiosk: str


@dataclass(frozen=True, kw_only=True)
class SettleJob(Order):
    """A kiosk tells what became of a print job: sending, sent, confirmed, unknown, failed, cancelled."""

    job: str
    state: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportDevice(Order):
    """A machine tells the state of one of its devices (again and again; only changes are journalled)."""

    machine: str
    device: str
    role: str
    state: str
    reason: str = ""
    windows: tuple[int, ...] = ()
    roles: tuple[str, ...] = ()  # all that it is for; empty: only `role`


@dataclass(frozen=True, kw_only=True)
class ReportDevices(Order):
    """What a machine tells of several of its devices at once."""

    reports: tuple[ReportDevice, ...]


@dataclass(frozen=True, kw_only=True)
class CallHelper(Order):
    """A citizen at a kiosk asks for a person; `page` is where they were."""

    kiosk: str
    page: str = ""


@dataclass(frozen=True, kw_only=True)
class AnswerHelp(Order):
    """Somebody goes to the citizen at the kiosk."""

    kiosk: str


@dataclass(frozen=True, kw_only=True)
class Housekeep(Order):
    """What the passing of time demands: rating invitations run out, the day changes. Asked for by the hall itself."""


@dataclass(frozen=True, kw_only=True)
class Attach(Order):
    """Keep a document scanned at the window with its ticket: `size` bytes, sealed before anybody here sees it."""

    ticket: str
    size: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Detach(Order):
    """Take an attachment away for good."""

    ticket: str
    attachment: str

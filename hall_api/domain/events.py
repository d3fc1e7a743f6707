"""What has happened in the hall, in the past tense: the words of the journal.

Each event is stored in the same transaction as the change it tells and is never altered. Others receive it as
`{"seq": 12, "at": "2026-11-20T01:02:03.456Z", "type": "TicketCalled", "data": {…the fields below…}}`.
`audience` says who may hear it: `public` (everyone with a token), `staff` (clerks, kiosks, window machines, managers),
`manager` (managers and technicians only). No event carries a citizen's name, phone, ID number or reason for priority.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened. Strings are ready to show; `ticket` is the ticket's id, `window` a window's number."""

    audience: ClassVar[str] = "public"


@dataclass(frozen=True, kw_only=True)
class TicketEvent(Event):
    """Something that happened to one ticket."""

    ticket: str
    number: str
    queue: str


@dataclass(frozen=True, kw_only=True)
class TicketIssued(TicketEvent):
    """A number was given out and waits. `job` is the print job to carry out when `kiosk` names a kiosk, else empty."""

    queue_name: str
    service: str = ""
    service_name: str = ""
    priority: bool = False  # a neutral mark; the reason is never told
    ahead: int = 0
    wait_minutes: int = 0
    zone: str = ""
    kiosk: str = ""
    job: str = ""


@dataclass(frozen=True, kw_only=True)
class TicketCalled(TicketEvent):
    """A window calls a ticket; `recall` counts repeated calls (0: the first)."""

    window: int
    window_name: str = ""
    zone: str = ""
    priority: bool = False
    recall: int = 0


@dataclass(frozen=True, kw_only=True)
class TicketRecalled(TicketCalled):
    """The same ticket is called once more."""


@dataclass(frozen=True, kw_only=True)
class TicketPassed(TicketEvent):
    """Nobody came; the number is passed."""

    window: int


@dataclass(frozen=True, kw_only=True)
class TicketRejoined(TicketEvent):
    """A passed ticket waits again, behind `after` others."""

    after: int


@dataclass(frozen=True, kw_only=True)
class ServiceStarted(TicketEvent):
    """The citizen sits at the window."""

    window: int


@dataclass(frozen=True, kw_only=True)
class TicketHeld(TicketEvent):
    """The ticket is put aside; the window is free for another."""

    window: int


@dataclass(frozen=True, kw_only=True)
class TicketResumed(TicketEvent):
    """A held ticket is served again."""

    window: int


@dataclass(frozen=True, kw_only=True)
class TicketTransferred(TicketEvent):
    """The ticket waits elsewhere with its old arrival time. `queue` is the new one; `to_window` 0 means any window."""

    from_queue: str
    from_window: int
    to_window: int = 0


@dataclass(frozen=True, kw_only=True)
class ServiceFinished(TicketEvent):
    """The visit ended with an outcome: done, accepted, notice, tolerant, referred."""

    window: int
    outcome: str


@dataclass(frozen=True, kw_only=True)
class TicketCancelled(TicketEvent):
    """The citizen or the staff gave the number up."""


@dataclass(frozen=True, kw_only=True)
class TicketExpired(TicketEvent):
    """The day ended before the ticket was served."""


@dataclass(frozen=True, kw_only=True)
class RatingInvited(TicketEvent):
    """The citizen may rate now; the evaluator shows this card. `until` is an ISO UTC time."""

    window: int
    staff_name: str = ""
    work_no: str = ""
    duties: str = ""
    until: str = ""


@dataclass(frozen=True, kw_only=True)
class RatingClosed(TicketEvent):
    """The invitation is over: rated, timed_out or skipped. The grade is not told in public."""

    window: int
    how: str


@dataclass(frozen=True, kw_only=True)
class TicketRated(TicketEvent):
    """One visit was rated once."""

    audience: ClassVar[str] = "manager"
    window: int
    grade: int
    channel: str


@dataclass(frozen=True, kw_only=True)
class CaseOpened(TicketEvent):
    """A poor rating opened a rectification case. `due` is an ISO UTC time."""

    audience: ClassVar[str] = "manager"
    case: str
    due: str


@dataclass(frozen=True, kw_only=True)
class PriorityVerified(TicketEvent):
    """Staff looked and put the ticket among the first."""

    audience: ClassVar[str] = "staff"


@dataclass(frozen=True, kw_only=True)
class PriorityDeclined(TicketEvent):
    """Staff looked and left the ticket at its ordinary place."""

    audience: ClassVar[str] = "staff"


@dataclass(frozen=True, kw_only=True)
class WindowOpened(Event):
    """A clerk sat down; the window's card is theirs."""

    window: int
    staff_name: str = ""
    work_no: str = ""
    duties: str = ""


@dataclass(frozen=True, kw_only=True)
class WindowPaused(Event):
    """The window calls nobody for a while."""

    window: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class WindowResumed(Event):
    """The window calls again."""

    window: int


@dataclass(frozen=True, kw_only=True)
class WindowClosed(Event):
    """The clerk left."""

    window: int


@dataclass(frozen=True, kw_only=True)
class QueueOpened(Event):
    """The queue gives numbers again."""

    queue: str


@dataclass(frozen=True, kw_only=True)
class QueueClosed(Event):
    """The queue gives no more numbers."""

    queue: str


@dataclass(frozen=True, kw_only=True)
class SlipQueued(TicketEvent):
    """A kiosk is to print a slip again; `first` is the job it repeats."""

    audience: ClassVar[str] = "staff"
    job: str
    kiosk: str
    first: str = ""


@dataclass(frozen=True, kw_only=True)
class SlipSettled(TicketEvent):
    """What became of a print job: sending, sent, confirmed, unknown, failed, cancelled."""

    audience: ClassVar[str] = "staff"
    job: str
    state: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class DeviceChanged(Event):
    """A device of some machine changed its state (absent, connecting, ready, degraded, error, disabled)."""

    audience: ClassVar[str] = "staff"
    machine: str
    device: str
    role: str
    state: str
    reason: str = ""
    windows: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RatingChannelChanged(Event):
    """A window is rated through another channel from now on: its evaluator went (`qr`) or came (`evaluator`)."""

    window: int
    channel: str


@dataclass(frozen=True, kw_only=True)
class AlarmRaised(Event):
    """Someone must go and look; `reason` says who should do what."""

    audience: ClassVar[str] = "staff"
    machine: str
    device: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AlarmCleared(Event):
    """The reason of an alarm is gone."""

    audience: ClassVar[str] = "staff"
    machine: str
    device: str


@dataclass(frozen=True, kw_only=True)
class AttachmentAdded(TicketEvent):
    """A window scanned papers and keeps them with the ticket; what they are or say is never told."""

    audience: ClassVar[str] = "staff"
    attachment: str
    window: int
    size: int


@dataclass(frozen=True, kw_only=True)
class AttachmentRemoved(TicketEvent):
    """An attachment was taken away for good."""

    audience: ClassVar[str] = "staff"
    attachment: str
    window: int


@dataclass(frozen=True, kw_only=True)
class DayClosed(Event):
    """The business day `date` (ISO) ended: waiting tickets expired, priority reasons and attachments were dropped."""

    date: str

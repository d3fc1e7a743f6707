"""What the hall watches over: devices, alarms, the clock, the end of the day."""

from __future__ import annotations

from dataclasses import replace

from config.words import translator
from hall_api.domain.book import Cleared, Draft
from hall_api.domain.calendar import TOLERANCE_MS
from hall_api.domain.channels import tell_channels
from hall_api.domain.events import AlarmCleared, AlarmRaised, DayClosed, DeviceChanged, TicketExpired
from hall_api.domain.orders import AnswerHelp, CallHelper, Housekeep, ReportDevice, ReportDevices
from hall_api.domain.ratings import run_out
from hall_api.domain.refusal import Kind, Refusal
from hall_api.domain.rows import Alarm, DeviceState, Ticket
from hall_api.domain.states import AT_WINDOW, step

SILENT_MS = 90_000
STATES = ("absent", "connecting", "ready", "degraded", "error", "disabled")
TROUBLE = ("absent", "error")
WELL = ("ready", "degraded", "disabled")
CLOCK = ("hall", "clock")
HELP = "help"  # the "device" of an alarm that is a citizen's call


def report_device(order: ReportDevice, draft: Draft) -> None:
    """A machine says how a device is: a change is told, the rest only noted. Subject: the device."""
    if order.state not in STATES:
        raise Refusal("no_device_state", Kind.INVALID, state=order.state)
    now = draft.moment.now
    before = draft.book.device(order.machine, order.device)
    state = DeviceState(
        machine=order.machine,
        device=order.device,
        role=order.role,
        state=order.state,
        reason=order.reason,
        windows=tuple(order.windows),
        roles=tuple(order.roles) or (order.role,),
        since=before.since if before and before.state == order.state else now,
        seen_at=now,
    )
    draft.subject = state
    draft.save(state)
    if before is None or replace(before, seen_at=now) != state:
        _changed(before, state, draft)


def report_devices(order: ReportDevices, draft: Draft) -> None:
    """All of them or, when one is wrong, none; of a device named twice the last word. Subject: the last device."""
    for report in {(one.machine, one.device): one for one in order.reports}.values():
        report_device(report, draft)


def _changed(before: DeviceState | None, state: DeviceState, draft: Draft) -> None:
    draft.tell(
        DeviceChanged(
            machine=state.machine,
            device=state.device,
            role=state.role,
            state=state.state,
            reason=state.reason,
            windows=state.windows,
        )
    )
    tell_channels(before, state, draft)
    if state.state in TROUBLE:
        raise_alarm(state.machine, state.device, state.reason or f"{state.role}: {state.state}", draft)
    elif state.state in WELL:
        clear_alarm(state.machine, state.device, draft)


def call_helper(order: CallHelper, draft: Draft) -> None:
    """A citizen asks for a person: an alarm that stays until somebody goes there. Subject: the alarm."""
    say = translator("hall_api")
    reason = say("A citizen at {kiosk} asks for help; please go there.").format(kiosk=order.kiosk)
    raise_alarm(order.kiosk, HELP, reason, draft)
    draft.subject = Alarm(machine=order.kiosk, device=HELP, reason=reason, since=draft.moment.now)


def answer_help(order: AnswerHelp, draft: Draft) -> None:
    """Somebody goes there; asked twice it changes nothing. Subject: the alarm."""
    draft.subject = Alarm(machine=order.kiosk, device=HELP, reason="", since=draft.moment.now)
    clear_alarm(order.kiosk, HELP, draft)


def raise_alarm(machine: str, device: str, reason: str, draft: Draft) -> None:
    """Tell it once for each reason."""
    on = draft.book.alarm(machine, device)
    if on is None or on.reason != reason:
        draft.save(Alarm(machine=machine, device=device, reason=reason, since=on.since if on else draft.moment.now))
        draft.tell(AlarmRaised(machine=machine, device=device, reason=reason))


def clear_alarm(machine: str, device: str, draft: Draft) -> None:
    """Tell it once."""
    if draft.book.alarm(machine, device):
        draft.cleared.append(Cleared(machine, device))
        draft.tell(AlarmCleared(machine=machine, device=device))


def housekeep(order: Housekeep, draft: Draft) -> None:
    """What the passing of time demands: invitations run out, silent devices are absent, a wrong clock is told."""
    say = translator("hall_api")
    run_out(draft)
    now = draft.moment.now
    for device in draft.book.silent_devices(now - SILENT_MS):
        absent = replace(
            device, state="absent", reason=say("The machine is silent; check its power and network."), since=now
        )
        draft.save(absent)
        _changed(device, absent, draft)
    if draft.moment.behind > TOLERANCE_MS:
        raise_alarm(*CLOCK, say("The hall computer's clock was set back; a technician must set it right."), draft)
    else:
        clear_alarm(*CLOCK, draft)


def close_day(old: str, draft: Draft) -> None:
    """Business day `old` is over: who still waits has waited in vain; why anybody was first is forgotten, and so are
    the papers that were scanned."""
    for ticket in draft.book.unfinished():
        if ticket.business_date < draft.moment.date:
            _expire(ticket, draft)
    for ticket in draft.book.claims_before(draft.moment.date):
        draft.save(replace(draft.ticket(ticket.id), priority=""))
    draft.dropped += draft.book.attachments_before(draft.moment.date)
    draft.tell(DayClosed(date=old))


def _expire(ticket: Ticket, draft: Draft) -> None:
    if ticket.state in AT_WINDOW:
        draft.save(replace(draft.known_window(ticket.window), ticket=""))
    if ticket.state == "waiting":
        draft.count(ticket, waiting=-1)
    draft.save(replace(ticket, state=step("expire", ticket), priority="", changed_at=draft.moment.now))
    draft.tell(TicketExpired(ticket=ticket.id, number=ticket.number, queue=ticket.queue))

"""A visit at the window: start, put aside, take up again, send elsewhere, finish; and giving a number up."""

from __future__ import annotations

from dataclasses import replace

from hall_api.domain.book import Draft
from hall_api.domain.events import (
    PriorityDeclined,
    PriorityVerified,
    ServiceFinished,
    ServiceStarted,
    TicketCancelled,
    TicketHeld,
    TicketResumed,
    TicketTransferred,
)
from hall_api.domain.orders import Cancel, Finish, Hold, Outcome, Resume, Start, Transfer, VerifyPriority
from hall_api.domain.ratings import invite
from hall_api.domain.refusal import Kind, Refusal
from hall_api.domain.rows import Ticket, WindowState
from hall_api.domain.states import AT_WINDOW, step

STAFF = ("clerk", "manager", "technician", "helper", "window", "system")


def held_ticket(ticket: Ticket, draft: Draft) -> WindowState:
    """The window that holds this called or serving ticket."""
    window = draft.known_window(ticket.window)
    assert window.ticket == ticket.id, f"window {window.no} holds {window.ticket!r}, not {ticket.id!r}"
    return window


def _at_window(verb: str, ticket: Ticket, draft: Draft) -> WindowState:
    step(verb, ticket)
    draft.only_own_window(ticket.window)
    return held_ticket(ticket, draft)


def start(order: Start, draft: Draft) -> None:
    """The citizen sits down. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    window = _at_window("start", ticket, draft)
    now = draft.moment.now
    draft.subject = replace(ticket, state=step("start", ticket), started_at=now, changed_at=now)
    draft.save(draft.subject)
    draft.tell(ServiceStarted(ticket=ticket.id, number=ticket.number, queue=ticket.queue, window=window.no))


def hold(order: Hold, draft: Draft) -> None:
    """Aside for a while; the window is free. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    window = _at_window("hold", ticket, draft)
    now = draft.moment.now
    draft.save(replace(window, ticket=""))
    draft.subject = replace(
        ticket, state=step("hold", ticket), served_ms=now - (ticket.started_at or now), changed_at=now
    )
    draft.save(draft.subject)
    draft.tell(TicketHeld(ticket=ticket.id, number=ticket.number, queue=ticket.queue, window=window.no))


def resume(order: Resume, draft: Draft) -> None:
    """Served again where it was held, or at another window with free hands. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    state = step("resume", ticket)
    no = order.window or ticket.window
    draft.only_own_window(no)
    window = draft.window(no)
    if window.state == "closed":
        raise Refusal("window_closed", window=no)
    if window.ticket:
        raise Refusal("window_holds", window=no, number=draft.ticket(window.ticket).number)
    now = draft.moment.now
    resumed = replace(
        ticket,
        state=state,
        window=no,
        staff=window.staff,
        started_at=now - ticket.served_ms,  # so that the time since then is the time served
        served_ms=0,
        changed_at=now,
    )
    draft.subject = resumed
    draft.save(resumed)
    draft.save(replace(window, ticket=ticket.id))
    draft.tell(TicketResumed(ticket=ticket.id, number=ticket.number, queue=ticket.queue, window=no))


def transfer(order: Transfer, draft: Draft) -> None:
    """Waits elsewhere with its old arrival time; sent to a window, only that window calls it. Subject: the ticket."""
    plan = draft.moment.plan
    ticket = draft.ticket(order.ticket)
    window = _at_window("transfer", ticket, draft)
    if order.queue is None and order.window is None:
        raise Refusal("transfer_where", Kind.INVALID)
    if order.queue is not None and all(q.code != order.queue for q in plan.queues):
        raise Refusal("no_queue", Kind.INVALID, queue=order.queue)
    if order.window is not None:
        draft.window(order.window)
    draft.save(replace(window, ticket=""))
    moved = replace(
        ticket,
        state=step("transfer", ticket),
        queue=order.queue or ticket.queue,
        bound=order.window or 0,
        window=0,
        called_at=None,
        recalled_at=None,
        started_at=None,
        recalls=0,
        changed_at=draft.moment.now,
    )
    draft.save(moved)
    draft.count(moved, waiting=1)
    draft.subject = moved
    draft.tell(
        TicketTransferred(
            ticket=ticket.id,
            number=ticket.number,
            queue=moved.queue,
            from_queue=ticket.queue,
            from_window=window.no,
            to_window=moved.bound,
        )
    )


def finish(order: Finish, draft: Draft) -> None:
    """The visit ends with an outcome and the citizen may rate it. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    step("finish", ticket)
    draft.only_own_window(ticket.window)
    end_visit(ticket, order.outcome, draft)


def end_visit(ticket: Ticket, outcome: Outcome, draft: Draft) -> None:
    """Finish a called or serving ticket (a called one counts as started when it was called), and invite a rating."""
    now = draft.moment.now
    window = held_ticket(ticket, draft)
    began = ticket.started_at if ticket.started_at is not None else ticket.called_at or now
    day = draft.queue_day(ticket.queue)
    draft.save(replace(day, served=day.served + 1, served_ms=day.served_ms + now - began))
    done = replace(
        ticket, state=step("finish", ticket), started_at=began, finished_at=now, changed_at=now, outcome=str(outcome)
    )
    draft.save(replace(window, ticket=""))
    draft.tell(
        ServiceFinished(
            ticket=ticket.id, number=ticket.number, queue=ticket.queue, window=window.no, outcome=str(outcome)
        )
    )
    draft.save(done)
    draft.subject = invite(done, draft)


def cancel(order: Cancel, draft: Draft) -> None:
    """The number is given up. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    state = step("cancel", ticket)
    if ticket.state in AT_WINDOW:
        draft.only_own_window(ticket.window)
        draft.save(replace(held_ticket(ticket, draft), ticket=""))
    if ticket.state == "waiting":
        draft.count(ticket, waiting=-1)
    draft.subject = replace(ticket, state=state, changed_at=draft.moment.now)
    draft.save(draft.subject)
    draft.tell(TicketCancelled(ticket=ticket.id, number=ticket.number, queue=ticket.queue))


def verify_priority(order: VerifyPriority, draft: Draft) -> None:
    """Staff decide by looking; a kiosk may prove an age class by the card. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    step("verify", ticket)
    accept = _proved_by_age(ticket, order.age, draft) if order.age is not None else _seen_by_staff(order, draft)
    verified = replace(
        ticket,
        claim="verified" if accept else "declined",
        first=int(accept),
        priority=ticket.priority if accept else "",
        changed_at=draft.moment.now,
    )
    draft.subject = verified
    if verified.claim == ticket.claim:
        return
    draft.count(ticket, waiting=-1)
    draft.count(verified, waiting=1)
    draft.save(verified)
    kind = PriorityVerified if accept else PriorityDeclined
    draft.tell(kind(ticket=ticket.id, number=ticket.number, queue=ticket.queue))


def _seen_by_staff(order: VerifyPriority, draft: Draft) -> bool:
    if draft.moment.actor.role not in STAFF:
        raise Refusal("staff_verify", Kind.FORBIDDEN)
    return order.accept


def _proved_by_age(ticket: Ticket, age: int, draft: Draft) -> bool:
    """True, or a Refusal that leaves the claim as it is: staff may still look."""
    plan = draft.moment.plan
    by_age = any(p.code == ticket.priority and p.verify == "card_age" for p in plan.priorities)
    if not by_age:
        raise Refusal("age_proves_nothing", number=ticket.number)
    if age < plan.policy.elder_age:
        raise Refusal("too_young", number=ticket.number, age=plan.policy.elder_age)
    return True

"""Calling numbers to a window: the next, a certain one, once more; and what happens when nobody comes."""

from __future__ import annotations

from dataclasses import replace

from hall_api.domain.book import Draft
from hall_api.domain.events import TicketCalled, TicketPassed, TicketRecalled, TicketRejoined
from hall_api.domain.line import counted_run, next_for_window, place_after
from hall_api.domain.orders import CallNext, CallOne, Outcome, Pass, Recall, Rejoin
from hall_api.domain.refusal import Kind, Refusal
from hall_api.domain.rows import Ticket, WindowState
from hall_api.domain.states import step
from hall_api.domain.visit import end_visit, held_ticket


def ready_window(no: int, finish: Outcome | None, draft: Draft) -> WindowState:
    """An open window with free hands, after ending the visit it still holds when `finish` says how."""
    window = draft.window(no)
    draft.only_own_window(no)
    if window.state != "open":
        raise Refusal(f"window_{window.state}", window=no)
    if not window.ticket:
        return window
    if finish is None:
        raise Refusal("window_holds", window=no, number=draft.ticket(window.ticket).number)
    end_visit(draft.ticket(window.ticket), finish, draft)
    draft.subject = None
    return draft.window(no)


def call_next(order: CallNext, draft: Draft) -> None:
    """Whoever is next for this window. Subject: the ticket, or nothing when nobody waits."""
    window = ready_window(order.window, order.finish, draft)
    ticket = next_for_window(order.window, draft)
    if ticket:
        _call(ticket, window, draft)


def call_one(order: CallOne, draft: Draft) -> None:
    """One waiting or passed number. Subject: the ticket."""
    moment = draft.moment
    window = draft.window(order.window)
    number = order.number.strip().upper()
    ticket = draft.book.numbered(moment.date, number)
    if ticket is None:
        raise Refusal("no_number", Kind.MISSING, number=number)
    step("call", ticket)
    if ticket.bound not in (0, order.window):
        raise Refusal("bound_elsewhere", number=ticket.number, window=ticket.bound)
    if not ticket.bound and ticket.queue not in moment.plan.skills(order.window):
        raise Refusal("no_skill", number=ticket.number, window=order.window)
    window = ready_window(order.window, order.finish, draft)
    _call(ticket, window, draft)


def _call(ticket: Ticket, window: WindowState, draft: Draft) -> None:
    now = draft.moment.now
    if ticket.state == "waiting":
        draft.count(ticket, waiting=-1)
        draft.save(counted_run(draft.queue_day(ticket.queue), ticket))
    called = replace(
        ticket,
        state=step("call", ticket),
        window=window.no,
        staff=window.staff,
        first_called_at=now if ticket.first_called_at is None else ticket.first_called_at,
        called_at=now,
        recalled_at=now,
        started_at=None,
        changed_at=now,
        recalls=0,
        all_calls=ticket.all_calls + 1,
    )
    draft.save(called)
    draft.save(replace(window, ticket=called.id))
    draft.subject = called
    draft.tell(_said(called, draft, TicketCalled))


def _said(ticket: Ticket, draft: Draft, kind: type[TicketCalled]) -> TicketCalled:
    window = draft.moment.plan.window(ticket.window)
    return kind(
        ticket=ticket.id,
        number=ticket.number,
        queue=ticket.queue,
        window=window.no,
        window_name=window.name,
        zone=window.zone or draft.moment.plan.queue(ticket.queue).zone,
        priority=ticket.marked,
        recall=ticket.recalls,
    )


def recall(order: Recall, draft: Draft) -> None:
    """The called number once more: not sooner than `recall_gap`, not oftener than `recall_max`. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    state = step("recall", ticket)
    draft.only_own_window(ticket.window)
    now, policy = draft.moment.now, draft.moment.policy
    if ticket.recalls >= policy.recall_max:
        raise Refusal("recall_limit", number=ticket.number, limit=policy.recall_max)
    left = (ticket.recalled_at or 0) + policy.recall_gap * 1000 - now
    if left > 0:
        raise Refusal("recall_too_soon", number=ticket.number, seconds=-(-left // 1000))
    draft.subject = replace(
        ticket,
        state=state,
        recalled_at=now,
        changed_at=now,
        recalls=ticket.recalls + 1,
        all_recalls=ticket.all_recalls + 1,
    )
    draft.save(draft.subject)
    draft.tell(_said(draft.subject, draft, TicketRecalled))


def pass_(order: Pass, draft: Draft) -> None:
    """Nobody came. Subject: the ticket.

    A clerk who sees an empty hall may pass at once, before any recall: how often it was called is on record.
    """
    ticket = draft.ticket(order.ticket)
    state = step("pass", ticket)
    draft.only_own_window(ticket.window)
    window = held_ticket(ticket, draft)
    draft.save(replace(window, ticket=""))
    draft.subject = replace(ticket, state=state, changed_at=draft.moment.now, passes=ticket.passes + 1)
    draft.save(draft.subject)
    draft.tell(TicketPassed(ticket=ticket.id, number=ticket.number, queue=ticket.queue, window=window.no))


def rejoin(order: Rejoin, draft: Draft) -> None:
    """Back into the line behind `rejoin_after` others, as an ordinary ticket. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    state = step("rejoin", ticket)
    policy = draft.moment.policy
    if ticket.rejoins >= policy.rejoin_max:
        raise Refusal("rejoin_limit", number=ticket.number, limit=policy.rejoin_max)
    line = draft.book.line(ticket.queue, policy.rejoin_after)
    waits = replace(
        ticket,
        state=state,
        window=0,
        place=place_after(ticket, line, policy.rejoin_after),
        first=0,
        rejoins=ticket.rejoins + 1,
        changed_at=draft.moment.now,
    )
    draft.save(waits)
    draft.count(waits, waiting=1)
    draft.subject = waits
    draft.tell(TicketRejoined(ticket=ticket.id, number=ticket.number, queue=ticket.queue, after=len(line)))

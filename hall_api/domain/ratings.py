"""Rating a visit, once; and the rectification case that a poor rating opens.

Not rating is never counted as a rating: an invitation ends as rated, timed_out or skipped. The evaluator's buttons
count only while its card shows; the slip's code, the kiosk or a PC may rate later too, as long as nobody has.
"""

from __future__ import annotations

from dataclasses import replace

from config.plan import HallPlan, Staff
from hall_api.domain.book import Draft
from hall_api.domain.calendar import due, iso
from hall_api.domain.events import CaseOpened, RatingClosed, RatingInvited, TicketRated
from hall_api.domain.orders import Rate, SkipRating
from hall_api.domain.refusal import Kind, Refusal
from hall_api.domain.rows import Case, Evaluation, RatingState, Ticket
from hall_api.domain.states import step

POOR = 2  # this grade and worse opens a case
GRADES = range(1, 6)
CHANNELS = ("evaluator", "qr", "kiosk", "pc")
OPTIONS_VERSION = 1
CASE_BITS = 80
ROUNDING_MS = 1000  # an age is told in whole seconds


def person(login: str, plan: HallPlan) -> Staff | None:
    """Who works here under this login."""
    return next((s for s in plan.staff if s.login == login), None)


def invite(ticket: Ticket, draft: Draft) -> Ticket:
    """The evaluator of the ticket's window shows the card of its clerk; a card still showing there is taken away."""
    moment = draft.moment
    window = draft.known_window(ticket.window)
    if window.rating_ticket:
        close_invitation(draft.ticket(window.rating_ticket), "timed_out", draft)
    until = moment.now + moment.policy.rating_prompt * 1000
    invited = replace(ticket, rating="invited", rating_until=until)
    draft.save(invited)
    draft.save(replace(draft.known_window(ticket.window), rating_ticket=ticket.id, rating_until=until))
    clerk = person(ticket.staff, moment.plan)
    draft.tell(
        RatingInvited(
            ticket=ticket.id,
            number=ticket.number,
            queue=ticket.queue,
            window=ticket.window,
            staff_name=clerk.name if clerk else "",
            work_no=clerk.work_no if clerk else "",
            duties=clerk.duties if clerk else "",
            until=iso(until),
        )
    )
    return invited


def close_invitation(ticket: Ticket, how: RatingState, draft: Draft) -> Ticket:
    """The invitation is over; the card goes away."""
    window = draft.known_window(ticket.window)
    if window.rating_ticket == ticket.id:
        draft.save(replace(window, rating_ticket="", rating_until=None))
    closed = replace(ticket, rating=how)
    draft.save(closed)
    draft.tell(RatingClosed(ticket=ticket.id, number=ticket.number, queue=ticket.queue, window=ticket.window, how=how))
    return closed


def rate(order: Rate, draft: Draft) -> None:
    """One rating of one finished visit. Subject: the ticket."""
    if order.grade not in GRADES:
        raise Refusal("no_grade", Kind.INVALID, grade=order.grade)
    if order.channel not in CHANNELS:
        raise Refusal("no_channel", Kind.INVALID, channel=order.channel)
    ticket = draft.ticket(order.ticket)
    if ticket.rating == "rated":
        raise Refusal("already_rated", number=ticket.number)
    step("rate", ticket)
    draft.only_own_window(ticket.window)
    if order.channel == "evaluator" and not _pressed_in_time(order, ticket, draft.moment.now):
        raise Refusal("no_invitation", number=ticket.number)
    draft.save(_evaluation(order, ticket, draft))
    if ticket.rating == "invited":
        draft.subject = close_invitation(ticket, "rated", draft)
    else:
        draft.subject = replace(ticket, rating="rated")
        draft.save(draft.subject)
    draft.tell(
        TicketRated(
            ticket=ticket.id,
            number=ticket.number,
            queue=ticket.queue,
            window=ticket.window,
            grade=order.grade,
            channel=order.channel,
        )
    )
    if order.grade <= POOR:
        _open_case(order, ticket, draft)


def skip_rating(order: SkipRating, draft: Draft) -> None:
    """The citizen does not wish to rate. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    if ticket.rating == "rated":
        raise Refusal("already_rated", number=ticket.number)
    draft.only_own_window(ticket.window)
    if not _card_shows(ticket, draft.moment.now):
        raise Refusal("no_invitation", number=ticket.number)
    draft.subject = close_invitation(ticket, "skipped", draft)


def run_out(draft: Draft) -> None:
    """Close every invitation whose time is over."""
    for window in draft.book.all_windows():
        if window.rating_ticket and (window.rating_until or 0) <= draft.moment.now:
            close_invitation(draft.ticket(window.rating_ticket), "timed_out", draft)


def _card_shows(ticket: Ticket, now: int) -> bool:
    return ticket.rating == "invited" and now < (ticket.rating_until or 0)


def _pressed_in_time(order: Rate, ticket: Ticket, now: int) -> bool:
    """The key was pressed while the card showed, though its message may come after the invitation has run out."""
    if order.age <= 0:
        return _card_shows(ticket, now)
    pressed = now - order.age * 1000
    invited = ticket.rating in ("invited", "timed_out")
    return invited and (ticket.finished_at or now) - ROUNDING_MS <= pressed < (ticket.rating_until or 0)


def _evaluation(order: Rate, ticket: Ticket, draft: Draft) -> Evaluation:
    clerk = person(ticket.staff, draft.moment.plan)
    return Evaluation(
        ticket=ticket.id,
        business_date=draft.moment.date,
        number=ticket.number,
        queue=ticket.queue,
        service=ticket.service,
        window=ticket.window,
        staff=ticket.staff,
        work_no=clerk.work_no if clerk else "",
        grade=order.grade,
        channel=order.channel,
        options=order.options,
        options_version=OPTIONS_VERSION,
        at=draft.moment.now,
    )


def _open_case(order: Rate, ticket: Ticket, draft: Draft) -> None:
    moment = draft.moment
    case = Case(
        id=moment.draw(CASE_BITS),
        ticket=ticket.id,
        number=ticket.number,
        window=ticket.window,
        staff=ticket.staff,
        grade=order.grade,
        opened_at=moment.now,
        due_at=due(moment.now, moment.plan, moment.policy.rectify_days),
    )
    draft.save(case)
    draft.tell(
        CaseOpened(ticket=ticket.id, number=ticket.number, queue=ticket.queue, case=case.id, due=iso(case.due_at))
    )

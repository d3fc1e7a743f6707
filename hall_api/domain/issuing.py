"""Giving out numbers and printing them on slips."""

from __future__ import annotations

from dataclasses import replace

from config.plan import HallPlan, Priority, Queue
from hall_api.domain.book import Draft, Moment
from hall_api.domain.events import SlipQueued, SlipSettled, TicketIssued
from hall_api.domain.line import wait_minutes
from hall_api.domain.orders import Issue, Reprint, SettleJob
from hall_api.domain.refusal import Kind, Refusal
from hall_api.domain.rows import Claim, PrintJob, Ticket
from hall_api.domain.states import step

RANDOM_BITS = 125
PLACE_STEP = 16  # microseconds between two places: room for rejoined tickets in between
# What a job may become; a report that is older than what is known changes nothing.
JOB_RANK = {"queued": 0, "sending": 1, "sent": 2, "unknown": 3, "confirmed": 4, "failed": 4, "cancelled": 4}
JOB_ENDED = frozenset({"confirmed", "failed", "cancelled"})  # known for good: nothing that comes later changes it


def issue(order: Issue, draft: Draft) -> None:
    """A number, and the print job of its slip when a kiosk is named. Subject: the ticket."""
    moment = draft.moment
    queue, service = _where(order, moment.plan)
    wanted = _priority(order, moment.plan)
    day = draft.queue_day(queue.code)
    if day.closed:
        raise Refusal("queue_closed", queue=queue.name)
    ticket = _new_ticket(order, queue, service, wanted, draft)
    ahead = day.first if ticket.first else day.waiting
    minutes = wait_minutes(ahead, day, draft.book.all_windows(), moment.plan)
    draft.save(
        replace(
            day,
            last_serial=ticket.serial,
            last_place=ticket.place,
            waiting=day.waiting + 1,
            first=day.first + ticket.first,
        )
    )
    draft.save(ticket)
    if ticket.job:
        draft.save(_job(ticket, ticket.job, ticket.kiosk, moment))
    draft.subject, draft.ahead = ticket, ahead
    draft.tell(_issued(ticket, queue, ahead, minutes, moment.plan))


def _new_ticket(order: Issue, queue: Queue, service: str, wanted: Priority | None, draft: Draft) -> Ticket:
    moment, day = draft.moment, draft.queue_day(queue.code)
    claim: Claim = "none" if wanted is None else "verified" if wanted.verify == "none" else "claimed"
    serial = day.last_serial + 1
    return Ticket(
        id=moment.draw(RANDOM_BITS),
        business_date=moment.date,
        queue=queue.code,
        serial=serial,
        number=f"{queue.code}{serial:0{queue.digits}d}",
        service=service,
        place=max(moment.now * 1000, day.last_place + PLACE_STEP),
        first=int(claim == "verified"),
        claim=claim,
        priority=wanted.code if wanted else "",
        kiosk=order.kiosk or "",
        job=moment.draw(RANDOM_BITS) if order.kiosk else "",
        issued_at=moment.now,
        changed_at=moment.now,
    )


def _where(order: Issue, plan: HallPlan) -> tuple[Queue, str]:
    """The queue, and the code of the service if one was chosen."""
    service = None
    if order.service:
        service = next((s for s in plan.services if s.code == order.service), None)
        if service is None:
            raise Refusal("no_service", Kind.INVALID, service=order.service)
    code = order.queue or (service.queue if service else None)
    if code is None:
        if len(plan.queues) != 1:
            raise Refusal("queue_or_service", Kind.INVALID)
        code = plan.queues[0].code
    if service and service.queue != code:
        raise Refusal("service_elsewhere", Kind.INVALID, service=service.name, queue=service.queue)
    queue = next((q for q in plan.queues if q.code == code), None)
    if queue is None:
        raise Refusal("no_queue", Kind.INVALID, queue=code)
    return queue, service.code if service else ""


def _priority(order: Issue, plan: HallPlan) -> Priority | None:
    if not order.priority:
        return None
    found = next((p for p in plan.priorities if p.code == order.priority), None)
    if found is None:
        raise Refusal("no_priority", Kind.INVALID, priority=order.priority)
    return found


def _issued(ticket: Ticket, queue: Queue, ahead: int, minutes: int, plan: HallPlan) -> TicketIssued:
    name = next((s.name for s in plan.services if s.code == ticket.service), "") if ticket.service else ""
    return TicketIssued(
        ticket=ticket.id,
        number=ticket.number,
        queue=queue.code,
        queue_name=queue.name,
        service=ticket.service,
        service_name=name,
        priority=ticket.marked,
        ahead=ahead,
        wait_minutes=minutes,
        zone=queue.zone,
        kiosk=ticket.kiosk,
        job=ticket.job,
    )


def _job(ticket: Ticket, job: str, kiosk: str, moment: Moment, first: str = "") -> PrintJob:
    return PrintJob(id=job, ticket=ticket.id, kiosk=kiosk, first=first, at=moment.now, changed_at=moment.now)


def reprint(order: Reprint, draft: Draft) -> None:
    """The slip once more; its job names the first one. Subject: the ticket."""
    ticket = draft.ticket(order.ticket)
    step("reprint", ticket)
    before = draft.book.job(ticket.job) if ticket.job else None
    first = (before.first or before.id) if before else ""
    job = _job(ticket, draft.moment.draw(RANDOM_BITS), order.kiosk, draft.moment, first)
    draft.save(job)
    draft.subject = replace(ticket, job=job.id, changed_at=draft.moment.now)
    draft.save(draft.subject)
    draft.tell(
        SlipQueued(
            ticket=ticket.id, number=ticket.number, queue=ticket.queue, job=job.id, kiosk=order.kiosk, first=first
        )
    )


def settle_job(order: SettleJob, draft: Draft) -> None:
    """What became of a print job. Subject: the job."""
    if order.state not in JOB_RANK:
        raise Refusal("no_job_state", Kind.INVALID, state=order.state)
    job = draft.book.job(order.job)
    if job is None:
        raise Refusal("no_job", Kind.MISSING)
    draft.subject = job
    if (
        job.state in JOB_ENDED
        or JOB_RANK[order.state] < JOB_RANK[job.state]
        or (order.state, order.reason) == (job.state, job.reason)
    ):
        return
    draft.subject = replace(job, state=order.state, reason=order.reason, changed_at=draft.moment.now)
    draft.save(draft.subject)
    ticket = draft.ticket(job.ticket)
    draft.tell(
        SlipSettled(
            ticket=ticket.id,
            number=ticket.number,
            queue=ticket.queue,
            job=job.id,
            state=order.state,
            reason=order.reason,
        )
    )

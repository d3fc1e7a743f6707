"""Who is next, where a place in the line is, and how long it will take.

A verified priority goes first, but after `priority_run` priority calls in a row one ordinary ticket is called when the
oldest has waited longer than `priority_wait` minutes. Runs are counted for each queue, so that a busy queue next door
neither shortens nor lengthens them. Claims nobody has verified wait as ordinary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from config.plan import HallPlan, Policy
from hall_api.domain.book import Book, Draft
from hall_api.domain.rows import QueueDay, Ticket, WindowState

TRUST = 5  # visits after which today's own average counts as much as the plan's figure


def next_of_queue(day: QueueDay, book: Book, policy: Policy, now: int) -> tuple[int, Ticket] | None:
    """Who is next in one queue, with its turn: 0 for a priority or an ordinary wait that broke a run, else 1."""
    if not day.waiting:
        return None
    ordinary = book.head(day.queue, 0) if day.waiting > day.first else None
    preferred = book.head(day.queue, 1) if day.first else None
    if preferred is None:
        return (1, ordinary) if ordinary else None
    waited = now - ordinary.issued_at if ordinary else 0
    if ordinary and day.run >= policy.priority_run and waited > policy.priority_wait * 60_000:
        return 0, ordinary
    return 0, preferred


def next_for_window(no: int, draft: Draft) -> Ticket | None:
    """Whom this window calls next over all queues it may call, and those sent to this very window."""
    moment = draft.moment
    heads = []
    for queue in moment.plan.skills(no):
        head = next_of_queue(draft.queue_day(queue), draft.book, moment.policy, moment.now)
        if head:
            heads.append(head)
    own = draft.book.bound_head(no)
    if own:
        heads.append((0 if own.first else 1, own))
    return min(heads, key=lambda head: (head[0], head[1].place, head[1].serial))[1] if heads else None


def counted_run(day: QueueDay, ticket: Ticket) -> QueueDay:
    """The queue's day after this ticket was called: one more priority in a row, or the run is over."""
    return replace(day, run=day.run + 1 if ticket.first else 0)


def place_after(ticket: Ticket, line: Sequence[Ticket], after: int) -> int:
    """Where a passed ticket waits again: behind `after` of those in `line` (call order), or behind all of fewer."""
    if not line or not after:
        return ticket.place
    ahead = line[:after]
    ordinary = [t.place for t in ahead if not t.first]
    return max(ordinary) + 1 if ordinary else ticket.place


def minutes_each(day: QueueDay, plan: HallPlan) -> float:
    """Length of a service in this queue: the plan's figure, more and more replaced by what today shows."""
    planned = plan.queue(day.queue).minutes
    return (planned * TRUST + day.served_ms / 60_000) / (TRUST + day.served)


def open_windows(queue: str, windows: Sequence[WindowState], plan: HallPlan) -> int:
    """How many open windows may call this queue."""
    able = {w.no for w in plan.windows if not w.queues or queue in w.queues}
    return sum(1 for w in windows if w.state == "open" and w.no in able)


def wait_minutes(ahead: int, day: QueueDay, windows: Sequence[WindowState], plan: HallPlan) -> int:
    """Minutes until it is one's turn, rounded up; with no window open, as if one were."""
    each = minutes_each(day, plan) / max(1, open_windows(day.queue, windows, plan))
    return math.ceil(round(ahead * each, 6))

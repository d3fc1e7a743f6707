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
from hall_api.domain.book import Draft
from hall_api.domain.rows import QueueDay, Ticket, WindowState

TRUST = 5  # visits after which today's own average counts as much as the plan's figure


Head = tuple[int, Ticket]  # turn (0 before 1) and who it is


def choose(run: int, preferred: Ticket | None, ordinary: Ticket | None, policy: Policy, now: int) -> Head | None:
    """Who is next in one queue: turn 0 for a priority or for an ordinary wait that broke a run, else 1."""
    if preferred is None:
        return (1, ordinary) if ordinary else None
    if ordinary and run >= policy.priority_run and now - ordinary.issued_at > policy.priority_wait * 60_000:
        return 0, ordinary
    return 0, preferred


def _soonest(head: Head) -> tuple[int, int, int]:
    turn, ticket = head
    return turn, ticket.place, ticket.serial


def next_for_window(no: int, draft: Draft) -> Ticket | None:
    """Whom this window calls next over all queues it may call, and those sent to this very window."""
    moment, book = draft.moment, draft.book
    heads = []
    for queue in moment.plan.skills(no):
        day = draft.queue_day(queue)
        preferred = book.head(queue, 1) if day.first else None
        ordinary = book.head(queue, 0) if day.waiting > day.first else None
        heads.append(choose(day.run, preferred, ordinary, moment.policy, moment.now))
    own = book.bound_head(no)
    if own:
        heads.append((1 - own.first, own))
    found = [head for head in heads if head]
    return min(found, key=_soonest)[1] if found else None


def call_order(
    lines: Sequence[tuple[int, Sequence[Ticket]]], own: Sequence[Ticket], policy: Policy, now: int, limit: int
) -> list[Ticket]:
    """The next `limit` calls of a window if nobody else came: `lines` are (run, waiting in order) of its queues."""
    runs = [run for run, _ in lines]
    preferred = [[t for t in line if t.first][::-1] for _, line in lines]  # the next one last, to be taken off
    ordinary = [[t for t in line if not t.first][::-1] for _, line in lines]
    bound = list(own)[::-1]
    order: list[Ticket] = []
    while len(order) < limit:
        heads = [
            (choose(run, p[-1] if p else None, o[-1] if o else None, policy, now), n)
            for n, (run, p, o) in enumerate(zip(runs, preferred, ordinary, strict=True))
        ]
        if bound:
            heads.append(((1 - bound[-1].first, bound[-1]), -1))
        found = [(head, n) for head, n in heads if head]
        if not found:
            break
        (_, ticket), n = min(found, key=lambda each: _soonest(each[0]))
        order.append(ticket)
        if n < 0:
            bound.pop()
        else:
            (preferred if ticket.first else ordinary)[n].pop()
            runs[n] = runs[n] + 1 if ticket.first else 0
    return order


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

"""What can happen to a ticket, read aloud: verb, from which states, to which state.

issue ─▶ waiting ──call──▶ called ──start──▶ serving ──finish──▶ done
           ▲ ▲               │ │                │ ▲
           │ └────rejoin── passed ◀─pass        │ └─resume── held ◀─hold
           └───────────────transfer────────────-┘
"""

from __future__ import annotations

from collections.abc import Mapping

from hall_api.domain.refusal import Refusal
from hall_api.domain.rows import Ticket, TicketState

STEPS: Mapping[str, Mapping[TicketState, TicketState]] = {
    "call": {"waiting": "called", "passed": "called"},
    "recall": {"called": "called"},
    "pass": {"called": "passed"},
    "rejoin": {"passed": "waiting"},
    "start": {"called": "serving"},
    "hold": {"serving": "held"},
    "resume": {"held": "serving"},
    "transfer": {"called": "waiting", "serving": "waiting"},
    "finish": {"called": "done", "serving": "done"},
    "cancel": {"waiting": "cancelled", "called": "cancelled", "held": "cancelled", "passed": "cancelled"},
    "expire": {"waiting": "expired", "called": "expired", "held": "expired", "passed": "expired"},
    "rate": {"done": "done"},
    "verify": {"waiting": "waiting"},
    "reprint": {"waiting": "waiting", "called": "called", "passed": "passed"},
}
AT_WINDOW: frozenset[TicketState] = frozenset({"called", "serving"})  # a window has at most one of these
OVER: frozenset[TicketState] = frozenset({"done", "cancelled", "expired"})


def step(verb: str, ticket: Ticket) -> TicketState:
    """The state `verb` leads to; Refusal `cannot_VERB` (409) when the table has no such step."""
    try:
        return STEPS[verb][ticket.state]
    except KeyError:
        raise Refusal(f"cannot_{verb}", number=ticket.number, state=ticket.state) from None

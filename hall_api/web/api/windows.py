"""The doors of a window: open it, call the next number to it, see who waits for it."""

from __future__ import annotations

from typing import Any

from hall_api.domain.orders import (
    CallNext,
    CallOne,
    CloseQueue,
    CloseWindow,
    OpenQueue,
    OpenWindow,
    Order,
    Outcome,
    PauseWindow,
    ResumeWindow,
)
from hall_api.web.api.tickets import OUTCOMES
from hall_api.web.bodies import Field
from hall_api.web.doors import ANYONE, DESK, IN_PUBLIC, MANAGER, Ask, Noun

FINISH = Field(choices=OUTCOMES, help="how the ticket the window still holds ended")

windows = Noun("windows", "The windows and who serves there")
queues = Noun("queues", "The lines in which tickets wait")


@windows.get("/windows", ANYONE, "Windows")
def list_windows(ask: Ask) -> dict[str, Any]:
    """All windows and what they do now."""
    return ask.front.hall.windows(public=ask.actor.role in IN_PUBLIC)


@windows.get("/windows/<int:no>", ANYONE, "Window")
def see_window(ask: Ask) -> dict[str, Any]:
    """One window and what it does now."""
    return ask.front.hall.window(ask.path["no"], public=ask.actor.role in IN_PUBLIC)


@windows.get("/windows/<int:no>/waiting", DESK, "Waiting")
def see_waiting(ask: Ask) -> dict[str, Any]:
    """Who waits for a window, in call order; who is held and passed."""
    return ask.front.hall.waiting(ask.path["no"])


@windows.post("/windows/<int:no>/open", DESK, "Window", {"staff": Field(low=1, high=80)})
def open_window(ask: Ask) -> Order:
    """A clerk sits down."""
    return OpenWindow(window=ask.path["no"], staff=ask.body["staff"])


@windows.post("/windows/<int:no>/pause", DESK, "Window", {"reason": Field()})
def pause_window(ask: Ask) -> Order:
    """The window calls nobody for a while."""
    return PauseWindow(window=ask.path["no"], reason=ask.body["reason"] or "")


@windows.post("/windows/<int:no>/resume", DESK, "Window")
def resume_window(ask: Ask) -> Order:
    """The window calls again."""
    return ResumeWindow(window=ask.path["no"])


@windows.post("/windows/<int:no>/close", DESK, "Window")
def close_window(ask: Ask) -> Order:
    """The clerk leaves."""
    return CloseWindow(window=ask.path["no"])


@windows.post("/windows/<int:no>/call-next", DESK, {200: "Ticket", 204: ""}, {"finish": FINISH})
def call_next(ask: Ask) -> Order:
    """Call whoever is next; 204 when nobody waits."""
    return CallNext(window=ask.path["no"], finish=_outcome(ask))


@windows.post(
    "/windows/<int:no>/call",
    DESK,
    "Ticket",
    {"number": Field(required=True, low=1, high=12), "finish": FINISH},
)
def call_number(ask: Ask) -> Order:
    """Call one number to the window."""
    return CallOne(window=ask.path["no"], number=ask.body["number"], finish=_outcome(ask))


@queues.get("/queues", ANYONE, "Queues")
def list_queues(ask: Ask) -> dict[str, Any]:
    """All queues and how long one waits in them."""
    return ask.front.hall.queues()


@queues.post("/queues/<code>/open", (MANAGER,), "Queue")
def open_queue(ask: Ask) -> Order:
    """Give numbers again."""
    return OpenQueue(queue=ask.path["code"])


@queues.post("/queues/<code>/close", (MANAGER,), "Queue")
def close_queue(ask: Ask) -> Order:
    """Give no more numbers."""
    return CloseQueue(queue=ask.path["code"])


def _outcome(ask: Ask) -> Outcome | None:
    finish = ask.body["finish"]
    return None if finish is None else Outcome(finish)

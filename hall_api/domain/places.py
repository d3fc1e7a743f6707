"""Windows and queues: open, pause, resume, close."""

from __future__ import annotations

from dataclasses import replace

from hall_api.domain.book import Draft
from hall_api.domain.events import (
    QueueClosed,
    QueueOpened,
    WindowClosed,
    WindowOpened,
    WindowPaused,
    WindowResumed,
)
from hall_api.domain.orders import CloseQueue, CloseWindow, OpenQueue, OpenWindow, PauseWindow, ResumeWindow
from hall_api.domain.ratings import person
from hall_api.domain.refusal import Kind, Refusal
from hall_api.domain.rows import WindowState


def open_window(order: OpenWindow, draft: Draft) -> None:
    """A clerk sits down; one who sat elsewhere has left there. Subject: the window."""
    draft.only_own_window(order.window)
    window = draft.window(order.window)
    login = _who(order, window, draft)
    draft.subject = window
    if window.state != "closed" and window.staff == login:
        _resume(window, draft)
        return
    if window.ticket:
        raise Refusal("window_holds", window=window.no, number=draft.ticket(window.ticket).number)
    if login:
        _leave_elsewhere(login, window.no, draft)
    opened = replace(window, state="open", reason="", staff=login)
    draft.save(opened)
    draft.subject = opened
    clerk = person(login, draft.moment.plan)
    draft.tell(
        WindowOpened(
            window=window.no,
            staff_name=clerk.name if clerk else "",
            work_no=clerk.work_no if clerk else "",
            duties=clerk.duties if clerk else "",
        )
    )


def _who(order: OpenWindow, window: WindowState, draft: Draft) -> str:
    """Login of the clerk: the named one, the asking one, the one who sits there, or the one whose window it is."""
    plan, actor = draft.moment.plan, draft.moment.actor
    if order.staff:
        if person(order.staff, plan) is None:
            raise Refusal("no_staff", Kind.INVALID, staff=order.staff)
        return order.staff
    if actor.role == "clerk" and person(actor.name, plan):
        return actor.name
    if window.staff:
        return window.staff
    return next((s.login for s in plan.staff if s.window == order.window), "")


def _leave_elsewhere(login: str, no: int, draft: Draft) -> None:
    for other in draft.book.all_windows():
        if other.no == no or other.staff != login or other.state == "closed":
            continue
        if other.ticket:
            raise Refusal("clerk_busy", window=other.no, number=draft.ticket(other.ticket).number)
        _close(other, draft)


def _close(window: WindowState, draft: Draft) -> WindowState:
    closed = replace(window, state="closed", reason="", staff="")
    draft.save(closed)
    draft.tell(WindowClosed(window=window.no))
    return closed


def _resume(window: WindowState, draft: Draft) -> None:
    if window.state == "paused":
        draft.subject = replace(window, state="open", reason="")
        draft.save(draft.subject)
        draft.tell(WindowResumed(window=window.no))


def pause_window(order: PauseWindow, draft: Draft) -> None:
    """The window calls nobody for a while; a visit going on may be finished. Subject: the window."""
    draft.only_own_window(order.window)
    window = draft.window(order.window)
    if window.state == "closed":
        raise Refusal("window_closed", window=window.no)
    draft.subject = window
    if (window.state, window.reason) != ("paused", order.reason):
        draft.subject = replace(window, state="paused", reason=order.reason)
        draft.save(draft.subject)
        draft.tell(WindowPaused(window=window.no, reason=order.reason))


def resume_window(order: ResumeWindow, draft: Draft) -> None:
    """The window calls again. Subject: the window."""
    draft.only_own_window(order.window)
    window = draft.window(order.window)
    if window.state == "closed":
        raise Refusal("window_closed", window=window.no)
    draft.subject = window
    _resume(window, draft)


def close_window(order: CloseWindow, draft: Draft) -> None:
    """The clerk leaves, with empty hands. Subject: the window."""
    draft.only_own_window(order.window)
    window = draft.window(order.window)
    if window.ticket:
        raise Refusal("window_holds", window=window.no, number=draft.ticket(window.ticket).number)
    draft.subject = window if window.state == "closed" else _close(window, draft)


def open_queue(order: OpenQueue, draft: Draft) -> None:
    """The queue gives numbers. Subject: its day."""
    _turn(order.queue, 0, draft)


def close_queue(order: CloseQueue, draft: Draft) -> None:
    """The queue gives no more numbers today; who waits is still called. Subject: its day."""
    _turn(order.queue, 1, draft)


def _turn(queue: str, closed: int, draft: Draft) -> None:
    if all(q.code != queue for q in draft.moment.plan.queues):
        raise Refusal("no_queue", Kind.MISSING, queue=queue)
    day = draft.queue_day(queue)
    draft.subject = day
    if day.closed != closed:
        draft.subject = replace(day, closed=closed)
        draft.save(draft.subject)
        draft.tell(QueueClosed(queue=queue) if closed else QueueOpened(queue=queue))

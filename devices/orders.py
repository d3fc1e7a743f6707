"""Orders on their way to one device: waiting, or under way in the driver; each gets exactly one outcome."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, replace

from config.words import Sentence
from devices.roles import Obeyed, Order, Refused, Unconfirmed

Outcome = Obeyed | Refused | Unconfirmed
TWIN = "Another order is called {order}; wait for its outcome, or send this one without an id."


@dataclass
class Pending:
    """An order without an outcome yet. `deadline` is in seconds of the monotonic clock."""

    order: Order
    deadline: float
    future: Future[Outcome]

    def refused(self, reason: str) -> Refused:
        """The outcome when it is known not to be done."""
        return Refused(order=type(self.order).__name__, id=self.order.id, reason=reason)

    def unconfirmed(self, reason: str) -> Unconfirmed:
        """The outcome when nobody can know."""
        return Unconfirmed(order=type(self.order).__name__, id=self.order.id, reason=reason)


class Orders:
    """The queue of one device. Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Pending] = deque()
        self._under_way: dict[str, Pending] = {}
        self._closed_because = ""  # empty: orders are taken

    def put(self, order: Order, timeout: float) -> Future[Outcome]:
        """Queue an order. While closed, its future holds a Refused at once.

        The same order once more, by its id, is the one that waits or is under way already: nothing is done twice.
        """
        order = order if order.id else replace(order, id=uuid.uuid4().hex[:12])
        pending = Pending(order, time.monotonic() + timeout, Future())
        pending.future.set_running_or_notify_cancel()
        with self._lock:
            twin = self._under_way.get(order.id) or next((p for p in self._waiting if p.order.id == order.id), None)
            if twin is not None and twin.order == order:
                return twin.future
            reason = self._closed_because
            if twin is not None:
                reason = Sentence(TWIN, order=repr(order.id))
            if not reason:
                self._waiting.append(pending)
        if reason:
            pending.future.set_result(pending.refused(reason))
        return pending.future

    @property
    def waiting(self) -> bool:
        """True when there is one to be taken."""
        return bool(self._waiting)

    def take(self) -> Pending | None:
        """The next order, now under way; None when none waits."""
        with self._lock:
            if not self._waiting:
                return None
            pending = self._waiting.popleft()
            self._under_way[pending.order.id] = pending
            return pending

    def settle(self, outcome: Outcome) -> None:
        """The outcome of an order under way; others are nobody's."""
        with self._lock:
            pending = self._under_way.pop(outcome.id, None)
        if pending is not None:
            pending.future.set_result(outcome)

    def next_deadline(self) -> float | None:
        """When the next order's time is up."""
        with self._lock:
            return min((p.deadline for p in (*self._waiting, *self._under_way.values())), default=None)

    def expired(self, now: float) -> tuple[list[Pending], list[Pending]]:
        """Orders whose time is up: (never sent, under way). Both stay to be settled."""
        with self._lock:
            late = [p for p in self._waiting if p.deadline <= now]
            for pending in late:
                self._waiting.remove(pending)
                self._under_way[pending.order.id] = pending
            stuck = [p for p in self._under_way.values() if p.deadline <= now and p not in late]
        return late, stuck

    def open(self) -> None:
        """Take orders from now on."""
        with self._lock:
            self._closed_because = ""

    def close(self, reason: str) -> None:
        """Refuse what waits and what comes; what was under way and has no outcome yet cannot be known."""
        with self._lock:
            self._closed_because = reason
            waiting, self._waiting = list(self._waiting), deque()
            under_way, self._under_way = list(self._under_way.values()), {}
        for pending in waiting:
            pending.future.set_result(pending.refused(reason))
        for pending in under_way:
            pending.future.set_result(pending.unconfirmed(reason))

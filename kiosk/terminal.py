"""Joins the citizen's journey with the hall and the devices, without knowing a window.

Everything here runs on one thread, the window's: `press` for a touch, `turn` many times a second. Whatever mistake of
ours is met on the way leads to the failsafe page, never to a dead screen.

    kiosk.journey (table) ─▶ kiosk.deeds ─▶ kiosk.outside ─▶ hall, devices
    kiosk.pages (window)  ◀─ kiosk.view  ◀─ kiosk.answers ◀─┘
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from kiosk.answers import Answers
from kiosk.deeds import Deeds
from kiosk.journey import Event
from kiosk.outside import Outside, Record
from kiosk.view import Habits, Stage, View

log = logging.getLogger(__name__)
__all__ = ["Habits", "Stage", "Terminal", "View"]


class Terminal(Deeds, Answers):
    """The terminal's mind. `press` and `touch` come from the window, `turn` is called at least ten times a second."""

    def __init__(
        self, habits: Habits, outside: Outside, stage: Stage, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(habits, outside, stage, clock)

    def press(self, event: Event, value: Any = None) -> None:
        """A person pressed something. Never raises: any mistake leads to the failsafe page."""
        self._safely(lambda: self._press(event, value))

    def touch(self) -> None:
        """A finger is on the screen: somebody is there."""
        self.journey.touch(self.clock())

    def turn(self) -> None:
        """Read the letters, watch the time, show what changed. Never raises."""
        self._safely(self._turn)

    def guard(self, work: Callable[[], None]) -> None:
        """Do something of the window's own; a mistake in it leads to the failsafe page."""
        self._safely(work)

    def close(self) -> None:
        """End the workers without waiting for them."""
        self._orders.shutdown(wait=False, cancel_futures=True)
        self._questions.shutdown(wait=False, cancel_futures=True)
        if self.outside.copier is not None:
            self.outside.copier.close()

    def broke(self, trouble: BaseException) -> None:
        """Something in the window went wrong: note it, show the failsafe page."""
        log.error("the terminal goes to its failsafe page", exc_info=trouble)
        self._handle(Event.BROKE)
        self._show()

    def _safely(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as trouble:  # noqa: BLE001 - no mistake of ours may leave a citizen before a dead page
            try:
                self.broke(trouble)
            except Exception:  # the last resort has failed: logged, and the next turn tries again
                log.exception("the failsafe page could not be shown")

    def _press(self, event: Event, value: Any) -> None:
        self._keep(event, value)
        self._handle(event)
        self._show()

    def _turn(self) -> None:
        for kind, values in self.outside.letters():
            getattr(self, f"_on_{kind}")(*values)
            self._show()
        now = self.clock()
        self._do(self.journey.tick(now))
        if self.journey.moved != self._moved:
            self._show()
        self.stage.warn(self.journey.left(now) if self.journey.warned else None)
        self._refresh(now)

    def _keep(self, event: Event, value: Any) -> None:
        """What the person chose belongs to the session before the table looks at it."""
        s = self.session
        if event is Event.CATEGORY:
            s.category = value
        elif event is Event.SERVICE and value is not None:
            s.service = value
        elif event is Event.UNSURE:
            s.service = self._comprehensive()
        elif event is Event.CLASS:
            s.priority = value
        elif event is Event.TYPED:
            s.typed = str(value)
            self.view.note = ""
        elif event in (Event.SHEET, Event.RETAKE, Event.KEEP) and value is not None:
            s.chosen = int(value)
        elif event is Event.CUT:
            s.cut = value
        elif event is Event.CHOSE:
            s.ticket = value

    def _comprehensive(self) -> Record | None:
        """The queue for those who do not know which: one called 综合, else the shortest."""
        queues = [queue for queue in self.view.queues.values() if queue.get("open", True)]
        named = [queue for queue in queues if "综合" in str(queue.get("name", ""))]
        best = next(iter(named or sorted(queues, key=lambda queue: queue.get("wait_minutes") or 0)), None)
        return {**best, "is_queue": True} if best else None

    def _on_broke(self, trouble: Exception) -> None:
        self.broke(trouble)

    def _on_stop(self) -> None:
        self.stage.leave()

"""The terminal's mind without its habits: what it knows, how it moves, and the workers that ask the hall for it.

Questions to the hall and the devices run on workers. Their answers come back through the one letter box of `Outside`,
stamped with the session they belong to.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kiosk import maintenance, search
from kiosk.journey import Event, Journey, Page
from kiosk.outside import Away, Outside, Refused
from kiosk.papers import Live, no_live
from kiosk.session import Session
from kiosk.view import Habits, Stage, View

log = logging.getLogger(__name__)
FRESH_S = 5.0  # how old the figures of the queues may be while someone looks at them


class Mind:
    """State and workers of a terminal; `kiosk.deeds` and `kiosk.answers` add what it does and how it listens."""

    def __init__(
        self, habits: Habits, outside: Outside, stage: Stage, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.habits, self.outside, self.stage, self.clock = habits, outside, stage, clock
        self.session = Session(elder=habits.elder, language=habits.language)
        self.journey = Journey(self.session, habits.times)
        self.view = View(self.session, live=self._live_view())
        self.index = search.Index()
        self._orders = ThreadPoolExecutor(1, "orders")  # what changes something, one after the other
        self._questions = ThreadPoolExecutor(2, "questions")
        self._moved, self._asked = -1, {"queues": -1e9, "all": -1e9}
        self._old_wish: tuple[tuple[str, str], str, float] = (("", ""), "", -1e9)
        self._lock = maintenance.Lock(habits.state)
        self._asking_cards = False
        self._scanned = ""  # a code, while it is being looked at; it may name somebody

    def _live_view(self) -> Live:
        return self.outside.copier.glance if self.outside.copier is not None else no_live

    def hall_time(self) -> datetime:
        """The hall's local time."""
        return datetime.now(ZoneInfo(str(self.view.hall.get("time_zone") or "Asia/Shanghai")))

    def today(self) -> date:
        """The hall's date."""
        return self.hall_time().date()

    # ---- moving ------------------------------------------------------------------------------------------------

    def _handle(self, event: Event) -> None:
        self._do(self.journey.handle(event, self.clock()))

    def _do(self, deeds: tuple[str, ...]) -> None:
        for deed in deeds:
            if deed.startswith("sound_"):
                self.stage.sound(deed.removeprefix("sound_"))
            else:
                getattr(self, f"_do_{deed}")()

    def _show(self) -> None:
        view, journey = self.view, self.journey
        view.page, view.can_go_back = str(journey.page), journey.page not in (Page.ATTRACT, Page.HOME, Page.RESULT)
        copier = self.outside.copier
        if copier is not None:
            view.can_copy = copier.there
            copier.watch(journey.page is Page.SCAN)
        moved = journey.moved != self._moved
        self._moved = journey.moved
        self.stage.show(view, moved)

    def _fresh(self) -> None:
        """Forget the person; nothing of them stays in the session or the view."""
        if self.outside.copier is not None:
            self.outside.copier.end()
        self.session.wipe(self.habits.elder, self.habits.language)
        left = self.view.card_left
        keep = self.view
        self.view = View(
            self.session,
            hall=keep.hall,
            categories=keep.categories,
            queues=keep.queues,
            devices=keep.devices,
            away=keep.away,
            card_left=left,
            live=self._live_view(),
        )
        self._old_wish = (("", ""), "", -1e9)

    def _do_search(self) -> None:
        typed = self.session.typed
        self.view.found = tuple(self.index.find(typed))
        self.view.characters = tuple(self.index.characters(typed))
        self.view.letters = frozenset(self.index.letters(typed))

    # ---- workers -----------------------------------------------------------------------------------------------

    def _order(self, what: str, ask: Callable[[Any, str], Any], key: str) -> None:
        """Ask the hall on the orders' worker; after Away once more with the same key, for a cable that only hiccups."""
        session = self.session.id

        def work() -> None:
            try:
                try:
                    answer = ask(self.outside.hall, key)
                except Away:
                    answer = ask(self.outside.hall, key)
            except Away as gap:
                self.outside.post("away", session, what, str(gap))
            except Refused as no:
                self.outside.post("refused", session, what, str(no), no.code)
            except Exception as trouble:  # noqa: BLE001 - a worker's mistake has to reach the window's thread
                self.outside.post("broke", trouble)
            else:
                self.outside.post("answer", session, what, answer)

        self._orders.submit(work)

    def _device(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as trouble:  # noqa: BLE001 - see _order
            self.outside.post("broke", trouble)

    def _refresh(self, now: float) -> None:
        """Keep the catalogue (each minute) and, while somebody looks, the figures of the queues (each 5 s) fresh."""
        if now - self._asked["all"] > (60.0 if self.view.hall and not self.view.away else 3.0):
            self._asked["all"] = now
            self._questions.submit(self._ask_catalogue)
        if self.journey.page is not Page.ATTRACT and now - self._asked["queues"] > FRESH_S:
            self._asked["queues"] = now
            self._questions.submit(self._ask_queues)

    def _ask_catalogue(self) -> None:
        hall = self.outside.hall
        try:
            catalogue = {"hall": hall.hall(), "services": hall.services(), "queues": hall.queues()}
            self.outside.post("catalogue", catalogue)
            devices = self.outside.devices.states()
            self.outside.post("states", tuple(devices))
        except (Away, Refused) as gap:
            self.outside.post("no_catalogue", str(gap))
        except Exception as trouble:  # noqa: BLE001 - see _order
            self.outside.post("broke", trouble)

    def _ask_queues(self) -> None:
        try:
            self.outside.post("queues", self.outside.hall.queues())
        except (Away, Refused) as gap:
            self.outside.post("no_catalogue", str(gap))
        except Exception as trouble:  # noqa: BLE001 - see _order
            self.outside.post("broke", trouble)

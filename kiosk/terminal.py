"""Joins the citizen's journey with the hall and the devices, without knowing a window.

Everything here runs on one thread, the window's: `press` for a touch, `turn` many times a second. Questions to the
hall run on workers, whose answers come back through the one letter box of `Outside`, stamped with the session they
belong to; an answer for a session that has ended meanwhile is dropped. Any mistake of ours leads to the failsafe page.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from kiosk import maintenance, search
from kiosk.journey import Event, Journey, Page, Times
from kiosk.outside import Away, Outside, Record, Refused
from kiosk.session import Session, look_at

log = logging.getLogger(__name__)
FRESH_S = 5.0  # how old the figures of the queues may be while someone looks at them
SAME_TICKET_S = 10.0  # a second tap for the same thing within this time is the same wish
PRINTER, READER, SCANNER = "ticket-printer", "id-reader", "code-scanner"
WORKS = ("ready", "degraded")
SETTLED = {"confirmed": "printed", "sent": "sent", "sending": "printing", "queued": "printing", "unknown": "unknown"}
PAPER = re.compile(r"paper.?(out|end)|缺纸", re.IGNORECASE)
TICKET_LINK = re.compile(r"/t/([A-Za-z0-9_-]{6,})")


@dataclass
class View:
    """What a page may look at to draw itself."""

    session: Session
    page: str = Page.ATTRACT
    can_go_back: bool = False
    hall: Record = field(default_factory=dict)
    categories: tuple[Record, ...] = ()
    queues: Mapping[str, Record] = field(default_factory=dict)
    found: tuple[Record, ...] = ()  # services found by the search
    characters: tuple[str, ...] = ()
    letters: frozenset[str] = frozenset()
    devices: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # role → (state, reason)
    all_devices: tuple[Record, ...] = ()
    card_state: str = ""  # "", wanted, unreadable, read, gone
    card_left: bool = False  # somebody's card still lies on the reader
    help_called: bool | None = None  # None: not answered yet
    note: str = ""  # a short remark for the page (a number that was not found …)
    away: bool = False  # the hall did not answer last time
    code_wait: float = 0.0  # seconds until another technician's code may be tried

    def queue_of(self, service: Record) -> Record | None:
        """The queue in which tickets for this service wait, with its figures."""
        code = service["code"] if service.get("is_queue") else service.get("queue")
        return self.queues.get(str(code))

    def works(self, role: str) -> bool:
        """A device of this role is known to work."""
        return self.devices.get(role, ("absent", ""))[0] in WORKS

    @property
    def paper_out(self) -> bool:
        """The printer says that it has no paper."""
        state, reason = self.devices.get(PRINTER, ("absent", ""))
        return state == "error" and bool(PAPER.search(reason))


class Stage(Protocol):
    """Whoever draws. Called on the window's thread only."""

    def show(self, view: View, moved: bool) -> None:
        """Draw the view; `moved` when the page is another one than before."""

    def warn(self, seconds: float | None) -> None:
        """Show how long until the session ends, or (None) take the warning away."""

    def sound(self, name: str) -> None:
        """Play one of the tunes."""

    def leave(self) -> None:
        """Close the window."""


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How this terminal behaves."""

    state: Path
    times: Times = Times()
    elder: bool = False
    language: str = "zh_CN"
    languages: tuple[str, ...] = ("zh_CN", "en")


class Terminal:
    """The terminal's mind. `press` and `touch` come from the window, `turn` is called at least ten times a second."""

    def __init__(
        self, habits: Habits, outside: Outside, stage: Stage, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.habits, self.outside, self.stage, self.clock = habits, outside, stage, clock
        self.session = Session(elder=habits.elder, language=habits.language)
        self.journey = Journey(self.session, habits.times)
        self.view = View(self.session)
        self.index = search.Index()
        self._orders = ThreadPoolExecutor(1, "orders")  # what changes something, one after the other
        self._questions = ThreadPoolExecutor(2, "questions")
        self._moved, self._asked = -1, {"queues": -1e9, "all": -1e9}
        self._old_wish: tuple[tuple[str, str], str, float] = (("", ""), "", -1e9)
        self._lock = maintenance.Lock(habits.state)
        self._asking_cards = False
        self._recall_catalogue()

    # ---- from the window ---------------------------------------------------------------------------------------

    def press(self, event: Event, value: Any = None) -> None:
        """A person pressed something. Never raises: any mistake leads to the failsafe page."""
        self._safely(lambda: self._press(event, value))

    def touch(self) -> None:
        """A finger is on the screen: somebody is there."""
        self.journey.touch(self.clock())

    def turn(self) -> None:
        """Read the letters, watch the time, show what changed. Never raises."""
        self._safely(self._turn)

    def close(self) -> None:
        """End the workers without waiting for them."""
        self._orders.shutdown(wait=False, cancel_futures=True)
        self._questions.shutdown(wait=False, cancel_futures=True)

    def broke(self, trouble: BaseException) -> None:
        """Something in the window went wrong: note it, show the failsafe page."""
        log.error("the terminal goes to its failsafe page", exc_info=trouble)
        self._handle(Event.BROKE)
        self._show()

    # ---- the mill ----------------------------------------------------------------------------------------------

    def _safely(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as trouble:  # noqa: BLE001 - no mistake of ours may leave a citizen before a dead page
            try:
                self.broke(trouble)
            except Exception:
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
        moved = journey.moved != self._moved
        self._moved = journey.moved
        self.stage.show(view, moved)

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
        elif event is Event.CHOSE:
            s.ticket = value

    def _comprehensive(self) -> Record | None:
        """The queue for those who do not know: the one without services of its own, or named 综合, else the shortest."""
        queues = [queue for queue in self.view.queues.values() if queue.get("open", True)]
        named = [queue for queue in queues if "综合" in str(queue.get("name", ""))]
        best = (named or sorted(queues, key=lambda q: q.get("wait_minutes") or 0) or [None])[0]
        return {**best, "is_queue": True} if best else None

    # ---- what the table asks for -------------------------------------------------------------------------------

    def _do_begin(self) -> None:
        self._fresh()

    def _do_end(self) -> None:
        self._fresh()
        self._do_stop_card()

    def _fresh(self) -> None:
        """Forget the person; nothing of them stays in the session or the view."""
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
        )
        self._old_wish = (("", ""), "", -1e9)

    def _do_be_elder(self) -> None:
        self.session.elder = not self.session.elder

    def _do_other_language(self) -> None:
        known = self.habits.languages
        at = known.index(self.session.language) if self.session.language in known else -1
        self.session.language = known[(at + 1) % len(known)]

    def _do_only_service(self) -> None:
        assert self.session.category is not None
        self.session.service = self.session.category["services"][0]

    def _do_clear_typed(self) -> None:
        self.session.typed, self.view.note = "", ""
        self._do_search()

    def _do_search(self) -> None:
        typed = self.session.typed
        self.view.found = tuple(self.index.find(typed))
        self.view.characters = tuple(self.index.characters(typed))
        self.view.letters = frozenset(self.index.letters(typed))

    def _do_new_key(self) -> None:
        wish, key, at = self._old_wish
        same = wish == self.session.wanted and self.clock() - at < SAME_TICKET_S
        self.session.key = key if same else uuid.uuid4().hex
        self.session.priority = None

    def _do_ordinary(self) -> None:
        self.session.priority = None

    def _do_issue(self) -> None:
        kind, code = self.session.wanted
        if not code:
            self._answer_refused("issue", "", "nothing_chosen")
            return
        self.session.waiting = "issue"
        self._old_wish = (self.session.wanted, self.session.key, self.clock())
        priority = str(self.session.priority["code"]) if self.session.priority else None
        self._order(
            "issue",
            lambda hall, key: hall.issue(
                queue=code if kind == "queue" else None,
                service=code if kind == "service" else None,
                priority=priority,
                key=key,
            ),
            self.session.key,
        )

    def _do_verify_age(self) -> None:
        card, ticket = self.session.card, self.session.ticket
        if card is None or card.age is None or ticket is None or self.session.priority is None:
            return
        age, number = card.age, str(ticket["id"])
        self._order("verify", lambda hall, _key: hall.verify_age(number, age), "")

    def _do_forget_card(self) -> None:
        self.session.card = None

    def _do_read_card(self) -> None:
        self.view.card_state = "wanted" if self.view.works(READER) or not self.view.devices else "broken"
        self._asking_cards = True
        self._questions.submit(self._device, self.outside.devices.read_card)

    def _do_stop_card(self) -> None:
        if self._asking_cards:
            self._asking_cards = False
            self._questions.submit(self._device, self.outside.devices.stop_card)

    def _do_find(self) -> None:
        number = self.session.typed.strip().upper()
        self.session.waiting = "find"
        self._order("find", lambda hall, _key: list(hall.find(number)), "")

    def _do_look_scanned(self) -> None:
        text = self.session.typed
        link = TICKET_LINK.search(text)
        self.session.typed = ""
        self.session.waiting = "find"
        if link:
            id = link.group(1)
            self._order("find", lambda hall, _key: [hall.ticket(id)], "")
        else:
            self.session.typed = text[:6].upper() if re.fullmatch(r"[A-Za-z]?\d{1,5}", text.strip()) else ""
            self._do_find()

    def _do_again(self) -> None:
        if self.session.waiting in ("find", "rejoin", "reprint"):
            getattr(self, f"_do_{self.session.waiting}")()

    def _do_rejoin(self) -> None:
        self._with_ticket("rejoin", lambda hall, id, key: hall.rejoin(id, key))

    def _do_reprint(self) -> None:
        self.session.printing = "printing"
        self._with_ticket("reprint", lambda hall, id, key: hall.reprint(id, key))

    def _do_was_printed(self) -> None:
        self.session.printing = "printed"

    def _do_no_print(self) -> None:
        self.session.printing = "fault"

    def _do_call_help(self) -> None:
        self.view.help_called = None
        page = str(self.journey.page)
        self._order("help", lambda hall, _key: hall.call_helper(page), "")

    def _do_check_code(self) -> None:
        code, self.session.typed = self.session.typed, ""
        self._questions.submit(lambda: self.outside.post("code", self.session.id, self._lock.opens(code, self.clock())))

    def _do_ask_devices(self) -> None:
        devices = self.outside.devices
        self._questions.submit(self._device, lambda: self.outside.post("states", tuple(devices.states())))

    def _do_test_print(self) -> None:
        self.view.note = "The test page is on its way."
        self._questions.submit(self._device, self.outside.devices.test_print)

    def _do_leave(self) -> None:
        self.stage.leave()

    def _do_ask_queues(self) -> None:
        self._asked["queues"] = -1e9
        self._refresh(self.clock())

    # ---- workers -----------------------------------------------------------------------------------------------

    def _with_ticket(self, what: str, ask: Callable[[Any, str, str], Any]) -> None:
        if self.session.ticket is None:
            return
        id, self.session.waiting = str(self.session.ticket["id"]), what
        self._order(what, lambda hall, key: ask(hall, id, key), uuid.uuid4().hex)

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

    # ---- letters -----------------------------------------------------------------------------------------------

    def _on_catalogue(self, catalogue: Mapping[str, Any]) -> None:
        changed = catalogue["services"].get("categories") != list(self.view.categories)
        self._take_catalogue(catalogue)
        self.view.away = False
        if changed or not self.index.entries:
            services = [s for c in self.view.categories for s in c["services"]]
            self._questions.submit(lambda: self.outside.post("index", search.build(services)))
            self._remember_catalogue(catalogue)

    def _take_catalogue(self, catalogue: Mapping[str, Any]) -> None:
        self.view.hall = catalogue["hall"]
        self.view.categories = tuple(c for c in catalogue["services"]["categories"] if c["services"])
        self._on_queues(catalogue["queues"])

    def _on_queues(self, answer: Mapping[str, Any]) -> None:
        self.view.queues = {str(queue["code"]): queue for queue in answer["queues"]}
        self.view.away = False

    def _on_no_catalogue(self, _reason: str) -> None:
        self.view.away = True

    def _on_index(self, index: search.Index) -> None:
        self.index = index
        self._do_search()

    def _on_states(self, states: tuple[Record, ...]) -> None:
        self.view.all_devices = states
        self.view.devices = {str(d["role"]): (str(d["state"]), str(d.get("reason", ""))) for d in states}

    def _on_device_changed(self, role: str, state: str, reason: str) -> None:
        self.view.devices = {**self.view.devices, role: (state, reason)}
        if role == READER and state not in WORKS and self.view.card_state == "wanted":
            self.view.card_state = "broken"
            self._handle(Event.NO_CARD)

    def _on_print_settled(self, job: str, state: str, reason: str) -> None:
        ours = (self.session.ticket or {}).get("job") or {}
        if not job or ours.get("id") != job:
            return
        if state in SETTLED:
            self.session.printing = SETTLED[state]
        else:
            self.session.printing = "paper" if self.view.paper_out or PAPER.search(reason) else "fault"
        self.journey.touch(self.clock())  # the person has something new to read

    def _on_card(self, card: Any) -> None:
        self.view.card_left = True
        shown = look_at(card, self._today())
        if self.journey.page is Page.CARD and self._asking_cards:
            self.session.card = shown
            self.view.card_state = "read"
            self._handle(Event.CARD)

    def _on_card_unreadable(self, _reason: str) -> None:
        if self.journey.page is Page.CARD and self.view.card_state == "wanted":
            self.view.card_state = "unreadable"
            self.stage.sound("sorry")

    def _on_card_removed(self) -> None:
        self.view.card_left = False
        if self.journey.page is not Page.CARD:
            return
        if self.view.card_state == "read":
            self.view.card_state = "gone"
            self._handle(Event.GO_ON)
        elif self.view.card_state == "unreadable":
            self.view.card_state = "wanted"

    def _on_scanned(self, text: str) -> None:
        self.session.typed = text
        self._handle(Event.SCANNED)

    def _on_code(self, session: str, right: bool) -> None:
        if session == self.session.id:
            self.view.code_wait = self._lock.wait(self.clock())
            self.view.note = "" if right else "This code does not open."
            self._handle(Event.CODE_RIGHT if right else Event.CODE_WRONG)

    def _on_answer(self, session: str, what: str, answer: Any) -> None:
        if session != self.session.id:
            return
        if what == "help":
            self.view.help_called = True
        elif what == "issue":
            self._take_ticket(answer)
            self.session.waiting = ""
            self._handle(Event.ISSUED)
        elif what == "find":
            self._found(answer)
        elif what == "verify":
            self.session.ticket = {**answer, "job": (self.session.ticket or {}).get("job")}
        else:
            self._take_ticket(answer)
            self.session.waiting = ""
            self._handle(Event.FOUND)

    def _found(self, tickets: list[Record]) -> None:
        self.session.waiting = ""
        if not tickets:
            self.view.note = "There is no such number today."
            self._handle(Event.NOTHING)
            return
        self.session.ticket, self.session.printing = tickets[-1], ""
        self._handle(Event.FOUND)

    def _take_ticket(self, ticket: Record) -> None:
        self.session.ticket = ticket
        job = ticket.get("job")
        if not job:
            self.session.printing = "none" if self.journey.page is Page.ISSUING else ""
        elif job["state"] in SETTLED:
            self.session.printing = SETTLED[job["state"]]
        else:
            self.session.printing = "paper" if self.view.paper_out else "fault"

    def _on_refused(self, session: str, what: str, sentence: str, code: str) -> None:
        if session == self.session.id:
            self._answer_refused(what, sentence, code)

    def _answer_refused(self, what: str, sentence: str, code: str) -> None:
        if what == "help":
            self.view.help_called = False
        elif what == "find" and code in ("not_found", "unknown_ticket", ""):
            self._found([])
        elif what != "verify":  # a claim that was not accepted leaves the ticket as it is
            self.session.cause, self.session.detail = "refused", sentence
            self._handle(Event.REFUSED)

    def _on_away(self, session: str, what: str, _reason: str) -> None:
        self.view.away = True
        if session != self.session.id or what == "verify":
            return
        if what == "help":
            self.view.help_called = False
        else:
            self._handle(Event.AWAY)

    def _on_broke(self, trouble: Exception) -> None:
        self.broke(trouble)

    def _on_stop(self) -> None:
        self.stage.leave()

    # ---- remembering the catalogue over a start without the hall ---------------------------------------------

    def _today(self) -> Any:
        return self.hall_time().date()

    def hall_time(self) -> datetime:
        """The hall's local time."""
        return datetime.now(ZoneInfo(str(self.view.hall.get("time_zone") or "Asia/Shanghai")))

    def _remember_catalogue(self, catalogue: Mapping[str, Any]) -> None:
        """Keep what is public about the hall, so that the next start shows it at once."""
        file = self.habits.state / "catalogue.json"
        try:
            half = file.with_suffix(".half")
            half.write_text(json.dumps(catalogue, ensure_ascii=False), encoding="utf-8")
            half.replace(file)
        except OSError as trouble:
            log.warning("%s cannot be written: %s", file, trouble.strerror)

    def _recall_catalogue(self) -> None:
        try:
            self._take_catalogue(json.loads((self.habits.state / "catalogue.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as trouble:
            log.warning("the remembered catalogue is of no use: %s", trouble)

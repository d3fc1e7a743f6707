"""The citizen's journey through the terminal, as a table one can read aloud.

`TABLE[page][event]` lists the rows that may follow, best first; the first whose guard agrees is taken. A row says
which page comes next and what else is to be done (`do`, carried out by `kiosk.terminal`). What is true on every page
stands in `ANYWHERE`. Nothing here knows a screen, a clock or a hall: time is an argument.

    attract ─touch─▶ home ─category─▶ services ─service─▶ confirm ─take─▶ issuing ─issued─▶ result ─10 s─▶ attract
                       │                                     └─first?─▶ priority ─▶ privacy ─▶ card ─▶ issuing
                       ├─my ticket─▶ find ─found─▶ ticket (rejoin, print again)
                       ├─scan─▶ scan ⇄ sheet ⇄ crop, copy ─print─▶ copying ─▶ copied
                       └─help, information, search …           any mistake of ours ─▶ failsafe ─10 s─▶ home
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kiosk.session import Session


class Page(StrEnum):
    """A page of the terminal; the file of the same name in `kiosk/pages` draws it."""

    ATTRACT = "attract"
    HOME = "home"
    CATEGORIES = "categories"
    SERVICES = "services"
    SEARCH = "search"
    CONFIRM = "confirm"
    PRIORITY = "priority"
    PRIVACY = "privacy"
    CARD = "card"
    ISSUING = "issuing"
    RESULT = "result"
    FIND = "find"
    TICKET = "ticket"
    SCAN = "scan"
    SHEET = "sheet"
    CROP = "crop"
    COPY = "copy"
    COPYING = "copying"
    COPIED = "copied"
    INFO = "info"
    HELP = "help"
    AWAY = "away"
    FAULT = "fault"
    FAILSAFE = "failsafe"
    CODE = "code"
    MAINTENANCE = "maintenance"


class Event(StrEnum):
    """What a person does, what the hall answers, what a device says, what time brings."""

    TOUCH = "touch"
    CATEGORIES = "categories"  # elder mode: I want a number
    CATEGORY = "category"
    SERVICE = "service"
    UNSURE = "unsure"
    SEARCH = "search"
    TAKE = "take"
    FIRST = "first"  # 优先取号
    CLASS = "class"
    AGREE = "agree"
    SKIP = "skip"
    CARD = "card"
    NO_CARD = "no_card"  # the reader does not work
    GO_ON = "go_on"
    RETRY = "retry"
    MINE = "mine"
    TYPED = "typed"
    LOOK = "look"
    CHOSE = "chose"
    REJOIN = "rejoin"
    REPRINT = "reprint"
    PRINTED = "printed"
    SCAN = "scan"  # 扫描复印
    SHOOT = "shoot"
    SHEET = "sheet"  # a page that was taken
    REMOVE = "remove"
    UNDO = "undo"
    TURN = "turn"
    EARLIER = "earlier"  # one place nearer to the first page
    RETAKE = "retake"
    CROP = "crop"  # by hand
    CUT = "cut"  # between these corners
    KEEP = "keep"  # although something is wrong with it
    COPY = "copy"
    NEXT = "next"
    MARK = "mark"
    PRINT = "print"
    COPIED = "copied"
    INFO = "info"
    HELP = "help"
    ELDER = "elder"
    LANGUAGE = "language"
    BACK = "back"
    HOME = "home"
    FINISH = "finish"
    STAY = "stay"
    ISSUED = "issued"
    FOUND = "found"
    NOTHING = "nothing"  # the number was not found
    SCANNED = "scanned"
    REFUSED = "refused"
    AWAY = "away"
    BROKE = "broke"
    EXPIRED = "expired"  # nobody touched the screen, or a page's own time is over
    CORNER = "corner"
    CODE = "code"
    CODE_RIGHT = "code_right"
    CODE_WRONG = "code_wrong"


BEFORE = "(before)"  # as a row's page: the one this page was reached from
STAY = "(stay)"  # as a row's page: this one
Guard = Callable[[Session], bool]


@dataclass(frozen=True)
class Row:
    """Where an event leads, if `when` agrees, and what else is to be done."""

    to: str
    do: tuple[str, ...] = ()
    when: Guard | None = None


def _to(page: str, *do: str, when: Guard | None = None) -> tuple[Row, ...]:
    return (Row(page, do, when),)


def one_service(session: Session) -> bool:
    """The category just chosen has a single service: no need to ask."""
    return session.category is not None and len(session.category.get("services", ())) == 1


def by_age(session: Session) -> bool:
    """The priority class just claimed may be shown by the age on an ID card."""
    return session.priority is not None and session.priority.get("verify") == "card_age"


def is_ours(session: Session) -> bool:
    """A ticket is at hand."""
    return session.ticket is not None


def was_passed(session: Session) -> bool:
    """The ticket at hand was called and nobody came."""
    return session.ticket is not None and session.ticket.get("state") == "passed"


def has_sheets(session: Session) -> bool:
    """A page was taken."""
    return bool(session.sheets)


def in_elder_mode(session: Session) -> bool:
    """One question a page."""
    return session.elder


_CHOOSE = {
    Event.CATEGORY: (
        Row(Page.CONFIRM, ("only_service", "new_key", "ask_queues"), one_service),
        Row(Page.SERVICES, ("ask_queues",)),
    ),
    Event.SERVICE: _to(Page.CONFIRM, "new_key", "ask_queues"),
    Event.UNSURE: _to(Page.CONFIRM, "new_key", "ask_queues"),
    Event.SEARCH: _to(Page.SEARCH, "clear_typed"),
}
_ASK_AGAIN: dict[Event, tuple[Row, ...]] = {
    Event.RETRY: (
        Row(Page.ISSUING, ("issue",), lambda s: s.waiting == "issue"),
        Row(BEFORE, ("again",)),
    ),
}
_ANSWERS = {  # what the hall may say while we wait for it
    Event.REFUSED: _to(Page.FAULT, "sound_sorry"),
    Event.AWAY: _to(Page.AWAY, "sound_sorry"),
}

TABLE: dict[str, dict[Event, tuple[Row, ...]]] = {
    Page.ATTRACT: {
        Event.TOUCH: _to(Page.HOME, "begin", "ask_queues"),
        Event.ELDER: _to(Page.HOME, "begin", "be_elder", "ask_queues"),
        Event.LANGUAGE: _to(Page.HOME, "begin", "other_language", "ask_queues"),
        Event.SCANNED: _to(Page.FIND, "begin", "look_scanned"),
    },
    Page.HOME: {
        **_CHOOSE,
        Event.CATEGORIES: _to(Page.CATEGORIES, "ask_queues"),
        Event.MINE: _to(Page.FIND, "clear_typed"),
        Event.SCANNED: _to(Page.FIND, "look_scanned"),
        Event.INFO: _to(Page.INFO, "ask_queues"),
        Event.SCAN: _to(Page.SCAN, "begin_scan"),
    },
    Page.SCAN: {
        Event.SHOOT: _to(STAY, "shoot"),
        Event.SHEET: _to(Page.SHEET, "look_at_sheet"),
        Event.RETAKE: _to(STAY, "retake"),
        Event.KEEP: _to(STAY, "keep_sheet"),
        Event.UNDO: _to(STAY, "undo"),
        Event.COPY: _to(Page.COPY, "preview", when=has_sheets),
    },
    Page.SHEET: {
        Event.REMOVE: _to(Page.SCAN, "remove_sheet"),
        Event.RETAKE: _to(Page.SCAN, "retake"),
        Event.TURN: _to(STAY, "turn_sheet"),
        Event.EARLIER: _to(STAY, "move_sheet"),
        Event.CROP: _to(Page.CROP, "look_at_shot"),
        Event.GO_ON: _to(Page.SCAN, "keep_sheet"),
    },
    Page.CROP: {
        Event.CUT: _to(Page.SHEET, "cut_sheet"),
        Event.BACK: _to(Page.SHEET, "forget_shot"),
    },
    Page.COPY: {
        Event.NEXT: _to(STAY, "next_preview"),
        Event.MARK: _to(STAY, "mark"),
        Event.SCAN: _to(Page.SCAN),
        Event.PRINT: _to(Page.COPYING, "copy"),
    },
    Page.COPYING: {Event.COPIED: _to(Page.COPIED)},
    Page.COPIED: {
        Event.PRINTED: _to(STAY, "was_copied"),
        Event.PRINT: _to(Page.COPYING, "copy"),
        Event.FINISH: _to(Page.ATTRACT, "end"),
    },
    Page.CATEGORIES: _CHOOSE,
    Page.SERVICES: _CHOOSE,
    Page.SEARCH: {**_CHOOSE, Event.TYPED: _to(STAY, "search")},
    Page.CONFIRM: {
        Event.TAKE: _to(Page.ISSUING, "ordinary", "issue"),
        Event.FIRST: _to(Page.PRIORITY),
    },
    Page.PRIORITY: {
        Event.CLASS: (Row(Page.PRIVACY, (), by_age), Row(Page.ISSUING, ("issue",))),
        Event.TAKE: _to(Page.ISSUING, "ordinary", "issue"),
    },
    Page.PRIVACY: {
        Event.AGREE: _to(Page.CARD, "read_card"),
        Event.SKIP: _to(Page.ISSUING, "issue"),
    },
    Page.CARD: {
        Event.CARD: _to(STAY, "stop_card", "sound_done"),
        Event.NO_CARD: _to(STAY),
        Event.GO_ON: _to(Page.ISSUING, "stop_card", "issue"),
        Event.SKIP: _to(Page.ISSUING, "stop_card", "issue"),
    },
    Page.ISSUING: {Event.ISSUED: _to(Page.RESULT, "verify_age", "forget_card", "sound_done"), **_ANSWERS},
    Page.RESULT: {
        Event.FINISH: _to(Page.ATTRACT, "end"),
        Event.EXPIRED: _to(Page.ATTRACT, "end"),
        Event.REPRINT: _to(STAY, "reprint"),
        Event.PRINTED: _to(STAY, "was_printed"),
        Event.FOUND: _to(STAY),
        Event.REFUSED: _to(STAY, "no_print"),
        Event.AWAY: _to(STAY, "no_print"),
        Event.SERVICE: _to(Page.HOME),
    },
    Page.FIND: {
        Event.TYPED: _to(STAY),
        Event.LOOK: _to(STAY, "find"),
        Event.SCANNED: _to(STAY, "look_scanned"),
        Event.FOUND: _to(Page.TICKET, "sound_done"),
        Event.NOTHING: _to(STAY, "sound_sorry"),
        **_ANSWERS,
    },
    Page.TICKET: {
        Event.REJOIN: _to(STAY, "rejoin", when=was_passed),
        Event.REPRINT: _to(STAY, "reprint", when=is_ours),
        Event.PRINTED: _to(STAY, "was_printed"),
        Event.FOUND: _to(STAY, "sound_done"),
        Event.FINISH: _to(Page.ATTRACT, "end"),
        **_ANSWERS,
    },
    Page.INFO: {},
    Page.HELP: {},
    Page.AWAY: {**_ASK_AGAIN, Event.ISSUED: _to(Page.RESULT, "verify_age", "forget_card", "sound_done")},
    Page.FAULT: _ASK_AGAIN,
    Page.FAILSAFE: {Event.EXPIRED: _to(Page.HOME, "end", "begin"), Event.HOME: _to(Page.HOME, "end", "begin")},
    Page.CODE: {
        Event.TYPED: _to(STAY),
        Event.CODE: _to(STAY, "check_code"),
        Event.CODE_RIGHT: _to(Page.MAINTENANCE, "clear_typed", "ask_devices"),
        Event.CODE_WRONG: _to(STAY, "clear_typed", "sound_sorry"),
    },
    Page.MAINTENANCE: {
        Event.REPRINT: _to(STAY, "test_print"),
        Event.LOOK: _to(STAY, "ask_devices"),
        Event.FINISH: _to(Page.ATTRACT, "end"),
        Event.CODE: _to(STAY, "leave"),
    },
}

ANYWHERE: dict[Event, tuple[Row, ...]] = {
    Event.BACK: _to(BEFORE, "stop_card"),
    Event.HOME: _to(Page.HOME, "stop_card"),
    Event.HELP: _to(Page.HELP, "call_help"),
    Event.ELDER: _to(STAY, "be_elder"),
    Event.LANGUAGE: _to(STAY, "other_language"),
    Event.EXPIRED: _to(Page.ATTRACT, "stop_card", "end"),
    Event.FINISH: _to(Page.ATTRACT, "stop_card", "end"),
    Event.BROKE: _to(Page.FAILSAFE, "stop_card", "sound_sorry"),
    Event.CORNER: _to(Page.CODE, "clear_typed"),
}
# Where these do nothing: a ticket is on its way, or nobody is there.
CLOSED: dict[str, frozenset[Event]] = {
    Page.ATTRACT: frozenset({Event.BACK, Event.HOME, Event.EXPIRED, Event.FINISH}),
    Page.ISSUING: frozenset({Event.BACK, Event.HOME, Event.HELP, Event.EXPIRED, Event.FINISH, Event.CORNER}),
    Page.COPYING: frozenset({Event.BACK, Event.HOME, Event.HELP, Event.EXPIRED, Event.FINISH, Event.CORNER}),
    Page.RESULT: frozenset({Event.BACK, Event.HOME, Event.CORNER}),
    Page.HELP: frozenset({Event.HELP}),
    Page.FAILSAFE: frozenset({Event.BACK, Event.FINISH}),
    Page.CODE: frozenset({Event.CORNER, Event.HELP}),
    Page.MAINTENANCE: frozenset({Event.CORNER, Event.HELP, Event.BACK, Event.HOME}),
}
NOT_BEHIND = frozenset(
    {Page.ATTRACT, Page.ISSUING, Page.COPYING, Page.AWAY, Page.FAULT, Page.FAILSAFE, Page.CODE, Page.MAINTENANCE}
)


@dataclass(frozen=True)
class Times:
    """How long nobody may touch the screen, in seconds."""

    idle: float = 60.0
    warning: float = 20.0
    elder_idle: float = 120.0
    elder_warning: float = 30.0
    result: float = 10.0  # a page that closes by itself and needs no warning
    elder_result: float = 20.0
    unprinted_result: float = 30.0  # the person has to note the number or take a picture
    failsafe: float = 10.0
    maintenance: float = 300.0


class Journey:
    """Where the person is. `handle` and `tick` return what is to be done, in order, as words of the table."""

    def __init__(self, session: Session, times: Times | None = None) -> None:
        self.session = session
        self.times = times or Times()
        self.page = Page.ATTRACT
        self.warned = False
        self.moved = 0  # counts page changes, so that whoever draws knows
        self._touched = 0.0

    def touch(self, now: float) -> None:
        """Somebody is there: idle time starts again, a warning goes."""
        self._touched = now
        self.warned = False

    def handle(self, event: Event, now: float) -> tuple[str, ...]:
        """Take the row for `event` on this page; an event that means nothing here changes nothing."""
        if event is not Event.EXPIRED and event is not Event.STAY:
            self._touched = now
        self.warned = False
        row = self._row(event)
        if row is None:
            return ()
        self._go(row.to)
        if self.page is not Page.ATTRACT or event is Event.EXPIRED:
            self._touched = now
        return row.do

    def tick(self, now: float) -> tuple[str, ...]:
        """Time has passed; perhaps the warning starts, or the session ends."""
        quiet, warning = self.patience()
        past = now - self._touched
        if self.page is Page.ATTRACT or past < quiet:
            return ()
        if past < quiet + warning:
            if not self.warned:
                self.warned = True
                return ("sound_warning",)
            return ()
        return self.handle(Event.EXPIRED, now)

    def left(self, now: float) -> float:
        """Seconds until the session ends by itself."""
        quiet, warning = self.patience()
        return max(0.0, quiet + warning - (now - self._touched))

    def patience(self) -> tuple[float, float]:
        """(seconds without a touch until the warning, seconds the warning stays) on this page."""
        t, elder = self.times, self.session.elder
        if self.page is Page.RESULT:
            if self.session.printing not in ("printed", "sent", "printing"):
                return (t.unprinted_result, 0.0)
            return (t.elder_result if elder else t.result, 0.0)
        if self.page is Page.FAILSAFE:
            return (t.failsafe, 0.0)
        if self.page is Page.MAINTENANCE:
            return (t.maintenance, t.warning)
        return (t.elder_idle, t.elder_warning) if elder else (t.idle, t.warning)

    def _row(self, event: Event) -> Row | None:
        rows = TABLE[self.page].get(event)
        if rows is None:
            rows = () if event in CLOSED.get(self.page, ()) else ANYWHERE.get(event, ())
        return next((row for row in rows if row.when is None or row.when(self.session)), None)

    def _go(self, to: str) -> None:
        if to == STAY:
            return
        behind = self.session.history
        if to == BEFORE:
            to = behind.pop() if behind else Page.HOME
        elif to in (Page.ATTRACT, Page.HOME, Page.RESULT):
            behind.clear()
        elif to in behind:
            del behind[behind.index(to) :]
        elif self.page not in NOT_BEHIND:
            behind.append(self.page)
        if to != self.page:
            self.page = Page(to)
            self.moved += 1


def facts(journey: Journey) -> dict[str, Any]:
    """What every page may want to know, for whoever draws."""
    return {"page": str(journey.page), "warned": journey.warned, "can_go_back": bool(journey.session.history)}

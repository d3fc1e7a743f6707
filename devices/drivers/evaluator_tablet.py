"""Evaluators that are tablets: they dial in to us by WebSocket, log in for a window, and show a page when asked to.

    tablet → us   {"method": "RateSubmit", "param": {"rateId": …, "attitude": …}}      each message a line of JSON
    us → tablet   {"request": "RateSubmit", "code": 0, "result": …}                    the answer to every one
    us → tablet   {"method": "RateQuest", "param": {"rateId": …}}                      please rate

Followed is the rating service of a deployed hall system (JackQChen/QueueSystem, RateService and its message document).
Code and document spell the parameters differently and clients spell the methods as they like, so both are understood
and case means nothing. What its facts lead to:

* The tablet answers a question by the citizen's rating only, which may take minutes. So an order ends as Unconfirmed
  once the question is out; it is asked again until it is answered, and again when the tablet logs in anew.
* A rating of a question that was never asked here is refused (1003); the same rating sent twice is one rating. A
  rating without a question's number is what a citizen gave by himself.
* After the cable went, nothing is asked again: who stands at the window by then, only the hall knows.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices import driver
from devices.driver import OrderMistake
from devices.pads.keys import RATINGS, KeyTable
from devices.pads.telling import WAIT, Telling
from devices.roles import (
    EVALUATOR,
    Alive,
    AskRating,
    ClearScreen,
    Garbled,
    News,
    Order,
    Rated,
    Refused,
    Role,
    ShowStars,
    SwitchScreen,
)

OK, UNKNOWN, NOT_LOGGED_IN, NO_PERMISSION, BAD_WINDOW, NOT_SUBMITTED = 0, 999, 1000, 1001, 1002, 1003
LONGEST = 65536  # characters of a message
BEGINS = re.compile(rb'\{\s*"')
REMEMBERED = 64  # ratings that may be sent again
# What the code and the document call a parameter, in small letters.
WINDOW, USER, RATE_ID = ("winnum", "windownumber"), ("usercode", "usernumber"), ("rateid",)
ASPECTS = ("attitude", "quality", "efficiency", "honest")
CONTENT = ("content",)
LEVELS = {"非常满意": 5, "满意": 4, "基本满意": 3, "不满意": 2, "非常不满意": 1}
LISTS = ("getwindowlist", "getuserlist", "getitemlist")  # what a tablet's own set-up page asks for


@dataclass(frozen=True)
class Options:
    """Which window's tablet may log in, and what its ratings mean."""

    window: str = field(
        default="", metadata={"label": "窗口号 window", "help": "only a tablet of this window may log in; empty: any"}
    )
    ratings: str = field(
        default="bank",
        metadata={
            "label": "评价键表 rating codes",
            "choices": tuple(RATINGS),
            "help": "what the numbers it sends mean",
        },
    )
    grades: Mapping[str, int] = field(
        default_factory=dict,
        metadata={
            "label": "评价内容修改 other ratings",
            "help": "number or words = grade 5 to 1, or 0 for none in time",
        },
    )
    overall: str = field(
        default="worst",
        metadata={
            "label": "取值 overall",
            "choices": ("worst", *ASPECTS),
            "help": "of attitude, quality, efficiency and honesty: the worst, or one of them",
        },
    )
    again_seconds: float = field(
        default=15.0,
        metadata={"label": "重发间隔 ask again after", "unit": "s", "min": 1, "max": 600, "help": "without a rating"},
    )
    again: int = field(
        default=3, metadata={"label": "重发次数 ask again", "min": 0, "max": 20, "help": "times; until it is answered"}
    )

    def __post_init__(self) -> None:
        self.table()

    def table(self) -> KeyTable:
        """What its numbers and words mean."""
        numbers = {str(code): grade for code, grade in RATINGS.get(self.ratings, {}).items()}
        return KeyTable({}, {**LEVELS, **numbers, **self.grades})


class Driver(driver.Driver):
    """One tablet at one window."""

    roles: ClassVar[tuple[Role, ...]] = (EVALUATOR,)
    links: ClassVar[tuple[str, ...]] = ("ws-listen", "listen")
    Options = Options
    cannot: ClassVar[dict[type, str]] = {ShowStars: "the tablet shows the stars of whoever has logged in by itself"}
    private = True  # staff numbers, and who served whom
    answers = False  # it speaks, but never says that it has done what it was told

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self._table = self.set_up.table()
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        self._buffer = b""
        self._replies: deque[bytes] = deque()
        self._telling = Telling()
        self._logged_in = self._alive = self._garbled = False
        self._quest: tuple[str, bytes] | None = None  # the open question: its number, and what asks it
        self._left = 0  # times it may still be asked
        self._ours: deque[str] = deque(maxlen=REMEMBERED)  # questions asked
        self._rated: deque[str] = deque(maxlen=REMEMBERED)  # and answered
        self._count = 0

    @property
    def idle(self) -> bool:
        """See Driver."""
        return self._telling.order is None and not self._replies

    @property
    def patience(self) -> float | None:
        """See Driver."""
        if self._telling.waits:
            return WAIT
        return self.set_up.again_seconds if self._quest and self._left and self._logged_in else None

    def encode(self, order: Order) -> bytes:
        """See Driver. Beyond its role it knows a technician's ClearScreen (Reset) and SwitchScreen (Pause, Reset)."""
        if isinstance(order, AskRating):
            quest = {"rateId": self._number(order), "transactor": "", "item": "", "date": "", "reserveSeq": ""}
            return _line({"method": "RateQuest", "param": quest})
        if isinstance(order, ClearScreen | SwitchScreen):
            pause = isinstance(order, SwitchScreen) and not order.on
            return _line({"method": "RateOperate", "param": {"operate": "Pause" if pause else "Reset"}})
        raise OrderMistake(self.lacks(type(order)) or f"an evaluator does not know the order {type(order).__name__}")

    def take(self, order: Order) -> None:
        """See Driver."""
        frame = self.encode(order)
        self._telling.take(order, [frame] if self._logged_in else [])
        if isinstance(order, AskRating) and self._logged_in:
            self._quest, self._left = (self._number(order), frame), self.set_up.again
            self._ours.append(self._number(order))
            self._count += 1
        elif self._logged_in:
            self._quest = None  # its page is gone

    def owed(self) -> bytes:
        """See Driver. Answers go first: the tablet is waiting."""
        return self._replies.popleft() if self._replies else self._telling.next()

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > LONGEST:
            self._buffer = b""
            self._noise(news)
        for line in lines:
            message = _read(line)
            if message is not None:
                self._hear(message, news)
            elif line.strip():
                self._noise(news)
        return news

    def silence(self) -> list[News]:
        """See Driver."""
        if self._telling.waits:
            if self._logged_in:
                return self._telling.end("The tablet was told; it never says what it shows. Its rating will come.")
            return self._telling.end("No tablet has logged in for this window yet.", Refused)
        if self._quest and self._left:
            self._left -= 1
            self._replies.append(self._quest[1])
        return []

    def lost(self) -> list[News]:
        """See Driver."""
        return self._telling.lost()

    def _number(self, order: Order) -> str:
        """The question's number: the order's own, which nobody else's is."""
        return order.id or f"q{self._count + 1}"

    def _hear(self, message: dict[str, Any], news: list[News]) -> None:
        """One request of the tablet, and our answer to it."""
        method = message["method"]
        param = {str(name).lower(): value for name, value in _table(message.get("param")).items()}
        if self._garbled:
            self._garbled = False
            news.append(Garbled(over=True))
        name = method.lower()
        result: object = ""
        if name == "login":
            code = self._log_in(param, news)
        elif name == "getupdateinfo":
            code, result = OK, {}  # nothing newer than what it has
        elif name in LISTS:
            window = self.set_up.window
            code, result = OK, [{"winNum": window, "WindowNumber": window}] if name == LISTS[0] and window else []
        elif name == "getuserphoto":
            code = NO_PERMISSION  # nobody's picture is kept here
        elif name in ("heartbeat", "ratesubmit"):
            code = NOT_LOGGED_IN if not self._logged_in else OK if name == "heartbeat" else self._rate(param, news)
        else:
            code = UNKNOWN
        self._replies.append(_line({"request": method, "code": code, "result": result}))
        if name == "login" and code == OK and self._quest:
            self._replies.append(self._quest[1])

    def _log_in(self, param: Mapping[str, object], news: list[News]) -> int:
        window, user = _first(param, WINDOW), _first(param, USER)
        if not window or not user or (self.set_up.window and window != self.set_up.window):
            return BAD_WINDOW
        self._logged_in = True
        if not self._alive:
            self._alive = True
            news.append(Alive(detail=f"a tablet of window {window[:20]} has logged in"))
        return OK

    def _rate(self, param: Mapping[str, object], news: list[News]) -> int:
        number, rated = _first(param, RATE_ID), self._grade(param)
        if rated is None or (number and number not in self._ours):
            return NOT_SUBMITTED
        if number and number in self._rated:
            return OK  # it did not hear our answer
        if number:
            self._rated.append(number)
        if self._quest and number in ("", self._quest[0]):
            self._quest = None
        news.append(rated)
        return OK

    def _grade(self, param: Mapping[str, object]) -> Rated | None:
        """The rating in a submission; None when it has none that we know."""
        words = _first(param, CONTENT)
        codes = [words] if words else [code for aspect in self._aspects() if (code := _first(param, (aspect,)))]
        grades = [self._table.grades.get(code) for code in codes]
        if not grades or None in grades:
            return None
        given = [grade for grade in grades if grade]  # 0: none given of this
        return Rated(grade=min(given) if given else None, code=",".join(codes))

    def _aspects(self) -> tuple[str, ...]:
        return ASPECTS if self.set_up.overall == "worst" else (self.set_up.overall,)

    def _noise(self, news: list[News]) -> None:
        if not self._garbled:
            self._garbled = True
            news.append(Garbled())


def _line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _read(line: bytes) -> dict[str, Any] | None:
    """A message with a method; None when it is none. Noise may stand before it."""
    for begins in itertools.islice(BEGINS.finditer(line), 8):
        try:
            message = json.loads(line[begins.start() :])
        except (ValueError, RecursionError):
            continue
        if isinstance(message, dict) and isinstance(message.get("method"), str) and len(message["method"]) <= 40:
            return message
    return None


def _table(param: object) -> Mapping[str, object]:
    return param if isinstance(param, Mapping) else {}


def _first(param: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The first of these parameters that is there, as text; tablets send numbers as numbers or in quotes."""
    for name in names:
        value = param.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value).strip()[:64]
    return ""


# ---- the device's side ------------------------------------------------------------------------------------------

TICKS = 10  # between two attempts to log in, or to send a rating
BEATS = 3000  # ticks between two heart-beats: five minutes


class Simulator(driver.Simulator):
    """A tablet. Faults: `wrong-window` logs in for a window that is not here; `twice` sends each rating twice."""

    faults: ClassVar[tuple[str, ...]] = ("wrong-window", "twice")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        set_up = cast(Options, self.options)
        self._table = set_up.table()
        self._numbers = {str(code) for code in RATINGS[set_up.ratings]}
        self._window = "nowhere" if "wrong-window" in faults else set_up.window or "1"
        self._aspect = set_up.overall if set_up.overall != "worst" else ASPECTS[0]
        self._buffer = b""
        self._ticks = 0
        self.logged_in = False
        self.codes: list[tuple[str, int]] = []  # what we were answered
        self.asking = ""  # the question on its page
        self._asked: set[str] = set()

    def dialled(self) -> bytes:
        """See Simulator."""
        self.logged_in, self._ticks, self._buffer = False, 0, b""
        return self._log_in()

    def tick(self) -> bytes:
        """See Simulator."""
        self._ticks += 1
        if not self.logged_in and self._ticks % TICKS == 1:
            return self._log_in()
        return self._request("HeartBeat") if self._ticks % BEATS == 0 else b""

    def happen(self, news: News) -> bytes:
        """See Simulator."""
        if not isinstance(news, Rated):
            raise ValueError(f"an evaluator cannot have {type(news).__name__}")
        code = news.code or self._table.name(news)
        param: dict[str, object] = {"rateId": self.asking}
        # Words go into the document's spelling, numbers into the code's.
        param |= {"Content": code} if code in LEVELS and code not in self._numbers else {self._aspect: code}
        self.asking = ""
        return self._request("RateSubmit", param) * (2 if "twice" in self.faults_on else 1)

    def receive(self, data: bytes) -> bytes:
        """See Simulator."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for message in map(json.loads, lines):
            if "request" in message:
                self._answered(message["request"], message["code"])
            elif message["method"] == "RateQuest":
                self._asked_for(message["param"]["rateId"])
            else:
                self.asking = ""
                operate = message["param"]["operate"]
                self.obeyed.append(SwitchScreen(on=False) if operate == "Pause" else ClearScreen())
        return b""

    def _asked_for(self, number: str) -> None:
        """A question; the same one again is the same order."""
        self.asking = number
        if number not in self._asked:
            self._asked.add(number)
            self.obeyed.append(AskRating())

    def _answered(self, method: str, code: int) -> None:
        self.codes.append((method, code))
        if method == "Login":
            self.logged_in = code == OK
        elif code == NOT_LOGGED_IN:
            self.logged_in = False

    def _log_in(self) -> bytes:
        return self._request("Login", {"winNum": self._window, "userCode": "1001"})

    def _request(self, method: str, param: Mapping[str, object] | None = None) -> bytes:
        return _line({"method": method, "param": param or {}})

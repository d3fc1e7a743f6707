"""Call pads and evaluators that count as a keyboard, or send raw HID reports (generic).

Generic: no maker's document is followed. Two kinds are in use, and tables say what their keys mean:

* keys: it types on a keyboard of its own (an evdev link, grabbed); a key goes by its name, KEY_F1 or KEY_KP1. The
  kernel's input protocol (Documentation/input/input.rst) says when a key goes down; held down it says so again and
  again, which is one press.
* reports: it sends raw reports (a hidraw link, all of one length); a key goes by the report's bytes in hex, with ?? for
  a byte that changes. The report that says that no key is held is the option release; a pad without one is taken to
  have let go when it is quiet for a while.

As it comes it knows F1 to F9 and the figures 1 to 5 of a keyboard, of either kind (HID usage tables, page 7). Learning
mode writes the tables of any other pad from two presses of each key. There is nothing such a pad can be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices.hid.events import HELD, strokes
from devices.hid.held import LOST, Held
from devices.hid.learn_pad import learn
from devices.hid.listener import Listener, Typing
from devices.hid.names import code_of, name_of
from devices.hid.reports import MOST, Names, bytes_of, overlap, written
from devices.pads.keys import KeyTable
from devices.pads.orders import OPTION
from devices.roles import CALL_PAD, EVALUATOR, KeyPressed, News, Rated, Role

__all__ = ["Driver", "Options", "Simulator", "learn"]

USUAL_KEYS = {"KEY_F1": "call_next", "KEY_F2": "recall", "KEY_F3": "evaluate", "KEY_F4": "give_up", "KEY_F5": "hold",
              "KEY_F6": "call_back", "KEY_F7": "pause", "KEY_F8": "transfer", "KEY_F9": "cancel"}  # fmt: skip
USUAL_GRADES = {f"KEY_{block}{figure}": 6 - figure for block in ("KP", "") for figure in (1, 2, 3, 4, 5)}
# The usages of F1, of 1 on the number block, and of 1; the others follow each. A boot keyboard has 8 bytes.
F1, KP_1, FIGURE_1 = 0x3A, 0x59, 0x1E
USUAL_REPORTS = {f"0000{F1 + n:02X}0000000000": meaning for n, meaning in enumerate(USUAL_KEYS.values())}
USUAL_GRADE_REPORTS = {
    f"0000{first + n:02X}0000000000": 5 - n for first in (KP_1, FIGURE_1) for n in range(5)
}  # fmt: skip
NOTHING = "There is nothing a pad of this kind can be told: it only has keys."


@dataclass(frozen=True)
class Options:
    """What learning mode found out about this pad."""

    source: str = field(
        default="keys",
        metadata={
            "label": "按键来源 source",
            "choices": ("keys", "reports"),
            "help": "keys: it types, on an evdev link. reports: raw HID reports, on a hidraw link",
        },
    )
    keys: Mapping[str, str] = field(
        default_factory=dict,
        metadata={"label": "按键 keys", "help": 'key or report = meaning, such as "KEY_F1" = "call_next"'},
    )
    grades: Mapping[str, int] = field(
        default_factory=dict,
        metadata={"label": "评价键 rating keys", "help": "key or report = grade 5 to 1, or 0 for none in time"},
    )
    ignored: tuple[str, ...] = field(
        default=(), metadata={"label": "忽略 ignored", "help": "keys or reports that come along and mean nothing"}
    )
    report: int = field(
        default=8, metadata={"label": "报文长度 report", "min": 1, "max": MOST, "help": "bytes of each raw report"}
    )
    release: str = field(
        default="0000000000000000",
        metadata={"label": "松开 release", "help": "the raw report in hex that says no key is held; empty: none does"},
    )
    gap: float = field(
        default=0.15,
        metadata={
            "label": "间隔 gap",
            "unit": "s",
            "min": 0.05,
            "max": 2.0,
            "help": "a pad without a release report has let go after so long",
        },
    )

    def __post_init__(self) -> None:
        table = self.table()
        _each("ignored", self.ignored, self._written)
        if self.source == "reports":
            names = [*table.keys, *table.grades, *self.others()]
            for at, one in enumerate(names):
                for other in names[at + 1 :]:
                    if overlap(one, other):
                        raise ValueError(f"keys, grades, ignored, release: a report could be both {one} and {other}")

    def table(self) -> KeyTable:
        """What its keys mean, each by its name. As it comes when nothing is set up. Raises ValueError."""
        keys, grades = self.keys, self.grades
        if not keys and not grades:
            known: tuple[Mapping[str, str], Mapping[str, int]] = (USUAL_KEYS, USUAL_GRADES)
            keys, grades = (USUAL_REPORTS, USUAL_GRADE_REPORTS) if self.source == "reports" else known
        return KeyTable(
            dict(zip(_each("keys", keys, self._written), keys.values(), strict=True)),
            dict(zip(_each("grades", grades, self._written), grades.values(), strict=True)),
        )

    def others(self) -> list[str]:
        """Names that are no key's: the release first, if there is one. Raises ValueError."""
        released = _each("release", [self.release], self._written) if self.source == "reports" and self.release else []
        return [*released, *_each("ignored", self.ignored, self._written)]

    def _written(self, name: str) -> str:
        return written(name, self.report) if self.source == "reports" else name_of(code_of(name))


def _each(place: str, names: Any, one_way: Any) -> list[str]:
    """Each name written the one way. Raises ValueError naming the place."""
    try:
        return [one_way(name) for name in names]
    except ValueError as wrong:
        raise ValueError(f"{place}: {wrong}") from None


class Driver(Listener):
    """Tells each press of a key once."""

    roles: ClassVar[tuple[Role, ...]] = (CALL_PAD, EVALUATOR)
    links: ClassVar[tuple[str, ...]] = ("evdev", "hidraw", "socket")
    Options = Options
    refusal = "a pad does not know the order"
    cannot: ClassVar[dict[type, str]] = dict.fromkeys(OPTION, NOTHING)

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self._table = self.set_up.table()
        others = self.set_up.others()
        self._ignored = frozenset(others)
        self._release = others[0] if self.set_up.source == "reports" and self.set_up.release else ""
        self._names = Names(
            [*self._table.keys, *self._table.grades, *others] if self.set_up.source == "reports" else ()
        )
        self.roles = self._table.roles  # type: ignore[misc]  # the tables decide
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        super().reset()
        self._keys = Held()
        self._begun = b""  # of a report
        self._down = ""  # the key that is held, of one that sends reports

    @property
    def patience(self) -> float | None:
        """See Driver."""
        half = bool(self._begun) or self._keys.half
        return self.set_up.gap if half or (self._down and self._lets_go_when_quiet) else None

    @property
    def _lets_go_when_quiet(self) -> bool:
        return self.set_up.source == "reports" and not self._release

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        if self.set_up.source == "keys":
            for code in self._keys.feed(data):
                if code == LOST:
                    self._hearing.noise(news)
                else:
                    self._press(name_of(code), news)
            return news
        length = self.set_up.report
        data = self._begun + data
        whole = len(data) - len(data) % length
        for at in range(0, whole, length):
            self._report(data[at : at + length], news)
        self._begun = data[whole:]
        return news

    def silence(self) -> list[News]:
        """See Driver."""
        news: list[News] = []
        if self._keys.quiet() or self._begun:
            self._begun = b""
            self._lost(news)
        if self._lets_go_when_quiet:
            self._down = ""
        return news

    def _report(self, report: bytes, news: list[News]) -> None:
        name = self._names.of(report)
        if name == self._release and name:
            self._down = ""
        elif not name:
            self._lost(news)
        elif name != self._down:
            self._down = "" if name in self._ignored else name
            self._press(name, news)

    def _press(self, name: str, news: list[News]) -> None:
        """A key went down."""
        if name in self._ignored:
            return
        self._hearing.clear(news)
        self._hearing.lives(news)
        news.append(self._table.news(name))

    def _lost(self, news: list[News]) -> None:
        """Something came that is no report of a key, or half of one: perhaps that a key came up."""
        self._down = ""
        self._hearing.noise(news)


class Simulator(Typing):
    """A pad whose keys are pressed. `holds`: each for long, so that it is said again; `never-up`: never let go."""

    faults: ClassVar[tuple[str, ...]] = ("holds", "never-up")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options or Options(), faults)
        self.set_up = cast(Options, self.options)
        self._table = self.set_up.table()

    def happen(self, news: News) -> bytes:
        """See Simulator."""
        if not isinstance(news, KeyPressed | Rated):
            raise ValueError(f"a pad only has keys; it has no {type(news).__name__}")
        name = self._table.name(news)
        again = 20 if "holds" in self.faults_on else 0
        up = "never-up" not in self.faults_on
        if self.set_up.source == "reports":
            return bytes_of(name) * (1 + again) + (bytes_of(self.set_up.release.replace(" ", "")) if up else b"")
        down, *release = strokes([code_of(name)])
        return self._type([down, *[(down[0], HELD)] * again, *(release if up else [])])

"""Generic call pads and evaluators that send a character or a short line of text for each key.

    N CR   a key: its text and what ends it        A042 3 CR   what the host may say, if the pad has a display

Generic: no maker's document is followed. Tables say what each text means; what the host may say is empty until the
pad's manual has shown it. A key without an end of line is known by the pause behind it, and a key has no beginning and
no check value: after noise nothing counts until the line has been quiet.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices import driver
from devices.pads.keys import RATINGS, KeyTable, rating_names
from devices.pads.learn_lines import ENDS, LONGEST_KEY, learn
from devices.pads.lines import LineOrders
from devices.pads.options import Told, like, repeats
from devices.pads.orders import texts_of
from devices.pads.pad import SilentPad
from devices.pads.presses import PACE, Presses
from devices.pads.telling import WAIT
from devices.roles import KeyPressed, News, Order, Rated

__all__ = ["Driver", "Options", "Simulator", "learn"]

LONGEST = 64  # bytes without an end of line
UNNAMED = re.compile(rb"[\x21-\x7e]{1,%d}" % LONGEST_KEY)  # what may be a key nobody named
KEYS = {"N": "call_next", "R": "recall", "E": "evaluate", "G": "give_up", "H": "hold", "P": "pause", "T": "transfer"}


@dataclass(frozen=True)
class Options:
    """What this pad's manual, or learning mode, says about it."""

    end: str = field(
        default="cr", metadata={"label": "行尾 end of line", "choices": tuple(ENDS), "help": "none: a pause ends a key"}
    )
    keys: Mapping[str, str] = field(
        default_factory=lambda: dict(KEYS),
        metadata={"label": "按键 keys", "help": 'text = meaning, such as "N" = "call_next"; empty: no call pad'},
    )
    ratings: str = field(
        default="bank",
        metadata={"label": "评价键表 rating digits", "choices": ("none", *RATINGS), "help": "what its digits mean"},
    )
    grades: Mapping[str, int] = field(
        default_factory=dict,
        metadata={"label": "评价键修改 other rating keys", "help": "text = grade 5 to 1, or 0 for none in time"},
    )
    answer: str = field(
        default="",
        metadata={"label": "应答 answer", "help": "what each key is answered; {key} is its text; empty: nothing"},
    )
    show: str = like(Told, "show", help="a line with {number} and {waiting}; empty: none")
    beep: str = like(Told, "beep", help="a line; empty: none")
    ask: str = like(Told, "ask", help="a line; empty: none")
    stars: str = like(Told, "stars", help="a line with {stars}; empty: none")
    gap: float = field(
        default=0.1, metadata={"label": "间隔 gap", "unit": "s", "min": 0.02, "max": 2.0, "help": "a pause parts keys"}
    )
    repeat_seconds: float = repeats(0.0, "key")

    def __post_init__(self) -> None:
        self.table()
        self.orders()
        if not self.answer.isascii():
            raise ValueError("answer: may hold ASCII characters only")

    def table(self) -> KeyTable:
        """What the texts mean."""
        return KeyTable.of(self.keys, {**rating_names(self.ratings), **self.grades}, _key)

    def orders(self) -> LineOrders:
        """What may be said to it."""
        return LineOrders(texts_of(self))

    def answer_to(self, key: bytes) -> bytes:
        """What the host answers to a key; empty: nothing."""
        return self.answer.encode().replace(b"{key}", key) + ENDS[self.end] if self.answer else b""


class Driver(SilentPad):
    """A pad whose keys are text."""

    Options = Options

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self._table, self._orders = self.set_up.table(), self.set_up.orders()
        self.roles = self._table.roles  # type: ignore[misc]  # the tables decide
        self._named = {name.encode() for name in (*self._table.keys, *self._table.grades)}
        self._keys = re.compile(b"|".join(map(re.escape, sorted(self._named, key=len, reverse=True))))
        self._only_keys = re.compile(b"(?:%s)+" % self._keys.pattern)
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        super().reset()
        self._buffer = b""
        self._calm = True  # since the last noise there was a pause; before, whatever looks like a key is chance
        self._presses = Presses(self.set_up.repeat_seconds)
        self._answers: deque[bytes] = deque(maxlen=16)
        self._said: deque[bytes] = deque(maxlen=16)  # since the line was quiet: an adapter may return it

    @property
    def patience(self) -> float | None:
        """See Driver. Nothing is waited for but quiet itself: it parts keys from one another and from noise."""
        if self._buffer or not self._calm:
            return self.set_up.gap
        if self._telling.waits:
            return WAIT
        if self._presses or self._said:
            return max(self.set_up.repeat_seconds, self.set_up.gap)
        return None

    def owed(self) -> bytes:
        """See Driver. Answers go first: a pad is waiting."""
        frame = self._answers.popleft() if self._answers else self._telling.next()
        self._presses.passes(len(frame))
        if frame:
            self._said.append(frame.strip(b"\r\n"))
        return frame

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        self._presses.passes(len(data))
        news: list[News] = []
        held = self._buffer + data
        if self.set_up.end != "none":
            *lines, held = re.split(rb"[\r\n]", held)
            for line in lines:
                if line:
                    self._line(line, news)
        if len(held) > LONGEST:
            self._noise(news)
            held = b""
        self._buffer = held
        return news

    def silence(self) -> list[News]:
        """See Driver."""
        self._presses.passes(int(PACE * (self.patience or 0)))
        news: list[News] = []
        if self._buffer or not self._calm:
            held, self._buffer = self._buffer, b""
            if held and self.set_up.end == "none":
                self._chunk(held, news)
            self._calm = True
        elif self._telling.waits:
            news += self._telling.end("The line went out; this device does not acknowledge what it is told.")
        else:
            self._presses.quiet()
        self._said.clear()
        return news

    def _frame(self, order: Order) -> bytes:
        return self._orders.pack(order) + ENDS[self.set_up.end]

    def _chunk(self, held: bytes, news: list[News]) -> None:
        """What came between two pauses: one key, or several pressed at once."""
        if self._only_keys.fullmatch(held):
            for key in self._keys.findall(held):
                self._line(key, news)
        else:
            self._line(held, news)

    def _line(self, key: bytes, news: list[News]) -> None:
        if key in self._said:
            self._said.remove(key)
            return
        if key not in self._named and not UNNAMED.fullmatch(key):
            self._noise(news)
        if not self._calm or (self.shared and key not in self._named):
            return  # chance, or another device's on the same line
        answer = self.set_up.answer_to(key)
        if answer and key in self._named:
            self._answers.append(answer)
        if self._presses.repeats(0, key):
            return
        self._hearing.lives(news, "it has spoken")
        self._hearing.clear(news)
        news.append(self._table.news(key.decode("ascii"), code=key.hex()))

    def _noise(self, news: list[News]) -> None:
        self._calm = False
        self._hearing.noise(news)


def _key(text: str) -> str:
    """A key's text. Raises ValueError."""
    if not text.isascii() or not 1 <= len(text) <= LONGEST_KEY or "\r" in text or "\n" in text:
        raise ValueError(f"a key is 1 to {LONGEST_KEY} ASCII characters of one line, got {text!r}")
    return text


# ---- the device's side ------------------------------------------------------------------------------------------


class Simulator(driver.Simulator):
    """One pad. Faults: `holds` says each key twice, as a pad whose keys repeat; `half` forgets the end of line."""

    faults: ClassVar[tuple[str, ...]] = ("holds", "half")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.set_up = cast(Options, self.options)
        self._table, self._orders = self.set_up.table(), self.set_up.orders()
        self._heard = b""
        self.answered: list[bytes] = []  # lines that are no order: answers to keys

    def happen(self, news: News) -> bytes:
        """See Simulator."""
        if not isinstance(news, KeyPressed | Rated):
            raise ValueError(f"a pad cannot have {type(news).__name__}")
        key = bytes.fromhex(news.code) if news.code else self._table.name(news).encode()
        end = b"" if "half" in self.faults_on else ENDS[self.set_up.end]
        return (key + end) * (2 if "holds" in self.faults_on else 1)

    def receive(self, data: bytes) -> bytes:
        """See Simulator. Pads never answer a host."""
        held = (self._heard + data)[-1000:]
        if self.set_up.end == "none":
            lines, self._heard = [held], b""
        else:
            *lines, self._heard = held.split(ENDS[self.set_up.end])
        for line in lines:
            order = self._orders.open(line)
            if order is None:
                self.answered.append(line)
            else:
                self.obeyed.append(order)
        return b""

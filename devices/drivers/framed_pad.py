"""Generic call pads and evaluators that send frames: header, length, address and check value as their manual says.

    FF 68 {length} {length} 68 {address} {body} {sum} 16        such a line of text describes the frame (pads/frames.py)

Generic: no maker's document is followed. Tables say what the keys' bodies mean; what the host may say is empty until
the manual (or a bus analyser) has shown its bytes. As it comes it is set up for the keys and ratings of the deployed
hall system of `queue-bus`. Not for lines whose adapter returns what is sent: set `echo=1` in the link for those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices import driver
from devices.driver import Timing
from devices.pads.frames import Found, Stream, Template, body_name
from devices.pads.keys import KeyTable, at
from devices.pads.learn_frames import learn
from devices.pads.options import OnCable, Told, repeats
from devices.pads.pad import SilentPad, address_of
from devices.pads.presses import PACE, Presses
from devices.pads.telling import WAIT
from devices.roles import KeyPressed, News, Order, Rated

__all__ = ["Driver", "Options", "Simulator", "learn"]

QUIET = 0.5  # s of quiet after which a line has nothing more to say
ANSWERED = 5  # repeats of one press that are answered; more than that is an echo that should not be
REMEMBERED = 4096  # frames whose meaning is kept
KEYS = {"010C": "call_next", "010D": "recall", "010B": "evaluate", "0112": "pause", "0113": "transfer"}
GRADES = {"1101": 5, "1102": 4, "1103": 3, "1104": 2, "1105": 1}


@dataclass(frozen=True)
class Heard(OnCable):
    """What the pad says, and how it is answered."""

    keys: Mapping[str, str] = field(
        default_factory=lambda: dict(KEYS),
        metadata={
            "label": "按键 keys",
            "help": 'body in hex = meaning, such as "010C" = "call_next"; empty: no call pad',
        },
    )
    grades: Mapping[str, int] = field(
        default_factory=lambda: dict(GRADES),
        metadata={"label": "评价键 rating keys", "help": "body in hex = grade 5 to 1, 0 for none; empty: no evaluator"},
    )
    answer: str = field(
        default="",
        metadata={"label": "应答 answer", "help": "what a key is answered: same, or a body in hex; empty: nothing"},
    )
    grade_answer: str = field(
        default="",
        metadata={"label": "评价应答 answer to a rating", "help": "if other: a body in hex, {rest}: it without byte 1"},
    )


@dataclass(frozen=True)
class Options(Told, Heard):
    """What this pad's manual, or learning mode, says about it."""

    repeat_seconds: float = repeats(0.5, "frame")

    def __post_init__(self) -> None:
        self.check_addresses()
        self.digit()
        self.check_several(self.template())
        self.orders()
        for name in ("answer", "grade_answer"):
            at(name, lambda name=name: answer(getattr(self, name), b"\x00\x00"))  # type: ignore[misc]

    def table(self) -> KeyTable:
        """What the bodies mean."""
        return KeyTable.of(self.keys, self.grades, body_name)

    def template(self) -> Template:
        """The frame."""
        table = self.table()
        return at("frame", lambda: Template(self.frame, (*table.keys, *table.grades)))

    def answer_to(self, body: bytes, rating: bool) -> bytes:
        """The body of the answer to a body; empty: none."""
        return answer((self.grade_answer if rating else "") or self.answer, body)


class Driver(SilentPad):
    """Every pad of one kind on one cable."""

    Options = Options
    timing = Timing(gap=0.05)  # most of these lines are half duplex: let the line turn round

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self._table, self._template, self._orders = self.set_up.table(), self.set_up.template(), self.set_up.orders()
        self.roles = self._table.roles  # type: ignore[misc]  # the tables decide
        self._known: dict[bytes, tuple[News, bytes]] = {}
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        super().reset()
        self._stream = Stream(self._template)
        self._presses = Presses(self.set_up.repeat_seconds)
        self._answers: dict[bytes, None] = {}  # in order, each once
        self._babble = False  # the line has babbled since it was quiet last

    @property
    def patience(self) -> float | None:
        """See Driver. Nothing is waited for but quiet itself: it separates presses."""
        if self._telling.waits:
            return WAIT
        if self._presses:
            return self.set_up.repeat_seconds
        return QUIET if self._stream.tail or self._babble else None

    def owed(self) -> bytes:
        """See Driver. Answers go first: a pad is waiting."""
        frame = next(iter(self._answers), b"")
        if frame:
            del self._answers[frame]
        else:
            frame = self._telling.next()
        self._presses.passes(len(frame))
        return frame

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        self._presses.passes(len(data))
        for found in self._stream.feed(data):
            if not self.shared or not self._template.addressed or found.address in self.set_up.addresses:
                news += self._hear(found)
        if self._stream.babbles():
            self._babble = True
            self._hearing.noise(news)
            if self._telling.waits:
                news += self._telling.end("The line is full of noise, so nobody may have understood it.")
        return news

    def silence(self) -> list[News]:
        """See Driver."""
        self._presses.passes(int(PACE * (self.patience or 0)))
        if self._telling.waits:
            return self._telling.end("The frame went out; this device does not acknowledge what it is told.")
        self._presses.quiet()
        self._stream.quiet()
        self._babble = False
        return []

    def _frame(self, order: Order) -> bytes:
        return self._template.pack(address_of(order, self.set_up.addresses), self._orders.pack(order))

    def _hear(self, found: Found) -> list[News]:
        """Answer what a pad says, and tell it unless it is a repeat."""
        meaning, answer = self._understand(found)
        repeats = self._presses.repeats(found.address, found.frame)
        if answer and repeats <= ANSWERED:
            self._answers[answer] = None
        if repeats:
            return []
        news: list[News] = []
        who = f"address {found.address}" if self._template.addressed else "it"
        self._hearing.lives(news, f"{who} has spoken")
        if not self._babble:
            self._hearing.clear(news)
        return [*news, meaning]

    def _understand(self, found: Found) -> tuple[News, bytes]:
        """What a frame means, and the frame that answers it."""
        if found.frame not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            name = self._template.name_of(found.body)
            meaning = self._table.news(name, found.address, found.body.hex())
            body = self.set_up.answer_to(found.body, isinstance(meaning, Rated))
            self._known[found.frame] = (meaning, self._template.pack(found.address, body) if body else b"")
        return self._known[found.frame]


def answer(text: str, body: bytes) -> bytes:
    """The body an answer's template makes of the body heard. Raises ValueError when the template is none."""
    if text == "same":
        return body
    try:
        return bytes.fromhex(text.replace("{body}", body.hex()).replace("{rest}", body[1:].hex()))
    except ValueError:
        raise ValueError(f"write same, or bytes in hex with {{body}} or {{rest}}; got {text!r}") from None


# ---- the device's side ------------------------------------------------------------------------------------------

TICKS = 2  # between two repeats of a frame nobody answered
TRIES = 3  # repeats


class Simulator(driver.Simulator):
    """Pads at every address of one cable.

    Faults: `deaf` hears no answer, so everything is said four times; `wrong-checksum` spoils the first copy of
    everything said. Where no answer is expected nothing is said twice.
    """

    faults: ClassVar[tuple[str, ...]] = ("deaf", "wrong-checksum")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.set_up = cast(Options, self.options)
        self._table, self._template, self._orders = self.set_up.table(), self.set_up.template(), self.set_up.orders()
        self._heard = Stream(Template(self.set_up.frame, self._said_to_it()))
        self._unheard: dict[int, tuple[bytes, bytes, int]] = {}  # address → frame, answer it waits for, ticks

    def happen(self, news: News) -> bytes:
        """See Simulator."""
        if not isinstance(news, KeyPressed | Rated):
            raise ValueError(f"a pad cannot have {type(news).__name__}")
        body = bytes.fromhex(news.code or self._table.name(news).replace("?", "0"))
        address = news.address or self.set_up.addresses[0]
        frame = self._template.pack(address, body)
        answer = self.set_up.answer_to(body, isinstance(news, Rated))
        if answer:
            self._unheard[address] = (frame, self._template.pack(address, answer), 0)
        if "wrong-checksum" in self.faults_on:
            return frame[:-2] + bytes((frame[-2] ^ 0x01,)) + frame[-1:]
        return frame

    def receive(self, data: bytes) -> bytes:
        """See Simulator. Devices never answer a host."""
        for found in self._heard.feed(data):
            address = found.address if self._template.addressed else self.set_up.addresses[0]
            unheard = self._unheard.get(address)
            if unheard and unheard[1] == found.frame:
                if "deaf" not in self.faults_on:
                    del self._unheard[address]
            elif (order := self._orders.open(found.body, found.address)) is not None:
                self.obeyed.append(order)
        return b""

    def _said_to_it(self) -> set[str]:
        """The bodies a host may send."""
        answers = {
            self.set_up.answer_to(bytes.fromhex(name.replace("?", "0")), name in self._table.grades).hex().upper()
            for name in (*self._table.keys, *self._table.grades)
        }
        return {*self._orders.bodies(), *self._table.keys, *self._table.grades, *answers} - {""}

    def tick(self) -> bytes:
        """See Simulator. What was not answered is said again, three times at most."""
        out = b""
        for address, (frame, answer, ticks) in list(self._unheard.items()):
            self._unheard[address] = (frame, answer, ticks + 1)
            if (ticks + 1) % TICKS == 0:
                out += frame
            if ticks + 1 >= TICKS * TRIES:
                del self._unheard[address]
        return out

"""Generic call pads with an evaluator on them that speak only when they are scanned, one address after the other.

    scan 3 ──▶        ◀── 3: U 000 0      the pad at 3 wants a number
    N 042 017 ──▶     ◀── 3: P 042 0      it has received it, and is answered: A P
    scan 3 ──▶        ◀── 3: Y 042 1      its evaluator was rated with key 1, and is answered: A Y

Generic: what is known of such families (KeyPad, CallPad) is how their bus behaves, from their programming manuals; the
bytes are hidden in their libraries, so frame, status and letters are options. Letters: L idle, U wants a number, P
number received or recall, E paused, S serving, Y rating, I help, M transfer. What must be answered (P, Y, I, M) is said
again at each scan until it was, so the same status is one press until another one comes.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices import driver
from devices.driver import Timing
from devices.hearing import Hearing
from devices.pads.frames import Found, Stream, Template
from devices.pads.keys import RATINGS, KeyTable, at, rating_names
from devices.pads.options import OnCable, Told, like
from devices.pads.pad import Pad, address_of
from devices.pads.status import Status, StatusShape
from devices.roles import (
    Alive,
    Key,
    KeyPressed,
    News,
    Obeyed,
    Order,
    Rated,
    Refused,
    ShowNumber,
    Silent,
    Unconfirmed,
)

RECEIVED, RATED, PAUSED, IDLE = "P", "Y", "E", "L"
TRIES = 3  # of a number, in total; and scans without an answer until a pad counts as silent
LETTERS = {"U": "call_next", "P": "recall", "E": "pause", "M": "transfer", "I": "other"}


@dataclass(frozen=True)
class Scanned(OnCable):
    """How the pads are scanned, and what their statuses mean."""

    frame: str = like(OnCable, "frame", "02 {length} {address} {body} {xor} 03")
    scan: str = field(default="3F", metadata={"label": "扫描 scan", "help": "body in hex that asks for the status"})
    status: str = field(
        default="{letter} {number} {value}",
        metadata={"label": "状态 status", "help": "body in hex with {letter}, {number} and {value}"},
    )
    answer: str = field(
        default="41 {letter}", metadata={"label": "应答 answer", "help": "body in hex that answers a status; {letter}"}
    )
    answered: str = field(
        default="PYIM", metadata={"label": "须应答 must be answered", "help": "the letters the pad repeats until then"}
    )
    letters: Mapping[str, str] = field(
        default_factory=lambda: dict(LETTERS),
        metadata={"label": "状态字母 letters", "help": 'letter = meaning, such as "U" = "call_next"; Y is the rating'},
    )
    ratings: str = field(
        default="bank",
        metadata={"label": "评价键表 rating values", "choices": tuple(RATINGS), "help": "what the value with Y means"},
    )
    grades: Mapping[str, int] = field(
        default_factory=dict,
        metadata={"label": "评价键修改 other rating values", "help": "value = grade 5 to 1, or 0 for none in time"},
    )


@dataclass(frozen=True)
class Options(Told, Scanned):
    """What the pads' manual, or a look at their bus, says about them."""

    show: str = like(Told, "show", "4E {number} {waiting}")
    digits_as: str = like(Told, "digits_as", "ascii")
    blank: str = like(Told, "blank", "20")
    wait_seconds: float = field(
        default=0.12, metadata={"label": "应答时间 wait", "unit": "s", "min": 0.02, "max": 2, "help": "for an answer"}
    )
    scan_seconds: float = field(
        default=0.2,
        metadata={"label": "扫描间隔 scan every", "unit": "s", "min": 0.02, "max": 10, "help": "one address"},
    )

    def __post_init__(self) -> None:
        self.check_addresses()
        self.digit()
        for letter in (*self.letters, *self.answered):
            if not re.fullmatch("[A-Z]", letter):
                raise ValueError(f"letters and answered: a status is one letter from A to Z, got {letter!r}")
        if RATED in self.letters:
            raise ValueError("letters: Y is the rating; its meaning stands in grades")
        self.table()
        self.orders()
        self.check_several(self.template())
        for name, text in (("scan", self.scan), ("answer", self.answer)):
            at(name, lambda text=text: said(text, IDLE))  # type: ignore[misc]

    def table(self) -> KeyTable:
        """What letters and rating values mean."""
        return KeyTable(self.letters, {**rating_names(self.ratings), **self.grades})

    def shape(self) -> StatusShape:
        """How a status is written."""
        return at("status", lambda: StatusShape(self.status, self.digit()))

    def template(self) -> Template:
        """The frame."""
        shape = self.shape()
        return at("frame", lambda: Template(self.frame, ["??" * shape.size]))


@dataclass
class Known:
    """What we know of the pad at one address."""

    last: Status | None = None  # what it said last
    missed: int = 0  # scans in a row without an answer
    silent: bool = False
    alive: bool = False
    receipt_due: bool = False  # a number was sent to it whose receipt has not been heard
    behind: Status | None = None  # told before a receipt came first: it may still wait there to be answered

    def receipt(self, unanswered: Status | None) -> None:
        """A number's receipt was heard; it came in front of what the pad may not have heard our answer to."""
        self.receipt_due = False
        self.behind = unanswered or self.behind


class Driver(Pad):
    """Every pad of one kind on one cable."""

    Options = Options
    timing = Timing(poll_every=0.2, gap=0.01)

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self.timing = Timing(poll_every=self.set_up.scan_seconds, gap=0.01)  # half duplex: let the line turn round
        self._table, self._shape = self.set_up.table(), self.set_up.shape()
        self._template, self._orders = self.set_up.template(), self.set_up.orders()
        self._next = 0  # whose turn it is to be scanned; goes on where it was
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        self._stream = Stream(self._template)
        self._pads = {address: Known() for address in self.set_up.addresses}
        self._owed: deque[bytes] = deque()
        self._asked: int | None = None  # the address whose answer is waited for
        self._order: Order | None = None
        self._frames: list[bytes] = []
        self._tries = 0
        self._hearing = Hearing()

    @property
    def unasked(self) -> bool:
        """See Driver. These pads speak only when they are scanned."""
        return False

    @property
    def idle(self) -> bool:
        """See Driver."""
        return self._asked is None and not self._owed and self._order is None

    @property
    def patience(self) -> float | None:
        """See Driver."""
        return self.set_up.wait_seconds if self._asked is not None and not self._owed else None

    def take(self, order: Order) -> None:
        """See Driver."""
        self._frames = self._frames_of(order)
        self._order, self._tries = order, 0
        self._try()

    def poll(self) -> None:
        """See Driver. Each address in its turn."""
        address = self.set_up.addresses[self._next % len(self.set_up.addresses)]
        self._next += 1
        self._asked = address
        self._owed.append(self._template.pack(address, said(self.set_up.scan, IDLE)))

    def owed(self) -> bytes:
        """See Driver."""
        return self._owed.popleft() if self._owed else b""

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        for found in self._stream.feed(data):
            status = self._shape.read(found.body)
            address = found.address if self._template.addressed else self.set_up.addresses[0]
            if status is not None and (address in self._pads or not self.shared):
                self._hear(address, status, news)
        if self._stream.babbles():
            self._hearing.noise(news)
        return news

    def silence(self) -> list[News]:
        """See Driver. The pad whose turn it was has said nothing, or not what it should."""
        self._stream.quiet()
        address, self._asked = self._asked, None
        if address is None:
            return []
        if self._order is not None:
            if self._tries < TRIES:
                self._try()
                return []
            return self._end(Unconfirmed, f"The pad did not say that it received it, in {TRIES} tries.")
        pad = self._pads[address]
        pad.missed += 1
        if pad.missed < TRIES or pad.silent:
            return []
        pad.silent, pad.alive = True, False
        return [Silent(address=address)]

    def lost(self) -> list[News]:
        """See Driver."""
        return self._end(Unconfirmed, "The cable went before the pad said that it received it.")

    def _try(self) -> None:
        assert self._order is not None
        self._tries += 1
        self._owed.extend(self._frames)
        self._asked = self._order.address or self.set_up.addresses[0]
        if isinstance(self._order, ShowNumber) and self._asked in self._pads:
            self._pads[self._asked].receipt_due = True

    def _frame(self, order: Order) -> bytes:
        return self._template.pack(address_of(order, self.set_up.addresses), self._orders.pack(order))

    def _hear(self, address: int, status: Status, news: list[News]) -> None:
        """A pad's status: answer it if it must be, settle the order it is about, and tell what is new in it."""
        pad = self._pads.setdefault(address, Known()) if len(self._pads) < 256 else Known()
        self._well(address, pad, news)
        if status.letter in self.set_up.answered:
            self._owed.append(self._template.pack(address, said(self.set_up.answer, status.letter)))
        before, pad.last = pad.last, status
        mine = self._asked == address
        if self._order is None:
            self._asked = None if mine else self._asked
        elif mine and not self._owed_is_open():
            if isinstance(self._order, ShowNumber) and status.letter == RECEIVED:
                pad.receipt(self._unanswered(before))
                news += self._end(Obeyed)
                return  # so this is no recall
            if not isinstance(self._order, ShowNumber):
                news += self._end(Unconfirmed, "The pad answered, but its status does not say whether it did it.")
        if status.letter == RECEIVED and pad.receipt_due and (before is None or before.letter != RECEIVED):
            pad.receipt(self._unanswered(before))
            return  # the receipt of a number we had given up: nobody pressed anything
        if status.letter != RECEIVED:
            before, pad.behind = pad.behind or before, None
        news += self._tell(address, before, status)

    def _unanswered(self, status: Status | None) -> Status | None:
        """A status the pad says again until it has heard our answer; its own receipts are none of these."""
        said_again = status is not None and status.letter in self.set_up.answered and status.letter != RECEIVED
        return status if said_again else None

    def _owed_is_open(self) -> bool:
        """Something of the order is still to go out, so no answer can be about it."""
        return any(frame in self._frames for frame in self._owed)

    def _tell(self, address: int, before: Status | None, status: Status) -> list[News]:
        """What is new in a status."""
        if before is not None and (before.letter, before.value) == (status.letter, status.value):
            return []
        news: list[News] = []
        if before is not None and before.letter == PAUSED != status.letter and PAUSED in self._table.keys:
            news.append(self._table.news(PAUSED, address))  # the same key ends the pause
        if status.letter == RATED:
            value = str(status.value)
            known = value in self._table.grades
            other = KeyPressed(address=address, key=Key.OTHER, code=RATED + value)
            news.append(self._table.news(value, address) if known else other)
        elif status.letter in self._table.keys and self._is_press(before, status):
            news.append(self._table.news(status.letter, address))
        return news

    def _is_press(self, before: Status | None, status: Status) -> bool:
        """What is found at the first scan waits for us; but a pause is a state, and "P" may be an old receipt."""
        return status.letter not in (PAUSED, RECEIVED) if before is None else before.letter != status.letter

    def _well(self, address: int, pad: Known, news: list[News]) -> None:
        pad.missed = 0
        if pad.silent:
            pad.silent = False
            news.append(Silent(address=address, over=True))
        if not pad.alive:
            pad.alive = True
            news.append(Alive(address=address, detail=f"the pad at address {address} has answered"))
        self._hearing.clear(news)

    def _end(self, outcome: type[Obeyed] | type[Refused] | type[Unconfirmed], reason: str = "") -> list[News]:
        order, self._order, self._asked = self._order, None, None
        if order is None:
            return []
        words = {"reason": reason} if reason else {}
        return [outcome(address=order.address, order=type(order).__name__, id=order.id, **words)]


def said(text: str, letter: str) -> bytes:
    """A scan's or an answer's body. Raises ValueError when the template is none."""
    try:
        body = bytes.fromhex(text.replace("{letter}", letter.encode().hex()))
    except ValueError:
        body = b""
    if not body:
        raise ValueError(f"write bytes in hex and {{letter}}, got {text!r}")
    return body


# ---- the device's side ------------------------------------------------------------------------------------------


@dataclass
class Face:
    """One simulated pad: what it says next, what it says at rest, and what it shows."""

    waiting: deque[Status] = field(default_factory=deque)
    rest: str = IDLE
    number: str = ""


class Simulator(driver.Simulator):
    """Pads at every address of one cable; they speak only when they are spoken to.

    Faults: `deaf` misses three answers, so it says everything again; `no-receipt` takes numbers but says nothing.
    """

    faults: ClassVar[tuple[str, ...]] = ("deaf", "no-receipt")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.set_up = cast(Options, self.options)
        self._table, self._shape, self._orders = self.set_up.table(), self.set_up.shape(), self.set_up.orders()
        self._template = self.set_up.template()
        said_to_it = [said(self.set_up.scan, IDLE).hex().upper()]
        said_to_it += [said(self.set_up.answer, letter).hex().upper() for letter in self.set_up.answered]
        self._heard = Stream(Template(self.set_up.frame, {*said_to_it, *self._orders.bodies()}))
        self.faces = {address: Face() for address in self.set_up.addresses}
        self._deaf = 3 if "deaf" in faults else 0  # answers not heard

    def happen(self, news: News) -> bytes:
        """See Simulator. Nothing is said before the pad is scanned."""
        face = self.faces.get(news.address or self.set_up.addresses[0])
        if face is None:
            raise ValueError(f"there is no pad at address {news.address}")
        if isinstance(news, KeyPressed):
            letter = self._table.name(news)
            if letter == PAUSED:
                face.rest = IDLE if face.rest == PAUSED else PAUSED
                return b""
            status = Status(letter, face.number)
        elif isinstance(news, Rated):
            status = Status(RATED, face.number, int(self._table.name(news)))
        else:
            raise ValueError(f"a pad cannot have {type(news).__name__}")
        self._drop_wish(face)
        face.waiting.append(status)
        return b""

    def receive(self, data: bytes) -> bytes:
        """See Simulator."""
        return b"".join(map(self._spoken_to, self._heard.feed(data)))

    def _spoken_to(self, found: Found) -> bytes:
        address = found.address if self._template.addressed else self.set_up.addresses[0]
        face = self.faces.get(address)
        if face is None:
            return b""
        if found.body == said(self.set_up.scan, IDLE):
            return self._speak(address, face)
        if face.waiting and found.body == said(self.set_up.answer, face.waiting[0].letter):
            if self._deaf:
                self._deaf -= 1
            else:
                face.waiting.popleft()
            return b""
        order = self._orders.open(found.body, found.address)
        if order is None:
            return b""
        self.obeyed.append(order)
        if isinstance(order, ShowNumber):
            face.number = order.number or face.number
            if "no-receipt" in self.faults_on:
                return b""
            self._drop_wish(face)
            face.waiting.appendleft(Status(RECEIVED, face.number))
        return self._speak(address, face)

    def _drop_wish(self, face: Face) -> None:
        """A wish for a number needs no answer: it ends with the number, or with the next key."""
        if face.waiting and face.waiting[0].letter not in self.set_up.answered:
            face.waiting.popleft()

    def _speak(self, address: int, face: Face) -> bytes:
        status = face.waiting[0] if face.waiting else Status(face.rest, face.number)
        return self._template.pack(address, self._shape.pack(status))

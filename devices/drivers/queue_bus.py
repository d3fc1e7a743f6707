"""Call pads and evaluators that share one RS-485 line: keys and ratings come in, numbers and questions go out.

    FF 68 | L L | 68 | address, function, data … | sum | 16        L counts address … data; 9600 8N1

Followed is the bus of a deployed hall system (JackQChen/QueueSystem, CallSystem). What its facts lead to:

* The host acknowledges every device frame by sending it back (a rating, function 11, comes back as function 01). A pad
  that hears no acknowledgement says the same again. So the same frame from the same address is one press until the
  line has been quiet for `WINDOW` seconds or that pad has said something else; a repeat is acknowledged, not told.
* Devices do not acknowledge what the host says: every order ends as Unconfirmed, and a pad is known to live only once
  a key was pressed.
* Some adapters return what is sent, and "please rate" looks exactly like the pad's own key for it. So a frame that
  comes back once right after we sent it is our own echo. Frames only a host can send (2 or more than 5 counted bytes)
  show for certain which kind of adapter it is.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices import driver
from devices.driver import OrderMistake, Timing
from devices.pads.keys import RATINGS
from devices.pads.presses import PACE, Presses
from devices.roles import (
    CALL_PAD,
    EVALUATOR,
    Alive,
    AskRating,
    Beep,
    Garbled,
    Key,
    KeyPressed,
    News,
    Order,
    Rated,
    Refused,
    Role,
    ShowNumber,
    ShowStars,
    Unconfirmed,
)

SHOW, BEEP, KEY, RATING = 0x02, 0x03, 0x01, 0x11  # functions
ASK = 0x0B  # data of a host's KEY frame: start evaluation
BLANK = 0x0A  # a digit to be left as it is
HOST_ONLY = frozenset((2, 6, 7, 8))  # lengths no device frame has
FRAME = re.compile(
    rb"\xff\x68(?:%s)\x16" % b"|".join(rb"%c%c\x68.{%d}" % (n, n, n + 1) for n in range(2, 9)), re.DOTALL
)
LONGEST = 15  # bytes of a frame

WINDOW = 0.5  # s of quiet after which the same frame is a new press
PASSED = int(PACE * WINDOW)  # bytes in it
ORDER_WAIT = 0.1  # s after an order until its (unknowable) outcome is told
JUNK = 256  # bytes outside frames before the line counts as garbled
REPEATS = 5  # acknowledged repeats of one press; more than that is an echo that should not be
MOST_BEEPS = 9

# Key bytes; two of them: the pad's confirm key and what was chosen before it.
KEYS = {
    "0C": Key.CALL_NEXT,
    "0D": Key.RECALL,
    "0B": Key.EVALUATE,
    "060F": Key.GIVE_UP,
    "000F": Key.HOLD,
    "030F": Key.CALL_BACK,
    "12": Key.PAUSE,
    "13": Key.TRANSFER,
    "0E": Key.CANCEL,
    "11": Key.ONE_METRE,
}


@dataclass(frozen=True)
class Options:
    """What hangs on this line and how it is set up."""

    addresses: tuple[int, ...] = field(
        default=(1,),
        metadata={"label": "地址 addresses", "min": 1, "max": 255, "help": "orders go to the first if they name none"},
    )
    ratings: str = field(
        default="bank",
        metadata={"label": "评价键表 rating keys", "choices": tuple(RATINGS), "help": "what each rating key means"},
    )
    grades: Mapping[int, int] = field(
        default_factory=dict,
        metadata={"label": "评价键修改 other rating keys", "help": "key = grade 5 to 1, or 0 for none in time"},
    )
    keys: Mapping[str, str] = field(
        default_factory=dict,
        metadata={"label": "按键修改 other keys", "help": 'key byte in hex = meaning, such as "14" = "call_next"'},
    )
    echo: str = field(
        default="auto",
        metadata={"label": "回显 adapter echo", "choices": ("auto", "yes", "no"), "help": "it returns what is sent"},
    )

    def __post_init__(self) -> None:
        if not self.addresses:
            raise ValueError("addresses must name at least one address")
        for code, grade in self.grades.items():
            if not (0 <= code <= 255 and 0 <= grade <= 5):
                raise ValueError(f"grades: a key is 0 to 255 and a grade 0 to 5, got {code} = {grade}")
        for name, meaning in self.keys.items():
            if not re.fullmatch(r"([0-9A-Fa-f]{2}){1,2}", name) or meaning not in set(Key):
                known = ", ".join(Key)
                raise ValueError(f"keys: write one or two bytes in hex = one of {known}; got {name} = {meaning}")

    def key_table(self) -> dict[bytes, Key]:
        """Last data bytes of a key frame → meaning."""
        return {bytes.fromhex(name): Key(meaning) for name, meaning in {**KEYS, **self.keys}.items()}

    def grade_table(self) -> dict[int, int]:
        """Rating byte → grade, 0 for none."""
        return {**RATINGS[self.ratings], **self.grades}


class Driver(driver.Driver):
    """Every pad and evaluator of one line."""

    roles: ClassVar[tuple[Role, ...]] = (CALL_PAD, EVALUATOR)
    Options = Options
    timing = Timing(gap=0.05)  # half duplex: let the line turn round
    answers = False  # it speaks, but never answers an order

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self._keys, self._grades = self.set_up.key_table(), self.set_up.grade_table()
        self._meanings: dict[bytes, News | None] = {}
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        self._tail = b""
        self._acks: dict[bytes, None] = {}  # in order, each once
        self._presses = Presses(WINDOW)
        self._sent: deque[tuple[bytes, int]] = deque(maxlen=16)  # what may come back as an echo, when
        self._echo = {"yes": True, "no": False}.get(self.set_up.echo)
        self._order: Order | None = None
        self._frames: deque[bytes] = deque()
        self._begun = False  # something of the order has gone out
        self._junk = 0
        self._alive = self._garbled = False
        self._babble = False  # the line has babbled since it was quiet last

    @property
    def idle(self) -> bool:
        """See Driver."""
        return self._order is None and not self._acks

    @property
    def patience(self) -> float | None:
        """See Driver. Nothing is waited for but quiet itself: it separates presses."""
        if self._order and not self._frames:
            return ORDER_WAIT
        return WINDOW if self._presses or self._sent or self._babble else None

    def encode(self, order: Order) -> bytes:
        """See Driver."""
        return b"".join(self._encode(order))

    def take(self, order: Order) -> None:
        """See Driver."""
        self._frames = deque(self._encode(order))
        self._order, self._begun = order, False

    def owed(self) -> bytes:
        """See Driver. Acknowledgements go first: a pad is waiting."""
        if self._acks:
            frame = next(iter(self._acks))
            del self._acks[frame]
        elif self._frames:
            frame = self._frames.popleft()
            self._begun = True
        else:
            return b""
        self._presses.passes(len(frame))
        if self._echo is not False:
            self._sent.append((frame, self._presses.passed))
        return frame

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        self._presses.passes(len(data))
        for frame in self._split(data):
            if self._sent and self._is_echo(frame):
                continue
            if self.shared and frame[5] not in self.set_up.addresses:
                continue  # another device's on the same line
            if frame not in self._meanings:
                if len(self._meanings) > 4096:
                    self._meanings.clear()
                self._meanings[frame] = self._understand(frame)
            meaning = self._meanings[frame]
            if meaning is not None:
                news += self._hear(frame, meaning)
        if self._junk >= JUNK:
            self._junk = 0
            self._babble = True
            if not self._garbled:
                self._garbled = True
                news.append(Garbled())
            if self._order and not self._frames:
                news += self._end("The line is full of noise, so nobody may have understood it.")
        return news

    def silence(self) -> list[News]:
        """See Driver."""
        self._presses.passes(int(PACE * (self.patience or 0)))
        if self._order and not self._frames:
            lost = self._echo and {frame for frame, _ in self._sent}.intersection(self._encode(self._order))
            if lost:
                return self._end("The adapter did not return what was sent; another device was probably speaking.")
            return self._end("The frame went out; devices on this line do not acknowledge what they are told.")
        if self._echo is None and any(frame[2] in HOST_ONLY for frame, _ in self._sent):
            self._echo = False  # it would have come back by now
        self._presses.quiet()
        self._sent.clear()
        self._babble = False
        return []

    def lost(self) -> list[News]:
        """See Driver."""
        reason = "The cable went while it was being sent." if self._begun else "The cable went before it was sent."
        return self._end(reason, Unconfirmed if self._begun else Refused)

    def _encode(self, order: Order) -> list[bytes]:
        address = order.address or self.set_up.addresses[0]
        if not 1 <= address <= 255:
            raise OrderMistake(f"address must be 1 to 255, got {address}")
        if isinstance(order, ShowNumber):
            return [pack(address, SHOW, _waiting(order.waiting) + _number(order.number))]
        if isinstance(order, Beep):
            if not 1 <= order.times <= MOST_BEEPS:
                raise OrderMistake(f"Beep.times must be 1 to {MOST_BEEPS}, got {order.times}")
            return [pack(address, BEEP)] * order.times
        if isinstance(order, AskRating):
            return [pack(address, KEY, bytes((ASK,)))]
        if isinstance(order, ShowStars):
            if not 0 <= order.stars <= 5:
                raise OrderMistake(f"ShowStars.stars must be 0 to 5, got {order.stars}")
            return [pack(address, SHOW, bytes((order.stars,)))]
        raise OrderMistake(f"call pads and evaluators do not know the order {type(order).__name__}")

    def _split(self, data: bytes) -> Iterator[bytes]:
        """Whole frames with a right sum, whatever the pieces."""
        held = self._tail + data
        at, kept = 0, 0
        while found := FRAME.search(held, at):
            frame = found[0]
            if sum(frame[5:-2]) & 0xFF != frame[-2]:
                at = found.start() + 1
                continue
            at = kept = found.end()
            self._junk = 0
            yield frame
        cut = max(kept, len(held) - LONGEST + 1)  # the rest may still become a frame
        self._junk += cut - kept
        self._tail = held[cut:]

    def _is_echo(self, frame: bytes) -> bool:
        for sent in self._sent:
            if sent[0] == frame and self._presses.passed - sent[1] <= PASSED + len(frame):
                self._sent.remove(sent)
                self._echo = True if frame[2] in HOST_ONLY else self._echo
                return True
        return False

    def _understand(self, frame: bytes) -> News | None:
        """What a device means by a frame; None: not a device's frame."""
        if frame[2] in HOST_ONLY:
            return None
        address, data = frame[5], frame[7:-2]
        if frame[6] == RATING:
            if data[0] in self._grades:
                return Rated(address=address, grade=self._grades[data[0]] or None, code=f"{data[0]:02x}")
            return KeyPressed(address=address, key=Key.OTHER, code=f"11{data[0]:02x}")  # a rating key without a meaning
        for code in (data[-2:], data[-1:]):
            if code in self._keys:
                return KeyPressed(address=address, key=self._keys[code], code=code.hex())
        return KeyPressed(address=address, key=Key.OTHER, code=data[-1:].hex())

    def _hear(self, frame: bytes, meaning: News) -> list[News]:
        """Acknowledge a device's frame, and tell it unless it is a repeat."""
        address = frame[5]
        answer = acknowledgement(frame)
        again, repeats = self._presses.again(address, frame, unanswered=answer in self._acks)
        if again:
            if repeats < REPEATS:
                self._acks[answer] = None
            return []
        self._acks[answer] = None
        news: list[News] = []
        if not self._alive:
            self._alive = True
            news.append(Alive(detail=f"address {address} has spoken"))
        if self._garbled and not self._babble:
            self._garbled = False
            news.append(Garbled(over=True))
        return [*news, meaning]

    def _end(self, reason: str, outcome: type[Refused] | type[Unconfirmed] = Unconfirmed) -> list[News]:
        order, self._order = self._order, None
        self._frames.clear()
        if order is None:
            return []
        return [outcome(address=order.address, order=type(order).__name__, id=order.id, reason=reason)]


def pack(address: int, function: int, data: bytes = b"") -> bytes:
    """A frame."""
    body = bytes((address, function)) + data
    return b"\xff\x68" + bytes((len(body), len(body))) + b"\x68" + body + bytes((sum(body) & 0xFF, 0x16))


def acknowledgement(frame: bytes) -> bytes:
    """What the host answers to a device's frame: the frame; for a rating with function 01 and the sum less 10 (hex)."""
    if frame[6] != RATING:
        return frame
    return frame[:6] + bytes((KEY,)) + frame[7:-2] + bytes(((frame[-2] - 0x10) & 0xFF,)) + frame[-1:]


def _number(number: str | None) -> bytes:
    """The last three digits of a ticket number; a pad shows nothing else."""
    if number is None:
        return bytes((BLANK,)) * 3
    digits = re.sub(r"[^0-9]", "", number)
    if not digits:
        raise OrderMistake(f"ShowNumber.number: a call pad shows digits, and {number!r} has none")
    return bytes(int(digit) for digit in digits[-3:].zfill(3))


def _waiting(waiting: int | None) -> bytes:
    if waiting is None:
        return bytes((BLANK,)) * 3
    if waiting < 0:
        raise OrderMistake(f"ShowNumber.waiting must not be negative, got {waiting}")
    return bytes(int(digit) for digit in f"{min(waiting, 999):03}")


# ---- the devices' side ------------------------------------------------------------------------------------------

TICKS = 2  # between two repeats of a frame nobody acknowledged
TRIES = 3  # repeats


@dataclass
class Panel:
    """What one pad or evaluator shows."""

    number: str = ""
    waiting: str = ""
    stars: int | None = None
    asking: bool = False
    beeps: int = 0


class Simulator(driver.Simulator):
    """Pads and evaluators at every address of one line; `panels` is what each shows.

    Faults: `deaf` never hears an acknowledgement, so everything is said four times; `wrong-checksum` spoils the first
    copy of everything said.
    """

    faults: ClassVar[tuple[str, ...]] = ("deaf", "wrong-checksum")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        set_up = cast(Options, self.options)
        self.panels: dict[int, Panel] = {}
        self._first = set_up.addresses[0]
        self._keys = {key: code for code, key in reversed(set_up.key_table().items())}
        self._codes = {grade: code for code, grade in reversed(set_up.grade_table().items())}
        self._unheard: dict[int, tuple[bytes, int]] = {}  # address → frame, ticks since it was first said
        self._tail = b""

    def happen(self, news: News) -> bytes:
        """See Simulator."""
        address = news.address or self._first
        if isinstance(news, KeyPressed):
            frame = pack(address, KEY, self._code(news))
        elif isinstance(news, Rated):
            frame = pack(address, RATING, bytes((self._rating(news),)))
            self.panels.setdefault(address, Panel()).asking = False
        else:
            raise ValueError(f"call pads and evaluators cannot have {type(news).__name__}")
        self._unheard[address] = (frame, 0)
        if "wrong-checksum" in self.faults_on:
            return frame[:-2] + bytes((frame[-2] ^ 0x01,)) + frame[-1:]
        return frame

    def receive(self, data: bytes) -> bytes:
        """See Simulator. Devices never answer a host."""
        held, at = self._tail + data, 0
        while found := FRAME.search(held, at):
            frame = found[0]
            right = sum(frame[5:-2]) & 0xFF == frame[-2]
            at = found.end() if right else found.start() + 1
            if right:
                self._hear(frame)
        self._tail = held[max(at, len(held) - LONGEST + 1) :]
        return b""

    def tick(self) -> bytes:
        """See Simulator. What was not acknowledged is said again, three times at most."""
        out = b""
        for address, (frame, ticks) in list(self._unheard.items()):
            self._unheard[address] = (frame, ticks + 1)
            if (ticks + 1) % TICKS == 0:
                out += frame
            if ticks + 1 >= TICKS * TRIES:
                del self._unheard[address]
        return out

    def _code(self, news: KeyPressed) -> bytes:
        if news.code:
            return bytes.fromhex(news.code)
        if news.key not in self._keys:
            raise ValueError(f"no key of these pads means {news.key.value}; give its code")
        return self._keys[news.key]

    def _rating(self, news: Rated) -> int:
        if news.code:
            return int(news.code, 16)
        if (news.grade or 0) not in self._codes:
            raise ValueError(f"no rating key of these evaluators means grade {news.grade}; give its code")
        return self._codes[news.grade or 0]

    def _hear(self, frame: bytes) -> None:
        address, function, data = frame[5], frame[6], frame[7:-2]
        unheard = self._unheard.get(address)
        if unheard and frame == acknowledgement(unheard[0]):
            if "deaf" not in self.faults_on:
                del self._unheard[address]
            return
        panel = self.panels.setdefault(address, Panel())
        if function == SHOW and len(data) == 6:
            waiting, number = (None if BLANK in part else "".join(map(str, part)) for part in (data[:3], data[3:]))
            panel.waiting, panel.number = waiting or panel.waiting, number or panel.number
            count = None if waiting is None else int(waiting)
            self.obeyed.append(ShowNumber(address=address, number=number, waiting=count))
        elif function == SHOW and len(data) == 1:
            panel.stars = data[0]
            self.obeyed.append(ShowStars(address=address, stars=data[0]))
        elif function == BEEP and not data:
            panel.beeps += 1
            self.obeyed.append(Beep(address=address))
        elif function == KEY and data == bytes((ASK,)):
            panel.asking = True
            self.obeyed.append(AskRating(address=address))

"""LED strips above the windows, Pingan Lihe V2.1: show a call, who is served, welcome, pause or any text.

    A0 | LEN | CMD | ADD | [S-CMD] | DATA | CHK | FF     LEN = bytes CMD..DATA
                                                         CHK = (LEN + CMD + … + DATA) mod 100, decimal

New boards acknowledge each display with A0 03 14 ADD 50 CHK FF; boards of the old make stay silent (`acks = false`),
and then nothing they show can be confirmed. The address tells the strips on one RS-485 line apart; frames keep 100 ms
between them (Pingan Lihe LED control card protocol V2.1, 2012).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar

from devices import driver as base
from devices.driver import OrderMistake, Timing
from devices.roles import (
    WINDOW_SCREEN,
    Alive,
    Garbled,
    News,
    Obeyed,
    Order,
    Refused,
    Role,
    ShowCall,
    ShowPaused,
    ShowServing,
    ShowText,
    ShowWelcome,
    Silent,
    Unconfirmed,
)

STRIP, ASCII_STRIP, ONLINE_TEST, VERSION, ACK = 0x28, 0x2B, 0x29, 0x98, 0x14
WELCOME, CALL, PAUSE, SERVING = 0x00, 0x01, 0x02, 0x04
DATA = 0x50  # the S-CMD of acknowledgements and version frames
CARDS = {0xA1: "16-dot strip", 0xA2: "24/32-dot standard", 0xA3: "24/32-dot instant", 0xA4: "combined screen"}

# Instant text: what follows S-CMD and checksum. mode, speed, stay, colour, life (99 = until the next order).
_PROFILES = {
    "strip": (0x54, bytes((0x01, 0x00, 0x99, 0x00, 0x63))),  # one line, as deployed
    "combined": (0x50, bytes((0x08, 0x02, 0x99, 0x00, 0x63))),  # a whole combined screen, as deployed
    "strip-16-immediate": (0x54, bytes((0x08, 0x00, 0x99, 0x00, 0x63))),
    "strip-24-immediate": (0x54, bytes((0x0B, 0x00, 0x99, 0x00, 0x63))),
}
_COLOURS = {"red": 0, "green": 1, "yellow": 2}

# All a strip ever says: acknowledgement and version. The same frame many times over is one match, however long.
_ANSWERS = re.compile(rb"(\xa0(?:\x03\x14.P.|\x05\x98.P...)\xff)\1*", re.DOTALL)
_LONGEST = 9  # bytes of the longer one
NOISE_LIMIT = 256  # stray bytes without one good frame between them, after which the line counts as garbled
MISSES = 3


@dataclass(frozen=True)
class Options:
    """What a technician chooses for the strips on one cable."""

    addresses: tuple[int, ...] = field(
        default=(1,), metadata={"label": "Addresses", "min": 1, "max": 254, "help": "One per strip on this cable."}
    )
    acks: bool = field(
        default=True,
        metadata={"label": "Strips acknowledge", "help": "Switch off for boards of the old make: they never answer."},
    )
    digits: int = field(
        default=3,
        metadata={
            "label": "Digits of a number",
            "min": 1,
            "max": 4,
            "help": "Digits the strip shows behind the letter. Numbers of another form are sent as text.",
        },
    )
    text_profile: str = field(
        default="strip",
        metadata={"label": "Text mode", "choices": tuple(_PROFILES), "help": "How a text moves in; by kind of card."},
    )
    text_colour: str = field(default="red", metadata={"label": "Text colour", "choices": tuple(_COLOURS)})
    repeats: int = field(default=1, metadata={"label": "Repeats without acknowledgement", "min": 0, "max": 3})
    poll_seconds: float = field(default=5.0, metadata={"label": "Ask every", "unit": "s", "min": 1, "max": 60})
    confirm_seconds: float = field(
        default=0.5, metadata={"label": "Wait for confirmation", "unit": "s", "min": 0.1, "max": 10}
    )


def frame(command: int, address: int, body: bytes = b"") -> bytes:
    """One control frame; body is S-CMD and DATA."""
    content = bytes((command, address)) + body
    return bytes((0xA0, len(content))) + content + bytes(((len(content) + sum(content)) % 100, 0xFF))


def gb2312(text: str, place: str) -> bytes:
    """The text as the card's font knows it. Raises OrderMistake naming the characters it has not got."""
    missing = "".join(dict.fromkeys(c for c in text if not _in_font(c)))
    if missing:
        named = ", ".join(f"{c if c.isprintable() else '?'} (U+{ord(c):04X})" for c in missing)
        raise OrderMistake(f"{place}: the strip's font (GB 2312) has no {named}; write it in other words")
    return text.encode("gb18030")


def _in_font(c: str) -> bool:
    if c < "\x80":
        return c.isprintable()
    try:  # GB 18030 knows how people write today (U+2014, U+00B7); GB 2312 knows which codes the font has
        c.encode("gb18030").decode("gb2312")
    except UnicodeError:
        return False
    return True


class Driver(base.Driver):
    """The host's side: one frame at a time, its acknowledgement awaited, each strip asked in turn in quiet moments."""

    roles: ClassVar[tuple[Role, ...]] = (WINDOW_SCREEN,)
    Options = Options
    baud = 9600

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.answers = self.options.acks
        turn = self.options.poll_seconds / len(self.options.addresses)
        self.timing = Timing(poll_every=turn if self.answers else None, gap=0.1)
        self._turn = 0
        self.reset()

    def reset(self) -> None:
        self._out = b""
        self._buffer = b""
        self._order: Order | None = None
        self._address = 0  # the strip that is being talked to
        self._frame = b""
        self._tries = 0
        self._waiting = False  # the frame has been handed out
        self._noise = 0
        self._garbled = False
        self._alive: set[int] = set()
        self._silent: set[int] = set()
        self._misses: dict[int, int] = {}

    # ---- orders ----

    def encode(self, order: Order) -> bytes:
        at = self._at(order)
        if isinstance(order, ShowWelcome):
            return frame(STRIP, at, bytes((WELCOME,)))
        if isinstance(order, ShowPaused):
            return frame(STRIP, at, bytes((PAUSE,)))
        if isinstance(order, ShowCall):
            return self._number(at, order, CALL, f"请{order.number}号到{order.window}号窗口")
        if isinstance(order, ShowServing):
            return self._number(at, order, SERVING, f"正在办理{order.number}号")
        if isinstance(order, ShowText):
            return self._text(at, order.text, "ShowText.text")
        raise OrderMistake(f"a window strip cannot do {type(order).__name__}")

    def take(self, order: Order) -> None:
        if self._order is not None:
            raise OrderMistake("the strip is still busy with another order")
        self._frame = self.encode(order)
        self._order, self._address, self._tries = order, self._at(order), 0
        self._put()

    def poll(self) -> None:
        if not self.answers or self._order is not None or self._waiting:
            return
        addresses = self.options.addresses
        self._address = addresses[self._turn % len(addresses)]
        self._turn += 1
        self._frame = frame(VERSION, self._address, bytes((DATA,)))
        self._put()

    @property
    def idle(self) -> bool:
        return self._order is None

    def owed(self) -> bytes:
        out, self._out = self._out, b""
        self._waiting = self._waiting or bool(out)
        return out

    @property
    def patience(self) -> float | None:
        if not self._waiting:
            return None
        return float(self.options.confirm_seconds) if self.answers else 0.05

    def _put(self) -> None:
        self._out, self._waiting = self._frame, False

    def _at(self, order: Order) -> int:
        known: tuple[int, ...] = self.options.addresses
        at = order.address or known[0]
        if at not in known:
            raise OrderMistake(f"{type(order).__name__}.address: no strip {at} here; there are: {_listed(known)}")
        return at

    def _number(self, at: int, order: ShowCall | ShowServing, action: int, words: str) -> bytes:
        """The number as two binary pairs and a letter; as ASCII; or, where neither can carry it, as words."""
        name = type(order).__name__
        if not 1 <= order.window <= 254:
            raise OrderMistake(f"{name}.window: expected 1 to 254, got {order.window}")
        parts = re.fullmatch(r"([A-Z]?)(\d{1,4})", order.number, re.ASCII)
        if parts and parts[2] == f"{int(parts[2]):0{self.options.digits}d}":
            high, low = divmod(int(parts[2]), 100)
            return frame(STRIP, at, bytes((action, high, low, order.window)) + parts[1].encode())
        if action == CALL and re.fullmatch(r"[0-9A-Za-z-]{1,6}", order.number):
            # The manual gives "max 6 characters" without the order of the data; window last, as its examples have it.
            return frame(ASCII_STRIP, at, bytes((action,)) + order.number.encode() + bytes((order.window,)))
        return self._text(at, words, f"{name}.number")

    def _text(self, at: int, text: str, place: str) -> bytes:
        if not text:
            raise OrderMistake(f"{place} is empty; to clear the strip, show the welcome")
        kind, look = _PROFILES[self.options.text_profile]
        look = look[:3] + bytes((_COLOURS[self.options.text_colour],)) + look[4:]
        tail = look + gb2312(text, place) + b"\xff"
        return bytes((0xAA, at, 0xBB, 0x51, kind, sum(tail) & 0xFF)) + tail

    # ---- what comes back ----

    def feed(self, data: bytes) -> list[News]:
        news: list[News] = []
        data = self._buffer + data
        at = 0
        while (run := _ANSWERS.search(data, at)) is not None:
            begin, end = run.span()
            if _good(run[1]):
                if begin > at:
                    self._stray(begin - at, news)
                self._noise = 0
                self._understood(run[1], news)
            else:
                end = begin + 1
                self._stray(end - at, news)
            at = end
        half = data.find(b"\xa0", max(at, len(data) - _LONGEST + 1))
        keep = half if half >= 0 else len(data)
        self._stray(keep - at, news)
        self._buffer = data[keep:]
        return news

    def _stray(self, count: int, news: list[News]) -> None:
        self._noise += count
        if self._noise > NOISE_LIMIT and not self._garbled:
            self._garbled = True
            news.append(Garbled())

    def _understood(self, data: bytes, news: list[News]) -> None:
        command, at, body = data[2], data[3], data[4:-2]
        if at not in self.options.addresses:
            return  # somebody else's on the same line
        if self._garbled:
            self._garbled = False
            news.append(Garbled(over=True))
        detail = f"{CARDS.get(body[1], f'card {body[1]:02X}')}, version {body[2]}" if command == VERSION else ""
        self._heard(at, detail, news)
        if not self._waiting or at != self._address:
            return
        if command == ACK and self._order is not None:
            self._end(news, Obeyed)
        elif command == VERSION and self._order is None:
            self._waiting = False

    def _heard(self, at: int, detail: str, news: list[News]) -> None:
        self._misses[at] = 0
        if at in self._silent:
            self._silent.discard(at)
            self._alive.discard(at)
            news.append(Silent(address=at, over=True))
        if at not in self._alive:
            self._alive.add(at)
            news.append(Alive(address=at, detail=detail))

    # ---- silence and loss ----

    def silence(self) -> list[News]:
        news: list[News] = []
        if not self._waiting:
            return news
        if not self.answers:
            self._end(news, Unconfirmed, "the text was sent; this strip is set up as one that never acknowledges")
            return news
        if self._order is not None and self._tries < self.options.repeats and self._address not in self._silent:
            self._tries += 1
            self._put()  # to be told the same twice harms no strip
            return news
        at = self._address
        self._misses[at] = self._misses.get(at, 0) + 1
        if self._misses[at] >= MISSES and at not in self._silent:
            self._silent.add(at)
            news.append(Silent(address=at))
        self._end(news, Unconfirmed, f"the text was sent, but strip {at} did not acknowledge it")
        return news

    def lost(self) -> list[News]:
        news: list[News] = []
        if self._waiting or self._tries:
            self._end(news, Unconfirmed, "the cable went while the text was on its way")
        else:
            self._end(news, Refused, "the cable went before the text was sent")
        return news

    def _end(self, news: list[News], outcome: type[Any], reason: str = "") -> None:
        order, self._order = self._order, None
        self._out, self._waiting, self._tries = b"", False, 0
        if order is not None:
            why = {"reason": reason} if reason else {}
            news.append(outcome(order=type(order).__name__, id=order.id, address=order.address, **why))


@lru_cache(maxsize=1024)  # a strip says the same few frames all its life
def _good(data: bytes) -> bool:
    return sum(data[1:-2]) % 100 == data[-2]


def _listed(addresses: tuple[int, ...]) -> str:
    return ", ".join(str(a) for a in addresses)


class Simulator(base.Simulator):
    """One or more strips on one line: they show what they are told and acknowledge it, if they are of the new make."""

    faults = (
        "no-acks",  # boards of the old make
        "first-ack-lost",
        "wrong-address",  # acknowledges under another strip's address
    )

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.shown: dict[int, str] = {}  # what stands on each strip, as a person reads it
        self._buffer = b""
        self._lost_one = False

    def receive(self, data: bytes) -> bytes:
        self._buffer += data
        out = []
        while (found := self._next()) is not None:
            out.append(self._obey(found))
        return b"".join(out)

    def happen(self, news: News) -> bytes:
        raise ValueError(f"a window strip has nothing to say by itself, so it cannot have {type(news).__name__}")

    def _next(self) -> bytes | None:
        """The next whole frame of either kind, taken out of the buffer."""
        while start := re.search(rb"\xa0|\xaa", self._buffer):
            self._buffer = self._buffer[start.start() :]
            if len(self._buffer) < 3:
                return None
            if self._buffer[0] == 0xA0:
                end = self._buffer[1] + 4
                if end > 36:  # no frame is that long
                    self._buffer = self._buffer[1:]
                    continue
            else:
                stop = self._buffer.find(b"\xff", 11)  # the checksum before it may itself be FF
                end = stop + 1 if stop >= 0 else len(self._buffer) + 1
                if self._buffer[2] != 0xBB or len(self._buffer) > 600:
                    self._buffer = self._buffer[1:]
                    continue
            if end > len(self._buffer):
                return None
            whole, self._buffer = self._buffer[:end], self._buffer[end:]
            if _right(whole):
                return whole
            self._buffer = whole[1:] + self._buffer
        self._buffer = b""
        return None

    def _obey(self, data: bytes) -> bytes:
        instant = data[0] == 0xAA
        command, at = (data[4], data[1]) if instant else (data[2], data[3])
        if at not in self.options.addresses:
            return b""
        if instant:
            return self._show(at, ShowText(text=data[11:-1].decode("gb18030", "replace")))
        if command == VERSION:
            return self._say(frame(VERSION, at, bytes((DATA, 0xA1, 0x21))))
        if command == ONLINE_TEST:
            return self._acknowledge(at)
        order = self._read(command, data[4:-2])
        return self._show(at, order) if order is not None else b""

    def _read(self, command: int, body: bytes) -> Order | None:
        """What a display frame tells a person."""
        if command == STRIP and body == bytes((WELCOME,)):
            return ShowWelcome()
        if command == STRIP and body == bytes((PAUSE,)):
            return ShowPaused()
        show = {CALL: ShowCall, SERVING: ShowServing}.get(body[0])
        if command == STRIP and show is not None and len(body) in (4, 5):
            number = f"{body[1] * 100 + body[2]:0{self.options.digits}d}"
            return show(number=body[4:].decode("ascii", "replace") + number, window=body[3])
        if command == ASCII_STRIP and body[0] == CALL:
            return ShowCall(number=body[1:-1].decode("ascii", "replace"), window=body[-1])
        return None

    def _show(self, at: int, order: Order) -> bytes:
        self.shown[at] = _words(order)
        self.obeyed.append(replace(order, address=0 if at == self.options.addresses[0] else at))
        return self._acknowledge(at)

    def _acknowledge(self, at: int) -> bytes:
        if "first-ack-lost" in self.faults_on and not self._lost_one:
            self._lost_one = True
            return b""
        if "wrong-address" in self.faults_on:
            at = at % 254 + 1
        return self._say(frame(ACK, at, bytes((DATA,))))

    def _say(self, answer: bytes) -> bytes:
        return answer if self.options.acks and "no-acks" not in self.faults_on else b""


def _right(data: bytes) -> bool:
    if data[-1] != 0xFF:
        return False
    if data[0] == 0xAA:
        return data[3] == 0x51 and sum(data[6:]) & 0xFF == data[5]
    return _good(data)


def _words(order: Order) -> str:
    if isinstance(order, ShowText):
        return order.text
    if isinstance(order, ShowCall):
        return f"请{order.number}号到{order.window}号窗口"
    if isinstance(order, ShowServing):
        return f"正在办理{order.number}号"
    return "欢迎光临" if isinstance(order, ShowWelcome) else "暂停服务"

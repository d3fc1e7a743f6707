"""LED strips above the windows, Pingan Lihe V2.1: show a call, who is served, welcome, pause or any text.

    A0 | LEN | CMD | ADD | [S-CMD] | DATA | CHK | FF     LEN = bytes CMD..DATA
                                                         CHK = (LEN + CMD + … + DATA) mod 100, decimal

New boards acknowledge each display with A0 03 14 ADD 50 CHK FF; boards of the old make stay silent (`acks = false`),
and then nothing they show can be confirmed. The address tells the strips on one RS-485 line apart; frames keep 100 ms
between them (Pingan Lihe LED control card protocol V2.1, 2012).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from devices.driver import OrderMistake, Timing
from devices.led.simulated import StripSimulator
from devices.led.strip import Reply, Strip
from devices.led.texts import Board, Strips, address_field, cells, characters, seconds_field
from devices.roles import Order, ShowCall, ShowPaused, ShowServing, ShowText, ShowWelcome

STRIP, ASCII_STRIP, ONLINE_TEST, VERSION, ACK = 0x28, 0x2B, 0x29, 0x98, 0x14
WELCOME, CALL, PAUSE, SERVING = 0x00, 0x01, 0x02, 0x04
DATA = 0x50  # the S-CMD of acknowledgements and version frames
CARDS = {0xA1: "16-dot strip", 0xA2: "24/32-dot standard", 0xA3: "24/32-dot instant", 0xA4: "combined screen"}
LONGEST_TEXT = 500  # bytes; the document names no limit, but nobody waits for more to pass by

# Instant text: what follows S-CMD and checksum. mode, speed, stay, colour, life (99 = until the next order).
_PROFILES = {
    "strip": (0x54, bytes((0x01, 0x00, 0x99, 0x00, 0x63))),  # one line, as deployed
    "combined": (0x50, bytes((0x08, 0x02, 0x99, 0x00, 0x63))),  # a whole combined screen, as deployed
    "strip-16-immediate": (0x54, bytes((0x08, 0x00, 0x99, 0x00, 0x63))),
    "strip-24-immediate": (0x54, bytes((0x0B, 0x00, 0x99, 0x00, 0x63))),
}
_COLOURS = {"red": 0, "green": 1, "yellow": 2}
_TEXT_AT = 11  # where the text of an instant frame begins; the checksum before it may be FF, which else ends frames

# All a strip ever says: acknowledgement and version. A checksum is below 100, so none can hide where the next begins.
_ANSWER = re.compile(rb"\xa0(?:\x03\x14.P|\x05\x98.P..)[\x00-\x63]\xff", re.DOTALL)
_HALF = re.compile(rb"\xa0(?:\x03(?:\x14.{0,3})?|\x05(?:\x98.{0,5})?)?\Z", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Options(Board, Strips):
    """What a technician chooses for the strips on one cable."""

    addresses: tuple[int, ...] = address_field(1, 254)
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
    poll_seconds: float = seconds_field("Ask every", 5.0, 1, 60)
    confirm_seconds: float = seconds_field("Wait for confirmation", 0.5, 0.1, 10)
    serving_text = "正在办理{number}号"

    def rows(self) -> int:
        """See Strips. A combined screen is a board in one piece."""
        return self.board_rows if self.text_profile == "combined" else super().rows()


def frame(command: int, address: int, body: bytes = b"") -> bytes:
    """One control frame; body is S-CMD and DATA."""
    content = bytes((command, address)) + body
    return bytes((0xA0, len(content))) + content + bytes(((len(content) + sum(content)) % 100, 0xFF))


class Driver(Strip):
    """The host's side."""

    Options = Options
    answers = True
    asks = True
    identifies: ClassVar[bool] = True  # kind of card and version

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.answers = self.asks = self.options.acks
        turn = self.options.poll_seconds / len(self.options.addresses)
        self.timing = Timing(poll_every=turn if self.asks else None, gap=0.1)

    def carry(self, at: int, order: Order) -> list[bytes]:
        """See Strip. The card has words of its own; only what no frame of it can carry is sent as text."""
        if isinstance(order, ShowWelcome):
            return [frame(STRIP, at, bytes((WELCOME,)))]
        if isinstance(order, ShowPaused):
            return [frame(STRIP, at, bytes((PAUSE,)))]
        if isinstance(order, ShowCall | ShowServing):
            if not 1 <= order.window <= 254:
                raise OrderMistake(f"{type(order).__name__}.window: expected 1 to 254, got {order.window}")
            if numbered := self._number(at, order):
                return [numbered]
        return super().carry(at, order)

    def _number(self, at: int, order: ShowCall | ShowServing) -> bytes:
        """The number as two binary pairs and a letter, or as ASCII; empty where neither can carry it."""
        action = CALL if isinstance(order, ShowCall) else SERVING
        parts = re.fullmatch(r"([A-Z]?)(\d{1,4})", order.number, re.ASCII)
        if parts and parts[2] == f"{int(parts[2]):0{self.options.digits}d}":
            high, low = divmod(int(parts[2]), 100)
            return frame(STRIP, at, bytes((action, high, low, order.window)) + parts[1].encode())
        if action == CALL and re.fullmatch(r"[0-9A-Za-z-]{1,6}", order.number):
            # The manual gives "max 6 characters" without the order of the data; window last, as its examples have it.
            return frame(ASCII_STRIP, at, bytes((action,)) + order.number.encode() + bytes((order.window,)))
        return b""

    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """See Strip. An instant text."""
        kind, look = _PROFILES[self.options.text_profile]
        look = look[:3] + bytes((_COLOURS[self.options.text_colour],)) + look[4:]
        tail = look + b"".join(characters(text, place, most=LONGEST_TEXT)) + b"\xff"
        return [bytes((0xAA, at, 0xBB, 0x51, kind, sum(tail) & 0xFF)) + tail]

    def board(self, rows: list[str], place: str) -> list[tuple[int, list[bytes]]]:
        """See Strip. A combined screen takes all rows in one instant text."""
        if self.options.text_profile != "combined":
            return super().board(rows, place)
        at = self.options.addresses[0]
        return [(at, self.say(at, self.options.whole(rows, place), place))]

    def ask(self, at: int) -> bytes:
        """See Strip. Its version."""
        return frame(VERSION, at, bytes((DATA,)))

    def hear(self, data: bytes) -> tuple[Sequence[Reply], int, bytes]:
        """See Strip."""
        found = [one for one in _ANSWER.findall(data) if _good(one)]
        half = _HALF.search(data)
        rest = half[0] if half else b""
        stray = len(data) - len(rest) - sum(map(len, found))
        return [_reply(one) for one in dict.fromkeys(found)], stray, rest


@lru_cache(maxsize=1024)  # a strip says the same few frames all its life
def _good(data: bytes) -> bool:
    return sum(data[1:-2]) % 100 == data[-2]


def _reply(answer: bytes) -> Reply:
    command, at, body = answer[2], answer[3], answer[5:-2]
    if command == ACK:
        return Reply(at=at, done=True)
    return Reply(at=at, detail=f"{CARDS.get(body[0], f'card {body[0]:02X}')}, version {body[1]}")


class Simulator(StripSimulator):
    """Strips that show what they are told and acknowledge it, if they are of the new make."""

    faults: ClassVar[tuple[str, ...]] = (*StripSimulator.faults, "no-acks", "first-ack-lost", "wrong-address")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.card = (0xA1, 0x21)  # what it says of itself: kind and version

    @property
    def mute(self) -> bool:
        """See StripSimulator. Boards of the old make are."""
        return super().mute or not self.options.acks

    def start(self, data: bytes) -> int:
        """See StripSimulator."""
        found = re.search(rb"[\xa0\xaa]", data)
        return found.start() if found else -1

    def size(self, data: bytes) -> int | None:
        """See StripSimulator."""
        if len(data) < 3:
            return None
        if data[0] == 0xAA:
            size = data.find(b"\xff", _TEXT_AT) + 1 or len(data) + 1
            if data[2] != 0xBB or size > _TEXT_AT + LONGEST_TEXT + 1:
                return 0
        else:
            size = data[1] + 4
            if not 6 <= size <= 36:  # no frame is that short or that long
                return 0
        if size > len(data):
            return None
        return size if _right(data[:size]) else 0

    def obey(self, data: bytes) -> bytes:
        """See StripSimulator."""
        instant = data[0] == 0xAA
        command, at = (data[4], data[1]) if instant else (data[2], data[3])
        if at not in self.options.addresses:
            return b""
        if instant:
            text = data[_TEXT_AT:-1].decode("gb18030", "replace")
            self._instant(at, text)
        elif command == VERSION:
            return b"" if self.mute else frame(VERSION, at, bytes((DATA, *self.card)))
        elif command != ONLINE_TEST:
            order = self._read(command, data[4:-2])
            if order is None:
                return b""
            self.stand(at, self._text(order), order)
        return b"" if self.kept_back() else frame(ACK, self.signed(at), bytes((DATA,)))

    def _instant(self, at: int, text: str) -> None:
        if not self.options.rows():
            self.stand(at, text, ShowText(text=text))
        elif self.options.text_profile == "combined" and cells(text) > self.options.board_columns:
            self.rows(at, self.options.parted(text))
        else:
            self.show(at, text)

    def _read(self, command: int, body: bytes) -> Order | None:
        """What a display frame tells a person."""
        if command == STRIP and body == bytes((WELCOME,)):
            return ShowWelcome()
        if command == STRIP and body == bytes((PAUSE,)):
            return ShowPaused()
        show = {CALL: ShowCall, SERVING: ShowServing}.get(body[0]) if body else None
        if command == STRIP and show is not None and len(body) in (4, 5):
            number = f"{body[1] * 100 + body[2]:0{self.options.digits}d}"
            return show(number=body[4:].decode("ascii", "replace") + number, window=body[3])
        if command == ASCII_STRIP and body[:1] == bytes((CALL,)) and len(body) > 2:
            return ShowCall(number=body[1:-1].decode("ascii", "replace"), window=body[-1])
        return None

    def _text(self, order: Order) -> str:
        if isinstance(order, ShowCall | ShowServing):
            return str(self.options.sentence(order))
        return str(self.options.welcome_text if isinstance(order, ShowWelcome) else self.options.paused_text)


def _right(data: bytes) -> bool:
    if data[-1] != 0xFF:
        return False
    if data[0] == 0xAA:
        return data[3] == 0x51 and sum(data[6:]) & 0xFF == data[5]
    return _good(data)

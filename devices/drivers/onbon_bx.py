"""LED cards of the Onbon BX-5K and BX-6K series, on a serial line or the network: any text, and whether it was done.

A text goes into one dynamic area of the card. The card answers A0 00 (done) or A0 01 and an error, which is told in
words. In quiet moments it is asked for a sign of life. The technician's orders are clock, brightness, power and clear.
Serial at 57600, network on TCP port 5005. The frames are those of the maker's documents and public libraries for the K
series (`devices.led.onbon`). Not in them, and so our reading: an answer carries the card's address as its sender.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from devices.driver import OrderMistake, Timing
from devices.led import onbon
from devices.led.onbon import Area, Message
from devices.led.simulated import StripSimulator
from devices.led.strip import Reply, Strip
from devices.led.texts import Lines, Texts, address_field, characters, seconds_field
from devices.roles import ClearScreen, Order, SetBrightness, SetClock, SwitchScreen

COLOURS = {"as the card": b"", "red": rb"\C1", "green": rb"\C2", "yellow": rb"\C3"}
COUNTS = ("pixels", "eights", "marked pixels")
APPEAR = {"static": 1, "quick": 2, "left": 3, "right": 4, "up": 5, "down": 6}
QUESTIONS = {"ping": onbon.PING, "status": onbon.STATUS}
LONGEST = 2048  # bytes of an answer

_FRAME = re.compile(rb"\xa5([^\xa5\x5a]++)\x5a")
_WHOLE = re.compile(rb"\xa5++([^\xa5\x5a]++)\x5a")
_HALF = re.compile(rb"\xa5++[^\xa5\x5a]*+\Z")


@dataclass(frozen=True, kw_only=True)
class Options(Lines, Texts):
    """What a technician chooses for the cards on one cable, and for the area that shows the texts."""

    addresses: tuple[int, ...] = address_field(1, 0xFFFE, "One per card on this cable; 65534 reaches any single card.")
    x: int = field(default=0, metadata={"label": "Left", "unit": "pixels", "min": 0, "max": 8191})
    y: int = field(default=0, metadata={"label": "Top", "unit": "pixels", "min": 0, "max": 8191})
    width: int = field(default=64, metadata={"label": "Width", "unit": "pixels", "min": 8, "max": 8192})
    height: int = field(default=16, metadata={"label": "Height", "unit": "pixels", "min": 8, "max": 8192})
    counts: str = field(
        default="pixels",
        metadata={
            "label": "The card counts width in",
            "choices": COUNTS,
            "help": "BX-5K cards count in eights of pixels, or in pixels that are marked as such.",
        },
    )
    area: int = field(default=0, metadata={"label": "Number of the area", "min": 0, "max": 254})
    appear: str = field(default="static", metadata={"label": "How a text appears", "choices": tuple(APPEAR)})
    speed: int = field(default=0, metadata={"label": "Speed", "min": 0, "max": 18, "help": "0 is the fastest."})
    stay: float = seconds_field("Stay", 4.0, 0, 127.5)
    break_lines: bool = field(default=False, metadata={"label": "Break lines where the area ends"})
    colour: str = field(default="as the card", metadata={"label": "Colour", "choices": tuple(COLOURS)})
    question: str = field(default="ping", metadata={"label": "Sign of life by", "choices": tuple(QUESTIONS)})
    repeats: int = field(default=1, metadata={"label": "Repeats without an answer", "min": 0, "max": 3})
    poll_seconds: float = seconds_field("Ask every", 5.0, 1, 60)
    confirm_seconds: float = seconds_field("Wait for an answer", 1.0, 0.1, 10)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.counts == "eights" and (self.x % 8 or self.width % 8):
            raise ValueError("x, width: expected multiples of 8 where the card counts in eights")

    def rows(self) -> int:
        """See Strips. The lines of one card's area are a board too."""
        return self.board_rows or super().rows()

    def placed(self) -> Area:
        """The area as the card counts it."""
        scale, mark = (8, 0) if self.counts == "eights" else (1, 0x8000 if self.counts == "marked pixels" else 0)
        return Area(
            x=self.x // scale | mark,
            y=self.y,
            width=self.width // scale | mark,
            height=self.height,
            number=self.area,
            wrap=2 if self.break_lines else 1,
            appear=APPEAR[self.appear],
            speed=self.speed,
            stay=round(self.stay * 2),
        )


class Driver(Strip):
    """The host's side."""

    Options = Options
    baud = 57600
    answers = True
    asks = True

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.timing = Timing(poll_every=self.options.poll_seconds / len(self.options.addresses), gap=0.05)

    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """See Strip. A line of the text is a line of the area."""
        if "\\" in text:
            raise OrderMistake(f"{place}: a backslash begins a command of the card; leave it out")
        data = rb"\n".join(b"".join(characters(line, place)) for line in text.split("\n"))
        return [_to(at, self.options.placed().build(COLOURS[self.options.colour] + data))]

    def board(self, rows: list[str], place: str) -> list[tuple[int, list[bytes]]]:
        """See Strip. The lines of one area, or a card for each row."""
        if not self.options.board_rows:
            return super().board(rows, place)
        at = self.options.addresses[0]
        return [(at, self.say(at, "\n".join(rows), place))]

    def ask(self, at: int) -> bytes:
        """See Strip."""
        return _to(at, onbon.request(QUESTIONS[self.options.question]))

    def carry(self, at: int, order: Order) -> list[bytes]:
        """See Strip. A technician's orders are the card's own."""
        data = _care(order)
        return [_to(at, data)] if data else super().carry(at, order)

    def hear(self, data: bytes) -> tuple[Sequence[Reply], int, bytes]:
        """See Strip."""
        last = data.rfind(b"\xa5")
        begun = last >= 0 and data.find(b"\x5a", last) < 0 and len(data) - last <= LONGEST
        rest = data[last:] if begun else b""
        messages = (onbon.unwrap(one) for one in dict.fromkeys(_FRAME.findall(data)))
        replies = [reply for one in messages if one and (reply := self._read(one))]
        return replies, len(data) - len(rest), rest

    def _read(self, message: Message) -> Reply | None:
        """What a message from the line says; None: it is our own, returned by the adapter."""
        at = message.sender if message.sender in self.options.addresses else None
        if message.command == onbon.ACK:
            return Reply(at, done=True)
        if message.command == onbon.NAK:
            error = message.data[2]
            return Reply(at, done=False, reason=f"the card {onbon.ERRORS.get(error, f'refuses with error {error}')}")
        return Reply(at, detail=message.data.hex(" ")) if message.sender != onbon.HOST else None


def _to(at: int, data: bytes) -> bytes:
    return onbon.wrap(Message(at, onbon.HOST, data))


def _care(order: Order) -> bytes:
    """The data of a technician's order; empty for any other."""
    if isinstance(order, SetBrightness):
        if not 0 <= order.level <= 15:
            raise OrderMistake(f"SetBrightness.level: expected 0 to 15, got {order.level}")
        return onbon.brightness(order.level)
    if isinstance(order, SwitchScreen):
        return onbon.power(order.on)
    if isinstance(order, ClearScreen):
        return onbon.request(onbon.CLEAR)
    if isinstance(order, SetClock):
        try:
            return onbon.clock(datetime.fromisoformat(order.time))
        except ValueError:
            raise OrderMistake(f"SetClock.time: expected 2026-03-05T09:08:07, got {order.time!r}") from None
    return b""


class Simulator(StripSimulator):
    """Cards that show their dynamic area and answer. `lit` is whether the lamps are on, by address."""

    HEAD = b"\xa5"
    faults: ClassVar[tuple[str, ...]] = (*StripSimulator.faults, "no-answers", "first-answer-lost", "busy", "no-font")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.lit: dict[int, bool] = {}

    def size(self, data: bytes) -> int | None:
        """See StripSimulator."""
        if found := _WHOLE.match(data):
            return found.end() if onbon.unwrap(found[1]) else 0
        return None if _HALF.match(data) else 0

    def obey(self, frame: bytes) -> bytes:
        """See StripSimulator."""
        found = _WHOLE.match(frame)
        message = onbon.unwrap(found[1]) if found else None
        if message is None or message.to not in self.options.addresses:
            return b""
        if message.command == onbon.STATUS:
            return self._answer(message.to, onbon.STATUS + b"\x00\x00\x00\x01")
        error = 0x03 if "busy" in self.faults_on else 0x0C if "no-font" in self.faults_on else 0
        if error and message.command != onbon.PING:
            return self._answer(message.to, onbon.NAK + bytes((error, 0, 0)))
        self._do(message)
        return self._answer(message.to, onbon.ACK + b"\x00\x00\x00")

    def _do(self, message: Message) -> None:
        at, payload = message.to, message.data[5:]
        done: dict[bytes, Order] = {onbon.CLEAR: ClearScreen()}
        if message.command == onbon.DYNAMIC and payload[1:2] == b"\x01":
            text = payload[4 + 27 :].replace(rb"\n", b"\n")
            shown = re.sub(rb"^\\C[123]", b"", text).decode("gb18030", "replace")
            if self.options.board_rows > 1 and shown.count("\n") == self.options.board_rows - 1:
                self.rows(at, shown.split("\n"))
            else:
                self.show(at, shown)
        elif message.command == onbon.POWER:
            self.lit[at] = payload == b"\x01"
            self.obeyed.append(SwitchScreen(on=self.lit[at]))
        elif message.command == onbon.BRIGHTNESS:
            self.obeyed.append(SetBrightness(level=payload[1]))
        elif message.command == onbon.CLOCK:
            year_low, year_high, *rest = (f"{byte:02x}" for byte in payload[:7])
            self.obeyed.append(SetClock(time="{}{}-{}-{}T{}:{}:{}".format(year_high, year_low, *rest)))
        elif message.command in done:
            self.shown.pop(at, None)
            self.obeyed.append(done[message.command])

    def _answer(self, at: int, data: bytes) -> bytes:
        return b"" if self.kept_back() else onbon.wrap(Message(onbon.HOST, at, data))

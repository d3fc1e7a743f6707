"""LED cards of the Onbon BX-6Q and 6E series: any text, drawn by us as dots in colour, and whether it was done.

    A5 x8 | escaped( header data ) | 5A
    header  to (2)  from (2)  F0 00  card type (2)  00 x4  length of data (4)
    data    01 (answer wanted)  A7  00 show or 01 delete  payload
    answer  header  00  A0  00 done or 01 not  status (2)  error (2)  length (2)  data  CRC-16/ARC

A text becomes the pages of one dynamic area, RGB, three bytes a dot. The frames are those of the maker's public library
for these cards (bx.dual.dyn.java, MIT), which puts a checksum under answers but none under requests; `request_crc` adds
one for cards whose manual asks for it. Network on TCP port 5005, or serial at 57600. Our reading, in no document: to
delete an empty list of areas changes nothing, so it serves as a sign of life; an answer comes from the card's address.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from PIL import Image

from devices.driver import Timing
from devices.led import bitmap, onbon
from devices.led.simulated import StripSimulator
from devices.led.strip import Reply, Strip
from devices.led.texts import Lines, Texts, address_field, characters, seconds_field
from devices.roles import ClearScreen, Order

VERSION = 0xF0
CARDS = {"6q1": 0x0166, "6q2": 0x0266, "6q3": 0x0366, "6e1": 0x0174, "6e2": 0x0274, "6e3": 0x0374}
SHOW, DELETE, NOTHING = b"\xa7\x00", b"\xa7\x01", b"\x00\x00\x00"
ACK, NAK = b"\xa0\x00", b"\xa0\x01"
HEADER = struct.Struct("<HHBBH4xI")
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "yellow": (255, 255, 0), "white": (255, 255, 255)}
BLANK = " \u3000"
LONGEST = 2048  # bytes of an answer

_FRAME = re.compile(rb"\xa5([^\xa5\x5a]++)\x5a")
_WHOLE = re.compile(rb"\xa5++([^\xa5\x5a]++)\x5a")
_HALF = re.compile(rb"\xa5++[^\xa5\x5a]*+\Z")


@dataclass(frozen=True, kw_only=True)
class Options(Lines, Texts):
    """What a technician chooses for the cards on one cable, and for the area that shows the texts."""

    addresses: tuple[int, ...] = address_field(1, 0xFFFF, "One per card on this cable; 65535 reaches any single card.")
    card: str = field(default="6q2", metadata={"label": "Card", "choices": tuple(CARDS)})
    x: int = field(default=0, metadata={"label": "Left", "unit": "pixels", "min": 0, "max": 8191})
    y: int = field(default=0, metadata={"label": "Top", "unit": "pixels", "min": 0, "max": 8191})
    width: int = field(default=64, metadata={"label": "Width", "unit": "pixels", "min": 16, "max": 1024})
    height: int = field(default=32, metadata={"label": "Height", "unit": "pixels", "min": 16, "max": 512})
    size: int = field(default=16, metadata={"label": "Height of a line", "unit": "pixels", "choices": (16, 24, 32)})
    area: int = field(default=0, metadata={"label": "Number of the area", "min": 0, "max": 254})
    colour: str = field(default="red", metadata={"label": "Colour", "choices": tuple(COLOURS)})
    hold: int = field(
        default=100,
        metadata={"label": "Stay of a page", "min": 1, "max": 65535, "help": "As the card counts; 100 is the maker's."},
    )
    request_crc: bool = field(default=False, metadata={"label": "Checksum under requests"})
    repeats: int = field(default=1, metadata={"label": "Repeats without an answer", "min": 0, "max": 3})
    poll_seconds: float = seconds_field("Ask every", 10.0, 1, 60)
    confirm_seconds: float = seconds_field("Wait for an answer", 1.0, 0.1, 10)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size > min(self.width, self.height):
            raise ValueError(f"size: a line of {self.size} pixels does not fit an area of {self.width}x{self.height}")
        if self.board_rows * self.size > self.height:
            raise ValueError(f"board_rows: {self.board_rows} rows of {self.size} pixels are more than {self.height}")

    def rows(self) -> int:
        """See Strips. The lines of one card's area are a board too."""
        return self.board_rows or super().rows()


@dataclass(frozen=True)
class Heard:
    """A message from the line. `data` begins with group and command."""

    to: int
    sender: int
    data: bytes


def area(options: Options, pages: Sequence[Image.Image]) -> bytes:
    """The payload that shows these pages (mode 1) in the area of the options."""
    o = options
    dots = [_coloured(page, COLOURS[o.colour]) for page in pages]
    para = struct.pack("<BBHBHB4xB", o.area, 0, 0, 1, 0, 0, 0x10)  # on top of every programme, none by name
    para += struct.pack("<HHHH", o.x, o.y, o.width, o.height) + bytes(10) + struct.pack("<H", len(pages))
    at = 0
    for rgb in dots:
        page = struct.pack("<BBBBHBH9x", 0, 0, 0, 0, o.hold, 1, o.width)
        para += struct.pack("<I", len(page) + 8) + page + struct.pack("<II", at, len(rgb))
        at += len(rgb)
    return b"\x00\x00" + struct.pack("<HI", 1, len(para)) + para + b"".join(dots)


def request(at: int, options: Options, command: bytes, payload: bytes) -> bytes:
    """A whole frame to the card at an address."""
    data = b"\x01" + command + payload
    content = HEADER.pack(at, onbon.HOST, VERSION, 0, CARDS[options.card], len(data)) + data
    if options.request_crc:
        content += struct.pack("<H", onbon.crc_arc(content))
    return onbon.escape(content)


class Driver(Strip):
    """The host's side."""

    Options = Options
    baud = 57600
    answers = True
    asks = True

    def __init__(self, options: Any = None) -> None:
        self._longest = LONGEST  # of what may come back: an adapter may return our own frame
        super().__init__(options)
        self.timing = Timing(poll_every=self.options.poll_seconds / len(self.options.addresses), gap=0.05)

    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """See Strip. A line of the text is a line of the area; what does not fit goes on the next page."""
        o = self.options
        characters(text.replace("\n", ""), place)
        return [request(at, o, SHOW, area(o, bitmap.pages(text, o.width, o.height, o.size)))]

    def carry(self, at: int, order: Order) -> list[bytes]:
        """See Strip. To clear is to delete every area."""
        if isinstance(order, ClearScreen):
            return [request(at, self.options, DELETE, b"\xff")]
        return super().carry(at, order)

    def board(self, rows: list[str], place: str) -> list[tuple[int, list[bytes]]]:
        """See Strip. The lines of one area, or a card for each row."""
        if not self.options.board_rows:
            return super().board(rows, place)
        at = self.options.addresses[0]
        return [(at, self.say(at, "\n".join(rows), place))]

    def owed(self) -> bytes:
        """See Driver."""
        frame = super().owed()
        self._longest = max(LONGEST, len(frame)) if frame else self._longest
        return frame

    def ask(self, at: int) -> bytes:
        """See Strip. Deletes no area."""
        return request(at, self.options, DELETE, NOTHING)

    def hear(self, data: bytes) -> tuple[Sequence[Reply], int, bytes]:
        """See Strip."""
        last = data.rfind(b"\xa5")
        begun = last >= 0 and data.find(b"\x5a", last) < 0 and len(data) - last <= self._longest
        rest = data[last:] if begun else b""
        frames = _FRAME.findall(data)
        heard = {one: _answer(one) for one in dict.fromkeys(frames)}
        ours = sum(len(one) + 9 for one in frames if heard[one] is None and _is_request(one))
        replies = [self._read(one) for one in heard.values() if one]
        return replies, max(0, len(data) - len(rest) - ours), rest

    def _read(self, message: Heard) -> Reply:
        at = message.sender if message.sender in self.options.addresses else None
        if message.data[:2] == ACK:
            return Reply(at, done=True)
        error = int.from_bytes(message.data[4:6], "little")
        return Reply(at, done=False, reason=f"the card {onbon.ERRORS.get(error, f'refuses with error {error}')}")


@lru_cache(maxsize=1024)  # a card says the same few frames all its life
def _answer(escaped: bytes) -> Heard | None:
    """What a card says between A5 and 5A; None when it is no answer or damaged."""
    if len(escaped) > 256:  # no answer is that long; our own frames come back that long
        return None
    content = onbon.unescape(escaped)
    if content is None or len(content) < HEADER.size + 9 + 2:
        return None
    to, sender, version, _, _, length = HEADER.unpack_from(content)
    data = content[HEADER.size + 1 : -2]
    if version != VERSION or length != len(content) - HEADER.size - 2 or data[:2] not in (ACK, NAK):
        return None
    if onbon.crc_arc(content[:-2]) != int.from_bytes(content[-2:], "little"):
        return None
    return Heard(to, sender, data)


def _is_request(escaped: bytes) -> bool:
    """True for a frame of ours, returned by the adapter."""
    return escaped[2:5] == b"\x00\x80\xf0"


def _coloured(page: Image.Image, colour: tuple[int, int, int]) -> bytes:
    ground = Image.new("RGB", page.size)
    ground.paste(colour, (0, 0), page)
    return ground.tobytes()


class Simulator(StripSimulator):
    """Cards that show the pages they are sent and answer. What stands there is read from the dots, as people do."""

    HEAD = b"\xa5"
    faults: ClassVar[tuple[str, ...]] = (*StripSimulator.faults, "no-answers", "first-answer-lost", "busy")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.pages: dict[int, list[Image.Image]] = {}

    def receive(self, data: bytes) -> bytes:
        """See Simulator. A picture comes in many pieces; it is looked at once its end is there."""
        if self._rest and b"\x5a" not in data and len(self._rest) < 4_000_000 and b"\xa5" not in data:
            self._rest += data
            return b""
        return super().receive(data)

    def keep(self, data: bytes) -> bytes:
        """See StripSimulator. Pictures are long."""
        return data[-4_000_000:]

    def size(self, data: bytes) -> int | None:
        """See StripSimulator."""
        if found := _WHOLE.match(data):
            return found.end() if self._content(found[1]) else 0
        return None if _HALF.match(data) else 0

    def _content(self, escaped: bytes) -> bytes | None:
        """Header and data of a right request."""
        content = onbon.unescape(escaped)
        if content is None or len(content) < HEADER.size + 3:
            return None
        _, _, version, _, card, length = HEADER.unpack_from(content)
        end = HEADER.size + length
        if version != VERSION or card != CARDS[self.options.card] or content[HEADER.size] != 1:
            return None
        crc = struct.pack("<H", onbon.crc_arc(content[:end])) if self.options.request_crc else b""
        return content[:end] if content[end:] == crc else None

    def obey(self, frame: bytes) -> bytes:
        """See StripSimulator."""
        found = _WHOLE.match(frame)
        content = self._content(found[1]) if found else None
        assert content is not None
        at, command, payload = HEADER.unpack_from(content)[0], content[17:19], content[19:]
        if at not in self.options.addresses:
            return b""
        if "busy" in self.faults_on and payload != NOTHING:
            return self._answer(at, NAK, 3)
        if command == SHOW:
            self._show(at, payload)
        elif payload == b"\xff":
            self.shown.pop(at, None)
            self.obeyed.append(ClearScreen())
        return self._answer(at, ACK, 0)

    def _show(self, at: int, payload: bytes) -> None:
        """Take the pages out of an area and read them."""
        (length,) = struct.unpack_from("<I", payload, 4)
        para, dots = payload[8 : 8 + length], payload[8 + length :]
        (programmes,) = struct.unpack_from("<H", para, 5)
        where = 13 + 2 * programmes
        _, _, width, height = struct.unpack_from("<HHHH", para, where)
        (count,) = struct.unpack_from("<H", para, where + 18)
        here, pages = where + 20, []
        for _ in range(count):
            (size,) = struct.unpack_from("<I", para, here)
            begin, much = struct.unpack_from("<II", para, here + 4 + size - 8)
            page = Image.frombytes("RGB", (width, height), dots[begin : begin + much])
            pages.append(page.convert("L").point(lambda grey: 255 if grey else 0, mode="1"))
            here += 4 + size
        self.pages[at] = pages
        lines = [line for page in pages for line in bitmap.read(page, self.options.size)]
        if self.options.board_rows > 1:
            self.rows(at, [line.rstrip(BLANK) for line in lines[: self.options.board_rows]])
        else:
            self.show(at, "".join(lines).rstrip(BLANK) or " ")

    def _answer(self, at: int, kind: bytes, error: int) -> bytes:
        if self.kept_back():
            return b""
        data = b"\x00" + kind + struct.pack("<HHH", 0, error, 0)
        content = HEADER.pack(onbon.HOST, at, VERSION, 0, CARDS[self.options.card], len(data)) + data
        return onbon.escape(content + struct.pack("<H", onbon.crc_arc(content)))

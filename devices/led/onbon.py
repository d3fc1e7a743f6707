"""Frames of LED cards that speak Onbon BX-5K and BX-6K: wrapping, escaping, checksum and the commands we use.

    A5 x8 | escaped( header data CRC ) | 5A            A5 -> A6 02, A6 -> A6 01, 5A -> 5B 02, 5B -> 5B 01
    header  to (2)  from (2)  00 00 00  option  CRC mode  display mode  card type  02  length of data (2)
    data    group  command  answer wanted  two bytes  payload;  in an answer: group  command  error  two bytes  payload

Numbers are little-endian; the CRC is CRC-16/ARC over header and data as they are before escaping. As in the maker's
documents and public libraries for the K series.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

HOST, ANY_CARD = 0x8000, 0xFFFE
ANY_TYPE, VERSION = 0xFE, 0x02
PING, CLOCK, STATUS = b"\xa2\x00", b"\xa2\x03", b"\xa1\x02"
POWER, BRIGHTNESS, DYNAMIC, CLEAR = b"\xa3\x00", b"\xa3\x02", b"\xa3\x06", b"\xa3\x10"
ACK, NAK = b"\xa0\x00", b"\xa0\x01"
LEVELS = 48  # half hours of a day, each with its brightness

ERRORS = {
    0x00: "gives no reason",
    0x01: "does not know this group of commands",
    0x02: "does not know this command",
    0x03: "is busy",
    0x04: "has too little memory",
    0x05: "received a damaged frame (checksum)",
    0x06: "has no such file",
    0x07: "cannot write its memory",
    0x08: "failed to take the download",
    0x09: "does not accept the file's name",
    0x0A: "does not accept the file's type",
    0x0B: "received a damaged file (checksum)",
    0x0C: "has not got the font",
    0x0D: "is another type than the firmware is for",
    0x0E: "does not accept the date or time",
    0x0F: "has a file of that name already",
    0x10: "does not accept the block number",
}

_SPECIAL = re.compile(rb"[\xa5\xa6\x5a\x5b]")
_ESCAPED = {b"\xa5": b"\xa6\x02", b"\xa6": b"\xa6\x01", b"\x5a": b"\x5b\x02", b"\x5b": b"\x5b\x01"}
_PLAIN = {escaped: plain for plain, escaped in _ESCAPED.items()}
_PAIR = re.compile(rb"[\xa6\x5b](.?)", re.DOTALL)


def _table() -> tuple[int, ...]:
    out = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        out.append(crc)
    return tuple(out)


_CRC = _table()


def crc_arc(data: bytes) -> int:
    """CRC-16/ARC: polynomial A001 reflected, from 0."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


@dataclass(frozen=True)
class Message:
    """What stands between the wrapping: who to whom, and the data from its group byte on."""

    to: int
    sender: int
    data: bytes

    @property
    def command(self) -> bytes:
        """Group and command."""
        return self.data[:2]


def wrap(message: Message, card_type: int = ANY_TYPE) -> bytes:
    """A whole frame as it goes over the cable."""
    content = struct.pack("<HH6xBBH", message.to, message.sender, card_type, VERSION, len(message.data)) + message.data
    return escape(content + struct.pack("<H", crc_arc(content)))


def escape(content: bytes) -> bytes:
    """The content of a frame as it goes over the cable, with beginning and end."""
    return b"\xa5" * 8 + _SPECIAL.sub(lambda byte: _ESCAPED[byte[0]], content) + b"\x5a"


def unescape(escaped: bytes) -> bytes | None:
    """The content between A5 and 5A; None when an escape is wrong."""
    if any(pair[0] not in _PLAIN for pair in _PAIR.finditer(escaped)):
        return None
    return _PAIR.sub(lambda pair: _PLAIN[pair[0]], escaped)


@lru_cache(maxsize=1024)  # a card says the same few frames all its life
def unwrap(escaped: bytes) -> Message | None:
    """The message between A5 and 5A; None when an escape, a length or the CRC is wrong."""
    content = unescape(escaped)
    if content is None or len(content) < 21:
        return None
    to, sender, mode, length = struct.unpack_from("<HH4xB3xH", content)
    if len(content) != length + 16 or length < 5 or mode != 0:
        return None
    if crc_arc(content[:-2]) != int.from_bytes(content[-2:], "little"):
        return None
    return Message(to, sender, content[14:-2])


def request(command: bytes, payload: bytes = b"") -> bytes:
    """The data of a command whose answer is wanted."""
    return command + b"\x01\x00\x00" + payload


def power(on: bool) -> bytes:
    """Data: switch the lamps on or off."""
    return request(POWER, b"\x01" if on else b"\x02")


def brightness(level: int) -> bytes:
    """Data: this brightness, 0 to 15, at any hour. Raises ValueError."""
    if not 0 <= level <= 15:
        raise ValueError(f"brightness: expected 0 to 15, got {level}")
    return request(BRIGHTNESS, bytes((1, level)) + bytes((level,)) * LEVELS)


def clock(now: datetime) -> bytes:
    """Data: set the card's clock to this local time."""
    digits = f"{now:%y}{now.year // 100:02}{now:%m%d%H%M%S}{now.isoweekday():02}"
    return request(CLOCK, bytes.fromhex(digits))


@dataclass(frozen=True)
class Area:
    """A dynamic area: a rectangle of the screen whose text is told at any time. `x` and `width` as the card counts."""

    x: int = 0
    y: int = 0
    width: int = 64
    height: int = 16
    number: int = 0
    run_mode: int = 0
    timeout: int = 5
    alignment: int = 0
    lines: int = 2  # 1: one line, 2: several
    wrap: int = 1  # 1: lines end where the text says, 2: where the area ends
    appear: int = 1  # 1 static, 2 quick, 3 left, 4 right, 5 up, 6 down
    speed: int = 0  # 0 is the fastest
    stay: int = 8  # half seconds

    def build(self, text: bytes) -> bytes:
        """Data: show a text in this area and leave all others as they are."""
        look = bytes((self.number, 0, self.run_mode)) + struct.pack("<H", self.timeout)
        look += bytes((0, 0, self.alignment, self.lines, self.wrap, self.appear, 0, self.speed, self.stay))
        area = b"\x00" + struct.pack("<HHHH", self.x, self.y, self.width, self.height) + look
        area += struct.pack("<I", len(text)) + text
        return request(DYNAMIC, b"\x00\x01" + struct.pack("<H", len(area)) + area)

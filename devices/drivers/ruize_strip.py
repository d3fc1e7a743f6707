"""LED strips above the windows on Ruize's bus: any text; a strip says that it is there, but never that it has shown it.

    DL DH | 44 | text | 1A   show now; each byte of Chinese goes as two: its high and its low four bits; ASCII as it is
    DL DH | 48               are you there? answered with one byte, 3B

DL is 80 + the address' low six bits, DH is C0 + the high ones. No other byte has its top bit set, so a strip finds the
beginning of a frame behind any noise (Ruize's document on what is sent to the dot-matrix screen).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from devices.driver import Timing
from devices.led.simulated import StripSimulator
from devices.led.strip import Reply, Strip
from devices.led.texts import Texts, address_field, characters, seconds_field

SHOW, QUERY, END = b"D", b"H", b"\x1a"
HERE = b";"
NEAR = 16  # bytes after a question among which its answer is looked for: echo and a little noise

_NIBBLES = {bytes((byte,)): bytes((byte >> 4, byte & 15)) for byte in range(0x80, 0x100)}
_PAIR = re.compile(rb"([\x00-\x0f])([\x00-\x0f])")
_FRAME = re.compile(rb"([\x80-\xbf])([\xc0-\xff])?(?:H|D([^\x1a\x80-\xff]*)\x1a)")
_HALF = re.compile(rb"[\x80-\xbf][\xc0-\xff]?(?:D[^\x1a\x80-\xff]{0,500})?\Z")


@dataclass(frozen=True, kw_only=True)
class Options(Texts):
    """What a technician chooses for the strips on one cable."""

    addresses: tuple[int, ...] = address_field(1, 4095)
    poll_seconds: float = seconds_field("Ask every", 5.0, 1, 60)
    confirm_seconds: float = seconds_field("Wait for an answer", 0.5, 0.05, 10)


def head(address: int) -> bytes:
    """The two address bytes."""
    return bytes((0x80 | address & 0x3F, 0xC0 | address >> 6))


class Driver(Strip):
    """The host's side."""

    Options = Options
    asks = True  # whether it is there; what it has shown it never says

    def __init__(self, options: Any = None) -> None:
        self._since = 0  # bytes that have come since the question
        super().__init__(options)
        self.timing = Timing(poll_every=self.options.poll_seconds / len(self.options.addresses), gap=0.1)

    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """See Strip."""
        data = re.sub(rb"[\x80-\xff]", lambda byte: _NIBBLES[byte[0]], b"".join(characters(text, place)))
        return [head(at) + SHOW + data + END]

    def ask(self, at: int) -> bytes:
        """See Strip."""
        self._since = 0
        return head(at) + QUERY

    def hear(self, data: bytes) -> tuple[Sequence[Reply], int, bytes]:
        """See Strip. An answer is a single byte, so only the first few bytes behind a question can be one."""
        near = data[: max(0, NEAR - self._since)] if self._asked and self._waiting else b""
        self._since += len(data)
        return ([Reply()] if HERE in near else []), len(data), b""


class Simulator(StripSimulator):
    """Strips that show and say that they are there."""

    faults: ClassVar[tuple[str, ...]] = (*StripSimulator.faults, "no-answers")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)

    def start(self, data: bytes) -> int:
        """See StripSimulator."""
        found = re.search(rb"[\x80-\xbf]", data)
        return found.start() if found else -1

    def size(self, data: bytes) -> int | None:
        """See StripSimulator."""
        if found := _FRAME.match(data):
            return found.end()
        return None if _HALF.match(data) else 0

    def obey(self, frame: bytes) -> bytes:
        """See StripSimulator."""
        found = _FRAME.match(frame)
        assert found
        at = found[1][0] & 0x3F | ((found[2] or b"\xc0")[0] & 0x3F) << 6
        if at not in self.options.addresses:
            return b""
        if found[3] is None:
            return b"" if self.mute else HERE
        text = _PAIR.sub(lambda pair: bytes((pair[1][0] << 4 | pair[2][0],)), found[3])
        self.show(at, text.decode("gb18030", "replace"))
        return b""

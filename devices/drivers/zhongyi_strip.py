"""LED strips in two colours above the windows, Chongqing Zhongyi: each text is acknowledged or refused.

    A0 90 | address | A5 | length (2, high first) | code and colour of each character | XOR of address … data

A strip answers A0 90 address A5 AA when it shows the text and … 55 when it does not (protocol document "two-colour
screen, instant display"). The document has no question, so in quiet moments each strip is told again what it shows:
that proves it is there, and gives a strip that lost its power its text back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from operator import xor
from typing import Any, ClassVar

from devices.driver import Timing
from devices.led.simulated import StripSimulator
from devices.led.strip import Reply, Strip
from devices.led.texts import Texts, characters, seconds_field
from devices.roles import Order, ShowWelcome

HEAD, SHOW = b"\xa0\x90", 0xA5
SHOWN, FAILED = 0xAA, 0x55
COLOURS = {"red": 0, "green": 1, "yellow": 2}
REFUSAL = "the strip received the text and says that it could not show it"

_ANSWER = re.compile(rb"\xa0\x90(.)\xa5([\xaa\x55])", re.DOTALL)
_HALF = re.compile(rb"\xa0(?:\x90(?:.\xa5?)?)?\Z", re.DOTALL)
_SIZE = 5  # bytes of an answer
_PAIR = re.compile(rb"([\x80-\xff].|[\x00-\x7f])([\x00-\x02])", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Options(Texts):
    """What a technician chooses for the strips on one cable."""

    colour: str = field(default="red", metadata={"label": "Colour of Chinese", "choices": tuple(COLOURS)})
    number_colour: str = field(
        default="green", metadata={"label": "Colour of letters and digits", "choices": tuple(COLOURS)}
    )
    repeats: int = field(default=1, metadata={"label": "Repeats without acknowledgement", "min": 0, "max": 3})
    poll_seconds: float = seconds_field("Show again every", 10.0, 1, 600, "Proves that the strip is there.")
    confirm_seconds: float = seconds_field("Wait for confirmation", 0.5, 0.1, 10)


def frame(address: int, data: bytes) -> bytes:
    """A display frame; data is character codes, each with its colour."""
    content = bytes((address, SHOW)) + len(data).to_bytes(2, "big") + data
    return HEAD + content + bytes((reduce(xor, content),))


class Driver(Strip):
    """The host's side."""

    Options = Options
    answers = True
    asks = True

    def __init__(self, options: Any = None) -> None:
        self._last: dict[int, bytes] = {}  # what a strip is to show outlives the cable
        super().__init__(options)
        self.timing = Timing(poll_every=self.options.poll_seconds / len(self.options.addresses), gap=0.1)

    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """See Strip."""
        chinese, latin = (bytes((COLOURS[c],)) for c in (self.options.colour, self.options.number_colour))
        codes = characters(text, place)
        return [frame(at, b"".join(code + (latin if len(code) == 1 else chinese) for code in codes))]

    def take(self, order: Order) -> None:
        """See Driver."""
        super().take(order)
        self._last[self._at] = self.encode(order)

    def ask(self, at: int) -> bytes:
        """See Strip. What it shows, once more."""
        return self._last.get(at) or self.encode(ShowWelcome(address=at))

    def hear(self, data: bytes) -> tuple[Sequence[Reply], int, bytes]:
        """See Strip."""
        found = _ANSWER.findall(data)
        half = _HALF.search(data)
        rest = half[0] if half else b""
        return [_reply(one) for one in dict.fromkeys(found)], len(data) - len(rest) - _SIZE * len(found), rest


@lru_cache(maxsize=512)
def _reply(answer: tuple[bytes, bytes]) -> Reply:
    good = answer[1][0] == SHOWN
    return Reply(at=answer[0][0], done=good, reason="" if good else REFUSAL)


class Simulator(StripSimulator):
    """Strips that show, in colour, and acknowledge. `colours` holds one letter for each character: r, g or y."""

    HEAD = HEAD
    faults: ClassVar[tuple[str, ...]] = (
        *StripSimulator.faults,
        "no-acks",
        "first-ack-lost",
        "wrong-address",
        "cannot-show",  # answers 55
    )

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.colours: dict[int, str] = {}

    def size(self, data: bytes) -> int | None:
        """See StripSimulator."""
        if len(data) < 6:
            return None
        size = int.from_bytes(data[4:6], "big") + 7
        if data[3] != SHOW or size > 1024:
            return 0
        if len(data) < size:
            return None
        return size if reduce(xor, data[2 : size - 1]) == data[size - 1] else 0

    def obey(self, frame: bytes) -> bytes:
        """See StripSimulator."""
        at, pairs = frame[2], _PAIR.findall(frame[6:-1])
        if at not in self.options.addresses:
            return b""
        if "cannot-show" not in self.faults_on:
            self.colours[at] = "".join("rgy"[colour[0]] for _, colour in pairs)
            self.show(at, b"".join(code for code, _ in pairs).decode("gb18030", "replace"))
        if self.kept_back():
            return b""
        return HEAD + bytes((self.signed(at), SHOW, FAILED if "cannot-show" in self.faults_on else SHOWN))

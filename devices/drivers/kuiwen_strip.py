"""LED strips and combined screens above the windows, Kuiwen (LcLed): any text, sent three times, never acknowledged.

    23 14 24 15 13 18 | six digits of the address | 'D' mode speed stay count | characters | text | 07 38 0D 0C 03 02 0D
    | sum from 'D' on

Each frame goes out three times with 40 ms between (LcLedComm, the driver of a deployed hall system for this protocol).
A strip's address is 1000NN; a combined screen's rows are
300001 and so on, each told for itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from devices.driver import Timing
from devices.led.simulated import StripSimulator
from devices.led.strip import Strip
from devices.led.texts import Texts, address_field, characters

HEAD, TAIL = bytes.fromhex("231424151318"), bytes.fromhex("07380D0C03020D")
COPIES, APART = 3, 0.04  # s
SCREENS = {"strip": b"1000", "combined": b"3000"}
MODES = {"static": 0, "1": 1, "2": 2, "3": 3, "4": 4, "flash": 5}

_FRAME = re.compile(
    re.escape(HEAD)
    + rb"(?P<address>[0-9]{6})D(?P<look>.{4})(?P<count>.)(?P<text>.*?)"
    + re.escape(TAIL)
    + rb"(?P<sum>.)",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Options(Texts):
    """What a technician chooses for the strips on one cable."""

    addresses: tuple[int, ...] = address_field(1, 99, "The last two of the six digits; one per strip on this cable.")
    screen: str = field(default="strip", metadata={"label": "Kind of screen", "choices": tuple(SCREENS)})
    mode: str = field(
        default="static",
        metadata={"label": "How a text appears", "choices": tuple(MODES), "help": "1 to 4 depend on the card."},
    )
    speed: int = field(default=1, metadata={"label": "Speed", "min": 1, "max": 15})
    stay: int = field(default=1, metadata={"label": "Stay", "min": 0, "max": 255, "help": "In units of the card."})
    rounds: int = field(default=1, metadata={"label": "Rounds", "min": 0, "max": 255, "help": "As the card counts."})

    def rows(self) -> int:
        """See Strips. The addresses of a combined screen are its rows."""
        return len(self.addresses) if self.screen == "combined" else super().rows()


def frame(address: bytes, look: bytes, count: int, text: bytes) -> bytes:
    """A display frame; `look` is mode, speed, stay and rounds, `count` the number of characters."""
    content = b"D" + look + bytes((count,)) + text + TAIL
    return HEAD + address + content + bytes((sum(content) & 0xFF,))


class Driver(Strip):
    """The host's side."""

    Options = Options
    timing = Timing(gap=APART)
    copies: ClassVar[int] = COPIES

    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """See Strip."""
        chosen, codes = self.options, characters(text, place)
        look = bytes((MODES[chosen.mode], chosen.speed, chosen.stay, chosen.rounds))
        return [frame(SCREENS[chosen.screen] + b"%02d" % at, look, len(codes), b"".join(codes))]


class Simulator(StripSimulator):
    """Strips that show a text once, however many of its copies arrive. `copies` counts all of them."""

    HEAD = HEAD
    faults: ClassVar[tuple[str, ...]] = (*StripSimulator.faults, "first-copy-lost")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.copies = 0
        self._last, self._seen = b"", 0

    def size(self, data: bytes) -> int | None:
        """See StripSimulator."""
        found = _FRAME.match(data)
        if not found:
            return None if len(data) < 600 else 0
        return found.end() if sum(found[0][12:-1]) & 0xFF == found["sum"][0] else 0

    def obey(self, frame: bytes) -> bytes:
        """See StripSimulator."""
        self.copies += 1
        self._seen = self._seen + 1 if frame == self._last and self._seen < COPIES else 1
        self._last = frame
        found = _FRAME.match(frame)
        assert found
        if self._seen != (2 if "first-copy-lost" in self.faults_on else 1):
            return b""
        address, text = found["address"], found["text"].decode("gb18030", "replace")
        ours = address[:4] == SCREENS[self.options.screen] and int(address[4:]) in self.options.addresses
        if ours and len(text) == found["count"][0]:
            self.show(int(address[4:]), text)
        return b""

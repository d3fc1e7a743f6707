"""LED strips above the windows, Yongtai Xinxin: an opening frame, then any text; nothing is acknowledged.

    opening  AA 55 | 04  | address | F8 51 | length of the text | 00, filled with zeros to 29 bytes
    text     AA 55 | LEN | address | F8 21 00 | text | 00            LEN: all bytes of the frame but the first three

As in the driver of a deployed hall system for this protocol. It does not say how long a strip needs between the two, so
that pause is an option.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from devices.driver import Timing
from devices.led.simulated import StripSimulator
from devices.led.strip import Strip
from devices.led.texts import Texts, characters, seconds_field

HEAD = b"\xaa\x55"
OPENING, TEXT = b"\xf8\x51", b"\xf8\x21\x00"
OPENING_SIZE = 29


@dataclass(frozen=True, kw_only=True)
class Options(Texts):
    """What a technician chooses for the strips on one cable."""

    pause_seconds: float = seconds_field("Pause between two frames", 0.1, 0, 2, "No document says how long; try.")


def opening(address: int, length: int) -> bytes:
    """The frame that announces a text of so many bytes."""
    return (HEAD + bytes((4, address)) + OPENING + bytes((length, 0))).ljust(OPENING_SIZE, b"\x00")


def told(address: int, text: bytes) -> bytes:
    """The frame that carries the text."""
    content = bytes((address,)) + TEXT + text + b"\x00"
    return HEAD + bytes((len(content),)) + content


class Driver(Strip):
    """The host's side."""

    Options = Options

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.timing = Timing(gap=self.options.pause_seconds)

    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """See Strip."""
        data = b"".join(characters(text, place))
        return [opening(at, len(data)), told(at, data)]


class Simulator(StripSimulator):
    """Strips that show a text only when it was announced with its length."""

    HEAD = HEAD
    faults: ClassVar[tuple[str, ...]] = (*StripSimulator.faults, "opening-lost")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self._announced: dict[int, int] = {}

    def size(self, data: bytes) -> int | None:
        """See StripSimulator."""
        if len(data) < 7:
            return None
        if data[4:6] == OPENING and data[2] == 4:
            return OPENING_SIZE if len(data) >= OPENING_SIZE else None
        size = data[2] + 3
        if data[4:7] != TEXT or size < 8:
            return 0
        if len(data) < size:
            return None
        return size if data[size - 1] == 0 else 0

    def obey(self, frame: bytes) -> bytes:
        """See StripSimulator."""
        at = frame[3]
        if frame[4:6] == OPENING:
            if "opening-lost" not in self.faults_on:
                self._announced[at] = frame[6]
        elif at in self.options.addresses and self._announced.pop(at, None) == len(frame) - 8:
            self.show(at, frame[7:-1].decode("gb18030", "replace"))
        return b""

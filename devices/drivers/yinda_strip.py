"""LED strips and combined screens above the windows, Jiangjin Yinda Huizhi: any text; nothing is acknowledged.

    strip     address | FE | LEN | seq | 86 3C 00 05 00 | text | 00 | CRC, high first        LEN: all bytes of the frame
    combined  address | FE | LEN | seq | 8C 00          | text | 00 | CRC

The CRC is CRC-16/XMODEM over everything before it; seq counts the frames. As in the driver of a deployed hall system
for this family: it opens the port at 9600, although its settings name 57600; a link may say `?baud=57600`.
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from dataclasses import dataclass, field
from typing import Any

from devices.driver import Timing
from devices.led.simulated import StripSimulator
from devices.led.strip import Strip
from devices.led.texts import Board, Texts, cells, characters
from devices.roles import Order

MARK = 0xFE
SCREENS = {"strip": bytes.fromhex("863C000500"), "combined": bytes.fromhex("8C00")}


@dataclass(frozen=True, kw_only=True)
class Options(Board, Texts):
    """What a technician chooses for the strips on one cable."""

    screen: str = field(default="strip", metadata={"label": "Kind of screen", "choices": tuple(SCREENS)})

    def rows(self) -> int:
        """See Strips. A combined screen is a board in one piece."""
        return self.board_rows if self.screen == "combined" else super().rows()


def frame(address: int, seq: int, screen: str, text: bytes) -> bytes:
    """A display frame."""
    content = SCREENS[screen] + text + b"\x00"
    whole = bytes((address, MARK, len(content) + 6, seq)) + content
    return whole + crc_hqx(whole, 0).to_bytes(2, "big")


class Driver(Strip):
    """The host's side."""

    Options = Options
    timing = Timing(gap=0.1)

    def __init__(self, options: Any = None) -> None:
        self._seq = 1  # goes on counting when the cable comes back: no frame looks like the one before
        super().__init__(options)

    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """See Strip."""
        return [frame(at, self._seq, self.options.screen, b"".join(characters(text, place)))]

    def board(self, rows: list[str], place: str) -> list[tuple[int, list[bytes]]]:
        """See Strip. A combined screen takes all rows in one frame."""
        if self.options.screen != "combined":
            return super().board(rows, place)
        at = self.options.addresses[0]
        return [(at, self.say(at, self.options.whole(rows, place), place))]

    def take(self, order: Order) -> None:
        """See Driver."""
        super().take(order)
        self._seq = (self._seq + 1) % 256


class Simulator(StripSimulator):
    """Strips that show every frame whose CRC is right. `seqs` are the counts they came with."""

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self.seqs: list[int] = []

    def start(self, data: bytes) -> int:
        """See StripSimulator. The address comes before the mark."""
        found = re.search(rb"(?s).\xfe|.\Z", data)
        return found.start() if found else -1

    def size(self, data: bytes) -> int | None:
        """See StripSimulator."""
        if len(data) < 3 or len(data) < data[2]:
            return None
        whole = data[: data[2]]
        good = len(whole) >= 9 and crc_hqx(whole[:-2], 0) == int.from_bytes(whole[-2:], "big")
        return len(whole) if good else 0

    def obey(self, frame: bytes) -> bytes:
        """See StripSimulator."""
        head = SCREENS[self.options.screen]
        if frame[0] in self.options.addresses and frame[4:].startswith(head) and frame[-3] == 0:
            self.seqs.append(frame[3])
            text = frame[4 + len(head) : -3].decode("gb18030", "replace")
            if self.options.screen == "combined" and cells(text) > self.options.board_columns:
                self.rows(frame[0], self.options.parted(text))
            else:
                self.show(frame[0], text)
        return b""

"""Tells a JPEG whose data end too early, though its end mark is there: a decoder fills the rest with grey and says
nothing.

When the data of a picture (or of a part of it between two restart marks) are used up before their time, whatever bytes
stand behind them are taken for more of the picture. Bytes put behind the data of a whole picture change nothing: so
they are put there, and both pictures are compared. (Left-over bytes before a mark, which some cameras always have, are
passed over by decoders: ITU-T T.81, annex F.2.2.5.)
"""

from __future__ import annotations

import re
from typing import NamedTuple

import cv2
import numpy as np

GREY = 128  # what a decoder fills in, in each colour
MORE = b"\x00" + b"\xaa\x55" * 64  # the first byte keeps an FF before it from becoming a mark
SOS, DRI, BASELINE = 0xDA, 0xDD, (0xC0, 0xC1)
RESTART, RESTART_OR_END = re.compile(rb"\xff[\xd0-\xd7]"), re.compile(rb"\xff[\xd0-\xd7\xd9]")


class Layout(NamedTuple):
    """Where a picture's data begin, after how many units there is a restart mark (0: there are none), of how many."""

    data: int
    interval: int
    units: int

    @property
    def marks(self) -> int:
        """How many restart marks there must be."""
        return -(-self.units // self.interval) - 1 if self.interval else 0


def is_torn(jpeg: bytes, seen: np.ndarray) -> bool:
    """Whether data are missing in a picture (a whole JPEG, baseline). `seen` is the picture decoded at any size, grey
    or BGR, uint8: without restart marks its last corner alone clears most pictures.

    A loss of the last few blocks, which nobody would see, may stay unnoticed.
    """
    layout = _layout(jpeg)
    if layout is None or not (layout.interval or ends_grey(seen)):
        return False
    marks = RESTART.findall(jpeg, layout.data) if layout.interval else []
    if [mark[1] & 7 for mark in marks] != [number & 7 for number in range(layout.marks)]:
        return True
    longer = jpeg[: layout.data] + RESTART_OR_END.sub(lambda mark: MORE + mark[0], jpeg[layout.data :])
    return not np.array_equal(_decoded(jpeg), _decoded(longer))


def ends_grey(seen: np.ndarray) -> bool:
    """Whether a decoded picture's last corner may have been filled in."""
    return bool(seen.size) and bool(np.all(seen[-1, -1] == GREY))


def _layout(jpeg: bytes) -> Layout | None:
    """None where the headers do not lead to the data of a baseline picture."""
    at, interval, units = 2, 0, 0
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        kind, length = jpeg[at + 1], jpeg[at + 2] << 8 | jpeg[at + 3]
        body, at = jpeg[at + 4 : at + 2 + length], at + 2 + length
        if kind == DRI and len(body) >= 2:
            interval = body[0] << 8 | body[1]
        elif kind in BASELINE and len(body) >= 9:
            units = _units(body)
        elif kind == SOS:
            return Layout(at, interval, units) if units else None
    return None


def _units(frame: bytes) -> int:
    """How many units (MCU) a picture's data hold, from its frame header: precision, height, width, components."""
    height, width = frame[1] << 8 | frame[2], frame[3] << 8 | frame[4]
    samplings = frame[7::3] if frame[5] > 1 else b"\x11"  # a lone component is sent block by block
    across = 8 * max(one >> 4 for one in samplings)
    down = 8 * max(one & 15 for one in samplings)
    return -(-width // across) * -(-height // down) if across and down else 0


def _decoded(jpeg: bytes) -> np.ndarray:
    """The picture at an eighth of its size, grey: the mean of each block as its data say it."""
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8))

"""Cuts a stream of JPEG pictures, such as a camera's MJPEG, into whole pictures and says how large each is.

A picture is walked segment by segment (ITU-T T.81, annex B), because the marks of beginning and end also occur inside
it: an embedded preview is a whole JPEG of its own. Between pictures a sender may put lines of text, `V4L2 …`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BEGIN = b"\xff\xd8\xff"
LINE = re.compile(rb"V4L2 ([ -~]{1,120})\r?\n")
LONGEST_LINE = 128
IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # what ends compressed data; FF 00 and restarts belong to them
SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # frame headers
ALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
LARGEST = 16 * 1024 * 1024  # bytes of one picture


class Picture(NamedTuple):
    """A whole JPEG and its pixels."""

    jpeg: bytes
    width: int
    height: int


class Damage(NamedTuple):
    """A picture that was cut off or is not one after all."""

    reason: str


class Splitter:
    """Bytes in whatever pieces → pictures, damages and lines (`str`, without `V4L2`).

    `junk` counts bytes since the last picture or line that belong to neither; padding with zeros is not counted.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self.clear()

    def clear(self) -> None:
        """Forget half a picture."""
        self._held.clear()
        self.inside = False  # a picture has begun and not ended
        self.junk = 0
        self._leave()

    def feed(self, data: bytes) -> list[Picture | Damage | str]:
        """Everything that is complete now."""
        self._held += data
        out: list[Picture | Damage | str] = []
        while self.inside or self._begin(out):
            if not self._walk(out):
                break
        return out

    def _leave(self) -> None:
        self.inside = False
        self._at = 2  # where the walk stands, from the picture's first byte
        self._scan = False  # inside compressed data
        self._size = (0, 0)

    def _begin(self, out: list[Picture | Damage | str]) -> bool:
        """Go to the next picture's beginning; lines on the way are told."""
        held = self._held
        begin = held.find(BEGIN)
        stop = len(held) if begin < 0 else begin
        at = 0
        for line in LINE.finditer(held, 0, stop):
            self._skip(at, line.start())
            out.append(line[1].decode("ascii"))
            self.junk = 0
            at = line.end()
        if begin < 0:  # the end may be the first bytes of a line or picture
            half = held.rfind(b"V4L2", max(at, stop - LONGEST_LINE))
            stop = max(at, half if half >= 0 else stop - len(BEGIN) - 1)
        self._skip(at, stop)
        del held[:stop]
        self.inside = begin >= 0
        return self.inside

    def _skip(self, start: int, stop: int) -> None:
        self.junk += (stop - start) - self._held.count(0, start, stop)

    def _walk(self, out: list[Picture | Damage | str]) -> bool:
        """Walk on; True when this picture has ended, well or not."""
        held = self._held
        while True:
            if self._scan:
                found = IN_SCAN.search(held, self._at)
                if not found:
                    self._at = max(self._at, len(held) - 1)
                    return self._too_large(out)
                self._at, self._scan = found.start(), False
            at = self._at
            if len(held) < at + 4 and held[at : at + 2] != b"\xff\xd9":
                return False
            marker = held[at + 1]
            if held[at] != 0xFF or marker == 0:
                return self._damaged(out, "A picture's segments do not follow one another.", 2)
            if marker == EOI:
                return self._whole(out, at + 2)
            if marker == SOI:
                return self._damaged(out, "A picture was cut off by the next.", at)
            if marker == 0xFF or marker in ALONE:
                self._at += 1 if marker == 0xFF else 2
            elif not self._segment(marker):
                length = held[at + 2] << 8 | held[at + 3]
                return length < 2 and self._damaged(out, "A picture's segment has no length.", 2)

    def _segment(self, marker: int) -> bool:
        """Step over a segment; False when it is not all here (or can never be)."""
        held, at = self._held, self._at
        length = held[at + 2] << 8 | held[at + 3]
        if length < 2 or len(held) < at + 2 + length:
            return False
        if marker in SIZES and length >= 8:
            self._size = (held[at + 7] << 8 | held[at + 8], held[at + 5] << 8 | held[at + 6])
        self._at = at + 2 + length
        self._scan = marker == SOS
        return True

    def _whole(self, out: list[Picture | Damage | str], stop: int) -> bool:
        width, height = self._size
        if not width or not height:
            return self._damaged(out, "A picture has no size.", stop)
        with memoryview(self._held) as view:
            out.append(Picture(bytes(view[:stop]), width, height))
        del self._held[:stop]
        self._leave()
        self.junk = 0
        return True

    def _damaged(self, out: list[Picture | Damage | str], reason: str, drop: int) -> bool:
        out.append(Damage(reason))
        self.junk += drop
        del self._held[:drop]
        self._leave()
        return True

    def _too_large(self, out: list[Picture | Damage | str]) -> bool:
        if len(self._held) <= LARGEST:
            return False
        return self._damaged(out, "A picture does not end.", len(self._held))

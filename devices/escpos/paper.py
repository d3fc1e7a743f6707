"""The inside of a simulated printer: it takes bytes as the hardware would and keeps the paper that comes out.

Text is read as GB18030 only while Chinese mode is on; with it off, Chinese comes out as the letters of code page 437,
as on real printers. A line wider than the paper is broken where the paper ends.

`DLE EOT n` is obeyed at once, wherever it stands between commands. Inside counted data (a QR code's content, a
raster) the same bytes are data: they stay in the picture, and they are not taken for a question.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from devices.escpos import dots
from devices.escpos.slip import Code, Cut, Dots, Item, Line, cells

_COMMAND = re.compile(
    rb"(?P<realtime>\x10\x04[\x01-\x04])"
    rb"|(?P<text>[\x20-\x7e\x80-\xff]+)"
    rb"|(?P<lf>\n)"
    rb"|(?P<init>\x1b@)"
    rb"|(?P<chinese>\x1c[&.])"
    rb"|\x1ba(?P<align>[\x00-\x02\x30-\x32])"
    rb"|\x1bE(?P<bold>.)"
    rb"|\x1d!(?P<size>.)"
    rb"|\x1bd(?P<feed>.)"
    rb"|\x1dV(?P<cut>[\x00\x01\x30\x31]|[AB].)"
    rb"|(?P<oldcut>\x1b[im])"
    rb"|\x1dr(?P<ask>.)"
    rb"|(?P<oldask>\x1bv)"
    rb"|\x1da(?P<auto>.)"
    rb"|(?P<other>\x1b[!t3MR\-{J].|\x1bB..|\x1b2|\x1d[BbhwHL].|\x1c[C!].|\r|\x10\x05.|[\x00-\x09\x0b\x0c\x0e\x0f\x11-\x1a\x1e\x1f])",
    re.DOTALL,
)
_COUNTED = re.compile(rb"\x1d\(k(..)|\x1dv0.(..)(..)", re.DOTALL)
_LONGEST = 12  # bytes in which every command is known, counted data aside
_ALIGN = {0: "left", 1: "center", 2: "right"}


class Mechanism:
    """Buffer, head and cutter. `answer` is asked for the reply to a status question (the whole command)."""

    def __init__(self, room: int, chinese_at_start: bool, answer: Callable[[bytes], bytes]) -> None:
        self.room = room
        self.chinese_at_start = chinese_at_start
        self.answer = answer
        self.stopped = False  # offline: takes bytes in, sets none of them on paper
        self.on_item: Callable[[Item], None] = lambda item: None  # after each thing set on paper
        self.slips: list[list[Item]] = []  # finished paper, oldest first
        self.open: list[Item] = []  # what stands on paper and is not fed out yet
        self.automatic = False
        self.draws_codes = True
        self._buffer = b""
        self._code = ""
        self._reset_styles()

    def _reset_styles(self) -> None:
        self._chinese = self.chinese_at_start
        self._align, self._width, self._height, self._bold = "left", 1, 1, False
        self._line: list[tuple[bytes, bool, int, int, bool]] = []

    def take(self, data: bytes) -> bytes:
        """Bytes from the host; what the printer answers to them."""
        self._buffer += data
        out = self._real_time() if self.stopped else b""
        return out + self.run()

    def _real_time(self) -> bytes:
        """While offline only real-time questions are answered; they leave the buffer, the rest stays in it."""
        out, kept, at = [], [], 0
        while at < len(self._buffer):
            step = self._step(at)
            if step is None:
                break
            end, found = step
            if found is not None and found["realtime"]:
                out.append(self.answer(found["realtime"]))
            else:
                kept.append(self._buffer[at:end])
            at = end
        self._buffer = b"".join(kept) + self._buffer[at:]
        return b"".join(out)

    def run(self) -> bytes:
        """Work through the buffer as far as whole commands stand in it and nothing stops the head."""
        out, at = [], 0
        while at < len(self._buffer) and not self.stopped:
            step = self._step(at)
            if step is None:
                break
            end, found = step
            data = self._buffer[at:end]
            at = end
            out.append(self._counted(data) if found is None else self._obey(found))
        self._buffer = self._buffer[at:]
        return b"".join(out) + (self._real_time() if self.stopped and self._buffer else b"")

    def _step(self, at: int) -> tuple[int, re.Match[bytes] | None] | None:
        """Where the command at `at` ends and, unless it is counted data, its match; None: it is not all here yet."""
        counted = _COUNTED.match(self._buffer, at)
        if counted:
            size = int.from_bytes(counted[1] or counted[2], "little")
            size *= int.from_bytes(counted[3], "little") if counted[3] else 1
            end = counted.end() + size
            return (end, None) if end <= len(self._buffer) else None
        found = _COMMAND.match(self._buffer, at)
        if found:
            return found.end(), found
        if len(self._buffer) - at < _LONGEST:
            return None
        unknown = _COMMAND.match(b"\x00")  # an unknown lead byte is passed over, as printers do
        return at + 1, unknown

    def _counted(self, data: bytes) -> bytes:
        if data[:3] == b"\x1dv0":
            self._picture(data)
            return b""
        if data[5:6] != b"1" or not self.draws_codes:
            return b""
        function, value = data[6], data[7:]
        if function == 80:
            self._code = value[1:].decode("utf-8", "replace")
        elif function == 81 and self._code:
            self._set(Code(self._code))
        return b""

    def _picture(self, data: bytes) -> None:
        """Set a raster on paper, right under one of the same width: they are bands of one picture."""
        mode, row = data[3] & 3, int.from_bytes(data[4:6], "little")
        rows = [data[at : at + row] for at in range(8, len(data), row)] if row else []
        if mode & 1:
            rows = [_doubled(one) for one in rows]
        if mode & 2:
            rows = [one for one in rows for _ in (1, 2)]
        if not rows:
            return
        picture = Dots(len(rows[0]) * 8, b"".join(rows))
        if self.open and isinstance(above := self.open[-1], Dots) and above.width == picture.width:
            self.open[-1] = Dots(picture.width, above.rows + picture.rows)
        else:
            self._set(picture)

    def _obey(self, found: re.Match[bytes]) -> bytes:
        kind, value = found.lastgroup or "", found[found.lastgroup or 0]
        if kind == "realtime":
            return self.answer(value)
        if kind == "ask":
            return self.answer(b"\x1dr" + value)
        if kind == "oldask":
            return self.answer(value)
        if kind == "text":
            self._text(value)
        elif kind == "lf":
            self._print_line()
        elif kind == "feed":
            self._feed(value[0])
        elif kind in ("cut", "oldcut"):
            self._cut()
        else:
            self._style(kind, value)
            return self.answer(b"\x1da" + value) if kind == "auto" else b""
        return b""

    def _text(self, raw: bytes) -> None:
        """Characters may come in pieces, so bytes of one style stay together until the line is printed."""
        style = (self._chinese, self._width, self._height, self._bold)
        if self._line and self._line[-1][1:] == style:
            raw = self._line.pop()[0] + raw
        self._line.append((raw, *style))

    def _style(self, kind: str, value: bytes) -> None:
        if kind == "init":
            self._reset_styles()
        elif kind == "chinese":
            self._chinese = value == b"\x1c&"
        elif kind == "align":
            self._align = _ALIGN[value[0] & 0x0F]
        elif kind == "bold":
            self._bold = bool(value[0] & 1)
        elif kind == "size":
            self._width, self._height = (value[0] >> 4) + 1, (value[0] & 0x0F) + 1
        elif kind == "auto":
            self.automatic = value != b"\x00"

    def _print_line(self) -> None:
        text = "".join(
            raw.decode("gb18030", "replace") if chinese else raw.decode("cp437") for raw, chinese, *_ in self._line
        )
        _, _, width, height, bold = self._line[0] if self._line else (b"", False, self._width, self._height, self._bold)
        self._line = []
        part = ""
        for c in text:
            if (cells(part) + cells(c)) * width > self.room:
                self._set(Line(part, width, height, bold, self._align))
                part = ""
            part += c
        self._set(Line(part, width, height, bold, self._align))

    def _set(self, item: Item) -> None:
        self.open.append(item)
        self.on_item(item)

    def _feed(self, lines: int) -> None:
        if self._line:
            self._print_line()
        if lines >= 4 and self.open:  # far enough to tear it off
            self.slips.append(self.open)
            self.open = []

    def _cut(self) -> None:
        self._feed(4)
        if self.slips and not any(isinstance(x, Cut) for x in self.slips[-1]):
            self.slips[-1].append(Cut())


def read_aloud(paper: list[Item]) -> list[str]:
    """The paper as lines of plain text: a person's reading of it, with a phone for the codes."""
    words = []
    for item in map(seen, paper):
        if isinstance(item, Dots):
            words.append(f"[picture {item.width}x{item.height}]")
        else:
            words.append(
                item.text if isinstance(item, Line) else f"[QR {item.content}]" if isinstance(item, Code) else "[cut]"
            )
    return words


def seen(item: Item) -> Item:
    """A picture of a code as the code it shows; anything else as it is."""
    content = dots.read_code(item) if isinstance(item, Dots) else ""
    return Code(content) if content else item


def _doubled(row: bytes) -> bytes:
    """Each bit twice."""
    return bytes(
        sum((3 << 2 * i) for i in range(4) if half >> i & 1) for byte in row for half in (byte >> 4, byte & 0xF)
    )

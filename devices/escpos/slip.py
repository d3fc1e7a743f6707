"""How a queue slip looks on paper, before any byte: lines with a size, a QR code, and how to read them back.

Printers set text in cells of 12x24 dots: an ASCII character takes one cell, anything else (Chinese, full-width
punctuation, rare characters) two. 58 mm paper has 384 dots = 32 cells, 80 mm paper 576 dots = 48 cells.

    【补打】【离线】              marks, only when they apply
    罗湖区政务服务中心            hall, double height
    ────────────────────────
    A012                         number, as large as the paper allows
    社会保险综合业务              service, double height
    前面3人  约25分钟
    3 ahead, about 25 min
    ────────────────────────
    等候区：一楼A区               zone, time
    取号时间：2025-03-01 09:30
    ▣                            QR of the citizen's page
    扫码看排队进度 Scan to follow
    投诉电话：…  便民热线：12345
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.driver import OrderMistake
from devices.roles import Order, PrintSlip, PrintTest

DOTS = {58: 384, 80: 576}  # printable dots per paper width in millimetres
CELL = 12  # dots

REPRINT, OFFLINE = "【补打】", "【离线】"
ZONE, TAKEN, PHONE = "等候区：", "取号时间：", "投诉电话："
HOTLINE = "便民热线：12345"
SCAN = "扫码看排队进度 Scan to follow"
TEST_TITLE = "打印测试"
_AHEAD = re.compile(r"前面(\d+)人(?:  约(\d+)分钟)?")
_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_NO_LINE_START = "，。、；：？！）》】」』”’…—·,.;:?!)"
_NO_LINE_END = "（《【「『“‘("


@dataclass(frozen=True)
class Line:
    """One printed line. width and height multiply the cell (1 to 8); align is left or center."""

    text: str
    width: int = 1
    height: int = 1
    bold: bool = False
    align: str = "center"


@dataclass(frozen=True)
class Code:
    """A QR code the printer draws by itself."""

    content: str


@dataclass(frozen=True)
class Drawn:
    """Text in a script the printer has no letters for: it is drawn for it (`devices.escpos.dots`)."""

    text: str
    height: int = 1
    align: str = "center"


@dataclass(frozen=True)
class Dots:
    """A picture on paper, a bit a dot, each row filled up to whole bytes; 1 is black. `width` in dots."""

    width: int
    rows: bytes

    @property
    def height(self) -> int:
        """Rows of dots."""
        return len(self.rows) * 8 // self.width


@dataclass(frozen=True)
class Cut:
    """The slip was cut off here."""


Item = Line | Code | Drawn | Dots | Cut


def columns(width_mm: int) -> int:
    """Cells in a line of this paper."""
    return DOTS[width_mm] // CELL


def cells(text: str) -> int:
    """Cells this text takes: GB18030 sets one-byte characters in one cell, all others in two."""
    return sum(1 if c < "\x80" else 2 for c in text)


def clean(text: str, place: str) -> str:
    """The text with line breaks made spaces. Raises OrderMistake for what no printer can set (control, surrogate)."""
    text = re.sub(r"[\t\r\n]+", " ", text)
    for c in text:
        if unicodedata.category(c) in ("Cc", "Cs"):
            raise OrderMistake(f"{place} holds U+{ord(c):04X}, which cannot be printed; remove it from the text")
    return text


def wrap(text: str, room: int) -> list[str]:
    """Lines of at most `room` cells that together are the text, nothing lost: words stay whole where they fit.

    No line starts with closing punctuation or ends with opening punctuation, unless there is no other way.
    """
    lines, line, used = [], "", 0
    for piece in _pieces(text):
        size = cells(piece)
        if used + size > room and line:
            lines.append(line)
            line, used = "", 0
        while size > room:  # a word longer than the paper is wide
            head = _fit(piece, room)
            lines.append(head)
            piece = piece[len(head) :]
            size = cells(piece)
        line, used = line + piece, used + size
    return [*lines, line] if line else lines


def _pieces(text: str) -> list[str]:
    """What must stay together: words, a space for itself, Chinese characters with their punctuation."""
    pieces: list[str] = []
    for c in text:
        last = pieces[-1] if pieces else ""
        in_word = last and "!" <= last[-1] <= "~" and "!" <= c <= "~"
        closing = last and last[-1] != " " and c in _NO_LINE_START and len(last) < 4
        if in_word or closing or (last and last[-1] in _NO_LINE_END):
            pieces[-1] += c
        else:
            pieces.append(c)
    return pieces


def _fit(text: str, room: int) -> str:
    used = 0
    for i, c in enumerate(text):
        used += cells(c)
        if used > room:
            return text[: max(i, 1)]
    return text


def foreign(c: str) -> bool:
    """True for a character no Chinese printer has: neither in GBK nor an ideograph (Mongolian, Tibetan, Uyghur, é)."""
    return c >= "\x80" and not _IDEOGRAPH.match(c) and len(c.encode("gb18030")) > 2


def runs(text: str) -> list[tuple[str, bool]]:
    """The text in pieces the printer sets (False) or that must be drawn for it (True); ASCII marks join what is before.

    A Latin word with one foreign letter is drawn whole.
    """
    found: list[tuple[str, bool]] = []
    for piece in re.findall(r"[^\W\d_]+|[\W\d_]", text):
        letters = [c for c in piece if c >= "\x80" or c.isalpha()]
        if not letters and found:
            found[-1] = (found[-1][0] + piece, found[-1][1])
            continue
        latin = piece[0].isalpha() and unicodedata.name(piece[0], "").startswith("LATIN")
        for part in [piece] if latin else list(piece):
            strange = any(map(foreign, part))
            if found and (found[-1][1] == strange or unicodedata.combining(part[0])):
                found[-1] = (found[-1][0] + part, found[-1][1])
            else:
                found.append((part, strange))
    return found


def lay_out(order: Order, width_mm: int) -> list[Item]:
    """The slip of an order on paper of this width. Raises OrderMistake."""
    if isinstance(order, PrintSlip):
        return _lay_out_slip(order, columns(width_mm))
    if isinstance(order, PrintTest):
        return _lay_out_test(width_mm)
    raise OrderMistake(f"a ticket printer cannot do {type(order).__name__}")


def _lay_out_slip(order: PrintSlip, room: int) -> list[Item]:
    def lines(field: str, before: str = "", **style: object) -> list[Item]:
        text = clean(getattr(order, field), f"PrintSlip.{field}")
        return [item for part in runs(before + text) for item in _set(*part, room, style)] if text else []

    rule = Line("─" * (room // 2))
    marks = REPRINT * order.reprint + OFFLINE * order.offline
    wait = "" if order.wait_minutes is None else f"  约{order.wait_minutes}分钟"
    about = "" if order.wait_minutes is None else f", about {order.wait_minutes} min"
    slip: list[Item] = [Line(marks, height=2, bold=True)] if marks else []
    slip += lines("hall", height=2, bold=True)
    slip += [rule, *_big(clean(order.number, "PrintSlip.number"), room)]
    slip += lines("service", height=2, bold=True)
    slip += [Line(f"前面{order.ahead}人{wait}", height=2), Line(f"{order.ahead} ahead{about}"), rule]
    slip += lines("zone", ZONE, align="left") + lines("time", TAKEN, align="left")
    if order.url:
        slip += [Code(clean(order.url, "PrintSlip.url")), Line(SCAN)]
    slip += lines("complaint_phone", PHONE)
    return [*slip, Line(HOTLINE)]


def _set(text: str, strange: bool, room: int, style: Mapping[str, Any]) -> list[Item]:
    """A piece of text in the printer's own letters, or to be drawn."""
    if strange:
        return [Drawn(text.strip(), style.get("height", 1), style.get("align", "center"))]
    return [Line(t, **style) for t in wrap(text, room)]


def _big(number: str, room: int) -> list[Item]:
    """The number: the hero of the slip, up to 5 times (6 on wide paper), never smaller than twice."""
    if not number.strip():
        raise OrderMistake("PrintSlip.number is empty; a slip without its number helps nobody")
    size = max(2, min(room // cells(number), 5 if room < 48 else 6))
    return [Line(t, size, size, bold=True) for t in wrap(number, room // size)]


def _lay_out_test(width_mm: int) -> list[Item]:
    room = columns(width_mm)
    ruler = "".join(str((i + 1) % 10) for i in range(room))
    return [
        Line(TEST_TITLE, 2, 2, bold=True),
        Line(f"{width_mm} mm  {DOTS[width_mm]} dots"),
        Line(ruler, align="left"),
        Line("常用字：便民服务中心", align="left"),
        Line("，。、《》（）！？", align="left"),
        Line("生僻字：㑇䶮𠮷", align="left"),
        Line("A012", 4, 4, bold=True),
        Code("https://example.org/t/ok"),
        Line("二维码应能扫出，纸应切断"),
    ]


def read_back(paper: list[Item]) -> Order | None:
    """The order this paper shows, as a person would read it; None when it is not one of our slips."""
    lines = [x for x in paper if isinstance(x, Line)]
    if lines and lines[0].text == TEST_TITLE:
        known = {d: mm for mm, d in DOTS.items()}
        mm = next((mm for d, mm in known.items() if len(lines) > 1 and f"{d} dots" in lines[1].text), None)
        return PrintTest() if mm and [x for x in paper if not isinstance(x, Cut)] == _lay_out_test(mm) else None
    ahead = next((m for x in lines if x.height == 2 and (m := _AHEAD.fullmatch(x.text))), None)
    number = [x for x in lines if x.width >= 2]
    if ahead is None or not number or HOTLINE not in (x.text for x in lines):
        return None
    top, below = lines[: lines.index(number[0])], lines[lines.index(number[-1]) + 1 :]
    fields = _labelled(below)
    marks = "".join(x.text for x in top[:1] if x.text.startswith((REPRINT, OFFLINE)))
    return PrintSlip(
        hall="".join(x.text for x in top[1 if marks else 0 :] if x.bold),
        service="".join(x.text for x in below if x.bold),
        number="".join(x.text for x in number),
        ahead=int(ahead[1]),
        wait_minutes=None if ahead[2] is None else int(ahead[2]),
        zone=fields[ZONE],
        time=fields[TAKEN],
        complaint_phone=fields[PHONE],
        url="".join(x.content for x in paper if isinstance(x, Code)),
        reprint=REPRINT in marks,
        offline=OFFLINE in marks,
    )


def _labelled(lines: list[Line]) -> dict[str, str]:
    """The texts behind the labels, wrapped ones joined again."""
    fields, current = {ZONE: "", TAKEN: "", PHONE: ""}, ""
    for line in lines:
        if line.height > 1 or line.text in (SCAN, HOTLINE) or line.text.startswith("─"):
            current = ""
            continue
        label = next((k for k in fields if line.text.startswith(k)), "")
        current = label or current
        if current:
            fields[current] += line.text.removeprefix(label)
    return fields

"""A laid-out slip as the bytes a printer takes. python-escpos says the commands, the text is our own GB18030.

python-escpos 3.1 never switches Chinese mode on, turns a line of pure punctuation into "??" and drops rare
characters; so text never goes through its `text()`, and Chinese mode is switched on behind every `ESC @`.
"""

from __future__ import annotations

import re
from functools import lru_cache

import segno
from escpos.printer import Dummy
from segno.encoder import DataOverflowError

from devices.driver import OrderMistake
from devices.escpos import dots
from devices.escpos.models import Model
from devices.escpos.slip import DOTS, Code, Drawn, Item, Line

CHINESE_ON = b"\x1c&"
FEED_LINES = 6  # from the head to behind the knife
LINE_SPACING = 30  # dots from line to line, at least: what printers start with
_FEED = b"\x1bd" + bytes((FEED_LINES,))
_END = {
    "full": _FEED + b"\x1dV\x00",
    "partial": _FEED + b"\x1dV\x01",
    "esc-i": _FEED + b"\x1bi",
    "esc-m": _FEED + b"\x1bm",
    "none": _FEED,
}
LONGEST_CODE = 256  # bytes of a QR code's content; printers ignore NUL elsewhere
MOST_RASTER = dots.BAND * max(DOTS.values()) // 8
_RASTER = re.compile(rb"\x1dv0.(..)(..)", re.DOTALL)
_EC = {"L": 0, "M": 1, "Q": 2, "H": 3}
_QUIET = 8  # modules of white a reader wants around a code


def render(slip: list[Item], model: Model, *, qr_size: int, qr_ec: str, beep: int) -> bytes:
    """The whole job: initialise, lines, codes, feed and cut. Raises OrderMistake for a code that fits no paper."""
    printer = Dummy()
    printer.hw("INIT")
    if model.chinese:
        printer._raw(CHINESE_ON)
    style: tuple[object, ...] = ("left", 1, 1, False)
    for item in slip:
        if isinstance(item, Code):
            wanted: tuple[object, ...] = ("center", *style[1:])
            _style(printer, style, wanted)
            size = _module_size(item.content, qr_size, qr_ec, DOTS[model.width_mm])
            if model.qr == "raster":
                # Doubled by the printer, an even code is a quarter of the bytes.
                printer._raw(
                    dots.command(dots.code(item.content, size if size % 2 else size // 2, qr_ec), not size % 2)
                )
            else:
                printer.qr(item.content, ec=_EC[qr_ec], size=size, native=True)
        elif isinstance(item, Drawn):
            wanted = (item.align, *style[1:])
            _style(printer, style, wanted)
            printer._raw(dots.command(dots.text(item, DOTS[model.width_mm])))
        elif isinstance(item, Line):
            wanted = (item.align, item.width, item.height, item.bold)
            _style(printer, style, wanted)
            printer._raw(item.text.encode("gb18030") + b"\n")
        else:
            continue
        style = wanted
    if beep and model.buzzer:
        printer._raw(bytes((0x1B, 0x42, beep, 2)))  # Chinese models' buzzer; each sound 2 x 50 ms or more
    printer._raw(_END[model.cut])
    return bytes(printer.output)


def longest_block(job: bytes) -> int:
    """The most bytes in a row that a printer which got only a part of this job may take for data, whatever they are."""
    rasters = (int.from_bytes(w, "little") * int.from_bytes(h, "little") for w, h in _RASTER.findall(job))
    return max(LONGEST_CODE, *(min(size, MOST_RASTER) for size in rasters), 0)


def millimetres(slip: list[Item], model: Model, qr_size: int, qr_ec: str) -> int:
    """How much paper a slip takes, with the feed to the knife. Eight dots are a millimetre."""
    dots_down = FEED_LINES * LINE_SPACING
    for item in slip:
        if isinstance(item, Code):
            dots_down += _modules(len(item.content.encode()), qr_ec) * _module_size(
                item.content, qr_size, qr_ec, DOTS[model.width_mm]
            )
        elif isinstance(item, Drawn):
            dots_down += dots.text(item, DOTS[model.width_mm]).height
        elif isinstance(item, Line):
            dots_down += max(LINE_SPACING, dots.LINE * item.height)
    return -(-dots_down // 8)


def _style(printer: Dummy, old: tuple[object, ...], new: tuple[object, ...]) -> None:
    """Send only what changes: a slip has 600 bytes, and each at 19,200 baud costs half a millisecond."""
    if old[1:3] != new[1:3]:
        printer.set(custom_size=True, width=new[1], height=new[2])
    printer.set(align=new[0] if old[0] != new[0] else None, bold=new[3] if old[3] != new[3] else None)


def _module_size(content: str, wanted: int, ec: str, dots: int) -> int:
    """Dots per module: the wish, or what still fits the paper. Below 3 no phone reads it reliably."""
    size = min(wanted, dots // (_modules(len(content.encode()), ec) + _QUIET))
    if size < 3:
        raise OrderMistake(f"PrintSlip.url has {len(content)} characters: its QR code does not fit this paper")
    return size


@lru_cache(maxsize=512)
def _modules(length: int, ec: str) -> int:
    """The side of the symbol a printer chooses for so many bytes; beyond all symbols: more than any paper holds."""
    try:
        return int(segno.make_qr("x" * length, error=ec, boost_error=False).symbol_size(border=0)[0])
    except DataOverflowError:
        return 10_000

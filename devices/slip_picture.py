"""Draws a simulated printer's paper as a picture, dot for dot: what the citizen would hold in the hand.

Printers set a 12x24 cell and enlarge it by repeating dots; so does this. Needs the system's Noto Sans CJK.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from devices.escpos import dots as drawing
from devices.escpos.slip import CELL, DOTS, Code, Dots, Item, Line, cells

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
BOLD = FONT.with_name("NotoSansCJK-Bold.ttc")
_SIMPLIFIED = 2  # the face for Simplified Chinese in Noto's collections
_MARGIN = 24  # dots of paper beside the printable width
_LEADING = 6  # dots between two lines
_PAPER, _INK = 252, 25  # grey: thermal paper is not quite white, its print not quite black


def draw(slip: list[Item], width_mm: int, qr_size: int = 6) -> Image.Image:
    """The slip as a greyscale picture, one pixel per printer dot."""
    dots = DOTS[width_mm]
    strips = [_strip(item, dots, qr_size) for item in slip]
    height = sum(s.height + _LEADING for s in strips) + 2 * _MARGIN
    paper = Image.new("L", (dots + 2 * _MARGIN, height), _PAPER)
    y = _MARGIN
    for strip in strips:
        paper.paste(strip, (_MARGIN, y))
        y += strip.height + _LEADING
    return paper


def _strip(item: Item, dots: int, qr_size: int) -> Image.Image:
    if isinstance(item, Line):
        return _text(item, dots)
    if isinstance(item, Code):
        return _code(item.content, dots, qr_size)
    if isinstance(item, Dots):
        strip = Image.new("L", (dots, item.height), _PAPER)
        burnt = drawing.picture_of(item).point(lambda grey: _PAPER if grey else _INK)
        strip.paste(burnt, ((dots - item.width) // 2, 0))
        return strip
    strip = Image.new("L", (dots, 20), _PAPER)
    pen = ImageDraw.Draw(strip)
    for x in range(0, dots, 16):
        pen.line((x, 10, x + 8, 10), fill=150, width=1)
    return strip


def _text(line: Line, dots: int) -> Image.Image:
    """One line: each character in its cell, then enlarged as the head does it."""
    strip = Image.new("L", (dots, 24 * line.height), _PAPER)
    small = Image.new("L", (max(1, cells(line.text) * CELL), 24), _PAPER)
    pen = ImageDraw.Draw(small)
    x = 0
    for c in line.text:
        wide = cells(c) * CELL
        pen.text((x + wide / 2, 20), c, font=_font(line.bold, 23 if wide > CELL else 21), fill=_INK, anchor="ms")
        x += wide
    big = small.resize((small.width * line.width, small.height * line.height), Image.Resampling.NEAREST)
    room = dots - big.width
    strip.paste(big, ({"left": 0, "center": room // 2, "right": room}[line.align], 0))
    return strip


def _code(content: str, dots: int, size: int) -> Image.Image:
    matrix = segno.make_qr(content, error="M", boost_error=False).matrix
    size = max(1, min(size, dots // (len(matrix) + 8)))
    side = (len(matrix) + 8) * size
    strip = Image.new("L", (dots, side), _PAPER)
    pen = ImageDraw.Draw(strip)
    left, top = (dots - side) // 2 + 4 * size, 4 * size
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                pen.rectangle(
                    (left + x * size, top + y * size, left + (x + 1) * size - 1, top + (y + 1) * size - 1), _INK
                )
    return strip


@lru_cache(maxsize=8)
def _font(bold: bool, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(BOLD if bold else FONT), size, index=_SIMPLIFIED)

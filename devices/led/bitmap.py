"""Text as dots for LED cards without a font of their own, and such dots read back as a person reads them.

Each character stands in a cell: Chinese `size` dots wide, ASCII half of it. Reading is looking each cell up among all
characters of GB 2312, so it needs nothing but the same font.
"""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from devices.driver import OrderMistake

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
_SIMPLIFIED = 2  # the face for Simplified Chinese in Noto's collections


def pages(text: str, width: int, height: int, size: int) -> list[Image.Image]:
    """The text as pictures of the area (mode 1), broken where a line is full; as many as it takes."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _broken(paragraph, width * 2 // size)
    room = max(1, height // size)
    return [_page(lines[i : i + room], width, height, size) for i in range(0, len(lines), room)]


def read(page: Image.Image, size: int) -> list[str]:
    """The lines of a page (mode 1) in characters; a cell that shows none of them is a question mark, an empty
    one a space."""
    known = _known(size)
    right = page.width * 2 // size * (size // 2)
    lines = []
    for top in range(0, page.height - size + 1, size):
        line, x = "", 0
        while x < right:
            wide, narrow = (page.crop((x, top, x + w, top + size)).tobytes() for w in (size, size // 2))
            fits = x + size <= right
            found = (known.get(wide) if fits else None) or known.get(narrow, "?")
            line += found
            x += size if found >= "\x80" or (found == "?" and fits) else size // 2
        lines.append(line.rstrip(" "))
    return lines


def _broken(text: str, columns: int) -> list[str]:
    lines, used = [""], 0
    for c in text:
        wide = 1 if c < "\x80" else 2
        if used + wide > columns:
            lines.append("")
            used = 0
        lines[-1] += c
        used += wide
    return lines


def _page(lines: list[str], width: int, height: int, size: int) -> Image.Image:
    page = Image.new("1", (width, height))
    for row, line in enumerate(lines):
        x = 0
        for c in line:
            cell = _cell(c, size)
            page.paste(cell, (x, row * size))
            x += cell.width
    return page


@lru_cache(maxsize=8192)
def _cell(c: str, size: int) -> Image.Image:
    """One character in its cell, dots on or off."""
    width = size if c >= "\x80" else size // 2
    cell = Image.new("1", (width, size))
    ImageDraw.Draw(cell).text((width / 2, round(size * 0.86)), c, font=_font(size), fill=1, anchor="ms")
    return cell


@lru_cache(maxsize=4)
def _known(size: int) -> dict[bytes, str]:
    """What each cell looks like → its character; the commoner of two that look alike."""
    rows = [*range(0xA1, 0xAA), *range(0xB0, 0xF8)]
    codes = [bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF)]
    wide = [c for code in codes if (c := code.decode("gb18030", "ignore")) and c.isprintable()]
    characters = ["\u3000", *map(chr, range(0x20, 0x7F)), *reversed(wide[94 * 9 :]), *wide[: 94 * 9]]
    return {_cell(c, size).tobytes(): c for c in reversed(characters)}


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(FONT, round(size * 0.94), index=_SIMPLIFIED)
    except OSError:
        raise OrderMistake("the font NotoSansCJK-Regular.ttc is missing; install fonts-noto-cjk") from None

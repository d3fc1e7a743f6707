"""What a printer cannot set by itself, drawn dot by dot: scripts it has no letters for, and QR codes.

Traditional Mongolian is shaped as a horizontal line, which joins its letters, and then turned upright: it is read from
top to bottom, its columns from left to right. Letters come from the system's Noto fonts.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from devices.driver import OrderMistake
from devices.escpos.slip import Dots, Drawn

BAND = 128  # rows sent in one command: more than that, small printers lose
LINE = 24  # dots of a line of height 1, as the printer's own
COLUMN = 320  # dots of the longest upright column
DARK = 128  # grey below which a dot is burnt
QUIET = 4  # modules of white around a code

NOTO = Path("/usr/share/fonts/truetype/noto")
_PLAIN = "NotoSans-Regular.ttf"
_FONTS = {  # the first word of a letter's Unicode name → the font that has it
    "MONGOLIAN": "NotoSansMongolian-Regular.ttf",
    "TIBETAN": "NotoSerifTibetan-Regular.ttf",
    "ARABIC": "NotoNaskhArabic-Regular.ttf",
    "YI": "NotoSansYi-Regular.ttf",
    "LISU": "NotoSansLisu-Regular.ttf",
    "TAI": "NotoSansTaiLe-Regular.ttf",
    "NEW": "NotoSansNewTaiLue-Regular.ttf",
    "HANGUL": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
}


def script(text: str) -> str:
    """The script of a text by its first letter outside ASCII, as Unicode names it: MONGOLIAN, TIBETAN, LATIN."""
    words = (unicodedata.name(c, "").partition(" ")[0] for c in text if c >= "\x80" and c.isalpha())
    return next(words, "")


def text(item: Drawn, room: int) -> Image.Image:
    """The lines of a text, at most `room` dots wide, black on white (mode L)."""
    font = _font(script(item.text), LINE * item.height)
    upright = script(item.text) == "MONGOLIAN"
    lines = [_line(words, font) for words in _wrapped(item.text, font, COLUMN if upright else room)]
    length, thick = max(line.width for line in lines), sum(line.height for line in lines)
    block = Image.new("L", (length, thick), 255)
    top = 0
    for line in reversed(lines) if upright else lines:  # turned clockwise, the lowest line becomes the first column
        block.paste(line, (0 if upright or item.align == "left" else (length - line.width) // 2, top))
        top += line.height
    return block.transpose(Image.Transpose.ROTATE_270) if upright else block


def code(content: str, size: int, ec: str) -> Image.Image:
    """A QR code of `size` dots a module (mode L)."""
    matrix = segno.make_qr(content, error=ec, boost_error=False).matrix
    side = len(matrix) + 2 * QUIET
    picture = Image.new("L", (side, side), 255)
    picture.putdata([255] * side * QUIET + _rows(matrix) + [255] * side * QUIET)
    return picture.resize((side * size, side * size), Image.Resampling.NEAREST)


def command(picture: Image.Image, twice: bool = False) -> bytes:
    """GS v 0 for a picture, in bands. `twice`: the printer doubles every dot both ways."""
    width, out = (picture.width + 7) // 8, b""
    for top in range(0, picture.height, BAND):
        band = picture.crop((0, top, picture.width, min(top + BAND, picture.height)))
        head = b"\x1dv0" + bytes((3 if twice else 0, width & 0xFF, width >> 8, band.height & 0xFF, band.height >> 8))
        out += head + band.point(lambda grey: 255 if grey < DARK else 0, mode="1").tobytes()
    return out


def load(file: Path, size: int) -> ImageFont.FreeTypeFont:
    """A font of the system. Raises OrderMistake when it is not installed: nothing else can make up for it."""
    try:
        return ImageFont.truetype(str(file), size)
    except OSError:
        raise OrderMistake(f"the font {file.name} is missing; install fonts-noto-core and fonts-noto-cjk") from None


@lru_cache(maxsize=64)
def read_code(dots: Dots) -> str:
    """What a citizen's phone reads in a picture on paper; empty when it is no code."""
    import zxingcpp  # only who looks at simulated paper needs it

    bordered = Image.new("L", (dots.width + 80, dots.height + 80), 255)
    bordered.paste(picture_of(dots), (40, 40))
    return next((found.text for found in zxingcpp.read_barcodes(bordered)), "")


def picture_of(dots: Dots) -> Image.Image:
    """Dots on paper as a picture, black on white (mode L)."""
    return Image.frombytes("1", (dots.width, dots.height), dots.rows).convert("L").point(lambda on: 255 - on)


def _rows(matrix: tuple[bytearray, ...]) -> list[int]:
    side = [255] * QUIET
    return [grey for row in matrix for grey in (*side, *(0 if dark else 255 for dark in row), *side)]


def _line(words: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    left, _, right, _ = font.getbbox(words)
    ascent, descent = font.getmetrics()
    line = Image.new("L", (max(1, int(right - left)), ascent + descent), 255)
    ImageDraw.Draw(line).text((-left, 0), words, font=font, fill=0)
    return line


def _wrapped(words: str, font: ImageFont.FreeTypeFont, room: int) -> list[str]:
    """Lines that fit the room; words stay whole where they can."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip(" ")
        if lines[-1] and font.getlength(longer) > room:
            lines.append("")
            longer = word
        lines[-1] = longer
        while font.getlength(lines[-1]) > room and len(lines[-1]) > 1:
            fits = max(1, sum(font.getlength(lines[-1][:n]) <= room for n in range(1, len(lines[-1]))))
            lines[-1:] = [lines[-1][:fits], lines[-1][fits:]]
    return lines


@lru_cache(maxsize=16)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """The font of a script whose whole line, with what reaches above and below, is `size` dots high."""
    font = load(NOTO / _FONTS.get(name, _PLAIN), size)
    return font.font_variant(size=max(8, round(size * size / sum(font.getmetrics()))))

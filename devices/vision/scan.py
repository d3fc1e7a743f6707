"""From a picture of a desk to finished pages: found, squared, toned, stood upright, named."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image

from devices.jpeg_decoder import decoded
from devices.vision import quads, tone
from devices.vision.codes import CodeFound, read_codes
from devices.vision.flat import rectify
from devices.vision.flaws import flagged
from devices.vision.pages import find_pages
from devices.vision.pictures import Picture
from devices.vision.sheets import Sheet, jpeg, pair
from devices.vision.sizes import scaled
from devices.vision.text import Line, turned_back

DPI = 200.0  # what is assumed when neither the stand nor the file knows
QUALITY = 85  # of a JPEG we make: a letter's edge is clean, a page has some 700 kB
THUMBNAIL = 240  # pixels of its longer side
A4_MM = (210.0, 297.0)
RIM = 0.004  # of a page's shorter side
EDGE_MM = 5.0  # what a printer leaves white
TOP = 0.4  # of the page's height, in which its title stands
LARGE = 0.8  # of the largest line's height
NAME = 40  # characters of a proposed name
NAMELESS = re.compile(r"\d{6,}[xX]?|[<>:\"/\\|?*\x00-\x1f]")
LEAST_AREA = 64.0  # square pixels between the corners of a page
WHOLE = "whole_picture"  # flag: no page was found, the picture was taken as it is
Corners = Sequence[Sequence[float]] | np.ndarray  # four points, clockwise from top left, pixels of the shot
ALL: tuple[Corners | None, tuple[str, ...]] = (None, (WHOLE,))
Upright = Callable[[np.ndarray], int]


@dataclass(frozen=True)
class Shot:
    """A camera's picture: pixels (height × width × 3, uint8, BGR) and, where there is one, the JPEG they came from."""

    bgr: np.ndarray
    jpeg: bytes = b""
    dpi: float | None = None  # measured from the stand, or as the file says


def shot(data: bytes, dpi: float | None = None) -> Shot:
    """A camera's JPEG, opened. Raises ValueError when it is none."""
    try:
        bgr = decoded(data)
    except ValueError as flaw:
        raise ValueError("the camera's picture is damaged.") from flaw
    return Shot(bgr, data, dpi)


def pages(
    taken: Shot,
    corners: Corners | None = None,
    mode: str = "document",
    *,
    upright: Upright | None = None,
    flags: Sequence[str] = (),
) -> list[Sheet]:
    """The finished pages of what lies between `corners` (clockwise from top left), or of the whole shot.

    It is one page, but for an open book's two in the mode "book". `upright` tells by how many degrees clockwise a page
    must be turned to be read (`upright.turn`); without it pages stay as they lie. Raises ValueError for a mode that
    does not exist.
    """
    if mode not in tone.MODES:
        raise ValueError(f"there is no mode {mode!r}; there are: {', '.join(tone.MODES)}.")
    flat = taken.bgr if corners is None else squared(taken.bgr, corners)
    if corners is not None and mode != "photo":
        _without_rim(flat)
    if mode == "book":
        if upright:  # the fold is upright only in a book that is
            flat = np.ascontiguousarray(np.rot90(flat, -(upright(flat) // 90)))
        parts = [tone.whiten(tone.unbend(half)) for half in tone.halves(flat)]
        return [sheet(part, taken, corners, mode, flags) for part in parts]
    one = sheet(tone.whiten(flat) if mode == "document" else flat, taken, corners, mode, flags)
    return [one.turned(upright(flat)) if upright else one]


def page(
    taken: Shot,
    corners: Corners | None = None,
    mode: str = "document",
    *,
    upright: Upright | None = None,
    flags: Sequence[str] = (),
) -> Sheet:
    """As `pages`, where one is expected: the first of them."""
    return pages(taken, corners, mode, upright=upright, flags=flags)[0]


def sheet(flat: np.ndarray, taken: Shot, corners: Corners | None, mode: str, flags: Sequence[str]) -> Sheet:
    dpi = taken.dpi or DPI
    if mode == "photo":
        # Nothing was cut: then the camera's own bytes are better than any we could make of them.
        data = taken.jpeg if taken.jpeg and corners is None else jpeg(flat, 92, dpi)
    elif mode == "black-and-white":
        data = g4(tone.ink(flat), dpi)
    else:
        data = jpeg(flat, QUALITY, dpi)
    height, width = flat.shape[:2]
    where = tuple(map(pair, corners)) if corners is not None else ()
    return Sheet(
        data, width, height, dpi, mode, flags=tuple(flags), corners=where, outline=where, thumbnail=thumbnail(flat)
    )


def found(bgr: np.ndarray) -> list[tuple[Corners | None, tuple[str, ...]]]:
    """(corners, flags) of each page in a picture of a desk."""
    return [(page.corners, page.flags) for page in flagged(bgr, find_pages(bgr))]


def read(sheet: Sheet, reader: Callable[[np.ndarray], list[Line]]) -> Sheet:
    """The page with its text and the title its text proposes; `reader` is `text.Reader.read`."""
    upright = sheet.picture()
    said = reader(upright)
    name = title(said, upright.shape[0])
    lines = tuple(turned_back(line, sheet.turn, upright.shape) for line in said)
    return dataclasses.replace(sheet, lines=lines, title=name)


def squared(bgr: np.ndarray, corners: Corners) -> np.ndarray:
    """What lies between four corners (clockwise from top left) at its true proportions, about as many pixels."""
    quad = np.asarray(corners, np.float32)
    if quad.shape != (4, 2) or not np.isfinite(quad).all():
        raise ValueError("a page has four corners.")
    if abs(float(quads.areas(quads.clockwise(quad)))) < LEAST_AREA:
        raise ValueError("these four corners enclose no page.")
    return rectify(bgr, quad)


def _without_rim(flat: np.ndarray) -> None:
    """What lies within `RIM` of a page's edges becomes as what lies beside it: an outline is right to a pixel or two,
    and a hair of the desk would be seen as a line around white paper."""
    rim = round(RIM * min(flat.shape[:2]))
    if rim:
        flat[:rim], flat[-rim:] = flat[rim], flat[-rim - 1]
        flat[:, :rim], flat[:, -rim:] = flat[:, rim : rim + 1], flat[:, -rim - 1 : -rim]


def coded(sheet: Sheet) -> Sheet:
    """The page with the codes on it, as `bianmin vision codes` tells them; corners in pixels of the page as stored."""
    stored = dataclasses.replace(sheet, turn=0).picture()
    return dataclasses.replace(sheet, codes=tuple(about(code) for code in read_codes(stored)))


def about(code: CodeFound) -> dict[str, Any]:
    """A code as it is told in JSON."""
    corners = [[float(x), float(y)] for x, y in code.corners]
    return {"format": code.format, "text": code.text, "hex": code.data.hex(), "corners": corners}


def cut_anew(taken: Shot, corners: Corners, old: Sheet, flags: Sequence[str] = ()) -> Sheet:
    """The page between other corners of the shot an old one was cut from, in its mode and turned like it."""
    cut = page(taken, corners, old.mode if old.mode != "book" else "document", flags=flags)
    new = dataclasses.replace(cut, outline=old.outline)
    return new.turned(old.turn) if old.turn else new


def g4(black: np.ndarray, dpi: float) -> bytes:
    """A picture of 0 and 255 as a TIFF of one strip in CCITT G4."""
    out = io.BytesIO()
    image = Image.fromarray(black).convert("1", dither=Image.Dither.NONE)
    image.save(out, "TIFF", compression="group4", dpi=(dpi, dpi), tiffinfo={262: 0, 278: black.shape[0]})
    return out.getvalue()


def thumbnail(bgr: np.ndarray) -> bytes:
    """A small JPEG, `THUMBNAIL` pixels on its longer side."""
    height, width = bgr.shape[:2]
    wide, high = scaled(bgr, THUMBNAIL / max(height, width))
    coarse = cv2.resize(bgr, (2 * wide, 2 * high), interpolation=cv2.INTER_NEAREST)  # averaging it all takes too long
    return jpeg(cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_AREA), 75)


def title(lines: Sequence[Line], height: float) -> str:
    """A name for the document: the topmost of its largest lines near the top, without what no file name may hold; ""
    when none. Lines count as the largest that are nearly so, that the same page is called the same each time.

    Rows of digits are left out: they are somebody's number.
    """
    named: list[tuple[float, float, str]] = []
    for line in lines:
        (x0, y0), _, _, (x3, y3) = line.corners
        name = NAMELESS.sub("", line.text).strip(" .，。：；、")
        if line.score >= 0.8 and len(name) >= 2 and min(y0, y3) < height * TOP:
            named.append((min(y0, y3), float(np.hypot(x3 - x0, y3 - y0)), name[:NAME]))
    largest = max((high for _, high, _ in named), default=0.0)
    return next((name for _, high, name in sorted(named) if high >= LARGE * largest), "")


def copies(sheets: Sequence[Sheet], dpi: float = DPI) -> Sheet:
    """An A4 sheet as a copier would print it: these pages at their true size one below the other, in gray.

    Its `thumbnail` is the preview. What is larger than the sheet's printable part is made to fit; more than fits below
    one another is made smaller together.
    """
    if not sheets:
        raise ValueError("there is nothing to copy.")
    wide, high = (round(millimetres / 25.4 * dpi) for millimetres in A4_MM)
    edge = round(EDGE_MM / 25.4 * dpi)
    paper: np.ndarray = np.full((high, wide, 3), 255, np.uint8)
    place = (high - 2 * edge) // len(sheets)
    for number, sheet in enumerate(sheets):
        picture = sheet.picture()
        if len(sheets) == 1 and abs(sheet.size_mm[0] - A4_MM[0]) < 8 and abs(sheet.size_mm[1] - A4_MM[1]) < 8:
            paper = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
            break
        scale = min(dpi / sheet.dpi, (wide - 2 * edge) / picture.shape[1], place / picture.shape[0])
        size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        x, y = (wide - size[0]) // 2, edge + number * place + (place - size[1]) // 2
        paper[y : y + size[1], x : x + size[0]] = small
    gray = cv2.cvtColor(paper, cv2.COLOR_BGR2GRAY)
    return Sheet(jpeg(gray, QUALITY, dpi), wide, high, dpi, "document", thumbnail=thumbnail(gray))


def upright_pixels(picture: Picture) -> np.ndarray:
    """A picture file's pixels turned and mirrored as its Exif entry says they are to be seen."""
    bgr = picture.bgr
    if picture.orientation in (2, 4, 5, 7):
        bgr = bgr[:, ::-1]
    quarters = {3: 2, 4: 2, 5: 1, 6: -1, 7: -1, 8: 1}.get(picture.orientation, 0)
    return np.ascontiguousarray(np.rot90(bgr, quarters))

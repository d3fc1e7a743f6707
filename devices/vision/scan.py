"""From a picture of a desk to finished pages: found, squared, toned, stood upright, named."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from devices.vision import tone
from devices.vision.sheets import Sheet, jpeg, pair

DPI = 200.0  # what is assumed when neither the stand nor the file knows
QUALITY = 85  # of a JPEG we make: a letter's edge is clean, a page has some 700 kB
THUMBNAIL = 240  # pixels of its longer side
A4_MM = (210.0, 297.0)
WHOLE = "whole-picture"  # flag: no page was found, the picture was taken as it is
Upright = Callable[[np.ndarray], int]


@dataclass(frozen=True)
class Shot:
    """A camera's picture: pixels (height × width × 3, uint8, BGR) and, where there is one, the JPEG they came from."""

    bgr: np.ndarray
    jpeg: bytes = b""
    dpi: float | None = None  # measured from the stand, or as the file says


def shot(data: bytes, dpi: float | None = None) -> Shot:
    """A camera's JPEG, opened. Raises ValueError when it is none."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if bgr is None:
        raise ValueError("the camera's picture is damaged.")
    return Shot(bgr, data, dpi)


def page(
    taken: Shot,
    corners: Sequence[Sequence[float]] | None = None,
    mode: str = "document",
    *,
    upright: Upright | None = None,
    flags: Sequence[str] = (),
) -> Sheet:
    """One finished page out of a shot: what lies between `corners` (clockwise from top left), or all of it.

    `upright` tells by how many degrees clockwise a page must be turned to be read (`upright.turn`); without it the page
    stays as it lies. Raises ValueError for a mode that does not exist.
    """
    if mode not in tone.MODES:
        raise ValueError(f"there is no mode {mode!r}; there are: {', '.join(tone.MODES)}.")
    flat = taken.bgr if corners is None else squared(taken.bgr, corners)
    dpi = taken.dpi or DPI
    if mode == "photo":
        data = taken.jpeg if taken.jpeg and corners is None else jpeg(flat, 92)
    elif mode == "black-and-white":
        data = g4(tone.ink(flat), dpi)
    else:
        flat = tone.whiten(flat)
        data = jpeg(flat, QUALITY)
    height, width = flat.shape[:2]
    where = tuple(map(pair, corners)) if corners is not None else ()
    sheet = Sheet(data, width, height, dpi, mode, flags=tuple(flags), corners=where, thumbnail=thumbnail(flat))
    return sheet.turned(upright(flat)) if upright else sheet


def book(taken: Shot, corners: Sequence[Sequence[float]] | None = None) -> list[Sheet]:
    """The two pages of an open book, unbent and whitened; one when there is no second."""
    flat = taken.bgr if corners is None else squared(taken.bgr, corners)
    out = []
    for half in tone.halves(flat):
        straight = tone.whiten(tone.unbend(half))
        height, width = straight.shape[:2]
        where = tuple(map(pair, corners)) if corners is not None else ()
        out.append(
            Sheet(
                jpeg(straight, QUALITY),
                width,
                height,
                taken.dpi or DPI,
                "book",
                corners=where,
                thumbnail=thumbnail(straight),
            )
        )
    return out


def squared(bgr: np.ndarray, corners: Sequence[Sequence[float]]) -> np.ndarray:
    """What lies between four corners (clockwise from top left), as a rectangle of about as many pixels."""
    quad = np.asarray(corners, np.float32)
    if quad.shape != (4, 2):
        raise ValueError("a page has four corners.")
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    width, height = max(round(max(sides[0], sides[2])), 8), max(round(max(sides[1], sides[3])), 8)
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    view = cv2.getPerspectiveTransform(quad, target)
    return np.asarray(cv2.warpPerspective(bgr, view, (width, height), borderMode=cv2.BORDER_REPLICATE))


def g4(black: np.ndarray, dpi: float) -> bytes:
    """A picture of 0 and 255 as a TIFF of one strip in CCITT G4."""
    out = io.BytesIO()
    image = Image.fromarray(black).convert("1", dither=Image.Dither.NONE)
    image.save(out, "TIFF", compression="group4", dpi=(dpi, dpi), tiffinfo={262: 0, 278: black.shape[0]})
    return out.getvalue()


def thumbnail(bgr: np.ndarray) -> bytes:
    """A small JPEG, `THUMBNAIL` pixels on its longer side."""
    height, width = bgr.shape[:2]
    scale = THUMBNAIL / max(height, width)
    coarse = max(int(0.5 / scale), 1)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return jpeg(cv2.resize(np.ascontiguousarray(bgr[::coarse, ::coarse]), size, interpolation=cv2.INTER_AREA), 75)

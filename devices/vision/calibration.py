"""How many pixels an inch has under a fixed stand: a sheet to print once, and what a picture of it tells.

The sheet is a grid of black discs whose middles are known to the tenth of a millimetre; printers that scale to the
page's printable part are found out by the ruler on it, which is to measure what stands beside it.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import cv2
import numpy as np
import pikepdf

from devices.vision.sizes import scaled

A4 = (210.0, 297.0)  # millimetres
ACROSS, DOWN = 6, 8  # discs
STEP = 30.0  # millimetres from middle to middle
DISC = 9.0  # millimetres
LEFT, TOP = (A4[0] - (ACROSS - 1) * STEP) / 2, 40.0  # of the first disc's middle
RULER = 150.0  # millimetres
POINT = 72 / 25.4
MOST_OFF = 0.6  # millimetres a disc may lie off its place for the figure to count
LONGER = 1600  # pixels of the copy in which discs are looked for
SHARE = 0.55  # a Bezier curve's handle for a quarter of a circle
ASKEW = 0.03  # share by which sizes may differ over the sheet


class CalibrationMistake(ValueError):
    """Why this picture tells nothing, as a sentence."""


@dataclass(frozen=True)
class Measured:
    """What a picture of the sheet tells: `dpi` in its middle, `least` and `most` over the sheet (a slanted camera has
    more where it is nearer), `off` the discs' mean distance from their places in millimetres; `across` the millimetres
    that the picture shows from left to right on the sheet's plane, whatever number of pixels it is sent in."""

    dpi: float
    least: float
    most: float
    off: float
    across: float

    @property
    def slant(self) -> float:
        """By which share sizes differ from the middle of the sheet to its rim."""
        return max(self.most / self.dpi, self.dpi / self.least) - 1

    @property
    def askew(self) -> bool:
        """Whether that is worth telling the technician."""
        return self.slant > ASKEW


def sheet() -> bytes:
    """The sheet as a PDF of one A4 page, to be printed at its true size."""
    draw = ["0 g"]
    for row in range(DOWN):
        for column in range(ACROSS):
            draw.append(_disc(LEFT + column * STEP, TOP + row * STEP, DISC / 2))
    x, y = (A4[0] - RULER) / 2, A4[1] - 18.0
    draw.append(_bar(x, y, RULER, 0.4))
    draw += [
        _bar(x + at * 10 - 0.15, y - (4 if at % 5 == 0 else 2.5), 0.3, 4 if at % 5 == 0 else 2.5) for at in range(16)
    ]
    draw.append(f"BT /F 9 Tf {x * POINT:.2f} {(A4[1] - y - 6) * POINT:.2f} Td (150 mm: print at 100 %) Tj ET")
    document = pikepdf.new()
    document.add_blank_page(page_size=(A4[0] * POINT, A4[1] * POINT))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    document.pages[0].Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
    document.pages[0].Contents = document.make_stream("\n".join(draw).encode())
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def measure(bgr: np.ndarray) -> Measured:
    """The pixels an inch has in a picture (h × w × 3, uint8, BGR) of the printed sheet. Raises CalibrationMistake."""
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    scale = min(LONGER / max(grey.shape), 1.0)
    small = cv2.resize(grey, scaled(grey, scale), interpolation=cv2.INTER_AREA) if scale < 1 else grey
    found, middles = cv2.findCirclesGrid(small, (ACROSS, DOWN), flags=cv2.CALIB_CB_SYMMETRIC_GRID)
    if not found:
        raise CalibrationMistake(
            "the calibration sheet was not found; lay it flat with all of its discs in the picture, in even light."
        )
    seen = (np.asarray(middles, np.float64).reshape(-1, 2) + 0.5) / scale - 0.5
    places = np.array([[x * STEP, y * STEP] for y in range(DOWN) for x in range(ACROSS)], np.float64)
    view, _ = cv2.findHomography(places, seen)
    back, _ = cv2.findHomography(seen, places)
    if view is None or back is None:
        raise CalibrationMistake("the calibration sheet lies too slanted to measure; turn the camera down to the desk.")
    there = cv2.perspectiveTransform(seen[None], back)[0]
    off = float(np.linalg.norm(there - places, axis=1).mean())
    if off > MOST_OFF:
        raise CalibrationMistake("the calibration sheet is not flat; press it down and try again.")
    each = [_dpi(view, place) for place in places]
    middle = _dpi(view, places.mean(axis=0))
    across = grey.shape[1] / middle * 25.4
    return Measured(round(middle, 2), round(min(each), 2), round(max(each), 2), round(off, 3), round(across, 1))


def _dpi(view: np.ndarray, place: np.ndarray) -> float:
    """Pixels an inch at this place: the root of how much larger a small square becomes."""
    tiny = place + np.array([[(0, 0), (0.5, 0), (0, 0.5)]])
    origin, right, below = cv2.perspectiveTransform(tiny, view)[0]
    (a, b), (c, d) = right - origin, below - origin
    return math.sqrt(abs(a * d - b * c)) / 0.5 * 25.4


def _disc(x: float, y: float, radius: float) -> str:
    """A black disc about x, y (millimetres from the top left) in a PDF's words."""
    cx, cy, r = x * POINT, (A4[1] - y) * POINT, radius * POINT
    h = r * SHARE
    return (
        f"{cx + r:.3f} {cy:.3f} m {cx + r:.3f} {cy + h:.3f} {cx + h:.3f} {cy + r:.3f} {cx:.3f} {cy + r:.3f} c "
        f"{cx - h:.3f} {cy + r:.3f} {cx - r:.3f} {cy + h:.3f} {cx - r:.3f} {cy:.3f} c "
        f"{cx - r:.3f} {cy - h:.3f} {cx - h:.3f} {cy - r:.3f} {cx:.3f} {cy - r:.3f} c "
        f"{cx + h:.3f} {cy - r:.3f} {cx + r:.3f} {cy - h:.3f} {cx + r:.3f} {cy:.3f} c f"
    )


def _bar(x: float, y: float, wide: float, high: float) -> str:
    return f"{x * POINT:.3f} {(A4[1] - y - high) * POINT:.3f} {wide * POINT:.3f} {high * POINT:.3f} re f"

"""Lays a found page flat: squared at its true proportions, turned, cropped; both sides of a card on one sheet."""

from __future__ import annotations

import cv2
import numpy as np

from devices.vision import quads
from devices.vision.sizes import scaled
from devices.vision.stripes import in_stripes

MM_PER_INCH = 25.4
A4 = (210.0, 297.0)  # millimetres, width × height, upright
CARD = (85.6, 53.98)  # ISO/IEC 7810 ID-1
SNAPS = (297 / 210, CARD[0] / CARD[1])  # longer through shorter side: ISO A (A4, A5 …), ID-1
SNAP = 0.035  # of the proportion: papers nearer than this to a standard size are of that size
SEEN = 1.1  # of A4's length: what a stand made for it sees
MOST_SIDE = 12_000  # pixels; a page flatter than the camera can see comes out no larger
CELL = 8  # pixels of the flat page over which the way back into the picture is taken for straight


def proportions(corners: np.ndarray, width: int, height: int) -> float:
    """Width through height of the page with these corners in a `width` × `height` picture, standard sizes exactly."""
    found = quads.proportion(corners, width, height)
    longer = max(found, 1 / found)
    for snap in SNAPS:
        if abs(longer / snap - 1) < SNAP:
            return snap if found >= 1 else 1 / snap
    return found


def likely_dpi(corners: np.ndarray, width: int, height: int) -> float:
    """Dots per inch of a page with these corners in a `width` × `height` picture from a stand nobody has measured.

    What has the proportions of ISO A is taken for A4, what has those of ID-1 for a card; everything else is measured by
    the picture, for a stand sees a little more than A4.
    """
    points = quads.clockwise(corners)
    found = proportions(points, width, height)
    longer = max(found, 1 / found)
    sides = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    for snap, long_mm in zip(SNAPS, (A4[1], CARD[0]), strict=True):
        if abs(longer / snap - 1) < 1e-6:
            return float(sides.max()) / long_mm * MM_PER_INCH
    return max(width, height) / (A4[1] * SEEN) * MM_PER_INCH


def rectify(
    bgr: np.ndarray, corners: np.ndarray, dpi: float | None = None, size_mm: tuple[float, float] | None = None
) -> np.ndarray:
    """The page with these corners (4 × 2, clockwise from the top left, pixels of `bgr`), flat: h × w × 3, uint8, BGR.

    `size_mm` (width, height) is its true size if known; it decides the proportions and, with `dpi`, the pixels. Without
    both of them the result has as many pixels along each side as the picture had at most.
    """
    height, width = bgr.shape[:2]
    points = quads.clockwise(corners)
    sides = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    across, down = float(max(sides[0], sides[2])), float(max(sides[1], sides[3]))
    if size_mm is not None and dpi is not None:
        wide, high = (mm / MM_PER_INCH * dpi for mm in size_mm)
    else:
        shape = size_mm[0] / size_mm[1] if size_mm is not None else proportions(points, width, height)
        wide, high = (across, across / shape) if across / down >= shape else (down * shape, down)
    shrink = min(1.0, MOST_SIDE / max(wide, high))
    out_wide, out_high = max(1, round(wide * shrink)), max(1, round(high * shrink))
    step = max(across / out_wide, down / out_high)
    bgr, points = _around(bgr, points)
    if step >= 2:
        # Fewer than half the pixels: warping alone would leave out some of them, and thin strokes with them.
        bgr, points = _smaller(bgr, points, 1 / step * 1.25)
    target = np.array([[0, 0], [out_wide, 0], [out_wide, out_high], [0, out_high]], np.float32) - 0.5
    return _warped(bgr, cv2.getPerspectiveTransform(target, points), out_wide, out_high)


def rotate(bgr: np.ndarray, quarters: int) -> np.ndarray:
    """Turned clockwise by so many quarter turns."""
    turns = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)
    turn = turns[quarters % 4]
    return bgr if turn is None else cv2.rotate(bgr, turn)


def crop(bgr: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """What is left between these shares (0 to 1) of its width and height; at least one pixel, a copy."""
    height, width = bgr.shape[:2]
    x0, x1 = sorted((round(np.clip(left, 0, 1) * width), round(np.clip(right, 0, 1) * width)))
    y0, y1 = sorted((round(np.clip(top, 0, 1) * height), round(np.clip(bottom, 0, 1) * height)))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return bgr[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].copy()


def place_card_sides(front: np.ndarray, back: np.ndarray, dpi: float = 300.0) -> np.ndarray:
    """One upright white A4 sheet at `dpi`, both sides of an ID card (flat pictures, BGR) at true size, front above."""
    pixels = dpi / MM_PER_INCH
    sheet = np.full((round(A4[1] * pixels), round(A4[0] * pixels), 3), 255, np.uint8)
    size = (round(CARD[0] * pixels), round(CARD[1] * pixels))
    left = (sheet.shape[1] - size[0]) // 2
    for side, middle in ((front, 1 / 3), (back, 2 / 3)):
        lying = rotate(side, 1) if side.shape[0] > side.shape[1] else side
        how = cv2.INTER_AREA if lying.shape[1] > size[0] else cv2.INTER_LINEAR
        top = round(sheet.shape[0] * middle - size[1] / 2)
        sheet[top : top + size[1], left : left + size[0]] = cv2.resize(lying, size, interpolation=how)
    return sheet


def _around(bgr: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of the picture around these points (a view), and the points in it."""
    height, width = bgr.shape[:2]
    x0, y0 = np.floor(np.clip(points.min(axis=0) - 2, 0, (width - 1, height - 1))).astype(int)
    x1, y1 = np.ceil(np.clip(points.max(axis=0) + 3, (x0 + 1, y0 + 1), (width, height))).astype(int)
    return bgr[y0:y1, x0:x1], (points - (x0, y0)).astype(np.float32)


def _smaller(bgr: np.ndarray, points: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture made smaller without losing strokes, and the points in it."""
    less = cv2.resize(bgr, scaled(bgr, scale), interpolation=cv2.INTER_AREA)
    real = np.array([less.shape[1] / bgr.shape[1], less.shape[0] / bgr.shape[0]])
    return less, ((points + 0.5) * real - 0.5).astype(np.float32)


def _warped(bgr: np.ndarray, back: np.ndarray, width: int, height: int) -> np.ndarray:
    """The `width` × `height` picture whose pixels lie in `bgr` where `back` (3 × 3) says; its edges go on for ever.

    As `cv2.warpPerspective` makes it, in much less time: the way back is worked out once for each cell of CELL × CELL
    pixels, and made finer in stripes, which are whole rows of cells.
    """
    across, down = (np.arange(-1, -(-side // CELL) + 1) * CELL + (CELL - 1) / 2 for side in (width, height))
    coarse = cv2.perspectiveTransform(np.dstack(np.meshgrid(across, down)), back).astype(np.float32)
    out = np.empty((height, width, *bgr.shape[2:]), np.uint8)

    def stripe(top: int, bottom: int) -> None:
        cells = coarse[top // CELL : -(-bottom // CELL) + 2]
        fine = cv2.resize(cells, None, fx=CELL, fy=CELL)[CELL : CELL + bottom - top, CELL : CELL + width]
        at, between = cv2.convertMaps(fine, None, cv2.CV_16SC2)  # type: ignore[call-overload]  # both are in `fine`
        cv2.remap(bgr, at, between, cv2.INTER_LINEAR, dst=out[top:bottom], borderMode=cv2.BORDER_REPLICATE)

    in_stripes(height, stripe)
    return out

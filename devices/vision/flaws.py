"""What spoils a shot of a page: blur, glare, a hand on it, an edge cut off. Told before the page is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from devices.vision import quads
from devices.vision.judging import COVERED, CUT_OFF, FAINT, PageFound

BLURRED, GLARE, FINGER = "blurred", "glare", "finger"
WORDS = {
    BLURRED: "The page is not sharp; hold it still, or wipe the lens.",
    GLARE: "A lamp is mirrored on the page; turn the page or the lamp a little.",
    FINGER: "A hand lies on the page; take it away.",
    CUT_OFF: "The page reaches beyond the picture; move it to the middle.",
    COVERED: "A corner of the page is covered; free it.",
    FAINT: "The page is as light as the desk; lay something dark under it.",
}
MOST_SIDE = 1600  # pixels of a page that is judged by its strokes: more shows nothing but noise
PIECE = 96  # pixels of a piece of it
WIDE, HIGH = 360, 480  # pixels of the page as it is judged by its spots
CONTRAST = 28  # grey levels a stroke steps by, at least, for its sharpness to count
STROKES = 60  # such places, at least
SOFT = 0.30  # of a stroke's whole step that its steepest pixel has to take; a sharp one takes half
BURNT = 252  # grey levels from which on nothing is left of paper
BURNT_SHARE = 0.004  # of the page
SKIN_SHARE = 0.006  # of the page


def flaws(bgr: np.ndarray, corners: np.ndarray | Sequence[Sequence[float]]) -> tuple[str, ...]:
    """The flags of the page with these corners (4 × 2, clockwise) in a picture (h × w × 3, uint8, BGR)."""
    points = quads.clockwise(np.asarray(corners, np.float32))
    height, width = bgr.shape[:2]
    out = []
    if (points < 0).any() or (points[:, 0] > width - 1).any() or (points[:, 1] > height - 1).any():
        out.append(CUT_OFF)
    flat = _flat(bgr, points)
    if is_blurred(_pieces(bgr, points)):
        out.append(BLURRED)
    if has_glare(flat):
        out.append(GLARE)
    if has_hand(flat):
        out.append(FINGER)
    return tuple(out)


def flagged(bgr: np.ndarray, pages: Sequence[PageFound]) -> list[PageFound]:
    """The pages with all their flags."""
    return [
        dataclasses.replace(page, flags=tuple(dict.fromkeys((*page.flags, *flaws(bgr, page.corners)))))
        for page in pages
    ]


def is_blurred(grey: np.ndarray) -> bool:
    """Whether the strokes on a flat page (h × w, uint8) have soft edges; a page without strokes is not blurred.

    At the edge of a stroke the brightest and the darkest pixel nearby are a step apart; sharp print takes most of it
    from one pixel to the next, whatever the light and the camera's noise.
    """
    calm = cv2.GaussianBlur(grey, (0, 0), 0.6)
    wide = np.ones((9, 9), np.uint8)
    step = cv2.subtract(cv2.dilate(calm, wide), cv2.erode(calm, wide))
    across = cv2.absdiff(calm[1:-1, 2:], calm[1:-1, :-2])
    down = cv2.absdiff(calm[2:, 1:-1], calm[:-2, 1:-1])
    steep = cv2.dilate(cv2.max(across, down), np.ones((5, 5), np.uint8))
    step = step[1:-1, 1:-1]
    strong = step >= max(CONTRAST, int(np.percentile(step[::3, ::3], 98) * 0.6))
    if np.count_nonzero(strong) < STROKES:
        return False
    share = steep[strong].astype(np.float32) / step[strong]
    return bool(np.percentile(share, 75) < 2 * SOFT)


def has_glare(flat: np.ndarray) -> bool:
    """Whether a spot of a flat page is burnt out while the rest is not."""
    blue, green, red = cv2.split(flat)
    least = cv2.min(cv2.min(blue, green), red)
    burnt = cv2.morphologyEx((least >= BURNT).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    share = float(burnt.mean())
    # Where nearly all is white it is the exposure, and no spot; where paper is about as light anyway, no print is lost.
    return BURNT_SHARE < share < 0.5 and float(np.median(least[::3, ::3])) < 238


def has_hand(flat: np.ndarray) -> bool:
    """Whether something of the colour of skin reaches into a flat page from its rim. A portrait does not reach the rim;
    a page that is coloured like skin itself has no hand for that."""
    small = cv2.resize(flat, (WIDE // 2, HIGH // 2), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (5, 5), 0), cv2.COLOR_BGR2LAB).astype(np.int16)
    paper = np.median(lab[::3, ::3].reshape(-1, 3), axis=0)
    red, yellow, light = lab[..., 1] - 128, lab[..., 2] - 128, lab[..., 0]
    away = np.abs(lab[..., 1:] - paper[1:]).max(axis=2) > 8
    skin = (red > 5) & (red < 45) & (yellow > 4) & (yellow < 50) & (light > 40) & (light < 235) & away
    mask = cv2.morphologyEx(skin.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    for number in range(1, count):
        left, top, wide, high, area = (int(value) for value in stats[number])
        at_rim = left <= 1 or top <= 1 or left + wide >= mask.shape[1] - 1 or top + high >= mask.shape[0] - 1
        deep = min(wide, high) >= 8  # no sliver of the desk along a side
        if at_rim and deep and area > SKIN_SHARE * mask.size:
            return True
    return False


def _flat(bgr: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The page laid flat and small, a hair within its sides: HIGH × WIDE × 3."""
    middle = points.mean(axis=0)
    within = (middle + (points - middle) * 0.985).astype(np.float32)
    target = np.array([[0, 0], [WIDE, 0], [WIDE, HIGH], [0, HIGH]], np.float32)
    matrix = cv2.getPerspectiveTransform(within, target)
    return np.asarray(cv2.warpPerspective(bgr, matrix, (WIDE, HIGH), borderMode=cv2.BORDER_REPLICATE))


def _pieces(bgr: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Pieces from all over the page side by side, grey, as large as they were seen (but the page no more than MOST_SIDE
    long): PIECE high."""
    sides = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    shrink = min(1.0, MOST_SIDE / float(sides.max()))
    half = round(PIECE / shrink / 2)
    square = cv2.getPerspectiveTransform(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32), points)
    grid = np.array([[[x, y] for y in (0.2, 0.4, 0.6, 0.8) for x in (0.22, 0.5, 0.78)]], np.float32)
    height, width = bgr.shape[:2]
    out = []
    for x, y in np.rint(cv2.perspectiveTransform(grid, square)[0]).astype(int):
        if half <= x < width - half and half <= y < height - half:
            piece = cv2.cvtColor(bgr[y - half : y + half, x - half : x + half], cv2.COLOR_BGR2GRAY)
            out.append(cv2.resize(piece, (PIECE, PIECE), interpolation=cv2.INTER_AREA) if shrink < 1 else piece)
    return np.hstack(out) if out else np.full((PIECE, PIECE), 255, np.uint8)

"""How a squared page is made to look: whitened, as shot, black and white, or as the two pages of a book.

Whitening must not cost a clerk's patience: where the light fell is worked out on a map one sixteenth the size, and
the full picture is walked through once.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from devices.vision.stripes import in_stripes

MODES = ("document", "photo", "black-and-white", "book")
STEP = 16  # a cell of the light map, in pixels of the page
WHITE = 0.943  # of the paper's own colour: from there on it is white, for its grain must drown, a pencil line must not
BLACK = 0.14  # of it: what is darker is ink through and through
DEEP = 0.15  # of the paper's lightness, by which a photograph or a block of colour is darker at least
SHARP = 0.6  # of that step, taken within two cells of the light map: its rim is no shadow's
ALL_AROUND = 0.7  # share of the rim that is so
SEEN = 1600  # pixels of height in which a book's lines are followed
CELL = 16  # of those pixels: how closely
FEWEST = 6  # long lines a bend can be told from


def whiten(bgr: np.ndarray) -> np.ndarray:
    """The page evenly lit on white paper; ink darker, stamps and blue ink as saturated as they are.

    `bgr` and the result are height × width × 3, uint8. Each colour is divided by the paper's own colour at its place,
    so warm lamps and shadows go while the hue of what is printed stays.
    """
    height, width = bgr.shape[:2]
    # The light at each pixel, in whose place the page is written: fresh memory would cost as much as the division.
    page = np.asarray(cv2.resize(_light(bgr), (width, height), interpolation=cv2.INTER_LINEAR))

    def stripe(top: int, bottom: int) -> None:
        light = page[top:bottom]
        above = cv2.addWeighted(bgr[top:bottom], 1, light, -BLACK, 0)  # what is darker than black stays at 0
        cv2.divide(above, light, dst=page[top:bottom], scale=255 / (WHITE - BLACK))

    in_stripes(height, stripe)
    return page


def ink(bgr: np.ndarray) -> np.ndarray:
    """Ink or paper: height × width, uint8, 0 where there is ink and 255 elsewhere; for fax-like storage (CCITT G4).

    The threshold follows the light; a red stamp becomes black like the rest (the darkest of the three colours counts).
    """
    darkest = np.asarray(bgr.min(axis=2)) if bgr.ndim == 3 else bgr
    height, width = darkest.shape
    light = cv2.resize(_light(darkest), (width, height), interpolation=cv2.INTER_LINEAR)
    even = cv2.divide(darkest, light, scale=255)
    # Two thirds of the way up: thin grey strokes stay, the grain of the paper and what shines through goes.
    level, _ = cv2.threshold(even[even < 225].reshape(-1, 1), 0, 255, cv2.THRESH_OTSU) if (even < 225).any() else (0, 0)
    level = min(max(level, 110), 185)
    return np.asarray(cv2.threshold(even, level, 255, cv2.THRESH_BINARY)[1])


def halves(bgr: np.ndarray) -> list[np.ndarray]:
    """The left and the right page of an open book (copies); one picture when no gutter is found.

    The gutter is the upright valley of light near the middle of a picture wider than high.
    """
    height, width = bgr.shape[:2]
    if width < 1.15 * height:
        return [bgr.copy()]
    gutter = _gutter(bgr)
    return [bgr[:, :gutter].copy(), bgr[:, gutter:].copy()]


def unbend(bgr: np.ndarray) -> np.ndarray:
    """A page of a bound book with its lines of print pulled straight; same size and type as given.

    The bend is taken from the lines of print: their height is followed across the page, one smooth curve (of the fifth
    degree across, its strength changing evenly from top to bottom) is fitted to all of them and taken out by moving
    columns up and down. What a classical method of this kind cannot do: it does not stretch the letters that the bend
    towards the gutter has made narrow, cannot bring back what disappears in the gutter, follows no crumples or
    dog-ears, and leaves a page with fewer than six long lines (pictures, tables without text) as it is.
    """
    bend = _bend(bgr)
    if bend is None:
        return bgr.copy()
    height, width = bgr.shape[:2]
    coarse = np.linspace(-1, 1, 65)
    xs, ys = np.meshgrid(coarse.clip(*bend.reach), coarse)
    shift = (_terms(xs, ys) @ bend.weights * height).astype(np.float32)
    down = cv2.resize(shift, (width, height), interpolation=cv2.INTER_LINEAR)
    down += np.arange(height, dtype=np.float32)[:, None]
    across = np.broadcast_to(np.arange(width, dtype=np.float32), (height, width))
    return np.asarray(cv2.remap(bgr, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


@dataclass(frozen=True)
class _Bend:
    """How far print has slid down at a place, as a share of the height: `_terms(x, y) @ weights`; x, y from -1 to 1."""

    weights: np.ndarray
    reach: tuple[float, float]  # from which x to which there was print to see; beyond, nothing is guessed


def _terms(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    powers = [x, x**2, x**3, x**4, x**5]
    return np.stack([*powers, *(power * y for power in powers)], axis=-1)


def _light(picture: np.ndarray) -> np.ndarray:
    """The paper's colour at each cell of STEP × STEP pixels, as if nothing were printed: small, uint8."""
    height, width = picture.shape[:2]
    # Every fourth pixel is enough to know the paper, and averaging all of them costs three times as much.
    fine, size = (tuple(max(side // step, 1) for side in (width, height)) for step in (4, STEP))
    thin = cv2.resize(picture, fine, interpolation=cv2.INTER_NEAREST_EXACT)
    small = cv2.resize(thin, size, interpolation=cv2.INTER_AREA)
    reach = max(3, min(size) // 20) | 1
    # Paper is the brightest thing around: letters and thin lines drown in their neighbours' light.
    open_ = cv2.dilate(small, np.ones((reach, reach), np.uint8))
    open_ = cv2.erode(open_, np.ones((reach, reach), np.uint8))
    smooth = cv2.medianBlur(_without_blocks(open_), min(2 * reach + 1, 31))
    # A photograph or a solid block of colour is no shadow: the light never falls below half of what it mostly is.
    floor = (np.percentile(smooth.reshape(-1, *smooth.shape[2:]), 75, axis=0) * 0.45).astype(np.uint8)
    return np.ascontiguousarray(np.maximum(smooth, np.maximum(floor, 1)))


def _without_blocks(light: np.ndarray) -> np.ndarray:
    """The light map as if there were paper where a photograph or a block of colour is printed.

    What tells them from a shadow is their rim: a shadow's is soft. What reaches the page's own rim is left as it is:
    the panels of a folded letter are lit each in its own way, and end sharply too.
    """
    half = np.ones((min(light.shape[:2]) // 2 | 1,) * 2, np.uint8)
    paper = cv2.erode(cv2.dilate(light, half), half)
    near = np.ones((3, 3), np.uint8)
    darkest, beside = (each.reshape(*light.shape[:2], -1).min(axis=2).astype(np.float32) for each in (light, paper))
    inside = cv2.erode(darkest, near)
    sharp = cv2.dilate(darkest, near) - inside > SHARP * (beside - inside)
    deep = (darkest < (1 - DEEP) * beside).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(deep, connectivity=4)
    covered = np.zeros(deep.shape, np.uint8)
    for number in range(1, count):
        left, top, width, height = stats[number, :4]
        if left == 0 or top == 0 or left + width == deep.shape[1] or top + height == deep.shape[0]:
            continue
        block = (labels == number).astype(np.uint8)
        rim = (block > 0) & (cv2.erode(block, near) == 0)
        if sharp[rim].mean() > ALL_AROUND:
            covered |= cv2.dilate(block, near, iterations=2)
    return cv2.inpaint(light, covered, 3, cv2.INPAINT_NS) if covered.any() else light


def _gutter(bgr: np.ndarray) -> int:
    """The column, in pixels, where two pages meet: darkest and least printed near the middle."""
    width = bgr.shape[1]
    small = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (400, 300), interpolation=cv2.INTER_AREA)
    # The shadow of the fold is on the paper itself: look at the brightest tenth of each column, not at its letters.
    paper = np.percentile(small, 90, axis=0).astype(np.float32)
    paper = cv2.GaussianBlur(paper.reshape(1, -1), (0, 0), 3).ravel()
    middle = np.arange(400)
    window = (middle > 140) & (middle < 260)
    depth = cv2.GaussianBlur(paper.reshape(1, -1), (0, 0), 25).ravel() - paper
    best = int(np.argmax(np.where(window, depth - 0.02 * np.abs(middle - 200), -1e9)))
    if depth[best] < 1.5:  # no fold to see: the middle
        best = 200
    return int((best + 0.5) * width / 400)


def _bend(bgr: np.ndarray) -> _Bend | None:
    """The page's bend, or None when it shows too little print to tell."""
    gray = np.asarray(bgr.min(axis=2))
    if not 1 / 4 < gray.shape[0] / gray.shape[1] < 4 or min(gray.shape) < 64:
        return None
    high = SEEN
    wide = round(gray.shape[1] * high / gray.shape[0])
    dark = 255 - ink(cv2.resize(gray, (wide, high), interpolation=cv2.INTER_AREA))
    # Letters of a line grow together sideways; a line is then one long flat piece.
    joined = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((1, wide // 30), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((3, wide // 60), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    lines = []
    for piece in range(1, count):
        left, top, width, height = stats[piece, :4]
        if width >= wide * 0.3 and height <= high * 0.12:
            part = labels[top : top + height, left : left + width] == piece
            lines.append(_followed(part & (dark[top : top + height, left : left + width] > 0), left, top, wide))
    return _fitted(lines, high) if len(lines) >= FEWEST else None


def _followed(inked: np.ndarray, left: int, top: int, wide: int) -> tuple[np.ndarray, np.ndarray]:
    """(x from -1 to 1, height in pixels) along one line of print, every tenth of an inch or so."""
    xs, ys = [], []
    for begin in range(0, inked.shape[1] - CELL, CELL):
        rows = np.flatnonzero(inked[:, begin : begin + CELL].any(axis=1))
        if len(rows):
            xs.append((left + begin + CELL / 2) / wide * 2 - 1)
            ys.append(top + (rows[0] + rows[-1]) / 2)
    return np.array(xs), np.array(ys, np.float64)


def _fitted(lines: list[tuple[np.ndarray, np.ndarray]], high: int) -> _Bend:
    """Least squares over all lines at once: each line has its own height, all share one bend."""
    terms = np.concatenate([_terms(xs, np.full_like(xs, np.median(ys) / high * 2 - 1)) for xs, ys in lines])
    heights = np.concatenate([ys / high for _, ys in lines])
    line = np.repeat(np.arange(len(lines)), [len(xs) for xs, _ in lines])
    keep = np.ones(len(heights), bool)
    weights = np.zeros(terms.shape[1])
    for _ in range(5):  # ascenders, stamps and joined lines are thrown out as they show themselves
        weights = np.linalg.lstsq(_centred(terms[keep], line[keep]), _centred(heights[keep], line[keep]), rcond=None)[0]
        rest = heights - terms @ weights
        for number in np.unique(line[keep]):
            rest[line == number] -= np.median(rest[(line == number) & keep])
        limit = max(2.5 * 1.48 * float(np.median(np.abs(rest[keep]))), 1 / high)
        keep = np.abs(rest) < limit
    across = np.concatenate([xs for xs, _ in lines])
    return _Bend(weights, (float(across.min()), float(across.max())))


def _centred(values: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Less the mean of its line."""
    out = values.astype(np.float64, copy=True)
    for number in np.unique(line):
        out[line == number] -= out[line == number].mean(axis=0)
    return out

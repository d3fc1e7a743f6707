"""Lays crumpled, bent and slanted QR codes flat, so that a scanner that expects a plane can read them.

The three finder patterns tell roughly where each module lies. Wherever two modules of different colour meet there is
an edge on the lattice of modules; how far the edges seen have slid off that lattice is the phase of their rhythm at
each place. Followed outwards from the finder patterns, the phase gives the bend of the paper to a fraction of a module.
Nothing is decoded here: the modules are drawn anew as a flat code, whose own error correction judges them.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

FINDER = 7  # modules a finder pattern is wide
STEP = 8  # pixels of a module while the bend is followed
DRAWN = 4  # pixels of a module in the flat code
QUIET = 4  # modules of white around it
SMALLEST = 21  # modules of the smallest code, which alone has no alignment pattern
MOST = 97  # modules of a code that is tried; larger ones are not printed where paper crumples
LEAST_FINDER = 10.0  # pixels: below, a module is hardly more than one
TRIPLES = 6  # sets of three finder patterns tried in a picture
WINDOWS = (1.6, 1.2)  # modules over which the rhythm is listened to, first and then
SEARCHED = 4  # modules around its place in which the alignment pattern is looked for
LIKE = 0.6  # from this correlation on it is one
NEIGHBOURS = ((0, 1), (1, 0), (0, -1), (-1, 0))


@dataclass(frozen=True)
class Flat:
    """A code drawn anew: `grey` (h × w, uint8, quiet zone included) and `back` (3 × 3), which brings its points to
    about where they were seen."""

    grey: np.ndarray
    back: np.ndarray


def flattened(grey: np.ndarray) -> Iterator[Flat]:
    """The QR codes in a picture (h × w, uint8) laid flat, the likeliest first; each in the sizes it may have."""
    for finders in _triples(_finders(grey)):
        for modules in _sizes(finders):
            flat = _flat(grey, finders, modules)
            if flat is not None:
                yield flat


# ---- finder patterns -------------------------------------------------------------------------------------------


def _finders(grey: np.ndarray) -> list[np.ndarray]:
    """Corners (4 × 2) of what may be finder patterns: a dark ring with a dark square in it."""
    found: list[np.ndarray] = []
    shorter = min(grey.shape)
    for share in (6, 14):
        block = max(shorter // share, 11) | 1
        dark = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 6)
        contours, tree = cv2.findContours(dark, cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
        for number, contour in enumerate(contours):
            hole = tree[0][number][2]
            core = tree[0][hole][2] if hole >= 0 else -1
            if core < 0:
                continue
            corners = _square(contour)
            if corners is None or any(np.linalg.norm(corners.mean(0) - o.mean(0)) < LEAST_FINDER / 2 for o in found):
                continue
            ring, inner = cv2.contourArea(contour), cv2.contourArea(contours[core])
            if 0.06 < inner / max(ring, 1.0) < 0.4:  # 9 of 49 in print; blur and thresholds move it
                found.append(corners)
    return found


def _square(contour: np.ndarray) -> np.ndarray | None:
    """Four corners (4 × 2 float32, clockwise) of an outline that is about a square."""
    hull = cv2.convexHull(contour)
    if len(hull) < 4 or cv2.contourArea(hull) < LEAST_FINDER**2:
        return None
    if cv2.contourArea(contour) < 0.8 * cv2.contourArea(hull):
        return None
    corners = cv2.approxPolyN(hull, 4, ensure_convex=True).reshape(-1, 2).astype(np.float32)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    return corners if len(corners) == 4 and sides.min() > 0.4 * sides.max() else None


def _triples(finders: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Sets of three finder patterns (3 × 4 × 2: top left, top right, bottom left) that may be those of one code."""
    rated = []
    for three in itertools.islice(itertools.combinations(finders, 3), 2000):
        middles = np.array([corners.mean(axis=0) for corners in three])
        sizes = np.array([np.sqrt(cv2.contourArea(corners)) for corners in three])
        if sizes.min() < 0.5 * sizes.max():
            continue
        for top_left in range(3):
            right, down = (middles[(top_left + turn) % 3] - middles[top_left] for turn in (1, 2))
            order = [top_left, (top_left + 1) % 3, (top_left + 2) % 3]
            cross = float(right[0] * down[1] - right[1] * down[0])
            if cross < 0:
                right, down, order = down, right, [order[0], order[2], order[1]]
            long = np.linalg.norm(right), np.linalg.norm(down)
            if min(long) < 1.6 * sizes.max() or min(long) < 0.5 * max(long) or abs(cross) < 0.6 * long[0] * long[1]:
                continue
            slant = abs(float(right @ down)) / float(long[0] * long[1])
            rated.append((slant + abs(float(np.log(long[0] / long[1]))), order, three))
    for _, order, three in sorted(rated, key=lambda each: each[0])[:TRIPLES]:
        yield np.array([three[number] for number in order])


def _sizes(finders: np.ndarray) -> list[int]:
    """How many modules wide the code may be, the likeliest first."""
    middles = finders.mean(axis=1)
    modules = []
    for other in (1, 2):
        way = middles[other] - middles[0]
        length = float(np.linalg.norm(way))
        across = np.mean([np.ptp(_ordered_along(finders[each], way / length)) for each in (0, other)])
        modules.append(length / (across / FINDER))
    guess = float(np.mean(modules)) + FINDER
    sizes = range(SMALLEST, MOST + 1, 4)
    return sorted((size for size in sizes if abs(size - guess) < 0.16 * guess), key=lambda size: abs(size - guess))[:3]


def _ordered_along(corners: np.ndarray, way: np.ndarray) -> np.ndarray:
    """How far along `way` the two ends of a finder pattern are: the middles of its sides."""
    along = np.sort(corners @ way)
    return np.array([along[:2].mean(), along[2:].mean()])


# ---- the bend --------------------------------------------------------------------------------------------------


def _flat(grey: np.ndarray, finders: np.ndarray, modules: int) -> Flat | None:
    """The code of so many modules between these finder patterns, drawn flat; None when no lattice is heard."""
    spots = _roughly(grey, finders, modules)
    for window in WINDOWS:
        seen = cv2.remap(grey, spots, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        slid = _slid(seen, modules, window)
        spots = _moved(spots, slid)
    seen = cv2.remap(grey, spots, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    clean = _drawn(_modules(seen, modules))
    height, width = clean.shape
    edge = QUIET * DRAWN
    drawn = np.array([(edge, edge), (width - edge, edge), (width - edge, height - edge), (edge, height - edge)])
    corners = np.array([spots[0, 0], spots[0, -1], spots[-1, -1], spots[-1, 0]], np.float32)
    return Flat(clean, cv2.getPerspectiveTransform(drawn.astype(np.float32), corners))


def _roughly(grey: np.ndarray, finders: np.ndarray, modules: int) -> np.ndarray:
    """Where each pixel of the flat code (STEP a module) is seen, from the corners of its finder patterns alone."""
    far = modules - FINDER
    square = np.array([(0, 0), (FINDER, 0), (FINDER, FINDER), (0, FINDER)], np.float64)
    lattice = np.concatenate([square, square + (far, 0), square + (0, far)])
    middles = finders.mean(axis=1)
    plane = np.array([(middles[1] - middles[0]) / far, (middles[2] - middles[0]) / far])
    guess = (lattice - FINDER / 2) @ plane + middles[0]
    # Which corner is which: the turn of each pattern's four that brings them nearest to the guess.
    seen = []
    for number, corners in enumerate(finders):
        at = guess[4 * number : 4 * number + 4]
        turns = [np.roll(each, turn, axis=0) for each in (corners, corners[::-1]) for turn in range(4)]
        seen.append(min(turns, key=lambda each: float(np.abs(each - at).sum())))
    corners = np.concatenate(seen)
    spots = _through(lattice, corners, modules)
    mark = _alignment(grey, spots) if modules > SMALLEST else None
    if mark is None:
        return spots
    at = cv2.remap(spots, np.array([[mark]], np.float32), None, cv2.INTER_LINEAR)[0]
    middle = modules - FINDER + 0.5
    return _through(np.vstack([lattice, (middle, middle)]), np.vstack([corners, at]), modules)


def _alignment(grey: np.ndarray, spots: np.ndarray) -> np.ndarray | None:
    """Where the alignment pattern at the fourth corner is seen, in pixels (x, y) of the roughly flat code."""
    ring = np.pad(np.pad(np.zeros((1, 1)), 1, constant_values=1), 1)
    pattern = cv2.GaussianBlur(np.kron(ring, np.ones((STEP, STEP))).astype(np.float32), (0, 0), STEP / 4)
    reach = (SEARCHED + len(ring) // 2) * STEP
    middle = len(spots) - (2 * FINDER - 1) * STEP // 2
    start, stop = middle - reach - STEP // 2, min(middle + reach + STEP // 2, len(spots))
    seen = cv2.remap(grey, np.ascontiguousarray(spots[start:stop, start:stop]), None, cv2.INTER_LINEAR)
    likeness = cv2.matchTemplate(seen.astype(np.float32), pattern, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(likeness)
    return np.array([x, y], np.float32) + (start + len(pattern) / 2 - 0.5) if best > LIKE else None


def _through(lattice: np.ndarray, seen: np.ndarray, modules: int) -> np.ndarray:
    """Where each pixel of the flat code is seen: the plate bent least that goes through these points of it."""
    plate = np.column_stack([np.ones(len(lattice)), lattice])
    corner = np.zeros((3, 3))
    system = np.block([[_bent(lattice, lattice), plate], [plate.T, corner]])
    weights = np.linalg.solve(system, np.vstack([seen, np.zeros((3, 2))]))
    # Worked out at the modules' corners; between them it is as good as straight.
    xs, ys = np.meshgrid(*[np.arange(modules + 1.0)] * 2)
    nodes = np.column_stack([xs.ravel(), ys.ravel()])
    at = np.hstack([_bent(nodes, lattice), np.ones((len(nodes), 1)), nodes]) @ weights
    coarse = at.reshape(modules + 1, modules + 1, 2).astype(np.float32)
    xs, ys = np.meshgrid(*[((np.arange(modules * STEP) + 0.5) / STEP).astype(np.float32)] * 2)
    return cv2.remap(coarse, xs, ys, cv2.INTER_LINEAR)


def _bent(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The thin plate's shape at n `points` for a push at m `others`: n × m."""
    squared = ((points[:, None] - others[None]) ** 2).sum(axis=2)
    return np.asarray(squared * np.log(np.maximum(squared, 1e-12)))


def _slid(seen: np.ndarray, modules: int, window: float) -> np.ndarray:
    """How far, in modules to the right and down, the lattice has slid at each module (modules × modules × 2)."""
    calm = cv2.GaussianBlur(seen, (0, 0), STEP / 6).astype(np.float32)
    beat = np.exp(2j * np.pi * np.arange(modules * STEP) / STEP)
    parts = []
    for across in (True, False):
        edges = np.abs(cv2.Sobel(calm, cv2.CV_32F, int(across), int(not across), ksize=3))
        edges = np.minimum(edges, np.percentile(edges, 97))
        heard = edges * (beat[None, :] if across else beat[:, None])
        real, imaginary = (
            cv2.GaussianBlur(np.ascontiguousarray(part, np.float32), (0, 0), window * STEP)
            for part in (heard.real, heard.imag)
        )
        parts.append((real + 1j * imaginary)[STEP // 2 :: STEP, STEP // 2 :: STEP])
    return _unwrapped(np.angle(np.stack(parts, axis=-1)) / (2 * np.pi), np.abs(parts[0]) + np.abs(parts[1]))


def _unwrapped(phase: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """The phase (h × w × 2, in turns) followed from the finder patterns to wherever it is clearest next: of all the
    turns it may have made, the number nearest to the neighbour it was reached from."""
    size = len(phase)
    out = phase.copy()
    done = np.zeros((size, size), bool)
    near, far = FINDER // 2, size - 1 - FINDER // 2
    heap: list[tuple[float, int, int, int, int]] = []
    for row, column in ((near, near), (near, far), (far, near)):
        heapq.heappush(heap, (-np.inf, row, column, row, column))
    while heap:
        _, row, column, before, beside = heapq.heappop(heap)
        if done[row, column]:
            continue
        done[row, column] = True
        if (row, column) != (before, beside):
            out[row, column] += np.round(out[before, beside] - out[row, column])
        for down, right in NEIGHBOURS:
            y, x = row + down, column + right
            if 0 <= y < size and 0 <= x < size and not done[y, x]:
                heapq.heappush(heap, (-float(clear[y, x]), y, x, row, column))
    return out


def _moved(spots: np.ndarray, slid: np.ndarray) -> np.ndarray:
    """The places of the flat code's pixels, once each has slid so far."""
    count = len(spots)
    wide = cv2.resize(slid.astype(np.float32), (count, count), interpolation=cv2.INTER_LINEAR) * STEP
    ys, xs = np.mgrid[:count, :count].astype(np.float32)
    at = np.stack([xs, ys], axis=-1) + wide
    return _continued(spots, at)


def _continued(spots: np.ndarray, at: np.ndarray) -> np.ndarray:
    """`spots` at these places (x, y), carried on in a straight line beyond its rim."""
    last = len(spots) - 1
    inside = np.clip(at, 0, last)
    here = cv2.remap(spots, inside, None, cv2.INTER_LINEAR)
    beyond = at - inside
    right = np.gradient(spots, axis=1)[np.rint(inside[..., 1]).astype(int), np.rint(inside[..., 0]).astype(int)]
    down = np.gradient(spots, axis=0)[np.rint(inside[..., 1]).astype(int), np.rint(inside[..., 0]).astype(int)]
    return np.asarray(here + beyond[..., :1] * right + beyond[..., 1:] * down, np.float32)


# ---- the modules -----------------------------------------------------------------------------------------------


def _modules(seen: np.ndarray, modules: int) -> np.ndarray:
    """Which modules are light (modules × modules, bool), each beside what is around it."""
    core = slice(STEP // 4, STEP - STEP // 4)
    cells = seen.reshape(modules, STEP, modules, STEP)[:, core, :, core].mean(axis=(1, 3)).astype(np.float32)
    around = np.ones((FINDER, FINDER), np.uint8)
    darkest, lightest = cv2.erode(cells, around), cv2.dilate(cells, around)
    middle = cv2.GaussianBlur((darkest + lightest) / 2, (0, 0), 2)
    return np.asarray(cells > middle)


def _drawn(light: np.ndarray) -> np.ndarray:
    """The code flat and clean. Its finder patterns and their margins are drawn as they must be."""
    size = len(light)
    sheet = light.copy()
    ring = np.pad(np.pad(np.pad(np.zeros((3, 3), bool), 1, constant_values=True), 1), 1, constant_values=True)
    for rows, columns, part in (
        (slice(0, 8), slice(0, 8), ring[1:, 1:]),
        (slice(0, 8), slice(size - 8, size), ring[1:, :-1]),
        (slice(size - 8, size), slice(0, 8), ring[:-1, 1:]),
    ):
        sheet[rows, columns] = part
    sheet = np.pad(sheet, QUIET, constant_values=True)
    return np.kron(sheet, np.ones((DRAWN, DRAWN), bool)).astype(np.uint8) * np.uint8(255)

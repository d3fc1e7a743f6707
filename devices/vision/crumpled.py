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
MARGIN = 2  # modules around it that are followed too: at its rim the bend needs both sides
DRAWN = 4  # pixels of a module in the flat code
QUIET = 4  # modules of white around it
SMALLEST = 21  # modules of the smallest code, which alone has no alignment pattern
MOST = 97  # modules of a code that is tried; larger ones are not printed where paper crumples
LEAST_FINDER = 10.0  # pixels: below, a module is hardly more than one
BLOCKS = 6, 14  # parts of the picture's shorter side: places within which light is told from dark, larger and smaller
TRIPLES, MOST_TRIPLES = 6, 2000  # sets of three finder patterns that are tried, and compared, in a picture
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
            yield _flat(grey, finders, modules)


# ---- finder patterns -------------------------------------------------------------------------------------------


def _finders(grey: np.ndarray) -> list[np.ndarray]:
    """Corners (4 × 2) of what may be finder patterns: a dark ring with a dark square in it."""
    found: list[np.ndarray] = []
    shorter = min(grey.shape)
    grey = cv2.normalize(grey, np.empty_like(grey), 0, 255, cv2.NORM_MINMAX)
    for part in BLOCKS:
        block = max(shorter // part, 11) | 1
        dark = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 6)
        contours, tree = cv2.findContours(dark, cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
        for number, contour in enumerate(contours):
            if len(contour) < 3 * LEAST_FINDER:  # most by far in a grainy picture
                continue
            hole = tree[0][number][2]
            core = tree[0][hole][2] if hole >= 0 else -1
            if core < 0:
                continue
            corners = _square(contour)
            if corners is None or any(_same_place(corners, other) for other in found):
                continue
            ring, inner = cv2.contourArea(contour), cv2.contourArea(contours[core])
            if 0.06 < inner / max(ring, 1.0) < 0.4:  # 9 of 49 in print; blur and thresholds move it
                found.append(corners)
    return found


def _same_place(corners: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.linalg.norm(corners.mean(axis=0) - other.mean(axis=0)) < LEAST_FINDER / 2)


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
    for three in itertools.islice(itertools.combinations(finders, 3), MOST_TRIPLES):
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
        across = np.mean([_length_along(finders[each], way / length) for each in (0, other)])
        modules.append(length / (across / FINDER))
    guess = float(np.mean(modules)) + FINDER
    sizes = range(SMALLEST, MOST + 1, 4)
    return sorted((size for size in sizes if abs(size - guess) < 0.16 * guess), key=lambda size: abs(size - guess))[:3]


def _length_along(corners: np.ndarray, way: np.ndarray) -> float:
    """How long a finder pattern is along `way` (of length 1): from the middle of one side to that of the other."""
    along = np.sort(corners @ way)
    return float(along[2:].mean() - along[:2].mean())


# ---- the bend --------------------------------------------------------------------------------------------------


def _flat(grey: np.ndarray, finders: np.ndarray, modules: int) -> Flat:
    """The code of so many modules between these finder patterns, drawn flat."""
    spots = _roughly(grey, finders, modules)
    ys, xs = np.mgrid[: len(spots), : len(spots)].astype(np.float32)
    for window in WINDOWS:
        slid = cv2.resize(_slid(_seen(grey, spots), window), spots.shape[:2], interpolation=cv2.INTER_LINEAR) * STEP
        spots = _seen(spots, np.dstack([xs, ys]) + slid)
    spots = spots[MARGIN * STEP : -MARGIN * STEP, MARGIN * STEP : -MARGIN * STEP]
    clean = _drawn(_modules(_seen(grey, spots)))
    first, last = QUIET * DRAWN, (QUIET + modules) * DRAWN
    drawn = np.array([(first, first), (last, first), (last, last), (first, last)], np.float32)
    corners = np.array([spots[0, 0], spots[0, -1], spots[-1, -1], spots[-1, 0]], np.float32)
    return Flat(clean, cv2.getPerspectiveTransform(drawn, corners))


def _seen(picture: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """What a picture shows at these spots (h × w × 2: x, y)."""
    x, y = (np.ascontiguousarray(spots[..., part], np.float32) for part in (0, 1))
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _roughly(grey: np.ndarray, finders: np.ndarray, modules: int) -> np.ndarray:
    """Where each pixel of the flat code (STEP a module, MARGIN modules around it) is seen, from the corners of its
    finder patterns and its alignment pattern."""
    far = modules - FINDER
    square = np.array([(0, 0), (FINDER, 0), (FINDER, FINDER), (0, FINDER)], np.float64)
    lattice = (np.array([(0, 0), (far, 0), (0, far)], np.float64)[:, None] + square).reshape(-1, 2)
    middles = finders.mean(axis=1)
    plane = (middles[1:] - middles[0]) / far
    guess = ((lattice - FINDER / 2) @ plane + middles[0]).reshape(3, 4, 2)
    # Which corner is which: the turn of each pattern's four that brings them nearest to the guess.
    corners = np.concatenate(
        [
            min((np.roll(four, turn, axis=0) for turn in range(4)), key=lambda each: float(np.abs(each - at).sum()))
            for four, at in zip(finders, guess, strict=True)
        ]
    )
    spots = _through(lattice, corners, modules)
    mark = _alignment(grey, spots) if modules > SMALLEST else None
    if mark is None:
        return spots
    middle = modules - FINDER + 0.5
    at = _seen(spots, mark[None, None])[0]
    return _through(np.vstack([lattice, (middle, middle)]), np.vstack([corners, at]), modules)


def _alignment(grey: np.ndarray, spots: np.ndarray) -> np.ndarray | None:
    """Where the alignment pattern at the fourth corner is seen, in pixels (x, y) of the roughly flat code."""
    ring = np.pad(np.pad(np.zeros((1, 1)), 1, constant_values=1), 1)
    pattern = cv2.GaussianBlur(np.kron(ring, np.ones((STEP, STEP))).astype(np.float32), (0, 0), STEP / 4)
    middle = len(spots) - round((MARGIN + FINDER - 0.5) * STEP)
    reach = round((SEARCHED + len(ring) / 2) * STEP)
    start = middle - reach
    seen = _seen(grey, spots[start : middle + reach, start : middle + reach])
    likeness = cv2.matchTemplate(seen.astype(np.float32), pattern, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(likeness)
    return np.array([x, y], np.float32) + (start + len(pattern) / 2 - 0.5) if best > LIKE else None


def _through(lattice: np.ndarray, seen: np.ndarray, modules: int) -> np.ndarray:
    """Where each pixel of the flat code is seen: the plate bent least that goes through these points of it."""
    plate = np.column_stack([np.ones(len(lattice)), lattice])
    system = np.block([[_bent(lattice, lattice), plate], [plate.T, np.zeros((3, 3))]])
    weights = np.linalg.solve(system, np.vstack([seen, np.zeros((3, 2))]))
    # Worked out at the modules' corners; between them it is as good as straight.
    ends = np.arange(-MARGIN, modules + MARGIN + 1.0)
    nodes = np.dstack(np.meshgrid(ends, ends)).reshape(-1, 2)
    at = np.hstack([_bent(nodes, lattice), np.ones((len(nodes), 1)), nodes]) @ weights
    coarse = at.reshape(len(ends), len(ends), 2).astype(np.float32)
    fine = (np.arange((len(ends) - 1) * STEP) + 0.5) / STEP
    return _seen(coarse, np.dstack(np.meshgrid(fine, fine)))


def _bent(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The thin plate's shape at n `points` for a push at m `others`: n × m."""
    squared = ((points[:, None] - others[None]) ** 2).sum(axis=2)
    return np.asarray(squared * np.log(np.maximum(squared, 1e-12)))


def _slid(seen: np.ndarray, window: float) -> np.ndarray:
    """How far, in modules to the right and down, the lattice has slid at each of n × n modules: n × n × 2, float32."""
    calm = cv2.GaussianBlur(seen, (0, 0), STEP / 6).astype(np.float32)
    beat = np.exp(2j * np.pi * np.arange(len(seen)) / STEP)
    heard = []
    for across in (True, False):
        edges = np.abs(cv2.Sobel(calm, cv2.CV_32F, int(across), int(not across), ksize=3))
        edges = np.minimum(edges, np.percentile(edges, 97))
        wave = edges * (beat[None, :] if across else beat[:, None])
        real, imaginary = (
            cv2.GaussianBlur(np.ascontiguousarray(part, np.float32), (0, 0), window * STEP)
            for part in (wave.real, wave.imag)
        )
        heard.append((real + 1j * imaginary)[STEP // 2 :: STEP, STEP // 2 :: STEP])
    both = np.stack(heard, axis=-1)
    return _followed(np.angle(both) / (2 * np.pi), np.abs(both).sum(axis=-1)).astype(np.float32)


def _followed(phase: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """The phase (n × n × 2, in turns) followed from the finder patterns to wherever it is clearest next: of all the
    turns it may have made, the number nearest to the neighbour it was reached from."""
    size = len(phase)
    out = phase.copy()
    done = np.zeros((size, size), bool)
    near = MARGIN + FINDER // 2
    far = size - 1 - near
    ahead = [(-np.inf, at, at) for at in ((near, near), (near, far), (far, near))]
    while ahead:
        _, at, before = heapq.heappop(ahead)
        if done[at]:
            continue
        done[at] = True
        out[at] += np.round(out[before] - out[at])
        for down, right in NEIGHBOURS:
            y, x = at[0] + down, at[1] + right
            if 0 <= y < size and 0 <= x < size and not done[y, x]:
                heapq.heappush(ahead, (-float(clear[y, x]), (y, x), at))
    return out


# ---- the modules -----------------------------------------------------------------------------------------------


def _modules(seen: np.ndarray) -> np.ndarray:
    """Which modules are light (n × n, bool), each beside what is around it."""
    modules = len(seen) // STEP
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

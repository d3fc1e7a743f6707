"""Finds a page's sides exactly: straight lines through the colour step across each side, at the picture's full size."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from devices.vision import quads

SAMPLES = 64  # places looked at along a side
REACH = 12  # steps looked at to either side of it
ENDS = 0.04  # of a side, left out at both ends: corners are round, folded or held
HIDDEN, DEEPLY = 2, 4  # places from a corner on (to 5, to 8 % of a side) that are missing where it is covered
MIDDLE = slice(SAMPLES * 3 // 10, SAMPLES * 7 // 10)  # of a side: no hand at its corner reaches there
CERTAIN = 0.7  # share of the middle that is on the line, at least: sheets curl
WITHIN = 6  # steps from a side at which the page is looked at: within any print
UNLIKE = 0.35  # of the side's own step, by which what is seen there differs where it is not the page
LEAST_UNLIKE = 12.0  # grey levels
AT_RIM = 0.75  # of the reach: how near the picture's rim a side has to lie for the rim to stand in for it
CLEAR, LIKE = 0.8, 0.6  # share on the line, and of the other sides' step, from which a side at the rim is seen itself


@dataclass(frozen=True)
class Sides:
    """Four sides made exact. `corners` is 4 × 2 float64 in the picture's pixels; the rest is one figure per side."""

    corners: np.ndarray
    straight: np.ndarray  # share of the places whose step lies on the straight line, 0 to 1
    step: np.ndarray  # mean height of the colour step there, grey levels
    inward: np.ndarray  # mean inside minus mean outside lightness, grey levels
    on_rim: np.ndarray  # whether the side is the picture's own rim
    on_line: np.ndarray  # 4 × SAMPLES bool: where along the side the step was found
    covered: np.ndarray  # per corner: whether something else is seen there, while both its sides are certain


def refine(bgr: np.ndarray, corners: np.ndarray, reach: float) -> Sides:
    """The sides near these corners (4 × 2, clockwise), looked for up to `reach` pixels to either side.

    A side that runs along the picture's rim and is not seen there is cut off: the rim stands in for it.
    """
    height, width = bgr.shape[:2]
    start = np.asarray(corners, np.float64)
    rims = _rims(start, width, height, AT_RIM * reach)
    # Only what is in the picture can be looked at: a corner may lie outside of it.
    first, last = quads.within(start, np.roll(start, -1, axis=0), width, height)
    length = np.linalg.norm(last - first, axis=1, keepdims=True)
    along = (last - first) / np.maximum(length, 1e-6)
    inwards = np.stack([-along[:, 1], along[:, 0]], axis=1)  # clockwise as seen, so the page lies to the right
    places = np.linspace(ENDS, 1 - ENDS, SAMPLES)
    pitch = max(reach / REACH, 0.5)
    offsets = np.arange(-REACH - 1, REACH + 2) * pitch
    base = first[:, None] + along[:, None] * (places[None, :, None] * length[:, None])
    spots = (base[:, :, None] + inwards[:, None, None] * offsets[None, None, :, None]).astype(np.float32)
    profile = _profile(bgr, spots)
    slope = profile[:, :, 2:] - profile[:, :, :-2]
    strength = np.abs(slope).max(axis=3)
    x, y = spots[:, :, 1:-1, 0], spots[:, :, 1:-1, 1]
    strength[(x < 1) | (y < 1) | (x > width - 2) | (y > height - 2)] = 0
    lines = [_line(strength[side], offsets[1:-1]) for side in range(4)]
    straight, step = (np.array([getattr(line, name) for line in lines]) for name in ("straight", "step"))
    on_line = np.array([line.on_line for line in lines])
    lightness = profile.mean(axis=3)
    inward = (lightness[:, :, -4:].mean(axis=2) - lightness[:, :, :4].mean(axis=2)).mean(axis=1)
    rim = (rims >= 0) & ~_seen(straight, step, inward, rims >= 0)
    ends = np.array([line.ends for line in lines])
    # `ends` are offsets at the first and last place; carry them on to the whole side's line.
    two = first[:, None] + along[:, None] * (length[:, None] * places[[0, -1]][None, :, None])
    two = two + inwards[:, None] * ends[:, :, None]
    two[rim] = quads.borders(width, height)[rims[rim]]
    made = []
    for side in range(4):
        met = quads.crossing(two[side - 1], two[side])
        cut = rim[side - 1] or rim[side]
        near = met is not None and (cut or np.linalg.norm(met - start[side]) < 4 * reach)
        made.append(met if near else start[side])
    corners = np.asarray(made)
    covered = _covered(bgr, corners, on_line & ~rim[:, None], step, WITHIN * pitch)
    return Sides(corners, straight, step, inward, rim, on_line, covered)


def _profile(bgr: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """The colours at these spots (4 × SAMPLES × n × 2), as their neighbours along the side see them: … × 3 float32."""
    count = spots.shape[2]
    x, y = spots[..., 0].reshape(-1, count), spots[..., 1].reshape(-1, count)
    seen = cv2.remap(bgr, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profile: np.ndarray = seen.reshape(4, SAMPLES, count, 3).astype(np.float32)
    # Neighbours along the side agree about the side, not about the grain of the wood.
    longer = np.pad(profile, ((0, 0), (1, 1), (0, 0), (0, 0)), mode="edge")
    return np.asarray((profile + longer[:, 2:] + longer[:, :-2]) / 3)


def _rims(start: np.ndarray, width: int, height: int, near: float) -> np.ndarray:
    """For each side the number of the picture's border that it runs along, or beyond; -1 for none."""
    away = np.concatenate([start, (width - 1, height - 1) - start], axis=1)
    both = np.maximum(away, np.roll(away, -1, axis=0))
    return np.asarray(np.where(both.min(axis=1) <= near, both.argmin(axis=1), -1))


def _seen(straight: np.ndarray, step: np.ndarray, inward: np.ndarray, along_rim: np.ndarray) -> np.ndarray:
    """Which sides are seen for certain: as straight lines, with a step like that of the sides off the rim."""
    others = ~along_rim
    if not others.any():
        return np.zeros(4, bool)
    usual, way = float(np.median(step[others])), float(np.median(inward[others]))
    alike = (step >= LIKE * usual) & (inward * np.sign(way) >= LIKE * abs(way))
    return np.asarray((straight >= CLEAR) & alike)


def _covered(bgr: np.ndarray, corners: np.ndarray, on_line: np.ndarray, step: np.ndarray, within: float) -> np.ndarray:
    """Which corners are covered: both their sides stop before them, though certain in their middles, and what is seen
    there on the page's side of the line is unlike the page along the rest of it.

    A side that only bends away from its line, or fades into a desk as light as the page, has the page there.
    """
    certain = on_line[:, MIDDLE].mean(axis=1) >= CERTAIN
    starts = np.where(certain, np.argmax(on_line, axis=1), 0)
    stops = np.roll(np.where(certain, np.argmax(on_line[:, ::-1], axis=1), 0), 1)
    doubtful = (np.minimum(starts, stops) >= HIDDEN) & (np.maximum(starts, stops) >= DEEPLY)
    for corner in np.flatnonzero(doubtful):
        for side, ends in ((corner, slice(HIDDEN)), ((corner + 3) % 4, slice(-HIDDEN, None))):
            inside = _beside(bgr, corners[side], corners[(side + 1) % 4], within)
            paper = np.median(inside[on_line[side]], axis=0)
            unlike = np.abs(inside[ends] - paper).max(axis=1) > max(LEAST_UNLIKE, UNLIKE * float(step[side]))
            doubtful[corner] &= bool(unlike.all())
    return doubtful


def _beside(bgr: np.ndarray, start: np.ndarray, stop: np.ndarray, within: float) -> np.ndarray:
    """The colours at the places of a side, so many pixels to its right: SAMPLES × 3 float32."""
    along = stop - start
    inwards = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
    spots = start + along * np.linspace(ENDS, 1 - ENDS, SAMPLES)[:, None] + inwards * within
    x, y = (np.ascontiguousarray(each, np.float32)[None] for each in spots.T)
    return np.asarray(cv2.remap(bgr, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0], np.float32)


@dataclass(frozen=True)
class _Line:
    """A straight line across one side's places."""

    ends: tuple[float, float]  # offsets at the first and the last place
    straight: float  # share of the places on it
    step: float  # mean step there
    on_line: np.ndarray  # which places they are


@functools.cache
def _straight(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The straight lines tried across SAMPLES × `count` places: both ends of each, and the numbers of its places."""
    grid = np.arange(0, count, 2)
    ends = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    t = np.linspace(0, 1, SAMPLES)
    rows = np.rint(ends[:, :1] * (1 - t) + ends[:, 1:] * t).astype(np.intp)
    return ends, rows + np.arange(SAMPLES) * count


def _ends(t: np.ndarray, spot: np.ndarray) -> tuple[float, float]:
    """The straight line nearest to these spots, at t = 0 and t = 1."""
    middle, mean = t.mean(), spot.mean()
    away = t - middle
    slope = float(away @ (spot - mean)) / max(float(away @ away), 1e-9)
    level = float(mean - slope * middle)
    return level, level + slope


def _line(strength: np.ndarray, offsets: np.ndarray) -> _Line:
    """The straight line through the steps of one side (SAMPLES × offsets)."""
    count = len(offsets)
    peak = strength.max(axis=1)
    cap = max(float(np.median(peak)), 3.0)
    capped = np.minimum(strength, cap)
    # Each place votes once, however strong: a dark title near the edge must not outvote a faint but whole side.
    t = np.linspace(0, 1, SAMPLES)
    ends, spots = _straight(count)
    a, b = (float(end) for end in ends[int(capped.take(spots).sum(axis=1).argmax())])
    for _ in range(2):
        nearest = np.rint(a + (b - a) * t).astype(np.intp)
        window = np.clip(nearest[:, None] + np.arange(-2, 3)[None], 0, count - 1)
        local = capped[np.arange(SAMPLES)[:, None], window]
        weight = local**2
        total = weight.sum(axis=1)
        spot = (weight * window).sum(axis=1) / np.maximum(total, 1e-6)
        good = local.max(axis=1) > 0.5 * cap
        if good.sum() < 6:
            break
        a, b = _ends(t[good], spot[good])
    centre = a + (b - a) * t
    close = np.clip(np.rint(centre)[:, None].astype(np.intp) + np.arange(-1, 2)[None], 0, count - 1)
    local = strength[np.arange(SAMPLES)[:, None], close].max(axis=1)
    where = local > 0.5 * cap
    pitch = float(offsets[1] - offsets[0])
    zero = float(offsets[0])
    return _Line((zero + a * pitch, zero + b * pitch), float(where.mean()), float(local.mean()), where)

"""Geometry of figures with four corners: order, area, overlap, angles, true proportions. Points: x, y; y grows down."""

from __future__ import annotations

import cv2
import numpy as np

USUAL_FOCAL = 0.8  # of the picture's diagonal: a view of 64 degrees


def clockwise(corners: np.ndarray) -> np.ndarray:
    """The same four points (4 × 2, float32) clockwise as seen, from the one nearest the picture's top left."""
    points = np.asarray(corners, np.float32).reshape(4, 2)
    middle = points.mean(axis=0)
    turn = np.argsort(np.arctan2(points[:, 1] - middle[1], points[:, 0] - middle[0]))
    points = points[turn]
    return np.roll(points, -int(np.argmin(points.sum(axis=1))), axis=0)


def all_clockwise(figures: np.ndarray) -> np.ndarray:
    """`clockwise` of n figures at once: n × 4 × 2 float32."""
    points = np.asarray(figures, np.float32)
    away = points - points.mean(axis=1, keepdims=True)
    turn = np.argsort(np.arctan2(away[..., 1], away[..., 0]), axis=1)
    number = np.arange(len(points))[:, None]
    points = points[number, turn]
    first = np.argmin(points.sum(axis=2), axis=1)[:, None]
    return np.asarray(points[number, (first + np.arange(4)) % 4])


def areas(quads: np.ndarray) -> np.ndarray:
    """Signed areas of n quadrilaterals (n × 4 × 2); positive when clockwise as seen."""
    x, y = quads[..., 0], quads[..., 1]
    return np.asarray(0.5 * (x * np.roll(y, -1, axis=-1) - np.roll(x, -1, axis=-1) * y).sum(axis=-1))


def convex(quads: np.ndarray, least_sine: float = 0.34) -> np.ndarray:
    """Which of n clockwise quadrilaterals turn right at each corner, by no less than the angle of this sine."""
    sides = np.roll(quads, -1, axis=1) - quads
    before = np.roll(sides, 1, axis=1)
    cross = before[..., 0] * sides[..., 1] - before[..., 1] * sides[..., 0]
    lengths = np.linalg.norm(sides, axis=2) * np.linalg.norm(before, axis=2)
    return np.asarray((cross > least_sine * np.maximum(lengths, 1e-6)).all(axis=1))


def shared(first: np.ndarray, second: np.ndarray) -> float:
    """The area two convex quadrilaterals have in common, in square pixels."""
    area, _ = cv2.intersectConvexConvex(first.astype(np.float32), second.astype(np.float32))
    return float(area)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two convex quadrilaterals, 0 to 1."""
    common = shared(first, second)
    whole = abs(float(areas(np.asarray(first)))) + abs(float(areas(np.asarray(second)))) - common
    return common / whole if whole > 0 else 0.0


def crossing(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Where two lines (each 2 points, 2 × 2) meet; None when they are all but parallel."""
    (x1, y1), (x2, y2) = first
    (x3, y3), (x4, y4) = second
    below = (x1 - x2) * (y3 - y4) - (y1 - y2) * (x3 - x4)
    if abs(below) < 0.05 * np.hypot(x1 - x2, y1 - y2) * np.hypot(x3 - x4, y3 - y4):
        return None
    a, b = x1 * y2 - y1 * x2, x3 * y4 - y3 * x4
    return np.array([(a * (x3 - x4) - (x1 - x2) * b) / below, (a * (y3 - y4) - (y1 - y2) * b) / below])


def within(start: np.ndarray, stop: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """The ends of those parts of lines (each … × 2) that are in the picture; of a line that is not, its own ends."""
    along = stop - start
    low, high = np.zeros(start.shape[:-1]), np.ones(start.shape[:-1])
    for axis, far in ((0, width - 1), (1, height - 1)):
        slope = np.where(np.abs(along[..., axis]) < 1e-9, 1e-9, along[..., axis])
        one, other = -start[..., axis] / slope, (far - start[..., axis]) / slope
        low, high = np.maximum(low, np.minimum(one, other)), np.minimum(high, np.maximum(one, other))
    outside = low >= high
    low, high = np.where(outside, 0.0, low)[..., None], np.where(outside, 1.0, high)[..., None]
    return start + low * along, start + high * along


def borders(width: int, height: int) -> np.ndarray:
    """The picture's left, upper, right and lower border: 4 × 2 points."""
    right, low = width - 1.0, height - 1.0
    return np.array([((0, low), (0, 0)), ((0, 0), (right, 0)), ((right, 0), (right, low)), ((right, low), (0, low))])


def cut(corners: np.ndarray, side: int, width: int, height: int, near: float) -> np.ndarray | None:
    """The figure with the border of the picture in place of a side that has an end beyond it, or both no further than
    `near` pixels from it; None where it has not, or its neighbours do not get there."""
    ends = [side, (side + 1) % 4]
    both = np.concatenate([-corners, corners - (width - 1, height - 1)], axis=1)[ends]
    beyond = both.max(axis=0) if both.max() > 0 else both.min(axis=0)
    if beyond.max() <= -near:
        return None
    border = borders(width, height)[int(beyond.argmax())]
    out = np.array(corners, np.float64)
    for end, neighbour in ((ends[0], side - 1), (ends[1], (side + 2) % 4)):
        met = crossing(border, np.array([corners[end], corners[neighbour]]))
        if met is None:
            return None
        out[end] = met
    return out if convex(out[None], 0.1)[0] else None


def proportion(corners: np.ndarray, width: int, height: int) -> float:
    """Width through height of the flat sheet whose picture these corners are.

    A pinhole camera with square pixels that looks through the middle of the `width` × `height` picture is assumed:
    what remains unknown, its focal length, follows from the sheet's corners being right angles. Where it does not
    (the sheet is tilted about one of its own sides, or hardly), the usual one of such cameras is taken.
    """
    points = clockwise(corners).astype(np.float64)
    across = float(np.linalg.norm(points[1] - points[0]) + np.linalg.norm(points[2] - points[3]))
    down = float(np.linalg.norm(points[3] - points[0]) + np.linalg.norm(points[2] - points[1]))
    plain = across / max(down, 1e-6)
    centred = points - (width / 2, height / 2)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(square, centred.astype(np.float32))
    right, below = matrix[:, 0], matrix[:, 1]
    # Both vanishing points have to be well inside the finite: a little noise in the corners else decides the answer.
    diagonal2 = float(width**2 + height**2)
    focal2 = USUAL_FOCAL**2 * diagonal2
    if min(abs(right[2]), abs(below[2])) >= 0.03:
        told = -(right[0] * below[0] + right[1] * below[1]) / (right[2] * below[2])
        focal2 = told if 0.25 * diagonal2 < told < 9 * diagonal2 else focal2
    lengths = [np.sqrt((v[0] ** 2 + v[1] ** 2) / focal2 + v[2] ** 2) for v in (right, below)]
    found = float(lengths[0] / max(lengths[1], 1e-9))
    # A recovered figure far from the plain one is noise talking, unless the slant itself is large.
    return found if 0.5 < found / plain < 2.0 else plain

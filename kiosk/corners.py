"""Four corners over a picture, moved one at a time by a finger: always a quadrilateral that a page can be.

Corners are fractions of the picture's width and height, counted from its upper left, clockwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from kiosk.papers import Corners

ROOM = 0.005  # twice the least area of the triangle at a corner, as a share of the picture
START: Corners = ((0.08, 0.08), (0.92, 0.08), (0.92, 0.92), (0.08, 0.92))  # where nothing was found
STEPS = 12  # halvings until a corner stands as far as it may go
AROUND = 0.12  # of the corners' own spread, to be seen on each side of them
CLOSEST = 0.15  # of the picture's height, at least to be seen
WHOLE = 0.85  # of the picture's width or height; to leave out less than the rest makes nothing clearer


@dataclass(frozen=True)
class View:
    """The part of a picture that is shown: its upper left corner, and its shares of the picture's width and height."""

    x: float = 0.0
    y: float = 0.0
    wide: float = 1.0
    high: float = 1.0

    def seen(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a point of the picture is in the part that is shown."""
        return (point[0] - self.x) / self.wide, (point[1] - self.y) / self.high

    def meant(self, point: tuple[float, float]) -> tuple[float, float]:
        """Which point of the picture one in this part is; what is beside it is none, and its rim stands for it."""
        return self.x + _inside(point[0]) * self.wide, self.y + _inside(point[1]) * self.high


def close_up(corners: Corners, shape: float = 1.0) -> View:
    """The part of the picture in which these corners are large, with a little around; all of it where little is gained.

    `shape`: how many times as wide as the picture the room it is shown in would be, were both of one height.
    """
    (left, top), (right, low) = (tuple(map(pick, zip(*corners, strict=True))) for pick in (min, max))
    around = 1 + 2 * AROUND
    high = min(max((low - top) * around, (right - left) * around / shape, CLOSEST), 1.0)
    wide = min(max(high * shape, (right - left) * around), 1.0)
    if min(wide, high) > WHOLE:
        return View()
    x, y = (left + right - wide) / 2, (top + low - high) / 2
    return View(min(max(x, 0.0), 1 - wide), min(max(y, 0.0), 1 - high), wide, high)


def start(found: Corners) -> Corners:
    """Where the corners stand at first: where the page was found, within the picture; else a little within its rim."""
    if not _finite(found):
        return START
    within = tuple((_inside(x), _inside(y)) for x, y in found)
    return within if spans(within) else START


def spans(corners: Corners) -> bool:
    """These are four corners, clockwise, and the page between them has no dent and is not all but a line."""
    if len(corners) != 4 or not _finite(corners):
        return False
    around = [*corners, *corners[:2]]
    turns = [
        (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
        for (a, b), (_, c) in pairwise(pairwise(around))
    ]  # fmt: skip
    return all(turn >= ROOM for turn in turns)


def moved(corners: Corners, number: int, to: tuple[float, float]) -> Corners:
    """With the `number`th corner where a finger wants it, or on the way there as far as the others let it.

    What is no place at all (NaN, infinite) moves nothing.
    """
    if not _finite((to,)):
        return corners
    x, y = corners[number]
    dx, dy = _inside(to[0]) - x, _inside(to[1]) - y

    def at(share: float) -> Corners:
        return (*corners[:number], (x + share * dx, y + share * dy), *corners[number + 1 :])

    if spans(at(1.0)):
        return at(1.0)
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if spans(at(middle)) else (low, middle)
    return at(low)


def _finite(points: Corners) -> bool:
    return all(isfinite(value) for point in points for value in point)


def _inside(value: float) -> float:
    return min(max(value, 0.0), 1.0)

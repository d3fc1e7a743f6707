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
CLOSEST = 0.15  # of the picture's width and height, at least to be seen
WHOLE = 0.75  # likewise; to leave out less than the rest makes nothing clearer


@dataclass(frozen=True)
class View:
    """The part of a picture that is shown: its upper left corner, and its share of the picture's width and height."""

    x: float = 0.0
    y: float = 0.0
    share: float = 1.0

    def seen(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a point of the picture is in the part that is shown."""
        return (point[0] - self.x) / self.share, (point[1] - self.y) / self.share

    def meant(self, point: tuple[float, float]) -> tuple[float, float]:
        """Which point of the picture one in this part is; what is beside it is none, and its rim stands for it."""
        return self.x + _inside(point[0]) * self.share, self.y + _inside(point[1]) * self.share


def close_up(corners: Corners) -> View:
    """The part of the picture in which these corners are large, with a little around; for a large page all of it."""
    (left, top), (right, bottom) = (tuple(map(pick, zip(*corners, strict=True))) for pick in (min, max))
    share = max(max(right - left, bottom - top) * (1 + 2 * AROUND), CLOSEST)
    if share > WHOLE:
        return View()
    x, y = ((low + high - share) / 2 for low, high in ((left, right), (top, bottom)))
    return View(min(max(x, 0.0), 1 - share), min(max(y, 0.0), 1 - share), share)


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

"""Text on a flat page: finds the lines, has them read, and says where each stands."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Word:
    """A piece of a line between two blanks: `start` and `stop` are shares (0 to 1) of the line's length."""

    text: str
    start: float
    stop: float


@dataclass(frozen=True)
class Line:
    """A line of print: its `corners` clockwise from the top left of the first letter, in pixels of the page."""

    text: str
    score: float
    corners: tuple[Point, Point, Point, Point]
    words: tuple[Word, ...] = ()

"""What the terminal shows of a document camera: pictures small enough to be drawn, and what is known of the pages.

Nothing here knows a camera or a window. A picture's rows are counted from below, because that is how they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Corners = tuple[tuple[float, float], ...]  # clockwise from top left, fractions of the picture's width and height


@dataclass(frozen=True)
class Pixels:
    """A picture to be drawn: `width` × `height`, three bytes a pixel (red, green, blue), the lowest row first."""

    width: int
    height: int
    rgb: bytes = field(repr=False)


@dataclass(frozen=True)
class Glance:
    """The live view at one moment.

    `phase`: starting, empty, moving, still, taken, full. `trouble`: "", gone, frozen, dark, bright, small.
    `taken` counts shots, so that whoever draws can flash.
    """

    number: int
    pixels: Pixels | None
    outlines: tuple[Corners, ...] = ()
    phase: str = "starting"
    trouble: str = ""
    taken: int = 0
    retaking: int | None = None  # the page that the next shot replaces
    cut_off: bool = False  # a page there reaches beyond the picture


@dataclass(frozen=True)
class Taken:
    """A page that was taken. `flags` say what may be wrong with it; `id` stays the same whatever its place."""

    id: int
    small: Pixels
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Uncut:
    """The camera's picture a page was cut from: where it is cut now and where it was found (none: nowhere)."""

    id: int
    pixels: Pixels
    corners: Corners = ()
    found: Corners = ()


@dataclass(frozen=True)
class Preview:
    """A sheet of paper as it will be printed, the `number`th of so many."""

    pixels: Pixels
    number: int
    of: int


Live = Callable[[], Glance | None]


def no_live() -> Glance | None:
    """There is no live view."""
    return None

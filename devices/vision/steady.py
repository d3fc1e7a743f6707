"""When a page lies still long enough to be taken, and when the next one may be: a machine without clock or camera.

empty → moving → still → taken, and then it waits until what lies there has changed. The picture has to be still, and so
have the outlines; a hand in the picture is movement, and a picture without an outline is never taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from devices.vision import quads

EMPTY, MOVING, STILL, TAKEN = "empty", "moving", "still", "taken"
STILL_SECONDS = 0.5  # nothing may move for so long
MOVES = 7.0  # grey levels by which a pixel has to change to count
MOVED_SHARE = 0.004  # of the picture: a finger moving has more
DRIFT = 0.006  # of the picture's longer side by which a corner may wander
CHANGED = 0.93  # outlines overlapping less than this are of something else
OTHER = 0.035  # of the page's own area that has to look different for it to be another page in the same place
LONGER = 160  # pixels of the longer side of what is compared
FROZEN_SECONDS = 3.0  # the very same frame for so long: no camera's noise does that


@dataclass(frozen=True)
class Seen:
    """What a frame did: the state after it, whether the page is to be taken now, whether the camera has frozen, and
    for how many seconds nothing has moved."""

    state: str
    take: bool = False
    frozen: bool = False
    still: float = 0.0


class Steady:
    """Watches frames one after another; time is in seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self.state = EMPTY
        self._frame: np.ndarray | None = None
        self._outlines: list[np.ndarray] = []
        self._since = 0.0  # when it last moved
        self._kept: tuple[np.ndarray, list[np.ndarray]] | None = None  # what was taken
        self._alike_since: float | None = None

    def see(self, grey: np.ndarray, outlines: Sequence[np.ndarray], now: float) -> Seen:
        """A frame (h × w, uint8, any size) and the outlines of the pages in it (each 4 × 2, in its pixels)."""
        longer = max(grey.shape)
        small = _small(grey)
        shapes = [quads.clockwise(outline) / longer for outline in outlines]
        first = self._frame is None
        frozen = self._is_frozen(small, now)
        moved = first or self._moved(small, shapes)
        self._frame, self._outlines = small, shapes
        if moved:
            self._since = now
        if self._kept is not None and not shapes and not moved and now - self._since >= STILL_SECONDS:
            self._kept = None  # taken away: the same page may be laid down again
        take = False
        if moved:
            self.state = MOVING if shapes or self.state in (MOVING, STILL, TAKEN) else EMPTY
        elif now - self._since < STILL_SECONDS:
            self.state = TAKEN if self._is_kept(small, shapes) else (MOVING if shapes else self.state)
        elif not shapes:
            self.state = EMPTY
        elif self._is_kept(small, shapes):
            self.state = TAKEN
        elif frozen or self.state == STILL:
            self.state = STILL if frozen else TAKEN
            take = not frozen
        else:
            self.state = STILL
        if take:
            self._kept = (small, shapes)
        return Seen(self.state, take, frozen, now - self._since)

    def again(self) -> None:
        """Take what lies there once more: the last shot was no good, or was undone."""
        self._kept = None
        self.state = MOVING

    def _moved(self, small: np.ndarray, shapes: Sequence[np.ndarray]) -> bool:
        if self._frame is None or self._frame.shape != small.shape or len(shapes) != len(self._outlines):
            return True
        for now, before in zip(_sorted(shapes), _sorted(self._outlines), strict=True):
            if float(np.abs(now - before).max()) > DRIFT:
                return True
        return _share(small, self._frame) > MOVED_SHARE

    def _is_kept(self, small: np.ndarray, shapes: Sequence[np.ndarray]) -> bool:
        """Whether this is what was taken last, in the same place and looking the same."""
        if self._kept is None or len(shapes) != len(self._kept[1]) or small.shape != self._kept[0].shape:
            return False
        for now, before in zip(_sorted(shapes), _sorted(self._kept[1]), strict=True):
            if quads.overlap(now, before) < CHANGED:
                return False
        inside = np.zeros(small.shape, np.uint8)
        for shape in shapes:
            cv2.fillConvexPoly(inside, np.rint(shape * max(small.shape)).astype(np.int32), 1)
        return _share(small, self._kept[0], inside) < OTHER

    def _is_frozen(self, small: np.ndarray, now: float) -> bool:
        alike = self._frame is not None and np.array_equal(small, self._frame)
        self._alike_since = (now if self._alike_since is None else self._alike_since) if alike else None
        return self._alike_since is not None and now - self._alike_since >= FROZEN_SECONDS


def _small(grey: np.ndarray) -> np.ndarray:
    height, width = grey.shape[:2]
    scale = min(LONGER / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def _share(now: np.ndarray, before: np.ndarray, inside: np.ndarray | None = None) -> float:
    """The share of the pixels (of `inside`) that differ, a change of the light set off: light multiplies."""
    where = inside.astype(bool) if inside is not None else np.ones(now.shape, bool)
    if not where.any():
        return 0.0
    brighter = (float(np.median(now[where])) + 4) / (float(np.median(before[where])) + 4)
    change = np.abs(now[where].astype(np.float32) - brighter * before[where])
    return float((change > MOVES * max(brighter, 1.0)).mean())


def _sorted(shapes: Sequence[np.ndarray]) -> list[np.ndarray]:
    return sorted(shapes, key=lambda shape: tuple(shape.mean(axis=0)))

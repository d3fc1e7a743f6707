"""When to take a page: something lies there, it is no part of the empty desk, everything is still, and it is new.

Pure: pictures and moments come in, nothing is opened. `vision.steady` knows what moves, `vision.desk` what the empty
desk looks like, `vision.flaws` what spoils a shot. The desk is learnt whenever nothing lies on it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import cv2
import numpy as np

from devices.vision import steady
from devices.vision.desk import Desk
from devices.vision.flaws import FINGER, flagged
from devices.vision.judging import PageFound
from devices.vision.pages import find_pages

BARE_SECONDS = 1.5  # of a still picture without a page, before it counts as the empty desk
DOUBTFUL_SECONDS = 6.0  # of one in which something lies, or may: a card that lay there already, or the desk's grain
UNCLEAR_SECONDS = 1.0  # for which something without edges has lain still, before that is said
UNCLEAR = "unclear"
STRANGE = 0.7  # of the picture: where so much is unlike the desk known from before, the camera looks elsewhere now
LEARN_EVERY = 0.5  # seconds between two looks at the empty desk that are remembered
SURE = 0.65  # of a page, while the desk is unknown: a grain or a joint of the desk itself reaches 0.57
SAME = 0.85  # correlation from which a page is the one taken already, wherever it has been pushed
PLAIN = 6.0  # steps of grey by which an empty page varies; such pages are compared by their brightness
VIEW = (120, 170)  # pixels in which pages are compared


@dataclass(frozen=True)
class Look:
    """What one frame shows. Corners of `pages` are pixels of the small picture, `width` × `height`."""

    phase: str  # empty, moving, still, taken; unclear: something lies there, but no page is found
    pages: tuple[PageFound, ...]
    width: int
    height: int
    fire: bool = False
    frozen: bool = False  # the camera sends the very same picture again and again


class Watch:
    """One camera's watchman. Not for several threads at once."""

    def __init__(self, desk: Desk | None = None) -> None:
        """`desk`: the empty desk as it was known to an earlier watch of this camera."""
        # Until the first picture shows whether it is still the same. A copy, for the earlier watch may not have ended.
        self._before = copy.deepcopy(desk)
        self._desk: Desk | None = None
        self._steady = steady.Steady()
        self._learnt_at = 0.0
        self._views: tuple[np.ndarray, ...] = ()  # how the pages look that lie there now
        self._taken: tuple[np.ndarray, ...] = ()  # how those looked that were taken last

    def look(self, small: np.ndarray, now: float) -> Look:
        """One frame (h × w × 3, uint8, BGR), at a moment in seconds of a clock that only goes forward."""
        height, width = small.shape[:2]
        if self._before is not None:
            elsewhere = float(self._before.differs(small).mean()) / 255 > STRANGE
            self._desk, self._before = None if elsewhere else self._before, None
        found = self._desk.find(small) if self._desk else find_pages(small)
        pages = tuple(page for page in found if self._desk or page.score >= SURE)
        seen = self._steady.see(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), [page.corners for page in pages], now)
        bare = seen.state == steady.EMPTY and not pages
        strange = bare and self._desk is not None and not self._desk.is_empty(small)
        if bare and seen.still >= (DOUBTFUL_SECONDS if found or strange else BARE_SECONDS):
            self._learn(small, now)
        if seen.state == steady.EMPTY:
            self._taken = ()
        if seen.state == steady.STILL or seen.take:
            self._views = tuple(_view(small, page.corners) for page in pages)
            if self._taken and all(any(_same(view, other) for other in self._taken) for view in self._views):
                return Look(steady.TAKEN, pages, width, height)  # it has not moved, or was only pushed a little
        if strange and seen.still >= UNCLEAR_SECONDS:
            return Look(UNCLEAR, pages, width, height, frozen=seen.frozen)
        if not seen.take:
            return Look(seen.state, pages, width, height, frozen=seen.frozen)
        pages = tuple(flagged(small, pages))
        if any(FINGER in page.flags for page in pages):
            self._steady.again()  # a hand lies on it; looked at again when it has gone
            return Look(steady.MOVING, pages, width, height)
        return Look(steady.STILL, pages, width, height, fire=True)

    @property
    def desk(self) -> Desk | None:
        """The empty desk, as far as it is known: for the next watch of this camera."""
        return self._desk or self._before

    def taken(self) -> None:
        """What lies there now has been taken; it is not taken again until it changes."""
        self._taken = self._views

    def again(self) -> None:
        """What lies there may be taken once more."""
        self._taken = ()
        self._steady.again()

    def _learn(self, small: np.ndarray, now: float) -> None:
        """A picture of the empty desk."""
        if now - self._learnt_at < LEARN_EVERY:
            return
        self._learnt_at = now
        if self._desk is None:
            self._desk = Desk(small)
        else:
            self._desk.learn(small)


def _view(small: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A page as it looks when it lies straight: VIEW, grey, float32."""
    width, height = VIEW
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    flat = cv2.warpPerspective(small, cv2.getPerspectiveTransform(np.asarray(corners, np.float32), target), VIEW)
    return np.asarray(cv2.GaussianBlur(cv2.cvtColor(flat, cv2.COLOR_BGR2GRAY), (3, 3), 0), np.float32)[8:-8, 8:-8]


def _same(view: np.ndarray, other: np.ndarray) -> bool:
    """The same page, by what stands on it."""
    if view.std() < PLAIN and other.std() < PLAIN:
        return abs(float(view.mean() - other.mean())) < PLAIN
    together = float(((view - view.mean()) * (other - other.mean())).mean())
    return together > SAME * float(view.std() * other.std())

"""When to take a page: something lies there, it is no part of the empty desk, everything is still, and it is new.

    empty ──something moves──▶ moving ──nothing moves──▶ still ──a page, twice alike──▶ fire ──▶ taken
      ▲                          ▲                                                                │
      └──── the desk is bare ────┴──────────────── the page is changed or taken away ◀────────────┘

Pure: pictures and moments come in, nothing is opened. The desk is learnt whenever nothing lies on it, slowly enough
that daylight may drift; how bright it is counts for nothing, only what shows, so that a lamp may be switched.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from devices.vision.pages import PageFound, find_pages

GRAIN = (160, 120)  # pixels in which movement is looked for
MOVES = 5.0  # steps of grey by which a block of 8 × 8 of them must change
SETTLE = 0.35  # seconds of stillness before a page is taken
ALIKE = 0.012  # of the picture's diagonal: how far corners may wander between two looks
SAME = 0.85  # correlation from which a page is the one taken already, wherever it has been pushed
PLAIN = 6.0  # steps of grey by which an empty page varies; such pages are compared by their brightness
VIEW = (120, 170)  # pixels in which pages are compared
BARE = 7.0  # the same, from the desk: less and nothing lies there
LEARN = 0.05  # share of a new look in what is known of the desk
BARE_FOR = 1.5  # seconds of nothing found before the desk is learnt


@dataclass(frozen=True)
class Look:
    """What one frame shows. Corners of `pages` are pixels of the small picture, `width` × `height`."""

    phase: str  # empty, moving, still, taken
    pages: tuple[PageFound, ...]
    width: int
    height: int
    fire: bool = False


@dataclass
class Watch:
    """One camera's watchman."""

    _before: np.ndarray | None = None
    _desk: np.ndarray | None = None
    _taken: tuple[np.ndarray, ...] = ()  # how the pages looked that were taken last
    _still_since: float = 0.0
    _bare_since: float | None = None
    _last: tuple[PageFound, ...] = ()
    _views: tuple[np.ndarray, ...] = ()  # how the pages look that lie there now

    def look(self, small: np.ndarray, now: float) -> Look:
        """One frame (h × w × 3, uint8, BGR), at a moment in seconds."""
        height, width = small.shape[:2]
        grey = _grain(small)
        moving = self._before is None or _most(cv2.absdiff(grey, self._before)) > MOVES
        self._before = grey
        pages = tuple(self._found(small))
        if moving:
            self._still_since, self._last = now, ()
            return Look("moving", pages, width, height)
        self._learn(grey, pages, now)
        if not pages:
            self._last = self._taken = ()
            return Look("empty", (), width, height)
        self._views = tuple(_view(small, page.corners) for page in pages)
        if all(any(_same(view, other) for other in self._taken) for view in self._views):
            return Look("taken", pages, width, height)
        alike = _alike(pages, self._last, (width**2 + height**2) ** 0.5)
        self._last = pages
        fire = alike and now - self._still_since >= SETTLE and not self._held(pages)
        return Look("still", pages, width, height, fire)

    def taken(self) -> None:
        """What lies there now has been taken; it is not taken again until it changes."""
        self._taken, self._last = self._views, ()

    def again(self) -> None:
        """What lies there may be taken once more."""
        self._taken = ()

    def _found(self, small: np.ndarray) -> list[PageFound]:
        """The pages that are not merely the desk."""
        pages = find_pages(small)
        if self._desk is None or self._before is None:
            return pages
        apart = _apart(self._before, self._desk)
        scale = np.array((GRAIN[0] / small.shape[1], GRAIN[1] / small.shape[0]), np.float32)
        return [page for page in pages if _inside(apart, page.corners * scale) > BARE]

    @staticmethod
    def _held(pages: tuple[PageFound, ...]) -> bool:
        """A hand is still on it."""
        return any("finger" in page.flags for page in pages)

    def _learn(self, grey: np.ndarray, pages: tuple[PageFound, ...], now: float) -> None:
        """A desk on which nothing has been found for a while is the empty desk."""
        if pages:
            self._bare_since = None
            return
        if self._bare_since is None:
            self._bare_since = now
        if now - self._bare_since < BARE_FOR:
            return
        if self._desk is None:
            self._desk = grey.astype(np.float32)
        elif float(_apart(grey, self._desk).mean()) < BARE:
            self._desk += LEARN * (grey - self._desk)


def _grain(small: np.ndarray) -> np.ndarray:
    """Grey, coarse and without noise: GRAIN, float32."""
    grey = cv2.cvtColor(cv2.resize(small, GRAIN, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.GaussianBlur(grey, (3, 3), 0), np.float32)


def _most(apart: np.ndarray) -> float:
    """The largest average of a block of 8 × 8."""
    return float(cv2.resize(apart, (GRAIN[0] // 8, GRAIN[1] // 8), interpolation=cv2.INTER_AREA).max())


def _apart(grey: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How two pictures differ when the light is the same: each is first brought to the other's median."""
    gain = (float(np.median(other)) + 8.0) / (float(np.median(grey)) + 8.0)
    return np.asarray(np.abs(grey * gain - other))


def _view(small: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A page as it looks when it lies straight: VIEW, grey, float32."""
    width, height = VIEW
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    flat = cv2.warpPerspective(small, cv2.getPerspectiveTransform(np.asarray(corners, np.float32), target), VIEW)
    return np.asarray(cv2.GaussianBlur(cv2.cvtColor(flat, cv2.COLOR_BGR2GRAY), (3, 3), 0), np.float32)[8:-8, 8:-8]


def _same(view: np.ndarray, other: np.ndarray) -> bool:
    if view.std() < PLAIN and other.std() < PLAIN:
        return abs(float(view.mean() - other.mean())) < PLAIN
    together = float(((view - view.mean()) * (other - other.mean())).mean())
    return together > SAME * float(view.std() * other.std())


def _inside(apart: np.ndarray, corners: np.ndarray) -> float:
    mask = np.zeros(apart.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
    return float(apart[mask > 0].mean()) if mask.any() else 0.0


def _alike(pages: tuple[PageFound, ...], before: tuple[PageFound, ...], diagonal: float) -> bool:
    """The same pages at the same places as a moment ago."""
    if len(pages) != len(before):
        return False
    return all(
        min(float(np.abs(page.corners - other.corners).max()) for other in before) < ALIKE * diagonal for page in pages
    )

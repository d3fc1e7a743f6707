"""Knows the empty desk under a fixed camera: what differs from it is a thing, whatever the light does.

The light may drift, a lamp may be switched: that changes lightness smoothly across the picture, and is fitted and set
off before anything is compared. A page is then a figure whose inside or whose sides were not there before; an empty
desk, whatever is drawn or built into it, is never one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from devices.vision import quads
from devices.vision.judging import PageFound
from devices.vision.pages import SURE, find_pages

SIDE = 256  # pixels of the longer side of what is remembered
STATES = 4  # looks of the desk that are remembered: lamp on, lamp off, blind down …
DIFFERS = 0.16  # of the logarithm of lightness
COLOUR = 0.13  # of the logarithm of blue or red by green
DARK = 12.0  # grey levels added before logarithms are taken: noise in the dark is no change
EMPTY = 0.02  # of the picture that may differ on an empty desk: noise, a speck
FILLED = 0.8  # of a figure that has to differ for it to be a thing
NEW_SIDE = 2.0  # times the step at the same place of the empty desk
LIKELIER = 0.85  # with the desk known, a page needs only so much of the evidence
FAINT = 2.5  # grey levels: a step no camera's noise makes
ALONG = np.linspace(0.08, 0.92, 32, dtype=np.float32)


class Desk:
    """An empty desk, as learned from one picture or more. Not for several threads at once."""

    def __init__(self, empty: np.ndarray) -> None:
        """`empty`: h × w × 3, uint8, BGR, without anything on it."""
        height, width = empty.shape[:2]
        scale = min(SIDE / max(height, width), 1.0)
        self._size = (max(round(width * scale), 8), max(round(height * scale), 8))
        y, x = np.mgrid[-1 : 1 : self._size[1] * 1j, -1 : 1 : self._size[0] * 1j]
        self._bends = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
        self._rim = (np.maximum(np.abs(x), np.abs(y)) > 0.82).ravel()
        self._states = [self._seen(empty)]

    def learn(self, empty: np.ndarray, rate: float = 0.05) -> None:
        """Follow the desk as it slowly changes. To be called again and again, but only while nothing lies on it or
        moves there; a look unlike all before (another lamp) is remembered as one more."""
        look = self._seen(empty)
        best, mask = self._nearest(look)
        if float(mask.mean()) / 255 < EMPTY:
            self._states[best] += np.float32(rate) * (look - self._states[best])
            self._states.append(self._states.pop(best))
        else:
            self._states = [*self._states, look][-STATES:]

    def differs(self, bgr: np.ndarray) -> np.ndarray:
        """Where the picture differs from the empty desk: 255 there and 0 elsewhere, SIDE on its longer side, uint8."""
        return self._nearest(self._seen(bgr))[1]

    def is_empty(self, bgr: np.ndarray) -> bool:
        """Whether nothing lies there."""
        return float(self.differs(bgr).mean()) / 255 < EMPTY

    def find(self, bgr: np.ndarray) -> list[PageFound]:
        """The pages lying on the desk, the surest first: of all figures, those that were not there before."""
        look = self._seen(bgr)
        state, mask = self._nearest(look)
        if float(mask.mean()) / 255 < EMPTY / 2 and not self._faint(look, state):
            return []
        found = find_pages(bgr, (mask,), SURE * LIKELIER)
        new = [page for page in found if self._is_new(page, look, state, mask, bgr.shape)]
        for left, top, right, bottom in self._unexplained(mask, new, bgr.shape):
            # What lies on the desk for good, and is larger, hides what lies on it: look closely.
            wide, high = self._size[0] / bgr.shape[1], self._size[1] / bgr.shape[0]
            blob = mask[int(top * high) : round(bottom * high), int(left * wide) : round(right * wide)]
            for page in find_pages(np.ascontiguousarray(bgr[top:bottom, left:right]), (blob,), alone=True):
                if _leaves(page.corners, (left, top, right, bottom), bgr.shape):
                    continue
                moved = dataclasses.replace(page, corners=page.corners + np.array([left, top], np.float32))
                if self._is_new(moved, look, state, mask, bgr.shape):
                    new.append(moved)
        return sorted(new, key=lambda page: -page.score)

    def _unexplained(
        self, mask: np.ndarray, pages: Sequence[PageFound], shape: Sequence[int]
    ) -> list[tuple[int, int, int, int]]:
        """Left, top, right, bottom in the picture of places with something new that is no part of these pages."""
        scale = np.array([self._size[0] / shape[1], self._size[1] / shape[0]])
        rest = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
        for page in pages:
            cv2.fillConvexPoly(rest, np.rint(page.corners * scale).astype(np.int32), 0)
        count, _, stats, _ = cv2.connectedComponentsWithStats(rest)
        out = []
        for number in range(1, count):
            left, top, wide, high, area = (int(value) for value in stats[number])
            if area > 2 * EMPTY / 3 * mask.size and area > 0.4 * wide * high:
                edge = round(0.12 * max(wide, high)) + 2
                low = np.array([left - edge, top - edge]) / scale
                high_end = np.array([left + wide + edge, top + high + edge]) / scale
                x0, y0 = (int(max(value, 0)) for value in low)
                x1, y1 = (int(min(value, most)) for value, most in zip(high_end, (shape[1], shape[0]), strict=True))
                out.append((x0, y0, x1, y1))
        return out

    def _seen(self, bgr: np.ndarray) -> np.ndarray:
        """Logarithms of green, of blue by green, of red by green: h × w × 3 float32, small. Light multiplies each."""
        small = bgr
        while min(small.shape[0] // 2, small.shape[1] // 2) > min(self._size):
            height, width = small.shape[0] // 2, small.shape[1] // 2
            small = cv2.resize(small[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
        small = cv2.resize(small, self._size, interpolation=cv2.INTER_AREA)
        blue, green, red = cv2.split(np.log(small.astype(np.float32) + DARK))
        return np.asarray(cv2.merge([green, cv2.blur(blue - green, (5, 5)), cv2.blur(red - green, (5, 5))]))

    def _nearest(self, look: np.ndarray) -> tuple[int, np.ndarray]:
        """The remembered look that is most like this one, and where they differ."""
        masks = [self._apart(look, state) for state in self._states]
        best = int(np.argmin([mask.mean() for mask in masks]))
        return best, masks[best]

    def _apart(self, look: np.ndarray, state: np.ndarray) -> np.ndarray:
        change = (look[..., 0] - state[..., 0]).ravel()
        fit = self._light(change)
        unlike = np.abs(change - fit)
        same = unlike < DIFFERS
        colours = look[..., 1:] - state[..., 1:]
        tint = np.median(colours.reshape(-1, 2)[same & self._rim], axis=0) if (same & self._rim).any() else 0.0
        tinted = np.abs(colours - tint).max(axis=2)
        mask = ((~same).reshape(tinted.shape) | (tinted > COLOUR)).astype(np.uint8) * 255
        return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))

    def _light(self, change: np.ndarray) -> np.ndarray:
        """What the light did, bent smoothly across the picture: of the fits begun at the commonest changes, that which
        explains the picture's rim best, where the desk is most often seen."""
        rim = change[self._rim]
        counts, edges = np.histogram(rim, bins=40)
        starts = [float(np.median(rim)), *(float(edges[at] + edges[at + 1]) / 2 for at in np.argsort(-counts)[:2])]
        best, most = np.zeros_like(change), -1.0
        for start in starts:
            fit = np.full_like(change, start)
            for reach in (0.35, 0.25, DIFFERS):
                near = np.flatnonzero(np.abs(change - fit) < reach)[::5]
                if len(near) < 60:
                    break
                bent = np.linalg.lstsq(self._bends[near], change[near], rcond=None)[0]
                fit = self._bends @ bent
            explained = float((np.abs(rim - fit[self._rim]) < DIFFERS).mean())
            explained += 0.3 * float((np.abs(change - fit) < DIFFERS).mean())
            if explained > most:
                best, most = fit, explained
        return best

    def _faint(self, look: np.ndarray, state: int) -> bool:
        """Whether there are steps of lightness the empty desk has not: white paper on a white desk."""
        now, before = (_steps(each) for each in (look, self._states[state]))
        beside = cv2.dilate(before, np.ones((7, 7), np.uint8))
        fresh = (now > NEW_SIDE * beside + FAINT / 120).astype(np.uint8)
        return float(fresh.mean()) > 0.002

    def _is_new(self, page: PageFound, look: np.ndarray, state: int, mask: np.ndarray, shape: Sequence[int]) -> bool:
        scale = np.array([self._size[0] / shape[1], self._size[1] / shape[0]])
        corners = ((page.corners + 0.5) * scale - 0.5).astype(np.float32)
        inside = np.zeros(mask.shape, np.uint8)
        cv2.fillConvexPoly(inside, np.rint(corners).astype(np.int32), 255)
        area = max(int(np.count_nonzero(inside)), 1)
        filled = np.count_nonzero(cv2.bitwise_and(mask, inside)) / area
        if filled > FILLED and page.score >= SURE:
            return True
        sides = _sides_new(corners, _steps(look), _steps(self._states[state]))
        if filled > FILLED:
            # Less sure than without a desk: then what differs has to have the very shape.
            spread = np.count_nonzero(mask) / area
            return bool(sides > 0.6 and spread < 1.5)
        return bool(sides > 0.8) and page.score >= SURE


def _leaves(corners: np.ndarray, part: tuple[int, int, int, int], shape: Sequence[int]) -> bool:
    """Whether a figure found in a part of the picture (left, top, right, bottom) goes beyond it, and not beyond the
    picture itself."""
    left, top, right, bottom = part
    low, high = corners.min(axis=0), corners.max(axis=0)
    before = (left > 0 and low[0] <= 0) or (top > 0 and low[1] <= 0)
    behind = (right < shape[1] and high[0] >= right - left - 1) or (bottom < shape[0] and high[1] >= bottom - top - 1)
    return bool(before or behind)


def _steps(look: np.ndarray) -> np.ndarray:
    """How much the logarithm of lightness steps at each pixel."""
    light = np.ascontiguousarray(look[..., 0])
    across = cv2.Sobel(light, cv2.CV_32F, 1, 0, scale=0.25)
    return np.asarray(cv2.magnitude(across, cv2.Sobel(light, cv2.CV_32F, 0, 1, scale=0.25)))


def _sides_new(corners: np.ndarray, now: np.ndarray, before: np.ndarray) -> float:
    """The share of the three newest sides along which there is a step that the empty desk has not."""
    height, width = now.shape
    points = quads.clockwise(corners)
    along = np.roll(points, -1, axis=0) - points
    spots = points[:, None] + along[:, None] * ALONG[None, :, None]
    x = np.clip(np.rint(spots[..., 0]), 0, width - 1).astype(np.intp)
    y = np.clip(np.rint(spots[..., 1]), 0, height - 1).astype(np.intp)
    wide = np.ones((5, 5), np.uint8)
    here, there = cv2.dilate(now, wide)[y, x], cv2.dilate(before, wide)[y, x]
    fresh = (here > NEW_SIDE * there) & (here > FAINT / 120)
    return float(np.sort(fresh.mean(axis=1))[1:].mean())

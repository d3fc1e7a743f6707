"""Proposes four-cornered figures in a small picture: outlines of regions of one colour, and of places walled by edges.

Nothing is decided here. The proposals are many and cheap; `pages` weighs them on the evidence along their sides.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from devices.vision import quads

LEAST_AREA = 0.012  # of the picture: a card under a camera that sees A3 has 0.037
MOST_OUTSIDE = 0.35  # of the picture's size: how far a rebuilt corner may lie outside it
LARGE_AREA = 0.03  # of the picture: blobs of which every corner is looked at
BENT = 0.6, 0.97  # of its hull, that the outline of a page fills which something as light lies on
MOST_CORNERS = 12  # of an outline that may be a page's
AT_RIM = 3.0  # pixels: a side no further from the picture's rim runs along it
ALIKE, CUT_ALIKE = 0.45, 0.2  # the least proportion of sides that face each other, whole or cut by the picture's rim
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
SMALL = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
LARGE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))


def propose(lab: np.ndarray, edges: np.ndarray, blobs: Sequence[np.ndarray] = (), alone: bool = False) -> np.ndarray:
    """Quadrilaterals worth weighing: n × 4 × 2 float32, clockwise, in pixels of `lab`.

    `lab` is h × w × 3 uint8 (OpenCV's Lab); `edges` is h × w float32, the strength of the colour step at each pixel.
    `blobs` are further masks to outline, of any size; `alone`: the only ones.
    """
    height, width = edges.shape
    found: list[np.ndarray] = []
    around: list[np.ndarray] = []
    more = (cv2.resize(blob, (width, height), interpolation=cv2.INTER_NEAREST) for blob in blobs)
    for mask in itertools.chain(() if alone else masks(lab, edges), *(_tidy(each) for each in more)):
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            if len(contour) < 4:
                continue
            x, y, w, h = cv2.boundingRect(contour)
            if w * h < LEAST_AREA * width * height or min(w, h) < 0.06 * min(width, height):
                continue
            hull = cv2.convexHull(contour)
            if len(hull) < 4:
                continue
            found.extend(_figures(hull))
            around.extend(_around(contour, hull, (x, y, w, h), width, height))
    every = np.stack(found).astype(np.float32) if found else np.empty((0, 4, 2), np.float32)
    if around:
        every = np.concatenate([every, _longest(around, width, height)])
    return _plausible(every, width, height)


def masks(lab: np.ndarray, edges: np.ndarray) -> Iterator[np.ndarray]:
    """Pictures of 0 and 255 whose blobs may be pages: by lightness, by colour, by distance from the rim, by walls."""
    light, green, blue = cv2.split(lab)
    calm = cv2.GaussianBlur(light, (5, 5), 0)
    level, bright = cv2.threshold(calm, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    yield from _tidy(bright)
    # Brighter than the bright half's own middle: white paper on a light desk with dark things around.
    above = calm[calm > level]
    if len(above) > 100:
        second, _ = cv2.threshold(above, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        yield from _tidy((calm > second) * np.uint8(255))
    yield from _tidy(_from_rim(lab))
    for plane in (green, blue):
        spread = int(plane.max()) - int(plane.min())
        if spread > 14:
            _, mask = cv2.threshold(cv2.GaussianBlur(plane, (5, 5), 0), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
            yield mask
    grey = np.full_like(green, 128)
    chroma = cv2.add(cv2.absdiff(green, grey), cv2.absdiff(blue, grey))
    if int(chroma.max()) > 14:
        _, mask = cv2.threshold(cv2.GaussianBlur(chroma, (5, 5), 0), 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
        yield from _tidy(mask)
    # Walls: what remains between edges of a given strength. Of white paper on a white desk only the weak walls tell.
    for level in np.percentile(edges[::2, ::2], (70, 80, 88, 94)):
        wall = (edges > max(float(level), 1.5)).view(np.uint8) * np.uint8(255)
        closed = cv2.morphologyEx(wall, cv2.MORPH_CLOSE, SMALL)
        room = cv2.bitwise_not(closed)
        # A wall around the picture: a desk seen on both sides of a page would else be one room with it.
        room[0], room[-1], room[:, 0], room[:, -1] = 0, 0, 0, 0
        yield room
        yield cv2.erode(room, SMALL)


def _tidy(mask: np.ndarray) -> Iterator[np.ndarray]:
    """A mask as it is, its print filled, and without what sticks to it by a narrow bridge (a finger, a pen)."""
    yield mask
    filled = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, LARGE)
    yield filled
    yield cv2.morphologyEx(filled, cv2.MORPH_OPEN, LARGE)


def _from_rim(lab: np.ndarray) -> np.ndarray:
    """What differs from the colours seen around the picture's rim, where the desk is most likely to be."""
    height, width = lab.shape[:2]
    band = max(3, min(height, width) // 24)
    rims = (lab[:band], lab[-band:], lab[:, :band], lab[:, -band:])
    planes = cv2.split(cv2.GaussianBlur(lab, (5, 5), 0))
    away: np.ndarray = np.full((height, width), 255, np.uint8)
    levels = np.arange(256, dtype=np.float32)
    for rim in rims:
        colour = np.median(rim.reshape(-1, 3)[::4], axis=0)
        tables = [
            np.minimum(np.abs(levels - middle) * weight, 255).astype(np.uint8)
            for middle, weight in zip(colour, (0.5, 2.0, 2.0), strict=True)
        ]
        light, green, blue = (cv2.LUT(plane, table) for plane, table in zip(planes, tables, strict=True))
        away = cv2.min(away, cv2.add(cv2.add(light, green), blue))
    _, mask = cv2.threshold(away, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return mask


def _figures(hull: np.ndarray) -> Iterator[np.ndarray]:
    """Figures of four corners around a blob: its hull with the sides that matter least given up, so that a covered or
    cut-off corner is where its two sides meet; and the same without what sticks out."""
    four = cv2.approxPolyN(hull, 4, ensure_convex=True) if len(hull) > 4 else hull
    corners = four.reshape(-1, 2)
    if len(corners) == 4:
        yield corners
    close = cv2.approxPolyDP(hull, 0.02 * cv2.arcLength(hull, True), True).reshape(-1, 2)
    if len(close) == 4:
        yield close


def _around(
    contour: np.ndarray, hull: np.ndarray, box: tuple[int, int, int, int], width: int, height: int
) -> Iterator[np.ndarray]:
    """The outline of a blob with more corners than a page: of one that the picture's rim cuts, and of one that
    something as light lies on, for the hull goes around both."""
    x, y, w, h = box
    if min(x, y, width - x - w, height - y - h) < AT_RIM:
        yield cv2.approxPolyDP(hull, 0.01 * cv2.arcLength(hull, True), True).reshape(-1, 2)
    filled = cv2.contourArea(contour) / max(cv2.contourArea(hull), 1.0)
    if w * h > LARGE_AREA * width * height and BENT[0] < filled < BENT[1]:
        yield cv2.approxPolyDP(contour, 0.012 * cv2.arcLength(contour, True), True).reshape(-1, 2)


def _longest(outlines: Sequence[np.ndarray], width: int, height: int) -> np.ndarray:
    """Where the four longest sides of each outline meet, in their order: n × 4 × 2. The picture's rim is no side where
    there are others."""
    fit = [outline for outline in outlines if 5 <= len(outline) <= MOST_CORNERS]
    if not fit:
        return np.empty((0, 4, 2), np.float32)
    count = np.array([len(outline) for outline in fit])
    place = np.arange(MOST_CORNERS)
    corner = (np.cumsum(count) - count)[:, None] + place % count[:, None]
    following = (np.cumsum(count) - count)[:, None] + (place + 1) % count[:, None]
    sides = np.concatenate(fit).astype(np.float32)[np.stack([corner, following], axis=2)]
    rank = np.linalg.norm(sides[:, :, 1] - sides[:, :, 0], axis=2)
    rank[_along_rim(sides, width, height)] *= 0.01
    rank[place >= count[:, None]] = -1
    chosen = np.sort(np.argsort(rank, axis=1)[:, -4:], axis=1)
    lines = np.take_along_axis(sides, chosen[..., None, None], axis=1)
    before = np.roll(lines, 1, axis=1)
    one, two = before[:, :, 1] - before[:, :, 0], lines[:, :, 1] - lines[:, :, 0]
    turn = one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
    away = lines[:, :, 0] - before[:, :, 0]
    far = (away[..., 0] * two[..., 1] - away[..., 1] * two[..., 0]) / np.where(np.abs(turn) < 1e-3, np.inf, turn)
    return np.asarray(before[:, :, 0] + far[..., None] * one, np.float32)


def _along_rim(sides: np.ndarray, width: int, height: int) -> np.ndarray:
    """Which sides (… × 2 × 2: both ends) run along the picture's rim."""
    away = np.concatenate([sides, np.array([width - 1, height - 1], np.float32) - sides], axis=-1)
    return np.asarray((np.abs(away).max(axis=-2) < AT_RIM).any(axis=-1))


def _plausible(found: np.ndarray, width: int, height: int) -> np.ndarray:
    """Clockwise, convex, large enough, mostly inside, and each only once."""
    if not len(found):
        return found
    found = quads.all_clockwise(found)
    size = np.array([width, height], np.float32)
    beyond = np.maximum(-found, found - size).max(axis=1)
    inside = (beyond <= MOST_OUTSIDE * size).all(axis=1)
    area = quads.areas(found)
    sides = np.linalg.norm(np.roll(found, -1, axis=1) - found, axis=2)
    slender = sides.min(axis=1) < 0.12 * sides.max(axis=1)
    # Sides that face each other are of like length, however the sheet is seen; triangles in disguise are not.
    facing = np.minimum(sides[:, :2], sides[:, 2:]) / np.maximum(np.maximum(sides[:, :2], sides[:, 2:]), 1e-6)
    # Where the picture's rim cuts a sheet, it does so at any angle.
    along = _along_rim(np.stack([found, np.roll(found, -1, axis=1)], axis=2), width, height)
    cut = np.stack([along[:, 1] | along[:, 3], along[:, 0] | along[:, 2]], axis=1)
    slender |= (facing < np.where(cut, CUT_ALIKE, ALIKE)).any(axis=1)
    # The whole picture is no find.
    whole = area > 0.985 * width * height
    good = inside & quads.convex(found, 0.55) & (area > LEAST_AREA * width * height) & ~slender & ~whole
    found = found[good]
    if not len(found):
        return found
    _, first = np.unique((found / 3).round().astype(np.int32).reshape(len(found), 8), axis=0, return_index=True)
    return found[np.sort(first)]

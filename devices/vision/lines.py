"""Finds the lines of print on a flat page, upright within a few degrees, without any model.

A page that has been squared and whitened is an easy thing: paper is white, ink is dark, rows are level. So the lines
are found by looking, which misses none, instead of being guessed by a network that skips some.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from devices.vision import tone
from devices.vision.sizes import scaled
from devices.vision.text import TooMuchNoise

SEEN = 2400  # pixels of the longer side in which lines are looked for; finer shows no more lines
SKEW = 3.0  # degrees either way that are looked for
PROSE = 9  # letters that a column of prose is at least wide
# The messiest photographs of writing have 1000 pieces and 730 lines, a close page of print 200 and 120; putting pieces
# together takes the square of their number, four seconds at this one. Noise has tens of thousands.
MOST_PIECES = 2000
MOST_LINES = 1200
MOST_LOOKS = 8000  # stretches of rows, and gaps in them, looked at for columns: 100 rows without a gap take 5000
REDNESS = 60  # by how much red outshines the other colours in what a stamp or a red heading leaves


@dataclass(frozen=True)
class Strip:
    """A line of print cut out: its `picture` (gray, uint8, ink dark), where it was, and the height of its letters."""

    picture: np.ndarray
    corners: np.ndarray  # 4 × 2, clockwise from top left, pixels of the page
    letter: float  # pixels of the page
    ink: int = 0  # 0 the dark ones, 1 the red one


Box = tuple[int, int, int, int]  # left, top, right, bottom


def strips(bgr: np.ndarray) -> list[Strip]:
    """The lines of a page in the order they are read; the page is height × width × 3, uint8, BGR.

    Raises TooMuchNoise when it has more of them than any page.
    """
    height, width = bgr.shape[:2]
    if min(height, width) < 8:
        return []
    white = tone.whiten(bgr)
    angle = skew(white)
    scale = min(SEEN / max(height, width), 1.0)
    straight = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    level = white if abs(angle) < 0.05 else cv2.warpAffine(white, straight, (width, height), borderValue=(255,) * 3)
    back = cv2.invertAffineTransform(straight) if level is not white else np.array([(1.0, 0, 0), (0, 1.0, 0)])
    inks = _inks(level)
    out: list[tuple[Box, int, int]] = []
    for number, ink in enumerate(inks):
        small = cv2.resize(ink, scaled(ink, scale), interpolation=cv2.INTER_AREA) if scale < 1 else ink
        for box, letter in boxes(small):
            left, top, right, bottom = (round(value / scale) for value in box)
            out.append(((left, top, right, bottom), round(letter / scale), number))
    if len(out) > MOST_LINES:
        raise TooMuchNoise
    found = []
    for place in reading_order([box for box, _, _ in out]):
        (left, top, right, bottom), letter, number = out[place]
        # Without the height of a letter around it nobody could tell the size of a dash or a full stop standing alone;
        # what is small both ways stands on the ground.
        lacking = max(0.9 * letter - (bottom - top), 0)
        low = 1.0 if max(right - left, bottom - top) < 0.6 * letter else 0.5
        edge = max((bottom - top) * 0.1, 1)
        top, bottom = max(round(top - edge - lacking * low), 0), min(round(bottom + edge + lacking * (1 - low)), height)
        side = max(round((bottom - top) * 0.1), 1)
        left, right = max(left - side, 0), min(right + side, width)
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
        picture = inks[number][top:bottom, left:right]
        found.append(Strip(picture, corners @ back[:, :2].T + back[:, 2], letter, number))
    return found


def _inks(white: np.ndarray) -> list[np.ndarray]:
    """The page as seen in each of its inks: the dark ones, where a red stamp is as good as paper, and the red one."""
    blue, green, red = cv2.split(white)
    other = cv2.max(blue, green)
    reddish = cv2.subtract(red, other)
    stamp = cv2.threshold(reddish, REDNESS, 255, cv2.THRESH_BINARY)[1]
    if cv2.countNonZero(stamp) < white.shape[0] * white.shape[1] // 5000:
        return [cv2.min(cv2.min(blue, green), red)]
    dark = cv2.threshold(red, 150, 255, cv2.THRESH_BINARY_INV)[1]
    dark = cv2.dilate(dark, np.ones((3, 3), np.uint8))
    return [red, cv2.max(cv2.min(blue, green), dark)]


def skew(white: np.ndarray) -> float:
    """By how many degrees the rows of print must be turned counter-clockwise to lie level; within SKEW."""
    height, width = white.shape[:2]
    scale = 800 / max(height, width)
    small = cv2.resize(white, scaled(white, scale), interpolation=cv2.INTER_AREA)
    dark = (255 - small.min(axis=2)).astype(np.float32)
    high, wide = dark.shape

    def sharpness(angle: float) -> float:
        turn = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1.0)
        rows = cv2.warpAffine(dark, turn, (wide, high), flags=cv2.INTER_LINEAR).sum(axis=1)
        return float((np.diff(rows) ** 2).sum())

    best, step = 0.0, 1.0
    for step in (1.0, 0.3, 0.1):
        tried = {angle: sharpness(angle) for angle in best + np.arange(-3, 4) * step if abs(angle) <= SKEW}
        best = max(tried, key=lambda angle: tried[angle])
    return float(best) if sharpness(best) > 1.02 * sharpness(0.0) else 0.0


def boxes(gray: np.ndarray) -> list[tuple[Box, float]]:
    """(box, height of its letters) of each line in a level page (gray, uint8, white paper). Raises TooMuchNoise."""
    dark = cv2.threshold(gray, 160, 255, cv2.THRESH_BINARY_INV)[1]
    dark = _unruled(dark)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    stats = stats[1:]
    letter = _letter(stats)
    if letter is None:
        return []
    near = max(round(letter * 1.1), 3)
    joined = cv2.morphologyEx(
        cv2.copyMakeBorder(dark, 0, 0, near, near, cv2.BORDER_CONSTANT, value=0),
        cv2.MORPH_CLOSE,
        np.ones((1, near), np.uint8),
    )[:, near:-near]
    count, labels, parts, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(joined), connectivity=8)
    if int((parts[1:, cv2.CC_STAT_AREA] >= 3).sum()) > MOST_PIECES:
        raise TooMuchNoise
    found: list[Box] = []
    for part in range(1, count):
        left, top, wide, high, area = (int(value) for value in parts[part])
        if area < 3:
            continue
        if high > 1.7 * letter:
            mine = (labels[top : top + high, left : left + wide] == part) & (
                dark[top : top + high, left : left + wide] > 0
            )
            found += [(left + box[0], top + box[1], left + box[2], top + box[3]) for box in _rows(mine, letter)]
        else:
            found.append((left, top, left + wide, top + high))
    if len(found) > MOST_PIECES:
        raise TooMuchNoise
    return [(box, letter) for box in _whole(found, letter, gray.shape)]


def _unruled(dark: np.ndarray) -> np.ndarray:
    """Without the rules of tables and forms: what is long and thin."""
    long = max(dark.shape[1] // 25, 40)
    level = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    upright = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    rules = cv2.dilate(cv2.bitwise_or(level, upright), np.ones((3, 3), np.uint8))
    return cv2.bitwise_and(dark, cv2.bitwise_not(rules))


def _letter(stats: np.ndarray) -> float | None:
    """The height of most letters, from the parts they fall into; None on an empty page."""
    wide, high, area = stats[:, 2], stats[:, 3], stats[:, 4]
    fit = (high >= 6) & (wide >= 2) & (high < 8 * np.maximum(wide, 1)) & (wide < 4 * high) & (area >= 8)
    if not fit.any():
        return None
    heights = np.sort(high[fit])
    # Parts of letters are smaller than letters: the upper quarter are whole ones.
    return float(heights[int(len(heights) * 0.75)])


def _rows(mine: np.ndarray, letter: float) -> list[Box]:
    """What has grown together over several lines, parted again at the emptiest rows between them."""
    rows = mine.sum(axis=1).astype(np.float32)
    high = len(rows)
    smooth = cv2.GaussianBlur(rows.reshape(-1, 1), (0, 0), max(letter * 0.12, 0.8)).ravel()
    cuts, last = [0], 0
    low = 0.12 * float(np.percentile(smooth, 90))
    quiet = smooth <= low
    row = 0
    while row < high:
        if quiet[row]:
            stop = row
            while stop < high and quiet[stop]:
                stop += 1
            if row - last > 0.4 * letter and stop < high:
                cuts.append((row + stop) // 2)
                last = stop
            row = stop
        row += 1
    cuts.append(high)
    out = []
    for top, bottom in itertools.pairwise(cuts):
        ys, xs = np.nonzero(mine[top:bottom])
        if len(ys):
            out.append((int(xs.min()), top + int(ys.min()), int(xs.max()) + 1, top + int(ys.max()) + 1))
    return out


def _whole(found: list[Box], letter: float, shape: tuple[int, ...]) -> list[Box]:
    """Pieces of a line put together: what stands on the same height and near, and dots over or under it."""
    pieces = np.array(sorted(found), np.int64).reshape(-1, 4)
    changed = True
    while changed:
        out, count = np.empty_like(pieces), 0
        for box in pieces:
            near = np.flatnonzero(_same_line(out[:count], box, letter))
            if len(near):
                other = out[near[-1]]
                other[:2], other[2:] = np.minimum(other[:2], box[:2]), np.maximum(other[2:], box[2:])
            else:
                out[count] = box
                count += 1
        changed = count < len(pieces)
        pieces = out[np.lexsort(out[:count].T[::-1])]
    boxes: list[Box] = [(left, top, right, bottom) for left, top, right, bottom in pieces.tolist()]
    return [box for box in boxes if _plausible(box, letter, shape[0])]


def _plausible(box: Box, letter: float, page: int) -> bool:
    """A line of print, not a speck, a block of colour or an upright stroke."""
    wide, high = box[2] - box[0], box[3] - box[1]
    if max(wide, high) < max(letter * 0.35, 4) or high < 2 or high > 0.25 * page:
        return False
    return high <= 4 * letter or wide >= 2 * high


def _same_line(others: np.ndarray, box: np.ndarray, letter: float) -> np.ndarray:
    """Which of `others` (n × 4) are of one line with this box: n, bool."""
    left, top, right, bottom = others.T
    tall = np.maximum(bottom - top, box[3] - box[1])
    high = np.minimum(bottom - top, box[3] - box[1])
    apart = np.maximum(left, box[0]) - np.minimum(right, box[2])
    shared = np.minimum(bottom, box[3]) - np.maximum(top, box[1])
    # A bracket or a mark alone is read wrong; it belongs to its neighbour even across the blank beside it.
    alone = np.minimum(right - left, box[2] - box[0]) < 1.5 * letter
    reach = np.where(alone, 1.9 * letter, 1.3 * np.clip(tall, letter * 0.8, 1.5 * letter))
    beside = (apart < reach) & (tall < 3 * np.maximum(high, letter * 0.5))
    # Parts of one letter, one above the other (二, i, ：): together they are no taller than a letter.
    both = np.maximum(bottom, box[3]) - np.minimum(top, box[1])
    above = (-shared < 0.45 * letter) & (apart < 0) & (both <= 1.15 * letter)
    return np.asarray(np.where(shared >= 0.5 * high, beside, above))


def reading_order(found: Sequence[Box]) -> list[int]:
    """Places in `found` as they are read: from the top, columns of prose one after the other, rows from the left."""
    boxes = np.array(found, np.int64).reshape(-1, 4)
    looks = itertools.count()
    return [int(place) for place in _ordered(boxes, np.argsort(boxes[:, 1], kind="stable"), looks)]


def _ordered(boxes: np.ndarray, places: np.ndarray, looks: Iterator[int]) -> list[int]:
    """These places (from the top) in reading order; every look for columns counts one of `looks`."""
    if len(places) < 2:
        return list(places)
    begins = _bands(boxes[places])
    bands = np.split(places, begins[1:])
    if len(bands) == 1:
        return _across(boxes, places)
    edges = [*begins, len(places)]
    best: tuple[int, int, int] | None = None
    for first in range(len(bands)):
        for last in range(len(bands), first + 2, -1):
            if (best and last - first <= best[1] - best[0]) or next(looks) >= MOST_LOOKS:
                break
            at = _corridor(boxes[places[edges[first] : edges[last]]], looks)
            if at is not None:
                best = first, last, at
                break
    if best is None:
        return [place for band in bands for place in _across(boxes, band)]
    first, last, at = best
    before = [place for band in bands[:first] for place in _across(boxes, band)]
    within = places[edges[first] : edges[last]]
    is_left = boxes[within, 2] <= at
    rest = (within[is_left], within[~is_left], places[edges[last] :])
    return [*before, *(place for part in rest for place in _ordered(boxes, part, looks))]


def _bands(boxes: np.ndarray) -> np.ndarray:
    """Where in these boxes (from the top) each band of those that share a height begins."""
    if not len(boxes):
        return np.zeros(0, np.int64)
    top, foot = boxes[:, 1], boxes[:, 3]
    inner = 0.3 * (foot - top)
    reach = np.maximum.accumulate(foot - inner)
    return np.flatnonzero(np.append(True, (top + inner)[1:] >= reach[:-1]))


def _across(boxes: np.ndarray, band: np.ndarray) -> list[int]:
    """One band: rows from the top, each from the left (a tall neighbour may hold several rows together)."""
    rows: list[list[int]] = []
    for place in sorted(band, key=lambda each: boxes[each, 1] + boxes[each, 3]):
        middle = (boxes[place, 1] + boxes[place, 3]) / 2
        last = boxes[rows[-1][0]] if rows else None
        if last is not None and last[1] <= middle <= last[3]:
            rows[-1].append(place)
        else:
            rows.append([place])
    return [place for row in rows for place in sorted(row, key=lambda each: boxes[each, 0])]


def _corridor(boxes: np.ndarray, looks: Iterator[int]) -> int | None:
    """Where an empty column parts these (from the top) into two columns of prose; None when it does not."""
    order = np.argsort(boxes[:, 0])
    reach = np.maximum.accumulate(boxes[order, 2])
    for gap in np.flatnonzero(boxes[order[1:], 0] > reach[:-1] + 8):
        if next(looks) >= MOST_LOOKS:
            break
        is_left = boxes[:, 2] <= reach[gap]
        if min(gap + 1, len(boxes) - gap - 1) >= 3 and _prose(boxes[is_left]) and _prose(boxes[~is_left]):
            return int(reach[gap])
    return None


def _prose(boxes: np.ndarray) -> bool:
    """Most lines are long and fill their column: text that runs on, not the cells of a table."""
    left, right = boxes[:, 0], boxes[:, 2]
    wide = right.max() - left.min()
    if wide < PROSE * float(np.median(boxes[:, 3] - boxes[:, 1])):
        return False
    rows = _bands(boxes)
    full = np.maximum.reduceat(right, rows) - np.minimum.reduceat(left, rows) > 0.75 * wide
    return len(rows) >= 3 and int(full.sum()) >= 0.5 * len(rows)

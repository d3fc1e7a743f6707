"""Finds lines of machine-readable print in a picture, whichever way they run, and where each of their characters is.

Long blobs of close dark marks are tried; the reader of single characters (`ocrb`) says whether one is such a line: its
characters stand at an even distance, which a tilted card changes only slowly along the line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from devices.vision import ocrb
from devices.vision.sizes import scaled

LONGER = 1200  # pixels of the working copy's longer side
MOST_LARGER = 4.0
CLOSINGS = (7, 11, 17, 25)  # pixels of the working copy: gaps between the characters of a line
LEAST_LONG, LEAST_SLENDER = 0.16, 9.0  # of the longer side; length through height
MOST_TRIED = 14
WIDTHS = (30, 36, 44)  # characters of a line
PITCHES = range(12, 20)  # pixels of the strip between characters
CLIP = 4.0  # no single character says more for or against
LEAST_WIDE, MOST_WIDE = 1100, 2500  # pixels of a strip that is searched
GOOD = 1.2  # mean evidence of a line that is one


class Pyramid:
    """A picture (h × w, uint8) and its halves, so that small copies are cut without leaving out strokes."""

    def __init__(self, grey: np.ndarray) -> None:
        self.levels = [grey]

    def cut(self, start: np.ndarray, along: np.ndarray, down: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """`size` = (width, height) pixels from `start` (x, y), one pixel to the right is `along`, down is `down`."""
        step, level = float(np.linalg.norm(down)), 0
        while step / 2**level > 1.6 and min(self.levels[level].shape) > 64:
            level += 1
            if level == len(self.levels):
                self.levels.append(cv2.pyrDown(self.levels[-1]))
        matrix = np.stack([along, down, start], axis=1) / 2**level
        how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(
                self.levels[level], matrix.astype(np.float32), size, flags=how, borderMode=cv2.BORDER_REPLICATE
            )
        )


@dataclass(frozen=True)
class Found:
    """A line of `len(places)` characters.

    In pixels of the picture: `places` their centres (n × 2), `pitch` from one to the next, `cap` a capital's height.
    `down` is the unit vector from the line's top to its foot. `said` is n × 37: how likely each of `ocrb.LETTERS` is
    (logarithm). `evidence` is per character: 0 is as likely none as one.
    """

    places: np.ndarray
    pitch: float
    cap: float
    down: np.ndarray
    said: np.ndarray
    evidence: float


def find(pyramid: Pyramid) -> list[Found]:
    """The lines in a picture, the surest first; none twice."""
    out: list[Found] = []
    for middle, along, long, high in _blobs(pyramid.levels[0]):
        if any(_covers(line, middle) for line in out):
            continue
        both = (follow(pyramid, middle, way, long, high) for way in (along, -along))
        good = [line for line in both if line is not None and line.evidence > GOOD]
        out += sorted(good, key=lambda line: -line.evidence)[:1]
    return sorted(out, key=lambda line: -line.evidence * len(line.places))


def _covers(line: Found, point: np.ndarray) -> bool:
    away = point - line.places.mean(axis=0)
    return bool(abs(away @ line.down) < 0.6 * line.pitch and np.linalg.norm(away) < 0.5 * line.pitch * len(line.places))


def _blobs(grey: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, float, float]]:
    """(middle, unit vector along, length, height) of long slender dark patches in pixels of the picture; best first."""
    height, width = grey.shape
    scale = min(LONGER / max(height, width), MOST_LARGER)
    work = cv2.resize(grey, scaled(grey, scale), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    found: list[tuple[float, np.ndarray, np.ndarray, float, float]] = []
    for closing in CLOSINGS:
        stroke = closing | 1
        hat = cv2.morphologyEx(work, cv2.MORPH_BLACKHAT, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (stroke, stroke)))
        level, _ = cv2.threshold(hat, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        marks = (hat > np.clip(level, 10, 60)).astype(np.uint8) * 255
        joined = cv2.morphologyEx(
            marks, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (closing, closing))
        )
        for mask in (joined, cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))):
            contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            for contour in contours:
                _, _, wide, high = cv2.boundingRect(contour)
                if max(wide, high) < LEAST_LONG * max(work.shape):
                    continue
                centre, sides, _ = rect = cv2.minAreaRect(contour)
                long, short = max(sides), max(min(sides), 1.0)
                if long < LEAST_LONG * max(work.shape) or long / short < LEAST_SLENDER or short < 5:
                    continue
                box = cv2.boxPoints(rect)
                first, second = box[1] - box[0], box[2] - box[1]
                way = first if np.linalg.norm(first) > np.linalg.norm(second) else second
                way = way / np.linalg.norm(way)
                # Full from end to end and slender is what print of such a line looks like.
                filled = cv2.contourArea(contour) / (long * short)
                worth = filled * long * min(long / short, 30)
                found.append((worth, np.asarray(centre), np.asarray(way), long, short))
    out: list[tuple[np.ndarray, float]] = []
    for _, middle, way, long, short in sorted(found, key=lambda each: -each[0]):
        if any(np.linalg.norm(middle - other) < 0.7 * high for other, high in out):
            continue
        out.append((middle, short))
        yield (middle + 0.5) / scale - 0.5, way, long / scale, short / scale
        if len(out) == MOST_TRIED:
            return


def follow(pyramid: Pyramid, middle: np.ndarray, along: np.ndarray, long: float, high: float) -> Found | None:
    """The line that runs through `middle` in the direction `along`, its letters about `high` high; None: no such."""
    middle, along, cap = _settled(pyramid, middle, along, long, high)
    best: Found | None = None
    for height in (cap, cap * 0.88, cap * 1.14):
        line = _read(pyramid, middle, along, long, height)
        if line is not None and (best is None or line.evidence > best.evidence):
            best = line
    return best


def _settled(
    pyramid: Pyramid, middle: np.ndarray, along: np.ndarray, long: float, high: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Middle, direction and height of capitals, set right by where the ink is along the line."""
    tall = 48
    for _ in range(2):
        step = high * 3 / tall
        down = np.array([-along[1], along[0]])
        wide = int(np.clip(long / step, 64, 4000))
        start = middle - along * step * wide / 2 - down * step * tall / 2
        seen = pyramid.cut(start, along * step, down * step, (wide, tall)).astype(np.float32)
        ink = cv2.blur(cv2.dilate(seen, np.ones((25, 25), np.uint8)), (25, 25)) - seen
        ink = np.maximum(ink - np.percentile(ink, 60), 0)
        rows = np.arange(tall) - (tall - 1) / 2
        near = np.exp(-((rows / (tall / 4)) ** 2))
        parts = np.array_split(ink, 12, axis=1)
        weight = np.array([(part.mean(axis=1) * near).sum() for part in parts]) + 1e-6
        centre = np.array([(part.mean(axis=1) * near * rows).sum() for part in parts]) / weight
        where = (np.arange(12) - 5.5) / 12 * wide
        tilt, lift = np.polyfit(where, centre, 1, w=np.sqrt(np.minimum(weight, np.median(weight))))
        middle = middle + down * lift * step
        along = along + down * tilt
        along = along / np.linalg.norm(along)
    profile = ink.mean(axis=1)
    inner = profile[tall // 2 - 6 : tall // 2 + 6]
    full = float(np.median(inner))
    inside = profile > 0.4 * full
    top, foot = tall // 2, tall // 2
    while top > 0 and inside[top - 1]:
        top -= 1
    while foot < tall - 1 and inside[foot + 1]:
        foot += 1
    cap = (foot - top + 1) * step
    return middle, along, float(np.clip(cap, 0.5 * high, 1.15 * high))


def _read(pyramid: Pyramid, middle: np.ndarray, along: np.ndarray, long: float, cap: float) -> Found | None:
    step = cap / ocrb.CAP
    down = np.array([-along[1], along[0]])
    # The blob may be but a part of the line.
    wide = max(round(long / step * 1.5) + 8 * int(ocrb.PITCH), LEAST_WIDE)
    if wide > MOST_WIDE:
        return None
    likely = _likely(pyramid, middle, along, step, wide)
    evidence = _evidence(likely)
    chain = _chain(evidence)
    if len(chain) < 18:
        return None
    grid = _fitted(np.arange(len(chain)), np.asarray(chain, np.float64))
    first, count, mean = _counted(evidence, grid, len(chain))
    if mean <= 0:
        return None
    return _found(likely, grid(np.arange(first, first + count)), middle, along, down, step, cap, wide)


def _likely(pyramid: Pyramid, middle: np.ndarray, along: np.ndarray, step: float, wide: int) -> np.ndarray:
    down = np.array([-along[1], along[0]])
    start = middle - along * step * (wide - 1) / 2 - down * step * (ocrb.HIGH - 1) / 2
    return ocrb.likely(ocrb.evened(pyramid.cut(start, along * step, down * step, (wide, ocrb.HIGH))))


def _evidence(likely: np.ndarray) -> np.ndarray:
    """For a character at each column, against none."""
    none = likely[:, -1]
    some = np.log1p(-np.minimum(np.exp(none), 1 - 1e-6))
    return np.asarray(np.clip(some - none, -CLIP, CLIP))


def _chain(evidence: np.ndarray) -> list[int]:
    """The columns of the likeliest row of characters at an even distance."""
    best: tuple[float, list[int]] = (0.0, [])
    each: list[float] = evidence.tolist()  # of so few numbers at a time, lists are quicker than arrays
    for pitch in PITCHES:
        total = each.copy()
        came = [-1] * len(each)
        for at in range(pitch - 1, len(each)):
            low = max(at - pitch - 1, 0)
            before = total[low : at - pitch + 2]
            most = max(before)
            if most > 0:
                total[at] += most
                came[at] = low + before.index(most)
        most = max(total, default=0.0)
        if most > best[0]:
            chain = []
            end = total.index(most)
            while end >= 0:
                chain.append(end)
                end = came[end]
            best = (most, chain[::-1])
    return best[1]


def _fitted(numbers: np.ndarray, columns: np.ndarray) -> np.poly1d:
    """Character's number → column: even, but for what a tilt does to it."""
    grid = np.poly1d(np.polyfit(numbers, columns, 2))
    for _ in range(2):
        away = np.abs(grid(numbers) - columns)
        good = away <= max(1.0, 1.5 * float(np.median(away)))
        if good.sum() >= 10:
            grid = np.poly1d(np.polyfit(numbers[good], columns[good], 2))
    return grid


def _near(evidence: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The evidence at these columns or beside them; against, beyond the strip."""
    calm = np.maximum.reduce([evidence, np.roll(evidence, 1), np.roll(evidence, -1)])
    places = np.rint(columns).astype(np.intp)
    inside = (places >= 0) & (places < len(evidence))
    return np.where(inside, calm[np.clip(places, 0, len(evidence) - 1)], -CLIP)


def _counted(evidence: np.ndarray, grid: np.poly1d, length: int) -> tuple[int, int, float]:
    """(number of the first character in `grid`, how many, mean evidence) of the kind of line that fits best."""
    numbers = np.arange(-16, length + 16)
    each = _near(evidence, grid(numbers))
    best = (0, 0, -CLIP)
    most = -np.inf
    for width in WIDTHS:
        for first in range(max(0, len(numbers) - width + 1)):
            inside = each[first : first + width]
            beside = np.concatenate([each[max(first - 5, 0) : first], each[first + width : first + width + 5]])
            total = float(inside.sum() - np.maximum(beside, 0).sum())
            if total > most:
                most, best = total, (int(numbers[first]), width, float(inside.mean()))
    return best


def _found(
    likely: np.ndarray,
    columns: np.ndarray,
    middle: np.ndarray,
    along: np.ndarray,
    down: np.ndarray,
    step: float,
    cap: float,
    wide: int,
) -> Found:
    evidence = _evidence(likely)
    said = np.full((len(columns), len(ocrb.LETTERS)), -12.0, np.float32)
    for number, column in enumerate(columns):
        low, high = max(round(column) - 2, 0), min(round(column) + 3, len(likely))
        if high <= low:
            continue
        spots = likely[low:high]
        use = spots[int(spots[:, :-1].max(axis=1).argmax())][:-1]
        top = float(use.max())
        said[number] = use - top - np.log(np.exp(use - top).sum())
    places = middle + np.outer((columns - (wide - 1) / 2) * step, along)
    pitch = float(np.linalg.norm(places[-1] - places[0])) / (len(places) - 1)
    return Found(places, pitch, cap, down, said, float(_near(evidence, columns).mean()))


def beside(pyramid: Pyramid, line: Found, side: int) -> Found | None:
    """The line of as many characters above (-1) or below (1) a line, at the distance print of this kind keeps."""
    along = line.places[-1] - line.places[0]
    long = float(np.linalg.norm(along))
    along = along / long
    step = line.cap / ocrb.CAP
    wide = round(long / step) + 6 * int(ocrb.PITCH)
    middle = (line.places[0] + line.places[-1]) / 2
    best: tuple[float, np.ndarray] | None = None
    columns = (line.places - middle) @ along / step + (wide - 1) / 2
    for distance in np.arange(1.6, 3.5, 0.15):
        there = middle + line.down * side * distance * line.pitch
        evidence = _evidence(_likely(pyramid, there, along, step, wide))
        total = max(float(_near(evidence, columns + shift).mean()) for shift in (-4, -2, 0, 2, 4))
        if best is None or total > best[0]:
            best = (total, there)
    if best is None or best[0] < 0:
        return None
    settled, way, cap = _settled(pyramid, best[1], along, long, line.cap * 1.3)
    tries = [(best[1], along, line.cap), (settled, way, line.cap), (settled, way, cap)]
    lines = [_at(pyramid, *each, long, columns, step) for each in tries]
    return max(lines, key=lambda each: each.evidence)


def again(pyramid: Pyramid, line: Found) -> Found:
    """The line read again at its known places, a little higher and lower, larger and smaller: the mean says more."""
    along = line.places[-1] - line.places[0]
    long = float(np.linalg.norm(along))
    along = along / long
    middle = (line.places[0] + line.places[-1]) / 2
    total = np.zeros((len(line.places), len(ocrb.LETTERS) + 1), np.float32)
    for larger in (0.93, 1.0, 1.07):
        step = line.cap * larger / ocrb.CAP
        wide = round(long / step) + 6 * int(ocrb.PITCH)
        columns = (line.places - middle) @ along / step + (wide - 1) / 2
        for lift in (-1.0, 0.0, 1.0):
            there = middle + line.down * lift * step
            start = there - along * step * (wide - 1) / 2 - line.down * step * (ocrb.HIGH - 1) / 2
            ink = ocrb.evened(pyramid.cut(start, along * step, line.down * step, (wide, ocrb.HIGH)))
            seen = ocrb.windows(ink)
            near = np.rint(columns[:, None] + (-1, 0, 1)).astype(np.intp)
            spoken = ocrb.spoken(seen[near.ravel()]).reshape(len(columns), 3, -1)
            best = spoken[..., :-1].max(axis=2).argmax(axis=1)
            total += spoken[np.arange(len(columns)), best]
    use = total[:, :-1] / 9
    top = use.max(axis=1, keepdims=True)
    said = use - top - np.log(np.exp(use - top).sum(axis=1, keepdims=True))
    return dataclasses.replace(line, said=said)


def _at(
    pyramid: Pyramid, middle: np.ndarray, along: np.ndarray, cap: float, long: float, columns: np.ndarray, old: float
) -> Found:
    """The line here, with its characters about where those of its neighbour are."""
    step = cap / ocrb.CAP
    wide = round(long / step) + 6 * int(ocrb.PITCH)
    down = np.array([-along[1], along[0]])
    likely = _likely(pyramid, middle, along, step, wide)
    evidence = _evidence(likely)
    centred = (columns - columns.mean()) * old / step
    offset = columns.mean() * old / step - ((columns.max() + columns.min()) / 2 * old / step)
    best: tuple[float, np.ndarray] | None = None
    for stretch in (0.985, 0.9925, 1.0, 1.0075, 1.015):
        for shift in np.arange(-9.0, 9.5, 1.0):
            moved = centred * stretch + (wide - 1) / 2 + offset + shift
            total = float(_near(evidence, moved).mean()) - 0.01 * abs(shift)
            if best is None or total > best[0]:
                best = (total, moved)
    assert best is not None
    numbers = np.arange(len(columns))
    near = np.array([_peak(evidence, column) for column in best[1]])
    grid = _fitted(numbers, near)(numbers)
    if float(_near(evidence, grid).mean()) < best[0] - 0.2:
        grid = best[1]
    return _found(likely, grid, middle, along, down, step, cap, wide)


def _peak(evidence: np.ndarray, column: float) -> float:
    low, high = max(round(column) - 3, 0), min(round(column) + 4, len(evidence))
    if high <= low:
        return column
    part = evidence[low:high]
    best = np.flatnonzero(part >= part.max() - 1e-3)
    return float(low + best.mean())

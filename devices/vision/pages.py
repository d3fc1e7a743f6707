"""Finds sheets of paper, books and cards in a picture: their four corners, how sure that is, and what is amiss.

A small copy of the picture proposes figures (`candidates`); each is weighed on what is seen along its sides; the few
that are left have their sides made exact at full size (`sides`) and are judged (`judging`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from devices.vision import candidates, quads
from devices.vision.judging import PageFound, ends_within, is_hopeless, judged
from devices.vision.sides import Sides, refine

SMALL_SIDE = 336  # pixels of the small copy's longer side
LEAST_SIDE = 32  # pixels of a picture's shorter side in which a page is looked for
SURE = 0.52  # from this score on something is a page

# Proposals compared with one another, looked into on the small copy, and at full size; tried in place of one that has
# a doubtful side.
MOST_SORTED, MOST_WEIGHED, MOST_REFINED, MOST_TRIED = 150, 16, 4, 2
REACH = 4.0  # pixels of the small copy within which a side is looked for

# The weight of a figure on the small copy: the places along a side that are looked at, what a side counts that is the
# picture's rim, and what all counts with so many of them; how much of a side's weight is that it steps the same way
# all along, and what that counts where it is darker inside.
ALONG = np.linspace(0.06, 0.94, 40, dtype=np.float32)
RIM_SUPPORT, RIM_SIDES = 0.7, np.array([1.0, 1.0, 0.7, 0.0, 0.0])
SAME_WAY, DARKER = 0.4, 0.65
LEAST_WEIGHT = 0.25  # of a figure that is looked into

# Two figures in one place: the share of the smaller one that is too much to have in common for two pages; of a page
# that has another at its end: how much of that one it goes around, how many times as large it is, and how much of its
# weight or score it has.
SHARED, AROUND, LARGER, NEARLY = 0.35, 0.9, 1.2, 0.8

# A doubtful side: how straight all have to be for none to be; how straight the others of such a figure are at least;
# pixels of the small copy by which the corners may differ of a figure that has this side alone elsewhere.
BORNE_OUT, OTHERS_STRAIGHT, ALIKE = 0.85, 0.7, 10.0
# A side in place of the picture's rim: how straight it is, and how much of what the others step inwards it steps.
SIDE_SEEN, SIDE_ALIKE = 0.8, 0.7
MARGIN = 0.1  # of the picture: print no further from its rim may be a page's last before it


def find_pages(
    bgr: np.ndarray, blobs: Sequence[np.ndarray] = (), sure: float = SURE, alone: bool = False
) -> list[PageFound]:
    """The pages in a picture (h × w × 3, uint8, BGR), the surest first.

    `blobs`: further masks (uint8, 0 and 255, any size) whose outlines may be pages, of what was not there before;
    `alone`: no other outlines. `sure`: the least score of a page.
    """
    height, width = bgr.shape[:2]
    scale = SMALL_SIDE / max(height, width)
    if min(height, width) < LEAST_SIDE:
        return []
    small = _smaller(bgr, scale) if scale < 1 else bgr
    scale = small.shape[1] / width
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB)
    across, down, strength = _steps(lab)
    proposed = candidates.propose(lab, strength, blobs, alone)
    if not len(proposed):
        return []
    weights = _weigh(proposed, across, down, strength)
    found: list[PageFound] = []
    refined = 0
    for index in itertools.islice(_apart(proposed, weights), MOST_WEIGHED):
        if refined == MOST_REFINED + max(len(found) - 1, 0):  # where several lie, there are more to look at
            break
        weight = float(weights[index])
        if is_hopeless(lab, proposed[index], weight, sure):
            continue
        refined += 1
        page = judged(bgr, _refined(bgr, proposed, weights, index, scale), weight, sure, known=len(blobs) > 0)
        if page is not None:
            found.append(page)
    return _surest(found, REACH / scale)


def _smaller(bgr: np.ndarray, scale: float) -> np.ndarray:
    """The picture at this scale; by halves as far as that goes, which is several times faster."""
    while scale <= 0.5:
        height, width = bgr.shape[0] // 2, bgr.shape[1] // 2
        bgr = cv2.resize(bgr[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
        scale *= 2
    size = max(round(bgr.shape[1] * scale), 1), max(round(bgr.shape[0] * scale), 1)
    return cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)


def _steps(lab: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The colour step at each pixel: to the right, downwards (of the strongest channel, signed), and its strength."""
    across = down = most = None
    # a and b step less than lightness for the same difference to the eye.
    for plane, gain in zip(cv2.split(cv2.GaussianBlur(lab, (3, 3), 0)), (1.0, 1.6, 1.6), strict=True):
        right = cv2.Sobel(plane, cv2.CV_32F, 1, 0, scale=0.25 * gain)
        below = cv2.Sobel(plane, cv2.CV_32F, 0, 1, scale=0.25 * gain)
        strength = cv2.magnitude(right, below)
        if across is None or down is None or most is None:
            across, down, most = right, below, strength
            continue
        more = cv2.compare(strength, most, cv2.CMP_GT)
        cv2.copyTo(right, more, across)
        cv2.copyTo(below, more, down)
        most = cv2.max(most, strength)
    assert across is not None and down is not None and most is not None
    return across, down, most


def _weigh(proposed: np.ndarray, across: np.ndarray, down: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """How well each proposal's sides are borne out: the share of each side with a step across it, 0 to 1."""
    height, width = strength.shape
    start, stop = quads.within(proposed, np.roll(proposed, -1, axis=1), width, height)
    along = stop - start
    length = np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-6)
    normal = np.stack([-along[..., 1], along[..., 0]], axis=2) / length
    spots = start[:, :, None] + along[:, :, None] * ALONG[None, None, :, None]
    noise = float(np.median(strength[::2, ::2]))
    enough = float(np.clip(3.0 * noise, 2.5, 14.0))
    lighter, darker = np.zeros((2, *spots.shape[:3]), np.float32)
    for offset in (-2.0, -1.0, 0.0, 1.0, 2.0):
        moved = spots + normal[:, :, None] * offset
        x = np.clip(moved[..., 0] + 0.5, 0, width - 1).astype(np.intp)
        y = np.clip(moved[..., 1] + 0.5, 0, height - 1).astype(np.intp)
        place = y * width + x
        step = across.take(place) * normal[:, :, None, 0] + down.take(place) * normal[:, :, None, 1]
        np.maximum(lighter, step, out=lighter)
        np.minimum(darker, step, out=darker)
    best = np.maximum(lighter, -darker)
    borne = np.minimum(best / enough, 1.0)
    # Along a side of a page it steps the same way; along a grain or a row of letters it does so as it comes.
    way = np.where(lighter >= -darker, borne, -borne).mean(axis=2)
    support = (1 - SAME_WAY) * borne.mean(axis=2) + SAME_WAY * np.maximum(way, -DARKER * way)
    rim = ((spots[..., 0] < 2.5) | (spots[..., 1] < 2.5)).mean(axis=2) > 0.5
    rim |= ((spots[..., 0] > width - 3.5) | (spots[..., 1] > height - 3.5)).mean(axis=2) > 0.5
    support = np.where(rim, RIM_SUPPORT, support)
    # With the rim on two sides it is likelier the desk; with more of it, certainly.
    support = support * RIM_SIDES[rim.sum(axis=1)][:, None]
    share = np.sqrt(np.maximum(quads.areas(proposed), 0) / (width * height))
    return np.asarray((0.55 * support.mean(axis=1) + 0.45 * support.min(axis=1)) * (0.5 + 0.5 * share))


def _apart(proposed: np.ndarray, weights: np.ndarray) -> Iterator[int]:
    """The best proposals of each place, best first: others that mean the same page are dropped, and what lies within a
    page; but not what has one at its end and weighs about as much, for the blank end of a page looks like one."""
    areas = quads.areas(proposed)
    low, high = proposed.min(axis=1), proposed.max(axis=1)
    kept: list[int] = []
    for index in np.argsort(-weights)[:MOST_SORTED]:
        if weights[index] < LEAST_WEIGHT:
            break
        for other in kept:
            if (low[index] >= high[other]).any() or (low[other] >= high[index]).any():
                continue
            common = quads.shared(proposed[index], proposed[other])
            around = common > AROUND * areas[other] and areas[index] > LARGER * areas[other]
            if around and weights[index] > NEARLY * weights[other] and _ends_alike(proposed[other], proposed[index]):
                continue
            if common > SHARED * min(areas[index], areas[other]):
                break
        else:
            kept.append(int(index))
            yield int(index)


def _ends_alike(end: np.ndarray, whole: np.ndarray, reach: float = REACH) -> bool:
    """Whether two figures (4 × 2) have just two corners in common: one of them may be the other's end."""
    apart = np.linalg.norm(end[:, None] - whole[None], axis=2).min(axis=1)
    return int((apart < reach).sum()) == 2


def _refined(bgr: np.ndarray, proposed: np.ndarray, weights: np.ndarray, index: int, scale: float) -> Sides:
    """A proposal's sides at full size, or those of one that has a doubtful side of it elsewhere."""
    sides = refine(bgr, (proposed[index] + 0.5) / scale - 0.5, REACH / scale)
    side = _doubtful(sides)
    if side is None:
        return sides
    height, width = bgr.shape[:2]
    near = MARGIN * min(width, height) if ends_within(sides) else 0.0
    cut = None if sides.on_rim.any() else quads.cut(sides.corners, side, width, height, near)
    others = [(proposed[other] + 0.5) / scale - 0.5 for other in _elsewhere(proposed, weights, index, side, sides)]
    for other in others if cut is None else [cut]:
        tried = refine(bgr, other, REACH / scale)
        if _is_better(tried, sides):
            sides = tried
    return sides


def _doubtful(sides: Sides) -> int | None:
    """The side that may be elsewhere, if there is one: the picture's rim, the least straight, one within the page."""
    if sides.on_rim.any():
        return int(sides.on_rim.argmax())
    if sides.straight.min() < BORNE_OUT:
        # Where two are not straight, no other place of one of them will help.
        return int(sides.straight.argmin()) if np.sort(sides.straight)[1] >= OTHERS_STRAIGHT else None
    return int(sides.inward.argmin()) if ends_within(sides) else None


def _straightness(sides: Sides) -> np.ndarray:
    return np.where(sides.on_rim, 1.0, sides.straight)


def _is_better(tried: Sides, sides: Sides) -> bool:
    if tried.on_rim.sum() == sides.on_rim.sum():
        return bool(_straightness(tried).min() > _straightness(sides).min())
    # Seen, and lighter inside like the others: then the page ends there and not at the picture's rim.
    inner, outer = sorted((tried, sides), key=lambda each: int(each.on_rim.sum()))
    off = ~outer.on_rim
    alike = off.any() and inner.inward.min() >= SIDE_ALIKE * float(np.median(outer.inward[off]))
    return bool(alike and inner.straight.min() >= SIDE_SEEN) == (inner is tried)


def _elsewhere(proposed: np.ndarray, weights: np.ndarray, index: int, side: int, sides: Sides) -> list[int]:
    """The weightiest proposals, at most MOST_TRIED, with this one's figure but for a side that is not there.

    At the picture's rim: those that have all of it further in. Else those that have an end of it further out: which of
    the proposals around a covered corner weighs most on the small copy is a matter of luck.
    """
    mine = proposed[index]
    start, stop = side, (side + 1) % 4
    along = mine[stop] - mine[start]
    outwards = np.array([along[1], -along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
    beyond = ((proposed - mine) @ outwards)[:, [start, stop]]
    apart = np.sort(np.linalg.norm(proposed - mine, axis=2), axis=1)
    if sides.on_rim[side]:
        found = np.flatnonzero((apart[:, 1] < ALIKE) & (beyond.max(axis=1) < -REACH))
    else:
        found = np.flatnonzero((apart[:, 2] < ALIKE) & (beyond.max(axis=1) > 2 * REACH))
    return [int(other) for other in found[np.argsort(-weights[found])][:MOST_TRIED]]


def _surest(found: list[PageFound], reach: float) -> list[PageFound]:
    """The surest first, without those that lie where a surer one is; but a page goes before its own blank end, which
    has two of its corners (no more than `reach` pixels away) and may be surer."""
    kept: list[PageFound] = []
    for page in sorted(found, key=lambda page: -page.score):
        area = float(quads.areas(page.corners))
        near = [other for other in kept if _common(page, other) > SHARED * min(area, float(quads.areas(other.corners)))]
        if not near:
            kept.append(page)
        elif len(near) == 1 and _is_end_of(near[0], page, reach) and page.score > NEARLY * near[0].score:
            kept[next(n for n, other in enumerate(kept) if other is near[0])] = page
    return sorted(kept, key=lambda page: -page.score)


def _common(page: PageFound, other: PageFound) -> float:
    return quads.shared(page.corners, other.corners)


def _is_end_of(end: PageFound, page: PageFound, reach: float) -> bool:
    area = float(quads.areas(end.corners))
    smaller = LARGER * area < float(quads.areas(page.corners)) and _common(end, page) > AROUND * area
    return smaller and _ends_alike(end.corners, page.corners, reach)

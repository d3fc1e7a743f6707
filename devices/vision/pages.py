"""Finds sheets of paper, books and cards in a picture: their four corners, how sure that is, and what is amiss.

A small copy of the picture proposes figures (`candidates`); each is weighed on what is seen along its sides; the few
that are left have their sides made exact at full size (`sides`).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from devices.vision import candidates, quads
from devices.vision.sides import Sides, refine

SMALL_SIDE = 336  # pixels of the small copy's longer side
SURE = 0.52  # from this score on something is a page
SMALL_IS_ODD = 0.54  # what the smallest figure is worth: small things have straight sides by chance
# Proposals compared with one another, looked into on the small copy, and at full size.
MOST_SORTED, MOST_WEIGHED, MOST_REFINED = 150, 16, 4
SHARED = 0.35  # of the smaller one's area: two figures that have more in common are not two pages
AROUND, LARGER, NEARLY = 0.9, 1.2, 0.8  # of another's area and weight: what a page around that one has
REBUILT = 2  # proposals tried in place of one whose corner may be covered
BORNE_OUT = 0.85  # share of a side's places on its line from which on no other is looked for
SIDE_SEEN, SIDE_ALIKE = 0.8, 0.7  # share of a side on its line, of what the others step inwards: to be one near the rim
OTHERS_STRAIGHT = 0.7  # what the other sides of such a figure are at least
ALIKE = 10.0  # pixels of the small copy by which their other corners may differ
REACH = 4.0  # pixels of the small copy within which a side is looked for
EVEN, MOSTLY, COLOURLESS = 22, 0.65, 16.0  # steps of lightness, share of a page, distance from grey (LAB of OpenCV)
ONE_COLOUR, LIT = 5.0, 110.0  # steps a tint may vary by, and lightness, of a sheet in a coloured light
RIM_SUPPORT, RIM_STRAIGHT = 0.7, 0.8  # what the picture's rim is worth in place of a side that is cut off
RIM_SIDES = np.array([1.0, 1.0, 0.7, 0.0, 0.0])  # what the evidence is worth with so many of them
CORNER_OUT = 0.12  # of the picture's size: what is further outside of it is more than a page's corner
SAME_WAY, DARKER = 0.4, 0.65  # of a side's evidence: that it steps the same way all along; what darker inside is worth
CERTAIN, LIGHTER = 0.8, 3.0  # share of a side on its line, grey levels: of each side of a page that is cut off
COVERED = "corner_covered"  # flag: a corner is where its sides meet, but something lies on it
FAINT = "white_on_white"  # flag: the sides are hardly lighter or darker than what is beside them
RIM = 0.025  # of the picture: a faint figure along its rim is its frame
THROUGHOUT, SET_OFF, SET_OFF_ALIKE = 0.95, 15.0, 0.35  # share on the line, grey levels, of the most of the four sides
DISTINCT = 0.25  # of the picture's side: smaller things with such sides are tiles, keys, letters
ENDS_WITHIN, WITHIN = 0.25, 0.8  # of what the others step inwards; what such a figure is worth
MARGIN = 0.1  # of the picture: print no further from its rim may be a page's last before it
INKED = 12.0  # grey levels: a joint or a rule steps by more, in and out again
DRAWN = 0.25  # of the steps across its sides, by which it is to differ from what is around it: joints and rules do not
LIKELY = 0.5  # what such a thing's figure weighs on the small copy already
COVER = 0.85  # what the score of something that is no paper is worth, with such sides
OTHER_THAN_PAPER = 0.6  # what such a thing's score is worth: furniture and animals have straight sides too
ALONG = np.linspace(0.06, 0.94, 40, dtype=np.float32)
CARD = 85.6 / 53.98  # ISO/IEC 7810 ID-1


@dataclass(frozen=True)
class PageFound:
    """A page: `corners` 4 × 2 float32, clockwise from the top left as seen, in pixels of the picture given.

    `score` is 0 to 1. `kind` is "page" or "card". `flags`: corner_covered, out_of_frame (corners rebuilt from the
    sides), finger, blurred, glare, white_on_white.
    """

    corners: np.ndarray
    score: float
    kind: str
    flags: tuple[str, ...]


def find_pages(
    bgr: np.ndarray, blobs: Sequence[np.ndarray] = (), sure: float = SURE, alone: bool = False
) -> list[PageFound]:
    """The pages in a picture (h × w × 3, uint8, BGR), the surest first.

    `blobs`: further masks (uint8, 0 and 255, any size) whose outlines may be pages, of what was not there before;
    `alone`: no others.
    `sure`: the least score of one.
    """
    height, width = bgr.shape[:2]
    scale = SMALL_SIDE / max(height, width)
    if min(height, width) < 32:
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
        # What cannot become a page is given up on the small copy already.
        hope = _at_most(proposed[index], float(weights[index]), lab.shape)
        if hope < sure:
            continue
        distinct = weights[index] >= LIKELY and _share(proposed[index], lab.shape[1], lab.shape[0]) > DISTINCT
        if hope * (COVER if distinct else OTHER_THAN_PAPER) < sure and not _is_plain(
            _inside(lab, proposed[index], True)
        ):
            continue
        refined += 1
        sides = _refined(bgr, proposed, weights, index, scale)
        if not quads.convex(quads.clockwise(sides.corners)[None])[0]:
            continue  # in a picture of a few pixels sides may be drawn to one another until nothing is between them
        page = _judged(sides, float(weights[index]), width, height)
        if FAINT in page.flags and _is_frame(page.corners, width, height):
            continue
        if _reaches_out(sides, width, height) and not _is_cut_off(sides, known=len(blobs) > 0):
            continue
        if page.score >= sure and not _is_plain(_inside(bgr, page.corners), FAINT in page.flags):
            worth = COVER if _is_distinct(sides, _share(page.corners, width, height)) else OTHER_THAN_PAPER
            page = dataclasses.replace(page, score=round(page.score * worth, 4))
        if page.score >= sure:
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
        if weights[index] < 0.25:
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
    near = MARGIN * min(width, height) if _ends_within(sides) else 0.0
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
    return int(sides.inward.argmin()) if _ends_within(sides) else None


def _ends_within(sides: Sides) -> bool:
    """Whether a side hardly steps where the others do: it is print or a fold, and the page goes on."""
    seen = sides.inward[~sides.on_rim]
    usual = float(np.median(seen)) if len(seen) else 0.0
    return bool(usual > SET_OFF and seen.min() < ENDS_WITHIN * usual)


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
    """The weightiest proposals, at most REBUILT, with this one's figure but for a side that is not there.

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
    return [int(other) for other in found[np.argsort(-weights[found])][:REBUILT]]


def _share(corners: np.ndarray, width: int, height: int) -> float:
    """How large it is, as a share of the picture's side."""
    return float(np.sqrt(max(float(quads.areas(corners)), 0.0) / (width * height)))


def _at_most(corners: np.ndarray, weight: float, shape: tuple[int, ...]) -> float:
    """The best score such a figure may still get from its sides; with a little to spare, for they move its corners."""
    return min(1.0, weight + 0.35) * min(1.0, SMALL_IS_ODD + 0.02 + _share(corners, shape[1], shape[0]))


def _judged(sides: Sides, weight: float, width: int, height: int) -> PageFound:
    """A page with its score: straight sides all around, each a clear step, the same way up."""
    straight = np.where(sides.on_rim, RIM_STRAIGHT, sides.straight)
    corners = quads.clockwise(sides.corners)
    share = _share(corners, width, height)
    score = float(0.5 * straight.mean() + 0.5 * straight.min()) * min(1.0, weight + 0.35)
    # Paper and cards are lighter than a desk, or (a dark cover) large; dark gaps between things are neither.
    dark = int((sides.inward[~sides.on_rim] < -4).sum())
    score *= 1.0 if share > 0.6 or dark == 0 or _is_distinct(sides, share) else (0.85 if dark == 1 else 0.55)
    score *= min(1.0, SMALL_IS_ODD + share)
    off = ~sides.on_rim
    if _ends_within(sides):
        score *= WITHIN
    if off.any() and np.abs(sides.inward[off]).sum() < DRAWN * sides.step[off].sum() and sides.step[off].mean() > INKED:
        score *= OTHER_THAN_PAPER
    flags = []
    beyond = (corners < 0).any() or (corners[:, 0] > width - 1).any() or (corners[:, 1] > height - 1).any()
    if beyond or sides.on_rim.any():
        flags.append("out_of_frame")
    within = (sides.corners >= 0).all(axis=1) & (sides.corners <= (width - 1, height - 1)).all(axis=1)
    if (sides.covered & within).any():
        flags.append(COVERED)
    if sides.step[~sides.on_rim].mean() < 10 if (~sides.on_rim).any() else False:
        flags.append(FAINT)
    proportion = quads.proportion(corners, width, height)
    wide = max(proportion, 1 / max(proportion, 1e-6))
    kind = "card" if abs(wide / CARD - 1) < 0.05 else "page"
    return PageFound(corners, round(min(score, 1.0), 4), kind, tuple(flags))


def _is_distinct(sides: Sides, share: float) -> bool:
    """Whether all four sides are straight throughout and set it off from the desk alike: a passport's or a book's
    cover, whatever its colours."""
    off = np.abs(sides.inward)
    alike = off.min() >= max(SET_OFF, SET_OFF_ALIKE * off.max()) and abs(np.sign(sides.inward).sum()) == 4
    return bool(share > DISTINCT and alike and sides.straight.min() >= THROUGHOUT and not sides.on_rim.any())


def _inside(picture: np.ndarray, corners: np.ndarray, is_lab: bool = False) -> np.ndarray:
    """What lies between the corners, small, in OpenCV's Lab, without its margin."""
    width, height = 120, 160
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(picture, matrix, (width, height))
    return np.asarray(flat if is_lab else cv2.cvtColor(flat, cv2.COLOR_BGR2LAB))[8:-8, 8:-8]


def _is_plain(lab: np.ndarray, faint: bool = False) -> bool:
    """Whether it looks like paper inside: without colour, and nearly everywhere about as light as around it.

    A `faint` outline of something coloured is a piece of the desk.
    """
    light = lab[..., 0]
    ground = cv2.blur(cv2.dilate(light, np.ones((9, 9), np.uint8)), (15, 15))
    even = float((cv2.absdiff(light, ground) < EVEN).mean())
    if even <= MOSTLY:
        return False
    tint = lab[::2, ::2, 1:].reshape(-1, 2).astype(np.float32) - 128
    colour = float(np.median(np.hypot(tint[:, 0], tint[:, 1])))
    if colour < COLOURLESS:
        return True
    # Coloured paper, and white paper under a warm lamp, have one colour all over; wood and fur have not.
    alike = float(np.percentile(np.abs(tint - np.median(tint, axis=0)).max(axis=1), 80))
    return not faint and colour < 2 * COLOURLESS and alike <= ONE_COLOUR and float(np.median(light)) >= LIT


def _reaches_out(sides: Sides, width: int, height: int) -> bool:
    """Whether a side or more than a corner of it is out of the picture."""
    beyond = np.maximum(-sides.corners, sides.corners - (width, height)) > CORNER_OUT * np.array([width, height])
    return bool(sides.on_rim.any() or beyond.any())


def _is_cut_off(sides: Sides, known: bool) -> bool:
    """Whether what the picture's rim closes off may be a page: all else of it is certain, and lighter than the desk.

    The edge of a desk, or the desk beside a page, makes such a figure with the rim too; not where the desk is `known`,
    and two sides are enough.
    """
    seen = ~sides.on_rim
    if seen.sum() < (2 if known else 3):
        return False
    return bool(sides.straight[seen].min() >= CERTAIN and (known or sides.inward[seen].min() >= LIGHTER))


def _is_frame(corners: np.ndarray, width: int, height: int) -> bool:
    """Whether three sides or more run along the picture's rim."""
    place = quads.clockwise(corners) / (width, height)
    far = 1 - RIM
    beside = (
        (place[[0, 1], 1] < RIM).all(),
        (place[[1, 2], 0] > far).all(),
        (place[[2, 3], 1] > far).all(),
        (place[[3, 0], 0] < RIM).all(),
    )
    return sum(map(bool, beside)) >= 3


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

"""Judges figures of four corners: whether one is a page, a book or a card, how sure that is, and what is amiss.

A figure's score is how straight its sides are and how well they were borne out on the small copy, 0 to 1. What speaks
against a page leaves a share of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from devices.vision import quads
from devices.vision.sides import Sides

# Flags: a corner is where its sides meet, but something lies on it; the sides are hardly lighter or darker than what
# is beside them; a corner is out of the picture.
COVERED, FAINT, CUT_OFF = "corner_covered", "white_on_white", "out_of_frame"

# What is left of the score of: the smallest figure, for small things have straight sides by chance; one that ends at
# print or a fold; one that is darker than the desk on one side, or on more; one that looks like no paper inside, with
# sides like a cover's or without (furniture and animals have straight sides too).
SMALLEST, ENDED_WITHIN, ONE_DARK, MORE_DARK, COVER, OTHER_THAN_PAPER = 0.54, 0.8, 0.85, 0.55, 0.85, 0.6
LENIENT = 0.35  # added to its weight on the small copy, which is a coarse one
RIM_STRAIGHT = 0.8  # how straight the picture's rim counts as in place of a side that is cut off

# Sides: mean step of faint ones, grey levels; lightness inside less that outside, from which on it is darker inside;
# a side that steps inwards by no more than this share of what the others do is one that the page goes on beyond.
FAINT_STEP, DARK_STEP, HARDLY = 10.0, -4.0, 0.25
# A drawing: its sides step by more than so many grey levels, in and out again, and so little of that is left.
INKED, DRAWN = 12.0, 0.25
# A cover: how large it is (share of the picture's side; smaller are tiles, keys, letters), the share of each side on
# its line, and how far each sets it off: grey levels, and share of what the strongest does.
COVER_SIZE, THROUGHOUT, SET_OFF, SET_OFF_ALIKE = 0.25, 0.95, 15.0, 0.35
LARGE = 0.6  # share of the picture's side from which on something dark may be a page, whatever its sides
LIKELY = 0.5  # weight on the small copy from which on something may have sides like a cover's

# Paper: lightness may differ by so much from what is around, in so much of the page; distance from grey (OpenCV's Lab)
# that is no colour.
EVEN, MOSTLY, COLOURLESS = 22, 0.65, 16.0
ONE_COLOUR, LIT = 5.0, 110.0  # of coloured paper, or of a coloured light: how far its colour varies; its lightness
LOOKED_AT, EDGE = (120, 160), 8  # pixels a figure's inside is brought to; of them, left out along its sides

# Cut off by the picture's rim: how far outside, of the picture's size, is more than a corner; the share of each other
# side that has to be on its line; grey levels it has to be lighter by.
CORNER_OUT, CERTAIN, LIGHTER = 0.12, 0.8, 3.0
FRAME = 0.025  # of the picture: a faint figure so near to its rim all along is its frame
CARD, CARD_ALIKE = 85.6 / 53.98, 0.05  # length by width of ISO/IEC 7810 ID-1, and by what share it may be missed


@dataclass(frozen=True)
class PageFound:
    """A page: `corners` 4 × 2 float32, clockwise from the top left as seen, in pixels of the picture given.

    `score` is 0 to 1. `kind` is "page" or "card". `flags`: corner_covered, out_of_frame (corners rebuilt from the
    sides), white_on_white; of pages that have been through `flaws.flagged` also finger, blurred, glare.
    """

    corners: np.ndarray
    score: float
    kind: str
    flags: tuple[str, ...]


def is_hopeless(lab: np.ndarray, corners: np.ndarray, weight: float, sure: float) -> bool:
    """Whether a figure of this weight on the small copy (h × w × 3, Lab) cannot reach the score `sure`, however exact
    its sides are made."""
    height, width = lab.shape[:2]
    share = _share(corners, width, height)
    # A little is spared, for its corners will move.
    most = min(1.0, weight + LENIENT) * min(1.0, SMALLEST + 0.02 + share)
    if most < sure:
        return True
    worth = COVER if weight >= LIKELY and share > COVER_SIZE else OTHER_THAN_PAPER
    return most * worth < sure and not _is_plain(_inside(lab, corners), faint=False)


def judged(bgr: np.ndarray, sides: Sides, weight: float, sure: float, known: bool) -> PageFound | None:
    """The page with these sides in the picture (h × w × 3, uint8, BGR); None where its score is below `sure`.

    `weight`: how well it was borne out on the small copy. `known`: what the empty desk looks like is known.
    """
    height, width = bgr.shape[:2]
    corners = quads.clockwise(sides.corners)
    if not quads.convex(corners[None])[0]:
        return None  # in a picture of a few pixels sides may be drawn to one another until nothing is between them
    flags = _flags(sides, corners, width, height)
    if FAINT in flags and _is_frame(corners, width, height):
        return None
    if _reaches_out(sides, width, height) and not _is_cut_off(sides, known):
        return None
    share = _share(corners, width, height)
    score = _score(sides, weight, share)
    if score >= sure and not _is_plain(cv2.cvtColor(_inside(bgr, corners), cv2.COLOR_BGR2LAB), FAINT in flags):
        score = round(score * (COVER if _is_cover(sides, share) else OTHER_THAN_PAPER), 4)
    return PageFound(corners, score, _kind(corners, width, height), flags) if score >= sure else None


def ends_within(sides: Sides) -> bool:
    """Whether a side hardly steps where the others do: it is print or a fold, and the page goes on."""
    seen = sides.inward[~sides.on_rim]
    usual = float(np.median(seen)) if len(seen) else 0.0
    return bool(usual > SET_OFF and seen.min() < HARDLY * usual)


def _share(corners: np.ndarray, width: int, height: int) -> float:
    """How large it is, as a share of the picture's side."""
    return float(np.sqrt(max(float(quads.areas(corners)), 0.0) / (width * height)))


def _score(sides: Sides, weight: float, share: float) -> float:
    """Straight sides all around, each a clear step, the same way up; 0 to 1."""
    straight = np.where(sides.on_rim, RIM_STRAIGHT, sides.straight)
    score = float(0.5 * straight.mean() + 0.5 * straight.min()) * min(1.0, weight + LENIENT)
    seen = ~sides.on_rim
    # Paper and cards are lighter than a desk, or (a dark cover) large; dark gaps between things are neither.
    dark = int((sides.inward[seen] < DARK_STEP).sum())
    if dark and share <= LARGE and not _is_cover(sides, share):
        score *= ONE_DARK if dark == 1 else MORE_DARK
    score *= min(1.0, SMALLEST + share)
    if ends_within(sides):
        score *= ENDED_WITHIN
    if _is_drawn(sides):
        score *= OTHER_THAN_PAPER
    return round(min(score, 1.0), 4)


def _is_drawn(sides: Sides) -> bool:
    """Whether its sides step, but it is no other than what is around it: joints of tiles, rules on a page."""
    inward, step = sides.inward[~sides.on_rim], sides.step[~sides.on_rim]
    return bool(len(step) and np.abs(inward).sum() < DRAWN * step.sum() and step.mean() > INKED)


def _flags(sides: Sides, corners: np.ndarray, width: int, height: int) -> tuple[str, ...]:
    last = (width - 1, height - 1)
    seen = ~sides.on_rim
    inside = (sides.corners >= 0).all(axis=1) & (sides.corners <= last).all(axis=1)
    told = {
        CUT_OFF: (corners < 0).any() or (corners > last).any() or sides.on_rim.any(),
        COVERED: (sides.covered & inside).any(),
        FAINT: seen.any() and sides.step[seen].mean() < FAINT_STEP,
    }
    return tuple(flag for flag, holds in told.items() if holds)


def _kind(corners: np.ndarray, width: int, height: int) -> str:
    proportion = quads.proportion(corners, width, height)
    longer = max(proportion, 1 / max(proportion, 1e-6))
    return "card" if abs(longer / CARD - 1) < CARD_ALIKE else "page"


def _is_cover(sides: Sides, share: float) -> bool:
    """Whether all four sides are straight throughout and set it off from the desk alike: a passport's or a book's
    cover, whatever its colours."""
    off = np.abs(sides.inward)
    alike = off.min() >= max(SET_OFF, SET_OFF_ALIKE * off.max()) and abs(np.sign(sides.inward).sum()) == 4
    return bool(share > COVER_SIZE and alike and sides.straight.min() >= THROUGHOUT and not sides.on_rim.any())


def _inside(picture: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """What lies between the corners, small, without its margin."""
    width, height = LOOKED_AT
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return np.asarray(cv2.warpPerspective(picture, matrix, LOOKED_AT))


def _is_plain(lab: np.ndarray, faint: bool) -> bool:
    """Whether what is inside (Lab, uint8) looks like paper: without colour, and nearly everywhere as light as around.

    A `faint` outline of something coloured is a piece of the desk.
    """
    lab = lab[EDGE:-EDGE, EDGE:-EDGE]
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
    """Whether three or more of its sides (corners clockwise from the top left) run along the picture's rim."""
    place = corners / (width, height)
    far = 1 - FRAME
    beside = (
        (place[[0, 1], 1] < FRAME).all(),
        (place[[1, 2], 0] > far).all(),
        (place[[2, 3], 1] > far).all(),
        (place[[3, 0], 0] < FRAME).all(),
    )
    return sum(map(bool, beside)) >= 3

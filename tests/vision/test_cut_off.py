"""Pages of which the picture shows only a part, and what is no page though the picture's rim closes it off."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from sheets_drawn import SHEETS, SIZE, desk, with_sheet

from devices.vision.desk import Desk
from devices.vision.judging import PageFound
from devices.vision.pages import find_pages

CUT_OFF = "out_of_frame"
SIDES = ("left", "top", "right", "bottom")
WHOLE = np.array([(430, 230), (1130, 230), (1130, 1000), (430, 1000)], np.float32)


def turned(degrees: float) -> np.ndarray:
    """A sheet in the middle of the picture, turned."""
    middle = WHOLE.mean(axis=0)
    view = cv2.getRotationMatrix2D(tuple(map(float, middle)), degrees, 1.0)
    return cv2.transform(WHOLE[None], view)[0]


def moved_out(corners: np.ndarray, side: str, share: float) -> np.ndarray:
    """The sheet moved so far that this share of its width or height is beyond one side of the picture."""
    axis, far = SIDES.index(side) % 2, SIDES.index(side) > 1
    low, high = corners[:, axis].min(), corners[:, axis].max()
    out = np.zeros(2, np.float32)
    gone = share * (high - low)
    out[axis] = SIZE[axis] - 1 + gone - high if far else -gone - low
    return corners + out


def seen_overlap(page: PageFound, truth: np.ndarray) -> float:
    """Intersection over union of what the picture shows of a page found and of the true one."""
    masks = []
    for corners in (page.corners, truth):
        mask = np.zeros(SIZE[::-1], np.uint8)
        cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
        masks.append(mask.astype(bool))
    return float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


@pytest.mark.parametrize("turn", [0, 8, 20])
@pytest.mark.parametrize("share", [0.03, 0.15, 0.35])
@pytest.mark.parametrize("side", SIDES)
def test_a_page_cut_off_by_the_picture_is_found_as_far_as_it_is_seen_and_told(side, share, turn):
    corners = moved_out(turned(turn), side, share)
    [page] = find_pages(with_sheet(desk(2), corners))
    assert seen_overlap(page, corners) > 0.95
    assert CUT_OFF in page.flags


@pytest.mark.parametrize("gap", [0, 2, 3])
@pytest.mark.parametrize("side", SIDES)
def test_a_page_that_only_touches_the_rim_is_found(side, gap):
    corners = moved_out(turned(0), side, 0.0)
    middle = np.array(SIZE, np.float32) / 2
    corners += np.sign(middle - corners.mean(axis=0)) * gap
    [page] = find_pages(with_sheet(desk(2), corners))
    assert seen_overlap(page, corners) > 0.97


def test_a_corner_a_little_outside_is_where_its_sides_meet():
    corners = moved_out(turned(30), "left", 0.1)
    [page] = find_pages(with_sheet(desk(1), corners))
    assert CUT_OFF in page.flags
    nearest = np.linalg.norm(page.corners[:, None] - corners[None], axis=2).min(axis=0)
    assert nearest.max() < 8, "the corner outside as well"


@pytest.mark.parametrize("sides", [("left", "top"), ("right", "bottom"), ("left", "bottom")])
def test_a_page_of_which_a_corner_is_seen_is_never_taken_for_a_whole_one(sides):
    corners = turned(6)
    for side in sides:
        corners = moved_out(corners, side, 0.3)
    assert all(CUT_OFF in page.flags for page in find_pages(with_sheet(desk(2), corners)))
    [page] = Desk(desk(5)).find(with_sheet(desk(2), corners))  # found, where the desk is known
    assert seen_overlap(page, corners) > 0.9
    assert CUT_OFF in page.flags


@pytest.mark.parametrize("name", SHEETS)
def test_a_whole_page_is_not_called_cut_off(name):
    for seed in range(4):
        [page] = find_pages(with_sheet(desk(seed), SHEETS[name]))
        assert page.flags == ()


@pytest.mark.parametrize("edges", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_the_edge_of_a_light_desk_makes_no_page_with_the_rim(seed, edges):
    """A table that ends within the picture, and a dark floor beyond."""
    chance = np.random.default_rng(seed)
    picture = np.full((*SIZE[::-1], 3), (206, 212, 215), np.float32)
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    for turn in np.radians(chance.uniform(0, 360) + np.array([0, 90])[:edges]):
        across, down = np.cos(turn), np.sin(turn)
        reach = 0.3 * (abs(across) * SIZE[0] + abs(down) * SIZE[1])
        picture[(x - SIZE[0] / 2) * across + (y - SIZE[1] / 2) * down > reach] = (40, 44, 50)
    noisy = cv2.GaussianBlur(picture, (0, 0), 1.5) + chance.normal(0, 3, picture.shape)
    assert find_pages(np.clip(noisy, 0, 255).astype(np.uint8)) == []

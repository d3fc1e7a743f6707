"""Pages found by their corners: sheets drawn in perspective on a desk, and real pictures where they are at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from sheets_drawn import SHEETS, desk, overlap, with_sheet

from devices.vision import quads
from devices.vision.flat import place_card_sides, rectify
from devices.vision.judging import COVERED
from devices.vision.pages import find_pages
from devices.vision.pictures import load

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("seed", range(3))
def test_a_sheet_is_found_to_the_pixel(name, seed):
    [page] = find_pages(with_sheet(desk(seed), SHEETS[name]))
    assert overlap(page.corners, SHEETS[name]) > 0.95
    assert np.abs(page.corners - np.array(SHEETS[name])).max() < 20, "clockwise from the top left"
    assert (page.kind, page.flags) == ("page", ())


def hidden(picture: np.ndarray, corner: tuple[int, int], colour: np.ndarray | tuple[int, int, int]) -> np.ndarray:
    """The picture with something round of this colour, or piece of another picture, on a corner."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.circle(mask, corner, 140, 255, -1)
    noise = np.random.default_rng(3).normal(0, 4, (*picture.shape[:2], 1))
    edge = cv2.GaussianBlur(mask, (0, 0), 1.2)[..., None] / 255
    return np.clip(picture * (1 - edge) + (colour + noise) * edge, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("corner", range(4))
@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("thing", ["hand", "desk", "dark"])
def test_a_covered_corner_is_rebuilt_from_the_sides_and_told(name, corner, thing):
    ground = desk(1)
    colour = {"hand": (125, 150, 205), "desk": ground, "dark": (30, 32, 35)}[thing]
    [page] = find_pages(hidden(with_sheet(ground, SHEETS[name]), SHEETS[name][corner], colour))
    assert np.abs(page.corners - np.array(SHEETS[name])).max() < 5, "where the corner would be seen"
    assert COVERED in page.flags


def test_a_side_lost_in_a_light_desk_is_no_covered_corner():
    ground = desk(1)
    ground[125:250, 1050:1175] = 235  # something as white as the sheet, and under its corner
    [page] = find_pages(with_sheet(ground, SHEETS["straight"], shadow=1.0))
    assert overlap(page.corners, SHEETS["straight"]) > 0.95
    assert COVERED not in page.flags


def test_a_corner_beyond_the_picture_is_not_called_covered():
    cut = with_sheet(desk(1), SHEETS["slanted"])[:, :1220]
    [page] = find_pages(np.ascontiguousarray(cut))
    assert page.flags == ("out_of_frame",)


@pytest.mark.parametrize("seed", range(40))
def test_a_picture_of_a_few_pixels_is_no_trouble(seed):
    """Its sides may be drawn to one another until nothing is between them."""
    squares = np.random.default_rng(seed).integers(0, 2, (12, 12)).astype(np.uint8) * 255
    tiny = np.kron(squares, np.ones((3, 3), np.uint8))[:33, :33, None].repeat(3, axis=2)
    for page in find_pages(tiny):
        assert abs(quads.areas(page.corners)) > 10


@pytest.mark.parametrize("seed", range(3))
def test_a_desk_without_paper_holds_no_page(seed):
    assert find_pages(desk(seed)) == []


def test_nothing_so_small_is_a_page():
    assert find_pages(np.full((20, 20, 3), 255, np.uint8)) == []


def test_a_receding_sheet_is_laid_flat_at_its_true_proportions():
    flat = rectify(with_sheet(desk(1), SHEETS["straight"]), np.array(SHEETS["straight"], np.float32))
    assert flat.shape[0] / flat.shape[1] == pytest.approx(900 / 850, rel=0.04)
    assert np.median(flat[20:-20, 20:40]) > 150, "paper to its edges"


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_is_laid_flat_as_opencv_would_pixel_for_pixel(name):
    """Only faster: nothing moves by so much as a sixteenth of a pixel, at the edges and where stripes meet neither."""
    picture = with_sheet(desk(1), SHEETS[name])
    corners = quads.clockwise(np.array(SHEETS[name], np.float32))
    flat = rectify(picture, corners)
    height, width = flat.shape[:2]
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) - 0.5
    view = cv2.getPerspectiveTransform(corners, target)
    plain = cv2.warpPerspective(picture, view, (width, height), borderMode=cv2.BORDER_REPLICATE)
    steepest = 255  # grey levels from one pixel to the next
    assert cv2.absdiff(flat, plain).max() <= steepest / 16


def test_a_page_beyond_the_32_767th_pixel_of_a_picture_is_laid_flat():
    picture = np.zeros((60, 33_000, 3), np.uint8)
    picture[10:50, 32_900:32_980] = 200
    corners = np.array([(32_900, 10), (32_980, 10), (32_980, 50), (32_900, 50)], np.float32)
    assert rectify(picture, corners)[2:-2, 2:-2].min() == 200


def test_both_sides_of_a_card_lie_on_one_sheet_at_true_size():
    card = np.zeros((540, 856, 3), np.uint8)
    sheet = place_card_sides(card, card, dpi=300.0)
    assert sheet.shape == (3508, 2480, 3)
    dark = np.argwhere(sheet[..., 0] < 128)
    across = dark[:, 1].max() - dark[:, 1].min() + 1
    assert across == pytest.approx(85.6 / 25.4 * 300, abs=3)


def test_real_pictures(real_page):
    """Where they are at hand: none fires without a page, and a page that is found lies where it is."""
    if real_page is None:
        return
    found = find_pages(load(Path(real_page["path"])).bgr)
    if real_page["truth"] == "none":
        assert found == []
    elif found:
        corners = np.array(real_page["truth"].split(), np.float32).reshape(4, 2)
        assert max(overlap(page.corners, corners) for page in found) > 0.9
        assert not any(COVERED in page.flags for page in found)


def test_the_command_answers_as_agreed(tmp_path):
    picture, gone = tmp_path / "page.jpg", tmp_path / "gone.jpg"
    cv2.imwrite(str(picture), with_sheet(desk(2), SHEETS["slanted"]))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "kiosk", "vision", "page", str(gone), str(picture), "--json"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, str(gone) in done.stderr) == (1, True)
    [answer] = map(json.loads, done.stdout.splitlines())
    assert answer.keys() == {"file", "pages", "ms"}
    [page] = answer["pages"]
    assert page.keys() == {"corners", "score", "kind", "flags"}
    assert overlap(page["corners"], SHEETS["slanted"]) > 0.95


@pytest.mark.parametrize("seed", range(6))
def test_a_brown_desk_that_fills_the_picture_is_no_page(seed):
    """Light wood with grain, of one colour all over, as bright as paper in the evening."""
    chance = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(chance.normal(0, 60, (1080, 1920)).astype(np.float32), (0, 0), sigmaX=24, sigmaY=1.2)
    brown = chance.uniform((60, 110, 120), (110, 150, 180)).astype(np.float32)
    wood = brown + grain[..., None] + chance.normal(0, 4, (1080, 1920, 1))
    assert find_pages(np.clip(wood, 0, 255).astype(np.uint8)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_dark_cover_is_found_on_a_light_desk(seed):
    cover = np.full((1200, 1600, 3), (196, 205, 210), np.float32)
    corners = np.array(SHEETS["slanted"], np.int32)
    cv2.fillConvexPoly(cover, corners, (40, 30, 100))
    cv2.circle(cover, (760, 560), 130, (90, 160, 200), 14)
    noisy = cv2.GaussianBlur(cover, (0, 0), 1.2) + np.random.default_rng(seed).normal(0, 4, cover.shape)
    [page] = find_pages(np.clip(noisy, 0, 255).astype(np.uint8))
    assert overlap(page.corners, SHEETS["slanted"]) > 0.95


@pytest.mark.parametrize("name", ["straight", "slanted"])
@pytest.mark.parametrize("corner", range(4))
def test_white_paper_across_a_corner_does_not_hide_the_page(name, corner):
    [page] = find_pages(hidden(with_sheet(desk(1), SHEETS[name]), SHEETS[name][corner], (232, 232, 232)))
    assert overlap(page.corners, SHEETS[name]) > 0.95


def test_tiles_are_no_pages():
    tiles = np.full((1200, 1600, 3), (170, 178, 184), np.float32)
    tiles[40::400] = tiles[41::400] = tiles[42::400] = 110
    tiles[:, 90::400] = tiles[:, 91::400] = tiles[:, 92::400] = 110
    noisy = cv2.GaussianBlur(tiles, (0, 0), 1.2) + np.random.default_rng(1).normal(0, 3, tiles.shape)
    assert find_pages(np.clip(noisy, 0, 255).astype(np.uint8)) == []


def test_white_paper_under_a_warm_lamp_is_found():
    lit = with_sheet(desk(1), SHEETS["slanted"]) * np.array([0.72, 0.92, 1.0])
    [page] = find_pages(lit.astype(np.uint8))
    assert overlap(page.corners, SHEETS["slanted"]) > 0.95

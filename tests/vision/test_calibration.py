"""The calibration sheet: what is printed is measured."""

from __future__ import annotations

import io
import re

import cv2
import numpy as np
import pikepdf
import pytest
from click.testing import CliRunner

from config import machine as machines
from devices.vision import calibration
from devices.vision.cli import vision


def printed(dpi: float) -> np.ndarray:
    """The sheet's discs as its PDF draws them, read from the PDF's own words: start points of the curves."""
    with pikepdf.open(io.BytesIO(calibration.sheet())) as document:
        words = document.pages[0].Contents.read_bytes().decode()
    high = round(297 / 25.4 * dpi)
    paper = np.full((high, round(210 / 25.4 * dpi), 3), 240, np.uint8)
    discs = re.findall(r"^([\d.]+) ([\d.]+) m [\d.]+ [\d.]+ [\d.]+ [\d.]+ ([\d.]+) ", words, re.M)
    assert len(discs) == 48
    for right, middle, centre in discs:
        x, y = float(centre) / 72 * dpi, high - float(middle) / 72 * dpi
        radius = (float(right) - float(centre)) / 72 * dpi
        cv2.circle(paper, (round(x * 16), round(y * 16)), round(radius * 16), (20, 20, 20), -1, cv2.LINE_AA, 4)
    return paper


@pytest.mark.parametrize("dpi", [96, 200, 300])
@pytest.mark.parametrize("turn", range(4))
def test_the_resolution_is_measured_to_half_a_per_cent(dpi, turn):
    desk = np.full((round(14 * dpi), round(14 * dpi), 3), (58, 72, 80), np.uint8)
    paper = np.rot90(printed(dpi), turn)
    desk[dpi : dpi + paper.shape[0], dpi : dpi + paper.shape[1]] = paper
    assert calibration.measure(desk).dpi == pytest.approx(dpi, rel=0.005)


def test_a_slanted_camera_is_told_by_the_spread():
    paper = printed(150)
    height, width = paper.shape[:2]
    start = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = np.array([[200, 100], [width, 120], [width + 150, height], [60, height - 10]], np.float32)
    view = cv2.getPerspectiveTransform(start, seen)
    found = calibration.measure(cv2.warpPerspective(paper, view, (width + 250, height + 100), borderValue=(60, 70, 80)))
    assert found.most > 1.1 * found.least
    assert found.least < found.dpi < found.most


def test_other_pictures_tell_nothing():
    with pytest.raises(calibration.CalibrationMistake, match="not found"):
        calibration.measure(np.full((600, 800, 3), 200, np.uint8))


HALL = """# the machine at the desk
[machine]
name = "desk"
roles = ["window"]
hall = "http://127.0.0.1:9"

[[device]]
name = "camera"  # 高拍仪
driver = "uvc-camera"
link = "v4l2://by-path/one"
options = { width = 3264, height = 2448 }
"""
SECOND = """
[[device]]
name = "face"
driver = "uvc-camera"
link = "v4l2://by-path/two"
"""


def shown(folder, dpi=100):
    """A picture file of the sheet upon a desk of 14 inches."""
    desk = np.full((14 * dpi, 14 * dpi, 3), (58, 72, 80), np.uint8)
    paper = printed(dpi)
    desk[dpi : dpi + paper.shape[0], dpi : dpi + paper.shape[1]] = paper
    file = folder / "sheet.png"
    cv2.imwrite(str(file), desk)
    return file


def run(*words):
    return CliRunner().invoke(vision, ["calibrate", *map(str, words)])


def test_what_was_measured_is_kept_for_the_camera(tmp_path):
    hall = tmp_path / "hall.toml"
    hall.write_text(HALL)
    told = run(shown(tmp_path), "--into", hall)
    assert told.exit_code == 0, told.output
    [camera] = machines.load(hall).devices
    assert camera.options["across"] == pytest.approx(14 * 25.4, rel=0.005)
    assert (camera.options["width"], camera.options["height"]) == (3264, 2448)
    assert "# the machine at the desk" in hall.read_text() and "# 高拍仪" in hall.read_text()


def test_which_camera_it_is_must_be_clear_and_nothing_is_kept_of_a_picture_without_the_sheet(tmp_path):
    hall = tmp_path / "hall.toml"
    hall.write_text(HALL + SECOND)
    told = run(shown(tmp_path), "--into", hall)
    assert told.exit_code == 1 and "there are 2 cameras (camera, face); name one with --name" in told.output
    assert run(tmp_path / "sheet.png", "--into", hall, "--name", "other").exit_code == 1
    cv2.imwrite(str(tmp_path / "empty.png"), np.full((600, 800, 3), 200, np.uint8))
    told = run(tmp_path / "empty.png", "--into", hall, "--name", "face")
    assert told.exit_code == 1 and "nothing was kept" in told.stderr
    told = run(tmp_path / "empty.png", tmp_path / "sheet.png", "--json")
    assert told.exit_code == 1 and f"{tmp_path / 'empty.png'}: the calibration sheet was not found" in told.stderr
    assert told.stdout.count("\n") == 1 and f'"{tmp_path / "sheet.png"}"' in told.stdout
    assert hall.read_text() == HALL + SECOND
    assert run(tmp_path / "sheet.png", "--into", hall, "--name", "face").exit_code == 0
    assert {d.name: "across" in d.options for d in machines.load(hall).devices} == {"camera": False, "face": True}

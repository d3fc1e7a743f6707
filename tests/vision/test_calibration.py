"""The calibration sheet: what is printed is measured."""

from __future__ import annotations

import io
import re

import cv2
import numpy as np
import pikepdf
import pytest

from devices.vision import calibration


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

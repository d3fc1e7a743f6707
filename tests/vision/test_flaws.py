"""What spoils a shot is told, and a good one is not blamed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from devices.vision import flaws, judging

CORNERS = [(200, 80), (1000, 100), (980, 1120), (180, 1100)]


def shot(
    blur: float = 0.5, glare: bool = False, hand: bool = False, noise: float = 3, light: float = 1.0, text: bool = True
) -> np.ndarray:
    paper = np.full((1400, 1100, 3), 226, np.uint8)
    for row in range(24 if text else 0):
        words = "Bianmin service hall 0123456789"[: 31 - row % 7]
        cv2.putText(paper, words, (80, 100 + 52 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (45, 45, 45), 2)
    start = np.array([[0, 0], [1100, 0], [1100, 1400], [0, 1400]], np.float32)
    view = cv2.getPerspectiveTransform(start, np.array(CORNERS, np.float32))
    scene = np.full((1200, 1200, 3), (52, 78, 112), np.uint8)
    cv2.warpPerspective(paper, view, (1200, 1200), dst=scene, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT)
    if hand:
        cv2.line(scene, (1199, 700), (860, 640), (125, 150, 205), 70)
    lit = cv2.GaussianBlur(scene, (0, 0), blur).astype(np.float32) * light
    if glare:
        spot = np.zeros(scene.shape[:2], np.float32)
        cv2.circle(spot, (560, 500), 90, 200, -1)
        lit += cv2.GaussianBlur(spot, (0, 0), 25)[..., None]
    lit += np.random.default_rng(1).normal(0, noise, lit.shape)
    return np.clip(lit, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("how", [{}, {"light": 0.5}, {"noise": 7}, {"blur": 0.9}, {"text": False}, {"light": 1.1}])
def test_a_good_shot_is_not_blamed(how):
    assert flaws.flaws(shot(**how), CORNERS) == ()


@pytest.mark.parametrize(
    ("how", "flag"),
    [
        ({"blur": 3.0}, flaws.BLURRED),
        ({"blur": 3.0, "noise": 7}, flaws.BLURRED),
        ({"blur": 6.0, "light": 0.6}, flaws.BLURRED),
        ({"glare": True}, flaws.GLARE),
        ({"glare": True, "light": 0.8}, flaws.GLARE),
        ({"hand": True}, flaws.FINGER),
        ({"hand": True, "light": 0.6}, flaws.FINGER),
    ],
)
def test_a_flaw_is_told(how, flag):
    assert flaws.flaws(shot(**how), CORNERS) == (flag,)


def test_an_edge_beyond_the_picture_is_told():
    assert flaws.flaws(shot()[:1000], CORNERS) == (judging.CUT_OFF,)


def test_every_flag_has_words():
    told = {flaws.BLURRED, flaws.GLARE, flaws.FINGER, judging.CUT_OFF, judging.COVERED, judging.FAINT}
    assert told == flaws.WORDS.keys()

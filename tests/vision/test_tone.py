"""The page's looks: white paper, red stamps, ink, the pages of a book."""

import cv2
import numpy as np
import pytest

from devices.vision import tone
from devices.vision.benches_scan import lit, page

TEXT = ["一、申请人应当如实填写申请表，并提交身份证明的原件和复印件。" * 3] * 6


def stamped() -> np.ndarray:
    bgr = page(TEXT, dpi=100).bgr
    cv2.circle(bgr, (600, 900), 60, (40, 30, 200), 6)
    cv2.line(bgr, (100, 1000), (300, 1000), (180, 60, 30), 4)
    return bgr


def test_the_paper_becomes_white_and_the_ink_stays_dark_under_one_sided_light():
    clean = stamped()
    white = tone.whiten(lit(clean, 0.45))
    paper = cv2.erode(clean, np.ones((9, 9))).min(axis=2) == 255
    assert np.percentile(white[paper], 2) >= 250
    assert white[clean.max(axis=2) < 40].max(axis=-1).mean() < 70


def test_a_red_stamp_stays_red_and_a_blue_stroke_blue():
    white = tone.whiten(lit(stamped(), 0.45, warm=0.8)).astype(int)
    stamp = white[840, 600]
    assert stamp[2] - max(stamp[0], stamp[1]) > 120
    stroke = white[1000, 200]
    assert stroke[0] - stroke[2] > 100


def test_a_dark_photograph_on_the_page_is_no_shadow():
    bgr = page(TEXT, dpi=100).bgr
    bgr[500:900, 200:600] = (70, 60, 50)
    assert tone.whiten(bgr)[600:800, 300:500].mean() < 140


def test_a_portrait_and_a_grey_bar_keep_their_middles_under_one_sided_light():
    bgr = page(TEXT, dpi=150).bgr
    bgr[1100:1300, 700:860] = (140, 140, 140)
    bgr[1400:1460, 150:600] = (200, 200, 200)
    white = tone.whiten(lit(bgr, 0.5))
    portrait, bar = white[1120:1280, 720:840], white[1410:1450, 170:580]
    assert 100 < portrait.mean() < 160 and portrait.std() < 12
    assert 180 < bar.mean() < 235


def test_soft_shadows_and_the_panels_of_a_folded_letter_become_white():
    bgr = page(TEXT, dpi=150).bgr
    paper = cv2.erode(bgr, np.ones((9, 9))).min(axis=2) == 255
    shade = np.ones(bgr.shape[:2], np.float32)
    cv2.circle(shade, (400, 1200), 200, 0.6, -1)
    shadow = cv2.GaussianBlur(shade, (0, 0), 60)
    panels = np.ones_like(shade)
    panels[len(bgr) // 3 : 2 * len(bgr) // 3] = 0.75
    for light in (shadow, panels):
        white = tone.whiten((lit(bgr, 0.8) * light[..., None]).astype(np.uint8))
        assert (white[paper] > 235).mean() > 0.98


def test_ink_is_black_and_nothing_else():
    clean = stamped()
    black = tone.ink(lit(clean, 0.4))
    assert set(np.unique(black)) == {0, 255}
    ink = clean.min(axis=2) < 90
    paper = cv2.erode(clean, np.ones((5, 5))).min(axis=2) == 255
    assert (black[ink] == 0).mean() > 0.97
    assert (black[paper] == 255).mean() > 0.999
    assert black[840, 600] == 0  # the stamp counts as ink


def test_an_empty_page_gives_no_ink():
    assert (tone.ink(lit(np.full((800, 600, 3), 235, np.uint8))) == 255).all()


def test_an_open_book_is_parted_at_its_fold():
    left, right = page(TEXT, dpi=60).bgr, page(TEXT[::-1], dpi=60).bgr
    both = np.hstack([left, right]).astype(np.float32)
    fold = left.shape[1] + 12
    shadow = 1 - 0.5 * np.exp(-(((np.arange(both.shape[1]) - fold) / 14.0) ** 2))
    parts = tone.halves((both * shadow[None, :, None]).astype(np.uint8))
    assert len(parts) == 2
    assert abs(parts[0].shape[1] - fold) < 8


def test_a_single_page_is_not_parted():
    assert len(tone.halves(page(TEXT, dpi=60).bgr)) == 1


def bent(bgr: np.ndarray, depth: float) -> np.ndarray:
    """As near the fold of a thick book: lines rise towards the left edge."""
    height, width = bgr.shape[:2]
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(bgr, xs, ys - depth * np.exp(-xs / (width * 0.25)), cv2.INTER_LINEAR, borderValue=(255,) * 3)


def waviness(bgr: np.ndarray) -> float:
    """How far lines of print stray from level, in pixels: the sharper the rows' profile, the less."""
    rows = (bgr.min(axis=2) < 128).mean(axis=1)
    return float(np.abs(np.diff(rows)).sum())


def test_bent_lines_are_pulled_straight():
    flat = page(TEXT, dpi=100).bgr
    curved = bent(flat, 45)
    before, after, best = waviness(curved), waviness(tone.unbend(curved)), waviness(flat)
    assert before < 0.7 * best
    assert after > 0.8 * best  # twice resampled, edges are a little softer


def test_a_page_without_lines_is_left_alone():
    picture = np.random.default_rng(1).integers(0, 255, (400, 300, 3), dtype=np.uint8)
    assert (tone.unbend(picture) == picture).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (17, 17)])
def test_the_smallest_pictures_are_no_trouble(size):
    tiny = np.full((*size, 3), 128, np.uint8)
    assert tone.whiten(tiny).shape == tiny.shape
    assert tone.ink(tiny).shape == size
    assert tone.unbend(tiny).shape == tiny.shape
    assert tone.halves(tiny)

"""QR codes on paper that is crumpled, bent or seen from the side: read, or not told; never told wrong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import segno
import zxingcpp

from devices.vision.codes import read_codes

TEXTS = (
    "https://www.example.gov.cn/banshi?id=2026112800017",
    "请A017号到3号窗口办理，请带身份证",
    "WIFI:T:WPA;S:hall;P:welcome2026;;",
)
PHOTO = 480  # pixels of a photograph's side


def crumpled(code: np.ndarray, bend: float, seed: int) -> np.ndarray:
    """A photograph (grey) of the code on a sheet with waves of about `bend` pixels, seen somewhat from the side."""
    chance = np.random.default_rng(seed)
    grey = cv2.cvtColor(code, cv2.COLOR_BGR2GRAY)
    side = len(grey)
    sheet = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
    seen = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * PHOTO * chance.uniform(0.28, 0.42)
    seen = seen * (1 + chance.normal(0, 0.07, (4, 2))) + PHOTO / 2
    waves = np.zeros((PHOTO, PHOTO, 2), np.float32)
    for length, share in ((PHOTO / 8, 1.0), (PHOTO / 16, 0.4)):
        wave = cv2.GaussianBlur(chance.normal(0, 1, waves.shape).astype(np.float32), (0, 0), length)
        waves += wave / wave.std() * bend * share
    at = np.dstack(np.meshgrid(*[np.arange(PHOTO, dtype=np.float32)] * 2)) + waves
    back = cv2.getPerspectiveTransform(seen.astype(np.float32), sheet)
    at = cv2.perspectiveTransform(at.reshape(1, -1, 2), back).reshape(at.shape).astype(np.float32)
    photo = cv2.remap(grey, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=(60,))
    photo = cv2.GaussianBlur(photo * 0.7 + 35, (0, 0), 1.5) + chance.normal(0, 4, photo.shape)
    return cv2.resize(photo.clip(0, 255).astype(np.uint8), (PHOTO // 2, PHOTO // 2), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("text", TEXTS)
def test_codes_on_crumpled_paper_are_read_where_a_scanner_for_flat_ones_gives_up(text, drawn):
    photos = [crumpled(drawn(segno.make_qr(text, error="m"), scale=8, border=3), 5, seed) for seed in range(5)]
    told = [{code.text for code in read_codes(photo)} for photo in photos]
    flat = sum(bool(zxingcpp.read_barcodes(photo)) for photo in photos)
    assert set().union(*told) == {text}
    assert sum(map(bool, told)) >= max(4, flat)


def test_a_crumpled_code_lies_where_it_is_told_to(drawn):
    code = drawn(segno.make_qr(TEXTS[0], error="m"), scale=8, border=3)
    photo = next(each for seed in range(20) if not zxingcpp.read_barcodes(each := crumpled(code, 5, seed)))
    [found] = read_codes(photo)
    outline = np.zeros(photo.shape, np.uint8)
    cv2.fillPoly(outline, [np.rint(found.corners).astype(np.int32)], 255)
    ink = photo < 56  # the ground has 77
    assert ink[outline > 0].mean() > 0.3
    assert ink[outline == 0].mean() < 0.005, "no module is left outside"


@pytest.mark.parametrize("bend", [8, 12, 20])
def test_crumpled_beyond_reading_nothing_wrong_is_told(bend, drawn):
    for seed in range(5):
        text = TEXTS[seed % 3]
        photo = crumpled(drawn(segno.make_qr(text, error="l"), scale=8, border=3), bend, seed)
        assert {code.text for code in read_codes(photo)} <= {text}

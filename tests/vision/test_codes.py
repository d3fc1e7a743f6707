"""Codes in pictures: every text right or not told; drawn by segno and python-barcode, and real ones where there are."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import barcode
import cv2
import numpy as np
import pytest
import segno
import zxingcpp
from barcode.writer import ImageWriter
from PIL import Image

from devices.vision import bars, zbar
from devices.vision.codes import read_codes, text_of
from devices.vision.pictures import load

ROOT = Path(__file__).resolve().parents[2]
TEXTS = (
    "请A001号到3号窗口", "办理养老保险", "号", "東勝區便民服務中心", "𠮷野家㐂", "638虐0", "，。！", "MECARD:N:测试;;"
)  # fmt: skip
GROUND = 255


def bars_drawn(kind: str, digits: str, width: float = 0.33) -> np.ndarray:
    """A bar code as python-barcode draws it, BGR, about 4 pixels a module at the usual width."""
    out = io.BytesIO()
    options = {"module_width": width, "quiet_zone": 4, "write_text": False, "dpi": 300}
    barcode.get(kind, digits, writer=ImageWriter()).write(out, options)
    return cv2.cvtColor(np.asarray(Image.open(out).convert("RGB")), cv2.COLOR_RGB2BGR)


def in_a_photo(code: np.ndarray, factor: float, blur: float, noise: float = 3.0, seed: int = 1) -> np.ndarray:
    """The code small, soft and grainy on a grey ground."""
    small = cv2.resize(code, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    framed = cv2.copyMakeBorder(small, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(190, 190, 190))
    soft = cv2.GaussianBlur(framed, (0, 0), blur).astype(np.float32)
    grains = np.random.default_rng(seed).normal(0, noise, soft.shape[:2])[..., None]
    return np.clip(soft * 0.7 + 40 + grains, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("how", [{"encoding": "utf-8"}, {"encoding": "utf-8", "eci": True}, {"encoding": "gb18030"}])
@pytest.mark.parametrize("text", TEXTS)
def test_chinese_is_read_however_it_was_written(text, how, drawn):
    [found] = read_codes(drawn(segno.make_qr(text, mode="byte", **how), scale=4))
    assert (found.format, found.text) == ("QRCode", text)
    assert found.data == text.encode(how["encoding"])


def test_letters_of_the_west_and_of_japan_stay_what_they_are(drawn):
    for text, how in (
        ("Käse, 5 €", {"encoding": "utf-8"}),
        ("Привет", {"encoding": "utf-8"}),
        ("naïve", {"encoding": "utf-8"}),
        ("ﾃﾞｻﾞｲﾝQR", {"encoding": "shift_jis"}),
        ("Ж", {"encoding": "iso-8859-5", "eci": True}),
    ):
        [found] = read_codes(drawn(segno.make_qr(text, mode="byte", **how), scale=4))
        assert found.text == text


def test_kanji_mode_is_japanese(drawn):
    [found] = read_codes(drawn(segno.make_qr("点字", mode="kanji"), scale=4))
    assert found.text == "点字"


def test_bytes_that_are_no_text_do_not_break():
    assert text_of(b"\xff\xfe\x00", "??") == "??"


def test_corners_are_where_the_code_lies(drawn):
    code = drawn(segno.make_qr("位置"), scale=5, border=0)
    ground = np.full((600, 800, 3), GROUND, np.uint8)
    ground[100 : 100 + code.shape[0], 300 : 300 + code.shape[1]] = code
    [found] = read_codes(ground)
    corners = np.array(found.corners)
    side = code.shape[0]
    assert np.abs(corners - [[300, 100], [300 + side, 100], [300 + side, 100 + side], [300, 100 + side]]).max() < 8


def test_several_codes_are_told_once_each_top_to_bottom(drawn):
    ground = np.full((900, 700, 3), GROUND, np.uint8)
    for n, text in enumerate(("一", "二", "三")):
        code = drawn(segno.make_qr(text), scale=5)
        ground[20 + 290 * n : 20 + 290 * n + code.shape[0], 50 * n + 20 : 50 * n + 20 + code.shape[1]] = code
    assert [code.text for code in read_codes(ground)] == ["一", "二", "三"]


RETAIL = [("ean13", "4006381333931"), ("ean13", "6901234567892"), ("upca", "036000291452"), ("ean8", "96385074")]


@pytest.mark.parametrize(("kind", "digits"), RETAIL)
@pytest.mark.parametrize("angle", [0, 20, 90])
def test_retail_codes_are_read_lying_slanted_and_standing(kind, digits, angle):
    code = in_a_photo(bars_drawn(kind, digits), 0.6, 0.8)
    height, width = code.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    turn[:, 2] += 150
    photo = cv2.warpAffine(code, turn, (width + 300, height + 300), borderValue=(170, 170, 170))
    [found] = read_codes(photo)
    assert found.text.zfill(13) == digits.zfill(13)


@pytest.mark.parametrize("digits", ["4006381333931", "9780804816632", "6901234567892"])
def test_a_code_too_soft_for_single_bars_is_read_as_a_whole(digits):
    photo = in_a_photo(bars_drawn("ean13", digits), 0.6, 1.6)
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    assert zxingcpp.read_barcodes(grey) == zbar.read(grey) == [], "soft enough to defeat both scanners"
    [found] = read_codes(photo)
    assert (found.format, found.text) == ("EAN13", digits)


@pytest.mark.parametrize("blur", [2.5, 3.5, 5.0, 8.0])
def test_softer_still_no_wrong_text_is_told(blur):
    for n, digits in enumerate(("4006381333931", "9780804816632", "6901234567892")):
        assert {code.text for code in read_codes(in_a_photo(bars_drawn("ean13", digits), 0.4, blur, seed=n))} <= {
            digits
        }


def test_grain_stripes_and_text_are_no_codes():
    grain = np.random.default_rng(5).integers(0, 255, (480, 640, 3), np.uint8)
    stripes = np.tile(np.where(np.random.default_rng(6).random(160) > 0.5, 30, 220).astype(np.uint8), (300, 1))
    fence = cv2.resize(stripes, (640, 300), interpolation=cv2.INTER_NEAREST)
    for picture in (grain, cv2.GaussianBlur(grain, (0, 0), 3), fence, np.full((50, 50, 3), 7, np.uint8)):
        assert read_codes(picture) == []


def test_likeness_tells_a_code_from_its_neighbour():
    photo = cv2.cvtColor(in_a_photo(bars_drawn("ean13", "4006381333931"), 0.7, 1.0), cv2.COLOR_BGR2GRAY)
    [found] = read_codes(photo)
    corners = np.array(found.corners)
    assert bars.likeness(photo, corners, "4006381333931") > 0.9
    assert bars.likeness(photo, corners, "4006381333948") < bars.likeness(photo, corners, "4006381333931") - 0.03


def test_check_digits_and_short_codes_as_the_standard_has_them():
    assert bars.check_digit("400638133393") == "1"  # GS1 General Specifications, 7.9
    assert bars.expanded(0, "123456", 5) == "0012345000065"
    assert bars.expanded(0, "425261", 4) == "0042100005264"


def test_real_pictures_tell_no_wrong_text(real_code):
    if real_code is not None:
        told = {code.text.replace("\r\n", "\n") for code in read_codes(load(Path(real_code["path"])).bgr)}
        assert told <= {real_code["truth"].replace("\r\n", "\n")}


def test_the_command_answers_as_agreed_and_goes_on_after_a_bad_file(tmp_path, drawn):
    good, bad = tmp_path / "code.png", tmp_path / "bad.png"
    cv2.imwrite(str(good), drawn(segno.make_qr("便民", encoding="gb18030", mode="byte"), scale=6))
    bad.write_bytes(good.read_bytes()[:200])
    done = subprocess.run(
        [sys.executable, "-P", "-m", "kiosk", "vision", "codes", str(bad), str(good), "--json"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert str(bad) in done.stderr
    assert "Traceback" not in done.stderr
    [answer] = map(json.loads, done.stdout.splitlines())
    assert answer.keys() == {"file", "codes", "ms"}
    [code] = answer["codes"]
    assert (code["format"], code["text"], code["hex"]) == ("QRCode", "便民", "便民".encode("gb18030").hex())
    assert np.array(code["corners"]).shape == (4, 2)

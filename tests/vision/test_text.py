"""Reading a page: no line skipped, right characters at the right place, in a program that may die or be stopped."""

import os
import signal
import time

import cv2
import numpy as np
import psutil
import pytest

from devices.vision import lines, reading
from devices.vision.benches_scan import SERIF, agreement, lit, page
from devices.vision.text import Line, Reader, Stopped, TextTrouble, TooMuchNoise

TEXT = [
    "一、办理时间：工作日上午9:00至12:00，下午13:30至17:00；法定节假日另行通知。咨询电话：010-65288888。",
    "二、申请材料包括：（一）居民身份证或者户口簿原件及复印件；（二）营业执照副本；（三）授权委托书。",
    "三、网上办理请登录 https://www.example.gov.cn 查询，预约编号如 A0123、B0456，验证码5分钟内有效。",
]
CELLS = [
    "姓名",
    "张晓明",
    "公民身份号码",
    "110101198506121234",
    "住址",
    "朝阳区建国路88号院",
    "备注",
    "材料齐全，当场受理",
]


@pytest.fixture(scope="module")
def reader():
    with Reader() as one:
        yield one


def said(found: list[Line]) -> str:
    return "\n".join(line.text for line in found)


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param(page(TEXT, points=12, title="办事须知"), id="sans"),
        pytest.param(page(TEXT, points=10.5, font=SERIF), id="serif"),
        pytest.param(page(TEXT * 2, points=10.5, columns=2), id="columns"),
        pytest.param(page(CELLS, points=12, table=True, title="登记表"), id="table"),
    ],
)
def test_a_drawn_page_is_read_in_order(reader, drawn):
    assert agreement("\n".join(drawn.lines), said(reader.read(drawn.bgr))) >= 0.99


def test_a_dim_and_slightly_slanted_page_is_read(reader):
    drawn = page(TEXT, points=12)
    height, width = drawn.bgr.shape[:2]
    slant = cv2.getRotationMatrix2D((width / 2, height / 2), 1.7, 1.0)
    slanted = cv2.warpAffine(lit(drawn.bgr, 0.5), slant, (width, height), borderMode=cv2.BORDER_REPLICATE)
    found = reader.read(slanted)
    assert agreement("\n".join(drawn.lines), said(found)) >= 0.98
    first = np.array(found[0].corners)
    assert np.degrees(np.arctan2(*(first[1] - first[0])[::-1])) == pytest.approx(-1.7, abs=0.3)


def test_a_red_stamp_over_the_text_does_not_hide_it(reader):
    drawn = page(TEXT, points=12)
    stamp = np.full_like(drawn.bgr, 255)
    cv2.circle(stamp, (700, 330), 150, (50, 40, 215), 9)
    cv2.line(stamp, (600, 330), (800, 330), (50, 40, 215), 30)
    stamped = np.minimum(drawn.bgr, stamp)  # stamping ink lets what is under it show through
    assert agreement("\n".join(drawn.lines), said(reader.read(stamped))) >= 0.98


def test_a_line_and_its_words_lie_where_they_are_printed(reader):
    bgr = page(["姓名 张晓明 ABC123"], points=14).bgr
    dark = bgr.min(axis=2) < 128
    columns, rows = np.flatnonzero(dark.any(axis=0)), np.flatnonzero(dark.any(axis=1))
    (line,) = reader.read(bgr)
    (left, top), _, (right, bottom), _ = line.corners
    assert (left, right) == pytest.approx((columns[0], columns[-1]), abs=8)
    assert (top, bottom) == pytest.approx((rows[0], rows[-1]), abs=8)
    assert "".join(word.text for word in line.words).split() == line.text.split()
    gaps = np.flatnonzero(np.diff(columns) > 8)
    for word, gap in zip(line.words[1:], gaps, strict=False):
        assert left + word.start * (right - left) == pytest.approx((columns[gap] + columns[gap + 1]) / 2, abs=30)


def test_progress_is_told_line_by_line(reader):
    heard: list[tuple[int, int]] = []
    found = reader.read(page(TEXT * 2).bgr, lambda done, of: heard.append((done, of)))
    assert heard[0][0] == 0
    assert heard[-1][0] == heard[-1][1] >= len(found)
    assert heard == sorted(heard)
    assert len(heard) > 2


def test_an_empty_page_has_no_lines(reader):
    assert reader.read(np.full((1200, 800, 3), 250, np.uint8)) == []
    assert reader.read(np.full((1, 1, 3), 250, np.uint8)) == []


def test_a_pattern_as_long_as_pages_of_print_is_no_page(reader):
    picture = np.full((1000, 800, 3), 250, np.uint8)
    for y in range(4, 990, 14):
        for x in range(4, 790, 8):
            cv2.rectangle(picture, (x, y), (x + 4, y + 6), (0, 0, 0), -1)
    with pytest.raises(TooMuchNoise):
        reader.read(picture)


def test_the_memory_goes_away_with_the_program():
    reader = Reader()
    reader.read(page(TEXT).bgr)
    program = psutil.Process(reader.pid)
    assert program.memory_info().rss > 100 * 2**20
    before = psutil.Process().memory_info().rss
    reader.read(page(TEXT).bgr)
    assert psutil.Process().memory_info().rss - before < 60 * 2**20
    reader.close()
    assert not program.is_running()


def test_a_program_that_dies_is_told_and_the_next_page_is_read_again():
    with Reader() as reader:
        reader.read(page(TEXT[:1]).bgr)
        os.kill(reader.pid, signal.SIGKILL)
        with pytest.raises(TextTrouble, match="kept without"):
            reader.read(page(TEXT).bgr)
        assert said(reader.read(page(TEXT[:1]).bgr))


def test_reading_can_be_stopped_in_the_middle():
    with Reader() as reader:
        begin = time.monotonic()
        with pytest.raises(Stopped):
            reader.read(page(TEXT * 12, points=9).bgr, wanted=lambda: time.monotonic() - begin < 0.3)
        assert reader.pid is None


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("包括:(一)原件;", "包括：（一）原件；"),
        ("9:00至12:00,下午", "9:00至12:00，下午"),
        ("f(x), g:h", "f(x), g:h"),
        ("26mm,规格", "26mm，规格"),
        ("共1,250元", "共1,250元"),
    ],
)
def test_punctuation_is_as_wide_as_its_company(narrow, wide):
    assert reading.widened(narrow) == wide


@pytest.mark.parametrize(
    ("boxes", "order"),
    [
        pytest.param([(0, 0, 99, 9), (0, 20, 99, 29)], [0, 1], id="from the top"),
        pytest.param([(60, 1, 99, 10), (0, 0, 40, 9)], [1, 0], id="from the left"),
        pytest.param(
            [(x, y, x + 200, y + 10) for y in (0, 20, 40, 60) for x in (0, 240)], [0, 2, 4, 6, 1, 3, 5, 7], id="columns"
        ),
        pytest.param([(x, y, x + 40, y + 10) for y in (0, 20, 40, 60) for x in (0, 240)], list(range(8)), id="cells"),
    ],
)
def test_lines_are_ordered_as_they_are_read(boxes, order):
    assert lines.reading_order(boxes) == order


def test_pieces_scattered_like_noise_are_each_read_once():
    places = np.random.default_rng(1).integers(0, 2000, (600, 2))
    boxes = [(int(x), int(y), int(x) + 9, int(y) + 6) for x, y in places]
    assert sorted(lines.reading_order(boxes)) == list(range(600))

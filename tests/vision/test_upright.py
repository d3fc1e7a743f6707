"""Every page of some thirty words stands upright, whichever of four ways it was laid down."""

import numpy as np
import pytest

from devices.vision import upright
from devices.vision.benches_scan import BOLD, SERIF, lit, page
from devices.vision.text import Line, Reader

CHINESE = "申请人应当如实填写申请表，并提交身份证明的原件和复印件，工作人员当场核对后退还原件，材料不齐的一次告知。"
LATIN = (
    "The applicant shall submit the original and a copy of the identity document, together with two photographs, "
    "and shall answer for the truth of what is stated in this form; a fee of 25.50 is due on collection."
)
PAGES = {
    "prose": page([CHINESE] * 9, font=SERIF).bgr,
    "a few lines at the top": page([CHINESE], points=12).bgr,
    "latin": page([LATIN] * 6, points=11).bgr,
    "a few latin lines": lit(page([LATIN], points=12).bgr),
    "columns": page([CHINESE] * 20, points=10.5, columns=2, title="办事公告").bgr,
    "table": page(
        ["姓名", "张晓明", "性别", "男", "出生日期", "1985年6月12日", "住址", "建国路八十八号"] * 2, table=True
    ).bgr,
    "large and bold": page([CHINESE] * 2, points=20, font=BOLD).bgr,
}


def laid(bgr: np.ndarray, degrees: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(bgr, -(degrees // 90)))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_turned_upright(name, degrees):
    assert (upright.turn(laid(PAGES[name], degrees)) + degrees) % 360 == 0


def test_an_empty_page_stays_as_it_lies():
    assert upright.stand(lit(np.full((1200, 800, 3), 230, np.uint8))) == upright.Stand(0, 0.25)


def test_nobody_reads_when_the_page_looks_certain():
    def read(sample: np.ndarray) -> list[Line]:
        raise AssertionError("read")

    assert upright.stand(PAGES["prose"], read).sure >= upright.SURE


def test_where_it_looks_uncertain_reading_decides():
    with Reader() as reader:
        for degrees in (90, 180):
            seen = upright.read_best(laid(PAGES["a few lines at the top"], degrees), reader.read)
            assert seen is not None
            assert (seen.turn + degrees) % 360 == 0

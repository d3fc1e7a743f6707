"""Resident identity cards in pictures: cards of nobody, drawn, as a camera sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from devices.vision import benches_idcard, benches_scan, idcard
from devices.vision.benches_scan import SANS
from devices.vision.flat import place_card_sides
from devices.vision.text import Line, Reader

ROOT = Path(__file__).resolve().parents[2]
WHERE = ((0.0, 0.0), (100.0, 0.0), (100.0, 20.0), (0.0, 20.0))
# The example of GB 11643: a woman born on the last day of 1949.
NUMBER = "11010519491231002X"
FRONT = (
    "姓名 李梅",
    "性别女 民族 汉",
    "出生 1949 年 12 月 31 日",
    "住址 北京市朝阳区三里屯",
    "路1号",
    f"公民身份号码 {NUMBER}",
)
needs_type = pytest.mark.skipif(not SANS.is_file(), reason="the type the cards are drawn with is not installed")


def lines(*rows: str) -> list[Line]:
    return [Line(row, 0.99, WHERE) for row in rows]


def test_fields_are_told_by_their_labels_and_agree_with_the_number():
    card = idcard.said(lines(*FRONT))
    assert card is not None
    assert card.fields == {
        "name": "李梅", "sex": "女", "nation": "汉", "birth": "19491231", "address": "北京市朝阳区三里屯路1号",
        "number": NUMBER,
    }  # fmt: skip
    assert card.checks == {"number": True, "birth": True, "sex": True, "nation": True}


@pytest.mark.parametrize(
    ("shown", "instead", "wrong"),
    [
        (NUMBER, "110105194912310021", {"number", "birth", "sex"}),  # judged by a number only where that is right
        ("性别女", "性别男", {"sex"}),
        ("12 月 31 日", "12 月 30 日", {"birth"}),
        ("民族 汉", "民族 叹", {"nation"}),
    ],
)
def test_what_does_not_agree_is_told(shown, instead, wrong):
    card = idcard.said(lines(*(row.replace(shown, instead) for row in FRONT)))
    assert card is not None
    assert {name for name, right in card.checks.items() if not right} == wrong


def test_the_back():
    card = idcard.said(
        lines("中华人民共和国", "居民身份证", "签发机关 北京市公安局朝阳分局", "有效期限 2016.02.29-2036.02.29")
    )
    assert card is not None
    assert (card.side, card.whole) == ("back", True)
    assert card.fields == {"issuer": "北京市公安局朝阳分局", "valid_from": "20160229", "valid_to": "20360229"}
    forever = idcard.said(lines("居民身份证", "签发机关 西昌市公安局", "有效期限 2016.02.29-长期"))
    assert forever is not None
    assert (forever.fields["valid_to"], forever.whole) == ("长期", True)
    odd = idcard.said(lines("居民身份证", "签发机关 西昌市公安局", "有效期限 2016.02.29-2037.02.28"))
    assert odd is not None
    assert odd.checks == {"valid": False}


def test_other_print_is_no_card():
    assert idcard.said(lines("姓名：张三", "关于办理居民业务的通知", "二〇二六年")) is None


@needs_type
def test_drawn_cards_are_read_whichever_way_they_lie():
    told = benches_idcard.reading(12)
    assert told["right"] >= 11
    assert told["false"] == 0


@needs_type
def test_a_page_without_a_word_of_a_card_is_not_read_through():
    asked = []

    def read(picture):
        asked.append(picture.shape[0] * picture.shape[1])
        return lines("关于办理有关业务的通知")

    letter = benches_scan.page(benches_scan.PARAGRAPHS, dpi=100).bgr
    assert idcard.read_card(letter, read) is None
    assert all(size < letter.shape[0] * letter.shape[1] / 2 for size in asked), "its longest lines and no more"


@needs_type
def test_the_front_is_read_from_a_copy_of_both_sides():
    chance = np.random.default_rng(4)
    fields = benches_idcard.somebody(chance)
    back = benches_idcard.back(chance, {"issuer": "西昌市公安局", "valid_from": "20200101", "valid_to": "20400101"})
    with Reader() as reader:
        card = idcard.read_card(place_card_sides(benches_idcard.front(chance, fields), back), reader.read)
    assert card is not None
    assert card.fields == fields


@needs_type
def test_the_command_answers_as_agreed(tmp_path):
    chance = np.random.default_rng(6)
    fields = benches_idcard.somebody(chance)
    front, empty = tmp_path / "front.jpg", tmp_path / "empty.png"
    cv2.imwrite(str(front), benches_idcard.front(chance, fields))
    cv2.imwrite(str(empty), np.full((300, 400, 3), 90, np.uint8))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "kiosk", "vision", "idcard", str(front), str(empty), "--json"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found, none = map(json.loads, done.stdout.splitlines())
    assert found.keys() == none.keys() == {"file", "side", "fields", "checks", "ms"}
    assert (found["side"], found["fields"]) == ("front", fields)
    assert none["side"] == ""

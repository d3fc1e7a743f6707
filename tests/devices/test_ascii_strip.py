"""The generic strip: text between a beginning and an end from the options; bytes written down by hand."""

from __future__ import annotations

from typing import Any

import pytest

from config.reader import Mistake
from devices.driver import OrderMistake
from devices.drivers.ascii_strip import Driver, Options, Simulator, learn
from devices.options import parse_options, read_options
from devices.roles import ShowCall, ShowPaused, ShowServing, ShowText, ShowWelcome, Unconfirmed

H = bytes.fromhex
ENGLISH = {
    "call_text": "{number} TO {window}",
    "serving_text": "{number} AT {window}",
    "welcome_text": "WELCOME",
    "paused_text": "PAUSED",
    "prefix_hex": "02 {address} 1B",
    "suffix_hex": "03",
    "addresses": [3, 10],
}


def test_a_line_of_text_as_it_comes() -> None:
    assert Driver().encode(ShowText(text="请A001号")) == H("C7EB 41303031 BAC5 0D0A")
    assert Driver().encode(ShowText(text="A001")) == b"A001\r\n"


@pytest.mark.parametrize(
    ("order", "frame"),
    [
        (ShowCall(number="A001", window=3), b"\x02\x03\x1bA001 TO 3\x03"),
        (ShowServing(number="A001", window=3, address=10), b"\x02\x0a\x1bA001 AT 3\x03"),
        (ShowWelcome(), b"\x02\x03\x1bWELCOME\x03"),
        (ShowPaused(address=10), b"\x02\x0a\x1bPAUSED\x03"),
    ],
)
def test_the_template_of_the_options(order: Any, frame: bytes, table: Any) -> None:
    desk = table("ascii-strip", ENGLISH)
    assert desk.driver.encode(order) == frame
    assert [type(n) for n in desk.order(order)] == [Unconfirmed]
    assert desk.obeyed == [order]


def test_encodings() -> None:
    assert Driver(Options(encoding="utf-8")).encode(ShowText(text="请")) == H("E8AFB7 0D0A")
    assert Driver(Options(encoding="gb18030")).encode(ShowText(text="請")) == H("D588 0D0A")
    with pytest.raises(OrderMistake, match=r"\(GB 2312\) has no 請"):
        Driver().encode(ShowText(text="請"))


def test_a_strip_that_does_not_say_the_window_hangs_above_its_own(table: Any) -> None:
    desk = table("ascii-strip", {"call_text": "请{number}号", "addresses": [7]})
    desk.order(ShowCall(number="A007", window=7))
    assert desk.sim.shown == {7: "请A007号"}
    assert desk.obeyed == [ShowCall(number="A007", window=7)]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"prefix_hex": "AG"}, "prefix_hex: expected pairs of hex digits, got 'AG'"),
        ({"suffix_hex": "0"}, "suffix_hex: expected pairs of hex digits"),
        ({"suffix_hex": ""}, "suffix_hex: expected at least one byte"),
        ({"suffix_hex": "{address}"}, "may stand in prefix_hex only"),
        ({"addresses": [1, 2]}, "several strips on one cable need"),
        ({"encoding": "big5"}, "encoding"),
        ({"most_bytes": 0}, "most_bytes"),
    ],
)
def test_options_that_cannot_be_are_said(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Mistake, match=sentence):
        read_options("ascii-strip", options)


def test_options_from_the_command_line() -> None:
    made = parse_options("ascii-strip", ["prefix_hex=AA {address}", "addresses=1,2", "gap_seconds=0.5"])
    assert made == Options(prefix_hex="AA {address}", addresses=(1, 2), gap_seconds=0.5)
    assert Driver(made).timing.gap == 0.5


def test_a_text_may_not_hold_its_own_end() -> None:
    with pytest.raises(OrderMistake, match=r"contains the bytes that end a text \(2a\)"):
        Driver(Options(suffix_hex="2A")).encode(ShowText(text="a*b"))
    # Its last byte and the first of the end would be an end one byte too early.
    with pytest.raises(OrderMistake, match="end a text"):
        Driver(Options(suffix_hex="2A 2A")).encode(ShowText(text="a*"))


def test_the_longest_text_is_the_manuals() -> None:
    short = Driver(Options(most_bytes=8))
    assert short.encode(ShowText(text="请A001号"))
    with pytest.raises(OrderMistake, match="at most 8 bytes of text, got 9"):
        short.encode(ShowText(text="请A0012号"))


def test_beginnings_are_found_among_noise() -> None:
    strip = Simulator(Options(prefix_hex="AA 55", suffix_hex="FF"))
    strip.receive(b"\xaa\xaa\x55A001\xff" + b"\x00\xaa")
    strip.receive(b"\x55A002\xff")
    assert strip.obeyed == [ShowText(text="A001"), ShowText(text="A002")]


def test_a_strip_is_learnt_from_two_texts() -> None:
    shown = {text: [b"\xaa\x01" + text.encode("gb2312") + b"\x0d"] * 2 for text in ("请A001号到3号窗口", "欢迎光临")}
    assert learn(shown) == {"encoding": "gb2312", "prefix_hex": "AA 01", "suffix_hex": "0D"}
    utf8 = {text: [text.encode() + b"\x0a"] for text in ("欢迎", "叫号🙂")}
    assert learn(utf8) == {"encoding": "utf-8", "prefix_hex": "", "suffix_hex": "0A"}


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ({"欢迎": [b"\xbb\xb6\xd3\xad\r"]}, "at least two"),
        ({"欢迎": [b"\x04\xbb\xb6\xd3\xad\r"], "光": [b"\x02\xb9\xe2\r"]}, "length or a checksum"),
        ({"欢迎": [b"\xbb\xb6\xd3\xad"], "光": [b"\xb9\xe2"]}, "nothing stands behind"),
        ({"欢迎": [b"abc\r"], "光": [b"de\r"]}, "not in what was recorded"),
    ],
)
def test_a_strip_that_cannot_be_learnt(shown: dict[str, list[bytes]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        learn(shown)

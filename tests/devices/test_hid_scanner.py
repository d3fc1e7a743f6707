"""A scanner that types: the kernel's events, written out by hand from its documents, become codes."""

from __future__ import annotations

from typing import Any

import pytest
from kernel_keys import DROPPED, SYN, TIME, key, stroke

from devices.driver import OrderMistake
from devices.drivers.hid_scanner import LONGEST, Driver, Options, Simulator
from devices.roles import Alive, CodeScanned, Garbled, News, TriggerScan

H = bytes.fromhex
A_SCAN = TIME + H("04 00 04 00 04 00 07 00")  # MSC_SCAN: usage 04 of page 7, the letter A
A_DOWN, A_HELD, A_UP = (
    TIME + H("01 00 1e 00 01 00 00 00"),
    TIME + H("01 00 1e 00 02 00 00 00"),
    TIME + H("01 00 1e 00 00 00 00 00"),
)
ENTER_DOWN, ENTER_UP = TIME + H("01 00 1c 00 01 00 00 00"), TIME + H("01 00 1c 00 00 00 00 00")
A, ENTER = A_SCAN + A_DOWN + SYN + A_SCAN + A_UP + SYN, ENTER_DOWN + SYN + ENTER_UP + SYN


def codes(said: list[News]) -> list[str]:
    return [n.text for n in said if isinstance(n, CodeScanned)]


def heard(typed: bytes, pause: bool = False, **options: Any) -> list[News]:
    scanner = Driver(Options(**options))
    said = scanner.feed(typed)
    return said + (scanner.silence() if pause else [])


def test_a_key_and_enter_are_a_code() -> None:
    assert heard(A + ENTER) == [Alive(), CodeScanned(text="a", hex="61")]


def test_a_key_held_down_is_typed_once() -> None:
    assert codes(heard(A_DOWN + SYN + A_HELD + SYN + A_HELD + SYN + A_UP + SYN + ENTER)) == ["a"]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (stroke(*range(2, 14)), "1234567890-="),
        (stroke(*range(2, 14), held=42), "!@#$%^&*()_+"),
        (stroke(*range(16, 28)), "qwertyuiop[]"),
        (stroke(*range(16, 28), held=54), "QWERTYUIOP{}"),
        (stroke(*range(30, 42)), "asdfghjkl;'`"),
        (stroke(*range(30, 42), held=42), 'ASDFGHJKL:"~'),
        (stroke(*range(43, 54)), "\\zxcvbnm,./"),
        (stroke(*range(43, 54), held=54), "|ZXCVBNM<>?"),
        (stroke(30, 57, 30), "a a"),
        (stroke(82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789"),
        (stroke(55, 74, 78, 83, 98), "*-+./"),
        (stroke(58, 30, 2) + stroke(30, held=42) + stroke(58, 30), "A1aa"),
        (stroke(59, 105, 30, 187), "a"),
    ],
    ids=["figures", "figures-shift", "q", "q-shift", "a", "a-shift", "z", "z-shift", "space", "block", "block-signs",
         "caps", "no-text"],
)  # fmt: skip
def test_every_key_of_the_layout(keys: bytes, text: str) -> None:
    assert codes(heard(keys + ENTER)) == [text]


@pytest.mark.parametrize(
    ("keys", "hexed"),
    [
        (stroke(27, held=29), "1d"),  # Control ]
        (stroke(27, held=97), "1d"),
        (stroke(7, held=29), "1e"),  # Control 6, on which ^ stands
        (stroke(12, held=29), "1f"),  # Control -, on which _ stands
        (stroke(30, held=29), "01"),
        (stroke(82, 80, 73, held=56), "1d"),  # Alt 029
        (stroke(80, 73, held=100), "1d"),
    ],
)
def test_a_gs1_separator_in_either_way(keys: bytes, hexed: str) -> None:
    [_, code] = heard(stroke(2) + keys + stroke(3) + ENTER)
    assert isinstance(code, CodeScanned)
    assert code.hex == "31" + hexed + "32"


def test_what_no_key_writes_is_left_out() -> None:
    assert codes(heard(stroke(30) + stroke(2, 28, held=29) + stroke(30, held=56) + ENTER)) == ["a"]


CHINESE = {  # 啊 is B0 A1 in GB 2312, U+554A in Unicode
    "each byte": (stroke(82, 79, 71, 77, held=56) + stroke(82, 79, 77, 79, held=56), "bytes"),  # 0176 0161
    "both bytes": (stroke(75, 76, 80, 79, 71, held=56), "bytes"),  # 45217
    "character": (stroke(80, 79, 72, 81, 75, held=56), "unicode"),  # 21834
}


@pytest.mark.parametrize("way", CHINESE)
def test_chinese_comes_with_alt_alone(way: str) -> None:
    keys, alt = CHINESE[way]
    [_, code] = heard(keys + ENTER, alt=alt)
    assert isinstance(code, CodeScanned)
    assert code.text == "啊"
    assert code.encoding == ("utf-8" if alt == "unicode" else "gb18030")


@pytest.mark.parametrize(
    ("alt", "number"), [("bytes", (71, 73, 73, 73, 73)), ("unicode", (73,) * 8), ("unicode", (76, 76, 80, 73, 77))]
)
def test_numbers_that_are_nothing_write_nothing(alt: str, number: tuple[int, ...]) -> None:
    assert codes(heard(stroke(30) + stroke(*number, held=56) + ENTER, alt=alt)) == ["a"]


def test_bytes_that_are_no_text_are_noise() -> None:
    assert heard(stroke(80, 76, 76, held=56) + ENTER) == [Garbled()]  # Alt 255


def test_a_tab_or_a_pause_ends_a_code_too() -> None:
    tab = stroke(15)
    assert codes(heard(A + tab + A + A + ENTER)) == ["a", "aa"]
    assert codes(heard(A + tab + A, pause=True, tabs=True)) == ["a\ta"]
    assert codes(heard(A + A, pause=True)) == ["aa"]
    assert codes(heard(ENTER + ENTER, pause=True)) == []


def test_the_station_waits_only_while_a_code_is_under_way() -> None:
    scanner = Driver(Options(gap=0.2))
    assert scanner.patience is None
    scanner.feed(A)
    assert scanner.patience == 0.2
    scanner.feed(ENTER)
    assert scanner.patience is None
    scanner.feed(A[:10])
    assert scanner.patience == 0.2


@pytest.mark.parametrize("size", [1, 7, 23, 24, 25, 100])
def test_events_in_any_pieces(size: int) -> None:
    typed, scanner, said = A + A + ENTER, Driver(), list[News]()
    for at in range(0, len(typed), size):
        said += scanner.feed(typed[at : at + size])
    assert codes(said) == ["aa"]


@pytest.mark.parametrize("noise", [b"x", bytes(5), b"\xff" * 23, TIME, A_DOWN[:23], bytes(range(1, 120))])
def test_a_code_with_noise_in_it_is_never_told_and_the_next_one_is(noise: bytes) -> None:
    scanner = Driver()
    said = scanner.feed(A + noise + A + ENTER)
    assert said == [Garbled()]
    said = [*scanner.silence(), *scanner.feed(A + ENTER)]
    assert said == [Garbled(over=True), Alive(), CodeScanned(text="a", hex="61")]


def test_half_an_event_and_then_a_pause_is_noise() -> None:
    scanner = Driver()
    scanner.feed(A + A_DOWN[:20])
    assert scanner.silence() == [Garbled()]
    assert codes(scanner.feed(A_DOWN + ENTER)) == ["a"]


def test_a_code_of_which_the_kernel_lost_events_is_never_told() -> None:
    scanner = Driver()
    assert scanner.feed(key(42, 1) + A + DROPPED + SYN + A + ENTER) == [Garbled()]
    scanner.silence()
    assert codes(scanner.feed(A + ENTER)) == ["a"], "shift is not held any more"


def test_a_code_may_be_as_long_as_the_largest_and_no_longer() -> None:
    assert codes(heard(A * LONGEST + ENTER)) == ["a" * LONGEST]
    assert heard(A * (LONGEST + 1) + ENTER) == [Garbled()]


def test_it_cannot_be_triggered_and_says_why() -> None:
    with pytest.raises(OrderMistake, match="set it to read by itself"):
        Driver().encode(TriggerScan())


@pytest.mark.parametrize("ending", ["enter", "tab", "none"])
def test_the_simulated_scanner_types_what_any_key_has(ending: str, table: Any) -> None:
    text = "".join(map(chr, range(32, 127)))
    desk = table("hid-scanner", {"ending": ending})
    desk.happen(CodeScanned(text=text))
    assert codes(desk.settle()) == [text]


def test_a_simulated_scanner_without_an_ending_is_read_after_a_pause(table: Any) -> None:
    desk = table("hid-scanner", {}, ["no-ending"])
    desk.happen(CodeScanned(text="A-1"))
    assert codes(desk.news) == []
    assert codes(desk.settle()) == ["A-1"]


def test_a_simulated_scanner_that_loses_keys_is_never_believed(table: Any) -> None:
    desk = table("hid-scanner", {}, ["loses-keys"])
    desk.happen(CodeScanned(text="A-1"))
    assert [n for n in desk.settle() if not isinstance(n, Alive)] == [Garbled()]


def test_nothing_else_happens_at_a_scanner() -> None:
    simulator = Simulator()
    assert simulator.receive(b"anything") == b""
    with pytest.raises(ValueError, match="only scans codes"):
        simulator.happen(Garbled())

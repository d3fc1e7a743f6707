"""Onbon BX-6Q/6E cards: frames laid out by the rules of the maker's library, dots read back, answers in words."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest

from config.reader import Mistake
from devices.driver import OrderMistake
from devices.drivers.onbon_bx_dual import Driver, Options, Simulator
from devices.led import bitmap
from devices.options import read_options
from devices.roles import (
    Alive,
    Call,
    ClearScreen,
    Garbled,
    Obeyed,
    Refused,
    ShowCall,
    ShowCalls,
    ShowText,
    Unconfirmed,
)

H = bytes.fromhex
ANY = Options(addresses=(0xFFFF,))
TO_ANY = "FF FF 00 80 F0 00 66 02 00 00 00 00"


def arc(data: bytes) -> bytes:
    """CRC-16/ARC bit by bit: not the product's way."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def escaped(plain: bytes) -> bytes:
    """By hand-written rules: not the product's way."""
    rules = {0xA5: b"\xa6\2", 0xA6: b"\xa6\1", 0x5A: b"\x5b\2", 0x5B: b"\x5b\1"}
    return b"\xa5" * 8 + b"".join(rules.get(b, bytes((b,))) for b in plain) + b"\x5a"


def answer(kind: str, error: int = 0, sender: int = 0xFFFF, spoil: int = 0) -> bytes:
    """What a card says: header, one reserved byte, group, command, status, error, length, checksum."""
    data = b"\0" + H(kind) + struct.pack("<HHH", 0, error, 0)
    plain = struct.pack("<HHBBH4xI", 0x8000, sender, 0xF0, 0, 0x0266, len(data)) + data
    crc = arc(plain)
    return escaped(plain + bytes((crc[0] ^ spoil, crc[1])))


def test_to_delete_every_area() -> None:
    frame = Driver(ANY).encode(ClearScreen())
    assert frame == b"\xa5" * 8 + H(f"{TO_ANY} 04 00 00 00 01 A7 01 FF") + b"\x5a"


def test_a_page_of_one_area() -> None:
    """64x32 at 0,0: parameters, then 64*32*3 bytes of red, green, blue, row by row from the top left."""
    frame = Driver(ANY).encode(ShowText(text="一"))
    para = (
        "00 00 00 00 01 00 00 00 00 00 00 00 10"  # area 0, always, no time limit, on all programmes, none by name
        "00 00 00 00 40 00 20 00"  # x, y, width, height
        "00 00 00 00 00 00 00 00 00 00"  # no frame, no background, not transparent, no voice, reserved
        "01 00"  # one page
        "1A 00 00 00 00 00 00 00 64 00 01 40 00 00 00 00 00 00 00 00 00 00"  # static, stays 100, once, 64 wide
        "00 00 00 00 00 18 00 00"  # its dots: from 0 on, 6144 bytes
    )
    head = H(f"{TO_ANY} 4A 18 00 00 01 A7 00 00 00 01 00 3F 00 00 00") + H(para)
    assert len(H(para)) == 0x3F
    assert frame[:8] == b"\xa5" * 8 and frame[-1:] == b"\x5a"
    content = frame[8:-1]
    assert content.startswith(head) and not set(content) & set(H("A5 A6 5A 5B"))
    dots = content[len(head) :]
    assert len(dots) == 6144
    colours = {dots[i : i + 3] for i in range(0, len(dots), 3)}
    assert colours == {H("000000"), H("FF0000")}
    lit = [i // 3 for i in range(0, len(dots), 3) if dots[i]]
    rows = {i // 64 for i in lit}
    assert max(rows) < 16 and max(i % 64 for i in lit) < 16, "a stroke in the first cell"
    assert len(rows) <= 2 and len(lit) >= 12


def test_a_checksum_where_the_card_wants_one() -> None:
    plain = H(f"{TO_ANY} 04 00 00 00 01 A7 01 FF")
    frame = Driver(Options(addresses=(0xFFFF,), request_crc=True)).encode(ClearScreen())
    assert frame == escaped(plain + arc(plain))


def test_done_and_not_done_are_told() -> None:
    driver = Driver(ANY)
    driver.take(ClearScreen(id="c"))
    driver.owed()
    assert driver.feed(answer("A0 00")) == [Alive(address=0xFFFF), Obeyed(order="ClearScreen", id="c")]
    driver.take(ShowText(text="请稍候", id="t"))
    driver.owed()
    assert driver.feed(answer("A0 01", 3)) == [Refused(order="ShowText", id="t", reason="the card is busy")]
    driver.take(ShowText(text="请稍候", id="u"))
    driver.owed()
    assert driver.feed(answer("A0 01", 99))[0].reason == "the card refuses with error 99"  # type: ignore[attr-defined]


def test_a_damaged_answer_proves_nothing() -> None:
    driver = Driver(ANY)
    driver.take(ClearScreen(id="c"))
    driver.owed()
    assert driver.feed(answer("A0 00", spoil=1)) == []
    assert driver.silence() == [] and driver.owed()
    assert [type(n) for n in driver.silence()] == [Unconfirmed]


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("text", ["请A007号到3号窗口", "综B12→3", "一二三、十", "０A０"])
def test_dots_read_as_they_were_meant(size: int, text: str) -> None:
    pages = bitmap.pages(text, 20 * size, size, size)
    assert len(pages) == 1
    assert bitmap.read(pages[0], size)[0].rstrip("\u3000") == text


def test_a_long_text_goes_over_several_pages() -> None:
    card, driver = Simulator(ANY), Driver(ANY)
    card.receive(driver.encode(ShowText(text="请到三楼综合窗口办理社会保险登记")))
    assert [bitmap.read(page, 16) for page in card.pages[0xFFFF]] == [
        ["请到三楼", "综合窗口"],
        ["办理社会", "保险登记"],
    ]
    assert card.obeyed == [ShowText(text="请到三楼综合窗口办理社会保险登记")]


def test_a_board_shows_the_latest_calls_in_its_lines() -> None:
    options = Options(width=128, height=64, board_rows=4, row_text="{number}→{window}")
    card, driver = Simulator(options), Driver(options)
    calls = tuple(Call(number=f"A00{n}", window=n) for n in (5, 4, 3, 2, 1))
    card.receive(driver.encode(ShowCalls(calls=calls)))
    assert card.shown == {1: "A005→5", 2: "A004→4", 3: "A003→3", 4: "A002→2"}
    card.receive(driver.encode(ShowCalls(calls=calls[3:])))
    assert card.obeyed[-1] == ShowCalls(calls=calls[3:])
    assert card.shown[3] == "", "rows that stay over are emptied"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": 32, "height": 16}, "size: a line of 32 pixels does not fit an area of 64x16"),
        ({"board_rows": 3}, "board_rows: 3 rows of 16 pixels are more than 32"),
    ],
)
def test_areas_that_cannot_be_are_said(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Mistake, match=sentence):
        read_options("onbon-bx-dual", options)


def test_a_board_is_no_window_screen() -> None:
    board = Driver(Options(board_rows=2))
    assert [role.name for role in board.roles] == ["hall-board"]
    with pytest.raises(OrderMistake, match="not set up as a hall board"):
        Driver().encode(ShowCalls())


def test_a_megabyte_of_spoilt_answers_raises_nothing_and_leaves_nothing() -> None:
    driver, card, noise = Driver(), Simulator(), random.Random(5)
    said = [answer("A0 00", sender=1), answer("A0 01", 3, sender=1), driver.encode(ShowText(text="请"))]
    fed, told = 0, 0
    while fed < 1_000_000:
        data = bytearray(noise.choice(said) + noise.randbytes(noise.choice((0, 9))))
        for _ in range(noise.randrange(3)):
            data[noise.randrange(len(data))] = noise.choice((0xA5, 0x5A, 0xA6, 0x5B, 0))
        data = data[noise.choice((0, 0, 4)) :]
        told += sum(isinstance(n, Garbled) for n in driver.feed(bytes(data)))
        if noise.random() < 0.02:
            card.receive(bytes(data))
        if driver.idle and noise.random() < 0.1:
            driver.take(ShowCall(number="A1", window=1))
        driver.owed()
        if noise.random() < 0.1:
            driver.silence()
        fed += len(data)
    assert len(driver._rest) <= 20_000 and told < 1000


@pytest.mark.parametrize(
    ("fault", "outcome", "shown"),
    [
        ("busy", Refused, False),
        ("no-answers", Unconfirmed, True),
        ("first-answer-lost", Obeyed, True),
        ("dark", Unconfirmed, False),
    ],
)
def test_what_becomes_of_a_text(fault: str, outcome: type, shown: bool, table: Any) -> None:
    desk = table("onbon-bx-dual", {"request_crc": True}, [fault])
    news = [n for n in desk.order(ShowText(text="请稍候", id="t")) if isinstance(n, Obeyed | Refused | Unconfirmed)]
    assert [(type(n), n.id) for n in news] == [(outcome, "t")]
    assert bool(desk.sim.shown) == shown


def test_a_picture_that_comes_in_pieces_is_shown_once_it_is_whole() -> None:
    card, frame = Simulator(ANY), Driver(ANY).encode(ShowText(text="请到三楼"))
    said = [card.receive(frame[at : at + 100]) for at in range(0, len(frame), 100)]
    assert [bool(one) for one in said] == [False] * (len(said) - 1) + [True]
    assert card.obeyed == [ShowText(text="请到三楼")]
    card.receive(Driver(ANY).encode(ClearScreen()))
    assert card.obeyed[-1] == ClearScreen() and card.shown == {}


@pytest.mark.parametrize("spoilt", [12, 14, 24])
def test_a_request_for_another_card_or_of_another_kind_is_not_obeyed(spoilt: int) -> None:
    card, frame = Simulator(ANY), bytearray(Driver(ANY).encode(ClearScreen()))
    frame[spoilt] ^= 0x10
    assert card.receive(bytes(frame)) == b"" and card.obeyed == []
    assert Simulator(Options(addresses=(7,))).receive(Driver(ANY).encode(ClearScreen())) == b""

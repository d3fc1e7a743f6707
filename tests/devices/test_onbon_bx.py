"""Onbon BX-5K/6K cards: frames of the maker's documents and libraries, escaping, and answers in words."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any

import pytest

from config.reader import Mistake
from devices.driver import OrderMistake
from devices.drivers.onbon_bx import Driver, Options, Simulator
from devices.led.onbon import Area, Message, brightness, clock, crc_arc, unwrap
from devices.options import read_options
from devices.roles import (
    Alive,
    ClearScreen,
    Garbled,
    Obeyed,
    Refused,
    SetBrightness,
    SetClock,
    ShowCall,
    ShowPaused,
    ShowText,
    ShowWelcome,
    Silent,
    SwitchScreen,
    Unconfirmed,
)

H = bytes.fromhex
ANY = Options(addresses=(0xFFFE,))
TO_1, TO_ANY = "01 00 00 80 00 00 00 00 00 00 FE 02", "FE FF 00 80 00 00 00 00 00 00 FE 02"
PLACED = "00 00 00 00 00 40 00 10 00 00 00 00 05 00 00 00 00 02 01 01 00 00 08"
CALL = "请A001号到3号窗口"
CALL_GB = "C7 EB 41 30 30 31 BA C5 B5 BD 33 BA C5 B4 B0 BF DA"


def framed(content: str) -> bytes:
    """A frame whose bytes need no escape."""
    plain = H(content)
    assert not set(plain) & set(H("A5 A6 5A 5B"))
    return b"\xa5" * 8 + plain + b"\x5a"


def arc(data: bytes) -> bytes:
    """CRC-16/ARC bit by bit: not the product's way."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


def answer(data: str, sender: int = 1) -> bytes:
    """What a card says: `data` from the group byte on; escaped by hand-written rules."""
    body = H(data)
    plain = struct.pack("<HH6xBBH", 0x8000, sender, 0xFE, 2, len(body)) + body
    plain += arc(plain)
    out = b"".join(
        {0xA5: b"\xa6\2", 0xA6: b"\xa6\1", 0x5A: b"\x5b\2", 0x5B: b"\x5b\1"}.get(b, bytes((b,))) for b in plain
    )
    return b"\xa5" * 8 + out + b"\x5a"


DONE = answer("A0 00 00 00 00")


# ---- the maker's bytes ----


def test_the_checksum() -> None:
    assert arc(b"123456789") == H("3D BB")
    assert crc_arc(b"123456789") == 0xBB3D


@pytest.mark.parametrize(
    ("question", "content"),
    [
        ("ping", f"{TO_1} 05 00 A2 00 01 00 00 68 F8"),
        ("status", f"{TO_1} 05 00 A1 02 01 00 00 2D 40"),
    ],
)
def test_questions(question: str, content: str) -> None:
    driver, card = Driver(Options(question=question)), Simulator()
    driver.poll()
    asked = driver.owed()
    assert asked == framed(content)
    assert [type(n) for n in driver.feed(card.receive(asked))] == [Alive]


@pytest.mark.parametrize(
    ("order", "content", "options"),
    [
        (ClearScreen(), f"{TO_1} 05 00 A3 10 01 00 00 51 F8", Options()),
        (SwitchScreen(on=True), f"{TO_ANY} 06 00 A3 00 01 00 00 01 5D F1", ANY),
        (SwitchScreen(on=False), f"{TO_ANY} 06 00 A3 00 01 00 00 02 1D F0", ANY),
        (
            SetClock(time="2026-03-05T09:08:07"),
            f"{TO_ANY} 0D 00 A2 03 01 00 00 26 20 03 05 09 08 07 04 FB C4",
            ANY,
        ),
        (
            ShowText(text=CALL),
            f"{TO_ANY} 35 00 A3 06 01 00 00 00 01 2C 00 {PLACED} 11 00 00 00 {CALL_GB} 2A 28",
            ANY,
        ),
    ],
)
def test_commands(order: Any, content: str, options: Options) -> None:
    assert Driver(options).encode(order) == framed(content)
    card = Simulator(options)
    assert unwrap(card.receive(framed(content))[8:-1]) is not None
    read = ShowCall(number="A001", window=3) if isinstance(order, ShowText) else order
    assert card.obeyed == [read]


def test_the_dynamic_text_of_the_document() -> None:
    data = H(
        "A3 06 01 2D 00 00 01 29 00 00 00 00 00 00 18 00 20 00 00 00 00 02 00 00 00 00 02 02 03 00 04 05 0E 00 00 00"
        "30 31 32 33 34 35 51 52 53 54 54 56 27 42"
    )
    content = H(f"{TO_1} 32 00") + data
    assert unwrap(content + H("A8 7D")) == Message(1, 0x8000, data)
    area = Area(width=24, height=32, timeout=2, wrap=2, appear=3, speed=4, stay=5)
    assert area.build(data[-14:]) == data[:3] + b"\0" + data[4:]  # its 2D stands in a byte that is ours to leave 0


def test_brightness() -> None:
    data = H("A3 02 01 00 00 01 08") + b"\x08" * 48
    plain = H(f"{TO_1} 37 00") + data
    assert Driver().encode(SetBrightness(level=8)) == b"\xa5" * 8 + plain + arc(plain) + b"\x5a"


def test_a_brightness_there_is_not() -> None:
    with pytest.raises(ValueError, match="expected 0 to 15, got -1"):
        brightness(-1)


def test_a_sunday() -> None:
    assert clock(datetime(2026, 3, 8, 23, 59, 58))[5:] == H("26 20 03 08 23 59 58 07")


# ---- bytes that need escaping ----


def test_each_special_byte_is_escaped() -> None:
    # 电 B5 E7, 伐 B7 A5, 乏 B7 A6, Z 5A, [ 5B
    made = Driver(ANY).encode(ShowText(text="伐乏Z[电"))
    plain = H(f"{TO_ANY} 2C 00 A3 06 01 00 00 00 01 23 00 {PLACED} 08 00 00 00 B7 A5 B7 A6 5A 5B B5 E7")
    assert made.startswith(b"\xa5" * 8 + plain[:-8] + H("B7 A6 02 B7 A6 01 5B 02 5B 01 B5 E7"))
    assert made.endswith(b"\x5a") and made.count(b"\x5a") == 1
    assert not set(made[8:-1]) & {0xA5, 0x5A}
    assert unwrap(made[8:-1]) == Message(0xFFFE, 0x8000, plain[14:])
    card = Simulator(ANY)
    card.receive(made)
    assert card.obeyed == [ShowText(text="伐乏Z[电")]


def test_a_checksum_that_needs_escaping_itself() -> None:
    special = 0
    for number in range(3000):
        driver, card = Driver(), Simulator()
        made = driver.encode(ShowText(text=f"{number}"))
        if set(arc(unescaped(made[8:-1])[:-2])) & set(H("A5 A6 5A 5B")):
            special += 1
            card.receive(made)
            assert card.obeyed == [ShowText(text=f"{number}")]
    assert special > 10


def unescaped(data: bytes) -> bytes:
    for pair, plain in (("5B02", "5A"), ("A602", "A5"), ("5B01", "5B"), ("A601", "A6")):
        data = data.replace(H(pair), H(plain))
    return data


@pytest.mark.parametrize("spoilt", ["A6 03", "5B 00", "A6", "5B"])
def test_escapes_that_do_not_exist(spoilt: str) -> None:
    assert unwrap(DONE[8:-3] + H(spoilt)) is None


# ---- answers ----


@pytest.mark.parametrize(
    ("said", "outcome", "reason"),
    [
        ("A0 00 00 00 00", Obeyed, ""),
        ("A0 01 02 00 00", Refused, "the card does not know this command"),
        ("A0 01 03 00 00", Refused, "the card is busy"),
        ("A0 01 05 00 00", Refused, "the card received a damaged frame (checksum)"),
        ("A0 01 0C 00 00", Refused, "the card has not got the font"),
        ("A0 01 5A 00 00", Refused, "the card refuses with error 90"),
    ],
)
@pytest.mark.parametrize("pieces", ["whole", "one by one", "noise before", "echo", "frame behind"])
def test_an_order_ends_as_the_card_says(said: str, outcome: type, reason: str, pieces: str) -> None:
    driver = Driver()
    driver.take(ShowPaused(id="p"))
    sent = driver.owed()
    heard = answer(said)
    data = {"noise before": b"\x5a\xa5\x00\xa5\xa6" + heard, "echo": sent + heard, "frame behind": heard + heard[:9]}
    said_in = data.get(pieces, heard)
    helpings = [bytes((byte,)) for byte in said_in] if pieces == "one by one" else [said_in]
    news = [n for helping in helpings for n in driver.feed(helping)]
    why = {"reason": reason} if reason else {}
    assert news == [Alive(address=1), outcome(order="ShowPaused", id="p", **why)]
    assert driver.idle


def test_answers_that_do_not_count() -> None:
    driver = Driver(Options(addresses=(1, 2)))
    driver.take(ShowPaused())
    driver.owed()
    spoilt = bytearray(DONE)
    spoilt[-2] ^= 1
    assert driver.feed(bytes(spoilt)) == []
    assert driver.feed(answer("A0 00 00 00 00", sender=2)) == [Alive(address=2)]  # the other card
    assert driver.feed(answer("A2 00 00 00 00")) == [Alive(address=1, detail="a2 00 00 00 00")]  # not about an order
    assert not driver.idle


def test_an_order_waits_for_the_answer_to_a_question() -> None:
    driver = Driver()
    driver.poll()
    driver.owed()
    assert not driver.idle, "both are answered alike"
    driver.feed(DONE)
    assert driver.idle


def test_a_late_answer_to_a_question_is_no_answer_to_the_order_behind_it() -> None:
    driver = Driver()
    driver.poll()
    driver.owed()
    driver.silence()  # given up
    driver.take(ShowPaused(id="p"))
    driver.owed()
    assert driver.feed(DONE) == [Alive(address=1)]  # the question's, late
    assert driver.feed(DONE) == [Obeyed(order="ShowPaused", id="p")]


def test_an_answer_that_was_lost_for_good_costs_one_repeat() -> None:
    driver = Driver()
    driver.poll()
    driver.owed()
    driver.silence()
    driver.take(ShowPaused(id="p"))
    driver.owed()
    driver.feed(DONE)  # the order's own, but it might be the question's
    assert driver.silence() == []
    driver.owed()  # said once more
    assert driver.feed(DONE) == [Obeyed(order="ShowPaused", id="p")]


def test_after_some_quiet_a_lost_answer_is_forgotten() -> None:
    driver = Driver()
    driver.poll()
    driver.owed()
    driver.silence()
    assert driver.patience == 2.0
    assert driver.silence() == []
    assert driver.patience is None
    driver.take(ShowPaused(id="p"))
    driver.owed()
    assert driver.feed(DONE) == [Alive(address=1), Obeyed(order="ShowPaused", id="p")]


@pytest.mark.parametrize(
    ("fault", "reason"), [("busy", "the card is busy"), ("no-font", "the card has not got the font")]
)
def test_a_card_that_refuses(fault: str, reason: str, table: Any) -> None:
    desk = table("onbon-bx", None, [fault])
    desk.settle()
    assert desk.order(ShowWelcome(id="w")) == [Refused(order="ShowWelcome", id="w", reason=reason)]
    assert desk.sim.shown == {}


def test_a_lost_answer_is_made_good(table: Any) -> None:
    desk = table("onbon-bx", None, ["first-answer-lost"])
    assert Obeyed(order="ShowPaused", id="p") in desk.order(ShowPaused(id="p"))


def test_a_card_that_never_answers_is_missed_once(table: Any) -> None:
    desk = table("onbon-bx", None, ["no-answers"])
    assert [n for n in desk.settle(30) if isinstance(n, Silent)] == [Silent(address=1)]
    assert [type(n) for n in desk.order(ShowPaused())] == [Unconfirmed]


def test_babble_is_told_once_and_ends_with_an_answer() -> None:
    driver = Driver()
    assert driver.feed(b"\xa5\x00\x5a" * 100) == [Garbled()]
    assert driver.feed(b"\xa5" * 5000 + b"\x00" * 5000) == []
    assert driver.feed(DONE) == [Garbled(over=True), Alive(address=1)]


# ---- the technician's orders and options ----


def test_the_technicians_orders_are_done(table: Any) -> None:
    desk = table("onbon-bx")
    desk.settle()
    for order in (
        SetBrightness(level=15),
        SwitchScreen(on=False),
        SetClock(time="2026-12-31T23:59:59"),
        ShowWelcome(),
        ClearScreen(),
    ):
        assert [type(n) for n in desk.order(order)] == [Obeyed]
        assert desk.obeyed == [order]
    assert (desk.sim.lit, desk.sim.shown) == ({1: False}, {})


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (SetBrightness(level=16), "SetBrightness.level: expected 0 to 15, got 16"),
        (SetClock(time="tomorrow"), "SetClock.time: expected 2026-03-05T09:08:07, got 'tomorrow'"),
        (ShowText(text=r"\C1"), "ShowText.text: a backslash begins a command of the card"),
        (ClearScreen(address=7), "ClearScreen.address: no strip 7 here"),
    ],
)
def test_mistakes_are_said(order: Any, sentence: str) -> None:
    with pytest.raises(OrderMistake, match=sentence):
        Driver().encode(order)


@pytest.mark.parametrize(
    ("counts", "x", "width"),
    [("pixels", "08 00", "40 00"), ("eights", "01 00", "08 00"), ("marked pixels", "08 80", "40 80")],
)
def test_how_the_card_counts_its_width(counts: str, x: str, width: str) -> None:
    made = Options(x=8, counts=counts).placed().build(b"")
    assert made[10:18] == H(f"{x} 00 00 {width} 10 00")


def test_looks() -> None:
    looks = Options(appear="left", speed=18, stay=1.5, break_lines=True, area=3, colour="green")
    made = Driver(looks).encode(ShowText(text="A\nB"))
    assert H("03 00 00 05 00 00 00 00 02 02 03 00 12 03 07 00 00 00") + rb"\C2A\nB" in made
    card = Simulator(looks)
    card.receive(made)
    assert card.obeyed == [ShowText(text="A\nB")]


def test_a_card_leaves_alone_what_is_meant_for_another() -> None:
    card = Simulator(Options(addresses=(2,)))
    assert card.receive(Driver().encode(ShowPaused())) == b""
    assert card.obeyed == []


def test_an_area_that_does_not_fit_eights() -> None:
    with pytest.raises(Mistake, match="multiples of 8"):
        read_options("onbon-bx", {"counts": "eights", "width": 60})


def test_speed_and_port_of_the_line() -> None:
    assert Driver.baud == 57600
    assert set(Driver.links) == {"serial", "socket", "udp"}

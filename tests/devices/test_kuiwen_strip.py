"""Strips of Kuiwen (LcLed): the frame worked out from the deployed driver's rules, and its three copies."""

from __future__ import annotations

from typing import Any

import pytest

from devices.drivers.kuiwen_strip import Driver, Options, Simulator
from devices.roles import ShowPaused, ShowText, ShowWelcome, Unconfirmed

H = bytes.fromhex
AT3 = Options(addresses=(3,))
PLEASE_A001 = H("23 14 24 15 13 18 31 30 30 30 30 33 44 00 01 01 01 06 C7 EB 41 30 30 31 BA C5 07 38 0D 0C 03 02 0D BA")


def test_the_frame_of_a_strip() -> None:
    assert Driver(AT3).encode(ShowText(text="请A001号")) == PLEASE_A001
    strip = Simulator(AT3)
    assert strip.receive(PLEASE_A001) == b""
    assert strip.shown == {3: "请A001号"}


def test_a_combined_screen_and_its_looks() -> None:
    options = Options(addresses=(1,), screen="combined", mode="flash", speed=15, stay=3, rounds=2)
    made = Driver(options).encode(ShowText(text="请A001号"))
    body = H("44 05 0F 03 02 06 C7 EB 41 30 30 31 BA C5 07 38 0D 0C 03 02 0D")
    assert made == H("23 14 24 15 13 18") + b"300001" + body + bytes((sum(body) % 256,))


def test_three_copies_forty_milliseconds_apart() -> None:
    driver, strip = Driver(AT3), Simulator(AT3)
    driver.take(ShowText(text="请A001号", id="t"))
    sent = []
    while frame := driver.owed():
        sent.append(frame)
        strip.receive(frame)
        assert (driver.patience is None) == (len(sent) < 3), "the outcome is told after the last copy"
    assert sent == [PLEASE_A001] * 3
    assert driver.timing.gap == 0.04
    assert [(type(n), n.id) for n in driver.silence()] == [(Unconfirmed, "t")]
    assert (strip.copies, strip.obeyed) == (3, [ShowText(text="请A001号")])


def test_a_lost_copy_costs_nothing(table: Any) -> None:
    desk = table("kuiwen-strip", None, ["first-copy-lost"])
    desk.order(ShowWelcome())
    desk.order(ShowPaused())
    assert desk.sim.shown == {1: "暂停服务"}


def test_the_same_text_twice_is_two_orders(table: Any) -> None:
    desk = table("kuiwen-strip")
    for _ in range(2):
        desk.order(ShowPaused())
        assert desk.obeyed == [ShowPaused()]


@pytest.mark.parametrize("spoilt", [3, 9, 14, 17, 20, 33])
def test_a_frame_with_a_wrong_byte_is_not_shown(spoilt: int) -> None:
    strip = Simulator(AT3)
    strip.receive(PLEASE_A001[:spoilt] + bytes((PLEASE_A001[spoilt] ^ 0x08,)) + PLEASE_A001[spoilt + 1 :])
    assert strip.obeyed == []
    strip.receive(PLEASE_A001)
    assert strip.obeyed == [ShowText(text="请A001号")]


def test_the_right_strip_of_several(table: Any) -> None:
    desk = table("kuiwen-strip", {"addresses": [1, 12]})
    desk.order(ShowPaused(address=12))
    assert desk.sim.shown == {12: "暂停服务"}

"""Strips of Yongtai Xinxin: the text frame worked out from the deployed driver's rules, behind its opening frame."""

from __future__ import annotations

from typing import Any

import pytest

from devices.drivers.yongtai_strip import Driver, Options, Simulator
from devices.roles import ShowPaused, ShowText, ShowWelcome, Unconfirmed

H = bytes.fromhex
AT3 = Options(addresses=(3,))
OPENING_8 = H("AA 55 04 03 F8 51 08 00") + bytes(21)
PLEASE_A001 = H("AA 55 0D 03 F8 21 00 C7 EB 41 30 30 31 BA C5 00")


def test_the_opening_and_the_text() -> None:
    assert len(OPENING_8) == 29
    driver, strip = Driver(AT3), Simulator(AT3)
    assert driver.encode(ShowText(text="请A001号")) == OPENING_8 + PLEASE_A001
    driver.take(ShowText(text="请A001号", id="t"))
    assert driver.owed() == OPENING_8
    assert driver.patience is None, "the text has not gone out yet"
    assert driver.owed() == PLEASE_A001
    assert driver.owed() == b""
    assert [(type(n), n.id) for n in driver.silence()] == [(Unconfirmed, "t")]
    assert strip.receive(OPENING_8 + PLEASE_A001) == b""
    assert strip.shown == {3: "请A001号"}


def test_a_text_without_its_opening_is_not_shown() -> None:
    strip = Simulator(AT3)
    strip.receive(PLEASE_A001)
    strip.receive(H("AA 55 04 03 F8 51 07 00") + bytes(21) + PLEASE_A001)  # announced with another length
    assert strip.obeyed == []
    strip.receive(OPENING_8 + PLEASE_A001)
    strip.receive(PLEASE_A001)  # the opening holds for one text
    assert strip.obeyed == [ShowText(text="请A001号")]


def test_a_text_frame_that_does_not_end_is_not_shown() -> None:
    strip = Simulator(AT3)
    strip.receive(OPENING_8 + PLEASE_A001[:-1] + b"\x01" + H("AA 55 0D 03 F8 22 00"))
    assert strip.obeyed == []
    strip.receive(PLEASE_A001)
    assert strip.obeyed == [ShowText(text="请A001号")]


def test_a_lost_opening_shows_nothing_and_nothing_is_called_obeyed(table: Any) -> None:
    desk = table("yongtai-strip", None, ["opening-lost"])
    assert [type(n) for n in desk.order(ShowWelcome())] == [Unconfirmed]
    assert desk.sim.shown == {}


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.5])
def test_the_pause_is_the_technicians_choice(seconds: float) -> None:
    assert Driver(Options(pause_seconds=seconds)).timing.gap == seconds


def test_the_right_strip_of_several(table: Any) -> None:
    desk = table("yongtai-strip", {"addresses": [1, 2]})
    desk.order(ShowPaused(address=2))
    assert desk.sim.shown == {2: "暂停服务"}
    assert desk.obeyed == [ShowPaused(address=2)]

"""Strips of Yinda Huizhi: the frame worked out from the deployed driver's rules, its CRC and its count."""

from __future__ import annotations

from typing import Any

import pytest

from devices.drivers.yinda_strip import Driver, Options, Simulator
from devices.roles import ShowPaused, ShowText, Unconfirmed

H = bytes.fromhex
PLEASE_A001 = H("01 FE 14 01 86 3C 00 05 00 C7 EB 41 30 30 31 BA C5 00 69 01")


def crc_xmodem(data: bytes) -> bytes:
    """Poly 1021, start 0, bit by bit: not the product's way."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc.to_bytes(2, "big")


def test_the_frame_of_a_strip() -> None:
    assert crc_xmodem(b"123456789") == H("31C3")
    assert Driver().encode(ShowText(text="请A001号")) == PLEASE_A001
    strip = Simulator()
    assert strip.receive(PLEASE_A001) == b""
    assert strip.shown == {1: "请A001号"}


def test_the_frame_of_a_combined_screen() -> None:
    content = H("01 FE 11 01 8C 00 C7 EB 41 30 30 31 BA C5 00")
    combined = Options(screen="combined")
    assert Driver(combined).encode(ShowText(text="请A001号")) == content + crc_xmodem(content)
    screen = Simulator(combined)
    screen.receive(content + crc_xmodem(content))
    assert screen.shown == {1: "请A001号"}


def test_each_frame_counts_on_and_past_its_byte(table: Any) -> None:
    desk = table("yinda-strip", {"addresses": [5]})
    for _ in range(258):
        desk.order(ShowPaused())
    assert desk.sim.seqs[:3] == [1, 2, 3]
    assert desk.sim.seqs[-4:] == [255, 0, 1, 2]
    desk.driver.reset()
    desk.order(ShowPaused())
    assert desk.sim.seqs[-1] == 3


@pytest.mark.parametrize("spoilt", [0, 3, 10, 18, 19])
def test_a_frame_with_a_wrong_byte_is_not_shown(spoilt: int) -> None:
    strip = Simulator()
    strip.receive(PLEASE_A001[:spoilt] + bytes((PLEASE_A001[spoilt] ^ 0x10,)) + PLEASE_A001[spoilt + 1 :])
    assert strip.obeyed == []
    strip.receive(PLEASE_A001)
    assert strip.obeyed == [ShowText(text="请A001号")]


def test_a_strip_does_not_show_what_is_meant_for_another_or_for_another_kind(table: Any) -> None:
    desk = table("yinda-strip", {"addresses": [1, 2]})
    desk.sim = Simulator(Options(addresses=(2,)))
    assert [type(n) for n in desk.order(ShowPaused(address=1))] == [Unconfirmed]
    assert desk.sim.shown == {}
    desk.order(ShowPaused(address=2))
    assert desk.sim.shown == {2: "暂停服务"}
    combined = Simulator(Options(screen="combined"))
    combined.receive(PLEASE_A001)
    assert combined.shown == {}

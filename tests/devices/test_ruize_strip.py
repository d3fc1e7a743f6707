"""Strips on Ruize's bus: the example of the document, the question and its one-byte answer."""

from __future__ import annotations

from typing import Any

import pytest

from devices.drivers.ruize_strip import Driver, Options, Simulator
from devices.roles import Alive, Garbled, ShowCall, ShowPaused, ShowText, Silent, Unconfirmed

H = bytes.fromhex
AT170 = Options(addresses=(170,))
# "请0005号顾客到01号柜台办理" at address 170; the document prints its beginning and end.
EXAMPLE = H(
    "AA C2 44 0C 07 0E 0B 30 30 30 35 0B 0A 0C 05 0B 09 0C 0B 0B 0F 0C 0D 0B 05 0B 0D 30 31 0B 0A 0C 05"
    "0B 09 0F 01 0C 0C 0A 08 0B 00 0E 0C 0C 00 0E 0D 1A"
)


def test_the_example_of_the_document() -> None:
    text = "请0005号顾客到01号柜台办理"
    assert Driver(AT170).encode(ShowText(text=text)) == EXAMPLE
    strip = Simulator(AT170)
    assert strip.receive(EXAMPLE) == b""
    assert strip.shown == {170: text}


def test_only_address_bytes_have_the_top_bit_set() -> None:
    for at in (1, 63, 64, 4095):
        made = Driver(Options(addresses=(at,))).encode(ShowCall(number="A007", window=3))
        assert [byte >= 0x80 for byte in made[:2]] == [True, True]
        assert max(made[2:]) < 0x80
        strip = Simulator(Options(addresses=(at,)))
        strip.receive(made)
        assert list(strip.shown) == [at]


def test_a_low_address_may_come_without_its_high_byte() -> None:
    strip = Simulator(Options(addresses=(3,)))
    assert strip.receive(H("83 48")) == b";"
    assert strip.receive(H("83 44 41 1A")) == b""
    assert strip.shown == {3: "A"}


@pytest.mark.parametrize("before", [b"", H("81 C0 48"), b"\x00\xff\x80"], ids=["clean", "echo", "noise"])
def test_the_question_and_its_answer(before: bytes) -> None:
    for helpings in ([before + b";"], [bytes((byte,)) for byte in before + b";"], [before + b";;"]):
        driver = Driver()
        driver.poll()
        assert driver.owed() == H("81 C0 48")
        assert [n for helping in helpings for n in driver.feed(helping)] == [Alive(address=1)]
        assert driver.idle and driver.patience is None


def test_a_semicolon_nobody_asked_for_proves_nothing() -> None:
    driver = Driver()
    assert driver.feed(b";") == []
    driver.poll()
    driver.owed()
    assert driver.feed(b"\x00" * 100 + b";") == []  # far behind the question: noise
    assert driver.feed(b";") == []
    assert not driver.idle


def test_that_it_is_there_does_not_confirm_what_it_shows(table: Any) -> None:
    desk = table("ruize-strip")
    assert desk.settle() == [Alive(address=1)]
    assert [(type(n), n.id) for n in desk.order(ShowPaused(id="p"))] == [(Unconfirmed, "p")]
    assert desk.sim.shown == {1: "暂停服务"}
    driver = Driver()
    driver.take(ShowPaused(id="p"))
    driver.owed()
    assert [type(n) for n in driver.feed(b";")] == [Unconfirmed]


def test_each_strip_is_asked_in_turn_and_missed_alone() -> None:
    driver, one = Driver(Options(addresses=(1, 70))), Simulator(Options(addresses=(1,)))
    both = Simulator(Options(addresses=(1, 70)))

    def rounds(strips: Simulator, count: int) -> list[Any]:
        news = []
        for _ in range(count):
            driver.poll()
            news += driver.feed(strips.receive(driver.owed()))
            while driver.patience is not None:
                news += driver.silence()
        return news

    assert rounds(one, 12) == [Alive(address=1), Silent(address=70)]
    assert rounds(both, 4) == [Silent(address=70, over=True), Alive(address=70)]


def test_a_strip_that_stops_answering_is_missed_and_comes_back(table: Any) -> None:
    desk = table("ruize-strip", None, ["no-answers"])
    assert [n for n in desk.settle(30) if isinstance(n, Silent)] == [Silent(address=1)]
    desk.sim.faults_on = frozenset()
    assert desk.settle(30) == [Silent(address=1, over=True), Alive(address=1)]


def test_babble_is_told_once_and_ends_with_an_answer() -> None:
    driver = Driver()
    assert driver.feed(b"\x7f" * 300) == [Garbled()]
    assert driver.feed(b"\x7f" * 300) == []
    driver.poll()
    driver.owed()
    assert driver.feed(b";") == [Garbled(over=True), Alive(address=1)]

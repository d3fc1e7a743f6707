"""Two-colour strips: the frame the maker's document prints, its two answers, and proof of life without a question."""

from __future__ import annotations

from typing import Any

import pytest

from devices.driver import OrderMistake
from devices.drivers.zhongyi_strip import Driver, Options, Simulator
from devices.roles import (
    Alive,
    Garbled,
    Obeyed,
    Refused,
    ShowCall,
    ShowPaused,
    ShowText,
    ShowWelcome,
    Silent,
    Unconfirmed,
)

H = bytes.fromhex
PLEASE_8 = H("A0 90 01 A5 00 05 C7 EB 00 38 01 B4")  # 请 in red, 8 in green
SHOWN_1, FAILED_1 = H("A0 90 01 A5 AA"), H("A0 90 01 A5 55")


def test_the_example_of_the_document() -> None:
    assert Driver().encode(ShowText(text="请8")) == PLEASE_8
    strip = Simulator()
    assert strip.receive(PLEASE_8) == SHOWN_1
    assert (strip.shown, strip.colours) == ({1: "请8"}, {1: "rg"})


def test_colours_are_chosen() -> None:
    red = Driver(Options(number_colour="red")).encode(ShowText(text="请8"))
    assert red == H("A0 90 01 A5 00 05 C7 EB 00 38 00 B5")
    yellow = Driver(Options(colour="yellow")).encode(ShowText(text="请8"))
    assert yellow == H("A0 90 01 A5 00 05 C7 EB 02 38 01 B6")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (SHOWN_1, Obeyed(order="ShowText", id="t")),
        (
            FAILED_1,
            Refused(order="ShowText", id="t", reason="the strip received the text and says that it could not show it"),
        ),
    ],
)
@pytest.mark.parametrize("before", [b"", b"\xa0\x90\x01", PLEASE_8], ids=["clean", "half a frame", "echo"])
def test_the_two_answers_of_the_document(answer: bytes, outcome: Any, before: bytes) -> None:
    for helpings in ([before + answer], [bytes((b,)) for b in before + answer], [before + answer + answer[:2]]):
        driver = Driver()
        driver.take(ShowText(text="请8", id="t"))
        assert driver.owed() == PLEASE_8
        assert [n for helping in helpings for n in driver.feed(helping)] == [Alive(address=1), outcome]
        assert driver.idle


def test_answers_that_do_not_count() -> None:
    driver = Driver(Options(addresses=(1, 2)))
    driver.take(ShowPaused())
    driver.owed()
    assert driver.feed(H("A0 90 07 A5 AA A0 90 00 A5 AA")) == []  # not ours
    assert driver.feed(H("A0 90 02 A5 AA")) == [Alive(address=2)]  # not the one that was told
    assert driver.feed(H("A0 90 01 A5 AB")) == []  # neither word of the document
    assert not driver.idle


def test_both_answers_at_once_the_first_counts() -> None:
    driver = Driver()
    driver.take(ShowPaused(id="p"))
    driver.owed()
    assert driver.feed(SHOWN_1 + FAILED_1 + SHOWN_1) == [Alive(address=1), Obeyed(order="ShowPaused", id="p")]


def test_a_lost_acknowledgement_is_made_good(table: Any) -> None:
    desk = table("zhongyi-strip", None, ["first-ack-lost"])
    assert Obeyed(order="ShowPaused", id="p") in desk.order(ShowPaused(id="p"))


@pytest.mark.parametrize("fault", ["no-acks", "dark", "wrong-address"])
def test_a_missing_acknowledgement_is_unknown(fault: str, table: Any) -> None:
    desk = table("zhongyi-strip", None, [fault])
    outcomes = [n for n in desk.order(ShowPaused(id="p")) if isinstance(n, Obeyed | Refused | Unconfirmed)]
    assert [(type(n), n.id) for n in outcomes] == [(Unconfirmed, "p")]


def test_a_strip_leaves_alone_what_is_meant_for_another_or_damaged() -> None:
    strip = Simulator(Options(addresses=(2,)))
    assert strip.receive(PLEASE_8) == b""
    one = Simulator()
    assert one.receive(PLEASE_8[:-1] + b"\xb5") == b""
    assert one.receive(H("A0 90 01 A6") + PLEASE_8) == SHOWN_1
    assert (strip.obeyed, one.obeyed) == ([], [ShowText(text="请8")])


def test_a_strip_that_cannot_show_it_has_not_shown_it(table: Any) -> None:
    desk = table("zhongyi-strip", None, ["cannot-show"])
    assert [type(n) for n in desk.order(ShowPaused())] == [Alive, Refused]
    assert desk.sim.shown == {}


def test_what_it_shows_is_told_again_and_proves_it_lives() -> None:
    driver, strip = Driver(), Simulator()
    driver.poll()
    assert driver.owed() == driver.encode(ShowWelcome())
    assert driver.feed(SHOWN_1) == [Alive(address=1)]
    call = ShowCall(number="A007", window=3)
    driver.take(call)
    strip.receive(driver.owed())
    driver.feed(SHOWN_1)
    strip.shown.clear()  # its power was gone
    driver.reset()
    driver.poll()
    strip.receive(driver.owed())
    assert strip.shown == {1: "请A007号到3号窗口"}


def test_an_order_waits_for_the_answer_to_what_was_told_again() -> None:
    driver = Driver()
    driver.poll()
    driver.owed()
    assert not driver.idle
    with pytest.raises(OrderMistake, match="busy"):
        driver.take(ShowPaused())
    driver.feed(SHOWN_1)
    assert driver.idle


def test_each_strip_is_missed_alone_and_told_once() -> None:
    driver, strips = Driver(Options(addresses=(1, 2))), Simulator()
    news = []
    for _ in range(10):
        driver.poll()
        news += driver.feed(strips.receive(driver.owed()))
        while driver.patience is not None:
            news += driver.silence()
    assert news == [Alive(address=1), Silent(address=2)]
    assert driver.feed(H("A0 90 02 A5 AA")) == [Silent(address=2, over=True), Alive(address=2)]


def test_babble_is_told_once_and_ends_with_an_answer() -> None:
    driver = Driver()
    assert driver.feed(H("A0 90 01 A5 56") * 100) == [Garbled()]
    assert driver.feed(b"\xa0" * 5000) == []
    assert driver.feed(SHOWN_1) == [Garbled(over=True), Alive(address=1)]

"""What is the same of all generic pads that can be told something: their orders, and the options those stand in."""

from __future__ import annotations

from typing import Any

import pytest
from pad_desk import cannot_be, made, refuses

from devices.roles import AskRating, Beep, KeyPressed, Order, PrintTest, ShowNumber, ShowStars

BYTES = {"show": "4E {number} {waiting}", "beep": "42", "ask": "52 51", "stars": "53 {stars}"}
TOLD = {
    "ascii-pad": {"show": "Q{number},{waiting}", "beep": "B", "ask": "R?", "stars": "S{stars}"},
    "framed-pad": BYTES,
    "polled-pad": BYTES,
}
FRAMED = ("framed-pad", "polled-pad")
NOTHING = {"show": "", "beep": "", "ask": "", "stars": ""}
ORDERS = ((ShowNumber(number="7"), "show"), (Beep(), "beep"), (AskRating(), "ask"), (ShowStars(stars=1), "stars"))


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (ShowNumber(waiting=-1), "negative"),
        (Beep(times=0), "1 to 9"),
        (Beep(times=10), "1 to 9"),
        (ShowStars(stars=6), "0 to 5"),
        (PrintTest(), "PrintTest"),
    ],
)
@pytest.mark.parametrize("name", TOLD)
def test_orders_that_fit_no_pad(name: str, order: Order, said: str) -> None:
    refuses(made(name, TOLD[name]), order, said)


@pytest.mark.parametrize(
    ("order", "said"), [(ShowNumber(number="ABC"), "shows digits"), (Beep(address=256), "0 to 255")]
)
@pytest.mark.parametrize("name", FRAMED)
def test_orders_that_fit_in_no_frame(name: str, order: Order, said: str) -> None:
    refuses(made(name, TOLD[name]), order, said)


@pytest.mark.parametrize("name", TOLD)
def test_an_order_nobody_knows_how_to_say_is_lacking(name: str) -> None:
    pad, able = made(name, NOTHING), made(name, TOLD[name])
    for order, option in ORDERS:
        assert f"option {option} is empty" in pad.lacks(type(order)) and able.lacks(type(order)) == ""
        refuses(pad, order, f"option {option} is empty")
    assert pad.lacks(KeyPressed) == "", "that is no order"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"addresses": []}, "addresses must name"),
        ({"addresses": [1, 256]}, "addresses"),
        ({"addresses": [1, 2], "frame": "02 {body} {xor} 03"}, "addresses: several pads on one cable need {address}"),
        ({"frame": "02"}, "frame: {body} must stand in it once"),
        ({"show": "4E {stars}"}, "show: there is no place {stars}"),
        ({"beep": "0"}, "beep: write bytes in hex"),
        ({"blank": "A"}, "blank: write one byte"),
        ({"blank": "020"}, "blank: write one byte"),
        ({"digits": 0}, "digits: must be at least 1"),
    ],
)
@pytest.mark.parametrize("name", FRAMED)
def test_options_that_cannot_be_are_said(name: str, options: dict[str, Any], sentence: str) -> None:
    cannot_be(name, options, sentence)

"""Foot pedals: one step is one piece of news, whichever key it presses and however long the foot stays."""

from __future__ import annotations

from typing import Any

import pytest
from evdev import ecodes
from kernel_keys import DROPPED, key

from devices.driver import OrderMistake
from devices.drivers.hid_pedal import Driver, Options, Simulator, learn
from devices.hid import names
from devices.options import parse_options
from devices.roles import Alive, Beep, Garbled, News, PedalPressed

DOWN, HELD, UP = key(48, 1), key(48, 2), key(48, 0)  # KEY_B
LEFT_DOWN, LEFT_UP = key(0x110, 1), key(0x110, 0)  # BTN_LEFT
STEP = PedalPressed(code="KEY_B")


def steps(said: list[News]) -> list[News]:
    return [news for news in said if isinstance(news, PedalPressed)]


def test_a_step_is_told_when_the_pedal_goes_down_and_once() -> None:
    pedal = Driver()
    assert pedal.feed(DOWN) == [Alive(), STEP]
    assert pedal.feed(HELD * 50) == []
    assert pedal.feed(UP) == []
    assert pedal.feed(DOWN + UP + DOWN + UP) == [STEP, STEP]


def test_a_contact_that_chatters_is_one_step() -> None:
    assert steps(Driver().feed(DOWN + DOWN + UP)) == [STEP]


def test_only_keys_that_are_pedals_count_and_each_has_its_number() -> None:
    pedals = Driver(Options({"KEY_B": 2, "CODE_272": 3}))
    assert steps(pedals.feed(DOWN + UP + LEFT_DOWN + LEFT_UP)) == [
        PedalPressed(pedal=2, code="KEY_B"),
        PedalPressed(pedal=3, code="CODE_272"),
    ]
    assert Driver(Options({"KEY_A": 1})).feed(DOWN + UP) == []


def test_after_lost_events_the_next_step_counts_though_nobody_saw_the_pedal_come_up() -> None:
    pedal = Driver()
    pedal.feed(DOWN)
    assert pedal.feed(DROPPED) == [Garbled()]
    assert pedal.feed(DROPPED) == []
    assert pedal.feed(DOWN) == [Garbled(over=True), STEP]


def test_half_an_event_is_forgotten_after_a_pause() -> None:
    pedal = Driver()
    assert pedal.patience is None
    assert pedal.silence() == []
    pedal.feed(DOWN[:11])
    assert pedal.patience == 0.1
    assert pedal.silence() == [Garbled()]
    assert steps(pedal.feed(DOWN)) == [STEP]


@pytest.mark.parametrize("size", [1, 5, 24, 47])
def test_steps_in_any_pieces_with_noise_before(size: int) -> None:
    typed, pedal, said = bytes(range(60)) + (DOWN + UP) * 2, Driver(), list[News]()
    for at in range(0, len(typed), size):
        said += pedal.feed(typed[at : at + size])
    assert steps(said) == [STEP, STEP]


def test_names_of_keys_are_the_kernels() -> None:
    """Against the table the evdev package has from the kernel's header."""
    theirs = {name: code for name, code in ecodes.ecodes.items() if name.startswith("KEY_")}
    assert len(names.CODES) == 193
    assert {name: theirs.get(name) for name in names.CODES} == names.CODES
    assert (names.CODES["KEY_ESC"], names.CODES["KEY_B"], names.CODES["KEY_KP0"], names.CODES["KEY_F24"]) == (
        1, 48, 82, 194,
    )  # fmt: skip
    assert [names.code_of(names.name_of(code)) for code in range(1, 768)] == list(range(1, 768))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"KEY_NONE": 1}, "keys: no key is called 'KEY_NONE'; write KEY_F1"),
        ({"CODE_768": 1}, "no key is called"),
        ({"CODE_²": 1}, "no key is called"),
        ({"KEY_B": 0}, "keys: KEY_B must be pedal 1 to 9, got 0"),
    ],
)
def test_a_wrong_option_names_its_place(keys: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Options(keys)


def test_options_come_from_words_too() -> None:
    assert parse_options("hid-pedal", ["keys=KEY_A:1,KEY_B:2"]) == Options({"KEY_A": 1, "KEY_B": 2})


def test_pedals_are_learned_from_two_steps_each() -> None:
    options = learn({"1": [DOWN + HELD + UP, DOWN + UP], "2": [LEFT_DOWN + LEFT_UP] * 2})
    assert options == {"keys": {"KEY_B": 1, "CODE_272": 2}}
    assert steps(Driver(Options(**options)).feed(LEFT_DOWN + LEFT_UP)) == [PedalPressed(pedal=2, code="CODE_272")]


@pytest.mark.parametrize(
    ("presses", "said"),
    [
        ({}, "nothing was recorded"),
        ({"left": [DOWN, DOWN]}, "there is no pedal 'left'; call them 1 to 9"),
        ({"1": [DOWN]}, "pedal 1 was pressed once only"),
        ({"1": [DOWN, b""]}, "pedal 1 was pressed and no key came"),
        ({"1": [DOWN, UP]}, "pedal 1 was pressed and no key came"),
        ({"1": [DOWN, LEFT_DOWN]}, "pedal 1 did not say the same each time"),
        ({"1": [DOWN, DOWN], "2": [DOWN, DOWN]}, "pedals 1 and 2 both press KEY_B and cannot be told apart"),
        ({"1": [b"\x01\x02", DOWN]}, "not what a keyboard says"),
        ({"1": [DOWN + b"\x01", DOWN]}, "not what a keyboard says"),
    ],
)
def test_what_cannot_be_learned_is_said_in_a_sentence(presses: dict[str, list[bytes]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        learn(presses)


def test_it_takes_no_orders() -> None:
    with pytest.raises(OrderMistake, match="a foot pedal has no order Beep"):
        Driver().take(Beep())
    assert Driver().owed() == b""


@pytest.mark.parametrize("fault", ["", "stuck", "chatter"])
def test_a_simulated_pedal_is_one_step_whatever_ails_it(fault: str, table: Any) -> None:
    desk = table("hid-pedal", {"keys": {"KEY_A": 1, "KEY_C": 2}}, [fault] if fault else [])
    desk.happen(PedalPressed(pedal=2))
    assert steps(desk.settle()) == [PedalPressed(pedal=2, code="KEY_C")]
    with pytest.raises(ValueError, match="there is no pedal 3; there are: 1, 2"):
        desk.happen(PedalPressed(pedal=3))


def test_nothing_else_happens_at_a_pedal() -> None:
    assert Simulator().receive(b"x") == b""
    with pytest.raises(ValueError, match="is only pressed"):
        Simulator().happen(Garbled())

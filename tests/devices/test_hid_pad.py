"""Pads that type or send reports: each press told once, by tables set up or learned from two presses of each key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kernel_keys import DROPPED, key, stroke

from devices.driver import OrderMistake
from devices.drivers.hid_pad import Driver, Options, Simulator, learn
from devices.hid.reports import Names
from devices.options import read_options
from devices.roles import Alive, AskRating, Beep, Garbled, Key, KeyPressed, News, PrintTest, Rated
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

H = bytes.fromhex
# KEY_F1 59, KEY_F2 60, KEY_KP1 79, KEY_KP5 76, KEY_5 6, KEY_ENTER 28.
F1_DOWN, F1_HELD, F1_UP = key(59, 1), key(59, 2), key(59, 0)
# Reports of a boot keyboard (HID 1.11, appendix B.1; usage tables, page 7): F1 is 3A, F2 3B, 1 on the number block 59,
# 5 there 5D, 1 above the letters 1E.
F1, F2, KP1, KP5, FIGURE1 = (
    H("00 00 3a 00 00 00 00 00"),
    H("00 00 3b 00 00 00 00 00"),
    H("00 00 59 00 00 00 00 00"),
    H("00 00 5d 00 00 00 00 00"),
    H("00 00 1e 00 00 00 00 00"),
)
NONE = bytes(8)
REPORTS = Options(source="reports")


def pressed(said: list[News]) -> list[object]:
    return [n.key.value if isinstance(n, KeyPressed) else n.grade for n in said if isinstance(n, KeyPressed | Rated)]


# ---- a pad that types ----------------------------------------------------------------------------------------


def test_a_key_is_told_once_however_long_it_is_held() -> None:
    pad = Driver()
    assert pad.feed(F1_DOWN) == [Alive(), KeyPressed(key=Key.CALL_NEXT, code="KEY_F1")]
    assert pad.feed(F1_HELD * 30 + F1_UP) == []
    assert pressed(pad.feed(F1_DOWN + F1_UP + F1_DOWN)) == ["call_next", "call_next"]


def test_as_it_comes_it_knows_function_keys_and_figures() -> None:
    assert pressed(Driver().feed(stroke(59, 60, 61, 62, 63, 64, 65, 66, 67))) == [
        "call_next", "recall", "evaluate", "give_up", "hold", "call_back", "pause", "transfer", "cancel",
    ]  # fmt: skip
    assert pressed(Driver().feed(stroke(79, 80, 81, 75, 76, 2, 3, 4, 5, 6))) == [5, 4, 3, 2, 1] * 2


def test_a_key_nobody_named_is_told_as_another_and_ignored_ones_are_not() -> None:
    assert Driver().feed(stroke(30))[-1] == KeyPressed(key=Key.OTHER, code="KEY_A")
    pad = Driver(Options(keys={"KEY_A": "call_next"}, grades={"KEY_B": 0}, ignored=("KEY_ENTER",)))
    assert pressed(pad.feed(stroke(30, 28, 48, 28))) == ["call_next", None]


def test_after_lost_events_every_key_counts_again() -> None:
    pad = Driver()
    pad.feed(F1_DOWN)
    assert pad.feed(DROPPED + DROPPED) == [Garbled()]
    assert pad.feed(F1_DOWN) == [Garbled(over=True), KeyPressed(key=Key.CALL_NEXT, code="KEY_F1")]


def test_half_an_event_is_forgotten_after_a_pause() -> None:
    pad = Driver()
    pad.feed(F1_DOWN[:9])
    assert pad.patience == 0.15
    assert pad.silence() == [Garbled()]
    assert pad.patience is None
    assert pressed(pad.feed(F1_DOWN)) == ["call_next"]


# ---- a pad that sends reports -----------------------------------------------------------------------------------


def test_reports_are_told_once_each_until_the_key_is_let_go() -> None:
    pad = Driver(REPORTS)
    assert pad.feed(F1) == [Alive(), KeyPressed(key=Key.CALL_NEXT, code="00003A0000000000")]
    assert pad.feed(F1 + F1 + NONE + NONE) == []
    assert pad.patience is None
    assert pressed(pad.feed(F1 + NONE + F2 + KP1 + NONE + KP5 + NONE + FIGURE1)) == ["call_next", "recall", 5, 1, 5]


@pytest.mark.parametrize("size", [1, 3, 8, 11])
def test_reports_in_any_pieces(size: int) -> None:
    sent, pad, said = F1 + NONE + KP5 + NONE, Driver(REPORTS), list[News]()
    for at in range(0, len(sent), size):
        said += pad.feed(sent[at : at + size])
    assert pressed(said) == ["call_next", 1]


def test_reports_nobody_knows_are_noise_and_a_pause_puts_the_next_one_right() -> None:
    pad = Driver(REPORTS)
    assert pad.feed(H("00 00 3a 3b 00 00 00 00") + H("ff ff ff")) == [Garbled()]
    assert pad.patience == 0.15
    assert pad.silence() == []
    assert pad.feed(F1) == [Garbled(over=True), Alive(), KeyPressed(key=Key.CALL_NEXT, code="00003A0000000000")]


def test_a_pad_that_never_says_it_was_let_go_has_let_go_when_it_is_quiet() -> None:
    pad = Driver(Options(source="reports", report=2, release="", grades={"01 ??": 5, "02:??": 1}, gap=0.2))
    assert pressed(pad.feed(H("01 07 01 08 01 09"))) == [5]
    assert pad.patience == 0.2
    pad.silence()
    assert pad.patience is None
    assert pressed(pad.feed(H("01 0a 02 0b"))) == [5, 1]


def test_a_changing_byte_does_not_matter_and_nothing_is_kept_of_it() -> None:
    names = Names(["01????", "02??00"])
    for counter in range(10_000):
        report = counter.to_bytes(2, "big")
        assert names.of(b"\x01" + report) == "01????"
    assert names.of(H("02 ff 00")) == "02??00"
    assert names.of(H("02 ff 01")) == ""
    assert len(names._known) <= 4096


# ---- options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"keys": {"F1": "call_next"}}, "keys: no key is called 'F1'"),
        ({"keys": {"KEY_F1": "lunch"}}, "KEY_F1 must be one of call_next"),
        ({"grades": {"KEY_F1": 6}}, "must be a grade from 5 to 1"),
        ({"keys": {"KEY_F1": "recall"}, "grades": {"KEY_F1": 5}}, "KEY_F1"),
        ({"ignored": ("ENTER",)}, "ignored: no key is called 'ENTER'"),
        ({"source": "reports", "keys": {"KEY_F1": "recall"}}, "keys: write the bytes of a report in hex"),
        ({"source": "reports", "keys": {"0102": "recall"}}, "keys: 0102 has 2 bytes, and reports of this device"),
        ({"source": "reports", "release": "00"}, "release: 00 has 1 bytes"),
        ({"source": "reports", "report": 1, "release": "00", "keys": {"01": "recall"}, "grades": {"??": 5}},
         "a report could be both 01 and"),
        ({"source": "reports", "report": 1, "release": "01", "keys": {"01": "recall"}}, "could be both 01 and 01"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_told_in_a_sentence(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        Options(**options)


def test_the_tables_say_what_the_pad_is_for() -> None:
    assert [role.name for role in Driver().roles] == ["call-pad", "evaluator"]
    assert [role.name for role in Driver(Options(keys={"KEY_A": "recall"})).roles] == ["call-pad"]
    assert [role.name for role in Driver(Options(grades={"KEY_A": 5})).roles] == ["evaluator"]


def test_there_is_nothing_it_can_be_told() -> None:
    with pytest.raises(OrderMistake, match="it only has keys"):
        Driver().take(AskRating())
    with pytest.raises(OrderMistake, match="does not know the order PrintTest"):
        Driver().encode(PrintTest())
    assert Driver().owed() == b""


# ---- learning --------------------------------------------------------------------------------------------------


def test_a_pad_that_types_is_learned() -> None:
    options = learn({"call_next": [stroke(30), stroke(30)], "5": [stroke(79)] * 2, "0": [stroke(80)] * 3})
    assert options == {
        "source": "keys", "keys": {"KEY_A": "call_next"}, "grades": {"KEY_KP1": 5, "KEY_KP2": 0}, "ignored": [],
    }  # fmt: skip
    assert pressed(Driver(read_options("hid-pad", options)).feed(stroke(79, 30, 80))) == [5, "call_next", None]


def test_what_all_keys_type_along_is_ignored() -> None:
    """Figures with Enter, and letters with the shift key before them."""
    options = learn({"5": [stroke(79, 28)] * 2, "1": [stroke(76, 28)] * 2, "recall": [stroke(42, 30, 28)] * 2})
    assert options["grades"] == {"KEY_KP1": 5, "KEY_KP5": 1}
    assert (options["keys"], options["ignored"]) == ({"KEY_A": "recall"}, ["KEY_ENTER", "KEY_LEFTSHIFT"])
    pad = Driver(read_options("hid-pad", options))
    assert pressed(pad.feed(stroke(42, 30, 28, 79, 28, 76, 28))) == ["recall", 5, 1]


def test_a_pad_that_sends_reports_is_learned() -> None:
    options = learn({"call_next": [F1 + NONE, F1 + F1 + NONE], "5": [KP1 + NONE] * 2, "1": [KP5 + NONE] * 2})
    assert options == {
        "source": "reports", "report": 8, "release": "0000000000000000", "keys": {"00003A0000000000": "call_next"},
        "grades": {"0000590000000000": 5, "00005D0000000000": 1},
    }  # fmt: skip
    assert pressed(Driver(read_options("hid-pad", options)).feed(KP5 + NONE + F1 + NONE)) == [1, "call_next"]


def test_a_pad_whose_presses_are_all_two_reports_long_is_learned() -> None:
    options = learn({"5": [KP1 + NONE] * 2, "1": [KP5 + NONE] * 2})
    assert (options["report"], options["release"]) == (8, "00" * 8)


def test_a_counter_in_the_reports_is_learned_to_be_one() -> None:
    options = learn({"5": [H("a0 01 05"), H("a0 02 05")], "1": [H("a0 03 09"), H("a0 04 09")]})
    assert options == {
        "source": "reports", "report": 3, "release": "", "keys": {}, "grades": {"A0??05": 5, "A0??09": 1},
    }  # fmt: skip
    assert pressed(Driver(read_options("hid-pad", options)).feed(H("a0 77 09"))) == [1]


@pytest.mark.parametrize(
    ("presses", "said"),
    [
        ({}, "nothing was recorded"),
        ({"lunch": [F1, F1]}, "there is no key 'lunch'; there are: call_next"),
        ({"recall": [F1]}, "recall was pressed once only"),
        ({"recall": [F1, b""]}, "recall was pressed and nothing came"),
        ({"recall": [F1_UP, F1_UP]}, "recall was pressed and no key came"),
        ({"recall": [stroke(30), stroke(31)]}, "recall did not say the same each time"),
        ({"5": [stroke(30)] * 2, "4": [stroke(30)] * 2}, "5 and 4 cannot be told apart: both type KEY_A"),
        ({"5": [F1 + NONE] * 2, "4": [F1 + NONE] * 2}, "5 and 4 cannot be told apart: both send 00003A0000000000"),
        ({"5": [b"\x01\x01", b"\x02\x02"], "4": [b"\x07\x08"] * 2}, "5 did not say the same each time"),
        ({"5": [F1 + F2 + NONE] * 2, "4": [KP1 + NONE] * 2}, "5 sent reports that differ in one press"),
        ({"5": [bytes(range(250)) * 8] * 2}, "a press sent 2000 bytes, more than any report has"),
    ],
)
def test_what_cannot_be_learned_is_said_in_a_sentence(presses: dict[str, list[bytes]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        learn(presses)


# ---- the simulated pad, and the whole way --------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["keys", "reports"])
@pytest.mark.parametrize("fault", ["", "holds", "never-up"])
def test_a_simulated_pad_is_pressed_once_whatever_ails_it(source: str, fault: str, table: Any) -> None:
    desk = table("hid-pad", {"source": source}, [fault] if fault else [])
    desk.happen(Rated(grade=4))
    desk.happen(KeyPressed(key=Key.PAUSE))
    assert pressed(desk.settle()) == [4, "pause"]


def test_nothing_else_happens_at_a_pad() -> None:
    assert Simulator().receive(b"x") == b""
    with pytest.raises(ValueError, match="only has keys"):
        Simulator().happen(Garbled())
    with pytest.raises(ValueError, match="no key of this pad means one_metre"):
        Simulator().happen(KeyPressed(key=Key.ONE_METRE))


@pytest.mark.parametrize(("source", "scheme"), [("keys", "evdev"), ("reports", "hidraw")])
def test_presses_come_all_the_way_from_either_link(
    source: str, scheme: str, pty_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    options = {"source": source}
    pad = closing(SimulatedDevice("hid-pad", options).on_pty(pty_path))
    station = closing(Station([DeviceEntry("pad", "hid-pad", f"{scheme}://{pty_path}", options)], diary))
    until(lambda: station.state("pad").counters.get("opened"))
    pad.happen(KeyPressed(key=Key.CALL_NEXT))
    pad.happen(Rated(grade=2))
    until(lambda: diary.of(Rated))
    assert pressed(diary.of()) == ["call_next", 2]
    assert station.send("pad", Beep()).result(5).reason

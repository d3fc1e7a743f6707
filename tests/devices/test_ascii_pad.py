"""The generic pad whose keys are text: bytes written down by hand, as such pads' leaflets show them."""

from __future__ import annotations

from typing import Any

import pytest
from pad_desk import cannot_be, made, never_happens, owed, refuses

from devices.drivers.ascii_pad import Driver, Options, Simulator, learn
from devices.options import parse_options, read_options
from devices.pads.keys import RATINGS
from devices.roles import (
    CALL_PAD,
    EVALUATOR,
    Alive,
    AskRating,
    Beep,
    Garbled,
    Key,
    KeyPressed,
    News,
    Order,
    Rated,
    Refused,
    ShowNumber,
    ShowStars,
    Unconfirmed,
)

ALIVE = Alive(detail="it has spoken")
CALL = KeyPressed(key=Key.CALL_NEXT, code="4e")
TOLD: dict[str, Any] = {"show": "Q{number},{waiting}", "beep": "B", "ask": "R?", "stars": "S{stars}"}


def of(**options: Any) -> Driver:
    return made("ascii-pad", options)


def test_keys_and_ratings_as_they_come() -> None:
    pad = Driver()
    assert pad.roles == (CALL_PAD, EVALUATOR)
    assert pad.feed(b"N\r5\r") == [ALIVE, CALL, Rated(grade=1, code="35")]
    assert pad.feed(b"1\r\nN\n\r") == [Rated(grade=5, code="31"), CALL], "whatever ends the line"
    assert owed(pad) == []


@pytest.mark.parametrize("preset", RATINGS)
def test_rating_digits_mean_what_the_installer_chose(preset: str) -> None:
    for code, grade in RATINGS[preset].items():
        assert of(ratings=preset).feed(b"%d\r" % code)[1:] == [Rated(grade=grade or None, code=f"3{code}")]


def test_a_table_of_its_own_goes_before_the_digits() -> None:
    pad = of(grades={"1": 3, "GOOD": 5}, keys={})
    assert pad.roles == (EVALUATOR,)
    assert pad.feed(b"GOOD\r1\r")[1:] == [Rated(grade=5, code="474f4f44"), Rated(grade=3, code="31")]
    assert of(ratings="none").roles == (CALL_PAD,)


def test_a_key_nobody_named_is_told_as_such_but_not_on_a_shared_line() -> None:
    pad = of(answer="OK")
    assert pad.feed(b"F7\r")[1:] == [KeyPressed(key=Key.OTHER, code="4637")]
    assert owed(pad) == []
    pad.shared = True
    assert pad.feed(b"F7\rN\r") == [CALL]


def test_without_an_end_of_line_a_pause_ends_a_key() -> None:
    pad = of(end="none")
    assert pad.feed(b"N") == [] and pad.patience == 0.1
    assert pad.silence() == [ALIVE, CALL] and pad.patience is None
    assert pad.feed(b"15") == []
    assert pad.silence() == [Rated(grade=5, code="31"), Rated(grade=1, code="35")]
    assert pad.feed(b"1x") == []
    assert pad.silence() == [KeyPressed(key=Key.OTHER, code="3178")], "it is not all keys, so it is none of them"


def test_noise_is_told_once_and_nothing_counts_until_it_is_quiet() -> None:
    pad = Driver()
    assert pad.feed(b"\x00\xfe\r5\r\x01\rN\r") == [Garbled()]
    assert pad.patience == 0.1
    assert pad.silence() == [] and pad.patience is None
    assert pad.feed(b"N\r") == [ALIVE, Garbled(over=True), CALL]
    assert pad.feed(b"x" * 65) == [Garbled()]
    assert pad.feed(b"x" * 65) == []
    pad.silence()
    assert pad.feed(b"5") == [] and pad.silence() == [], "half a line"
    assert pad.feed(b"N\r")[-1] == CALL


def test_answers() -> None:
    pad = of(answer="OK {key}", end="crlf")
    assert pad.feed(b"N\r\n") == [ALIVE, CALL]
    assert not pad.idle
    assert owed(pad) == [b"OK N\r\n"]
    assert pad.idle and pad.patience == 0.1


def test_what_an_adapter_returns_is_no_key() -> None:
    pad = of(answer="{key}", **TOLD)
    assert pad.feed(b"N\r") == [ALIVE, CALL]
    assert pad.feed(b"".join(owed(pad))) == [] and owed(pad) == []
    pad.take(AskRating())
    assert pad.feed(b"".join(owed(pad))) == []
    pad.silence()
    assert pad.feed(b"N\r") == [CALL]


def test_repeats_are_one_press_where_the_pad_repeats() -> None:
    assert Driver().feed(b"N\rN\r") == [ALIVE, CALL, CALL]
    pad = of(repeat_seconds=0.3)
    assert pad.feed(b"N\rN\r") == [ALIVE, CALL]
    assert pad.patience == 0.3
    pad.silence()
    assert pad.feed(b"N\r") == [CALL]


@pytest.mark.parametrize(
    ("order", "line"),
    [
        (ShowNumber(number="A042", waiting=3), b"QA042,3\r"),
        (ShowNumber(number="A042"), b"QA042,\r"),
        (ShowNumber(waiting=0), b"Q,0\r"),
        (Beep(times=2), b"B\rB\r"),
        (AskRating(), b"R?\r"),
        (ShowStars(stars=4), b"S4\r"),
    ],
)
def test_orders(order: Order, line: bytes, table: Any) -> None:
    desk = table("ascii-pad", TOLD)
    assert desk.driver.encode(order) == line
    assert [type(n) for n in desk.order(order)] == [Unconfirmed]
    assert desk.obeyed == ([Beep(), Beep()] if isinstance(order, Beep) else [order])


def test_a_number_of_other_signs_is_refused() -> None:
    refuses(of(**TOLD), ShowNumber(number="甲7"), "letters and digits")


def test_the_cable_goes() -> None:
    pad = of(**TOLD)
    assert pad.lost() == []
    pad.take(Beep(id="1"))
    assert isinstance(pad.lost()[0], Refused)
    pad.take(Beep(id="2"))
    pad.owed()
    assert pad.patience == 0.1
    assert isinstance(pad.lost()[0], Unconfirmed)
    pad.feed(b"5")
    pad.reset()
    assert pad.feed(b"\r") == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"end": "tab"}, "end: expected one of cr, lf, crlf, none"),
        ({"keys": {"N": "dance"}}, "keys: N must be one of"),
        ({"keys": {"": "recall"}}, "keys: a key is 1 to 16 ASCII characters"),
        ({"keys": {"N\r": "recall"}}, "keys: a key is 1 to 16"),
        ({"keys": {"甲": "recall"}}, "keys: a key is 1 to 16"),
        ({"keys": {"5": "recall"}}, "5 has a grade already"),
        ({"grades": {"x": 6}}, "grades: x must be a grade"),
        ({"keys": {}, "ratings": "none"}, "both empty"),
        ({"answer": "好"}, "answer: may hold ASCII"),
        ({"ask": "请评价"}, "ask: may hold ASCII"),
        ({"show": "{stars}"}, "show: there is no place {stars}; there are: {number}, {waiting}"),
        ({"beep": "{times}"}, "there are: none"),
    ],
)
def test_options_that_cannot_be_are_said(options: dict[str, Any], sentence: str) -> None:
    cannot_be("ascii-pad", options, sentence)


def test_options_from_the_command_line() -> None:
    given = parse_options("ascii-pad", ["end=none", "keys=A:call_next", "ratings=police"])
    assert given == Options(end="none", keys={"A": "call_next"}, ratings="police")


# ---- the simulator


def test_what_happens_at_a_pad_and_what_it_is_answered() -> None:
    options = read_options("ascii-pad", {"answer": "OK"})
    sim = Simulator(options)
    assert sim.happen(KeyPressed(key=Key.RECALL)) == b"R\r"
    assert sim.happen(KeyPressed(key=Key.OTHER, code="4637")) == b"F7\r"
    assert sim.happen(Rated(grade=2)) == b"4\r"
    assert sim.receive(b"OK") == b"" and sim.receive(b"\r") == b"" and sim.answered == [b"OK"]
    never_happens(sim, Rated(grade=None))
    bare = Simulator(read_options("ascii-pad", {"end": "none", **TOLD}))
    assert bare.happen(Rated(grade=5)) == b"1"
    bare.receive(b"R?")
    assert bare.obeyed == [AskRating()]


@pytest.mark.parametrize(("fault", "presses"), [("holds", 1), ("half", 0)])
def test_a_pad_that_misbehaves_presses_nothing_twice(fault: str, presses: int) -> None:
    options = read_options("ascii-pad", {"repeat_seconds": 0.3})
    pad, sim = Driver(options), Simulator(options, frozenset({fault}))
    news: list[News] = pad.feed(sim.happen(KeyPressed(key=Key.CALL_NEXT))) + pad.silence()
    assert len([n for n in news if n == CALL]) == presses


# ---- learning


@pytest.mark.parametrize(
    ("presses", "options"),
    [
        (
            {"call_next": [b"N\r"] * 2, "recall": [b"R\r", b"R\rR\r"], "5": [b"1\r"] * 3, "0": [b"0\r"] * 2},
            {
                "end": "cr",
                "ratings": "none",
                "keys": {"N": "call_next", "R": "recall"},
                "grades": {"1": 5, "0": 0},
            },
        ),
        (
            {"5": [b"A"] * 2, "1": [b"E"] * 2},
            {"end": "none", "ratings": "none", "keys": {}, "grades": {"A": 5, "E": 1}},
        ),
        (
            {"pause": [b"KEY 1\r\n"] * 2, "call_next": [b"KEY 2\r\n"] * 2},
            {"end": "crlf", "ratings": "none", "keys": {"KEY 1": "pause", "KEY 2": "call_next"}, "grades": {}},
        ),
    ],
)
def test_keys_are_learned(presses: dict[str, list[bytes]], options: dict[str, Any]) -> None:
    assert learn(presses) == options
    for name, sent in presses.items():
        pad = of(**options)
        [_, news] = pad.feed(sent[0]) or pad.silence()
        assert name in (getattr(news, "key", ""), str(getattr(news, "grade", "") or 0))


@pytest.mark.parametrize(
    ("presses", "sentence"),
    [
        ({}, "nothing was recorded"),
        ({"recall": [b"R\r"]}, "pressed once only"),
        ({"recall": [b"\xff\x68"] * 2}, "no text; learn them as framed-pad"),
        ({"recall": [b"R1\r", b"R2\r"]}, "something else each time"),
        ({"recall": [b"R\rX\r"] * 2}, "more than one line"),
        ({"recall": [b"R\r"] * 2, "5": [b"5"] * 2}, "another end of line"),
        ({"recall": [b"\r"] * 2}, "sends 0 characters"),
        ({"recall": [b"R\r"] * 2, "5": [b"R\r"] * 2}, "recall and 5 send the same text \\('R'\\)"),
    ],
)
def test_presses_that_teach_nothing(presses: dict[str, list[bytes]], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        learn(presses)

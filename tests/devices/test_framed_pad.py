"""The generic framed pad, set up as the bus of a deployed hall system, and learning frames from recorded presses."""

from __future__ import annotations

from typing import Any

import pytest
from pad_desk import (
    ALIVE_3,
    ASK_5,
    BEEP_3,
    CALL_3,
    RATED_1_5,
    RATED_1_5_ANSWER,
    SHOW_042_3,
    cannot_be,
    made,
    never_happens,
    owed,
)

from devices.drivers.framed_pad import Driver, Options, Simulator, learn
from devices.options import parse_options, read_options
from devices.pads.checks import CHECKS
from devices.roles import (
    CALL_PAD,
    EVALUATOR,
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

H = bytes.fromhex
BUS: dict[str, Any] = {
    "addresses": [3, 5],
    "answer": "same",
    "grade_answer": "01 {rest}",
    "show": "02 {waiting} {number}",
    "beep": "03",
    "ask": "01 0B",
    "stars": "02 {stars}",
}
CALL = KeyPressed(address=3, key=Key.CALL_NEXT, code="010c")


def of(**options: Any) -> Driver:
    return made("framed-pad", options)


@pytest.fixture
def bus() -> Driver:
    return of(**BUS)


# ---- the bus of the document


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (ShowNumber(number="042", address=3), SHOW_042_3),
        (ShowNumber(number="A042"), SHOW_042_3),
        (Beep(address=3), BEEP_3),
        (Beep(times=2), BEEP_3 * 2),
        (AskRating(address=5), ASK_5),
        (ShowStars(stars=5, address=3), H("FF68030368 030205 0A16")),
    ],
)
def test_orders(bus: Driver, order: Order, expected: bytes) -> None:
    assert bus.encode(order) == expected


def test_the_call_key_is_told_and_answered_with_itself(bus: Driver) -> None:
    assert bus.feed(CALL_3) == [ALIVE_3, CALL]
    assert not bus.idle
    assert owed(bus) == [CALL_3]
    assert bus.idle


def test_a_rating_is_answered_as_function_01(bus: Driver) -> None:
    assert bus.feed(RATED_1_5)[1:] == [Rated(address=5, grade=5, code="1101")]
    assert owed(bus) == [RATED_1_5_ANSWER]


def test_a_key_nobody_named_is_told_as_such(bus: Driver) -> None:
    assert bus.feed(H("FF68030368 030177 7B16"))[1:] == [KeyPressed(address=3, key=Key.OTHER, code="0177")]


def test_pieces_noise_and_the_next_frame_behind(bus: Driver) -> None:
    news: list[News] = []
    for byte in b"\xff\x68\x03\x04" + CALL_3 + H("FF6808") + RATED_1_5:
        news += bus.feed(bytes((byte,)))
    assert news == [ALIVE_3, CALL, Rated(address=5, grade=5, code="1101")]


@pytest.mark.parametrize(
    "wrong",
    [
        H("FF68030368 03010C 1116"),  # sum
        H("FF68030368 03010C 1017"),  # end
        H("FF68030468 03010C 1016"),  # lengths differ
    ],
)
def test_what_is_no_frame_is_neither_told_nor_answered(bus: Driver, wrong: bytes) -> None:
    assert bus.feed(wrong) == [] and owed(bus) == []
    assert bus.feed(CALL_3)[-1:] == [CALL]


def test_half_a_frame_and_then_quiet_is_forgotten(bus: Driver) -> None:
    assert bus.feed(CALL_3[:6]) == [] and bus.patience == 0.5
    assert bus.silence() == [] and bus.patience is None
    assert bus.feed(CALL_3[6:]) == []


def test_a_repeat_is_answered_again_but_told_once(bus: Driver) -> None:
    assert bus.feed(CALL_3) == [ALIVE_3, CALL]
    assert owed(bus) == [CALL_3]
    assert bus.feed(CALL_3 * 2) == [] and owed(bus) == [CALL_3]
    assert bus.silence() == []
    assert bus.feed(CALL_3) == [CALL]


def test_an_echo_does_not_go_on_for_ever(bus: Driver) -> None:
    bus.feed(CALL_3)
    rounds = 0
    while sent := owed(bus):
        rounds += 1
        assert bus.feed(b"".join(sent)) == []
    assert rounds <= 6


def test_where_nothing_repeats_itself_each_frame_is_a_press() -> None:
    pad = of(addresses=[3], repeat_seconds=0)
    assert pad.feed(CALL_3 * 2)[1:] == [CALL, CALL]


def test_on_a_shared_line_frames_of_other_addresses_are_others(bus: Driver) -> None:
    bus.shared = True
    assert bus.feed(H("FF68030368 09010C 1616")) == [] and owed(bus) == []
    assert bus.feed(CALL_3)[-1:] == [CALL]


def test_no_order_can_be_confirmed(bus: Driver) -> None:
    assert bus.answers is False
    bus.take(Beep(id="b", address=3, times=2))
    assert not bus.idle and bus.patience is None
    bus.feed(CALL_3)
    assert owed(bus) == [CALL_3, BEEP_3, BEEP_3], "a pad is waiting for its answer"
    assert bus.patience == 0.1
    [outcome] = bus.silence()
    assert isinstance(outcome, Unconfirmed) and (outcome.id, outcome.order, outcome.address) == ("b", "Beep", 3)
    assert bus.idle


def test_the_cable_goes(bus: Driver) -> None:
    assert bus.lost() == []
    bus.take(Beep(id="1"))
    assert isinstance(bus.lost()[0], Refused)
    bus.take(Beep(id="2"))
    bus.owed()
    assert isinstance(bus.lost()[0], Unconfirmed)


def test_a_babbling_line_is_told_once_and_its_end_once(bus: Driver) -> None:
    bus.take(Beep(id="1"))
    owed(bus)
    news = [one for _ in range(100) for one in bus.feed(b"\xff\x68\x03\x03\x00 babble" * 100)]
    assert news[0] == Garbled() and isinstance(news[1], Unconfirmed) and len(news) == 2
    assert bus.feed(CALL_3) == [ALIVE_3, CALL], "a key gets through, but the line still babbles"
    owed(bus)
    bus.silence()
    assert bus.feed(CALL_3) == [Garbled(over=True), CALL]


# ---- other frames


@pytest.mark.parametrize(
    ("name", "data", "value"),
    [
        ("sum", "03 01 0C", "10"),
        ("xor", "01 02 04", "07"),
        ("lrc", "01 02 03", "FA"),
        ("crc16", "01 03 00 00 00 0A", "C5 CD"),  # the example of every Modbus primer
        ("crc16", "31 32 33 34 35 36 37 38 39", "37 4B"),  # the check of the CRC catalogue
        ("ccitt", "31 32 33 34 35 36 37 38 39", "31 C3"),
    ],
)
def test_check_values(name: str, data: str, value: str) -> None:
    size, work_out = CHECKS[name]
    assert work_out(H(data)) == H(value) and size == len(H(value))


@pytest.mark.parametrize(
    ("frame", "key", "said"),
    [
        ("( AA {address} {body} ) {xor}", "11", "AA 01 11 BA"),
        ("AA {address} {body} {xor} 55", "11", "AA 01 11 10 55"),
        ("02 {body} 03", "41", "02 41 03"),
        ("{address} {body} {crc16}", "03 00 00 00 0A", "01 03 00 00 00 0A C5 CD"),
        ("( AA {length+2} {body} ) {lrc}", "30 31", "AA 04 30 31 F1"),
        ("5A ?? {body} A5", "07", "5A 99 07 A5"),
        ("{body}", "B1 ?? 4F", "B1 77 4F"),
    ],
)
def test_any_frame_a_manual_describes(frame: str, key: str, said: str) -> None:
    pad = of(frame=frame, keys={key: "recall"}, grades={})
    assert pad.roles == (CALL_PAD,)
    noise = b"\x00\x13"
    assert [n.key for n in pad.feed(noise + H(said)) if isinstance(n, KeyPressed)] == [Key.RECALL]
    spoilt = bytearray(H(said))
    spoilt[-1] ^= 1
    pad.silence()
    assert [n for n in pad.feed(bytes(spoilt)) if isinstance(n, KeyPressed)] == []


def test_the_tables_decide_what_it_is_for() -> None:
    assert of(keys={}).roles == (EVALUATOR,)
    assert Driver().roles == (CALL_PAD, EVALUATOR)


def test_numbers_in_characters_with_another_blank() -> None:
    pad = of(
        show="4E {number} 57 {waiting}", digits=4, digits_as="ascii", blank="20", frame="02 {body} 03", stars="{stars}"
    )
    assert pad.encode(ShowNumber(number="A042")) == b"\x02N0042W    \x03"
    assert pad.encode(ShowNumber(waiting=12345)) == b"\x02N    W9999\x03"
    assert pad.encode(ShowStars(stars=4)) == b"\x024\x03"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"frame": "FF {sum}"}, "frame: {body} must stand in it once"),
        ({"frame": "FF {body} {body}"}, "must stand in it once"),
        ({"frame": "{address} {address} {body}"}, "{address} may stand in it once"),
        ({"frame": "F {body}"}, "frame: at 'F {body}'"),
        ({"frame": "FF {body} {md5}"}, "there is no part {md5}"),
        ({"frame": "FF {body+1}"}, r"there is no part {body\+1}"),
        ({"frame": "FF {body} {sum} {xor}"}, "one check value"),
        ({"frame": "FF {sum} {body}"}, "behind {body}"),
        ({"frame": "( FF {body} 16"}, "one pair of brackets"),
        ({"frame": "( FF {body} )"}, "there is none"),
        ({"frame": "FF ( {body} {sum} )"}, "closed before"),
        ({"frame": "00 " * 80 + "{body}"}, "more than 64 parts"),
        ({"keys": {"0C": "dance"}}, "keys: 0C must be one of"),
        ({"keys": {"C": "recall"}}, "keys: write 1 to 24 bytes in hex"),
        ({"keys": {"0c": "recall", "0 C": "recall"}}, "stands in it twice"),
        ({"keys": {"11 01": "recall"}}, "has a grade already"),
        ({"grades": {"11": 6}}, "grades: 11 must be a grade"),
        ({"keys": {}, "grades": {}}, "both empty"),
        ({"answer": "echo"}, "answer: write same"),
    ],
)
def test_options_that_cannot_be_are_said(options: dict[str, Any], sentence: str) -> None:
    cannot_be("framed-pad", options, sentence)


def test_options_from_the_command_line() -> None:
    given = parse_options("framed-pad", ["frame=02 {body} 03", "keys=41:call_next,42:recall", "grades=31:5"])
    assert given == Options(frame="02 {body} 03", keys={"41": "call_next", "42": "recall"}, grades={"31": 5})


# ---- the simulator


@pytest.mark.parametrize(
    "order",
    [
        ShowNumber(number="042", waiting=7, address=3),
        ShowNumber(number="042", address=5),
        Beep(address=3),
        AskRating(address=5),
        ShowStars(stars=4, address=3),
    ],
)
def test_the_simulator_does_what_it_is_told(order: Order, table: Any) -> None:
    desk = table("framed-pad", BUS)
    assert [type(n) for n in desk.order(order)] == [Unconfirmed]
    assert desk.obeyed == [order]


def test_what_happens_at_a_pad_is_the_documents_frame() -> None:
    pads = Simulator(read_options("framed-pad", BUS))
    assert pads.happen(KeyPressed(key=Key.CALL_NEXT, address=3)) == CALL_3
    assert pads.happen(Rated(grade=5, address=5)) == RATED_1_5
    assert pads.receive(CALL_3 + RATED_1_5_ANSWER) == b"" and pads.obeyed == []
    assert not any(pads.tick() for _ in range(20)), "both were answered"
    never_happens(pads, Rated(grade=None))


@pytest.mark.parametrize("fault", ["deaf", "wrong-checksum"])
def test_a_press_is_told_once_whatever_is_lost(fault: str) -> None:
    options = read_options("framed-pad", BUS)
    bus, pads = Driver(options), Simulator(options, frozenset({fault}))
    news: list[News] = []
    said = pads.happen(KeyPressed(key=Key.CALL_NEXT, address=3))
    for _ in range(20):
        news += bus.feed(said)
        for sent in owed(bus):
            pads.receive(sent)
        said = pads.tick()
    assert news == [ALIVE_3, CALL]


# ---- learning


def learned(presses: dict[str, list[str]]) -> tuple[dict[str, Any], Driver]:
    """What was learned, and a driver set up with it that has heard nothing yet."""
    options = learn({name: [H(one) for one in sent] for name, sent in presses.items()})
    return options, of(**options)


def test_the_bus_of_the_document_is_learned_from_its_frames() -> None:
    options, pad = learned(
        {
            "call_next": ["FF68030368 03010C 1016"] * 2,
            "recall": ["FF68030368 03010D 1116"] * 2,
            "5": ["FF68030368 031101 1516"] * 2,
            "1": ["FF68030368 031105 1916"] * 2,
        }
    )
    assert options == {
        "frame": "FF 68 {length} {length} 68 {address} {body} {sum} 16",
        "keys": {"010C": "call_next", "010D": "recall"},
        "grades": {"1101": 5, "1105": 1},
        "addresses": [3],
    }
    assert pad.feed(H("FF68030368 07010C 1416"))[1:] == [KeyPressed(address=7, key=Key.CALL_NEXT, code="010c")]


@pytest.mark.parametrize(
    ("presses", "frame", "keys"),
    [
        (  # address and XOR over everything
            {"call_next": ["AA 01 11 BA"] * 2, "recall": ["AA 01 12 B9"] * 2, "pause": ["AA 01 14 BF"] * 2},
            "( AA 01 {body} ) {xor}",
            {"11": "call_next", "12": "recall", "14": "pause"},
        ),
        (  # Modbus
            {"call_next": ["01 03 00 00 00 0A C5 CD"] * 2, "recall": ["01 03 00 00 00 01 84 0A"] * 2},
            "( 01 03 00 00 00 {body} ) {crc16}",
            {"0A": "call_next", "01": "recall"},
        ),
        (  # a length that differs
            {"call_next": ["7E 01 41 41 0D"] * 2, "recall": ["7E 02 42 43 85 0D"] * 2},
            "7E {length} {body} {sum} 0D",
            {"41": "call_next", "4243": "recall"},
        ),
        (  # no check value, a fixed beginning and end
            {"call_next": ["02 41 03"] * 2, "recall": ["02 42 03"] * 2},
            "02 {body} 03",
            {"41": "call_next", "42": "recall"},
        ),
        (  # a counter in the body
            {"call_next": ["5A A5 01 11", "5A A5 02 11"], "recall": ["5A A5 03 12", "5A A5 04 12"]},
            "5A A5 {body}",
            {"??11": "call_next", "??12": "recall"},
        ),
        (  # no structure at all
            {"call_next": ["31 07 99"] * 2, "recall": ["55 20"] * 2},
            "{body}",
            {"310799": "call_next", "5520": "recall"},
        ),
        ({"evaluate": ["31 07 99"] * 3}, "{body}", {"310799": "evaluate"}),
        ({"evaluate": ["31 07 99" * 3, "31 07 99" * 2]}, "{body}", {"310799": "evaluate"}),
    ],
)
def test_frames_are_learned(presses: dict[str, list[str]], frame: str, keys: dict[str, str]) -> None:
    options, pad = learned(presses)
    assert (options["frame"], options["keys"], options["grades"]) == (frame, keys, {})
    for name, sent in presses.items():
        pad.reset()
        assert [n.key for n in pad.feed(H(sent[0])) if isinstance(n, KeyPressed)] == [name]


@pytest.mark.parametrize(
    ("presses", "sentence"),
    [
        ({}, "nothing was recorded"),
        ({"dance": ["01", "01"]}, "there is no key 'dance'"),
        ({"recall": ["01"]}, "recall was pressed once only"),
        ({"recall": ["01", ""]}, "nothing came"),
        ({"recall": ["01" * 65, "01" * 65]}, "more than 64 bytes"),
        ({"recall": ["01 02", "01 02 03"]}, "another number of bytes each time"),
        ({"recall": ["01 02"] * 2, "5": ["01 02"] * 2}, r"recall and 5 send the same bytes \(01 02\)"),
        ({"recall": ["01 02", "05 06"], "5": ["03 04", "07 08"]}, "cannot be told apart"),
    ],
)
def test_presses_that_teach_nothing(presses: dict[str, list[str]], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        learned(presses)

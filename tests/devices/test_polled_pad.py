"""Pads that speak only when scanned: the bus as the manuals tell it, in frames worked out by hand for one frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pad_desk import cannot_be, made, never_happens, owed

from devices.condition import State
from devices.drivers.polled_pad import Driver, Options, Simulator
from devices.options import parse_options, read_options
from devices.pads.keys import RATINGS
from devices.roles import (
    Alive,
    AskRating,
    Beep,
    Garbled,
    Key,
    KeyPressed,
    News,
    Obeyed,
    Rated,
    ShowNumber,
    ShowStars,
    Silent,
    Unconfirmed,
)
from devices.simulate import SimulatedLine
from devices.station import DeviceEntry, Station

H = bytes.fromhex
# 02, length, address 3, body, XOR of address and body, 03
SCAN_3 = H("02 02 03 3F 3C 03")
WANTS_3 = H("02 06 03 55 202020 30 46 03")  # U
SHOW_3 = H("02 08 03 4E 303432 303137 4D 03")  # N 042 017
RECEIVED_3 = H("02 06 03 50 303432 30 55 03")  # P 042
ANSWER_P = H("02 03 03 41 50 12 03")
RATED_3 = H("02 06 03 59 303432 31 5D 03")  # Y 042, value 1
ANSWER_Y = H("02 03 03 41 59 1B 03")
IDLE_3 = H("02 06 03 4C 303432 30 49 03")  # L
SERVES_3 = H("02 06 03 53 303432 30 56 03")  # S
PAUSED_3 = H("02 06 03 45 303432 30 40 03")  # E
MOVES_3 = H("02 06 03 4D 303432 30 48 03")  # M
HELP_3 = H("02 06 03 49 303432 30 4C 03")  # I
ALIVE_3 = Alive(address=3, detail="the pad at address 3 has answered")


def pressed(key: Key, code: str) -> KeyPressed:
    return KeyPressed(address=3, key=key, code=code)


def of(**options: Any) -> Driver:
    return made("polled-pad", {"addresses": [3], **options})


@pytest.fixture
def pad() -> Driver:
    return of()


def scan(driver: Driver, answer: bytes) -> list[News]:
    """One scan with its answer."""
    assert driver.idle
    driver.poll()
    assert owed(driver) == [SCAN_3]
    assert not driver.idle and driver.patience == 0.12
    return driver.feed(answer)


# ---- scanning


def test_a_pad_is_scanned_and_wants_a_number_once(pad: Driver) -> None:
    assert scan(pad, WANTS_3) == [ALIVE_3, pressed(Key.CALL_NEXT, "U")]
    assert owed(pad) == [] and pad.idle, "a wish is answered by a number only"
    assert scan(pad, WANTS_3) == []
    assert scan(pad, SERVES_3) == []
    assert scan(pad, WANTS_3) == [pressed(Key.CALL_NEXT, "U")]


@pytest.mark.parametrize(
    ("said", "answer", "news"),
    [
        (RATED_3, ANSWER_Y, Rated(address=3, grade=5, code="1")),
        (RECEIVED_3, ANSWER_P, pressed(Key.RECALL, "P")),
        (MOVES_3, H("02 03 03 41 4D 0F 03"), pressed(Key.TRANSFER, "M")),
        (HELP_3, H("02 03 03 41 49 0B 03"), pressed(Key.OTHER, "I")),
    ],
)
def test_what_must_be_answered_is_answered_each_time_and_told_once(
    said: bytes, answer: bytes, news: News, pad: Driver
) -> None:
    assert scan(pad, IDLE_3) == [ALIVE_3]
    assert scan(pad, said) == [news]
    assert not pad.idle
    assert owed(pad) == [answer]
    assert pad.idle
    assert scan(pad, said) == [] and owed(pad) == [answer], "it had not heard our answer"
    assert scan(pad, IDLE_3) == []
    assert scan(pad, said) == [news]


def test_a_pause_is_a_key_when_it_begins_and_when_it_ends(pad: Driver) -> None:
    assert scan(pad, PAUSED_3) == [ALIVE_3], "how it was found is no press"
    assert scan(pad, PAUSED_3) == []
    assert scan(pad, IDLE_3) == [pressed(Key.PAUSE, "E")]
    assert scan(pad, PAUSED_3) == [pressed(Key.PAUSE, "E")]
    assert scan(pad, WANTS_3) == [pressed(Key.PAUSE, "E"), pressed(Key.CALL_NEXT, "U")]


def test_addresses_take_turns_and_a_dead_one_is_told_once() -> None:
    pads = of(addresses=[3, 4])
    told: list[News] = []
    for _ in range(6):
        pads.poll()
        [frame] = owed(pads)
        told += pads.feed(IDLE_3) if frame == SCAN_3 else pads.silence()
    assert told == [ALIVE_3, Silent(address=4)]
    pads.poll()
    assert owed(pads) == [SCAN_3]
    pads.feed(IDLE_3)
    pads.poll()
    assert owed(pads) == [H("02 02 04 3F 3B 03")]
    assert pads.feed(H("02 06 04 4C 303432 30 4E 03")) == [
        Silent(address=4, over=True),
        Alive(address=4, detail="the pad at address 4 has answered"),
    ]


def test_three_scans_in_vain_are_silence_two_are_not(pad: Driver) -> None:
    scan(pad, IDLE_3)
    for _ in range(2):
        assert scan(pad, b"") == [] and pad.silence() == []
    assert scan(pad, IDLE_3) == []
    for _ in range(2):
        assert scan(pad, b"") == [] and pad.silence() == []
    assert scan(pad, b"") == [] and pad.silence() == [Silent(address=3)]
    assert scan(pad, b"") == [] and pad.silence() == []


# ---- numbers


def test_a_number_is_obeyed_when_the_pad_says_it_has_it(pad: Driver) -> None:
    scan(pad, WANTS_3)
    pad.take(ShowNumber(id="n", number="A042", waiting=17))
    assert owed(pad) == [SHOW_3]
    assert not pad.idle and pad.patience == 0.12
    assert pad.feed(RECEIVED_3) == [Obeyed(order="ShowNumber", id="n")]
    assert owed(pad) == [ANSWER_P] and pad.idle
    assert scan(pad, RECEIVED_3) == [], "the receipt once more is no recall"
    assert owed(pad) == [ANSWER_P]
    assert scan(pad, SERVES_3) == []
    assert scan(pad, RECEIVED_3) == [pressed(Key.RECALL, "P")]


def test_a_key_that_waits_behind_a_receipt_is_told_once(pad: Driver) -> None:
    assert scan(pad, IDLE_3) == [ALIVE_3]
    pad.poll()
    owed(pad)
    assert pad.silence() == []  # the pad was slow; its answer comes when the number is already under way
    pad.take(ShowNumber(id="n", number="A042", waiting=17))
    assert owed(pad) == [SHOW_3]
    assert pad.feed(MOVES_3) == [pressed(Key.TRANSFER, "M")]
    assert pad.feed(RECEIVED_3) == [Obeyed(order="ShowNumber", id="n")]
    owed(pad)  # what it hears while it says its receipt is no answer to its key
    assert scan(pad, RECEIVED_3) == []
    owed(pad)
    assert scan(pad, MOVES_3) == [], "said again, for it has not been answered"
    owed(pad)
    assert scan(pad, IDLE_3) == []
    assert scan(pad, MOVES_3) == [pressed(Key.TRANSFER, "M")]


def test_a_wish_after_the_number_is_a_new_one(pad: Driver) -> None:
    scan(pad, WANTS_3)
    pad.take(ShowNumber(id="n", number="A042", waiting=17))
    owed(pad)
    pad.feed(RECEIVED_3)
    owed(pad)
    assert scan(pad, WANTS_3) == [pressed(Key.CALL_NEXT, "U")]


def test_a_number_is_sent_three_times_in_all(pad: Driver) -> None:
    pad.take(ShowNumber(id="n", number="042", waiting=17))
    assert owed(pad) == [SHOW_3]
    for _ in range(2):
        assert pad.silence() == []
        assert owed(pad) == [SHOW_3]
    [outcome] = pad.silence()
    assert isinstance(outcome, Unconfirmed) and outcome.id == "n" and "3 tries" in outcome.reason
    assert pad.idle and owed(pad) == []


def test_another_status_is_no_receipt_but_is_told(pad: Driver) -> None:
    pad.take(ShowNumber(id="n", number="042", waiting=17))
    owed(pad)
    assert pad.feed(RATED_3) == [ALIVE_3, Rated(address=3, grade=5, code="1")]
    assert owed(pad) == [ANSWER_Y] and not pad.idle
    pad.silence()
    assert owed(pad) == [SHOW_3]
    assert pad.feed(RECEIVED_3) == [Obeyed(order="ShowNumber", id="n")]


def test_what_is_left_as_it_is_is_blank(pad: Driver) -> None:
    assert pad.encode(ShowNumber(waiting=5)) == H("02 08 03 4E 202020 303035 58 03")


def test_other_orders_are_sent_and_nobody_knows() -> None:
    pad = of(beep="42", ask="52", stars="53 {stars}")
    pad.take(Beep(id="b", times=2))
    first = pad.owed()
    assert first == H("02 02 03 42 41 03") and pad.feed(IDLE_3) == [ALIVE_3], "not all is out"
    assert owed(pad) == [first]
    [outcome] = pad.feed(IDLE_3)
    assert isinstance(outcome, Unconfirmed) and "does not say" in outcome.reason
    assert pad.encode(AskRating()) == H("02 02 03 52 51 03")
    assert pad.encode(ShowStars(stars=4)) == H("02 03 03 53 34 64 03")


def test_the_cable_goes(pad: Driver) -> None:
    assert pad.lost() == [] and pad.silence() == []
    pad.take(ShowNumber(id="n", number="1"))
    [outcome] = pad.lost()
    assert isinstance(outcome, Unconfirmed) and outcome.id == "n"
    pad.reset()
    assert pad.idle and owed(pad) == []


# ---- what it means, and a bad line


@pytest.mark.parametrize("preset", RATINGS)
def test_values_mean_what_the_installer_chose(preset: str, table: Any) -> None:
    for code, grade in RATINGS[preset].items():
        body = b"\x03Y042%d" % code
        check = 0
        for byte in body:
            check ^= byte
        news = scan(of(ratings=preset), b"\x02\x06" + body + bytes((check, 3)))
        assert news == [ALIVE_3, Rated(address=3, grade=grade or None, code=str(code))]


def test_a_value_without_a_meaning_and_letters_of_another_family() -> None:
    pad = of(letters={"T": "call_next"}, grades={"1": 2}, answered="Y")
    assert scan(pad, H("02 06 03 59 303432 39 55 03")) == [ALIVE_3, pressed(Key.OTHER, "Y9")]
    owed(pad)
    assert scan(pad, RATED_3) == [Rated(address=3, grade=2, code="1")]
    owed(pad)
    assert scan(pad, H("02 06 03 54 303432 30 51 03")) == [pressed(Key.CALL_NEXT, "T")]
    assert scan(pad, RECEIVED_3) == [] and owed(pad) == []


def test_a_frame_without_addresses_and_digits_as_bytes() -> None:
    pad = of(frame="AA {body} {sum} 55", digits_as="bytes", digits=2, blank="0F", status="{letter} {value} {number} 00")
    pad.poll()
    assert owed(pad) == [H("AA 3F 3F 55")]
    assert pad.feed(H("AA 59 02 0007 00 62 55"))[1:] == [Rated(address=3, grade=4, code="2")]


def test_pieces_noise_and_foreign_addresses(pad: Driver) -> None:
    pad.poll()
    owed(pad)
    news = [one for byte in b"\x02\x06\x03" + WANTS_3 for one in pad.feed(bytes((byte,)))]
    assert news == [ALIVE_3, pressed(Key.CALL_NEXT, "U")]
    pad.shared = True
    assert pad.feed(H("02 06 09 55 202020 30 4C 03")) == []
    pad.shared = False
    assert pad.feed(H("02 06 09 55 202020 30 4C 03"))[1:] == [KeyPressed(address=9, key=Key.CALL_NEXT, code="U")]
    assert pad.feed(SCAN_3) == [], "our own scan, returned by an adapter"


def test_a_babbling_line_is_told_once_and_its_end_once(pad: Driver) -> None:
    assert pad.feed(b"\x00" * 1000) == [Garbled()] and pad.feed(b"\x00" * 1000) == []
    assert pad.feed(IDLE_3) == [ALIVE_3, Garbled(over=True)]
    assert pad.feed(IDLE_3) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"status": "{number}"}, "status: write hex and once each"),
        ({"status": "{letter} {letter}"}, "status: write hex"),
        ({"status": "{letter} Z"}, "status: write hex"),
        ({"scan": ""}, "scan: write bytes in hex"),
        ({"answer": "4"}, "answer: write bytes in hex"),
        ({"answered": "p"}, "one letter from A to Z, got 'p'"),
        ({"letters": {"UP": "recall"}}, "one letter from A to Z"),
        ({"letters": {"U": "dance"}}, "keys: U must be one of"),
        ({"letters": {"Y": "recall"}}, "Y is the rating"),
        ({"scan_seconds": 0}, "at least 0.02"),
    ],
)
def test_options_that_cannot_be_are_said(options: dict[str, Any], sentence: str) -> None:
    cannot_be("polled-pad", options, sentence)


def test_options_from_the_command_line() -> None:
    given = parse_options("polled-pad", ["addresses=1,2", "ratings=police", "letters=T:call_next,P:recall"])
    assert given == Options(addresses=(1, 2), ratings="police", letters={"T": "call_next", "P": "recall"})


# ---- the simulator


def test_a_pad_says_nothing_before_it_is_scanned() -> None:
    pads = Simulator(read_options("polled-pad", {"addresses": [3]}))
    assert pads.happen(KeyPressed(key=Key.CALL_NEXT)) == b"" and pads.tick() == b""
    assert pads.receive(SCAN_3) == WANTS_3
    assert pads.receive(SHOW_3[:4]) == b"" and pads.receive(SHOW_3[4:]) == RECEIVED_3
    assert pads.obeyed == [ShowNumber(address=3, number="042", waiting=17)]
    assert pads.receive(ANSWER_P) == b""
    pads.happen(Rated(grade=5))
    assert pads.receive(SCAN_3) == RATED_3 and pads.receive(SCAN_3) == RATED_3
    assert pads.receive(ANSWER_Y) == b"" and pads.receive(SCAN_3) == IDLE_3
    pads.happen(KeyPressed(key=Key.PAUSE))
    assert pads.receive(SCAN_3) == PAUSED_3
    pads.happen(KeyPressed(key=Key.PAUSE))
    assert pads.receive(SCAN_3) == IDLE_3
    assert pads.receive(H("02 02 09 3F 36 03")) == b"", "nobody lives there"
    assert pads.receive(ANSWER_Y) == b"", "nobody asked"
    never_happens(pads, KeyPressed(key=Key.RECALL, address=9))


@pytest.mark.parametrize("fault", ["deaf", "no-receipt"])
def test_a_pad_that_misbehaves(fault: str, table: Any) -> None:
    desk = table("polled-pad", {}, [fault])
    desk.settle()
    desk.happen(Rated(grade=2))
    assert [n.grade for n in desk.settle() if isinstance(n, Rated)] == [2]
    outcome = desk.order(ShowNumber(number="042", waiting=1))
    assert [type(n) for n in outcome] == [Obeyed if fault == "deaf" else Unconfirmed]
    assert len(desk.obeyed) == (1 if fault == "deaf" else 3)
    assert not [n for n in desk.settle() if isinstance(n, KeyPressed)]


# ---- on a line with others


def test_pads_of_three_kinds_on_one_line_do_not_hear_one_another(
    tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    members: dict[str, tuple[str, dict[str, Any]]] = {
        "polled": ("polled-pad", {"addresses": [21, 22], "scan_seconds": 0.05}),
        "framed": ("framed-pad", {"addresses": [3], "answer": "same", "grade_answer": "01 {rest}"}),
        "bus": ("queue-bus", {"addresses": [1, 2]}),
    }
    line = closing(SimulatedLine(members).on_pty(tmp_path / "line"))
    entries = [DeviceEntry(name, driver, line.link, options, bus=True) for name, (driver, options) in members.items()]
    station = closing(Station(entries, diary))
    until(lambda: station.state("polled").state is State.READY)
    pressed_at = [("polled", 22), ("framed", 3), ("bus", 2)]
    for name, address in pressed_at:
        line.happen_at(name, KeyPressed(key=Key.CALL_NEXT, address=address))
    until(lambda: len(diary.of(KeyPressed)) >= 3)
    assert isinstance(station.send("polled", ShowNumber(number="042", address=22)).result(10), Obeyed)
    assert isinstance(station.send("bus", ShowNumber(number="043", address=2)).result(10), Unconfirmed)
    until(lambda: line.done["bus"])
    assert sorted((name, n.address) for name, n in diary.told if isinstance(n, KeyPressed)) == sorted(pressed_at)
    assert [(o.number, o.address) for o in line.done["polled"]] == [("042", 22)]
    assert line.done["framed"] == []
    line.kill("polled")
    until(lambda: station.state("polled").state is State.ABSENT)
    line.happen_at("framed", Rated(grade=5, address=3))
    until(lambda: diary.of(Rated))

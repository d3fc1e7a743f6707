"""Scanners, against the makers' bytes: Newland NLS-HR42 unified commands, Honeywell triggers, suffixes of both."""

from __future__ import annotations

import pytest

from devices.driver import OrderMistake
from devices.drivers.serial_scanner import Driver, Options, Simulator
from devices.roles import (
    Alive,
    CodeScanned,
    Garbled,
    Obeyed,
    PrintTest,
    Refused,
    Silent,
    StopScan,
    TriggerScan,
    Unconfirmed,
)

H = bytes.fromhex
NEWLAND_ON, NEWLAND_OFF = H("7E013030303040 53434E54524731 3B03"), H("7E013030303023 53434E54524730 3B03")
NEWLAND_ACK = H("020130303030 40 53434E54524731 06 3B03")
NEWLAND_NAK = H("020130303030 40 53434E54524731 15 3B03")
NEWLAND_ENQ = H("020130303030 40 53434E54524731 05 3B03")
HONEYWELL_ON, HONEYWELL_OFF = H("16540D"), H("16550D")
TEXT = "https://hall.example/t/4f9a"


def code(text: str, encoding: str = "utf-8") -> CodeScanned:
    return CodeScanned(text=text, hex=text.encode(encoding).hex(), encoding=encoding)


@pytest.mark.parametrize(
    ("suffix", "end"),
    [("cr", b"\r"), ("lf", b"\n"), ("crlf", b"\r\n"), ("tab", b"\t"), ("03", b"\x03"), ("0d0A04", b"\r\n\x04")],
)
def test_each_suffix_ends_a_code(suffix: str, end: bytes) -> None:
    driver = Driver(Options(suffix=suffix))
    assert driver.feed(TEXT.encode() + end + b"6901234567892" + end) == [Alive(), code(TEXT), code("6901234567892")]
    assert driver.patience is None


def test_a_scanner_that_says_cr_lf_where_cr_is_expected_tells_each_code_once() -> None:
    driver = Driver()
    assert driver.feed(b"one\r\ntwo\r\n") == [Alive(), code("one"), code("two")]
    assert driver.silence() == []
    assert driver.feed(b"three\r") == [code("three")]


def test_without_a_suffix_a_pause_ends_a_code() -> None:
    driver = Driver(Options(suffix="none"))
    assert driver.patience is None
    assert driver.feed(TEXT.encode()) == []
    assert driver.patience == 0.1
    assert driver.silence() == [Alive(), code(TEXT)]
    assert driver.patience is None
    driver.feed(b"line one\rline two\r\n")
    assert driver.silence() == [code("line one\rline two")]


def test_a_scanner_that_says_tab_where_cr_is_expected_is_understood_after_a_pause() -> None:
    driver = Driver()
    assert driver.feed(b"column\tcolumn\t") == []
    assert driver.silence() == [Alive(), code("column\tcolumn")]
    binary = Driver(Options(binary=True))
    binary.feed(b"A\t")
    assert binary.silence() == [Alive(), code("A\t")]


def test_chinese_in_both_encodings_keeps_its_bytes() -> None:
    driver = Driver()
    assert driver.feed("国办发".encode() + b"\r") == [Alive(), code("国办发")]
    assert driver.feed(H("B9FAB0ECB7A20D")) == [code("国办发", "gb18030")]
    assert driver.feed(H("8139EF30 0D")) == [code("\u3401", "gb18030")]  # a rare character, four bytes


def test_what_is_no_text_is_no_code_unless_asked_for() -> None:
    assert Driver().feed(b"\xff\xff\xff\r") == [Garbled()]
    assert Driver().feed(b"ab\x00cd\r") == [Garbled()]
    assert Driver().feed(b"(01)069\x1d10AB\r") == [Alive(), code("(01)069\x1d10AB")]  # GS1 separator
    binary = Driver(Options(binary=True)).feed(b"\xff\xfe\x00\r")
    assert [(type(n), getattr(n, "hex", ""), getattr(n, "encoding", "")) for n in binary] == [
        (Alive, "", ""),
        (CodeScanned, "fffe00", "binary"),
    ]


def test_garbled_is_told_once_and_once_when_it_is_over() -> None:
    driver = Driver()
    assert driver.feed(b"\xff\xff\r\xff\xff\r\xff\xff\r") == [Garbled()]
    assert driver.feed(b"7F\r\xff\xff\r") == [], "in the middle of noise nothing is a code"
    assert driver.patience == 0.1
    assert driver.silence() == []
    assert driver.feed(b"ok\r") == [Garbled(over=True), Alive(), code("ok")]


def test_a_code_that_is_too_long_is_dropped_whole() -> None:
    driver = Driver()
    assert driver.feed(b"x" * 5000) == [Garbled()]
    assert driver.feed(b"x" * 5000) == []
    assert driver.feed(b"tail\r") == []
    assert driver.silence() == []
    assert driver.patience is None
    assert driver.feed(b"next\r") == [Garbled(over=True), Alive(), code("next")]
    assert Driver().feed(b"y" * 4096 + b"\r") == [Alive(), code("y" * 4096)]
    assert Driver().feed(b"y" * 4097 + b"\r") == [Garbled()]


def test_honeywell_is_triggered_and_never_confirmed() -> None:
    driver = Driver(Options(trigger="honeywell"))
    assert (driver.encode(TriggerScan()), driver.encode(StopScan())) == (HONEYWELL_ON, HONEYWELL_OFF)
    assert driver.answers is False
    driver.take(TriggerScan(id="t"))
    assert driver.owed() == HONEYWELL_ON
    assert (driver.owed(), driver.idle) == (b"", False)
    assert [(type(n), n.id) for n in driver.silence()] == [(Unconfirmed, "t")]
    assert driver.idle


def test_newland_confirms_with_ack() -> None:
    driver = Driver(Options(trigger="newland"))
    assert (driver.encode(TriggerScan()), driver.encode(StopScan())) == (NEWLAND_ON, NEWLAND_OFF)
    driver.take(TriggerScan(id="t"))
    assert driver.owed() == NEWLAND_ON
    assert driver.feed(NEWLAND_ACK[:9]) == []
    assert driver.feed(NEWLAND_ACK[9:] + b"code\r") == [Alive(), Obeyed(order="TriggerScan", id="t"), code("code")]
    assert driver.idle


@pytest.mark.parametrize(("answer", "word"), [(NEWLAND_NAK, "NAK"), (NEWLAND_ENQ, "ENQ")])
def test_newland_refuses_with_nak_and_enq(answer: bytes, word: str) -> None:
    driver = Driver(Options(trigger="newland"))
    driver.take(TriggerScan(id="t"))
    driver.owed()
    alive, refused = driver.feed(answer)
    assert isinstance(refused, Refused)
    assert (alive, refused.id, word in refused.reason) == (Alive(), "t", True)


def test_newland_that_says_nothing_is_unconfirmed_and_then_silent() -> None:
    driver = Driver(Options(trigger="newland"))
    driver.take(TriggerScan(id="t"))
    driver.owed()
    assert driver.patience == 5.0
    assert [type(n) for n in driver.silence()] == [Unconfirmed]
    for _ in range(2):
        driver.poll()
        assert driver.owed() == H("7E0130303030 40 53434E4D4F44 2A 3B03")  # @SCNMOD*: asks, changes nothing
        told = driver.silence()
    assert told == [Silent()]
    driver.poll()
    driver.owed()
    assert driver.feed(H("020130303030 40 53434E4D4F4430 06 3B03")) == [Silent(over=True), Alive()]


def test_a_late_answer_confirms_no_other_order() -> None:
    driver = Driver(Options(trigger="newland"))
    driver.take(TriggerScan(id="first"))
    driver.owed()
    driver.silence()
    driver.take(StopScan(id="second"))
    driver.owed()
    assert driver.feed(NEWLAND_ACK) == [Alive()]
    assert not driver.idle


def test_a_code_that_looks_like_an_answer_is_a_code_to_a_scanner_without_commands() -> None:
    driver = Driver(Options(suffix="none", binary=True))
    driver.feed(NEWLAND_ACK)
    assert [n.hex for n in driver.silence() if isinstance(n, CodeScanned)] == [NEWLAND_ACK.hex()]


def test_a_scanner_set_up_without_commands_says_what_to_change() -> None:
    with pytest.raises(OrderMistake, match="option trigger"):
        Driver().take(TriggerScan())
    with pytest.raises(OrderMistake, match="no order PrintTest"):
        Driver(Options(trigger="newland")).encode(PrintTest())
    assert Driver().lacks(TriggerScan)
    assert not Driver().lacks(CodeScanned)


@pytest.mark.parametrize("suffix", ["cr lf", "0", "0d0", "return", "00" * 9])
def test_a_suffix_that_is_none_is_refused(suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix must be"):
        Options(suffix=suffix)


def test_the_simulator_answers_as_the_maker_says() -> None:
    sim = Simulator(Options(trigger="newland"))
    assert sim.receive(NEWLAND_ON[:5]) == b""
    assert sim.receive(NEWLAND_ON[5:]) == NEWLAND_ACK
    assert sim.obeyed == [TriggerScan()]
    assert Simulator(Options(trigger="newland"), frozenset({"unknown-command"})).receive(NEWLAND_ON) == NEWLAND_ENQ
    assert Simulator(Options(trigger="honeywell")).receive(HONEYWELL_ON) == b""


def test_an_order_under_way_when_the_cable_goes_is_not_known_to_be_done() -> None:
    driver = Driver(Options(trigger="newland"))
    driver.take(TriggerScan(id="t"))
    driver.owed()
    reason = "The cable went before the scanner answered."
    assert driver.lost() == [Unconfirmed(order="TriggerScan", id="t", reason=reason)]
    assert driver.lost() == []


def test_an_answer_without_an_end_or_a_verdict_confirms_nothing() -> None:
    driver = Driver(Options(trigger="newland"))
    driver.take(TriggerScan(id="t"))
    driver.owed()
    assert driver.feed(NEWLAND_ACK[:6] + b"@" * 300 + b"\r") == [Garbled()]
    assert driver.silence() == [], "a pause ends the noise; the answer may still come"
    assert [type(n) for n in driver.silence()] == [Unconfirmed]
    other = Driver(Options(trigger="newland"))
    other.take(StopScan(id="s"))
    other.owed()
    assert other.feed(NEWLAND_ACK.replace(b"\x06", b"\x07")) == [Garbled()], "neither ACK, NAK nor ENQ"
    assert not other.idle


def test_nothing_but_a_scan_happens_at_a_scanner() -> None:
    with pytest.raises(ValueError, match="a scanner only scans codes; it has no Silent"):
        Simulator(Options()).happen(Silent())
    noisy = Simulator(Options(), frozenset({"no-suffix"}))
    assert noisy.happen(code(TEXT)) == TEXT.encode()


def test_a_scanner_without_commands_is_never_asked_and_obeys_none() -> None:
    driver = Driver(Options(trigger="none"))
    driver.reset()
    driver.poll()
    assert driver.owed() == b"" and driver.idle
    deaf = Simulator(Options(trigger="none"))
    assert deaf.receive(NEWLAND_ON + HONEYWELL_ON) == b"" and deaf.obeyed == []

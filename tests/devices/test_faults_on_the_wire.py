"""Faults that must not matter: plugs pulled in the middle, babbling lines, readers that answer late, twice, wrongly."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from devices import drivers
from devices.condition import State
from devices.roles import (
    Alive,
    AskRating,
    CardPresented,
    CardRemoved,
    CodeScanned,
    LinkDown,
    Obeyed,
    PaperOut,
    PrintSlip,
    Rated,
    Refused,
    TriggerScan,
    Unconfirmed,
)
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

QUICK = (0.05, 0.1, 0.2)
SLIP = PrintSlip(
    hall="政务服务中心", service="社会保险", number="A007", ahead=3, url="https://hall.example/t/1", id="slip"
)
CARD = CardPresented(
    kind="citizen",
    name="张三丰",
    id_number="110101199003070134",
    sex="男",
    nation="汉",
    birth="19900307",
    address_text="北京市",
    authority="公安局",
    start="20200101",
    end="长期",
)


@pytest.fixture(params=["pty", "tcp"])
def on_wire(request: pytest.FixtureRequest, tmp_path: Path, closing: Any) -> Any:
    """A simulated device on either kind of cable."""

    def make(driver: str, *faults: str, options: Any = None) -> SimulatedDevice:
        device = closing(SimulatedDevice(driver, options, faults))
        made: SimulatedDevice = device.on_tcp() if request.param == "tcp" else device.on_pty(tmp_path / driver)
        return made

    return make


def station_of(closing: Any, diary: Any, *devices: tuple[str, SimulatedDevice, Any]) -> Station:
    entries = [
        DeviceEntry(name, name.partition(" ")[0], device.link, options or {}) for name, device, options in devices
    ]
    made: Station = closing(Station(entries, diary, QUICK, calm=0.3))
    return made


# ---- plugs ----------------------------------------------------------------------------------------------------


def test_a_printer_unplugged_between_first_and_last_byte_is_never_called_done(
    on_wire: Any, diary: Any, until: Any, closing: Any
) -> None:
    printer = on_wire("escpos-printer")
    station = station_of(closing, diary, ("escpos-printer", printer, None))
    until(lambda: station.state("escpos-printer").state is State.READY)
    printer.spoil("die-mid-frame")
    outcome = station.send("escpos-printer", SLIP).result(10)
    assert (type(outcome), outcome.id) == (Unconfirmed, "slip")
    until(lambda: station.state("escpos-printer").state is State.ABSENT, 5)
    printer.spoil()
    until(lambda: station.state("escpos-printer").state is State.READY, 10)
    assert printer.obeyed == [], "nothing is printed again by itself"
    until(lambda: len(diary.of(LinkDown)) > 1)
    assert [n.over for n in diary.of(LinkDown)] == [False, True]


def test_a_slip_asked_for_while_the_printer_is_away_is_known_not_to_be_printed(
    on_wire: Any, diary: Any, until: Any, closing: Any
) -> None:
    printer = on_wire("escpos-printer")
    station = station_of(closing, diary, ("escpos-printer", printer, None))
    until(lambda: station.state("escpos-printer").state is State.READY)
    printer.unplug()
    until(lambda: station.state("escpos-printer").state is State.ABSENT, 5)
    assert isinstance(station.send("escpos-printer", SLIP).result(1), Refused)
    printer.plug()
    until(lambda: station.state("escpos-printer").state is State.READY, 10)
    assert isinstance(station.send("escpos-printer", SLIP).result(10), Obeyed)
    until(lambda: [type(o) for o in printer.obeyed] == [PrintSlip])


def test_paper_that_runs_out_and_comes_back_is_told_each_once(
    on_wire: Any, diary: Any, until: Any, closing: Any
) -> None:
    printer = on_wire("escpos-printer", options={"poll_seconds": 1.0})
    station = station_of(closing, diary, ("escpos-printer", printer, {"poll_seconds": 1.0}))
    until(lambda: station.state("escpos-printer").state is State.READY)
    printer.happen(PaperOut())
    until(lambda: station.state("escpos-printer").state is State.ERROR, 10)
    assert isinstance(station.send("escpos-printer", SLIP).result(10), Refused)
    printer.happen(PaperOut(over=True))
    until(lambda: station.state("escpos-printer").state is State.READY and len(diary.of(PaperOut)) > 1, 15)
    assert diary.of(PaperOut) == [PaperOut(), PaperOut(over=True)]


def test_an_evaluator_unplugged_during_service_is_back_on_the_same_port(
    on_wire: Any, diary: Any, until: Any, closing: Any
) -> None:
    line = on_wire("queue-bus")
    station = station_of(closing, diary, ("queue-bus", line, None))
    until(lambda: station.state("queue-bus").state is State.DEGRADED)
    station.send("queue-bus", AskRating()).result(5)
    line.unplug()
    until(lambda: station.state("queue-bus").state is State.ABSENT, 5)
    line.plug()
    until(lambda: station.state("queue-bus").state is State.DEGRADED, 10)
    line.happen(Rated(grade=5))
    until(lambda: diary.of(Rated))
    assert [n.grade for n in diary.of(Rated)] == [5]
    assert station.state("queue-bus").state is State.READY, "a key has proved that it lives"
    assert len(diary.of(LinkDown)) == 2


# ---- babble ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in drivers.names() if "serial" in drivers.load(n).Driver.links])
def test_a_babbling_line_starves_nobody_and_keeps_nothing(
    name: str, tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    newland = {"trigger": "newland"}
    babbler = closing(SimulatedDevice(name, None, ["babble"]).on_pty(tmp_path / "babbler"))
    good = closing(SimulatedDevice("serial-scanner", newland).on_pty(tmp_path / "good"))
    station = station_of(closing, diary, (f"{name} 1", babbler, None), ("serial-scanner 2", good, newland))
    until(lambda: station.state("serial-scanner 2").state is State.READY)
    until(lambda: station.state(f"{name} 1").counters.get("bytes_in", 0) > 200_000, 20)
    before = psutil.Process().memory_info().rss
    received = station.state(f"{name} 1").counters["bytes_in"]
    waits = []
    for _ in range(10):
        began = time.monotonic()
        assert isinstance(station.send("serial-scanner 2", TriggerScan()).result(5), Obeyed)
        waits.append(time.monotonic() - began)
    until(lambda: station.state(f"{name} 1").counters["bytes_in"] > received + 500_000, 20)
    assert sorted(waits)[4] < 0.5
    assert psutil.Process().memory_info().rss - before < 30_000_000
    babbler.spoil()
    working = (State.READY, State.DEGRADED)
    until(lambda: station.state(f"{name} 1").state in working, 20)


# ---- a reader with bad manners --------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["late", "twice", "split", "noise", "echo"])
def test_a_card_is_told_once_however_the_reader_answers(
    fault: str, on_wire: Any, diary: Any, until: Any, closing: Any
) -> None:
    reader = on_wire("ga467-reader", fault)
    reader.happen(CARD)
    station = station_of(closing, diary, ("ga467-reader", reader, None))
    until(lambda: diary.of(CardPresented), 30)
    reader.spoil()
    reader.happen(CardRemoved())
    until(lambda: diary.of(CardRemoved), 30)
    assert diary.of(CardPresented) == [CARD]
    assert diary.of(Alive)
    assert station.state("ga467-reader").troubles == ()


def test_a_card_with_a_wrong_checksum_is_never_told(on_wire: Any, diary: Any, until: Any, closing: Any) -> None:
    reader = on_wire("ga467-reader", "bad-checksum")
    reader.happen(CARD)
    station = station_of(closing, diary, ("ga467-reader", reader, None))
    until(lambda: station.state("ga467-reader").troubles, 20)
    assert diary.of(CardPresented, Alive) == []
    reader.spoil()
    until(lambda: diary.of(CardPresented), 20)
    until(lambda: station.state("ga467-reader").state is State.READY)
    assert diary.of(CardPresented) == [CARD]


def test_a_scanner_pulled_in_the_middle_of_a_code_tells_no_half_code(
    on_wire: Any, diary: Any, until: Any, closing: Any
) -> None:
    options = {"gap": 2.0}
    scanner = on_wire("serial-scanner", "no-suffix", options=options)
    station = station_of(closing, diary, ("serial-scanner", scanner, options))
    until(lambda: station.state("serial-scanner").counters.get("opened"))
    scanner.happen(CodeScanned(text="half of a code"))
    until(lambda: station.state("serial-scanner").counters.get("bytes_in"))
    scanner.unplug()
    until(lambda: station.state("serial-scanner").state is State.ABSENT, 5)
    scanner.plug()
    until(lambda: station.state("serial-scanner").counters["opened"] == 2)
    scanner.happen(CodeScanned(text="whole"))
    until(lambda: diary.of(CodeScanned))
    assert [n.text for n in diary.of(CodeScanned)] == ["whole"]

"""Faults of a shared line and of a port: each ends in a right state and a plain sentence, and leaves nothing behind."""

from __future__ import annotations

import fcntl
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from devices import drivers
from devices.condition import State
from devices.roles import (
    AskRating,
    Beep,
    Garbled,
    Key,
    KeyPressed,
    LinkDown,
    Obeyed,
    PrintTest,
    Rated,
    ReadCard,
    Refused,
    ShowCall,
    ShowWelcome,
    TriggerScan,
    Unconfirmed,
)
from devices.simulate import SimulatedDevice, SimulatedLine
from devices.station import DeviceEntry, Station

QUICK = (0.05, 0.1)
ASKING = {"poll_seconds": 1.0, "confirm_seconds": 0.3, "repeats": 1}
MEMBERS: dict[str, tuple[str, dict[str, Any]]] = {
    "pads": ("queue-bus", {"addresses": [1, 2]}),
    "pingan": ("pingan-strip", {"addresses": [11], **ASKING}),
    "zhongyi": ("zhongyi-strip", {"addresses": [12], **ASKING}),
    "yinda": ("yinda-strip", {"addresses": [13]}),
}
CALL = ShowCall(number="A007", window=3)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No thread and no descriptor more after the test than before."""
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    yield
    gc.collect()  # pyudev's socket closes with its object
    assert set(threading.enumerate()) <= threads
    assert len(os.listdir("/proc/self/fd")) <= files


@pytest.fixture
def line(nothing_left: None, pty_path: Path, closing: Any) -> SimulatedLine:
    made: SimulatedLine = closing(SimulatedLine(MEMBERS).on_pty(pty_path))
    return made


def station_on(line: SimulatedLine, diary: Any, closing: Any, query: str = "") -> Station:
    entries = [DeviceEntry(n, driver, line.link + query, o, bus=True) for n, (driver, o) in MEMBERS.items()]
    made: Station = closing(Station(entries, diary, QUICK, calm=0.3))
    return made


def settled(station: Station) -> bool:
    return all(station.state(name).state is State.READY for name in ("pingan", "zhongyi"))


@pytest.mark.parametrize("fault", ["noise", "twice", "split", "echo"])
def test_bad_manners_of_a_line_change_nothing(fault: str, line: Any, diary: Any, until: Any, closing: Any) -> None:
    line.spoil(fault)
    station = station_on(line, diary, closing, "?echo=1" if fault == "echo" else "")
    until(lambda: settled(station))
    for name in ("pingan", "zhongyi"):
        assert isinstance(station.send(name, CALL).result(10), Obeyed)
    line.happen_at("pads", KeyPressed(key=Key.CALL_NEXT, address=1))
    until(lambda: diary.of(KeyPressed))
    line.happen_at("pads", Rated(grade=4, address=2))
    until(lambda: diary.of(Rated))
    assert [type(o) for o in line.done["pingan"]] == [ShowCall]
    assert [(type(n), n.address) for n in diary.of(KeyPressed, Rated)] == [(KeyPressed, 1), (Rated, 2)]
    assert diary.of(Garbled, LinkDown) == []


def test_half_a_frame_and_then_silence_confirms_nothing_and_heals(
    line: Any, diary: Any, until: Any, closing: Any
) -> None:
    station = station_on(line, diary, closing)
    until(lambda: settled(station))
    line.spoil("half")
    outcome = station.send("pingan", CALL).result(10)
    assert isinstance(outcome, Unconfirmed)
    assert "did not acknowledge it" in outcome.reason
    while station.state("pingan").state is not State.ABSENT:  # three misses
        assert isinstance(station.send("pingan", CALL).result(10), Unconfirmed)
    assert station.state("pingan").reason.startswith("设备无应答 no answer")
    line.spoil()
    until(lambda: settled(station), 15)
    assert isinstance(station.send("pingan", CALL).result(10), Obeyed)


def test_a_device_that_loses_its_power_in_the_middle_of_an_answer(
    line: Any, diary: Any, until: Any, closing: Any
) -> None:
    station = station_on(line, diary, closing)
    until(lambda: settled(station))
    line.spoil("half")
    under_way = station.send("pingan", CALL)
    until(lambda: line.done["pingan"])
    line.kill("pingan")
    line.spoil()
    assert isinstance(under_way.result(10), Unconfirmed), "it was shown, but nobody can know"
    assert isinstance(station.send("zhongyi", CALL).result(10), Obeyed), "half a frame of one is no harm to the other"
    line.kill()
    quiet = time.monotonic() + 2.5  # an answer given up could come until then, so none is trusted before
    until(lambda: time.monotonic() > quiet and settled(station))
    assert isinstance(station.send("pingan", ShowWelcome()).result(10), Obeyed)


def test_a_line_that_goes_in_the_middle_of_a_frame(line: Any, diary: Any, until: Any, closing: Any) -> None:
    station = station_on(line, diary, closing)
    until(lambda: settled(station))
    line.spoil("die-mid-frame")
    futures = [station.send(name, order) for name, order in (("pingan", CALL), ("zhongyi", CALL), ("pads", Beep()))]
    outcomes = [future.result(10) for future in futures]
    assert Obeyed not in {type(o) for o in outcomes}
    assert len([o for o in outcomes if isinstance(o, Unconfirmed)]) <= 1, "only one was being spoken to"
    line.spoil()
    until(lambda: settled(station), 15)


def test_babble_keeps_nothing_and_lets_every_order_go(line: Any, diary: Any, until: Any, closing: Any) -> None:
    """A megabyte a second of noise: an order still gets its outcome in time, and memory stays where it is."""
    station = station_on(line, diary, closing)
    until(lambda: settled(station))
    line.spoil("babble")
    until(lambda: station.state("pads").counters["bytes_in"] > 500_000, 20)
    before = psutil.Process().memory_info().rss
    began = time.monotonic()
    outcomes = [station.send("pads", AskRating(address=1), timeout=1).result(6) for _ in range(2)]
    assert {type(o) for o in outcomes} <= {Unconfirmed, Refused}
    assert time.monotonic() - began < 8
    until(lambda: station.state("pads").counters["bytes_in"] > 3_000_000, 20)
    assert psutil.Process().memory_info().rss - before < 20_000_000
    assert "数据错乱 garbled bytes" in station.state("pads").reason
    line.spoil()
    until(lambda: settled(station), 20)


# ---- a port -----------------------------------------------------------------------------------------------------

POLITE = {  # an order that a technician would try on each kind of device
    "ticket-printer": PrintTest(),
    "id-reader": ReadCard(),
    "code-scanner": TriggerScan(),
    "call-pad": Beep(),
    "window-screen": ShowWelcome(),
}


def wrong_pairs() -> list[tuple[str, str]]:
    """Every driver that sits on serial cables, with another's device at its port."""
    names = [name for name in drivers.names() if "serial" in drivers.load(name).Driver.links]
    return list(zip(names, names[1:] + names[:1], strict=True))


def test_a_wrong_driver_on_a_port_never_takes_the_device_for_its_own(
    nothing_left: None, tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    entries = []
    for driver, other in wrong_pairs():
        device = closing(SimulatedDevice(other).on_pty(tmp_path / driver))
        entries.append(DeviceEntry(driver, driver, device.link))
    station = closing(Station(entries, diary, QUICK))
    until(lambda: all(s.counters.get("opened") for s in station.states()))
    futures = {}
    for state in station.states():
        order = next((POLITE[role] for role in state.roles if role in POLITE), None)
        if order is not None:
            futures[state.name] = station.send(state.name, order, timeout=2)
    outcomes = {name: future.result(15) for name, future in futures.items()}
    assert {name: o for name, o in outcomes.items() if isinstance(o, Obeyed)} == {}
    for name, outcome in outcomes.items():
        assert outcome.reason.endswith((".", "answer", "acknowledges")) or " " in outcome.reason, name
    assert {s.name: s.reason for s in station.states() if s.state is State.READY or not s.reason} == {}


HOLDER = "import fcntl, os, sys; fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); fcntl.flock(fd, fcntl.LOCK_EX);\
 print('ready', flush=True); sys.stdin.read()"


def test_two_programs_on_one_port_and_who_has_it(
    nothing_left: None, pty_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    strip = closing(SimulatedDevice("pingan-strip").on_pty(pty_path))
    command = [sys.executable, "-c", HOLDER, str(pty_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        station = closing(Station([DeviceEntry("strip", "pingan-strip", strip.link)], diary, QUICK))
        until(lambda: station.state("strip").state is State.ABSENT)
        assert f"(process {other.pid}) is using {pty_path}; stop that program." in station.state("strip").reason
        refused = station.send("strip", CALL).result(1)
        assert isinstance(refused, Refused)
        assert f"process {other.pid}" in refused.reason
        other.communicate()
    until(lambda: station.state("strip").state is State.READY)
    with open(pty_path) as late, pytest.raises(BlockingIOError):  # and whoever comes after us is kept out
        fcntl.flock(late, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""One RS-485 line with devices of several families: everyone has turns, no news is lost, the dead cost little."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from config.reader import Mistake
from devices.condition import State
from devices.roles import (
    Alive,
    Beep,
    Garbled,
    Key,
    KeyPressed,
    LinkDown,
    Obeyed,
    Rated,
    Refused,
    ShowCall,
    ShowNumber,
    ShowText,
    Silent,
    Unconfirmed,
)
from devices.simulate import SimulatedLine
from devices.station import DeviceEntry, Station

QUICK = (0.05, 0.1)
CONFIRM = 0.4  # seconds a strip is given to answer: what a dead one may cost the others
ASKING = {"poll_seconds": 1.0, "confirm_seconds": CONFIRM, "repeats": 1}
MEMBERS: dict[str, tuple[str, dict[str, Any]]] = {
    "pads": ("queue-bus", {"addresses": [1, 2]}),
    "other pads": ("queue-bus", {"addresses": [7]}),
    "pingan": ("pingan-strip", {"addresses": [11], **ASKING}),
    "zhongyi": ("zhongyi-strip", {"addresses": [12], **ASKING}),
    "yinda": ("yinda-strip", {"addresses": [13]}),
    "kuiwen": ("kuiwen-strip", {"addresses": [14]}),
    "dead": ("pingan-strip", {"addresses": [15], **ASKING}),
}


def entries(link: str, members: dict[str, tuple[str, dict[str, Any]]] = MEMBERS, **more: Any) -> list[DeviceEntry]:
    return [DeviceEntry(name, driver, link, options, bus=True, **more) for name, (driver, options) in members.items()]


@pytest.fixture
def line(pty_path: Path, closing: Any) -> SimulatedLine:
    made: SimulatedLine = closing(SimulatedLine(MEMBERS).on_pty(pty_path))
    made.kill("dead")
    return made


@pytest.fixture
def station(line: SimulatedLine, diary: Any, closing: Any) -> Station:
    made: Station = closing(Station(entries(line.link), diary, QUICK, calm=0.3))
    return made


def test_devices_of_several_families_work_on_one_line(line: Any, station: Station, diary: Any, until: Any) -> None:
    until(lambda: station.state("pingan").state is State.READY and station.state("zhongyi").state is State.READY)
    orders = [
        ("pads", ShowNumber(number="007", waiting=2, address=2)),
        ("other pads", Beep(address=7)),
        ("pingan", ShowCall(number="A007", window=3)),
        ("zhongyi", ShowText(text="请稍候")),
        ("yinda", ShowText(text="暂停服务一")),
        ("kuiwen", ShowText(text="欢迎")),
    ]
    outcomes = {name: station.send(name, order).result(10) for name, order in orders}
    confirmed = {name for name, outcome in outcomes.items() if isinstance(outcome, Obeyed)}
    assert confirmed == {"pingan", "zhongyi"}, "the others never answer, on whatever line"
    assert {type(o) for name, o in outcomes.items() if name not in confirmed} == {Unconfirmed}
    shown = {name: line.chorus.members[name].shown for name in ("pingan", "zhongyi", "yinda", "kuiwen")}
    assert shown["zhongyi"][12] == "请稍候"
    assert (shown["yinda"], shown["kuiwen"]) == ({13: "暂停服务一"}, {14: "欢迎"})
    assert [type(o) for o in line.done["pingan"]] == [ShowCall]
    assert line.chorus.members["pads"].panels[2].number == "007"
    for _ in range(3):  # three misses
        assert isinstance(station.send("dead", ShowText(text="请稍候")).result(10), Unconfirmed)
    until(lambda: diary.of(Silent))
    assert station.state("dead").state is State.ABSENT
    assert diary.of(Silent) == [Silent(address=15)]
    assert diary.of(Garbled, LinkDown) == [], "another family's frames are no noise"


def test_what_is_pressed_is_told_once_by_its_own_device_while_everyone_is_asked(
    line: Any, station: Station, diary: Any, until: Any
) -> None:
    until(lambda: station.state("pingan").state is State.READY)
    pressed = []
    pads = [line.chorus.members[name] for name in ("pads", "other pads")]
    keys = (Key.CALL_NEXT, Key.RECALL, Key.PAUSE, Key.TRANSFER, Key.CANCEL)
    for n in range(27):
        if n == 24:  # each was acknowledged, so no pad repeats itself any more; what it had said comes before the rest
            until(lambda: not any(pad._unheard for pad in pads))
        name, address = (("pads", 1), ("pads", 2), ("other pads", 7))[n % 3]
        # No finger presses the same key twice within half a second: that would be the echo of our acknowledgement.
        turn = n // 3 // 2
        news = KeyPressed(key=keys[turn], address=address) if n % 2 else Rated(grade=1 + turn, address=address)
        line.happen_at(name, news)
        pressed.append((name, type(news), address))
        heard = n + 1
        until(lambda told=heard: len(diary.of(KeyPressed, Rated)) >= told)
    told = [(name, type(n), n.address) for name, n in diary.told if isinstance(n, KeyPressed | Rated)]
    assert told == pressed


def test_a_dead_device_costs_the_others_no_more_than_its_own_time_out(
    line: Any, station: Station, diary: Any, until: Any
) -> None:
    until(lambda: station.state("pingan").state is State.READY)
    waits = []
    for n in range(6):  # the dead one always has something to do
        station.send("dead", ShowCall(number=f"A{n:03d}", window=1), timeout=30)
        began = time.monotonic()
        assert isinstance(station.send("pingan", ShowCall(number=f"A{n:03d}", window=3)).result(10), Obeyed)
        waits.append(time.monotonic() - began)
    assert max(waits) < 2 * CONFIRM, f"one time-out of {CONFIRM} s and what the line itself takes: {waits}"
    assert [o.number for o in line.done["pingan"]] == [f"A{n:03d}" for n in range(6)]


def test_nobody_is_spoken_to_while_another_is_answering(pty_path: Path, diary: Any, until: Any, closing: Any) -> None:
    """Half duplex: with answers that take their time, no frame of ours ever falls into one."""
    members = {
        f"strip {at}": ("pingan-strip", {"addresses": [at], "poll_seconds": 1.0, "confirm_seconds": 1.0})
        for at in range(1, 9)
    }
    line = closing(SimulatedLine(members, think=0.02).on_pty(pty_path))
    station = closing(Station(entries(line.link, members), diary, QUICK))
    until(lambda: all(s.state is State.READY for s in station.states()))
    futures = [station.send(name, ShowCall(number="A001", window=1), timeout=30) for name in members for _ in range(2)]
    assert {type(f.result(30)) for f in futures} == {Obeyed}
    assert line.collisions == 0
    assert {len(done) for done in line.done.values()} == {2}


def test_a_busy_device_does_not_starve_the_others(pty_path: Path, diary: Any, until: Any, closing: Any) -> None:
    """Forty orders wait for one strip; the order for the other comes after one of them, not after forty."""
    members = {f"strip {at}": ("pingan-strip", {"addresses": [at]}) for at in (1, 2)}
    line = closing(SimulatedLine(members).on_pty(pty_path))
    station = closing(Station(entries(line.link, members), diary, QUICK))
    until(lambda: all(s.state is State.READY for s in station.states()))
    many = [station.send("strip 1", ShowCall(number=f"A{n:03d}", window=1), timeout=60) for n in range(40)]
    assert isinstance(station.send("strip 2", ShowCall(number="A001", window=2)).result(10), Obeyed)
    assert sum(future.done() for future in many) <= 3


def test_a_babbling_line_is_told_as_such_and_heals(line: Any, station: Station, diary: Any, until: Any) -> None:
    until(lambda: station.state("pingan").state is State.READY)
    line.spoil("babble")
    until(lambda: len({name for name, n in diary.told if isinstance(n, Garbled)}) == len(MEMBERS), 20)
    line.spoil()
    until(lambda: len([n for n in diary.of(Garbled) if n.over]) == len(MEMBERS), 20)
    line.happen_at("pads", KeyPressed(key=Key.RECALL, address=1))
    until(lambda: diary.of(KeyPressed))
    until(lambda: station.state("pingan").state is State.READY, 20)
    assert len(diary.of(Garbled)) == 2 * len(MEMBERS)


def test_the_whole_line_goes_and_comes_back_together(line: Any, station: Station, diary: Any, until: Any) -> None:
    until(lambda: station.state("pingan").state is State.READY)
    line.unplug()
    until(lambda: {s.state for s in station.states()} == {State.ABSENT}, 5)
    assert isinstance(station.send("yinda", ShowText(text="欢迎")).result(1), Refused)
    line.plug()
    until(lambda: station.state("pingan").state is State.READY and station.state("zhongyi").state is State.READY)
    downs = [n for name, n in diary.told if name == "pads" and isinstance(n, LinkDown)]
    assert [n.over for n in downs] == [False, True]


def test_a_driver_that_fails_leaves_its_neighbours_on_the_line_alone(
    line: Any, station: Station, diary: Any, until: Any
) -> None:
    until(lambda: station.state("pingan").state is State.READY and station.state("zhongyi").state is State.READY)
    station._talks["pads"][1].driver.set_up = None  # a driver's bug, as real as we can make one
    line.happen_at("pads", KeyPressed(key=Key.CALL_NEXT, address=1))
    until(lambda: station.state("pads").state is State.ERROR)
    assert "A fault in our own program" in station.state("pads").reason
    assert isinstance(station.send("zhongyi", ShowText(text="请稍候")).result(5), Obeyed)
    assert station.state("zhongyi").counters["opened"] == 1


def test_a_line_ends_with_all_its_threads_and_a_changed_member_reopens_it(
    line: Any, diary: Any, until: Any, closing: Any
) -> None:
    before = set(threading.enumerate())
    station = closing(Station(entries(line.link), diary, QUICK))
    until(lambda: station.state("pingan").state is State.READY)
    fewer = {name: member for name, member in MEMBERS.items() if name != "dead"}
    assert station.apply(entries(line.link, fewer)) == sorted(MEMBERS)
    until(lambda: station.state("pingan").state is State.READY)
    assert isinstance(station.send("pingan", ShowCall(number="A001", window=3)).result(5), Obeyed)
    station.close()
    assert set(threading.enumerate()) <= before
    assert diary.of(Alive)


def test_what_cannot_share_a_line_is_said_before_it_is_opened() -> None:
    link = "serial:///dev/none"
    strip, pads = entries(link, {"strip": MEMBERS["pingan"], "pads": MEMBERS["pads"]})
    alone = DeviceEntry("alone", "zhongyi-strip", link)
    twin = DeviceEntry("twin", "queue-bus", link, {"addresses": [2, 3]}, bus=True)
    fast = DeviceEntry("fast", "onbon-bx", link, bus=True)
    for devices, said in (
        ([strip, alone], "each entry says bus = true"),
        ([pads, twin], "pads and twin both have address 2"),
        ([strip, fast], "their link must say \\?baud="),
    ):
        with pytest.raises(Mistake, match=said):
            Station(devices, lambda device, news: None)


def test_what_comes_byte_by_byte_from_several_at_once_comes_one_after_the_other_however_busy_the_machine(
    pty_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    members: dict[str, tuple[str, dict[str, Any]]] = {f"pad {n}": ("framed-pad", {"addresses": [n]}) for n in (1, 2, 3)}
    line = closing(SimulatedLine(members).on_pty(pty_path))
    closing(Station(entries(line.link, members), diary, QUICK, calm=0.3))
    line.spoil("split")
    over = threading.Event()

    def keep_busy() -> None:
        while not over.is_set():
            sum(range(20_000))

    busy = [threading.Thread(target=keep_busy) for _ in range(3)]
    for thread in busy:
        thread.start()
    try:
        for grade in (1, 2, 3, 4, 5):
            for n in (1, 2, 3):
                line.happen_at(f"pad {n}", Rated(grade=grade, address=n))
            until(lambda grade=grade: len(diary.of(Rated)) == 3 * grade)  # type: ignore[misc]  # asked at once
    finally:
        over.set()
        for thread in busy:
            thread.join()

"""Two devices whose plugs were exchanged are reported, and nothing goes to the wrong one until somebody says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devices.condition import State
from devices.memory import Memory
from devices.roles import Exchanged, Refused, ShowCall
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

QUICK = (0.05, 0.1)
FAST = {"poll_seconds": 1.0}
OLD, NEW = (0xA1, 0x21), (0xA2, 0x30)  # a 16-dot strip and a large screen (Pingan V2.1, version frames)


class Desk:
    """Two sockets of this machine, two strips whose adapters look the same, and what the station remembers."""

    def __init__(self, folder: Path, diary: Any, closing: Any) -> None:
        self.folder, self.diary, self.closing = folder, diary, closing
        self.strips = [closing(SimulatedDevice("pingan-strip").on_pty(folder / f"socket {n}")) for n in (1, 2)]
        self.strips[0].simulator.card, self.strips[1].simulator.card = OLD, NEW
        self.station = self.start()

    def start(self) -> Station:
        entries = [
            DeviceEntry(name, "pingan-strip", strip.link, FAST)
            for name, strip in zip(("left", "right"), self.strips, strict=True)
        ]
        made: Station = self.closing(Station(entries, self.diary, QUICK, memory=self.folder / "devices.json"))
        return made

    def exchange(self) -> None:
        """Pull both out and put each where the other was."""
        for strip in self.strips:
            strip.unplug()
        one, other = self.strips
        one.simulator, other.simulator = other.simulator, one.simulator

    def plug(self) -> None:
        for strip in self.strips:
            strip.plug()

    def states(self) -> set[State]:
        return {s.state for s in self.station.states()}


@pytest.fixture
def desk(tmp_path: Path, diary: Any, until: Any, closing: Any) -> Desk:
    made = Desk(tmp_path, diary, closing)
    until(lambda: made.states() == {State.READY})
    return made


def test_exchanged_plugs_are_reported_and_nothing_is_shown_on_the_wrong_strip(desk: Desk, until: Any) -> None:
    desk.exchange()
    until(lambda: desk.states() == {State.ABSENT})
    desk.plug()
    waiting = desk.station.send("left", ShowCall(number="A007", window=1), timeout=5)
    until(lambda: desk.states() == {State.ERROR})
    assert "this is right. Their plugs have been exchanged" in desk.station.state("left").reason
    assert "this is left. Their plugs have been exchanged" in desk.station.state("right").reason
    later = desk.station.send("right", ShowCall(number="A008", window=2))
    outcomes = [waiting.result(10), later.result(10)]
    assert {type(o) for o in outcomes} == {Refused}
    assert "another device" in outcomes[1].reason
    until(lambda: len(desk.diary.of(Exchanged)) == 2)
    assert [s.obeyed for s in desk.strips] == [[], []], "not one order went out"
    desk.exchange()
    until(lambda: desk.states() == {State.ABSENT})
    desk.plug()
    until(lambda: desk.states() == {State.READY})
    assert sorted(n.over for n in desk.diary.of(Exchanged)) == [False, False, True, True], "told once, and its end once"


def test_what_was_exchanged_while_the_station_was_off_is_noticed_too(desk: Desk, until: Any) -> None:
    desk.station.close()
    desk.exchange()
    desk.plug()
    desk.station = desk.start()
    until(lambda: desk.states() == {State.ERROR})


def test_a_device_replaced_on_purpose_is_confirmed_once(desk: Desk, until: Any) -> None:
    desk.strips[0].unplug()
    until(lambda: desk.station.state("left").state is State.ABSENT)
    desk.strips[0].simulator.card = (0xA3, 0x31)
    desk.strips[0].plug()
    until(lambda: desk.station.state("left").state is State.ERROR)
    assert "confirm in the configuration that it was replaced" in desk.station.state("left").reason
    desk.station.accept("left")
    until(lambda: desk.station.state("left").state is State.READY)
    desk.station.send("left", ShowCall(number="A007", window=1)).result(5)
    assert [type(o) for o in desk.strips[0].obeyed] == [ShowCall]
    desk.station.close()
    desk.station = desk.start()
    until(lambda: desk.states() == {State.READY})
    with pytest.raises(KeyError, match="has no device 'middle'"):
        desk.station.accept("middle")


def test_memory_is_a_small_file_that_survives_and_can_be_spoilt(tmp_path: Path) -> None:
    file = tmp_path / "devices.json"
    memory = Memory(file)
    assert not memory.knows("pad", "queue-bus")
    assert memory.compare("pad", "queue-bus", 1, "version 2") == ""
    assert memory.compare("pad", "queue-bus", 2, "version 3") == "", "another address of the same device"
    assert json.loads(file.read_text()) == {"pad": {"driver": "queue-bus", "1": "version 2", "2": "version 3"}}
    again = Memory(file)
    assert again.knows("pad", "queue-bus")
    assert "known as 'version 2'" in again.compare("pad", "queue-bus", 1, "version 9")
    assert again.compare("pad", "polled-pad", 1, "version 9") == "", "with another driver it begins anew"
    file.write_text('{"pad": 7')
    assert not Memory(file).knows("pad", "polled-pad")
    blocked = Memory(tmp_path / "no folder" / "devices.json")
    assert blocked.compare("pad", "queue-bus", 1, "version 2") == ""
    assert blocked.compare("pad", "queue-bus", 1, "version 9"), "a disk that refuses takes nothing from the comparison"

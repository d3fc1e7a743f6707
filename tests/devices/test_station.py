"""The station on real cables: states, orders and their outcomes, pulled plugs, listeners and drivers that fail."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from waiting import still

from config.reader import Mistake
from devices import drivers
from devices.condition import Condition, State
from devices.conversation import WORDS, Conversation
from devices.links import LinkMistake
from devices.roles import (
    Alive,
    CodeScanned,
    Garbled,
    LinkDown,
    News,
    Obeyed,
    PaperNearEnd,
    PaperOut,
    PrintTest,
    Refused,
    Silent,
    StopScan,
    TriggerScan,
    Unconfirmed,
)
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

QUICK = (0.05, 0.1)
NEWLAND = {"trigger": "newland"}


def entry(link: str, options: dict[str, Any] | None = None, **more: Any) -> DeviceEntry:
    return DeviceEntry("scanner", "serial-scanner", link, NEWLAND if options is None else options, **more)


@pytest.fixture
def scanner(tmp_path: Path, closing: Any) -> SimulatedDevice:
    made: SimulatedDevice = closing(SimulatedDevice("serial-scanner", NEWLAND).on_pty(tmp_path / "scanner"))
    return made


def test_a_device_is_ready_only_after_it_has_answered(scanner: Any, diary: Any, until: Any, closing: Any) -> None:
    station = closing(Station([entry(scanner.link)], diary))
    until(lambda: station.state("scanner").state is State.READY and diary.of())
    assert diary.of() == [Alive()]
    silent = closing(SimulatedDevice("serial-scanner", NEWLAND, ["silent"]).on_tcp())
    other = closing(Station([DeviceEntry("mute", "serial-scanner", silent.link, NEWLAND)], diary))
    until(lambda: other.state("mute").counters.get("bytes_out"))
    assert other.state("mute").state is State.CONNECTING
    assert "not answered yet" in other.state("mute").reason


def test_a_device_that_cannot_answer_is_degraded_and_never_confirmed(
    tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    device = closing(SimulatedDevice("serial-scanner", {"trigger": "honeywell"}).on_pty(tmp_path / "scanner"))
    station = closing(Station([entry(device.link, {"trigger": "honeywell"})], diary))
    until(lambda: station.state("scanner").state is State.DEGRADED)
    assert "cannot answer" in station.state("scanner").reason
    outcome = station.send("scanner", TriggerScan()).result(5)
    assert isinstance(outcome, Unconfirmed)
    until(lambda: device.obeyed == [TriggerScan()])


def test_orders_are_done_one_after_the_other_and_each_outcome_names_its_order(
    scanner: Any, diary: Any, closing: Any
) -> None:
    station = closing(Station([entry(scanner.link)], diary))
    orders = [TriggerScan(id=f"o{i}") if i % 2 else StopScan(id=f"o{i}") for i in range(8)]
    outcomes = [future.result(10) for future in [station.send("scanner", order) for order in orders]]
    assert outcomes == [Obeyed(order=type(o).__name__, id=o.id) for o in orders]
    assert [type(o) for o in scanner.obeyed] == [type(o) for o in orders]


def test_an_order_without_a_number_gets_one(scanner: Any, diary: Any, closing: Any) -> None:
    station = closing(Station([entry(scanner.link)], diary))
    first, second = (station.send("scanner", TriggerScan()).result(10) for _ in range(2))
    assert first.id and second.id and first.id != second.id


def test_our_own_mistake_in_an_order_is_refused_with_a_sentence(scanner: Any, diary: Any, closing: Any) -> None:
    station = closing(Station([entry(scanner.link)], diary))
    outcome = station.send("scanner", PrintTest()).result(5)
    assert isinstance(outcome, Refused)
    assert "PrintTest" in outcome.reason
    with pytest.raises(KeyError, match="has no device 'printer'; it has: scanner"):
        station.send("printer", PrintTest())


def test_an_absent_device_refuses_at_once_and_says_who_should_do_what(
    tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    station = closing(Station([entry(f"serial://{tmp_path}/none")], diary, QUICK))
    until(lambda: station.state("scanner").state is State.ABSENT)
    began = time.monotonic()
    outcome = station.send("scanner", TriggerScan(id="t"), timeout=30).result(5)
    assert time.monotonic() - began < 1
    assert isinstance(outcome, Refused)
    assert outcome.id == "t"
    assert "check that the device is plugged in" in outcome.reason
    until(lambda: diary.of(LinkDown))
    assert [type(n) for n in diary.of(LinkDown)] == [LinkDown], "told once, however often it is tried"


def test_lost_and_back_are_each_told_once_on_the_same_path(scanner: Any, diary: Any, until: Any, closing: Any) -> None:
    station = closing(Station([entry(scanner.link)], diary, QUICK))
    until(lambda: station.state("scanner").state is State.READY)
    pulled = time.monotonic()
    scanner.unplug()
    until(lambda: station.state("scanner").state is State.ABSENT)
    assert time.monotonic() - pulled < 5
    attempts = time.monotonic() + 0.5
    until(lambda: time.monotonic() > attempts)
    scanner.plug()
    until(lambda: station.state("scanner").state is State.READY)
    until(lambda: len(diary.of()) >= 4)
    assert [(type(n), getattr(n, "over", None)) for n in diary.of()] == [
        (Alive, None),
        (LinkDown, False),
        (LinkDown, True),
        (Alive, None),
    ]
    scanner.happen(CodeScanned(text="again"))
    until(lambda: diary.of(CodeScanned))


def test_with_its_usual_patience_a_device_is_back_within_ten_seconds(
    scanner: Any, diary: Any, until: Any, closing: Any
) -> None:
    station = closing(Station([entry(scanner.link)], diary))
    until(lambda: station.state("scanner").state is State.READY)
    scanner.unplug()
    until(lambda: station.state("scanner").state is State.ABSENT, 5)
    scanner.plug()
    until(lambda: station.state("scanner").state is State.READY, 10)


def test_an_order_under_way_when_the_cable_goes_is_not_called_done(
    tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    device = closing(SimulatedDevice("serial-scanner", NEWLAND, ["late"]).on_pty(tmp_path / "scanner"))
    station = closing(Station([entry(device.link)], diary, QUICK))
    until(lambda: station.state("scanner").state is State.READY)
    under_way, waiting = (station.send("scanner", TriggerScan(id=i)) for i in "ab")
    until(lambda: device.obeyed)
    device.unplug()
    first, second = under_way.result(5), waiting.result(5)
    assert (type(first), first.id) == (Unconfirmed, "a")
    assert first.reason == "The cable went before the scanner answered.", "the driver knows best what was under way"
    assert (type(second), second.id) == (Refused, "b")


def test_an_order_always_gets_an_outcome_in_time(tmp_path: Path, diary: Any, until: Any, closing: Any) -> None:
    device = closing(SimulatedDevice("serial-scanner", NEWLAND, ["silent"]).on_pty(tmp_path / "scanner"))
    station = closing(Station([entry(device.link)], diary))
    first = station.send("scanner", TriggerScan(id="a"), timeout=0.3)
    second = station.send("scanner", TriggerScan(id="b"), timeout=0.3)
    outcomes = [future.result(3) for future in (first, second)]
    assert {type(o) for o in outcomes} <= {Unconfirmed, Refused}
    until(lambda: len(diary.of(Unconfirmed, Refused)) == 2)


def test_the_same_order_once_more_is_one_order_and_each_has_its_outcome(
    tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    """Whoever repeats a job whose answer is late must neither print it twice nor wait for ever."""
    device = closing(SimulatedDevice("serial-scanner", NEWLAND, ["silent"]).on_pty(tmp_path / "scanner"))
    station = closing(Station([entry(device.link)], diary))
    until(lambda: station.state("scanner").counters.get("opened"))
    orders = (TriggerScan(id="job"), TriggerScan(id="job"), StopScan(id="job"), TriggerScan(id="next"))
    first, again, other, after = (station.send("scanner", order, timeout=0.5) for order in orders)
    assert again is first
    assert isinstance(other.result(5), Refused) and "Another order is called 'job'" in other.result().reason
    outcomes = [future.result(5) for future in (first, after)]
    assert {type(one) for one in outcomes} <= {Unconfirmed, Refused}
    assert station.send("scanner", orders[0]).result(15) is not first.result(), "later it is an order of its own"


def test_words_of_what_passed_stay_short() -> None:
    talk = Conversation("pad", drivers.load("ascii-pad").Driver(), lambda device, news: None)
    talk.note("in", b"x", "键 key pressed；" * 1000)
    assert len(talk.exchanges[0].words) == WORDS


def test_what_passes_on_a_cable_is_kept_but_never_a_person(scanner: Any, diary: Any, until: Any, closing: Any) -> None:
    station = closing(Station([entry(scanner.link)], diary))
    until(lambda: station.state("scanner").state is State.READY)
    scanner.happen(CodeScanned(text="110101199003070134"))
    until(lambda: diary.of(CodeScanned))
    kept = station.exchanges("scanner")
    assert {e.direction for e in kept} == {"in", "out"}
    assert all(e.size > 0 and e.data == "" for e in kept)
    shown = str(station.state("scanner").to_json())
    assert "110101" not in shown
    assert station.state("scanner").counters["bytes_in"] >= 19


def test_the_bytes_of_other_devices_are_kept_in_hex(tmp_path: Path, diary: Any, until: Any, closing: Any) -> None:
    device = closing(SimulatedDevice("escpos-printer").on_pty(tmp_path / "printer"))
    station = closing(Station([DeviceEntry("printer", "escpos-printer", device.link)], diary))
    until(lambda: station.state("printer").state is State.READY)
    kept = station.exchanges("printer")
    assert (kept[0].direction, kept[0].data) == ("out", "100401")
    assert len(kept) <= 200


def test_noise_that_comes_and_goes_is_told_once(scanner: Any, diary: Any, until: Any, closing: Any) -> None:
    station = closing(Station([entry(scanner.link)], diary, calm=1.0))
    until(lambda: station.state("scanner").state is State.READY)
    for count in range(5):
        scanner.happen(CodeScanned(text="", hex="ffff"))
        _scan_until_told(count + 1, scanner, station, diary, until)
    assert diary.of(Garbled) == [Garbled()]
    assert station.state("scanner").state is State.DEGRADED
    until(lambda: station.state("scanner").state is State.READY and len(diary.of(Garbled)) > 1, 10)
    assert diary.of(Garbled) == [Garbled(), Garbled(over=True)]


def _scan_until_told(wanted: int, scanner: Any, station: Station, diary: Any, until: Any) -> None:
    """Lay a code down again until so many are told; in the midst of noise none is. A pause ends each code."""

    def told() -> bool:
        scanner.happen(CodeScanned(text="ok"))
        until(still(lambda: station.state("scanner").counters["bytes_in"], 0.15))
        return len(diary.of(CodeScanned)) >= wanted

    until(told)


def test_a_switched_off_device_is_left_alone(scanner: Any, diary: Any, closing: Any) -> None:
    station = closing(Station([entry(scanner.link, enabled=False)], diary))
    assert station.state("scanner").state is State.DISABLED
    assert "switched off" in station.send("scanner", TriggerScan()).result(1).reason
    assert diary.told == []


def test_a_listener_that_fails_or_dawdles_does_not_hold_up_the_device(
    scanner: Any, until: Any, closing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[News] = []
    go_on = threading.Event()

    def listener(_: str, news: News) -> None:
        told.append(news)
        go_on.wait(10)
        raise RuntimeError("a listener's mistake")

    station = closing(Station([entry(scanner.link)], listener))
    outcomes = [station.send("scanner", TriggerScan()).result(5) for _ in range(3)]
    assert {type(o) for o in outcomes} == {Obeyed}
    assert len(told) == 1
    go_on.set()
    until(lambda: len(told) == 4)
    assert [type(n) for n in told] == [Alive, Obeyed, Obeyed, Obeyed]
    assert station.state("scanner").state is State.READY
    assert "our own mistake while telling Alive of scanner" in caplog.text


def test_a_driver_that_fails_takes_only_its_own_device_down(scanner: Any, diary: Any, until: Any, closing: Any) -> None:
    options = {"trigger": "newland"}
    station = Station([entry(scanner.link, options), DeviceEntry("other", "serial-scanner", "sim:", NEWLAND)], diary)
    closing(station)
    until(lambda: {s.state for s in station.states()} == {State.READY})
    _, talk = station._talks["scanner"]
    talk.driver.set_up = None  # a driver's bug, as real as we can make one
    scanner.happen(CodeScanned(text="x"))
    until(lambda: station.state("scanner").state is State.ERROR)
    assert "A fault in our own program (AttributeError" in station.state("scanner").reason
    assert isinstance(station.send("scanner", TriggerScan()).result(5), Refused)
    assert isinstance(station.send("other", TriggerScan()).result(5), Obeyed)


def test_closing_ends_every_thread_and_refuses_what_waits(scanner: Any, diary: Any, until: Any) -> None:
    before = set(threading.enumerate())
    station = Station([entry(scanner.link)], diary)
    until(lambda: station.state("scanner").state is State.READY)
    station.close()
    assert set(threading.enumerate()) <= before
    assert isinstance(station.send("scanner", TriggerScan()).result(1), Refused)


def test_a_closed_station_opens_nothing_any_more(scanner: Any, diary: Any) -> None:
    """Somebody saves on the page while the program ends."""
    before = set(threading.enumerate())
    station = Station([], diary)
    station.close()
    assert station.apply([entry(scanner.link)]) == [] and station.states() == []
    assert set(threading.enumerate()) <= before


def test_an_in_process_simulator_needs_no_cable(diary: Any, closing: Any) -> None:
    station = closing(Station([entry("sim:")], diary))
    assert isinstance(station.send("scanner", TriggerScan()).result(5), Obeyed)


@pytest.mark.parametrize(
    ("entries", "error", "said"),
    [
        ([entry("sim:"), entry("sim:")], Mistake, "two are called 'scanner'"),
        (
            [entry("serial:///dev/x"), DeviceEntry("second", "serial-scanner", "serial:///dev/x")],
            Mistake,
            "scanner, second name the same cable",
        ),
        ([DeviceEntry("x", "tea-kettle", "sim:")], Mistake, "x.driver: no driver is called 'tea-kettle'"),
        ([entry("sim:", {"suffix": 7})], Mistake, "scanner.options.suffix: expected text, got 7"),
        ([entry("sim:", {"sufix": "cr"})], Mistake, "scanner.options.sufix: is not known here"),
        ([entry("carrier-pigeon:")], LinkMistake, "no kind of link"),
    ],
)
def test_mistakes_of_the_configuration_are_told_before_anything_is_opened(
    entries: list[DeviceEntry], error: type[Exception], said: str, diary: Any
) -> None:
    with pytest.raises(error) as wrong:
        Station(entries, diary)
    assert said in str(wrong.value)


def test_another_configuration_touches_only_what_changed(
    scanner: Any, tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    """Seen from the devices' side: the one that stays never has its cable dropped or its talk begun anew."""
    other = closing(SimulatedDevice("serial-scanner", NEWLAND).on_tcp())
    stays, goes = entry(scanner.link), DeviceEntry("other", "serial-scanner", other.link, NEWLAND)
    station = closing(Station([stays, goes], diary))
    until(lambda: {s.state for s in station.states()} == {State.READY} and len(diary.of(Alive)) == 2)
    changed = DeviceEntry("other", "serial-scanner", other.link, {"trigger": "honeywell"})
    fresh = DeviceEntry("fresh", "serial-scanner", "sim:", NEWLAND)
    assert station.apply([fresh, stays, changed]) == ["fresh", "other"]
    assert [s.name for s in station.states()] == ["fresh", "scanner", "other"]
    until(lambda: station.state("other").state is State.DEGRADED and station.state("fresh").state is State.READY)
    assert station.state("scanner").counters["opened"] == 1
    assert diary.told.count(("scanner", Alive())) == 1
    assert isinstance(station.send("scanner", TriggerScan()).result(5), Obeyed)
    assert station.apply([stays]) == ["fresh", "other"]
    with pytest.raises(KeyError, match="has no device 'fresh'; it has: scanner"):
        station.state("fresh")
    assert station.apply([stays]) == []


def test_a_configuration_that_cannot_be_leaves_everything_as_it_was(scanner: Any, until: Any, closing: Any) -> None:
    threads = set(threading.enumerate())
    station = closing(Station([entry(scanner.link)], lambda device, news: None))
    until(lambda: station.state("scanner").state is State.READY)
    running = set(threading.enumerate())
    for wrong, said in (
        ([entry("sim:"), entry("sim:")], "two are called"),
        ([DeviceEntry("x", "tea-kettle", "sim:")], "no driver is called"),
        ([entry("sim:", {"sufix": "cr"})], "is not known here"),
    ):
        with pytest.raises(Mistake, match=said):
            station.apply(wrong)
    assert isinstance(station.send("scanner", TriggerScan()).result(5), Obeyed)
    assert set(threading.enumerate()) == running
    station.apply([])
    assert set(threading.enumerate()) <= threads


def test_a_device_that_changes_its_cable_can_take_over_anothers(
    scanner: Any, tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    """The old owner is closed before the new one opens: the port is never asked for twice."""
    station = closing(Station([entry(scanner.link)], diary))
    until(lambda: station.state("scanner").state is State.READY)
    station.apply([DeviceEntry("renamed", "serial-scanner", scanner.link, NEWLAND)])
    until(lambda: station.state("renamed").state is State.READY)
    assert diary.of(LinkDown) == []


# ---- the condition, without any cable ------------------------------------------------------------------------


def state_after(*news: News, answers: bool = True) -> tuple[State, str]:
    condition = Condition(answers)
    condition.opened()
    for one in news:
        condition.hear(one)
    return condition.state


def test_trouble_makes_the_state() -> None:
    assert state_after()[0] is State.CONNECTING
    assert state_after(Alive()) == (State.READY, "")
    assert state_after(Alive(), PaperOut()) == (State.ERROR, "缺纸 paper out")
    assert state_after(Alive(), PaperNearEnd()) == (State.DEGRADED, "纸将尽 paper near end")
    assert state_after(Alive(), PaperOut(), PaperNearEnd(), PaperOut(over=True))[0] is State.DEGRADED
    assert state_after(Alive(), Garbled())[0] is State.DEGRADED
    assert state_after(Alive(), Silent())[0] is State.ABSENT
    assert state_after(Alive(), Silent(), Silent(over=True), Alive())[0] is State.READY
    assert state_after(answers=False)[0] is State.DEGRADED


def test_one_pad_of_several_that_fails_only_degrades_the_line() -> None:
    assert state_after(Alive(address=1), Alive(address=2), Silent(address=2))[0] is State.DEGRADED
    assert state_after(Alive(address=1), Silent(address=1), Silent(address=2))[0] is State.ABSENT


def test_each_trouble_is_worth_telling_once() -> None:
    condition = Condition(True)
    condition.opened()
    told = [condition.hear(n) for n in (PaperOut(over=True), PaperOut(), PaperOut(), PaperOut(address=2))]
    assert told == [False, True, False, True]
    assert condition.absent("gone") == [
        LinkDown(reason="gone"),
        PaperOut(over=True),
        PaperOut(address=2, over=True),
    ]
    assert condition.absent("still gone") == []
    assert condition.state == (State.ABSENT, "still gone")
    assert condition.opened() == [LinkDown(over=True)]

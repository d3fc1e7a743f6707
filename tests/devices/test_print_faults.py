"""Printers, boards and the reader's HID on bad lines: never told as done when it was not, never done twice, well again.

Every device of this room's newer kinds sits on a cable of its own at the same time, so that a fault costs seconds once.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from devices import drivers
from devices.condition import State
from devices.options import read_options
from devices.orders import Outcome
from devices.roles import (
    Call,
    CardPresented,
    CardRemoved,
    News,
    Obeyed,
    Order,
    PrintDocument,
    PrintSlip,
    ReadCard,
    Refused,
    ShowCalls,
    ShowWelcome,
    Unconfirmed,
)
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

QUICK = (0.05, 0.1, 0.2)
SLIP = PrintSlip(hall="政务服务中心", service="社会保险", number="A007", ahead=3, url="https://hall.example/t/1")
SHEETS = PrintDocument(title="告知单", pdf=b"%PDF-1.4\n%%EOF\n")
CALLS = ShowCalls(calls=(Call(number="A007", window=3), Call(number="A006", window=1)))
CARD = CardPresented(
    kind="citizen", name="张三丰", id_number="110101199003070134", sex="男", nation="汉", birth="19900307",
    address_text="北京市", authority="公安局", start="20200101", end="长期",
)  # fmt: skip
FAST = {"poll_seconds": 1.0, "confirm_seconds": 1.0}


class Case(NamedTuple):
    """A device, how it is set up, and what it is asked to do."""

    driver: str
    options: dict[str, Any]
    order: Order


CASES = {
    "printer dle-eot": Case("escpos-printer", {**FAST, "status": "dle-eot"}, SLIP),
    "printer asb": Case("escpos-printer", {**FAST, "status": "asb"}, SLIP),
    "printer esc-v": Case("escpos-printer", {**FAST, "status": "esc-v", "qr": "raster"}, SLIP),
    "printer both": Case("escpos-printer", {**FAST, "status": "both"}, SLIP),
    "printer silent": Case("escpos-printer", {"status": "none"}, SLIP),
    "sheets": Case("cups-printer", {"poll_seconds": 1.0, "answer_seconds": 0.5, "confirm_seconds": 5.0}, SHEETS),
    "board pingan": Case("pingan-strip", {**FAST, "text_profile": "combined"}, CALLS),
    "board zhongyi": Case("zhongyi-strip", {"confirm_seconds": 1.0, "addresses": [1, 2], "as_board": True}, CALLS),
    "board kuiwen": Case("kuiwen-strip", {"screen": "combined", "addresses": [1, 2]}, CALLS),
    "board onbon": Case("onbon-bx", {**FAST, "board_rows": 2}, CALLS),
    "board dual": Case("onbon-bx-dual", {**FAST, "width": 128, "board_rows": 2}, CALLS),
}
# Where the line only disturbs what comes back, these kinds find the truth all the same.
DONE_ALL_THE_SAME = {"noise": ("board", "sheets"), "twice": ("printer dle-eot", "printer asb", "board", "sheets")}


class Bench:
    """Every case with every one of some faults, each on a cable of its own; keys are (fault, case)."""

    def __init__(self, folder: Path, faults: tuple[str, ...], tell: Any) -> None:
        self.keys = [(fault, name) for fault in faults for name in CASES]
        self.devices: dict[tuple[str, str], SimulatedDevice] = {}
        entries = []
        for fault, name in self.keys:
            case = CASES[name]
            device = SimulatedDevice(case.driver, case.options, [fault])
            sheets = case.driver == "cups-printer"
            made = device.on_tcp() if sheets else device.on_pty(folder / f"{fault} {name}".replace(" ", "-"))
            self.devices[fault, name] = made
            link = made.link.replace("socket:", "ipp:") if sheets else made.link
            entries.append(DeviceEntry(f"{fault}: {name}", case.driver, link, case.options))
        self.station = Station(entries, tell, QUICK, calm=0.3)

    def state(self, key: tuple[str, str]) -> Any:
        return self.station.state(": ".join(key))

    def order(self, seconds: float) -> dict[tuple[str, str], Outcome]:
        """Everybody is asked at the same moment; what each says became of it."""
        asked = {key: self.station.send(": ".join(key), CASES[key[1]].order, timeout=seconds) for key in self.keys}
        return {key: future.result(seconds + 5) for key, future in asked.items()}

    def close(self) -> None:
        self.station.close()
        for device in self.devices.values():
            device.close()


def never_answers(name: str) -> bool:
    case = CASES[name]
    return not drivers.load(case.driver).Driver(read_options(case.driver, case.options)).answers


@pytest.mark.parametrize("faults", [("half", "silent", "bad-checksum"), ("noise", "twice", "late", "die-mid-frame")])
def test_each_order_ends_honestly_and_the_device_is_well_again(
    faults: tuple[str, ...], tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    hall = closing(Bench(tmp_path, faults, diary))
    until(lambda: all(hall.state(key).counters.get("opened") for key in hall.keys))
    outcomes = hall.order(20.0)
    time_to_finish = time.monotonic() + 1.0  # what is under way to a slow device arrives
    until(lambda: time.monotonic() > time_to_finish)
    for key, outcome in outcomes.items():
        fault, name = key
        done = list(hall.devices[key].obeyed)
        if isinstance(outcome, Obeyed):
            assert done, f"{key}: told as done, and it was not"
        if isinstance(outcome, Refused):
            assert not done, f"{key}: told as not done, and it was"
        if not name.startswith("board"):  # to be shown the same twice harms no board
            assert len(done) <= 1, f"{key}: done twice"
        if any(name.startswith(kind) for kind in DONE_ALL_THE_SAME.get(fault, ())) and not never_answers(name):
            assert isinstance(outcome, Obeyed), f"{key}: {outcome}"
    for device in hall.devices.values():
        device.spoil()
        device.obeyed.clear()

    def well(key: tuple[str, str]) -> bool:
        return bool(hall.state(key).state is (State.DEGRADED if never_answers(key[1]) else State.READY))

    until(lambda: all(well(key) for key in hall.keys), 25)
    again = hall.order(20.0)
    assert {key: type(one) for key, one in again.items()} == {
        key: Unconfirmed if never_answers(key[1]) else Obeyed for key in hall.keys
    }
    printed = [key for key in hall.keys if not key[1].startswith("board")]
    until(lambda: all(len(hall.devices[key].obeyed) == 1 for key in printed), 5)


def test_a_bench_that_is_put_away_leaves_no_thread_and_no_descriptor_behind(tmp_path: Path, diary: Any) -> None:
    me = psutil.Process()
    for n in range(3):
        if n == 1:  # the first time, libraries open what they keep
            before = (threading.active_count(), me.num_fds(), me.memory_info().rss)
        folder = tmp_path / str(n)
        folder.mkdir()
        hall = Bench(folder, ("noise",), diary)
        hall.order(10.0)
        hall.close()
    after = (threading.active_count(), me.num_fds(), me.memory_info().rss)
    assert after[:2] == before[:2]
    assert after[2] - before[2] < 20_000_000


WRONG = [
    ("escpos-printer", "pingan-strip"),
    ("escpos-printer", "ga467-reader"),
    ("pingan-strip", "escpos-printer"),
    ("onbon-bx-dual", "escpos-printer"),
    ("onbon-bx-dual", "onbon-bx"),
    ("onbon-bx", "onbon-bx-dual"),
    ("cups-printer", "escpos-printer"),
    ("ga467-reader", "cups-printer"),
    ("zhongyi-strip", "pingan-strip"),
]


def test_a_wrong_driver_on_a_port_is_never_ready_and_nothing_is_told_as_done(
    tmp_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    entries, devices = [], {}
    for n, (driver, other) in enumerate(WRONG):
        device = closing(SimulatedDevice(other))
        devices[f"{driver} on {other}"] = device
        if driver == "cups-printer":
            link = device.on_tcp().link.replace("socket:", "ipp:")
        else:
            link = device.on_pty(tmp_path / str(n)).link
        options = {"answer_seconds": 0.5} if driver == "cups-printer" else {}
        entries.append(DeviceEntry(f"{driver} on {other}", driver, link, options))
    station = closing(Station(entries, diary, QUICK))
    orders = {
        "escpos-printer": SLIP,
        "cups-printer": SHEETS,
        "ga467-reader": ReadCard(),
    }
    until(lambda: all(station.state(e.name).counters.get("opened") for e in entries))
    asked = {e.name: station.send(e.name, orders.get(e.driver, ShowWelcome()), 12.0) for e in entries}
    for name, future in asked.items():
        assert not isinstance(future.result(20), Obeyed), name
    for e in entries:
        assert station.state(e.name).state is not State.READY, e.name


def test_a_card_over_hid_on_a_bad_line_is_told_once(tmp_path: Path, until: Any, closing: Any, diary: Any) -> None:
    heard: dict[str, list[News]] = {}
    readers, entries = {}, []
    for framing in ("hid", "hid-stripped"):
        for fault in ("noise", "twice", "late", "half", "bad-checksum"):
            name, options = f"{framing}-{fault}", {"framing": framing}
            readers[name] = closing(SimulatedDevice("ga467-reader", options, [fault]).on_pty(tmp_path / name))
            entries.append(DeviceEntry(name, "ga467-reader", readers[name].link, options))
            heard[name] = []
            readers[name].happen(CARD)
    station = closing(Station(entries, lambda name, news: heard[name].append(news), QUICK, calm=0.3))

    def all_have(kind: type[News]) -> bool:
        return all(any(isinstance(n, kind) for n in news) for news in heard.values())

    until(lambda: all(station.state(name).counters.get("bytes_in", 0) > 100 for name in readers), 20)
    for reader in readers.values():
        reader.spoil()
    until(lambda: all(station.state(name).state is State.READY for name in readers), 20)
    until(lambda: all_have(CardPresented), 20)
    for reader in readers.values():
        reader.happen(CardRemoved())
    until(lambda: all_have(CardRemoved), 20)
    for name, news in heard.items():
        assert [n for n in news if isinstance(n, CardPresented)] == [CARD], name

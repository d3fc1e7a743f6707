"""One machine with 24 simulated devices of all drivers, 8 of them on one RS-485 line, under traffic with faults.

    ./bianmin bench --only devices_soak --minutes 60

The devices sit on real cables in a process of their own, so that what is measured is the station alone. Everything that
happens at a device must be told once, in order; every order said to be done must have been done; the station takes less
than a quarter of one core and holds no more memory at the end than after its first minutes.

Where a fault makes bytes unreadable or pulls the plug, nothing happens at that device meanwhile: what a cable swallowed
nobody can tell. Where it only makes them come badly (in pieces, twice, with noise before), things go on happening.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from benchmarks.row import Row
from config.reader import fields_of
from devices import drivers, roles
from devices.roles import Alive, FrameSeen, News, Obeyed, Order, Refused, Trouble, Unconfirmed
from devices.simulate import SimulatedDevice, SimulatedLine, simulator_of
from devices.station import DeviceEntry, Outcome, Station

ALL, ON_LINE = 24, 8
MINUTES = 1.0
SETTLED = 720.0  # seconds after which what is kept for a technician is full: 200 exchanges, one each `EVERY` seconds
EVERY = 3.0  # seconds between two things that happen at one device, and between two orders to it
CORE, MEMORY = 25.0, 5.0  # % of one core; MB
BADLY = ("split", "twice", "noise")  # what comes badly still comes
BROKEN = ("silent", "bad-checksum", "half", "babble", "unplugged")
# What lasts is told anew when a cable comes back: a card that still lies there, a roll that is still low. So it must
# have ended before a cable is broken, or it could not be told apart from news told twice.
LASTING = (("CardPresented", "110101199003070134"), ("PaperNearEnd", False))
FAULT, REST = 2.0, 4.0  # seconds a fault lasts, and seconds until a device is trusted again

CARD = roles.CardPresented(
    kind="citizen", name="测试", id_number="110101199003070134", sex="女", nation="汉", birth="19900307",
    address_text="测试市示例区样板路1号", authority="测试市公安局", start="20200101", end="20400101",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """One device: on the line, on a cable of its own, or, where its cable cannot be simulated, in the station."""

    name: str
    driver: str
    options: dict[str, Any] = field(default_factory=dict)
    where: str = "pty"


def places() -> list[Place]:
    """Every driver at least once, the ones that fit on the line first; then again from the beginning."""
    known = drivers.names()
    addressed = [name for name in known if _fits_on_line(name)]
    found = [
        Place(f"line {n} {name}", name, {"addresses": [n]}, "line")
        for n, name in enumerate((addressed * ON_LINE)[:ON_LINE], start=1)
    ]
    alone = [name for name in known if name not in {place.driver for place in found}] + known
    while len(found) < ALL:
        name = alone.pop(0)
        wired = {"serial", "socket"} & set(drivers.load(name).Driver.links)
        found.append(Place(f"{len(found):02d} {name}", name, {}, "pty" if wired else "sim"))
    return found


def _faults(driver: str) -> tuple[str, ...]:
    """What can become of its cable so that its driver can know it.

    A code has no checksum and no beginning, nor has a pad's single character: what comes badly is another one. The
    kernel's key events come from memory and not over a wire: they come, or the device is gone.
    """
    if "evdev" in drivers.load(driver).Driver.links and "serial" not in drivers.load(driver).Driver.links:
        return ("silent", "unplugged")
    has = {role.name for role in drivers.load(driver).Driver.roles}
    if "ticket-printer" in has:  # its status is a single byte: what the noise says is a status too
        return ("split", "twice", *BROKEN)
    return ("split", *BROKEN) if "code-scanner" in has or driver == "ascii-pad" else (*BADLY, *BROKEN)


def _fits_on_line(name: str) -> bool:
    driver = drivers.load(name).Driver
    return "serial" in driver.links and driver.baud == 9600 and "addresses" in fields_of(driver.Options)


def happenings(driver: str, address: int) -> Iterator[News]:
    """What happens at a device, each time another thing; nothing at those that only listen."""
    has = {role.name for role in drivers.load(driver).Driver.roles}
    for n in range(1, 1_000_000):
        if "code-scanner" in has:
            yield roles.CodeScanned(text=f"https://hall.example/t/{n:06d}")
        elif "id-reader" in has:
            yield CARD if n % 2 else roles.CardRemoved()
        elif "ticket-printer" in has:
            yield roles.PaperNearEnd(over=n % 2 == 0)
        elif driver == "polled-pad" and n % 2:
            # A wish for a number ends with the next key, and "P" is a recall and a receipt: neither can be counted.
            yield roles.KeyPressed(key=roles.Key.TRANSFER, address=address)
        elif "call-pad" in has and n % 2:
            yield roles.KeyPressed(key=(roles.Key.CALL_NEXT, roles.Key.RECALL)[n // 2 % 2], address=address)
        elif "evaluator" in has:
            yield roles.Rated(grade=1 + n // 2 % 5, address=address)
        else:
            return


def order(driver: str, address: int, n: int) -> Order | None:
    """An order for a device, its number in it where there is one."""
    has = {role.name for role in drivers.load(driver).Driver.roles}
    n %= 50  # few enough to be counted for hours
    number = f"A{n:03d}"
    if "window-screen" in has:
        return roles.ShowCall(number=number, window=1 + n % 9, address=address)
    if "ticket-printer" in has:
        return roles.PrintSlip(hall="大厅", service="社会保险", number=number, ahead=n % 7)
    if "call-pad" in has and not drivers.load(driver).Driver().lacks(roles.ShowNumber):
        return roles.ShowNumber(number=f"{n:03d}", waiting=n % 20, address=address)
    if "camera" in has:
        return roles.TakeStill()
    return None


def essence(record: News | Order) -> tuple[Any, ...]:
    """What must be the same on both sides; each family words the rest in its own way."""
    kept = ("text", "id_number", "key", "grade", "over", "number", "window", "waiting")
    return (type(record).__name__, *(getattr(record, key) for key in kept if hasattr(record, key)))


# ---- the devices' side, in a process of its own ------------------------------------------------------------------


class FarEnd:
    """All devices that have a cable, what happens to them, and their faults."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.dice = random.Random(seed)
        self.places = [place for place in places() if place.where != "sim"]
        on_line = {p.name: (p.driver, p.options) for p in self.places if p.where == "line"}
        self.line = SimulatedLine(on_line).on_pty(folder / "line")
        self.alone = {
            p.name: SimulatedDevice(p.driver, p.options).on_pty(folder / p.name)
            for p in self.places
            if p.where == "pty"
        }
        self.events = {p.name: happenings(p.driver, _address(p)) for p in self.places}
        self.happened: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self.due = {p.name: time.monotonic() + self.dice.uniform(1, EVERY) for p in self.places}
        self.last = dict.fromkeys(self.due, 0.0)  # when something happened at a device
        self.faulty: dict[int, tuple[SimulatedDevice, float]] = {}  # by the identity of the cable: until when
        self.untrusted: dict[str, float] = {}
        self.faults: Counter[str] = Counter()

    def step(self) -> None:
        """A moment: what is due happens, faults begin and end."""
        now = time.monotonic()
        for place in self.places:
            if now >= self.due[place.name] and now >= self.untrusted.get(place.name, 0.0):
                self.due[place.name] = now + self.dice.uniform(0.7, 1.3) * _every(place)
                self.last[place.name] = now
                self._happen(place)
        for key, (cable, until) in list(self.faulty.items()):
            if now >= until:
                cable.spoil()
                cable.plug()
                del self.faulty[key]
        if self.dice.random() < 0.05:
            self._spoil(now)

    def _happen(self, place: Place) -> None:
        news = next(self.events[place.name], None)
        if news is None:
            self.due[place.name] = float("inf")
            return
        self.happened[place.name].append(essence(news))
        if place.where == "line":
            self.line.happen_at(place.name, news)
        else:
            self.alone[place.name].happen(news)

    def _spoil(self, now: float) -> None:
        place = self.dice.choice(self.places)
        cable = self.line if place.where == "line" else self.alone[place.name]
        on_it = [p for p in self.places if p.where == "line"] if place.where == "line" else [place]
        if id(cable) in self.faulty or any(now < self.untrusted.get(p.name, 0.0) for p in on_it):
            return
        fault = self.dice.choice(_faults(place.driver))
        if fault in BROKEN:
            if any(now < self.last[p.name] + _settled(p) for p in on_it):
                return  # something has just happened there and may still be on its way
            if any(self.happened.get(p.name, [None])[-1] in LASTING for p in on_it):
                return
            self.untrusted.update({p.name: now + FAULT + REST + 2.0 for p in on_it})
        if fault == "unplugged":
            cable.unplug()
        else:
            cable.spoil(fault)
        self.faulty[id(cable)] = (cable, now + FAULT)
        self.faults[fault] += 1

    def obeyed(self) -> dict[str, list[tuple[Any, ...]]]:
        """What each device has done."""
        done = {name: [essence(o) for o in orders] for name, orders in self.line.done.items()}
        return {**done, **{name: [essence(o) for o in device.obeyed] for name, device in self.alone.items()}}

    def close(self) -> None:
        """Pull every cable."""
        for device in (self.line, *self.alone.values()):
            device.spoil()
            device.close()


def far_end(folder: str, pipe: Connection) -> None:
    """The process of the devices: until told to be quiet, then until told to end."""
    end = FarEnd(Path(folder))
    pipe.send(True)
    while not pipe.poll(0.02):
        end.step()
    pipe.recv()
    for cable, _ in end.faulty.values():
        cable.spoil()
        cable.plug()
    pipe.send((dict(end.happened), dict(end.faults)))
    pipe.recv()
    pipe.send(end.obeyed())
    end.close()


def _every(place: Place) -> float:
    """A paper roll changes slowly: what came and went between two questions nobody can tell."""
    return EVERY * 4 if "printer" in place.driver else EVERY


def _settled(place: Place) -> float:
    """Seconds until what has happened has certainly been asked for, repeated and told."""
    return 7.0 if "printer" in place.driver else 1.5


# ---- the station's side ------------------------------------------------------------------------------------------


@dataclass
class Soaked:
    """What came of it. Memory in MB, `core` in % of one core."""

    seconds: float
    happened: int
    told: int
    wrong: list[str]
    orders: dict[str, int]
    faults: dict[str, int]
    core: float
    memory: tuple[float, float]


def _address(place: Place) -> int:
    return int(place.options.get("addresses", [0])[0]) if place.where == "line" else 0


def entries(folder: Path) -> list[DeviceEntry]:
    """The machine's configuration."""
    links = {"line": f"serial://{folder / 'line'}", "sim": "sim:"}
    return [
        DeviceEntry(
            p.name, p.driver, links.get(p.where, f"serial://{folder / p.name}"), p.options, bus=p.where == "line"
        )
        for p in places()
    ]


def soak(minutes: float) -> Soaked:
    """Run it."""
    told: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    same: dict[tuple[Any, ...], tuple[Any, ...]] = {}  # an hour of news must not look like a leak of the station's
    apart = (Alive, FrameSeen, roles.StillTaken, Obeyed, Refused, Unconfirmed)
    near_end = roles.PaperNearEnd

    def tell(name: str, news: News) -> None:
        if not isinstance(news, apart) and (not isinstance(news, Trouble) or isinstance(news, near_end)):
            one = essence(news)
            told[name].append(same.setdefault(one, one) if len(same) < 1000 else one)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spawn = multiprocessing.get_context("spawn")
        pipe, theirs = spawn.Pipe()
        process = spawn.Process(target=far_end, args=(name, theirs), daemon=True)
        process.start()
        pipe.recv()
        with Station(entries(folder), tell, calm=1.0) as station:
            sent, figures = _drive(station, minutes * 60)
            pipe.send("be quiet")
            happened, faults = pipe.recv()
            _wait_until_told(happened, told)
            heard = {name: list(news) for name, news in told.items()}  # now every cable is pulled, and that is news too
            pipe.send("that was all")
            obeyed = pipe.recv()
        process.join(10)
    wrong = [*_news_wrong(happened, heard), *_orders_wrong(sent, obeyed)]
    return Soaked(
        seconds=figures[0],
        happened=sum(map(len, happened.values())),
        told=sum(len(heard.get(name, [])) for name in happened),
        wrong=wrong,
        orders=dict(sent.outcomes),
        faults=faults,
        core=figures[1],
        memory=figures[2],
    )


class Sent:
    """What was ordered and what came of it, counted: an hour of it must not look like a leak of the station's."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.sent: Counter[tuple[str, tuple[Any, ...]]] = Counter()
        self.done: Counter[tuple[str, tuple[Any, ...]]] = Counter()
        self.waiting: list[tuple[str, Order, Future[Outcome]]] = []

    def send(self, station: Station, place: Place, n: int) -> None:
        """One more order."""
        given = order(place.driver, _address(place), n)
        assert given is not None
        self.sent[place.name, essence(given)] += 1
        self.waiting.append((place.name, given, station.send(place.name, given, timeout=20)))

    def settle(self, patience: float = 0.0) -> None:
        """Count what has an outcome."""
        still = []
        for name, given, future in self.waiting:
            if not future.done() and not patience:
                still.append((name, given, future))
                continue
            outcome = future.result(patience)
            self.outcomes[type(outcome).__name__.lower()] += 1
            self.done[name, essence(given)] += isinstance(outcome, Obeyed)
        self.waiting = still


def _drive(station: Station, seconds: float) -> tuple[Sent, tuple[float, float, tuple[float, float]]]:
    """Send orders for so long, and look at ourselves. What is kept for the technician fills in the first minutes."""
    us, sent, n, early = psutil.Process(), Sent(), 0, 0.0
    wanted = [place for place in places() if order(place.driver, 0, 1) is not None]
    began, used = time.monotonic(), sum(us.cpu_times()[:2])
    while (now := time.monotonic()) - began < seconds:
        sent.send(station, wanted[n % len(wanted)], n // len(wanted))
        sent.settle()
        n += 1
        if not early and now - began > min(SETTLED, seconds / 2):
            early = _held(us)
        time.sleep(EVERY / len(wanted))
    took = time.monotonic() - began
    core = 100 * (sum(us.cpu_times()[:2]) - used) / took
    late = _held(us)
    sent.settle(40.0)
    return sent, (took, core, (early, late))


def _held(process: psutil.Process) -> float:
    gc.collect()
    return float(process.memory_info().rss) / 1e6


def _wait_until_told(happened: dict[str, list[Any]], told: dict[str, list[Any]]) -> None:
    """What was under way arrives; a while longer, so that what would be told twice is."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and any(len(told[name]) < len(events) for name, events in happened.items()):
        time.sleep(0.1)
    time.sleep(3)


def _news_wrong(happened: dict[str, list[Any]], told: dict[str, list[Any]]) -> list[str]:
    """A sentence for each device whose news are not what happened."""
    wrong = []
    for name in sorted({*happened, *told}):
        real, heard = happened.get(name, []), told.get(name, [])
        if real == heard or name not in happened:
            continue
        at = next((i for i, (a, b) in enumerate(zip(real, heard, strict=False)) if a != b), min(len(real), len(heard)))
        apart = f"{real[at : at + 2]} and {heard[at : at + 2]}"
        wrong.append(f"{name}: {len(real)} happened, {len(heard)} told; first apart at {at}: {apart}")
    return wrong


def _orders_wrong(sent: Sent, obeyed: dict[str, list[Any]]) -> list[str]:
    """A sentence for each order whose outcome is not true. Screens may be told the same again; paper may not."""
    wrong = []
    for (name, given), times in sent.sent.items():
        if name not in obeyed:
            continue
        real, said = obeyed[name].count(given), sent.done[name, given]
        if real < said:
            wrong.append(f"{name}: {given} is said to be done {said} times and was {real} times")
        if given[0] == "PrintSlip" and real > times:
            wrong.append(f"{name}: {given} came out {real} times and was ordered {times} times")
    return wrong


def rows(minutes: float = MINUTES) -> Iterable[Row]:
    """The figures."""
    simulator_of("queue-bus")  # imported before anything is measured
    result = soak(minutes)
    orders = ", ".join(f"{count} {what}" for what, count in sorted(result.orders.items()))
    faults = ", ".join(f"{count} {what}" for what, count in sorted(result.faults.items()))
    yield Row(
        what=f"soak: {ALL} devices, {ON_LINE} on one line, {result.seconds / 60:.1f} min",
        ours=len(result.wrong),
        unit="lost, doubled or untrue",
        aim="0",
        met=not result.wrong,
        note="; ".join(
            [f"{result.happened} happened, {result.told} told; orders: {orders}; faults: {faults}", *result.wrong[:5]]
        ),
    )
    yield Row(
        what="soak: the station", ours=result.core, unit="% of a core", aim=f"< {CORE:g} %", met=result.core < CORE
    )
    grown = result.memory[1] - result.memory[0]
    yield Row(
        what="soak: memory grown since its buffers are full",
        ours=grown,
        unit="MB",
        aim=f"< {MEMORY:g} MB",
        met=grown < MEMORY,
        note=f"{result.memory[0]:.1f} MB, then {result.memory[1]:.1f} MB",
    )

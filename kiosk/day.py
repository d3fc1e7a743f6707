"""A day in the life of a hall: simulated citizens and clerks who use the same doors as real ones.

Citizens take numbers as the kiosk does, wait until a strip shows them, sit, and press a grade on the evaluator's wire.
Clerks press the keys of their pads on the wire and look at nothing but their strip. Nothing here reads the hall's
database; what the hall tells is compared at the end with what people saw.

Time runs `speed` times as fast as in life: a service of four minutes takes four seconds at speed 60.
"""

from __future__ import annotations

import json
import queue
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

HOURS = 8.0
GIVEN_UP = 20.0  # real seconds a clerk waits for the strip to show an answer before pressing the key again


@dataclass(frozen=True)
class Citizen:
    """One visitor, decided before the day begins. Times in seconds of the simulated day."""

    at: float
    queue: str
    service: float  # how long the visit takes
    claim: str | None  # a priority class claimed at the kiosk
    comes: bool  # False: walks away before being called
    rejoins: bool  # comes back to the kiosk after being passed
    grade: int | None  # the key pressed on the evaluator; None: none
    twice: bool  # presses it twice


def plan_day(
    n: int, queues: Sequence[str], clerks: int, claims: Sequence[str], rng: random.Random, hours: float = HOURS
) -> list[Citizen]:
    """`n` citizens with a morning and an afternoon peak; visits keep the clerks three quarters busy."""
    day = hours * 3600
    mean = min(360.0, 0.75 * clerks * day / n)
    citizens = []
    for _ in range(n):
        peak = rng.choice((0.2, 0.65))
        at = min(max(rng.gauss(peak, 0.15), 0.0), 0.95) * day
        grade = rng.choices((5, 4, 3, 2, 1, None), (60, 18, 6, 3, 1, 12))[0]
        citizens.append(
            Citizen(
                at=at,
                queue=rng.choice(queues),
                service=min(rng.expovariate(1 / mean) + mean / 4, 4 * mean),
                claim=rng.choice(claims) if claims and rng.random() < 0.06 else None,
                comes=rng.random() > 0.06,
                rejoins=rng.random() < 0.5,
                grade=grade,
                twice=rng.random() < 0.1,
            )
        )
    return sorted(citizens, key=lambda c: c.at)


class Doors(Protocol):
    """The hall as the kiosk reaches it: POST with an idempotency key, GET; both may raise `OSError` or a refusal."""

    def post(self, path: str, body: Mapping[str, Any], *, key: str) -> Mapping[str, Any]:
        """The answer's JSON."""

    def get(self, path: str) -> Mapping[str, Any]:
        """The answer's JSON."""


@dataclass
class Hop:
    """How long one step took, in milliseconds, over the day."""

    samples: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float | int | None]:
        """n, p50 and p99 in milliseconds."""
        if not self.samples:
            return {"n": 0, "p50_ms": None, "p99_ms": None}
        ordered = sorted(self.samples)
        return {
            "n": len(ordered),
            "p50_ms": round(statistics.median(ordered), 1),
            "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1),
        }


HOPS = ("touch_to_stored", "stored_to_first_byte", "call_to_screen", "rating_to_stored")


class Ledger:
    """What people saw during the day, written down by several threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.hops = {name: Hop() for name in HOPS}
        self.stored: dict[str, int] = {}  # number → monotonic ns of the hall's answer
        self.citizens: dict[str, Citizen] = {}  # number → who took it
        self.tickets: dict[str, str] = {}  # number → ticket id
        self.issued: list[str] = []  # numbers as answered, in order
        self.printed: Counter[str] = Counter()
        self.shown: list[tuple[int, str]] = []  # (window, number) as first seen on a strip
        self.keys: Counter[str] = Counter()
        self.pressed_grades = 0
        self.rated: dict[str, int] = {}  # number → monotonic ns of the first press
        self.events: list[Mapping[str, Any]] = []

    def hop(self, name: str, nanoseconds: int) -> None:
        """Note one sample."""
        with self.lock:
            self.hops[name].samples.append(max(0, nanoseconds) / 1e6)


class Day:
    """Runs the day. `poke(device, news)` makes something happen at a simulated device; reports come to `report`."""

    def __init__(
        self,
        doors: Doors,
        poke: Callable[[dict[str, Any]], None],
        citizens: Sequence[Citizen],
        windows: Mapping[int, tuple[str, int, str]],  # no → (bus device, address on it, strip device)
        *,
        kiosk: str,
        speed: float,
        recall_gap: float,
        rng: random.Random,
    ) -> None:
        self.doors, self.poke, self.citizens, self.windows = doors, poke, citizens, windows
        self.kiosk, self.speed, self.recall_gap, self.rng = kiosk, speed, recall_gap, rng
        self.ledger = Ledger()
        self.seen: dict[int, queue.SimpleQueue[tuple[str, str, int]]] = {no: queue.SimpleQueue() for no in windows}
        self._by_strip = {strip: no for no, (_, _, strip) in windows.items()}
        self._by_bus = {(bus, address): no for no, (bus, address, _) in windows.items()}
        self._slips: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.arrived = threading.Event()  # every citizen has taken a number
        self.pending = threading.Semaphore(0)
        self.stop = threading.Event()

    # ---- what the devices and the hall tell us ---------------------------------------------------------------

    def report(self, line: Mapping[str, Any]) -> None:
        """One line of the street: an order a device has obeyed, or the first byte of a slip."""
        order, device, at = line.get("order"), line.get("device", ""), line.get("at", 0)
        if line.get("heard") == "slip":
            self._slips.put(at)
        elif order == "PrintSlip":
            self._slip(line["number"])
        elif order in ("ShowCall", "ShowServing") and device in self._by_strip:
            self.seen[self._by_strip[device]].put(("shown" if order == "ShowCall" else "serving", line["number"], at))
        elif order in ("AskRating", "Beep") and (device, line.get("address", 0)) in self._by_bus:
            self.seen[self._by_bus[device, line.get("address", 0)]].put((order, "", at))

    def _slip(self, number: str) -> None:
        first = 0
        while not self._slips.empty():
            first = self._slips.get()
        with self.ledger.lock:
            self.ledger.printed[number] += 1
            stored = self.ledger.stored.get(number)
        if first and stored:
            self.ledger.hop("stored_to_first_byte", first - stored)

    def told(self, event: Mapping[str, Any]) -> None:
        """One event of the hall's journal, as a manager hears it."""
        now = time.monotonic_ns()
        with self.ledger.lock:
            self.ledger.events.append(event)
            pressed = self.ledger.rated.get(event["data"].get("number", "")) if event["type"] == "TicketRated" else None
        if pressed:
            self.ledger.hop("rating_to_stored", now - pressed)

    # ---- citizens ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Live the day; returns when the last citizen has been served or passed."""
        clerks = [threading.Thread(target=self._clerk, args=(no,), name=f"clerk {no}") for no in self.windows]
        for clerk in clerks:
            clerk.start()
        began = time.monotonic()
        for i, citizen in enumerate(self.citizens):
            delay = began + citizen.at / self.speed - time.monotonic()
            if delay > 0 and self.stop.wait(delay):
                break
            self._take_number(citizen, f"day-{self.kiosk}-{began}-{i}")
        self.arrived.set()
        for clerk in clerks:
            clerk.join()

    def _take_number(self, citizen: Citizen, key: str) -> None:
        body = {"queue": citizen.queue, "priority": citizen.claim, "kiosk": self.kiosk}
        touched = time.monotonic_ns()
        ticket = self.doors.post("/tickets", body, key=key)
        now = time.monotonic_ns()
        with self.ledger.lock:
            self.ledger.stored[ticket["number"]] = now
            self.ledger.citizens[ticket["number"]] = citizen
            self.ledger.tickets[ticket["number"]] = ticket["id"]
            self.ledger.issued.append(ticket["number"])
        self.ledger.hop("touch_to_stored", now - touched)

    # ---- clerks ------------------------------------------------------------------------------------------------

    def _press(self, no: int, key: str) -> None:
        bus, address, _ = self.windows[no]
        with self.ledger.lock:
            self.ledger.keys[key] += 1
        self.poke({"device": bus, "news": "KeyPressed", "key": key, "address": address})

    def _see(self, no: int, kinds: Sequence[str], seconds: float) -> tuple[str, str, int] | None:
        """The next thing of these kinds that the clerk's strip or pad does; None when nothing does in time."""
        deadline = time.monotonic() + seconds
        while not self.stop.is_set():
            try:
                thing = self.seen[no].get(timeout=max(0.0, min(0.2, deadline - time.monotonic())))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    return None
                continue
            if thing[0] in kinds:
                return thing
        return None

    def _clerk(self, no: int) -> None:
        idle = 0
        while not self.stop.is_set() and not (self.arrived.is_set() and idle >= 3):
            while not self.seen[no].empty():
                self.seen[no].get()
            pressed = time.monotonic_ns()
            self._press(no, "call_next")
            thing = self._see(no, ("shown", "Beep"), GIVEN_UP)
            if thing is None or thing[0] == "Beep":
                idle += 1
                self.stop.wait(max(1.0, 30 / self.speed))
                continue
            idle = 0
            self.ledger.hop("call_to_screen", thing[2] - pressed)
            self._visit(no, thing[1])

    def _visit(self, no: int, number: str) -> None:
        with self.ledger.lock:
            self.ledger.shown.append((no, number))
            citizen = self.ledger.citizens.get(number)
        if citizen is None:  # called faster than the answer came back to the kiosk
            self.stop.wait(0.5)
            citizen = self.ledger.citizens.get(number)
        if citizen is not None and not citizen.comes and (no, number) not in self._rejoined():
            self._nobody_comes(no, number, citizen)
            return
        self.stop.wait((citizen.service if citizen else 120.0) / self.speed)
        self._press(no, "evaluate")
        if self._see(no, ("AskRating",), GIVEN_UP) and citizen is not None and citizen.grade is not None:
            self._rate(no, number, citizen)

    def _rejoined(self) -> set[tuple[int, str]]:
        """Numbers seen more than once: they have come back after being passed."""
        with self.ledger.lock:
            counts = Counter(number for _, number in self.ledger.shown)
            return {(no, number) for no, number in self.ledger.shown if counts[number] > 1}

    def _nobody_comes(self, no: int, number: str, citizen: Citizen) -> None:
        for _ in range(2):
            self.stop.wait(self.recall_gap + 0.3)
            self._press(no, "recall")
            self._see(no, ("shown",), 3.0)
        self._press(no, "give_up")
        if citizen.rejoins:
            self.stop.wait(1.0)
            self.doors.post(f"/tickets/{self.ledger.tickets[number]}/rejoin", {}, key=f"rejoin-{number}")

    def _rate(self, no: int, number: str, citizen: Citizen) -> None:
        bus, address, _ = self.windows[no]
        press = {"device": bus, "news": "Rated", "grade": citizen.grade, "address": address}
        with self.ledger.lock:
            self.ledger.rated[number] = time.monotonic_ns()
        self.poke(press)
        if citizen.twice:
            self.stop.wait(0.3)
            self.poke(press)


# ---- the end of the day --------------------------------------------------------------------------------------


def summary(ledger: Ledger, figures: Mapping[str, Any], speed: float) -> dict[str, Any]:
    """What happened, in the words of the hall's journal and beside what people saw.

    lost: numbers given to a citizen that the hall does not know or whose slip never came, and grades pressed after an
    invitation that the hall did not store. duplicated: numbers given twice, slips printed twice, one ticket called to
    two windows at once, or rated twice.
    """
    kinds = Counter(event["type"] for event in ledger.events)
    told = Counter(e["data"]["number"] for e in ledger.events if e["type"] == "TicketIssued")
    rated = Counter(e["data"]["number"] for e in ledger.events if e["type"] == "TicketRated")
    lost = {
        "numbers": sorted(n for n in ledger.issued if not told[n]),
        "slips": sorted(n for n in ledger.issued if not ledger.printed[n]),
        "ratings": sorted(n for n in ledger.rated if not rated[n]),
    }
    duplicated = {
        "numbers": sorted(n for n, k in Counter(ledger.issued).items() if k > 1)
        + sorted(n for n, k in told.items() if k > 1),
        "slips": sorted(n for n, k in ledger.printed.items() if k > 1),
        "calls": _called_twice(ledger.events),
        "ratings": sorted(n for n, k in rated.items() if k > 1),
    }
    grades = Counter(str(e["data"]["grade"]) for e in ledger.events if e["type"] == "TicketRated")
    return {
        "citizens": len(ledger.issued),
        "tickets": kinds["TicketIssued"],
        "slips": sum(ledger.printed.values()),
        "calls": kinds["TicketCalled"],
        "recalls": kinds["TicketRecalled"],
        "passed": kinds["TicketPassed"],
        "rejoined": kinds["TicketRejoined"],
        "finished": kinds["ServiceFinished"],
        "ratings": {grade: grades[grade] for grade in "54321"},
        "wait_minutes": _waits(ledger.events, speed),
        "hops": {name: hop.figures() for name, hop in ledger.hops.items()},
        "lost": sum(len(v) for v in lost.values()),
        "duplicated": sum(len(v) for v in duplicated.values()),
        "lost_what": {k: v for k, v in lost.items() if v},
        "duplicated_what": {k: v for k, v in duplicated.items() if v},
        "hall_figures": dict(figures),
    }


def _called_twice(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Numbers that were called while another window, or the same one, still held them."""
    held: dict[str, int] = {}
    twice = []
    ends = ("TicketPassed", "TicketHeld", "TicketTransferred", "ServiceFinished", "TicketCancelled", "TicketExpired")
    for event in events:
        data = event["data"]
        if event["type"] == "TicketCalled":
            if data["number"] in held:
                twice.append(data["number"])
            held[data["number"]] = data["window"]
        elif event["type"] in ends:
            held.pop(data["number"], None)
    return twice


def _waits(events: Sequence[Mapping[str, Any]], speed: float) -> dict[str, float | None]:
    """Minutes of the simulated day between taking a number and being called first."""
    issued: dict[str, float] = {}
    waits: dict[str, float] = {}
    for event in events:
        number = event["data"].get("number")
        if event["type"] == "TicketIssued":
            issued[number] = _seconds(event["at"])
        elif event["type"] == "TicketCalled" and number in issued and number not in waits:
            waits[number] = (_seconds(event["at"]) - issued[number]) * speed / 60
    if not waits:
        return {"mean": None, "p95": None}
    ordered = sorted(waits.values())
    return {
        "mean": round(statistics.fmean(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1),
    }


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp()


def as_json(result: Mapping[str, Any]) -> str:
    """The result for `--json`."""
    return json.dumps(result, ensure_ascii=False, indent=2)

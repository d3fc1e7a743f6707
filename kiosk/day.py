"""A day in the life of a hall: simulated citizens and clerks who use the same doors as real ones.

Citizens take numbers as the kiosk does, wait until a strip shows them, sit, and press a grade on the evaluator's wire.
Clerks press the keys of their pads on the wire and look at nothing but their strip. Nothing here reads the hall's
database; what the hall tells is compared at the end with what people saw.

Time runs `speed` times as fast as in life: a service of four minutes takes four seconds at speed 60.
"""

from __future__ import annotations

import contextlib
import json
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from kiosk.ledger import Ledger, summary

__all__ = ["Citizen", "Day", "Ledger", "as_json", "plan_day", "summary"]

HOURS = 8.0
GIVEN_UP = 8.0  # real seconds a clerk waits for strip or pad to answer a key
STUCK = 60.0  # real seconds without any news of the hall after which nobody hopes any more


class Sight(NamedTuple):
    """Something a clerk sees: `what` is shown, AskRating or Beep; `at` in ns of CLOCK_MONOTONIC."""

    what: str
    number: str
    at: int


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
        patience: float = GIVEN_UP,
    ) -> None:
        self.doors, self.poke, self.citizens, self.windows = doors, poke, citizens, windows
        self.kiosk, self.speed, self.recall_gap, self.patience = kiosk, speed, recall_gap, patience
        self.ledger = Ledger()
        self.seen: dict[int, queue.SimpleQueue[Sight]] = {no: queue.SimpleQueue() for no in windows}
        self._by_strip = {strip: no for no, (_, _, strip) in windows.items()}
        self._by_bus = {(bus, address): no for no, (bus, address, _) in windows.items()}
        self._first_byte = 0  # of the slip that is being printed
        self._who: dict[str, Citizen] = {}  # number → citizen
        self._came: Counter[str] = Counter()  # number → how often it has been called to a window
        self._heard_last = time.monotonic()
        self.arrived = threading.Event()  # every citizen has taken a number
        self.stop = threading.Event()

    # ---- what the devices and the hall tell us ---------------------------------------------------------------

    def report(self, line: Mapping[str, Any]) -> None:
        """One line of the street: an order a device has obeyed, or the first byte of a slip."""
        order, device, at = line.get("order"), line.get("device", ""), line.get("at", 0)
        if line.get("heard") == "slip":
            self._first_byte = at
        elif order == "PrintSlip":
            self.ledger.printed(line["number"], self._first_byte)
            self._first_byte = 0
        elif order == "ShowCall" and device in self._by_strip:
            self.seen[self._by_strip[device]].put(Sight("shown", line["number"], at))
        elif order in ("AskRating", "Beep") and (device, line.get("address", 0)) in self._by_bus:
            self.seen[self._by_bus[device, line.get("address", 0)]].put(Sight(order, "", at))

    def told(self, event: Mapping[str, Any]) -> None:
        """One event of the hall's journal, as a manager hears it."""
        self._heard_last = time.monotonic()
        self.ledger.heard(event)

    # ---- citizens ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Live the day; returns when the last citizen has been served or passed. A person's failure is raised."""
        with ThreadPoolExecutor(len(self.windows), "clerk") as room, contextlib.ExitStack() as early:
            clerks = [room.submit(self._clerk, no) for no in self.windows]
            early.callback(self.stop.set)  # the clerks must go home, after Ctrl-C too
            self._take_numbers()
            early.pop_all()
            self.arrived.set()
            for clerk in clerks:
                clerk.result()

    def _take_numbers(self) -> None:
        began = time.monotonic()
        for i, citizen in enumerate(self.citizens):
            delay = began + citizen.at / self.speed - time.monotonic()
            if delay > 0 and self.stop.wait(delay):
                break
            body = {"queue": citizen.queue, "priority": citizen.claim, "kiosk": self.kiosk}
            touched = time.monotonic_ns()
            ticket = self.doors.post("/tickets", body, key=f"day-{self.kiosk}-{began}-{i}")
            self._who[ticket["number"]] = citizen
            self.ledger.took(ticket["number"], ticket["id"], touched, time.monotonic_ns())

    # ---- clerks ------------------------------------------------------------------------------------------------

    def _press(self, no: int, key: str) -> None:
        bus, address, _ = self.windows[no]
        self.poke({"device": bus, "news": "KeyPressed", "key": key, "address": address})

    def _see(self, no: int, kinds: Sequence[str], seconds: float) -> Sight | None:
        """The next thing of these kinds that the clerk's strip or pad does; None when nothing does in time."""
        deadline = time.monotonic() + seconds
        while not self.stop.is_set():
            try:
                sight = self.seen[no].get(timeout=max(0.0, min(0.2, deadline - time.monotonic())))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    return None
                continue
            if sight.what in kinds:
                return sight
        return None

    def _look_up(self, no: int, visited: str) -> str:
        """Forget what was seen before the next key; the number of a call that was shown after the clerk gave up."""
        number = ""
        while not self.seen[no].empty():
            sight = self.seen[no].get()
            if sight.what == "shown" and sight.number != visited:
                number = sight.number
        return number

    def _clerk(self, no: int) -> None:
        idle, number = 0, ""
        while not self.stop.is_set() and not (idle >= 3 and self._is_evening()):
            number = self._look_up(no, number) or self._call(no)
            if number:
                idle = 0
                self._visit(no, number)
            else:
                idle += 1
                self.stop.wait(max(self.patience / 8, 30 / self.speed))

    def _is_evening(self) -> bool:
        """Everybody has come and gone; or nothing has happened for so long that nothing will."""
        longest = max((citizen.service for citizen in self.citizens), default=0.0) / self.speed
        stuck = time.monotonic() - self._heard_last > longest + STUCK
        return self.arrived.is_set() and (not self.ledger.open or stuck)

    def _call(self, no: int) -> str:
        """Press the key for the next citizen; the number the strip shows, or "" when nobody comes of it."""
        pressed = time.monotonic_ns()
        self._press(no, "call_next")
        sight = self._see(no, ("shown", "Beep"), self.patience)
        if sight is None or sight.what == "Beep":
            return ""
        with self.ledger.lock:
            self.ledger.calls.append(sight.at - pressed)
        return self._look_up(no, sight.number) or sight.number  # what the strip shows in the end

    def _visit(self, no: int, number: str) -> None:
        self._came[number] += 1
        citizen = self._citizen(number)
        if citizen is not None and not citizen.comes and self._came[number] == 1:
            self._nobody_comes(no, number, citizen)
            return
        self.stop.wait((citizen.service if citizen else 120.0) / self.speed)
        for _ in range(3):  # a key pressed while the hall is away is forgotten after some seconds
            self._look_up(no, number)
            self._press(no, "evaluate")
            if self._see(no, ("AskRating",), self.patience):
                if citizen is not None and citizen.grade is not None:
                    self._rate(no, number, citizen.grade, citizen.twice)
                return

    def _citizen(self, number: str) -> Citizen | None:
        """Who has this number; a call may be faster than the answer at the kiosk. None: nobody of ours."""
        deadline = time.monotonic() + 3.0
        while number not in self._who and time.monotonic() < deadline and not self.stop.is_set():
            self.stop.wait(0.05)
        return self._who.get(number)

    def _nobody_comes(self, no: int, number: str, citizen: Citizen) -> None:
        for _ in range(2):
            self.stop.wait(self.recall_gap + 0.3)
            self._press(no, "recall")
            self._see(no, ("shown",), self.patience / 2)
        ticket = self.ledger.tickets[number]
        for _ in range(3):
            self._press(no, "give_up")
            if self._is_passed(ticket):
                break
        else:
            return  # the next call ends it
        if citizen.rejoins:
            self.stop.wait(1.0)
            self.doors.post(f"/tickets/{ticket}/rejoin", {}, key=f"rejoin-{ticket}")
            with self.ledger.lock:
                self.ledger.open.add(ticket)

    def _is_passed(self, ticket: str) -> bool:
        """What the citizen's own page says, within some seconds."""
        deadline = time.monotonic() + self.patience
        while not self.stop.is_set() and time.monotonic() < deadline:
            if self.doors.get(f"/tickets/{ticket}")["state"] == "passed":
                return True
            self.stop.wait(0.1)
        return False

    def _rate(self, no: int, number: str, grade: int, twice: bool) -> None:
        bus, address, _ = self.windows[no]
        press = {"device": bus, "news": "Rated", "grade": grade, "address": address}
        self.ledger.rated(number, grade)
        self.poke(press)
        if twice:
            self.stop.wait(0.3)
            self.poke(press)


def as_json(result: Mapping[str, Any]) -> str:
    """The result for `--json`."""
    return json.dumps(result, ensure_ascii=False, indent=2)

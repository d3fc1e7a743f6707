"""What people saw during a simulated day, and what it came to beside what the hall's journal says.

The ledger only notes: numbers taken, slips on paper, calls on strips, keys pressed, events heard. `summary` compares.
Moments are CLOCK_MONOTONIC in nanoseconds, which all processes of one machine share.
"""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

Event = Mapping[str, Any]
ENDED = ("TicketPassed", "ServiceFinished", "TicketCancelled", "TicketExpired")  # the ticket waits for nothing any more
LET_GO = (*ENDED, "TicketHeld", "TicketTransferred")  # no window holds it any more


class Ledger:
    """Facts of one day, written down by several threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wall = time.time_ns() - time.monotonic_ns()  # what turns our moments into the journal's
        self.issued: list[str] = []  # numbers as answered, in order
        self.tickets: dict[str, str] = {}  # number → ticket id
        self.taken: dict[str, tuple[int, int]] = {}  # number → touched, answered
        self.slips: list[tuple[str, int]] = []  # number on paper, when its first byte was heard (0: it was not)
        self.calls: list[int] = []  # nanoseconds from a pad's key to the strip
        self.graded: dict[str, tuple[int, int]] = {}  # number → grade, when it was pressed first
        self.events: list[tuple[int, Event]] = []  # when it was heard, what
        self.counts: Counter[str] = Counter()  # of events by type
        self.open: set[str] = set()  # ids of tickets that wait, are called or served
        self._ended: set[str] = set()

    def took(self, number: str, ticket: str, touched: int, answered: int) -> None:
        """A citizen has a number."""
        with self.lock:
            self.issued.append(number)
            self.tickets[number] = ticket
            self.taken[number] = (touched, answered)
            if ticket not in self._ended:  # an answer that was asked for twice may come late
                self.open.add(ticket)

    def heard(self, event: Event) -> None:
        """The journal tells something."""
        kind, ticket = event["type"], event["data"].get("ticket", "")
        with self.lock:
            self.events.append((time.monotonic_ns(), event))
            self.counts[kind] += 1
            if kind in ("TicketIssued", "TicketRejoined"):
                self.open.add(ticket)
            elif kind in ENDED:
                self.open.discard(ticket)
                self._ended.add(ticket)

    def printed(self, number: str, first_byte: int) -> None:
        """A slip is on paper."""
        with self.lock:
            self.slips.append((number, first_byte))

    def rated(self, number: str, grade: int) -> None:
        """A citizen presses a key of the evaluator for the first time in this visit."""
        with self.lock:
            self.graded[number] = (grade, time.monotonic_ns())


def summary(ledger: Ledger, figures: Mapping[str, Any], speed: float) -> dict[str, Any]:
    """What happened, in the words of the hall's journal and beside what people saw.

    lost: numbers given to a citizen that the hall does not know, whose slip never came or whose visit never ended, and
    grades pressed after an invitation that the hall did not store as they were pressed. duplicated: numbers given
    twice, slips printed twice, tickets called while a window held them, visits rated twice.
    """
    with ledger.lock:
        events = [event for _, event in ledger.events]
        lost, duplicated = _lost(ledger, events), _duplicated(ledger, events)
        hops = {name: _figures(samples) for name, samples in _hops(ledger).items()}
    kinds = Counter(event["type"] for event in events)
    grades = Counter(str(event["data"]["grade"]) for event in _of("TicketRated", events))
    return {
        "citizens": len(ledger.issued),
        "tickets": kinds["TicketIssued"],
        "slips": len(ledger.slips),
        "calls": kinds["TicketCalled"],
        "recalls": kinds["TicketRecalled"],
        "passed": kinds["TicketPassed"],
        "rejoined": kinds["TicketRejoined"],
        "finished": kinds["ServiceFinished"],
        "ratings": {grade: grades[grade] for grade in "54321"},
        "wait_minutes": _waits(events, speed),
        "hops": hops,
        "lost": sum(len(numbers) for numbers in lost.values()),
        "duplicated": sum(len(numbers) for numbers in duplicated.values()),
        "lost_what": {what: numbers for what, numbers in lost.items() if numbers},
        "duplicated_what": {what: numbers for what, numbers in duplicated.items() if numbers},
        "hall_figures": dict(figures),
    }


def _of(kind: str, events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event["type"] == kind]


def _lost(ledger: Ledger, events: Sequence[Event]) -> dict[str, list[str]]:
    known = {event["data"]["number"] for event in _of("TicketIssued", events)}
    on_paper = {number for number, _ in ledger.slips}
    stored = {(event["data"]["number"], event["data"]["grade"]) for event in _of("TicketRated", events)}
    numbers = {ticket: number for number, ticket in ledger.tickets.items()}
    return {
        "numbers": sorted(set(ledger.issued) - known),
        "slips": sorted(set(ledger.issued) - on_paper),
        "visits": sorted(numbers[ticket] for ticket in _never_ended(events) if ticket in numbers),
        "ratings": sorted(number for number, (grade, _) in ledger.graded.items() if (number, grade) not in stored),
    }


def _never_ended(events: Iterable[Event]) -> set[str]:
    waiting: set[str] = set()
    for event in events:
        if event["type"] in ("TicketIssued", "TicketRejoined"):
            waiting.add(event["data"]["ticket"])
        elif event["type"] in ENDED:
            waiting.discard(event["data"]["ticket"])
    return waiting


def _duplicated(ledger: Ledger, events: Sequence[Event]) -> dict[str, list[str]]:
    def twice(numbers: Iterable[str]) -> list[str]:
        return sorted(number for number, times in Counter(numbers).items() if times > 1)

    return {
        "numbers": sorted(
            {*twice(ledger.issued), *twice(e["data"]["number"] for e in _of("TicketIssued", events))},
        ),
        "slips": twice(number for number, _ in ledger.slips),
        "calls": _called_while_held(events),
        "ratings": twice(event["data"]["number"] for event in _of("TicketRated", events)),
    }


def _called_while_held(events: Iterable[Event]) -> list[str]:
    held: set[str] = set()
    wrong = []
    for event in events:
        number = event["data"].get("number", "")
        if event["type"] == "TicketCalled":
            if number in held:
                wrong.append(number)
            held.add(number)
        elif event["type"] in LET_GO:
            held.discard(number)
    return wrong


def _hops(ledger: Ledger) -> dict[str, list[int]]:
    """Nanoseconds of each hop. Stored means: by the journal's own time, which is taken just before the commit."""
    stored = {
        event["data"]["number"]: round(_seconds(event["at"]) * 1e9) - ledger.wall
        for event in _of("TicketIssued", (event for _, event in ledger.events))
    }
    rated = {event["data"]["number"]: at for at, event in ledger.events if event["type"] == "TicketRated"}
    return {
        "touch_to_stored": [answered - touched for touched, answered in ledger.taken.values()],
        "stored_to_first_byte": [at - stored[n] for n, at in ledger.slips if at and n in stored],
        "call_to_screen": list(ledger.calls),
        "rating_to_stored": [rated[n] - at for n, (_, at) in ledger.graded.items() if n in rated],
    }


def _figures(samples: Sequence[int]) -> dict[str, float | int | None]:
    """n, p50 and p99 in milliseconds."""
    if not samples:
        return {"n": 0, "p50_ms": None, "p99_ms": None}
    return {
        "n": len(samples),
        "p50_ms": round(statistics.median(samples) / 1e6, 1),
        "p99_ms": round(_at_share(samples, 0.99) / 1e6, 1),
    }


def _at_share(samples: Sequence[float], share: float) -> float:
    """The smallest sample that so great a share of all does not exceed."""
    return sorted(samples)[math.ceil(len(samples) * share) - 1]


def _waits(events: Iterable[Event], speed: float) -> dict[str, float | None]:
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
    ordered = list(waits.values())
    return {"mean": round(statistics.fmean(ordered), 1), "p95": round(_at_share(ordered, 0.95), 1)}


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()

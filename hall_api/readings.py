"""What anybody may ask the hall without changing it. Each answer is of one moment."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from config.plan import HallPlan
from hall_api.answers import Json, Shapes
from hall_api.domain.calendar import business_date, day_start, iso
from hall_api.domain.line import call_order
from hall_api.domain.refusal import Kind, Refusal
from hall_api.domain.rows import Alarm, Case, DeviceState, PrintJob, QueueDay, Ticket
from hall_api.domain.watch import SILENT_MS
from hall_api.storage import statements as ask
from hall_api.storage.engine import Connection
from hall_api.storage.reader import Reader, Snapshot
from hall_api.storage.store import Store

BOARD_CALLS = 12
WAITING_SHOWN = 50
PASSED_SHOWN = 20
CASES_SHOWN = 500


class Readings:
    """The hall's reading side."""

    def __init__(self, plan: HallPlan, store: Store, shapes: Shapes) -> None:
        self.plan = plan
        self._store = store
        self._shapes = shapes

    def now(self) -> int:
        """Hall time in ms."""
        raise NotImplementedError

    def _look(self, look: Callable[[Reader, str], Json]) -> Json:
        def in_a_moment(connection: Connection) -> Json:
            reader = Snapshot(connection)
            return look(reader, business_date(self.now(), self.plan, reader.state()[2]))

        return self._store.read(in_a_moment)

    def hall(self) -> Json:
        """`GET /v1/hall`."""
        plan, policy = self.plan, self.plan.policy
        return {
            "name": plan.name,
            "english": plan.english,
            "time_zone": plan.time_zone,
            "complaint_phone": plan.complaint_phone,
            "address": plan.address,
            "opening_hours": plan.opening_hours,
            "notice": plan.notice,
            "now": iso(self.now()),
            "policy": {
                "recall_gap": policy.recall_gap,
                "recall_max": policy.recall_max,
                "rejoin_max": policy.rejoin_max,
                "rating_prompt": policy.rating_prompt,
            },
            "priorities": [
                {"code": p.code, "name": p.name, "english": p.english, "verify": p.verify} for p in plan.priorities
            ],
        }

    def services(self) -> Json:
        """`GET /v1/services`."""
        return {
            "categories": [
                {
                    "code": c.code,
                    "name": c.name,
                    "english": c.english,
                    "icon": c.icon,
                    "services": [
                        {"code": s.code, "name": s.name, "english": s.english, "queue": s.queue}
                        for s in self.plan.services
                        if s.category == c.code
                    ],
                }
                for c in self.plan.categories
            ]
        }

    def queues(self) -> Json:
        """`GET /v1/queues`."""
        return self._look(lambda reader, date: {"queues": self._queues(reader, date)})

    def _queues(self, reader: Reader, date: str) -> list[Json]:
        days = reader.queue_days(date)
        fresh = (QueueDay(business_date=date, queue=q.code) for q in self.plan.queues)
        return [self._shapes.queue(days.get(day.queue, day), reader) for day in fresh]

    def queue(self, code: str) -> Json:
        """One of the queues; Refusal no_queue."""
        if all(q.code != code for q in self.plan.queues):
            raise Refusal("no_queue", Kind.MISSING, queue=code)
        return self._look(lambda reader, date: self._shapes.queue(reader.queue_day(date, code), reader))

    def windows(self, *, public: bool = False) -> Json:
        """`GET /v1/windows`; public answers name no ids."""
        return self._look(lambda reader, _: {"windows": self._windows(reader, public=public)})

    def _windows(self, reader: Reader, *, public: bool) -> list[Json]:
        return [self._shapes.window(reader.window(w.no), reader, public=public) for w in self.plan.windows]

    def window(self, no: int, *, public: bool = False) -> Json:
        """One of the windows; Refusal no_window."""
        self._must_have(no)
        return self._look(lambda reader, _: self._shapes.window(reader.window(no), reader, public=public))

    def _must_have(self, no: int) -> None:
        if all(w.no != no for w in self.plan.windows):
            raise Refusal("no_window", Kind.MISSING, window=no)

    def board(self) -> Json:
        """`GET /v1/board`: public, so without ids."""
        return self._look(self._board)

    def _board(self, reader: Reader, date: str) -> Json:
        return {
            "seq": reader.state()[0],
            "as_of": iso(self.now()),
            "calls": self._calls(reader, date),
            "queues": self._queues(reader, date),
            "windows": self._windows(reader, public=True),
            "notice": self.plan.notice,
        }

    def _calls(self, reader: Reader, date: str) -> list[Json]:
        """The newest call of each number, newest first."""
        since = day_start(date, self.plan)
        calls: dict[str, Json] = {}
        for _, at, _, data in reader.connection.run(ask.CALLS, limit=BOARD_CALLS * 3):
            told = json.loads(data)
            if at >= since and len(calls) < BOARD_CALLS:
                calls.setdefault(
                    told["number"],
                    {
                        "number": told["number"],
                        "window": told["window"],
                        "window_name": told["window_name"],
                        "zone": told["zone"],
                        "at": iso(at),
                        "recall": told["recall"],
                        "priority": told["priority"],
                    },
                )
        return list(calls.values())

    def ticket(self, ticket_id: str) -> Json:
        """`GET /v1/tickets/{id}`; Refusal no_ticket."""

        def find(reader: Reader, _: str) -> Json:
            found = reader.ticket(ticket_id)
            if found is None:
                raise Refusal("no_ticket", Kind.MISSING)
            return self._shapes.ticket(found, reader)

        return self._look(find)

    def tickets_by_number(self, number: str) -> Json:
        """`GET /v1/tickets?number=`: of today; none or one."""

        def find(reader: Reader, date: str) -> Json:
            found = reader.numbered(date, number.strip().upper())
            return {"tickets": [self._shapes.ticket(found, reader)] if found else []}

        return self._look(find)

    def print_jobs(self, kiosk: str) -> Json:
        """`GET /v1/print-jobs?kiosk=`: slips not yet settled, oldest first."""
        return self._look(
            lambda reader, _: {
                "jobs": [
                    {
                        "id": j.id,
                        "ticket": j.ticket,
                        "state": j.state,
                        "kiosk": j.kiosk,
                        "first": j.first,
                        "at": iso(j.at),
                    }
                    for j in reader.rows(PrintJob, ask.JOBS_OF_KIOSK, kiosk=kiosk)
                ]
            }
        )

    def waiting(self, window: int) -> Json:
        """`GET /v1/windows/{no}/waiting`: whom this window would call, in order; its held and passed tickets."""
        self._must_have(window)
        return self._look(lambda reader, date: self._waiting(reader, date, window))

    def _waiting(self, reader: Reader, date: str, window: int) -> Json:
        order = self._call_order(reader, date, window)
        aside = [t for t in reader.aside(window) if t.business_date == date]
        return {
            "waiting": [self._shapes.ticket(t, reader, n) for n, t in enumerate(order)],
            "held": [self._shapes.ticket(t, reader) for t in aside if t.state == "held"],
            "passed": [self._shapes.ticket(t, reader) for t in aside if t.state == "passed"][:PASSED_SHOWN],
        }

    def _call_order(self, reader: Reader, date: str, window: int) -> list[Ticket]:
        lines = [
            (reader.queue_day(date, queue).run, reader.line(queue, WAITING_SHOWN)) for queue in self.plan.skills(window)
        ]
        own = reader.line_of_window(window, WAITING_SHOWN)
        return call_order(lines, own, self.plan.policy, self.now(), WAITING_SHOWN)

    def devices(self) -> Json:
        """`GET /v1/devices`."""
        now = self.now()
        return self._look(
            lambda reader, _: {
                "devices": [self._shapes.device(d, now, SILENT_MS) for d in reader.rows(DeviceState, ask.DEVICES)]
            }
        )

    def alarms(self) -> Json:
        """`GET /v1/alarms`."""
        return self._look(
            lambda reader, _: {
                "alarms": [
                    {"machine": a.machine, "device": a.device, "reason": a.reason, "since": iso(a.since)}
                    for a in reader.rows(Alarm, ask.ALARMS)
                ]
            }
        )

    def cases(self) -> Json:
        """`GET /v1/cases`, newest first."""
        now = self.now()
        return self._look(
            lambda reader, _: {
                "cases": [self._shapes.case(c, now) for c in reader.rows(Case, ask.CASES, limit=CASES_SHOWN)]
            }
        )

    def day(self) -> Json:
        """`GET /v1/day`: figures of the business day. Waits in seconds, from issue to the first call."""
        return self._look(_day)


def _day(reader: Reader, date: str) -> Json:
    tickets = reader.connection.run(ask.DAY_TICKETS, date=date)
    waits = sorted((called - issued) / 1000 for issued, called, *_ in tickets if called is not None)
    calls, recalls, passes = (sum(t[n] for t in tickets) for n in (2, 3, 4))
    states = [state for *_, state in tickets]
    grades = {int(grade): int(count) for grade, count in reader.connection.run(ask.DAY_RATINGS, date=date)}
    return {
        "date": date,
        "issued": len(tickets),
        "called": calls,
        "recalled": recalls,
        "passed": passes,
        "finished": states.count("done"),
        "waiting": states.count("waiting"),
        "cancelled": states.count("cancelled"),
        "wait_seconds": {
            "mean": round(sum(waits) / len(waits), 1) if waits else None,
            "p95": round(waits[math.ceil(len(waits) * 0.95) - 1], 1) if waits else None,
        },
        "ratings": {str(grade): grades.get(grade, 0) for grade in (5, 4, 3, 2, 1)},
        "rated": sum(grades.values()),
    }

"""How the hall answers: rows become the JSON shapes of docs/api.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from config.plan import HallPlan
from hall_api.domain.calendar import iso, working_days_left
from hall_api.domain.channels import rating_channel
from hall_api.domain.line import wait_minutes
from hall_api.domain.ratings import person
from hall_api.domain.rows import Attachment, Case, DeviceState, PrintJob, QueueDay, Row, Ticket, WindowState
from hall_api.storage.reader import Reader

Json = dict[str, Any]


def moment(ms: int | None) -> str | None:
    """ISO UTC, or None."""
    return None if ms is None else iso(ms)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Puts rows into words for one hall. `public_url` stands before citizens' links."""

    plan: HallPlan
    public_url: str = ""

    def answer(self, row: Row | None, reader: Reader, ahead: int | None = None) -> Json | None:
        """What an order answers with: the shape of its subject."""
        if isinstance(row, Ticket):
            return self.ticket(row, reader, ahead)
        if isinstance(row, WindowState):
            return self.window(row, reader)
        if isinstance(row, QueueDay):
            return self.queue(row, reader)
        if isinstance(row, PrintJob):
            return {"id": row.id, "ticket": row.ticket, "state": row.state, "kiosk": row.kiosk, "first": row.first}
        if isinstance(row, Attachment):
            return self.attachment(row)
        return {} if row is not None else None

    @staticmethod
    def attachment(kept: Attachment) -> Json:
        """ATTACHMENT: all but the document."""
        return {
            "id": kept.id,
            "ticket": kept.ticket,
            "window": kept.window,
            "size": kept.size,
            "at": moment(kept.at),
        }

    def ticket(self, ticket: Ticket, reader: Reader, ahead: int | None = None) -> Json:
        """TICKET. `ahead` when it is known already."""
        plan = self.plan
        queue = next((q for q in plan.queues if q.code == ticket.queue), None)
        service = next((s for s in plan.services if s.code == ticket.service), None) if ticket.service else None
        minutes = 0
        if ticket.state == "waiting":
            ahead = reader.ahead(ticket) if ahead is None else ahead
            if queue:
                day = reader.queue_day(ticket.business_date, ticket.queue)
                minutes = wait_minutes(ahead, day, reader.all_windows(), plan)
        job = reader.job(ticket.job) if ticket.job else None
        return {
            "id": ticket.id,
            "number": ticket.number,
            "queue": ticket.queue,
            "queue_name": queue.name if queue else ticket.queue,
            "service": ticket.service,
            "service_name": service.name if service else "",
            "zone": queue.zone if queue else "",
            "state": ticket.state,
            "priority": ticket.marked,
            "claim": ticket.claim,
            "ahead": ahead or 0,
            "wait_minutes": minutes,
            "window": ticket.window or None,
            "issued_at": moment(ticket.issued_at),
            "called_at": moment(ticket.called_at),
            "started_at": moment(ticket.started_at),
            "finished_at": moment(ticket.finished_at),
            "recalls": ticket.recalls,
            "rejoins": ticket.rejoins,
            "outcome": ticket.outcome or None,
            "rating": ticket.rating,
            "url": f"{self.public_url}/t/{ticket.id}",
            "job": {"id": job.id, "state": job.state, "kiosk": job.kiosk} if job else None,
        }

    def window(self, window: WindowState, reader: Reader, *, public: bool = False) -> Json:
        """WINDOW; a public one names no ids."""
        plan = next((w for w in self.plan.windows if w.no == window.no), None)
        clerk = person(window.staff, self.plan)
        ticket = reader.ticket(window.ticket) if window.ticket else None
        rated = reader.ticket(window.rating_ticket) if window.rating_ticket else None
        shape: Json = {
            "no": window.no,
            "name": plan.name if plan else str(window.no),
            "kind": plan.kind if plan else "comprehensive",
            "zone": plan.zone if plan else "",
            "queues": list(self.plan.skills(window.no)) if plan else [],
            "state": window.state,
            "reason": window.reason,
            "clerk": {"name": clerk.name, "work_no": clerk.work_no, "duties": clerk.duties} if clerk else None,
            "complaint_phone": self.plan.complaint_phone,
            "ticket": _held(ticket) if ticket else None,
            "rating": (
                {"ticket": rated.id, "number": rated.number, "until": moment(window.rating_until)} if rated else None
            ),
            "channel": rating_channel(window.no, reader.devices()),
        }
        if public:
            shape["ticket"] = _without(shape["ticket"], "id")
            shape["rating"] = _without(shape["rating"], "ticket")
        return shape

    def queue(self, day: QueueDay, reader: Reader) -> Json:
        """One queue as boards show it; `open` while it gives numbers."""
        queue = self.plan.queue(day.queue)
        windows = reader.all_windows()
        return {
            "code": queue.code,
            "name": queue.name,
            "english": queue.english,
            "zone": queue.zone,
            "waiting": day.waiting,
            "wait_minutes": wait_minutes(day.waiting, day, windows, self.plan),
            "open": not day.closed,
        }

    def device(self, device: DeviceState, now: int, silent_ms: int) -> Json:
        """A device; one nobody has spoken of for `silent_ms` is absent."""
        silent = now - device.seen_at > silent_ms and device.state != "disabled"
        return {
            "machine": device.machine,
            "device": device.device,
            "role": device.role,
            "roles": list(device.roles or (device.role,)),
            "state": "absent" if silent else device.state,
            "reason": device.reason,
            "windows": list(device.windows),
            "since": moment(device.since),
            "seen_at": moment(device.seen_at),
        }

    def case(self, case: Case, now: int) -> Json:
        """A rectification case with its card: yellow with a working day left or less, red when overdue."""
        clerk = person(case.staff, self.plan)
        left = working_days_left(now, case.due_at, self.plan)
        return {
            "id": case.id,
            "ticket": case.ticket,
            "number": case.number,
            "window": case.window,
            "staff": case.staff,
            "clerk": clerk.name if clerk else case.staff,
            "grade": case.grade,
            "opened_at": moment(case.opened_at),
            "due_at": moment(case.due_at),
            "state": case.state,
            "card": "red" if left < 0 else "yellow" if left <= 1 else "green",
        }


def _held(ticket: Ticket) -> Json:
    return {
        "id": ticket.id,
        "number": ticket.number,
        "state": ticket.state,
        "called_at": moment(ticket.called_at),
        "started_at": moment(ticket.started_at),
        "recalls": ticket.recalls,
    }


def _without(shape: Json | None, name: str) -> Json | None:
    return {k: v for k, v in shape.items() if k != name} if shape else None

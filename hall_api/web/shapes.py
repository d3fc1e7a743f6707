"""The shapes of every answer, as JSON Schema: what docs/api.md says in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TRUTH: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}


def maybe(schema: Schema) -> Schema:
    """This, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*values: object) -> Schema:
    """One of these words."""
    return {"enum": list(values)}


def several(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def thing(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """An object with exactly these keys."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def ref(name: str) -> Schema:
    """Another of these shapes."""
    return {"$ref": f"#/components/schemas/{name}"}


ATTACHMENT = thing(id=TEXT, ticket=TEXT, window=WHOLE, size=COUNT, at=TIME)
QUEUE = thing(code=TEXT, name=TEXT, english=TEXT, zone=TEXT, waiting=COUNT, wait_minutes=COUNT, open=TRUTH)
TICKET = thing(
    id=TEXT,
    number=TEXT,
    queue=TEXT,
    queue_name=TEXT,
    service=maybe(TEXT),
    service_name=maybe(TEXT),
    zone=TEXT,
    state=one_of("waiting", "called", "serving", "held", "passed", "done", "cancelled", "expired"),
    priority=TRUTH,
    claim=one_of("none", "claimed", "verified", "declined"),
    ahead=COUNT,
    wait_minutes=COUNT,
    window=maybe(WHOLE),
    issued_at=TIME,
    called_at=maybe(TIME),
    started_at=maybe(TIME),
    finished_at=maybe(TIME),
    recalls=COUNT,
    rejoins=COUNT,
    outcome=maybe(one_of("done", "accepted", "notice", "tolerant", "referred")),
    rating=one_of("none", "invited", "rated", "timed_out", "skipped"),
    url=TEXT,
    job=maybe(thing(id=TEXT, state=TEXT, kiosk=TEXT)),
)
WINDOW = thing(
    no=WHOLE,
    name=TEXT,
    kind=TEXT,
    zone=TEXT,
    queues=several(TEXT),
    state=one_of("closed", "open", "paused"),
    reason=maybe(TEXT),
    clerk=maybe(thing(name=TEXT, work_no=TEXT, duties=TEXT)),
    complaint_phone=TEXT,
    ticket=maybe(
        thing(
            {"id": TEXT},
            number=TEXT,
            state=one_of("called", "serving"),
            called_at=maybe(TIME),
            started_at=maybe(TIME),
            recalls=COUNT,
        )
    ),
    rating=maybe(thing({"ticket": TEXT}, number=TEXT, until=TIME)),
    channel=one_of("evaluator", "qr"),
)
CALL = thing(number=TEXT, window=WHOLE, window_name=TEXT, zone=TEXT, at=TIME, recall=COUNT, priority=TRUTH)
DEVICE = thing(
    machine=TEXT,
    device=TEXT,
    role=TEXT,
    roles=several(TEXT),
    state=one_of("absent", "connecting", "ready", "degraded", "error", "disabled"),
    reason=TEXT,
    windows=several(WHOLE),
    since=TIME,
    seen_at=TIME,
)
HALL = thing(
    name=TEXT,
    english=TEXT,
    time_zone=TEXT,
    complaint_phone=TEXT,
    address=TEXT,
    opening_hours=TEXT,
    notice=TEXT,
    now=TIME,
    policy=thing(recall_gap=COUNT, recall_max=COUNT, rejoin_max=COUNT, rating_prompt=COUNT),
    priorities=several(thing(code=TEXT, name=TEXT, english=TEXT, verify=one_of("none", "staff", "card_age"))),
)
SERVICES = thing(
    categories=several(
        thing(
            code=TEXT,
            name=TEXT,
            english=TEXT,
            icon=TEXT,
            services=several(thing(code=TEXT, name=TEXT, english=TEXT, queue=TEXT)),
        )
    )
)
CASE = thing(
    id=TEXT,
    ticket=TEXT,
    number=TEXT,
    window=WHOLE,
    staff=TEXT,
    clerk=TEXT,
    grade=WHOLE,
    opened_at=TIME,
    due_at=TIME,
    state=TEXT,
    card=one_of("green", "yellow", "red"),
)
DAY = thing(
    date=TEXT,
    issued=COUNT,
    called=COUNT,
    recalled=COUNT,
    passed=COUNT,
    finished=COUNT,
    waiting=COUNT,
    cancelled=COUNT,
    wait_seconds=thing(mean=maybe({"type": "number"}), p95=maybe({"type": "number"})),
    rated=COUNT,
    ratings=thing(**{str(grade): COUNT for grade in range(5, 0, -1)}),
)
SHAPES: Mapping[str, Schema] = {
    "Ticket": TICKET,
    "Tickets": thing(tickets=several(ref("Ticket"))),
    "Waiting": thing(waiting=several(ref("Ticket")), held=several(ref("Ticket")), passed=several(ref("Ticket"))),
    "Window": WINDOW,
    "Windows": thing(windows=several(ref("Window"))),
    "Queue": QUEUE,
    "Queues": thing(queues=several(ref("Queue"))),
    "Board": thing(
        seq=COUNT,
        as_of=TIME,
        calls=several(CALL),
        queues=several(ref("Queue")),
        windows=several(ref("Window")),
        notice=TEXT,
    ),
    "Hall": HALL,
    "Services": SERVICES,
    "Health": thing(status=one_of("ok"), seq=COUNT, version=TEXT),
    "Event": thing(seq=COUNT, at=TIME, type=TEXT, data={"type": "object"}),
    "Events": thing(events=several(ref("Event"))),
    "PrintJob": thing(id=TEXT, ticket=TEXT, state=TEXT, kiosk=TEXT, first=maybe(TEXT)),
    "PrintJobs": thing(jobs=several(thing(id=TEXT, ticket=TEXT, state=TEXT, kiosk=TEXT, first=maybe(TEXT), at=TIME))),
    "Attachment": ATTACHMENT,
    "Attachments": thing(attachments=several(ref("Attachment"))),
    "Session": thing(
        login=TEXT, name=TEXT, role=one_of("clerk", "manager", "technician"), window=maybe(WHOLE), csrf=TEXT
    ),
    "Devices": thing(devices=several(DEVICE)),
    "Alarms": thing(alarms=several(thing(machine=TEXT, device=TEXT, reason=TEXT, since=TIME))),
    "Cases": thing(cases=several(CASE)),
    "Day": DAY,
    "Nothing": thing(),
    "Problem": {
        "type": "object",
        "properties": {"type": TEXT, "title": TEXT, "status": WHOLE, "detail": TEXT, "code": TEXT},
        "required": ["type", "title", "status", "detail", "code"],
    },
}

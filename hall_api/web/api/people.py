"""The doors of people and machines: log in, log out, tell how one's devices are."""

from __future__ import annotations

from typing import Any

from flask import Response

from hall_api.domain.orders import AnswerHelp, CallHelper, Order, ReportDevice, ReportDevices
from hall_api.web.bodies import Field
from hall_api.web.doors import CLERK, KIOSK, MANAGER, PUBLIC, STAFF, WINDOW, Ask, Noun

people = Noun("sessions", "Who works here and is logged in")
machines = Noun("devices", "The machines and what hangs on their cables")

STATES = ("absent", "connecting", "ready", "degraded", "error", "disabled")
NAME = Field(required=True, low=1, high=80)
DEVICE = Field(
    kind=dict,
    required=True,
    fields={
        "device": NAME,
        "role": NAME,
        "state": Field(required=True, choices=STATES),
        "reason": Field(high=400),
        "roles": Field(kind=list, high=8, items=NAME),
        "windows": Field(kind=list, high=64, items=Field(kind=int, required=True, low=1, high=9999)),
    },
)


@people.post(
    "/sessions",
    (PUBLIC, *STAFF),
    "Session",
    {"login": Field(required=True, low=1, high=80), "password": Field(required=True, low=1, high=200)},
    answers_itself=True,
    before_login=True,
)
def log_in(ask: Ask) -> Response:
    """Log a person in; the answer sets the session cookie."""
    return ask.front.gate.log_in(ask.request, ask.body["login"], ask.body["password"])


@people.get("/sessions", STAFF, "Session", session_only=True)
def see_session(ask: Ask) -> dict[str, Any]:
    """Who is logged in here."""
    return ask.front.gate.session(ask.request).as_json()


@people.delete("/sessions", STAFF, session_only=True)
def log_out(ask: Ask) -> Response:
    """Log out."""
    return ask.front.gate.log_out(ask.request)


@machines.post(
    "/devices",
    (KIOSK, WINDOW),
    "Nothing",
    {"machine": NAME, "devices": Field(kind=list, required=True, high=64, items=DEVICE)},
)
def report_devices(ask: Ask) -> Order | dict[str, Any]:
    """Tell the state of a machine's devices; on change and every 30 s."""
    reports = tuple(
        ReportDevice(
            machine=ask.body["machine"],
            device=device["device"],
            role=device["role"],
            state=device["state"],
            reason=device["reason"] or "",
            windows=tuple(device["windows"] or ()),
            roles=tuple(device["roles"] or ()),
        )
        for device in ask.body["devices"]
    )
    # A report told twice changes nothing (only what differs is journalled); a late repetition must not bring old news.
    return ReportDevices(reports=reports) if reports else {}


@machines.get("/devices", STAFF, "Devices")
def list_devices(ask: Ask) -> dict[str, Any]:
    """The state of every device of every machine."""
    return ask.front.hall.devices()


@machines.post("/help", (KIOSK,), "Nothing", {"kiosk": NAME, "page": Field(high=40)})
def call_helper(ask: Ask) -> Order:
    """A citizen at a kiosk asks for a person to come: an alarm for the staff."""
    return CallHelper(kiosk=ask.body["kiosk"], page=ask.body["page"] or "")


@machines.post("/help/answer", (CLERK, MANAGER), "Nothing", {"kiosk": NAME})
def answer_help(ask: Ask) -> Order:
    """Somebody goes to the citizen; the alarm is cleared."""
    return AnswerHelp(kiosk=ask.body["kiosk"])

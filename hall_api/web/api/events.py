"""The door of the live feed: everyone follows the hall's journal, and asks again for what was missed."""

from __future__ import annotations

from typing import Any

from flask import Response

from hall_api.web import bodies
from hall_api.web.doors import ROLES, Ask, Noun
from hall_api.web.problems import Problem
from hall_api.web.sse import audiences

events = Noun("events", "What happened, as it happens")
FAR = 2**62  # a journal never gets there


@events.get(
    "/events",
    ROLES,
    "Events",
    query={
        "after": "the last event already known; without it and without Last-Event-ID: from now on",
        "limit": "with wait=0: at most so many events (1 to 1000)",
        "wait": "0: answer at once with JSON instead of a stream",
    },
    streams=True,
)
def follow_events(ask: Ask) -> Response | dict[str, Any]:
    """Hear what happens: Server-Sent Events, or a JSON list at once with wait=0."""
    query = ask.request.args
    after = bodies.number(query, "after", high=FAR)
    last = ask.request.headers.get("Last-Event-ID", "").strip()
    if last:
        if not (last.isascii() and last.isdigit() and len(last) < 19):
            raise Problem("bad_event_id")
        after = int(last)
    heard = audiences(ask.actor.role)
    if query.get("wait") == "0":
        limit = bodies.number(query, "limit", low=1, high=1000, default=500) or 500
        after = ask.front.hall.last_seq() if after is None else after
        return {"events": [told.as_json() for told in ask.front.hall.events(after, limit, heard)]}
    stream = ask.front.feed.stream(after, heard, still_welcome=ask.front.gate.still_welcome(ask.request))
    return Response(
        stream, mimetype="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )

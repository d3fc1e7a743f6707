"""What the doors read of a request, and how they answer an order: shared by devices, scans and old front ends."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request

from devices.gateway.json_body import json_object
from devices.gateway.local.refusal import Refusal
from devices.gateway.wording import Say


def given() -> dict[str, Any]:
    """The JSON object of the request; an empty body is an empty one. Raises Refusal."""
    if not request.get_data():
        return {}
    said = json_object()
    if said is None:
        raise Refusal(400, "unreadable", "The request cannot be read.")
    return said


def watcher() -> Callable[[], bool]:
    """Tells whether the browser still waits: a page that was closed must not get a card it cannot show."""
    socket = request.environ.get("bianmin.socket")
    if socket is None:
        return lambda: True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLRDHUP)
    return lambda: not poll.poll(0)


def outcome(done: dict[str, Any], say: Say) -> Response | tuple[Response, int]:
    """What came of an order; that nobody can know is said in words."""
    if done.get("result") == "unknown":
        sentence = say("Sent, but nobody can know: look at the device.")
        return jsonify({**done, "sentence": sentence, "reason": say(done["reason"])}), 202
    return jsonify(done)

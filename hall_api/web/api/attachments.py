"""The doors of a ticket's papers: a PDF comes in, is listed, goes out again, is taken away."""

from __future__ import annotations

from typing import Any

from flask import Response

from hall_api.domain.orders import Attach, Detach, Order
from hall_api.web.doors import DESK, Ask, Noun
from hall_api.web.gate import aside
from hall_api.web.problems import Problem

PDF = "application/pdf"
LARGEST = 20 * 1024 * 1024  # bytes

attachments = Noun("attachments", "Papers scanned at a window, kept sealed until the end of the day")


@attachments.post("/tickets/<id>/attachments", DESK, {201: "Attachment"}, takes=PDF, largest=LARGEST)
def attach(ask: Ask) -> Order:
    """Attach a PDF to the ticket being served, at the window that serves it."""
    raw, ticket = ask.raw, ask.path["id"]
    if (ask.request.mimetype or PDF) != PDF or b"%PDF-" not in raw[:1024] or b"%%EOF" not in raw[-2048:]:
        raise Problem("no_pdf")
    sealed = aside(lambda: ask.front.hall.vault.seal(raw, ticket))
    return Attach(ticket=ticket, size=len(raw), sealed=sealed)


@attachments.get("/tickets/<id>/attachments", DESK, "Attachments")
def list_attachments(ask: Ask) -> dict[str, Any]:
    """What is attached; for the window that serves the ticket, and managers."""
    return ask.front.hall.attachments(ask.path["id"], ask.actor)


@attachments.get("/tickets/<id>/attachments/<attachment>", DESK, "", sends=PDF)
def see_attachment(ask: Ask) -> Response:
    """The PDF itself; for the window that serves the ticket, and managers."""
    ticket = ask.path["id"]
    sealed = ask.front.hall.attachment(ticket, ask.path["attachment"], ask.actor)
    plain = aside(lambda: ask.front.hall.vault.open(sealed, ticket))
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="scan.pdf"'}
    return Response(plain, mimetype=PDF, headers=headers)


@attachments.delete("/tickets/<id>/attachments/<attachment>", DESK)
def remove_attachment(ask: Ask) -> Order:
    """Take one away for good."""
    return Detach(ticket=ask.path["id"], attachment=ask.path["attachment"])

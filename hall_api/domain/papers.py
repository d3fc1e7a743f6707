"""Papers scanned at a window: attached to the ticket being served, taken away again, gone at the end of the day."""

from __future__ import annotations

from hall_api.domain.book import Draft
from hall_api.domain.events import AttachmentAdded, AttachmentRemoved
from hall_api.domain.orders import Attach, Detach
from hall_api.domain.refusal import Kind, Refusal
from hall_api.domain.rows import Attachment, Ticket

MOST = 20  # attachments of one ticket
WITH_CITIZEN = ("called", "serving", "held")


def attach(order: Attach, draft: Draft) -> None:
    """Keep a sealed document with the ticket. Subject: the attachment."""
    ticket = draft.ticket(order.ticket)
    only_its_window(ticket, draft)
    if ticket.state not in WITH_CITIZEN:
        raise Refusal("cannot_attach", number=ticket.number, state=ticket.state)
    if len(draft.book.attachments(ticket.id)) >= MOST:
        raise Refusal("too_many_attachments", number=ticket.number, limit=MOST)
    kept = Attachment(
        id=draft.moment.draw(80),
        ticket=ticket.id,
        business_date=ticket.business_date,
        window=ticket.window,
        size=order.size,
        at=draft.moment.now,
        sealed=order.sealed,
    )
    draft.save(kept)
    draft.subject = kept
    told = {"ticket": ticket.id, "number": ticket.number, "queue": ticket.queue}
    draft.tell(AttachmentAdded(**told, attachment=kept.id, window=ticket.window, size=kept.size))


def detach(order: Detach, draft: Draft) -> None:
    """Take one away for good."""
    ticket = draft.ticket(order.ticket)
    only_its_window(ticket, draft)
    if all(one.id != order.attachment for one in draft.book.attachments(ticket.id)):
        raise Refusal("no_attachment", Kind.MISSING)
    draft.dropped.append(order.attachment)
    told = {"ticket": ticket.id, "number": ticket.number, "queue": ticket.queue}
    draft.tell(AttachmentRemoved(**told, attachment=order.attachment, window=ticket.window))


def only_its_window(ticket: Ticket, draft: Draft) -> None:
    """A ticket's papers are for the window that serves it and for managers; Refusal not_your_ticket (403) else."""
    actor = draft.moment.actor
    its_clerk = actor.role == "clerk" and ticket.window and draft.known_window(ticket.window).staff == actor.name
    its_machine = actor.role == "window" and actor.window in (None, ticket.window) and ticket.window
    if not (actor.role == "manager" or its_clerk or its_machine):
        raise Refusal("not_your_ticket", Kind.FORBIDDEN, number=ticket.number)

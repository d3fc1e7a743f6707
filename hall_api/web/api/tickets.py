"""The doors of a ticket: issue it, look at it, call it again, let it go, rate it."""

from __future__ import annotations

from typing import Any

from hall_api.domain.orders import (
    Cancel,
    Finish,
    Hold,
    Issue,
    Order,
    Outcome,
    Pass,
    Rate,
    Recall,
    Rejoin,
    Reprint,
    Resume,
    SettleJob,
    SkipRating,
    Start,
    Transfer,
    VerifyPriority,
)
from hall_api.web.bodies import Field
from hall_api.web.doors import ANYONE, CLERK, DESK, KIOSK, MANAGER, PUBLIC, SCREEN, STAFF, WINDOW, Ask, Noun
from hall_api.web.problems import Problem, wrong

OUTCOMES = tuple(o.value for o in Outcome)
CODE = Field(high=40, low=1)
WINDOW_NO = Field(kind=int, low=1, high=9999)
RATERS = (WINDOW, SCREEN, KIOSK)
TICKET_ID = 64

tickets = Noun("tickets", "A citizen's number, from issue to rating")


@tickets.post(
    "/tickets",
    (KIOSK, CLERK, MANAGER, WINDOW),
    {201: "Ticket"},
    {"queue": CODE, "service": CODE, "priority": CODE, "kiosk": Field(high=80, low=1)},
)
def issue_ticket(ask: Ask) -> Order:
    """Issue a number in a queue or for a service."""
    body = ask.body
    if body["queue"] is None and body["service"] is None:
        raise wrong("queue", "队列和事项至少给出一个", "give a queue or a service")
    return Issue(queue=body["queue"], service=body["service"], priority=body["priority"], kiosk=body["kiosk"])


@tickets.get("/tickets", (KIOSK, *STAFF), "Tickets", query={"number": "a number of today, like A007"})
def find_tickets(ask: Ask) -> dict[str, Any]:
    """Find today's tickets with a number."""
    number = ask.request.args.get("number", "")
    if not 1 <= len(number) <= 12:
        raise wrong("number", "应给出号码，如 A007", "give a number like A007")
    return ask.front.hall.tickets_by_number(number)


@tickets.get("/tickets/<id>", ANYONE, "Ticket")
def see_ticket(ask: Ask) -> dict[str, Any]:
    """Look at one ticket; whoever knows its id may."""
    return ask.front.hall.ticket(ask.path["id"])


@tickets.post("/tickets/<id>/recall", DESK, "Ticket")
def recall_ticket(ask: Ask) -> Order:
    """Call the called ticket again."""
    return Recall(ticket=ask.path["id"])


@tickets.post("/tickets/<id>/pass", DESK, "Ticket")
def pass_ticket(ask: Ask) -> Order:
    """Nobody came; pass the number."""
    return Pass(ticket=ask.path["id"])


@tickets.post("/tickets/<id>/start", DESK, "Ticket")
def start_ticket(ask: Ask) -> Order:
    """The called citizen sits down."""
    return Start(ticket=ask.path["id"])


@tickets.post("/tickets/<id>/hold", DESK, "Ticket")
def hold_ticket(ask: Ask) -> Order:
    """Put the ticket being served aside."""
    return Hold(ticket=ask.path["id"])


@tickets.post("/tickets/<id>/resume", DESK, "Ticket", {"window": WINDOW_NO})
def resume_ticket(ask: Ask) -> Order:
    """Serve a held ticket again."""
    return Resume(ticket=ask.path["id"], window=ask.body["window"])


@tickets.post("/tickets/<id>/transfer", DESK, "Ticket", {"queue": CODE, "window": WINDOW_NO})
def transfer_ticket(ask: Ask) -> Order:
    """Send a called or serving ticket to another queue or window; it keeps its arrival time."""
    if ask.body["queue"] is None and ask.body["window"] is None:
        raise wrong("queue", "队列和窗口至少给出一个", "give a queue or a window")
    return Transfer(ticket=ask.path["id"], queue=ask.body["queue"], window=ask.body["window"])


@tickets.post("/tickets/<id>/finish", DESK, "Ticket", {"outcome": Field(required=True, choices=OUTCOMES)})
def finish_ticket(ask: Ask) -> Order:
    """End the visit with an outcome."""
    return Finish(ticket=ask.path["id"], outcome=Outcome(ask.body["outcome"]))


@tickets.post("/tickets/<id>/cancel", (*DESK, KIOSK), "Ticket")
def cancel_ticket(ask: Ask) -> Order:
    """Give the number up."""
    return Cancel(ticket=ask.path["id"])


@tickets.post("/tickets/<id>/rejoin", (*DESK, KIOSK, PUBLIC), "Ticket")
def rejoin_ticket(ask: Ask) -> Order:
    """A passed citizen has come after all."""
    return Rejoin(ticket=ask.path["id"])


@tickets.post(
    "/tickets/<id>/rate",
    (*RATERS, PUBLIC),
    "Ticket",
    {
        "grade": Field(kind=int, required=True, low=1, high=5, help="5 very satisfied … 1 very dissatisfied"),
        "channel": Field(choices=("evaluator", "qr", "kiosk", "pc")),
        "options": Field(kind=list, high=20, items=Field(required=True, low=1, high=40)),
        "age": Field(kind=int, low=0, high=7 * 86400, help="seconds since the key was pressed, when told late"),
    },
)
def rate_ticket(ask: Ask) -> Order:
    """Rate a finished visit, once."""
    channel = ask.body["channel"] or ("qr" if ask.actor.role == PUBLIC else "evaluator")
    _only_by_citizen(ask, channel)
    late = ask.body["age"] if ask.actor.role in RATERS else None
    return Rate(
        ticket=ask.path["id"],
        grade=ask.body["grade"],
        channel=channel,
        options=ask.body["options"] or (),
        age=late or 0,
    )


@tickets.post(
    "/tickets/<id>/skip-rating",
    (*RATERS, PUBLIC),
    "Ticket",
    {"channel": Field(choices=("evaluator", "qr", "kiosk", "pc"))},
)
def skip_rating(ask: Ask) -> Order:
    """The citizen does not wish to rate."""
    _only_by_citizen(ask, ask.body["channel"] or "qr")
    return SkipRating(ticket=ask.path["id"])


@tickets.post(
    "/tickets/<id>/verify-priority",
    (CLERK, MANAGER, KIOSK),
    "Ticket",
    {"accept": Field(kind=bool), "age": Field(kind=int, high=150)},
)
def verify_priority(ask: Ask) -> Order:
    """Staff looked at a priority claim; or the kiosk read an age from a card."""
    accept = True if ask.body["accept"] is None else ask.body["accept"]
    return VerifyPriority(ticket=ask.path["id"], accept=accept, age=ask.body["age"])


@tickets.post(
    "/tickets/<id>/reprint",
    (KIOSK, CLERK, MANAGER),
    "Ticket",
    {"kiosk": Field(required=True, low=1, high=80)},
)
def reprint_ticket(ask: Ask) -> Order:
    """Print the slip again; the paper carries 补打."""
    return Reprint(ticket=ask.path["id"], kiosk=ask.body["kiosk"])


@tickets.get("/print-jobs", (KIOSK, *STAFF), "PrintJobs", query={"kiosk": "the name of a kiosk"})
def list_print_jobs(ask: Ask) -> dict[str, Any]:
    """Slips of a kiosk that are not settled yet: queued or sending."""
    kiosk = ask.request.args.get("kiosk", "")
    if not 1 <= len(kiosk) <= 80:
        raise wrong("kiosk", "应给出自助终端名称", "give the name of a kiosk")
    return ask.front.hall.print_jobs(kiosk)


@tickets.post(
    "/print-jobs/<id>",
    (KIOSK, WINDOW),
    "PrintJob",
    {
        "state": Field(required=True, choices=("sending", "sent", "confirmed", "unknown", "failed", "cancelled")),
        "reason": Field(),
    },
)
def settle_print_job(ask: Ask) -> Order:
    """Tell what became of a slip on its printer."""
    return SettleJob(job=ask.path["id"], state=ask.body["state"], reason=ask.body["reason"] or "")


def _only_by_citizen(ask: Ask, channel: str) -> None:
    """Without a device's token a rating comes through the slip's QR code, and says so."""
    if ask.actor.role not in RATERS and channel != "qr":
        raise Problem("not_signed_in")

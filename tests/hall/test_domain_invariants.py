"""Whatever people do in whatever order, some things are always true of the hall."""

import random
from collections import Counter

import pytest
from sqlalchemy import select

from hall_api.domain.orders import (
    Actor,
    CallNext,
    CallOne,
    Cancel,
    CloseWindow,
    Finish,
    Hold,
    Housekeep,
    Issue,
    OpenWindow,
    Outcome,
    Pass,
    PauseWindow,
    Rate,
    Recall,
    Rejoin,
    Resume,
    ResumeWindow,
    SkipRating,
    Start,
    Transfer,
    VerifyPriority,
)
from hall_api.domain.refusal import Refusal
from hall_api.sentences import say
from hall_api.storage import schema as s

STEPS = 350
EVERYONE = ("public", "staff", "manager")
SYSTEM = Actor(role="system")
FOLLOWS = {  # what the journal says, read as the state of a ticket
    "TicketIssued": "waiting",
    "TicketCalled": "called",
    "TicketRecalled": "called",
    "TicketPassed": "passed",
    "TicketRejoined": "waiting",
    "ServiceStarted": "serving",
    "TicketHeld": "held",
    "TicketResumed": "serving",
    "TicketTransferred": "waiting",
    "ServiceFinished": "done",
    "TicketCancelled": "cancelled",
    "TicketExpired": "expired",
}


def any_order(luck, tickets):
    """Something somebody might ask for, sensible or not."""
    ticket = luck.choice(tickets[-12:])["id"] if tickets else "none"
    window = luck.choice((1, 1, 2, 3))
    finish = luck.choice((None, Outcome.DONE))
    return luck.choice(
        (
            *[Issue(queue=luck.choice("AB"), priority=luck.choice((None, None, "soldier", "elder")))] * 6,
            *[CallNext(window=window, finish=finish)] * 6,
            CallOne(window=window, number=f"{luck.choice('AB')}{luck.randint(1, 40):03d}", finish=finish),
            *[OpenWindow(window=window, staff=luck.choice(("wang", "li", "zhao")))] * 2,
            PauseWindow(window=window),
            ResumeWindow(window=window),
            CloseWindow(window=window),
            Recall(ticket=ticket),
            *[Pass(ticket=ticket)] * 2,
            *[Rejoin(ticket=ticket)] * 3,
            Start(ticket=ticket),
            Hold(ticket=ticket),
            Resume(ticket=ticket, window=luck.choice((None, window))),
            Transfer(ticket=ticket, queue=luck.choice((None, "A", "B")), window=luck.choice((None, window))),
            Finish(ticket=ticket, outcome=Outcome.DONE),
            Cancel(ticket=ticket),
            Rate(ticket=ticket, grade=luck.randint(1, 5), channel=luck.choice(("evaluator", "qr"))),
            SkipRating(ticket=ticket),
            *[VerifyPriority(ticket=ticket, accept=luck.random() < 0.7)] * 2,
            Housekeep(),
        )
    )


def rows(hall, table):
    return [dict(zip(table.c.keys(), row, strict=True)) for row in hall._store.read(lambda c: c.run(select(table)))]


@pytest.mark.parametrize("seed", range(4))
def test_any_day_at_all(quick_hall, clock, seed):
    hall, luck = quick_hall, random.Random(seed)
    tickets, refusals = [], Counter()
    for _ in range(STEPS):
        clock.on(seconds=luck.choice((0, 1, 25, 90)))
        if luck.random() < 0.01:
            clock.on(hours=luck.choice((-1, 9)))
        try:
            answer = hall.obey(any_order(luck, tickets), SYSTEM)
        except Refusal as refusal:
            assert say(refusal) != say(refusal, "en")
            refusals[refusal.code] += 1
            continue
        if answer and answer.get("state") == "waiting" and answer["rejoins"] == 0 and not answer["window"]:
            tickets.append(answer)
    assert len(refusals) > 8
    check(hall)


def check(hall):
    """All that must hold between rows and journal."""
    stored, windows = rows(hall, s.tickets), rows(hall, s.windows)
    assert max(Counter((t["business_date"], t["number"]) for t in stored).values()) == 1
    at_window = {t["id"]: t["window"] for t in stored if t["state"] in ("called", "serving")}
    assert {w["ticket"]: w["no"] for w in windows if w["ticket"]} == at_window
    clerks = [w["staff"] for w in windows if w["state"] != "closed" and w["staff"]]
    assert len(clerks) == len(set(clerks))
    for day in rows(hall, s.queue_days):
        mine = [t for t in stored if (t["business_date"], t["queue"]) == (day["business_date"], day["queue"])]
        waiting = [t for t in mine if t["state"] == "waiting"]
        assert (day["waiting"], day["first"]) == (len(waiting), sum(t["first"] for t in waiting)), day
    told = hall.events(0, 100_000, EVERYONE)
    assert [line.seq for line in told] == list(range(1, len(told) + 1))
    assert [line.at for line in told] == sorted(line.at for line in told)
    derived, queue = {}, {}
    for line in told:
        data = line.as_json()["data"]
        if line.type in FOLLOWS:
            derived[data["ticket"]] = FOLLOWS[line.type]
            queue[data["ticket"]] = data["queue"]
    assert derived == {t["id"]: t["state"] for t in stored}
    assert queue == {t["id"]: t["queue"] for t in stored}
    for t in stored:
        moments = [t[name] for name in ("issued_at", "called_at", "recalled_at", "finished_at") if t[name] is not None]
        assert moments == sorted(moments)
        assert t["changed_at"] >= t["issued_at"]
    rated = {e["ticket"] for e in rows(hall, s.evaluations)}
    assert rated == {t["id"] for t in stored if t["rating"] == "rated"}
    assert {c["ticket"] for c in rows(hall, s.cases)} == {
        e["ticket"] for e in rows(hall, s.evaluations) if e["grade"] <= 2
    }

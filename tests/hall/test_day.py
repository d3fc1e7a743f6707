"""One day of the hall, from door to door: the same day through the facade itself and over HTTP.

A `Desk` answers with the JSON shapes of docs/api.md and raises Refusal (code and kind) when the hall says no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Protocol

import pytest
from flask.testing import FlaskClient

from config.plan import HallPlan
from hall_api.accounts import Accounts
from hall_api.domain import orders
from hall_api.domain.orders import Actor
from hall_api.domain.refusal import Refusal
from hall_api.hall import Hall
from hall_api.web.app import create_app

Json = dict[str, Any]
KIOSK = Actor(role="kiosk", name="kiosk-1")
MANAGER = Actor(role="manager", name="chen")
CLERKS = {1: Actor(role="clerk", name="wang"), 2: Actor(role="clerk", name="li"), 3: Actor(role="clerk", name="zhao")}


class Desk(Protocol):
    """A way into the hall of the `plan` fixture, with a clock that can be turned."""

    def do(self, order: orders.Order, actor: Actor, key: str | None = None) -> Json | None:
        """One order by that actor; the answer, or None when nobody waits."""

    def see(self, what: str, *arguments: Any) -> Json:
        """A reading by its facade name: queues, windows, window, board, ticket, waiting, cases, day."""

    def told(self, after: int) -> list[Json]:
        """All events after this number that a manager may hear, as {"seq", "at", "type", "data"}."""

    def later(self, **time: float) -> None:
        """Time passes, and the hall does what time demands."""


class Directly:
    """The facade itself."""

    def __init__(self, hall: Hall, clock: Any) -> None:
        self._hall, self._clock = hall, clock

    def do(self, order: orders.Order, actor: Actor, key: str | None = None) -> Json | None:
        return self._hall.obey(order, actor, key)

    def see(self, what: str, *arguments: Any) -> Json:
        return getattr(self._hall, what)(*arguments)

    def told(self, after: int) -> list[Json]:
        return [line.as_json() for line in self._hall.events(after, 10_000, ("public", "staff", "manager"))]

    def later(self, **time: float) -> None:
        self._clock.on(**time)
        self._hall.obey(orders.Housekeep(), Actor(role="system"))


JSON = "application/json"
KINDS = {422: "invalid", 403: "forbidden", 404: "missing", 409: "conflict", 503: "unavailable"}
WINDOW_DOORS = {
    orders.CallNext: "call-next",
    orders.CallOne: "call",
    orders.OpenWindow: "open",
    orders.PauseWindow: "pause",
    orders.ResumeWindow: "resume",
    orders.CloseWindow: "close",
}
QUEUE_DOORS = {orders.OpenQueue: "open", orders.CloseQueue: "close"}
TICKET_DOORS = {
    orders.Recall: "recall",
    orders.Pass: "pass",
    orders.Rejoin: "rejoin",
    orders.Start: "start",
    orders.Hold: "hold",
    orders.Resume: "resume",
    orders.Transfer: "transfer",
    orders.Finish: "finish",
    orders.Cancel: "cancel",
    orders.Rate: "rate",
    orders.SkipRating: "skip-rating",
    orders.VerifyPriority: "verify-priority",
}


class OverHttp(Directly):
    """The hall's doors, each asker with a token of their own; only the clock is turned from inside."""

    def __init__(self, hall: Hall, clock: Any, accounts: Accounts, http: FlaskClient) -> None:
        super().__init__(hall, clock)
        self._accounts, self._http = accounts, http
        self._tokens: dict[Actor, str] = {}

    def _ask(self, method: str, path: str, actor: Actor, body: Json | None = None, **headers: str) -> Any:
        if actor not in self._tokens:
            self._tokens[actor] = self._accounts.new_token(actor.role, actor.name, actor.window)
        headers["Authorization"] = f"Bearer {self._tokens[actor]}"
        answer = self._http.open(f"/v1{path}", method=method, json=body, headers=headers)
        if answer.status_code >= 400:
            raise Refusal(answer.json["code"], KINDS[answer.status_code])
        return answer.json if answer.status_code != 204 else None

    def do(self, order: orders.Order, actor: Actor, key: str | None = None) -> Json | None:
        body = {name: value for name, value in asdict(order).items() if value is not None}
        path = _door(order, body)
        return self._ask("POST", path, actor, body, **({"Idempotency-Key": key} if key else {}))

    def see(self, what: str, *arguments: Any) -> Json:
        tickets = {"ticket": "/tickets/{}", "window": "/windows/{}", "waiting": "/windows/{}/waiting"}
        return self._ask("GET", tickets.get(what, f"/{what}").format(*arguments), MANAGER)

    def told(self, after: int) -> list[Json]:
        lines: list[Json] = []
        while page := self._ask("GET", f"/events?after={after}&limit=200&wait=0", MANAGER, Accept=JSON)["events"]:
            lines += page
            after = lines[-1]["seq"]
        return lines


def _door(order: orders.Order, body: Json) -> str:
    """The path of an order's door; what the path says is taken out of the body."""
    if type(order) in WINDOW_DOORS:
        return f"/windows/{body.pop('window')}/{WINDOW_DOORS[type(order)]}"
    if type(order) in QUEUE_DOORS:
        return f"/queues/{body.pop('queue')}/{QUEUE_DOORS[type(order)]}"
    if isinstance(order, orders.SettleJob):
        return f"/print-jobs/{body.pop('job')}"
    if isinstance(order, orders.Issue):
        return "/tickets"
    return f"/tickets/{body.pop('ticket')}/{TICKET_DOORS[type(order)]}"


@pytest.fixture(params=["directly", "over http"])
def desk(request: pytest.FixtureRequest, hall: Hall, plan: HallPlan, clock: Any) -> Iterator[Desk]:
    """Both doors, on each engine in turn."""
    if request.param == "directly":
        yield Directly(hall, clock)
        return
    accounts = Accounts(hall._store, plan)
    app = create_app(hall, accounts)
    yield OverHttp(hall, clock, accounts, app.test_client())
    app.extensions["hall"].feed.close()


class Visit:
    """What clerks and citizens say on this day, in their own verbs."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def take(self, queue: str = "A", **rest: Any) -> Json:
        ticket = self.desk.do(orders.Issue(queue=queue, kiosk="kiosk-1", **rest), KIOSK)
        assert ticket is not None
        self.desk.do(orders.SettleJob(job=ticket["job"]["id"], state="confirmed"), KIOSK)
        return ticket

    def call(self, window: int, finish: orders.Outcome | None = None) -> Json | None:
        return self.desk.do(orders.CallNext(window=window, finish=finish), CLERKS[window])

    def at(self, window: int, verb: Callable[..., orders.Order], ticket: Json, **rest: Any) -> Json:
        answer = self.desk.do(verb(ticket=ticket["id"], **rest), CLERKS[window])
        assert answer is not None
        return answer

    def serve(self, window: int, grade: int | None = None) -> Json:
        """One visit from call to rating."""
        ticket = self.call(window)
        assert ticket is not None
        self.at(window, orders.Start, ticket)
        self.desk.later(minutes=4)
        done = self.at(window, orders.Finish, ticket, outcome=orders.Outcome.DONE)
        if grade:
            evaluator = Actor(role="window", name=f"w{window}", window=window)
            done = self.desk.do(orders.Rate(ticket=ticket["id"], grade=grade), evaluator) or {}
        return done

    def refused(self, order: orders.Order, actor: Actor) -> tuple[str, str]:
        with pytest.raises(Refusal) as said:
            self.desk.do(order, actor)
        return said.value.code, str(said.value.kind)


def test_a_day_in_the_hall(desk: Desk) -> None:
    day = Visit(desk)
    morning(desk, day)
    people_who_do_not_come(desk, day)
    people_who_come_first(desk, day)
    visits_that_take_a_turn(desk, day)
    evening(desk, day)
    the_journal_adds_up(desk)


def morning(desk: Desk, day: Visit) -> None:
    """Windows open, numbers are drawn, visits are served and rated."""
    for window, clerk in CLERKS.items():
        opened = desk.do(orders.OpenWindow(window=window), clerk)
        assert opened is not None
        assert opened["state"] == "open"
        assert opened["clerk"]["work_no"] == {1: "1005", 2: "1006", 3: "1007"}[window]
    tickets = [day.take("A") for _ in range(4)] + [day.take("B")]
    assert [t["number"] for t in tickets] == ["A001", "A002", "A003", "A004", "B001"]
    assert [t["ahead"] for t in tickets] == [0, 1, 2, 3, 0]
    assert desk.do(orders.Issue(queue="A"), KIOSK, "tap") == desk.do(orders.Issue(queue="A"), KIOSK, "tap")
    assert desk.see("queues")["queues"][0]["waiting"] == 5
    assert day.serve(1, grade=5)["rating"] == "rated"
    assert day.serve(2, grade=3)["number"] == "A002"
    assert day.serve(3, grade=4)["number"] == "B001"
    assert desk.see("board")["calls"][0] == desk.see("board")["calls"][0] | {"number": "B001", "window": 3, "recall": 0}


def people_who_do_not_come(desk: Desk, day: Visit) -> None:
    """Recall, pass, rejoin, give up."""
    ticket = day.call(2)
    assert ticket is not None
    assert ticket["number"] == "A003"
    assert day.refused(orders.Recall(ticket=ticket["id"]), CLERKS[2]) == ("recall_too_soon", "conflict")
    desk.later(seconds=20)
    assert day.at(2, orders.Recall, ticket)["recalls"] == 1
    desk.later(seconds=20)
    assert day.at(2, orders.Pass, ticket)["state"] == "passed"
    assert [t["number"] for t in desk.see("waiting", 2)["passed"]] == ["A003"]
    back = desk.do(orders.Rejoin(ticket=ticket["id"]), KIOSK)
    assert back is not None
    assert (back["state"], back["ahead"]) == ("waiting", 2)
    waiting = [t["number"] for t in desk.see("waiting", 2)["waiting"]]
    assert waiting == ["A004", "A005", "A003"]
    gone = day.take("A")
    assert desk.do(orders.Cancel(ticket=gone["id"]), KIOSK)["state"] == "cancelled"  # type: ignore[index]


def people_who_come_first(desk: Desk, day: Visit) -> None:
    """A claim waits as ordinary until somebody has looked."""
    claim = day.take("A", priority="disabled")
    assert (claim["number"], claim["ahead"]) == ("A007", 3)
    aged = orders.VerifyPriority(ticket=claim["id"], age=80)
    assert day.refused(aged, KIOSK) == ("age_proves_nothing", "conflict")
    verified = desk.do(orders.VerifyPriority(ticket=claim["id"], accept=True), CLERKS[1])
    assert verified is not None
    assert verified["ahead"] == 0
    called = day.call(1)
    assert called is not None
    assert called["number"] == "A007"
    assert day.refused(orders.CallNext(window=1), CLERKS[1]) == ("window_holds", "conflict")
    following = day.call(1, orders.Outcome.ACCEPTED)
    assert following is not None
    assert following["number"] == "A004"


def visits_that_take_a_turn(desk: Desk, day: Visit) -> None:
    """Hold and resume, transfer, a clerk's break, a poor rating."""
    [held] = [t for t in desk.see("windows")["windows"] if t["no"] == 1]
    ticket = desk.see("ticket", held["ticket"]["id"])
    day.at(1, orders.Start, ticket)
    assert day.at(1, orders.Hold, ticket)["state"] == "held"
    assert desk.see("window", 1)["ticket"] is None
    assert [t["number"] for t in desk.see("waiting", 1)["held"]] == ["A004"]
    assert day.at(1, orders.Resume, ticket)["state"] == "serving"
    moved = day.at(1, orders.Transfer, ticket, queue="B")
    assert (moved["state"], moved["queue"], moved["issued_at"]) == ("waiting", "B", ticket["issued_at"])
    assert day.serve(3, grade=2)["number"] == "A004"
    [case] = desk.see("cases")["cases"]
    assert (case["number"], case["grade"], case["window"]) == ("A004", 2, 3)
    paused = desk.do(orders.PauseWindow(window=2, reason="午休"), CLERKS[2])
    assert paused is not None
    assert (paused["state"], paused["reason"]) == ("paused", "午休")
    assert day.refused(orders.CallNext(window=2), CLERKS[2]) == ("window_paused", "conflict")
    desk.do(orders.ResumeWindow(window=2), CLERKS[2])
    by_number = desk.do(orders.CallOne(window=2, number="A003"), CLERKS[2])
    assert by_number is not None
    day.at(2, orders.Finish, by_number, outcome=orders.Outcome.REFERRED)
    assert desk.do(orders.SkipRating(ticket=by_number["id"]), Actor(role="window", name="w2", window=2))["rating"] == (  # type: ignore[index]
        "skipped"
    )


def evening(desk: Desk, day: Visit) -> None:
    """The queue closes, the last one is served and does not rate, one waits in vain."""
    desk.do(orders.CloseQueue(queue="A"), MANAGER)
    assert day.refused(orders.Issue(queue="A"), KIOSK) == ("queue_closed", "conflict")
    last = day.serve(1)
    assert (last["number"], last["rating"]) == ("A005", "invited")
    desk.later(seconds=61)
    assert desk.see("ticket", last["id"])["rating"] == "timed_out"
    assert day.call(1) is None
    in_vain = day.take("B")
    for window, clerk in CLERKS.items():
        assert desk.do(orders.CloseWindow(window=window), clerk)["state"] == "closed"  # type: ignore[index]
    figures = desk.see("day")
    assert (figures["issued"], figures["finished"], figures["recalled"], figures["passed"]) == (9, 7, 1, 1)
    assert figures["ratings"] == {"5": 1, "4": 1, "3": 1, "2": 1, "1": 0}
    desk.later(hours=9)
    assert desk.see("ticket", in_vain["id"])["state"] == "expired"
    assert day.take("B")["number"] == "B001", "a new day"


def the_journal_adds_up(desk: Desk) -> None:
    """Every change was told once, in order; nothing in it says who anybody was."""
    told = desk.told(0)
    assert [line["seq"] for line in told] == list(range(1, len(told) + 1))
    assert [line["at"] for line in told] == sorted(line["at"] for line in told)
    kinds = {line["type"] for line in told}
    assert kinds >= {
        "TicketIssued", "TicketCalled", "TicketRecalled", "TicketPassed", "TicketRejoined", "ServiceStarted",
        "TicketHeld", "TicketResumed", "TicketTransferred", "ServiceFinished", "TicketCancelled", "TicketExpired",
        "RatingInvited", "RatingClosed", "TicketRated", "CaseOpened", "PriorityVerified", "WindowOpened",
        "WindowPaused", "WindowResumed", "WindowClosed", "QueueClosed", "SlipSettled", "DayClosed",
    }  # fmt: skip
    assert "disabled" not in str(told)

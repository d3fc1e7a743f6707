"""A simulated day's own reckoning: each thing it claims to find, found in a day where it happened."""

import random
import threading
import time
from datetime import UTC, datetime

import pytest

from kiosk.day import Citizen, Day, Sight, as_json, plan_day
from kiosk.ledger import Ledger, summary

NOON = 1_795_000_000.0


class Told:
    """Writes a journal by hand; time passes a second with each event."""

    def __init__(self, ledger):
        self.ledger, self.now = ledger, NOON

    def __call__(self, kind, number, **data):
        self.now += 1
        at = datetime.fromtimestamp(self.now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.ledger.heard({"type": kind, "at": at, "data": {"ticket": f"id-{number}", "number": number, **data}})


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def told(ledger):
    return Told(ledger)


def a_visit(ledger, told, number, grade=5):
    """From the touch to the rating, as it should be."""
    ledger.took(number, f"id-{number}", 0, 1_000_000)
    told("TicketIssued", number)
    ledger.printed(number, 0)
    told("TicketCalled", number, window=1)
    told("ServiceFinished", number, window=1)
    if grade:
        ledger.rated(number, grade)
        told("TicketRated", number, grade=grade)


def reckoned(ledger):
    return summary(ledger, {}, 60.0)


def test_a_good_day_has_lost_and_duplicated_nothing(ledger, told):
    a_visit(ledger, told, "A001")
    a_visit(ledger, told, "A002", grade=None)
    result = reckoned(ledger)
    assert (result["lost"], result["duplicated"]) == (0, 0)
    assert (result["tickets"], result["slips"], result["calls"], result["finished"]) == (2, 2, 2, 2)
    assert result["ratings"] == {"5": 1, "4": 0, "3": 0, "2": 0, "1": 0}


def test_a_number_the_hall_does_not_know(ledger, told):
    a_visit(ledger, told, "A001")
    ledger.took("A002", "id-A002", 0, 1)
    ledger.printed("A002", 0)
    assert reckoned(ledger)["lost_what"] == {"numbers": ["A002"]}


def test_a_slip_that_never_came(ledger, told):
    a_visit(ledger, told, "A001")
    ledger.slips.clear()
    result = reckoned(ledger)
    assert (result["lost"], result["lost_what"]) == (1, {"slips": ["A001"]})


def test_a_slip_that_came_twice(ledger, told):
    a_visit(ledger, told, "A001")
    ledger.printed("A001", 0)
    result = reckoned(ledger)
    assert (result["duplicated"], result["duplicated_what"]) == (1, {"slips": ["A001"]})


def test_a_number_given_twice(ledger, told):
    a_visit(ledger, told, "A001")
    ledger.took("A001", "id-other", 0, 1)
    told("TicketIssued", "A001")
    told("ServiceFinished", "A001")
    assert reckoned(ledger)["duplicated_what"] == {"numbers": ["A001"]}


def test_a_ticket_called_to_a_second_window_while_the_first_holds_it(ledger, told):
    ledger.took("A001", "id-A001", 0, 1)
    told("TicketIssued", "A001")
    ledger.printed("A001", 0)
    told("TicketCalled", "A001", window=1)
    told("TicketCalled", "A001", window=2)
    told("ServiceFinished", "A001", window=2)
    assert reckoned(ledger)["duplicated_what"] == {"calls": ["A001"]}


@pytest.mark.parametrize("between", ["TicketPassed", "TicketHeld", "TicketTransferred"])
def test_a_ticket_called_again_after_it_was_let_go_is_no_duplicate(between, ledger, told):
    ledger.took("A001", "id-A001", 0, 1)
    told("TicketIssued", "A001")
    ledger.printed("A001", 0)
    told("TicketCalled", "A001", window=1)
    told(between, "A001", window=1)
    told("TicketRejoined", "A001")
    told("TicketCalled", "A001", window=2)
    told("ServiceFinished", "A001", window=2)
    assert reckoned(ledger)["duplicated"] == 0


def test_a_visit_rated_twice(ledger, told):
    a_visit(ledger, told, "A001")
    told("TicketRated", "A001", grade=5)
    assert reckoned(ledger)["duplicated_what"] == {"ratings": ["A001"]}


def test_a_rating_that_never_arrived(ledger, told):
    a_visit(ledger, told, "A001", grade=None)
    ledger.rated("A001", 2)
    assert reckoned(ledger)["lost_what"] == {"ratings": ["A001"]}


def test_a_rating_stored_as_another_grade_is_a_lost_one(ledger, told):
    a_visit(ledger, told, "A001", grade=None)
    ledger.rated("A001", 2)
    told("TicketRated", "A001", grade=5)
    assert reckoned(ledger)["lost_what"] == {"ratings": ["A001"]}


def test_a_visit_that_never_ended(ledger, told):
    a_visit(ledger, told, "A001")
    ledger.took("A002", "id-A002", 0, 1)
    told("TicketIssued", "A002")
    ledger.printed("A002", 0)
    told("TicketCalled", "A002", window=1)
    assert reckoned(ledger)["lost_what"] == {"visits": ["A002"]}
    told("TicketPassed", "A002", window=1)
    assert reckoned(ledger)["lost"] == 0
    told("TicketRejoined", "A002")
    assert reckoned(ledger)["lost_what"] == {"visits": ["A002"]}


def test_who_is_still_in_the_hall(ledger, told):
    ledger.took("A001", "id-A001", 0, 1)
    assert ledger.open == {"id-A001"}
    told("TicketIssued", "A001")
    told("ServiceFinished", "A001")
    assert not ledger.open
    ledger.took("A001", "id-A001", 0, 1)  # an answer asked for again after the visit was over
    assert not ledger.open


def test_hops_and_waits(ledger, told):
    ledger.took("A001", "id-A001", 0, 7_000_000)
    told("TicketIssued", "A001")
    issued = round(told.now * 1e9) - ledger.wall
    ledger.printed("A001", issued + 12_000_000)
    told.now += 59
    told("TicketCalled", "A001", window=1)
    ledger.calls.append(30_000_000)
    told("ServiceFinished", "A001")
    result = reckoned(ledger)
    assert result["hops"]["touch_to_stored"] == {"n": 1, "p50_ms": 7.0, "p99_ms": 7.0}
    assert result["hops"]["stored_to_first_byte"]["n"] == 1
    assert result["hops"]["stored_to_first_byte"]["p50_ms"] == pytest.approx(12, abs=0.2)
    assert result["hops"]["call_to_screen"]["p50_ms"] == 30.0
    assert result["hops"]["rating_to_stored"] == {"n": 0, "p50_ms": None, "p99_ms": None}
    assert result["wait_minutes"] == {"mean": 60.0, "p95": 60.0}  # a minute at sixty times the speed


def test_a_rare_slow_step_is_seen_in_the_last_hundredth(ledger):
    ledger.calls.extend([1_000_000] * 98 + [900_000_000] * 2)
    assert reckoned(ledger)["hops"]["call_to_screen"]["p99_ms"] == 900.0


def test_a_slip_belongs_to_the_byte_that_began_it():
    day = a_day([])
    for line in (
        {"device": "printer", "heard": "slip", "at": 10},
        {"device": "printer", "heard": "slip", "at": 20},  # the first one was cut off
        {"device": "printer", "order": "PrintSlip", "number": "A001", "at": 25},
        {"device": "printer", "order": "PrintSlip", "number": "A002", "at": 30},  # its first byte was not seen
    ):
        day.report(line)
    assert day.ledger.slips == [("A001", 20), ("A002", 0)]


# ---- the people -----------------------------------------------------------------------------------------------


class Doors:
    """The hall's doors for one citizen: issues A001, and says how the ticket is."""

    def __init__(self, day_told):
        self.told, self.state, self.posts = day_told, "waiting", []

    def post(self, path, body, *, key):
        self.posts.append(path)
        if path.endswith("rejoin"):
            assert self.state == "passed", "nobody rejoins before being passed"
            self.state = "waiting"
            self.told("TicketRejoined")
        return {"number": "A001", "id": "id-A001"}

    def get(self, path):
        return {"state": self.state}


def a_day(citizens, doors=None, poke=lambda command: None):
    return Day(doors, poke, citizens, {1: ("bus", 1, "strip1")}, kiosk="k", speed=600.0, recall_gap=0.01, patience=0.3)


def citizen(**more):
    return Citizen(**{
        "at": 0.0, "queue": "A", "service": 30.0, "claim": None, "comes": True, "rejoins": False, "grade": 4,
        "twice": False, **more,
    })  # fmt: skip


class Hall:
    """What pad, strip, evaluator and journal do for one ticket; `deaf` presses are lost, as while the hall is away."""

    def __init__(self, deaf=()):
        self.deaf, self.presses, self.day = list(deaf), [], None
        self.doors = Doors(self.tell)
        self.ledger_told = None

    def tell(self, kind, **data):
        self.ledger_told(kind, "A001", window=1, **data)

    def poke(self, command):
        key = command.get("key") or command["news"]
        self.presses.append(key)
        if key in self.deaf:
            self.deaf.remove(key)
            return
        state = self.doors.state
        if key == "call_next" and "/tickets" in self.doors.posts and state == "waiting":
            self.change("called", "TicketCalled", {"device": "strip1", "order": "ShowCall", "number": "A001"})
        elif key == "evaluate" and state == "called":
            self.change("done", "ServiceFinished", {"device": "bus", "address": 1, "order": "AskRating"})
        elif key == "give_up" and state == "called":
            self.change("passed", "TicketPassed", None)
        elif key == "Rated":
            self.tell("TicketRated", grade=command["grade"])
        else:
            self.day.report({"device": "bus", "address": 1, "order": "Beep", "at": time.monotonic_ns()})

    def change(self, state, kind, line):
        self.doors.state = state
        self.tell(kind)
        if line:
            self.day.report({**line, "at": time.monotonic_ns()})


def lived(hall, *citizens):
    day = a_day(citizens, hall.doors, hall.poke)
    hall.day, hall.ledger_told = day, Told(day.ledger)
    day.run()
    return day


def test_a_citizen_is_called_served_and_rates():
    hall = Hall()
    day = lived(hall, citizen())
    assert [p for p in hall.presses if p != "call_next"] == ["evaluate", "Rated"]
    assert day.ledger.graded["A001"][0] == 4
    assert len(day.ledger.calls) == 1


def test_a_key_lost_while_the_hall_was_away_is_pressed_again():
    hall = Hall(deaf=["evaluate"])
    day = lived(hall, citizen())
    assert hall.presses.count("evaluate") == 2
    assert day.ledger.graded["A001"][0] == 4


def test_who_does_not_come_is_recalled_passed_and_may_come_back():
    hall = Hall(deaf=["give_up"])
    lived(hall, citizen(comes=False, rejoins=True))
    assert hall.presses.count("recall") == 2
    assert hall.presses.count("give_up") == 2
    assert hall.doors.posts == ["/tickets", "/tickets/id-A001/rejoin"]
    assert hall.presses[-1] == "call_next"
    assert hall.presses.count("evaluate") == 1, "served in the end"


def test_a_failure_at_the_doors_ends_the_day_with_its_reason():
    class Shut(Doors):
        def post(self, path, body, *, key):
            raise OSError("the kiosk's hall does not answer")

    hall = Hall()
    hall.doors = Shut(hall.tell)
    with pytest.raises(OSError, match="does not answer"):
        lived(hall, citizen())
    assert not [t.name for t in threading.enumerate() if t.name.startswith("clerk")]


def test_a_call_shown_after_the_clerk_gave_up_is_served_all_the_same():
    day = a_day([])
    for sight in (Sight("Beep", "", 1), Sight("shown", "A007", 2), Sight("Beep", "", 3)):
        day.seen[1].put(sight)
    assert day._look_up(1, "A006") == "A007"
    day.seen[1].put(Sight("shown", "A007", 4))  # a recall of the number that was just here
    assert day._look_up(1, "A007") == ""


def test_the_same_seed_is_the_same_day():
    days = [plan_day(50, "ABCD", 3, ["elder"], random.Random(seed)) for seed in (7, 7, 8)]
    assert days[0] == days[1] != days[2]
    assert [c.at for c in days[0]] == sorted(c.at for c in days[0])
    assert {c.queue for c in days[0]} == set("ABCD")


def test_the_report_is_json_with_the_agreed_keys(ledger, told):
    import json

    a_visit(ledger, told, "A001")
    report = json.loads(as_json(reckoned(ledger)))
    assert set(report) >= {
        "tickets", "calls", "recalls", "passed", "finished", "ratings", "wait_minutes", "hops", "lost", "duplicated",
    }  # fmt: skip
    assert set(report["hops"]) == {"touch_to_stored", "stored_to_first_byte", "call_to_screen", "rating_to_stored"}
    assert all(set(hop) == {"n", "p50_ms", "p99_ms"} for hop in report["hops"].values())

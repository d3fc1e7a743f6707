"""The rules of the hall, one by one: AS-01, AS-03, AS-04 and the rating half of AS-05 among them."""

from dataclasses import replace

import pytest

from config.plan import Policy, Priority
from hall_api.domain.orders import (
    Actor,
    CallNext,
    CallOne,
    Cancel,
    CloseQueue,
    CloseWindow,
    Finish,
    Hold,
    Housekeep,
    Issue,
    OpenQueue,
    OpenWindow,
    Outcome,
    Pass,
    PauseWindow,
    Rate,
    Recall,
    Rejoin,
    Reprint,
    Resume,
    ResumeWindow,
    SettleJob,
    SkipRating,
    Start,
    Transfer,
    VerifyPriority,
)
from hall_api.domain.refusal import Refusal

CLERK = Actor(role="clerk", name="wang")
GUIDE = Actor(role="helper", name="guide")
KIOSK = Actor(role="kiosk", name="k1")
MANAGER = Actor(role="manager", name="chen")
SYSTEM = Actor(role="system")
EVERYONE = ("public", "staff", "manager")


@pytest.fixture
def hall(quick_hall):
    """A hall with window 1 open."""
    quick_hall.obey(OpenWindow(window=1), CLERK)
    return quick_hall


def issue(hall, queue="A", **rest):
    return hall.obey(Issue(queue=queue, **rest), KIOSK)


def call(hall, window=1, finish=None):
    return hall.obey(CallNext(window=window, finish=finish), CLERK)


def call_and_finish(hall, window=1):
    ticket = call(hall, window)
    hall.obey(Finish(ticket=ticket["id"], outcome=Outcome.DONE), CLERK)
    return ticket


def refused(hall, order, actor=CLERK):
    with pytest.raises(Refusal) as said:
        hall.obey(order, actor)
    return said.value.code, str(said.value.kind)


def kinds(hall, after=0):
    return [line.type for line in hall.events(after, audience=EVERYONE)]


# -- numbers


def test_as_01_six_waiting_at_four_minutes_one_window(hall):
    for _ in range(6):
        issue(hall)
    seventh = hall.obey(Issue(service="pension", kiosk="k1"), KIOSK)
    assert (seventh["number"], seventh["ahead"], seventh["wait_minutes"]) == ("A007", 6, 24)
    assert (seventh["service_name"], seventh["zone"]) == ("养老保险", "A区")
    told = hall.events(0, audience=EVERYONE)[-1].as_json()
    assert told["type"] == "TicketIssued"
    assert (told["data"]["ahead"], told["data"]["wait_minutes"], told["data"]["kiosk"]) == (6, 24, "k1")
    hall.obey(SettleJob(job=seventh["job"]["id"], state="confirmed"), KIOSK)
    assert hall.ticket(seventh["id"])["job"]["state"] == "confirmed"
    assert hall.queues()["queues"][0] | {"waiting": 7, "wait_minutes": 28} == hall.queues()["queues"][0]


def test_two_open_windows_halve_the_wait_and_learning_changes_it(hall, clock):
    hall.obey(OpenWindow(window=2, staff="li"), CLERK)
    for _ in range(6):
        issue(hall)
    assert issue(hall)["wait_minutes"] == 12
    for _ in range(5):
        ticket = call(hall)
        hall.obey(Start(ticket=ticket["id"]), CLERK)
        clock.on(minutes=8)
        hall.obey(Finish(ticket=ticket["id"], outcome=Outcome.DONE), CLERK)
    assert hall.queue("A")["wait_minutes"] == 6, (
        "two wait; five visits took 8 min, the plan says 4: 6 each, at 2 windows"
    )


def test_numbers_start_again_with_the_business_day_and_nobody_waits_over_night(hall, clock):
    first = issue(hall, priority="pregnant")
    issue(hall)
    called = call(hall)
    clock.on(hours=7, minutes=59, seconds=59)
    assert issue(hall)["number"] == "A003", "23:59:59 at the site"
    clock.on(seconds=1)
    again = issue(hall)
    assert again["number"] == "A001"
    assert again["id"] != first["id"]
    assert hall.ticket(called["id"])["state"] == "expired"
    assert hall.window(1)["ticket"] is None
    assert hall.queue("A")["waiting"] == 1
    assert kinds(hall)[-5:] == ["TicketExpired"] * 3 + ["DayClosed", "TicketIssued"]
    assert call(hall)["number"] == "A001"
    assert hall.tickets_by_number("A002") == {"tickets": []}


def test_the_day_changes_when_the_policy_says(open_hall, sqlite_url, plan, clock):
    hall = open_hall(sqlite_url, replace(plan, policy=Policy(day_change="04:00")))
    issue(hall)
    clock.on(hours=11, minutes=59)
    assert issue(hall)["number"] == "A002", "03:59"
    clock.on(minutes=1)
    assert issue(hall)["number"] == "A001", "04:00"


def test_a_number_needs_a_place_that_exists(hall):
    assert refused(hall, Issue()) == ("queue_or_service", "invalid")
    assert refused(hall, Issue(queue="Z")) == ("no_queue", "invalid")
    assert refused(hall, Issue(service="fishing")) == ("no_service", "invalid")
    assert refused(hall, Issue(queue="B", service="pension")) == ("service_elsewhere", "invalid")
    assert refused(hall, Issue(queue="A", priority="friend")) == ("no_priority", "invalid")


def test_a_closed_queue_gives_no_numbers_and_serves_who_waits(hall):
    issue(hall)
    assert hall.obey(CloseQueue(queue="A"), MANAGER)["open"] is False
    assert refused(hall, Issue(queue="A")) == ("queue_closed", "conflict")
    assert call(hall)["number"] == "A001"
    assert hall.obey(OpenQueue(queue="A"), MANAGER)["open"] is True
    assert issue(hall)["number"] == "A002"


def test_a_slip_is_printed_again_as_a_repetition_of_the_first(hall):
    ticket = issue(hall, kiosk="k1")
    first = ticket["job"]["id"]
    again = hall.obey(Reprint(ticket=ticket["id"], kiosk="k2"), KIOSK)
    third = hall.obey(Reprint(ticket=ticket["id"], kiosk="k2"), KIOSK)
    queued = [line.as_json()["data"] for line in hall.events(0, audience=EVERYONE) if line.type == "SlipQueued"]
    assert [q["first"] for q in queued] == [first, first]
    assert third["number"] == "A001"
    settled = hall.obey(SettleJob(job=again["job"]["id"], state="confirmed"), KIOSK)
    assert settled["first"] == first
    late = hall.obey(SettleJob(job=again["job"]["id"], state="sent"), KIOSK)
    assert late["state"] == "confirmed", "an old report changes nothing"
    late = hall.obey(SettleJob(job=again["job"]["id"], state="failed", reason="late"), KIOSK)
    assert late["state"] == "confirmed", "what is known for good stays"
    hall.obey(SettleJob(job=third["job"]["id"], state="unknown"), KIOSK)
    seen = hall.obey(SettleJob(job=third["job"]["id"], state="confirmed", reason="seen"), KIOSK)
    assert seen["state"] == "confirmed", "nobody knew, then somebody has looked"
    assert refused(hall, SettleJob(job="x", state="sent")) == ("no_job", "missing")
    assert refused(hall, SettleJob(job=first, state="eaten")) == ("no_job_state", "invalid")


# -- calling


def test_as_04_call_recall_pass_rejoin(hall, clock):
    for _ in range(7):
        issue(hall)
    ticket = call(hall)
    assert (ticket["number"], ticket["state"], ticket["window"]) == ("A001", "called", 1)
    clock.on(seconds=19.9)
    assert refused(hall, Recall(ticket=ticket["id"])) == ("recall_too_soon", "conflict")
    clock.on(seconds=0.1)
    assert hall.obey(Recall(ticket=ticket["id"]), CLERK)["recalls"] == 1
    assert refused(hall, Recall(ticket=ticket["id"])) == ("recall_too_soon", "conflict")
    clock.on(seconds=20)
    assert hall.obey(Recall(ticket=ticket["id"]), CLERK)["recalls"] == 2
    clock.on(seconds=20)
    assert refused(hall, Recall(ticket=ticket["id"])) == ("recall_limit", "conflict")
    assert hall.obey(Pass(ticket=ticket["id"]), CLERK)["state"] == "passed"
    assert hall.window(1)["ticket"] is None
    for rejoins in (1, 2):
        waits = hall.obey(Rejoin(ticket=ticket["id"]), KIOSK)
        assert (waits["state"], waits["ahead"], waits["rejoins"]) == ("waiting", 3, rejoins)
        others = [call_and_finish(hall)["number"] for _ in range(3)]
        assert "A001" not in others
        assert call(hall)["number"] == "A001", "after three numbers"
        hall.obey(Pass(ticket=ticket["id"]), CLERK)
    assert refused(hall, Rejoin(ticket=ticket["id"])) == ("rejoin_limit", "conflict")
    assert kinds(hall).count("TicketRecalled") == 2


def test_a_clerk_may_pass_at_once_in_an_empty_hall(hall):
    issue(hall)
    ticket = call(hall)
    passed = hall.obey(Pass(ticket=ticket["id"]), CLERK)
    assert (passed["state"], passed["recalls"]) == ("passed", 0)
    assert [t["number"] for t in hall.waiting(1)["passed"]] == ["A001"]


def test_who_rejoins_a_short_line_is_last_until_the_next_comes(hall):
    late = issue(hall)
    call(hall)
    hall.obey(Pass(ticket=late["id"]), CLERK)
    issue(hall)
    assert hall.obey(Rejoin(ticket=late["id"]), KIOSK)["ahead"] == 1
    issue(hall)
    order = [call_and_finish(hall)["number"] for _ in range(3)]
    assert order == ["A002", "A001", "A003"]


def test_as_03_green_channel(hall, clock):
    for _ in range(10):
        issue(hall)
        clock.on(seconds=1)
    clock.on(minutes=20)
    soldier, pregnant, elder = (issue(hall, priority=p) for p in ("soldier", "pregnant", "elder"))
    assert elder["ahead"] == 12, "claims wait as ordinary"
    for claim in (soldier, pregnant):
        verified = hall.obey(VerifyPriority(ticket=claim["id"], accept=True), GUIDE)
        assert (verified["priority"], verified["claim"]) == (True, "verified")
    assert hall.obey(VerifyPriority(ticket=elder["id"], age=60), KIOSK)["ahead"] == 2
    expected = ["A011", "A012", "A001", "A013", "A002", "A003"]
    shown = [t["number"] for t in hall.waiting(1)["waiting"]]
    assert shown[:6] == expected, "the desk shows the order in which it will call"
    assert [call_and_finish(hall)["number"] for _ in range(6)] == expected
    everything = " ".join(line.data for line in hall.events(0, audience=EVERYONE))
    assert not any(word in everything for word in ("soldier", "pregnant", "elder", "军人", "孕", "老年"))
    clock.on(days=1)
    hall.obey(Housekeep(), SYSTEM)
    from sqlalchemy import func, select

    from hall_api.storage.schema import tickets

    kept = hall._store.read(lambda c: c.run(select(func.count()).where(tickets.c.priority != "")))
    assert kept == [(0,)], "why anybody was first is forgotten"


def test_runs_of_priority_yield_only_to_those_who_waited_long(hall, clock):
    """Four priorities and an ordinary one who came just now: no need to break the run."""
    ordinary = issue(hall)
    for _ in range(4):
        claim = issue(hall, priority="disabled")
        hall.obey(VerifyPriority(ticket=claim["id"]), GUIDE)
    assert [call_and_finish(hall)["number"] for _ in range(3)] == ["A002", "A003", "A004"]
    clock.on(minutes=16)
    assert call_and_finish(hall)["number"] == ordinary["number"]
    assert call_and_finish(hall)["number"] == "A005"


def test_a_declined_claim_stays_at_its_ordinary_place(hall):
    issue(hall)
    claim = issue(hall, priority="sick")
    issue(hall)
    declined = hall.obey(VerifyPriority(ticket=claim["id"], accept=False), GUIDE)
    assert (declined["priority"], declined["claim"], declined["ahead"]) == (False, "declined", 1)
    assert [call_and_finish(hall)["number"] for _ in range(3)] == ["A001", "A002", "A003"]


def test_who_may_verify_what(hall, open_hall, sqlite_url, plan):
    soldier, elder = issue(hall, priority="soldier"), issue(hall, priority="elder")
    assert refused(hall, VerifyPriority(ticket=soldier["id"]), KIOSK) == ("staff_verify", "forbidden")
    assert refused(hall, VerifyPriority(ticket=soldier["id"], age=80), KIOSK) == ("age_proves_nothing", "conflict")
    assert refused(hall, VerifyPriority(ticket=elder["id"], age=59), KIOSK) == ("too_young", "conflict")
    assert hall.ticket(elder["id"])["claim"] == "claimed", "staff may still look"
    trusted = replace(plan, priorities=(Priority(code="soldier", name="军人", english="Military", verify="none"),))
    kind = open_hall(sqlite_url, trusted).obey(Issue(queue="A", priority="soldier"), KIOSK)
    assert (kind["claim"], kind["ahead"]) == ("verified", 0)


def test_a_window_calls_only_what_it_can(hall):
    hall.obey(OpenWindow(window=3, staff="zhao"), CLERK)
    issue(hall, "A")
    assert call(hall, 3) is None
    assert refused(hall, CallOne(window=3, number="A001")) == ("no_skill", "conflict")
    issue(hall, "B")
    assert call(hall, 3)["number"] == "B001"
    issue(hall, "B")
    assert call(hall, 1)["number"] == "A001", "who came first, over all queues"


def test_a_window_holds_one_ticket_and_finishing_counts_as_started(hall, clock):
    issue(hall), issue(hall)
    first = call(hall)
    assert refused(hall, CallNext(window=1)) == ("window_holds", "conflict")
    assert refused(hall, CallOne(window=1, number="A002")) == ("window_holds", "conflict")
    clock.on(minutes=3)
    second = call(hall, finish=Outcome.NOTICE)
    assert second["number"] == "A002"
    done = hall.ticket(first["id"])
    assert (done["state"], done["outcome"], done["started_at"]) == ("done", "notice", first["called_at"])
    assert call(hall, finish=Outcome.DONE) is None, "nobody waits, yet the visit is over"
    assert hall.ticket(second["id"])["state"] == "done"
    assert hall.window(1)["ticket"] is None


def test_calling_a_number_by_name(hall):
    issue(hall), issue(hall)
    assert hall.obey(CallOne(window=1, number="A002"), CLERK)["state"] == "called"
    hall.obey(Pass(ticket=hall.window(1)["ticket"]["id"]), CLERK)
    assert hall.obey(CallOne(window=1, number="A002"), CLERK)["state"] == "called", "a passed one has come back"
    assert refused(hall, CallOne(window=1, number="A009")) == ("no_number", "missing")
    assert refused(hall, CallOne(window=1, number="A002")) == ("cannot_call", "conflict")


def test_a_window_that_is_not_open_calls_nobody(hall):
    issue(hall)
    assert refused(hall, CallNext(window=2)) == ("window_closed", "conflict")
    assert refused(hall, CallNext(window=9)) == ("no_window", "missing")
    assert hall.obey(PauseWindow(window=1, reason="午休"), CLERK)["state"] == "paused"
    assert refused(hall, CallNext(window=1)) == ("window_paused", "conflict")
    assert hall.obey(ResumeWindow(window=1), CLERK)["state"] == "open"
    call(hall)
    assert refused(hall, CloseWindow(window=1)) == ("window_holds", "conflict")


def test_a_clerk_sits_at_one_window(hall):
    issue(hall)
    call(hall)
    assert refused(hall, OpenWindow(window=2)) == ("clerk_busy", "conflict")
    call(hall, finish=Outcome.DONE)
    moved = hall.obey(OpenWindow(window=2), CLERK)
    assert moved["clerk"]["name"] == "王芳"
    assert (hall.window(1)["state"], hall.window(1)["clerk"]) == ("closed", None)
    assert refused(hall, OpenWindow(window=2, staff="nobody")) == ("no_staff", "invalid")


def test_a_windows_machine_speaks_for_its_own_window_only(hall):
    issue(hall)
    ticket = call(hall)
    stranger = Actor(role="window", name="w2", window=2)
    for order in (CallNext(window=1), Recall(ticket=ticket["id"]), Finish(ticket=ticket["id"], outcome=Outcome.DONE)):
        assert refused(hall, order, stranger) == ("not_your_window", "forbidden")
    own = Actor(role="window", name="w1", window=1)
    assert hall.obey(Start(ticket=ticket["id"]), own)["state"] == "serving"
    hall.obey(Finish(ticket=ticket["id"], outcome=Outcome.DONE), own)
    rating = Rate(ticket=ticket["id"], grade=5, channel="evaluator")
    for order in (rating, SkipRating(ticket=ticket["id"])):
        assert refused(hall, order, stranger) == ("not_your_window", "forbidden")
    assert hall.obey(rating, own)["rating"] == "rated"


# -- the visit


def test_hold_frees_the_window_and_resume_goes_on_counting(hall, clock):
    issue(hall), issue(hall)
    first = call(hall)
    hall.obey(Start(ticket=first["id"]), CLERK)
    clock.on(minutes=2)
    assert hall.obey(Hold(ticket=first["id"]), CLERK)["state"] == "held"
    second = call(hall)
    assert [t["number"] for t in hall.waiting(1)["held"]] == ["A001"]
    assert refused(hall, Resume(ticket=first["id"])) == ("window_holds", "conflict")
    clock.on(minutes=10)
    hall.obey(Finish(ticket=second["id"], outcome=Outcome.DONE), CLERK)
    resumed = hall.obey(Resume(ticket=first["id"]), CLERK)
    assert resumed["state"] == "serving"
    assert resumed["started_at"] == "2026-11-20T08:10:00.000Z", "two minutes were served before"
    assert refused(hall, Resume(ticket=second["id"])) == ("cannot_resume", "conflict")


def test_a_transferred_ticket_keeps_its_arrival(hall, clock):
    hall.obey(OpenWindow(window=3, staff="zhao"), CLERK)
    issue(hall, "A")
    clock.on(minutes=1)
    issue(hall, "B")
    ticket = call(hall)
    hall.obey(Start(ticket=ticket["id"]), CLERK)
    assert refused(hall, Transfer(ticket=ticket["id"])) == ("transfer_where", "invalid")
    moved = hall.obey(Transfer(ticket=ticket["id"], queue="B"), CLERK)
    assert (moved["state"], moved["queue"], moved["number"], moved["ahead"]) == ("waiting", "B", "A001", 0)
    assert moved["window"] is None, "it waits for whoever calls it, no longer at the window that sent it on"
    assert [q["waiting"] for q in hall.queues()["queues"]] == [0, 2]
    assert call(hall, 3)["number"] == "A001"


def test_a_ticket_sent_to_a_window_is_called_there_only(hall):
    hall.obey(OpenWindow(window=3, staff="zhao"), CLERK)
    issue(hall, "A")
    ticket = call(hall)
    hall.obey(Transfer(ticket=ticket["id"], window=3), CLERK)
    assert call(hall, 1) is None
    assert refused(hall, CallOne(window=1, number="A001")) == ("bound_elsewhere", "conflict")
    assert [t["number"] for t in hall.waiting(3)["waiting"]] == ["A001"]
    assert call(hall, 3)["number"] == "A001", "although this window does not serve queue A"


def test_giving_a_number_up(hall):
    waits, called = issue(hall), issue(hall)
    hall.obey(CallOne(window=1, number=called["number"]), CLERK)
    for ticket in (waits, called):
        assert hall.obey(Cancel(ticket=ticket["id"]), CLERK)["state"] == "cancelled"
    assert hall.window(1)["ticket"] is None
    assert hall.queue("A")["waiting"] == 0
    assert refused(hall, Cancel(ticket=waits["id"])) == ("cannot_cancel", "conflict")
    assert refused(hall, Cancel(ticket="nothing")) == ("no_ticket", "missing")


# -- rating


def test_as_05_one_visit_one_rating_and_a_poor_one_opens_a_case(hall, clock):
    hall.obey(OpenWindow(window=3, staff="zhao"), CLERK)
    issue(hall, "B")
    ticket = call_and_finish(hall, 3)
    invited = next(line for line in hall.events(0) if line.type == "RatingInvited").as_json()["data"]
    assert (invited["work_no"], invited["window"], invited["until"]) == ("1007", 3, "2026-11-20T08:01:00.000Z")
    assert hall.window(3)["rating"]["number"] == "B001"
    evaluator = Actor(role="window", name="w3", window=3)
    assert hall.obey(Rate(ticket=ticket["id"], grade=2), evaluator)["rating"] == "rated"
    clock.on(seconds=0.3)
    assert refused(hall, Rate(ticket=ticket["id"], grade=2), evaluator) == ("already_rated", "conflict")
    assert refused(hall, Rate(ticket=ticket["id"], grade=5, channel="qr"), Actor(role="citizen"))[0] == "already_rated"
    [case] = hall.cases()["cases"]
    assert (case["staff"], case["grade"], case["due_at"]) == ("zhao", 2, "2026-11-27T09:00:00.000Z")
    assert hall.day()["ratings"] == {"5": 0, "4": 0, "3": 0, "2": 1, "1": 0}
    public = " ".join(line.text() for line in hall.events(0, audience=("public", "staff")))
    assert "CaseOpened" not in public
    assert "grade" not in public, "the clerk's page shows nothing of it"
    assert hall.window(3)["rating"] is None


def test_as_05_a_holiday_moves_the_deadline_one_day(open_hall, sqlite_url, plan):
    hall = open_hall(sqlite_url, replace(plan, policy=Policy(extra_holidays=("2026-11-25",))))
    hall.obey(OpenWindow(window=1), CLERK)
    issue(hall)
    hall.obey(Rate(ticket=call_and_finish(hall)["id"], grade=1), SYSTEM)
    assert hall.cases()["cases"][0]["due_at"] == "2026-11-30T09:00:00.000Z", "Monday: Saturday and Sunday are free"


def test_the_case_turns_yellow_and_red(hall, clock):
    issue(hall)
    hall.obey(Rate(ticket=call_and_finish(hall)["id"], grade=1), SYSTEM)
    cards = []
    for days in (0, 5, 1, 1, 1):
        clock.on(days=days)
        cards.append(hall.cases()["cases"][0]["card"])
    assert cards == ["green", "green", "yellow", "yellow", "red"]


def test_not_rating_is_no_rating(hall, clock):
    issue(hall), issue(hall)
    first = call_and_finish(hall)
    clock.on(seconds=59)
    hall.obey(Housekeep(), SYSTEM)
    assert hall.ticket(first["id"])["rating"] == "invited"
    clock.on(seconds=1)
    assert refused(hall, Rate(ticket=first["id"], grade=5)) == ("no_invitation", "conflict")
    hall.obey(Housekeep(), SYSTEM)
    assert hall.ticket(first["id"])["rating"] == "timed_out"
    assert hall.window(1)["rating"] is None
    second = call_and_finish(hall)
    assert hall.obey(SkipRating(ticket=second["id"]), SYSTEM)["rating"] == "skipped"
    assert hall.day()["rated"] == 0
    assert hall.obey(Rate(ticket=first["id"], grade=4, channel="qr"), Actor(role="citizen"))["rating"] == "rated"
    assert hall.day()["ratings"]["4"] == 1


def test_a_key_pressed_in_time_counts_though_its_message_comes_late(hall, clock):
    """The hall was away when the key was pressed: what counts is when the citizen pressed it."""
    issue(hall), issue(hall)
    first = call_and_finish(hall)
    clock.on(seconds=600)
    hall.obey(Housekeep(), SYSTEM)
    for age in (0, 500, 640):  # not told late; pressed when the card had gone; pressed before there was one
        assert refused(hall, Rate(ticket=first["id"], grade=2, age=age)) == ("no_invitation", "conflict")
    assert hall.obey(Rate(ticket=first["id"], grade=2, age=590), SYSTEM)["rating"] == "rated"
    assert refused(hall, Rate(ticket=first["id"], grade=5, age=590)) == ("already_rated", "conflict")
    assert hall.day()["ratings"]["2"] == 1 and len(hall.cases()["cases"]) == 1


def test_the_next_visit_takes_the_last_card_away(hall):
    issue(hall), issue(hall)
    first, second = call_and_finish(hall), call_and_finish(hall)
    assert hall.ticket(first["id"])["rating"] == "timed_out"
    assert hall.window(1)["rating"]["ticket"] == second["id"]


def test_ratings_that_make_no_sense(hall):
    issue(hall)
    waiting = issue(hall)
    ticket = call_and_finish(hall)
    assert refused(hall, Rate(ticket=ticket["id"], grade=6)) == ("no_grade", "invalid")
    assert refused(hall, Rate(ticket=ticket["id"], grade=5, channel="shouting")) == ("no_channel", "invalid")
    assert refused(hall, Rate(ticket=waiting["id"], grade=5)) == ("cannot_rate", "conflict")


# -- the clock


def test_a_clock_set_back_an_hour_does_not_matter(hall, clock):
    """Numbers go on, nothing happens before what happened, recalls and ratings keep their lengths; an alarm is told."""
    issue(hall)
    ticket = call(hall)
    clock.on(hours=-1)
    later = issue(hall)
    assert (later["number"], later["issued_at"]) == ("A002", ticket["called_at"])
    clock.on(seconds=20)
    assert hall.obey(Recall(ticket=ticket["id"]), CLERK)["recalls"] == 1, "twenty seconds have passed all the same"
    hall.obey(Finish(ticket=ticket["id"], outcome=Outcome.DONE), CLERK)
    clock.on(seconds=60)
    hall.obey(Housekeep(), SYSTEM)
    assert hall.ticket(ticket["id"])["rating"] == "timed_out"
    assert hall.alarms()["alarms"][0]["device"] == "clock"
    times = [line.at for line in hall.events(0, audience=EVERYONE)]
    assert times == sorted(times)
    clock.on(hours=1)
    hall.obey(Housekeep(), SYSTEM)
    assert hall.alarms() == {"alarms": []}


def test_the_business_date_never_goes_back(hall, clock):
    clock.on(hours=8)
    issue(hall)
    clock.on(minutes=-30)
    assert issue(hall)["number"] == "A002", "yesterday by the clock, today by the journal"
    assert hall.day()["issued"] == 2

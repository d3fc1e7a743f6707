"""AS-05, the half about rating: one visit, one rating; a poor one opens a case that its clerk does not see."""

import json
import time
from datetime import UTC, datetime

import pytest

from hall_api.client import HallRefused

FRIDAY = datetime(2026, 11, 20, 8, 0, tzinfo=UTC).timestamp()  # 16:00 in Shanghai
NEXT_FRIDAY = "2026-11-27T09:00:00.000Z"  # 17:00 in Shanghai, five working days later


def a_visit_at_window_3(hall, soon):
    """Called and ended with the keys of the pad. The ticket, and when its end was pressed."""
    hall.open_windows(3)
    hall.attend("window")
    hall.all_ready("strip3", "bus")
    ticket = hall.issue(kiosk=None)
    hall.press(3, "call_next")
    soon(lambda: hall.obeyed("strip3", "ShowCall"))
    ended = time.monotonic()
    hall.press(3, "evaluate")
    asked = soon(lambda: [a for a in hall.obeyed("bus", "AskRating") if a["address"] == 3], 5)
    assert asked[0]["at"] / 1e9 - ended <= 1
    return ticket


def test_as_05_the_evaluator_asks_within_a_second_with_the_clerks_card(whole_hall, soon):
    hall = whole_hall().open()
    a_visit_at_window_3(hall, soon)
    [invited] = [e["data"] for e in hall.told("RatingInvited")]
    assert (invited["work_no"], invited["staff_name"], invited["duties"]) == ("1007", "赵丽", "帮办代办")


def test_as_05_pressed_twice_is_one_evaluation_and_one_case(whole_hall, soon):
    hall = whole_hall().open(at=FRIDAY)
    ticket = a_visit_at_window_3(hall, soon)
    pressed = time.monotonic()
    hall.rate(3, 2)
    soon(lambda: time.monotonic() >= pressed + 0.3)  # the citizen's finger
    hall.rate(3, 2)
    soon(lambda: hall.told("TicketRated"), 5)
    # The second press has been heard when the next key of the same line has been answered.
    hall.press(3, "call_next")
    soon(lambda: hall.obeyed("bus", "Beep"), 5)
    soon(lambda: not list((hall.folder / "state" / "k1-window-outbox").glob("*")), 5)
    [evaluation] = hall.database()["evaluations"]
    kept = {k: evaluation[k] for k in ("ticket", "channel", "grade", "staff", "work_no", "service", "window")}
    assert kept == {
        "ticket": ticket["id"], "channel": "evaluator", "grade": 2, "staff": "zhao", "work_no": "1007",
        "service": "pension", "window": 3,
    }  # fmt: skip
    assert evaluation["options_version"] >= 1
    [case] = hall.as_("manager").get("/cases")["cases"]
    assert (case["number"], case["state"], case["due_at"]) == ("A001", "open", NEXT_FRIDAY)
    assert len(hall.told("TicketRated")) == len(hall.told("CaseOpened")) == 1

    with pytest.raises(HallRefused) as scanned:
        hall.as_("").rate(ticket["id"], 5, channel="qr")
    assert (scanned.value.status, "已评价" in scanned.value.detail) == (409, True), scanned.value.detail


def test_as_05_the_clerks_doors_show_nothing_of_it(whole_hall, soon):
    hall = whole_hall().open()
    ticket = a_visit_at_window_3(hall, soon)
    hall.rate(3, 1)
    soon(lambda: hall.told("CaseOpened"), 5)
    clerk = hall.as_("clerk")
    doors = [
        "/windows", "/windows/3", "/windows/3/waiting", f"/tickets/{ticket['id']}", "/queues", "/board", "/devices",
        "/alarms", "/events?after=0&limit=500&wait=0", f"/tickets?number={ticket['number']}",
    ]  # fmt: skip
    for door in doors:
        said = json.dumps(clerk.get(door), ensure_ascii=False)
        assert '"grade"' not in said, door
        assert "CaseOpened" not in said, door
        assert "TicketRated" not in said, door
    for door in ("/cases", "/day"):
        with pytest.raises(HallRefused) as shut:
            clerk.get(door)
        assert shut.value.status == 403, door


def test_as_05_no_press_in_time_is_no_rating(whole_hall, soon):
    hall = whole_hall().open(at=FRIDAY)
    ticket = a_visit_at_window_3(hall, soon)
    hall.later(seconds=59.9)
    hall.as_("manager").get("/day")
    assert hall.as_("").ticket(ticket["id"])["rating"] == "invited"
    hall.later(seconds=0.2)
    soon(lambda: hall.as_("").ticket(ticket["id"])["rating"] == "timed_out", 5)
    day = hall.as_("manager").get("/day")
    assert (day["rated"], set(day["ratings"].values())) == (0, {0})
    hall.rate(3, 5)  # too late: the card has gone
    hall.press(3, "call_next")
    soon(lambda: hall.obeyed("bus", "Beep"), 5)
    assert hall.database()["evaluations"] == []
    [closed] = [e["data"] for e in hall.told("RatingClosed")]
    assert closed["how"] == "timed_out"


def test_as_05_a_poor_grade_pressed_on_a_late_evening_is_due_by_working_days(whole_hall, soon):
    """Saturday and Sunday are free, and so is a day the district has named."""
    hall = whole_hall(policy={"extra_holidays": ["2026-11-25"]}).open(at=FRIDAY)
    a_visit_at_window_3(hall, soon)
    hall.rate(3, 2)
    [case] = soon(lambda: hall.as_("manager").get("/cases")["cases"], 5)
    assert case["due_at"] == "2026-11-30T09:00:00.000Z"

"""Days as the hall counts them."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from config.plan import HallPlan, Policy, Queue
from hall_api.domain.calendar import business_date, due, from_ms, hall_time, is_workday, iso, to_ms, working_days_left

PLAN = HallPlan(name="厅", queues=(Queue(code="A", name="A"),))


def at(text):
    return to_ms(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        ("2026-11-20T16:00+08:00", "2026-11-27T17:00+08:00"),  # Friday to Friday
        ("2026-11-21T10:00+08:00", "2026-11-27T17:00+08:00"),  # Saturday: the five days are Monday to Friday
        ("2026-09-28T09:00+08:00", "2026-10-10T17:00+08:00"),  # National Day; Saturday the tenth is worked in exchange
        ("2026-11-20T23:30+08:00", "2026-11-27T17:00+08:00"),  # still Friday at the site
    ],
)
def test_five_working_days(opened, expected):
    assert from_ms(due(at(opened), PLAN, 5)) == datetime.fromisoformat(expected)


def test_a_district_has_its_own_days():
    policy = Policy(extra_holidays=("2026-11-23",), extra_workdays=("2026-11-22",))
    assert not is_workday(date(2026, 11, 23), policy)
    assert is_workday(date(2026, 11, 22), policy)
    assert is_workday(date(2044, 3, 1), policy), "a year the national calendar does not know: a Tuesday"
    assert not is_workday(date(2044, 3, 5), policy), "a Saturday"


def test_working_days_left():
    due_at = at("2026-11-27T17:00+08:00")
    days = ("2026-11-20T16:00", "2026-11-26T09:00", "2026-11-27T16:59", "2026-11-27T17:01")
    assert [working_days_left(at(f"{day}+08:00"), due_at, PLAN) for day in days] == [5, 1, 0, -1]


def test_the_business_date_is_the_sites():
    late = at("2026-11-20T16:30Z")
    assert business_date(late, PLAN) == "2026-11-21"
    assert business_date(late, replace(PLAN, time_zone="UTC")) == "2026-11-20"
    assert business_date(late, replace(PLAN, policy=Policy(day_change="04:00"))) == "2026-11-20"
    assert business_date(late, PLAN, not_before="2026-11-25") == "2026-11-25"
    night = replace(PLAN, time_zone="America/Havana")  # clocks go from 01:00 back to 00:00 there
    assert business_date(at("2026-11-01T04:30Z"), night) == business_date(at("2026-11-01T05:30Z"), night)


def test_hall_time_goes_on_when_the_clock_is_set_back():
    assert hall_time(1_000, 900, 0) == (1_000, 0)
    assert hall_time(400, 1_000, 0) == (1_000, 600), "not before what happened"
    assert hall_time(450, 1_000, 600) == (1_050, 600), "and at the ordinary pace"
    assert hall_time(450, 1_100, 600) == (1_100, 650), "another process was a little ahead"
    assert hall_time(1_100, 1_100, 650) == (1_100, 0), "the clock has caught up"


def test_times_are_written_with_milliseconds():
    assert iso(to_ms(datetime(2026, 11, 20, 1, 2, 3, 456_000, UTC))) == "2026-11-20T01:02:03.456Z"

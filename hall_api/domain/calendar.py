"""Days as the hall counts them: hall time, business days, working days.

Pure arithmetic on given moments; nothing here looks at a clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar

from config.plan import HallPlan, Policy

TOLERANCE_MS = 2_000  # clocks of several machines differ this much without anybody being at fault
CLOSING = time(17, 0)  # when a rectification is due


def to_ms(moment: datetime) -> int:
    """Milliseconds of UTC since 1970."""
    return int(moment.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """The moment in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def iso(ms: int) -> str:
    """As the doors write it: 2026-11-20T01:02:03.456Z."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def hall_time(clock: int, last: int, offset: int) -> tuple[int, int]:
    """Hall time for a `clock` reading when something was stored at `last`: (hall time, new offset).

    A clock set back must not matter: hall time goes on from the last stored moment at the ordinary pace, `offset`
    ahead of the clock, so recalls, ratings and waits keep their lengths; when the clock has caught up it is dropped.
    """
    if clock >= last:
        return clock, 0
    if clock + offset >= last:
        return clock + offset, offset
    return last, last - clock


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=64)
def _day_change(text: str) -> timedelta:
    hours, _, minutes = text.partition(":")
    return timedelta(hours=int(hours), minutes=int(minutes or 0))


@lru_cache(maxsize=256)
def _date_of_minute(minute: int, zone: str, change: str) -> str:
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(_zone(zone))
    return (local.replace(tzinfo=None) - _day_change(change)).date().isoformat()


def business_date(now: int, plan: HallPlan, not_before: str = "") -> str:
    """The site's date at `now`, a new one starting at `day_change`; never before the date already begun."""
    return max(_date_of_minute(now // 60_000, plan.time_zone, plan.policy.day_change), not_before)


def day_start(day: str, plan: HallPlan) -> int:
    """When business day `day` began, in ms."""
    local = datetime.combine(date.fromisoformat(day), time()) + _day_change(plan.policy.day_change)
    return to_ms(local.replace(tzinfo=_zone(plan.time_zone)))


def is_workday(day: date, policy: Policy) -> bool:
    """By the national calendar and the district's own exceptions; plain weekdays in years it does not know yet."""
    text = day.isoformat()
    if text in policy.extra_workdays:
        return True
    if text in policy.extra_holidays:
        return False
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def due(now: int, plan: HallPlan, working_days: int) -> int:
    """The close of the n-th working day after today, site time: Friday 16:00 and five days give next Friday 17:00."""
    day = from_ms(now).astimezone(_zone(plan.time_zone)).date()
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= is_workday(day, plan.policy)
    return to_ms(datetime.combine(day, CLOSING, _zone(plan.time_zone)))


def working_days_left(now: int, due_at: int, plan: HallPlan) -> int:
    """Working days that still begin before the deadline; 0 on its day, -1 when it is over."""
    if now > due_at:
        return -1
    zone = _zone(plan.time_zone)
    day, last = from_ms(now).astimezone(zone).date(), from_ms(due_at).astimezone(zone).date()
    left = 0
    while day < last:
        day += timedelta(days=1)
        left += is_workday(day, plan.policy)
    return left


def local_hour(now: int, plan: HallPlan) -> int:
    """Hour of the day at the site."""
    return from_ms(now).astimezone(_zone(plan.time_zone)).hour

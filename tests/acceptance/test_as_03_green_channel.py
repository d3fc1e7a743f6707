"""AS-03: who is served first, and that nobody ever learns why; through the doors, with a clock that is turned."""

import json
from datetime import UTC, datetime

import pytest

FRIDAY = datetime(2026, 11, 20, 1, 30, tzinfo=UTC).timestamp()  # 9:30 in Shanghai
REASONS = ("soldier", "pregnant", "elder", "军人", "孕产", "老年", "Military", "Expectant", "Senior")


@pytest.fixture
def hall(whole_hall):
    """Ten ordinary tickets wait, the oldest for twenty minutes; window 1 is open, its strip and pad are served."""
    hall = whole_hall().open(at=FRIDAY)
    hall.open_windows(1)
    for _ in range(10):
        hall.issue(kiosk=None)
        hall.later(seconds=1)
    hall.later(seconds=1190)
    return hall


def verified(hall):
    """Three claims; a helper looks at two of them, the third's card says the age."""
    claims = [hall.issue(kiosk=None, priority=p) for p in ("soldier", "pregnant", "elder")]
    for claim in claims[:2]:
        assert hall.as_("clerk").at_ticket(claim["id"], "verify-priority", accept=True)["priority"] is True
    assert hall.as_("kiosk").at_ticket(claims[2]["id"], "verify-priority", accept=True, age=60)["priority"] is True
    return claims


def called_in_turn(hall, n, finish=None):
    clerk, numbers = hall.as_("clerk"), []
    for _ in range(n):
        numbers.append(clerk.call_next(1, finish="done" if numbers else finish)["number"])
        hall.later(seconds=30)
    return numbers


def test_as_03_two_priorities_then_the_oldest_ordinary_and_so_on(hall):
    assert [c["number"] for c in verified(hall)] == ["A011", "A012", "A013"]
    assert called_in_turn(hall, 6) == ["A011", "A012", "A001", "A013", "A002", "A003"]


def test_as_03_screens_strips_and_voice_never_say_why(hall, soon):
    hall.attend("window")
    soon(lambda: hall.state_of("strip1"))
    verified(hall)
    for n in range(4):
        called_in_turn(hall, 1, finish="done" if n else None)
        soon(lambda n=n: len(hall.obeyed("strip1", "ShowCall")) == n + 1)
    shown = hall.obeyed("strip1", "ShowCall")
    assert [s["number"] for s in shown] == ["A011", "A012", "A001", "A013"]
    screen = hall.as_("screen")
    heard = screen.events(0)
    calls = [e for e in heard if e["type"] == "TicketCalled"]
    assert [(c["data"]["number"], c["data"]["priority"]) for c in calls] == [
        ("A011", True), ("A012", True), ("A001", False), ("A013", True),
    ]  # fmt: skip
    tickets = [hall.as_("").ticket(c["data"]["ticket"]) for c in calls]
    seen = [heard, tickets, screen.get("/board"), screen.windows(), hall.told(), hall.as_("clerk").waiting(1), shown]
    for said in seen:
        assert not [r for r in REASONS if r in json.dumps(said, ensure_ascii=False)]


def test_as_03_the_reason_is_gone_after_the_day(hall, soon):
    claims = verified(hall)
    declined = hall.issue(kiosk=None, priority="soldier", key="tap")
    hall.as_("clerk").at_ticket(declined["id"], "verify-priority", accept=False)
    called_in_turn(hall, 2)
    before = json.dumps(hall.database(), ensure_ascii=False)
    assert "soldier" in before, "known for the day, for whoever verifies it"
    hall.later(seconds=86400)
    soon(lambda: hall.told("DayClosed"), 10)
    for table, rows in hall.database().items():
        kept = [r for r in REASONS if r in json.dumps(rows, ensure_ascii=False)]
        assert not kept, f"{table} still says {kept}"
    assert hall.as_("").ticket(claims[2]["id"])["state"] == "expired"


def test_as_03_a_declined_claim_keeps_its_ordinary_place(hall):
    claim = hall.issue(kiosk=None, priority="pregnant")
    hall.issue(kiosk=None)
    declined = hall.as_("clerk").at_ticket(claim["id"], "verify-priority", accept=False)
    assert (declined["priority"], declined["ahead"]) == (False, 10)
    assert called_in_turn(hall, 12)[9:] == ["A010", "A011", "A012"]


def test_as_03_nobody_verifies_himself_at_the_kiosk(hall):
    from hall_api.client import HallRefused

    soldier, elder = (hall.issue(kiosk=None, priority=p) for p in ("soldier", "elder"))
    for ticket, age in ((soldier, 80), (elder, 59)):
        with pytest.raises(HallRefused):
            hall.as_("kiosk").at_ticket(ticket["id"], "verify-priority", accept=True, age=age)
    assert called_in_turn(hall, 1) == ["A001"]

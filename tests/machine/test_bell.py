"""The bell's two tables, event by event and key by key."""

import pytest

from devices import roles
from devices.roles import Call, Key
from kiosk.bell import REMEMBERED, Place, Request, Ring, WindowNow, follow, heed, remember, ring, ring_boards, window_of

BUS = Place("bus", ("call-pad", "evaluator"), {1: 1, 2: 2, 3: 3})
STRIP3 = Place("strip3", ("window-screen",), {9: 3})
PRINTER = Place("printer", ("ticket-printer",))
PLACES = [BUS, STRIP3, PRINTER]


def test_a_call_shows_on_the_strip_and_the_pad_of_its_window_only():
    rings = ring("TicketCalled", {"number": "A007", "window": 3, "ticket": "t"}, PLACES)
    assert rings == [
        Ring("bus", roles.ShowNumber(number="A007", address=3)),
        Ring("strip3", roles.ShowCall(number="A007", window=3, address=9)),
    ]


def test_a_window_without_devices_here_rings_nothing():
    assert ring("TicketCalled", {"number": "A007", "window": 4}, PLACES) == []


@pytest.mark.parametrize(
    ("kind", "data", "order"),
    [
        ("ServiceStarted", {"number": "A1", "window": 3}, roles.ShowServing(number="A1", window=3, address=9)),
        ("TicketPassed", {"number": "A1", "window": 3}, roles.ShowWelcome(address=9)),
        ("TicketTransferred", {"number": "A1", "from_window": 3}, roles.ShowWelcome(address=9)),
        ("WindowPaused", {"window": 3}, roles.ShowPaused(address=9)),
        ("WindowClosed", {"window": 3}, roles.ShowPaused(address=9)),
    ],
)
def test_the_strip_follows_the_window(kind, data, order):
    assert ring(kind, data, [STRIP3]) == [Ring("strip3", order)]


def test_an_invitation_lights_the_evaluator_and_is_never_overtaken():
    assert ring("RatingInvited", {"window": 2, "ticket": "t", "number": "A1"}, PLACES) == [
        Ring("bus", roles.AskRating(address=2), display=False)
    ]


def press(key, now, address=3):
    return heed(roles.KeyPressed(key=key, address=address), BUS, {now.no: now})


def test_call_next_ends_the_visit_that_the_window_still_holds():
    assert press(Key.CALL_NEXT, WindowNow(3)) == Request("/windows/3/call-next", {"finish": None})
    held = WindowNow(3, ticket="t", ticket_state="serving")
    assert press(Key.CALL_NEXT, held) == Request("/windows/3/call-next", {"finish": "done"})


@pytest.mark.parametrize(
    ("key", "path", "body"),
    [
        (Key.RECALL, "/tickets/t/recall", {}),
        (Key.EVALUATE, "/tickets/t/finish", {"outcome": "done"}),
        (Key.GIVE_UP, "/tickets/t/pass", {}),
        (Key.HOLD, "/tickets/t/hold", {}),
        (Key.CALL_BACK, "/tickets/h/resume", {"window": 3}),
    ],
)
def test_a_key_speaks_about_the_ticket_at_its_window(key, path, body):
    assert press(key, WindowNow(3, ticket="t", held="h")) == Request(path, body)
    assert press(key, WindowNow(3)) is None


def test_pause_is_a_toggle():
    assert press(Key.PAUSE, WindowNow(3, state="open")) == Request("/windows/3/pause", {"reason": ""})
    assert press(Key.PAUSE, WindowNow(3, state="paused")) == Request("/windows/3/resume")


def test_a_rating_is_kept_until_it_arrives_and_needs_an_invitation():
    now = {2: WindowNow(2, rating="t")}
    assert heed(roles.Rated(grade=2, address=2), BUS, now) == Request(
        "/tickets/t/rate", {"grade": 2, "channel": "evaluator"}, keep=True
    )
    assert heed(roles.Rated(grade=None, address=2), BUS, now) is None
    assert heed(roles.Rated(grade=5, address=3), BUS, now) is None


def test_address_zero_is_the_only_window_of_a_cable():
    assert window_of(STRIP3, 0) == 3
    assert window_of(BUS, 0) is None
    assert window_of(BUS, 7) is None


def test_what_is_known_of_a_window_follows_its_events():
    now = WindowNow(3)
    for kind, data in [
        ("WindowOpened", {}),
        ("TicketCalled", {"ticket": "a"}),
        ("ServiceStarted", {"ticket": "a"}),
        ("TicketHeld", {"ticket": "a"}),
        ("TicketCalled", {"ticket": "b"}),
    ]:
        now = follow(now, kind, data)
    assert now == WindowNow(3, state="open", ticket="b", ticket_state="called", held="a")
    for kind, data in [
        ("ServiceFinished", {"ticket": "b"}),
        ("RatingInvited", {"ticket": "b"}),
        ("TicketResumed", {"ticket": "a"}),
        ("RatingClosed", {"ticket": "b"}),
        ("WindowPaused", {}),
    ]:
        now = follow(now, kind, data)
    assert now == WindowNow(3, state="paused", ticket="a", ticket_state="serving", held="", rating="")


def test_a_board_shows_the_latest_calls_newest_first_and_a_recall_comes_to_the_top():
    calls = ()
    for number, window in (("A001", 1), ("A002", 2), ("B001", 3)):
        calls = remember(calls, "TicketCalled", {"number": number, "window": window})
    assert remember(calls, "ServiceStarted", {"number": "A001", "window": 1}) == calls
    calls = remember(calls, "TicketRecalled", {"number": "A001", "window": 1})
    assert calls == (Call(number="A001", window=1), Call(number="B001", window=3), Call(number="A002", window=2))
    hall, upstairs = Place("hall", ("hall-board",)), Place("upstairs", ("hall-board",), {1: 3, 2: 2})
    assert ring_boards(calls, [hall, upstairs, STRIP3]) == [
        Ring("hall", roles.ShowCalls(calls=calls)),
        Ring("upstairs", roles.ShowCalls(calls=calls[1:])),
    ]
    for n in range(50):
        calls = remember(calls, "TicketCalled", {"number": f"C{n}", "window": 1})
    assert len(calls) == REMEMBERED

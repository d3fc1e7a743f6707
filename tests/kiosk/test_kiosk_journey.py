"""The citizen's journey as a table: every row leads somewhere, and nobody is ever stranded."""

import pytest

from kiosk.deeds import Deeds
from kiosk.journey import ANYWHERE, BEFORE, CLOSED, STAY, TABLE, Event, Journey, Page, Times
from kiosk.session import Session

PENSION = {"code": "pension", "name": "养老保险", "queue": "A"}
ONE = {"code": "insurance", "name": "社会保险", "services": [PENSION]}
TWO = {**ONE, "services": [PENSION, {**PENSION, "code": "medical"}]}
ELDER = {"code": "elder", "verify": "card_age"}
SOLDIER = {"code": "soldier", "verify": "staff"}


def walk(journey, *events, now=0.0):
    deeds = []
    for event in events:
        deeds += journey.handle(event, now)
    return deeds


@pytest.fixture
def journey():
    return Journey(Session())


def test_as_01_three_touches_from_home_to_the_order_for_a_number(journey):
    journey.handle(Event.TOUCH, 0)
    journey.session.category, journey.session.service = TWO, PENSION
    touches = (Event.CATEGORY, Event.SERVICE, Event.TAKE)
    assert walk(journey, *touches)[-1] == "issue"
    assert journey.page is Page.ISSUING


def test_a_category_with_one_service_does_not_ask_which(journey):
    journey.handle(Event.TOUCH, 0)
    journey.session.category = ONE
    assert "only_service" in journey.handle(Event.CATEGORY, 0)
    assert journey.page is Page.CONFIRM


@pytest.mark.parametrize(("claimed", "page"), [(ELDER, Page.PRIVACY), (SOLDIER, Page.ISSUING)])
def test_only_a_class_shown_by_age_comes_to_the_privacy_notice(journey, claimed, page):
    journey.session.category, journey.session.service = TWO, PENSION
    walk(journey, Event.TOUCH, Event.CATEGORY, Event.SERVICE, Event.FIRST)
    journey.session.priority = claimed
    journey.handle(Event.CLASS, 0)
    assert journey.page is page


def test_no_card_is_read_before_the_notice_was_agreed_to():
    readers = [
        (page, event) for page, rows in TABLE.items() for event, row in rows.items() for r in row if "read_card" in r.do
    ]
    assert readers == [(Page.PRIVACY, Event.AGREE)]


def test_the_card_may_always_be_skipped():
    for page in (Page.PRIVACY, Page.CARD):
        assert TABLE[page][Event.SKIP][0].to == Page.ISSUING


@pytest.mark.parametrize("page", list(Page))
def test_a_mistake_of_ours_leads_from_every_page_to_the_failsafe_and_home(page):
    journey = Journey(Session())
    journey.page = page
    journey.handle(Event.BROKE, 5.0)
    assert journey.page is Page.FAILSAFE
    assert journey.tick(14.9) == ()
    assert "end" in journey.tick(15.1)
    assert journey.page is Page.HOME


@pytest.mark.parametrize("page", [p for p in Page if p not in (Page.ATTRACT, Page.ISSUING, Page.COPYING)])
def test_nobody_there_ends_every_page_with_a_wiped_session(page):
    journey = Journey(Session())
    journey.page = page
    journey.touch(0)
    deeds = [*journey.tick(1e6)]
    assert "end" in deeds
    assert journey.page in (Page.ATTRACT, Page.HOME)


def test_a_copy_is_made_of_what_was_taken_and_nothing_else(journey):
    walk(journey, Event.TOUCH, Event.SCAN)
    assert journey.handle(Event.COPY, 0) == () and journey.page is Page.SCAN
    journey.session.sheets = ("a page",)
    assert walk(journey, Event.COPY, Event.PRINT) == ["preview", "copy"]
    for event in (Event.BACK, Event.HOME, Event.PRINT, Event.FINISH, Event.EXPIRED, Event.HELP):
        assert journey.handle(event, 0) == (), "the printer has it"
    assert journey.page is Page.COPYING
    walk(journey, Event.COPIED)
    assert journey.page is Page.COPIED
    assert walk(journey, Event.BACK) == ["stop_card"] and journey.page is Page.COPY
    walk(journey, Event.SCAN, Event.SHEET)
    assert walk(journey, Event.REMOVE) == ["remove_sheet"] and journey.page is Page.SCAN
    assert "end" in walk(journey, Event.FINISH) and journey.page is Page.ATTRACT


def test_a_page_is_cropped_from_where_it_is_looked_at_and_back(journey):
    walk(journey, Event.TOUCH, Event.SCAN, Event.SHEET)
    assert walk(journey, Event.CROP, Event.BACK) == ["look_at_shot", "forget_shot"] and journey.page is Page.SHEET
    walk(journey, Event.CROP, Event.HELP, Event.BACK)
    assert journey.page is Page.CROP, "whoever asked for help goes on"
    assert walk(journey, Event.CUT) == ["cut_sheet"] and journey.page is Page.SHEET
    walk(journey, Event.BACK)
    assert journey.page is Page.SCAN


def test_whoever_leaves_the_camera_for_a_moment_comes_back_to_it(journey):
    walk(journey, Event.TOUCH, Event.SCAN, Event.HELP)
    walk(journey, Event.BACK)
    assert journey.page is Page.SCAN


def test_issuing_waits_for_the_hall_whatever_is_pressed(journey):
    journey.page = Page.ISSUING
    for event in (Event.BACK, Event.HOME, Event.TAKE, Event.FINISH, Event.EXPIRED, Event.HELP):
        assert journey.handle(event, 0) == ()
        assert journey.page is Page.ISSUING


def test_back_retraces_the_way(journey):
    journey.session.category, journey.session.service = TWO, PENSION
    walk(journey, Event.TOUCH, Event.CATEGORY, Event.SERVICE, Event.HELP)
    assert [journey.handle(Event.BACK, 0) and journey.page for _ in range(4)] == [
        Page.CONFIRM,
        Page.SERVICES,
        Page.HOME,
        Page.HOME,
    ]


def test_after_away_one_may_try_again_with_the_same_order(journey):
    journey.session.category, journey.session.service = TWO, PENSION
    walk(journey, Event.TOUCH, Event.CATEGORY, Event.SERVICE, Event.TAKE, Event.AWAY)
    assert journey.page is Page.AWAY
    journey.session.waiting = "issue"
    assert journey.handle(Event.RETRY, 0) == ("issue",)
    walk(journey, Event.AWAY, Event.BACK)
    assert journey.page is Page.CONFIRM


@pytest.mark.parametrize(("elder", "idle", "warning"), [(False, 60, 20), (True, 120, 30)])
def test_idle_then_warning_then_the_end(elder, idle, warning):
    journey = Journey(Session(elder=elder))
    journey.page = Page.CONFIRM
    journey.touch(100)
    assert journey.tick(100 + idle - 0.1) == () and not journey.warned
    assert journey.tick(100 + idle) == ("sound_warning",) and journey.warned
    assert journey.tick(100 + idle + 1) == ()  # told once
    assert journey.left(100 + idle) == warning
    assert "end" in journey.tick(100 + idle + warning)


def test_going_on_in_the_warning_keeps_everything_ten_times_and_more():
    journey = Journey(Session())
    journey.session.service = PENSION
    journey.page = Page.CONFIRM
    now = 0.0
    for _ in range(12):
        now += 70
        journey.tick(now)
        assert journey.warned
        journey.touch(now)
        journey.handle(Event.STAY, now)
        assert not journey.warned and journey.page is Page.CONFIRM and journey.session.service is PENSION


@pytest.mark.parametrize(
    ("printing", "elder", "seconds"),
    [("printed", False, 10), ("printed", True, 20), ("paper", False, 30), ("unknown", False, 30), ("none", True, 30)],
)
def test_the_number_stays_as_long_as_it_is_needed_and_without_a_warning(printing, elder, seconds):
    journey = Journey(Session(elder=elder, printing=printing))
    journey.page = Page.RESULT
    journey.touch(0)
    assert journey.tick(seconds - 0.1) == () and not journey.warned
    assert "end" in journey.tick(seconds)


def test_rejoining_is_for_passed_tickets_only(journey):
    journey.page = Page.TICKET
    journey.session.ticket = {"id": "1", "state": "waiting"}
    assert journey.handle(Event.REJOIN, 0) == ()
    journey.session.ticket = {"id": "1", "state": "passed"}
    assert journey.handle(Event.REJOIN, 0) == ("rejoin",)


def test_the_table_is_whole():
    pages = {str(p) for p in Page}
    assert set(TABLE) == pages
    for rows in (*TABLE.values(), ANYWHERE):
        for event, choices in rows.items():
            assert choices, event
            for row in choices:
                assert row.to in pages | {BEFORE, STAY}
                for deed in row.do:
                    assert deed.startswith("sound_") or hasattr(Deeds, f"_do_{deed}"), deed
    reached = {row.to for rows in (*TABLE.values(), ANYWHERE) for choices in rows.values() for row in choices}
    assert pages - reached == set()
    assert set(CLOSED) <= pages


def test_times_can_be_set():
    journey = Journey(Session(), Times(idle=1, warning=2))
    journey.page = Page.HOME
    journey.touch(0)
    assert journey.tick(1) == ("sound_warning",)
    assert "end" in journey.tick(3)

"""The live feed: nothing twice, nothing lost, nobody hears what is not for them, nobody waits for a slow screen."""

import gevent
import pytest

from hall_api.web import sse as feed_module
from hall_api.web.sse import Feed


def listen(feed, after, role="manager", until=None):
    """A screen as a greenlet: what it was sent, and the greenlet."""
    heard = []

    def run():
        for chunk in feed.stream(after, feed_module.audiences(role)):
            heard.append(chunk)

    return heard, gevent.spawn(run)


def issue(house, count=1):
    kiosk = house.caller("kiosk")
    return [kiosk.post("/tickets", {"queue": "A"}).json for _ in range(count)]


def settle(heard, sse, count, seconds=5):
    """Let greenlets run until so many events have been heard."""
    with gevent.Timeout(seconds):
        while len(events := sse(b"".join(heard))) < count:
            gevent.sleep(0.01)
    return events


def test_from_now_on_and_from_the_start(house, sse):
    issue(house, 3)
    from_start, a = listen(house.front.feed, 0)
    gevent.sleep(0)
    from_now, b = listen(house.front.feed, None)
    gevent.sleep(0)
    issue(house, 2)
    everything = settle(from_start, sse, 5)
    news = settle(from_now, sse, 2)
    assert [e["seq"] for e in everything] == list(range(everything[0]["seq"], everything[0]["seq"] + 5))
    assert news == everything[3:]
    assert {e["type"] for e in everything} == {"TicketIssued"}
    gevent.killall([a, b])


def test_resuming_anywhere_hears_the_rest_once(house, sse):
    issue(house, 12)
    everything = house.hall.events(0, 1000, ("public", "staff", "manager"))
    for place in everything:
        heard, screen = listen(house.front.feed, place.seq)
        gevent.sleep(0)
        rest = sse(b"".join(heard))
        if place is not everything[-1]:
            rest = settle(heard, sse, len(everything) - everything.index(place) - 1)
        assert [e["seq"] for e in rest] == [told.seq for told in everything if told.seq > place.seq]
        screen.kill()


def test_what_fell_out_of_memory_comes_from_the_journal(house, sse):
    """A screen that stands still while more happens than is kept in memory, then goes on."""
    small = Feed(house.hall, kept=8, page=5)
    screen = small.stream(0, feed_module.audiences("manager"))
    raw = [next(screen)]
    issue(house, 40)
    gevent.sleep(0.05)
    with gevent.Timeout(5):
        while len(events := sse(b"".join(raw))) < 40:
            raw.append(next(screen))
    assert [e["seq"] for e in events] == [told.seq for told in house.hall.events(0, 100, ("public",))]
    small.close()


def test_each_hears_what_is_meant_for_them(house, sse):
    house.open_window(1)
    ticket = issue(house)[0]
    clerk = house.caller("clerk")
    clerk.post("/windows/1/call-next")
    clerk.post(f"/tickets/{ticket['id']}/finish", {"outcome": "done"})
    house.caller("window").post(f"/tickets/{ticket['id']}/rate", {"grade": 1})
    house.caller("kiosk").post(f"/tickets/{ticket['id']}/rate", {"grade": 1})
    types = {}
    for role in ("screen", "clerk", "manager"):
        answer = house.caller(role).get("/events?after=0&wait=0")
        types[role] = {event["type"] for event in answer.json["events"]}
    assert "TicketCalled" in types["screen"]
    assert "RatingClosed" in types["screen"]
    for secret in ("TicketRated", "CaseOpened"):
        assert secret in types["manager"]
        assert secret not in types["screen"] | types["clerk"]


def test_events_not_for_these_ears_do_not_hold_up_the_feed(house, sse):
    """A screen gets its sign of life although only others are told something."""
    quick = Feed(house.hall, quiet=0.2)
    heard, screen = listen(quick, None, role="screen")
    window = house.caller("window")
    with gevent.Timeout(5):
        count = 0
        while heard.count(feed_module.HEARTBEAT) < 2:
            count += 1
            state = ("ready", "degraded")[count % 2]
            device = {"device": "d", "role": "evaluator", "state": state}
            window.post("/devices", {"machine": "w1", "devices": [device]})
            gevent.sleep(0.05)
    assert sse(b"".join(heard)) == []
    screen.kill()
    quick.close()


def test_a_feed_ends_when_its_listener_is_no_longer_welcome(house):
    quick = Feed(house.hall, quiet=0.05)
    answers = [True, False]
    chunks = list(quick.stream(None, ("public",), lambda: answers.pop(0)))
    assert chunks == [feed_module.HELLO, feed_module.HEARTBEAT]
    quick.close()


def test_closing_the_feed_ends_all_streams(house):
    feed = Feed(house.hall)
    screens = [listen(feed, None)[1] for _ in range(5)]
    gevent.sleep(0.01)
    assert feed.listeners == 5
    feed.close()
    gevent.joinall(screens, timeout=2)
    assert feed.listeners == 0


def test_all_screens_share_one_writing_of_a_line(house, sse):
    feed = house.front.feed
    screens = [listen(feed, None) for _ in range(50)]
    gevent.sleep(0.01)
    issue(house)
    for heard, _ in screens:
        settle(heard, sse, 1)
    lines = [[chunk for chunk in heard if b"TicketIssued" in chunk] for heard, _ in screens]
    assert len({id(chunks[0]) for chunks in lines}) == 1
    gevent.killall([screen for _, screen in screens])


def test_the_door_streams_and_resumes(house, sse):
    issue(house, 3)
    answer = house.caller("screen").get("/events?after=0", Last_Event_ID="2")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    chunks = answer.iter_encoded()
    raw = next(chunks) + next(chunks)
    assert [event["seq"] for event in sse(raw)] == [3]


def test_the_long_form_answers_at_once(house):
    issue(house, 5)
    caller = house.caller("screen")
    assert [e["seq"] for e in caller.get("/events?after=1&limit=2&wait=0").json["events"]] == [2, 3]
    assert caller.get("/events?wait=0").json == {"events": []}
    assert caller.get("/events?after=99&wait=0").json == {"events": []}


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=1.5", "after=99999999999999999999", "limit=0&wait=0"])
def test_nonsense_is_refused(house, query):
    assert house.caller("screen").get(f"/events?{query}").status_code == 422


@pytest.mark.parametrize("value", ["x", "-1", "9" * 30])
def test_a_nonsense_last_event_id_is_refused(house, value):
    assert house.caller("screen").get("/events", Last_Event_ID=value).status_code == 400


def test_a_stranger_hears_nothing(house):
    assert house.caller().get("/events").status_code == 401

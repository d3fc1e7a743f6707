"""AS-04: a call is seen and heard at once; who does not come is called twice more, passed, and may come back twice.

That a board whose network cable is pulled keeps its picture and recovers is tried in tests/pages, in a real browser.
"""

import json
import threading
import time
import urllib.request
from datetime import UTC, datetime

import pytest

from hall_api.client import HallRefused

FRIDAY = datetime(2026, 11, 20, 1, 30, tzinfo=UTC).timestamp()


def test_as_04_a_call_is_seen_within_a_second_and_spoken_within_two(whole_hall, soon):
    hall = whole_hall().open()
    hall.open_windows(3)
    hall.attend("window")
    hall.all_ready("strip3", "bus")
    for _ in range(7):
        hall.issue(kiosk=None)
    for _ in range(6):
        hall.as_("clerk").call_next(3, finish="done")
    heard, stop = [], threading.Event()
    seq = hall.as_("screen").healthy()["seq"]

    def listen(event):
        heard.append((time.monotonic(), event))

    ear = threading.Thread(target=hall.as_("screen").follow, args=(seq, listen, stop))
    ear.start()
    try:
        soon(lambda: "A006" in [s["number"] for s in hall.obeyed("strip3", "ShowCall")])
        called = time.monotonic()
        hall.press(3, "call_next")  # the clerk at window 3, on the wire
        at, event = soon(lambda: next(((t, e) for t, e in heard if e["type"] == "TicketCalled"), None), 5)
        assert (event["data"]["number"], event["data"]["window"], event["data"]["recall"]) == ("A007", 3, 0)
        assert at - called <= 1, "hall screens"
        shown = soon(lambda: [s for s in hall.obeyed("strip3", "ShowCall") if s["number"] == "A007"], 5)
        assert (shown[0]["window"], shown[0]["at"] / 1e9 - called <= 1) == (3, True), "the strip above the window"
        board = hall.as_("screen").get("/board")["calls"][0]
        assert (board["number"], board["window"]) == ("A007", 3)
        request = urllib.request.Request(
            f"{hall.url}/voice/{event['seq']}.wav", headers={"Authorization": f"Bearer {hall.tokens['screen']}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.read(4) == b"RIFF"
        assert time.monotonic() - called <= 2, "the voice can start"
    finally:
        stop.set()
        ear.join(timeout=5)


@pytest.fixture
def hall(whole_hall):
    """A007 and five others wait; window 3 is open; the clock stands still until it is turned."""
    hall = whole_hall().open(at=FRIDAY)
    hall.open_windows(3)
    for _ in range(12):
        hall.issue(kiosk=None)
    for _ in range(6):
        hall.as_("clerk").call_next(3, finish="done")
    return hall


def refused(ask, *arguments, **more):
    with pytest.raises(HallRefused) as said:
        ask(*arguments, **more)
    assert said.value.status == 409
    return said.value


def test_as_04_recall_pass_rejoin_and_the_way_to_the_guide_desk(hall):
    clerk, kiosk = hall.as_("clerk"), hall.as_("kiosk")
    ticket = clerk.call_next(3, finish="done")
    assert ticket["number"] == "A007"
    hall.later(seconds=19.9)
    assert refused(clerk.at_ticket, ticket["id"], "recall").code == "recall_too_soon"
    hall.later(seconds=0.1)
    for recalls in (1, 2):
        assert clerk.at_ticket(ticket["id"], "recall")["recalls"] == recalls
        hall.later(seconds=20)
    assert refused(clerk.at_ticket, ticket["id"], "recall").code == "recall_limit"
    assert clerk.at_ticket(ticket["id"], "pass")["state"] == "passed"
    back = kiosk.at_ticket(ticket["id"], "rejoin")
    assert (back["state"], back["ahead"]) == ("waiting", 3)
    turn = [clerk.call_next(3, finish="done")["number"] for _ in range(4)]
    assert turn == ["A008", "A009", "A010", "A007"], "behind three others"
    clerk.at_ticket(ticket["id"], "pass")
    assert kiosk.at_ticket(ticket["id"], "rejoin")["rejoins"] == 2
    while clerk.call_next(3, finish=None)["number"] != "A007":
        clerk.at_ticket(hall.as_("clerk").window(3)["ticket"]["id"], "finish", outcome="done")
    clerk.at_ticket(ticket["id"], "pass")
    third = refused(kiosk.at_ticket, ticket["id"], "rejoin")
    assert third.code == "rejoin_limit"
    assert "导办台" in third.detail, third.detail
    kinds = [e["type"] for e in hall.told() if e["data"].get("number") == "A007"]
    counted = [kinds.count(k) for k in ("TicketCalled", "TicketRecalled", "TicketPassed", "TicketRejoined")]
    assert counted == [3, 2, 3, 2]


def test_as_04_the_pad_says_why_not_with_two_beeps(hall, soon):
    hall.attend("window")
    soon(lambda: "A006" in [s["number"] for s in hall.obeyed("strip3", "ShowCall")])  # the machine knows its window
    hall.press(3, "call_next")
    soon(lambda: [s for s in hall.obeyed("strip3", "ShowCall") if s["number"] == "A007"])
    hall.press(3, "recall")
    soon(lambda: len([b for b in hall.obeyed("bus", "Beep") if b["address"] == 3]) == 2)
    hall.later(seconds=20)
    hall.press_again(3, "recall")
    soon(lambda: [e for e in hall.told("TicketRecalled") if e["data"]["number"] == "A007"])
    soon(lambda: len([s for s in hall.obeyed("strip3", "ShowCall") if s["number"] == "A007"]) == 2)
    hall.press(3, "give_up")
    soon(lambda: [e for e in hall.told("TicketPassed") if e["data"]["number"] == "A007"])
    soon(lambda: hall.obeyed("strip3", "ShowWelcome"))
    assert json.dumps(hall.as_("").windows()).count("A007") == 0

"""AS-06: an evaluator pulled out during service; the visit ends and is rated all the same."""

import time

import pytest

from hall_api.client import HallRefused


def channel(hall, no=3):
    return hall.as_("").window(no)["channel"]


@pytest.fixture
def hall(whole_hall):
    made = whole_hall().open()
    made.open_windows(3)
    made.attend("window")
    made.all_ready("bus", "strip3")
    return made


def test_as_06_a_window_without_its_evaluator_is_rated_by_code_and_back(hall, soon):
    soon(lambda: channel(hall) == "evaluator", 5)
    ticket = hall.issue(kiosk=None)
    hall.press(3, "call_next")
    soon(lambda: hall.as_("").ticket(ticket["id"])["state"] == "called", 5)
    hall.as_("clerk").at_ticket(ticket["id"], "start")
    bus = hall.street.devices["bus"]
    bus.unplug()
    pulled = time.monotonic()
    soon(lambda: hall.state_of("bus") == "absent", 5)
    soon(lambda: channel(hall) == "qr", 5)
    assert time.monotonic() - pulled <= 5
    coverage = {w["no"]: w["channel"] for w in hall.as_("manager").windows()}
    assert coverage[3] == "qr"
    hall.as_("clerk").at_ticket(ticket["id"], "finish", outcome="done")
    assert hall.as_("").at_ticket(ticket["id"], "rate", grade=4, channel="qr")["rating"] == "rated"
    bus.plug()
    back = time.monotonic()
    soon(lambda: channel(hall) == "evaluator", 10)
    assert time.monotonic() - back <= 10
    changes = [(e["data"]["window"], e["data"]["channel"]) for e in hall.told("RatingChannelChanged")]
    assert [c for no, c in changes if no == 3] == ["evaluator", "qr", "evaluator"], "each told once"


def test_as_06_a_machine_that_falls_silent_leaves_its_windows_to_the_code(whole_hall, soon):
    hall = whole_hall().open(at=1_800_000_000.0)
    report = {
        "device": "pads",
        "role": "call-pad",
        "roles": ["call-pad", "evaluator"],
        "state": "ready",
        "windows": [2],
    }
    hall.as_("window").post("/devices", {"machine": "w2", "devices": [report]})
    assert channel(hall, 2) == "evaluator"
    hall.later(seconds=91)
    soon(lambda: channel(hall, 2) == "qr", 5)


def test_as_06_only_devices_that_take_ratings_count(whole_hall):
    hall = whole_hall().open()
    report = {"device": "pad", "role": "call-pad", "state": "ready", "windows": [1]}
    hall.as_("window").post("/devices", {"machine": "w1", "devices": [report]})
    assert channel(hall, 1) == "qr"
    with pytest.raises(HallRefused):
        hall.as_("window").post("/devices", {"machine": "w1", "devices": [{**report, "roles": "evaluator"}]})

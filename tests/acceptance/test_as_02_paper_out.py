"""AS-02: the printer has no paper; the number is given, nobody is told a lie, and the slip comes when it can."""

import time

import pytest

from devices.roles import PaperOut

NO_PAPER = ["1a", "32", "7e"]  # to DLE EOT 1, 2 and 4


@pytest.fixture
def hall(whole_hall):
    hall = whole_hall().open()
    hall.open_windows(1)
    return hall


def answers(attendant):
    """What the printer has answered since its last DLE EOT 1, question by question."""
    said, question = {}, ""
    for exchange in attendant.station.exchanges("printer"):
        if exchange.direction == "out" and exchange.data.startswith("1004"):
            question = exchange.data[4:6]
        elif exchange.direction == "in" and question:
            said[question] = exchange.data
    return said


def test_as_02_paper_out_and_back(hall, soon):
    kiosk = hall.attend("kiosk")
    soon(lambda: hall.state_of("printer") == "ready")
    hall.printer.happen(PaperOut())
    empty = time.monotonic()
    ticket = hall.issue(key="first tap")
    failed = soon(lambda: (t := hall.as_("kiosk").ticket(ticket["id"]))["job"]["state"] == "failed" and t, 10)
    said = answers(kiosk)
    assert [said[question] for question in ("01", "02", "04")] == NO_PAPER
    assert failed["url"] == ticket["url"], "number and code are known to whoever shows them"
    soon(lambda: hall.state_of("printer", "manager") == "error", 10)
    for role in ("manager", "technician", "clerk"):
        [alarm] = soon(lambda role=role: hall.as_(role).get("/alarms")["alarms"], 10)
        assert (alarm["device"], "缺纸" in alarm["reason"]) == ("printer", True)
    assert time.monotonic() - empty <= 10
    [settled] = [e["data"] for e in hall.told("SlipSettled") if e["data"]["state"] == "failed"]
    assert "paper" in settled["reason"]

    assert hall.issue(key="first tap")["id"] == ticket["id"], "a second tap makes no second ticket"
    assert [t["number"] for t in hall.database()["tickets"]] == [ticket["number"]]
    assert hall.obeyed("printer", "PrintSlip") == []

    hall.printer.happen(PaperOut(over=True))
    refilled = time.monotonic()
    soon(lambda: hall.state_of("printer") == "ready" and not hall.as_("manager").get("/alarms")["alarms"], 15)
    assert time.monotonic() - refilled <= 15
    assert hall.obeyed("printer", "PrintSlip") == [], "nothing is printed by itself long after"

    second = hall.as_("kiosk").at_ticket(ticket["id"], "reprint", kiosk="k1")
    [slip] = soon(lambda: hall.obeyed("printer", "PrintSlip"), 10)
    assert (slip["number"], slip["reprint"]) == (ticket["number"], True)
    assert "补打" in "\n".join(hall.printer.simulator.paper())
    soon(lambda: hall.as_("").ticket(ticket["id"])["job"]["state"] == "confirmed", 5)
    jobs = {job["id"]: (job["state"], job["first"]) for job in hall.database()["print_jobs"]}
    assert jobs == {
        ticket["job"]["id"]: ("failed", ""),
        second["job"]["id"]: ("confirmed", ticket["job"]["id"]),
    }


def test_as_02_two_polls_missed_is_nothing_three_is_absent(hall, soon):
    """Polls come every five seconds and are waited for 0.6 s; the states between are watched all the time."""
    kiosk = hall.attend("kiosk")
    soon(lambda: kiosk.station.state("printer").state == "ready")
    asked_before = kiosk.station.state("printer").counters["bytes_out"]
    hall.printer.spoil("silent")
    seen = []

    def absent():
        now = kiosk.station.state("printer")
        polls = (now.counters["bytes_out"] - asked_before) // 3  # a silent printer is asked one question a poll
        seen.append((polls, now.state))
        return now.state == "absent"

    soon(absent, 30)
    assert {state for polls, state in seen if polls <= 2} <= {"ready", "degraded"}
    assert seen[-1][0] == 3
    soon(lambda: hall.state_of("printer") == "absent", 5)
    hall.printer.spoil()
    soon(lambda: hall.state_of("printer") == "ready", 15)

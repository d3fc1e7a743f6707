"""Each door opens to the roles of its table and to nobody else, and does what docs/api.md says."""

import re
from pathlib import Path

import pytest

from hall_api.web.api import NOUNS
from hall_api.web.doors import PUBLIC, ROLES

DOORS = [door for noun in NOUNS for door in noun]
CONTRACT = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text()


def address(door):
    return re.sub(r"<int:\w+>", "1", re.sub(r"<(?!int)\w+>", "nothing", door.path))


@pytest.mark.parametrize("door", DOORS, ids=lambda d: f"{d.method} {d.template}")
def test_who_may(house, door):
    """A token of every role, and none: 401 and 403 exactly where the table says so."""
    if door.streams:
        return
    for role in (None, *ROLES):
        answer = house.caller(role).ask(door.method, address(door), {} if door.method == "POST" else None)
        allowed = PUBLIC in door.who or (role in door.who and not door.session_only)
        refused = answer.status_code in (401, 403)
        by_itself = door.name in ("rate_ticket", "skip_rating") and answer.json.get("code") != "not_allowed"
        assert refused != allowed or by_itself, f"{role}: {answer.status_code} {answer.text}"
        if refused:
            assert answer.mimetype == "application/problem+json"
            assert answer.status_code == (401 if role is None or door.session_only else 403)


def test_every_door_of_the_contract_exists():
    """The first column of docs/api.md against the table, both ways."""
    promised = set()
    for line in CONTRACT.splitlines():
        cell = re.match(r"\| `?(.*?) \|", line.replace(r"\|", ";"))
        words = re.findall(r"`([^`]+)`", line.split(" | ")[0])
        if not cell or not words or not re.match(r"(GET|POST|DELETE) /v1", words[0]):
            continue
        method, first = words[0].split()[:2]
        first = first.split("?")[0]
        promised.add((method, first))
        for word in words[1:]:
            verb = word.split()[0].lstrip("/")
            promised.add((method, f"{first.rpartition('/')[0]}/{verb}"))
    there = {(door.method, f"/v1{door.template}") for door in DOORS}
    assert promised == there


def test_a_visit_through_the_doors(house):
    """Issue, call, recall too soon, start, hold, resume, transfer, call again, finish, rate, rate again."""
    house.open_window(1)
    kiosk, clerk, screen = house.caller("kiosk"), house.caller("clerk"), house.caller("screen")
    issued = kiosk.post("/tickets", {"queue": "A"})
    assert issued.status_code == 201
    ticket = issued.json
    assert ticket["number"] == "A001"
    assert ticket["ahead"] == 0
    assert ticket["url"] == f"http://hall.test/t/{ticket['id']}"
    at = f"/tickets/{ticket['id']}"
    called = clerk.post("/windows/1/call-next")
    assert (called.status_code, called.json["state"], called.json["window"]) == (200, "called", 1)
    too_soon = clerk.post(f"{at}/recall")
    assert too_soon.status_code == 409
    held_by_window = clerk.post("/windows/1/call-next")
    assert held_by_window.status_code == 409
    assert held_by_window.json["detail"]
    assert clerk.post(f"{at}/start").json["state"] == "serving"
    assert clerk.post(f"{at}/hold").json["state"] == "held"
    assert clerk.get("/windows/1/waiting").json["held"][0]["id"] == ticket["id"]
    assert clerk.post(f"{at}/resume").json["state"] == "serving"
    assert clerk.post(f"{at}/transfer", {"queue": "B"}).json["state"] == "waiting"
    assert clerk.post("/windows/1/call", {"number": "A001"}).json["state"] == "called"
    done = clerk.post(f"{at}/finish", {"outcome": "done"})
    assert (done.json["state"], done.json["outcome"], done.json["rating"]) == ("done", "done", "invited")
    assert screen.post(f"{at}/rate", {"grade": 5}).json["rating"] == "rated"
    again = screen.post(f"{at}/rate", {"grade": 1})
    assert again.status_code == 409
    assert clerk.post("/windows/1/call-next").status_code == 204


def test_a_passed_citizen_rejoins_without_a_token(house):
    house.open_window(1)
    clerk, citizen = house.caller("clerk"), house.caller()
    ticket = house.caller("kiosk").post("/tickets", {"queue": "A"}).json
    clerk.post("/windows/1/call-next")
    assert clerk.post(f"/tickets/{ticket['id']}/pass").json["state"] == "passed"
    assert citizen.post(f"/tickets/{ticket['id']}/rejoin").json["state"] == "waiting"
    assert citizen.get(f"/tickets/{ticket['id']}").json["rejoins"] == 1


def test_a_citizen_rates_by_the_slips_code_only(house):
    house.open_window(1)
    clerk = house.caller("clerk")
    ticket = house.caller("kiosk").post("/tickets", {"queue": "A"}).json
    clerk.post("/windows/1/call-next")
    clerk.post("/windows/1/call-next", {"finish": "done"})
    rate = f"/tickets/{ticket['id']}/rate"
    assert house.caller().post(rate, {"grade": 5, "channel": "evaluator"}).status_code == 401
    assert clerk.post(rate, {"grade": 5, "channel": "evaluator"}).status_code == 401
    rated = house.caller().post(rate, {"grade": 2, "channel": "qr", "options": ["slow"]})
    assert rated.status_code == 200, rated.text
    assert [case["number"] for case in house.caller("manager").get("/cases").json["cases"]] == ["A001"]


def test_printing_is_stored_with_the_ticket(house):
    kiosk = house.caller("kiosk")
    ticket = kiosk.post("/tickets", {"queue": "A", "kiosk": "k1"}).json
    job = ticket["job"]
    assert (job["state"], job["kiosk"]) == ("queued", "k1")
    failed = kiosk.post(f"/print-jobs/{job['id']}", {"state": "failed", "reason": "缺纸"})
    assert (failed.status_code, failed.json["state"]) == (200, "failed")
    again = kiosk.post(f"/tickets/{ticket['id']}/reprint", {"kiosk": "k1"}).json["job"]
    assert again["id"] != job["id"]


def test_public_answers_name_no_ticket_id(house):
    house.open_window(1)
    house.caller("kiosk").post("/tickets", {"queue": "A"})
    ticket = house.caller("clerk").post("/windows/1/call-next").json
    for path in ("/windows", "/windows/1", "/board", "/queues"):
        for caller in (house.caller(), house.caller("screen")):
            assert ticket["id"] not in caller.get(path).text, path
    assert house.caller("clerk").get("/windows/1").json["ticket"]["id"] == ticket["id"]


def test_devices_tell_their_state(house):
    window = house.caller("window")
    device = {"device": "evaluator 1", "role": "evaluator", "state": "error", "reason": "无应答", "windows": [1]}
    assert window.post("/devices", {"machine": "w1", "devices": [device]}).json == {}
    seen = house.caller("technician").get("/devices").json["devices"]
    assert [(d["machine"], d["device"], d["state"], d["windows"]) for d in seen] == [
        ("w1", "evaluator 1", "error", [1])
    ]
    assert house.caller("clerk").get("/alarms").json["alarms"][0]["device"] == "evaluator 1"


def test_a_closed_queue_gives_no_numbers(house):
    manager = house.caller("manager")
    assert manager.post("/queues/B/close").json["open"] is False
    refused = house.caller("kiosk").post("/tickets", {"queue": "B"})
    assert refused.status_code == 409
    assert manager.post("/queues/B/open").json["open"] is True
    assert house.caller("kiosk").post("/tickets", {"queue": "B"}).status_code == 201

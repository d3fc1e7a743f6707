"""A repeated request is the same request: the first answer again, also when both come at once."""

import threading


def test_the_same_key_gets_the_first_answer(house):
    kiosk = house.caller("kiosk")
    first = kiosk.post("/tickets", {"queue": "A"}, Idempotency_Key="one")
    second = kiosk.post("/tickets", {"queue": "A"}, Idempotency_Key="one")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert house.caller().get("/queues").json["queues"][0]["waiting"] == 1


def test_a_refusal_is_repeated_too(house):
    house.open_window(1)
    clerk, kiosk = house.caller("clerk"), house.caller("kiosk")
    kiosk.post("/tickets", {"queue": "A"})
    kiosk.post("/tickets", {"queue": "A"})
    clerk.post("/windows/1/call-next")
    first = clerk.post("/windows/1/call-next", Idempotency_Key="too early")
    again = clerk.post("/windows/1/call-next", Idempotency_Key="too early")
    assert (first.status_code, again.status_code) == (409, 409)
    assert first.json == again.json


def test_nobody_waits_is_an_answer_worth_keeping(house):
    house.open_window(1)
    clerk = house.caller("clerk")
    assert clerk.post("/windows/1/call-next", Idempotency_Key="k").status_code == 204
    house.caller("kiosk").post("/tickets", {"queue": "A"})
    assert clerk.post("/windows/1/call-next", Idempotency_Key="k").status_code == 204


def test_two_machines_may_use_one_key(house):
    tickets = [
        house.caller(role).post("/tickets", {"queue": "A"}, Idempotency_Key="k").json for role in ("kiosk", "window")
    ]
    assert tickets[0]["id"] != tickets[1]["id"]


def test_one_key_for_two_wishes_is_refused(house):
    kiosk = house.caller("kiosk")
    kiosk.post("/tickets", {"queue": "A"}, Idempotency_Key="k")
    assert kiosk.post("/tickets", {"queue": "B"}, Idempotency_Key="k").status_code in (409, 422)


def test_one_citizens_key_hides_nobody_elses_order(house):
    """Citizens have no name; two of them may well send the same key."""
    house.open_window(1)
    clerk, kiosk = house.caller("clerk"), house.caller("kiosk")
    ids = [kiosk.post("/tickets", {"queue": "A"}).json["id"] for _ in range(2)]
    for ticket in ids:
        clerk.post("/windows/1/call-next")
        clerk.post(f"/tickets/{ticket}/pass")
    states = [house.caller().post(f"/tickets/{t}/rejoin", Idempotency_Key="1").json["state"] for t in ids]
    assert states == ["waiting", "waiting"]


def test_a_key_must_be_visible(house):
    assert house.caller("kiosk").post("/tickets", {"queue": "A"}, Idempotency_Key="k" * 201).status_code == 422


def test_duplicates_at_the_same_moment_are_one(house):
    answers = []
    token = house.accounts.new_token("kiosk", "k1")

    def touch():
        client = house.app.test_client()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "at once"}
        answers.append(client.post("/v1/tickets", json={"queue": "A"}, headers=headers))

    threads = [threading.Thread(target=touch) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert house.caller().get("/queues").json["queues"][0]["waiting"] == 1


def test_devices_told_late_and_again_bring_no_old_news(house):
    window, clerk = house.caller("window"), house.caller("clerk")

    def tell(state, key, reason=""):
        one = {"device": "printer", "role": "ticket printer", "state": state, "reason": reason, "windows": []}
        other = {"device": "evaluator", "role": "evaluator", "state": "ready", "reason": "", "windows": [1]}
        return window.post("/devices", {"machine": "w1", "devices": [one, other]}, Idempotency_Key=key)

    assert tell("error", "first", "out of paper").json == {}
    assert tell("ready", "second").json == {}
    again = tell("error", "first", "out of paper")
    assert (again.status_code, again.json) == (200, {})
    assert {d["device"]: d["state"] for d in clerk.get("/devices").json["devices"]} == {
        "printer": "ready",
        "evaluator": "ready",
    }
    assert clerk.get("/alarms").json["alarms"] == []
    assert tell("error", "second", "another").status_code == 422
    kinds = [e["type"] for e in clerk.get("/events?after=0&wait=0").json["events"]]
    assert (kinds.count("DeviceChanged"), kinds.count("AlarmRaised"), kinds.count("AlarmCleared")) == (3, 1, 1)


def test_of_a_device_told_twice_in_one_breath_the_last_word_counts(house):
    window, clerk = house.caller("window"), house.caller("clerk")
    one = {"device": "printer", "role": "ticket printer", "state": "error", "reason": "cover open", "windows": None}
    window.post("/devices", {"machine": "w1", "devices": [one]})
    assert window.post("/devices", {"machine": "w1", "devices": [{**one, "state": "ready"}, one]}).json == {}
    assert [alarm["reason"] for alarm in clerk.get("/alarms").json["alarms"]] == ["cover open"]
    assert window.post("/devices", {"machine": "w1", "devices": []}).json == {}


def test_a_log_in_asked_twice_is_two_sessions(house):
    """No session can be given out again: of its cookie only a hash is kept."""
    house.accounts.set_password("li", "correct horse 42")
    body = {"login": "li", "password": "correct horse 42"}
    first, second = (house.caller().post("/sessions", body, Idempotency_Key="k") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json["csrf"] != second.json["csrf"]

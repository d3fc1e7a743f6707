"""What a kiosk asks of the hall beside tickets: its unfinished slips, and a person for a citizen."""


def test_a_kiosk_finds_only_its_own_unsettled_slips(house):
    kiosk = house.caller("kiosk")
    ours = [kiosk.post("/tickets", {"queue": "A", "kiosk": "k1"}).json["job"]["id"] for _ in range(3)]
    kiosk.post("/tickets", {"queue": "A", "kiosk": "k2"})
    kiosk.post(f"/print-jobs/{ours[0]}", {"state": "confirmed"})
    kiosk.post(f"/print-jobs/{ours[1]}", {"state": "sending"})
    jobs = kiosk.get("/print-jobs?kiosk=k1").json["jobs"]
    assert [(job["id"], job["state"]) for job in jobs] == [(ours[1], "sending"), (ours[2], "queued")]


def test_the_door_wants_a_kiosks_name(house):
    assert house.caller("kiosk").get("/print-jobs").status_code == 422


def test_a_call_for_help_is_an_alarm_until_somebody_goes(house):
    kiosk, clerk = house.caller("kiosk"), house.caller("clerk")
    assert kiosk.post("/help", {"kiosk": "k1", "page": "home"}).status_code == 200
    kiosk.post("/help", {"kiosk": "k1", "page": "home"})
    alarms = clerk.get("/alarms").json["alarms"]
    assert [(a["machine"], a["device"]) for a in alarms] == [("k1", "help")]
    assert "k1" in alarms[0]["reason"] and "请求帮助" in alarms[0]["reason"]
    assert clerk.post("/help/answer", {"kiosk": "k1"}).status_code == 200
    assert clerk.get("/alarms").json["alarms"] == []
    kinds = [e["type"] for e in clerk.get("/events?after=0&wait=0").json["events"]]
    assert kinds.count("AlarmRaised") == 1 and kinds.count("AlarmCleared") == 1


def test_a_screen_can_neither_call_nor_answer(house):
    screen = house.caller("screen")
    assert screen.post("/help", {"kiosk": "k1"}).status_code == 403
    assert screen.post("/help/answer", {"kiosk": "k1"}).status_code == 403

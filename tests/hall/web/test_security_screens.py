"""A screen is enrolled once; its token leaves the address, and its cookie works only from our own pages."""

import logging

import pytest


@pytest.fixture
def screen(house):
    """A browser that has been enrolled."""
    browser = house.caller()
    token = house.accounts.new_token("screen", "board")
    answer = browser.http.get(f"/enrol?token={token}&to=/board")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/board"
    assert token not in answer.headers["Location"] + answer.text
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    return browser


def test_an_enrolled_screen_hears_public_events(house, screen):
    house.caller("kiosk").post("/tickets", {"queue": "A"})
    assert [e["type"] for e in screen.get("/events?after=0&wait=0").json["events"]] == ["TicketIssued"]
    assert screen.get("/alarms").status_code == 403


def test_an_evaluator_page_rates_only_from_our_own_origin(house, screen):
    house.open_window(1)
    ticket = house.caller("kiosk").post("/tickets", {"queue": "A"}).json["id"]
    clerk = house.caller("clerk")
    clerk.post("/windows/1/call-next")
    clerk.post(f"/tickets/{ticket}/finish", {"outcome": "done"})
    rate, body = f"/tickets/{ticket}/rate", {"grade": 5, "channel": "evaluator"}
    assert screen.post(rate, body).json["code"] == "csrf"
    assert screen.post(rate, body, Origin="http://evil.example").json["code"] == "foreign_origin"
    assert screen.post(rate, body, Origin="http://hall.test").json["rating"] == "rated"


@pytest.mark.parametrize("role", ["kiosk", "manager", None])
def test_only_screens_are_enrolled(house, role):
    token = house.accounts.new_token(role) if role else "nonsense"
    answer = house.app.test_client().get(f"/enrol?token={token}")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/a\r\nb"])
def test_enrolment_leads_nowhere_else(house, to):
    token = house.accounts.new_token("screen")
    answer = house.app.test_client().get("/enrol", query_string={"token": token, "to": to})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("path", ["/v1/healthz", "/v1/nothing", "/v1/tickets", "/enrol?token=x", "/nothing"])
def test_every_answer_carries_strict_headers(house, path):
    headers = house.app.test_client().get(path).headers
    policy = headers["Content-Security-Policy"]
    source = "'none'" if path.startswith("/v1/") else "'self'"
    assert f"default-src {source}" in policy
    assert "unsafe" not in policy
    assert f"frame-ancestors {source}" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Access-Control-Allow-Origin" not in headers


def test_the_request_log_knows_doors_but_no_ids(house, caplog):
    caplog.set_level(logging.INFO)
    kiosk = house.caller("kiosk")
    ticket = kiosk.post("/tickets", {"queue": "A"}).json
    kiosk.get(f"/tickets/{ticket['id']}")
    kiosk.get("/tickets?number=A001")
    house.app.test_client().get("/enrol?token=sesame")
    assert "GET /tickets/{id} kiosk" in caplog.text
    for secret in (ticket["id"], "A001", kiosk.token, "sesame"):
        assert secret not in caplog.text

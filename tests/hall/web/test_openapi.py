"""The description is valid, describes every door, and the hall answers as described."""

import re

import jsonschema
import pytest
from openapi_spec_validator import validate


@pytest.fixture
def description(house):
    return house.caller().get("/openapi.json").json


def test_it_is_a_valid_openapi_document(description):
    assert description["openapi"] == "3.1.0"
    validate(description)


def test_every_registered_door_is_described_and_no_other(house, description):
    described = {(m.upper(), p) for p, methods in description["paths"].items() for m in methods}
    registered = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in house.app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == registered


class Checked:
    """Callers whose every answer is held against the description."""

    def __init__(self, house, description):
        self.house, self.description, self.seen = house, description, set()
        self.paths = [
            (re.compile("^" + re.sub(r"\{\w+\}", "[^/]+", path) + "$"), path) for path in description["paths"]
        ]

    def ask(self, role, method, path, body=None, status=200, caller=None):
        caller = caller or self.house.caller(role)
        answer = caller.ask(method, path, body)
        assert answer.status_code == status, answer.text
        bare = "/v1" + path.split("?")[0]
        template = sorted((p for pattern, p in self.paths if pattern.match(bare)), key=lambda p: p.count("{"))[0]
        operation = self.description["paths"][template][method.lower()]
        self.seen.add((method, template))
        described = operation["responses"].get(str(status), self.description["components"]["responses"]["Problem"])
        content = described.get("content")
        if content is None:
            assert answer.data == b""
            return None
        if answer.mimetype == "application/pdf":
            assert answer.mimetype in content
            return answer.data
        schema = {**content[answer.mimetype]["schema"], "components": self.description["components"]}
        jsonschema.validate(answer.json, schema)
        if isinstance(body, bytes):
            assert "application/pdf" in operation["requestBody"]["content"]
        elif body is not None and status < 400:
            asked = operation["requestBody"]["content"]["application/json"]["schema"]
            jsonschema.validate(body, asked)
        return answer.json


@pytest.fixture
def checked(house, description):
    return Checked(house, description)


def visit(checked, queue="A"):
    """A called ticket at window 1."""
    checked.ask("kiosk", "POST", "/tickets", {"queue": queue, "kiosk": "k1"}, 201)
    return checked.ask("clerk", "POST", "/windows/1/call-next", {})["id"]


def test_every_door_answers_as_described(house, checked):
    ask = checked.ask
    for path in ("healthz", "hall", "services", "queues", "windows", "windows/1", "board", "openapi.json"):
        ask(None, "GET", f"/{path}")
    ask("window", "POST", "/windows/1/open", {"staff": "li"})
    ask("window", "POST", "/windows/1/pause", {"reason": "午餐"})
    ask("window", "POST", "/windows/1/resume", {})
    ask("clerk", "POST", "/windows/1/call-next", {}, 204)
    first = visit(checked)
    ask("clerk", "POST", "/windows/1/call-next", {}, 409)
    for path in ("windows", "windows/1", "board"):
        ask("clerk", "GET", f"/{path}")
    ask("clerk", "POST", f"/tickets/{first}/recall", {}, 409)
    ask("clerk", "POST", f"/tickets/{first}/pass", {})
    ask("clerk", "GET", "/windows/1/waiting")
    ask(None, "POST", f"/tickets/{first}/rejoin", {})
    ask("clerk", "POST", "/windows/1/call", {"number": "A001"})
    for verb, body in (("start", {}), ("hold", {}), ("resume", {}), ("transfer", {"queue": "B"})):
        ask("clerk", "POST", f"/tickets/{first}/{verb}", body)
    ask("clerk", "POST", f"/tickets/{first}/cancel", {})
    ask(None, "GET", f"/tickets/{first}")
    ask("clerk", "GET", "/tickets?number=A001")
    second = visit(checked)
    ask("clerk", "POST", f"/tickets/{second}/finish", {"outcome": "done"})
    ask("clerk", "GET", "/windows/1")
    ask("screen", "POST", f"/tickets/{second}/rate", {"grade": 1, "channel": "evaluator"})
    third = visit(checked)
    pdf = b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n"
    kept = ask("window", "POST", f"/tickets/{third}/attachments", pdf, 201)["id"]
    ask("clerk", "GET", f"/tickets/{third}/attachments", status=403)  # nobody sits there by that name
    ask("manager", "GET", f"/tickets/{third}/attachments")
    assert ask("manager", "GET", f"/tickets/{third}/attachments/{kept}") == pdf
    ask("window", "DELETE", f"/tickets/{third}/attachments/{kept}", status=204)
    ask("clerk", "POST", f"/tickets/{third}/finish", {"outcome": "notice"})
    ask("screen", "POST", f"/tickets/{third}/skip-rating", {})
    claimed = ask("kiosk", "POST", "/tickets", {"service": "pension", "priority": "sick"}, 201)["id"]
    ask("clerk", "POST", f"/tickets/{claimed}/verify-priority", {"accept": True})
    job = ask("kiosk", "POST", f"/tickets/{claimed}/reprint", {"kiosk": "k1"})["job"]["id"]
    ask("kiosk", "GET", "/print-jobs?kiosk=k1")
    ask("kiosk", "POST", f"/print-jobs/{job}", {"state": "confirmed"})
    ask("kiosk", "POST", "/help", {"kiosk": "k1", "page": "home"})
    ask("clerk", "POST", "/help/answer", {"kiosk": "k1"})
    device = {"device": "d", "role": "evaluator", "state": "error", "reason": "r", "windows": [1]}
    ask("window", "POST", "/devices", {"machine": "w1", "devices": [device]})
    ask("manager", "POST", "/queues/B/close", {})
    ask("manager", "POST", "/queues/B/open", {})
    ask("window", "POST", "/windows/1/close", {})
    for path in ("devices", "alarms", "cases", "day", "events?after=0&wait=0"):
        ask("manager", "GET", f"/{path}")
    browser = house.logged_in("li")
    ask(None, "POST", "/sessions", {"login": "li", "password": "correct horse 42"})
    ask(None, "GET", "/sessions", caller=browser)
    ask(None, "DELETE", "/sessions", status=204, caller=browser)
    everything = {(m.upper(), p) for p, ms in checked.description["paths"].items() for m in ms}
    assert checked.seen == everything

"""What breaks the contract is refused in its place, in words, and never breaks the hall."""

import pytest


def refused(answer, status, code=None):
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["title"]
    assert problem["type"]
    if code:
        assert problem["code"] == code
    return problem


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"queue": 1}, "queue"),
        ({"queue": True}, "queue"),
        ({"queue": "A", "priorty": "elder"}, "priorty"),
        ({"queue": ""}, "queue"),
        ({"queue": "A" * 41}, "queue"),
        ({"queue": "A\x00"}, "queue"),
        ({"queue": "\ud800"}, "queue"),
        ({}, "queue"),
        ([], "body"),
    ],
)
def test_a_wrong_body_is_refused_in_its_place(house, body, place):
    problem = refused(house.caller("kiosk").post("/tickets", body), 422, "invalid")
    assert place in problem["detail"]
    assert house.caller().get("/queues").json["queues"][0]["waiting"] == 0


@pytest.mark.parametrize("raw", [b"{", b'{"queue": NaN}', b"\xff\xfe", b"[" * 30_000, b'{"queue": "A"} x'])
def test_what_is_no_json_is_400(house, raw):
    kiosk = house.caller("kiosk")
    answer = kiosk.http.post("/v1/tickets", data=raw, headers={"Authorization": f"Bearer {kiosk.token}"})
    refused(answer, 400, "malformed")


def test_a_large_body_is_413(house):
    kiosk = house.caller("kiosk")
    answer = kiosk.http.post("/v1/tickets", data=b" " * 70_000, headers={"Authorization": f"Bearer {kiosk.token}"})
    refused(answer, 413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("GET", "/windows/99", None, 404),
        ("GET", "/windows/-1", None, 404),
        ("GET", "/windows/x", None, 404),
        ("GET", "/windows/99999999999999999999", None, 404),
        ("GET", "/tickets/nothing", None, 404),
        ("PUT", "/tickets", {}, 405),
        ("GET", "/windows/1/call-next", None, 405),
        ("POST", "/tickets", {"queue": "Z"}, 404),
        ("POST", "/tickets", {"service": "none"}, 404),
        ("POST", "/windows/1/call", {"number": "A999"}, 404),
        ("POST", "/tickets/nothing/finish", {"outcome": "vanished"}, 422),
        ("POST", "/tickets/nothing/rate", {"grade": 6}, 422),
        ("GET", "/tickets", None, 422),
    ],
)
def test_every_refusal_is_a_problem(house, method, path, body, status):
    caller = house.caller("window" if "rate" in path else "clerk")
    answer = caller.ask(method, path, body)
    if status == 404 and answer.status_code == 422 and method == "POST":
        refused(answer, 422)  # a queue that does not exist is a wrong word in the body
    else:
        refused(answer, status)
    if status == 405:
        assert answer.headers["Allow"]


@pytest.mark.parametrize(
    ("header", "english"),
    [
        ("", False),
        ("zh-CN,zh;q=0.9", False),
        ("en", True),
        ("en-GB,en;q=0.8", True),
        ("zh;q=0.3, en;q=0.9", True),
        ("fr", False),
    ],
)
def test_refusals_speak_chinese_first(house, header, english):
    answer = house.caller().post("/tickets", {"queue": "A"}, Accept_Language=header)
    assert answer.json["detail"].isascii() is english
    domain = house.caller("kiosk").post("/tickets", {"queue": "Z"}, Accept_Language=header)
    assert domain.json["detail"].isascii() is english


def test_our_own_mistake_tells_nothing_but_a_reference(house, caplog):
    @house.app.get("/v1/broken")
    def broken():
        raise RuntimeError("secret detail")

    problem = refused(house.caller().get("/broken"), 500, "internal")
    assert "secret" not in problem["detail"]
    reference = next(
        word for word in caplog.text.split() if word.startswith("reference") or word.rstrip(":") in problem["detail"]
    )
    assert reference


def test_a_token_nobody_was_given(house):
    stranger = house.caller()
    answer = stranger.http.post("/v1/tickets", json={"queue": "A"}, headers={"Authorization": "Bearer nonsense"})
    refused(answer, 401, "not_signed_in")
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    answer = stranger.http.post("/v1/tickets", json={"queue": "A"}, headers={"Authorization": "Basic eDp5"})
    refused(answer, 401, "not_signed_in")


class HungUp:
    """The body of a caller who went away in the middle, as the server hands it out."""

    def read(self, size=-1):
        raise OSError("unexpected end of file while reading request at position 1")


def test_a_caller_who_hangs_up_in_the_middle_is_no_mistake_of_ours(house, caplog):
    kiosk = house.caller("kiosk")
    broken = {"wsgi.input": HungUp(), "CONTENT_LENGTH": "50"}
    headers = {"Authorization": f"Bearer {kiosk.token}"}
    refused(kiosk.http.post("/v1/tickets", headers=headers, environ_overrides=broken), 400, "bad_request")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert house.caller().get("/queues").json["queues"][0]["waiting"] == 0

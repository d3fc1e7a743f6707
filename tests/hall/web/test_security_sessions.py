"""Passwords, cookies, foreign pages and guessers: who is not meant to come in stays outside."""

import re
import sqlite3

import pytest

from hall_api.accounts import LONGEST, Accounts
from hall_api.tries import Tries

PASSWORD = "correct horse 42"


class Clock:
    def __init__(self):
        self.time = 1_800_000_000.0

    def __call__(self):
        return self.time


def everything_stored(house):
    path = house.store.engine.path
    with sqlite3.connect(path) as connection:
        return "\n".join(connection.iterdump())


def test_logging_in_and_out(house):
    browser = house.logged_in("li")
    session = browser.get("/sessions").json
    assert (session["login"], session["name"], session["role"], session["window"]) == ("li", "李丽", "clerk", 1)
    assert browser.post("/windows/1/open").json["clerk"]["name"] == "李丽"
    assert browser.ask("DELETE", "/sessions").status_code == 204
    assert browser.get("/sessions").status_code == 401
    assert browser.post("/windows/1/pause").status_code == 401


def test_the_cookie_is_out_of_reach(house):
    house.accounts.set_password("li", PASSWORD)
    answer = house.caller().post("/sessions", {"login": "li", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie
    assert answer.headers["Cache-Control"] == "no-store"


def test_behind_tls_cookies_only_travel_encrypted(house):
    from hall_api.web.app import create_app

    house.accounts.set_password("li", PASSWORD)
    app = create_app(house.hall, house.accounts, behind_tls=True)
    answer = app.test_client().post("/v1/sessions", json={"login": "li", "password": PASSWORD})
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers
    browser = app.test_client()
    for scheme, status in (("https", 200), ("http", 403)):
        answer = browser.post(
            "/v1/sessions",
            json={"login": "li", "password": PASSWORD},
            headers={"Host": "hall.example", "Origin": f"{scheme}://hall.example"},
        )
        assert answer.status_code == status
    app.extensions["hall"].feed.close()


@pytest.mark.parametrize(("login", "password"), [("li", "wrong"), ("nobody", PASSWORD), ("wang", PASSWORD)])
def test_wrong_person_or_password_look_the_same(house, login, password):
    house.accounts.set_password("li", PASSWORD)
    answer = house.caller().post("/sessions", {"login": login, "password": password})
    assert (answer.status_code, answer.json["code"]) == (401, "wrong_password")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
def test_a_change_by_cookie_needs_the_pages_token(house, token):
    browser = house.logged_in()
    browser.headers.clear()
    headers = {} if token is None else {"X-CSRF-Token": token.encode("utf-8").decode("latin-1")}
    browser.headers.update(headers)
    answer = browser.post("/windows/1/open")
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")
    assert house.caller().get("/windows/1").json["state"] == "closed"


def test_a_foreign_page_changes_nothing(house):
    browser = house.logged_in()
    answer = browser.post("/windows/1/open", Origin="http://evil.example")
    assert (answer.status_code, answer.json["code"]) == (403, "foreign_origin")
    for home in ("http://hall.test", "http://localhost"):
        assert browser.post("/windows/1/open", Origin=home).status_code == 200
        browser.post("/windows/1/close", Origin=home)


def test_a_foreign_page_logs_nobody_in(house):
    house.accounts.set_password("li", PASSWORD)
    answer = house.caller().post("/sessions", {"login": "li", "password": PASSWORD}, Origin="null")
    assert answer.json["code"] == "foreign_origin"


def test_a_stale_session_does_not_keep_one_from_logging_in(house):
    browser = house.logged_in()
    browser.headers.clear()
    again = browser.post("/sessions", {"login": "li", "password": PASSWORD})
    assert again.status_code == 200


def test_guessing_is_slowed_down_for_one_login(house):
    house.accounts.set_password("li", PASSWORD)
    caller = house.caller()
    codes = [caller.post("/sessions", {"login": "li", "password": f"guess {n}"}).status_code for n in range(6)]
    assert codes == [401] * 5 + [429]
    refused = caller.post("/sessions", {"login": "li", "password": PASSWORD})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Retry-After"] in refused.json["detail"]


def test_guessing_logins_is_slowed_down_for_one_address(house):
    caller = house.caller()
    codes = [caller.post("/sessions", {"login": f"n{n}", "password": "x"}).status_code for n in range(21)]
    assert codes == [401] * 20 + [429]


def test_a_limit_lets_go_after_its_time(house):
    clock = Clock()
    tries = Tries(house.store, now=clock)
    for _ in range(5):
        assert tries.begin("li", "10.0.0.5").wait == 0
        clock.time += 1
    assert tries.begin("li", "10.0.0.6").wait == 55
    assert tries.begin("wang", "10.0.0.5").wait == 0
    clock.time += 55
    assert tries.begin("li", "10.0.0.5").wait == 0
    one = tries.begin("li", "10.0.0.5")
    assert one.wait == 1
    tries.succeeded(one)
    assert tries.begin("li", "10.0.0.5").wait == 0


def test_a_clock_set_back_locks_nobody_out(house):
    clock = Clock()
    tries = Tries(house.store, now=clock)
    for _ in range(5):
        tries.begin("li", "10.0.0.5")
    clock.time -= 3600
    assert tries.begin("wang", "10.0.0.6").wait == 0
    assert tries.begin("li", "10.0.0.5").wait <= 60
    clock.time += 61
    assert tries.begin("li", "10.0.0.5").wait == 0


def test_a_whole_hall_logs_in_from_one_address(house):
    """Behind a proxy everybody has one address: only mistakes count against it."""
    tries = Tries(house.store)
    for n in range(30):
        one = tries.begin(f"clerk{n}", "10.0.0.1")
        assert one.wait == 0
        tries.succeeded(one)


def test_all_processes_of_a_hall_count_together(house, database):
    from hall_api.storage.store import open_store
    from hall_api.web.app import create_app

    house.accounts.set_password("li", PASSWORD)
    store = open_store(database)
    other = create_app(house.hall, Accounts(store, house.hall.plan))
    doors = (house.app.test_client(), other.test_client())
    codes = [
        doors[n % 2].post("/v1/sessions", json={"login": "li", "password": f"guess {n}"}).status_code for n in range(7)
    ]
    assert codes == [401] * 5 + [429] * 2
    other.extensions["hall"].feed.close()
    store.close()


def test_no_login_that_was_tried_is_stored(house):
    house.caller().post("/sessions", {"login": "my secret word", "password": "x"})
    assert "my secret word" not in everything_stored(house)


@pytest.mark.parametrize("hours", [2.1, 13])
def test_sessions_end_when_nobody_uses_them(house, hours):
    clock = Clock()
    accounts = Accounts(house.store, house.hall.plan, now=clock)
    accounts.set_password("li", PASSWORD)
    cookie, _ = accounts.open_session("li")
    assert Accounts(house.store, house.hall.plan, now=clock).of_session(cookie).login == "li"
    clock.time += hours * 3600
    assert Accounts(house.store, house.hall.plan, now=clock).of_session(cookie) is None


def test_a_session_in_use_lives_on_but_not_for_ever(house):
    clock = Clock()
    accounts = Accounts(house.store, house.hall.plan, now=clock)
    accounts.set_password("li", PASSWORD)
    cookie, _ = accounts.open_session("li")
    used_until = 0.0
    while Accounts(house.store, house.hall.plan, now=clock).of_session(cookie):
        used_until = clock.time - 1_800_000_000
        clock.time += 3600
    assert LONGEST - 3600 <= used_until <= LONGEST


def test_who_logs_out_is_out_at_every_process(house):
    accounts, other = house.accounts, Accounts(house.store, house.hall.plan)
    accounts.set_password("li", PASSWORD)
    cookie, _ = accounts.open_session("li")
    assert other.of_session(cookie) and accounts.of_session(cookie)
    accounts.close_session(cookie)
    assert other.of_session(cookie) is None and accounts.of_session(cookie) is None


def test_a_new_password_ends_old_sessions(house):
    browser = house.logged_in()
    house.accounts.set_password("li", "another horse 43")
    fresh = Accounts(house.store, house.hall.plan)
    cookie = browser.http.get_cookie("bianmin_session").value
    assert fresh.of_session(cookie) is None


def test_nothing_that_opens_a_door_is_stored(house):
    browser = house.logged_in()
    token = house.accounts.new_token("kiosk")
    cookie = browser.http.get_cookie("bianmin_session").value
    stored = everything_stored(house)
    for secret in (PASSWORD, token, cookie):
        assert secret not in stored
    assert re.search(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", stored)


def test_a_revoked_token_opens_nothing(house):
    kiosk = house.caller("kiosk")
    assert kiosk.post("/tickets", {"queue": "A"}).status_code == 201
    house.accounts.revoke(kiosk.token)
    assert kiosk.post("/tickets", {"queue": "A"}).status_code == 401


def test_there_is_no_token_for_an_unknown_role(house):
    with pytest.raises(ValueError, match="there is no role 'king'"):
        house.accounts.new_token("king")
    with pytest.raises(KeyError):
        house.accounts.set_password("nobody", PASSWORD)

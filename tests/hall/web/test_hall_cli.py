"""`bianmin hall`: its commands, and what they say when something is in the way."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def hall(*arguments, given=None):
    return subprocess.run(
        [sys.executable, "-P", "-m", "hall_api", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def fresh(tmp_path):
    return f"sqlite:///{tmp_path}/new.db"


def test_a_token_before_there_is_a_database(fresh):
    made = hall("token", "kiosk", "--db", fresh, "--name", "k1")
    assert made.returncode == 0, made.stderr
    assert len(made.stdout.strip()) >= 40


def test_an_unknown_role_is_refused(fresh):
    assert "is not one of" in hall("token", "king", "--db", fresh).stderr


def test_a_password_and_who_has_none(fresh):
    done = hall("check", "--db", fresh)
    assert done.returncode == 0, done.stderr
    login = done.stdout.partition("no password yet: ")[2].split(",")[0].split()[0]
    short = hall("password", login, "--db", fresh, given="short\n")
    assert (short.returncode, "at least 8" in short.stderr) == (1, True)
    assert hall("password", login, "--db", fresh, given="long enough 1\n").returncode == 0
    stranger = hall("password", "nobody", "--db", fresh, given="long enough 1\n")
    assert "knows no 'nobody'" in stranger.stderr
    assert login not in hall("check", "--db", fresh).stdout.partition("no password yet: ")[2].partition("(")[0].split(
        ", "
    )


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite:////nowhere/at/all/hall.db"])
def test_a_database_that_cannot_be(url):
    refused = hall("serve", "--db", url, "--port", "0")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ")
    assert "Traceback" not in refused.stderr


def test_a_port_in_use_is_one_sentence(fresh):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = hall("serve", "--db", fresh, "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "choose another --port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_plan_with_a_mistake_names_its_place(fresh, tmp_path):
    (tmp_path / "plan.toml").write_text('name = "x"\n[[queues]]\ncode = 7\nname = "q"\n')
    refused = hall("serve", "--db", fresh, "--plan", str(tmp_path / "plan.toml"), "--port", "0")
    assert refused.returncode == 1
    assert "queues" in refused.stderr
    assert "code" in refused.stderr


def ask(connection, method, path, body=None, token=""):
    """Nothing but the standard library: what any other program would do."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    raw = answer.read()
    return answer.status, json.loads(raw) if raw else None


def test_an_independent_program_lives_a_visit(serve):
    """The doors as the contract names them, tried by a client that knows only HTTP."""
    served = serve()
    kiosk, clerk = served.token("kiosk"), served.token("clerk")
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    status, queues = ask(connection, "GET", "/v1/queues")
    assert [q["code"] for q in queues["queues"]] == ["A", "B", "C", "D"]
    assert all({"name", "waiting", "wait_minutes", "open"} <= set(q) for q in queues["queues"])
    status, windows = ask(connection, "GET", "/v1/windows")
    assert [(w["no"], w["state"], w["ticket"]) for w in windows["windows"]] == [(n, "open", None) for n in (1, 2, 3)]
    status, ticket = ask(connection, "POST", "/v1/tickets", {"queue": "A", "priority": None}, kiosk)
    assert status == 201
    assert {"id", "number", "queue", "ahead", "wait_minutes", "url"} <= set(ticket)
    status, called = ask(connection, "POST", "/v1/windows/1/call-next", {"finish": None}, clerk)
    assert (status, called["id"]) == (200, ticket["id"])
    assert ask(connection, "POST", "/v1/windows/1/call-next", None, clerk)[0] == 409
    assert ask(connection, "POST", "/v1/windows/1/call-next", {"finish": "done"}, clerk) == (204, None)
    status, problem = ask(connection, "POST", "/v1/tickets", {"queue": "A"})
    assert (status, problem["status"]) == (401, 401)
    assert ask(connection, "GET", "/v1/healthz")[1]["status"] == "ok"


def test_windows_closed_by_people_stay_closed_at_the_next_start(serve):
    served = serve()
    clerk = served.token("clerk")
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    assert ask(connection, "POST", "/v1/windows/2/close", {}, clerk)[0] == 200
    served.stop()
    again = serve()
    connection = http.client.HTTPConnection("127.0.0.1", again.port, timeout=10)
    states = [w["state"] for w in ask(connection, "GET", "/v1/windows")[1]["windows"]]
    assert states == ["open", "closed", "open"]


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told(serve, processes, how):
    served = serve("--processes", processes)
    with socket.create_connection(("127.0.0.1", served.port)) as feed:
        token = served.token("screen")
        feed.sendall(f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        assert feed.recv(100)
        served.process.send_signal(how)
        assert served.process.wait(timeout=8) == 0


def test_the_children_end_with_their_parent(serve, eventually):
    served = serve("--processes", "2")
    children = served.children()
    assert len(children) == 2
    served.kill()
    eventually(lambda: not any(Path(f"/proc/{child}").exists() for child in children))


def test_a_dead_child_is_started_again(serve, eventually):
    served = serve("--processes", "2")
    before = set(served.children())
    os.kill(before.pop(), signal.SIGKILL)
    eventually(lambda: len(served.children()) == 2 and set(served.children()) != before)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    assert ask(connection, "GET", "/v1/healthz")[0] == 200

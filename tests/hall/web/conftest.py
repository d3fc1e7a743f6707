"""A hall behind its doors: in this process through Flask's own client, or served as a process one can kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import waiting

from config.plan import Category, HallPlan, Queue, Service, Staff, Window
from hall_api.accounts import Accounts
from hall_api.hall import Hall
from hall_api.storage.store import open_store
from hall_api.vault import vault_beside
from hall_api.web.app import create_app

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "correct horse 42"
PLAN = HallPlan(
    name="测试大厅",
    english="Test hall",
    categories=(Category(code="social", name="社会保险", english="Social insurance", icon="umbrella"),),
    services=(Service(code="pension", name="养老", english="Pension", category="social", queue="A"),),
    queues=(
        Queue(code="A", name="综合", english="General", zone="A区"),
        Queue(code="B", name="社保", english="Social"),
    ),
    windows=(Window(no=1, name="综合窗口"), Window(no=2, name="社保窗口", queues=("B",))),
    staff=(
        Staff(login="li", work_no="001", name="李丽", window=1, duties="综合"),
        Staff(login="wang", work_no="002", name="王强", role="manager"),
        Staff(login="zhao", work_no="003", name="赵工", role="technician"),
    ),
)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """Tables made once; each test takes a copy."""
    path = tmp_path_factory.mktemp("template") / "hall.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def database(empty_database, tmp_path):
    path = tmp_path / "hall.db"
    shutil.copy(empty_database, path)
    return f"sqlite:///{path}"


@dataclass
class Caller:
    """Flask's client with a token, speaking JSON."""

    app: object
    token: str = ""
    headers: dict = field(default_factory=dict)

    def __post_init__(self):
        self.http = self.app.test_client()

    def ask(self, method, path, body=None, **headers):
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, bytes):
            return self.http.open(f"/v1{path}", method=method, data=body, headers=sent, content_type="application/pdf")
        return self.http.open(f"/v1{path}", method=method, json=body, headers=sent)

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.ask("POST", path, {} if body is None else body, **headers)


class House:
    """A whole hall in this process."""

    def __init__(self, database, **options):
        self.store = open_store(database)
        self.hall = Hall(PLAN, self.store, public_url="http://hall.test", vault=vault_beside(database))
        self.accounts = Accounts(self.store, PLAN)
        self.app = create_app(self.hall, self.accounts, public_url="http://hall.test", **options)
        self.front = self.app.extensions["hall"]

    def caller(self, role=None, **headers):
        return Caller(self.app, self.accounts.new_token(role, f"a {role}") if role else "", headers)

    def logged_in(self, login="li"):
        """A browser with a session: its client carries the cookie and the CSRF header."""
        self.accounts.set_password(login, PASSWORD)
        browser = self.caller()
        answer = browser.post("/sessions", {"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        browser.headers["X-CSRF-Token"] = answer.json["csrf"]
        return browser

    def open_window(self, no=1):
        assert self.caller("window").post(f"/windows/{no}/open", {"staff": "li"}).status_code == 200

    def close(self):
        self.front.feed.close()
        self.hall.close()


@pytest.fixture
def house(database):
    house = House(database)
    yield house
    house.close()


class Served:
    """`hall serve` as a process of its own: the whole stack, real sockets, and it can be killed."""

    def __init__(self, database, *options):
        self.database, self.options, self.port = database, options, 0
        self.process = None

    def start(self):
        command = [sys.executable, "-P", "-m", "hall_api", "serve", "--db", self.database]
        command += ["--port", str(self.port), *self.options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        assert line.startswith("ready http://"), f"the hall did not start: {line!r}"
        self.url = line.split()[1]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def token(self, role, *options):
        command = [sys.executable, "-P", "-m", "hall_api", "token", role, "--db", self.database, *options]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def children(self):
        """Process ids of those that answer, when there are several."""
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(word) for word in text.split()]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=15)
        if self.process:
            self.process.stdout.close()


@pytest.fixture
def serve(database):
    """Starts halls that are stopped at the end of the test."""
    started = []

    def start(*options):
        started.append(Served(database, *options))
        return started[-1].start()

    yield start
    for served in started:
        served.stop()


@pytest.fixture
def eventually():
    """Polls until something is true; fails with what it last saw."""

    return waiting.until


@pytest.fixture
def sse():
    """Reads Server-Sent Events out of bytes."""

    def read(raw):
        found = []
        for block in raw.decode().split("\n\n"):
            lines = dict(
                line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":")
            )
            if "data" in lines:
                event = json.loads(lines["data"])
                assert int(lines["id"]) == event["seq"]
                found.append(event)
        return found

    return read

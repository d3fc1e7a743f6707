"""A real hall on a free port, and a real chromium in front of its pages."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import waiting

from hall_api.accounts import Accounts
from hall_api.storage.store import open_store

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))
from hall_for_browsers import LARGE, PLAN  # noqa: E402  (the program and its tests share their plans)

PASSWORD = "correct horse 42"
LOUD = "--autoplay-policy=no-user-gesture-required"  # as a display's launcher starts its browser


@pytest.fixture
def eventually():
    """Polls until something is true; fails with what it last saw."""

    return waiting.until


class Hall:
    """A hall as a process of its own, with tokens to order things as a window machine does."""

    def __init__(self, folder, plan=PLAN):
        self.folder, self.plan, self.process, self.port = folder, plan, None, 0
        self.database = f"sqlite:///{folder / 'hall.db'}"
        store = open_store(self.database)
        accounts = Accounts(store, plan)
        for person in plan.staff:
            accounts.set_password(person.login, PASSWORD)
        self.window_token = accounts.new_token("window", "a hall of one machine")
        self.screen_token = accounts.new_token("screen", "board-1")
        self.kiosk_token = accounts.new_token("kiosk", "k1")
        self.manager_token = accounts.new_token("manager", "a manager's program")
        store.close()

    def start(self):
        program = Path(__file__).parent / "hall_for_browsers.py"
        command = [sys.executable, "-P", str(program), self.database, str(self.port), str(self.folder / "voice")]
        command += ["large"] if self.plan is LARGE else []
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ready http://"), f"the hall did not start: {line!r}"
        self.url = line.split()[1]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def freeze(self):
        """As if the cable were pulled: nobody answers, and nobody says so."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()

    def ask(self, path, body=None, token=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token or self.window_token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/v1{path}", data, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def issue(self, queue="A", **more):
        return self.ask("/tickets", {"queue": queue, **more})

    def open_window(self, no=3, staff="li"):
        return self.ask(f"/windows/{no}/open", {"staff": staff})

    def window(self, no=3):
        return self.ask(f"/windows/{no}")

    def call_next(self, no=3, finish=None):
        return self.ask(f"/windows/{no}/call-next", {"finish": finish})

    def finish(self, ticket, outcome="done"):
        return self.ask(f"/tickets/{ticket['id']}/finish", {"outcome": outcome})

    def events(self, kind):
        lines = self.ask("/events?after=0&limit=500&wait=0", token=self.manager_token)["events"]
        return [line for line in lines if line["type"] == kind]


@pytest.fixture
def hall(tmp_path):
    hall = Hall(tmp_path).start()
    yield hall
    hall.stop()


@pytest.fixture
def large_hall(tmp_path):
    """14 windows, 8 queues, long names; nobody is there yet."""
    hall = Hall(tmp_path, LARGE).start()
    yield hall
    hall.stop()


@pytest.fixture(scope="session")
def chromium(chromium_with):
    browser = chromium_with(LOUD)
    yield browser
    browser.close()


@pytest.fixture
def shy_chromium(chromium_with):
    """A browser as anybody opens it: no page sounds before it was pressed."""
    browser = chromium_with()
    yield browser
    browser.close()


@pytest.fixture
def complaints():
    """What browsers complained of: refused scripts and styles, errors in our modules."""
    return []


@pytest.fixture
def visit(chromium, request, complaints):
    """Opens a page in a browser of its own: as `clerk` (login), as an enrolled `screen`, or as anybody."""
    contexts = []
    hall = request.getfixturevalue("large_hall" if "large_hall" in request.fixturenames else "hall")

    def open_page(path, size=(1366, 768), clerk=None, screen=False, context=None, **options):
        if context is None:
            width, height = size
            context = chromium.new_context(viewport={"width": width, "height": height}, **options)
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{path}: {error}"))
        page.on("console", lambda message: complaints.append(f"{path}: {message.text}") if alarming(message) else None)
        if screen:
            page.goto(f"{hall.url}/enrol?token={hall.screen_token}&to={path}")
        elif clerk:
            page.goto(f"{hall.url}/login?next={path}")
            page.fill("#login", clerk)
            page.fill("#password", PASSWORD)
            page.click("#enter")
            page.wait_for_url(f"{hall.url}{path}")
        else:
            page.goto(f"{hall.url}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def alarming(message):
    """A lost connection is expected where a test cuts it; anything else a browser prints in red is ours."""
    return message.type == "error" and "Failed to load resource" not in message.text


@pytest.fixture
def picture():
    """Keeps a picture for the README when BIANMIN_SHOTS names a folder."""
    folder = os.environ.get("BIANMIN_SHOTS")

    def take(page, name):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(folder) / f"{name}.png"))

    return take

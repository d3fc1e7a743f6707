"""`bianmin demo` and `bianmin run` as one starts them: what they print is there, and when they end nothing is left."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import psutil
import pytest

from kiosk.demo_hall import free_port

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "tickets", "calls", "recalls", "passed", "finished", "ratings", "wait_minutes", "hops", "lost", "duplicated",
    "kills", "whole",
}  # fmt: skip


class Started:
    """A command of ours with what it prints, line by line; everything below it ends with the test."""

    def __init__(self, *arguments, **environment):
        self.began = time.monotonic()
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kiosk", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.family = {self.process.pid: psutil.Process(self.process.pid)}

    def until(self, words):
        """Read on until a line has these words; the lines so far."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self.note_family()
            if words in line:
                return self.lines
        raise AssertionError(f"it ended without saying {words!r}:\n" + "\n".join(self.lines))

    def note_family(self):
        for one in psutil.Process(self.process.pid).children(recursive=True):
            self.family[one.pid] = one

    def addresses(self):
        return [line.strip() for line in self.lines if re.fullmatch(r"\s+http://\S+", line)]

    def interrupt(self):
        self.note_family()
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=30)
        self.lines += rest.splitlines()

    def left(self):
        """Processes of its tree that still live; the same process, not another with its number."""
        return [one for one in self.family.values() if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    def close(self):
        self.note_family() if self.process.poll() is None else None
        for one in self.left():
            one.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def start():
    started = []

    def begin(*arguments, **environment):
        started.append(Started(*arguments, **environment))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def status(address):
    """Of a page, as a browser gets it: with a jar for the enrolment's cookie."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with opener.open(address, timeout=10) as answer:
        return answer.status, answer.url, answer.read().decode()


def test_two_demos_at_once_answer_at_all_their_addresses_and_leave_nobody_behind(start):
    first, second = start("demo", "--headless"), start("demo", "--headless")
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        pages = []
        for demo in (first, second):
            demo.until("Ctrl-C ends everything")
            pages.append(demo.addresses())
            assert len(pages[-1]) == 9, "\n".join(demo.lines)
            for address in pages[-1]:
                code, at, text = status(address)
                assert (code, len(text) > 200) == (200, True), address
                assert "/login" not in at or "/desk" in address or "/manager" in address, f"{address} asks for a login"
        assert not set(pages[0]) & set(pages[1])
        first.interrupt()
        assert first.process.returncode == 0, "\n".join(first.lines)
        assert first.left() == []
        assert status(pages[1][0])[0] == 200, "the other demo goes on"
        second.interrupt()
        assert second.left() == []
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_demo_stopped_before_it_stands_leaves_nothing(start):
    demo = start("demo", "--headless")
    demo.until("the hall answers after")  # the kiosk's and the windows' programs are still on their way
    demo.interrupt()
    assert demo.left() == []


def test_a_fast_day_loses_and_doubles_nothing_though_the_hall_is_killed_fifteen_times(start, tmp_path):
    report = tmp_path / "day.json"
    how = ("--day", "24", "--speed", "600", "--kill", "15", "--seed", "3", "--json", str(report))
    demo = start("demo", "--headless", *how)
    rest, _ = demo.process.communicate(timeout=110)
    assert demo.process.returncode == 0, rest
    day = json.loads(report.read_text())
    assert set(day) >= KEYS
    assert (day["lost"], day["duplicated"], day["whole"], day["trouble"]) == (0, 0, True, "")
    assert day["kills"] >= 10, "on a slow machine the day may be over before the last"
    assert (day["citizens"], day["tickets"], day["slips"]) == (24, 24, 24)
    assert day["finished"] + day["passed"] - day["rejoined"] == 24
    assert sum(day["ratings"].values()) == day["hall_figures"]["rated"] == day["hops"]["rating_to_stored"]["n"]
    assert day["calls"] == day["hall_figures"]["called"] == 24 + day["rejoined"]


def test_a_day_that_is_stopped_is_not_whole(start, tmp_path):
    report = tmp_path / "day.json"
    demo = start("demo", "--headless", "--day", "50", "--speed", "60", "--json", str(report))
    demo.until("times as fast as life")
    demo.interrupt()
    assert demo.process.returncode == 1
    assert json.loads(report.read_text())["whole"] is False
    assert demo.left() == []


# ---- bianmin run ---------------------------------------------------------------------------------------------------


@pytest.fixture
def display():
    """A screen of our own for the kiosk's window."""
    read, write = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1080x1920x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as answer:
        yield f":{answer.readline().strip()}"
    screen.kill()
    screen.wait()


def village(folder):
    """The example of docs/examples on this machine's own ports, its cables inside the program (sim:)."""
    text = (ROOT / "docs" / "examples" / "village.toml").read_text(encoding="utf-8")
    for old, new in (
        (r'link = "serial://[^"]*"', 'link = "sim:"'),
        (r'state = "[^"]*"', 'state = "state"'),
        (r'host = "0.0.0.0"', f'host = "127.0.0.1"\nport = {free_port()}'),
    ):
        assert re.search(old, text), f"the example no longer says {old}"
        text = re.sub(old, new, text)
    file = folder / "hall.toml"
    file.write_text(f"{text}\n[gateway]\nport = {free_port()}\n", encoding="utf-8")
    return file


def test_the_village_example_runs_end_to_end_with_tokens_it_made_itself(start, display, tmp_path, soon):
    from config import machine as machines
    from hall_api.accounts import Accounts
    from hall_api.client import HallAway, HallClient
    from hall_api.storage.store import open_store

    machine = machines.load(village(tmp_path))
    running = start("run", str(tmp_path / "hall.toml"), DISPLAY=display, LIBGL_ALWAYS_SOFTWARE="1")
    running.until("kiosk is running")
    files = [machine.token_file(role) for role in ("kiosk", "window")]
    soon(lambda: all(file.exists() for file in files), 30)
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    kiosk, window = (HallClient(machine.hall_url, machines.secret(file)) for file in files)

    def answers():
        try:
            return kiosk.healthy()
        except HallAway:
            return None

    soon(answers, 30)
    window.at_window(1, "open")
    ticket = kiosk.issue(queue=kiosk.queues()[0]["code"], kiosk=machine.about.name)
    soon(lambda: kiosk.ticket(ticket["id"])["job"]["state"] == "confirmed", 60)
    assert ticket["url"].startswith("http://192.168.1.10:8000/t/"), "the address citizens' phones reach"
    assert window.call_next(1)["id"] == ticket["id"]
    store = open_store(machine.database)
    technician = HallClient(machine.hall_url, Accounts(store, machine.plan).new_token("technician", "a test"))
    store.close()
    soon(lambda: {d["device"]: d["state"] for d in technician.get("/devices")["devices"]} == {
        "printer": "ready", "bus": "degraded",
    }, 20)  # fmt: skip
    running.interrupt()
    assert running.process.returncode == 0, "\n".join(running.lines)
    assert running.left() == []


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path):
    from click import ClickException

    from kiosk.demo import own_folder

    (tmp_path / "var").write_text("a file where the folder should be")
    with pytest.raises(ClickException) as told, own_folder(tmp_path / "var"):
        pass
    assert "copy Bianmin to a folder of your own" in told.value.message

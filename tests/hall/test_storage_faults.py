"""Power cuts, full disks, several processes on one file: what was answered is there, nothing is there twice."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hall_api.domain.orders import Actor, CallNext, Issue, OpenWindow
from hall_api.domain.refusal import Refusal
from hall_api.storage.sqlite import SqliteEngine

ROOT = Path(__file__).resolve().parents[2]
KIOSK = Actor(role="kiosk", name="k1")
CLERK = Actor(role="clerk", name="wang")
ISSUER = """
import sys, threading
from hall_api.default_plan import DEFAULT_PLAN
from hall_api.domain.orders import Actor, Issue
from hall_api.hall import Hall
from hall_api.storage import open_store

hall = Hall(DEFAULT_PLAN, open_store(sys.argv[1]))
many = int(sys.argv[2])

def issue():
    for _ in range(many):
        number = hall.obey(Issue(queue="A"), Actor(role="kiosk", name="k1"))["number"]
        sys.stdout.write(number + "\\n")
        sys.stdout.flush()

threads = [threading.Thread(target=issue) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
hall.close()
"""


def issuer(url, many):
    return subprocess.Popen([sys.executable, "-c", ISSUER, url, str(many)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_killed_at_any_moment_no_answered_number_is_lost_or_twice(url, open_hall):
    """kill -9 in the middle of writing, six times: each acknowledged number is stored, and none comes again."""
    answered = []
    for after in (1, 7, 2, 40, 3, 15):
        process = issuer(url, 100_000)
        for _ in range(after):
            answered.append(process.stdout.readline().strip())
        process.send_signal(signal.SIGKILL)
        rest = process.communicate(timeout=30)[0].split("\n")
        answered += rest[:-1]  # what stands behind the last line's end was cut off
    assert len(answered) >= 68
    assert len(set(answered)) == len(answered)
    hall = open_hall(url)
    stored = [line.as_json()["data"]["number"] for line in hall.events(0, 100_000)]
    assert set(answered) <= set(stored)
    assert stored == [f"A{n:03d}" for n in range(1, len(stored) + 1)]


def test_several_processes_on_one_database(url, open_hall):
    processes = [issuer(url, 60) for _ in range(2)]
    numbers = [n for p in processes for n in p.communicate(timeout=60)[0].split()]
    assert [p.returncode for p in processes] == [0, 0]
    assert sorted(numbers, key=lambda n: int(n[1:])) == [f"A{n:03d}" for n in range(1, 481)]
    assert open_hall(url).last_seq() == 480


def test_a_killed_holder_of_the_turn_frees_it(sqlite_url, open_hall):
    hold = (
        "import sys\nfrom hall_api.storage.sqlite import SqliteEngine\n"
        "with SqliteEngine(sys.argv[1]).turn():\n    print('mine', flush=True)\n    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, sqlite_url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert holder.stdout.readline() == "mine\n"
    import threading

    hall, answers = open_hall(sqlite_url), []
    asker = threading.Thread(target=lambda: answers.append(hall.obey(Issue(queue="A"), KIOSK)))
    asker.start()
    asker.join(0.2)
    assert asker.is_alive(), "somebody else has the turn"
    holder.kill()
    holder.wait()
    asker.join(10)
    assert answers[0]["number"] == "A001"


class FullDisk:
    """A disk of a few hundred kilobytes: a tmpfs where we may mount one, else SQLite's own limit on its file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounted = False
        if shutil.which("mount") and os.geteuid() == 0:
            mount = ["mount", "-t", "tmpfs", "-o", "size=640k", "tmpfs", str(folder)]
            self.mounted = subprocess.run(mount, capture_output=True).returncode == 0
        self._ballast = folder / "ballast"

    def fill(self, hall) -> None:
        if not self.mounted:
            hall._store.write(lambda unit: unit.connection.raw.execute("PRAGMA max_page_count=1"))
            return
        with self._ballast.open("wb", buffering=0) as file:
            for size in (4096, 1):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def empty(self, hall) -> None:
        if self.mounted:
            self._ballast.unlink()
        else:
            hall._store.write(lambda unit: unit.connection.raw.execute("PRAGMA max_page_count=1073741823"))

    def close(self, *options: str) -> None:
        if self.mounted:
            self.mounted = False
            subprocess.run(["umount", *options, str(self.folder)], check=True)


def test_a_full_disk_is_said_clearly_and_forgiven(sqlite_template, tmp_path, open_hall):
    folder = tmp_path / "small"
    folder.mkdir()
    disk = FullDisk(folder)
    try:
        shutil.copy(sqlite_template, folder / "hall.db")
        hall = open_hall(f"sqlite:///{folder}/hall.db")
        hall.obey(OpenWindow(window=1), CLERK)
        before = hall.obey(Issue(queue="A"), KIOSK)["number"]
        disk.fill(hall)
        answered = []
        with pytest.raises(Refusal) as said:
            for _ in range(2000):
                answered.append(hall.obey(Issue(queue="A"), KIOSK)["number"])
        assert (said.value.code, str(said.value.kind)) == ("disk_full", "unavailable")
        stored = 1 + len(answered)
        assert hall.queues()["queues"][0]["waiting"] == stored, "reading goes on"
        with pytest.raises(Refusal, match="disk_full"):
            hall.obey(Issue(queue="A"), KIOSK, "tried while full")
        disk.empty(hall)
        after = hall.obey(Issue(queue="A"), KIOSK, "tried while full")["number"]
        assert (before, after) == ("A001", f"A{stored + 1:03d}")
        assert hall.obey(CallNext(window=1), CLERK)["number"] == "A001"
        told = hall.events(0, 10_000)
        assert [line.seq for line in told] == list(range(1, stored + 4))
        hall.close()
        check = sqlite3.connect(folder / "hall.db")
        assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert check.execute("SELECT count(*) FROM tickets").fetchall() == [(stored + 1,)]
        check.close()
        disk.close()  # refuses while the hall still holds a file open
    finally:
        disk.close("--lazy")


def test_every_commit_reaches_the_disk(sqlite_url):
    connection = SqliteEngine(sqlite_url).connect()
    settings = {
        name: connection.raw.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    connection.close()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_database_that_is_no_hall_is_said_so(tmp_path):
    from hall_api.sentences import say
    from hall_api.storage import open_store

    (tmp_path / "hall.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(Refusal) as said:
        open_store(f"sqlite:///{tmp_path}/hall.db")
    assert "not a database" in say(said.value, "en")
    with pytest.raises(ValueError, match="mysql"):
        open_store("mysql://here/hall")

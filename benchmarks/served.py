"""Starts what is measured as a process of its own: the hall, or a bare server beside which it is measured."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
CORES = sorted(os.sched_getaffinity(0))
FIRST, LAST = CORES[:1], CORES[-1:]  # the hall on the first core, who asks it on the last


def on(cores: list[int]) -> Callable[[], None]:
    """For `preexec_fn`: only these cores."""
    return lambda: os.sched_setaffinity(0, cores)


class Server:
    """A server process that has said `ready`."""

    def __init__(self, *command: str, one_core: bool = True) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", *command],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=on(FIRST) if one_core else None,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"the server did not start: {line!r}")
        self.port = int(line.strip().rpartition(":")[2])

    def memory(self) -> float:
        """Resident memory of the process, MB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    def ask(self, **job: Any) -> dict[str, Any]:
        """Let the load generator ask; what it saw."""
        done = subprocess.run(
            [sys.executable, "-P", "benchmarks/load.py"],
            cwd=ROOT,
            input=json.dumps({"clients": 8, "port": self.port, **job}),
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=on(LAST),
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()


class HallServer(Server):
    """`hall serve` over a database in a folder."""

    def __init__(self, folder: Path, *options: str, one_core: bool = True, with_empty: bool = False) -> None:
        self.path = folder / "hall.db"
        self.database = f"sqlite:///{self.path}"
        command = ["-m", "hall_api", "serve", "--db", self.database, "--port", "0", *options]
        if with_empty:
            command = ["-m", "benchmarks.with_empty", self.database]
        super().__init__(*command, one_core=one_core)

    def token(self, role: str) -> str:
        """A new token."""
        return make_token(self.database, role)

    def count(self, sql: str) -> int:
        """One number from the database."""
        with sqlite3.connect(self.path) as connection:
            return int(connection.execute(sql).fetchone()[0])


def make_token(database: str, role: str) -> str:
    """A new token in a database."""
    command = [sys.executable, "-P", "-m", "hall_api", "token", role, "--db", database]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on the disk the commits are measured on, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bianmin-bench-") as name:
        yield Path(name)


@contextmanager
def hall(where: Path, *options: str, one_core: bool = True, with_empty: bool = False) -> Iterator[HallServer]:
    """A hall that is stopped afterwards; `with_empty`: with a route /empty that does nothing."""
    server = HallServer(where, *options, one_core=one_core, with_empty=with_empty)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def bare() -> Iterator[Server]:
    """Nothing but an empty Flask route, on the kind of server the hall runs on."""
    server = Server("-m", "benchmarks.bare")
    try:
        yield server
    finally:
        server.stop()


def commits(where: Path, count: int = 2000) -> list[float]:
    """Times of raw durable commits of one row by SQLite in the hall's own mode, sorted, ms."""
    connection = sqlite3.connect(where / "raw.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS line (seq INTEGER PRIMARY KEY, text TEXT)")
    times = []
    for _ in range(count):
        started = time.perf_counter()
        connection.execute("INSERT INTO line (text) VALUES (?)", ("x" * 200,))
        times.append((time.perf_counter() - started) * 1e3)
    connection.close()
    return sorted(times)

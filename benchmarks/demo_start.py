"""How soon a demo that has been started before shows its first page: from the command to the hall board's 200."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from benchmarks.row import Row
from kiosk.demo_hall import free_port

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
AIM = 5.0


def start() -> float:
    """Seconds from `./bianmin demo` to the board."""
    port = free_port(8970)
    began = time.monotonic()
    demo = subprocess.Popen(
        [str(ROOT / "bianmin"), "demo", "--headless", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/board", timeout=1) as answer:
                    answer.read()
                return time.monotonic() - began
            except (urllib.error.URLError, OSError):
                if time.monotonic() - began > 60 or demo.poll() is not None:
                    raise
                time.sleep(0.01)
    finally:
        os.kill(demo.pid, signal.SIGINT)
        demo.wait(timeout=30)


def bare() -> float:
    """Seconds of a Python of ours that imports the web library and does nothing."""
    began = time.monotonic()
    subprocess.run([str(ROOT / ".venv/bin/python"), "-c", "import flask, gevent, sqlalchemy"], check=True)
    return time.monotonic() - began


def rows() -> Iterable[Row]:
    """One row."""
    start()  # the first start prepares what the second finds
    ours = statistics.median(start() for _ in range(ROUNDS))
    yield Row(
        what="demo: second start to the first page",
        ours=ours,
        unit="s",
        limit=statistics.median(bare() for _ in range(ROUNDS)),
        of="s to import its libraries",
        aim=f"< {AIM:g} s",
        met=ours < AIM,
        note=f"median of {ROUNDS}",
    )

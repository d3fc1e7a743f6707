"""Measures what a driver's grade wants (`devices.quality`) and writes it into `devices/grades.toml`.

Only drivers whose file has changed since their record was made are measured; to measure all, delete the file first.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.devices_feed import AMOUNT, PIECE, options_of, record, speed
from benchmarks.fuzz import fuzz
from benchmarks.row import Row
from devices import drivers, quality
from devices.gateway.faces import ADVICE
from devices.gateway.trials import TRIALS
from devices.quality import Record
from devices.roles import Trouble

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "devices"
ROUNDS = 3
_VECTOR = re.compile(r"""(?:fromhex\(|b"\\x|b'\\x|"[0-9A-Fa-f]{2}(?: ?[0-9A-Fa-f]{2}){3,}"|b"[A-Z0-9<]{28,}")""")


def stale(records: dict[str, Record]) -> list[str]:
    """Drivers that have changed since they were measured, or never were."""
    return [
        name
        for name in drivers.names()
        if name not in records or records[name].hash != quality.hash_of(drivers.load(name))
    ]


def measure(name: str, branches: float) -> Record:
    """Everything about one driver but its branches, which are measured for all at once."""
    module = drivers.load(name)
    fuzzed = fuzz(name, quality.FUZZED)
    return Record(
        hash=quality.hash_of(module),
        fuzzed=fuzzed.fed,
        growth=fuzzed.growth,
        speed=round(megabytes_a_second(name), 1),
        branches=round(branches, 1),
        vectors=vectors(name),
        tried=tried(name),
        advised=advised(name),
    )


def megabytes_a_second(name: str) -> float:
    """How fast it takes its device's own frames; a device that never speaks gives noise."""
    module = drivers.load(name)
    frames = record(name) or os.urandom(PIECE)
    stream = frames * (AMOUNT // len(frames) + 1)
    pieces = [stream[i : i + PIECE] for i in range(0, len(stream), PIECE)]
    figures = []
    for _ in range(ROUNDS):
        driver = module.Driver(options_of(name, module))
        driver.reset()
        figures.append(speed(pieces, driver.feed))
    return statistics.median(figures)


def vectors(name: str) -> int:
    """How many times bytes stand written out in the driver's own test."""
    file = TESTS / f"test_{name.replace('-', '_')}.py"
    return len(_VECTOR.findall(file.read_text(encoding="utf-8"))) if file.exists() else 0


def tried(name: str) -> bool:
    """True when the technician's page has a test for each role, or the role takes no orders: then one looks on."""
    with_test = {trial.role for trial in TRIALS}
    return all(role.name in with_test or not role.orders for role in drivers.load(name).Driver.roles)


def advised(name: str) -> bool:
    """True when the technician's page has advice for each trouble of its roles."""
    driver = drivers.load(name).Driver
    troubles = {n.__name__ for role in driver.roles for n in role.news if issubclass(n, Trouble)}
    return troubles | {"LinkDown", "Silent", "Garbled", "Exchanged"} <= set(ADVICE)


def branches(names: Iterable[str]) -> dict[str, float]:
    """Percent of each driver's branches that its own tests and the exam run."""
    files = {name: f"devices/drivers/{name.replace('-', '_')}.py" for name in names}
    own = [TESTS / f"test_{name.replace('-', '_')}.py" for name in files]
    chosen = [str(file) for file in (*own, TESTS / "test_led_strips.py", TESTS / "test_exam.py") if file.exists()]
    words = " or ".join((*files, *(file.stem for file in own), "test_led_strips"))
    with tempfile.TemporaryDirectory() as folder:
        data, report = f"--data-file={folder}/data", f"{folder}/report.json"
        run = ["run", "--branch", data, "--include=devices/drivers/*", "-m", "pytest", "-q", "-x", "-k", words]
        for command in ([*run, *chosen], ["json", data, "-o", report, "-q"]):
            done = subprocess.run(
                [sys.executable, "-m", "coverage", *command], cwd=ROOT, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(f"coverage {command[0]} failed: {(done.stdout + done.stderr)[-600:]}")
        found = json.loads(Path(report).read_text())["files"]
    return {name: _branches(found[file]["summary"]) for name, file in files.items() if file in found}


def _branches(summary: dict[str, float]) -> float:
    most = summary["num_branches"]
    return 100.0 * summary["covered_branches"] / most if most else summary["percent_covered"]


def rows() -> Iterable[Row]:
    """One row a driver: its branches, and in words the rest. Writes the records."""
    records = {name: one for name, one in quality.read().items() if name in drivers.names()}
    old = stale(records)
    covered = branches(old) if old else {}
    for name in old:
        records[name] = measure(name, covered.get(name, 0.0))
        quality.write(records)
    for name in drivers.names():
        one, grade = records[name], quality.grade(name, records)
        told = dataclasses.asdict(one)
        del told["hash"], told["branches"]
        yield Row(
            what=f"driver grade: {name}: {grade.grade}",
            ours=one.branches,
            unit="% of branches",
            aim=f"≥ {quality.BRANCHES:g} % for platinum",
            met=None,
            note="; ".join([*(f"{key} {value}" for key, value in told.items()), *grade.lacks_for_next]),
        )

"""Grades are earned: what is recorded is of the file as it is, what can be checked here is, and nothing is promised."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.devices_quality import advised, tried, vectors
from benchmarks.fuzz import fuzz
from devices import drivers, quality, support
from devices.quality import GRADES, Record

ROOT = Path(__file__).resolve().parents[2]
RECORDS = quality.read()
SHORT = 200_000  # bytes; the ten million are the bench's
GOOD = Record(hash="", fuzzed=10_000_000, growth=0, speed=9.0, branches=96.0, vectors=12, tried=True, advised=True)


def recorded(name: str, **worse: object) -> dict[str, Record]:
    """A record of the driver as it is now, good but for what is given."""
    return {name: dataclasses.replace(GOOD, hash=quality.hash_of(drivers.load(name)), **worse)}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", drivers.names())
def test_a_driver_never_raises_and_never_grows_whatever_it_is_fed(name: str) -> None:
    fed = fuzz(name, SHORT, seed=len(name))
    assert fed.fed >= SHORT
    assert fed.growth < 4_000_000


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_record_is_of_the_driver_as_it_is_now(name: str) -> None:
    """Whoever changes a measured driver measures it again; a new driver needs no record to be examined."""
    record = RECORDS[name]
    assert name in drivers.names(), "this driver is gone; run ./bianmin bench --only devices_quality"
    current = quality.hash_of(drivers.load(name))
    assert record.hash == current, "changed since it was measured; run ./bianmin bench --only devices_quality"
    assert (record.tried, record.advised) == (tried(name), advised(name))
    assert vectors(name) >= record.vectors > 0


@pytest.mark.parametrize("name", drivers.names())
def test_every_driver_has_a_grade_and_is_told_what_the_next_one_wants(name: str) -> None:
    given = quality.grade(name)
    assert given.grade in GRADES[1:], given.lacks_for_next
    assert bool(given.lacks_for_next) == (given.grade != "platinum")
    assert all(sentence.endswith(".") for sentence in given.lacks_for_next)


@pytest.mark.parametrize("name", drivers.names())
def test_a_driver_nobody_has_measured_is_bronze_or_silver_and_told_to_be_measured(name: str) -> None:
    given = quality.grade(name, {})
    assert given.grade in ("bronze", "silver")
    if given.grade == "silver":
        assert any("bench --only devices_quality" in sentence for sentence in given.lacks_for_next)


@pytest.mark.parametrize(
    ("worse", "grade", "sentence"),
    [
        ({}, "platinum", ""),
        ({"fuzzed": 9_999_999}, "gold", "10,000,000 random bytes"),
        ({"growth": 1_000_001}, "gold", "without growing"),
        ({"speed": 4.9}, "gold", "less than 5 MB/s"),
        ({"branches": 94.9}, "gold", "less than 95 % of its branches"),
        ({"vectors": 0}, "gold", "no maker's document"),
        ({"tried": False}, "silver", "no test for one of its roles"),
        ({"advised": False}, "silver", "no advice for one of its troubles"),
    ],
)
def test_each_thing_measured_decides(worse: dict[str, object], grade: str, sentence: str) -> None:
    given = quality.grade("queue-bus", recorded("queue-bus", **worse))
    assert given.grade == grade
    assert len(given.lacks_for_next) == bool(sentence)
    assert sentence in "".join(given.lacks_for_next)


def test_a_record_of_another_file_counts_for_nothing() -> None:
    old = {"queue-bus": GOOD}
    assert quality.grade("queue-bus", old) == quality.grade("queue-bus", {})


def test_a_generic_driver_stops_at_gold() -> None:
    given = quality.grade("ascii-strip", recorded("ascii-strip"))
    assert given == quality.Grade("gold", ("It follows no maker's document whose bytes could be its tests.",))


def test_records_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "grades.toml"
    quality.write({"b": GOOD, "a": dataclasses.replace(GOOD, hash="7e", speed=0.5, tried=False)}, file)
    assert quality.read(file) == {"a": Record("7e", 10_000_000, 0, 0.5, 96.0, 12, False, True), "b": GOOD}
    assert quality.read(tmp_path / "none.toml") == {}


def test_the_support_table_and_the_command_line_show_the_grade() -> None:
    command = [sys.executable, "-P", "-m", "kiosk", "device", "drivers", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)})
    for one in json.loads(done.stdout):
        given = quality.grade(one["name"])
        assert (one["grade"], one["lacks_for_next"]) == (given.grade, list(given.lacks_for_next))
        assert f"| `{one['name']}` | {given.grade} |" in support.table()

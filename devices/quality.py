"""How good each driver is, from bronze to platinum, and what the next grade wants of it.

Modelled on the integration quality scale of Home Assistant. Some facts can be read off the driver itself; the others
are measured by `./bianmin bench --only devices_quality` and kept in `grades.toml` beside this file, each with the hash
of the driver's file. A record of a file that has changed since counts for nothing. A driver without a record is
examined all the same (every driver is) and is simply told what is missing.

| grade | wants |
| --- | --- |
| bronze | it passes the exam |
| silver | its state can be known, no order is left when the cable goes, options are checked, its device can fail |
| gold | it can be found, tried by a technician, diagnosed, and fitted to devices that differ (profile or learning) |
| platinum | the maker's bytes as tests, fuzzed, fast, and nearly every branch of it run by tests |
"""

from __future__ import annotations

import dataclasses
import hashlib
import tomllib
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from config.reader import fields_of
from devices import driver as base
from devices import drivers

GRADES = ("none", "bronze", "silver", "gold", "platinum")
RECORD = Path(__file__).with_name("grades.toml")
MEASURE = "run ./bianmin bench --only devices_quality"

FUZZED = 10_000_000  # bytes
GROWTH = 1_000_000  # bytes that may be held more at the end than in the middle: nothing may grow
SPEED = 5.0  # MB/s
BRANCHES = 95.0  # %


@dataclass(frozen=True)
class Record:
    """What was measured of one driver. `hash` is of its file then; branches in %, speed in MB/s, the rest in bytes."""

    hash: str
    fuzzed: int = 0
    growth: int = 0
    speed: float = 0.0
    branches: float = 0.0
    vectors: int = 0  # bytes of the maker's document that stand in its test
    tried: bool = False  # the technician's page has a test for each of its roles
    advised: bool = False  # and a word of advice for each of its troubles


@dataclass(frozen=True)
class Subject:
    """What a rule looks at."""

    name: str
    module: ModuleType
    driver: base.Driver
    record: Record | None

    @property
    def generic(self) -> bool:
        """True when it follows no maker's document, and says so in its first sentence or paragraph."""
        return "generic" in (self.module.__doc__ or "").lower()


@dataclass(frozen=True)
class Rule:
    """Something a grade wants. `missing` is the sentence for a driver that has not got it."""

    name: str
    grade: str
    missing: str
    kept: Callable[[Subject], bool]


@dataclass(frozen=True)
class Grade:
    """What a driver has reached, and what it lacks for the next grade: a sentence each."""

    grade: str
    lacks_for_next: tuple[str, ...]


def _is_whole(subject: Subject) -> bool:
    doc = (subject.module.__doc__ or "").partition("\n")[0]
    return doc.endswith(".") and issubclass(subject.module.Simulator, base.Simulator) and bool(subject.driver.roles)


def _state_can_be_known(subject: Subject) -> bool:
    driver = subject.driver
    return not driver.answers or driver.timing.poll_every is not None or driver.unasked


def _settles_when_lost(subject: Subject) -> bool:
    orders = [order for role in subject.driver.roles for order in role.orders if order not in subject.driver.cannot]
    return not orders or type(subject.driver).lost is not base.Driver.lost


def _options_are_checked(subject: Subject) -> bool:
    return all(_checked(field, hint) for field, hint in fields_of(subject.module.Driver.Options).values())


def _checked(field: dataclasses.Field[Any], hint: Any) -> bool:
    """It has a name for people; a number has its bounds, or is one of a few."""
    known = field.metadata
    kinds = (hint, *typing.get_args(hint))
    number = any(kind in (int, float) for kind in kinds) and not _maps(hint)
    return "label" in known and (not number or "choices" in known or {"min", "max"} <= set(known))


def _maps(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _can_be_found(subject: Subject) -> bool:
    """By asking it, by waiting for what it says, or as a kind of USB device; what never speaks is exempt."""
    driver = subject.driver
    wired = {"serial", "socket", "udp", "listen"} & set(driver.links)
    mute = not driver.answers and not driver.unasked
    return mute or not wired or driver.unasked or driver.timing.poll_every is not None


def _can_be_fitted(subject: Subject) -> bool:
    """It has a table, a choice or words for devices of its family that differ; addresses and waits are not meant."""
    fields = fields_of(subject.module.Driver.Options).values()
    return any("choices" in field.metadata or _maps(hint) or hint in (str, bool) for field, hint in fields)


def _recorded(what: Callable[[Record], bool]) -> Callable[[Subject], bool]:
    """True where nothing is recorded: that is the rule `measured`, and one sentence about it is enough."""
    return lambda subject: subject.record is None or what(subject.record)


RULES = (
    Rule("exam", "bronze", "It has no simulator, no role, or no sentence that says what it is.", _is_whole),
    Rule("states", "silver", "Nobody can know whether its device lives: it neither asks nor is told.",
         _state_can_be_known),
    Rule("reconnect", "silver", "It does not say what became of an order when the cable goes.", _settles_when_lost),
    Rule("options", "silver", "Not every option has a label, and every number a least and a most.",
         _options_are_checked),
    Rule("faults", "silver", "Its simulator cannot misbehave in a way of its own.",
         lambda subject: bool(subject.module.Simulator.faults)),
    Rule("discovery", "gold", "Its device cannot be found: it answers, but there is no harmless question.",
         _can_be_found),
    Rule("profile", "gold", "It cannot be fitted to devices that differ: it has no table, no choice, nothing learned.",
         _can_be_fitted),
    Rule("measured", "gold", f"It has not been measured as it is now; {MEASURE}.",
         lambda subject: subject.record is not None),
    Rule("tried", "gold", "The technician's page has no test for one of its roles.", _recorded(lambda r: r.tried)),
    Rule("diagnosed", "gold", "The technician's page has no advice for one of its troubles.",
         _recorded(lambda r: r.advised)),
    Rule("vectors", "platinum", "It follows no maker's document whose bytes could be its tests.",
         lambda subject: not subject.generic and subject.record is not None and subject.record.vectors > 0),
    Rule("fuzzed", "platinum", f"It has not been fed {FUZZED:,} random bytes without a mistake and without growing.",
         _recorded(lambda r: r.fuzzed >= FUZZED and r.growth <= GROWTH)),
    Rule("fast", "platinum", f"It takes less than {SPEED:g} MB/s of its device's own frames.",
         _recorded(lambda r: r.speed >= SPEED)),
    Rule("covered", "platinum", f"Tests run less than {BRANCHES:g} % of its branches.",
         _recorded(lambda r: r.branches >= BRANCHES)),
)  # fmt: skip


def grade(name: str, records: Mapping[str, Record] | None = None) -> Grade:
    """What a driver has reached by what is true of it now. Raises KeyError."""
    module = drivers.load(name)
    record = (read() if records is None else records).get(name)
    if record is not None and record.hash != hash_of(module):
        record = None
    subject = Subject(name, module, module.Driver(), record)
    reached = GRADES[0]
    for step in GRADES[1:]:
        broken = [rule.missing for rule in RULES if rule.grade == step and not rule.kept(subject)]
        if broken:
            return Grade(reached, tuple(broken))
        reached = step
    return Grade(reached, ())


def read(file: Path = RECORD) -> dict[str, Record]:
    """What was measured, by driver."""
    if not file.exists():
        return {}
    return {name: Record(**table) for name, table in tomllib.loads(file.read_text(encoding="utf-8")).items()}


def write(records: Mapping[str, Record], file: Path = RECORD) -> None:
    """Keep what was measured."""
    lines = ["# Written by `./bianmin bench --only devices_quality`; what it means stands in devices/quality.py."]
    for name in sorted(records):
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {_toml(value)}" for key, value in dataclasses.asdict(records[name]).items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


@cache
def hash_of(module: ModuleType) -> str:
    """The first 16 hex digits of a driver file's SHA-256."""
    assert module.__file__ is not None
    return hashlib.sha256(Path(module.__file__).read_bytes()).hexdigest()[:16]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:_}" if isinstance(value, int) else str(value)

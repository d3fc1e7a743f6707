"""What a hall is, read from a plan file, one of ours or the installer's, and checked for sense.

A plan of ours is a `.toml` in this folder, named without its ending; `[plan]` in hall.toml replaces single keys of it.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from pathlib import Path
from typing import TypeVar

from config import reader
from config.plan import HallPlan

_FOLDER = Path(__file__).resolve().parent
_LETTERS = re.compile(r"[A-Z]{1,2}")
T = TypeVar("T")


def names() -> list[str]:
    """The plans that come with Bianmin."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def choose(name: str, own: object = None, base: Path | None = None) -> HallPlan:
    """The plan `name` (one of ours, or a file relative to `base`) with the keys of `own` in place of its own.

    Raises reader.Mistake.
    """
    if name in names():
        path = _FOLDER / f"{name}.toml"
    elif name.endswith(".toml"):
        path = (base or Path()) / name
    else:
        raise reader.Mistake(f"hall.plan: expected one of {', '.join(names())} or a .toml file, got {name!r}")
    data = reader.parse(path)
    where = ""
    if own is not None:
        if not isinstance(own, Mapping):
            raise reader.Mistake(f"plan: expected a table, got {reader.show(own)}")
        data, where = {**data, **own}, "plan"
    try:
        plan = reader.read(HallPlan, data, where)
        wrong = nonsense(plan)
        if wrong:
            raise reader.Mistake(*(reader.join(where, line) for line in wrong))
    except reader.Mistake as mistake:
        raise mistake if own is not None else mistake.inside(path) from mistake
    return plan


def nonsense(plan: HallPlan) -> list[str]:
    """Everything in a plan that cannot be meant: sentences naming their place; empty for a sound plan."""
    queues = [q.code for q in plan.queues]
    categories = [c.code for c in plan.categories]
    windows = [w.no for w in plan.windows]
    wrong = [
        *_twice("queues", queues),
        *_twice("categories", categories),
        *_twice("services", [s.code for s in plan.services]),
        *_twice("windows", windows),
        *_twice("staff", [s.login for s in plan.staff]),
        *_twice("priorities", [p.code for p in plan.priorities]),
    ]
    if not queues:
        wrong.append("queues: a hall needs at least one queue")
    if not windows:
        wrong.append("windows: a hall needs at least one window")
    for number, queue in enumerate(plan.queues, start=1):
        if not _LETTERS.fullmatch(queue.code):
            wrong.append(f"queues[{number}].code: expected one or two letters A to Z, got {queue.code!r}")
    for service in plan.services:
        wrong += _unknown(f"services.{service.code}.queue", "queue", service.queue, queues)
        wrong += _unknown(f"services.{service.code}.category", "category", service.category, categories)
    for window in plan.windows:
        for code in window.queues:
            wrong += _unknown(f"windows.{window.no}.queues", "queue", code, queues)
    for person in plan.staff:
        if person.window is not None:
            wrong += _unknown(f"staff.{person.login}.window", "window", person.window, windows)
    return wrong + _times(plan)


def _times(plan: HallPlan) -> list[str]:
    """Time zone, hours and dates that no calendar knows."""
    wrong = []
    try:
        zoneinfo.ZoneInfo(plan.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        wrong.append(f"time_zone: expected a name like Asia/Shanghai, got {plan.time_zone!r}")
    wrong += _not_a("policy.day_change", "a time like 00:00", time.fromisoformat, [plan.policy.day_change])
    for key in ("extra_holidays", "extra_workdays"):
        wrong += _not_a(f"policy.{key}", "dates like 2026-10-01", date.fromisoformat, getattr(plan.policy, key))
    return wrong


def _not_a(place: str, expected: str, understand: Callable[[str], object], texts: Iterable[str]) -> list[str]:
    wrong = []
    for text in texts:
        try:
            understand(text)
        except ValueError:
            wrong.append(f"{place}: expected {expected}, got {text!r}")
    return wrong


def _twice(place: str, keys: list[T]) -> list[str]:
    return [f"{place}: {key!r} is there twice" for key in dict.fromkeys(keys) if keys.count(key) > 1]


def _unknown(place: str, what: str, key: T, known: list[T]) -> list[str]:
    if key in known:
        return []
    return [f"{place}: there is no {what} {key!r}; there are: {', '.join(map(str, known)) or 'none'}"]

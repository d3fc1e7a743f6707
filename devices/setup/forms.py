"""A driver's options as a form: one field for each, with its label, help, unit, range and choices from the dataclass.

    {"name": "width", "kind": "number", "label": "Paper", "help": "…", "unit": "mm", "min": 20, "max": 120,
     "choices": [58, 80], "value": 80, "default": 80}

`kind` is what a person fills in: number, decimal, switch, text, choice, list (one value a line), table (KEY = VALUE a
line). `simulator` is true of what only a simulated device heeds. What comes back is checked where every configuration
is checked: `devices.options`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from config.reader import Mistake, fields_of
from devices import drivers
from devices.options import describe

PLAIN = {int: "number", float: "decimal", bool: "switch", str: "text"}


def form(driver: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The fields of a driver's options, filled with `values` where there are any. Raises KeyError."""
    given = values or {}
    hints = {key: hint for key, (_, hint) in fields_of(drivers.load(driver).Driver.Options).items()}
    return [
        {**one, "kind": _kind(hints[one["name"]], one), "value": given.get(one["name"], one["default"])}
        for one in describe(driver)
    ]


def filled(driver: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """What a form's answers say beyond the defaults, as a configuration holds it. Raises Mistake naming the field.

    Lists and tables may come as text, a value a line; so may numbers.
    """
    hints = {key: hint for key, (_, hint) in fields_of(drivers.load(driver).Driver.Options).items()}
    defaults = {one["name"]: one["default"] for one in describe(driver)}
    said, wrong = {}, []
    for name, answer in answers.items():
        if name not in hints:
            wrong.append(f"options.{name}: is not known here")
            continue
        try:
            value = _value(hints[name], answer)
        except ValueError as trouble:
            wrong.append(f"options.{name}: {trouble}")
            continue
        if value is not None and value != defaults[name]:
            said[name] = value
    if wrong:
        raise Mistake(*wrong)
    return said


def _kind(hint: Any, field: Mapping[str, Any]) -> str:
    origin, real = typing.get_origin(hint), _real(hint)
    if _is_table(origin):
        return "table"
    if origin in (tuple, list, frozenset):
        return "list"
    if "choices" in field:
        return "choice"
    return PLAIN.get(real, "text")


def _value(hint: Any, answer: Any) -> Any:
    """An answer in the kind its field wants; a blank number is no answer. Raises ValueError."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if _is_table(origin):
        pairs = answer if isinstance(answer, Mapping) else _pairs(str(answer))
        return {str(key): _value(inner[1], value) for key, value in pairs.items()}
    if origin in (tuple, list, frozenset):
        parts = answer if isinstance(answer, list) else [part.strip() for part in _lines(str(answer))]
        return [_value(inner[0], part) for part in parts if part is not None]
    real = _real(hint)
    if isinstance(answer, str) and real in (int, float):
        return _number(real, answer)
    return answer


def _number(kind: type, text: str) -> Any:
    if not text.strip():
        return None
    try:
        return int(text, 0) if kind is int else float(text)
    except ValueError:
        raise ValueError(f"expected {'a whole number' if kind is int else 'a number'}, got {text!r}") from None


def _lines(text: str) -> list[str]:
    return [line for part in text.splitlines() for line in part.split(",") if line.strip()]


def _pairs(text: str) -> dict[str, str]:
    """KEY = VALUE, one a line."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise ValueError(f"expected KEY = VALUE on each line, got {line.strip()!r}")
        if key.strip() in found:
            raise ValueError(f"{key.strip()!r} stands there twice")
        found[key.strip()] = value.strip()
    return found


def _real(hint: Any) -> Any:
    """The kind behind `X | None`."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(one for one in typing.get_args(hint) if one is not types.NoneType)
    return hint


def _is_table(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)

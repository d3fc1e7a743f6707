"""A driver's options, read from a configuration table or from `key=value` words on a command line."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from config.reader import Mistake, fields_of, read
from devices import drivers


def read_options(driver: str, given: Mapping[str, object], place: str = "") -> Any:
    """The driver's `Options` from a table. Raises Mistake naming the place, KeyError when there is no such driver."""
    return read(drivers.load(driver).Driver.Options, given, place or f"{driver}.options")


def parse_options(driver: str, words: Iterable[str]) -> Any:
    """The driver's `Options` from `key=value` words; lists as a,b and tables as 1:a,2:b. Raises Mistake, KeyError."""
    cls = drivers.load(driver).Driver.Options
    known = fields_of(cls)
    given: dict[str, object] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise Mistake(f"option {word!r}: write KEY=VALUE")
        if key in known:
            field, hint = known[key]
            given[key] = _typed(hint, text, f"option {key}", field.metadata.get("help", ""))
        else:
            given[key] = text
    return read(cls, given, f"{driver}.options")


def describe(driver: str) -> list[dict[str, Any]]:
    """Each option of a driver as a JSON-able dict: name, type, default, and what its metadata says."""
    cls = drivers.load(driver).Driver.Options
    return [
        {"name": key, "type": _named(hint), "default": _plain(_default(field)), **_plain(dict(field.metadata))}
        for key, (field, hint) in fields_of(cls).items()
    ]


def typed(value: object) -> str:
    """A value as it is typed on a command line, the way back from `parse_options`."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}:{one}" for key, one in value.items())
    if isinstance(value, tuple | list | frozenset):
        return ",".join(map(str, value))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _typed(hint: Any, text: str, place: str, about: str = "") -> object:
    """A word of the command line as the value a configuration file would hold; `about` explains a table's pairs."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        real = [one for one in inner if one is not types.NoneType]
        return _typed(real[0], text, place, about)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if origin in (tuple, list, frozenset):
        return [_typed(inner[0], part, place) for part in parts]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        pairs = [part.partition(":") for part in parts]
        if unpaired := [part for part in parts if ":" not in part]:
            meaning = f" ({about})" if about else ""
            raise Mistake(f"{place}: write KEY:VALUE, several joined with commas{meaning}, got {unpaired[0]!r}")
        return {key.strip(): _typed(inner[1], value.strip(), place) for key, _, value in pairs}
    if hint is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in words:
            raise Mistake(f"{place}: expected true or false, got {text!r}")
        return words[text.lower()]
    if hint in (int, float):
        try:
            return int(text, 0) if hint is int else float(text)
        except ValueError:
            what = "a whole number" if hint is int else "a number"
            raise Mistake(f"{place}: expected {what}, got {text!r}") from None
    return text


def _named(hint: Any) -> str:
    return str(getattr(hint, "__name__", hint)) if not typing.get_args(hint) else str(hint).replace("typing.", "")


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def _plain(value: Any) -> Any:
    """The same value made of what JSON knows."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        return [_plain(v) for v in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)

"""Writes dataclasses back as configuration text, so that what a form changed is what a file says.

Only what differs from the defaults is written: a short file is one a person can check.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def write(obj: Any, base: Path | None = None) -> str:
    """TOML text of a dataclass that `config.reader.read` turns into an equal one. Paths below `base` become relative.

    Raises ValueError for values TOML has no word for.
    """
    return "\n".join(_table(plain(obj, base), ())).strip() + "\n"


def plain(obj: Any, base: Path | None = None) -> Any:
    """The value in TOML's own kinds: dict, list, str, int, float, bool, dates."""
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        return {key: plain(value, base) for key, value in _said(obj)}
    if isinstance(obj, enum.Enum):
        return obj.value
    if isinstance(obj, Path):
        return str(obj.relative_to(base)) if base and obj.is_relative_to(base) else str(obj)
    if isinstance(obj, Mapping):
        return {str(key): plain(value, base) for key, value in obj.items()}
    if isinstance(obj, tuple | list):
        return [plain(value, base) for value in obj]
    if isinstance(obj, frozenset | set):
        return [plain(value, base) for value in sorted(obj)]
    return obj


def _said(obj: Any) -> Iterator[tuple[str, Any]]:
    """(key, value) of the fields that differ from their default."""
    for field in dataclasses.fields(obj):
        value = getattr(obj, field.name)
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if field.init and field.metadata.get("in_file", True) and value != default:
            yield field.metadata.get("key", field.name), value


def _table(data: Mapping[str, Any], name: tuple[str, ...]) -> Iterator[str]:
    """Lines of one table: its own values first, then its tables, then its lists of tables."""
    for key, value in data.items():
        if not _is_table(value) and not _is_tables(value):
            yield f"{_key(key)} = {inline(value)}"
    for key, value in data.items():
        here = (*name, key)
        for one in [value] if _is_table(value) else value if _is_tables(value) else []:
            title = ".".join(_key(part) for part in here)
            yield ""
            yield f"[{title}]" if _is_table(value) else f"[[{title}]]"
            yield from _table(one, here)


def _is_table(value: Any) -> bool:
    """Small flat tables stay on their line; a table with structure gets a heading."""
    return isinstance(value, dict) and (len(value) > 4 or any(isinstance(v, dict | list) for v in value.values()))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def inline(value: Any) -> str:
    """A value as it stands behind `key =`, on one line. Raises ValueError for values TOML has no word for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(inline(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(str(k))} = {inline(v)}' for k, v in value.items())} }}" if value else "{}"
    raise ValueError(f"a configuration file has no word for {value!r}")

"""Turns the text of a configuration file into dataclasses, and says exactly where the writer went wrong.

`read` follows a dataclass's own type hints. Supported: str, int, float, bool, Path, enums (by value), Literal,
`X | None`, tuples, mappings with text or int keys, nested dataclasses, and `object` (taken as it is). Field metadata
that is obeyed: `min`, `max`, `choices` (of each element, if there are several), `key` (the name in the file when it is
not the field's) and `in_file` (False: never in a file). `label`, `help` and `unit` are for people.
"""

from __future__ import annotations

import codecs
import dataclasses
import difflib
import enum
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

T = TypeVar("T")
PLAIN: dict[type, str] = {str: "text", int: "int", float: "a number", bool: "true or false"}
HUGE = 1e300  # what is larger is no number of anything, nor is nan
LONGEST_KEY = 18  # digits of a whole number before a value
BOM, UTF_16 = "\ufeff", (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LISTS = (tuple, list, frozenset)
_WRONG: Any = object()  # what a value becomes whose mistake has been noted


class Mistake(ValueError):
    """What is wrong in a file: one sentence a line, each naming its place."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines

    def inside(self, file: Path) -> Mistake:
        """The same mistakes, each with the file's name in front."""
        return Mistake(*(f"{file}: {line}" for line in self.lines))


def read(cls: type[T], data: Mapping[str, object], place: str = "", base: Path | None = None) -> T:
    """An instance of dataclass `cls` from TOML data, relative paths taken from `base`. Raises Mistake."""
    reader = _Reader(base)
    result = reader.table(cls, data, place)
    if reader.wrong:
        raise Mistake(*reader.wrong)
    return typing.cast(T, result)


def text_of(path: Path) -> str:
    """What stands in a text file, its line ends and a BOM as they are. Raises Mistake when it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as trouble:
        raise Mistake(f"{path}: cannot be read: {trouble.strerror}") from trouble
    if data.startswith(UTF_16) or b"\0" in data[:4]:
        raise Mistake(f'{path}: is written in UTF-16, which some editors call "Unicode": save it as UTF-8')
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as trouble:
        raise Mistake(f"{path}: is not written in UTF-8 (byte {trouble.start}): save it as UTF-8") from trouble


def parse(path: Path, text: str | None = None) -> dict[str, object]:
    """The tables of a TOML file. Raises Mistake naming file, line and column, or that the file cannot be read.

    `text` is taken for what stands in the file, when it is given.
    """
    said = text_of(path).removeprefix(BOM) if text is None else text
    try:
        return tables(said)
    except Mistake as mistake:
        raise mistake.inside(path) from mistake


def tables(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises Mistake naming line and column where it can."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as trouble:
        raise Mistake(str(trouble)) from trouble
    except ValueError as trouble:  # a number of thousands of digits
        raise Mistake(f"a value cannot be understood: {trouble}") from trouble
    except RecursionError as trouble:
        raise Mistake("brackets are nested too deep") from trouble


def fields_of(cls: type[Any]) -> dict[str, tuple[dataclasses.Field[Any], Any]]:
    """Key in the file → (field, its type with hints resolved), in the order of the class."""
    hints = typing.get_type_hints(cls)
    written = [f for f in dataclasses.fields(cls) if f.init and f.metadata.get("in_file", True)]
    return {f.metadata.get("key", f.name): (f, hints[f.name]) for f in written}


class _Reader:
    """One reading: collects sentences instead of stopping at the first."""

    def __init__(self, base: Path | None) -> None:
        self.base = base
        self.wrong: list[str] = []

    def complain(self, place: str, sentence: str) -> Any:
        self.wrong.append(f"{place}: {sentence}" if place else sentence)
        return _WRONG

    def table(self, cls: type[Any], data: object, place: str) -> Any:
        """A dataclass from a table."""
        if not isinstance(data, Mapping):
            return self.complain(place, f"expected a table, got {show(data)}")
        known, before = fields_of(cls), len(self.wrong)
        for key in data:
            if key not in known:
                self.complain(join(place, key), f"is not known here{_meant(key, known)}")
        values = {}
        for key, (field, hint) in known.items():
            if key in data:
                values[field.name] = self.field(field, hint, data[key], join(place, key))
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                self.complain(join(place, key), f"is missing{_explain(field)}")
        if len(self.wrong) > before:
            return _WRONG
        try:
            return cls(**values)
        except ValueError as trouble:  # what the class itself checks when it is made
            return self.complain(place, str(trouble))

    def field(self, field: dataclasses.Field[Any], hint: Any, data: object, place: str) -> Any:
        """One field, with what its metadata allows."""
        value = self.value(hint, data, place)
        if value is _WRONG or value is None:
            return value
        several = isinstance(value, LISTS)
        for index, one in enumerate(value if several else (value,)):
            sentence = _outside(one, field.metadata)
            if sentence:
                return self.complain(f"{place}[{index + 1}]" if several else place, sentence)
        return value

    def value(self, hint: Any, data: object, place: str) -> Any:
        """Any value by its type hint."""
        origin = typing.get_origin(hint)
        if hint in (Any, object):
            return data
        if origin in (typing.Union, types.UnionType):
            return self.union(typing.get_args(hint), data, place)
        if origin is Literal:
            options = typing.get_args(hint)
            return data if data in options else self.complain(place, _one_of(options, data))
        if origin in LISTS or hint in LISTS:
            return self.listing(origin or hint, typing.get_args(hint), data, place)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return self.mapping(typing.get_args(hint), data, place)
        if dataclasses.is_dataclass(hint):
            return self.table(typing.cast(type[Any], hint), data, place)
        return self.single(hint, data, place)

    def single(self, hint: Any, data: object, place: str) -> Any:
        """Text, numbers, paths, enums."""
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            options = {member.value: member for member in hint}
            fits = isinstance(data, str | int) and data in options
            return options[data] if fits else self.complain(place, _one_of(tuple(options), data))
        if hint is Path:
            if not isinstance(data, str) or not data:
                return self.complain(place, f"expected a path, got {show(data)}")
            return (self.base or Path()) / Path(data).expanduser()
        if hint is float and isinstance(data, int | float) and not isinstance(data, bool) and abs(data) < HUGE:
            return float(data)
        if isinstance(hint, type) and isinstance(data, hint) and (hint is bool or not isinstance(data, bool)):
            return data if not isinstance(data, float) else self.complain(place, f"expected a number, got {show(data)}")
        return self.complain(place, f"expected {PLAIN.get(hint, getattr(hint, '__name__', hint))}, got {show(data)}")

    def union(self, options: tuple[Any, ...], data: object, place: str) -> Any:
        """The first option that fits. TOML has no None: leaving the key out says it."""
        real = [option for option in options if option is not type(None)]
        for option in real:
            trial = _Reader(self.base)
            value = trial.value(option, data, place)
            if not trial.wrong:
                return value
        if len(real) == 1:
            return self.value(real[0], data, place)
        names = " or ".join(PLAIN.get(option, getattr(option, "__name__", str(option))) for option in real)
        return self.complain(place, f"expected {names}, got {show(data)}")

    def listing(self, kind: type, inner: tuple[Any, ...], data: object, place: str) -> Any:
        """`tuple[X, ...]`, `tuple[X, Y]`, `list[X]`, `frozenset[X]`."""
        if not isinstance(data, list | tuple):
            return self.complain(place, f"expected a list, got {show(data)}")
        if kind is tuple and inner and inner[-1] is not Ellipsis:
            if len(data) != len(inner):
                return self.complain(place, f"expected {len(inner)} values, got {len(data)}")
            hints = list(inner)
        else:
            hints = [inner[0] if inner else object] * len(data)
        values = [
            self.value(hint, one, f"{place}[{index}]")
            for index, (hint, one) in enumerate(zip(hints, data, strict=True), start=1)
        ]
        return _WRONG if any(value is _WRONG for value in values) else kind(values)

    def mapping(self, inner: tuple[Any, ...], data: object, place: str) -> Any:
        """`Mapping[str, X]` and `Mapping[int, X]`; the keys of a TOML table are text, whole numbers are understood."""
        if not isinstance(data, Mapping):
            return self.complain(place, f"expected a table, got {show(data)}")
        key_hint, value_hint = inner or (str, object)
        result: dict[Any, Any] = {}
        for key, value in data.items():
            spot = join(place, str(key))
            whole = str(key).isdecimal() and len(str(key)) <= LONGEST_KEY
            if key_hint is int and not whole:
                self.complain(spot, f"the key must be a whole number, not {show(key)}")
            result[int(key) if key_hint is int and whole else key] = self.value(value_hint, value, spot)
        return result if all(value is not _WRONG for value in result.values()) else _WRONG


def join(place: str, key: str) -> str:
    """A dotted place: `printer` and `width` are `printer.width`."""
    return f"{place}.{key}" if place else key


def show(value: object) -> str:
    """A value as a person wrote it in the file, cut when it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _meant(key: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; known are: {', '.join(known)}"


def _explain(field: dataclasses.Field[Any]) -> str:
    text = field.metadata.get("help") or field.metadata.get("label")
    return f" ({text})" if text else ""


def _one_of(options: tuple[object, ...], data: object) -> str:
    return f"expected one of {', '.join(str(o) for o in options)}, got {show(data)}"


def _outside(value: object, metadata: Mapping[str, Any]) -> str:
    """The sentence for a value its field does not allow; empty when it fits."""
    unit = f" {metadata['unit']}" if "unit" in metadata else ""
    choices = metadata.get("choices")
    if choices is not None and value not in choices:
        return _one_of(tuple(choices), value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "min" in metadata and value < metadata["min"]:
            return f"must be at least {metadata['min']}{unit}, got {value}"
        if "max" in metadata and value > metadata["max"]:
            return f"must be at most {metadata['max']}{unit}, got {value}"
    return ""

"""Reading what a caller sends: exactly the named fields, each of its kind; one table checks and describes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hall_api.web.problems import Problem, wrong

KINDS: dict[type, tuple[str, str, str]] = {
    str: ("string", "文字", "text"),
    int: ("integer", "整数", "a whole number"),
    bool: ("boolean", "true 或 false", "true or false"),
    list: ("array", "列表", "a list"),
    dict: ("object", "对象", "an object"),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a body. Not `required` means it may be left out, or null; then the handler sees None."""

    kind: type[Any] = str
    required: bool = False
    choices: tuple[Any, ...] = ()
    low: int = 0  # of an integer, or the length of a text
    high: int = 200
    items: Field | None = None
    fields: Mapping[str, Field] | None = None
    help: str = ""

    def check(self, value: Any, place: str) -> Any:
        """The value as the handler may use it; Problem 422 naming the place when it is not of this kind."""
        if value is None and not self.required:
            return None
        if type(value) is not self.kind:  # `type`, because True is an int to isinstance
            _, chinese, english = KINDS[self.kind]
            raise wrong(place, f"应为{chinese}", f"expected {english}")
        if self.choices and value not in self.choices:
            options = ", ".join(map(str, self.choices))
            raise wrong(place, f"应为 {options} 之一", f"expected one of {options}")
        if self.kind is dict:
            return check_object(value, self.fields or {}, place)
        if self.kind is list:
            return self._check_list(value, place)
        self._check_size(value, place)
        return value

    def _check_list(self, value: list[Any], place: str) -> tuple[Any, ...]:
        if len(value) > self.high:
            raise wrong(place, f"最多 {self.high} 项", f"at most {self.high} items")
        assert self.items is not None
        return tuple(self.items.check(item, f"{place}[{i}]") for i, item in enumerate(value))

    def _check_size(self, value: Any, place: str) -> None:
        if self.kind is int and not self.low <= value <= self.high:
            raise wrong(place, f"应在 {self.low} 到 {self.high} 之间", f"must be from {self.low} to {self.high}")
        if self.kind is not str:
            return
        if not self.low <= len(value) <= self.high:
            raise wrong(place, f"长度应为 {self.low} 到 {self.high}", f"length must be {self.low} to {self.high}")
        # Half a surrogate pair and NUL are legal JSON that no database takes.
        if not value.isprintable() and any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in value):
            raise wrong(place, "含有不能使用的字符", "contains characters that cannot be used")

    def schema(self) -> dict[str, Any]:
        """This field in JSON Schema."""
        name = KINDS[self.kind][0]
        schema: dict[str, Any] = {"type": name if self.required else [name, "null"]}
        if self.choices:
            schema["enum"] = [*self.choices] if self.required else [*self.choices, None]
        elif self.kind is int:
            schema |= {"minimum": self.low, "maximum": self.high}
        elif self.kind is str:
            schema |= {"minLength": self.low, "maxLength": self.high}
        elif self.kind is list and self.items is not None:
            schema |= {"items": self.items.schema(), "maxItems": self.high}
        elif self.kind is dict:
            schema |= object_schema(self.fields or {})
        if self.help:
            schema["description"] = self.help
        return schema


Fields = Mapping[str, Field]


def check_object(value: Mapping[str, Any], fields: Fields, place: str = "") -> dict[str, Any]:
    """The object with every named field present (None when left out); Problem 422 for anything else in it."""
    for name in value:
        if name not in fields:
            raise wrong(_below(place, name)[:80], "没有此字段", "there is no such field")
    checked = {}
    for name, field in fields.items():
        if name not in value and field.required:
            raise wrong(_below(place, name), "缺少此字段", "this field is missing")
        checked[name] = field.check(value.get(name), _below(place, name))
    return checked


def read(raw: bytes, fields: Fields) -> dict[str, Any]:
    """The JSON body, checked. An empty body counts as `{}`."""
    if not raw:
        return check_object({}, fields)
    try:
        value = json.loads(raw, parse_constant=_no_such_number)
    except (ValueError, RecursionError) as cause:
        raise Problem("malformed") from cause
    if type(value) is not dict:
        raise wrong("body", "应为对象", "expected an object")
    return check_object(value, fields)


def object_schema(fields: Fields) -> dict[str, Any]:
    """A whole body in JSON Schema."""
    required = [name for name, field in fields.items() if field.required]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: field.schema() for name, field in fields.items()},
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def number(query: Mapping[str, str], name: str, *, low: int = 0, high: int, default: int | None = None) -> int | None:
    """A whole number from the query string."""
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text[:20]) <= high:
        raise wrong(name, f"应为 {low} 到 {high} 的整数", f"must be a whole number from {low} to {high}")
    return int(text)


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _no_such_number(name: str) -> Sequence[Any]:
    raise ValueError(f"{name} is not JSON")

"""The status a polled pad gives when it is scanned: a letter, a number, and a counter that holds the rating.

{letter} {number} {value}        in any order, with fixed bytes in hex between them
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from devices.pads.orders import Digits

PLACES = ("letter", "number", "value")


@dataclass(frozen=True)
class Status:
    """What a pad says of itself. `value` is the counter, such as a rating."""

    letter: str
    number: str = ""
    value: int = 0


class StatusShape:
    """How a status stands in the body of a frame. Raises ValueError when the template is none."""

    def __init__(self, text: str, digits: Digits) -> None:
        self._digits = digits
        self._parts = re.findall(r"\{[a-z]*\}|[0-9A-Fa-f]{2}|\S", text)
        wrong = [one for one in self._parts if one.strip("{}") not in PLACES and not re.fullmatch("..", one)]
        if wrong or any(self._parts.count(f"{{{place}}}") > 1 for place in PLACES) or "{letter}" not in self._parts:
            raise ValueError(f"write hex and once each {{letter}}, {{number}}, {{value}}; got {text!r}")
        self._frame = re.compile(b"".join(map(self._pattern, self._parts)), re.DOTALL)
        self.size = sum(digits.count if part == "{number}" else 1 for part in self._parts)

    def read(self, body: bytes) -> Status | None:
        """The status a body carries; None when it is none."""
        found = self._frame.fullmatch(body)
        if not found:
            return None
        fields = found.groupdict()
        value = fields.get("value", b"\x00")[0]
        value -= 0x30 if self._digits.ascii and value >= 0x30 else 0
        return Status(fields["letter"].decode(), self._digits.read(fields.get("number") or b"") or "", value)

    def pack(self, status: Status) -> bytes:
        """The body that carries a status."""
        fields = {
            "{letter}": status.letter.encode(),
            "{number}": self._digits.pack(status.number or None, "number"),
            "{value}": bytes((status.value + (0x30 if self._digits.ascii else 0),)),
        }
        return b"".join(fields[part] if part in fields else bytes.fromhex(part) for part in self._parts)

    def _pattern(self, part: str) -> bytes:
        if part == "{letter}":
            return rb"(?P<letter>[A-Z])"
        if part == "{number}":
            return rb"(?P<number>.{%d})" % self._digits.count
        return rb"(?P<value>.)" if part == "{value}" else re.escape(bytes.fromhex(part))

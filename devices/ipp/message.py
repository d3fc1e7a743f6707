"""IPP messages as bytes and back (RFC 8010), and what their numbers and keywords mean in words (RFC 8011).

version 02 00 | operation or status (2) | number of the request (4) | groups of attributes | 03 | document
attribute     tag | length of name (2) | name | length of value (2) | value;  a further value has no name
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

VERSION = b"\x02\x00"
PRINT_JOB, CANCEL_JOB, GET_JOB, GET_PRINTER = 0x0002, 0x0008, 0x0009, 0x000B
OPERATION, JOB, END, PRINTER = 0x01, 0x02, 0x03, 0x04  # groups
INTEGER, ENUM, TEXT, NAME, KEYWORD, URI = 0x21, 0x23, 0x41, 0x42, 0x44, 0x45
CHARSET, LANGUAGE, MIME = 0x47, 0x48, 0x49

OK, NOT_FOUND, NOT_POSSIBLE, BAD_REQUEST = 0x0000, 0x0406, 0x0404, 0x0400
NOT_ACCEPTING = 0x0506
REFUSALS = {
    0x0400: "the print service does not understand the request",
    0x0401: "the print service forbids it; allow this machine in its settings",
    0x0402: "the print service wants a password; allow this machine without one",
    0x0403: "this machine may not print there; allow it in the print service's settings",
    0x0404: "that is not possible now",
    0x0406: "the print service has no such queue or job; look at the queue's name in the options",
    0x0408: "the document is too large for the print service",
    0x040A: "the printer cannot print this kind of document",
    0x0501: "the print service cannot do that",
    0x0503: "the print service has a device error",
    0x0505: "the print service is busy",
    0x0506: "the queue takes no documents; open it in the print service's settings",
    0x0507: "the printer is busy",
}
JOB_STATES = {
    3: "pending",
    4: "held",
    5: "processing",
    6: "stopped",
    7: "canceled",
    8: "aborted",
    9: "completed",
}
ENDED = ("canceled", "aborted", "completed")
Attribute = tuple[int, str, bytes]  # tag, name, value


@dataclass
class Response:
    """An answer. `attributes` maps a name to its values in any group; a printer answers about one thing at a time."""

    status: int
    number: int
    attributes: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """True when the request was done, if with substitutions."""
        return self.status < 0x0100

    def number_of(self, name: str, default: int = 0) -> int:
        """An integer or enum."""
        values = self.attributes.get(name, ())
        return next((int.from_bytes(v, "big", signed=True) for tag, v in values if tag in (INTEGER, ENUM)), default)

    def words(self, name: str) -> list[str]:
        """Keywords and texts."""
        return [value.decode("utf-8", "replace") for _, value in self.attributes.get(name, ())]


def number(tag: int, name: str, value: int) -> Attribute:
    """An integer or enum as an attribute."""
    return tag, name, struct.pack(">i", value)


def text(tag: int, name: str, value: str) -> Attribute:
    """Any text as an attribute."""
    return tag, name, value.encode()


def message(code: int, request: int, groups: Sequence[tuple[int, Sequence[Attribute]]], document: bytes = b"") -> bytes:
    """A request (`code` is its operation) or an answer (its status)."""
    out = VERSION + struct.pack(">HI", code, request)
    for group, attributes in groups:
        out += bytes((group,))
        for tag, name, value in attributes:
            out += struct.pack(">BH", tag, len(name)) + name.encode() + struct.pack(">H", len(value)) + value
    return out + bytes((END,)) + document


def number_in(data: bytes) -> int:
    """The number of the request in a message's head; -1 when there is no head."""
    return int.from_bytes(data[4:8], "big") if len(data) >= 9 and data[0] in (1, 2) else -1


def read(data: bytes) -> tuple[Response, bytes] | None:
    """A message and the document behind it; None when it is damaged."""
    if number_in(data) < 0:
        return None
    response = Response(int.from_bytes(data[2:4], "big"), number_in(data))
    at, size, name = 8, len(data), ""
    while at < size:
        tag = data[at]
        if tag < 0x10:
            if tag == END:
                return response, data[at + 1 :]
            at += 1
            continue
        if at + 3 > size:
            return None
        middle = at + 3 + (data[at + 1] << 8 | data[at + 2])
        if middle + 2 > size:
            return None
        end = middle + 2 + (data[middle] << 8 | data[middle + 1])
        if end > size:
            return None
        name = data[at + 3 : middle].decode("utf-8", "replace") or name
        response.attributes.setdefault(name, []).append((tag, data[middle + 2 : end]))
        at = end
    return None

"""A frame described in a line of text, and the frames of that kind found in a stream of bytes.

    FF 68 {length} {length} 68 {address} {body} {sum} 16

| written | means |
| --- | --- |
| `FF` | this byte |
| `??` | any byte; 00 when we send it |
| `{address}` | the device's address, one byte |
| `{body}` | what is said: once in every frame |
| `{length}` | how many bytes from the address (from the body, if no address stands before it) to the body's end |
| `{length+2}` | the same and so many more, or less (`{length-1}`) |
| `{sum}` `{xor}` `{lrc}` `{crc16}` `{ccitt}` | a check value (`devices.pads.checks`) |
| `( … )` | what the check covers; without them, the bytes that `{length}` counts |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from devices.pads.checks import CHECKS

LONGEST_BODY = 24  # bytes, where a length says how long it is
LONGEST = 64  # parts of a template
JUNK = 256  # bytes outside frames before a line counts as garbled
_PART = re.compile(r"\s*(?:([0-9A-Fa-f]{2})|(\?\?)|\{([a-z0-9]+)([+-]\d{1,2})?\}|([()]))")
_BODY = re.compile(rf"([0-9A-F]{{2}}|\?\?){{1,{LONGEST_BODY}}}")


@dataclass(frozen=True)
class Found:
    """A whole frame with a right check."""

    frame: bytes
    address: int  # 0 when frames carry none
    body: bytes


def body_name(text: str) -> str:
    """A body as its table names it: hex pairs without spaces, `??` for any byte. Raises ValueError."""
    name = re.sub(r"\s", "", text).upper()
    if not _BODY.fullmatch(name):
        raise ValueError(f"write 1 to {LONGEST_BODY} bytes in hex, and ?? for any byte; got {text!r}")
    return name


def pattern(name: str) -> bytes:
    """The regular expression of a body's name."""
    return b"".join(b"." if pair == "??" else re.escape(bytes.fromhex(pair)) for pair in re.findall("..", name))


class Template:
    """A frame's shape. `bodies` are the names (`body_name`) of what is known to be said. Raises ValueError."""

    def __init__(self, text: str, bodies: Iterable[str] = ()) -> None:
        self.text = text
        self._parts = _parts(text)
        self._bodies = sorted(set(bodies), key=lambda name: (-len(name), name.count("?"), name))
        self.addressed = "address" in self._kinds
        self.counted = "length" in self._kinds
        self.check = next((kind for kind in self._kinds if kind in CHECKS), "")
        self._look_over()
        # One byte that is always the same proves little: then only what is known counts as a frame.
        firm = sum(kind == "byte" for kind in self._kinds)
        self._known_only = not self.check and firm < 2
        sizes = {len(name) // 2 for name in self._bodies}
        self._sizes = sorted(sizes if self._known_only or not self.counted else range(1, LONGEST_BODY + 1))[::-1]
        if not self._sizes:
            raise ValueError("a frame without {length} needs to know what may be said: fill a table of keys or grades")
        self._frame = re.compile(b"|".join(self._pattern(size) for size in self._sizes), re.DOTALL)
        self.longest = self._size(max(self._sizes))
        self._shortest = self._size(0)
        self._places = {size: self._laid_out(size) for size in self._sizes}
        self._names = [(re.compile(pattern(name), re.DOTALL), name) for name in self._bodies if "?" in name]
        self._exact = {bytes.fromhex(name): name for name in self._bodies if "?" not in name}

    def name_of(self, body: bytes) -> str:
        """The name this body goes by in the tables; a body nobody named is called by its bytes."""
        if body in self._exact:
            return self._exact[body]
        return next((name for known, name in self._names if known.fullmatch(body)), body.hex().upper())

    def pack(self, address: int, body: bytes) -> bytes:
        """A frame that says this."""
        out, cover, count = b"", slice(*self._covered(len(body))), self._counts(len(body))
        for kind, value in self._parts:
            if kind == "address":
                out += bytes((address,))
            elif kind == "body":
                out += body
            elif kind == "length":
                out += bytes(((count + value) & 0xFF,))
            elif kind in CHECKS:
                out += CHECKS[kind][1](out[cover])
            elif kind in ("byte", "any"):
                out += bytes((value,))
        return out

    def open(self, frame: bytes) -> Found | None:
        """A whole frame taken apart; None when it is none, or its check is wrong."""
        if not self._frame.fullmatch(frame):
            return None
        size = len(frame) - self._shortest
        body, address, covered, check = self._places[size]
        if self.check and CHECKS[self.check][1](frame[covered]) != frame[check]:
            return None
        return Found(frame, frame[address] if self.addressed else 0, frame[body : body + size])

    def search(self, data: bytes, start: int = 0) -> Iterator[tuple[int, Found]]:
        """Every frame in these bytes, each with where it ends."""
        while match := self._frame.search(data, start):
            found = self.open(match[0])
            start = match.end() if found else match.start() + 1
            if found:
                yield start, found

    @property
    def _kinds(self) -> list[str]:
        return [kind for kind, _ in self._parts]

    def _look_over(self) -> None:
        kinds = self._kinds
        if kinds.count("body") != 1:
            raise ValueError("{body} must stand in it once")
        if kinds.count("address") > 1:
            raise ValueError("{address} may stand in it once")
        checks = [kind for kind in kinds if kind in CHECKS]
        if len(checks) > 1:
            raise ValueError("it may have one check value")
        if kinds.count("(") != kinds.count(")") or kinds.count("(") > 1:
            raise ValueError("one pair of brackets may stand in it")
        if "(" in kinds and not checks:
            raise ValueError("brackets say what a check value covers, and there is none")
        if checks and not kinds.index("body") < kinds.index(checks[0]):
            raise ValueError("the check value must come behind {body}")
        if "(" in kinds and not kinds.index("(") < kinds.index(")") < kinds.index(checks[0]):
            raise ValueError("the brackets must be closed before the check value")

    def _width(self, kind: str, size: int) -> int:
        if kind == "body":
            return size
        return CHECKS[kind][0] if kind in CHECKS else 0 if kind in "()" else 1

    def _size(self, body: int) -> int:
        return sum(self._width(kind, body) for kind in self._kinds)

    def _at(self, wanted: str, size: int) -> int:
        """Where a part begins in a frame whose body has this size."""
        kinds = self._kinds
        return sum(self._width(kind, size) for kind in kinds[: kinds.index(wanted)])

    def _first(self) -> str:
        """What is counted begins here."""
        kinds = self._kinds
        return "address" if self.addressed and kinds.index("address") < kinds.index("body") else "body"

    def _counts(self, size: int) -> int:
        return self._at("body", size) + size - self._at(self._first(), size)

    def _covered(self, size: int) -> tuple[int, int]:
        """From where to where the check counts."""
        if "(" in self._kinds:
            return self._at("(", size), self._at(")", size)
        start = self._at(self._first(), size)
        return start, self._at("body", size) + size

    def _laid_out(self, size: int) -> tuple[int, int, slice, slice]:
        """Where body, address, what is covered and the check value stand; what is not there stands at 0."""
        check = self._at(self.check, size) if self.check else 0
        return (
            self._at("body", size),
            self._at("address", size) if self.addressed else 0,
            slice(*self._covered(size)),
            slice(check, check + self._width(self.check, size)) if self.check else slice(0),
        )

    def _pattern(self, size: int) -> bytes:
        out = b""
        for kind, value in self._parts:
            if kind == "byte":
                out += re.escape(bytes((value,)))
            elif kind == "length":
                out += re.escape(bytes(((self._counts(size) + value) & 0xFF,)))
            elif kind == "body" and self._known_only:
                fitting = [pattern(name) for name in self._bodies if len(name) == 2 * size]
                out += b"(?:%s)" % b"|".join(fitting)
            elif kind not in ("(", ")"):
                out += b".{%d}" % self._width(kind, size)
        return out


class Stream:
    """Frames of one kind in what a device says, whatever the pieces. Keeps less than one frame."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.junk = 0  # bytes outside frames since the last one
        self.tail = b""

    def feed(self, data: bytes) -> Iterator[Found]:
        """Every frame that is complete with these bytes."""
        held, kept = self.tail + data, 0
        for end, found in self.template.search(held):
            kept, self.junk = end, 0
            yield found
        cut = max(kept, len(held) - self.template.longest + 1)  # the rest may still become a frame
        self.junk += cut - kept
        self.tail = held[cut:]

    def babbles(self) -> bool:
        """True once each time that so much has come outside frames that the line counts as garbled."""
        if self.junk < JUNK:
            return False
        self.junk = 0
        return True

    def quiet(self) -> None:
        """The line is quiet: half a frame will not become a whole one."""
        self.junk += len(self.tail)
        self.tail = b""


def _parts(text: str) -> list[tuple[str, int]]:
    """A template's parts: kind, and a byte or what is to be added to a length."""
    parts: list[tuple[str, int]] = []
    at = 0
    while at < len(text.rstrip()):
        found = _PART.match(text, at)
        if not found:
            raise ValueError(f"at {text[at:].strip()[:12]!r}: write bytes in hex and parts such as {{body}}")
        byte, any_, word, more, bracket = found.groups()
        if word and (word not in ("address", "body", "length", *CHECKS) or (more and word != "length")):
            known = ", ".join(f"{{{one}}}" for one in ("address", "body", "length", *CHECKS))
            raise ValueError(f"there is no part {{{word}{more or ''}}}; there are: {known}")
        if byte:
            parts.append(("byte", int(byte, 16)))
        elif any_:
            parts.append(("any", 0))
        else:
            parts.append((word or bracket, int(more or 0)))
        at = found.end()
    if len(parts) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} parts")
    return parts

"""Works out what a pad's frames look like from recordings of its keys: header, length, address, body, check, end.

What it finds is a guess that fits every recording, and is tried on every one of them before it is handed out. Where no
structure fits, each key is known by everything it sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from devices.pads.checks import CHECKS
from devices.pads.frames import Stream, Template
from devices.pads.recordings import Presses, cleaned, tables

MOST_END = 4  # bytes behind a check value
FIRM = 2  # bytes that are always the same: fewer prove nothing


@dataclass(frozen=True)
class Shape:
    """A way to cut every frame: a beginning, a body, a check value that counts from `covers`, `end` bytes."""

    head: int
    end: int
    check: str = ""
    covers: int = 0

    @property
    def rest(self) -> int:
        """Bytes behind the body."""
        return self.end + (CHECKS[self.check][0] if self.check else 0)

    def body(self, frame: bytes) -> bytes:
        """What is said."""
        return frame[self.head : len(frame) - self.rest]


WHOLE = Shape(0, 0)


def learn(presses: Presses) -> dict[str, Any]:
    """Options of `framed-pad` that understand these presses. Raises ValueError with a sentence."""
    recorded = cleaned(presses)
    _tell_apart(recorded)
    frames = list(dict.fromkeys(frame for sent in recorded.values() for frame in sent))
    for shape in _shapes(frames):
        options = _options(shape, recorded, frames)
        if options is not None and _understands(options, recorded):
            return options
    raise ValueError("the keys cannot be told apart by what they send; press each key alone, with pauses")


def _tell_apart(recorded: dict[str, list[bytes]]) -> None:
    owner: dict[bytes, str] = {}
    for name, sent in recorded.items():
        if len({len(frame) for frame in sent}) > 1:
            raise ValueError(f"{name} sends another number of bytes each time; press the keys one at a time")
        for frame in sent:
            if owner.setdefault(frame, name) != name:
                raise ValueError(f"{owner[frame]} and {name} send the same bytes ({frame.hex(' ').upper()})")


def _shapes(frames: Sequence[bytes]) -> Iterator[Shape]:
    """Ways to cut the frames, the most telling first."""
    shortest = min(map(len, frames))
    head, counts = 0, _counts_in(frames)
    while head < shortest and (head in counts or len({frame[head] for frame in frames}) == 1):
        head += 1
    end = 0
    while end < shortest and len({frame[-1 - end] for frame in frames}) == 1:
        end += 1
    for check in CHECKS:
        for behind in range(min(end, MOST_END), -1, -1):
            rest = behind + CHECKS[check][0]
            most = min(head, shortest - rest - 1)
            starts = [start for start in range(most + 1) if _fits(frames, check, start, behind)]
            for start in sorted(starts, key=lambda at: (not _lengths(frames, at, rest), at)):
                yield Shape(most, behind, check, start)
    if head + end < shortest:
        yield Shape(head, end)
    yield WHOLE


def _counts_in(frames: Sequence[bytes]) -> frozenset[int]:
    """Places that say how long a frame is, where frames differ in length."""
    if len(set(map(len, frames))) == 1:
        return frozenset()
    shortest = min(map(len, frames))
    return frozenset(at for at in range(shortest) if len({len(frame) - frame[at] for frame in frames}) == 1)


def _fits(frames: Sequence[bytes], check: str, start: int, behind: int) -> bool:
    """True when this check, counted from here, is right in every frame, and not always the same."""
    width, work_out = CHECKS[check]
    values = set()
    for frame in frames:
        at = len(frame) - behind - width
        if at <= start or work_out(frame[start:at]) != frame[at : at + width]:
            return False
        values.add(frame[at : at + width])
    return len(values) > 1


def _lengths(frames: Sequence[bytes], start: int, rest: int) -> frozenset[int]:
    """Places before `start` that say how many bytes there are from there to the body's end."""
    return frozenset(at for at in range(start) if all(frame[at] == len(frame) - rest - start for frame in frames))


def _options(shape: Shape, recorded: dict[str, list[bytes]], frames: Sequence[bytes]) -> dict[str, Any] | None:
    """The options for frames of this shape; None when it proves too little."""
    first, size = frames[0], len(frames[0]) - shape.rest
    exact = _lengths(frames, shape.covers, shape.rest) if shape.check else frozenset()
    lengths = exact | {at for at in _counts_in(frames) if at < shape.head}
    # What is counted begins with the address, in all frames we know of; one pad has always the same.
    addressed = bool(exact) and shape.covers < shape.head
    counted = shape.covers if addressed else shape.head
    parts = []
    for at in range(shape.head + 1):
        if shape.check and at == shape.covers != counted:
            parts.append("(")
        if at == shape.head:
            parts.append("{body}")
        elif addressed and at == shape.covers:
            parts.append("{address}")
        elif at in lengths:
            more = first[at] - (size - counted)
            parts.append(f"{{length{more:+d}}}" if more else "{length}")
        else:
            parts.append(f"{first[at]:02X}")
    if "(" in parts:
        parts.append(")")
    if shape.check:
        parts.append(f"{{{shape.check}}}")
    parts += [f"{byte:02X}" for byte in first[len(first) - shape.end :]] if shape.end else []
    firm = sum(len(part) == 2 for part in parts)
    differ = len(set(map(len, frames))) > 1
    if shape != WHOLE and ((not shape.check and firm < FIRM) or (differ and not lengths)):
        return None
    named = {_named([shape.body(frame) for frame in sent]): key for key, sent in recorded.items()}
    options: dict[str, Any] = {"frame": " ".join(parts), **tables(named)}
    return {**options, "addresses": [first[shape.covers]]} if addressed else options


def _named(bodies: Sequence[bytes]) -> str:
    """A body's name; bytes that differ from press to press may be any."""
    return "".join("??" if len(set(column)) > 1 else f"{column[0]:02X}" for column in zip(*bodies, strict=True))


def _understands(options: dict[str, Any], recorded: dict[str, list[bytes]]) -> bool:
    """True when every press, heard with these options, is that key and nothing else."""
    meanings = {**options["keys"], **{name: str(grade) for name, grade in options["grades"].items()}}
    if len(meanings) < len(recorded):
        return False
    try:
        template = Template(options["frame"], meanings)
    except ValueError:  # too long for a body, for one
        return False
    stream = Stream(template)
    for key, sent in recorded.items():
        for frame in sent:  # byte by byte: what begins like another key is not that key
            heard = [found for byte in frame for found in stream.feed(bytes((byte,)))]
            if [meanings.get(template.name_of(found.body)) for found in heard] != [key]:
                return False
    return True

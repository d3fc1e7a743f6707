"""What learning mode makes of recorded presses of a pad: the options of `hid-pad`.

A key goes by one of the words of `Key` (`call_next`), a rating key by its grade (`5` to `1`, `0` for none in time).
What was recorded is either what a keyboard says (`devices.hid.events`) or raw reports; nothing else needs to be told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from devices.hid.names import pressed
from devices.hid.reports import MOST, Names, merged, overlap
from devices.pads.recordings import Presses, check, tables

MODIFIERS = frozenset(f"KEY_{side}{key}" for side in ("LEFT", "RIGHT") for key in ("SHIFT", "CTRL", "ALT", "META"))


def learn(presses: Presses) -> dict[str, Any]:
    """The options of a pad. `presses`: name of a key → what came at each of two presses of it, or more.

    Raises ValueError with a sentence when the keys cannot be told apart.
    """
    check(presses)
    try:
        typed = {name: [pressed(one) for one in sent] for name, sent in presses.items()}
    except ValueError:
        return _from_reports(presses)
    return _from_keys(typed)


def _from_keys(typed: Mapping[str, Sequence[list[str]]]) -> dict[str, Any]:
    """A pad that types: each key is told by the first key it types that no other does, rather a letter's than shift."""
    said: dict[str, list[str]] = {}
    for name, presses in typed.items():
        if not presses[0]:
            raise ValueError(f"{name} was pressed and no key came; press the keys one at a time")
        if any(one != presses[0] for one in presses):
            raise ValueError(f"{name} did not say the same each time; press the keys one at a time")
        said[name] = presses[0]
    named: dict[str, str] = {}
    for name, keys in said.items():
        others = {key for other, theirs in said.items() if other != name for key in theirs}
        own = next((key for key in sorted(keys, key=MODIFIERS.__contains__) if key not in others), None)
        if own is None:
            twin = next(other for other, theirs in said.items() if other != name and set(theirs) & set(keys))
            raise ValueError(f"{name} and {twin} cannot be told apart: both type {', '.join(keys)}")
        named[own] = name
    ignored = sorted({key for keys in said.values() for key in keys} - set(named))
    return {"source": "keys", **tables(named), "ignored": ignored}


def _from_reports(presses: Presses) -> dict[str, Any]:
    """A pad that sends reports: the first that does not say that it was let go is the key's."""
    every = [one for sent in presses.values() for one in sent]
    length, release = _shape(every)
    if length > MOST:
        raise ValueError(f"a press sent {length} bytes, more than any report has; press the keys one at a time")
    names: dict[str, str] = {}
    for name, sent in presses.items():
        heard = [[chunk for chunk in _chunks(one, length) if chunk != release] for one in sent]
        names[name] = merged(chunks[0] for chunks in heard)
        if set(names[name]) == {"?"}:
            raise ValueError(f"{name} did not say the same each time; press the keys one at a time")
        known = Names([names[name]])
        for chunks in heard:
            if not all(known.of(chunk) for chunk in chunks):
                raise ValueError(f"{name} sent reports that differ in one press; press the keys one at a time")
    for one, other in combinations(names, 2):
        if overlap(names[one], names[other]):
            raise ValueError(f"{one} and {other} cannot be told apart: both send {names[one]}")
    named = {wire: name for name, wire in names.items()}
    return {"source": "reports", "report": length, "release": release.hex().upper(), **tables(named)}


def _shape(recorded: Sequence[bytes]) -> tuple[int, bytes]:
    """How long the reports are, and the one that says that no key is held; empty when there is none.

    Every press of every key ends with that report, if there is one, and none begins with it. Where a press is all of
    one report, half of it may look so: it does no harm, since it is read half by half then.
    """
    whole = math.gcd(*map(len, recorded))
    for length in (whole, whole // 2):
        last = {one[-length:] for one in recorded}
        if length and whole % length == 0 and len(last) == 1:
            [release] = last
            if all(len(one) > length and one[:length] != release for one in recorded):
                return length, release
    return whole, b""


def _chunks(data: bytes, length: int) -> list[bytes]:
    return [data[at : at + length] for at in range(0, len(data), length)]

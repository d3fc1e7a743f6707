"""What learning mode has recorded: for each key, what the pad sent when it was pressed, at least twice.

A key goes by one of the words of `Key` (`call_next`), a rating key by its grade (`5` to `1`, `0` for none in time).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from devices.roles import Key

GRADES = ("5", "4", "3", "2", "1", "0")
LEAST = 2  # presses of each key
LONGEST = 64  # bytes of one press
REPEATED = 3  # bytes at least of what a pad says several times for one press

Presses = Mapping[str, Sequence[bytes]]


def check(presses: Presses) -> None:
    """Raises ValueError with a sentence when recordings are no use."""
    if not presses:
        raise ValueError("nothing was recorded; press each key at least twice")
    for name, sent in presses.items():
        if name not in set(Key) and name not in GRADES:
            raise ValueError(f"there is no key {name!r}; there are: {', '.join((*Key, *GRADES))}")
        if len(sent) < LEAST:
            raise ValueError(f"{name} was pressed once only; press it at least twice")
        if not all(sent):
            raise ValueError(f"{name} was pressed and nothing came; check the cable and the speed (baud)")


def cleaned(presses: Presses, repeated: int = REPEATED) -> dict[str, list[bytes]]:
    """The recordings, each without the pad's own repeats, which have so many bytes at least. Raises as `check`."""
    check(presses)
    for name, sent in presses.items():
        if max(map(len, sent)) > LONGEST:
            raise ValueError(f"{name} sent more than {LONGEST} bytes; press the keys one at a time")
    return {name: [once(data, repeated) for data in sent] for name, sent in presses.items()}


def once(data: bytes, least: int) -> bytes:
    """What was said, when it was said several times in a row."""
    for size in range(least, len(data) // 2 + 1):
        if len(data) % size == 0 and data == data[:size] * (len(data) // size):
            return data[:size]
    return data


def tables(named: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The options `keys` and `grades`, from what each key goes by on the wire → its name."""
    return {
        "keys": {wire: name for wire, name in named.items() if name not in GRADES},
        "grades": {wire: int(name) for wire, name in named.items() if name in GRADES},
    }

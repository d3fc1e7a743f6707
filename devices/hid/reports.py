"""Raw HID reports by name: a report's bytes in hex, with ?? for a byte that does not matter (a counter, a clock)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r"(?:[0-9A-F]{2}|\?\?)+")
MOST = 1024  # bytes in a report: the longest of a high-speed interrupt pipe
REMEMBERED = 4096  # reports whose meaning is kept


def written(name: str, length: int) -> str:
    """The one way a name is written: `00003A00`. Raises ValueError when it is none, or of another length."""
    name = re.sub(r"[\s:]", "", name).upper()
    if not _NAME.fullmatch(name):
        raise ValueError(f"write the bytes of a report in hex, ?? for any byte; got {name!r}")
    if len(name) != 2 * length:
        raise ValueError(f"{name} has {len(name) // 2} bytes, and reports of this device have {length}")
    return name


def merged(reports: Iterable[bytes]) -> str:
    """The name that fits all of these reports, which have one length."""
    columns = zip(*reports, strict=True)
    return "".join(f"{column[0]:02X}" if len(set(column)) == 1 else "??" for column in columns)


def overlap(one: str, other: str) -> bool:
    """True when a report could have both names."""
    return all(a == b or "?" in a + b for a, b in zip(_pairs(one), _pairs(other), strict=True))


def bytes_of(name: str) -> bytes:
    """A report with this name."""
    return bytes.fromhex(name.replace("??", "00"))


class Names:
    """Which of these names a report has."""

    def __init__(self, names: Iterable[str]) -> None:
        self._plain = {bytes_of(name): name for name in names if "?" not in name}
        self._open = [(re.compile(_pattern(name), re.DOTALL), name) for name in names if "?" in name]
        self._known: dict[bytes, str] = {}

    def of(self, report: bytes) -> str:
        """Its name; empty when it has none of them."""
        name = self._plain.get(report)
        if name is not None or not self._open:
            return name or ""
        name = self._known.get(report)
        if name is None:
            name = next((name for pattern, name in self._open if pattern.fullmatch(report)), "")
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[report] = name
        return name


def _pairs(name: str) -> list[str]:
    return [name[at : at + 2] for at in range(0, len(name), 2)]


def _pattern(name: str) -> bytes:
    return b"".join(b"." if pair == "??" else re.escape(bytes.fromhex(pair)) for pair in _pairs(name))

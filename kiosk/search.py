"""Finds a service by what one can type with one finger: initials of its pinyin (SB for 社保), or its characters."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A service with what it can be found by; `initials` has one letter per character of its name."""

    service: Record
    name: str
    initials: str
    english: str


@dataclass(frozen=True)
class Index:
    """All services of the hall, ready to be searched."""

    entries: tuple[Entry, ...] = ()

    def find(self, typed: str) -> list[Record]:
        """Services that fit what was typed, the best first. Letters are initials or the beginning of English words."""
        typed = typed.strip()
        if not typed:
            return [entry.service for entry in self.entries]
        ranked = [
            (rank, number) for number, entry in enumerate(self.entries) if (rank := _rank(entry, typed)) is not None
        ]
        return [self.entries[number].service for _, number in sorted(ranked)]

    def characters(self, typed: str) -> list[str]:
        """Chinese characters that may be typed next: those of the services still in question, commonest first."""
        left = {str(service["code"]) for service in self.find(typed)}
        count: dict[str, int] = {}
        for entry in self.entries:
            if str(entry.service["code"]) in left:
                for character in dict.fromkeys(entry.name):
                    if "\u4e00" <= character <= "\u9fff" and character not in typed:
                        count[character] = count.get(character, 0) + 1
        return sorted(count, key=lambda character: (-count[character], character))

    def letters(self, typed: str) -> set[str]:
        """Letters that still lead somewhere; the others would find nothing."""
        return {letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if self.find(typed + letter)}


def build(services: Iterable[Record], initials: Mapping[str, str]) -> Index:
    """The index of these services; `initials` as `read_aloud` gives them."""
    entries = []
    for service in services:
        name = str(service["name"])
        entries.append(Entry(service, name, initials.get(name, ""), str(service.get("english", "")).upper()))
    return Index(tuple(entries))


def read_aloud(names: Iterable[str]) -> dict[str, str]:
    """Name → initials of its pinyin. A second process does it: the dictionary is large, and a window must not wait.

    Raises OSError or subprocess.SubprocessError when that process cannot run.
    """
    root = Path(__file__).resolve().parent.parent
    answer = subprocess.run(
        [sys.executable, "-m", "kiosk.search"],
        input=json.dumps(list(names)),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
        cwd=root,
    )
    found: dict[str, str] = json.loads(answer.stdout)
    return found


def initials_of(name: str) -> str:
    """One letter for each character of a name, the whole word deciding (重新 is CX, 重要 is ZY)."""
    from pypinyin import Style, lazy_pinyin

    # `errors=list`: what is no Chinese character stands for itself, letter by letter
    letters = lazy_pinyin(name, style=Style.FIRST_LETTER, errors=list)  # type: ignore[arg-type]
    return "".join(letter[:1] for letter in letters).upper()


def _rank(entry: Entry, typed: str) -> tuple[int, int] | None:
    """How well a service fits; less is better, None: not at all."""
    upper = typed.upper()
    if upper.isascii():
        at = entry.initials.find(upper)
        if at >= 0:
            return (0 if at == 0 else 1, at)
        words = entry.english.split()
        return (2, 0) if any(word.startswith(upper) for word in words) else None
    at = entry.name.find(typed)
    if at >= 0:
        return (0, at)
    letters = iter(entry.name)  # the characters in their order, others between them
    return (1, 0) if all(character in letters for character in typed) else None


if __name__ == "__main__":
    json.dump({name: initials_of(name) for name in json.load(sys.stdin)}, sys.stdout)

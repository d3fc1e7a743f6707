"""What the keys of a pad mean: a table from whatever names a key on the wire to the clerk's action or the grade.

A name is text: `0C` (bytes in hex), `N` (a character), `KEY_F1` (a keyboard's key). Grades run from 5 (very satisfied)
to 1 (very dissatisfied); 0 says that the citizen gave none in time. Rating codes are no standard: each device has its
own table, and `RATINGS` only spares the typing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from devices.roles import CALL_PAD, EVALUATOR, Key, KeyPressed, News, Rated, Role

T = TypeVar("T")

# Rating code → grade. No two makers agree; each is named by where it was seen.
RATINGS: dict[str, dict[int, int]] = {
    "bank": {1: 5, 2: 4, 3: 3, 4: 2, 5: 1},
    "web-new": {0: 0, 1: 5, 2: 4, 3: 3, 4: 2, 5: 2},
    "web-old": {4: 5, 1: 4, 2: 3, 3: 2},
    "police": {3: 5, 2: 4, 1: 3, 0: 2},
    "reverse": {1: 1, 2: 2, 3: 3, 4: 4, 5: 5},
    "four": {1: 5, 2: 4, 3: 3, 4: 2},
}


def rating_names(preset: str) -> dict[str, int]:
    """Rating code as text → grade, of one of `RATINGS`; nothing for any other word."""
    return {str(code): grade for code, grade in RATINGS.get(preset, {}).items()}


@dataclass(frozen=True)
class KeyTable:
    """A pad's keys by name. Raises ValueError naming `keys` or `grades` when a meaning is none, or a key has two."""

    keys: Mapping[str, str]  # name → one of `Key`
    grades: Mapping[str, int]  # name → grade 5 to 1, or 0

    def __post_init__(self) -> None:
        for name, meaning in self.keys.items():
            if meaning not in set(Key):
                raise ValueError(f"keys: {name} must be one of {', '.join(Key)}; got {meaning!r}")
            if name in self.grades:
                raise ValueError(f"keys: {name} has a grade already; a key means one thing")
        for name, grade in self.grades.items():
            if not 0 <= grade <= 5:
                raise ValueError(f"grades: {name} must be a grade from 5 to 1, or 0 for none in time; got {grade}")

    @classmethod
    def of(cls, keys: Mapping[str, str], grades: Mapping[str, int], named: Callable[[str], str] = str) -> KeyTable:
        """A table whose names are first written the one way `named` writes them. Raises ValueError naming the table."""
        if not keys and not grades:
            raise ValueError("keys and grades are both empty; a pad has keys of one kind at least")
        both: list[dict[str, Any]] = []
        for place, table in (("keys", keys), ("grades", grades)):
            both.append({at(place, lambda name=name: named(name)): meaning for name, meaning in table.items()})  # type: ignore[misc]
            if len(both[-1]) < len(table):
                raise ValueError(f"{place}: the same key stands in it twice")
        return cls(*both)

    @property
    def roles(self) -> tuple[Role, ...]:
        """What a pad with such keys is for."""
        return (CALL_PAD,) * bool(self.keys) + (EVALUATOR,) * bool(self.grades)

    def news(self, name: str, address: int = 0, code: str = "") -> News:
        """What pressing this key means; one without a meaning is `Key.OTHER`. `code`: the raw key, if not `name`."""
        code = code or name
        if name in self.grades:
            return Rated(address=address, grade=self.grades[name] or None, code=code)
        return KeyPressed(address=address, key=Key(self.keys.get(name, Key.OTHER)), code=code)

    def name(self, news: News) -> str:
        """The first key that means this, for simulators. Raises ValueError when no key does."""
        if isinstance(news, KeyPressed):
            found = [name for name, meaning in self.keys.items() if meaning == news.key]
            wanted: object = news.key.value
        elif isinstance(news, Rated):
            found = [name for name, grade in self.grades.items() if grade == (news.grade or 0)]
            wanted = f"grade {news.grade}"
        else:
            raise ValueError(f"a pad cannot have {type(news).__name__}")
        if not found:
            raise ValueError(f"no key of this pad means {wanted}")
        return found[0]


def at(place: str, make: Callable[[], T]) -> T:
    """What `make` makes; the ValueErrors it raises name the option."""
    try:
        return make()
    except ValueError as wrong:
        raise ValueError(f"{place}: {wrong}") from None

"""What the terminal knows about the person in front of it, and how it forgets all of it.

A session begins with the first touch and ends with `wipe`. A card is read into four harmless words (masked name,
masked number, age, kind); the card's own strings are overwritten in place the moment these are taken, because a
Python string that is merely dropped stays readable in the memory of the process until something happens to reuse it.
"""

from __future__ import annotations

import ctypes
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from devices.roles import CardPresented
from kiosk.papers import Corners, Pixels, Preview, Taken, Uncut

Record = Mapping[str, Any]  # a JSON object as the hall sent it
_ASCII_HEADER = sys.getsizeof("") - 1  # bytes before the letters of an ASCII string
_OTHER_HEADER = sys.getsizeof("é") - 2  # … and of any other


@dataclass(frozen=True)
class Shown:
    """What may be shown of a card: 张**, 1101**********1234, and the age in whole years (None: not on this card)."""

    name: str
    number: str
    age: int | None
    kind: str


@dataclass
class Session:
    """One person's visit to this terminal. Every field has a harmless default; `wipe` puts all of them back."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    elder: bool = False
    language: str = "zh_CN"
    category: Record | None = None
    service: Record | None = None  # a service of the hall, or a queue taken as one (综合窗口)
    priority: Record | None = None  # the priority class the person claims
    key: str = ""  # one intent, one key: asking again with it never makes a second ticket
    ticket: Record | None = None
    printing: str = ""  # "", printing, printed, sent, paper, fault, unknown, none
    card: Shown | None = None
    sheets: tuple[Taken, ...] = ()  # pages taken by the camera
    kept: frozenset[int] = frozenset()  # those the person keeps although something is wrong with them
    changed: bool = False  # there has been a page, and so there may be something to take back
    retaking: bool = False  # the next page replaces one that was not good
    chosen: int = 0  # the page being looked at
    sheet: Pixels | None = None  # the same, large
    uncut: Uncut | None = None  # the picture it was cut from, while it is cropped by hand
    cut: Corners = ()  # where the person wants it cut
    preview: Preview | None = None
    mark: bool = False  # the copy says what it is for
    copying: str = ""  # "", printing, done, unknown, paper, failed
    typed: str = ""
    cause: str = ""  # which trouble the fault page explains
    detail: str = ""  # the hall's own sentence about it
    waiting: str = ""  # what the terminal is doing just now for this person: issue, find, rejoin, reprint …
    history: list[str] = field(default_factory=list)  # pages behind this one

    def wipe(self, elder: bool = False, language: str = "zh_CN") -> None:
        """Forget the person; `elder` and `language` are how the next one finds the terminal."""
        clean = Session(elder=elder, language=language)
        self.history.clear()
        for each in fields(self):
            setattr(self, each.name, getattr(clean, each.name))

    @property
    def wanted(self) -> tuple[str, str]:
        """What a number is wanted for: ("service", code) or ("queue", code); ("", "") when nothing is chosen."""
        if self.service is None:
            return ("", "")
        return ("queue" if self.service.get("is_queue") else "service", str(self.service["code"]))


def look_at(card: CardPresented, today: date) -> Shown:
    """Take from a card what may be shown, then overwrite the card's own strings: nobody can use the card afterwards."""
    shown = Shown(
        name=masked_name(card.name or card.english_name),
        number=masked_number(card.id_number),
        age=age_on(card.birth, today),
        kind=card.kind,
    )
    shred(card)
    return shown


def masked_name(name: str) -> str:
    """The first character and one star for each further one, at most four: 张*, 买***."""
    return name[:1] + "*" * min(len(name) - 1, 4) if name else ""


def masked_number(number: str) -> str:
    """The first two and last two characters: enough to recognise one's own, too little to learn another's."""
    return f"{number[:2]}{'*' * max(len(number) - 4, 0)}{number[-2:]}" if len(number) > 4 else "*" * len(number)


def age_on(birth: str, today: date) -> int | None:
    """Whole years since `birth` (YYYYMMDD); None when that is no date."""
    if len(birth) != 8 or not birth.isdigit():
        return None
    try:
        born = date(int(birth[:4]), int(birth[4:6]), int(birth[6:]))
    except ValueError:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def shred(card: CardPresented) -> None:
    """Overwrite every personal string of a card in place, except those that somebody else still holds."""
    for each in fields(card):
        if not each.metadata.get("personal"):
            continue
        text = getattr(card, each.name)
        # Three holders are the card, `text` and the question itself. A fourth is a table of ours (names of nations),
        # a constant, or someone who has a right to the string.
        if len(text) > 1 and sys.getrefcount(text) <= 3:
            _fill_with_stars(text)


def _fill_with_stars(text: str) -> None:
    """Write over the letters of a string where they lie (CPython keeps them right behind the object's header)."""
    widest = max(map(ord, text))
    width = 1 if widest < 0x100 else 2 if widest < 0x10000 else 4
    start = id(text) + (_ASCII_HEADER if text.isascii() else _OTHER_HEADER)
    ctypes.memmove(
        start, "*".encode({1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}[width]) * len(text), width * len(text)
    )

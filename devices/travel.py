"""The machine-readable lines of passports, visas, cards and permits: what stands where, and whether it is right.

ICAO Doc 9303, parts 3 to 7: TD1 (three lines of 30), TD2 (two of 36), TD3 (two of 44), the visas MRV-A and MRV-B,
and the one line of 30 on the permit for Hong Kong and Macao. Years have two digits there: see `full_date`.

Of the permit's line only number, expiry and birth are judged: what its last digit covers is not public.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

FILLER = "<"
LEGAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<")
WEIGHTS = (7, 3, 1)

Place = tuple[int, int, int]  # line, first character, the one after the last


class LinesMistake(ValueError):
    """These fields do not fit into such a document."""


@dataclass(frozen=True)
class Layout:
    """What stands where on one kind of document. `checks`: the digit's place, and the places it covers, in order."""

    kind: str
    lines: int
    width: int
    begins: re.Pattern[str]  # the first line
    fields: Mapping[str, Place]
    checks: Mapping[str, tuple[Place, tuple[Place, ...]]]


def _two_lines(kind: str, width: int, begins: str, optional: Place, whole: bool, own: bool = False) -> Layout:
    """Passport, visa and card of two lines differ in their width and in what stands behind the expiry."""
    checks: dict[str, tuple[Place, tuple[Place, ...]]] = {
        "number": ((1, 9, 10), ((1, 0, 9),)),
        "birth": ((1, 19, 20), ((1, 13, 19),)),
        "expiry": ((1, 27, 28), ((1, 21, 27),)),
    }
    if own:
        checks["optional"] = ((1, 42, 43), (optional,))
    if whole:
        checks["composite"] = ((1, width - 1, width), ((1, 0, 10), (1, 13, 20), (1, 21, width - 1)))
    return Layout(
        kind,
        2,
        width,
        re.compile(begins),
        {
            "code": (0, 0, 2),
            "issuer": (0, 2, 5),
            "names": (0, 5, width),
            "number": (1, 0, 9),
            "nationality": (1, 10, 13),
            "birth": (1, 13, 19),
            "sex": (1, 20, 21),
            "expiry": (1, 21, 27),
            "optional": optional,
        },
        checks,
    )


TD1 = Layout(
    "TD1",
    3,
    30,
    re.compile("[ACI][A-Z<]"),
    {
        "code": (0, 0, 2),
        "issuer": (0, 2, 5),
        "number": (0, 5, 14),
        "optional": (0, 15, 30),
        "birth": (1, 0, 6),
        "sex": (1, 7, 8),
        "expiry": (1, 8, 14),
        "nationality": (1, 15, 18),
        "optional2": (1, 18, 29),
        "names": (2, 0, 30),
    },
    {
        "number": ((0, 14, 15), ((0, 5, 14),)),
        "birth": ((1, 6, 7), ((1, 0, 6),)),
        "expiry": ((1, 14, 15), ((1, 8, 14),)),
        "composite": ((1, 29, 30), ((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29))),
    },
)
TD2 = _two_lines("TD2", 36, "[ACIP][A-Z<]", (1, 28, 35), whole=True)
TD3 = _two_lines("TD3", 44, "P[A-Z<]", (1, 28, 42), whole=True, own=True)
MRVA = _two_lines("MRVA", 44, "V[A-Z<]", (1, 28, 44), whole=False)
MRVB = _two_lines("MRVB", 36, "V[A-Z<]", (1, 28, 36), whole=False)
PERMIT = Layout(
    "permit",
    1,
    30,
    re.compile("C[A-Z<][A-Z0-9]{9}.<.{6}.<.{6}.<.$"),
    {"code": (0, 0, 2), "number": (0, 2, 11), "expiry": (0, 13, 19), "birth": (0, 21, 27)},
    {
        "number": ((0, 11, 12), ((0, 2, 11),)),
        "expiry": ((0, 19, 20), ((0, 13, 19),)),
        "birth": ((0, 27, 28), ((0, 21, 27),)),
    },
)
LAYOUTS: Mapping[str, Layout] = {each.kind: each for each in (TD1, TD3, MRVA, TD2, MRVB, PERMIT)}

LETTERS = ("code", "issuer", "nationality", "names")  # no digit may stand there
DIGITS = ("birth", "expiry")  # no letter may; unknown parts of a birth are fillers
AS_DIGIT = dict(zip("OQDUILJZSBGTA", "0000111258674", strict=True))  # what a digit is taken for, and back
AS_LETTER = dict(zip("01256487", "OIZSGABT", strict=True))
TAKEN_FOR: Mapping[str, str] = {
    **AS_DIGIT,
    "0": "ODQ",
    "1": "IL",
    "2": "Z",
    "5": "S",
    "6": "G",
    "8": "B",
    "4": "A",
    "7": "T",
    "B": "8",
    "<": "KCL",
    "K": "<",
    "C": "<G",
}


@dataclass(frozen=True)
class Document:
    """What the lines say. `fields` by name, dates as printed (YYMMDD); `checks`: whether each check digit is right."""

    kind: str
    lines: tuple[str, ...]
    fields: Mapping[str, str]
    checks: Mapping[str, bool]

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the check digits that are wrong."""
        return tuple(name for name, right in self.checks.items() if not right)


def check_digit(text: str) -> str:
    """The check digit of these characters (7-3-1, modulo 10; A is 10, a filler is 0)."""
    return str(sum(_value(letter) * WEIGHTS[at % 3] for at, letter in enumerate(text)) % 10)


def _value(letter: str) -> int:
    return 0 if letter == FILLER else int(letter, 36)


def read(lines: Sequence[str]) -> Document | None:
    """The document whose lines these are, its check digits right or wrong; None when they have no such shape."""
    layout = layout_of(lines)
    return _document(layout, tuple(lines)) if layout else None


def layout_of(lines: Sequence[str]) -> Layout | None:
    """The kind of document with lines of this number and width, by its first letters; None: there is none."""
    if any(not LEGAL.issuperset(line) for line in lines):
        return None
    for layout in LAYOUTS.values():
        fits = len(lines) == layout.lines and all(len(line) == layout.width for line in lines)
        if fits and layout.begins.match(lines[0]):
            return layout
    return None


def _document(layout: Layout, lines: tuple[str, ...]) -> Document:
    fields = {name: _at(lines, place) for name, place in layout.fields.items()}
    if "names" in fields:
        surname, _, given = fields.pop("names").rstrip(FILLER).partition(FILLER * 2)
        fields |= {"surname": _spaced(surname), "given_names": _spaced(given)}
    more = _number_goes_on(layout, lines)
    if more:
        fields["number"] += more[:-1]
        fields["optional"] = fields["optional"][len(more) :]
    kept = {name: _spaced(value) if name != "birth" else value for name, value in fields.items()}
    return Document(layout.kind, lines, kept, {name: is_right(layout, lines, name) for name in layout.checks})


def _at(lines: Sequence[str], place: Place) -> str:
    line, first, last = place
    return lines[line][first:last]


def _spaced(text: str) -> str:
    return re.sub(FILLER + "+", " ", text).strip()


def _number_goes_on(layout: Layout, lines: Sequence[str]) -> str:
    """The rest of a number of more than nine characters and its check digit: a filler stands in the digit's place."""
    if layout.kind not in ("TD1", "TD2") or _at(lines, layout.checks["number"][0]) != FILLER:
        return ""
    more = _at(lines, layout.fields["optional"]).partition(FILLER)[0]
    return more if len(more) > 1 else ""


def is_right(layout: Layout, lines: Sequence[str], check: str) -> bool:
    """Whether this check digit is what it must be. A filler counts as 0 only where an optional field is empty."""
    place, covered = layout.checks[check]
    digit, text = _at(lines, place), "".join(_at(lines, each) for each in covered)
    if check == "number" and (more := _number_goes_on(layout, lines)):
        digit, text = more[-1], text + more[:-1]
    if check in DIGITS and not is_date(text):
        return False
    if digit == FILLER and check == "optional":
        return not text.strip(FILLER)
    return digit == check_digit(text)


def is_date(text: str) -> bool:
    """Six characters that can be a date: unknown parts of a birth are fillers or 00."""
    if not re.fullmatch("[0-9<]{6}", text):
        return False
    month, day = text[2:4], text[4:6]
    return (FILLER in month or int(month) <= 12) and (FILLER in day or int(day) <= 31)


def full_date(text: str, today: date, past: bool) -> str:
    """YYMMDD as YYYYMMDD: a date `past` (a birth) is not after today, another not fifty years away; else as it is."""
    if not text.isdigit() or len(text) != 6:
        return text
    year = today.year // 100 * 100 + int(text[:2])
    if past:
        year -= 100 if f"{year}{text[2:]}" > f"{today:%Y%m%d}" else 0
    elif year > today.year + 50:
        year -= 100
    elif year < today.year - 50:
        year += 100
    return f"{year}{text[2:]}"


# ---- writing, for a simulator --------------------------------------------------------------------------------


def write(kind: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    """The lines of a document with these fields, its check digits right. Raises LinesMistake when one does not fit."""
    if kind not in LAYOUTS:
        raise LinesMistake(f"kind: there is no {kind!r}; there are: {', '.join(LAYOUTS)}")
    layout = LAYOUTS[kind]
    rows = [[FILLER] * layout.width for _ in range(layout.lines)]
    given = dict(fields)
    if "names" in layout.fields:
        given["names"] = f"{given.pop('surname', '')}{FILLER * 2}{given.pop('given_names', '')}"
    for name, value in given.items():
        value = value.replace(" ", FILLER)
        if name not in layout.fields:
            if value:
                raise LinesMistake(f"{name}: a document of kind {kind} has no place for it")
            continue
        line, first, last = layout.fields[name]
        if not LEGAL.issuperset(value) or (len(value) > last - first and name != "names"):
            raise LinesMistake(f"{name}: holds {last - first} of A-Z, 0-9 and <")
        value = value[: last - first]  # long names are cut on the documents too
        rows[line][first : first + len(value)] = value
    for (line, first, _), covered in layout.checks.values():
        rows[line][first] = check_digit("".join("".join(rows[at][a:b]) for at, a, b in covered))
    lines = tuple("".join(row) for row in rows)
    if not layout.begins.match(lines[0]):
        raise LinesMistake(f"code: a document of kind {kind} does not begin with {lines[0][:2]!r}")
    return lines


# ---- mending what was read from a picture ----------------------------------------------------------------------


def mend(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines with mistaken characters put right, where the grammar demands it or check digits prove it.

    A letter where only a digit may stand, and the other way round, is exchanged for its look-alike. Within a field
    whose check digit is wrong, look-alikes are tried; one is taken only when it alone makes this digit right and the
    composite digit too.
    """
    demanded = _demanded(lines)
    layout = layout_of(demanded)
    if layout is None:
        return tuple(lines)
    out = demanded
    if "composite" in layout.checks:
        for check in layout.checks:
            if check != "composite" and not is_right(layout, out, check):
                out = _proved(layout, out, check)
        if not is_right(layout, out, "composite"):
            return demanded
    return out


def _demanded(lines: Sequence[str]) -> tuple[str, ...]:
    """A kind is only known once the first letters are letters, so these are looked at first."""
    lines = [_letters(lines[0][:2]) + lines[0][2:], *lines[1:]] if lines else []
    layout = layout_of(lines)
    if layout is None:
        return tuple(lines)
    rows = [list(line) for line in lines]
    for name, (line, first, last) in layout.fields.items():
        text = "".join(rows[line][first:last])
        if name in LETTERS:
            rows[line][first:last] = _letters(text)
        elif name in DIGITS:
            rows[line][first:last] = _digits(text)
        elif name == "sex" and text not in "MFX<":
            rows[line][first] = {"H": "M", "N": "M", "W": "M", "P": "F", "E": "F", "K": FILLER}.get(text, text)
    for (line, first, _), _covered in layout.checks.values():
        rows[line][first] = _digits(rows[line][first])
    return tuple("".join(row) for row in rows)


def _letters(text: str) -> str:
    return "".join(AS_LETTER.get(letter, letter) for letter in text)


def _digits(text: str) -> str:
    return "".join(AS_DIGIT.get(letter, letter) for letter in text)


def _proved(layout: Layout, lines: tuple[str, ...], check: str) -> tuple[str, ...]:
    """The one nearest exchange of look-alikes that makes `check` right, and the composite; else the lines as given.

    While another field is wrong too, the composite can say nothing yet; `mend` asks it in the end.
    """
    others = [name for name in layout.checks if name not in (check, "composite") and not is_right(layout, lines, name)]
    for level in _exchanges(layout, lines, check):
        found = {
            tried
            for tried in level
            if is_right(layout, tried, check) and (others or is_right(layout, tried, "composite"))
        }
        if found:
            return found.pop() if len(found) == 1 else lines
    return lines


def _exchanges(layout: Layout, lines: tuple[str, ...], check: str) -> Iterator[list[tuple[str, ...]]]:
    """Ways to exchange look-alikes under a check digit: one, all of one letter, two."""
    digit, covered = layout.checks[check]
    places = [(line, at) for line, first, last in (*covered, digit) for at in range(first, last)]
    one = [
        ((line, at), other)
        for line, at in places
        for other in TAKEN_FOR.get(lines[line][at], "")
        if other.isdigit() or (check not in DIGITS and (line, at) != digit[:2])
    ]
    yield [_with(lines, [change]) for change in one]
    kinds = {(lines[line][at], other) for (line, at), other in one}
    yield [
        _with(
            lines, [((line, at), other) for line, at in places if lines[line][at] == letter and (line, at) != digit[:2]]
        )
        for letter, other in sorted(kinds)
    ]
    yield [_with(lines, pair) for pair in itertools.combinations(one, 2) if pair[0][0] != pair[1][0]]


def _with(lines: tuple[str, ...], changes: Sequence[tuple[tuple[int, int], str]]) -> tuple[str, ...]:
    rows = [list(line) for line in lines]
    for (line, at), other in changes:
        rows[line][at] = other
    return tuple("".join(row) for row in rows)


def fitted(text: str, width: int) -> str:
    """A line of the right width when only its longest run of fillers was miscounted; otherwise as it is."""
    runs = sorted(re.finditer(FILLER + "+", text), key=lambda run: run.end() - run.start())
    if len(text) == width or not runs or abs(len(text) - width) > width // 2:
        return text
    run = runs[-1]
    length = run.end() - run.start() + width - len(text)
    return text if length < 1 else text[: run.start()] + FILLER * length + text[run.end() :]

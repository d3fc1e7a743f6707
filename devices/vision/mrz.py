"""Reads machine-readable lines from a picture: finds them, and decides by grammar, look and check digits what they say.

What stands there is what looks likeliest among what may stand at that place. Where a check digit then is wrong, the
next likeliest characters are tried, the likeliest first; they are taken when the digits come right, but only as long as
so few were tried that this is hardly chance. Otherwise the check is told wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from devices import travel
from devices.vision import flat, mrz_lines, ocrb
from devices.vision.mrz_lines import Found, Pyramid
from devices.vision.mrz_states import CODES
from devices.vision.pages import find_pages

LETTERS = np.array(list(ocrb.LETTERS))
ALPHABETIC = np.array([letter.isalpha() or letter == travel.FILLER for letter in ocrb.LETTERS])
DIGITS = np.array([letter.isdigit() for letter in ocrb.LETTERS])
FILLER = np.array([letter == travel.FILLER for letter in ocrb.LETTERS])
STATES = np.array([[ocrb.LETTERS.index(letter) for letter in code] for code in CODES])
STATE_LOSS = 10.0  # by so much (logarithm) a code that exists may look less likely than one that does not
# How much rarer (logarithm) than 0, 1 and 8 these are in numbers: most states leave them out, and exchanging some zeros
# for letters O, or an 8 for an S, leaves the check digit right.
RARE = {"O": 4.0, "Q": 2.0, "I": 1.5, "D": 1.0, "S": 1.5}
LIKELY_LOSS = 7.0  # by so much (logarithm) another character may look less likely and still be tried
MOST_LOSS = 8.0  # of all exchanges under one check digit together
BY_CHANCE = 0.2  # how many of the exchanges tried first may be expected to come right by chance
TRIED = 24  # exchanges tried in pairs
DOUBTFUL, CERTAIN = 2.2, 3.0  # mean evidence of lines with some, without any check digits right
LOOK_LIKE = -0.7  # mean logarithm per character of lines without check digits right


@dataclass(frozen=True)
class Read:
    """What the lines of a document say, and where their characters are: one n × 2 array a line, in pixels."""

    document: travel.Document
    places: tuple[np.ndarray, ...]
    sure: float

    @property
    def right(self) -> int:
        """How many check digits are right."""
        return sum(self.document.checks.values())

    @property
    def whole(self) -> bool:
        """Whether all of them are."""
        return not self.document.wrong


def read_mrz(bgr: np.ndarray) -> Read | None:
    """The machine-readable lines in a picture (h × w × 3, uint8, BGR), whichever way it is turned; None: no such.

    The picture is read as it is; where that is not wholly right, also its pages laid flat (`places` are those of the
    flat page then).
    """
    best: Read | None = None
    for look in _looks(bgr):
        read = _in(look)
        if read is not None and (best is None or (read.right, read.sure) > (best.right, best.sure)):
            best = read
        if best is not None and best.whole:
            break
    return best


def _looks(bgr: np.ndarray) -> Iterator[np.ndarray]:
    yield cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    for page in find_pages(bgr)[:2]:
        yield cv2.cvtColor(flat.rectify(bgr, page.corners), cv2.COLOR_BGR2GRAY)


def _in(grey: np.ndarray) -> Read | None:
    if min(grey.shape) < 40:
        return None
    pyramid = Pyramid(grey)
    best: Read | None = None
    for line in mrz_lines.find(pyramid)[:4]:
        for stack in _stacks(pyramid, line):
            read = _decided([mrz_lines.again(pyramid, each) for each in stack])
            if read is not None and (best is None or (read.right, read.sure) > (best.right, best.sure)):
                best = read
        if best is not None and best.whole:
            break
    return best


def _stacks(pyramid: Pyramid, line: Found) -> Iterator[list[Found]]:
    """The lines that may be one document with this one, from the top."""
    above = mrz_lines.beside(pyramid, line, -1)
    below = mrz_lines.beside(pyramid, line, 1)
    if len(line.places) != travel.TD1.width:
        if below:
            yield [line, below]
        if above:
            yield [above, line]
        return
    if above and below:
        yield [above, line, below]
    if below and (next_below := mrz_lines.beside(pyramid, below, 1)):
        yield [line, below, next_below]
    if above and (next_above := mrz_lines.beside(pyramid, above, -1)):
        yield [next_above, above, line]
    yield [line]


def _decided(stack: Sequence[Found]) -> Read | None:
    """The document these lines are; None when they look like none."""
    best: Read | None = None
    evidence = float(np.mean([line.evidence for line in stack]))
    for layout in travel.LAYOUTS.values():
        if len(stack) != layout.lines or len(stack[0].places) != layout.width:
            continue
        said = [np.where(may, line.said, -np.inf) for may, line in zip(_allowed(layout), stack, strict=True)]
        for name in ("issuer", "nationality"):
            _as_state(layout, said, name)
        for name in ("number", "optional", "optional2"):
            if name in layout.fields:
                line, first, last = layout.fields[name]
                for letter, rarer in RARE.items():
                    said[line][first:last, ocrb.LETTERS.index(letter)] -= rarer
        lines = tuple("".join(LETTERS[each.argmax(axis=1)]) for each in said)
        if not layout.begins.match(lines[0]):
            continue
        lines = _proved(layout, lines, said)
        document = travel.read(lines)
        if document is None or document.kind != layout.kind:
            continue
        like = float(np.mean([each.max(axis=1).mean() for each in said]))
        read = Read(document, tuple(line.places for line in stack), evidence + 2 * like)
        if _is_one(read, evidence, like) and (best is None or (read.right, read.sure) > (best.right, best.sure)):
            best = read
    return best


def _is_one(read: Read, evidence: float, like: float) -> bool:
    """Whether this is machine-readable print: by its check digits, or else by how it looks."""
    if read.right >= 3 and like > -2.0:
        return True
    if read.right >= 2 and like > -1.2:
        return evidence > DOUBTFUL
    return evidence > CERTAIN and like > LOOK_LIKE


def _allowed(layout: travel.Layout) -> list[np.ndarray]:
    """For each line, which of LETTERS may stand at each place: width × 37 bool."""
    out = [np.ones((layout.width, len(LETTERS)), bool) for _ in range(layout.lines)]
    for name, (line, first, last) in layout.fields.items():
        if name in travel.LETTERS:
            out[line][first:last] = ALPHABETIC
        elif name in travel.DIGITS:
            out[line][first:last] = DIGITS | FILLER if name == "birth" else DIGITS
        elif name == "sex":
            out[line][first:last] = np.isin(LETTERS, list("MFX<"))
    for name, ((line, first, _), _covered) in layout.checks.items():
        out[line][first] = DIGITS | FILLER if name in ("number", "optional") else DIGITS
    return out


def _as_state(layout: travel.Layout, said: Sequence[np.ndarray], field: str) -> None:
    """Take what is no state's code for the likeliest one that is, where that looks nearly as likely."""
    if field not in layout.fields:
        return
    line, first, last = layout.fields[field]
    look = said[line][first:last]
    codes = look[np.arange(3), STATES].sum(axis=1)
    best = int(codes.argmax())
    if codes[best] > look.max(axis=1).sum() - STATE_LOSS:
        for place, letter in enumerate(STATES[best]):
            others = np.arange(len(LETTERS)) != letter
            look[place, others] = np.minimum(look[place, others], look[place, letter] - 10.0)


def _proved(layout: travel.Layout, lines: tuple[str, ...], said: Sequence[np.ndarray]) -> tuple[str, ...]:
    """The lines with the characters exchanged that the check digits prove to be mistaken."""
    wrong = [name for name in layout.checks if not travel.is_right(layout, lines, name)]
    singles = [name for name in wrong if name != "composite"]
    for name in singles:
        others = [other for other in singles if other != name and not travel.is_right(layout, lines, other)]
        ask = [name] if others or "composite" not in layout.checks else [name, "composite"]
        lines = _exchanged(layout, lines, said, layout.checks[name], ask)
    if "composite" in wrong and not travel.is_right(layout, lines, "composite"):
        # What only the composite covers, and its own digit.
        lines = _exchanged(layout, lines, said, layout.checks["composite"], list(layout.checks))
    return lines


def _exchanged(
    layout: travel.Layout,
    lines: tuple[str, ...],
    said: Sequence[np.ndarray],
    check: tuple[travel.Place, tuple[travel.Place, ...]],
    ask: Sequence[str],
) -> tuple[str, ...]:
    """The likeliest exchange of one or two characters under this check digit that makes all of `ask` right."""
    digit, covered = check
    ways: list[tuple[float, tuple[int, int], str]] = []
    for line, first, last in (*covered, digit):
        for at in range(first, last):
            order = said[line][at]
            loss = float(order.max()) - order
            for letter in np.flatnonzero((loss > 0) & (loss <= LIKELY_LOSS)):
                ways.append((float(loss[letter]), (line, at), str(LETTERS[letter])))
    ways.sort()
    groups = [
        *((way,) for way in ways),
        *(pair for pair in itertools.combinations(ways[:TRIED], 2) if pair[0][1] != pair[1][1]),
    ]
    chance = len(ask)  # one in ten of any exchanges makes one digit right by chance, one in a hundred makes two
    for tries, group in enumerate(sorted(groups, key=lambda group: sum(way[0] for way in group)), 1):
        if sum(way[0] for way in group) > MOST_LOSS or tries > BY_CHANCE * 10 ** min(chance, 2):
            return lines
        tried = _with(lines, group)
        if all(travel.is_right(layout, tried, name) for name in ask):
            return tried
    return lines


def _with(lines: tuple[str, ...], ways: Sequence[tuple[float, tuple[int, int], str]]) -> tuple[str, ...]:
    rows = [list(line) for line in lines]
    for _, (line, at), letter in ways:
        rows[line][at] = letter
    return tuple("".join(row) for row in rows)

"""Reads the retail codes (EAN-13, UPC-A, EAN-8, UPC-E) as a whole instead of bar by bar.

Where the picture is soft or small, single bars run into one another and scanners that measure them misread or give up.
Here the brightness along the code is compared with what each digit would look like, all digits together, so that the
check digit and the pattern of odd and even sets decide. A reading counts only when it looks like its own picture and
nothing else that is valid comes near (`Reading.likeness`, `Reading.lead`).

Patterns: GS1 General Specifications, 5.2 (symbol character sets A, B, C; here L, G, R).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product

import cv2
import numpy as np

LENGTH, ROWS, BANDS = 900, 48, 5  # of the strip a code is laid out in; bands are read one by one
SIDE = 0.12  # of the strip's length, beside what was said to be the code
RANKS = 4  # so many digits are considered at a place, and at most two places are not the likeliest
PLACES = 3  # so many placements of a code in its strip are looked at closely
LEAST = 0.6  # likeness below which nothing is said
_L = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
_R = tuple(p.translate(str.maketrans("01", "10")) for p in _L)
_G = tuple(p[::-1] for p in _R)
SETS = {
    name: np.array([[int(bit) for bit in pattern] for pattern in rows], np.float32)
    for name, rows in (("L", _L), ("G", _G), ("R", _R))
}
FIRST = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")
UPCE = ("GGGLLL", "GGLGLL", "GGLLGL", "GGLLLG", "GLGGLL", "GLLGGL", "GLLLGG", "GLGLGL", "GLGLLG", "GLLGLG")


@dataclass(frozen=True)
class Reading:
    """`text` as GTIN-13 (GTIN-8 for EAN-8), `kind` EAN13, UPCA, EAN8 or UPCE."""

    kind: str
    text: str
    likeness: float  # correlation of the picture with this reading, at most 1
    lead: float  # how much less the next valid reading has


@dataclass(frozen=True)
class _Form:
    """One kind of symbol: its modules, where guards and digits lie, and which sets the digits may come from."""

    modules: int
    guards: tuple[tuple[int, str], ...]
    slots: tuple[int, ...]
    sets: tuple[str, ...]  # one letter a digit
    text: Callable[[str, int], str | None]  # digits and the index in `sets` → GTIN, or None when its check digit fails
    kind: Callable[[str], str]


def check_digit(digits: str) -> str:
    """Of a GTIN without it."""
    total = sum(int(d) * (3 if n % 2 == 0 else 1) for n, d in enumerate(reversed(digits)))
    return str(-total % 10)


def _ean13(digits: str, first: int) -> str | None:
    text = f"{first}{digits}"
    return text if check_digit(text[:-1]) == text[-1] else None


def _ean8(digits: str, _: int) -> str | None:
    return digits if check_digit(digits[:-1]) == digits[-1] else None


def _upce(digits: str, sets: int) -> str | None:
    system, check = divmod(sets, 10)
    text = expanded(system, digits, check)
    return text if check_digit(text[:-1]) == text[-1] else None


def expanded(system: int, d: str, check: int) -> str:
    """Six digits of UPC-E as GTIN-13."""
    if d[5] in "012":
        body = f"{d[:2]}{d[5]}0000{d[2:5]}"
    elif d[5] == "3":
        body = f"{d[:3]}00000{d[3:5]}"
    elif d[5] == "4":
        body = f"{d[:4]}00000{d[4]}"
    else:
        body = f"{d[:5]}0000{d[5]}"
    return f"0{system}{body}{check}"


_SWAP = str.maketrans("LG", "GL")
FORMS = (
    _Form(
        95,
        ((0, "101"), (45, "01010"), (92, "101")),
        (*range(3, 45, 7), *range(50, 92, 7)),
        tuple(left + "RRRRRR" for left in FIRST),
        _ean13,
        lambda text: "UPCA" if text[0] == "0" else "EAN13",
    ),
    _Form(
        67,
        ((0, "101"), (31, "01010"), (64, "101")),
        (*range(3, 31, 7), *range(36, 64, 7)),
        ("LLLLRRRR",),
        _ean8,
        lambda _: "EAN8",
    ),
    _Form(
        51,
        ((0, "101"), (45, "010101")),
        tuple(range(3, 45, 7)),
        (*UPCE, *(p.translate(_SWAP) for p in UPCE)),
        _upce,
        lambda _: "UPCE",
    ),
)


def read(grey: np.ndarray, corners: np.ndarray) -> list[Reading]:
    """Readings of the code within these corners (4 × 2, any order that goes round), the likeliest of each band.

    `grey` is height × width, uint8. The corners need not be exact; the bars stand across the longer way between them.
    """
    found = []
    for strip in _strips(grey, corners):
        for band in np.array_split(strip, BANDS):
            profile = band.mean(axis=0)
            if profile.std() > 4:
                found += [reading for form in FORMS if (reading := _best(form, profile))]
    return found


def likeness(grey: np.ndarray, corners: np.ndarray, text: str) -> float:
    """How much the code within these corners looks like this EAN-13 or UPC-A (GTIN-13), at most 1.

    The second best band counts: one band may be covered, scratched or written on.
    """
    form, sets = FORMS[0], FORMS[0].sets[int(text[0])]
    ideal, starts_ends = _ideal(form, text[1:], sets), _grid()
    found = [0.0, 0.0]
    for strip in _strips(grey, corners):
        for band in np.array_split(strip, BANDS):
            total = np.concatenate([[0], np.cumsum(_flat(band.mean(axis=0)))])
            seen = _modules(total, *starts_ends, form.modules)
            at = int(np.argmax(_correlation(seen, ideal)))
            start, end = _fitted(total, starts_ends[0][at], starts_ends[1][at], ideal)
            found.append(float(_correlation(_modules(total, np.array([start]), np.array([end]), 95), ideal)[0]))
    return sorted(found)[-2]


def _strips(grey: np.ndarray, corners: np.ndarray) -> Iterator[np.ndarray]:
    """The code laid out straight, ROWS × LENGTH, float32; once for each way the bars may stand, once for each end."""
    points = np.asarray(corners, np.float32).reshape(4, 2)
    for turn in range(2):
        a, b, c, d = np.roll(points, turn, axis=0)
        long = min(np.linalg.norm(b - a), np.linalg.norm(c - d))
        if long < 40 or long < 0.8 * min(np.linalg.norm(d - a), np.linalg.norm(c - b)):
            continue
        along, below = (b - a) * SIDE, (c - d) * SIDE
        quad = np.array([a - along, b + along, c + below, d - below], np.float32)
        inset = 0.9 * quad + 0.1 * quad[[3, 2, 1, 0]]  # the ends of the bars, where figures stand, are left out
        target = np.array([[0, 0], [LENGTH - 1, 0], [LENGTH - 1, ROWS - 1], [0, ROWS - 1]], np.float32)
        matrix = cv2.getPerspectiveTransform(inset.astype(np.float32), target)
        strip = cv2.warpPerspective(
            grey, matrix, (LENGTH, ROWS), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        strip = strip.astype(np.float32)
        yield strip
        yield strip[:, ::-1]


@cache
def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Beginnings and ends of the code within the strip that are tried, in its columns."""
    free = LENGTH * SIDE / (1 + 2 * SIDE)
    starts = np.linspace(0.15 * free, 1.9 * free, 40)
    begin, end = np.meshgrid(starts, LENGTH - starts)
    return begin.ravel(), end.ravel()


def _modules(total: np.ndarray, start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
    """Mean darkness of each module for many beginnings and ends: placements × count. `total` is a running sum."""
    edges = start[:, None] + (end - start)[:, None] * np.linspace(0, 1, count + 1)[None, :]
    at = np.interp(edges.ravel(), np.arange(total.size), total).reshape(edges.shape)
    return np.asarray(np.diff(at, axis=1) / ((end - start)[:, None] / count))


def _flat(profile: np.ndarray) -> np.ndarray:
    """Darkness along the strip, freed of slow changes of light: about −1 on white, +1 on black."""
    window = LENGTH // 8
    row = profile[None, :].astype(np.float32)
    high = cv2.blur(cv2.dilate(row, np.ones((1, window))), (window, 1))[0]
    low = cv2.blur(cv2.erode(row, np.ones((1, window))), (window, 1))[0]
    return np.asarray(1 - 2 * (profile - low) / np.maximum(high - low, 12))


def _best(form: _Form, profile: np.ndarray) -> Reading | None:
    """The likeliest valid reading of one profile in this form."""
    total = np.concatenate([[0], np.cumsum(_flat(profile))])
    starts, ends = _grid()
    promise = _promise(form, _modules(total, starts, ends, form.modules))
    readings: dict[str, float] = {}
    for place in _apart(np.argsort(promise)[::-1], starts, ends):
        start, end = starts[place], ends[place]
        for _ in range(2):  # read, put the reading exactly where it fits best, read again
            valid = _valid(form, _modules(total, np.array([start]), np.array([end]), form.modules)[0])
            for text, likeness, _ideal in valid:
                readings[text] = max(likeness, readings.get(text, -1.0))
            if not valid:
                break
            start, end = _fitted(total, start, end, valid[0][2])
    if not readings:
        return None
    order = sorted(readings.items(), key=lambda item: -item[1])
    text, likeness = order[0]
    lead = likeness - (order[1][1] if len(order) > 1 else 0.0)
    return Reading(form.kind(text), text, likeness, lead) if likeness > LEAST else None


def _apart(order: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> list[int]:
    """The first placements of this order that are not all but the same."""
    chosen: list[int] = []
    for place in order[:200]:
        if all(abs(starts[place] - starts[c]) + abs(ends[place] - ends[c]) > 12 for c in chosen):
            chosen.append(int(place))
        if len(chosen) == PLACES:
            break
    return chosen


def _promise(form: _Form, seen: np.ndarray) -> np.ndarray:
    """How like a code of this form each placement can be at most, whatever its check digit: placements × modules."""
    level = seen - seen.mean(axis=1, keepdims=True)
    guard = np.concatenate([np.arange(at, at + len(bits)) for at, bits in form.guards])
    sign = np.concatenate([[2 * int(bit) - 1 for bit in bits] for _, bits in form.guards])
    fit = (level[:, guard] * sign).sum(axis=1)
    slots = np.stack([level[:, at : at + 7] for at in form.slots], axis=1)  # placements × slots × 7
    best = {name: (slots @ (2 * patterns - 1).T).max(axis=2) for name, patterns in SETS.items()}
    sums = [sum(best[name][:, slot] for slot, name in enumerate(sets)) for sets in form.sets]
    return np.asarray((fit + np.max(sums, axis=0)) / (np.linalg.norm(level, axis=1) + 1e-6))


def _fitted(total: np.ndarray, start: float, end: float, ideal: np.ndarray) -> tuple[float, float]:
    """Beginning and end near these at which the picture looks most like this reading."""
    shifts = np.linspace(-1.2, 1.2, 13) * (end - start) / ideal.size
    starts, ends = (g.ravel() for g in np.meshgrid(start + shifts, end + shifts))
    best = int(np.argmax(_correlation(_modules(total, starts, ends, ideal.size), ideal)))
    return float(starts[best]), float(ends[best])


def _correlation(seen: np.ndarray, ideal: np.ndarray) -> np.ndarray:
    a = seen - seen.mean(axis=-1, keepdims=True)
    b = ideal - ideal.mean()
    return np.asarray((a * b).sum(axis=-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b) + 1e-9))


def _valid(form: _Form, seen: np.ndarray) -> list[tuple[str, float, np.ndarray]]:
    """The likeliest valid readings of one row of modules, best first: text, likeness, ideal modules (0 and 1)."""
    scores = {name: np.array([(2 * p - 1) @ seen[at : at + 7] for at in form.slots]) for name, p in SETS.items()}
    rows = [np.array([scores[name][slot] for slot, name in enumerate(sets)]) for sets in form.sets]
    found: dict[str, tuple[str, float, np.ndarray]] = {}
    for index in np.argsort([-row.max(axis=1).sum() for row in rows])[:3]:
        sets, valid = form.sets[index], 0
        for digits in _likely(rows[index]):
            text = form.text(digits, int(index))
            if text:
                ideal = _ideal(form, digits, sets)
                found.setdefault(text, (text, float(_correlation(seen[None, :], ideal)[0]), ideal))
                valid += 1
            if valid == 2:
                break
    return sorted(found.values(), key=lambda one: -one[1])


@cache
def _choices(slots: int) -> np.ndarray:
    """Which digit is taken at each place, as ranks of likelihood: the likeliest but at two places at most."""
    rows = [(0,) * slots]
    for places in (*combinations(range(slots), 1), *combinations(range(slots), 2)):
        for ranks in product(range(1, RANKS), repeat=len(places)):
            row = [0] * slots
            for place, rank in zip(places, ranks, strict=True):
                row[place] = rank
            rows.append(tuple(row))
    return np.array(rows)


def _likely(scores: np.ndarray) -> Iterator[str]:
    """Rows of digits, likeliest first, from scores slots × 10."""
    order = np.argsort(-scores, axis=1)[:, :RANKS]
    choices, slots = _choices(len(scores)), np.arange(len(scores))
    digits = order[slots, choices]
    for row in np.argsort(-scores[slots, digits].sum(axis=1), kind="stable")[:150]:
        yield "".join(map(str, digits[row]))


def _ideal(form: _Form, digits: str, sets: str) -> np.ndarray:
    modules = np.zeros(form.modules, np.float32)
    for at, bits in form.guards:
        modules[at : at + len(bits)] = [int(bit) for bit in bits]
    for at, digit, name in zip(form.slots, digits, sets, strict=True):
        modules[at : at + 7] = SETS[name][int(digit)]
    return modules

"""Breaks Chinese and English into lines the way a printer would: no comma begins a line, no bracket ends one.

The window's own text engine breaks only at spaces, which Chinese does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable

NEVER_FIRST = "，。！？、；：）》」』”’％…·,.!?;:)%〉】"
NEVER_LAST = "（《「『“‘([〈【"
# A word of letters and digits (with what belongs to it) stays whole; everything else may be parted.
_PIECE = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-–_/.:*@'&]*|\s+|.", re.DOTALL)


def pieces(text: str) -> list[str]:
    """The smallest parts between which a line may end."""
    parts: list[str] = []
    for piece in _PIECE.findall(text):
        sticks = parts and not piece.isspace() and (piece in NEVER_FIRST or parts[-1][-1] in NEVER_LAST)
        if sticks:
            parts[-1] += piece
        else:
            parts.append(piece)
    return parts


def wrap(text: str, width: float, measure: Callable[[str], float], balance: bool = False) -> list[str]:
    """Lines of `text` no wider than `width` as far as its parts allow. `balance` makes them about equally long."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        broken = _fill(paragraph, width, measure)
        if balance and len(broken) > 1:
            broken = _evened(paragraph, len(broken), width, measure)
        lines += broken
    return lines


def _fill(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    lines, line = [], ""
    for piece in pieces(text):
        if line and measure(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = "" if piece.isspace() else piece
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _evened(text: str, count: int, width: float, measure: Callable[[str], float]) -> list[str]:
    """The narrowest setting that still needs only `count` lines."""
    low, high = measure(text) / count * 0.9, width
    best = _fill(text, width, measure)
    for _ in range(6):
        middle = (low + high) / 2
        tried = _fill(text, middle, measure)
        if len(tried) <= count and max(map(measure, tried)) <= width:
            best, high = tried, middle
        else:
            low = middle
    return best

"""Breaks Chinese and English into lines the way a printer would: no comma begins a line, no bracket ends one.

The window's own text engine breaks only at spaces, which Chinese does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable

NEVER_FIRST = "，。！？、；：）》」』”’％…·,.!?;:)%〉】"
NEVER_LAST = "（《「『“‘([〈【"
KEEP = 6  # so many Chinese characters between two marks are read as one word and stay together where they fit
# A word of letters and digits (with what belongs to it) stays whole; everything else may be parted.
_PIECE = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-–_/.:*@'&]*|\s+|.", re.DOTALL)
_RUN = re.compile(r"[\u4e00-\u9fff]+")


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


def phrases(text: str) -> list[str]:
    """Like `pieces`, with short runs of Chinese between two marks left whole: 军人、 消防救援人员、 老年人."""
    parts: list[str] = []
    for piece in pieces(text):
        joins = parts and _RUN.fullmatch(parts[-1]) and "\u4e00" <= piece[0] <= "\u9fff"
        if joins:
            parts[-1] += piece
        else:
            parts.append(piece)
    return [small for part in parts for small in (pieces(part) if len(part.rstrip(NEVER_FIRST)) > KEEP else [part])]


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
    parts = [small for part in phrases(text) for small in ([part] if measure(part) <= width else pieces(part))]
    for piece in parts:
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

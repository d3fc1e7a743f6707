"""What a pad that reads text is told: a line with places for a number, the count of people waiting, or stars.

    Q{number},{waiting}

An order whose line is empty does not exist on that device. A field of `ShowNumber` that is left as it is stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from devices.driver import OrderMistake
from devices.pads.keys import at
from devices.pads.orders import OPTION, PLACES, lacking
from devices.roles import Order, ShowNumber, ShowStars


class LineOrders:
    """The orders of one pad. `texts`: order → its line, empty for none. Raises ValueError naming the option."""

    def __init__(self, texts: Mapping[type[Order], str]) -> None:
        self._texts = {kind: text for kind, text in texts.items() if text}
        self._patterns = {
            kind: re.compile(at(OPTION[kind], partial(_pattern, kind, text))) for kind, text in self._texts.items()
        }

    def lacks(self, kind: type) -> str:
        """Why there is no such order, as a sentence; empty when there is, or when it is no order of pads."""
        return lacking(kind, self._texts)

    def pack(self, order: Order) -> bytes:
        """The line of an order, once and without its end. Raises OrderMistake."""
        name = type(order).__name__
        fields: dict[str, object] = {}
        if isinstance(order, ShowNumber):
            if order.waiting is not None and order.waiting < 0:
                raise OrderMistake(f"{name}.waiting must not be negative, got {order.waiting}")
            if not re.fullmatch(r"[A-Za-z0-9-]*", order.number or ""):
                raise OrderMistake(f"{name}.number: a pad shows letters and digits, got {order.number!r}")
            fields = {"number": order.number, "waiting": order.waiting}
        elif isinstance(order, ShowStars):
            if not 0 <= order.stars <= 5:
                raise OrderMistake(f"{name}.stars must be 0 to 5, got {order.stars}")
            fields = {"stars": order.stars}

        def fill(place: re.Match[str]) -> str:
            value = fields[place[1]]
            return "" if value is None else str(value)

        return re.sub(r"\{(\w+)\}", fill, self._texts[type(order)]).encode("ascii")

    def open(self, line: bytes) -> Order | None:
        """Which order a line is, for simulators; None when it is none."""
        for kind, pattern in self._patterns.items():
            found = pattern.fullmatch(line)
            if not found:
                continue
            fields = {name: value.decode() for name, value in found.groupdict().items()}
            if kind is ShowNumber:
                waiting = fields.get("waiting")
                return ShowNumber(number=fields.get("number") or None, waiting=int(waiting) if waiting else None)
            if kind is ShowStars:
                return ShowStars(stars=int(fields.get("stars", 0)))
            return kind()
        return None


def _pattern(kind: type[Order], text: str) -> bytes:
    """A line as a regular expression. Raises ValueError when the line cannot be."""
    if not text.isascii() or "\r" in text or "\n" in text:
        raise ValueError("may hold ASCII characters of one line only")
    out = b""
    for part in re.split(r"(\{[^}]*\})", text):
        if not part.startswith("{"):
            out += re.escape(part.encode())
        elif part[1:-1] in PLACES[kind]:
            out += b"(?P<%s>%s)" % (part[1:-1].encode(), b"[A-Za-z0-9-]*" if part == "{number}" else b"[0-9]*")
        else:
            known = ", ".join(f"{{{place}}}" for place in PLACES[kind]) or "none"
            raise ValueError(f"there is no place {part}; there are: {known}")
    return out

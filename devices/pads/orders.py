"""What a generic pad is told: bytes written in hex with places for a number, the count of people waiting, or stars.

    02 {waiting} {number}        {stars}

An order whose template is empty does not exist on that device.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import partial

from devices.driver import OrderMistake
from devices.pads.keys import at
from devices.roles import AskRating, Beep, Order, ShowNumber, ShowStars

MOST_BEEPS = 9
PLACES: dict[type[Order], tuple[str, ...]] = {
    ShowNumber: ("number", "waiting"),
    Beep: (),
    AskRating: (),
    ShowStars: ("stars",),
}
OPTION: dict[type[Order], str] = {ShowNumber: "show", Beep: "beep", AskRating: "ask", ShowStars: "stars"}


@dataclass(frozen=True)
class Digits:
    """How a number stands in a frame: how many digits, as bytes 00 to 09 or as characters, and what is left blank."""

    count: int = 3
    ascii: bool = False
    blank: int = 0x0A

    def pack(self, number: int | str | None, place: str) -> bytes:
        """The last digits of a number; None leaves the field as it is. Raises OrderMistake."""
        if number is None:
            return bytes((self.blank,)) * self.count
        if isinstance(number, int) and number < 0:
            raise OrderMistake(f"{place} must not be negative, got {number}")
        if isinstance(number, int):
            number = str(min(number, 10**self.count - 1))
        digits = re.sub(r"[^0-9]", "", number)[-self.count :]
        if not digits:
            raise OrderMistake(f"{place}: a pad shows digits, and {number!r} has none")
        return bytes(int(digit) + (0x30 if self.ascii else 0) for digit in digits.zfill(self.count))

    def read(self, field: bytes) -> str | None:
        """The digits that stand in a field; None when it is to be left as it is."""
        if self.blank in field:
            return None
        return "".join(str(byte & 0x0F) for byte in field)


class Templates:
    """The orders of one pad. `texts`: order → its template, empty for none. Raises ValueError."""

    def __init__(self, texts: Mapping[type[Order], str], digits: Digits) -> None:
        self.digits = digits
        self._texts = {kind: text.strip() for kind, text in texts.items() if text.strip()}
        self._patterns = {
            kind: re.compile(at(OPTION[kind], partial(self._pattern, kind, text)), re.DOTALL)
            for kind, text in self._texts.items()
        }

    def lacks(self, kind: type) -> str:
        """Why there is no such order, as a sentence; empty when there is, or when it is no order of pads."""
        return lacking(kind, self._texts)

    def pack(self, order: Order) -> bytes:
        """The body of an order, once. Raises OrderMistake."""
        name = type(order).__name__
        fields: dict[str, bytes] = {}
        if isinstance(order, ShowNumber):
            fields["number"] = self.digits.pack(order.number, f"{name}.number")
            fields["waiting"] = self.digits.pack(order.waiting, f"{name}.waiting")
        elif isinstance(order, ShowStars):
            if not 0 <= order.stars <= 5:
                raise OrderMistake(f"{name}.stars must be 0 to 5, got {order.stars}")
            fields["stars"] = bytes((order.stars + (0x30 if self.digits.ascii else 0),))
        text = self._texts[type(order)]
        return bytes.fromhex(re.sub(r"\{(\w+)\}", lambda place: fields[place[1]].hex(), text))

    def open(self, body: bytes, address: int) -> Order | None:
        """Which order a body is, for simulators; None when it is none."""
        for kind, pattern in self._patterns.items():
            found = pattern.fullmatch(body)
            if not found:
                continue
            fields = found.groupdict()
            if kind is ShowNumber:
                number, waiting = (self.digits.read(fields.get(k) or bytes((self.digits.blank,))) for k in PLACES[kind])
                return ShowNumber(address=address, number=number, waiting=None if waiting is None else int(waiting))
            if kind is ShowStars:
                stars = fields.get("stars")
                return ShowStars(address=address, stars=stars[0] & 0x0F if stars else 0)
            return kind(address=address)
        return None

    def bodies(self) -> list[str]:
        """What bodies of these orders look like, with ?? for the bytes of a place (see `frames.body_name`)."""
        widths = {"{stars}": 1}
        return [
            re.sub(r"\{\w+\}", lambda place: "??" * widths.get(place[0], self.digits.count), text)
            .replace(" ", "")
            .upper()
            for text in self._texts.values()
        ]

    def _pattern(self, kind: type[Order], text: str) -> bytes:
        out = b""
        for part in re.split(r"(\{[^}]*\})", text):
            if part.startswith("{"):
                if part[1:-1] not in PLACES[kind]:
                    known = ", ".join(f"{{{place}}}" for place in PLACES[kind]) or "none"
                    raise ValueError(f"there is no place {part}; there are: {known}")
                width = 1 if part == "{stars}" else self.digits.count
                out += b"(?P<%s>.{%d})" % (part[1:-1].encode(), width)
            else:
                try:
                    out += re.escape(bytes.fromhex(part))
                except ValueError:
                    raise ValueError(f"write bytes in hex and places such as {{number}}; got {text!r}") from None
        return out


def texts_of(options: object) -> dict[type[Order], str]:
    """What a pad's options say of each order."""
    return {kind: getattr(options, name) for kind, name in OPTION.items()}


def beeps(order: Order) -> int:
    """How often the frame of an order goes out. Raises OrderMistake."""
    if not isinstance(order, Beep):
        return 1
    if not 1 <= order.times <= MOST_BEEPS:
        raise OrderMistake(f"Beep.times must be 1 to {MOST_BEEPS}, got {order.times}")
    return order.times


def lacking(kind: type, known: Container[type]) -> str:
    """Why a pad has no such order, as a sentence; empty when it has, or when it is no order of pads."""
    if kind not in OPTION or kind in known:
        return ""
    return f"Its option {OPTION[kind]} is empty, so nobody knows how to tell this device; write what its manual says."

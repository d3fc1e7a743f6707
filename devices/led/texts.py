"""What a strip shows, in words a hall can change, and which characters its font has."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from devices.driver import OrderMistake
from devices.roles import Call, Order, ShowCall, ShowPaused, ShowServing, ShowText, ShowWelcome

PLACES = ("number", "window")
FONTS = {"gb2312": "GB 2312", "gb18030": "GB 18030", "utf-8": "UTF-8"}  # character sets, as people write them
_HELP = "{number} and {window} stand for the ticket and the window."


def address_field(least: int = 1, most: int = 255, explain: str = "One per strip on this cable.") -> Any:
    """The option that names the strips of a cable."""
    return field(default=(1,), metadata={"label": "Addresses", "min": least, "max": most, "help": explain})


def seconds_field(label: str, default: float, least: float, most: float, explain: str = "") -> Any:
    """An option that is a length of time."""
    more = {"help": explain} if explain else {}
    return field(default=default, metadata={"label": label, "unit": "s", "min": least, "max": most, **more})


@dataclass(frozen=True, kw_only=True)
class Strips:
    """The options of every strip: which are on the cable. Cards with words of their own leave the texts as they are."""

    addresses: tuple[int, ...] = address_field()
    call_text = "请{number}号到{window}号窗口"
    serving_text = "{number}号正在{window}号窗口办理"
    welcome_text = "欢迎光临"
    paused_text = "暂停服务"
    row_text = "{number} {window}号窗口"
    as_board: bool = field(
        default=False,
        metadata={
            "label": "Rows of one hall board",
            "help": "These strips hang under one another and show the latest calls, the newest on the first address.",
        },
    )

    def __post_init__(self) -> None:
        if not self.addresses:
            raise ValueError("addresses: expected at least one")

    def words(self, order: Order) -> tuple[str, str]:
        """What the strip says for an order, and the field to name when it cannot. Raises OrderMistake."""
        name = type(order).__name__
        if isinstance(order, ShowText):
            if not order.text:
                raise OrderMistake("ShowText.text is empty; to clear the strip, show the welcome")
            return order.text, "ShowText.text"
        if isinstance(order, ShowCall | ShowServing):
            if not order.number:
                raise OrderMistake(f"{name}.number is empty")
            if order.window < 1:
                raise OrderMistake(f"{name}.window: expected a number from 1, got {order.window}")
            return self.sentence(order), f"{name}.number"
        if isinstance(order, ShowWelcome):
            return self.welcome_text, "option welcome_text"
        if isinstance(order, ShowPaused):
            return self.paused_text, "option paused_text"
        raise OrderMistake(f"a window strip cannot do {name}")

    def rows(self) -> int:
        """Rows of the hall board that these strips are; 0: they hang above windows, each for itself."""
        return len(self.addresses) if self.as_board else 0

    def row(self, call: Call | None) -> str:
        """A row of the board; an empty one is a space, because no strip takes an empty text."""
        return self.row_text.format(number=call.number, window=call.window) if call else " "

    def called(self, row: str) -> Call | None:
        """The call a person reads in a row of the board."""
        found = _pattern(self.row_text).fullmatch(row.rstrip())
        window = found.groupdict().get("window") if found else None
        return Call(number=found["number"], window=int(window or 0)) if found else None

    def sentence(self, order: ShowCall | ShowServing) -> str:
        """A call, or who is served, in words."""
        text = self.call_text if isinstance(order, ShowCall) else self.serving_text
        return text.format(number=order.number, window=order.window)

    def meant(self, text: str) -> Order:
        """The order behind what stands on a strip: what a person reads out of it."""
        fixed: dict[str, Order] = {self.welcome_text: ShowWelcome(), self.paused_text: ShowPaused()}
        if text in fixed:
            return fixed[text]
        for template, kind in ((self.call_text, ShowCall), (self.serving_text, ShowServing)):
            if found := _pattern(template).fullmatch(text):
                window = found.groupdict().get("window")
                return kind(number=found["number"], window=int(window) if window else 0)
        return ShowText(text=text)


@dataclass(frozen=True, kw_only=True)
class Texts(Strips):
    """The options of strips that are told their texts: the hall can change what they say."""

    call_text: str = field(default=Strips.call_text, metadata={"label": "Text of a call", "help": _HELP})
    serving_text: str = field(default=Strips.serving_text, metadata={"label": "Text while serving", "help": _HELP})
    welcome_text: str = field(default=Strips.welcome_text, metadata={"label": "Text of an open window"})
    paused_text: str = field(default=Strips.paused_text, metadata={"label": "Text of a paused window"})
    row_text: str = field(default=Strips.row_text, metadata={"label": "Text of a row of a hall board", "help": _HELP})

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("call_text", "serving_text", "welcome_text", "paused_text", "row_text"):
            _check(name, getattr(self, name))


def _check(name: str, template: str) -> None:
    """Raise ValueError unless it is a text whose only places are the ones we fill."""
    if not template.strip():
        raise ValueError(f"{name}: expected a text, got nothing")
    fixed = name in ("welcome_text", "paused_text")
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as wrong:
        raise ValueError(f"{name}: {wrong}; write {{{{ for a brace") from None
    places = [place for _, place, _, _ in parts if place is not None]
    if any(place not in PLACES or spec or conversion for _, place, spec, conversion in parts if place is not None):
        raise ValueError(f"{name}: only {{number}} and {{window}} may stand in braces, got {template!r}")
    if fixed and places:
        raise ValueError(f"{name}: has no {{{places[0]}}}, it is shown when nobody is called")
    if not fixed and "number" not in places:
        raise ValueError(f"{name}: expected {{number}} in it, got {template!r}")


@dataclass(frozen=True, kw_only=True)
class Board:
    """The options of screens that take a whole board in one text: its rows are filled up to the screen's width.

    Our reading: no document says how such a screen breaks lines, so each row is as long as the screen is wide.
    """

    board_rows: int = field(default=4, metadata={"label": "Rows of the board", "min": 1, "max": 16})
    board_columns: int = field(
        default=16,
        metadata={"label": "Columns of the board", "min": 8, "max": 80, "help": "Chinese characters count as two."},
    )

    def whole(self, rows: list[str], place: str) -> str:
        """All rows as one text. Raises OrderMistake for a row that is wider than the board."""
        for row in rows:
            if cells(row) > self.board_columns:
                raise OrderMistake(f"{place}: {row!r} is {cells(row)} columns wide, the board has {self.board_columns}")
        return "".join(row + " " * (self.board_columns - cells(row)) for row in rows)

    def parted(self, text: str) -> list[str]:
        """The rows of such a text, as the screen shows them."""
        rows = [""]
        for c in text:
            if cells(rows[-1]) >= self.board_columns:
                rows.append("")
            rows[-1] += c
        return rows


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The option of screens that break a text into lines where we say so: one of them can be a whole board."""

    board_rows: int = field(
        default=0,
        metadata={"label": "Rows of a hall board", "min": 0, "max": 16, "help": "0: it hangs above a window."},
    )


def cells(text: str) -> int:
    """Columns a text takes: one for an ASCII character, two for any other."""
    return sum(1 if c < "\x80" else 2 for c in text)


@lru_cache(maxsize=64)
def _pattern(template: str) -> re.Pattern[str]:
    """What a filled template looks like; the second time a place occurs it must say the same."""
    seen: set[str] = set()
    out = ""
    for literal, place, _, _ in string.Formatter().parse(template):
        out += re.escape(literal)
        if place in seen:
            out += f"(?P={place})"
        elif place is not None:
            seen.add(place)
            out += r"(?P<window>[0-9]+)" if place == "window" else r"(?P<number>.+?)"
    return re.compile(out, re.DOTALL)


def characters(text: str, place: str, charset: str = "gb2312", most: int = 200) -> list[bytes]:
    """Each character as the strip's font numbers it; `most` in all, in bytes.

    Raises OrderMistake naming the characters the font has not got, or how long the text may be.
    """
    codes = [_code(c, charset) for c in text]
    missing = dict.fromkeys(c for c, code in zip(text, codes, strict=True) if not code)
    if missing:
        named = ", ".join(f"{c if c.isprintable() else '?'} (U+{ord(c):04X})" for c in missing)
        font = FONTS.get(charset, charset)
        raise OrderMistake(f"{place}: the strip's font ({font}) has no {named}; write it in other words")
    length = sum(map(len, codes))
    if length > most:
        raise OrderMistake(f"{place}: a strip takes at most {most} bytes of text, got {length}")
    return codes


@lru_cache(maxsize=8192)
def _code(c: str, charset: str) -> bytes:
    """A character's code; empty when the font has not got it."""
    if not c.isprintable() and c != "\u3000":
        return b""
    try:
        if charset != "gb2312":
            return c.encode(charset)
        # GB 18030 knows how people write today (U+2014, U+00B7); GB 2312 knows which codes the font has.
        code = c.encode("gb18030")
        code.decode("gb2312")
    except UnicodeError:
        return b""
    return code

"""Readers of passports, visas, cards and permits that send the machine-readable lines as text (generic).

ICAO document 9303 says what the lines hold; how a reader frames them is public for none. So nothing is asked of the
framing: lines may end in CR, LF or both, in a tab or ETX, or in a pause; they may come as one long line, begin with
STX, or follow noise. What counts is that the last 90, 88, 72 or 30 letters are a whole document with every check digit
right.

* A document is told as soon as its last line has ended, or after the pause.
* What a pause finds left over is told for what it is: a wrong check digit, a missing line, or noise. It is never told
  as a document, and nothing is put right here: a reader that reads badly is to be cleaned, not guessed at.

A reader that counts as a keyboard types the same lines. It sits on an evdev link, which keeps them from the kiosk, with
the option lines = "keys" (`devices.hid` says what its keys write). Where events were lost, that is noise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices import driver, travel
from devices.driver import OrderMistake
from devices.hid.events import DROPPED, Events, events
from devices.hid.keyboard import Typist, keys_of
from devices.roles import (
    TRAVEL_DOCUMENT,
    Alive,
    DocumentRead,
    DocumentUnreadable,
    Garbled,
    News,
    Order,
    Role,
)

ENDINGS = {"cr": "\r", "lf": "\n", "crlf": "\r\n", "none": ""}
LONGEST = 270  # letters kept: three of the largest documents; older ones are of no use any more
LEAST = 28  # letters in a row that are no noise: hardly less than the shortest line
PIECES = re.compile(rb"[A-Za-z0-9<]+|[\r\n\t\x03]+|[ \x02]+|[^A-Za-z0-9<\r\n\t\x03 \x02]+")
SPELLED = {
    "number": "document number",
    "birth": "birth date",
    "expiry": "expiry date",
    "optional": "optional data",
    "composite": "whole document",
}
RENAMED = {"number": "document_number"}  # in the news, where "number" alone would be a ticket's


@dataclass(frozen=True)
class Options:
    """How this reader is set up."""

    gap: float = field(
        default=0.5,
        metadata={"label": "间隔 gap", "unit": "s", "min": 0.05, "max": 3.0, "help": "a pause ends a document"},
    )
    lines: str = field(
        default="text",
        metadata={
            "label": "行的来源 lines come as",
            "choices": ("text", "keys"),
            "help": "text: over a serial port or the network. keys: it types like a keyboard, on an evdev link",
        },
    )
    ending: str = field(
        default="cr",
        metadata={
            "label": "行尾 ending",
            "choices": tuple(ENDINGS),
            "help": "what the simulated reader ends a line with; the driver understands all",
        },
    )


class Driver(driver.Driver):
    """Finds whole documents in what a reader sends."""

    roles: ClassVar[tuple[Role, ...]] = (TRAVEL_DOCUMENT,)
    links: ClassVar[tuple[str, ...]] = ("serial", "socket", "evdev")
    Options = Options
    private = True
    answers = False

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self.reset()

    def reset(self) -> None:
        self._text = ""  # legal letters since the last document, pause or noise; line ends are not in it
        self._alive = self._garbled = False
        self._events, self._typist = Events(), Typist()

    def encode(self, order: Order) -> bytes:
        raise OrderMistake(f"a travel document reader has no order {type(order).__name__}")

    def take(self, order: Order) -> None:
        self.encode(order)

    def owed(self) -> bytes:
        return b""

    @property
    def patience(self) -> float | None:
        return self.set_up.gap if self._text or self._events.half else None

    def feed(self, data: bytes) -> list[News]:
        news: list[News] = []
        if self.set_up.lines == "text":
            self._hear(data, news)
            return news
        typed = bytearray()
        for key in self._events.feed(data):
            typed += self._typist.type(*key)
            if key == DROPPED:
                self._hear(bytes(typed), news)
                typed.clear()
                self._noise(news)
        self._hear(bytes(typed), news)
        return news

    def _hear(self, text: bytes, news: list[News]) -> None:
        """Text of the reader's, in any pieces."""
        for piece in PIECES.findall(text):
            if piece[:1].isalnum() or piece[:1] == b"<":
                self._text = (self._text + piece.decode().upper())[-LONGEST:]
            elif piece[:1] in b"\r\n\t\x03":
                self._line_ended(news)
            elif piece[:1] not in b" \x02":
                self._noise(news)

    def silence(self) -> list[News]:
        news: list[News] = []
        if self._events.half:
            self._events.clear()
            self._noise(news)
        self._typist.release()
        self._line_ended(news)
        self._left_over(self._text, news)
        self._text = ""
        return news

    def _line_ended(self, news: list[News]) -> None:
        """Perhaps the last line of a document; what stood before it is then no part of one."""
        for document, before in _whole(self._text):
            if not document.wrong:
                self._left_over(before, news)
                self._text = ""
                self._good(news)
                news.append(read(document))
                return

    def _left_over(self, text: str, news: list[News]) -> None:
        if len(text) >= LEAST:
            news.append(DocumentUnreadable(reason=complaint(text)))
        elif text:
            self._garble(news)

    def _noise(self, news: list[News]) -> None:
        self._left_over(self._text, news)
        self._text = ""
        self._garble(news)

    def _good(self, news: list[News]) -> None:
        if self._garbled:
            self._garbled = False
            news.append(Garbled(over=True))
        if not self._alive:
            self._alive = True
            news.append(Alive())

    def _garble(self, news: list[News]) -> None:
        if not self._garbled:
            self._garbled = True
            news.append(Garbled())


def _whole(text: str) -> list[tuple[travel.Document, str]]:
    """Documents that end where this text ends, longest first, each with what stands before it."""
    out = []
    for lines, width in ((3, 30), (2, 44), (2, 36), (1, 30)):
        start = len(text) - lines * width
        if start >= 0:
            document = travel.read([text[at : at + width] for at in range(start, len(text), width)])
            if document:
                out.append((document, text[:start]))
    return out


def read(document: travel.Document) -> DocumentRead:
    """The news of a document."""
    fields: dict[str, Any] = {RENAMED.get(name, name): value for name, value in document.fields.items()}
    return DocumentRead(kind=document.kind, **fields)


def complaint(text: str) -> str:
    """What is wrong with these letters, without telling any of them."""
    shaped = [document for document, before in _whole(text) if not before]
    if not shaped:
        return f"{len(text)} letters came, which is no whole document: a line is missing or longer than it should be."
    which = ", ".join(SPELLED[name] for name in shaped[0].wrong)
    verb = "digits are" if len(shaped[0].wrong) > 1 else "digit is"
    return f"The check {verb} wrong for: {which}. Lay the document flat and read it again."


class Simulator(driver.Simulator):
    """A reader onto which documents are laid."""

    faults: ClassVar[tuple[str, ...]] = ("wrong-digit", "missing-line")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options or Options(), faults)
        self.set_up = cast(Options, self.options)

    def receive(self, data: bytes) -> bytes:
        return b""

    def happen(self, news: News) -> bytes:
        if isinstance(news, DocumentRead):
            fields = {name: getattr(news, RENAMED.get(name, name)) for name in WRITTEN}
            lines = list(travel.write(news.kind, fields))  # a LinesMistake is a ValueError
            if "wrong-digit" in self.faults_on:
                lines[-1 if len(lines) < 3 else 1] = _spoilt(lines[-1 if len(lines) < 3 else 1])
            return self._said(lines[1:] if "missing-line" in self.faults_on else lines)
        if isinstance(news, DocumentUnreadable):
            lines = list(travel.write("TD3", {"code": "P", "issuer": "UTO", "number": "L898902C3"}))
            return self._said([lines[0], _spoilt(lines[1])])
        raise ValueError(f"a travel document reader has no {type(news).__name__}")

    def _said(self, lines: list[str]) -> bytes:
        text = "".join(line + ENDINGS[self.set_up.ending] for line in lines).encode()
        if self.set_up.lines == "text":
            return text
        return events(keys_of(text.replace(b"\r\n", b"\r").replace(b"\n", b"\r")))  # there is one Enter key


WRITTEN = (
    "code",
    "issuer",
    "number",
    "surname",
    "given_names",
    "nationality",
    "birth",
    "sex",
    "expiry",
    "optional",
    "optional2",
)


def _spoilt(line: str) -> str:
    """The line with its last digit counted one further."""
    last = max(at for at, letter in enumerate(line) if letter.isdigit())
    return line[:last] + str((int(line[last]) + 1) % 10) + line[last + 1 :]

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

from devices import travel
from devices.hid.keyboard import keys_of
from devices.hid.listener import Listener, Typing
from devices.hid.typed import LOST, Typed, ending, gap
from devices.roles import TRAVEL_DOCUMENT, DocumentRead, DocumentUnreadable, News, Role

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

    gap: float = gap(0.5, "a document")
    lines: str = field(
        default="text",
        metadata={
            "label": "行的来源 lines come as",
            "choices": ("text", "keys"),
            "help": "text: over a serial port or the network. keys: it types like a keyboard, on an evdev link",
        },
    )
    ending: str = ending(
        "cr", "行尾 ending", ENDINGS, "what the simulated reader ends a line with; the driver understands all"
    )


class Driver(Listener):
    """Finds whole documents in what a reader sends."""

    roles: ClassVar[tuple[Role, ...]] = (TRAVEL_DOCUMENT,)
    links: ClassVar[tuple[str, ...]] = ("serial", "socket", "evdev")
    Options = Options
    private = True
    refusal = "a travel document reader has no order"

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self._text = ""  # legal letters since the last document, pause or noise; line ends are not in it
        self._typed = Typed()

    @property
    def patience(self) -> float | None:
        return self.set_up.gap if self._text or self._typed.half else None

    def feed(self, data: bytes) -> list[News]:
        news: list[News] = []
        if self.set_up.lines == "text":
            self._hear(data, news)
            return news
        for typed in self._typed.feed(data):
            if typed == LOST:
                self._noise(news)
            else:
                self._hear(typed, news)
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
        if self._typed.quiet():
            self._noise(news)
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
                self._hearing.clear(news)
                self._hearing.lives(news)
                news.append(read(document))
                return

    def _left_over(self, text: str, news: list[News]) -> None:
        if len(text) >= LEAST:
            news.append(DocumentUnreadable(reason=complaint(text)))
        elif text:
            self._hearing.noise(news)

    def _noise(self, news: list[News]) -> None:
        self._left_over(self._text, news)
        self._text = ""
        self._hearing.noise(news)


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


class Simulator(Typing):
    """A reader onto which documents are laid."""

    faults: ClassVar[tuple[str, ...]] = ("wrong-digit", "missing-line")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options or Options(), faults)
        self.set_up = cast(Options, self.options)

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
        return self._type(keys_of(text.replace(b"\r\n", b"\r").replace(b"\n", b"\r")))  # there is one Enter key


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

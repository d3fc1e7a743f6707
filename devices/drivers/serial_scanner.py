"""Barcode and QR scanners on a serial port or a USB port that behaves like one.

A scanner speaks when it has read a code: the code's bytes and a suffix. Makers' documents followed: Newland NLS-HR42
user guide, "Programming command" (unified commands `~ 01 0000 @ TAG ; 03`, answers with 06, 15 or 05 before the `;`);
Honeywell "Serial programming commands" (trigger `16 54 0D`, off `16 55 0D`, never answered).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices import driver
from devices.driver import OrderMistake, Timing
from devices.roles import (
    CODE_SCANNER,
    Alive,
    CodeScanned,
    Garbled,
    News,
    Obeyed,
    Order,
    Refused,
    Role,
    Silent,
    StopScan,
    TriggerScan,
    Unconfirmed,
)

SUFFIXES = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "tab": b"\t", "none": b""}
LONGEST = 4096  # bytes in one code; the largest QR code holds 2953
# Control characters no code carries: GS, RS and their kin, EOT, tab and line ends do occur.
NOISE = re.compile(rb"[\x00-\x03\x05-\x08\x0b\x0c\x0e-\x1b\x7f]")
HEAD, TAIL = b"\x02\x010000", b";\x03"  # of a Newland answer
LONGEST_REPLY = 64
ANSWERS = {
    b"\x06": "",
    b"\x15": "The scanner refuses this setting (NAK); check that the trigger option fits the model.",
    b"\x05": "The scanner does not know this command (ENQ); check that the trigger option fits the model.",
}
TAGS: dict[type[Order], bytes] = {TriggerScan: b"@SCNTRG1", StopScan: b"#SCNTRG0"}
QUESTION = b"@SCNMOD*"
HONEYWELL: dict[type[Order], bytes] = {TriggerScan: b"\x16T\r", StopScan: b"\x16U\r"}


@dataclass(frozen=True)
class Options:
    """How this scanner is set up."""

    suffix: str = field(
        default="cr", metadata={"label": "后缀 suffix", "help": "cr, lf, crlf, tab, none, or bytes in hex such as 03"}
    )
    trigger: str = field(
        default="none",
        metadata={"label": "触发指令 trigger", "choices": ("none", "honeywell", "newland"), "help": "whose commands"},
    )
    gap: float = field(
        default=0.1, metadata={"label": "间隔 gap", "unit": "s", "min": 0.02, "max": 2.0, "help": "a pause ends a code"}
    )
    binary: bool = field(
        default=False, metadata={"label": "二进制 binary", "help": "also accept codes that are no text"}
    )

    def __post_init__(self) -> None:
        if self.suffix not in SUFFIXES and not re.fullmatch(r"([0-9A-Fa-f]{2}){1,8}", self.suffix):
            known = ", ".join(SUFFIXES)
            raise ValueError(f"suffix must be {known}, or up to 8 bytes in hex, got {self.suffix!r}")

    @property
    def end(self) -> bytes:
        """The bytes that end a code; empty: only a pause does."""
        return SUFFIXES[self.suffix] if self.suffix in SUFFIXES else bytes.fromhex(self.suffix)


class Driver(driver.Driver):
    """Cuts what a scanner sends into codes, and triggers it where it can be triggered."""

    roles: ClassVar[tuple[Role, ...]] = (CODE_SCANNER,)
    Options = Options
    private = True

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self.answers = self.set_up.trigger == "newland"
        if self.answers:
            self.timing = Timing(poll_every=10.0, gap=0.05)
        self.reset()

    def reset(self) -> None:
        self._buffer = b""
        self._skipping = False  # the rest of a code that was too long
        self._calm = True  # since the last noise there was a pause; before, whatever looks like a code is chance
        self._alive = self._garbled = self._silent = False
        self._owed = b""
        self._waiting: Order | None = None  # for the answer to this order
        self._asked = b""  # the tag whose answer is waited for
        self._unanswered = 0

    def lacks(self, what: type) -> str:
        if self.set_up.trigger == "none" and issubclass(what, Order):
            return "This scanner is set up without trigger commands; set its option trigger to the maker's name."
        return super().lacks(what)

    def encode(self, order: Order) -> bytes:
        if type(order) not in TAGS:
            raise OrderMistake(f"a scanner has no order {type(order).__name__}")
        if self.lacks(type(order)):
            raise OrderMistake(self.lacks(type(order)))
        if self.set_up.trigger == "honeywell":
            return HONEYWELL[type(order)]
        return command(TAGS[type(order)])

    def take(self, order: Order) -> None:
        self._owed = self.encode(order)
        self._waiting = order
        self._asked = TAGS[type(order)]

    def poll(self) -> None:
        if self.answers:
            self._asked = QUESTION
            self._owed = command(QUESTION)

    def owed(self) -> bytes:
        frame, self._owed = self._owed, b""
        return frame

    @property
    def patience(self) -> float | None:
        if self._buffer or self._skipping or not self._calm:
            return self.set_up.gap
        if self._asked:
            return 5.0 if self.answers else 0.1  # Newland: an answer takes at most 5 s
        return None

    @property
    def idle(self) -> bool:
        return not self._asked

    def feed(self, data: bytes) -> list[News]:
        buffer = self._buffer + data
        news: list[News] = []
        if self.answers:
            buffer = self._answers(buffer, news)
        end = self.set_up.end
        if end:
            *codes, buffer = buffer.split(end)
            for code in codes:
                if self._skipping:
                    self._skipping = False
                else:
                    self._code(code, news)
        if len(buffer) > LONGEST:
            self._noise(news)
            self._skipping = True
        # What is skipped is not kept, but the start of a longer suffix may be at its end.
        self._buffer = buffer if not self._skipping else buffer[len(buffer) - max(0, len(end) - 1) :]
        return news

    def silence(self) -> list[News]:
        news: list[News] = []
        if self._buffer or self._skipping or not self._calm:
            code, calm = self._buffer, self._calm and not self._skipping
            self._buffer, self._skipping = b"", False
            if calm:  # a tab before a pause is a suffix, whatever the set-up says
                self._code(code if self.set_up.binary else code.rstrip(b"\t"), news)
            self._calm = True
        elif self._asked:
            self._no_answer(news)
        return news

    def lost(self) -> list[News]:
        order, self._waiting, self._asked = self._waiting, None, b""
        if order is None:
            return []
        reason = "The cable went before the scanner answered."
        return [Unconfirmed(order=type(order).__name__, id=order.id, reason=reason)]

    def _code(self, code: bytes, news: list[News]) -> None:
        """One code without its suffix; an empty one is the second half of a CR LF."""
        code = code.strip(b"\r\n")
        if not code or not self._calm:
            return
        if len(code) > LONGEST:
            self._noise(news)
            return
        try:
            text, encoding = code.decode(), "utf-8"
        except UnicodeDecodeError:
            try:
                text, encoding = code.decode("gb18030"), "gb18030"
            except UnicodeDecodeError:
                text, encoding = code.decode("gb18030", "replace"), "binary"
        if not self.set_up.binary and (encoding == "binary" or NOISE.search(code)):
            self._noise(news)
            return
        self._good(news)
        news.append(CodeScanned(text=text, hex=code.hex(), encoding=encoding))

    def _answers(self, buffer: bytes, news: list[News]) -> bytes:
        """Take the scanner's answers to our commands out of what it sends; returns the rest."""
        rest = b""
        while (start := buffer.find(HEAD)) >= 0:
            stop = buffer.find(TAIL, start, start + LONGEST_REPLY)
            if stop < 0:
                if len(buffer) - start < LONGEST_REPLY:
                    break  # the rest of the answer is still to come
                rest, buffer = rest + buffer[: start + 1], buffer[start + 1 :]
                continue
            self._answer(buffer[start + len(HEAD) : stop], news)
            rest, buffer = rest + buffer[:start], buffer[stop + len(TAIL) :]
        return rest + buffer

    def _answer(self, body: bytes, news: list[News]) -> None:
        verdict = body[-1:]
        if verdict not in ANSWERS:
            self._noise(news)
            return
        self._good(news)
        if not self._asked or not body.startswith(self._asked.rstrip(b"*")):
            return  # late, to a question already given up
        order, self._waiting, self._asked = self._waiting, None, b""
        if order is None:
            return
        name, reason = type(order).__name__, ANSWERS[verdict]
        if reason:
            news.append(Refused(order=name, id=order.id, reason=reason))
        else:
            news.append(Obeyed(order=name, id=order.id))

    def _no_answer(self, news: list[News]) -> None:
        order, self._waiting, self._asked = self._waiting, None, b""
        if order is not None:
            reason = (
                "The scanner did not answer within 5 s." if self.answers else "This scanner never answers commands."
            )
            news.append(Unconfirmed(order=type(order).__name__, id=order.id, reason=reason))
        self._unanswered += 1
        if self.answers and self._unanswered >= 3 and not self._silent:
            self._silent = True
            self._alive = False
            news.append(Silent())

    def _good(self, news: list[News]) -> None:
        """The scanner has spoken its own language."""
        self._unanswered = 0
        if self._silent:
            self._silent = False
            news.append(Silent(over=True))
        if self._garbled:
            self._garbled = False
            news.append(Garbled(over=True))
        if not self._alive:
            self._alive = True
            news.append(Alive())

    def _noise(self, news: list[News]) -> None:
        self._calm = False
        if not self._garbled:
            self._garbled = True
            news.append(Garbled())


def command(tag: bytes) -> bytes:
    """A Newland command; `tag` starts with @ (kept) or # (until power-off) and ends in * when it is a question."""
    return b"~\x010000" + tag + b";\x03"


class Simulator(driver.Simulator):
    """A scanner under which codes are laid."""

    faults: ClassVar[tuple[str, ...]] = ("unknown-command", "no-suffix")
    COMMAND = re.compile(rb"~\x010000([@#][A-Z0-9]+\*?);\x03|\x16([TU])\r")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options or Options(), faults)
        self.set_up = cast(Options, self.options)
        self._buffer = b""

    def receive(self, data: bytes) -> bytes:
        self._buffer = (self._buffer + data)[-LONGEST:]
        answer, done = b"", 0
        for match in self.COMMAND.finditer(self._buffer):
            done = match.end()
            tag = match[1]
            if tag is not None and self.set_up.trigger == "newland":
                answer += self._newland(tag)
            elif match[2] is not None and self.set_up.trigger == "honeywell":
                self.obeyed.append(TriggerScan() if match[2] == b"T" else StopScan())
        self._buffer = self._buffer[done:]
        return answer

    def _newland(self, tag: bytes) -> bytes:
        known = {wire: order for order, wire in TAGS.items()}
        if "unknown-command" in self.faults_on or (tag not in known and tag != QUESTION):
            return HEAD + tag + b"\x05" + TAIL
        if tag == QUESTION:
            return HEAD + b"@SCNMOD2\x06" + TAIL
        self.obeyed.append(known[tag]())
        return HEAD + tag + b"\x06" + TAIL

    def happen(self, news: News) -> bytes:
        if not isinstance(news, CodeScanned):
            raise ValueError(f"a scanner only scans codes; it has no {type(news).__name__}")
        encoding = "utf-8" if news.encoding == "binary" else news.encoding
        code = bytes.fromhex(news.hex) if news.hex else news.text.encode(encoding)
        return code + (b"" if "no-suffix" in self.faults_on else self.set_up.end)

"""Barcode and QR scanners that count as a keyboard and type what they read.

They need no driver of the maker's and are what most scanners are when they leave the factory. What comes is the
kernel's input protocol (Documentation/input/input.rst; the codes of keys in <linux/input-event-codes.h>, which follow
the HID usage tables, page 7); `devices.hid` reads it. The link grabs the device, so nothing typed reaches the kiosk.

A keyboard has no keys for Chinese. Scanners type such codes with Alt and numbers, if they are set to, or leave the
signs out without a word. Where codes hold Chinese, set the scanner to its serial mode and use serial-scanner.

* Enter ends a code, a tab too unless codes have tabs, and so does a pause.
* A code in which something was lost on the way is never told: not when events were dropped, not after noise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices.hid.keyboard import keys_of
from devices.hid.listener import Listener, Typing
from devices.hid.typed import LOST, Typed, ending, gap
from devices.roles import CODE_SCANNER, CodeScanned, News, Role, StopScan, TriggerScan

LONGEST = 4096  # bytes in one code; the largest QR code holds 2953
ENDS = {"enter": b"\r", "tab": b"\t", "none": b""}


@dataclass(frozen=True)
class Options:
    """How this scanner is set up."""

    gap: float = gap(0.3, "a code")
    tabs: bool = field(
        default=False, metadata={"label": "码中有制表符 tabs in codes", "help": "a tab is part of a code and ends none"}
    )
    alt: str = field(
        default="bytes",
        metadata={
            "label": "Alt 数字 Alt numbers",
            "choices": ("bytes", "unicode"),
            "help": "what a number typed with Alt is: a byte (two for Chinese, GB 18030), or a Unicode character",
        },
    )
    ending: str = ending(
        "enter", "后缀 ending", ENDS, "what the simulated scanner ends a code with; the driver understands all"
    )


class Driver(Listener):
    """Puts what a scanner types together into codes."""

    roles: ClassVar[tuple[Role, ...]] = (CODE_SCANNER,)
    Options = Options
    refusal = "a scanner has no order"
    private = True
    cannot: ClassVar[dict[type, str]] = {
        TriggerScan: "A scanner that types cannot be triggered from here; set it to read by itself.",
        StopScan: "A scanner that types cannot be stopped from here; set it to read by itself.",
    }

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self._ends = b"\r\n" if self.set_up.tabs else b"\r\n\t"
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        super().reset()
        self._typed = Typed(self.set_up.alt == "unicode")
        self._code = bytearray()
        self._spoilt = False  # something of this code was lost; until it ends nothing of it counts

    @property
    def patience(self) -> float | None:
        """See Driver."""
        return self.set_up.gap if self._code or self._spoilt or self._typed.half else None

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        for typed in self._typed.feed(data):
            if typed == LOST:
                self._spoil(news)
            elif typed in self._ends:
                self._end(news)
            elif len(self._code) < LONGEST:
                self._code += typed
            else:
                self._spoil(news)
        return news

    def silence(self) -> list[News]:
        """See Driver."""
        news: list[News] = []
        if self._typed.quiet():
            self._spoil(news)
        self._end(news)
        self._spoilt = False
        return news

    def _end(self, news: list[News]) -> None:
        """A code has ended; an empty one is a second ending. What noise has touched counts only after a pause."""
        code, self._code = bytes(self._code), bytearray()
        if not code or self._spoilt:
            return
        text, encoding = _read(code)
        if encoding == "binary":
            self._hearing.noise(news)
            return
        self._hearing.clear(news)
        self._hearing.lives(news)
        news.append(CodeScanned(text=text, hex=code.hex(), encoding=encoding))

    def _spoil(self, news: list[News]) -> None:
        self._spoilt = True
        self._code.clear()
        self._hearing.noise(news)


def _read(code: bytes) -> tuple[str, str]:
    """A code as text, and in which encoding it was that: what was typed with Alt may be any bytes."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return code.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return "", "binary"


class Simulator(Typing):
    """A scanner under which codes are laid."""

    faults: ClassVar[tuple[str, ...]] = ("no-ending", "loses-keys")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options or Options(), faults)
        self.set_up = cast(Options, self.options)

    def happen(self, news: News) -> bytes:
        """See Simulator."""
        if not isinstance(news, CodeScanned):
            raise ValueError(f"a scanner only scans codes; it has no {type(news).__name__}")
        encoding = "utf-8" if news.encoding == "binary" else news.encoding
        code = bytes.fromhex(news.hex) if news.hex else news.text.encode(encoding)
        signs = list(code)
        if self.set_up.alt == "unicode":
            if encoding != "utf-8":
                raise ValueError(f"a scanner set to Unicode types characters, never {encoding}")
            signs = [ord(sign) for sign in news.text]
        ending = b"" if "no-ending" in self.faults_on else ENDS[self.set_up.ending]
        typed = self._type(keys_of([*signs, *ending]))
        if "loses-keys" in self.faults_on:
            lost = self._seconds.to_bytes(8, "little") + (640).to_bytes(8, "little") + b"\0\0\3\0\0\0\0\0"
            typed = typed[:24] + lost + typed[96:]
        return typed

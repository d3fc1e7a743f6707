"""What a ticket printer says about itself, bit by bit (Epson ESC/POS reference: DLE EOT, GS r, GS a).

Four dialects. Their bytes cannot be mistaken for one another, if one looks at the fixed bits:

    DLE EOT 1..4   one byte 0xx1xx10     real time; answered even while offline
    GS r 1         00 03 0C 0F           answered in turn behind whatever was sent; silent while offline
    ESC v          00 03 0C 0F           the same, older
    GS a (ASB)     four bytes 0xx1xx00 …  comes unasked when something changes
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache

from devices.roles import (
    CoverOpen,
    CutterError,
    PaperNearEnd,
    PaperOut,
    PrinterError,
    PrinterOffline,
    Trouble,
)

REAL_TIME = tuple(bytes((0x10, 0x04, n)) for n in (1, 2, 3, 4))
BUFFERED = b"\x1dr\x01"
OLD_BUFFERED = b"\x1bv"
AUTOMATIC = b"\x1da\x0e"  # tell at once, and from now on whenever online state, errors or paper change

REAL_TIME_ANSWERS = bytes(b for b in range(256) if b & 0x93 == 0x12)
BUFFERED_ANSWERS = b"\x00\x03\x0c\x0f"  # Epson: 03 near end, 0C end; some Chinese models: 0F end

# Automatic status: fixed bits, and nothing set that the reference does not define; noise looks like this
# once in four million bytes.
_B0 = b"[" + re.escape(bytes(b for b in range(256) if b & 0x93 == 0x10)) + b"]"
_B1 = b"[" + re.escape(bytes(b for b in range(256) if b & 0x93 == 0)) + b"]"
_B2 = b"[\x00\x03\x0c\x0f]"
ASB_RUN = re.compile(b"(" + _B0 + _B1 + _B2 + b"\x00)\\1*", re.DOTALL)
ASB_HALF = re.compile(_B0 + b"(?:" + _B1 + b"(?:" + _B2 + b")?)?\\Z", re.DOTALL)

ALL_KINDS: frozenset[type[Trouble]] = frozenset(
    (PaperOut, PaperNearEnd, CoverOpen, CutterError, PrinterError, PrinterOffline)
)


@dataclass(frozen=True)
class Report:
    """What the printer has just said: the troubles it has, and the kinds it could have told about."""

    troubles: tuple[Trouble, ...]
    known: frozenset[type[Trouble]]

    @property
    def stops(self) -> Trouble | None:
        """The first trouble that keeps the printer from printing."""
        return next((t for t in self.troubles if t.grave), None)


def from_real_time(printer: int, offline: int, error: int, paper: int) -> Report:
    """The four answers to DLE EOT 1, 2, 3 and 4."""
    return _report(
        out=paper & 0x60 == 0x60 or bool(offline & 0x20),
        near=paper & 0x0C == 0x0C,
        cover=bool(offline & 0x04),
        cutter=bool(error & 0x08),
        error=_error_name(bool(error & 0x20), bool(error & 0x44), bool(offline & 0x40) and not error & 0x08),
        offline=bool(printer & 0x08),
    )


@lru_cache(maxsize=256)
def from_automatic(frame: bytes) -> Report:
    """One automatic status of four bytes."""
    b0, b1, b2, _ = frame
    return _report(
        out=b2 & 0x0C == 0x0C,
        near=b2 & 0x03 == 0x03,
        cover=bool(b0 & 0x20),
        cutter=bool(b1 & 0x08),
        error=_error_name(bool(b1 & 0x20), bool(b1 & 0x40), False),
        offline=bool(b0 & 0x08),
    )


def from_buffered(answer: int) -> Report:
    """The answer to GS r 1: it speaks of paper only."""
    out = answer & 0x0C == 0x0C
    report = _report(out, answer & 0x03 == 0x03, False, False, "", False)
    return Report(report.troubles, report.known & {PaperOut, PaperNearEnd})


def _error_name(unrecoverable: bool, recovering: bool, unnamed: bool) -> str:
    if unrecoverable:
        return "unrecoverable error: switch it off and on"
    if recovering:
        return "it recovers by itself, for example when the head has cooled"
    return "an error it does not name" if unnamed else ""


def _report(out: bool, near: bool, cover: bool, cutter: bool, error: str, offline: bool) -> Report:
    troubles: list[Trouble] = []
    troubles += [PaperOut()] if out else []
    troubles += [PaperNearEnd()] if near and not out else []
    troubles += [CoverOpen()] if cover else []
    troubles += [CutterError()] if cutter else []
    troubles += [PrinterError(detail=error)] if error else []
    if offline and not any(t.grave for t in troubles):
        troubles.append(PrinterOffline())
    # An empty printer raises its near-end bits as well; that says nothing new about the roll.
    return Report(tuple(troubles), ALL_KINDS - {PaperNearEnd} if out else ALL_KINDS)


# ---- the printer's side of the same tables, for the simulator ----


def real_time_answer(n: int, has: Set[type[Trouble]]) -> int:
    """The byte a printer with these troubles answers to DLE EOT n."""
    out, cutter, error = PaperOut in has, CutterError in has, PrinterError in has
    bits = {
        1: 0x08 * any(kind.grave for kind in has),
        2: 0x04 * (CoverOpen in has) | 0x20 * out | 0x40 * (cutter or error),
        3: 0x08 * cutter | 0x20 * error,
        4: 0x0C * (out or PaperNearEnd in has) | 0x60 * out,
    }
    return 0x12 | bits[n]


def automatic_frame(has: Set[type[Trouble]]) -> bytes:
    """The automatic status of a printer with these troubles."""
    out = PaperOut in has
    first = 0x10 | 0x08 * any(kind.grave for kind in has) | 0x20 * (CoverOpen in has)
    second = 0x08 * (CutterError in has) | 0x20 * (PrinterError in has)
    return bytes((first, second, 0x03 * (out or PaperNearEnd in has) | 0x0C * out, 0))

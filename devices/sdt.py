"""The language of an ID reader's security module: frames, commands and status words.

    request   AA AA AA 96 69 | length, 2 bytes | command, parameter | data | check
    answer    AA AA AA 96 69 | length, 2 bytes | 00 00 status       | data | check

The length counts everything behind it; the check is the XOR of everything behind the preamble ("身份证阅读器通信协议",
GA/T 467 family). Answers do not say which command they answer; the driver tells them apart by status and size.

Over USB the same frames travel in one of three ways: whole, through the bulk pipes (as on a serial line); in HID
reports of 64 bytes, the first of a message beginning with the message's length; or in such reports with the preamble
left out, so that the length in front is the frame's own (the adapters of one public client library). A message longer
than one report goes on in reports without a length. Another reading of that library has each report begin with a length
of its own; told apart by size, both are understood.
"""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import NamedTuple

PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
HEAD = len(PREAMBLE) + 2

FIND, SELECT = b"\x20\x01", b"\x20\x02"
READ, READ_WITH_FINGERS, READ_ADDRESS = b"\x30\x01", b"\x30\x10", b"\x30\x03"
RESET, STATUS, IDENTITY = b"\x10\xff", b"\x11\xff", b"\x12\xff"

REPORT = 64  # bytes of a HID report
ROOM = REPORT - 2  # bytes of a message in a report that begins with a length
FRAMINGS = ("serial", "hid", "hid-stripped")

OK, FOUND = 0x90, 0x9F
BAD_CHECK, BAD_LENGTH, BAD_COMMAND = 0x10, 0x11, 0x21
NOT_FOUND, NOT_SELECTED, READ_FAILED, NO_CONTENT = 0x80, 0x81, 0x41, 0x91

# Sizes of the data behind each kind of good answer.
FOUND_SIZE, SELECTED_SIZE, IDENTITY_SIZE, ADDRESS_SIZE = 4, 8, 16, 70
READ_SIZES = (4 + 256 + 1024, 6 + 256 + 1024, 6 + 256 + 1024 + 512, 6 + 256 + 1024 + 1024)
LENGTHS = frozenset(3 + size + 1 for size in (0, FOUND_SIZE, SELECTED_SIZE, IDENTITY_SIZE, ADDRESS_SIZE, *READ_SIZES))
MOST = HEAD + max(LENGTHS)  # bytes of the longest answer
KEPT = 6 + 256  # of a long answer: its head and the text; photo and fingerprints are dropped unread

# What the reader says about the card, in words for the citizen's helper.
CARD_TROUBLE = {
    0x24: "The reader met an unknown error with this card.",
    0x31: "The card does not accept this reader.",
    0x32: "The reader does not accept this card; it may be forged or damaged.",
    0x33: "The information on the card does not match its seal.",
    0x40: "This is not an ID card.",
    0x41: "The card could not be read; lay it down flat and leave it still.",
    0x47: "The card's chip did not answer as it must; lay it down again.",
}
# What it says about itself, in words for the technician.
READER_TROUBLE = {
    0x05: "The reader's security module is not available; restart the reader.",
    0x21: "The reader does not know this command; choose the other way of reading in its options.",
    0x23: "The reader has no permission for this command; ask its maker.",
    0x60: "The reader's security module failed its self-test; the reader must be repaired.",
    0x66: "The reader's security module is not authorised; the reader must be registered again.",
}


class Answer(NamedTuple):
    """One answer: its status word, the size of its data, and the first bytes of them. A status of -1: damaged."""

    status: int
    size: int = 0
    data: bytearray = bytearray()


DAMAGED = Answer(-1)


def request(command: bytes, data: bytes = b"") -> bytes:
    """The frame of a command (command and parameter, two bytes)."""
    return frame(command + data)


def answer(status: int, data: bytes = b"") -> bytes:
    """The frame of an answer, as a simulator sends it."""
    return frame(bytes((0, 0, status)) + data)


def frame(body: bytes) -> bytes:
    """Preamble, length and check around `body`."""
    counted = (len(body) + 1).to_bytes(2, "big") + body
    return PREAMBLE + counted + bytes((reduce(xor, counted),))


def text_of(data: bytearray, size: int) -> bytearray:
    """The text block inside the data of a read; the lengths of its parts stand in front of them.

    Two lengths after 30 01 (text, photo), three after 30 10 (and fingerprints). Raises ValueError when they do not
    add up.
    """
    for parts in (2, 3):
        lengths = [int.from_bytes(data[i : i + 2], "big") for i in range(0, 2 * parts, 2)]
        if 2 * parts + sum(lengths) == size and lengths[0] == 256:
            return data[2 * parts : 2 * parts + lengths[0]]
    raise ValueError("the lengths in front of the card's data do not add up")


class Splitter:
    """Cuts what arrives into answers, whatever the pieces, and wipes what it has passed on.

    `junk` counts bytes since the last whole answer that belong to none.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self.junk = 0

    def clear(self) -> None:
        """Forget a half answer."""
        self._drop(len(self._held))
        self.junk = 0

    def feed(self, data: bytes | bytearray) -> list[Answer]:
        """Every answer that is complete now."""
        held = self._held
        held += data
        answers: list[Answer] = []
        at = 0
        while (at := self._seek(at)) + HEAD <= len(held):
            length = held[at + HEAD - 2] << 8 | held[at + HEAD - 1]
            stop = at + HEAD + length
            if length not in LENGTHS:
                self.junk += 1
                at += 1  # a preamble by chance
            elif stop > len(held):
                break
            elif self._check(at, stop):
                start = at + HEAD + 3
                size = length - 4
                answers.append(Answer(held[start - 1], size, held[start : start + min(size, KEPT)]))
                self.junk = 0
                at = stop
            else:
                answers.append(DAMAGED)
                self.junk += 1
                at += 1  # perhaps its length was hit: the next answer may begin inside
        self._drop(at)
        return answers

    def _seek(self, at: int) -> int:
        """Where the next preamble begins, or what may become one."""
        found = self._held.find(PREAMBLE, at)
        if found < 0:
            found = max(at, len(self._held) - len(PREAMBLE) + 1)
        self.junk += found - at
        return found

    def _check(self, at: int, stop: int) -> bool:
        with memoryview(self._held) as view:
            return reduce(xor, view[at + len(PREAMBLE) : stop]) == 0

    def _drop(self, count: int) -> None:
        self._held[:count] = bytes(count)  # a card's data do not stay in memory
        del self._held[:count]


class Reports:
    """Puts frames into HID reports and takes them out again; `stripped` leaves the preamble away."""

    def __init__(self, stripped: bool) -> None:
        self.stripped = stripped
        self.junk = 0  # bytes of reports that cannot be one
        self._held = bytearray()
        self._owing = 0  # bytes of the message that are still to come

    def clear(self) -> None:
        """Forget half a report and half a message."""
        self._held[:] = bytes(len(self._held))
        self._held.clear()
        self._owing = 0

    def wrap(self, frame: bytes, apart: bool = False) -> bytes:
        """The reports of a frame. `apart`: each begins with a length of its own."""
        message = frame[len(PREAMBLE) :] if self.stripped else len(frame).to_bytes(2, "big") + frame
        if self.stripped or not apart or len(message) <= REPORT:
            return b"".join(message[at : at + REPORT].ljust(REPORT, b"\0") for at in range(0, len(message), REPORT))
        parts = [frame[at : at + ROOM] for at in range(0, len(frame), ROOM)]
        return b"".join((len(part).to_bytes(2, "big") + part).ljust(REPORT, b"\0") for part in parts)

    def unwrap(self, data: bytes) -> bytearray:
        """What the reports carry, as it would come over a serial line; the caller wipes it."""
        self._held += data
        out = bytearray()
        whole = len(self._held) - len(self._held) % REPORT
        for at in range(0, whole, REPORT):
            if self._owing:
                take = min(self._owing, REPORT)
                out += self._held[at : at + take]
                self._owing -= take
                continue
            length = self._held[at] << 8 | self._held[at + 1]
            if not 3 <= length <= MOST:
                self.junk += REPORT
                continue
            if self.stripped:
                out += PREAMBLE + self._held[at : at + 2]
            out += self._held[at + 2 : at + 2 + min(length, ROOM)]
            self._owing = max(0, length - ROOM)
        self._held[:whole] = bytes(whole)
        del self._held[:whole]
        return out

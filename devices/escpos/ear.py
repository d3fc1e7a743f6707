"""Listening to a printer: tell answers, automatic status and stray bytes apart, and never believe noise.

An answer is one byte, so one stray byte may look like it. An answer that came alone is believed; one that came among
stray bytes must come twice; while the line is garbled only lone answers count.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from devices.escpos import status

NOISE_LIMIT = 256  # stray bytes without a believable answer between them, after which the line counts as garbled
NEWEST = 8  # changes of automatic status taken from one helping: it tells how things are, not what they were
TRIES = 4  # times one question is put while the line is disturbed


# The bytes that can answer a question; the answer to GS a is automatic status, so no single byte can.
_RIGHT = {
    status.BUFFERED: status.BUFFERED_ANSWERS,
    status.OLD_BUFFERED: status.BUFFERED_ANSWERS,
    status.AUTOMATIC: b"",
}


class Verdict(Enum):
    """What became of the question that waits."""

    NOTHING = auto()  # no answer yet
    ANSWER = auto()  # answered
    DOUBT = auto()  # put it again
    HOPELESS = auto()  # nothing but noise: stop waiting


@dataclass(frozen=True)
class Heard:
    """One helping of bytes, sorted. frames: automatic status, the newest changes, oldest first."""

    frames: tuple[bytes, ...] = ()
    verdict: Verdict = Verdict.NOTHING
    answer: int = 0


class Ear:
    """Remembers what must be remembered between two helpings of bytes."""

    def __init__(self) -> None:
        self.garbled = False  # set here, ended by whoever has had a whole round of clean answers
        self._noise = 0
        self.forget()

    def forget(self) -> None:
        """No question waits any more."""
        self._right = b""
        self._asked = False
        self._half = b""
        self._dirty = False
        self._doubt: int | None = None
        self._tries = 0

    def expect(self, question: bytes, again: bool = False) -> None:
        """This question has been put; what follows may be its answer."""
        doubt, tries = (self._doubt, self._tries) if again else (None, 0)
        self.forget()
        self._doubt, self._tries = doubt, tries
        self._right, self._asked = _RIGHT.get(question, status.REAL_TIME_ANSWERS), True

    def hear(self, data: bytes) -> Heard:
        """Sort what came. Costs little per byte: a line may babble at a megabyte a second."""
        frames, rest = self._frames(self._half + data if self._half else data)
        answers = len(rest) - len(rest.translate(None, self._right)) if self._right else 0
        stray = len(rest) - (1 if answers else 0)
        self._noise += stray
        self._dirty = self._dirty or stray > 0
        flooded = self._noise > NOISE_LIMIT
        self.garbled = self.garbled or flooded
        if not answers:
            hopeless = self._asked and self._dirty and flooded and not frames
            return Heard(frames, Verdict.HOPELESS if hopeless else Verdict.NOTHING)
        answer = next(b for b in reversed(rest) if b in self._right)
        if not self._dirty or (answer == self._doubt and not self.garbled):
            self._noise = 0
            return Heard(frames, Verdict.ANSWER, answer)
        self._doubt, self._tries = answer, self._tries + 1
        return Heard(frames, Verdict.HOPELESS if self._tries >= TRIES else Verdict.DOUBT)

    def _frames(self, data: bytes) -> tuple[tuple[bytes, ...], bytes]:
        """Automatic status frames, and the bytes around them. The beginning of a frame at the end is kept back."""
        frames: list[bytes] = []
        rest: list[bytes] = []
        at = 0
        for run in status.ASB_RUN.finditer(data):
            start, end = run.span()
            if start > at:
                rest.append(data[at:start])
            at = end
            if not frames or frames[-1] != run[1]:
                frames.append(run[1])
        tail = data[at:]
        half = status.ASB_HALF.search(tail[-3:])
        # With a question waiting, a beginning behind other bytes is more likely noise than status.
        self._half = half[0] if half and (not self._right or len(half[0]) == len(tail)) else b""
        rest.append(tail[: len(tail) - len(self._half)])
        return tuple(frames[-NEWEST:]), b"".join(rest)

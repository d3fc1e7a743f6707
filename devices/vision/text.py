"""Text on a flat page: what a line is, and the reader that finds them all.

Reading is done by a program of its own (`reading`), so that its memory goes away with it and a page that kills it, or
a citizen who leaves, stops nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

HEAD = struct.Struct("<II")  # height and width of the page that follows, three bytes a pixel
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds one page may take before the reader counts as stuck
GLANCE = 0.1  # seconds between two looks whether reading is still wanted
Point = tuple[float, float]


class TextTrouble(RuntimeError):
    """Why a page could not be read, as a sentence; the page itself is as safe as before."""


class TooMuchNoise(TextTrouble):
    """There is more to see on a page than any page has: grain, a pattern, a carpet."""

    def __init__(self) -> None:
        super().__init__("there is too much noise to read in the picture.")


class Stopped(Exception):
    """Reading was no longer wanted."""


@dataclass(frozen=True)
class Word:
    """A piece of a line between two blanks: `start` and `stop` are shares (0 to 1) of the line's length."""

    text: str
    start: float
    stop: float


@dataclass(frozen=True)
class Line:
    """A line of print: its `corners` clockwise from the top left of the first letter, in pixels of the page."""

    text: str
    score: float
    corners: tuple[Point, Point, Point, Point]
    words: tuple[Word, ...] = ()


def line(about: dict[str, Any]) -> Line:
    """A line from its JSON (the shape `bianmin vision text --json` prints, with `words`)."""
    first, second, third, fourth = ((float(x), float(y)) for x, y in about["corners"])
    words = tuple(Word(**word) for word in about.get("words", ()))
    return Line(about["text"], about["score"], (first, second, third, fourth), words)


def turned_back(line: Line, degrees: int, shape: tuple[int, ...]) -> Line:
    """A line of a picture of `shape` (height, width), in the pixels before that was turned clockwise by `degrees`."""
    height, width = shape[:2]
    back: Callable[[float, float], Point] = {
        0: lambda x, y: (x, y),
        90: lambda x, y: (y, width - x),
        180: lambda x, y: (width - x, height - y),
        270: lambda x, y: (height - y, x),
    }[degrees % 360]
    first, second, third, fourth = (back(x, y) for x, y in line.corners)
    return Line(line.text, line.score, (first, second, third, fourth), line.words)


class Reader:
    """Reads pages one after another; use it in a `with`, the program ends with it. Not for several threads at once."""

    def __init__(self, behind: bool = False) -> None:
        """`behind`: give way to everything else on the machine."""
        self._nice = 10 if behind else 0
        self._program: subprocess.Popen[bytes] | None = None
        self._held = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The program's number while it runs."""
        return self._program.pid if self._program else None

    def read(
        self,
        bgr: np.ndarray,
        told: Callable[[int, int], None] = lambda done, of: None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> list[Line]:
        """The lines of an upright, flat page (height × width × 3, uint8, BGR) as they are read, best from 150 dpi on.

        `told` hears how many of how many lines are read; `wanted` is asked ten times a second whether to go on.
        Raises TooMuchNoise for what is no page, TextTrouble when the program dies or is stuck, Stopped when the text is
        no longer wanted; after the last two the next call starts another program.
        """
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)  # stopped, by Ctrl-C too, it would be in the middle of a page nobody waits for
            try:
                lines = self._read(bgr, told, wanted)
            except TooMuchNoise:  # said by the program, which waits for the next page
                undo.pop_all()
                raise
            undo.pop_all()
            return lines

    def close(self) -> None:
        """End the program and give back its memory."""
        program, self._program, self._held = self._program, None, b""
        if program is None:
            return
        program.kill()
        for pipe in (program.stdin, program.stdout):
            if pipe is not None:
                pipe.close()
        program.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        program = subprocess.Popen(
            [sys.executable, "-P", "-m", "devices.vision.reading", str(self._nice)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert program.stdin and program.stdout
        os.set_blocking(program.stdin.fileno(), False)
        return program

    def _read(self, bgr: np.ndarray, told: Callable[[int, int], None], wanted: Callable[[], bool]) -> list[Line]:
        self._program = program = self._program or self._start()
        assert program.stdin and program.stdout
        into, out = program.stdin.fileno(), program.stdout.fileno()
        height, width = bgr.shape[:2]
        rest = memoryview(HEAD.pack(height, width) + np.ascontiguousarray(bgr).tobytes())
        deadline = time.monotonic() + PATIENCE
        while True:
            if not wanted():
                raise Stopped("reading was no longer wanted")
            if time.monotonic() > deadline:
                raise TextTrouble(
                    f"a page could not be read within {PATIENCE:.0f} seconds; it is kept without its text."
                )
            readable, writable, _ = select.select([out], [into] if rest else [], [], GLANCE)
            if writable:
                try:
                    rest = rest[os.write(into, rest[: 1 << 16]) :]
                except BrokenPipeError as gone:
                    raise TextTrouble(self._died(program)) from gone
            if readable:
                data = os.read(out, 1 << 16)
                if not data:
                    raise TextTrouble(self._died(program))
                *whole, self._held = (self._held + data).split(b"\n")
                for row in whole:
                    answer = json.loads(row)
                    if "noise" in answer:
                        raise TooMuchNoise
                    if "lines" in answer:
                        return [line(each) for each in answer["lines"]]
                    if "done" in answer:
                        told(answer["done"], answer["of"])

    @staticmethod
    def _died(program: subprocess.Popen[bytes]) -> str:
        return f"the program that reads pages ended by itself ({program.wait()}); the page is kept without its text."

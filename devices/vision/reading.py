"""The program that reads pages, in a process of its own: pages come in on its input, lines of text go out as JSON.

It is a process because its memory is to go away with it, because it may be stopped in the middle, and because a page
that kills it must not take the hall's program along. `text.Reader` starts it and is the only one that talks to it.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from devices.vision import lines
from devices.vision.text import HEAD, TooMuchNoise

MODEL = "PP-OCRv6_rec_small.onnx"  # in rapidocr's wheel: simplified and traditional Chinese, Latin, digits
HIGH = 48  # pixels of a line's height the model wants
STRIDE = 8  # pixels of a line to one step of the model's answer
SQUEEZE = 0.75  # lines are narrowed by this: a letter keeps four steps, and a page takes a quarter less time
BATCH = 4000  # pixels of length read at once: more gains nothing and costs memory
CLOSE = 0.12  # how probable, next to the winner, the simplified form must be to be taken on a simplified page
WIDE = 1.3  # letters of blank between two pieces that are a blank in the text, not just wide punctuation
LEAST = 0.5  # what is read with less confidence is a drawing or a stamp
# Pixels of length, as read: a page of print in 9 points has 40 000, in 6 points at most 180 000. For more than this a
# sample must be read so surely (0 to 1; print 0.9, handwriting 0.5, noise below 0.3) that all is worth the time.
SURENESS = ((25_000, 0.3), (60_000, 0.45), (120_000, 0.7), (250_000, np.inf))
SAMPLE = 8000  # pixels of length of the sample
HALF = str.maketrans(",:;?!()", "，：；？！（）")


@dataclass(frozen=True)
class Letter:
    """A character, how sure it is, its place (0 to 1 of the line), and what it is on a page in simplified Chinese."""

    text: str
    score: float
    place: float
    simplified: str


class Recogniser:
    """Reads single lines. Loading takes a tenth of a second and some 60 MB; give threads back by forgetting it."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(model()), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        letters = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._letters = ["", *letters, " "]
        self._common = np.array([_is_common(letter) for letter in self._letters])

    def read(
        self, pictures: Sequence[np.ndarray], told: Callable[[int], None] = lambda done: None
    ) -> list[list[Letter]]:
        """The letters of each line; a picture is one line, gray, uint8, ink dark. `told` hears how many are done."""
        narrow = [_narrowed(picture) for picture in pictures]
        order = sorted(range(len(narrow)), key=lambda place: narrow[place].shape[1])
        out: list[list[Letter]] = [[] for _ in pictures]
        done = 0
        while done < len(order):
            batch = _batch(narrow, order[done:])
            width = max(narrow[place].shape[1] for place in batch)
            tensor = np.zeros((len(batch), 3, HIGH, width), np.float32)
            for row, place in enumerate(batch):
                tensor[row, :, :, : narrow[place].shape[1]] = narrow[place].astype(np.float32) / 127.5 - 1
            answer = self._session.run(None, {self._input: tensor})[0]
            for row, place in enumerate(batch):
                out[place] = self._said(answer[row], narrow[place].shape[1])
            done += len(batch)
            told(done)
        return out

    def _said(self, steps: np.ndarray, width: int) -> list[Letter]:
        """The model's steps as letters: repeated ones count once, blanks part them."""
        best = steps.argmax(axis=1)
        begins = np.flatnonzero((best != 0) & np.append(True, best[1:] != best[:-1]))
        out = []
        for step in begins:
            letter, score = best[step], float(steps[step, best[step]])
            stop = step + 1
            while stop < len(best) and best[stop] == letter:
                stop += 1
            simplified = letter
            if not self._common[letter]:
                other = int(np.where(self._common, steps[step], 0).argmax())
                if other and steps[step, other] > CLOSE * score:
                    simplified = other
            place = min((step + stop) / 2 * STRIDE / width, 1.0)
            out.append(Letter(self._letters[letter], score, place, self._letters[simplified]))
        return out


def model() -> Path:
    """The recogniser's file in rapidocr's wheel; nothing is ever fetched."""
    found = importlib.util.find_spec("rapidocr")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("rapidocr, whose model reads the lines, is not installed; run deploy/setup.sh again.")
    return Path(found.submodule_search_locations[0]) / "models" / MODEL


@functools.cache
def _is_common(letter: str) -> bool:
    """In everyday use on the mainland: GB 2312 has it, or it is no Chinese character at all."""
    if not is_chinese(letter):
        return True
    try:
        letter.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def is_chinese(letter: str) -> bool:
    """A Chinese character (not punctuation)."""
    return len(letter) == 1 and (
        "\u3400" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff" or letter >= "\U00020000"
    )


def _narrowed(picture: np.ndarray) -> np.ndarray:
    way = cv2.INTER_AREA if picture.shape[0] > HIGH else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (_length(picture), HIGH), interpolation=way))


def _length(picture: np.ndarray) -> int:
    height, width = picture.shape
    return int(max(round(width * HIGH / height * SQUEEZE / STRIDE), 3) * STRIDE)


def _batch(narrow: list[np.ndarray], order: list[int]) -> list[int]:
    """The first of these that are read together: about equally long, BATCH pixels in all."""
    first = narrow[order[0]].shape[1]
    for count, place in enumerate(order):
        width = narrow[place].shape[1]
        if count and (width * (count + 1) > BATCH or width > first * 1.15 + 16):
            return order[:count]
    return order


def said(bgr: np.ndarray, recogniser: Recogniser, told: Callable[[int, int], None]) -> list[dict[str, object]]:
    """The page's lines in reading order, as `text.Line` tells them; `told` hears how many of how many are read.

    Raises TooMuchNoise for what is no page.
    """
    strips = lines.strips(bgr)
    told(0, len(strips))
    read = _read([strip.picture for strip in strips], recogniser, lambda done: told(done, len(strips)))
    chinese = [letter for letters in read for letter in letters if is_chinese(letter.text)]
    odd = sum(letter.text != letter.simplified for letter in chinese)
    traditional = sum(not _is_common(letter.text) for letter in chinese) - odd > 0.05 * len(chinese)
    out: list[dict[str, object]] = []
    for row in _rows(strips):
        pieces = [(strips[place], read[place]) for place in row]
        line = _line([(strip, letters) for strip, letters in pieces if letters], traditional)
        # A stamp's rim reads as a stroke or a ring here and there; red writing has more to say.
        if line and (pieces[0][0].ink == 0 or len(str(line["text"])) > 1):
            out.append(line)
    return out


def _read(pictures: Sequence[np.ndarray], recogniser: Recogniser, told: Callable[[int], None]) -> list[list[Letter]]:
    """The letters of each line; a sample is read first and tells whether so much is worth reading. Raises TooMuchNoise.

    `told` hears how many are done.
    """
    long = [_length(picture) for picture in pictures]
    asked = max((sure for least, sure in SURENESS if sum(long) > least), default=0.0)
    if asked > 1:
        raise TooMuchNoise
    step = max(sum(long) // SAMPLE, 1)
    some = range(0, len(pictures), step)
    rest = [place for place in range(len(pictures)) if place % step]
    out = dict(zip(some, recogniser.read([pictures[place] for place in some], told), strict=True))
    sure = sum(long[place] * float(np.mean([letter.score for letter in out[place]])) for place in some if out[place])
    if sure < asked * sum(long[place] for place in some):
        raise TooMuchNoise
    read = recogniser.read([pictures[place] for place in rest], lambda done: told(done + len(some)))
    out.update(zip(rest, read, strict=True))
    return [out[place] for place in range(len(pictures))]


def _rows(strips: Sequence[lines.Strip]) -> list[list[int]]:
    """Neighbours of the same line (a wide blank, an opening bracket had parted them) put together again."""
    rows: list[list[int]] = []
    for place, strip in enumerate(strips):
        row = next((row for row in reversed(rows) if strips[row[-1]].ink == strip.ink), None)
        if row:
            last = strips[row[-1]]
            gap = strip.corners[0, 0] - last.corners[1, 0]
            shared = min(strip.corners[3, 1], last.corners[2, 1]) - max(strip.corners[0, 1], last.corners[1, 1])
            high = min(strip.corners[3, 1] - strip.corners[0, 1], last.corners[2, 1] - last.corners[1, 1])
            if -0.5 * strip.letter < gap < 1.8 * strip.letter and shared > 0.5 * high:
                row.append(place)
                continue
        rows.append([place])
    return rows


def _line(pieces: list[tuple[lines.Strip, list[Letter]]], traditional: bool) -> dict[str, object] | None:
    if not pieces:
        return None
    first, last = pieces[0][0].corners, pieces[-1][0].corners
    begin, stop = first[0, 0], last[1, 0]
    top = min(strip.corners[0, 1] for strip, _ in pieces)
    foot = max(strip.corners[3, 1] for strip, _ in pieces)
    letters: list[str] = []
    places: list[float] = []
    right = begin
    for strip, read in pieces:
        left, wide = strip.corners[0, 0], strip.corners[1, 0] - strip.corners[0, 0]
        if letters and left - right > WIDE * strip.letter:
            letters.append(" ")
            places.append((left - begin) / (stop - begin))
        for letter in read:
            letters.append(letter.text if traditional else letter.simplified)
            places.append((left + letter.place * wide - begin) / (stop - begin))
        right = left + wide
    text = widened("".join(letters))
    score = float(np.mean([letter.score for _, read in pieces for letter in read]))
    if not text.strip() or score < LEAST:
        return None
    corners = np.array([(begin, top), (stop, top), (stop, foot), (begin, foot)]) if len(pieces) > 1 else first
    return {
        "text": text.strip(),
        "score": round(score, 4),
        "corners": [[round(float(x), 1), round(float(y), 1)] for x, y in corners],
        "words": _words(text, places),
    }


def _words(text: str, places: list[float]) -> list[dict[str, object]]:
    """The line in pieces of a few letters, each where it stands; a blank belongs to the piece before it."""
    out: list[dict[str, object]] = []
    begin = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or (text[at - 1] == " " and text[at] != " "):
            start = _between(places, begin)
            stop = _between(places, at)
            if text[begin:at].strip():
                out.append({"text": text[begin:at], "start": round(start, 4), "stop": round(max(stop, start), 4)})
            begin = at
    return out


def _between(places: list[float], at: int) -> float:
    """The middle between the letter before `at` and that at it."""
    if at <= 0:
        return 0.0
    if at >= len(places):
        return 1.0
    return (places[at - 1] + places[at]) / 2


def widened(text: str) -> str:
    """Punctuation beside Chinese characters is as wide as they are, however narrow the model took it to be."""
    out = list(text)
    for at, letter in enumerate(text):
        if letter not in ",:;?!()":
            continue
        before, after = _next(text, at, -1), _next(text, at, 1)
        if letter == "(" and (_wide(after) or _wide(before)):
            out[at] = "（"
        elif letter == ")" and (_wide(before) or _wide(after)):
            out[at] = "）"
        elif letter not in "()" and (_wide(before) or _wide(after)):
            out[at] = letter.translate(HALF)
    return "".join(out)


def _next(text: str, at: int, step: int) -> str:
    at += step
    return text[at] if 0 <= at < len(text) else ""


def _wide(letter: str) -> bool:
    return bool(letter) and (is_chinese(letter) or letter in "，。：；？！、（）《》“”‘’【】〔〕")


def main(pages: BinaryIO, answers: BinaryIO) -> None:
    """Read pages until there are no more; each is answered by lines of JSON, the last of them holding the text."""

    def say(answer: dict[str, object]) -> None:
        answers.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
        answers.flush()

    recogniser = Recogniser()
    say({"ready": True})
    while len(head := pages.read(HEAD.size)) == HEAD.size:
        height, width = HEAD.unpack(head)
        page = np.frombuffer(pages.read(height * width * 3), np.uint8).reshape(height, width, 3)
        try:
            say({"lines": said(page, recogniser, lambda done, of: say({"done": done, "of": of}))})
        except TooMuchNoise:
            say({"noise": True})


if __name__ == "__main__":
    os.nice(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    main(sys.stdin.buffer, sys.stdout.buffer)

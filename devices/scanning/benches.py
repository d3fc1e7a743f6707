"""The live view, measured: how many of a large camera's frames a second one core follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from devices.jpeg_decoder import reduced
from devices.scanning.session import SMALL
from devices.scanning.watch import Watch
from devices.vision.benches import Part, Row, Told, at_least, plain_outline
from devices.vision.benches_scan import PARAGRAPHS, lit, on_desk, page

SIZE = 3264, 2448  # pixels of a frame of 8 MP
POSES = 6
ROUNDS = 5


def live(pictures: Path | None, told: Told) -> Iterator[Row]:
    """Frames of 8 MP, each with the page elsewhere: opened small, the page found, followed and judged for stillness;
    beside a full decode, made smaller and given to plain OpenCV."""
    frames = list(_frames())
    watch = Watch()
    spent: dict[str, list[float]] = {}
    for number in range(ROUNDS * POSES):
        frame = frames[number % POSES]
        ways: dict[str, Callable[[], object]] = {
            "ours": lambda frame=frame, number=number: _followed(watch, frame, number / 15),  # type: ignore[misc]
            "plain OpenCV": lambda frame=frame: plain_outline(_decoded(frame)),  # type: ignore[misc]
        }
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            spent.setdefault(name, []).append(time.perf_counter() - began)
        told(number + 1, ROUNDS * POSES)
    rate = {name: round(1 / float(np.median(each)), 1) for name, each in spent.items()}
    yield at_least("live view, frames of 8 MP on one core", "fps", rate.pop("ours"), 15, *rate.items())


def _frames() -> Iterator[bytes]:
    """The page pushed across the desk, as the camera sends it."""
    paper = lit(page(PARAGRAPHS * 2, dpi=200).bgr)
    grain = np.random.default_rng(3).normal(0, 3, (SIZE[1], SIZE[0], 1))
    for number in range(POSES):
        bgr, _ = on_desk(paper, SIZE, 2.0 * number)
        noisy = (bgr + grain).clip(0, 255).astype(np.uint8)
        yield cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def _followed(watch: Watch, frame: bytes, now: float) -> bool:
    return watch.look(reduced(frame, SMALL), now).fire


def _decoded(frame: bytes) -> np.ndarray:
    bgr = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    return bgr


PART = Part("live view", live)

"""Work on a large picture done in stripes: each fits into the processor's cache, and all cores are at it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2

STRIPE = 256  # rows; a multiple of 16, as grids laid over a picture like it


def in_stripes(height: int, work: Callable[[int, int], None]) -> None:
    """Calls `work(top, bottom)` for each stripe of `height` rows, from as many threads as OpenCV may use."""
    tops = range(0, height, STRIPE)
    with ThreadPoolExecutor(max(cv2.getNumThreads(), 1)) as pool:
        list(pool.map(lambda top: work(top, min(top + STRIPE, height)), tops))  # raises what the work raises

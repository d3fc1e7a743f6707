"""A camera's live picture for a browser, made no larger than it is shown: a browser that has to decode eight million
pixels thirty times a second leaves a window's small computer no time for anything else.
"""

from __future__ import annotations

import cv2
import numpy as np

REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))
QUALITY = 75


def smaller(jpeg: bytes, pixels: int, wanted: int) -> bytes:
    """A JPEG `pixels` wide at an eighth, a quarter or half its size, but at least `wanted` wide; else as it is."""
    flags = next((flag for factor, flag in REDUCED if wanted and pixels / factor >= wanted), None)
    if flags is None:
        return jpeg
    small = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if small is None:  # damaged: the browser shows what it can
        return jpeg
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()

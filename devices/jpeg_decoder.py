"""A camera's JPEG opened, and refused where part of its data is missing.

OpenCV fills in grey for what is missing and says nothing; this decoder (libjpeg-turbo, the same pixels) tells.
"""

from __future__ import annotations

import re

import numpy as np
import simplejpeg

# What libjpeg says of the bytes some cameras put before a mark, and every decoder passes over: any number at the
# picture's end, a few at a restart mark; more of them there are left over from something lost.
NEEDLESS = re.compile("extraneous bytes before marker 0xd9|[: ][1-8] extraneous bytes before marker")


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises ValueError when this is no JPEG."""
    height, width, *_ = simplejpeg.decode_jpeg_header(data)
    return width, height


def decoded(data: bytes, less: int = 1, colours: str = "BGR") -> np.ndarray:
    """The picture as it is stored, whatever Exif says of its turn: h × w × 3 (BGR) or h × w × 1 (GRAY), uint8.

    `less`: 2, 4 or 8 for a half, a quarter or an eighth of its size, in much less time. Raises ValueError when this
    is no JPEG, or is damaged.
    """
    width, height = size_of(data)
    how = {"colorspace": colours, "min_width": -(-width // less), "min_height": -(-height // less)}
    try:
        return np.asarray(simplejpeg.decode_jpeg(data, **how))
    except ValueError as flaw:
        if not NEEDLESS.search(str(flaw)):
            raise
        return np.asarray(simplejpeg.decode_jpeg(data, strict=False, **how))


def reduced(data: bytes, side: int) -> np.ndarray:
    """The picture at an eighth, a quarter or half its size, whichever first is `side` pixels or more on its longer
    side; else as large as it is. h × w × 3, BGR. Raises ValueError as `decoded` does."""
    longer = max(size_of(data))
    return decoded(data, next((less for less in (8, 4, 2) if longer / less >= side), 1))

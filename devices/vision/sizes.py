"""How large a picture becomes."""

from __future__ import annotations

import numpy as np


def scaled(picture: np.ndarray, scale: float) -> tuple[int, int]:
    """Width and height, as OpenCV takes them, of a picture (h × w …) made so much larger; a hair stays a pixel wide."""
    height, width = picture.shape[:2]
    return max(1, round(width * scale)), max(1, round(height * scale))

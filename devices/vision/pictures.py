"""Opens picture files that anybody may have made: bounded in memory and time, and a sentence when one is no good.

The header is read first (Pillow, nothing is decoded), so a picture that would be too large, moves, or is of a kind we
do not read is turned away before it costs anything.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")  # a JPEG of several (MPO) is opened as a JPEG
MOST_PIXELS = 64_000_000  # twice the largest document camera there is
MOST_BYTES = 128 * 1024 * 1024
ORIENTATION = 0x0112  # Exif

Image.init()  # Pillow knows only its five commonest formats until it is asked for another


class PictureMistake(ValueError):
    """Why this file cannot be used, as a sentence that names it."""


@dataclass(frozen=True)
class Picture:
    """A picture as stored: `bgr` is height × width × 3, uint8, not turned by its Exif `orientation` (1 to 8)."""

    bgr: np.ndarray
    orientation: int
    dpi: float | None  # as the file says; None when it says nothing, or two different figures
    kind: str  # Pillow's name of the format


def load(path: Path) -> Picture:
    """The picture in this file. Raises PictureMistake."""
    data = contents(path)
    try:
        return decode(data)
    except PictureMistake as mistake:
        raise PictureMistake(f"{path}: {mistake}") from mistake


def contents(path: Path) -> bytes:
    """The bytes of this file, if it is one and not larger than a picture may be. Raises PictureMistake."""
    try:
        # Opening a pipe would wait for somebody to write into it; O_NONBLOCK opens it at once.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            about = os.fstat(file.fileno())
            if stat.S_ISDIR(about.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not stat.S_ISREG(about.st_mode):
                raise PictureMistake(f"{path}: this is a device or a pipe, not a file.")
            # What the system says of a size may be wrong (/proc) or out of date: what is read is what counts.
            data = b"" if about.st_size > MOST_BYTES else file.read(MOST_BYTES + 1)
            size = max(about.st_size, len(data))
    except OSError as trouble:
        raise PictureMistake(f"{path}: cannot be read ({trouble.strerror or trouble}).") from trouble
    if size > MOST_BYTES:
        raise PictureMistake(f"{path}: {size / 2**20:.0f} MB is more than a picture needs; at most 128 MB are read.")
    return data


def decode(data: bytes) -> Picture:
    """The picture in these bytes. Raises PictureMistake."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=KINDS) as header:
                return _decoded(header)
        except UnidentifiedImageError as unknown:
            raise PictureMistake("this is no picture of a kind we read (JPEG, PNG, WebP, TIFF, BMP, GIF).") from unknown
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as huge:
            raise PictureMistake(_too_large()) from huge
        except PictureMistake:
            raise
        except Exception as broken:  # decoders of seven formats fail in as many ways on hostile bytes
            raise PictureMistake(f"the picture is damaged and cannot be read to its end ({broken}).") from broken


def _too_large() -> str:
    return f"the picture has more than {MOST_PIXELS // 1_000_000} million pixels; save it smaller."


def _decoded(header: Image.Image) -> Picture:
    width, height = header.size
    if width * height > MOST_PIXELS:
        raise PictureMistake(_too_large())
    if getattr(header, "n_frames", 1) > 1 and header.format != "MPO":
        raise PictureMistake("the file holds several pictures; give them one by one.")
    orientation = header.getexif().get(ORIENTATION, 1)
    given = header.info.get("dpi", (None, None))
    dpi = float(given[0]) if given[0] and given[0] == given[1] and given[0] > 1 else None
    return Picture(_bgr(header), orientation if orientation in range(1, 9) else 1, dpi, header.format or "")


def _bgr(image: Image.Image) -> np.ndarray:
    """White stands where the picture is transparent; sixteen bits become eight."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    if image.mode.startswith(("I;16", "I", "F")):
        values = np.nan_to_num(np.asarray(image).astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        top = 65535.0 if image.mode.startswith("I") else max(float(values.max()), 1.0)
        return cv2.cvtColor((values * (255.0 / top)).clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)

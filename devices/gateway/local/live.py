"""A camera's live picture for a browser: who may open it, and made no larger than it is shown.

A browser that has to decode eight million pixels thirty times a second leaves a window's small computer no time for
anything else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from devices.gateway.local.leases import Page
from devices.gateway.local.refusal import Refusal

KEY_LIVES = 30.0  # seconds between asking for a live picture and opening it
REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))
QUALITY = 75


@dataclass(frozen=True)
class Stream:
    """A live picture somebody may open once: an `<img>` cannot carry a token, so its address carries this key."""

    device: str
    page: Page
    until: float
    width: int = 0  # pixels it is to be shown at; 0: as the camera sends it
    paired: bool = True  # False: by the façade, whose pages hall.toml names


class Streams:
    """The keys of live pictures. Used from the gateway's one thread."""

    def __init__(self, is_paired: Callable[[str], bool]) -> None:
        """`is_paired` tells whether an origin still is."""
        self._is_paired = is_paired
        self._keys: dict[str, Stream] = {}

    def new(self, device: str, page: Page, width: int = 0, paired: bool = True) -> str:
        """A key for this page."""
        now = time.monotonic()
        self._keys = {key: stream for key, stream in self._keys.items() if stream.until > now}
        key = secrets.token_urlsafe(24)
        self._keys[key] = Stream(device, page, now + KEY_LIVES, width, paired)
        return key

    def welcome(self, stream: Stream) -> bool:
        """Whether the pairing behind a live picture has not been revoked."""
        return not stream.paired or self._is_paired(stream.page.origin)

    def take(self, key: str) -> Stream:
        """What a key opens, once. Raises Refusal."""
        stream = self._keys.pop(key, None)
        if stream is None or stream.until < time.monotonic() or not self.welcome(stream):
            raise Refusal(404, "no-stream", "This live picture is over; ask for it again.")
        return stream


def smaller(jpeg: bytes, pixels: int, wanted: int) -> bytes:
    """A JPEG `pixels` wide at an eighth, a quarter or half its size, but at least `wanted` wide; else as it is."""
    flags = next((flag for factor, flag in REDUCED if wanted and pixels / factor >= wanted), None)
    if flags is None:
        return jpeg
    small = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if small is None:  # damaged: the browser shows what it can
        return jpeg
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()

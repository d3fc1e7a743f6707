"""A document camera on TCP that shows what a test lays under it: a desk, pages that slide in, lie still and go, a hand.

It speaks as `uvc_camera` says: whole JPEGs, each with noise of its own, and lines of text between them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import cv2
import numpy as np
from waiting import until

SIZE = (1280, 960)  # pixels
EVERY = 0.06  # seconds between two frames
PAPER = (620, 820)  # pixels of a page laid down


def desk() -> np.ndarray:
    """An empty desk of dark wood."""
    width, height = SIZE
    grain = np.random.default_rng(7).normal(0, 5, (height, 1)).repeat(width, 1)
    wood = np.array((42, 58, 74), np.float32) + grain[..., None]
    return np.clip(wood, 0, 255).astype(np.uint8)


def sheet(text: str, lines: int = 12) -> np.ndarray:
    """A printed page: a heading and lines that differ from those of other pages."""
    width, height = PAPER
    page = np.full((height, width, 3), 244, np.uint8)
    cv2.putText(page, text, (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (30, 30, 30), 4, cv2.LINE_AA)
    random = np.random.default_rng(sum(text.encode()))
    for row in range(lines):
        y, x = 170 + row * 50, 60
        while x < width - 120:
            long = int(random.integers(20, 90))
            cv2.rectangle(page, (x, y), (min(x + long, width - 60), y + 16), (60, 60, 60), -1)
            x += long + 18
    return page


def laid(page: np.ndarray, at: tuple[float, float] = (330, 70), degrees: float = 2.0) -> np.ndarray:
    """The desk with a page on it, a little askew; `at` is its upper left corner in pixels."""
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turn[:, 2] += at
    shown = desk()
    mask = cv2.warpAffine(np.full(page.shape[:2], 255, np.uint8), turn, SIZE)
    over = cv2.warpAffine(page, turn, SIZE)
    shown[mask > 127] = over[mask > 127]
    return shown


def with_hand(picture: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    """The same with a hand reaching in from the right."""
    shown = picture.copy()
    cv2.ellipse(shown, at, (120, 80), 0, 0, 360, (118, 146, 205), -1)
    cv2.rectangle(shown, (at[0] + 60, at[1] - 60), (SIZE[0], at[1] + 60), (118, 146, 205), -1)
    return shown


def half(frame: bytes) -> bytes:
    """What comes of a frame when the bus loses the rest and the camera ends it all the same."""
    return frame[: len(frame) // 2] + b"\xff\xd9"


class DocumentCamera:
    """The camera's end. It grants what it is asked for, but `granted` if that is set; and it can misbehave."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.link = f"socket://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._scenes = [desk()]
        self._random = np.random.default_rng(1)
        self.frozen = self.mute = self.full = False
        self.torn = False  # every second frame is half a picture with an end
        self._closing, self._plugged = False, True
        self._plug: socket.socket | None = None
        self.sent = 0
        threading.Thread(target=self._serve, daemon=True).start()

    # ---- what happens under it -----------------------------------------------------------------------------------

    def show(self, scene: np.ndarray) -> None:
        """From now on this is what lies there."""
        self.play([scene])

    def play(self, scenes: list[np.ndarray]) -> None:
        """One after the other, each for one frame; the last stays. Returns when it is there."""
        with self._lock:
            self._scenes = scenes
        self.pause(len(scenes))

    def lay(self, page: np.ndarray, at: tuple[float, float] = (330, 70), degrees: float = 2.0) -> None:
        """A hand slides a page in from the right, and goes."""
        places = [(at[0] + (9 - step) * 70, at[1]) for step in range(10)]
        hands = [with_hand(laid(page, place, degrees), (int(place[0]) + 560, 520)) for place in places]
        self.play([*hands, laid(page, at, degrees)])

    def clear(self) -> None:
        """The page is taken away."""
        self.play([*(with_hand(desk(), (900 + 60 * step, 500)) for step in range(5)), desk()])

    def pause(self, frames: int) -> None:
        """Until so many more frames have been sent."""
        wanted = self.sent + frames
        until(lambda: self.sent >= wanted)

    def unplug(self) -> None:
        """The cable is pulled."""
        self._plugged = False
        if self._plug:
            with contextlib.suppress(OSError):
                self._plug.shutdown(socket.SHUT_RDWR)

    def plug(self) -> None:
        """The cable is put back."""
        self._plugged = True

    def close(self) -> None:
        self._closing = True
        self.unplug()
        self._server.close()

    # ---- the wire ------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closing:
                self._plug, _ = self._server.accept()
                with self._plug, contextlib.suppress(OSError):
                    if self._plugged:
                        self._talk(self._plug)

    def _talk(self, plug: socket.socket) -> None:
        plug.sendall(b"V4L2 MJPG %dx%d@15\n" % SIZE)
        last = b""
        while self._plugged and not self._closing:
            if not self.mute:
                last = last if self.frozen and last else self._frame()
                plug.sendall(half(last) if self.torn and self.sent % 2 else last)
                self.sent += 1
            elif self.full:
                plug.sendall(b"V4L2 FULL\n")
            time.sleep(EVERY)  # the camera's own pace

    def _frame(self) -> bytes:
        with self._lock:
            scene = self._scenes.pop(0) if len(self._scenes) > 1 else self._scenes[0]
        noisy = cv2.add(scene, self._random.integers(0, 4, scene.shape, np.uint8))
        return cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()

"""What cameras show, kept only for those who look: papers of citizens may lie under them.

A frame is kept while somebody has a live view open, and only the newest; a test's picture until it has been fetched,
once, or nobody came for it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import gevent

from devices.roles import FrameSeen, News, StillTaken

COMES = 2.0  # seconds until the picture of a test must have come
FETCHED = 10.0  # seconds in which it must have been fetched


class Views:
    """The newest frame of each camera somebody looks at. `hear` is called in the devices' threads."""

    def __init__(self) -> None:
        self.cameras: set[str] = set()  # devices that have sent a frame
        self._lock = threading.Lock()
        self._looking: Counter[str] = Counter()
        self._newest: dict[str, FrameSeen] = {}

    def hear(self, device: str, news: News) -> None:
        """News of a device."""
        if isinstance(news, FrameSeen):
            self.cameras.add(device)
            with self._lock:
                if self._looking[device]:
                    self._newest[device] = news

    def kept(self) -> list[str]:
        """The cameras of which a frame is in memory."""
        with self._lock:
            return list(self._newest)

    @contextlib.contextmanager
    def of(self, device: str) -> Iterator[Callable[[], FrameSeen | None]]:
        """Look at a camera meanwhile: a function that tells its newest frame, if one has come."""
        with self._lock:
            self._looking[device] += 1
        try:
            yield lambda: self._newest.get(device)
        finally:
            with self._lock:
                self._looking[device] -= 1
                if not self._looking[device]:
                    self._newest.pop(device, None)

    def moving(
        self,
        device: str,
        go_on: Callable[[], bool],
        shown: Callable[[FrameSeen], bytes] = lambda frame: frame.jpeg,
        pause: float = 0.03,
    ) -> Iterator[bytes]:
        """The frames as they come, as the parts of a multipart/x-mixed-replace answer with the boundary "frame".

        `shown` makes the JPEG that is sent of a frame; `pause`: seconds between two looks.
        """
        last = None
        with self.of(device) as newest:
            yield b"--frame\r\n"
            while go_on():
                frame = newest()
                if frame is not None and frame is not last:
                    last = frame
                    # The next boundary goes out with the picture: browsers show one when they have seen its end.
                    yield b"Content-Type: image/jpeg\r\n\r\n" + shown(frame) + b"\r\n--frame\r\n"
                gevent.sleep(pause)


@dataclass
class Still:
    """The picture of one test; empty until it is there."""

    jpeg: bytes = b""


class Stills:
    """The pictures tests have asked for. `hear` is called in the devices' threads."""

    def __init__(self, fetched: float = FETCHED) -> None:
        self.fetched = fetched
        self._lock = threading.Lock()
        self._asked: dict[str, Still] = {}

    def expect(self, device: str) -> Still:
        """A test takes a picture, and the page will fetch it."""
        with self._lock:
            self._asked[device] = Still()
            return self._asked[device]

    def hear(self, device: str, news: News) -> None:
        """News of a device. A picture nobody here asked for, such as a business system's, is not kept."""
        if isinstance(news, StillTaken):
            with self._lock:
                if (still := self._asked.get(device)) is not None:
                    still.jpeg = news.jpeg

    def forget(self, device: str, still: Still) -> None:
        """The test has failed, or nobody came for its picture."""
        with self._lock:
            if self._asked.get(device) is still:
                del self._asked[device]

    def done(self, device: str, still: Still) -> None:
        """The test has ended well: its picture may be fetched for a while. In the gateway's thread."""
        gevent.spawn_later(self.fetched, self.forget, device, still)

    def hand_over(self, device: str) -> bytes:
        """The picture of a test, once. Empty: none was taken. In the gateway's thread."""
        still = self._asked.get(device)
        if still is None:
            return b""
        ends = time.monotonic() + COMES
        while not still.jpeg and time.monotonic() < ends:
            gevent.sleep(0.02)  # the outcome may be known a moment before the news are told
        self.forget(device, still)
        return still.jpeg

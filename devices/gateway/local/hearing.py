"""News on their way from the devices' threads to whoever waits for them in the gateway's thread."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator

from devices.roles import FrameSeen, News

Listener = Callable[[str, News], None]


class Hearing:
    """Listeners may come and go in any thread; each is called in the thread of the device."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def tell(self, device: str, news: News) -> None:
        """From the station's `tell`."""
        for listener in self._listeners:
            listener(device, news)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Listen until the returned function is called."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def leave() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return leave

    @contextlib.contextmanager
    def of(self, device: str) -> Iterator[deque[News]]:
        """What a device says meanwhile, pictures of a live view aside."""
        heard: deque[News] = deque()

        def listen(name: str, news: News) -> None:
            if name == device and not isinstance(news, FrameSeen):
                heard.append(news)

        leave = self.add(listen)
        try:
            yield heard
        finally:
            leave()
            heard.clear()

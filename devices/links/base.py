"""What every cable can do: be read, be written, be woken, be closed, and say so when it is gone.

A link text is a URI: `serial:///dev/ttyS0?baud=9600`, `socket://10.1.2.3:9100`, `sim:`, `v4l2://by-path/NAME`. Each
kind's module has a `check(target)`, which raises LinkMistake before anything is opened, and a Link that may rely on it.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from config.words import Sentence, words_of

CHUNK = 65536  # bytes taken at once
# Message ids of cables that are there, but not for us.
IN_USE = "{user} is using {node}; stop that program."
FORBIDDEN = "This user may not use {node}; add it to the group {group}."
UNPLUGGED = "the cable was unplugged ({why})"


class LinkMistake(ValueError):
    """The link text itself is wrong; the text names the part."""


class LinkAbsent(Exception):
    """The cable cannot be opened now; the reason says what to look at.

    `again`: seconds after which it is worth trying again, where the link knows (it has already waited); None: as usual.
    """

    def __init__(self, reason: Sentence, again: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.again = reason, again


class LinkLost(Exception):
    """The cable went while it was open. `written`: bytes of the last write that are known to have left us."""

    def __init__(self, reason: Sentence, written: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.written = reason, written


@dataclass(frozen=True)
class LinkText:
    """A link text taken apart: `serial://by-path/X?baud=9600` has host `by-path`, path `/X`."""

    text: str
    scheme: str
    host: str
    port: int | None
    path: str
    query: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> LinkText:
        """Take a link text apart. Raises LinkMistake naming the part that is wrong."""
        if not text.isprintable():
            raise LinkMistake(f"link {text!r}: holds characters that cannot be printed")
        try:
            parts = urlsplit(text)
        except ValueError as wrong:
            raise LinkMistake(f"link {text!r}: {wrong}; write serial:///dev/ttyS0 or socket://HOST:PORT") from wrong
        if not parts.scheme:
            raise LinkMistake(f"link {text!r}: no scheme; write serial:///dev/ttyS0, socket://HOST:PORT or sim:")
        try:
            port = parts.port
        except ValueError:
            raise LinkMistake(f"link {text!r}: the port must be a number from 1 to 65535") from None
        try:
            query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError:
            raise LinkMistake(f"link {text!r}: after '?' write NAME=VALUE, joined with '&'") from None
        return cls(text, parts.scheme, parts.hostname or "", port, parts.path, query)

    def allow(self, *names: str) -> None:
        """Raise LinkMistake when the query holds anything but these names."""
        for name in self.query:
            if name not in names:
                known = ", ".join(names) or "none"
                raise LinkMistake(f"link {self.text!r}: no setting is called {name!r}; there are: {known}")

    def reach(self, shape: str, path: bool = False) -> None:
        """Raise LinkMistake unless this names a host and a port, with nothing behind them but, maybe, a `path`."""
        if not self.host or not self.port:
            raise LinkMistake(f"link {self.text!r}: write {shape}")
        try:
            self.host.encode("idna")
        except UnicodeError:
            raise LinkMistake(f"link {self.text!r}: {self.host[:60]!r} cannot be the name of a host") from None
        if self.path not in ("", "/") and not path:
            raise LinkMistake(f"link {self.text!r}: nothing may follow the port but settings (?NAME=VALUE)")

    def number(self, name: str, default: int, least: int = 1, most: int = 10_000_000) -> int:
        """A whole number from the query."""
        value = self.query.get(name, str(default))
        if not value.isascii() or not value.isdigit() or len(value) > 12 or not least <= int(value) <= most:
            raise LinkMistake(f"link {self.text!r}: {name} must be a whole number of {least} to {most}, got {value!r}")
        return int(value)

    def choice(self, name: str, default: str, among: tuple[str, ...]) -> str:
        """One of a few values from the query."""
        value = self.query.get(name, default)
        if value not in among:
            raise LinkMistake(f"link {self.text!r}: {name} must be one of {', '.join(among)}, got {value!r}")
        return value


class Link(ABC):
    """An open cable. One thread reads and writes it; any thread may call `wake`."""

    wakes: ClassVar[bool] = False  # True: `wake` makes a waiting `read` return at once
    again: ClassVar[float | None] = None  # seconds after its loss when to open it again; None: as usual
    seconds_per_byte: float = 0.0  # how long a byte is under way after `write` has returned

    @abstractmethod
    def read(self, timeout: float) -> bytes:
        """What has arrived, waiting at most `timeout` seconds for the first byte; b"" when nothing. Raises LinkLost."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Hand over all of `data`. Raises LinkLost, also when the line takes nothing for some seconds."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the cable; harmless when it is gone already."""

    def wake(self) -> None:
        """Make a waiting `read` return now, when the link can (`wakes`)."""


class FileLink(Link):
    """A cable that the system shows as a file descriptor in non-blocking mode (serial port, TCP connection)."""

    wakes = True
    stuck = 3.0  # seconds without a byte taken after which a line counts as lost

    def __init__(self, fd: int) -> None:
        """Raises LinkAbsent, and has let go of the descriptor then."""
        self._fd = fd
        try:
            self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        except OSError as e:
            self._let_go()
            raise LinkAbsent(
                Sentence("This program cannot open another file ({why}); start it again.", why=words_of(e))
            ) from e
        self._closing = threading.Lock()  # nobody may ring a descriptor that has become another file's
        self._reading = select.poll()
        self._reading.register(fd, select.POLLIN)
        self._reading.register(self._bell, select.POLLIN)
        self._writing = select.poll()
        self._writing.register(fd, select.POLLOUT)

    def read(self, timeout: float) -> bytes:
        """See Link. A hung-up line ends in LinkLost at once, not after a time-out."""
        events = dict(self._reading.poll(max(0.0, timeout) * 1000))
        if self._bell in events:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._bell)
        if self._fd not in events:
            return b""
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return b""
        except OSError as e:
            raise LinkLost(Sentence(UNPLUGGED, why=words_of(e))) from e
        if not data:
            raise LinkLost(Sentence("the other end hung up"))
        return data

    def write(self, data: bytes) -> None:
        """See Link. Waits as long as bytes are being taken."""
        sent = 0
        last = time.monotonic()
        while sent < len(data):
            try:
                taken = os.write(self._fd, data[sent:])
            except BlockingIOError:
                taken = 0
            except OSError as e:
                raise LinkLost(Sentence(UNPLUGGED, why=words_of(e)), sent) from e
            sent += taken
            now = time.monotonic()
            if taken:
                last = now
            elif now - last > self.stuck:
                raise LinkLost(Sentence("the line has taken no bytes for {seconds} s", seconds=f"{self.stuck:g}"), sent)
            else:
                self._writing.poll(100)

    def wake(self) -> None:
        """See Link."""
        with self._closing:
            if self._bell >= 0:
                os.eventfd_write(self._bell, 1)

    def close(self) -> None:
        """See Link."""
        with self._closing:
            bell, self._bell = self._bell, -1
        if bell >= 0:
            os.close(bell)
            self._let_go()

    @abstractmethod
    def _let_go(self) -> None:
        """Close the descriptor itself."""

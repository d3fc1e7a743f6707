"""The far end of a cable: where a simulator sits. A pseudo-terminal behind a symlink, or a TCP port of this machine."""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import tempfile
import tty
from abc import ABC, abstractmethod
from pathlib import Path


class End(ABC):
    """The device's end of a cable. Every method belongs to the simulator's own thread."""

    link: str  # what the other side opens

    @abstractmethod
    def plug(self) -> None:
        """Make the cable be there."""

    @abstractmethod
    def unplug(self) -> None:
        """Pull it out; harmless when it is out."""

    @abstractmethod
    def waits(self) -> list[int]:
        """Descriptors that become readable when there is something to do."""

    @abstractmethod
    def read(self) -> bytes:
        """What has arrived; b"" when nothing has."""

    @abstractmethod
    def write(self, data: bytes) -> int | None:
        """How many bytes were taken; None when nobody is connected, so that they are lost."""


class PtyEnd(End):
    """A raw pseudo-terminal. The slave stays open here, so the other side may close and reopen it at will."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.link = f"serial://{self.path}"
        self._master = self._slave = -1

    def plug(self) -> None:
        if self._master >= 0:
            return
        if self.path.exists() and not self.path.is_symlink():
            raise ValueError(f"{self.path} is in the way and is not a symlink; name another path")
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        try:
            self._link_to(os.ttyname(self._slave))
        except OSError as e:
            self.unplug()
            raise ValueError(f"{self.path} cannot be made ({e.strerror}); name another path") from e

    def _link_to(self, node: str) -> None:
        """Put the symlink there in one step, so that nobody meets a moment without it."""
        folder = tempfile.mkdtemp(dir=self.path.parent)
        half = Path(folder) / "terminal"
        half.symlink_to(node)
        half.replace(self.path)
        os.rmdir(folder)

    def unplug(self) -> None:
        if self._master < 0:
            return
        if self.path.is_symlink() and os.readlink(self.path) == os.ttyname(self._slave):
            self.path.unlink()
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def waits(self) -> list[int]:
        return [self._master] if self._master >= 0 else []

    def read(self) -> bytes:
        try:
            return os.read(self._master, 65536)
        except OSError:  # nothing there, or the line is changing hands
            return b""

    def write(self, data: bytes) -> int | None:
        if self._master < 0:
            return None
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0
        except OSError:
            return None


class TcpEnd(End):
    """A listening port on 127.0.0.1. The newest connection has the device; an older one is dropped."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._listener: socket.socket | None = None
        self._peer: socket.socket | None = None

    @property
    def link(self) -> str:  # type: ignore[override]  # known only once plugged
        return f"socket://127.0.0.1:{self.port}"

    def plug(self) -> None:
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self.port))
        except OSError as e:
            listener.close()
            raise ValueError(f"port {self.port} cannot be used ({e.strerror}); name another") from e
        listener.listen()
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._listener = listener

    def unplug(self) -> None:
        for one in (self._peer, self._listener):
            if one is not None:
                one.close()
        self._peer = self._listener = None

    def waits(self) -> list[int]:
        return [one.fileno() for one in (self._listener, self._peer) if one is not None]

    def read(self) -> bytes:
        self._accept()
        if self._peer is None:
            return b""
        try:
            data = self._peer.recv(65536)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._peer.close()
            self._peer = None
        return data

    def write(self, data: bytes) -> int | None:
        if self._peer is None:
            return None
        try:
            return self._peer.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return None

    def _accept(self) -> None:
        if self._listener is None:
            return
        with contextlib.suppress(BlockingIOError):
            peer, _ = self._listener.accept()
            peer.setblocking(False)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._peer is not None:
                self._peer.close()
            self._peer = peer

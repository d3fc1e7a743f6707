"""The far end of a cable: where a simulator sits.

A pseudo-terminal behind a symlink, a TCP port of this machine, or a connection that the device itself makes.
"""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import tempfile
import time
import tty
from abc import ABC, abstractmethod
from pathlib import Path

import wsproto
from wsproto.events import AcceptConnection, Request
from wsproto.utilities import RemoteProtocolError

from devices.links import LinkText
from devices.links.ws_listen import Lines

REDIAL = 0.2  # seconds between two attempts to dial in


class End(ABC):
    """The device's end of a cable. Every method belongs to the simulator's own thread."""

    link: str  # what the other side opens
    arrived = False  # the device has just dialled in: it may speak first. Whoever reads this sets it back

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
        try:
            half.symlink_to(node)
            half.replace(self.path)
        finally:
            half.unlink(missing_ok=True)
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


class DialEnd(End):
    """A device that dials in to a `listen://` or `ws-listen://` link of this machine, again and again until it may."""

    def __init__(self, link: str) -> None:
        target = LinkText.parse(link)
        if target.scheme not in ("listen", "ws-listen") or not target.port:
            raise ValueError(f"a device dials in to listen://HOST:PORT or ws-listen://HOST:PORT, not to {link}")
        self.link = link
        host = "127.0.0.1" if target.host in ("", "0.0.0.0") else target.host
        self._address, self._path = (host, target.port), target.path or "/"
        self._lines = None if target.scheme == "listen" else Lines(wsproto.ConnectionType.CLIENT)
        self._peer: socket.socket | None = None
        self._plugged = False
        self._again_at = 0.0
        self.refused = ""  # what was said when it was not let in

    def plug(self) -> None:
        self._plugged = True

    def unplug(self) -> None:
        self._plugged = False
        self._hang_up()

    def waits(self) -> list[int]:
        return [self._peer.fileno()] if self._peer is not None else []

    def read(self) -> bytes:
        if self._peer is None:
            self._dial()
            return b""
        try:
            data = self._peer.recv(65536)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return self._heard(data) if data and self._lines is not None else data

    def write(self, data: bytes) -> int | None:
        if self._peer is None:
            return None
        try:
            if self._lines is None:
                return self._peer.send(data)
            self._peer.sendall(self._lines.say(data))
        except BlockingIOError:
            return 0
        except OSError:
            return None
        return len(data)

    def _heard(self, data: bytes) -> bytes:
        assert self._lines is not None and self._peer is not None
        lines, answers = self._lines.hear(data)
        if answers:
            self._peer.sendall(answers)
        if self._lines.closed:
            self._hang_up()
        return lines

    def _dial(self) -> None:
        """One attempt; the next after `REDIAL`."""
        now = time.monotonic()
        if not self._plugged or now < self._again_at:
            return
        self._again_at = now + REDIAL
        peer = socket.socket()
        try:
            peer.settimeout(2.0)
            peer.connect(self._address)
            if self._lines is not None:
                self._lines = self._shake_hands(peer)
        except (OSError, RemoteProtocolError):
            peer.close()
            return
        peer.setblocking(False)
        self._peer, self.arrived = peer, True

    def _shake_hands(self, peer: socket.socket) -> Lines:
        """The WebSocket's beginning. Raises ConnectionRefusedError."""
        lines = Lines(wsproto.ConnectionType.CLIENT)
        host = f"{self._address[0]}:{self._address[1]}"
        peer.sendall(lines.connection.send(Request(host=host, target=self._path)))
        said = peer.recv(65536)
        lines.connection.receive_data(said)
        if not any(isinstance(event, AcceptConnection) for event in lines.connection.events()):
            self.refused = said.decode("utf-8", "replace").rpartition("\r\n\r\n")[2]
            raise ConnectionRefusedError
        return lines

    def _hang_up(self) -> None:
        if self._peer is not None:
            self._peer.close()
        self._peer = None

"""A port of ours that one device dials in to: `listen://0.0.0.0:4001`, or `listen://127.0.0.1:4001`.

While a device is connected, a second one that dials in is sent away with a sentence. One that has vanished without a
word is noticed within about four seconds (keep-alive), so the same device is never kept out for long after a restart.
Until one dials in, the cable counts as absent; it is waited for without a pause.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time

from config.words import Sentence, words_of
from devices.links.base import FileLink, LinkAbsent, LinkText
from devices.links.tcp import keep_alive

WAIT = 0.5  # seconds one attempt waits for a device; a station that closes waits no longer than that
CHANGED_ITS_MIND = (BlockingIOError, ConnectionAbortedError)  # whoever dialled in has hung up before we looked
FAREWELL = 0.5  # seconds within which whoever is sent away must have read why
HANDSHAKE = 3.0  # seconds a device that has dialled in may take to say hello


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow()
    target.reach(f"{target.scheme}://HOST:PORT; 0.0.0.0 is every network card", path=target.scheme == "ws-listen")


class ListenLink(FileLink):
    """The connection of the device that has dialled in, and the door at which others are sent away."""

    again = 0.1  # whoever hung up may be back at once

    def __init__(self, target: LinkText) -> None:
        self._door = open_door(target)
        with contextlib.ExitStack() as unless_admitted:
            unless_admitted.callback(self._door.close)
            self._peer, self.peer = self._admit(target)
            unless_admitted.pop_all()
        self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(self._peer)
        self._peer.setblocking(False)
        super().__init__(self._peer.fileno())
        self._reading.register(self._door.fileno(), select.POLLIN)

    def read(self, timeout: float) -> bytes:
        """See Link."""
        data = super().read(timeout)
        with contextlib.suppress(*CHANGED_ITS_MIND):
            second, address = self._door.accept()
            self.send_away(second, f"{self.peer} is connected here already, so {address[0]} is not let in.")
        return data

    def greet(self, peer: socket.socket, target: LinkText) -> None:
        """What must pass before anything else. Raises LinkAbsent when this is no device of ours."""

    def send_away(self, peer: socket.socket, reason: str) -> None:
        """Tell a second device why it is not let in, and hang up."""
        dismiss(peer, reason.encode() + b"\r\n")

    def _admit(self, target: LinkText) -> tuple[socket.socket, str]:
        """The first device that dials in. Raises LinkAbsent when none does."""
        waiting = select.poll()
        waiting.register(self._door, select.POLLIN)
        absence: LinkAbsent | None = None
        while waiting.poll(0 if absence else WAIT * 1000):
            try:
                peer, address = self._door.accept()
            except CHANGED_ITS_MIND:
                continue
            try:
                peer.settimeout(HANDSHAKE)
                self.greet(peer, target)
            except LinkAbsent as wrong:  # whoever came after it is still at the door
                peer.close()
                absence = wrong
            else:
                return peer, str(address[0])
        raise absence or LinkAbsent(
            Sentence(
                "No device has dialled in to port {port} yet; check its power, its network and the address it is told"
                " to dial.",
                port=target.port,
            ),
            again=0.0,
        )

    def _let_go(self) -> None:
        self._peer.close()
        self._door.close()


def open_door(target: LinkText) -> socket.socket:
    """A listening socket, not blocking. Raises LinkAbsent."""
    family = socket.AF_INET6 if ":" in target.host else socket.AF_INET
    door = socket.socket(family)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((target.host, target.port))
        door.listen()
    except OSError as e:
        door.close()
        raise LinkAbsent(
            Sentence(
                "port {port} of {host} cannot be listened on ({why}); another program or another device of this machine"
                " may be using it.",
                port=target.port,
                host=target.host,
                why=words_of(e),
            )
        ) from e
    door.setblocking(False)
    return door


def dismiss(peer: socket.socket, words: bytes) -> None:
    """Say something and hang up in a way that lets the other side read it."""
    ends = time.monotonic() + FAREWELL
    with contextlib.suppress(OSError), peer:
        peer.settimeout(FAREWELL)
        peer.sendall(words)
        peer.shutdown(socket.SHUT_WR)
        while (left := ends - time.monotonic()) > 0:  # until it hangs up as well: the one that is connected waits
            peer.settimeout(left)
            if not peer.recv(4096):
                break

"""A network cable: a device, or a serial server in front of it, that listens on a TCP port.

`socket://10.1.2.3:9100`. A peer that vanishes without a word is noticed within about four seconds (keep-alive).
"""

from __future__ import annotations

import socket

from config.words import Sentence, words_of
from devices.links.base import FileLink, LinkAbsent, LinkText

CONNECT = 3.0  # seconds to wait for a connection
KEEPALIVE = ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2))


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow()
    target.reach("socket://HOST:PORT")


class TcpLink(FileLink):
    """An open TCP connection to a device."""

    def __init__(self, target: LinkText) -> None:
        try:
            self._socket = socket.create_connection((target.host, target.port), timeout=CONNECT)
        except OSError as e:
            why = Sentence("does not answer") if isinstance(e, TimeoutError) else words_of(e)
            raise LinkAbsent(
                Sentence(
                    "{where} cannot be reached ({why}); check the device's power and network cable.",
                    where=f"{target.host}:{target.port}",
                    why=why,
                )
            ) from e
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(self._socket)
        self._socket.setblocking(False)
        super().__init__(self._socket.fileno())

    def _let_go(self) -> None:
        self._socket.close()


def keep_alive(connection: socket.socket) -> None:
    """Have the system notice by itself, within about four seconds, that the peer is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        connection.setsockopt(socket.IPPROTO_TCP, name, value)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 4000)

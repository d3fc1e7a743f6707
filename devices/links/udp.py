"""Datagrams to a strip or a board that takes UDP: `udp://10.1.2.3:5005`; `?local=PORT` when it answers to a fixed port.

Each frame is one datagram; whatever comes back from that address is handed over as it arrives. Nobody notices when the
other end is away: what a datagram does not carry is an answer. Where the system reports that nothing listens there, the
cable counts as lost.
"""

from __future__ import annotations

import socket

from config.words import Sentence, words_of
from devices.links.base import FileLink, LinkAbsent, LinkLost, LinkText

MOST = 1472  # bytes of a datagram that passes every local network whole
NOBODY = "nothing listens at that address and port"


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow("local")
    target.reach("udp://HOST:PORT")
    local_port(target)


def local_port(target: LinkText) -> int:
    """The port of ours the device answers to; 0: any. Raises LinkMistake."""
    return target.number("local", 0, 0, 65535)


class UdpLink(FileLink):
    """A socket that speaks to one address only, and hears nobody else."""

    def __init__(self, target: LinkText) -> None:
        local = local_port(target)
        try:
            family, kind, _, _, address = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
        except OSError as e:
            raise LinkAbsent(
                Sentence("{host} is not known on this network ({why}).", host=target.host, why=words_of(e))
            ) from e
        try:
            self._socket.bind(("", local))
            self._socket.connect(address)
        except OSError as e:
            self._socket.close()
            raise LinkAbsent(
                Sentence(
                    "{where} cannot be spoken to ({why}); check the network cable and that no other program uses the"
                    " local port.",
                    where=f"{target.host}:{target.port}",
                    why=words_of(e),
                )
            ) from e
        self._socket.setblocking(False)
        super().__init__(self._socket.fileno())

    def read(self, timeout: float) -> bytes:
        """See Link. An empty datagram is no end."""
        try:
            return super().read(timeout)
        except LinkLost as loss:
            if loss.__cause__ is None:
                return b""
            raise LinkLost(Sentence(NOBODY)) from loss

    def write(self, data: bytes) -> None:
        """See Link. A frame that is too long for one datagram goes out in several."""
        for start in range(0, len(data), MOST):
            try:
                super().write(data[start : start + MOST])
            except LinkLost as loss:
                raise LinkLost(Sentence(NOBODY), start) from loss

    def _let_go(self) -> None:
        self._socket.close()

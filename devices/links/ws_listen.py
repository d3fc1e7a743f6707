"""A WebSocket of ours that one tablet dials in to: `ws-listen://0.0.0.0:3348/`, or `…:3348/rate` for that path only.

Each text message becomes one line of JSON, and each line we write one text message. Pings are answered here. A second
tablet is refused with a sentence (409), one that asks for another path with 404, and what is no WebSocket with 400.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

import wsproto
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import RemoteProtocolError

from config.words import Sentence, words_of
from devices.links.base import LinkAbsent, LinkLost, LinkText
from devices.links.listen import ListenLink, dismiss

LONGEST = 1_000_000  # characters of one message


class Lines:
    """A WebSocket conversation as lines; pure, for either side of it."""

    def __init__(self, side: wsproto.ConnectionType) -> None:
        self.connection = wsproto.WSConnection(side)
        self.closed: Sentence | None = None  # why the other side has hung up
        self._words: list[str] = []

    def hear(self, data: bytes) -> tuple[bytes, bytes]:
        """(lines heard, bytes that must be sent back). Raises RemoteProtocolError when it is no WebSocket."""
        if self.closed:
            return b"", b""  # what comes behind a goodbye is nothing
        self.connection.receive_data(data)
        lines, answers = b"", b""
        for event in self.connection.events():
            heard, answer = self._one(event)
            lines, answers = lines + heard, answers + answer
        return lines, answers

    def say(self, lines: bytes) -> bytes:
        """The bytes that carry these lines, one message each."""
        messages = (line.decode("utf-8", "replace") for line in lines.split(b"\n") if line.strip())
        return b"".join(self.connection.send(Message(data=message)) for message in messages)

    def _one(self, event: Event) -> tuple[bytes, bytes]:
        if isinstance(event, TextMessage):
            self._words.append(event.data)
            if sum(map(len, self._words)) > LONGEST:
                raise RemoteProtocolError("a message is too long")
            if not event.message_finished:
                return b"", b""
            message, self._words = "".join(self._words), []
            # A line end inside JSON can only stand between its parts, where a space does as well.
            return message.replace("\r", " ").replace("\n", " ").encode() + b"\n", b""
        if isinstance(event, Ping):
            return b"", self.connection.send(event.response())
        if isinstance(event, CloseConnection):
            code = f"{event.code}: {event.reason}" if event.reason else event.code
            self.closed = Sentence("the other end hung up (code {code})", code=code)
            closing = self.connection.state is wsproto.connection.ConnectionState.REMOTE_CLOSING
            return b"", self.connection.send(event.response()) if closing else b""
        if isinstance(event, BytesMessage):
            raise RemoteProtocolError("it sends bytes where text is expected")
        return b"", b""


class WsListenLink(ListenLink):
    """The WebSocket of the tablet that has dialled in."""

    _lines: Lines  # of the tablet that was greeted last

    def read(self, timeout: float) -> bytes:
        """See Link. Whole lines only."""
        if self._lines.closed:
            raise LinkLost(self._lines.closed)
        data = super().read(timeout)
        return self._hear(data) if data else b""

    def write(self, data: bytes) -> None:
        """See Link. `data` is whole lines."""
        if self._lines.closed:
            raise LinkLost(self._lines.closed)
        super().write(self._lines.say(data))

    def greet(self, peer: socket.socket, target: LinkText) -> None:
        """See ListenLink: the opening handshake."""
        self._lines = Lines(wsproto.ConnectionType.SERVER)
        connection = self._lines.connection
        try:
            while True:
                data = peer.recv(65536)
                if not data:
                    raise LinkAbsent(Sentence("A device dialled in and hung up before it said what it is."), again=0.0)
                connection.receive_data(data)
                events = list(connection.events())
                if events:
                    break
        except OSError as e:
            raise LinkAbsent(
                Sentence("A device dialled in and said nothing ({why}).", why=words_of(e)), again=0.0
            ) from e
        except RemoteProtocolError as e:
            answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nA WebSocket is expected here.\r\n"
            dismiss(peer.dup(), answer)
            reason = Sentence(
                "What dialled in to port {port} is no WebSocket ({why}).", port=target.port, why=words_of(e)
            )
            raise LinkAbsent(reason, again=0.0) from e
        request = events[0]
        assert isinstance(request, Request)
        path = target.path or "/"
        if path != "/" and request.target.partition("?")[0] != path:
            dismiss(peer.dup(), _refusal(connection, 404, f"There is no {request.target} here; dial {path}."))
            asked = repr(request.target[:60])
            raise LinkAbsent(
                Sentence("A tablet dialled {asked} instead of {wanted}.", asked=asked, wanted=repr(path)), again=0.0
            )
        protocol = request.subprotocols[0] if request.subprotocols else None
        try:
            peer.sendall(connection.send(AcceptConnection(subprotocol=protocol)))
        except OSError as e:
            raise LinkAbsent(
                Sentence("A tablet dialled in and hung up at once ({why}).", why=words_of(e)), again=0.0
            ) from e

    def send_away(self, peer: socket.socket, reason: str) -> None:
        """See ListenLink."""
        words = reason.encode()
        head = b"HTTP/1.1 409 Conflict\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n" % len(
            words
        )
        dismiss(peer, head + b"Connection: close\r\n\r\n" + words)

    def _hear(self, data: bytes) -> bytes:
        try:
            lines, answers = self._lines.hear(data)
        except RemoteProtocolError as e:
            raise LinkLost(Sentence("what came is no WebSocket: {why}", why=words_of(e))) from e
        if answers:
            super().write(answers)
        if self._lines.closed and not lines:
            raise LinkLost(self._lines.closed)
        return lines


def _refusal(connection: wsproto.WSConnection, code: int, reason: str) -> bytes:
    words = reason.encode()
    headers: Iterable[tuple[bytes, bytes]] = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"connection", b"close"),
    ]
    refused = RejectConnection(status_code=code, headers=list(headers), has_body=True)
    return connection.send(refused) + connection.send(RejectData(data=words, body_finished=True))

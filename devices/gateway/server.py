"""Serves the local page: gevent's server in one thread of its own, beside the station's real threads.

Nothing is patched. Handlers run as greenlets of that one thread, so they wait with `gevent.sleep` and never block;
one slow browser then holds up nobody, and many feeds cost no thread each. Chosen because gevent already serves the
hall; a development server has no place on a machine that runs for years.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import gevent
from flask import Flask
from gevent import GreenletExit
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import Input, WSGIHandler, WSGIServer
from gevent.ssl import SSLContext, SSLError

from devices.gateway.app import gateway_of
from devices.gateway.hosts import is_loopback
from devices.gateway.room import Room
from devices.teller import safely

MOST = 200  # connections at a time; more wait at the door
SPARE = 20  # of them: with fewer left, whoever keeps us waiting longest is cut off, so that nobody waits at the door
EACH = 20  # of them for one address other than loopback; all such addresses together have at most half of MOST
IDLE = 60.0  # seconds a connection may say nothing while we wait for it, or take nothing of what we send
HEAD = 10.0  # seconds from the first byte of a request to the end of its headers
BODY = 60.0  # seconds a body may take
UNREAD = 5.0  # seconds in which the rest of a body nobody wanted is thrown away, before the connection is cut

log = logging.getLogger(__name__)


class Body(Input):  # type: ignore[misc]
    """The body of a request. It may not drip for ever, neither while it is read nor while it is thrown away."""

    __slots__ = ("cut", "ends", "room")

    def __init__(self, of: Input, room: Room) -> None:
        super().__init__(of.rfile, of.content_length, of.socket, of.chunked_input)
        self.room = room
        self.cut = False  # something of it is left in the connection, which is good for nothing more
        self.ends: float | None = None

    def read(self, length: int | None = None) -> bytes:
        """At most `length` bytes. Raises TimeoutError when the body takes too long."""
        self.ends = self.ends or time.monotonic() + BODY
        self.room.waits()
        try:
            with gevent.Timeout(max(0.0, self.ends - time.monotonic()), TimeoutError("the body takes too long")):
                got: bytes = super().read(length)
        except GreenletExit:
            self.cut = True
            raise
        finally:
            self.room.goes_on()
        return got

    def _discard(self) -> None:
        self.ends = time.monotonic() + UNREAD
        if (
            self.cut
            or self._chunked_input_error
            or (not self.chunked_input and self.position >= (self.content_length or 0))
        ):
            return
        self.send_100_continue_enabled = False  # type: ignore[misc]  # a slot of Input
        try:
            while self.read(65536):
                gevent.sleep(0)  # whoever sends without end does not keep the others waiting
                if time.monotonic() > self.ends:
                    raise TimeoutError("the body takes too long")
        except OSError:
            self.cut = True


class Handler(WSGIHandler):  # type: ignore[misc]
    """Lends the connection to an application that wants to go on with it by itself, such as a WebSocket."""

    _head: gevent.Timeout | None = None  # runs while the head of a request comes in

    def handle(self) -> None:
        """Every request of one connection. One that stands still makes room for others."""
        self.socket.settimeout(self.server.idle)
        with contextlib.suppress(ConnectionError, TimeoutError):  # it left before it was told that it is cut off
            super().handle()

    def handle_one_request(self) -> Any:
        """One request, whose head must come in time, however often a little of it comes."""
        self.server.room.waits()
        try:
            return super().handle_one_request()
        finally:
            self._head_is_in()

    def read_requestline(self) -> str:
        """The first line; a connection kept open may be quiet before it."""
        if not self.rfile.peek(1):
            return ""
        self._head = gevent.Timeout.start_new(self.server.head, TimeoutError("the head of the request takes too long"))
        line: str = super().read_requestline()
        return line

    def read_request(self, raw_requestline: str) -> Any:
        """The headers. Raises ValueError when they do not say once which host is meant: RFC 9112, 3.2."""
        done = super().read_request(raw_requestline)
        hosts = len(self.headers.get_all("Host", ()))
        if hosts > 1 or (hosts == 0 and self.request_version == "HTTP/1.1"):
            raise ValueError(f"{hosts} Host headers, expected one")
        return done

    def _head_is_in(self) -> None:
        if self._head is not None:
            self._head.close()
            self._head = None
        self.server.room.goes_on()

    def _handle_client_error(self, ex: Exception) -> Any:
        return None if isinstance(ex, OSError) else super()._handle_client_error(ex)

    def get_environ(self) -> dict[str, Any]:
        """With the socket, whose keeper sets "bianmin.taken", and the address as it was sent, for it may be signed."""
        self.wsgi_input: Any
        self._head_is_in()
        environ: dict[str, Any] = super().get_environ()
        environ["wsgi.input"] = self.wsgi_input = Body(self.wsgi_input, self.server.room)
        environ["bianmin.socket"] = self.socket
        environ["RAW_URI"] = self.path
        return environ

    def handle_one_response(self) -> None:
        """A connection that was taken, or in which half a body is left, carries no second request."""
        super().handle_one_response()
        body: Body = self.wsgi_input
        if "bianmin.taken" in self.environ or body.cut:
            self.close_connection = True


class Shares:
    """How many connections other machines have: each a few, all together half, so that loopback keeps the rest."""

    def __init__(self, each: int = EACH, together: int = MOST // 2) -> None:
        self._each, self._together = each, together
        self._held: Counter[str] = Counter()

    @contextlib.contextmanager
    def one(self, address: str) -> Iterator[bool]:
        """One connection from this address, as long as it lasts; False when there is no room for it."""
        if is_loopback(address):
            yield True
            return
        if self._held[address] >= self._each or self._held.total() >= self._together:
            yield False
            return
        self._held[address] += 1
        try:
            yield True
        finally:
            self._held[address] -= 1
            self._held += Counter()  # forgets addresses that have none


class PlainServer(WSGIServer):  # type: ignore[misc]
    """Serves plain HTTP; `idle` as IDLE, `head` as HEAD."""

    idle, head = IDLE, HEAD

    def __init__(self, *where: Any, **more: Any) -> None:
        super().__init__(*where, **more)
        self.shares, self.room = Shares(), Room()

    def do_handle(self, *connection: Any) -> None:
        """A connection has come: see that there is room for the next."""
        if self.pool is not None and self.pool.free_count() < SPARE:
            self.room.make()
        super().do_handle(*connection)

    def handle(self, plug: Any, address: Any) -> None:
        """One connection; that of a machine that has its share already is closed without a word."""
        with self.shares.one(address[0]) as admitted:
            if admitted:
                super().handle(plug, address)


class SecureServer(PlainServer):
    """The same over TLS. A browser that does not trust our certificate hangs up: that is no trouble of ours."""

    def __init__(self, *where: Any, **more: Any) -> None:
        super().__init__(*where, **more)
        self.wrap_socket: Callable[..., Any]
        self._wrap = self.wrap_socket
        self.wrap_socket = self._greeted

    def _greeted(self, plug: Any, **more: Any) -> Any:
        self.room.waits()
        try:
            with gevent.Timeout(self.head, TimeoutError("the TLS handshake takes too long")):
                return self._wrap(plug, **more)
        finally:
            self.room.goes_on()

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> None:
        """One connection."""
        client_socket.settimeout(self.idle)
        with contextlib.suppress(SSLError, ConnectionError, TimeoutError):
            super().wrap_socket_and_handle(client_socket, address)


@dataclass(frozen=True)
class Secure:
    """One more port, on loopback, for https. `tend` is called now and then and may change `context`'s certificate."""

    port: int
    context: SSLContext
    tend: Callable[[], object] = lambda: None
    every: float = 3600.0  # seconds


class Server:
    """A running local page. `port` is the real one, also when 0 was asked for; so is `secure_port`, 0 without TLS."""

    def __init__(
        self, app: Flask, host: str, port: int, secure: Secure | None = None, idle: float = IDLE, head: float = HEAD
    ) -> None:
        self.host, self.port, self.secure_port = host, port, 0
        self._app, self._secure, self._idle, self._head = app, secure, idle, head
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        self.port = self._started.result(timeout=10)

    @property
    def url(self) -> str:
        """The address to open on this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def close(self) -> None:
        """Stop serving; open feeds are ended."""
        if self._thread.is_alive():
            self._hub.loop.run_callback_threadsafe(self._stop.set)
            self._thread.join(timeout=10)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _run(self) -> None:
        self._hub, self._stop = gevent.get_hub(), Event()
        servers = [self._made(PlainServer, self.host, self.port)]
        if self._secure:
            servers.append(self._made(SecureServer, "127.0.0.1", self._secure.port, ssl_context=self._secure.context))
        for server, place in zip(servers, ("gateway.port", "gateway.tls_port"), strict=False):
            try:
                server.start()
            except OSError as e:
                where = f"{server.server_host}:{server.server_port}"
                self._started.set_exception(
                    OSError(f"{place}: {where} cannot be used ({e.strerror}); choose another port")
                )
                servers[0].stop(timeout=0)
                return
        if self._secure:
            self.secure_port = servers[1].server_port
        self._started.set_result(servers[0].server_port)
        while not self._stop.wait(self._secure.every if self._secure else None):
            safely("renewing the gateway's certificate", self._tend)
        for server in servers:
            server.stop(timeout=0.2)  # feeds never end by themselves: their connections are cut

    def _made(self, kind: type[PlainServer], host: str, port: int, **more: Any) -> PlainServer:
        made = kind((host, port), self._app, spawn=Pool(MOST), log=None, error_log=log, handler_class=Handler, **more)
        made.idle, made.head = self._idle, self._head
        return made

    def _tend(self) -> None:
        assert self._secure is not None
        self._secure.tend()


def serve(
    app: Flask, host: str, port: int, secure: Secure | None = None, idle: float = IDLE, head: float = HEAD
) -> Server:
    """Serve until `close`. Raises ValueError for an open page beyond this machine, OSError when the port is taken."""
    if gateway_of(app).guard.open and not is_loopback(host):
        raise ValueError(f"gateway.host: {host} can be reached by other machines; set the technician's password first")
    return Server(app, host, port, secure, idle, head)

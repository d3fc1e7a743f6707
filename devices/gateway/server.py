"""Serves the local page: gevent's server in one thread of its own, beside the station's real threads.

Nothing is patched. Handlers run as greenlets of that one thread, so they wait with `gevent.sleep` and never block;
one slow browser then holds up nobody, and many feeds cost no thread each. Chosen because gevent already serves the
hall; a development server has no place on a machine that runs for years.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import gevent
from flask import Flask
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer
from gevent.ssl import SSLContext, SSLError

from devices.gateway.app import gateway_of
from devices.gateway.hosts import is_loopback
from devices.teller import safely

MOST = 200  # connections at a time; more wait at the door
IDLE = 60.0  # seconds a connection may say nothing while we wait for it, or take nothing of what we send

log = logging.getLogger(__name__)


class Handler(WSGIHandler):  # type: ignore[misc]
    """Lends the connection to an application that wants to go on with it by itself, such as a WebSocket."""

    def handle(self) -> None:
        """Every request of one connection. One that stands still makes room for others."""
        self.socket.settimeout(self.server.idle)
        super().handle()

    def _handle_client_error(self, ex: Exception) -> Any:
        return None if isinstance(ex, OSError) else super()._handle_client_error(ex)

    def get_environ(self) -> dict[str, Any]:
        """With the socket, whose keeper sets "bianmin.taken", and the address as it was sent, for it may be signed."""
        environ: dict[str, Any] = super().get_environ()
        environ["bianmin.socket"] = self.socket
        environ["RAW_URI"] = self.path
        return environ

    def handle_one_response(self) -> None:
        """A connection that was taken carries no second request."""
        super().handle_one_response()
        if "bianmin.taken" in self.environ:
            self.close_connection = True


class PlainServer(WSGIServer):  # type: ignore[misc]
    """Serves plain HTTP; `idle` as IDLE."""

    idle = IDLE


class SecureServer(PlainServer):
    """The same over TLS. A browser that does not trust our certificate hangs up: that is no trouble of ours."""

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

    def __init__(self, app: Flask, host: str, port: int, secure: Secure | None = None, idle: float = IDLE) -> None:
        self.host, self.port, self.secure_port = host, port, 0
        self._app, self._secure, self._idle = app, secure, idle
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
        made.idle = self._idle
        return made

    def _tend(self) -> None:
        assert self._secure is not None
        self._secure.tend()


def serve(app: Flask, host: str, port: int, secure: Secure | None = None, idle: float = IDLE) -> Server:
    """Serve until `close`. Raises ValueError for an open page beyond this machine, OSError when the port is taken."""
    if gateway_of(app).guard.open and not is_loopback(host):
        raise ValueError(f"gateway.host: {host} can be reached by other machines; set the technician's password first")
    return Server(app, host, port, secure, idle)

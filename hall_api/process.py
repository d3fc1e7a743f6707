"""One process that answers: gevent's server with thousands of cheap connections, and the hall behind it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from hall_api.accounts import Accounts
from hall_api.domain.orders import Actor, Housekeep, OpenWindow
from hall_api.domain.refusal import Refusal
from hall_api.hall import Hall
from hall_api.server import Pages, Serving, open_memory
from hall_api.storage.green import Greenlets
from hall_api.vault import Vault, vault_beside
from hall_api.web.app import create_app

log = logging.getLogger("hall.server")
CONNECTIONS = 20_000
PATIENCE = 60.0  # seconds a connection may say nothing, or take nothing of what is sent to it
LAST_WORDS = 2.0  # seconds for requests under way when the process stops
SYSTEM = Actor(role="system")
TURN = 0.001  # seconds: the writer, back from the disk, waits at most so long for the hub's busy thread
TICK = 1.0  # seconds between two looks at what the passing of time demands


class Handler(WSGIHandler):  # type: ignore[misc]  # gevent has no types
    """gevent's handler, with an answer's header and body in one packet and an end to endless waiting."""

    ignored_socket_errors = (*WSGIHandler.ignored_socket_errors, "timed out")

    def handle(self) -> None:
        """All requests of one connection."""
        self.socket.settimeout(PATIENCE)
        super().handle()

    def _write_with_headers(self, data: bytes) -> None:
        self.headers_sent = True
        self.finalize_headers()
        parts = [b"HTTP/1.1 ", self.status, b"\r\n"]
        for name, value in self.response_headers:
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"\r\n")
        if data and self.response_use_chunked:
            parts += (b"%x\r\n" % len(data), data, b"\r\n")
        elif data:
            parts.append(data)
        self._sendall(b"".join(parts))

    def log_error(self, msg: str, *args: object) -> None:
        """A connection that broke the rules of HTTP; never with what it asked for."""
        log.info("connection refused: %s", msg.partition("%")[0].strip())


def answer_requests(
    serving: Serving,
    listener: socket.socket,
    url: str,
    pages: Pages,
    on_ready: Callable[[], None],
    *,
    parent_alive: int | None = None,
    prepared: bool = False,
) -> int:
    """Answer until SIGTERM, SIGINT or the parent's death; the exit code."""
    sys.setswitchinterval(TURN)
    hall, accounts = open_hall(serving, url)
    if not prepared and serving.open_windows:
        _open_windows(hall, serving)
    app = create_app(
        hall,
        accounts,
        extra_blueprints=pages(hall),
        public_url=serving.public_url or url,
        behind_tls=serving.behind_tls,
    )
    several = serving.processes > 1
    server = WSGIServer(
        listener,
        app,
        log=None,
        error_log=logging.getLogger("hall.http"),
        handler_class=Handler,
        spawn=Pool(CONNECTIONS),
        environ={"wsgi.multiprocess": several},
    )
    front = app.extensions["hall"]

    def stop() -> None:
        front.feed.close()
        server.stop(timeout=LAST_WORDS)

    for name in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(name, stop)
    if parent_alive is not None:
        gevent.spawn(_stop_with_parent, parent_alive, stop)
    gevent.spawn(_keep_house, hall)
    server.start()
    gevent.spawn(on_ready)
    server.serve_forever()
    hall.close()
    return 0


def open_hall(serving: Serving, url: str = "") -> tuple[Hall, Accounts]:
    """The hall and its accounts over the database, for a gevent server. Raises CannotServe."""
    store = open_memory(serving.database, Greenlets())
    vault = Vault(serving.key_file) if serving.key_file else vault_beside(serving.database)
    hall = Hall(serving.plan, store, public_url=serving.public_url or url, vault=vault)
    return hall, Accounts(store, serving.plan)


def first_start(serving: Serving) -> None:
    """Create the database, and open the default hall's windows."""
    hall, _ = open_hall(serving)
    if serving.open_windows:
        _open_windows(hall, serving)
    hall.close()


def _open_windows(hall: Hall, serving: Serving) -> None:
    """Once in the life of a database: the key is remembered, so windows closed later stay closed."""
    if hall.last_seq():
        return
    for window in serving.plan.windows:
        hall.obey(OpenWindow(window=window.no), SYSTEM, f"first start {window.no}")


def _keep_house(hall: Hall) -> None:
    """Rating invitations run out, days end, machines fall silent: nobody asks for that, so the hall asks itself."""
    trouble = False
    while True:
        gevent.sleep(TICK)
        try:
            hall.obey(Housekeep(), SYSTEM)
            trouble = False
        except Refusal as refusal:  # the database is away; orders say so to their askers, here it is told once
            if not trouble:
                log.warning("the hall cannot keep house: %s", refusal)
            trouble = True


def _stop_with_parent(pipe: int, stop: Callable[[], Any]) -> None:
    """The pipe ends when the parent dies; nobody must keep the port then."""
    from gevent.os import nb_read

    os.set_blocking(pipe, False)
    nb_read(pipe, 1)
    stop()

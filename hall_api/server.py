"""Serves the hall: listens, starts the processes that answer, starts a dead one again, stops them all when told.

    one process:      this process answers by itself
    several:          this process ── forks ──▶ P that answer on the same listening socket; it only looks after them

A request that waits for another process's turn waits in the shared queue of the listening socket, so the death of
one process loses no caller who has not been answered yet.
"""

from __future__ import annotations

import logging
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.plan import HallPlan

if TYPE_CHECKING:
    from flask import Blueprint

    from hall_api.hall import Hall
    from hall_api.storage.store import Store
    from hall_api.storage.waiting import Waiting

log = logging.getLogger("hall.server")
BACKLOG = 1024
STOP = 5.0  # seconds a process has to finish what it is doing
BACK_OFF = (0.0, 0.05, 0.2, 1.0)  # seconds until a process that keeps dying is started again
STEADY = 1.0  # seconds after which a process counts as healthy

Pages = Callable[["Hall"], Sequence["Blueprint"]]


class CannotServe(Exception):
    """Why the hall cannot be served, and what to do about it."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What to serve, and where. `open_windows`: open every window at the very first start (the default hall)."""

    database: str
    plan: HallPlan
    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 1
    public_url: str = ""
    behind_tls: bool = False
    open_windows: bool = False
    key_file: Path | None = None  # seals attachments; None: beside a database that is a file, else there are none

    def url(self, port: int) -> str:
        """The address to open on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def open_memory(database: str, waiting: Waiting | None = None) -> Store:
    """The hall's database, made when it is not there yet. Raises CannotServe."""
    from sqlalchemy.exc import ArgumentError

    from hall_api.domain.refusal import Refusal
    from hall_api.sentences import say
    from hall_api.storage.store import open_store

    try:
        return open_store(database, waiting=waiting)
    except Refusal as refusal:
        raise CannotServe(say(refusal, "en")) from refusal
    except ArgumentError as mistake:
        raise CannotServe(
            f"{database!r} is no database address: write sqlite:///path/to/hall.db or postgresql://user@host/name."
        ) from mistake
    except OSError as trouble:
        reason = f"{trouble.strerror or trouble} ({trouble.filename})" if trouble.filename else str(trouble)
        raise CannotServe(f"The database cannot be opened: {reason}. Check its folder and its rights.") from trouble
    except ValueError as mistake:
        raise CannotServe(str(mistake)) from mistake


def no_pages(hall: Hall) -> Sequence[Blueprint]:
    """No pages of other rooms."""
    return ()


def say_ready(url: str) -> None:
    """One line for whoever waits for the hall to answer."""
    print(f"ready {url}", flush=True)


def serve(serving: Serving, *, pages: Pages = no_pages, on_ready: Callable[[str], None] = say_ready) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. Must be called before gevent's hub exists in this process.

    `pages` gives the blueprints of other rooms for a hall; `on_ready` is called once, with the address, when all
    processes answer. Raises CannotServe.
    """
    _allow_many_files()
    listener = listen(serving.host, serving.port)
    url = serving.url(listener.getsockname()[1])
    if serving.processes == 1:
        from hall_api.process import answer_requests

        return answer_requests(serving, listener, url, pages, lambda: on_ready(url))
    return Parent(serving, listener, url, pages, on_ready).watch()


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for callers. Raises CannotServe."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Header and body of an answer may go in two packets: without this the second one waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as trouble:
        listener.close()
        reason = trouble.strerror or str(trouble)
        raise CannotServe(
            f"Cannot listen on {host} port {port}: {reason}. Stop the program that uses it, or choose another --port."
        ) from trouble
    listener.setblocking(False)
    return listener


def _allow_many_files() -> None:
    """A thousand screens are a thousand open files; the usual soft limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(65536, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Parent:
    """Looks after the processes that answer."""

    def __init__(
        self, serving: Serving, listener: socket.socket, url: str, pages: Pages, on_ready: Callable[[str], None]
    ) -> None:
        self._serving, self._listener, self._url, self._pages = serving, listener, url, pages
        self._on_ready = on_ready
        self._children: dict[int, float] = {}  # process id → started when
        self._deaths = 0
        self._stopping = False
        self._alive = os.pipe()  # the children hold its reading end: it closes when this process dies
        self._ready = os.pipe()  # a byte from each child that answers

    def watch(self) -> int:
        """Start the children, start the dead again, until told to stop."""
        self._prepare()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        for _ in range(self._serving.processes):
            self._start()
        if self._all_ready():
            self._on_ready(self._url)
        while self._children and not self._stopping:
            self._bury(*os.waitpid(-1, 0))  # a signal ends the waiting with the death it causes
        return self._end()

    def _prepare(self) -> None:
        """Create the database before there are several who would: in a child, for nothing of it is inherited well."""
        from hall_api.process import first_start

        def prepare() -> int:
            first_start(self._serving)
            return 0

        _, status = os.waitpid(_fork(prepare), 0)
        if status:
            raise CannotServe("The hall could not be started; the sentence above says why.")

    def _start(self) -> None:
        self._children[_fork(self._be_child)] = time.monotonic()

    def _be_child(self) -> int:
        from hall_api.process import answer_requests

        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)
        os.close(self._alive[1])
        os.close(self._ready[0])

        def ready() -> None:
            os.write(self._ready[1], b".")

        return answer_requests(
            self._serving, self._listener, self._url, self._pages, ready, parent_alive=self._alive[0], prepared=True
        )

    def _all_ready(self) -> bool:
        """Wait until as many children as there should be have answered; False when told to stop meanwhile."""
        answered = 0
        while answered < self._serving.processes and not self._stopping:
            if select.select([self._ready[0]], [], [], 0.2)[0]:
                answered += len(os.read(self._ready[0], 64))
            gone, status = os.waitpid(-1, os.WNOHANG) if self._children else (0, 0)
            if gone:
                self._bury(gone, status)
        return not self._stopping

    def _bury(self, gone: int, status: int) -> None:
        """Tell a death once and start the next child, later each time when they keep dying."""
        started = self._children.pop(gone, None)
        if started is None or self._stopping:
            return
        self._deaths = 0 if time.monotonic() - started > STEADY else self._deaths + 1
        log.warning("process %d ended (%s) and is started again", gone, os.waitstatus_to_exitcode(status))
        wait_until = time.monotonic() + (BACK_OFF[min(self._deaths, len(BACK_OFF)) - 1] if self._deaths else 0)
        while time.monotonic() < wait_until and not self._stopping:
            time.sleep(0.02)  # short, so that being told to stop is not overslept
        if not self._stopping:
            self._start()

    def _stop(self, *_: object) -> None:
        self._stopping = True
        for child in self._children:
            os.kill(child, signal.SIGTERM)

    def _end(self) -> int:
        """Wait for the children to finish; those that do not are killed."""
        deadline = time.monotonic() + STOP
        while self._children and time.monotonic() < deadline:
            gone, _ = os.waitpid(-1, os.WNOHANG)
            if gone:
                self._children.pop(gone, None)
            else:
                time.sleep(0.01)
        for child in self._children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        return 0


def _fork(work: Callable[[], int]) -> int:
    """Run `work` in a child that never returns from here; the child's process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code: Any = 1
    try:
        code = work()
    except CannotServe as sentence:
        print(f"Error: {sentence}", file=sys.stderr)
    except BaseException:  # a forked child must end here, whatever happened, and never run its parent's code
        log.exception("a process of the hall broke down")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

"""Keeps this machine's programs running: starts them, starts them again when they die, and stops exactly those.

Each program is a process in a group of its own, so that stopping it stops what it started too, and nobody else. What
it says goes into a log file; its last lines are shown when it dies. A death is told once and the recovery once,
however often it dies in between.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType

from kiosk.program import Line, Port, Program, Say

__all__ = ["Line", "NotReady", "Port", "Program", "Supervisor"]

GRACE = 10.0  # seconds a program has to end by itself when it is asked to


class NotReady(RuntimeError):
    """A program that should be ready is not; the message carries its last lines."""


class Supervisor:
    """Several programs, started in order and stopped in the opposite order. Use it with `with`."""

    def __init__(self, logs: Path, say: Say = print) -> None:
        self.logs, self.say = logs, say
        self.programs: dict[str, Program] = {}
        self._asked = threading.Event()

    def start(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        ready: Line | Port | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> Program:
        """Start a program and keep it running; returns at once (see `wait_ready`). `env` adds to our environment.

        `on_line` hears every line it prints, in a thread of its own. Raises ValueError when the name is taken.
        """
        if name in self.programs:
            raise ValueError(f"a program called {name!r} is already being kept")
        self.logs.mkdir(parents=True, exist_ok=True)
        program = Program(
            name,
            argv,
            {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            ready=ready,
            on_line=on_line,
            log=self.logs / f"{name}.log",
            say=self.say,
        )
        self.programs[name] = program
        program.start()
        return program

    def wait_ready(self, *names: str, timeout: float = 30.0) -> None:
        """Wait until these programs (none named: all) are ready. Raises NotReady, with a program's last lines,
        after `timeout` seconds or when we are being asked to stop."""
        deadline = time.monotonic() + timeout
        for name in names or tuple(self.programs):
            program = self.programs[name]
            while not program.is_ready.wait(0.05):
                if self._asked.is_set() or time.monotonic() > deadline:
                    why = "is being stopped" if self._asked.is_set() else f"was not ready after {timeout:g} s"
                    raise NotReady(f"{name} {why}. Its last lines:\n{program.tail()}")

    @property
    def asked(self) -> bool:
        """True once somebody asked us to stop."""
        return self._asked.is_set()

    def ask_to_stop(self) -> None:
        """Have `wait` return; may be called from a signal handler or any thread."""
        self._asked.set()

    def wait(self) -> None:
        """Return when asked to stop: by Ctrl-C, SIGTERM, a closed terminal, or `ask_to_stop`. Main thread only."""
        with self.signals():
            while not self._asked.wait(0.5):
                pass

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """While inside, Ctrl-C, SIGTERM and SIGHUP ask us to stop instead of ending us at once."""

        def asked(number: int, frame: FrameType | None) -> None:
            self.ask_to_stop()

        before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self, name: str | None = None, grace: float = GRACE) -> None:
        """Stop one program, or all the last started first; what has not ended after `grace` seconds is killed."""
        names = [name] if name else list(reversed(self.programs))
        for one in names:
            self.programs[one].ask_to_stop()
        deadline = time.monotonic() + grace
        for one in names:
            program = self.programs.pop(one)
            if not program.join(max(0.0, deadline - time.monotonic())):
                self.say(f"{one} did not end by itself within {grace:g} s and is killed.")
                program.kill()
                program.join(5)

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, kind: type[BaseException] | None, it: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

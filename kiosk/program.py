"""One program kept running: its lives, its log, how it says that it is ready. `kiosk.supervisor` keeps several.

The process is the leader of a group of its own. It dies with us, even when we are killed outright.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0  # seconds between a death and the next start; doubled at each
STEADY = 10.0  # a program that has lived this long has recovered
LOG_BYTES = 10_000_000  # a log is set aside (.1) at this size
TAIL = 12  # lines shown when a program dies

Say = Callable[[str], None]


@dataclass(frozen=True)
class Line:
    """Ready when a line with this text has been printed."""

    text: str


@dataclass(frozen=True)
class Port:
    """Ready when this TCP port answers."""

    port: int
    host: str = "127.0.0.1"


class Program:
    """One program that is kept running. Made by `Supervisor.start`."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        ready: Line | Port | None,
        on_line: Callable[[str], None] | None,
        log: Path,
        say: Say,
    ) -> None:
        self.name, self.argv, self.env, self.ready = name, list(argv), dict(env), ready
        self.on_line, self.log_file, self.say = on_line, log, say
        self.starts = 0
        self.last_lines: deque[str] = deque(maxlen=TAIL)
        self.process: subprocess.Popen[str] | None = None
        self.is_ready = threading.Event()
        self._stopping = threading.Event()
        self._spoken = threading.Lock()  # one writer at the program's stdin
        self._thread = threading.Thread(target=self._keep, name=f"keep {name}", daemon=True)

    @property
    def pid(self) -> int | None:
        """The running process, or None between a death and the next start."""
        process = self.process
        return process.pid if process and process.poll() is None else None

    def start(self) -> None:
        """Begin; returns at once. Call it once."""
        self._thread.start()

    def write(self, line: str) -> None:
        """One line to the program's standard input. Raises BrokenPipeError when it is not running."""
        process = self.process
        if process is None or process.stdin is None:
            raise BrokenPipeError(f"{self.name} is not running")
        with self._spoken:
            process.stdin.write(line + "\n")
            process.stdin.flush()

    def ask_to_stop(self) -> None:
        """Tell the program to end; does not wait."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the program and all it started, now."""
        self._stopping.set()
        self._signal(signal.SIGKILL)

    def join(self, timeout: float) -> bool:
        """True when it has ended within `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def tail(self) -> str:
        """Its last lines, indented."""
        return "\n".join(f"    {line}" for line in self.last_lines or ["(it said nothing)"])

    # ---- in the program's own thread -----------------------------------------------------------------------------

    def _keep(self) -> None:
        """Start, wait, start again. The process is started here because it dies with the thread that started it."""
        pause, troubled = FIRST_PAUSE, False
        while not self._stopping.is_set():
            began = time.monotonic()
            code = self._live()
            if self._stopping.is_set():
                return
            if time.monotonic() - began >= STEADY:
                pause, troubled = FIRST_PAUSE, False
            if not troubled:
                self.say(f"{self.name} {_how(code)} and is being started again. Its last lines:\n{self.tail()}")
                troubled = True
                threading.Thread(target=self._tell_recovery, daemon=True).start()
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _live(self) -> int:
        """One life of the process; returns its exit code."""
        try:
            # setpriv (util-linux) has the kernel send TERM to the program when this thread, and so we, are gone.
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *self.argv],
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as trouble:
            self.last_lines.append(str(trouble))
            return 127
        self.process = process
        self.starts += 1
        if self._stopping.is_set():  # asked between the decision to start and now
            self._signal(signal.SIGTERM)
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        reader.start()
        if isinstance(self.ready, Port):
            threading.Thread(target=self._knock, args=(self.ready, process), daemon=True).start()
        code = process.wait()
        _clear(process.pid)
        reader.join(2)
        self.is_ready.clear()
        with contextlib.suppress(BrokenPipeError):
            if process.stdin:
                process.stdin.close()
        return code

    def _read(self, process: subprocess.Popen[str]) -> None:
        """Copy what the program says into its log, and notice when it says that it is ready."""
        assert process.stdout is not None
        with process.stdout as lines, _Log(self.log_file) as log:
            if self.ready is None:
                self.is_ready.set()
            for line in lines:
                text = line.rstrip("\n")
                self.last_lines.append(text)
                log.write(text)
                if isinstance(self.ready, Line) and self.ready.text in text:
                    self.is_ready.set()
                if self.on_line:
                    self.on_line(text)

    def _knock(self, port: Port, process: subprocess.Popen[str]) -> None:
        """Try the port until it answers or the program is gone."""
        while process.poll() is None and not self._stopping.is_set():
            try:
                socket.create_connection((port.host, port.port), timeout=1).close()
            except OSError:
                self._stopping.wait(0.05)
            else:
                self.is_ready.set()
                return

    def _tell_recovery(self) -> None:
        """Say once that the program has come back and stayed."""
        while not self._stopping.wait(0.2):
            pid = self.pid
            if pid is None or not self.is_ready.is_set():
                continue
            if not self._stopping.wait(STEADY) and self.pid == pid:
                self.say(f"{self.name} is running again.")
                return

    def _signal(self, number: signal.Signals) -> None:
        process = self.process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)


class _Log:
    """A log file whose lines carry the time (UTC), set aside when it is full."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: TextIO = path.open("a", encoding="utf-8", buffering=1)

    def write(self, line: str) -> None:
        self.file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + f"Z {line}\n")
        if self.file.tell() > LOG_BYTES:
            self.file.close()
            self.path.replace(self.path.with_suffix(".log.1"))
            self.file = self.path.open("a", encoding="utf-8", buffering=1)

    def __enter__(self) -> _Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, it: BaseException | None, at: TracebackType | None) -> None:
        self.file.close()


def _clear(group: int) -> None:
    """End what a program started and left behind: ask, wait two seconds at most, then kill and see it gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + 2
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
            while time.monotonic() < deadline:
                os.killpg(group, 0)  # raises when nobody is left
                time.sleep(0.01)
            continue
        return


def _how(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"

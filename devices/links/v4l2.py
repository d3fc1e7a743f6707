"""A camera of this machine, opened through V4L2 by a program of its own that can be killed when the camera hangs.

`v4l2:///dev/v4l/by-path/NAME`, or shorter `v4l2://by-path/NAME`; the name is the USB socket (or with `by-id` the camera
itself) and never depends on the order in which cameras were found. One camera often has two nodes, and only the one
ending in `index0` shows pictures.

    this process  ── socket ──  python -m devices.links.camera_worker NODE
                                open → MJPG → size → rate → controls → read back → drop the first pictures → pictures

What passes on the socket is written in `devices.drivers.uvc_camera`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from config.words import Sentence, joined
from devices.links.base import FORBIDDEN, IN_USE, FileLink, LinkAbsent, LinkLost, LinkMistake, LinkText
from devices.links.holder import holder

# What the worker ends with when it cannot go on.
CLOSED, STOPPED = 3, 4
NOT_OPENED = "{node} cannot be opened as a camera; another program may be using it"
NO_CAMERA = "{node} is not a camera; choose one of {folder}."
BY_PATH = "/dev/v4l/by-path"
MAJOR = 81  # of every V4L2 node
MOST_SAID = 100_000  # bytes of the worker's complaints
RUNNING: set[int] = set()  # the process numbers of workers, each of which holds a camera for this program
HANG = 10  # s without a byte after which the worker is killed


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow("hang")
    hang_of(target)
    if not device_of(target).strip("/"):
        raise LinkMistake(f"link {target.text!r}: write v4l2:///dev/v4l/by-path/NAME or v4l2://by-path/NAME")


def hang_of(target: LinkText) -> int:
    """Seconds without a picture after which the worker is killed. Raises LinkMistake."""
    return target.number("hang", HANG, 1, 999)


def device_of(target: LinkText) -> str:
    """The camera's name: a path, or what stands below /dev/v4l/by-path."""
    return f"/dev/v4l/{target.host}{target.path}" if target.host in ("by-path", "by-id") else target.path or target.host


class V4L2Link(FileLink):
    """A camera's worker and the socket to it."""

    def __init__(self, target: LinkText, worker: Sequence[str] = ()) -> None:
        """`worker` is the program to run instead of our own (for tests)."""
        self._hang = hang_of(target)
        self._node = device_of(target) if worker else find_node(device_of(target))
        program = list(worker) or [sys.executable, "-m", "devices.links.camera_worker", self._node]
        self._socket, theirs = socket.socketpair()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - the complaints of the worker and its libraries
        house = Path(__file__).resolve().parents[2]
        with theirs:
            self._worker = subprocess.Popen(
                program, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=self._said, cwd=house
            )
        RUNNING.add(self._worker.pid)
        self._socket.setblocking(False)
        super().__init__(self._socket.fileno())
        self._heard = time.monotonic()

    def read(self, timeout: float) -> bytes:
        """See Link. A worker that ends, or says nothing for too long, is a lost cable."""
        try:
            data = super().read(timeout)
        except LinkLost:
            raise LinkLost(self._last_words()) from None
        said = self._said.fileno()
        if os.fstat(said).st_size > MOST_SAID:  # libraries complain of each picture; it is the last words that count
            os.lseek(said, 0, os.SEEK_SET)  # the worker's place in the file as well
            os.ftruncate(said, 0)
        now = time.monotonic()
        if data:
            self._heard = now
        elif now - self._heard > self._hang:
            raise LinkLost(Sentence("the camera has hung for {seconds} s; its program was ended", seconds=self._hang))
        return data

    def _last_words(self) -> Sentence:
        """Why the worker has ended: what its code means, else the last line it or a library has written."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._worker.wait(1)
        code = self._worker.returncode
        if code == CLOSED:
            user = holder(self._node, ours=RUNNING)
            return Sentence(IN_USE, user=user, node=self._node) if user else Sentence(NOT_OPENED, node=self._node)
        if code == STOPPED:
            return Sentence("the camera stopped sending pictures; unplug it and plug it in again")
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        ended = Sentence("the camera's program ended (code {code})", code=code)
        return joined(": ", (ended, lines[-1])) if lines else ended

    def _let_go(self) -> None:
        """Kill the worker. One that the kernel holds fast is left behind rather than waited for."""
        self._worker.kill()
        RUNNING.discard(self._worker.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._worker.wait(1)
        self._socket.close()
        self._said.close()


def find_node(device: str) -> str:
    """The node this name means. Raises LinkAbsent with what to look at."""
    node = device if device.startswith("/dev/") else os.path.join(BY_PATH, device.strip("/"))
    try:
        status = os.stat(node)
    except OSError:
        raise LinkAbsent(
            Sentence("There is no camera at {node}; check that it is plugged into this USB socket.", node=node)
        ) from None
    if not stat.S_ISCHR(status.st_mode) or os.major(status.st_rdev) != MAJOR:
        raise LinkAbsent(Sentence(NO_CAMERA, node=node, folder=BY_PATH))
    if not os.access(node, os.R_OK | os.W_OK):
        raise LinkAbsent(Sentence(FORBIDDEN, node=node, group="video"))
    return node

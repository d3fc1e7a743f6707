"""What must still reach the hall after a power cut: a citizen's rating waits here until the hall has answered.

One message is one file, written and synced before anything is sent and removed after the hall's answer. The file's
name is the idempotency key, so a message that was sent just before the power went is not counted twice.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """A request that waits: `key` is its idempotency key."""

    key: str
    path: str
    body: Mapping[str, Any]
    at: float  # when it was put into the box, by this machine's clock


class Outbox:
    """Messages on disk and one thread that brings them to the hall, oldest first.

    `send(message)` tells whether the hall has answered; after False this message waits, and the others go on (the hall
    stumbled over this one). It raises `away` (an exception class) when the hall could not be reached: then all wait.
    What waits is tried again after `pause` seconds.
    """

    def __init__(
        self, folder: Path, send: Callable[[Message], bool], away: type[Exception], *, pause: float = 1.0
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._send, self._away, self._pause = folder, send, away, pause
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="outbox", daemon=True)
        self._thread.start()

    def put(self, path: str, body: Mapping[str, Any]) -> str:
        """Keep a message and see to it that it arrives; returns its key. It is on the disk when this returns."""
        key = str(uuid.uuid4())
        order = len(list(self._folder.glob("*.json")))
        target = self._folder / f"{order:06d}-{key}.json"
        draft = target.with_suffix(".part")
        with draft.open("w", encoding="utf-8") as out:
            json.dump({"key": key, "path": path, "body": dict(body), "at": time.time()}, out)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(target)
        _sync_folder(self._folder)
        self._wake.set()
        return key

    def waiting(self) -> list[Path]:
        """Files of the messages that have not reached the hall, oldest first."""
        found = []
        for file in self._folder.glob("*.json"):
            with suppress(FileNotFoundError):  # delivered while somebody looks
                found.append((file.stat().st_mtime_ns, file.name, file))
        return [file for *_, file in sorted(found)]

    def close(self) -> None:
        """Stop carrying; what waits stays on the disk for the next start."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=10)

    def _carry(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            pause = 30.0
            try:
                for file in self.waiting():
                    message = _read(file)
                    if message is None:
                        continue
                    if self._send(message):
                        file.unlink()
                    else:
                        pause = self._pause
            except self._away:
                self._stop.wait(self._pause)
                continue
            except OSError as trouble:
                LOG.error("the box of messages for the hall cannot be read (%s); a technician must look", trouble)
                self._stop.wait(30)
                continue
            self._wake.wait(timeout=pause)


def _read(file: Path) -> Message | None:
    """The message in a file. A file a failing disk has spoilt is put aside under another name, not thrown away."""
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        return Message(key=stored["key"], path=stored["path"], body=stored["body"], at=stored["at"])
    except (ValueError, KeyError) as spoilt:
        aside = file.with_suffix(".spoilt")
        file.rename(aside)
        LOG.error("a message for the hall cannot be read (%s); it is kept as %s", spoilt, aside)
        return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

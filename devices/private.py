"""Folders only this process may look into, for what must not outlive it; in memory where the machine has a RAM disk.

Their names carry the number of the process they belong to, so that what a program that was killed left behind can be
told and removed. What lies in them is encrypted with a key that died with it; removing them is tidiness.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

SHM = Path("/dev/shm")


def private_folder(name: str, where: Path = SHM) -> Path:
    """A new folder of ours; those of the same `name` whose process is gone are removed on this occasion."""
    where = where if os.access(where, os.W_OK) else Path(tempfile.gettempdir())
    sweep(name, where)
    return Path(tempfile.mkdtemp(prefix=f"{name}-{os.getpid()}-", dir=where))


def sweep(name: str, where: Path = SHM) -> None:
    """Remove what processes that are gone have left."""
    for left in where.glob(f"{name}-*-*"):
        process = left.name.removeprefix(f"{name}-").partition("-")[0]
        if process.isdecimal() and not Path(f"/proc/{process}").exists():
            shutil.rmtree(left, ignore_errors=True)

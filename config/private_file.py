"""Files of secrets: readable by their owner alone, and replaced in one step."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Replace a file by one only its owner can read; it is on the disk when this returns. Raises OSError."""
    half = path.with_name(path.name + ".half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def is_private(path: Path) -> bool:
    """Whether nobody but its owner may read or change it. Raises OSError when it is not there."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077

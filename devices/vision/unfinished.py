"""Where a file is written until it is whole: beside its place, so that it need only be renamed."""

from __future__ import annotations

import glob
import os
import secrets
import time
from pathlib import Path

ABANDONED = 3600.0  # seconds after its last byte: nobody writes on it any more


def beside(path: Path) -> Path:
    """A new, empty file in the folder of `path` that only we can read; its writer renames it, or removes it.

    What a writer that was killed left behind is removed here, an hour later at the earliest. Raises OSError.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 8}"):
        if time.time() - left.lstat().st_mtime > ABANDONED:
            left.unlink(missing_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return new

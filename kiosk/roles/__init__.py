"""What a machine can be: one program for each role, started by `bianmin run hall.toml`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from config.reader import Mistake


def leave(main: Callable[..., int], *arguments: str) -> NoReturn:
    """Run a role's program and leave with its exit code; what is wrong in its files is told in sentences."""
    try:
        code = main(*arguments)
    except Mistake as mistake:
        code = 1
        print(f"bianmin: {mistake}", file=sys.stderr)
    sys.exit(code)

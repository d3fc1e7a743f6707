"""Which program holds a port that will not open: read from /proc, as far as we may look."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from pathlib import Path

from config.words import Sentence

PROC = Path("/proc")
SOMEBODY = Sentence("Another program")  # of whom nothing can be told
OURSELVES = Sentence("this program itself, for another device,")


def holder(node: str, proc: Path = PROC, ours: Collection[int] = ()) -> str:
    """The program that has locked or opened this port: "picocom (process 812)"; empty when it cannot be told.

    `ours`: the numbers of programs that hold ports for us.
    Somebody who locked it comes first; another who merely has it open, as a terminal's own far end has, only then.
    """
    pid = holding(node, proc)
    if not pid:
        return ""
    if pid == os.getpid() or pid in ours:
        return OURSELVES
    name = ""
    with contextlib.suppress(OSError):
        name = (proc / str(pid) / "comm").read_text().strip()
    return f"{name} (process {pid})" if name else Sentence("A program (process {pid})", pid=pid)


def holding(node: str, proc: Path = PROC) -> int:
    """The number of the program that has locked or opened this port; 0 when none is seen."""
    return _locked_by(node, proc) or _opened_by(node, proc)


def _locked_by(node: str, proc: Path) -> int:
    """Whose lock is on the file; 0 when nobody's."""
    try:
        there = os.stat(node)
        lines = (proc / "locks").read_text().splitlines()
    except OSError:
        return 0
    file = f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}:{there.st_ino}"
    for line in lines:  # 1: FLOCK  ADVISORY  WRITE 812 00:18:3 0 EOF
        words = line.split()
        if len(words) >= 6 and words[5] == file and words[4].isdigit():
            return int(words[4])
    return 0


def _opened_by(node: str, proc: Path) -> int:
    """Another program that has the file open; 0 when none is seen."""
    wanted = os.path.realpath(node)
    for one in proc.iterdir():
        if not one.name.isdigit() or int(one.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            for fd in (one / "fd").iterdir():
                if os.readlink(fd) == wanted:
                    return int(one.name)
    return 0

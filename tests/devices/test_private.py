"""Folders for what must not outlive its process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from devices.private import private_folder, sweep

LEAVE = """
import sys
from pathlib import Path
from devices.private import private_folder
print(private_folder("trial", Path(sys.argv[1])))
"""


def test_what_a_program_that_is_gone_left_is_removed_and_what_lives_is_kept(tmp_path: Path) -> None:
    program = [sys.executable, "-c", LEAVE, str(tmp_path)]
    gone = Path(subprocess.run(program, capture_output=True, text=True, check=True).stdout.strip())
    (gone / "x.page").write_bytes(b"sealed")
    (tmp_path / "other").mkdir()
    mine = private_folder("trial", tmp_path)
    assert mine.stat().st_mode & 0o777 == 0o700 and f"-{os.getpid()}-" in mine.name
    assert not gone.exists()
    other = private_folder("trial", tmp_path)
    sweep("trial", tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([mine, other, tmp_path / "other"])


def test_without_a_ram_disk_it_lies_where_temporary_files_do(tmp_path: Path) -> None:
    folder = private_folder("trial", tmp_path / "no disk")
    assert folder.is_dir()
    folder.rmdir()

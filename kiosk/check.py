"""`bianmin test`: every check of the project, one after the other, with a summary at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
PYTHON = (sys.executable, "-m")
CHECKS = {
    "Style (ruff)": (*PYTHON, "ruff", "check", "."),
    "Layout (ruff format)": (*PYTHON, "ruff", "format", "--check", "."),
    "Types (mypy)": (*PYTHON, "mypy"),
    "Floors (import-linter)": (sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"),
}


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: Sequence[str]) -> None:
    """Check everything; extra arguments go to pytest (`bianmin test tests/config -k words`)."""
    checks = {**CHECKS, "Tests (pytest)": (*PYTHON, "pytest", *arguments)}
    outcome = {name: _run(name, command) for name, command in checks.items()}
    click.echo(f"\n{'─' * 20} Summary")
    for name, (code, seconds) in outcome.items():
        click.echo(f"{'passed' if code == 0 else 'FAILED'}  {seconds:6.1f} s  {name}")
    sys.exit(1 if any(code for code, _ in outcome.values()) else 0)


def _run(name: str, command: Sequence[str]) -> tuple[int, float]:
    """Exit code and seconds of one check; it talks to the screen by itself."""
    click.echo(f"\n{'─' * 20} {name}")
    started = time.monotonic()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode
    return code, time.monotonic() - started

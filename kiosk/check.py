"""`bianmin test`: every check of the project, one after the other, with a summary at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
PYTHON = (sys.executable, "-m")
BESIDE = ("-n", "3", "--dist", "loadfile", "--cache-clear")  # most tests wait: for a wire, a browser, a clock
ALONE = ("-n", "0", "--last-failed", "--last-failed-no-failures", "none")
FAILED = 1  # pytest's exit code for tests that failed; others tell of something worse
FEW = 12  # failures that may come of too much going on at once; more are something else
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
    outcome = {name: _run(name, command) for name, command in CHECKS.items()}
    outcome |= _run_tests(arguments)
    click.echo(f"\n{'─' * 20} Summary")
    for name, (code, seconds) in outcome.items():
        click.echo(f"{'passed' if code == 0 else 'FAILED'}  {seconds:6.1f} s  {name}")
    sys.exit(1 if any(code for code, _ in outcome.values()) else 0)


def _run_tests(arguments: Sequence[str]) -> dict[str, tuple[int, float]]:
    """All tests, several at a time; the few that fail so are tried once more with the machine to themselves.

    What decides is how they do alone, and the summary says how many needed it: a busy machine is no defect, a test that
    only passes in company is none either, and one that fails alone is.
    """
    name = "Tests (pytest)"
    code, seconds = _run(name, (*PYTHON, "pytest", *BESIDE, *arguments))
    failed = _failed()
    if code != FAILED or not 0 < failed <= FEW:
        return {name: (code, seconds)}
    first = {f"{name}; {failed} failed beside others and were tried again alone": (0, seconds)}
    return {
        **first,
        "Tests tried again, alone": _run("Tests tried again, alone", (*PYTHON, "pytest", *ALONE, *arguments)),
    }


def _failed() -> int:
    """How many tests the last run of pytest left failed."""
    try:
        return len(json.loads((ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return 0


def _run(name: str, command: Sequence[str]) -> tuple[int, float]:
    """Exit code and seconds of one check; it talks to the screen by itself."""
    click.echo(f"\n{'─' * 20} {name}")
    started = time.monotonic()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode
    return code, time.monotonic() - started

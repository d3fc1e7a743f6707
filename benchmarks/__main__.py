"""`bianmin bench`: every speed beside its limit, in one run.

Each file of this folder with a function `rows() -> Iterable[Row]` is a bench; its name without `.py` is what `--only`
takes (a part of it is enough).
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import click
from rich.console import Console
from rich.table import Table

from benchmarks.row import Row

FOLDER = Path(__file__).resolve().parent


@dataclass
class Bench:
    """A bench and what came of it."""

    name: str
    rows: list[Row]
    seconds: float
    trouble: str = ""


def benches(only: tuple[str, ...]) -> Iterator[tuple[str, ModuleType]]:
    """The files that measure something, by name."""
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem.startswith("_") or "def rows(" not in path.read_text("utf-8"):
            continue
        if not only or any(part in path.stem for part in only):
            yield path.stem, importlib.import_module(f"benchmarks.{path.stem}")


def measure(name: str, module: ModuleType, minutes: float | None = None) -> Bench:
    """Run one bench, for so long if it is one that lasts; its own failure must not hide the others' figures."""
    started = time.monotonic()
    lasts = minutes is not None and "minutes" in inspect.signature(module.rows).parameters
    try:
        rows, trouble = list(module.rows(minutes=minutes) if lasts else module.rows()), ""
    except Exception as failure:  # noqa: BLE001 - whatever it is, it is told in its line and the next bench runs
        rows, trouble = [], f"{type(failure).__name__}: {failure}"
    return Bench(name, rows, time.monotonic() - started, trouble)


def number(value: float | None) -> str:
    """Three figures that matter."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(done: list[Bench]) -> None:
    """The table."""
    table = Table(title="Bianmin, beside the limits of this machine")
    for heading, side in (("what", "left"), ("ours", "right"), ("limit", "right"), ("ratio", "right"), ("aim", "left")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    table.add_column("met")
    for bench in done:
        for row in bench.rows:
            met = {None: "", True: "[green]yes[/]", False: "[red bold]NO[/]"}[row.met]
            limit = f"{number(row.limit)} {row.of}".strip() if row.limit is not None else row.of
            what = f"{row.what}\n[dim]{row.note}[/]" if row.note else row.what
            table.add_row(what, f"{number(row.ours)} {row.unit}", limit, number(row.ratio), row.aim, met)
        if bench.trouble:
            table.add_row(bench.name, "[red]failed[/]", "", "", bench.trouble, "[red bold]NO[/]")
    Console().print(table)


@click.command()
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="write the figures here as well")
@click.option("--only", multiple=True, metavar="NAME", help="only benches whose name contains this")
@click.option("--minutes", type=click.FloatRange(min=0.1), help="how long a bench lasts that is about lasting")
def main(file: Path | None, only: tuple[str, ...], minutes: float | None) -> None:
    """Measure speed beside the machine's own limits; exit 1 when an aim is missed."""
    chosen = list(benches(only))
    if not chosen:
        raise click.ClickException(f"There is no bench called {', '.join(only)}.")
    done = []
    for name, module in chosen:
        click.echo(f"{name} …", err=True)
        done.append(measure(name, module, minutes))
        click.echo(f"{name}: {done[-1].seconds:.0f} s", err=True)
    show(done)
    if file:
        file.write_text(json.dumps(report(done), ensure_ascii=False, indent=1) + "\n")
    missed = any(bench.trouble or any(row.met is False for row in bench.rows) for bench in done)
    raise SystemExit(1 if missed else 0)


def report(done: list[Bench]) -> dict[str, object]:
    """What `--json` writes."""
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "benches": [
            {
                "name": bench.name,
                "seconds": round(bench.seconds, 1),
                "failed": bench.trouble or None,
                "rows": [row.as_json() for row in bench.rows],
            }
            for bench in done
        ],
    }


if __name__ == "__main__":
    main(prog_name="bianmin bench")

"""`bianmin vision bench`: what the camera's eye is worth on this machine, beside others in the same run."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import click
import cv2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from devices.scanning import benches as benches_live
from devices.vision import benches

PARTS = (*benches.PARTS, benches_live.PART)


@click.command()
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with pages, codes and mrz in it, each with its truth.csv; without it only what can be drawn.",
)
@click.option("--only", multiple=True, help="Only the parts whose name has this in it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and figure.")
def command(pictures: Path | None, only: tuple[str, ...], as_json: bool) -> None:
    """Measure outlines, codes, lines, cards, text and saving beside plain OpenCV, pyzbar, zxing-cpp and rapidocr.

    PassportEye is measured too where it and Tesseract are installed; Bianmin itself needs neither.
    """
    threads = cv2.getNumThreads()
    wanted = [part for part in PARTS if not only or any(each.lower() in part.name.lower() for each in only)]
    rows: list[benches.Row] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
            for part in wanted:
                cv2.setNumThreads(threads if part.all_cores else 1)
                task = bar.add_task(part.name, total=None)
                for row in part.run(
                    pictures,
                    lambda done, of, task=task: bar.update(task, completed=done, total=of),  # type: ignore[misc]
                ):
                    rows.append(row)
                    if as_json:
                        click.echo(
                            json.dumps({**dataclasses.asdict(row), "peers": dict(row.peers)}, ensure_ascii=False)
                        )
                bar.remove_task(task)
    finally:
        cv2.setNumThreads(threads)
    if not as_json:
        Console().print(_table(rows))


def _table(rows: list[benches.Row]) -> Table:
    table = Table()
    for name in ("what", "ours", "aim", "", "others, same run"):
        table.add_column(name, overflow="fold")
    for row in rows:
        unit = f" {row.unit}" if row.unit else ""
        met = "" if row.good is None else ("✓" if row.good else "✗")
        others = ", ".join(f"{name} {figure:g}{unit}" for name, figure in row.peers)
        table.add_row(row.what, f"{row.ours:g}{unit}", f"{row.aim}{unit}" if row.aim else "", met, others)
    return table

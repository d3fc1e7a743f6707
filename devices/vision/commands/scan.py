"""`bianmin vision scan`: pictures of pages in, one finished document out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from devices.vision import export, scan, upright
from devices.vision.pictures import PictureMistake, load
from devices.vision.sheets import PileMistake, Sheet
from devices.vision.text import Reader, TextTrouble

MODES = {"document": "document", "photo": "photo", "bw": "black-and-white", "book": "book"}


@click.command()
@click.argument("image", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="PDF, JPEG, PNG or TIFF."
)
@click.option("--mode", type=click.Choice(sorted(MODES)), default="document", show_default=True)
@click.option("--searchable", is_flag=True, help="Read the pages and hide their text in the PDF.")
@click.option("--watermark", default="", help="What the copy is made for, written across each page.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON about the document.")
def command(image: tuple[Path, ...], output: Path, mode: str, searchable: bool, watermark: str, as_json: bool) -> None:
    """Find the pages in pictures, square and whiten them, stand them upright, and write them as one document."""
    began = time.perf_counter()
    pages: list[dict[str, Any]] = []
    with (
        Reader() as reader,
        Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar,
    ):
        task = bar.add_task("pages", total=len(image))

        def sheets() -> Iterator[Sheet]:
            for path in image:
                for sheet in finished(path, MODES[mode], reader):
                    if scan.WHOLE in sheet.flags:
                        click.echo(f"{path}: no page was found in it; the whole picture is taken.", err=True)
                    sheet = scan.coded(sheet)
                    if searchable:
                        sheet = scan.read(sheet, reader.read)
                    pages.append(about(path, sheet))
                    yield sheet
                bar.advance(task)

        try:
            export.check(output)
            files = export.write(output, sheets(), title=output.stem, mark=watermark)
        except (PictureMistake, TextTrouble, PileMistake, ValueError) as trouble:
            raise click.ClickException(str(trouble)) from trouble
        except OSError as trouble:
            raise click.ClickException(f"{output}: cannot be written ({trouble.strerror or trouble}).") from trouble
    spent = round((time.perf_counter() - began) * 1000)
    size = sum(path.stat().st_size for path in files)
    if as_json:
        told = {"file": str(output), "files": [str(path) for path in files], "pages": pages, "bytes": size, "ms": spent}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(f"{output}: {len(pages)} page{'s' * (len(pages) != 1)}, {size / 1024:.0f} kB")


def finished(path: Path, mode: str, reader: Reader) -> list[Sheet]:
    """The pages of one picture file, each squared, toned and upright; the whole picture where no page is found."""
    picture = load(path)
    untouched = path.read_bytes() if picture.kind == "JPEG" and picture.orientation == 1 else b""
    shot = scan.Shot(scan.upright_pixels(picture), untouched, picture.dpi)
    out: list[Sheet] = []
    for corners, flags in scan.found(shot.bgr) or [scan.ALL]:
        out += scan.pages(shot, corners, mode, upright=lambda bgr: upright.turn(bgr, reader.read), flags=flags)
    return out


def about(path: Path, sheet: Sheet) -> dict[str, Any]:
    """What is told of a page."""
    corners: Sequence[Sequence[float]] = [[round(x, 1), round(y, 1)] for x, y in sheet.corners]
    width, height = (sheet.height, sheet.width) if sheet.turn % 180 else (sheet.width, sheet.height)
    return {
        "file": str(path),
        "corners": corners,
        "turn": sheet.turn,
        "width": width,
        "height": height,
        "dpi": round(sheet.dpi, 1),
        "flags": list(sheet.flags),
        "title": sheet.title,
        "lines": len(sheet.lines),
        "codes": list(sheet.codes),
    }

"""`bianmin vision scan`: pictures of pages in, one finished document out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from rich.console import Console
from rich.progress import Progress

from devices.vision import export, flat, scan, upright
from devices.vision.commands.answer import IMAGE, odd
from devices.vision.flaws import WORDS
from devices.vision.pictures import PictureMistake, contents, load
from devices.vision.sheets import PileMistake, Sheet
from devices.vision.text import Reader, TextTrouble

MODES = {"document": "document", "photo": "photo", "bw": "black-and-white", "book": "book"}
INVENTED = (72, 96)  # dpi: what a phone or a program writes that does not know
LARGEST_MM = 420.0 * 1.03  # A3's longer side, cut generously


@click.command()
@click.argument("image", nargs=-1, required=True, type=IMAGE)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, readable=False),
    help="PDF, JPEG, PNG or TIFF.",
)
@click.option("--mode", type=click.Choice(sorted(MODES)), default="document", show_default=True)
@click.option("--searchable", is_flag=True, help="Read the pages and hide their text in the PDF.")
@click.option("--watermark", default="", help="What the copy is made for, written across each page.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON about the document.")
def command(image: tuple[Path, ...], output: Path, mode: str, searchable: bool, watermark: str, as_json: bool) -> None:
    """Find the pages in pictures, square and whiten them, stand them upright, and write them as one document.

    All or nothing: when one of the pictures is no good, it is named, nothing is written, and the exit code is 1.
    """
    if output.is_dir():
        raise click.ClickException(f"{output}: cannot be written (this is a folder; name a file in it).")
    began = time.perf_counter()
    pages: list[dict[str, Any]] = []
    with (
        Reader() as reader,
        Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar,
    ):
        task = bar.add_task("pages", total=len(image))

        def done(path: Path) -> Iterator[Sheet]:
            try:
                for sheet in finished(path, MODES[mode], reader):
                    if scan.WHOLE in sheet.flags:
                        click.echo(f"{path}: no page was found in it; the whole picture is taken.", err=True)
                    for flaw in filter(None, map(WORDS.get, sheet.flags)):
                        click.echo(f"{path}: {flaw}", err=True)
                    sheet = scan.coded(sheet)
                    yield scan.read(sheet, reader.read) if searchable else sheet
            except TextTrouble as trouble:
                raise TextTrouble(f"{path}: {trouble}") from trouble
            except cv2.error as trouble:
                raise PictureMistake(odd(path, trouble)) from trouble

        def sheets() -> Iterator[Sheet]:
            for path in image:
                for sheet in done(path):
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
    untouched = contents(path) if picture.kind == "JPEG" and picture.orientation == 1 else b""
    bgr = scan.upright_pixels(picture)
    out: list[Sheet] = []
    for corners, flags in scan.found(bgr) or [scan.ALL]:
        shot = scan.Shot(bgr, untouched, true_dpi(picture.dpi, corners, bgr.shape))
        out += scan.pages(shot, corners, mode, upright=lambda bgr: upright.turn(bgr, reader.read), flags=flags)
    return out


def true_dpi(given: float | None, corners: scan.Corners | None, shape: tuple[int, ...]) -> float:
    """Dots per inch of the page with these corners (None: all of it) in a picture of `shape`, whose file says `given`.

    What the file says counts, unless it was invented: a photograph with a page in it is not 72 dpi, and no page is
    larger than A3. Then it is as for a stand nobody has measured.
    """
    height, width = shape[:2]
    whole = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    quad = whole if corners is None else np.asarray(corners, np.float32)
    dpi = given or scan.DPI
    longest = float(np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1).max())
    photographed = corners is not None and (given is None or round(given) in INVENTED)
    if photographed or longest / dpi * flat.MM_PER_INCH > LARGEST_MM:
        return flat.likely_dpi(quad, width, height)
    return dpi


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

"""`bianmin vision text`: what is printed in a picture, line by line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click
import cv2

from devices.vision import upright
from devices.vision.commands.answer import IMAGE, odd
from devices.vision.pictures import PictureMistake, load
from devices.vision.scan import upright_pixels
from devices.vision.text import Reader, TextTrouble, turned_back

STRAIGHT = {1: 0, 3: 180, 6: 90, 8: 270}  # Exif: by how many degrees clockwise; mirrored ones are read as stored


@click.command()
@click.argument("image", nargs=-1, required=True, type=IMAGE)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON per picture.")
def command(image: tuple[Path, ...], as_json: bool) -> None:
    """Read the text of flat pages; corners are pixels of the stored file."""
    failed = False
    with Reader() as reader:
        for path in image:
            began = time.perf_counter()
            try:
                picture = load(path)
                bgr = upright_pixels(picture) if picture.orientation in STRAIGHT else picture.bgr
                more = upright.turn(bgr, reader.read)
                degrees = (STRAIGHT.get(picture.orientation, 0) + more) % 360
                bgr = upright.turned(bgr, more)
                lines = [turned_back(line, degrees, bgr.shape) for line in reader.read(bgr)]
            except (PictureMistake, TextTrouble) as trouble:
                click.echo(str(trouble) if str(path) in str(trouble) else f"{path}: {trouble}", err=True)
                failed = True
                continue
            except cv2.error as trouble:
                click.echo(odd(path, trouble), err=True)
                failed = True
                continue
            if as_json:
                told = [{"text": each.text, "score": each.score, "corners": each.corners} for each in lines]
                spent = round((time.perf_counter() - began) * 1000)
                click.echo(json.dumps({"file": str(path), "lines": told, "ms": spent}, ensure_ascii=False))
            else:
                click.echo(f"{path}: {len(lines)} lines")
                for each in lines:
                    click.echo(each.text)
    if failed:
        sys.exit(1)

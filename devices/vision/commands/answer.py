"""What the sub-commands that look at pictures share: their arguments, one answer a picture, and an end in words."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import click
import cv2

from devices.vision.pictures import Picture, PictureMistake, load
from devices.vision.text import TextTrouble

IMAGE = click.Path(path_type=Path, readable=False)  # what cannot be read is told by `load`, and the others are done

Answer = dict[str, Any]


def pictures_given(command: Callable[..., None]) -> Callable[..., None]:
    """IMAGE… and --json."""
    command = click.option("--json", "as_json", is_flag=True, help="One JSON object a line and picture.")(command)
    return click.argument("images", nargs=-1, required=True, type=IMAGE, metavar="IMAGE…")(command)


def odd(image: Path, trouble: cv2.error) -> str:
    """What is said of a picture that OpenCV cannot work on: one sentence that names the file."""
    return f"{image}: the picture cannot be worked on ({' '.join(str(trouble.err or trouble).split())})."


def each_picture(
    images: tuple[Path, ...], as_json: bool, look: Callable[[Picture], Answer], in_words: Callable[[Answer], str]
) -> None:
    """Print what `look` finds in each picture, with the milliseconds it took; a file that is no good, or of which
    `look` raises PictureMistake or TextTrouble, is told, the others are done all the same, and the exit code is 1 then.
    """
    bad = False
    for image in images:
        try:
            picture = load(image)
        except PictureMistake as mistake:
            bad = True
            click.echo(str(mistake), err=True)
            continue
        began = monotonic()
        try:
            found = look(picture)
        except (PictureMistake, TextTrouble) as mistake:
            bad = True
            click.echo(f"{image}: {mistake}", err=True)
            continue
        except cv2.error as trouble:
            bad = True
            click.echo(odd(image, trouble), err=True)
            continue
        answer = {"file": str(image), **found, "ms": round((monotonic() - began) * 1000, 1)}
        click.echo(json.dumps(answer, ensure_ascii=False) if as_json else f"{image}: {in_words(answer)}")
    if bad:
        sys.exit(1)

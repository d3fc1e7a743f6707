"""What the sub-commands that look at pictures share: their arguments, one answer a picture, and an end in words."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import click

from devices.vision.pictures import Picture, PictureMistake, load

Answer = dict[str, Any]


def pictures_given(command: Callable[..., None]) -> Callable[..., None]:
    """IMAGE… and --json."""
    command = click.option("--json", "as_json", is_flag=True, help="One JSON object a line and picture.")(command)
    return click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE…")(command)


def each_picture(
    images: tuple[Path, ...], as_json: bool, look: Callable[[Picture], Answer], in_words: Callable[[Answer], str]
) -> None:
    """Print what `look` finds in each picture, with the milliseconds it took; a file that is no good is told, the
    others are done all the same, and the exit code is 1 then."""
    bad = False
    for image in images:
        try:
            picture = load(image)
        except PictureMistake as mistake:
            bad = True
            click.echo(str(mistake), err=True)
            continue
        began = monotonic()
        found = look(picture)
        answer = {"file": str(image), **found, "ms": round((monotonic() - began) * 1000, 1)}
        click.echo(json.dumps(answer, ensure_ascii=False) if as_json else f"{image}: {in_words(answer)}")
    if bad:
        sys.exit(1)

"""`bianmin vision mrz`: the machine-readable lines of passports, visas, cards and permits in these pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from devices.vision.commands.answer import each_picture, pictures_given
from devices.vision.mrz import read_mrz
from devices.vision.pictures import Picture


@click.command()
@pictures_given
def command(images: tuple[Path, ...], as_json: bool) -> None:
    """Read the machine-readable lines in IMAGE…, whichever way they lie; no such lines is an empty list.

    No lines are no error: the exit code is 1 only for a picture that is no good.
    """
    each_picture(images, as_json, _mrz, _in_words)


def _mrz(picture: Picture) -> dict[str, Any]:
    read = read_mrz(picture.bgr)
    if read is None:
        return {"lines": [], "type": "", "fields": {}, "checks": {}}
    document = read.document
    return {
        "lines": list(document.lines),
        "type": document.kind,
        "fields": dict(document.fields),
        "checks": dict(document.checks),
    }


def _in_words(answer: dict[str, Any]) -> str:
    if not answer["lines"]:
        return "no machine-readable lines"
    wrong = [name for name, right in answer["checks"].items() if not right]
    told = f"check digits wrong: {', '.join(wrong)}" if wrong else "check digits right"
    return "\n".join([f"{answer['type']}, {told}", *answer["lines"]])

"""`bianmin vision codes`: every code in these pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from devices.vision.codes import read_codes
from devices.vision.commands.answer import each_picture, pictures_given
from devices.vision.pictures import Picture
from devices.vision.scan import about


@click.command()
@pictures_given
def command(images: tuple[Path, ...], as_json: bool) -> None:
    """Read the codes in IMAGE…: QR, Data Matrix, PDF417, Aztec, and codes made of bars.

    No code is an empty list, and no error: the exit code is 1 only for a picture that is no good.
    """
    each_picture(images, as_json, _codes, _in_words)


def _codes(picture: Picture) -> dict[str, Any]:
    return {"codes": [about(code) for code in read_codes(picture.bgr)]}


def _in_words(answer: dict[str, Any]) -> str:
    return "; ".join(f"{code['format']} {code['text']!r}" for code in answer["codes"]) or "no code"

"""`bianmin vision idcard`: what is printed on the resident identity cards in these pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from devices.vision.commands.answer import each_picture, pictures_given
from devices.vision.idcard import read_card
from devices.vision.pictures import Picture
from devices.vision.text import Reader


@click.command()
@pictures_given
def command(images: tuple[Path, ...], as_json: bool) -> None:
    """Read the fields of a Chinese resident identity card in IMAGE…, front or back; no card is an empty side.

    No card is no error: the exit code is 1 only for a picture that is no good.
    """
    with Reader() as reader:

        def look(picture: Picture) -> dict[str, Any]:
            card = read_card(picture.bgr, reader.read)
            if card is None:
                return {"side": "", "fields": {}, "checks": {}}
            return {"side": card.side, "fields": dict(card.fields), "checks": dict(card.checks)}

        each_picture(images, as_json, look, _in_words)


def _in_words(answer: dict[str, Any]) -> str:
    if not answer["side"]:
        return "no identity card"
    wrong = [name for name, right in answer["checks"].items() if not right]
    told = f"does not agree: {', '.join(wrong)}" if wrong else "agrees"
    fields = "; ".join(f"{name} {value or '(not read)'}" for name, value in answer["fields"].items())
    return f"{answer['side']}, {told}; {fields}"

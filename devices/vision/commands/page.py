"""`bianmin vision page`: the pages in these pictures, by their corners."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from devices.vision.commands.answer import IMAGE, each_picture, odd, pictures_given
from devices.vision.desk import Desk
from devices.vision.flaws import WORDS, flagged
from devices.vision.judging import PageFound
from devices.vision.pages import find_pages
from devices.vision.pictures import Picture, PictureMistake, load


@click.command()
@click.option(
    "--desk",
    type=IMAGE,
    help="A picture of the same desk, empty: only what was not there before is a page.",
)
@pictures_given
def command(images: tuple[Path, ...], as_json: bool, desk: Path | None) -> None:
    """Find the pages and cards in IMAGE…: corners clockwise from top left, in pixels of the stored file."""
    find: Callable[[np.ndarray], list[PageFound]] = find_pages
    if desk is not None:
        try:
            find = Desk(load(desk).bgr).find
        except PictureMistake as mistake:
            raise click.ClickException(str(mistake)) from mistake
        except cv2.error as trouble:
            raise click.ClickException(odd(desk, trouble)) from trouble

    def pages(picture: Picture) -> dict[str, Any]:
        found = flagged(picture.bgr, find(picture.bgr))
        return {
            "pages": [
                {
                    "corners": [[round(float(x), 1), round(float(y), 1)] for x, y in page.corners],
                    "score": page.score,
                    "kind": page.kind,
                    "flags": list(page.flags),
                }
                for page in found
            ]
        }

    each_picture(images, as_json, pages, _in_words)


def _in_words(answer: dict[str, Any]) -> str:
    told = []
    for page in answer["pages"]:
        told.append(" ".join([f"{page['kind']} {page['corners']}", *(WORDS.get(flag, flag) for flag in page["flags"])]))
    return "; ".join(told) or "no page"

"""`bianmin vision page`: the pages in these pictures, by their corners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from devices.vision.commands.answer import each_picture, pictures_given
from devices.vision.pages import find_pages
from devices.vision.pictures import Picture


@click.command()
@pictures_given
def command(images: tuple[Path, ...], as_json: bool) -> None:
    """Find the pages and cards in IMAGE…: corners clockwise from top left, in pixels of the stored file."""
    each_picture(images, as_json, _pages, _in_words)


def _pages(picture: Picture) -> dict[str, Any]:
    return {
        "pages": [
            {
                "corners": [[round(float(x), 1), round(float(y), 1)] for x, y in page.corners],
                "score": page.score,
                "kind": page.kind,
                "flags": list(page.flags),
            }
            for page in find_pages(picture.bgr)
        ]
    }


def _in_words(answer: dict[str, Any]) -> str:
    return "; ".join(f"{page['kind']} {page['corners']}" for page in answer["pages"]) or "no page"

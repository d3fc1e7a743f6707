"""`bianmin vision calibrate`: the sheet to print, or the resolution of a stand from a picture of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from devices.vision import calibration
from devices.vision.commands.answer import each_picture
from devices.vision.pictures import Picture


@click.command()
@click.option(
    "--sheet", type=click.Path(path_type=Path, dir_okay=False), help="Write the sheet to print here, a PDF; no IMAGE."
)
@click.argument("images", nargs=-1, type=click.Path(path_type=Path), metavar="[IMAGE…]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and picture.")
def command(sheet: Path | None, images: tuple[Path, ...], as_json: bool) -> None:
    """Measure the true dpi of a stand from IMAGE… of the printed calibration sheet."""
    if (sheet is None) == (not images):
        raise click.UsageError("give either --sheet, to write the sheet, or pictures of it.")
    if sheet is not None:
        try:
            sheet.write_bytes(calibration.sheet())
        except OSError as trouble:
            raise click.ClickException(f"{sheet}: cannot be written ({trouble.strerror or trouble}).") from trouble
        return
    each_picture(images, as_json, _measured, _in_words)


def _measured(picture: Picture) -> dict[str, Any]:
    try:
        found = calibration.measure(picture.bgr)
    except calibration.CalibrationMistake as mistake:
        return {"dpi": None, "reason": str(mistake)}
    return {"dpi": found.dpi, "least": found.least, "most": found.most, "off_mm": found.off}


def _in_words(answer: dict[str, Any]) -> str:
    if answer["dpi"] is None:
        return str(answer["reason"])
    return f"{answer['dpi']} dpi ({answer['least']} to {answer['most']} over the sheet)"

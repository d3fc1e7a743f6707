"""`bianmin vision calibrate`: the sheet to print, or the scale of a stand from a picture of it, kept for its camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from devices.vision import calibration
from devices.vision.commands.answer import IMAGE, each_picture
from devices.vision.pictures import Picture, PictureMistake


@click.command()
@click.option(
    "--sheet", type=click.Path(path_type=Path, readable=False), help="Write the sheet to print here, a PDF; no IMAGE."
)
@click.argument("images", nargs=-1, type=IMAGE, metavar="[IMAGE…]")
@click.option(
    "--into",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep it for the camera in this hall.toml; one IMAGE.",
)
@click.option("--name", default="", help="Which camera of it, if there are several.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and picture.")
def command(sheet: Path | None, images: tuple[Path, ...], into: Path | None, name: str, as_json: bool) -> None:
    """Measure the true scale of a stand from IMAGE… of the printed calibration sheet, taken by its camera."""
    if (sheet is None) == (not images):
        raise click.UsageError("give either --sheet, to write the sheet, or pictures of it.")
    if into is not None and len(images) != 1:
        raise click.UsageError("give one picture with --into.")
    if name and into is None:
        raise click.UsageError("--name needs --into FILE.")
    if sheet is not None:
        try:
            sheet.write_bytes(calibration.sheet())
        except OSError as trouble:
            raise click.ClickException(f"{sheet}: cannot be written ({trouble.strerror or trouble}).") from trouble
        return
    across: list[float] = []

    def measured(picture: Picture) -> dict[str, Any]:
        try:
            found = calibration.measure(picture.bgr)
        except calibration.CalibrationMistake as mistake:
            raise PictureMistake(f"nothing was kept: {mistake}" if into else str(mistake)) from mistake
        across.append(found.across)
        return _told(found)

    each_picture(images, as_json, measured, _in_words)
    if into is not None:
        _keep(into, name, across[0], as_json)


def _told(found: calibration.Measured) -> dict[str, Any]:
    told = {"dpi": found.dpi, "least": found.least, "most": found.most, "off_mm": found.off}
    return {**told, "across_mm": found.across, "slant": round(found.slant, 3)}


def _in_words(answer: dict[str, Any]) -> str:
    words = f"{answer['dpi']} dpi ({answer['least']} to {answer['most']} over the sheet); the picture shows "
    words += f"{answer['across_mm']} mm from left to right"
    if answer["slant"] > calibration.ASKEW:
        words += f". The camera looks down askew: sizes are right to {answer['slant']:.0%}; turn it straight down"
    return words


def _keep(file: Path, name: str, across: float, as_json: bool) -> None:
    """Write the figure into hall.toml as the camera's option `across`; the version before is kept. A running station
    follows at once."""
    # What is set up is looked at here only: everything else of `vision` needs no configuration.
    from config.hall_file import HallFile
    from devices.console import sentences
    from devices.setup import stand
    from devices.setup.changes import Setup
    from devices.setup.commands import save

    with sentences():
        save(file, stand.keep(Setup(HallFile(file)), name, across), False, as_json)

"""Measuring a camera's stand from the technician's page: the printed sheet lies under it, and the figure is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.hall_file import Stale
from config.words import Sentence
from devices.gateway.aside import aside
from devices.gateway.configuring import WHY
from devices.gateway.guard import Turned
from devices.setup import stand

if TYPE_CHECKING:
    from devices.gateway.app import Gateway
    from devices.gateway.configuring import Configuring
    from devices.vision.calibration import Measured

KEPT = "A picture shows {across} mm across ({dpi} dpi). It is kept, and sizes are true from now on."
NOT_KEPT = "A picture shows {across} mm across ({dpi} dpi). Not kept: sign in where devices are changed first."
NOT_FOUND = (
    "The calibration sheet was not seen: print it on the A4 printer's page, "
    "lay it flat with all of its discs in the picture, in even light."
)
ASKEW = "The camera looks down askew: sizes are right to {slant} %. Turn it straight down and measure again."


def measured(answer: dict[str, Any], name: str, gateway: Gateway, here: Configuring | None) -> dict[str, Any]:
    """The answer of a trial whose still shows the sheet, with what the sheet tells; kept where this session may."""
    if answer["result"] != "done":
        return answer
    jpeg = gateway.stills.hand_over(name)
    found = aside(lambda: _look(jpeg))
    if found is None:
        failed = {"result": "failed", "shape": "circle-xmark", "sentence": gateway.say(NOT_FOUND)}
        return {**answer, **failed, "hint": None, "picture": False}
    keeps = here is not None and not here.missing(gateway)
    if keeps and here is not None:
        setup = here.setup
        change = stand.keep(setup, name, found.across)
        try:
            aside(lambda: setup.save(change.text, change.version), Stale)
        except Stale:
            raise Turned(409, WHY["stale"]) from None
    told = Sentence(KEPT if keeps else NOT_KEPT, across=f"{found.across:.0f}", dpi=f"{found.dpi:.0f}")
    askew = gateway.say(Sentence(ASKEW, slant=f"{100 * found.slant:.0f}")) if found.askew else None
    return {**answer, "sentence": gateway.say(told), "hint": askew, "picture": False}


def _look(jpeg: bytes) -> Measured | None:
    from devices.vision import calibration, pictures  # late: what sees is large, and most stations never measure

    try:
        return calibration.measure(pictures.decode(jpeg).bgr)
    except (calibration.CalibrationMistake, pictures.PictureMistake):
        return None


def message_ids() -> set[str]:
    """Every message id said from here."""
    return {KEPT, NOT_KEPT, NOT_FOUND, ASKEW}

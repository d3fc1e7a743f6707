"""Keeping what was measured of a camera's stand: the option `across` of its [[device]]."""

from __future__ import annotations

from config.hall_file import table_of
from config.reader import Mistake
from devices.setup.changes import Change, Setup

DRIVER = "uvc-camera"


def keep(setup: Setup, name: str, across: float) -> Change:
    """What hall.toml would say with this figure (millimetres a picture shows from left to right) for the camera `name`;
    an empty name means the only one there is. Raises Mistake when it is not clear which camera is meant."""
    fit = [one for one in setup.devices() if one.driver == DRIVER and name in ("", one.name)]
    if not fit:
        raise Mistake(f"{setup.file.path}: there is no camera{f' called {name!r}' if name else ''}")
    if len(fit) > 1:
        names = ", ".join(one.name for one in fit)
        raise Mistake(f"{setup.file.path}: there are {len(fit)} cameras ({names}); name one with --name")
    old = table_of(fit[0])
    return setup.propose({**old, "options": {**old.get("options", {}), "across": across}}, fit[0].name)

"""Remembers across restarts how much of the roll in a printer is used, for printers that cannot tell it themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from devices.orders import Outcome
from devices.roles import Obeyed, Order, PaperUsed, PrintSlip, SetRoll

LOG = logging.getLogger(__name__)


class Roll:
    """The roll in one printer; `file` keeps the millimetres used. `send` gives the printer an order and waits."""

    def __init__(self, file: Path, send: Callable[[Order], Outcome]) -> None:
        self._file, self._send = file, send
        self._told = not self.used  # the driver knows what we remember, or there is nothing to remember

    def heard(self, news: PaperUsed) -> None:
        """The driver has counted a slip."""
        half = self._file.with_suffix(".half")  # a power cut leaves the old count or the new one
        try:
            half.write_text(str(news.used_mm), encoding="ascii")
            half.replace(self._file)
        except OSError as trouble:
            LOG.warning("the paper count cannot be kept (%s); after a restart it begins anew", trouble.strerror)

    def print(self, slip: PrintSlip) -> Outcome:
        """Print a slip; before the first one since the start the driver is told how much of the roll is used."""
        if not self._told:
            self._told = isinstance(self._send(SetRoll(used_mm=self.used)), Obeyed)
        return self._send(slip)

    @property
    def used(self) -> int:
        """Millimetres, as remembered; 0 when nothing is."""
        try:
            return max(0, int(self._file.read_text(encoding="ascii")))
        except (OSError, ValueError):
            return 0

"""Remembers beside the configuration what each device answered when first ready, to notice when another one does.

Two adapters without serial numbers look the same to the system: when their plugs are exchanged, each device sits where
the other was. What a device says of itself when it answers (`Alive.detail`, where its driver `identifies`) is the only
thing that tells. Nothing personal is kept: makes, versions and numbers of hardware.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from config.words import Sentence

# A device says of itself what another one is known to say (at another place, or nowhere).
SWAPPED = (
    "Here answers {said}, and {device} is known as {before}: this is {twin}. Their plugs have been exchanged; put each"
    " back where it was."
)
REPLACED = (
    "Here answers {said}, and {device} is known as {before}. Put the right device back, or confirm in the configuration"
    " that it was replaced."
)

log = logging.getLogger(__name__)


class Memory:
    """What is known of each device: name → driver, and address → what it said. Any thread may call any method."""

    def __init__(self, file: Path | None = None) -> None:
        """`file` is made when there is something to remember; None: remembered until the program ends."""
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, str]] = self._read()

    def knows(self, device: str, driver: str) -> bool:
        """True when there is something to compare a device with."""
        with self._lock:
            return self._known.get(device, {}).get("driver") == driver

    def compare(self, device: str, driver: str, address: int, said: str) -> str:
        """What is wrong with a device that has answered this, as a sentence; empty when nothing is.

        What is not known yet is remembered; so is everything of a device that has been given another driver.
        """
        with self._lock:
            known = self._known.get(device, {})
            if known.get("driver") != driver:
                known = {"driver": driver}
            before = known.get(str(address))
            if before is None:
                self._known[device] = {**known, str(address): said}
                self._write()
                return ""
            if before == said:
                return ""
            return self._sentence(device, driver, address, said, before)

    def forget(self, device: str) -> None:
        """Whatever answers next is the device from then on: it has been replaced on purpose."""
        with self._lock:
            if self._known.pop(device, None) is not None:
                self._write()

    def _sentence(self, device: str, driver: str, address: int, said: str, before: str) -> str:
        twins = [
            name
            for name, known in self._known.items()
            if name != device and known.get("driver") == driver and known.get(str(address)) == said
        ]
        names = {"device": device, "said": repr(said), "before": repr(before)}
        if len(twins) == 1:
            return Sentence(SWAPPED, **names, twin=twins[0])
        return Sentence(REPLACED, **names)

    def _read(self) -> dict[str, dict[str, str]]:
        """What is on the disk; a file that cannot be understood is as good as none, for every device will tell anew."""
        if self._file is None or not self._file.exists():
            return {}
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            return {str(name): {str(key): str(value) for key, value in known.items()} for name, known in found.items()}
        except (OSError, ValueError, AttributeError) as why:
            log.warning("%s cannot be understood (%s): what the devices say is remembered anew", self._file, why)
            return {}

    def _write(self) -> None:
        """Keep it in one step. A disk that refuses must not stop a device."""
        if self._file is None:
            return
        half = self._file.with_name(self._file.name + ".half")
        try:
            half.write_text(json.dumps(self._known, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            half.replace(self._file)
        except OSError as why:
            log.warning(
                "%s cannot be written (%s): exchanged devices may not be noticed after a start", self._file, why
            )

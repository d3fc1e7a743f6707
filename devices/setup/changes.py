"""Changing what is configured: proposed, looked at as a difference, saved, undone; applied while everything goes on.

    setup = Setup(HallFile(path), apply)
    change = setup.propose(put={"name": "strip", "driver": "pingan-strip", "link": "…"})
    change.mistakes, change.difference           what is wrong in it; what it changes
    setup.save(change.text, change.version)      checks once more, keeps the version before, applies
    setup.undo(setup.back().version)             what was looked at, and nothing that came after

Nobody's half-filled form is ever saved, and what somebody else saved meanwhile is not overwritten (`Stale`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from config import hall_file, reader
from config.hall_file import HallFile, difference, version
from config.machine import Device, Machine
from config.reader import Mistake
from devices.links import LinkMistake
from devices.station import DeviceEntry, mistakes

Apply = Callable[[Machine], None]


@dataclass(frozen=True)
class Change:
    """What would be written, over which version, and what is wrong with it (a sentence each)."""

    text: str
    version: str
    difference: tuple[str, ...]
    words: tuple[str, ...]
    mistakes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON-able dict, without the text: the hall's own settings are nobody's business here."""
        return {
            "version": self.version,
            "difference": list(self.difference),
            "words": list(self.words),
            "mistakes": list(self.mistakes),
        }


class Setup:
    """The configuration of one machine. `apply` makes a running station follow it; may be called from any thread."""

    def __init__(self, file: HallFile, apply: Apply = lambda machine: None) -> None:
        self.file, self._apply = file, apply
        self._changing = threading.Lock()  # what is applied last is what stands in the file, whoever saves at once

    def devices(self) -> tuple[Device, ...]:
        """What is configured. Raises Mistake when the file is wrong."""
        return self.file.check(self.file.text()).devices

    def propose(
        self, put: Mapping[str, Any] | None = None, instead: str = "", remove: str = "", given: str | None = None
    ) -> Change:
        """What the file would say with a device put or removed, or with another file's devices. Raises Mistake."""
        before = self.file.text()
        reader.parse(self.file.path, before.removeprefix(reader.BOM))  # says file and line, should it be no TOML
        after = before
        if put is not None:
            after = hall_file.put(before, put, instead)
        elif remove:
            after = hall_file.remove(before, remove)
        elif given is not None:
            after = hall_file.imported(before, given)
        return self._change(before, after)

    def back(self) -> Change | None:
        """What `undo` would do; None when there is nothing to undo. Raises Mistake."""
        earlier = self.file.before()
        return None if earlier is None else self._change(self.file.present(), earlier)

    def save(self, text: str, expected: str) -> Machine:
        """Write and apply. Raises Mistake with every sentence, or Stale."""
        if wrong := wrong_in(self.file.check(text)):
            raise Mistake(*wrong)
        with self._changing:
            machine = self.file.save(text, expected)
            self._apply(machine)
        return machine

    def undo(self, expected: str | None = None) -> Machine:
        """The version before, applied. Raises Mistake, also when that version is wrong by itself.

        `expected`: the version of the change that was looked at (`back`); Stale when another one stands there now.
        """
        change = self.back()
        if change is not None and change.mistakes:
            raise Mistake(*change.mistakes)
        with self._changing:
            machine = self.file.undo(expected)
            self._apply(machine)
        return machine

    def _change(self, before: str, after: str) -> Change:
        wrong: tuple[str, ...] = ()
        try:
            new = self.file.check(after)
            wrong = tuple(wrong_in(new))
        except Mistake as mistake:
            wrong = tuple(line.removeprefix(f"{self.file.path}: ") for line in mistake.lines)
            new = None
        words = _words(self._devices_of(before), new.devices if new else ())
        return Change(after, version(before), tuple(difference(before, after)), tuple(words) if new else (), wrong)

    def _devices_of(self, text: str) -> tuple[Device, ...]:
        """Nothing for a file that is wrong already: then everything in it is new."""
        try:
            return self.file.check(text).devices
        except Mistake:
            return ()


def entries_of(devices: tuple[Device, ...] | list[Device]) -> list[DeviceEntry]:
    """Devices as hall.toml names them, for the station."""
    return [
        DeviceEntry(d.name, d.driver, d.link, options=d.options, windows=d.windows, enabled=d.enabled, bus=d.bus)
        for d in devices
    ]


def wrong_in(machine: Machine) -> list[str]:
    """What the drivers and cables find wrong in a machine's devices, a sentence each."""
    try:
        return mistakes(entries_of(machine.devices), "device.")
    except (Mistake, LinkMistake) as mistake:
        return str(mistake).splitlines()


def _words(before: tuple[Device, ...], after: tuple[Device, ...]) -> list[str]:
    """The difference as a person says it."""
    old, new = {d.name: d for d in before}, {d.name: d for d in after}
    said = [f"新增 added: {name} ({new[name].driver})" for name in new if name not in old]
    said += [f"删除 removed: {name} ({old[name].driver})" for name in old if name not in new]
    for name in new:
        if name in old and new[name] != old[name]:
            was, now = hall_file.table_of(old[name]), hall_file.table_of(new[name])
            parts = [
                f"{key}: {_shown(was.get(key))} → {_shown(now.get(key))}"
                for key in dict.fromkeys((*was, *now))
                if was.get(key) != now.get(key)
            ]
            said.append(f"修改 changed: {name}: {'; '.join(parts)}")
    return said


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {one}" for key, one in value.items()) + "}"
    return str(value)

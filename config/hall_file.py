"""Changes hall.toml as a careful person would: comments stay, the version before is kept, nothing wrong is saved.

    file = HallFile(Path("hall.toml"))
    before = file.text()
    after = put(before, {"name": "printer", "driver": "escpos-printer", "link": "serial://by-path/…"})
    file.save(after, expected=version(before))      Mistake: what is wrong in it; Stale: somebody else was quicker
    file.undo()                                     the version before stands there again

What is saved is on the disk before the old version is gone, so a power cut leaves one or the other.
"""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from config import machine as machines
from config.machine import Device, Machine
from config.reader import Mistake
from config.writer import plain

KEPT = 50  # versions before this one
USES = ("printer", "reader", "scanner", "camera")  # where [kiosk] names a device


class Stale(Exception):
    """The file was changed by somebody else since it was looked at."""


class HallFile:
    """One hall.toml and the versions before it, which lie in `history` (by default a hidden folder beside it)."""

    def __init__(self, path: Path, history: Path | None = None) -> None:
        self.path = path.resolve()
        self.history = history or self.path.with_name(f".{self.path.name}.before")

    def text(self) -> str:
        """What stands in the file. Raises Mistake when it cannot be read."""
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except OSError as trouble:
            raise Mistake(f"{self.path}: cannot be read: {trouble.strerror}") from trouble
        except UnicodeDecodeError as trouble:
            raise Mistake(f"{self.path}: is not written in UTF-8 (byte {trouble.start}): save it as UTF-8") from trouble

    def check(self, text: str) -> Machine:
        """The machine this text describes, if it stood in the file. Raises Mistake."""
        return machines.load(self.path, text)

    def save(self, text: str, expected: str) -> Machine:
        """Put `text` in the place of the version `expected`, which is kept. Raises Mistake (also for a disk), Stale.

        Saving what stands there already changes nothing.
        """
        machine = self.check(text)
        with self._alone():
            before = self.text()
            if version(before) != expected:
                raise Stale
            if text != before:
                self._keep(before)
                self._write(self.path, text)
        return machine

    def undo(self) -> Machine:
        """Put the version before this one back. Raises Mistake when there is none, or when it fits no longer."""
        with self._alone():
            kept = self._kept()
            if not kept:
                raise Mistake(f"{self.path}: there is no version before this one")
            text = kept[-1].read_text(encoding="utf-8")
            machine = self.check(text)
            self._write(self.path, text)
            kept[-1].unlink()
        return machine

    def before(self) -> str | None:
        """What `undo` would put back; None when there is nothing."""
        kept = self._kept()
        return kept[-1].read_text(encoding="utf-8") if kept else None

    def _kept(self) -> list[Path]:
        """The versions before, oldest first."""
        return sorted(self.history.glob("*.toml"), key=lambda file: int(file.stem))

    def _keep(self, text: str) -> None:
        kept = self._kept()
        number = int(kept[-1].stem) + 1 if kept else 1
        try:
            self.history.mkdir(mode=0o700, exist_ok=True)
        except OSError as trouble:
            raise Mistake(f"{self.history}: cannot be written: {trouble.strerror}") from trouble
        self._write(self.history / f"{number:06}.toml", text)
        for old in kept[: len(kept) + 1 - KEPT]:
            old.unlink()

    def _write(self, path: Path, text: str) -> None:
        """In one step, with the rights the file had."""
        half = path.with_name(f".{path.name}.half")
        try:
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
            half.unlink(missing_ok=True)
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), mode)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as trouble:
            raise Mistake(f"{path}: cannot be written: {trouble.strerror}") from trouble

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two programs change the file one after the other."""
        try:
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as trouble:
            raise Mistake(f"{self.path.parent}: cannot be read: {trouble.strerror}") from trouble
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def version(text: str) -> str:
    """What tells this text from every other."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# ---- from text to text ---------------------------------------------------------------------------------------------


def put(text: str, device: Mapping[str, Any], instead: str = "") -> str:
    """The text with this device in the place of the one called `instead`, or behind the others. Raises Mistake.

    A new name is also written where [kiosk] names the device.
    """
    document = _document(text)
    entries = _entries(document)
    old = _find(entries, instead) if instead else None
    if instead and old is None:
        raise Mistake(f"device: there is none called {instead!r}")
    if old is None:
        table = tomlkit.table() if isinstance(entries, AoT) else tomlkit.inline_table()
        _fill(table, device)
        table.trivia.indent = "\n" if isinstance(entries, AoT) and not text.endswith("\n\n") else ""
        entries.append(table)
    else:
        _fill(old, device)
        if device.get("name") != instead:
            _rename(document, instead, str(device.get("name")))
    return tomlkit.dumps(document)


def remove(text: str, name: str) -> str:
    """The text without this device, also where [kiosk] names it. Raises Mistake when there is none."""
    document = _document(text)
    entries = _entries(document)
    for index, entry in enumerate(entries):
        if entry.get("name") == name:
            del entries[index]
            break
    else:
        raise Mistake(f"device: there is none called {name!r}")
    if not entries:
        del document["device"]
    _rename(document, name, "")
    return tomlkit.dumps(document)


def exported(text: str) -> str:
    """The devices alone, to be taken to another machine. Raises Mistake."""
    document, out = _document(text), tomlkit.document()
    for entry in _entries(document):
        out.setdefault("device", tomlkit.aot()).append(_table_of(entry))
    return tomlkit.dumps(out)


def imported(text: str, given: str) -> str:
    """The text with the devices of `given` in the place of its own. Raises Mistake."""
    document, other = _document(text), _document(given)
    if "device" not in other:
        raise Mistake("the file names no [[device]]")
    entries = [_table_of(entry) for entry in _entries(other)]
    document.pop("device", None)
    several = tomlkit.aot()
    for entry in entries:
        several.append(entry)
    document["device"] = several
    return tomlkit.dumps(document)


def difference(before: str, after: str) -> list[str]:
    """What changes, line by line as `diff -u` shows it, without its head."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    return list(lines)[2:]


def table_of(device: Device) -> dict[str, Any]:
    """A device as the values its [[device]] holds."""
    found: dict[str, Any] = plain(device)
    return found


def _document(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as trouble:
        raise Mistake(str(trouble)) from trouble


def _entries(document: tomlkit.TOMLDocument) -> Any:
    """The list of devices; made when there is none."""
    if "device" not in document:
        document["device"] = tomlkit.aot()
    entries = document["device"]
    if not isinstance(entries, list):
        raise Mistake("device: expected [[device]], got [device]")
    return entries


def _find(entries: Any, name: str) -> Any:
    return next((entry for entry in entries if entry.get("name") == name), None)


def _fill(table: Any, values: Mapping[str, Any]) -> None:
    """Make a table hold these values and no others, touching only what differs, so that comments stay."""
    for key in [key for key in table if key not in values]:
        del table[key]
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(table.get(key), dict):
            _fill(table[key], value)
        elif key not in table or table[key] != value:
            table[key] = _item(value)


def _item(value: Any) -> Any:
    """A value in TOML's own kinds; small tables stay on one line."""
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        for key, one in value.items():
            inline[str(key)] = _item(one)
        return inline
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        for one in value:
            array.append(_item(one))
        return array
    return value


def _table_of(entry: Any) -> Any:
    table = tomlkit.table()
    _fill(table, entry.unwrap())
    return table


def _rename(document: tomlkit.TOMLDocument, name: str, to: str) -> None:
    """Where [kiosk] names a device, write its new name, or nothing when it is gone."""
    kiosk = document.get("kiosk")
    if not isinstance(kiosk, dict):
        return
    for use in USES:
        if kiosk.get(use) == name and to:
            kiosk[use] = to
        elif kiosk.get(use) == name:
            del kiosk[use]

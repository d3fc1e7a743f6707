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
import functools
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, InlineTable

from config import machine as machines
from config import reader
from config.machine import Device, Machine
from config.reader import BOM, Mistake, text_of
from config.writer import inline, plain

KEPT = 50  # versions before this one, and as many that were put aside
PATIENCE = 5.0  # seconds to wait for somebody else who is changing the file
BEFORE, UNDONE = ".toml", ".undone"  # what was there before a change; what an undoing has put aside


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
            if self.path.exists() and not self.path.is_file():
                raise Mistake(f"{self.path}: is no file; name the machine's hall.toml")
        except OSError as trouble:
            raise Mistake(f"{self.path}: cannot be read: {trouble.strerror}") from trouble
        return text_of(self.path)

    def present(self) -> str:
        """What stands in the file; nothing when it cannot be read, for then the version before may still help."""
        try:
            return self.text()
        except Mistake:
            return ""

    def check(self, text: str) -> Machine:
        """The machine this text describes, if it stood in the file. Raises Mistake."""
        return machines.load(self.path, text.removeprefix(BOM))

    def save(self, text: str, expected: str) -> Machine:
        """Put `text` in the place of the version `expected`, which is kept. Raises Mistake (also for a disk), Stale.

        Saving what stands there already changes nothing.
        """
        machine = self.check(text)
        try:
            new = text.encode()
        except UnicodeEncodeError as trouble:
            raise Mistake(f"{self.path}: cannot be written: {trouble}") from trouble
        with self._alone():
            before = self.text()
            if version(before) != expected:
                raise Stale
            if text != before:
                kept = self._keep(before.encode())
                try:
                    self._write(self.path, new)
                except Mistake:
                    kept.unlink(missing_ok=True)  # nothing was saved, so there is nothing to go back from
                    raise
        return machine

    def undo(self, expected: str | None = None) -> Machine:
        """Put the version before this one back. Raises Mistake when there is none, or when it fits no longer.

        `expected`: the version that stood there when somebody decided to go back; another one now is Stale.
        What stands there now is laid aside in `history` too (`.undone`), for somebody may have edited it by hand.
        """
        with self._alone():
            if expected is not None and version(self.present()) != expected:
                raise Stale
            kept = self._different()
            if kept is None:
                raise Mistake(f"{self.path}: there is no version before this one")
            file, text = kept
            machine = self.check(text)
            self._lay_aside()
            self._write(self.path, text.encode())
            for later in self._kept():
                if int(later.stem) >= int(file.stem):
                    later.unlink()
        return machine

    def before(self) -> str | None:
        """What `undo` would put back; None when there is nothing. Raises Mistake when that cannot be looked at."""
        kept = self._different()
        return kept[1] if kept else None

    def _different(self) -> tuple[Path, str] | None:
        """The newest version kept that is not what stands there now, and its text."""
        now = self.present()
        for file in reversed(self._kept()):
            try:
                with open(file, encoding="utf-8", newline="") as kept:
                    text = kept.read()
            except (OSError, UnicodeDecodeError) as trouble:
                raise Mistake(f"{file}: the version before cannot be read: {trouble}") from trouble
            if text != now:
                return file, text
        return None

    def _kept(self, *suffixes: str) -> list[Path]:
        """The versions before (or what these endings say), oldest first. Raises Mistake when they may not be read."""
        if not self.history.is_dir():
            return []
        wanted = suffixes or (BEFORE,)
        try:
            found = [file for file in self.history.iterdir() if file.suffix in wanted and file.stem.isdecimal()]
            return sorted((file for file in found if file.is_file()), key=lambda file: int(file.stem))
        except OSError as trouble:
            raise Mistake(
                f"{self.history}: this user may not read it: {trouble.strerror}; try as its owner"
            ) from trouble

    def _keep(self, data: bytes, suffix: str = BEFORE) -> Path:
        """Lay something aside under a number that nothing there has; where."""
        known = self._kept(BEFORE, UNDONE)
        file = self.history / f"{int(known[-1].stem) + 1 if known else 1:06}{suffix}"
        try:
            self.history.mkdir(mode=0o700, exist_ok=True)
            self._give(self.history)
            self._write(file, data)
            for old in self._kept(suffix)[:-KEPT]:
                old.unlink()
        except OSError as trouble:
            raise Mistake(f"{self.history}: cannot be written: {trouble.strerror}") from trouble
        return file

    def _lay_aside(self) -> None:
        """Keep what stands there now, even where it is no text; nothing when it has been deleted."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as trouble:
            raise Mistake(f"{self.path}: cannot be read: {trouble.strerror}") from trouble
        self._keep(data, UNDONE)

    def _give(self, path: Path) -> None:
        """Whoever owns hall.toml owns what we write for it, also when root does it for him."""
        if os.geteuid() == 0 and self.path.exists():
            owner = self.path.stat()
            os.chown(path, owner.st_uid, owner.st_gid)

    def _write(self, path: Path, data: bytes) -> None:
        """In one step, with the rights the file had."""
        half = path.with_name(f".{path.name}.half")
        try:
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
            half.unlink(missing_ok=True)
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                os.fchmod(file.fileno(), mode)
                self._give(half)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as trouble:
            with suppress(OSError):
                half.unlink(missing_ok=True)
            raise Mistake(f"{path}: cannot be written: {trouble.strerror}") from trouble

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two programs change the file one after the other."""
        try:
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as trouble:
            raise Mistake(f"{self.path.parent}: cannot be read: {trouble.strerror}") from trouble
        try:
            ends = time.monotonic() + PATIENCE
            while True:
                try:
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > ends:
                        raise Mistake(f"{self.path}: somebody else is changing it; try again in a moment") from None
                    time.sleep(0.05)
            yield
        finally:
            os.close(folder)


def version(text: str) -> str:
    """What tells this text from every other."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# ---- from text to text ---------------------------------------------------------------------------------------------

P = ParamSpec("P")


def _as_it_was_written(change: Callable[Concatenate[str, P], str]) -> Callable[Concatenate[str, P], str]:
    """The change is made to plain text; it gets the mark and the line ends back that the text has."""

    def changed(text: str, /, *args: P.args, **more: P.kwargs) -> str:
        plain_text = text.removeprefix(BOM)
        mark = text[: len(text) - len(plain_text)]
        if "\r\n" not in text or text.count("\n") != text.count("\r\n"):
            return mark + change(plain_text, *args, **more)
        return mark + change(plain_text.replace("\r\n", "\n"), *args, **more).replace("\n", "\r\n")

    functools.update_wrapper(changed, change)
    return changed


@_as_it_was_written
def put(text: str, device: Mapping[str, Any], instead: str = "") -> str:
    """The text with this device in the place of the one called `instead`, or behind the others. Raises Mistake.

    A new name is also written where [kiosk] names the device.
    """
    if not instead and (written := _inserted(text, [device])) is not None:
        return written
    document = _document(text)
    entries = _entries(document)
    if not instead:
        table = tomlkit.table() if isinstance(entries, AoT) else tomlkit.inline_table()
        _fill(table, device)
        table.trivia.indent = "\n" if isinstance(entries, AoT) and not text.endswith("\n\n") else ""
        entries.append(table)
        return tomlkit.dumps(document)
    place = _place(entries, instead)
    if (replaced := _replaced(text, place, device)) is not None:
        document = _document(replaced)
    else:
        _fill(entries[place], device)
    if device.get("name") != instead:
        _rename(document, instead, str(device.get("name")))
    return tomlkit.dumps(document)


@_as_it_was_written
def remove(text: str, name: str) -> str:
    """The text without this device, also where [kiosk] names it; comments stay. Raises Mistake when there is none."""
    document = _document(text)
    entries = _entries(document)
    place = _place(entries, name)
    if (cut := _without(text, [place])) is not None:
        document = _document(cut)
    else:
        del entries[place]
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


@_as_it_was_written
def imported(text: str, given: str) -> str:
    """The text with the devices of `given` in the place of its own. Raises Mistake."""
    document, other = _document(text), _document(given)
    if "device" not in other:
        raise Mistake("the file names no [[device]]")
    entries = [_table_of(entry) for entry in _entries(other)]
    given_ones = [entry.unwrap() for entry in entries]
    present = [entry.unwrap() for entry in _entries(document)]
    if given_ones == present:
        return text
    cut = _without(text, list(range(len(present)))) if present else text
    if cut is not None and (written := _inserted(cut, given_ones, _first_device(text))) is not None:
        return written
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


# Devices come, change and go as lines of text, so that every comment stays where it stood. Whether the outcome says
# what it should is checked by reading it; where it does not (devices on one line, odd layouts), the library rewrites
# the file.

_HEADING = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")


def _blocks(lines: list[str]) -> list[tuple[int, int]]:
    """First line and end of each [[device]], its own [device.…] tables included, what is said before the next not."""
    headings = [(n, found[1].replace(" ", "")) for n, line in enumerate(lines) if (found := _HEADING.match(line))]
    blocks = []
    for index, (first, name) in enumerate(headings):
        if name != "device" or not lines[first].lstrip().startswith("[["):
            continue
        end = next((n for n, other in headings[index + 1 :] if not other.startswith("device.")), len(lines))
        while end > first + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
        blocks.append((first, end))
    return blocks


def _first_device(text: str) -> int:
    blocks = _blocks(text.splitlines(keepends=True))
    return blocks[0][0] if blocks else -1


def _replaced(text: str, place: int, device: Mapping[str, Any]) -> str | None:
    """The text with the device at this place changed, and nothing around it; None when that cannot be done so."""
    lines = text.splitlines(keepends=True)
    blocks, before = _blocks(lines), _data(text)
    if before is None or len(blocks) != len(before.get("device", [])):
        return None
    first, end = blocks[place]
    own = "".join(lines[first:end])
    if _data(own) is None:
        return None
    block = _document(own)
    _fill(_entries(block)[0], device)
    after = "".join([*lines[:first], tomlkit.dumps(block), *lines[end:]])
    wanted = [*before["device"][:place], *block.unwrap()["device"], *before["device"][place + 1 :]]
    return after if _data(after) == {**before, "device": wanted} else None


def _without(text: str, places: list[int]) -> str | None:
    """The text without the devices at these places; None when that cannot be done line by line."""
    lines = text.splitlines(keepends=True)
    blocks, before = _blocks(lines), _data(text)
    if before is None or len(blocks) != len(before.get("device", [])):
        return None
    for place in sorted(places, reverse=True):
        first, end = blocks[place]
        if end < len(lines) and not lines[end].strip():
            end += 1  # and the blank line behind it
        elif end == len(lines) and first and not lines[first - 1].strip():
            first -= 1  # of the last, the one before it
        del lines[first:end]
    left = [one for index, one in enumerate(before["device"]) if index not in places]
    wanted = {**before, "device": left} if left else {k: v for k, v in before.items() if k != "device"}
    return "".join(lines) if _data("".join(lines)) == wanted else None


def _inserted(text: str, devices: list[Any], at: int = -1) -> str | None:
    """The text with more devices behind the last one (or at this line); None when that cannot be done so."""
    lines, before = text.splitlines(keepends=True), _data(text)
    if before is None:
        return None
    blocks = _blocks(lines)
    if len(blocks) != len(before.get("device", [])):
        return None
    place = blocks[-1][1] if blocks else min(at, len(lines)) if at >= 0 else len(lines)
    table = tomlkit.document()
    several = tomlkit.aot()
    for device in devices:
        one = tomlkit.table()
        _fill(one, device)
        several.append(one)
    table["device"] = several
    written = tomlkit.dumps(table).strip("\n") + "\n"
    if place and lines[place - 1].strip():
        written = "\n" + written
        if not lines[place - 1].endswith("\n"):
            written = "\n" + written
    if place < len(lines) and lines[place].strip():
        written += "\n"
    after = "".join([*lines[:place], written, *lines[place:]])
    wanted = [*before.get("device", []), *table.unwrap()["device"]]
    return after if _data(after) == {**before, "device": wanted} else None


def _data(text: str) -> dict[str, Any] | None:
    try:
        return reader.tables(text.removeprefix(BOM))
    except Mistake:
        return None


def _document(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text.removeprefix(BOM))
    except TOMLKitError as trouble:
        raise Mistake(str(trouble)) from trouble


def _entries(document: tomlkit.TOMLDocument) -> Any:
    """The list of devices; made when there is none."""
    if "device" not in document:
        document["device"] = tomlkit.aot()
    entries = document["device"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Mistake("device: expected [[device]], a table for each")
    return entries


def _place(entries: Any, name: str) -> int:
    """Which of the devices is called so. Raises Mistake when none is."""
    for index, entry in enumerate(entries):
        if entry.get("name") == name:
            return index
    raise Mistake(f"device: there is none called {name!r}")


def _fill(table: Any, values: Mapping[str, Any]) -> None:
    """Make a table hold these values and no others, touching only what differs, so that comments stay."""
    for key in [key for key in table if key not in values]:
        del table[key]
    for key, value in values.items():
        present = table.get(key)
        if isinstance(value, Mapping) and isinstance(present, dict) and not isinstance(present, InlineTable):
            _fill(present, value)
        elif key not in table or table[key] != value:
            table[key] = _item(value)


def _item(value: Any) -> Any:
    """A value in TOML's own kinds; small tables stay on one line."""
    return tomlkit.value(inline(value)) if isinstance(value, Mapping | list | tuple) else value


def _table_of(entry: Any) -> Any:
    table = tomlkit.table()
    _fill(table, entry.unwrap())
    return table


def _rename(document: tomlkit.TOMLDocument, name: str, to: str) -> None:
    """Where [kiosk] names a device, write its new name, or nothing when it is gone."""
    kiosk = document.get("kiosk")
    if not isinstance(kiosk, dict):
        return
    for use in machines.NAMED:
        if kiosk.get(use) == name and to:
            kiosk[use] = to
        elif kiosk.get(use) == name:
            del kiosk[use]

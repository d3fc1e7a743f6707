"""What is wrong with this machine's devices, a sentence each, and what to do about it.

First what can be seen without opening anything: the file, the drivers, the names of the cables. Then each cable is
opened for some seconds, to see whether the device answers. A cable that Bianmin itself holds at this moment is left
alone: the machine's page says how it is.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.hall_file import HallFile
from config.reader import Mistake
from config.words import Sentence, joined
from devices.hotplug import ELSEWHERE
from devices.links import LinkText
from devices.links.holder import PROC, holding
from devices.setup.changes import entries_of, wrong_in
from devices.setup.ports import Port, ports
from devices.station import DeviceEntry, DeviceState, State, Station

ANSWERS = "It answers ({driver} on {link})."
PATIENCE = 8.0  # seconds a device has to answer
PROGRAMS = ("kiosk.roles.kiosk", "kiosk.roles.window")  # by these words the programs that have devices are started
CORRECT = Sentence("Correct it; `bianmin run --check` reads the file again.")
LEAST_SPACE = 200 * 1024 * 1024  # bytes free where the state is kept


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `level`: ok, note (works, or cannot be known), wrong."""

    level: str
    what: str  # a device's name, or "hall.toml", "disk"
    sentence: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON-able dict."""
        return dict(vars(self))


def examine(
    file: HallFile,
    advice: Callable[[DeviceState], list[str]],
    patience: float = PATIENCE,
    tell: Callable[[Finding], None] = lambda finding: None,
) -> list[Finding]:
    """Look at everything; each finding is told as it is made. `advice` says what to do in a device's state."""
    found: list[Finding] = []

    def note(level: str, what: str, sentence: str, remedy: str = "") -> None:
        found.append(Finding(level, what, sentence, remedy))
        tell(found[-1])

    try:
        machine = file.check(file.text())
    except Mistake as mistake:
        for line in mistake.lines:
            note("wrong", file.path.name, line.removeprefix(f"{file.path}: "), CORRECT)
        return found
    wrong = wrong_in(machine)
    for line in wrong:
        note("wrong", file.path.name, line, CORRECT)
    if wrong:
        return found
    named = Sentence("It can be read; it names {count} devices.", count=len(machine.devices))
    note("ok", file.path.name, named)
    _disk(machine.about.state, note)
    entries = entries_of(machine.devices)
    if not entries:
        add = Sentence("Add one: bianmin device add, or the machine's own page.")
        note("note", "devices", Sentence("No device is configured."), add)
    present = ports()
    ours = {entry.name for entry in entries if entry.enabled and _held_by_us(entry.link, file.path, present)}
    page = Sentence("Its page says how it is: {address}", address=f"http://127.0.0.1:{machine.gateway.port}/")
    for name in sorted(ours):
        note("ok", name, Sentence("Bianmin is running and has its cable open."), page)
    for state in _looked_at([entry for entry in entries if entry.name not in ours], patience):
        note(*_judged(state, advice))
    return found


def _held_by_us(link: str, file: Path, present: Sequence[Port]) -> bool:
    """True when the cable is open in another program of this house."""
    target = LinkText.parse(link)
    if target.scheme == "sim":
        return False
    if target.scheme in ELSEWHERE:  # a printer on the network has one caller at a time, and a door one doorman
        return _runs(file)
    node = next((port.node for port in present if link.partition("?")[0] in port.links), target.path)
    return bool(node) and _has_devices(_words_of(holding(node)))


def _runs(file: Path) -> bool:
    """True when a program of this house has the devices of this file."""
    for folder in PROC.iterdir():
        words = _words_of(int(folder.name)) if folder.name.isdigit() else ""
        if _has_devices(words) and any(_is_file(folder / "cwd" / word, file) for word in words.split("\0")):
            return True
    return False


def _words_of(pid: int) -> str:
    """A program's command line, its words parted by NUL; empty when it has ended or is another user's."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _has_devices(words: str) -> bool:
    return any(program in words for program in PROGRAMS)


def _is_file(path: Path, file: Path) -> bool:
    try:
        return path.samefile(file)
    except (OSError, ValueError):
        return False


def _disk(folder: Path, note: Callable[..., None]) -> None:
    there = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    if free < LEAST_SPACE:
        short = Sentence("Only {free} MB are free where {folder} is kept.", free=free // 1024 // 1024, folder=folder)
        note("wrong", "disk", short, Sentence("Make room there."))


def _looked_at(entries: list[DeviceEntry], patience: float) -> list[DeviceState]:
    """How each device is after it had time to answer; opened all at once."""
    with Station(entries, lambda device, news: None, delays=(1.0,)) as station:
        ends = time.monotonic() + patience
        while time.monotonic() < ends and any(s.state is State.CONNECTING for s in station.states()):
            time.sleep(0.05)
        return station.states()


def _judged(state: DeviceState, advice: Callable[[DeviceState], list[str]]) -> tuple[str, str, str, str]:
    remedy, link = " ".join(advice(state)), _short(state.link)
    if state.state is State.READY:
        return "ok", state.name, Sentence(ANSWERS, driver=state.driver, link=link), ""
    if state.state is State.DISABLED:
        return "note", state.name, Sentence("It is switched off in the configuration."), remedy
    if state.state is State.DEGRADED and not state.troubles:
        return "note", state.name, Sentence("Its cable is open; devices of this kind never answer."), remedy
    if state.state is State.CONNECTING:
        return "wrong", state.name, Sentence("Its cable is open, but nothing answers on {link}.", link=link), remedy
    reason = state.reason or state.state.value
    return "wrong", state.name, reason if reason.endswith((".", "。")) else joined("", (reason, ".")), remedy


def _short(link: str) -> str:
    """A link without its settings."""
    return LinkText.parse(link).text.partition("?")[0]

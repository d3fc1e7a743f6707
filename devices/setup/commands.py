"""The technician's command line for setting up, the same as the page: what is plugged in, add, test, learn, examine.

    bianmin device ports --watch                      unplug it, plug it in: which one is it?
    bianmin device ask serial://by-path/… --role ticket-printer
    bianmin device add hall.toml --name printer --driver escpos-printer --link serial://by-path/…
    bianmin device test hall.toml printer print
    bianmin device learn serial://by-path/…?baud=9600 --keys call_next,recall,5,4,3 --into hall.toml --name pad
    bianmin device undo hall.toml
    bianmin device doctor hall.toml

`doctor` ends with 1 when something is wrong, `test` as `send` does.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import tomlkit

from config.hall_file import HallFile, Stale, table_of
from config.reader import Mistake
from config.words import Sentence
from config.writer import plain
from devices.console import fail, line, say_line, sentences, until_told
from devices.links import check_link
from devices.options import parse_options
from devices.roles import Key
from devices.setup import bundle as bundles
from devices.setup import doctor as doctors
from devices.setup import proposals
from devices.setup.changes import Change, Setup, entries_of
from devices.setup.learning import FAMILIES, PADS, PEDALS, STRIPS, Lesson, NotLearnt, families
from devices.setup.ports import Port, changes, ports
from devices.station import DeviceEntry, State, Station

TRIES = 30  # to save a change that fits whatever others have saved meanwhile
ENOUGH = 2  # presses of a key, from which it can be told
EXIT = {"done": 0, "failed": 1, "unknown": 2}
KEYS = (Key.CALL_NEXT.value, Key.RECALL.value, Key.GIVE_UP.value, Key.PAUSE.value, "5", "4", "3", "2", "1")


def _finite(context: click.Context, option: click.Parameter, value: float) -> float:
    if not math.isfinite(value) or not 0 <= value <= 86400:
        raise click.BadParameter("write seconds, from 0 to 86400")
    return value


file_named = click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=Path("hall.toml"))
as_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines for people.")
options_given = click.option("--option", "words", multiple=True, metavar="KEY=VALUE", help="An option of the driver.")
windows_given = click.option("--window", "windows", multiple=True, metavar="ADDRESS=WINDOW", help="Whom it serves.")


@click.command("ports")
@click.option("--watch", is_flag=True, help="Say what is plugged in and pulled out, until Ctrl-C.")
@as_json
def list_ports(watch: bool, as_json: bool) -> None:
    """What is plugged into this machine, by the names that stay the same."""
    done, known = until_told(), ports()
    if as_json and not watch:
        line([{**port.to_json(), "proposed": proposals.proposed(port)} for port in known])
        return
    for port in known:
        _say_port(port, "", as_json)
    if not known and not watch:
        say_line("Nothing is plugged in.")
    while watch and not done.wait(0.3):
        now = ports()
        for sign, port in changes(known, now):
            _say_port(port, f"{sign} ", as_json)
        known = now


def _say_port(port: Port, sign: str, as_json: bool) -> None:
    if as_json:
        line({"change": sign.strip(), **port.to_json(), "proposed": proposals.proposed(port)})
        return
    fits = ", ".join(proposals.proposed(port))
    about = " · ".join(
        part for part in (port.about, port.usb, f"in use by {port.holder}" if port.holder else "") if part
    )
    say_line(f"{sign}{port.links[0] if port.links else port.node}")
    if about or fits:
        say_line(f"    {about}{f'  → {fits}' if fits else ''}")


@click.command()
@click.argument("link")
@click.option("--role", default="", help="Ask only families of this role, such as ticket-printer.")
@click.option("--driver", default="", help="Ask only this one.")
@as_json
def ask(link: str, role: str, driver: str, as_json: bool) -> None:
    """Ask politely which driver's family answers on a cable: one harmless question each."""
    with sentences():
        scheme = check_link(link).scheme
        names = [driver] if driver else proposals.candidates(scheme, role)
        if not names:
            fail(f"No driver{f' of the role {role}' if role else ''} can be asked on a cable of the kind {scheme}.")
        answers = []
        for name in names:
            answers.append(proposals.ask(name, link))
            if as_json:
                line(answers[-1].to_json())
            else:
                sign = "✓" if answers[-1].fits else "–"
                say_line(f"{sign} {name}  {answers[-1].said}")
    sys.exit(0 if any(one.fits for one in answers) else 1)


@click.command()
@file_named
@click.option("--name", required=True, help="A name for it on this machine.")
@click.option("--driver", required=True, help="What it speaks; see bianmin device drivers.")
@click.option("--link", required=True, help="Its cable; see bianmin device ports.")
@options_given
@windows_given
@click.option("--bus", is_flag=True, help="One of several devices on one RS-485 line.")
@click.option("--instead", default="", metavar="NAME", help="In the place of this device; what is not said stays.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@as_json
def add(
    file: Path,
    name: str,
    driver: str,
    link: str,
    words: tuple[str, ...],
    windows: tuple[str, ...],
    bus: bool,
    instead: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write a device into FILE; the version before is kept, and a running station follows at once."""
    with sentences():
        options, numbers = plain(parse_options(driver, words)), _windows(windows)

        def propose() -> Change:
            old = _present(file, instead) if instead else {}
            before = old.pop("options", {})
            kept = before if old.get("driver") == driver else {}
            # What is not said stays as it was; what is said may be the usual again.
            said = {word.partition("=")[0] for word in words}
            chosen = {**{key: value for key, value in kept.items() if key not in said}, **options}
            entry = {**old, **_entry(name, driver, link, chosen, numbers, bus)}
            return Setup(HallFile(file)).propose(entry, instead)

        _save_whatever_else_changes(file, propose, dry_run, as_json)


@click.command()
@file_named
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@as_json
def remove(file: Path, name: str, dry_run: bool, as_json: bool) -> None:
    """Take a device out of FILE."""
    with sentences():
        _save_whatever_else_changes(file, lambda: Setup(HallFile(file)).propose(remove=name), dry_run, as_json)


@click.command()
@file_named
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@as_json
def undo(file: Path, dry_run: bool, as_json: bool) -> None:
    """Put the version of FILE before the last change back."""
    with sentences():
        setup = Setup(HallFile(file))
        change = setup.back()
        if change is None:
            fail(f"{file}: there is no version before this one.")
        if change.mistakes:
            raise Mistake(*change.mistakes)
        if not dry_run:
            setup.undo(change.version)
        _tell(change, not dry_run, as_json)


def save(file: Path, change: Change, dry_run: bool, as_json: bool) -> None:
    """Write a change into FILE unless it is only looked at, and tell it. Raises Mistake, Stale."""
    if change.mistakes:
        raise Mistake(*change.mistakes)
    if not dry_run and change.difference:
        Setup(HallFile(file)).save(change.text, change.version)
    _tell(change, not dry_run, as_json)


def _save_whatever_else_changes(file: Path, propose: Callable[[], Change], dry_run: bool, as_json: bool) -> None:
    """Save a change that means the same whatever others save meanwhile. Raises Mistake, Stale after many tries."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(Stale):
            return save(file, propose(), dry_run, as_json)
    return save(file, propose(), dry_run, as_json)


def _tell(change: Change, saved: bool, as_json: bool) -> None:
    if as_json:
        line({**change.to_json(), "saved": saved})
        return
    for one in change.difference:
        say_line(one)
    say_line("Nothing would change." if not change.difference else "Saved." if saved else "Not saved (--dry-run).")


def _entry(
    name: str, driver: str, link: str, options: dict[str, Any], windows: dict[str, int], bus: bool
) -> dict[str, Any]:
    """A [[device]] as a table; only what is said."""
    said = {"options": options, "windows": windows, "bus": bus}
    return {"name": name, "driver": driver, "link": link, **{key: value for key, value in said.items() if value}}


def _present(file: Path, name: str) -> dict[str, Any]:
    """A device as FILE has it now; empty when it has none of this name, which is said later."""
    return next((table_of(device) for device in Setup(HallFile(file)).devices() if device.name == name), {})


def _windows(words: Sequence[str]) -> dict[str, int]:
    found = {}
    for word in words:
        address, equals, window = word.partition("=")
        if not equals or not all(one.isdecimal() and len(one) <= 6 for one in (address, window)):
            raise Mistake(f"window {word!r}: write ADDRESS=WINDOW, such as 1=3")
        found[address] = int(window)
    return found


@click.command()
@file_named
@click.argument("name")
@click.argument("trial", required=False)
@click.option("--address", type=int, default=0, help="Which device on the cable; the first if none is named.")
@as_json
def test(file: Path, name: str, trial: str | None, address: int, as_json: bool) -> None:
    """Try a device of FILE out, as the page's buttons do; without TRIAL, say what can be tried."""
    from devices.gateway import trials  # the page's own buttons; only here is its web server loaded
    from devices.gateway.wording import speaker

    say = speaker()
    with sentences():
        known = Setup(HallFile(file)).devices()
        entries = [entry for entry in entries_of(known) if entry.name == name]
        if not entries:
            fail(f"{file}: there is no device {name!r}; there are: {', '.join(d.name for d in known) or 'none'}")
        if trial is None:
            _say_trials(entries[0], as_json)
            return
        with Station(entries, lambda device, news: None, delays=(0.5,)) as station:
            _until_open(station, name)
            answer = trials.try_out(station, name, trial, address, say)
    if as_json:
        line(answer)
    else:
        for part in ("sentence", "reason", "hint"):
            if answer[part]:
                say_line(" ".join(dict.fromkeys(answer[part])))
        for one in answer["news"]:
            say_line(f"    {one['text']}")
    sys.exit(EXIT[answer["result"]])


def _say_trials(entry: DeviceEntry, as_json: bool) -> None:
    from devices.gateway import trials
    from devices.gateway.wording import speaker

    say = speaker()
    known = trials.buttons(entry, say)
    if as_json:
        line(known)
        return
    for one in known:
        say_line(f"{one['key']:10} {' '.join(one['label'])}{'  – ' + one['cannot'][1] if one['cannot'] else ''}")


def _until_open(station: Station, name: str, patience: float = 10.0) -> None:
    """Wait until the device answers, or it is known that it will not."""
    ends = time.monotonic() + patience
    while time.monotonic() < ends and station.state(name).state in (State.CONNECTING, State.ABSENT):
        time.sleep(0.05)


@click.command()
@click.argument("link")
@click.option("--keys", default=",".join(KEYS), show_default=True, help="What to learn, in this order.")
@click.option(
    "--kind", type=click.Choice([*FAMILIES]), default=PADS, show_default=True, help="A strip: from its old program."
)
@click.option("--driver", default="", help="For this driver only.")
@click.option("--presses", type=click.IntRange(ENOUGH, 9), default=ENOUGH, show_default=True, help="Of each key.")
@click.option("--seconds", type=float, default=60.0, callback=_finite, help="How long to wait for each key; 60.")
@click.option(
    "--replay",
    type=float,
    default=0.0,
    callback=_finite,
    metavar="SECONDS",
    help="Then say what is pressed, for so long.",
)
@click.option("--into", type=click.Path(path_type=Path, dir_okay=False), help="Write it into this file…")
@click.option("--name", default="", help="…by this name.")
@windows_given
@as_json
def learn(
    link: str,
    keys: str,
    kind: str,
    driver: str,
    presses: int,
    seconds: float,
    replay: float,
    into: Path | None,
    name: str,
    windows: tuple[str, ...],
    as_json: bool,
) -> None:
    """Hear a pad nobody documented, key by key, and write a generic driver's options for it.

    Keys are call_next, recall, evaluate, give_up, hold, call_back, pause, transfer, cancel, one_metre, and 5 to 1 for
    grades. For a strip they are the texts it is told to show, for pedals their numbers from 1.
    """
    wanted = [one.strip() for one in keys.split(",") if one.strip()]
    with sentences():
        _check_before(link, kind, driver, wanted, into, name, windows)
    with sentences(), Lesson(link, kind=kind) as lesson:
        for key in wanted:
            _hear(lesson, key, presses, seconds, as_json)
        found = lesson.learn(driver)
        _say_learnt(found, link, name or "pad", windows, as_json)
        if replay:
            _replay(lesson, replay, as_json)
    if into is not None:
        with sentences():
            entry = _entry(name, found["driver"], link, found["options"], _windows(windows), bus=False)
            _save_whatever_else_changes(into, lambda: Setup(HallFile(into)).propose(entry), False, as_json)


def _check_before(
    link: str, kind: str, driver: str, keys: Sequence[str], into: Path | None, name: str, windows: Sequence[str]
) -> None:
    """Whatever would be wrong in the end is said before anybody has pressed a key. Raises Mistake, NotLearnt."""
    if not keys:
        raise Mistake("--keys: name what is to be pressed, such as --keys call_next,recall,5,4")
    known = {*map(str, Key), "5", "4", "3", "2", "1", "0"}
    if kind == PADS and (strange := [key for key in keys if key not in known]):
        raise Mistake(f"--keys: there is no key {strange[0]!r}; there are: {', '.join(sorted(known))}")
    if kind == PEDALS and (strange := [key for key in keys if key not in set("123456789")]):
        raise Mistake(f"--keys: there is no pedal {strange[0]!r}; call them 1 to 9, such as --keys 1,2")
    if kind == STRIPS and len(set(keys)) < ENOUGH:
        raise Mistake("--keys: name at least two texts that the strip is told to show, joined with commas")
    families(link, kind, driver)
    _windows(windows)
    if into is not None and not name:
        raise Mistake("With --into, --name says what the device is called.")
    if into is not None and _present(into, name):
        raise Mistake(f"{into}: there is a device called {name!r} already")


def _hear(lesson: Lesson, key: str, presses: int, seconds: float, as_json: bool) -> None:
    """Until the key was pressed often enough. Raises NotLearnt."""
    lesson.listen_for(key)
    ends = time.monotonic() + seconds
    while lesson.state()["trouble"] and time.monotonic() < ends:
        time.sleep(0.02)
    if as_json:
        line({"press": key, "times": presses})
    else:
        say_line(f"{key}: press it {presses} times, a second apart.")
    ends, said = time.monotonic() + seconds, 0
    while said < presses:
        heard = lesson.state()["presses"].get(key, [])
        for one in heard[said:]:  # at once, so that whoever presses sees that it came
            line({"heard": key, "bytes": one}) if as_json else say_line(f"    {one}")
        said = len(heard)
        if said < presses and time.monotonic() > ends:
            trouble = lesson.state()["trouble"] or "Check the cable and the speed (baud)."
            raise NotLearnt(f"{key} was not heard {presses} times within {seconds:g} s. {trouble}")
        time.sleep(0.05)


def _say_learnt(found: dict[str, Any], link: str, name: str, windows: Sequence[str], as_json: bool) -> None:
    if as_json:
        line(found)
        return
    entry = _entry(name, found["driver"], link, found["options"], _windows(windows), bus=False)
    say_line(tomlkit.dumps({"device": [entry]}).strip())


def _replay(lesson: Lesson, seconds: float, as_json: bool) -> None:
    ends, said = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        replayed = lesson.state()["replayed"]
        for one in replayed[said:]:
            line({"replayed": one}) if as_json else say_line(f"    {one}")
        said = len(replayed)
        time.sleep(0.05)


@click.command()
@file_named
@click.option("--seconds", type=float, default=doctors.PATIENCE, callback=_finite, help="For each answer.")
@as_json
def doctor(file: Path, seconds: float, as_json: bool) -> None:
    """Look at everything in FILE and say what is wrong and what to do. Exit code 1 when something is."""
    from devices.gateway import faces  # the page's own advice
    from devices.gateway.wording import speaker

    say = speaker()
    signs = {"ok": "✓", "note": "·", "wrong": "✗"}

    def both(sentence: str) -> str:
        return " ".join(dict.fromkeys(say(sentence)))

    def tell(found: doctors.Finding) -> None:
        if as_json:
            line(found.to_json())
            return
        say_line(f"{signs[found.level]} {found.what}: {both(found.sentence)}")
        if found.remedy:
            say_line(f"    → {both(found.remedy)}")

    def advice(state: Any) -> list[str]:
        return [both(one) for one in faces.advice(state)]

    findings = doctors.examine(HallFile(file), advice, seconds, tell)
    wrong = sum(one.level == "wrong" for one in findings)
    if not as_json:
        say_line(both(Sentence("{count} wrong.", count=wrong) if wrong else Sentence("Nothing is wrong.")))
    sys.exit(1 if wrong else 0)


@click.command()
@file_named
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--seconds", type=float, default=5.0, callback=_finite, help="How long to listen.")
def bundle(file: Path, out: Path, seconds: float) -> None:
    """Pack what somebody far away needs to help into the ZIP file OUT; no personal data is in it."""
    with sentences():
        text = HallFile(file).text()
        machine = HallFile(file).check(text)
        if out.exists() and not zipfile.is_zipfile(out):
            fail(f"{out}: is there already and is no bundle; name another file.")
        with Station(entries_of(machine.devices), lambda device, news: None, delays=(1.0,)) as station:
            until_told().wait(seconds)
            packed = bundles.bundle(station, text)
    try:
        out.write_bytes(packed)
    except OSError as trouble:
        fail(f"{out}: cannot be written: {trouble.strerror}")
    say_line(f"{out}: {len(packed)} bytes.")


COMMANDS = (list_ports, ask, add, remove, undo, test, learn, doctor, bundle)

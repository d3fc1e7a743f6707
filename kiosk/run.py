"""`bianmin run hall.toml`: starts one program for each role of this machine and keeps it running."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from config import machine as machines
from config.reader import Mistake
from devices.setup.changes import entries_of
from devices.station import mistakes
from kiosk.program import Line
from kiosk.supervisor import NotReady, Supervisor

ROOT = Path(__file__).resolve().parent.parent
MODULES = {role: f"kiosk.roles.{role}" for role in machines.ROLES}  # role → python -m …
START = 60.0  # seconds the hall has to answer before the others are started anyway: they wait for it themselves


def command(role: str, file: Path) -> list[str]:
    """The command line of a role's program."""
    return [sys.executable, "-P", "-m", MODULES[role], str(file)]


def environment() -> dict[str, str]:
    """What a program of ours needs beside our own environment: to find the five rooms."""
    inherited = os.environ.get("PYTHONPATH", "")
    rooms = str(ROOT)
    return {"PYTHONPATH": inherited if rooms in inherited.split(os.pathsep) else os.pathsep.join([rooms, inherited])}


def readiness(role: str) -> Line | None:
    """How one sees that a role's program is ready: the hall says so. Its port proves nothing, another may hold it."""
    return Line("ready ") if role == "hall" else None


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="hall.toml")
@click.option("--check", is_flag=True, help="Only read the file and say what is wrong in it.")
def run(file: Path, check: bool) -> None:
    """What this machine is, as FILE (hall.toml) says; nothing is simulated. Ctrl-C or SIGTERM stops it."""
    try:
        machine = machines.load(file)
        wrong = mistakes(entries_of(machine.devices), "device.")
        if wrong:
            raise Mistake(*wrong).inside(file.resolve())
    except Mistake as mistake:
        raise click.ClickException(str(mistake)) from mistake
    if check:
        click.echo(f"{file} is in order: {machine.about.name} is {', '.join(machine.about.roles)}.")
        for role, lack in waiting(machine).items():
            click.echo(f"{role} cannot work yet: {lack}")
        return
    keep(machine, file.resolve())


def waiting(machine: machines.Machine) -> dict[str, str]:
    """The roles whose token has not been brought here yet, and what to do; a hall makes those of its own machine."""
    roles = () if "hall" in machine.about.roles else machine.about.roles
    return {role: lack for role in roles if (lack := machine.lacks_token(role))}


def keep(machine: machines.Machine, file: Path) -> None:
    """Run the machine's roles, the hall first, until somebody asks us to stop."""
    machine.about.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Supervisor(machine.about.state / "logs", say=_say) as supervisor, supervisor.signals():
        for role in sorted(machine.about.roles, key=machines.ROLES.index):
            supervisor.start(role, command(role, file), environment(), ready=readiness(role))
            try:
                supervisor.wait_ready(role, timeout=START)
            except NotReady as trouble:
                if supervisor.asked:
                    break
                _say(f"{trouble}\nThe others are started meanwhile.")
            else:
                lack = waiting(machine).get(role)
                _say(f"{role} waits: {lack}" if lack else f"{role} is running.")
        supervisor.wait()


def _say(sentence: str) -> None:
    click.echo(f"bianmin: {sentence}", err=True)

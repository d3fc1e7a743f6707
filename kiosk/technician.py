"""`bianmin technician hall.toml`: the code that opens a kiosk's maintenance page, and the devices page's password."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from config import machine as machines
from config.reader import Mistake
from kiosk import maintenance
from kiosk.app import settings_of

WHAT = ("code", "password")


@click.command()
@click.argument("what", type=click.Choice(WHAT))
@click.argument("file", type=click.Path(path_type=Path), default="hall.toml")
def technician(what: str, file: Path) -> None:
    """Set the technician's CODE (kiosk's maintenance page) or PASSWORD (this machine's devices page).

    It is read from standard input, so no list of programs shows it, and kept only as a hash.
    """
    try:
        machine = machines.load(file)
    except Mistake as mistake:
        raise click.ClickException(str(mistake)) from mistake
    prompt = f"Technician's {what}"
    secret = (
        click.prompt(prompt, hide_input=True, confirmation_prompt=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\r\n")
    )
    try:
        _keep(machine, what, secret)
    except ValueError as weak:
        raise click.ClickException(f"{str(weak)[:1].upper()}{str(weak)[1:]}.") from weak
    when = "It opens at once." if what == "code" else "The devices page asks for it after its next start."
    click.echo(f"The technician's {what} of {machine.about.name} is set. {when}")


def _keep(machine: machines.Machine, what: str, secret: str) -> None:
    machine.about.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if what == "code":
        maintenance.set_code(settings_of(machine).state, secret)
        return
    from devices.gateway.guard import PasswordFile

    PasswordFile(machine.about.state / "gateway.password").set(secret)

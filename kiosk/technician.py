"""`bianmin technician`: the code of a kiosk's maintenance page, the devices page's password and second factor."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from config import machine as machines
from config.reader import Mistake
from kiosk import maintenance
from kiosk.app import settings_of

WHAT = ("code", "password", "totp")


@click.command()
@click.argument("what", type=click.Choice(WHAT))
@click.argument("file", type=click.Path(path_type=Path), default="hall.toml")
def technician(what: str, file: Path) -> None:
    """Set the technician's CODE (kiosk's maintenance page), PASSWORD or TOTP (this machine's devices page).

    What is typed is read from standard input, so no list of programs shows it. Code and password are kept as hashes;
    TOTP shows a code for an authenticator and keeps its secret once the figures prove that the authenticator has it.
    """
    try:
        machine = machines.load(file)
    except Mistake as mistake:
        raise click.ClickException(str(mistake)) from mistake
    if what == "totp":
        _second_factor(machine)
        return
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
    when = "It opens at once." if what == "code" else "The devices page asks for it from now on."
    click.echo(f"The technician's {what} of {machine.about.name} is set. {when}")


def _keep(machine: machines.Machine, what: str, secret: str) -> None:
    machine.about.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if what == "code":
        maintenance.set_code(settings_of(machine).state, secret)
        return
    from devices.gateway.guard import PasswordFile

    PasswordFile(machine.about.state / "gateway.password").set(secret)


def _second_factor(machine: machines.Machine) -> None:
    """Show a new secret and keep it when its figures are right."""
    import segno

    from devices.gateway.totp import TotpFile

    secret = TotpFile.fresh()
    address = TotpFile.address(secret, machine.about.name)
    segno.make(address, error="l").terminal(compact=True)
    click.echo(f"Scan it with an authenticator, or type {secret}")
    figures = click.prompt("The six figures it shows") if sys.stdin.isatty() else sys.stdin.readline().strip()
    machine.about.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not TotpFile(machine.about.state / "gateway.totp").set(secret, figures):
        raise click.ClickException("The figures are not right, so nothing was changed; try again.")
    click.echo(f"Changing devices of {machine.about.name} now needs these figures.")

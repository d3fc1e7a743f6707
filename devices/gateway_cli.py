"""The installer's command line for the local device gateway: browser policy, its authority, who is paired.

bianmin device gateway policy hall.toml --write
bianmin device gateway ca hall.toml
bianmin device gateway pairings hall.toml
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from config.reader import Mistake

hall_file = click.argument("file", type=click.Path(path_type=Path), default=Path("hall.toml"))
TLS_FOLDER, PAIRS_FILE = "gateway-tls", "gateway-pairs.json"  # in the state folder


@click.group("gateway")
def gateway() -> None:
    """The local gateway, through which web pages use this machine's devices."""


@gateway.command("policy")
@hall_file
@click.option("--origin", "more", multiple=True, metavar="URL", help="One more page's origin, such as https://host.")
@click.option("--write", "write_it", is_flag=True, help="Write it for every browser of this machine; else print it.")
@click.option("--folder", type=click.Path(path_type=Path), help="Write it there: a browser's folder we do not know.")
def policy_command(file: Path, more: tuple[str, ...], write_it: bool, folder: Path | None) -> None:
    """The managed policy by which browsers let business systems reach this machine."""
    from config import machine as machines
    from devices.gateway.local import policy, tls

    try:
        machine = machines.load(file)
        for origin in more:
            if not machines.is_origin(origin):
                raise Mistake(f"--origin: expected an origin such as https://host or http://host:8080, got {origin!r}")
        origins = {*machine.gateway.origins, *more}
        if not origins:
            raise Mistake(f"{file}: gateway.origins names no page; name it there, or with --origin")
        secure = machine.gateway.tls_port != 0
        authority = tls.load_authority(machine.about.state / TLS_FOLDER / "ca.crt") if secure else None
        text = policy.text_of(policy.policy(origins, authority))
        if not write_it and folder is None:
            click.echo(text, nl=False)
            return
        folders = [folder] if folder is not None else policy.folders()
        if not folders:
            raise Mistake("no Chromium, Chrome or Edge is on this machine; say with --folder where its policies are")
        for one in folders:
            try:
                click.echo(f"written: {policy.write(text, one)}")
            except OSError as trouble:
                raise Mistake(f"{one}: cannot be written: {trouble.strerror}; try as root") from trouble
    except Mistake as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(1)
    click.echo("The browser reads it within some minutes, or at once at chrome://policy.")


@gateway.command("ca")
@hall_file
@click.option("--pem", is_flag=True, help="Print the certificate itself.")
def ca_command(file: Path, pem: bool) -> None:
    """The authority that browsers must trust for the gateway's https port, and how to have it trusted."""
    from config import machine as machines
    from devices.gateway.local import tls

    try:
        path = machines.load(file).about.state / TLS_FOLDER / "ca.crt"
        printed = tls.fingerprint(path)
    except Mistake as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(1)
    if pem:
        click.echo(path.read_text("ascii"), nl=False)
        return
    click.echo(f"certificate: {path}\nSHA-256: {printed}\nIt vouches for localhost and 127.0.0.1 only. To trust it:")
    click.echo("  Chromium, Chrome, Edge, every user: bianmin device gateway policy FILE --write   (as root)")
    click.echo("  Chromium, Chrome, this user (until 145: $HOME/.pki/nssdb, which later ones use if it is there):")
    click.echo(f"      certutil -d sql:$HOME/.local/share/pki/nssdb -A -t C,, -n Bianmin -i {path}")
    click.echo("  Firefox: Settings, Privacy and Security, View Certificates, Authorities, Import")


@gateway.command("pairings")
@hall_file
def pairings_command(file: Path) -> None:
    """The origins that are paired. They are revoked on the gateway's own page, /v1/pair."""
    from config import machine as machines
    from devices.gateway.local.pairs import Pairs

    try:
        pairings = Pairs(machines.load(file).about.state / PAIRS_FILE).all()
    except Mistake as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(1)
    for one in pairings:
        signs = "  signs its requests" if one.key else ""
        click.echo(f"{one.origin}  {one.name}  since {one.since}{signs}")
    if not pairings:
        click.echo("None is paired.")

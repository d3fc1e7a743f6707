"""`bianmin hall`: serve the hall's API, make tokens for machines, set people's passwords, look whether all is well."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from config.plan import HallPlan
    from hall_api.accounts import Accounts

ROLES = ("clerk", "manager", "technician", "kiosk", "window", "screen")
SHORTEST = 8

database = click.option(
    "--db", "url", required=True, metavar="URL", help="sqlite:///path/to/hall.db or postgresql://user@host/name"
)
plan_file = click.option(
    "--plan", "plan_name", metavar="FILE", help="a plan file, or one of ours by name; without it: the default hall"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def hall() -> None:
    """The hall's own door: serve it, make tokens and passwords."""


@hall.command()
@database
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one")
@click.option("--host", default="127.0.0.1", show_default=True, help="where to listen; 0.0.0.0: on every network")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True)
@plan_file
@click.option("--public-url", default="", help="address citizens' phones reach, printed on slips")
@click.option("--behind-tls", is_flag=True, help="a proxy in front speaks HTTPS: cookies only travel encrypted")
@click.option("--log-requests", is_flag=True, help="one line per request: door, role, time; no address, no ids")
def serve(
    url: str,
    port: int,
    host: str,
    processes: int,
    plan_name: str | None,
    public_url: str,
    behind_tls: bool,
    log_requests: bool,
) -> None:
    """Serve the hall's API and pages until Ctrl-C; prints `ready http://…` when it answers."""
    import logging

    from hall_api.server import CannotServe, Serving
    from hall_api.server import serve as serve_hall

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("hall.server").setLevel(logging.INFO)
    logging.getLogger("hall.requests").setLevel(logging.INFO if log_requests else logging.WARNING)
    serving = Serving(
        database=url,
        plan=read_plan(plan_name),
        host=host,
        port=port,
        processes=processes,
        public_url=public_url.rstrip("/"),
        behind_tls=behind_tls,
        open_windows=plan_name is None,
    )
    try:
        sys.exit(serve_hall(serving))
    except CannotServe as sentence:
        raise click.ClickException(str(sentence)) from sentence


@hall.command()
@click.argument("role", type=click.Choice(ROLES))
@database
@click.option("--name", default="", help="which machine or program it is for, as the journal names it")
@click.option("--window", type=click.IntRange(1, 9999), help="the window it belongs to")
@plan_file
def token(role: str, url: str, name: str, window: int | None, plan_name: str | None) -> None:
    """Print a new bearer token for a ROLE; it is shown this once and stored nowhere."""
    accounts = _accounts(url, plan_name)
    click.echo(accounts.new_token(role, name, window))


@hall.command()
@click.argument("login")
@database
@plan_file
def password(login: str, url: str, plan_name: str | None) -> None:
    """Set the password of a person in the plan, read from standard input: no list of programs shows it."""
    accounts = _accounts(url, plan_name)
    if sys.stdin.isatty():
        secret = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        secret = sys.stdin.readline().rstrip("\r\n")
    if len(secret) < SHORTEST:
        raise click.ClickException(f"A password has at least {SHORTEST} characters.")
    try:
        accounts.set_password(login, secret)
    except KeyError:
        known = ", ".join(person.login for person in read_plan(plan_name).staff) or "nobody"
        raise click.ClickException(f"The plan knows no {login!r}; it knows: {known}.") from None
    click.echo(f"{login} can log in now.")


@hall.command()
@database
@plan_file
def check(url: str, plan_name: str | None) -> None:
    """Say whether plan and database are sound, and who cannot log in yet."""
    plan = read_plan(plan_name)
    with_password = _accounts(url, plan_name).with_password()
    click.echo(f"{plan.name}: {len(plan.queues)} queues, {len(plan.windows)} windows, {len(plan.services)} services")
    click.echo(f"database: {_without_password(url)} is up to date")
    missing = [person.login for person in plan.staff if person.login not in with_password]
    if missing:
        click.echo(f"no password yet: {', '.join(missing)} (set it with `bianmin hall password LOGIN --db …`)")


def read_plan(name: str | None) -> HallPlan:
    """The plan by file or name; the default hall without one. ClickException with every mistake in it."""
    if name is None:
        from hall_api.default_plan import DEFAULT_PLAN

        return DEFAULT_PLAN
    from config import plans, reader

    known = name in plans.names() or name.endswith(".toml")
    try:
        return plans.choose(name if known else f"{name}.toml", base=Path.cwd())
    except (reader.Mistake, OSError) as mistake:
        raise click.ClickException(str(mistake)) from mistake


def _accounts(url: str, plan_name: str | None) -> Accounts:
    """The accounts in the database, which is created when it is not there yet."""
    from hall_api.accounts import Accounts
    from hall_api.server import CannotServe, open_memory

    try:
        return Accounts(open_memory(url), read_plan(plan_name))
    except CannotServe as sentence:
        raise click.ClickException(str(sentence)) from sentence


def _without_password(url: str) -> str:
    """A database's address fit to print."""
    scheme, mark, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}{mark}{user.partition(':')[0]}{at}{place}"


if __name__ == "__main__":
    hall(prog_name="bianmin hall")

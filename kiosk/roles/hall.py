"""The hall's own program: the doors, the staff's pages and the public screens, over one database."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config import machine as machines
from config.machine import Gateway, Machine
from config.private_file import write_private
from hall_api.hall import Hall
from hall_api.server import CannotServe, Serving, serve
from kiosk.roles import leave
from kiosk.station_files import create_station_files
from screens.blueprint import create_screens
from screens.voice import Voice

if TYPE_CHECKING:
    from flask import Blueprint


def main(file: str) -> int:
    """Serve what `file` (hall.toml) says until told to stop; the exit code."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    machine = machines.load(Path(file))
    assert machine.plan is not None, "this machine has no role hall"
    machine.about.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    hall = machine.hall
    serving = Serving(
        database=machine.database_with_password(),
        plan=machine.plan,
        host=hall.host,
        port=hall.port,
        processes=hall.processes,
        public_url=machine.hall.public_url.rstrip("/"),
        key_file=machine.about.state / "attachments.key",
    )
    _make_tokens(machine)
    try:
        return serve(serving, pages=lambda hall: pages(hall, machine.about.state / "voice", machine.gateway.port))
    except CannotServe as sentence:
        print(f"bianmin: {sentence}", file=sys.stderr)
        return 1


def pages(hall: Hall, voice: Path, port: int = Gateway.port) -> Sequence[Blueprint]:
    """The public screens for a hall, and what its desks need to scan; announcements are kept in the folder `voice`.

    `port`: of the gateway on a clerk's computer, which is usually the same throughout a hall.
    """
    import gevent

    def event_of(seq: int) -> Mapping[str, Any] | None:
        found = hall.events(seq - 1, limit=1)
        return found[0].as_json() if found and found[0].seq == seq else None

    def elsewhere(work: Callable[[], bytes]) -> bytes:
        sound: bytes = gevent.get_hub().threadpool.apply(work)
        return sound

    return [create_screens(event_of, Voice(voice), elsewhere=elsewhere), create_station_files(port)]


def _make_tokens(machine: Machine) -> None:
    """A machine that is its own hall needs nobody to carry tokens about: those of its other roles are made here."""
    missing = [
        (role, machine.token_file(role))
        for role in ("kiosk", "window")
        if role in machine.about.roles and not machine.token_file(role).exists()
    ]
    if not missing:
        return
    from hall_api.accounts import Accounts
    from hall_api.storage import open_store

    assert machine.plan is not None
    store = open_store(machine.database_with_password())
    accounts = Accounts(store, machine.plan)
    for role, file in missing:
        write_private(file, accounts.new_token(role, machine.about.name).encode())
    store.close()


if __name__ == "__main__":
    leave(main, sys.argv[1])

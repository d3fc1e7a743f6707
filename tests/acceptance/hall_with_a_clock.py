"""A hall whose clock can be turned, as a program: `python hall_with_a_clock.py hall.toml CLOCK`.

The file CLOCK holds the hall's time in seconds of Unix time; it stands still until somebody writes another.
"""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import gevent
from gevent.pywsgi import WSGIServer

from config import machine as machines
from hall_api.accounts import Accounts
from hall_api.domain.orders import Actor, Housekeep
from hall_api.hall import Hall
from hall_api.process import Handler
from hall_api.server import listen
from hall_api.storage.green import Greenlets
from hall_api.storage.store import open_store
from hall_api.web.app import create_app
from kiosk.roles.hall import pages


def main(file: str, clock: str) -> None:
    logging.basicConfig(level=logging.WARNING)
    machine = machines.load(Path(file))
    store = open_store(machine.database, waiting=Greenlets())
    hall = Hall(
        machine.plan,
        store,
        clock=lambda: datetime.fromtimestamp(float(Path(clock).read_text()), UTC),
        public_url=machine.hall_url,
    )
    extra = pages(hall, machine.about.state / "voice")
    app = create_app(hall, Accounts(store, machine.plan), extra_blueprints=extra, public_url=machine.hall_url)
    server = WSGIServer(listen("127.0.0.1", machine.hall.port), app, log=None, handler_class=Handler)
    gevent.spawn(keep_house, hall)
    server.start()
    print(f"ready {machine.hall_url}", flush=True)
    server.serve_forever()


def keep_house(hall: Hall) -> None:
    while True:
        gevent.sleep(0.05)
        hall.obey(Housekeep(), Actor(role="system"))


if __name__ == "__main__":
    main(*sys.argv[1:])

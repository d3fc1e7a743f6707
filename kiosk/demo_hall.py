"""The demo's hall: a town centre with three windows and a kiosk, and a simulated device for every role, on wires."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterable
from pathlib import Path

from kiosk.street import Wire

WINDOWS = (1, 2, 3)
BUS = "bus"  # the RS-485 line with every pad and evaluator; address n is window n
KIOSK = "demo"
WIRES = (
    Wire("printer", "escpos-printer", {"width_mm": 80}),
    Wire("id-reader", "ga467-reader"),
    Wire("scanner", "serial-scanner"),
    Wire("camera", "uvc-camera", {"width": 1600, "height": 1200, "fps": 10}, port=0),
    Wire("sheets", "cups-printer", port=0),
    Wire(BUS, "queue-bus", {"addresses": list(WINDOWS)}),
    Wire("strip1", "pingan-strip", {"addresses": [1]}),
    Wire("strip2", "pingan-strip", {"addresses": [2]}),
    Wire("strip3", "pingan-strip", {"addresses": [3]}, port=0),
    # What lies on a clerk's desk, for the web pages of business systems.
    Wire("desk-reader", "ga467-reader"),
    Wire("desk-scanner", "serial-scanner", {"trigger": "newland"}),
    Wire("desk-printer", "escpos-printer", {"width_mm": 80}),
    Wire("desk-camera", "uvc-camera", {"width": 640, "height": 480, "fps": 5}, port=0),
    Wire("desk-sheets", "cups-printer", port=0),
)
LINKS = {"sheets": "ipp", "desk-sheets": "ipp"}  # speaks something of its own over TCP
SERVED = {BUS: {n: n for n in WINDOWS}, "strip1": {1: 1}, "strip2": {2: 2}, "strip3": {3: 3}}
OWN_PORTS = range(20_000, 32_000)  # below those the kernel gives to outgoing connections
KIOSK_USES = {"printer": "printer", "reader": "id-reader", "scanner": "scanner", "camera": "camera", "sheets": "sheets"}


def free_port(wanted: int = 0) -> int:
    """`wanted` when nobody listens there, else a free port of 127.0.0.1 that no outgoing connection takes meanwhile."""
    for port in (*([wanted] if wanted else []), *random.sample(OWN_PORTS, 50)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free TCP port on 127.0.0.1")


def hall_toml(links: dict[str, str], *, port: int, gateway: int, screen: Iterable[str], policy: dict[str, int]) -> str:
    """The text of the demo's hall.toml; `links` says where each wire ended up."""
    lines = [
        "[machine]",
        f'name = "{KIOSK}"',
        'roles = ["hall", "kiosk", "window"]',
        'state = "state"',
        "[hall]",
        f"port = {port}",
        'plan = "town"',
        "[kiosk]",
        *(f'{use} = "{name}"' for use, name in KIOSK_USES.items()),
        "[kiosk.screen]",
        *screen,
        "[gateway]",
        f"port = {gateway}",
        'configure = "open"',  # whoever tries the demo sits at this machine
    ]
    for wire in WIRES:
        lines += ["[[device]]", f'name = "{wire.name}"', f'driver = "{wire.driver}"', f'link = "{links[wire.name]}"']
        if wire.options:
            lines.append("options = { " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in wire.options.items()) + " }")
        if wire.name in SERVED:
            pairs = ", ".join(f"{address} = {no}" for address, no in SERVED[wire.name].items())
            lines.append("windows = { " + pairs + " }")
    if policy:
        lines += ["[plan.policy]", *(f"{key} = {value}" for key, value in policy.items())]
    return "\n".join(lines) + "\n"


def wires_json() -> str:
    """The wires for `python -m kiosk.street`."""
    return json.dumps([{"name": w.name, "driver": w.driver, "options": dict(w.options), "port": w.port} for w in WIRES])


def link_of(folder: Path, name: str, link: str) -> str:
    """A terminal is opened by its name in the folder, which stays the same when its cable is pulled and put back."""
    if link.startswith("serial:"):
        return f"serial://{folder / name}"
    return f"{LINKS[name]}:{link.partition(':')[2]}" if name in LINKS else link

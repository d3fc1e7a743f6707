"""The technician's command line: see what drivers there are, simulate a device, listen to one, send it one order.

    bianmin device drivers --json
    bianmin device simulate serial-scanner --pty /tmp/scanner
    bianmin device listen --driver serial-scanner --link serial:///tmp/scanner --json
    bianmin device send --driver escpos-printer --link serial:///dev/ttyS0 PrintTest
    bianmin device encode --driver escpos-printer PrintTest

Every JSON line is flushed at once. `send` ends with 0 only when the device is known to have done the order, with 2
when nobody can know, with 1 and a sentence when it was not done.
"""

from __future__ import annotations

import base64
import concurrent.futures
import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from config.words import pair
from devices import drivers, quality
from devices.console import fail, line, say_line, sentences, until_told
from devices.documents import document
from devices.faults import LINE_FAULTS
from devices.gateway_cli import gateway
from devices.links import check_link
from devices.options import describe, parse_options, typed
from devices.roles import Alive, FrameSeen, News, Obeyed, Order, Refused, Trouble, Unconfirmed
from devices.setup import commands as setup_commands
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station
from devices.words import WordMistake, build, classes, from_json, say, to_json

EXIT = {Obeyed: 0, Refused: 1, Unconfirmed: 2}
RETRY = (0.2, 0.5, 1.0, 2.0, 5.0)  # someone sits here and waits: quicker than a station

options_given = click.option("--option", "words", multiple=True, metavar="KEY=VALUE", help="An option of the driver.")
driver_named = click.option("--driver", required=True, metavar="NAME", help="What the device speaks.")
link_named = click.option("--link", required=True, metavar="LINK", help="serial:///dev/…?baud=9600, socket://host:port")


@click.group()
def device() -> None:
    """Devices on the cables of this machine."""
    quiet = logging.getLogger("devices")  # what is logged is said here anyway
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False


device.add_command(gateway)


@device.command("drivers")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def list_drivers(as_json: bool) -> None:
    """Every driver with its roles, links and options."""
    known = [_driver(name) for name in drivers.names()]
    if as_json:
        line(known)
        return
    for one in known:
        click.echo(f"{one['name']}  ({', '.join(one['roles'])}; over {', '.join(one['links'])}; {one['grade']})")
        click.echo(f"    {_both(one['summary'])}")
        for option in one["options"]:
            unit = f" {option['unit']}" if "unit" in option else ""
            about = _both(option.get("help") or option.get("label", ""))
            click.echo(f"    --option {option['name']}={typed(option['default'])}{unit}  {about}")


def _both(message: str) -> str:
    """A driver's own words in Chinese and English, as the local page has them."""
    return " ".join(dict.fromkeys(pair("devices.gateway")(message)))


@device.command()
@click.argument("driver")
@click.option("--tcp", type=click.IntRange(0, 65535), metavar="PORT", help="Listen on 127.0.0.1; 0 takes any port.")
@click.option("--pty", metavar="PATH", help="Sit on a pseudo-terminal that this symlink leads to.")
@click.option("--dial", metavar="LINK", help="Dial in to ws-listen://127.0.0.1:PORT or listen://127.0.0.1:PORT.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Something that is wrong; may be repeated.")
@options_given
def simulate(
    driver: str, tcp: int | None, pty: str | None, dial: str | None, faults: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """Run a driver's simulator on a cable.

    Lines on stdin say what happens at the device ({"news": "CardRemoved"}); each order obeyed is printed as JSON.
    """
    if [tcp, pty, dial].count(None) != 2:
        fail("Say where the simulator sits: either --tcp PORT, --pty PATH or --dial LINK.")
    with sentences():
        simulated = SimulatedDevice(
            driver, parse_options(driver, words), faults, on_obeyed=lambda order: line(to_json(order, personal=True))
        )
        if dial is not None:
            simulated = simulated.on_dial(dial)
        else:
            simulated = simulated.on_tcp(tcp) if tcp is not None else simulated.on_pty(str(pty))
    with simulated:
        done = until_told()
        line({"ready": simulated.link})
        threading.Thread(target=_follow_stdin, args=(simulated,), daemon=True).start()
        done.wait()


@device.command()
@driver_named
@link_named
@click.option("--seconds", type=float, help="Stop after so long; otherwise at Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.option("--show-personal", is_flag=True, help="Names and numbers in clear.")
@options_given
def listen(
    driver: str, link: str, seconds: float | None, as_json: bool, show_personal: bool, words: tuple[str, ...]
) -> None:
    """Open a cable and print what the device says."""

    def show(_: str, news: News) -> None:
        if as_json:
            line(to_json(news, show_personal))
        else:
            say_line(f"{time.strftime('%H:%M:%S')}  {say(news, show_personal)}")

    done = until_told()
    with _station(driver, link, words, show):
        done.wait(seconds)


@device.command()
@driver_named
@link_named
@click.argument("order")
@click.argument("fields", metavar="[JSON]", default="{}")
@click.option("--timeout", type=float, default=10.0, show_default=True, help="Seconds to wait for the outcome.")
@click.option("--show-personal", is_flag=True, help="Names and numbers in clear.")
@options_given
def send(
    driver: str, link: str, order: str, fields: str, timeout: float, show_personal: bool, words: tuple[str, ...]
) -> None:
    """Send one order and wait for its outcome."""
    with sentences():
        wanted = _order(order, fields)
        drivers.load(driver).Driver(parse_options(driver, words)).encode(wanted)
    answers: list[News] = []  # what the order was for: a card, a picture
    with _station(driver, link, words, lambda _, news: answers.append(news)) as station:
        try:
            outcome = station.send(driver, wanted, timeout).result(timeout + 15)
        except concurrent.futures.TimeoutError:
            outcome = Unconfirmed(order=order, reason="The device gave no outcome in time; look whether it did it.")
    for news in answers:
        if not isinstance(news, Alive | Trouble | FrameSeen | Obeyed | Refused | Unconfirmed):
            line(to_json(news, show_personal))
    line(to_json(outcome))
    if not isinstance(outcome, Obeyed):
        say_line(outcome.reason, err=True)
    sys.exit(EXIT[type(outcome)])


@device.command()
@driver_named
@click.argument("order")
@click.argument("fields", metavar="[JSON]", default="{}")
@options_given
def encode(driver: str, order: str, fields: str, words: tuple[str, ...]) -> None:
    """Print the bytes of an order in hex; no cable is opened."""
    with sentences():
        frame = drivers.load(driver).Driver(parse_options(driver, words)).encode(_order(order, fields))
    say_line(frame.hex())


def _driver(name: str) -> dict[str, Any]:
    """What there is to know of a driver, as JSON."""
    module = drivers.load(name)
    cls = module.Driver
    lacks = {what.__name__: why for what, why in cls.cannot.items()}
    grade = quality.grade(name)
    return {
        "name": name,
        "grade": grade.grade,
        "lacks_for_next": list(grade.lacks_for_next),
        "summary": (module.__doc__ or "").strip().partition("\n")[0],
        "roles": [role.name for role in cls.roles],
        "links": list(cls.links),
        "baud": cls.baud,
        "orders": [o.__name__ for role in cls.roles for o in role.orders if o not in cls.cannot],
        "news": [n.__name__ for role in cls.roles for n in role.news if n not in cls.cannot],
        "cannot": lacks,
        "options": describe(name),
        "faults": [*LINE_FAULTS, *module.Simulator.faults],
    }


def _order(name: str, fields: str) -> Order:
    """The order of the command line; a document may be named by its "path". Raises WordMistake, DocumentMistake."""
    known = classes(Order)
    if name not in known:
        raise WordMistake(f"there is no order {name!r}; there are: {', '.join(sorted(known))}")
    try:
        given = json.loads(fields)
    except json.JSONDecodeError as wrong:
        raise WordMistake(f"{name}: its fields are no JSON ({wrong})") from wrong
    if not isinstance(given, dict):
        raise WordMistake(f"{name}: its fields must be a JSON object, such as {{}}")
    if given.pop("order", name) != name:
        raise WordMistake(f'{name}: the JSON says "order" is something else')
    if name == "PrintDocument" and isinstance(path := given.pop("path", None), str):
        found = document(Path(path))
        given = {"title": found.title, **given, "pdf": base64.b64encode(found.pdf).decode()}
    order = build(known[name], given)
    assert isinstance(order, Order)
    return order


def _station(driver: str, link: str, words: tuple[str, ...], tell: Callable[[str, News], None]) -> Station:
    """A station with one device, called by its driver's name."""
    with sentences():
        check_link(link)
        return Station([DeviceEntry(driver, driver, link, parse_options(driver, words))], tell, RETRY)


def _follow_stdin(simulated: SimulatedDevice) -> None:
    """Each line is something that happens at the device; a line that cannot be is answered, not fatal."""
    for text in sys.stdin:
        if not text.strip():
            continue
        try:
            simulated.happen(from_json(json.loads(text), News))
        except json.JSONDecodeError as wrong:
            line({"error": f"this line is no JSON ({wrong})"})
        except ValueError as wrong:
            line({"error": str(wrong)})


for command in setup_commands.COMMANDS:
    device.add_command(command)

if __name__ == "__main__":
    device(prog_name="bianmin device")

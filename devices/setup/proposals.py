"""Which driver may fit what is plugged in: by its USB number, and by asking politely.

Asking is polite: first it is listened, then one driver puts the one question its family answers, at its own speed, and
only families of the role the technician has named are asked. Nobody is shouted at: a driver that has no harmless
question is not tried (`askable`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices import drivers
from devices.roles import Alive, News
from devices.setup.ports import Port
from devices.station import DeviceEntry, State, Station

LISTEN = 4.0  # seconds a family has for its answer

# What a USB number says for sure. An adapter's number (1a86, 0403, 067b, 10c4) says nothing of what hangs behind it.
USB: dict[str, str] = {
    "0400:c35a": "ga467-reader",  # the public samples of the readers' USB form
    "1eab:": "serial-scanner",  # Newland
    "0c2e:": "serial-scanner",  # Honeywell
    "05e0:": "serial-scanner",  # Zebra
    "05f9:": "serial-scanner",  # Datalogic
    "04b8:": "escpos-printer",  # Epson
    "0519:": "escpos-printer",  # Star
}
KINDS: dict[str, tuple[str, ...]] = {
    "camera": ("uvc-camera",),
    "keys": ("hid-scanner", "hid-pedal", "hid-pad", "mrz-reader"),
    "hid": ("hid-pad", "ga467-reader"),
}
TYPED = {"serial-scanner": "hid-scanner"}  # the same maker's scanner when it types


@dataclass(frozen=True)
class Answer:
    """What came of asking. `fits` False: no answer of this family; the device may still be one that never answers."""

    driver: str
    fits: bool
    said: str  # what the device says of itself, or why it is not taken for this

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON-able dict."""
        return dict(vars(self))


def proposed(port: Port) -> list[str]:
    """Drivers that fit by what the USB says, the surest first; empty when it says nothing."""
    known = drivers.names()
    first = USB.get(port.usb) or USB.get(port.usb[:5], "") if port.usb else ""
    if port.kind == "keys":
        first = TYPED.get(first, first)
    found = [name for name in dict.fromkeys((first, *KINDS.get(port.kind, ()))) if name in known]
    scheme = port.links[0].partition(":")[0] if port.links else ""
    return [name for name in found if scheme in drivers.load(name).Driver.links]


def askable(driver: str) -> bool:
    """True when this family can be asked: it has a harmless question, and what it is answers."""
    made = drivers.load(driver).Driver()
    return made.timing.poll_every is not None and made.answers


def candidates(scheme: str, role: str = "") -> list[str]:
    """Drivers of a role that sit on this kind of cable and can be asked."""
    found = []
    for name in drivers.names():
        cls = drivers.load(name).Driver
        if scheme in cls.links and (not role or role in [r.name for r in cls.roles]) and askable(name):
            found.append(name)
    return found


def ask(driver: str, link: str, options: Mapping[str, object] | None = None, patience: float = LISTEN) -> Answer:
    """Open the cable as this driver would and hear whether its family answers. Raises Mistake, LinkMistake, KeyError.

    The cable is let go of before this returns.
    """
    answered = threading.Event()
    told: list[str] = []

    def hear(_: str, news: News) -> None:
        if isinstance(news, Alive):
            told.append(news.detail)
            answered.set()

    with Station([DeviceEntry(driver, driver, link, dict(options or {}))], hear, delays=(60.0,)) as station:
        ends = time.monotonic() + patience
        while time.monotonic() < ends and not answered.is_set():
            answered.wait(0.05)
            now = station.state(driver)
            if now.state in (State.ABSENT, State.DISABLED) or (now.state is State.ERROR and not now.troubles):
                return Answer(driver, False, now.reason)
            if now.state is State.READY:
                answered.set()
        if answered.is_set():
            return Answer(driver, True, next((detail for detail in told if detail), ""))
        return Answer(driver, False, station.state(driver).reason)

"""Hears from udev what is plugged in, so that a device is opened at once and not at the next attempt.

Without udev (a container, a system without it) nothing is heard, and the cables' own attempts remain: a device that has
been there before is back within some seconds all the same.
"""

from __future__ import annotations

import importlib
import logging
import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from devices.links import LinkText
from devices.teller import safely

SUBSYSTEMS = ("tty", "video4linux", "hidraw", "input", "usbmisc")
ELSEWHERE = ("socket", "rfc2217", "udp", "listen", "ws-listen", "sim", "ipp")  # nothing plugged in here is theirs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plugged:
    """Something udev has told. `names`: its other names below /dev; `position`: its place on the USB, as `1-2:1.0`."""

    action: str
    node: str
    names: tuple[str, ...] = ()
    serial_number: str = ""
    position: str = ""


def concerns(plugged: Plugged, target: LinkText) -> bool:
    """True when a cable that could not be opened may be there now. A needless attempt harms nobody; a missed one does.

    What was pulled out is not told here: the open cable notices that by itself, and sooner.
    """
    if plugged.action == "remove" or target.scheme in ELSEWHERE:
        return False
    called = (plugged.node, *plugged.names)
    if target.scheme != "serial":
        return not target.path or target.path in called or not target.path.startswith("/dev/")
    wanted = target.path.strip("/")
    if target.host == "by-serial":
        return plugged.serial_number == wanted
    if target.host in ("by-path", "by-id"):
        return f"/dev/serial/{target.host}/{wanted}" in called or plugged.position == wanted
    return target.path in called


def plugged_of(device: Any) -> Plugged:
    """What we look at in a device of pyudev's."""
    interface = device.find_parent("usb", "usb_interface")
    return Plugged(
        action=device.action or "",
        node=device.device_node or "",
        names=tuple(device.device_links),
        serial_number=device.properties.get("ID_SERIAL_SHORT", ""),
        position=interface.sys_name if interface is not None else "",
    )


class Hotplug:
    """The one thread that listens to udev. `tell` is called in it."""

    def __init__(self, tell: Callable[[Plugged], None]) -> None:
        self._tell = tell
        self._bell = -1
        self._thread: threading.Thread | None = None

    def start(self) -> bool:
        """Begin to listen, once; False when there is no udev to listen to."""
        if self._thread is not None:
            return True
        try:
            # Only machines with something to plug in load it.
            pyudev = importlib.import_module("pyudev")
            monitor = pyudev.Monitor.from_netlink(pyudev.Context())
            for subsystem in SUBSYSTEMS:
                monitor.filter_by(subsystem)
            monitor.start()
        except (ImportError, OSError) as why:
            log.info("no word from udev (%s): what is plugged in is found by trying again", why)
            return False
        self._bell = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(
            target=follow, args=(monitor, self._bell, self._tell), name="what is plugged in", daemon=True
        )
        self._thread.start()
        return True

    def close(self) -> None:
        """Stop listening; harmless when it never began."""
        if self._thread is None:
            return
        os.eventfd_write(self._bell, 1)
        self._thread.join(5)
        os.close(self._bell)
        self._thread = None


def follow(monitor: Any, bell: int, tell: Callable[[Plugged], None]) -> None:
    """Tell what a monitor of pyudev's says, until the bell rings."""
    waiting = select.poll()
    waiting.register(bell, select.POLLIN)
    waiting.register(monitor.fileno(), select.POLLIN)
    while bell not in dict(waiting.poll()):
        try:
            device = monitor.poll(timeout=0)
        except OSError as trouble:  # more was told than the system kept for us (ENOBUFS): the next word will come
            log.warning("some of udev's words were lost (%s); cables are found by trying again", trouble)
            continue
        if device is not None and device.device_node:
            safely("hearing from udev", partial(_pass_on, device, tell))


def _pass_on(device: Any, tell: Callable[[Plugged], None]) -> None:
    tell(plugged_of(device))

"""The cables: how bytes reach a device and come back."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from devices.driver import Simulator
from devices.links.base import Link, LinkAbsent, LinkLost, LinkMistake, LinkText
from devices.links.evdev import EvdevLink
from devices.links.hidraw import HidrawLink
from devices.links.ipp import IppLink
from devices.links.listen import ListenLink
from devices.links.rfc2217 import Rfc2217Link
from devices.links.serial_port import open_serial
from devices.links.sim import SimLink
from devices.links.tcp import TcpLink
from devices.links.udp import UdpLink
from devices.links.ws_listen import WsListenLink

__all__ = ["REMOTE", "SCHEMES", "Link", "LinkAbsent", "LinkLost", "LinkMistake", "LinkText", "check_link", "open_link"]

SCHEMES = (
    "serial",
    "rfc2217",
    "socket",
    "listen",
    "ws-listen",
    "udp",
    "evdev",
    "hidraw",
    "v4l2",
    "ipp",
    "sim",
)
# A cable of this kind, only elsewhere: whoever sits on the one may sit on the other.
REMOTE = {"rfc2217": "serial", "listen": "socket"}

PLAIN: dict[str, Callable[[LinkText], Link]] = {
    "socket": TcpLink,
    "listen": ListenLink,
    "ws-listen": WsListenLink,
    "udp": UdpLink,
    "ipp": IppLink,
    "evdev": EvdevLink,
    "hidraw": HidrawLink,
}


def check_link(text: str) -> LinkText:
    """Take a link text apart without opening anything. Raises LinkMistake naming the part that is wrong."""
    target = LinkText.parse(text)
    if target.scheme not in SCHEMES:
        known = ", ".join(SCHEMES)
        raise LinkMistake(f"link {text!r}: there is no kind of link called {target.scheme!r}; there are: {known}")
    return target


def open_link(uri: str, default_baud: int, simulator: Callable[[], Simulator] | None = None) -> Link:
    """Open a cable. `simulator` makes the device behind `sim:`.

    Raises LinkMistake for a wrong text and LinkAbsent when the cable cannot be opened now.
    """
    target = check_link(uri)
    if target.scheme == "serial":
        return open_serial(target, default_baud)
    if target.scheme == "rfc2217":
        return Rfc2217Link(target, default_baud)
    if target.scheme in PLAIN:
        return PLAIN[target.scheme](target)
    if target.scheme == "sim":
        if simulator is None:
            raise LinkMistake(f"link {uri!r}: sim: needs a driver whose simulator it can be")
        return SimLink(target, simulator())
    # OpenCV is heavy, so only machines with a camera load it.
    v4l2 = importlib.import_module("devices.links.v4l2")
    named = f"/dev/v4l/{target.host}{target.path}" if target.host in ("by-path", "by-id") else target.path
    link = v4l2.V4L2Link(named or target.host, target.query)
    assert isinstance(link, Link)
    return link

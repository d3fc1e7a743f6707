"""The cables: how bytes reach a device and come back."""

from __future__ import annotations

from collections.abc import Callable

from devices.driver import Simulator
from devices.links import evdev, hidraw, ipp, listen, rfc2217, serial_port, sim, tcp, udp, v4l2, ws_listen
from devices.links.base import Link, LinkAbsent, LinkLost, LinkMistake, LinkText

__all__ = ["REMOTE", "SCHEMES", "Link", "LinkAbsent", "LinkLost", "LinkMistake", "LinkText", "check_link", "open_link"]

CHECKS: dict[str, Callable[[LinkText], None]] = {
    "serial": serial_port.check,
    "rfc2217": rfc2217.check,
    "socket": tcp.check,
    "listen": listen.check,
    "ws-listen": listen.check,
    "udp": udp.check,
    "evdev": evdev.check,
    "hidraw": hidraw.check,
    "v4l2": v4l2.check,
    "ipp": ipp.check,
    "sim": sim.check,
}
SCHEMES = tuple(CHECKS)
# A cable of this kind, only elsewhere: whoever sits on the one may sit on the other.
REMOTE = {"rfc2217": "serial", "listen": "socket"}

PLAIN: dict[str, Callable[[LinkText], Link]] = {
    "socket": tcp.TcpLink,
    "listen": listen.ListenLink,
    "ws-listen": ws_listen.WsListenLink,
    "udp": udp.UdpLink,
    "ipp": ipp.IppLink,
    "evdev": evdev.EvdevLink,
    "hidraw": hidraw.HidrawLink,
    "v4l2": v4l2.V4L2Link,
}


def check_link(text: str) -> LinkText:
    """Take a link text apart without opening anything. Raises LinkMistake naming the part that is wrong."""
    target = LinkText.parse(text)
    if target.scheme not in CHECKS:
        known = ", ".join(SCHEMES)
        raise LinkMistake(f"link {text!r}: there is no kind of link called {target.scheme!r}; there are: {known}")
    CHECKS[target.scheme](target)
    return target


def open_link(uri: str, default_baud: int, simulator: Callable[[], Simulator] | None = None) -> Link:
    """Open a cable. `simulator` makes the device behind `sim:`.

    Raises LinkMistake for a wrong text and LinkAbsent when the cable cannot be opened now.
    """
    target = check_link(uri)
    if target.scheme == "serial":
        return serial_port.open_serial(target, default_baud)
    if target.scheme == "rfc2217":
        return rfc2217.Rfc2217Link(target, default_baud)
    if target.scheme in PLAIN:
        return PLAIN[target.scheme](target)
    if simulator is None:
        raise LinkMistake(f"link {uri!r}: sim: needs a driver whose simulator it can be")
    return sim.SimLink(simulator())

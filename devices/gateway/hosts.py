"""Whether a Host header, or the other end of a connection, is this machine's own."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def own_host(host: str) -> bool:
    """True when the Host header is localhost or an address: a name could be anybody's, pointed here."""
    name = _name(host)
    return name == "localhost" or _address(name) is not None


def own_loopback(host: str) -> bool:
    """True when a Host header names this machine by localhost or a loopback address.

    Any other name may be somebody else's, pointed at 127.0.0.1 (DNS rebinding).
    """
    return is_loopback(_name(host))


def is_loopback(name: str) -> bool:
    """True for localhost and for an address only this machine can reach; ::ffff:127.0.0.1 is one, too."""
    address = _address(name)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return name == "localhost" or (address is not None and address.is_loopback)


def _name(host: str) -> str:
    """A Host header without its port; empty when it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # half a bracket
        return ""


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None

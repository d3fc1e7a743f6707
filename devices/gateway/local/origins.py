"""What a browser says about where a request comes from: the Host it meant and the Origin of its page."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")


def is_origin(text: str) -> bool:
    """True for an origin as browsers write it: scheme, host in lower case, port unless it is the usual one."""
    return len(text) <= 300 and ORIGIN.fullmatch(text) is not None


def own_loopback(host: str) -> bool:
    """True when a Host header names this machine by localhost or a loopback address.

    Any other name may be somebody else's, pointed at 127.0.0.1 (DNS rebinding).
    """
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """The origin of an address such as the Referer; empty when it has none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme in ("http", "https") and parts.netloc else ""


def origin_in(environ: Mapping[str, Any]) -> str:
    """The origin a browser says; for a page of our own, which says none when it only asks, ours. Else empty."""
    origin = str(environ.get("HTTP_ORIGIN", ""))
    if not origin and environ.get("HTTP_SEC_FETCH_SITE") == "same-origin":
        return own_origin(environ)
    return "" if origin == "null" else origin


def own_origin(environ: Mapping[str, Any]) -> str:
    """Our own origin, as this request calls us. Its Host has been checked before."""
    return f"{environ.get('wsgi.url_scheme', 'http')}://{environ.get('HTTP_HOST', '')}"

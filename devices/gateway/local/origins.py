"""Which page a request comes from, as the browser says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


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

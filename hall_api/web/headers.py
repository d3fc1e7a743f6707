"""The strict headers every answer of the hall carries: own scripts only, no framing by others, no referrer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; "
    "img-src 'self' data:"
)
# The clerk's desk speaks to this computer's own gateway besides, and shows what its camera sees.
_STATION = " ".join(f"{scheme}://{host}:*" for scheme in ("http", "https") for host in ("127.0.0.1", "localhost"))
DESK_PATH = "/desk"
DESK_POLICY = f"{POLICY} blob: {_STATION}; connect-src 'self' {_STATION} {_STATION.replace('http', 'ws')}"
PAGE = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
)
DATA = (  # an answer for programs shows and loads nothing at all
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)
ENCRYPTED = ("Strict-Transport-Security", "max-age=31536000")


class StrictHeaders:
    """Adds the headers outside Flask, where no page can forget them and no request pays much for them."""

    def __init__(self, app: WSGIApplication, *, behind_tls: bool = False) -> None:
        self._app = app
        self._page = (*PAGE, ENCRYPTED) if behind_tls else PAGE
        self._desk = (("Content-Security-Policy", DESK_POLICY), *self._page[1:])
        self._data = (*DATA, ENCRYPTED) if behind_tls else DATA

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        strict = self._data if path.startswith("/v1/") else self._desk if path == DESK_PATH else self._page

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            headers.extend(strict)
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._app(environ, start)

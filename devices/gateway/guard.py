"""Who may see and touch the devices: the technician, from this machine's own page, and no foreign page in a browser.

Any web site open in a browser on this machine can send requests to 127.0.0.1. So the Host must be an address and not a
name somebody else owns, a changing request must come from our own page (Origin) and carry its token, and the page may
load nothing but our own files.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Request, Response, session

from config.private_file import is_private, write_private
from devices.gateway.hosts import own_host

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with it a browser sends "Origin: null" even from our own page.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TRIES, PER_SECONDS = 5, 60.0
SHORTEST = 8  # characters of the password

Login = Callable[[str], bool]


class Turned(Exception):
    """The request is turned away: an HTTP status and a message id fit to show."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class PasswordFile:
    """The technician's password of one machine: an argon2 hash in a file only its owner can read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hasher = PasswordHasher()

    def set(self, password: str) -> None:
        """Keep a new password. Raises ValueError when it is shorter than SHORTEST."""
        if len(password) < SHORTEST:
            raise ValueError(f"the technician's password needs at least {SHORTEST} characters")
        write_private(self.path, self._hasher.hash(password).encode("ascii"))

    def matches(self, password: str) -> bool:
        """True for the right one. A missing or readable-by-all file lets nobody in."""
        try:
            return is_private(self.path) and self._hasher.verify(
                self.path.read_text(encoding="ascii").strip(), password
            )
        except (OSError, VerificationError, InvalidHashError):
            return False


class Guard:
    """The checks before each request. `login` None: whoever sits at this machine is let in."""

    def __init__(self, login: Login | None, now: Callable[[], float] = time.monotonic) -> None:
        self._login, self._now = login, now
        self._tries: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=TRIES))

    @property
    def open(self) -> bool:
        """True when no password is asked for."""
        return self._login is None

    def check(self, request: Request) -> None:
        """Raises Turned for a foreign host, a foreign page, or a changing request without our page's token.

        A link on a foreign page may lead here.
        """
        if not own_host(request.host):
            raise Turned(421, "This address does not belong to this machine.")
        # Whatever a foreign page fetches it may not read anyway (CORP); nor shall it hold our connections.
        foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
        if foreign and request.headers.get("Sec-Fetch-Mode") != "navigate":
            raise Turned(403, "The request came from another web page; it was not carried out.")
        if request.method in ("GET", "HEAD"):
            return
        origin = request.headers.get("Origin")
        if origin is not None and origin != _origin(request.host_url):
            raise Turned(403, "The request came from another web page; it was not carried out.")
        given = request.headers.get("X-CSRF-Token", "")
        if (
            not hmac.compare_digest(given.encode("utf-8", "replace"), str(session.get("csrf", "")).encode())
            or not given
        ):
            raise Turned(403, "The page is too old; load it again.")

    def admitted(self) -> bool:
        """Whether the person behind this request may see the devices."""
        return self.open or session.get("technician") is True

    def token(self) -> str:
        """The token a page of this session carries."""
        if "csrf" not in session:
            session["csrf"] = secrets.token_urlsafe(24)
        return str(session["csrf"])

    def lock(self, login: Login) -> None:
        """From now on a password is asked for."""
        self._login = login

    def count_try(self, right: Callable[[], bool], sentence: str) -> None:
        """Try something secret. Raises Turned 401 with this sentence when it is wrong, 429 after too many tries.

        Each secret, told by its sentence, has a count of its own: whoever knows one may not guess on at another.
        `right` must not let other greenlets run, or many could try at once.
        """
        now, tries = self._now(), self._tries[sentence]
        if len(tries) == TRIES and now - tries[0] < PER_SECONDS:
            raise Turned(429, "Too many tries; wait a minute.")
        if not right():
            tries.append(now)
            raise Turned(401, sentence)
        tries.clear()

    def log_in(self, password: str) -> None:
        """Let the technician in. Raises Turned 401 for a wrong password, 429 after too many tries."""
        login = self._login
        self.count_try(lambda: login is not None and login(password), "The password is not right.")
        session.clear()
        session["technician"] = True
        session.permanent = True
        self.token()


def harden(response: Response) -> Response:
    """The strict headers of every answer."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

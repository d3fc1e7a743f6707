"""Requests signed by a business system's server, for those that want more than a token kept by a page.

The key that signs never reaches the browser: the page asks its own server to sign each request. What is signed:

    bianmin-v1 ⏎ METHOD ⏎ path?query ⏎ origin ⏎ Unix time in seconds ⏎ nonce ⏎ SHA-256 of the body in hex

as UTF-8 with Ed25519 (RFC 8032); the signature and the public key (32 bytes) travel in base64.

Each counts once. Nonces are remembered in memory as long as their signatures would be in time; for the case that the
program is started anew within that time, the newest moment of each origin is kept in a file, and what was signed at
that moment or before it is refused by the next program.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from config.private_file import write_private
from config.reader import Mistake
from devices.gateway.local.refusal import Refusal

TOLERANCE = 60.0  # seconds a clock may be off
LONGEST_MOMENT = 12  # figures
NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
MOST = 20_000  # nonces remembered; more within two minutes are no clerk's work


def public_key(text: str) -> Ed25519PublicKey:
    """The key a page brought. Raises Refusal when it is none."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except ValueError as wrong:
        raise Refusal(400, "bad-key", "The key is no Ed25519 public key in base64.") from wrong


def signed_text(method: str, target: str, origin: str, moment: str, nonce: str, body: bytes) -> bytes:
    """What is signed; `target` is path and query."""
    parts = ("bianmin-v1", method, target, origin, moment, nonce, hashlib.sha256(body).hexdigest())
    return "\n".join(parts).encode()


class Signatures:
    """Checks signatures and remembers their nonces: each counts once. Used from the gateway's one thread."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        """`file` keeps the newest moments. Raises Mistake when it is damaged."""
        self._file, self._clock = file, clock
        self._seen: dict[tuple[str, str], float] = {}
        self._before = _read(file)  # origin → newest moment of the program before this one
        self._newest = dict(self._before)

    def check(
        self, key: str, method: str, target: str, origin: str, given: tuple[str, str, str], body: bytes = b""
    ) -> None:
        """`given`: time, nonce and signature. Raises Refusal when it is missing, wrong, late or was used before.

        Raises OSError when it cannot be kept that it was used.
        """
        moment, nonce, signature = given
        if not signature:
            raise Refusal(401, "unsigned", "This origin signs its requests; this one is not signed.")
        now = self._clock()
        at = int(moment) if moment.isascii() and moment.isdecimal() and len(moment) <= LONGEST_MOMENT else 0
        if abs(now - at) > TOLERANCE:
            raise Refusal(
                401, "signed-late", "The signature's time is more than a minute off; set the clocks of both sides."
            )
        if not NONCE.fullmatch(nonce):
            raise Refusal(401, "bad-nonce", "The signature needs a nonce of 16 to 64 letters, digits, _ or -.")
        text = signed_text(method, target, origin, moment, nonce, body)
        try:
            public_key(key).verify(base64.b64decode(signature, validate=True), text)
        except (InvalidSignature, ValueError) as wrong:
            raise Refusal(401, "wrong-signature", "The signature is not right.") from wrong
        self._seen = {one: until for one, until in self._seen.items() if until > now}
        if (origin, nonce) in self._seen or at <= _newest(self._before, origin, now):
            raise Refusal(401, "replayed", "This signed request was sent before; it is not done again.")
        if len(self._seen) >= MOST:
            raise Refusal(429, "too-many", "Too many requests; wait a minute.")
        self._seen[origin, nonce] = now + 2 * TOLERANCE + 1
        if at > _newest(self._newest, origin, now):
            self._keep({**self._newest, origin: at})

    def _keep(self, newest: dict[str, int]) -> None:
        """On the disk before the request is carried out; at most once a second for each origin."""
        kept = {one: moment for one, moment in newest.items() if moment > self._clock() - 2 * TOLERANCE}
        write_private(self._file, json.dumps(kept, indent=1).encode())
        self._newest = kept  # only now: after a full disk the next request tries again


def _newest(kept: dict[str, int], origin: str, now: float) -> int:
    """The newest moment kept for an origin.

    One that is yet to come is left by a clock that was wrong: it would bar the origin until then, and what was signed
    at it is late now anyway.
    """
    moment = kept.get(origin, 0)
    return moment if moment <= now + TOLERANCE else 0


def _read(file: Path) -> dict[str, int]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return {str(origin): int(moment) for origin, moment in kept.items()}
    except FileNotFoundError:
        return {}
    except OSError as trouble:
        raise Mistake(f"{file}: cannot be read: {trouble.strerror}") from trouble
    except (ValueError, TypeError, AttributeError, OverflowError) as wrong:
        raise Mistake(f"{file}: is damaged ({wrong}); delete it") from wrong

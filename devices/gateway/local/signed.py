"""Requests signed by a business system's server, for those that want more than a token kept by a page.

The key that signs never reaches the browser: the page asks its own server to sign each request. What is signed:

    bianmin-v1 ⏎ METHOD ⏎ path?query ⏎ origin ⏎ Unix time in seconds ⏎ nonce ⏎ SHA-256 of the body in hex

as UTF-8 with Ed25519 (RFC 8032); the signature and the public key (32 bytes) travel in base64.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from devices.gateway.local.refusal import Refusal

TOLERANCE = 60.0  # seconds a clock may be off
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
    """Checks signatures and remembers their nonces: each counts once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str], float] = {}

    def check(
        self, key: str, method: str, target: str, origin: str, given: tuple[str, str, str], body: bytes = b""
    ) -> None:
        """`given`: time, nonce and signature. Raises Refusal when it is missing, wrong, late or was used before."""
        moment, nonce, signature = given
        if not signature:
            raise Refusal(401, "unsigned", "This origin signs its requests; this one is not signed.")
        now = self._clock()
        if not moment.isascii() or not moment.isdecimal() or abs(now - int(moment[:15])) > TOLERANCE:
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
        if (origin, nonce) in self._seen:
            raise Refusal(401, "replayed", "This signed request was sent before; it is not done again.")
        if len(self._seen) >= MOST:
            raise Refusal(429, "too-many", "Too many requests; wait a minute.")
        self._seen[origin, nonce] = now + 2 * TOLERANCE + 1

"""Which web origins may use the devices: each asked once, was confirmed at this machine, and can be revoked here.

    wish, secret = pairs.ask("https://business.example", "综合受理系统")    a page asks; a code is shown on both sides
    pairs.allow(wish.id)                                               the clerk confirms
    pairs.collect(wish.id, secret)                                     the page fetches its token, once
    pairs.holds("https://business.example", token)                     every request thereafter

The file keeps only hashes of tokens, and is readable by its owner alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from config.private_file import is_private, write_private
from config.reader import Mistake
from devices.gateway.local.refusal import Refusal

WAITS = 300.0  # seconds a wish waits for the clerk
MOST = 5  # wishes at a time: a page must not flood the clerk
TOKENS = 8  # of one origin: browsers and profiles of one machine


@dataclass(frozen=True)
class Pairing:
    """An origin that may use the devices. `key`: its server's Ed25519 public key in base64, when it signs requests."""

    origin: str
    name: str
    since: str
    key: str = ""
    tokens: tuple[str, ...] = ()  # SHA-256 of each


@dataclass(frozen=True)
class Wish:
    """An origin that asks. `code` is shown on its page and on ours, so that the clerk knows which page asks."""

    id: str
    origin: str
    name: str
    code: str
    key: str
    secret: str = field(repr=False)  # SHA-256
    until: float = 0.0  # of the monotonic clock
    state: str = "waiting"  # waiting, allowed, refused
    token: str = field(default="", repr=False)  # until it is collected


class Pairs:
    """The pairings of one machine, in `path`. Used from the gateway's one thread."""

    def __init__(self, path: Path, now: Callable[[], float] = time.monotonic) -> None:
        """Raises Mistake when the file is not what was written, or others may read it."""
        self.path, self._now = path, now
        self._wishes: dict[str, Wish] = {}
        self._pairings = _read(path)

    def all(self) -> list[Pairing]:
        """Every pairing, by origin."""
        return sorted(self._pairings.values(), key=lambda one: one.origin)

    def find(self, origin: str) -> Pairing | None:
        """The pairing of an origin."""
        return self._pairings.get(origin)

    def holds(self, origin: str, token: str) -> bool:
        """Whether this is a token of this origin."""
        pairing = self._pairings.get(origin)
        given = _hash(token)
        return bool(token) and pairing is not None and any(hmac.compare_digest(given, one) for one in pairing.tokens)

    def wishes(self) -> list[Wish]:
        """Those that wait for the clerk, oldest first."""
        self._forget_old()
        return [wish for wish in self._wishes.values() if wish.state == "waiting"]

    def ask(self, origin: str, name: str, key: str = "") -> tuple[Wish, str]:
        """A page asks; an earlier wish of its origin is replaced. Returns the wish and the secret to collect with."""
        self._forget_old()
        for id in [id for id, wish in self._wishes.items() if wish.origin == origin]:
            del self._wishes[id]
        if len(self.wishes()) >= MOST:
            raise Refusal(429, "too-many", "Too many pages ask to be paired; answer or refuse those first.")
        secret = secrets.token_urlsafe(24)
        wish = Wish(
            id=secrets.token_urlsafe(12),
            origin=origin,
            name=name,
            code=f"{secrets.randbelow(10_000):04}",
            key=key,
            secret=_hash(secret),
            until=self._now() + WAITS,
        )
        self._wishes[wish.id] = wish
        return wish, secret

    def allow(self, id: str) -> Pairing:
        """The clerk confirms. Raises Refusal when the wish is gone."""
        wish = self._waiting(id)
        token, known = secrets.token_urlsafe(32), self._pairings.get(wish.origin)
        pairing = Pairing(
            origin=wish.origin,
            name=wish.name,
            since=known.since if known else datetime.now(UTC).isoformat(timespec="seconds"),
            key=wish.key,
            tokens=(*(known.tokens if known and known.key == wish.key else ()), _hash(token))[-TOKENS:],
        )
        self._keep({**self._pairings, wish.origin: pairing})
        self._wishes[id] = replace(wish, state="allowed", token=token)
        return pairing

    def refuse(self, id: str) -> None:
        """The clerk says no. Raises Refusal when the wish is gone."""
        self._wishes[id] = replace(self._waiting(id), state="refused")

    def collect(self, id: str, secret: str) -> Wish:
        """How a wish stands, for the page that asked; an allowed one is told with its token, once. Raises Refusal."""
        self._forget_old()
        wish = self._wishes.get(id)
        if wish is None or not hmac.compare_digest(wish.secret, _hash(secret)):
            raise Refusal(404, "no-wish", "This request to be paired is over; ask again.")
        if wish.state != "waiting":
            del self._wishes[id]
        return wish

    def revoke(self, origin: str) -> None:
        """An origin may use the devices no more. Raises Refusal when it was not paired."""
        if origin not in self._pairings:
            raise Refusal(404, "not-paired", "This origin is not paired with this machine.")
        self._keep({name: one for name, one in self._pairings.items() if name != origin})

    def _waiting(self, id: str) -> Wish:
        self._forget_old()
        wish = self._wishes.get(id)
        if wish is None or wish.state != "waiting":
            raise Refusal(404, "no-wish", "This request to be paired is over; ask again.")
        return wish

    def _forget_old(self) -> None:
        now = self._now()
        self._wishes = {id: wish for id, wish in self._wishes.items() if wish.until > now}

    def _keep(self, pairings: dict[str, Pairing]) -> None:
        """On the disk first: what is confirmed stays so, and what is revoked never comes back."""
        text = json.dumps([asdict(one) for one in pairings.values()], ensure_ascii=False, indent=1)
        write_private(self.path, text.encode())
        self._pairings = pairings


def _read(path: Path) -> dict[str, Pairing]:
    try:
        if not is_private(path):
            raise Mistake(f"{path}: others may read or change who is paired: chmod 600 {path}")
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {one["origin"]: Pairing(**{**one, "tokens": tuple(one["tokens"])}) for one in kept}
    except FileNotFoundError:
        return {}
    except OSError as trouble:
        raise Mistake(f"{path}: cannot be read: {trouble.strerror}") from trouble
    except (ValueError, TypeError, KeyError) as wrong:
        if isinstance(wrong, Mistake):
            raise
        raise Mistake(f"{path}: is damaged ({wrong}); delete it and pair the pages again") from wrong


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()

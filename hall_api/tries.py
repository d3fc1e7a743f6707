"""How often one may try to log in: counted in the hall's database, so that every process of the hall counts together.

Of who tried only a SHA-256 is kept, and that for a minute: people do type their password into the wrong box.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, delete, insert, or_, select

from hall_api.storage.schema import login_tries as tries

if TYPE_CHECKING:
    from hall_api.storage.engine import Connection
    from hall_api.storage.store import Store

PER_LOGIN, PER_ADDRESS = 5, 20  # tries …
SPAN_MS = 60_000  # … in this time

# Written once, so that the store compiles each of them once. What a clock that was set back left in the future is
# forgotten too; a little ahead is another machine's clock.
_OF_TWO = or_(tries.c.mark == bindparam("login"), tries.c.mark == bindparam("address"))
_MADE = select(tries.c.mark, tries.c.at).where(_OF_TWO, tries.c.at > bindparam("since")).order_by(tries.c.at)
_COUNT = insert(tries)
_FORGET = delete(tries).where(or_(tries.c.at <= bindparam("since"), tries.c.at > bindparam("until")))
_FORGIVE = delete(tries).where(tries.c.mark == bindparam("who"))
_TAKE_BACK = delete(tries).where(tries.c.mark == bindparam("who"), tries.c.at == bindparam("moment"))


class Try(NamedTuple):
    """One attempt to log in: to be made now, or in `wait` seconds at the earliest."""

    login: str
    address: str
    at: int
    wait: int


class Tries:
    """Attempts to log in, by login and by network address. `now` is the machine's clock in seconds."""

    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        self._store, self._now = store, now

    def begin(self, login: str, address: str) -> Try:
        """Count an attempt that may be made (`wait` is 0); one that comes too soon is not counted."""
        one = Try(_mark("login", login), _mark("address", address), int(self._now() * 1000), 0)
        wait = self._store.read(lambda c: _wait(c, one))  # a flood of guesses never gets as far as the writer
        return one._replace(wait=wait or self._store.change(lambda c: _count(c, one)))

    def succeeded(self, one: Try) -> None:
        """It was the right person: their mistakes are forgiven; at the address only this attempt is taken back."""

        def write(c: Connection) -> None:
            c.run(_FORGIVE, who=one.login)
            c.run(_TAKE_BACK, who=one.address, moment=one.at)

        self._store.change(write)


def _mark(kind: str, word: str) -> str:
    return hashlib.sha256(f"{kind} {word}".encode("utf-8", "surrogateescape")).hexdigest()


def _wait(c: Connection, one: Try) -> int:
    """Whole seconds until the oldest attempt that counts is over; 0 when there were few enough."""
    made = c.run(_MADE, login=one.login, address=one.address, since=one.at - SPAN_MS)
    wait = 0
    for mark, most in ((one.login, PER_LOGIN), (one.address, PER_ADDRESS)):
        times = [at for whose, at in made if whose == mark]
        if len(times) >= most:
            wait = max(wait, math.ceil((times[-most] + SPAN_MS - one.at) / 1000))
    return min(wait, SPAN_MS // 1000)


def _count(c: Connection, one: Try) -> int:
    c.run(_FORGET, since=one.at - SPAN_MS, until=one.at + SPAN_MS)
    wait = _wait(c, one)
    if not wait:
        c.run_many(_COUNT, [{"mark": mark, "at": one.at} for mark in (one.login, one.address)])
    return wait

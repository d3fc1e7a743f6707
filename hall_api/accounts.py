"""Who may come in: passwords, tokens of machines, and the sessions of people who are logged in.

Nothing that opens a door is stored: of tokens and cookies only their SHA-256, of passwords only argon2 hashes.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam, delete, insert, select, update

from config.plan import HallPlan
from hall_api.domain.orders import Actor
from hall_api.storage.schema import accounts, sessions, tokens
from hall_api.tries import Tries

if TYPE_CHECKING:
    from argon2 import PasswordHasher

    from hall_api.storage.store import Store

ROLES = ("clerk", "manager", "technician", "kiosk", "window", "screen")
IDLE = 2 * 3600  # seconds without a request that end a session
LONGEST = 12 * 3600  # seconds after which one logs in again in any case
FRESH = 5.0  # seconds for which a token is believed without looking it up again
NOTED = 60  # seconds between two notes that a session is in use
REMEMBERED = 4096

# Written once, so that the store compiles each of them once.
_MARK: BindParameter[str] = bindparam("mark")
_NEW_TOKEN = insert(tokens)
_REVOKE = update(tokens).where(tokens.c.hash == _MARK).values(revoked_at=bindparam("now"))
_TOKEN = select(tokens.c.role, tokens.c.name, tokens.c.window).where(
    tokens.c.hash == _MARK, tokens.c.revoked_at.is_(None)
)
_LOGIN: BindParameter[str] = bindparam("who")
_DROP_PASSWORD = delete(accounts).where(accounts.c.login == _LOGIN)
_NEW_PASSWORD = insert(accounts)
_PASSWORD = select(accounts.c.password).where(accounts.c.login == _LOGIN)
_LOGINS = select(accounts.c.login)
_NEW_SESSION = insert(sessions)
_SESSION = select(sessions.c.login, sessions.c.csrf).where(
    sessions.c.hash == _MARK, sessions.c.expires_at > bindparam("now"), sessions.c.created_at > bindparam("oldest")
)
_SEEN = update(sessions).where(sessions.c.hash == _MARK).values(seen_at=bindparam("now"), expires_at=bindparam("end"))
_END_SESSION = delete(sessions).where(sessions.c.hash == _MARK)
_END_SESSIONS_OF = delete(sessions).where(sessions.c.login == _LOGIN)
_END_OLD_SESSIONS = delete(sessions).where(sessions.c.expires_at < bindparam("now"))

# OWASP's smallest advice for argon2id: 19 MiB are taken for some 30 ms, once at a time in a process.
MEMORY_KIB, ROUNDS = 19 * 1024, 2


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is logged in."""

    login: str
    name: str
    role: str
    window: int | None
    csrf: str

    @property
    def actor(self) -> Actor:
        """Who this is to the hall."""
        return Actor(role=self.role, name=self.login, window=self.window)

    def as_json(self) -> dict[str, Any]:
        """The answer of /v1/sessions."""
        return {
            "login": self.login,
            "name": self.name,
            "role": self.role,
            "window": self.window,
            "csrf": self.csrf,
        }


def fingerprint(secret: str) -> str:
    """What is stored of a token or cookie. They are 256 bits of chance: no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class Accounts:
    """People of the plan and machines with tokens, over the hall's store. `now` is the machine's clock in seconds."""

    def __init__(self, store: Store, plan: HallPlan, *, now: Callable[[], float] = time.time) -> None:
        self._store, self._now = store, now
        self.tries = Tries(store, now=now)
        self._staff = {person.login: person for person in plan.staff}
        self._known: dict[str, tuple[float, Actor]] = {}  # fingerprint of a token → looked up when, who
        self._noted: dict[str, float] = {}
        self._hashing = threading.Lock()  # one at a time, or twenty logins would take 400 MB
        self._hasher: PasswordHasher | None = None
        self._nobody = ""

    # --- tokens of machines and programs

    def new_token(self, role: str, name: str = "", window: int | None = None) -> str:
        """Make a token; it is told once and kept nowhere. ValueError when there is no such role."""
        if role not in ROLES:
            raise ValueError(f"there is no role {role!r}; there are: {', '.join(ROLES)}")
        token = secrets.token_urlsafe(32)
        row = {
            "hash": fingerprint(token),
            "role": role,
            "name": name or f"{role}-{secrets.token_hex(3)}",  # keys and the journal tell two machines apart
            "window": window,
            "created_at": self._milliseconds(),
            "revoked_at": None,
        }
        self._store.change(lambda c: c.run(_NEW_TOKEN, **row))
        return token

    def revoke(self, token: str) -> None:
        """A token opens no door any more (within FRESH seconds, in every process)."""
        mark = fingerprint(token)
        self._store.change(lambda c: c.run(_REVOKE, mark=mark, now=self._milliseconds()))
        self._known.pop(mark, None)

    def of_token(self, token: str) -> Actor | None:
        """Who shows this token; None when nobody was given it, or it was taken back."""
        mark, now = fingerprint(token), time.monotonic()
        known = self._known.get(mark)
        if known is not None and now - known[0] < FRESH:
            return known[1]
        found = self._find_token(mark)
        if found is None:
            self._known.pop(mark, None)
            return None
        if len(self._known) > REMEMBERED:
            self._known.clear()
        self._known[mark] = (now, found)
        return found

    def _find_token(self, mark: str) -> Actor | None:
        rows = self._store.read(lambda c: c.run(_TOKEN, mark=mark))
        return Actor(role=rows[0][0], name=rows[0][1], window=rows[0][2]) if rows else None

    # --- people

    def set_password(self, login: str, password: str) -> None:
        """Give a person of the plan a password. KeyError when the plan does not know them."""
        if login not in self._staff:
            raise KeyError(login)
        row = {"password": self._argon().hash(password), "changed_at": self._milliseconds()}

        def write(c: Any) -> None:
            c.run(_DROP_PASSWORD, who=login)
            c.run(_NEW_PASSWORD, login=login, **row)
            c.run(_END_SESSIONS_OF, who=login)

        self._store.change(write)

    def with_password(self) -> set[str]:
        """Logins that can log in."""
        return {row[0] for row in self._store.read(lambda c: c.run(_LOGINS))}

    def stored_password(self, login: str) -> str:
        """The hash to compare with; a hash nobody knows the password of when there is no such person."""
        rows = self._store.read(lambda c: c.run(_PASSWORD, who=login)) if login in self._staff else []
        return str(rows[0][0]) if rows else ""

    def matches(self, stored: str, password: str) -> bool:
        """Whether the password is the right one: takes about 30 ms of a core, with or without such a person."""
        from argon2.exceptions import InvalidHashError, VerificationError

        with self._hashing:
            argon = self._argon()
            self._nobody = self._nobody or argon.hash(secrets.token_hex(16))
            try:
                return argon.verify(stored or self._nobody, password) and bool(stored)
            except (VerificationError, InvalidHashError):
                return False

    # --- sessions of people

    def open_session(self, login: str) -> tuple[str, Session]:
        """A new session of a person who has shown the password: the cookie's value, and who it is."""
        person, cookie, now = self._staff[login], secrets.token_urlsafe(32), self._milliseconds()
        csrf = secrets.token_urlsafe(24)
        row = {
            "hash": fingerprint(cookie),
            "login": login,
            "csrf": csrf,
            "created_at": now,
            "seen_at": now,
            "expires_at": now + IDLE * 1000,
        }

        def write(c: Any) -> None:
            c.run(_END_OLD_SESSIONS, now=now)
            c.run(_NEW_SESSION, **row)

        self._store.change(write)
        return cookie, Session(login, person.name, person.role, person.window, csrf)

    def of_session(self, cookie: str) -> Session | None:
        """Who is logged in with this cookie; None when nobody is, or nobody any more.

        Looked up each time: who logs out at one process of the hall is out at all of them at once.
        """
        mark = fingerprint(cookie)
        found = self._find_session(mark)
        if found is not None and self._now() - self._noted.get(mark, 0.0) > NOTED:
            self._note(mark)
        return found

    def close_session(self, cookie: str) -> None:
        """Log out."""
        mark = fingerprint(cookie)
        self._store.change(lambda c: c.run(_END_SESSION, mark=mark))
        self._noted.pop(mark, None)

    def _find_session(self, mark: str) -> Session | None:
        now = self._milliseconds()
        rows = self._store.read(lambda c: c.run(_SESSION, mark=mark, now=now, oldest=now - LONGEST * 1000))
        person = self._staff.get(rows[0][0]) if rows else None
        return Session(person.login, person.name, person.role, person.window, rows[0][1]) if person else None

    def _note(self, mark: str) -> None:
        """Somebody is still at work: the session lives on."""
        if len(self._noted) > REMEMBERED:
            self._noted.clear()
        self._noted[mark] = self._now()
        now = self._milliseconds()
        self._store.change(lambda c: c.run(_SEEN, mark=mark, now=now, end=now + IDLE * 1000))

    # --- common

    def _argon(self) -> PasswordHasher:
        if self._hasher is None:
            from argon2 import PasswordHasher

            self._hasher = PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1)
        return self._hasher

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)

"""Who stands at the door: reads token or cookie, and keeps out foreign pages, guessers and the unauthorised."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Request, Response, jsonify
from gevent import get_hub

from hall_api.accounts import LONGEST, Accounts, Session
from hall_api.domain.orders import Actor
from hall_api.web.doors import PUBLIC, Door
from hall_api.web.problems import Problem

SESSION_COOKIE = "bianmin_session"
SCREEN_COOKIE = "bianmin_screen"
ENROLLED = 400 * 86400  # seconds a screen keeps its cookie; browsers allow no longer
NOBODY = Actor(role=PUBLIC)
T = TypeVar("T")


def aside(work: Callable[[], T]) -> T:
    """Do slow work in another thread, so that the feed and everybody else go on meanwhile."""
    done: T = get_hub().threadpool.apply(work)
    return done


class Gate:
    """The guard of all doors. `home` is the address people type, when it is known ("https://hall.example")."""

    def __init__(self, accounts: Accounts, *, home: str = "", secure: bool = False) -> None:
        self._accounts, self._secure = accounts, secure
        self._home = _origin(home)

    def admit(self, door: Door, request: Request) -> Actor:
        """Who asks, if they may; Problem 401 or 403 otherwise."""
        header = request.headers.get("Authorization")
        if header is not None:
            actor = self._by_token(header)
            if door.session_only:
                raise Problem("not_signed_in")
        elif request.cookies:
            actor = self._by_cookie(door, request)
        else:
            actor = NOBODY
        if door.method != "GET" and "Origin" in request.headers and header is None:
            self._same_origin(request)
        if actor.role in door.who:
            return actor
        if PUBLIC in door.who:  # what everyone may do, everyone may do
            return NOBODY
        if actor is NOBODY:
            raise Problem("not_signed_in", headers={"WWW-Authenticate": "Bearer"})
        raise Problem("not_allowed")

    def session(self, request: Request) -> Session:
        """The person who is logged in."""
        found = self._accounts.of_session(request.cookies.get(SESSION_COOKIE, ""))
        if found is None:
            raise Problem("not_signed_in")
        return found

    def still_welcome(self, request: Request) -> Callable[[], bool]:
        """Whether who opened a stream may go on hearing it: asked again and again while it lasts."""
        header = request.headers.get("Authorization", "")
        cookie = request.cookies.get(SESSION_COOKIE, "")
        screen = request.cookies.get(SCREEN_COOKIE, "")

        def ask() -> bool:
            if header:
                return self._accounts.of_token(_bearer(header)) is not None
            person = self._accounts.of_session(cookie) if cookie else None
            return person is not None or (bool(screen) and self._accounts.of_token(screen) is not None)

        return ask

    def log_in(self, request: Request, login: str, password: str) -> Response:
        """Check the password and open a session; Problem 401 or 429."""
        tries = self._accounts.tries
        one = tries.begin(login, request.remote_addr or "")
        if one.wait:
            raise Problem("slow_down", seconds=one.wait, headers={"Retry-After": str(one.wait)})
        stored = self._accounts.stored_password(login)
        if not aside(lambda: self._accounts.matches(stored, password)):
            raise Problem("wrong_password")
        tries.succeeded(one)
        cookie, session = self._accounts.open_session(login)
        response: Response = jsonify(session.as_json())
        self._set(response, SESSION_COOKIE, cookie, LONGEST)
        return response

    def log_out(self, request: Request) -> Response:
        """End the session and take the cookie back."""
        self._accounts.close_session(request.cookies.get(SESSION_COOKIE, ""))
        response = Response(status=204)
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Strict", secure=self._secure)
        return response

    def enrol(self, token: str, response: Response) -> Response:
        """Keep a screen's token as a cookie the page cannot read; Problem 401 when it is not a screen's token."""
        actor = self._accounts.of_token(token)
        if actor is None or actor.role != "screen":
            raise Problem("not_signed_in")
        self._set(response, SCREEN_COOKIE, token, ENROLLED)
        return response

    def _by_token(self, header: str) -> Actor:
        actor = self._accounts.of_token(_bearer(header))
        if actor is None:
            raise Problem("not_signed_in", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return actor

    def _by_cookie(self, door: Door, request: Request) -> Actor:
        """A person first, else an enrolled screen; what changes anything must come from our own page."""
        cookie, screen = request.cookies.get(SESSION_COOKIE), request.cookies.get(SCREEN_COOKIE)
        session = self._accounts.of_session(cookie) if cookie else None
        if session is not None and session.role in door.who:
            if door.method != "GET" and not door.before_login:
                _check_csrf(request, session.csrf)
            return session.actor
        person = session.actor if session is not None else NOBODY
        if door.session_only or not screen:
            return person
        actor = self._accounts.of_token(screen)
        # At a village's one PC the clerk's browser is the evaluator too: what only a screen may do, the screen does.
        if actor is None or (session is not None and actor.role not in door.who):
            return person
        if actor.role in door.who and door.method != "GET" and "Origin" not in request.headers:
            raise Problem(
                "csrf"
            )  # a screen has no session: its page is known by its Origin, which is compared afterwards
        return actor

    def _same_origin(self, request: Request) -> None:
        """Browsers tell which site a changing request comes from: it must be ours."""
        origin = request.headers["Origin"]
        here = f"{'https' if self._secure else request.scheme}://{request.host}"
        if origin not in (self._home, here):
            raise Problem("foreign_origin")

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="Strict", secure=self._secure)
        response.headers["Cache-Control"] = "no-store"


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Problem("not_signed_in", headers={"WWW-Authenticate": "Bearer"})
    return token.strip()


def _check_csrf(request: Request, expected: str) -> None:
    given = request.headers.get("X-CSRF-Token", "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Problem("csrf")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

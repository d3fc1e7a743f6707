"""One table of doors: each line registers a door with Flask, guards it, checks its body and describes it to others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hall_api.domain.orders import Actor
from hall_api.web.bodies import Fields

if TYPE_CHECKING:
    from flask import Request

    from hall_api.web.app import Front

CLERK, MANAGER, TECHNICIAN = "clerk", "manager", "technician"
KIOSK, WINDOW, SCREEN = "kiosk", "window", "screen"
PUBLIC = "citizen"  # nobody in particular: whoever stands in front of the door
ROLES = (CLERK, MANAGER, TECHNICIAN, KIOSK, WINDOW, SCREEN)
STAFF = (CLERK, MANAGER, TECHNICIAN)
DESK = (CLERK, MANAGER, WINDOW)
IN_PUBLIC = (PUBLIC, SCREEN)  # who is told no ticket's id
ANYONE = (PUBLIC, *ROLES)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, already checked: who asks, for what."""

    front: Front
    actor: Actor
    path: Mapping[str, Any]
    body: Mapping[str, Any]
    request: Request
    raw: bytes = b""  # the body as it came


Handler = Callable[[Ask], Any]


@dataclass(frozen=True, kw_only=True)
class Door:
    """A door. `gives` maps an HTTP status to the name of the answer's schema (empty: no body)."""

    method: str
    path: str  # as Flask writes it: /tickets/<id>/recall
    who: tuple[str, ...]
    does: Handler
    gives: Mapping[int, str]
    body: Fields | None = None
    query: Mapping[str, str] = field(default_factory=dict)  # name → what it is for
    summary: str = ""
    session_only: bool = False  # a token does not open it
    before_login: bool = False  # used by people who have no session yet, so a stale one does not matter
    answers_itself: bool = False  # the handler's own doing; else a POST handler gives an order for the hall
    takes: str = ""  # the body is of this media type, not JSON …
    largest: int = 0  # … and has at most so many bytes
    sends: str = ""  # so is the answer
    streams: bool = False  # also answers as Server-Sent Events

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it."""
        return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", self.path)

    @property
    def name(self) -> str:
        """A name of its own among all doors."""
        return self.does.__name__


class Noun:
    """The doors of one noun, in the order they are described."""

    def __init__(self, name: str, help: str) -> None:
        self.name, self.help = name, help
        self.doors: list[Door] = []

    def __iter__(self) -> Iterator[Door]:
        return iter(self.doors)

    def get(self, path: str, who: tuple[str, ...], gives: str, **more: Any) -> Callable[[Handler], Handler]:
        """A door that only looks."""
        return self._door("GET", path, who, {200: gives}, **more)

    def post(
        self, path: str, who: tuple[str, ...], gives: str | Mapping[int, str], body: Fields | None = None, **more: Any
    ) -> Callable[[Handler], Handler]:
        """A door that changes something; its handler gives an `Order` for the hall, or answers by itself."""
        answers = {200: gives} if isinstance(gives, str) else gives
        return self._door("POST", path, who, answers, body=body or {}, **more)

    def delete(self, path: str, who: tuple[str, ...], **more: Any) -> Callable[[Handler], Handler]:
        """A door that takes something away."""
        return self._door("DELETE", path, who, {204: ""}, **more)

    def _door(
        self, method: str, path: str, who: tuple[str, ...], gives: Mapping[int, str], **more: Any
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            summary = (handler.__doc__ or "").strip().partition("\n")[0]
            self.doors.append(
                Door(method=method, path=path, who=who, does=handler, gives=gives, summary=summary, **more)
            )
            return handler

        return register

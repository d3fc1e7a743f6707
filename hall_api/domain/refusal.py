"""Why the hall says no: a code for programs, and what is needed to say it in words."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """Who can do something about it, and how a door answers."""

    INVALID = "invalid"  # the request makes no sense here: 422
    FORBIDDEN = "forbidden"  # not yours to ask: 403
    MISSING = "missing"  # there is no such thing: 404
    CONFLICT = "conflict"  # not now: 409
    UNAVAILABLE = "unavailable"  # the hall itself is in trouble, ask again later: 503


class Refusal(Exception):
    """An order that was not obeyed; nothing has changed. `hall_api.sentences.say` puts it into words."""

    def __init__(self, code: str, kind: Kind | str = Kind.CONFLICT, **params: object) -> None:
        super().__init__(code, str(kind), params)
        self.code = code
        self.kind = Kind(kind)
        self.params = params

    def __str__(self) -> str:
        return f"{self.code} ({self.kind}) {self.params}"

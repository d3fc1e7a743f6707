"""The hall: ask it for something and it is done, stored and told; ask it how things are and it answers.

Everyone who changes anything goes through `Hall.obey`. The dicts it answers with are the JSON shapes of docs/api.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from config.plan import HallPlan
from hall_api.domain.orders import Actor, Order

Json = dict[str, Any]


def utc_now() -> datetime:
    """The machine's clock; the hall's own time (never going back) is derived from it."""
    return datetime.now(UTC)


class Hall:
    """One hall over one store. Safe to use from any thread; from greenlets too when the store was opened for them.

    `public_url` stands before every link given to citizens ("http://192.168.1.5:8000"), without a slash at its end.
    """

    def __init__(self, plan: HallPlan, store: Store, *, clock: Callable[[], datetime] = utc_now, public_url: str = "") -> None: ...

    def obey(self, order: Order, actor: Actor, key: str | None = None, request_hash: str | None = None) -> Json | None:
        """Do it durably, then answer: TICKET, WINDOW, queue, job or {}; None when CallNext finds nobody waiting.

        `key` is the idempotency key: the same key from the same actor gets the first answer (a refusal too).
        Raises Refusal(code, kind, **params); kind `unavailable` when the disk is full or the database is away.
        """

    def hall(self) -> Json: ...
    def services(self) -> Json: ...
    def queues(self) -> Json: ...
    def queue(self, code: str) -> Json: ...
    def windows(self, *, public: bool = False) -> Json: ...
    def window(self, no: int, *, public: bool = False) -> Json: ...
    def board(self) -> Json: ...
    def ticket(self, ticket_id: str) -> Json: ...
    def tickets_by_number(self, number: str) -> Json: ...
    def waiting(self, window: int) -> Json: ...
    def devices(self) -> Json: ...
    def alarms(self) -> Json: ...
    def cases(self) -> Json: ...
    def day(self) -> Json: ...

    def events(self, after: int, limit: int = 500, audience: Sequence[str] = ("public",)) -> list[Told]:
        """Journal lines with seq > `after`, oldest first, of these audiences: for catching up."""

    def last_seq(self) -> int:
        """Of the newest journal line this process has heard."""

    def follow(self, callback: Callable[[list[Told]], None]) -> Callable[[], None]:
        """Hear every new journal line of every process, in order, each once, from a native thread; returns how to stop.

        `Told` has seq, at (ms), type, audience, data (JSON text) and `.as_json()` {"seq", "at", "type", "data"}.
        """

    def close(self) -> None: ...


# hall_api.storage.open_store(url, *, waiting=None) -> Store      url: "sqlite:///path" or "postgresql://…"
# hall_api.storage.waiting.Threads() (default), hall_api.storage.green.Greenlets() for a gevent server
# store.read(fn: Callable[[Connection], T]) -> T, store.change(fn: Callable[[Connection], T]) -> T for accounts, tokens, sessions:
#   connection.run(statement: sqlalchemy Executable, **params) -> list[tuple]
# hall_api.sentences.say(refusal, language="zh_CN") -> str

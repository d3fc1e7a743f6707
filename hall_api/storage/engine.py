"""What both databases have in common: one set of statements, compiled once for each, sent without ceremony.

Statements are SQLAlchemy Core; values are ints and strings only, so nothing needs converting on the way and the
drivers are called directly: at a thousand tickets a second that is half of the work saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

from hall_api.domain.refusal import Refusal

Cells = tuple[Any, ...]


class Connection(Protocol):
    """One conversation with a database, used by one thread at a time."""

    def run(self, statement: ClauseElement, /, **params: Any) -> list[Cells]:
        """Send a statement; its rows, or an empty list."""

    def run_many(self, statement: ClauseElement, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Send a statement once for each row of parameters."""

    def begin(self, *, write: bool) -> None:
        """Start a transaction; a reading one sees a single moment."""

    def commit(self) -> None:
        """Make it durable."""

    def rollback(self) -> None:
        """Forget it; harmless when there is none."""

    def close(self) -> None:
        """Hang up."""


class Listener(Protocol):
    """Hears that something was stored, also by other processes."""

    def wait(self) -> bool:
        """Sleep a little; True when there may be something new."""

    def close(self) -> None:
        """Stop listening."""


class Engine(Protocol):
    """One kind of database."""

    url: str
    remote: bool  # reading may take a while: across a network

    def connect(self) -> Connection:
        """A new conversation."""

    def turn(self) -> AbstractContextManager[None]:
        """The right to write, among all processes on this database. Freed by the system when a process dies."""

    def announce(self, connection: Connection) -> None:
        """Within a transaction: wake the listeners of other processes when it commits."""

    def listener(self) -> Listener:
        """Hears what is stored."""

    def refusal(self, error: Exception) -> Refusal | None:
        """What to tell the asker when the database is in trouble; None when the mistake is ours."""

    def worth_retrying(self, error: Exception) -> bool:
        """Whether the same transaction may well succeed at once."""

    def upgrade_needed(self) -> bool:
        """Whether the tables are missing or old."""

    def close(self) -> None:
        """Let go of what all connections shared."""


class Sql(NamedTuple):
    """A statement in one engine's words: text, parameter names in order (SQLite only), values it carries itself."""

    text: str
    names: Sequence[str]
    params: Mapping[str, Any]


class Compiler:
    """Statement → SQL; remembered as long as the statement lives."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[ClauseElement, Sql] = WeakKeyDictionary()

    def __call__(self, statement: ClauseElement) -> Sql:
        """The statement in this engine's words."""
        sql = self._known.get(statement)
        if sql is None:
            made = statement.compile(dialect=self._dialect, compile_kwargs={"render_postcompile": True})
            assert isinstance(made, SQLCompiler)
            sql = self._known[statement] = Sql(made.string, tuple(made.positiontup or ()), dict(made.params))
        return sql

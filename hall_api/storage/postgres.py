"""Many machines, one PostgreSQL: the same statements, the writer's turn as a row lock, news by LISTEN and NOTIFY.

All that the hall changes starts by locking the one row of `hall_state`. That serialises the hall's writers, which the
journal demands anyway (its numbers must become visible in order), and since it is always the first lock taken,
two writers never deadlock. Tickets to be called are locked with SKIP LOCKED, so that a row held by anybody else
(a maintenance session) is stepped over and nobody stands waiting at a window.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.expression import ClauseElement

from hall_api.domain.refusal import Kind, Refusal
from hall_api.storage.engine import Cells, Compiler, Connection
from hall_api.storage.schema import HEAD

CHANNEL = "bianmin"
SETTINGS = {
    "connect_timeout": 5,
    "application_name": "bianmin",
    # A writer whose machine lost its power must give the turn back: within seconds, not after hours.
    "options": "-c idle_in_transaction_session_timeout=3000 -c synchronous_commit=on",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


class PostgresConnection:
    """One conversation with the server."""

    def __init__(self, url: str, compiler: Compiler) -> None:
        self._compile = compiler
        self.raw: psycopg.Connection[Cells] = psycopg.connect(url, autocommit=True, **SETTINGS)  # type: ignore[arg-type]

    def run(self, statement: ClauseElement, /, **params: Any) -> list[Cells]:
        """Send a statement; its rows, or an empty list."""
        sql = self._compile(statement)
        cursor = self.raw.execute(sql.text.encode(), {**sql.params, **params} if params else sql.params)
        return cursor.fetchall() if cursor.description else []

    def run_many(self, statement: ClauseElement, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Send a statement once for each row of parameters."""
        sql = self._compile(statement).text.encode()
        if len(rows) == 1:
            self.raw.execute(sql, rows[0])
            return
        with self.raw.cursor() as cursor:
            cursor.executemany(sql, rows)

    def begin(self, *, write: bool) -> None:
        """Start a transaction; a reading one sees a single moment."""
        self.raw.execute("BEGIN" if write else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        """Make it durable."""
        self.raw.execute("COMMIT")

    def rollback(self) -> None:
        """Forget it."""
        self.raw.execute("ROLLBACK")

    def close(self) -> None:
        """Hang up."""
        self.raw.close()


class PostgresListener:
    """Sleeps on a connection of its own until the server rings."""

    def __init__(self, engine: PostgresEngine) -> None:
        self._engine = engine
        self._wake, self._woken = os.pipe()
        self._raw: psycopg.Connection[Cells] | None = self._listen()

    def _listen(self) -> psycopg.Connection[Cells]:
        raw = self._engine.connect().raw
        raw.execute(f"LISTEN {CHANNEL}")
        return raw

    def wait(self) -> bool:
        """Sleep; True when something was stored, or may have been while the line was down."""
        if self._raw is None:
            self._raw = self._listen()
            return True
        bells = select.poll()  # not select(): a hall with a thousand screens has higher numbers than that can take
        bells.register(self._raw.fileno(), select.POLLIN)
        bells.register(self._wake, select.POLLIN | select.POLLHUP)
        if any(rung == self._wake for rung, _ in bells.poll()):
            self._hang_up()
            os.close(self._wake)
            return False
        try:
            return bool(list(self._raw.notifies(timeout=0)))
        except psycopg.Error:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        if self._raw is not None:
            self._raw.close()
        self._raw = None

    def close(self) -> None:
        """Stop; the thread that waits hangs up."""
        os.close(self._woken)


class PostgresEngine:
    """`postgresql://user@host/database`"""

    remote = True

    def __init__(self, url: str) -> None:
        self.url = url
        self._compiler = Compiler(PGDialect_psycopg())  # type: ignore[no-untyped-call]

    def connect(self) -> PostgresConnection:
        """A new conversation."""
        return PostgresConnection(self.url, self._compiler)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The turn is the lock on the hall's row, taken inside the transaction."""
        yield

    def announce(self, connection: Connection) -> None:
        """Ring when this transaction commits."""
        assert isinstance(connection, PostgresConnection)
        connection.raw.execute(f"NOTIFY {CHANNEL}")

    def listener(self) -> PostgresListener:
        """Hears what is stored."""
        return PostgresListener(self)

    def refusal(self, error: Exception) -> Refusal | None:
        """Disk full, server away."""
        if isinstance(error, errors.DiskFull | errors.OutOfMemory | errors.ConfigurationLimitExceeded):
            return Refusal("disk_full", Kind.UNAVAILABLE, place="PostgreSQL")
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | psycopg.InternalError):
            return Refusal("storage_trouble", Kind.UNAVAILABLE, reason=str(error).strip())
        return None

    def worth_retrying(self, error: Exception) -> bool:
        """A collision with a stranger's transaction, or a connection found dead before it was used."""
        return isinstance(error, errors.DeadlockDetected | errors.SerializationFailure)

    def upgrade_needed(self) -> bool:
        """Whether the tables are missing or old."""
        connection = self.connect()
        try:
            return connection.raw.execute("SELECT version_num FROM alembic_version").fetchall() != [(HEAD,)]
        except errors.UndefinedTable:
            return True
        finally:
            connection.close()

    def close(self) -> None:
        """Nothing is shared between connections."""

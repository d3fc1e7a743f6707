"""One file on this machine: SQLite with a write-ahead log, every commit on the disk before anybody hears of it.

Several processes may share the file. They take turns through two locked files beside it, a gate and the turn itself:
who waits for the turn holds the gate, so a busy process cannot push in again before those who wait. The kernel
frees both when a process is killed.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.expression import ClauseElement

from hall_api.domain.refusal import Kind, Refusal
from hall_api.storage.engine import Cells, Compiler, Connection
from hall_api.storage.schema import HEAD

_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHM", "SQLITE_IOERR_TRUNCATE")
_TROUBLE = (
    "SQLITE_IOERR",
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_READONLY",
    "SQLITE_CANTOPEN",
    "SQLITE_NOTADB",
    "SQLITE_CORRUPT",
)
POLL_SECONDS = 0.02  # how soon a screen fed by another process hears of a call
BUSY_MS = 5_000  # only strangers (a backup, a person with the sqlite3 shell) ever make us wait


class SqliteConnection:
    """One conversation with the file."""

    def __init__(self, path: Path, compiler: Compiler) -> None:
        self._compile = compiler
        self.raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-4096",
            "temp_store=MEMORY",
        ):
            self.raw.execute(f"PRAGMA {pragma}").close()

    def run(self, statement: ClauseElement, /, **params: Any) -> list[Cells]:
        """Send a statement; its rows, or an empty list."""
        sql = self._compile(statement)
        given = {**sql.params, **params} if params else sql.params
        return self.raw.execute(sql.text, [given[name] for name in sql.names]).fetchall()

    def run_many(self, statement: ClauseElement, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Send a statement once for each row of parameters."""
        sql = self._compile(statement)
        self.raw.executemany(sql.text, [[row[name] for name in sql.names] for row in rows])

    def begin(self, *, write: bool) -> None:
        """Start a transaction."""
        self.raw.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def commit(self) -> None:
        """Make it durable."""
        self.raw.execute("COMMIT")

    def rollback(self) -> None:
        """Forget it; on some errors SQLite has done so already."""
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        """Hang up."""
        self.raw.close()


class SqliteListener:
    """Looks at the file's version, which changes with every commit of another connection."""

    def __init__(self, engine: SqliteEngine) -> None:
        self._connection = engine.connect()
        self._seen = self._version()
        self._closed = threading.Event()

    def _version(self) -> int:
        return int(self._connection.raw.execute("PRAGMA data_version").fetchone()[0])

    def wait(self) -> bool:
        """Sleep a fiftieth of a second; True when somebody stored something."""
        if self._closed.wait(POLL_SECONDS):
            self._connection.close()
            return False
        seen, self._seen = self._seen, self._version()
        return seen != self._seen

    def close(self) -> None:
        """Stop; the thread that waits hangs up."""
        self._closed.set()


class SqliteEngine:
    """`sqlite:///path/of/hall.db`"""

    remote = False

    def __init__(self, url: str) -> None:
        database = make_url(url).database
        if not database or database == ":memory:":
            raise ValueError(f"{url}: a hall needs a file, sqlite:///path/of/hall.db")
        self.url = url
        self.path = Path(database)
        self._compiler = Compiler(SQLiteDialect_pysqlite())
        self._gate = self._lock_file("gate")
        self._turn = self._lock_file("turn")

    def _lock_file(self, name: str) -> int:
        return os.open(f"{self.path}.{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def connect(self) -> SqliteConnection:
        """A new conversation."""
        return SqliteConnection(self.path, self._compiler)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait at the gate, take the turn, open the gate, write."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def announce(self, connection: Connection) -> None:
        """Nothing to do: the file's version tells."""

    def listener(self) -> SqliteListener:
        """Hears what is stored."""
        return SqliteListener(self)

    def refusal(self, error: Exception) -> Refusal | None:
        """Disk full, disk failing, file locked by a stranger."""
        if not isinstance(error, sqlite3.Error):
            return None
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(_NO_ROOM):
            return Refusal("disk_full", Kind.UNAVAILABLE, place=str(self.path.parent))
        if name.startswith(_TROUBLE):
            return Refusal("storage_trouble", Kind.UNAVAILABLE, reason=f"{name}: {error}")
        return None

    def worth_retrying(self, error: Exception) -> bool:
        """Writers take turns, so there is nothing to collide with."""
        return False

    def upgrade_needed(self) -> bool:
        """Whether the tables are missing or old."""
        if not self.path.exists():
            return True
        connection = self.connect()
        try:
            return connection.raw.execute("SELECT version_num FROM alembic_version").fetchall() != [(HEAD,)]
        except sqlite3.OperationalError:
            return True
        finally:
            connection.close()

    def close(self) -> None:
        """Let go of the lock files."""
        os.close(self._gate)
        os.close(self._turn)

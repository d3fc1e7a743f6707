"""The tables: made by migrations, the same on both engines, and quick however old the hall is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url

from hall_api.storage import statements as ask
from hall_api.storage.migrate import config_for
from hall_api.storage.schema import HEAD, metadata
from hall_api.storage.store import engine_for, open_store

ROOT = Path(__file__).resolve().parents[2]


def test_migrations_make_exactly_the_tables_the_code_knows(url):
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
    engine.dispose()
    assert ScriptDirectory.from_config(config_for(url)).get_current_head() == HEAD


def test_a_new_hall_makes_its_tables_and_an_old_one_is_left_alone(tmp_path):
    url = f"sqlite:///{tmp_path}/new.db"
    assert engine_for(url).upgrade_needed()
    open_store(url).close()
    assert not engine_for(url).upgrade_needed()


def test_the_serving_process_never_loads_alembic(sqlite_url):
    code = (
        "import sys, json\nfrom hall_api.storage import open_store\nopen_store(sys.argv[1]).close()\n"
        "print(json.dumps([m for m in ('alembic', 'psycopg', 'gevent', 'babel') if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, sqlite_url], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


EXPECTED = {
    "HEAD": ({"queue": "A", "first": 0}, "tickets_waiting"),
    "BOUND_HEAD": ({"window": 1}, "tickets_waiting"),
    "LINE": ({"queue": "A", "limit": 3}, "tickets_waiting"),
    "LINE_OF_WINDOW": ({"window": 1, "limit": 3}, "tickets_waiting"),
    "AHEAD": ({"queue": "A", "bound": 0, "place": 1}, "tickets_waiting"),
    "AHEAD_FIRST": ({"queue": "A", "bound": 0, "place": 1}, "tickets_waiting"),
    "WAITING_ALL": ({}, "tickets_waiting"),
    "ASIDE": ({"window": 1}, "tickets_aside"),
    "ASIDE_ALL": ({}, "tickets_aside"),
    "CLAIMS_BEFORE": ({"date": "2026-11-20"}, "tickets_claims"),
    "NUMBERED": ({"date": "2026-11-20", "number": "A001"}, "one_number_a_day|sqlite_autoindex_tickets"),
    "CALLS": ({"limit": 12}, "journal_calls"),
    "DAY_TICKETS": ({"date": "2026-11-20"}, "one_number_a_day|sqlite_autoindex_tickets"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_no_question_looks_at_old_tickets(url, name):
    """Each is answered from an index that old tickets are not in, or by its key: a million of them cost nothing."""
    params, indexes = EXPECTED[name]
    connection = engine_for(url).connect()
    sql = connection._compile(getattr(ask, name))
    given = {**sql.params, **params}
    if url.startswith("sqlite"):
        values = [given[n] for n in sql.names]
        plan = " ".join(row[3] for row in connection.raw.execute("EXPLAIN QUERY PLAN " + sql.text, values))
    else:
        connection.raw.execute("SET enable_seqscan = off")
        rows = connection.raw.execute(("EXPLAIN " + sql.text).encode(), given).fetchall()
        plan = " ".join(row[0] for row in rows)
    connection.close()
    assert any(index in plan for index in indexes.split("|")), plan
    assert "SCAN tickets" not in plan.replace("SCAN tickets USING", "")


def test_only_its_owner_reads_the_file(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/hall.db")
    try:
        rights = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
        assert {"hall.db", "hall.db-wal"} <= rights.keys()
        assert set(rights.values()) == {"0o600"}
    finally:
        store.close()

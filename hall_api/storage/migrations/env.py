"""How Alembic reaches the hall's database: in one transaction, on PostgreSQL under a lock so that two never mix."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from hall_api.storage.schema import metadata

LOCK = 0x6269616E  # "bian": the number of our advisory lock


def run() -> None:
    """Run the migrations that are missing."""
    url = make_url(context.config.attributes["url"])
    remote = url.get_backend_name() == "postgresql"
    engine = create_engine(url.set(drivername="postgresql+psycopg") if remote else url, poolclass=NullPool)
    with engine.connect() as connection:
        if remote:
            connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
            connection.commit()
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()

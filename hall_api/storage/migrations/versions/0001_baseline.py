"""The first tables of the hall."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("login"),
    )
    op.create_table(
        "alarms",
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("machine", "device"),
    )
    op.create_table(
        "device_states",
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("role", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("windows", sa.String(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("machine", "device"),
    )
    op.create_table(
        "hall_state",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "idempotency",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key"),
    )
    op.create_index("idempotency_at", "idempotency", ["at"], unique=False)
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(
        "journal_calls",
        "journal",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("type IN ('TicketCalled', 'TicketRecalled')"),
        postgresql_where=sa.text("type IN ('TicketCalled', 'TicketRecalled')"),
    )
    op.create_table(
        "queue_days",
        sa.Column("business_date", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("last_serial", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_place", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("closed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("run", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("served", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("served_ms", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("business_date", "queue"),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("sessions_expiry", "sessions", ["expires_at"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("business_date", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("service", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("claim", sa.String(), server_default=sa.text("'none'"), nullable=False),
        sa.Column("priority", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("bound", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("window", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("staff", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("kiosk", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("job", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("first_called_at", sa.BigInteger(), nullable=True),
        sa.Column("called_at", sa.BigInteger(), nullable=True),
        sa.Column("recalled_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("recalls", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("all_calls", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("all_recalls", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("passes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rejoins", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("served_ms", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("outcome", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("rating", sa.String(), server_default=sa.text("'none'"), nullable=False),
        sa.Column("rating_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("business_date", "number", name="one_number_a_day"),
    )
    op.create_index(
        "tickets_aside",
        "tickets",
        ["state", "window", "changed_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('held', 'passed')"),
        postgresql_where=sa.text("state IN ('held', 'passed')"),
    )
    op.create_index(
        "tickets_claims",
        "tickets",
        ["business_date"],
        unique=False,
        sqlite_where=sa.text("priority <> ''"),
        postgresql_where=sa.text("priority <> ''"),
    )
    op.create_index(
        "tickets_waiting",
        "tickets",
        ["bound", "queue", "first", "place"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "tokens",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("name", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("window", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "windows",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'closed'"), nullable=False),
        sa.Column("reason", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("staff", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("ticket", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("rating_ticket", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("rating_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("no"),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ticket", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("staff", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'open'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket"],
            ["tickets.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ticket"),
    )
    op.create_index("cases_open", "cases", ["opened_at"], unique=False)
    op.create_table(
        "evaluations",
        sa.Column("ticket", sa.String(), nullable=False),
        sa.Column("business_date", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("service", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("staff", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("work_no", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("options_version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket"],
            ["tickets.id"],
        ),
        sa.PrimaryKeyConstraint("ticket"),
    )
    op.create_index("evaluations_day", "evaluations", ["business_date"], unique=False)
    op.create_table(
        "print_jobs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ticket", sa.String(), nullable=False),
        sa.Column("kiosk", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("reason", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("first", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket"],
            ["tickets.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("print_jobs_ticket", "print_jobs", ["ticket"], unique=False)
    unsettled = sa.text("state IN ('queued', 'sending')")
    op.create_index("print_jobs_unsettled", "print_jobs", ["kiosk"], sqlite_where=unsettled, postgresql_where=unsettled)

    op.execute("INSERT INTO hall_state (one, seq, at, business_date) VALUES (1, 0, 0, '')")

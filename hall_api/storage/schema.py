"""The hall's cupboards: every table, once, for SQLite and PostgreSQL alike.

Times are integers, milliseconds of UTC since 1970 (`…_at`, `…_until`); dates are ISO strings of the site; truths are
0 and 1; lists and objects are JSON text. So both engines store the same values and no driver converts anything.

`journal` is the truth and is never altered; the other hall tables are what it adds up to, kept in the same
transaction. `accounts`, `tokens`, `sessions` and `login_tries` belong to the web layer.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

HEAD = "0004"  # the newest migration; a store with another one is brought up to date by a child process

metadata = MetaData()


def _words(name: str, default: str = "") -> Column[str]:
    return Column(name, String, nullable=False, server_default=text(f"'{default}'"))


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _time(name: str, *, nullable: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


hall_state = Table(
    "hall_state",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),  # always 1: there is one hall in a store
    Column("seq", BigInteger, nullable=False),  # of the last journal line; taking it is taking the writer's turn
    Column("at", BigInteger, nullable=False),  # hall time of the last change: it never goes back
    Column("business_date", String, nullable=False),
)

queue_days = Table(
    "queue_days",
    metadata,
    Column("business_date", String, primary_key=True),
    Column("queue", String, primary_key=True),
    _number("last_serial"),  # the last number given out
    Column("last_place", BigInteger, nullable=False, server_default=text("0")),
    _number("closed"),
    _number("waiting"),  # tickets in state waiting …
    _number("first"),  # … of which are called before the others
    _number("run"),  # priority calls in a row
    _number("served"),
    Column("served_ms", BigInteger, nullable=False, server_default=text("0")),
)

windows = Table(
    "windows",
    metadata,
    Column("no", Integer, primary_key=True, autoincrement=False),
    _words("state", "closed"),
    _words("reason"),
    _words("staff"),  # login of the clerk who sits here
    _words("ticket"),  # the called or serving ticket
    _words("rating_ticket"),  # whose card the evaluator shows
    _time("rating_until"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", String, primary_key=True),
    Column("business_date", String, nullable=False),
    Column("queue", String, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("number", String, nullable=False),
    _words("service"),
    _words("state", "waiting"),
    Column("place", BigInteger, nullable=False),  # order in the line, microseconds of arrival
    _number("first"),  # 1: called before the others
    _words("claim", "none"),  # none, claimed, verified, declined
    _words("priority"),  # the class claimed; dropped at the day's end
    _number("bound"),  # the only window that may call it, or 0
    _number("window"),  # where it was called last, or 0
    _words("staff"),
    _words("kiosk"),
    _words("job"),  # the last print job
    _time("issued_at", nullable=False),
    _time("first_called_at"),
    _time("called_at"),  # first call of the present turn
    _time("recalled_at"),  # last call or recall
    _time("started_at"),
    _time("finished_at"),
    _time("changed_at", nullable=False),
    _number("recalls"),
    _number("all_calls"),
    _number("all_recalls"),
    _number("passes"),
    _number("rejoins"),
    _number("served_ms"),  # service time before the last hold or transfer
    _words("outcome"),
    _words("rating", "none"),
    _time("rating_until"),
    UniqueConstraint("business_date", "number", name="one_number_a_day"),
)
# Partial, so that a million old tickets cost nothing: only those who wait today are in it.
Index(
    "tickets_waiting",
    tickets.c.bound,
    tickets.c.queue,
    tickets.c.first,
    tickets.c.place,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
Index(
    "tickets_aside",
    tickets.c.state,
    tickets.c.window,
    tickets.c.changed_at,
    sqlite_where=text("state IN ('held', 'passed')"),
    postgresql_where=text("state IN ('held', 'passed')"),
)
Index(
    "tickets_claims",
    tickets.c.business_date,
    sqlite_where=text("priority <> ''"),
    postgresql_where=text("priority <> ''"),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("type", String, nullable=False),
    Column("audience", String, nullable=False),
    Column("data", Text, nullable=False),
    Column("actor", String, nullable=False),  # role:name, for the audit; never told in the feed
)
Index(
    "journal_calls",
    journal.c.seq,
    sqlite_where=text("type IN ('TicketCalled', 'TicketRecalled')"),
    postgresql_where=text("type IN ('TicketCalled', 'TicketRecalled')"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("request", String, nullable=False),  # hash of what was asked
    Column("status", String, nullable=False),  # "ok", or the kind of the refusal
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("idempotency_at", idempotency.c.at)

evaluations = Table(
    "evaluations",
    metadata,
    Column("ticket", String, ForeignKey("tickets.id"), primary_key=True),  # the key is the rule: one visit, one rating
    Column("business_date", String, nullable=False),
    Column("number", String, nullable=False),
    Column("queue", String, nullable=False),
    _words("service"),
    Column("window", Integer, nullable=False),
    _words("staff"),
    _words("work_no"),
    Column("grade", Integer, nullable=False),
    Column("channel", String, nullable=False),
    Column("options", Text, nullable=False),
    Column("options_version", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("evaluations_day", evaluations.c.business_date)

cases = Table(
    "cases",
    metadata,
    Column("id", String, primary_key=True),
    Column("ticket", String, ForeignKey("tickets.id"), nullable=False, unique=True),
    Column("number", String, nullable=False),
    Column("window", Integer, nullable=False),
    _words("staff"),
    Column("grade", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    _words("state", "open"),
)
Index("cases_open", cases.c.opened_at)

print_jobs = Table(
    "print_jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("ticket", String, ForeignKey("tickets.id"), nullable=False),
    Column("kiosk", String, nullable=False),
    _words("state", "queued"),
    _words("reason"),
    _words("first"),  # the job this one repeats (补打)
    Column("at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
Index("print_jobs_ticket", print_jobs.c.ticket)
_unsettled = text("state IN ('queued', 'sending')")
Index("print_jobs_unsettled", print_jobs.c.kiosk, sqlite_where=_unsettled, postgresql_where=_unsettled)

attachments = Table(
    "attachments",
    metadata,
    Column("id", String, primary_key=True),
    Column("ticket", String, ForeignKey("tickets.id"), nullable=False),
    Column("business_date", String, nullable=False),  # at whose end it goes
    Column("window", Integer, nullable=False),
    Column("size", Integer, nullable=False),  # bytes of the document
    Column("at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # see hall_api/vault.py
)
Index("attachments_ticket", attachments.c.ticket)
Index("attachments_day", attachments.c.business_date)

device_states = Table(
    "device_states",
    metadata,
    Column("machine", String, primary_key=True),
    Column("device", String, primary_key=True),
    _words("role"),
    Column("state", String, nullable=False),
    _words("reason"),
    _words("windows", "[]"),
    _words("roles", "[]"),  # all that it is for; `role` is the first
    Column("since", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("machine", String, primary_key=True),
    Column("device", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("since", BigInteger, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("login", String, primary_key=True),  # of a person in the plan
    Column("password", String, nullable=False),  # argon2 hash
    Column("changed_at", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("hash", String, primary_key=True),  # SHA-256 of the token; the token itself is kept nowhere
    Column("role", String, nullable=False),
    _words("name"),
    Column("window", Integer, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger, nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String, primary_key=True),  # SHA-256 of the cookie
    Column("login", String, nullable=False),
    Column("csrf", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
Index("sessions_expiry", sessions.c.expires_at)

login_tries = Table(
    "login_tries",
    metadata,
    Column("mark", String, nullable=False),  # SHA-256 of a login or an address
    Column("at", BigInteger, nullable=False),
)
Index("login_tries_mark", login_tries.c.mark, login_tries.c.at)

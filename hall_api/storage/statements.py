"""What the hall asks its database: each question once, in SQLAlchemy Core, for both engines.

Rows are read in the order of the domain's dataclasses. States in conditions are written as constants, not parameters,
so that both engines see that the partial indexes fit.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Table, and_, asc, bindparam, delete, desc, func, insert, literal_column, select, update
from sqlalchemy.sql.expression import ColumnElement, Select

from hall_api.domain.rows import (
    Alarm,
    Attachment,
    Case,
    DeviceState,
    Evaluation,
    PrintJob,
    QueueDay,
    Row,
    Ticket,
    WindowState,
)
from hall_api.storage import schema as s

TABLES: dict[type[Row], Table] = {
    # In the order in which foreign keys let them be written.
    QueueDay: s.queue_days,
    WindowState: s.windows,
    Ticket: s.tickets,
    PrintJob: s.print_jobs,
    Evaluation: s.evaluations,
    Case: s.cases,
    DeviceState: s.device_states,
    Alarm: s.alarms,
    Attachment: s.attachments,
}
NAMES = {kind: tuple(f.name for f in fields(kind)) for kind in TABLES}

# What never changes is never written again: the index over all numbers of all years is left alone by a call.
FIXED: dict[type[Row], tuple[str, ...]] = {
    Ticket: ("business_date", "serial", "number", "service", "kiosk", "issued_at")
}


def _select(kind: type[Row], *conditions: ColumnElement[bool]) -> Select[Any]:
    table = TABLES[kind]
    return select(*(table.c[name] for name in NAMES[kind])).where(*conditions)


def _is(column: ColumnElement[Any], *words: str) -> ColumnElement[bool]:
    constants: list[ColumnElement[Any]] = [literal_column(f"'{word}'") for word in words]
    return column == constants[0] if len(constants) == 1 else column.in_(constants)


def _update(kind: type[Row]) -> Any:
    table = TABLES[kind]
    keys = [c.name for c in table.primary_key]
    fixed = {*keys, *FIXED.get(kind, ())}
    change: dict[str, Any] = {name: bindparam(name) for name in NAMES[kind] if name not in fixed}
    return update(table).where(*(table.c[k] == bindparam(f"key_{k}") for k in keys)).values(change)


INSERT = {
    kind: insert(TABLES[kind]).values({name: bindparam(name) for name in NAMES[kind]}).inline() for kind in TABLES
}
UPDATE = {kind: _update(kind) for kind in TABLES}
KEYS = {kind: tuple(c.name for c in TABLES[kind].primary_key) for kind in TABLES}

t, j, w, a = s.tickets.c, s.journal.c, s.windows.c, s.attachments.c
_waits = _is(t.state, "waiting")

# On PostgreSQL, locking this row is taking the writer's turn: numbers, rows and journal follow one another, so a reader
# who saw line 11 never later discovers line 10.
STATE = select(s.hall_state.c.seq, s.hall_state.c.at, s.hall_state.c.business_date).where(
    s.hall_state.c.one == literal_column("1")
)
TAKE_STATE = STATE.with_for_update()
KEEP_STATE = update(s.hall_state).values(
    seq=bindparam("seq"), at=bindparam("at"), business_date=bindparam("business_date")
)

TICKET = _select(Ticket, t.id == bindparam("id"))
NUMBERED = _select(Ticket, t.business_date == bindparam("date"), t.number == bindparam("number"))
WINDOWS = _select(WindowState).order_by(w.no)
QUEUE_DAY = _select(
    QueueDay,
    s.queue_days.c.business_date == bindparam("date"),
    s.queue_days.c.queue == bindparam("queue"),
)
QUEUE_DAYS = _select(QueueDay, s.queue_days.c.business_date == bindparam("date"))
HEAD = (
    _select(
        Ticket, _waits, t.bound == literal_column("0"), t.queue == bindparam("queue"), t.first == bindparam("first")
    )
    .order_by(t.place)
    .limit(literal_column("1"))
    .with_for_update(skip_locked=True)
)
BOUND_HEAD = (
    _select(Ticket, _waits, t.bound == bindparam("window"))
    .order_by(desc(t.first), t.place)
    .limit(literal_column("1"))
    .with_for_update(skip_locked=True)
)
LINE = (
    _select(Ticket, _waits, t.bound == literal_column("0"), t.queue == bindparam("queue"))
    .order_by(desc(t.first), t.place)
    .limit(bindparam("limit"))
)
LINE_OF_WINDOW = (
    _select(Ticket, _waits, t.bound == bindparam("window")).order_by(desc(t.first), t.place).limit(bindparam("limit"))
)
AHEAD_FIRST = select(func.count()).where(
    _waits,
    t.queue == bindparam("queue"),
    t.first == literal_column("1"),
    t.bound.in_([literal_column("0"), bindparam("bound")]),
    t.place < bindparam("place"),
)
AHEAD = select(func.count()).where(
    _waits,
    t.queue == bindparam("queue"),
    t.first == literal_column("0"),
    t.bound.in_([literal_column("0"), bindparam("bound")]),
    t.place < bindparam("place"),
)
WAITING_ALL = _select(Ticket, _waits)
ASIDE_ALL = _select(Ticket, _is(t.state, "held", "passed"))
ASIDE = _select(Ticket, _is(t.state, "held", "passed"), t.window == bindparam("window")).order_by(desc(t.changed_at))
CLAIMS_BEFORE = _select(Ticket, t.priority != literal_column("''"), t.business_date < bindparam("date"))
JOB = _select(PrintJob, s.print_jobs.c.id == bindparam("id"))
JOBS_OF_KIOSK = _select(
    PrintJob, s.print_jobs.c.kiosk == bindparam("kiosk"), _is(s.print_jobs.c.state, "queued", "sending")
).order_by(s.print_jobs.c.at)
EVALUATION = _select(Evaluation, s.evaluations.c.ticket == bindparam("ticket"))
DEVICE = _select(
    DeviceState,
    s.device_states.c.machine == bindparam("machine"),
    s.device_states.c.device == bindparam("device"),
)
DEVICES = _select(DeviceState).order_by(s.device_states.c.machine, s.device_states.c.device)
SILENT = _select(
    DeviceState,
    s.device_states.c.seen_at < bindparam("since"),
    s.device_states.c.state.not_in([literal_column("'absent'"), literal_column("'disabled'")]),
)
ALARM = _select(Alarm, s.alarms.c.machine == bindparam("machine"), s.alarms.c.device == bindparam("device"))
ALARMS = _select(Alarm).order_by(s.alarms.c.since)
CLEAR_ALARM = delete(s.alarms).where(
    s.alarms.c.machine == bindparam("machine"), s.alarms.c.device == bindparam("device")
)
ATTACHMENTS = (
    select(*(a[name] for name in NAMES[Attachment] if name != "sealed"))
    .where(a.ticket == bindparam("ticket"))
    .order_by(a.at, a.id)
)
ATTACHMENT = select(a.sealed).where(a.ticket == bindparam("ticket"), a.id == bindparam("id"))
ATTACHMENTS_BEFORE = select(a.id).where(a.business_date < bindparam("date"))
DROP_ATTACHMENT = delete(s.attachments).where(a.id == bindparam("id"))
CASES = _select(Case).order_by(desc(s.cases.c.opened_at)).limit(bindparam("limit"))

JOURNAL_ADD = insert(s.journal).inline()
JOURNAL_AFTER = (
    select(j.seq, j.at, j.type, j.audience, j.data)
    .where(j.seq > bindparam("after"))
    .order_by(asc(j.seq))
    .limit(bindparam("limit"))
)
CALLS = (
    select(j.seq, j.at, j.type, j.data)
    .where(_is(j.type, "TicketCalled", "TicketRecalled"))
    .order_by(desc(j.seq))
    .limit(bindparam("limit"))
)

ANSWERED = select(s.idempotency.c.request, s.idempotency.c.status, s.idempotency.c.body).where(
    and_(s.idempotency.c.actor == bindparam("actor"), s.idempotency.c.key == bindparam("key"))
)
REMEMBER = insert(s.idempotency).inline()
FORGET_BEFORE = delete(s.idempotency).where(s.idempotency.c.at < bindparam("before"))

DAY_TICKETS = select(t.issued_at, t.first_called_at, t.all_calls, t.all_recalls, t.passes, t.state).where(
    t.business_date == bindparam("date")
)
DAY_RATINGS = (
    select(s.evaluations.c.grade, func.count())
    .where(s.evaluations.c.business_date == bindparam("date"))
    .group_by(s.evaluations.c.grade)
)

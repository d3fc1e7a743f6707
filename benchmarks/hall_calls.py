"""Calling the next ticket does not slow down when the hall has served a million; and nobody is called twice."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from benchmarks import served
from benchmarks.row import Row

ROUNDS, CALLS = 5, 2000  # 10,000 calls in each hall
MANY, FEW = 1_000_000, 100
WINDOWS = (1, 2, 3)
A_DAY = 900  # old tickets of one queue and day


def rows() -> Iterator[Row]:
    """The same calls in a young and in an old hall, in turns."""
    with served.folder() as where:
        young, old = where / "young", where / "old"
        young.mkdir()
        old.mkdir()
        _fill_line(young)
        shutil.copy(young / "hall.db", old / "hall.db")
        _grow_old(young / "hall.db", FEW)
        _grow_old(old / "hall.db", MANY)
        yield from _call(young, old)


def _fill_line(where: Path) -> None:
    """Everybody who will be called waits already."""
    with served.hall(where) as hall:
        bodies = [{"queue": "ABCD"[n % 4]} for n in range(8)]
        hall.ask(path="/v1/tickets", bodies=bodies, token=hall.token("kiosk"), count=ROUNDS * CALLS + 100)
    with sqlite3.connect(where / "hall.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _grow_old(path: Path, count: int) -> None:
    """Finished tickets of bygone days, copied from one of today so that every column is as the hall writes it."""
    connection = sqlite3.connect(path)
    names = [row[1] for row in connection.execute("PRAGMA table_info(tickets)")]
    one = dict(zip(names, connection.execute("SELECT * FROM tickets LIMIT 1").fetchone(), strict=True))
    today = date.fromisoformat(one["business_date"])
    day_ms = 86_400_000

    def old() -> Iterator[tuple[object, ...]]:
        for n in range(count):
            days, serial = n // A_DAY + 1, n % A_DAY + 1
            then = one["issued_at"] - days * day_ms + serial * 1000
            changed = {
                "id": f"old{n}",
                "business_date": (today - timedelta(days=days)).isoformat(),
                "serial": serial,
                "number": f"A{serial:03}",
                "queue": "A",
                "state": "done",
                "outcome": "done",
                "rating": "timed_out",
                "place": then * 1000,
                "window": 1,
                **dict.fromkeys(("issued_at", "called_at", "started_at", "finished_at", "changed_at"), then),
            }
            yield tuple((one | changed)[name] for name in names)

    marks = ", ".join("?" * len(names))
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO tickets VALUES ({marks})", old())
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _call(young: Path, old: Path) -> Iterator[Row]:
    with served.hall(young) as fresh, served.hall(old) as aged:
        paths = [f"/v1/windows/{no}/call-next" for no in WINDOWS]
        job = {"paths": paths, "clients": len(paths), "body": {"finish": "done"}, "find": '"id":"([^"]+)"'}
        halls = ((fresh, fresh.token("manager")), (aged, aged.token("manager")))
        seen: tuple[list[dict], list[dict]] = ([], [])
        for _ in range(ROUNDS):
            for (hall, token), rounds in zip(halls, seen, strict=True):
                rounds.append(hall.ask(**job, token=token, count=CALLS))
    fast, slow = (median(r["rate"] for r in rounds) for rounds in seen)
    yield Row(
        what=f"call next through HTTP with {MANY:,} old tickets",
        ours=slow,
        unit="/s",
        limit=fast,
        of=f"/s with {FEW}",
        aim="≥ 0.8 ×",
        met=slow >= 0.8 * fast,
        note="3 windows, each finishing the ticket before",
    )
    called = [ticket for r in seen[1] for ticket in r["found"]]
    twice = len(called) - len(set(called))
    every = all(r["statuses"] == {"200": CALLS} for rounds in seen for r in rounds)
    yield Row(
        what=f"tickets called twice in {len(called):,}",
        ours=twice,
        unit="",
        aim="0",
        met=twice == 0 and every and len(called) == ROUNDS * CALLS,
        note="" if every else f"statuses {[r['statuses'] for rounds in seen for r in rounds]}",
    )

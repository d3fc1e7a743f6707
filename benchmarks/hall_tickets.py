"""Tickets issued through HTTP, each on the disk before it is answered; and never one number twice."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks import served
from benchmarks.row import Row

ROUNDS, TICKETS = 9, 1000
TOLD_APART = 10_000


def rows() -> Iterator[Row]:
    """Rate and slowest hundredth on one core, beside an empty route; duplicates over two processes."""
    with served.folder() as where, served.hall(where, with_empty=True) as hall:
        request = {"token": hall.token("kiosk"), "body": {"queue": "A"}, "count": TICKETS}
        ours, empty, raw = [], [], []
        for _ in range(ROUNDS + 1):  # in turns, so that both meet the same weather
            empty.append(hall.ask(path="/empty", **request))
            ours.append(hall.ask(path="/v1/tickets", **request))
            raw += served.commits(where, 400)
    del ours[0], empty[0]  # the first round warms up
    raw.sort()
    rate, floor = (median(r["rate"] for r in rounds) for rounds in (ours, empty))
    share = median(a["rate"] / b["rate"] for a, b in zip(ours, empty, strict=True))  # of neighbours in time
    yield Row(
        what="tickets through HTTP, durable, 8 clients, one core",
        ours=rate,
        unit="/s",
        limit=floor,
        of="/s empty Flask route, same server, same request",
        aim="≥ 0.4 × and ≥ 1,000/s",
        met=share >= 0.4 and rate >= 1000,
        note=f"{share:.2f} × in the median of {ROUNDS} pairs",
    )
    slowest, raw_slowest = median(r["p99"] for r in ours), raw[len(raw) * 99 // 100]
    yield Row(
        what="… their p99",
        ours=slowest,
        unit="ms",
        limit=raw_slowest,
        of="ms p99 of a raw durable commit",
        aim="≤ 20 ms or ≤ 4 ×",
        met=slowest <= max(20.0, 4 * raw_slowest),
    )
    yield _told_apart()


def _told_apart() -> Row:
    with served.folder() as where, served.hall(where, "--processes", "2", one_core=False) as hall:
        token = hall.token("kiosk")
        bodies = [{"queue": "ABCD"[n % 4]} for n in range(8)]
        seen = hall.ask(
            path="/v1/tickets", bodies=bodies, token=token, count=TOLD_APART, keys=True, find='"number":"([^"]+)"'
        )
        stored = hall.count("SELECT count(*) FROM tickets")
        numbers = hall.count("SELECT count(DISTINCT number) FROM tickets")
    twice = len(seen["found"]) - len(set(seen["found"]))
    return Row(
        what=f"numbers given twice in {TOLD_APART:,} from 8 clients over 2 processes",
        ours=twice,
        unit="",
        aim="0",
        met=twice == 0 and seen["statuses"] == {"201": TOLD_APART} and stored == numbers == TOLD_APART,
        note=f"{seen['rate']:,.0f}/s; stored {stored:,}",
    )

"""How much memory the hall takes after a busy week's tickets."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import served
from benchmarks.row import Row

TICKETS = 10_000


def rows() -> Iterator[Row]:
    """Resident memory after ten thousand tickets, beside the bare server's."""
    with served.folder() as where, served.hall(where) as hall, served.bare() as bare:
        bare.ask(method="GET", path="/empty", count=TICKETS)
        bodies = [{"queue": "ABCD"[n % 4]} for n in range(8)]
        before = hall.memory()
        hall.ask(path="/v1/tickets", bodies=bodies, token=hall.token("kiosk"), count=TICKETS, keys=True)
        ours, floor = hall.memory(), bare.memory()
    yield Row(
        what=f"memory of the hall process after {TICKETS:,} tickets",
        ours=ours,
        unit="MB",
        limit=floor,
        of="MB empty Flask on the same server",
        aim="≤ 80 MB",
        met=ours <= 80,
        note=f"{before:.0f} MB when it had just started",
    )

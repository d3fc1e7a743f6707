"""Prints the slips of one kiosk, one after the other, and tells the hall what became of each.

    queued ──▶ sending ──▶ confirmed   the printer says it is done
       │              ├──▶ sent        it was sent whole to a printer that by its nature never answers
       │              ├──▶ unknown     it may lie there: somebody looks, and prints it again when asked
       │              └──▶ failed      it is known not to be there
       └──▶ cancelled                  its number was given up before

"sending" is stored at the hall before the first byte leaves, so a slip is never printed twice by itself, whatever is
switched off in between.
"""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from devices.orders import Outcome
from devices.roles import Obeyed, PrintSlip, Refused, Unconfirmed
from hall_api.client import HallAway, HallClient, HallRefused

LOG = logging.getLogger(__name__)
FRESH = 120.0  # seconds after which a slip nobody printed is no longer wanted: its citizen has gone or read the screen
REMEMBERED = 1000  # jobs whose ids are kept, so that one told twice is printed once

SETTLED = {Obeyed: "confirmed", Unconfirmed: "unknown", Refused: "failed"}
SWITCHED_OFF = "The kiosk was switched off while it was printing: look at the slip."
GIVEN_UP = "The number was given up before its slip was printed."
TOO_LATE = "The kiosk or the hall was away when this slip was wanted: print it again if asked."

Send = Callable[[PrintSlip], Outcome]


@dataclass(frozen=True)
class Job:
    """A slip to be printed. `ahead` and `wait` are what the screen told the citizen; None: as it is when printed."""

    id: str
    ticket: str
    at: str  # when it was wanted, ISO
    again: bool = False
    ahead: int | None = None
    wait: int | None = None


class Slips:
    """The slips of the kiosk `kiosk`. `send` prints one and waits for its outcome; `settled` hears every change.

    `hall_time` gives seconds of Unix time by the hall's clock. `mute`: the printer is there, and of a kind that never
    answers, so that nobody need be asked about each slip.
    """

    def __init__(
        self,
        hall: HallClient,
        kiosk: str,
        send: Send,
        settled: Callable[[str, str, str], None],
        hall_time: Callable[[], float],
        stop: threading.Event,
        mute: Callable[[], bool] = lambda: False,
    ) -> None:
        self._hall, self._kiosk, self._send, self._settled = hall, kiosk, send, settled
        self._hall_time, self._stop, self._mute = hall_time, stop, mute
        self._wanted: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._taken: deque[str] = deque(maxlen=REMEMBERED)
        self._facts: Mapping[str, Any] = {}

    def hear(self, event: Mapping[str, Any]) -> None:
        """One event of the journal; prints when it is for our kiosk. Slips of a time long past are not printed."""
        kind, data = event["type"], event["data"]
        if kind not in ("TicketIssued", "SlipQueued") or not data.get("job") or data.get("kiosk") != self._kiosk:
            return
        self._take(
            Job(
                data["job"],
                data["ticket"],
                event["at"],
                again=kind == "SlipQueued",
                ahead=data.get("ahead"),
                wait=data.get("wait_minutes"),
            )
        )

    def catch_up(self, facts: Mapping[str, Any]) -> None:
        """After a start: what was under way may lie there; what never began is printed if it is still wanted.

        `facts` are what GET /v1/hall says. Raises HallAway, HallRefused.
        """
        self._facts = facts
        for job in self._hall.get("/print-jobs", kiosk=self._kiosk)["jobs"]:
            if job["id"] in self._taken:
                continue
            if job["state"] == "sending":
                self._taken.append(job["id"])
                self._settle(job["id"], "unknown", SWITCHED_OFF)
            else:
                self._take(Job(job["id"], job["ticket"], job["at"], again=bool(job["first"])))

    def run(self) -> None:
        """Print until closed; for a thread of its own."""
        while (job := self._wanted.get()) is not None:
            try:
                self._print(job)
            except HallRefused as no:
                LOG.error("job %s: the hall refused a question about its slip: %s", job.id, no.code)

    def close(self) -> None:
        """Have `run` return after the slip under way."""
        self._wanted.put(None)

    def _take(self, job: Job) -> None:
        """The journal and the list of unfinished jobs may both tell of one job."""
        if job.id not in self._taken:
            self._taken.append(job.id)
            self._wanted.put(job)

    def _print(self, job: Job) -> None:
        ticket = self._patiently(lambda: self._hall.get(f"/tickets/{job.ticket}"))
        if ticket is None:
            return
        if ticket["state"] in ("cancelled", "expired"):
            self._settle(job.id, "cancelled", GIVEN_UP)
            return
        if not self._is_fresh(job):
            self._settle(job.id, "failed", TOO_LATE)
            return
        if self._settle(job.id, "sending", "") != "sending":  # settled by somebody else, or we are being stopped
            return
        outcome = self._send(self._slip(job, ticket))
        state = SETTLED[type(outcome)]
        if state == "unknown" and self._mute():
            state = "sent"
        self._settle(job.id, state, getattr(outcome, "reason", ""))

    def _is_fresh(self, job: Job) -> bool:
        """Whether somebody may still stand there and wait for it: by the hall's clock, ours may be wrong."""
        return self._hall_time() - seconds_of(job.at) < FRESH

    def _slip(self, job: Job, ticket: Mapping[str, Any]) -> PrintSlip:
        issued = datetime.fromisoformat(ticket["issued_at"])
        return PrintSlip(
            id=job.id,
            hall=self._facts["name"],
            service=ticket["service_name"] or ticket["queue_name"],
            number=ticket["number"],
            ahead=(ticket["ahead"] or 0) if job.ahead is None else job.ahead,
            wait_minutes=ticket["wait_minutes"] if job.wait is None else job.wait,
            zone=ticket["zone"],
            time=f"{issued.astimezone(ZoneInfo(self._facts['time_zone'])):%Y-%m-%d %H:%M}",
            url=ticket["url"],
            complaint_phone=self._facts["complaint_phone"],
            reprint=job.again,
        )

    def _settle(self, job: str, state: str, reason: str) -> str:
        """Tell the hall; what the job is there now, or "" when we are being stopped."""
        key, body = f"{job}-{state}-{uuid.uuid4()}", {"state": state, "reason": reason}
        now = self._patiently(lambda: self._hall.post(f"/print-jobs/{job}", body, key=key))
        if now is None:
            return ""
        self._settled(job, state, reason)
        return str(now["state"])

    def _patiently(self, ask: Callable[[], dict[str, Any] | None]) -> dict[str, Any] | None:
        """Ask again until the hall is there; None only when this machine is being stopped."""
        while not self._stop.is_set():
            try:
                return ask()
            except HallAway:
                self._stop.wait(0.5)
        return None


def seconds_of(iso: str) -> float:
    """Unix time of a moment in ISO 8601."""
    return datetime.fromisoformat(iso).timestamp()

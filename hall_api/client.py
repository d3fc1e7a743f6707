"""Asking the hall from another program: one call for each door a machine needs, safe to repeat, and the live feed.

Only the standard library. Every order carries an idempotency key, so that an order whose answer was lost on the way
is asked again and happens once.
"""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Json = dict[str, Any]
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0  # seconds between two attempts to follow the feed
SILENCE = 40.0  # seconds: the hall sends a comment every 15, so after this the cable is dead


class HallRefused(Exception):
    """The hall said no: `status` of HTTP, `code` for programs, `detail` is a sentence fit to show."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{detail} ({status} {code})")
        self.status, self.code, self.detail = status, code, detail


class HallAway(Exception):
    """The hall gave no answer: nobody knows whether the order was carried out, unless it is asked again by its key."""


class HallClient:
    """One hall at `base_url`, asked with `token`. Safe for several threads: each keeps a connection of its own."""

    def __init__(self, base_url: str, token: str = "", timeout: float = 5.0, *, language: str = "zh-CN") -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the hall's address should look like http://10.0.0.5:8000, got {base_url!r}")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._base, self._timeout = parts.path.rstrip("/"), timeout
        self._headers = {"Accept": "application/json", "Accept-Language": language}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._mine = threading.local()

    # --- any door

    def get(self, path: str, **query: object) -> Json:
        """Look at a door of docs/api.md, like "/board". Raises HallRefused, HallAway."""
        asked = {name: value for name, value in query.items() if value is not None}
        answer = self._ask("GET", path + (f"?{urlencode(asked)}" if asked else ""), None, self._headers)
        return answer or {}

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None) -> Json | None:
        """Ask for something; None when there is nothing to tell. `key`: what makes a repetition the same order."""
        headers = {**self._headers, "Idempotency-Key": key or secrets.token_hex(16), "Content-Type": "application/json"}
        return self._ask("POST", path, json.dumps(body or {}).encode(), headers)

    # --- the doors machines need

    def hall(self) -> Json:
        """Name, rules and priority classes."""
        return self.get("/hall")

    def services(self) -> Json:
        """Categories with their service items."""
        return self.get("/services")

    def queues(self) -> list[Json]:
        """Queues, who waits and how long."""
        return list(self.get("/queues")["queues"])

    def windows(self) -> list[Json]:
        """Windows and what they do."""
        return list(self.get("/windows")["windows"])

    def window(self, no: int) -> Json:
        """One window."""
        return self.get(f"/windows/{no}")

    def waiting(self, no: int) -> Json:
        """Who waits for a window, who is held, who was passed."""
        return self.get(f"/windows/{no}/waiting")

    def ticket(self, ticket: str) -> Json:
        """One ticket by id."""
        return self.get(f"/tickets/{quote(ticket, safe='')}")

    def tickets(self, number: str) -> list[Json]:
        """Today's tickets with a number."""
        return list(self.get("/tickets", number=number)["tickets"])

    def issue(
        self,
        *,
        queue: str | None = None,
        service: str | None = None,
        priority: str | None = None,
        kiosk: str | None = None,
        key: str | None = None,
    ) -> Json:
        """A new ticket."""
        body = {"queue": queue, "service": service, "priority": priority, "kiosk": kiosk}
        return self.post("/tickets", body, key=key) or {}

    def call_next(self, window: int, *, finish: str | None = None, key: str | None = None) -> Json | None:
        """The next ticket at a window; None when nobody waits."""
        return self.post(f"/windows/{window}/call-next", {"finish": finish}, key=key)

    def call(self, window: int, number: str, *, finish: str | None = None, key: str | None = None) -> Json:
        """Call one number to a window."""
        return self.post(f"/windows/{window}/call", {"number": number, "finish": finish}, key=key) or {}

    def at_window(self, window: int, verb: str, *, key: str | None = None, **body: Any) -> Json:
        """open, pause, resume or close a window."""
        return self.post(f"/windows/{window}/{verb}", body, key=key) or {}

    def at_ticket(self, ticket: str, verb: str, *, key: str | None = None, **body: Any) -> Json:
        """recall, pass, rejoin, start, hold, resume, transfer, finish, cancel, verify-priority, reprint."""
        return self.post(f"/tickets/{quote(ticket, safe='')}/{verb}", body, key=key) or {}

    def rate(
        self,
        ticket: str,
        grade: int,
        *,
        channel: str = "evaluator",
        options: Sequence[str] = (),
        key: str | None = None,
    ) -> Json:
        """Rate a finished visit; HallRefused 409 when it is rated already."""
        return self.at_ticket(ticket, "rate", key=key, grade=grade, channel=channel, options=list(options))

    def settle_job(self, job: str, state: str, reason: str = "", *, key: str | None = None) -> Json:
        """Tell what became of a print job."""
        return self.post(f"/print-jobs/{quote(job, safe='')}", {"state": state, "reason": reason}, key=key) or {}

    def report_devices(self, machine: str, devices: Sequence[Mapping[str, Any]]) -> None:
        """Tell the state of a machine's devices."""
        self.post("/devices", {"machine": machine, "devices": [dict(device) for device in devices]})

    def events(self, after: int, limit: int = 500) -> list[Json]:
        """Events after a sequence number, at once."""
        return list(self.get("/events", after=after, limit=limit, wait=0)["events"])

    def healthy(self) -> Json:
        """`{"status", "seq", "version"}`; HallAway when the hall does not answer."""
        return self.get("/healthz")

    # --- the feed

    def follow(
        self,
        after: int | None,
        on_event: Callable[[Json], None],
        stop: threading.Event,
        *,
        on_contact: Callable[[bool], None] = lambda there: None,
    ) -> None:
        """Hear every event after `after` (None: from now on), in order, each once, until `stop` is set.

        Comes back by itself when the hall was away, with pauses of 0.2 to 2 s. `on_contact` hears when the hall
        was found and when it was lost. Raises HallRefused when the hall knows the token no more.
        """
        if after is None:
            after = self._now_at(stop)
        pause = FIRST_PAUSE
        while not stop.is_set():
            met: list[bool] = []

            def contact(there: bool, met: list[bool] = met) -> None:
                met.append(there)
                on_contact(there)

            try:
                for event in self._stream(after, stop, contact):
                    if event["seq"] > after:
                        on_event(event)
                        after = event["seq"]
            except HallAway:
                pass
            on_contact(False)
            pause = FIRST_PAUSE if met else min(pause * 2, LONGEST_PAUSE)
            stop.wait(pause)

    def _now_at(self, stop: threading.Event) -> int:
        """Where the journal is now: so that what happens during a lost connection is not lost."""
        while not stop.is_set():
            with suppress(HallAway):
                return int(self.healthy()["seq"])
            stop.wait(FIRST_PAUSE)
        return 0

    def _stream(self, after: int, stop: threading.Event, on_contact: Callable[[bool], None]) -> Iterator[Json]:
        connection = self._connect(SILENCE)
        headers = {**self._headers, "Accept": "text/event-stream", "Last-Event-ID": str(after)}
        watch = threading.Thread(target=_hang_up, args=(connection, stop), daemon=True)
        try:
            connection.request("GET", f"{self._base}/v1/events", headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                _refuse(answer.status, answer.read())
            on_contact(True)
            watch.start()
            while line := answer.readline():
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as trouble:
            # AttributeError: http.client's own, when the watcher has closed the socket under its hands
            raise HallAway(str(trouble)) from trouble
        finally:
            connection.close()

    # --- the wire

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=timeout)
        try:
            connection.connect()
        except OSError as trouble:
            raise HallAway(f"no answer from {self._host}: {trouble}") from trouble
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Json | None:
        """One question; asked once more over a new connection when the old one was lost. Orders carry a key."""
        for attempt in (1, 2):
            connection: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
            try:
                if connection is None:
                    connection = self._mine.connection = self._connect(self._timeout)
                connection.request(method, f"{self._base}/v1{path}", body, dict(headers))
                answer = connection.getresponse()
                status, raw = answer.status, answer.read()
                break
            except (OSError, http.client.HTTPException) as trouble:
                if connection is not None:
                    connection.close()
                self._mine.connection = None
                if attempt == 2 or isinstance(trouble, TimeoutError):
                    raise HallAway(f"no answer from {self._host}: {trouble}") from trouble
        if status >= 400:
            _refuse(status, raw)
        return _read(raw) if raw else None


def _hang_up(connection: http.client.HTTPConnection, stop: threading.Event) -> None:
    """Ends a blocking read when its reader is told to stop."""
    while connection.sock is not None:
        if stop.wait(0.5):
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)
            return


def _read(raw: bytes) -> Json:
    try:
        value = json.loads(raw)
    except ValueError as trouble:
        raise HallAway("something answered, but not the hall") from trouble
    return value if isinstance(value, dict) else {}


def _refuse(status: int, raw: bytes) -> None:
    try:
        problem = json.loads(raw)
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        if status >= 500:
            raise HallAway(f"HTTP {status}, and not in the hall's words") from None
        code, detail = f"http_{status}", f"HTTP {status}"
    if status in (502, 503, 504):
        raise HallAway(detail)
    raise HallRefused(status, code, detail)


__all__ = ["HallAway", "HallClient", "HallRefused"]

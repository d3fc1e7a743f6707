"""One call, a thousand screens: how late the last of them hears it, and what a screen costs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from benchmarks import served
from benchmarks.row import Row

SCREENS, CALLS = 1000, 40
PAUSE = 0.15  # seconds between two calls
LINE = b'id: 1\ndata: {"seq": 1, "at": "", "type": "TicketCalled", "data": {"number": "%s", "window": 1}}\n\n'


class Screens:
    """A thousand listeners in a process of their own."""

    def __init__(self, port: int, token: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "benchmarks/listen.py", str(port), str(SCREENS), token],
            cwd=served.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=served.on(served.LAST),
        )
        assert self.process.stdout
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the screens did not get their feeds")

    def heard(self) -> dict[str, list[float]]:
        """When each call arrived at each of them."""
        out, _ = self.process.communicate(timeout=30)
        calls: dict[str, list[float]] = json.loads(out)
        return calls


def rows() -> Iterator[Row]:
    """Latency and memory, beside a bare loop over a thousand sockets."""
    with served.folder() as where, served.hall(where) as hall:
        kiosk, clerk, screen = (hall.token(role) for role in ("kiosk", "clerk", "screen"))
        hall.ask(path="/v1/tickets", body={"queue": "A"}, token=kiosk, count=CALLS, clients=1)
        before = hall.memory()
        screens = Screens(hall.port, screen)
        time.sleep(0.5)
        each = (hall.memory() - before) * 1024 / SCREENS
        called = _calls(hall, clerk)
        time.sleep(1)
        heard = screens.heard()
    late = sorted((at - called[number]) * 1e3 for number, times in heard.items() for at in times)
    complete = len(late) == SCREENS * CALLS
    bare = _bare_loop()
    p99 = late[len(late) * 99 // 100]
    yield Row(
        what=f"one call heard by {SCREENS:,} screens, p99 from the clerk's touch",
        ours=p99,
        unit="ms",
        limit=bare,
        of="ms p99, bare loop over as many sockets",
        aim="≤ 100 ms",
        met=complete and p99 <= 100,
        note=f"p50 {late[len(late) // 2]:.0f} ms; {len(late):,} of {SCREENS * CALLS:,} heard",
    )
    yield Row(what="… memory a screen", ours=each, unit="KB", aim="≤ 100 KB", met=each <= 100)


def _calls(hall: served.HallServer, token: str) -> dict[str, float]:
    """Call one after the other; the moment each was asked for."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", hall.port)
    asked = {}
    for _ in range(CALLS):
        time.sleep(PAUSE)
        now = time.monotonic()
        connection.request(
            "POST", "/v1/windows/1/call-next", '{"finish": "done"}', {"Authorization": f"Bearer {token}"}
        )
        asked[json.loads(connection.getresponse().read())["number"]] = now
    connection.close()
    return asked


def _bare_loop() -> float:
    """p99 when a loop sends the same line to as many sockets, ms."""
    with socket.create_server(("127.0.0.1", 0), backlog=SCREENS) as server:
        feeds: list[socket.socket] = []

        def accept() -> None:
            for _ in range(SCREENS):
                feed, _ = server.accept()
                feed.recv(4096)
                feed.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                feeds.append(feed)

        thread = threading.Thread(target=accept)
        thread.start()
        screens = Screens(server.getsockname()[1], "bare")
        thread.join()
        sent = {}
        for call in range(CALLS):
            time.sleep(PAUSE)
            name = f"X{call}"
            sent[name] = time.monotonic()
            for feed in feeds:
                feed.send(LINE % name.encode())
        time.sleep(0.5)
        heard = screens.heard()
        for feed in feeds:
            feed.close()
    late = sorted((at - sent[name]) * 1e3 for name, times in heard.items() for at in times)
    return late[len(late) * 99 // 100]

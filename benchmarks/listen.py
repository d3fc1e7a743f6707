"""Many screens in one process: opens as many feeds, notes when each hears each call.

    python -P listen.py PORT COUNT TOKEN      prints `ready`, then, when standard input ends, {"number": [seconds, …]}

Times are CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import json
import re
import resource
import select
import socket
import sys
import time

CALL = re.compile(rb'"type": ?"TicketCalled".*?"number": ?"([^"]+)"')


def main(port: int, count: int, token: str) -> None:
    """Listen until standard input ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
    request = f"GET /v1/events HTTP/1.1\r\nHost: hall\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    poll = select.epoll()
    screens = {}
    for _ in range(count):
        screen = socket.create_connection(("127.0.0.1", port))
        screen.sendall(request)
        if not screen.recv(4096).startswith(b"HTTP/1.1 200"):
            raise SystemExit("no feed")
        screens[screen.fileno()] = screen
        poll.register(screen.fileno(), select.EPOLLIN)
    print("ready", flush=True)
    heard: dict[str, list[float]] = {}
    poll.register(0, select.EPOLLIN | select.EPOLLHUP)
    while True:
        for number, _ in poll.poll():
            if number == 0:
                json.dump(heard, sys.stdout)
                return
            raw = screens[number].recv(65536)
            if not raw:
                raise SystemExit("a feed ended")
            now = time.monotonic()
            for call in CALL.findall(raw):
                heard.setdefault(call.decode(), []).append(now)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

"""Asks the hall as fast as it answers, over a few kept connections, from a process of its own.

Raw sockets and as little work as possible, so that what is measured is the hall. Reads a job as JSON from standard
input, writes what happened as JSON:

    {"port", "clients", "count", "method", "path", "paths" (one for each client), "token", "body", "bodies", "keys"}
    {"seconds", "rate", "p50", "p99", "statuses": {"201": n}, "found": […]}          times in milliseconds
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import time
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


class Client:
    """One kept connection with at most one question under way."""

    def __init__(self, number: int, job: dict[str, Any]) -> None:
        self.number, self.job = number, job
        self.socket = socket.create_connection(("127.0.0.1", job["port"]))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.asked = 0.0
        body = job.get("bodies", [job.get("body")] * (number + 1))[number]
        self.body = b"" if body is None else json.dumps(body).encode()
        path = job.get("paths", [job.get("path")] * (number + 1))[number]
        head = f"{job.get('method', 'POST')} {path} HTTP/1.1\r\nHost: hall\r\n"
        if job.get("token"):
            head += f"Authorization: Bearer {job['token']}\r\n"
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        self.head = head.encode()

    def ask(self, question: int) -> None:
        """Send the question; its number makes its idempotency key."""
        key = b"Idempotency-Key: bench-%d\r\n" % question if self.job.get("keys") else b""
        self.asked = time.perf_counter()
        self.socket.sendall(self.head + key + b"\r\n" + self.body)

    def answered(self) -> tuple[int, bytes] | None:
        """Status and body when the whole answer is there."""
        raw = self.socket.recv(65536)
        if not raw:
            raise SystemExit("the hall hung up")
        self.buffer += raw
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        length = LENGTH.search(head)
        if length and len(body) < int(length[1]):
            return None
        self.buffer = b""
        return int(head[9:12]), body


def run(job: dict[str, Any]) -> dict[str, Any]:
    """All questions, as fast as they are answered."""
    clients = {c.socket.fileno(): c for c in (Client(n, job) for n in range(job["clients"]))}
    poll = select.epoll()
    for number in clients:
        poll.register(number, select.EPOLLIN)
    find = re.compile(job["find"].encode()) if job.get("find") else None
    times: list[float] = []
    statuses: dict[int, int] = {}
    found: list[str] = []
    asked, started = 0, time.perf_counter()
    for client in list(clients.values())[: job["count"]]:
        client.ask(asked)
        asked += 1
    while len(times) < job["count"]:
        for number, _ in poll.poll():
            client = clients[number]
            answer = client.answered()
            if answer is None:
                continue
            times.append(time.perf_counter() - client.asked)
            statuses[answer[0]] = statuses.get(answer[0], 0) + 1
            if find and (match := find.search(answer[1])):
                found.append(match[1].decode())
            if asked < job["count"]:
                client.ask(asked)
                asked += 1
    seconds = time.perf_counter() - started
    times.sort()
    return {
        "seconds": seconds,
        "rate": len(times) / seconds,
        "p50": times[len(times) // 2] * 1e3,
        "p99": times[len(times) * 99 // 100] * 1e3,
        "statuses": statuses,
        "found": found,
    }


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)

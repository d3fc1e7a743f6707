"""As much HTTP/1.1 as IPP needs (RFC 9112): a request with a body, and answers or requests cut out of what arrives."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_HEAD, MOST_BODY = 16_384, 262_144  # bytes of an answer; a print service never says more
_START = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n")
_ASK = re.compile(rb"POST (/[^ \r\n]*) HTTP/1\.[01]\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,6})[^\r\n]*\r\n")


@dataclass(frozen=True)
class Answer:
    """A whole answer: the status and the body."""

    status: int
    body: bytes


def post(path: str, body: bytes) -> bytes:
    """A request whose body is IPP."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/ipp\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode("ascii") + body


def respond(body: bytes, status: int = 200, chunked: bool = False) -> bytes:
    """An answer, as a print service gives it."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/ipp\r\n"
    if chunked:
        parts = [body[at : at + 100] for at in range(0, len(body), 100)]
        cut = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + cut + b"0\r\n\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Cutter:
    """Cuts answers, or at the print service's side requests, out of a stream. `junk` counts bytes of neither."""

    def __init__(self, requests: bool = False, most: int = MOST_BODY) -> None:
        self._start, self._most, self._mark = (_ASK, most, b"POST /") if requests else (_START, most, b"HTTP/1.")
        self._held = bytearray()
        self._wait = 0  # bytes that must be held before it is worth looking again
        self.junk = 0

    def clear(self) -> None:
        """Forget what is not whole."""
        self._held.clear()
        self._wait = self.junk = 0

    def feed(self, data: bytes) -> list[Answer]:
        """Every whole answer; at the service's side status 0."""
        self._held += data
        if len(self._held) < self._wait:
            return []
        answers: list[Answer] = []
        at, self._wait = 0, 0
        while at < len(self._held):
            found = self._held.find(self._mark, at)
            if found < 0:
                found = max(at, len(self._held) - len(self._mark) + 1)
                self.junk += found - at
                at = found
                break
            self.junk += found - at
            at = found
            end, answer = self._one(at)
            if end == 0:
                break
            if answer is None:
                self.junk += len(self._mark)
                at += len(self._mark)
                continue
            at = end
            if answer.status != 100:  # "continue" stands before the answer itself
                answers.append(answer)
                self.junk = 0
        del self._held[:at]
        self._wait = max(0, self._wait - at)
        return answers

    def _one(self, at: int) -> tuple[int, Answer | None]:
        """Where the answer at `at` ends, and it; (0, None): more must come; (-1, None): it is none."""
        stop = self._held.find(b"\r\n\r\n", at, at + MOST_HEAD)
        if stop < 0:
            return (0, None) if len(self._held) - at < MOST_HEAD else (-1, None)
        start = self._start.match(self._held, at)
        head = self._held[at : stop + 4]
        if not start:
            return -1, None
        status = 0 if self._start is _ASK else int(start[1])
        if _CHUNKED.search(head):
            return self._chunks(stop + 4, status)
        length = _LENGTH.search(head)
        if length is None and status not in (100, 204):
            return (-1, None) if status == 200 else (stop + 4, Answer(status, b""))
        end = stop + 4 + (int(length[1]) if length else 0)
        if end - stop > self._most:
            return -1, None
        if end > len(self._held):
            self._wait = end
            return 0, None
        return end, Answer(status, bytes(self._held[stop + 4 : end]))

    def _chunks(self, at: int, status: int) -> tuple[int, Answer | None]:
        body = b""
        while found := _CHUNK.match(self._held, at):
            size = int(found[1], 16)
            end = found.end() + size + 2
            if len(body) + size > self._most:
                return -1, None
            if end > len(self._held):
                return 0, None
            if self._held[end - 2 : end] != b"\r\n":
                return -1, None
            if not size:
                return end, Answer(status, body)
            body += self._held[found.end() : end - 2]
            at = end
        return (0, None) if len(self._held) - at < 16 else (-1, None)

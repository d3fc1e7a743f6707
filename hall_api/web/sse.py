"""The live feed: the newest journal lines, written out once for all screens that listen for them.

No screen has a queue of its own. Each remembers the last line it was sent; what it misses is taken from the newest
lines kept here, or from the journal when it was away for longer. So a slow screen costs no memory: it is let go when
its cable takes nothing for a while, and resumes by `Last-Event-ID`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING

from gevent import get_hub
from gevent.event import Event

if TYPE_CHECKING:
    from hall_api.hall import Hall
    from hall_api.storage.unit import Told

KEPT = 2048  # newest lines in memory, at half a kilobyte a line (at most twice as many between two cuts)
PAGE = 200  # lines sent at a time to somebody who was away for longer
SHARED = 16  # places in the journal for which the joined lines are kept: nearly all screens stand at the same one
QUIET = 15.0  # seconds without news until a comment says that the cable is still there
HELLO = b"retry: 1000\n\n"
HEARTBEAT = b": still here\n\n"

_PUBLIC = ("public",)
_STAFF = ("public", "staff")
_MANAGER = ("public", "staff", "manager")
_HEARD = {"clerk": _STAFF, "kiosk": _STAFF, "window": _STAFF, "manager": _MANAGER, "technician": _MANAGER}


def audiences(role: str) -> tuple[str, ...]:
    """What this role may hear."""
    return _HEARD.get(role, _PUBLIC)


def written(told: Told) -> bytes:
    """One journal line as it goes over the wire."""
    return f"id: {told.seq}\ndata: {told.text()}\n\n".encode()


class Feed:
    """The newest lines of the journal in this process, and everybody who waits for the next one.

    All but `_heard` runs in the server's own thread.
    """

    def __init__(self, hall: Hall, *, kept: int = KEPT, page: int = PAGE, quiet: float = QUIET) -> None:
        self._hall, self._kept, self._page, self._quiet = hall, kept, page, quiet
        self._loop, self._home = get_hub().loop, get_ident()
        self._news = Event()
        self._seqs: list[int] = []
        self._lines: list[Told] = []
        self._joined: dict[tuple[int, tuple[str, ...]], tuple[int, bytes]] = {}
        self._closed = False
        self.listeners = 0
        self.head = hall.last_seq()  # newest line heard here
        self._floor = self.head  # every line after this one and up to head is kept here
        self._stop = hall.follow(self._heard)

    def close(self) -> None:
        """Hear no more, and end every stream."""
        self._stop()
        self._closed = True
        self._news.set()

    def stream(
        self, after: int | None, heard: Sequence[str], still_welcome: Callable[[], bool] = lambda: True
    ) -> Iterator[bytes]:
        """Bytes for one screen, for as long as it listens; `still_welcome` is asked in every quiet moment."""
        return self._stream(self._hall.last_seq() if after is None else after, tuple(heard), still_welcome)

    def _stream(self, sent: int, heard: tuple[str, ...], still_welcome: Callable[[], bool]) -> Iterator[bytes]:
        self.listeners += 1
        quiet_until = monotonic() + self._quiet
        try:
            yield HELLO
            while not self._closed:
                sent, chunk = self._after(sent, heard)
                patience = quiet_until - monotonic()
                if not chunk and patience > 0:
                    self._wait(sent, patience)
                    continue
                if not chunk and not still_welcome():
                    return
                yield chunk or HEARTBEAT
                quiet_until = monotonic() + self._quiet
        finally:
            self.listeners -= 1

    def _wait(self, sent: int, patience: float) -> None:
        """Until there is news after `sent`, or patience (seconds) is at its end."""
        if self.head <= sent:
            self._news.wait(patience)

    def _after(self, sent: int, heard: tuple[str, ...]) -> tuple[int, bytes]:
        """The next lines after `sent` for these audiences, and up to where they reach."""
        if sent < self._floor:
            page = self._hall.events(sent, self._page, heard)
            if page:
                return page[-1].seq, b"".join(map(written, page))
            sent = self._floor  # nothing for these ears in what the journal alone has
        if sent >= self.head:
            return sent, b""
        shared = self._joined.get((sent, heard))
        if shared is not None:
            return shared
        start = bisect_right(self._seqs, sent)
        lines = self._lines[start : start + self._page]
        chunk = b"".join(written(told) for told in lines if told.audience in heard)
        answer = self._seqs[start + len(lines) - 1], chunk
        if len(self._joined) < SHARED:
            self._joined[sent, heard] = answer
        return answer

    def _heard(self, lines: Sequence[Told]) -> None:
        """Called in the hub, or from the journal's thread where the store was opened for threads."""
        if get_ident() == self._home:
            self._keep(lines)
        else:
            self._loop.run_callback_threadsafe(self._keep, lines)

    def _keep(self, lines: Sequence[Told]) -> None:
        new = [told for told in lines if told.seq > self.head]
        if not new:
            return
        if not self._seqs:
            self._floor = max(self._floor, new[0].seq - 1)
        self._seqs += [told.seq for told in new]
        self._lines += new
        if len(self._seqs) > 2 * self._kept:  # cut seldom, in one piece
            self._floor = self._seqs[-self._kept - 1]
            del self._seqs[: -self._kept], self._lines[: -self._kept]
        self.head = self._seqs[-1]
        self._joined.clear()
        self._news.set()  # wakes everyone who waits now …
        if not self._closed:
            self._news.clear()  # … and nobody who comes later

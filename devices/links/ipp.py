"""A print service on the network: a connection for each question, as HTTP has it, shown to the driver as one cable.

`ipp://127.0.0.1:631`. Services hang up when they have answered, or after some idle seconds; that is no lost cable. It
is lost when the service cannot be reached, or hangs up on a question before it has begun to answer.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from devices.links.base import Link, LinkAbsent, LinkLost, LinkMistake, LinkText
from devices.links.tcp import TcpLink

PORT = 631


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow()
    if target.path not in ("", "/"):
        raise LinkMistake(f"link {target.text!r}: the queue is an option of the driver, nothing follows the port")
    replace(target, port=target.port or PORT).reach("ipp://HOST or ipp://HOST:PORT")


class IppLink(Link):
    """See Link. A write is a whole question."""

    wakes = True

    def __init__(self, target: LinkText) -> None:
        self._target = replace(target, port=target.port or PORT)
        self._bell = threading.Event()
        self._link: TcpLink | None = TcpLink(self._target)
        self._asked = self._answered = False

    def read(self, timeout: float) -> bytes:
        """See Link."""
        link = self._link
        if link is None:
            self._bell.wait(max(0.0, timeout))
            self._bell.clear()
            return b""
        try:
            data = link.read(timeout)
        except LinkLost:
            self._hang_up()
            if self._asked and not self._answered:
                raise
            return b""
        self._answered = self._answered or bool(data)
        return data

    def write(self, data: bytes) -> None:
        """See Link. Puts the question on a connection of its own."""
        if self._asked:
            self._hang_up()
        if self._link is None:
            try:
                self._link = TcpLink(self._target)
            except LinkAbsent as absence:
                raise LinkLost(absence.reason) from absence
        self._asked, self._answered = True, False
        self._link.write(data)

    def wake(self) -> None:
        """See Link."""
        self._bell.set()
        link = self._link
        if link is not None:
            link.wake()

    def close(self) -> None:
        """See Link."""
        self._hang_up()

    def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

"""A serial port of another machine, with its speed and parity, over the network: `rfc2217://10.1.2.3:4001?baud=9600`.

Serial servers speak this protocol (RFC 2217, Telnet's COM port option) when the speed of their port is to be set from
afar. Where the server's own page sets the speed, a plain `socket://` is enough.
"""

from __future__ import annotations

import contextlib
import socket
import time

import serial
from serial import rfc2217

from config.words import Sentence, words_of
from devices.links.base import Link, LinkAbsent, LinkLost, LinkText
from devices.links.serial_port import LINE, line_of
from devices.links.tcp import keep_alive

AWAY = "The serial server {where} cannot be reached; check its power and network cable."
UNWILLING = (
    "The serial server {where} does not speak RFC 2217 or refuses this speed and parity; look at the settings of its"
    " port."
)
ANSWER = 3.0  # seconds a server is given to agree to a setting
MOST = 500_000  # bytes that may wait to be read: pyserial takes in whatever comes, however slowly we read
STEP = 0.05  # seconds of one look: another time-out for each would be negotiated with the server each time


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow(*LINE)
    target.reach("rfc2217://HOST:PORT")
    line_of(target)


class Rfc2217Link(Link):
    """An open port of a serial server. pyserial reads it in a thread of its own, which ends with `close`."""

    def __init__(self, target: LinkText, default_baud: int) -> None:
        line = line_of(target, default_baud)
        where = f"{target.host}:{target.port}"
        try:
            self._port = rfc2217.Serial(f"rfc2217://{where}?timeout={ANSWER:g}", timeout=STEP, **line)
        except (serial.SerialException, OSError, ValueError) as e:
            far = str(e).startswith("Could not open")
            raise LinkAbsent(Sentence(AWAY if far else UNWILLING, where=where)) from e
        # pyserial sets no keep-alive, and its socket is its own affair; without, only a write notices a dead server.
        connection = getattr(self._port, "_socket", None)
        if isinstance(connection, socket.socket):
            keep_alive(connection)
        self.seconds_per_byte = 11 / line["baudrate"]

    def read(self, timeout: float) -> bytes:
        """See Link."""
        deadline = time.monotonic() + timeout
        try:
            if self._port.in_waiting > MOST:
                raise LinkLost(Sentence("the serial server sent more than can be heard"))
            while time.monotonic() < deadline or self._port.in_waiting:
                if first := self._port.read(1):
                    return bytes(first + self._port.read(self._port.in_waiting))
            return b""
        except (serial.SerialException, OSError) as e:
            raise LinkLost(Sentence("the serial server hung up ({why})", why=words_of(e))) from e

    def write(self, data: bytes) -> None:
        """See Link."""
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as e:
            raise LinkLost(Sentence("the serial server took no more bytes ({why})", why=words_of(e))) from e

    def close(self) -> None:
        """See Link."""
        with contextlib.suppress(serial.SerialException, OSError):
            self._port.close()

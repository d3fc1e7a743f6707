"""A serial cable: a port of this machine, a USB adapter, or a pseudo-terminal.

`serial:///dev/ttyS0?baud=9600&parity=N&bits=8&stop=1&flow=none`; `serial://by-path/PATH` is the USB socket something
is plugged into (udev's ID_PATH or the bus position such as `1-2:1.0`), `serial://by-serial/NUMBER` is the adapter
itself. The two last never depend on the order in which adapters were found (ttyUSB0, ttyUSB1 …).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import Protocol

import serial
from serial.tools import list_ports

from devices.links.base import FileLink, LinkAbsent, LinkMistake, LinkText

BY_PATH = "/dev/serial/by-path"


class Port(Protocol):
    """What we look at in a port of pyserial's list."""

    device: str
    serial_number: str | None
    location: str | None


class SerialLink(FileLink):
    """An open serial port, ours alone."""

    def __init__(self, target: LinkText, default_baud: int) -> None:
        target.allow("baud", "parity", "bits", "stop", "flow")
        flow = target.choice("flow", "none", ("none", "rtscts", "xonxoff", "dsrdtr"))
        baud = target.number("baud", default_baud, least=50)
        parity = target.choice("parity", "N", ("N", "E", "O", "M", "S"))
        bits = int(target.choice("bits", "8", ("5", "6", "7", "8")))
        stop = float(target.choice("stop", "1", ("1", "1.5", "2")))
        node = find_node(target)
        try:
            self._port = serial.Serial(
                node,
                baudrate=baud,
                parity=parity,
                bytesize=bits,
                stopbits=stop,
                exclusive=True,
                rtscts=flow == "rtscts",
                xonxoff=flow == "xonxoff",
                dsrdtr=flow == "dsrdtr",
            )
        except (serial.SerialException, OSError, ValueError) as e:
            raise LinkAbsent(why_absent(node, e)) from e
        super().__init__(self._port.fileno())
        self.seconds_per_byte = 11 / baud if not _pseudo(node) else 0.0

    def _let_go(self) -> None:
        with contextlib.suppress(serial.SerialException, OSError):  # an unplugged port may fail to close
            self._port.close()


def find_node(target: LinkText, ports: Iterable[Port] | None = None) -> str:
    """The device node this link means now. Raises LinkAbsent when nothing fits, or more than one adapter does."""
    if target.host == "":
        if not target.path.startswith("/dev/") and not target.path.startswith("/"):
            raise LinkMistake(f"link {target.text!r}: write the whole path of the port: serial:///dev/ttyS0")
        return target.path
    wanted = target.path.strip("/")
    if target.host not in ("by-path", "by-serial") or not wanted:
        raise LinkMistake(
            f"link {target.text!r}: write serial:///dev/NAME, serial://by-path/PATH or serial://by-serial/NUMBER"
        )
    present = list(list_ports.comports() if ports is None else ports)
    if target.host == "by-serial":
        found = [p.device for p in present if p.serial_number == wanted]
    else:
        udev = os.path.join(BY_PATH, wanted)
        found = [os.path.realpath(udev)] if os.path.exists(udev) else []
        found = found or [p.device for p in present if p.location == wanted]
    if not found:
        what = "serial number" if target.host == "by-serial" else "USB position"
        raise LinkAbsent(f"No adapter with {what} {wanted} is plugged in; check its USB cable.")
    if len(found) > 1:
        raise LinkAbsent(f"{', '.join(found)} share the serial number {wanted}; name the port by-path instead.")
    return found[0]


def why_absent(node: str, error: Exception) -> str:
    """One sentence for the technician about a port that would not open."""
    if not os.path.exists(node):
        return f"There is no port {node}; check that the device is plugged in and switched on."
    if not os.access(node, os.R_OK | os.W_OK):
        return f"This user may not use {node}; add it to the group dialout."
    if "lock" in str(error).lower() or getattr(error, "errno", None) in (11, 16):
        return f"Another program is using {node}; stop that program."
    return f"{node} cannot be opened as a serial port ({error})."


def _pseudo(node: str) -> bool:
    """True for a pseudo-terminal, which has no speed."""
    return os.path.realpath(node).startswith("/dev/pts/")

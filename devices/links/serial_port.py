"""A serial cable: a port of this machine, a USB adapter, or a pseudo-terminal.

`serial:///dev/ttyS0?baud=9600&parity=N&bits=8&stop=1&flow=none`; `serial://by-path/PATH` is the USB socket something
is plugged into (a name below /dev/serial/by-path or the bus position such as `1-2:1.0`), `serial://by-id/NAME` and
`serial://by-serial/NUMBER` are the adapter itself. These never depend on the order in which adapters were found
(ttyUSB0, ttyUSB1 …). `rs485=1` has the adapter switch between sending and hearing by itself; `echo=1` says that it
returns what is sent, which is then taken out again (`devices.links.echo`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import termios
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import serial
from serial.rs485 import RS485Settings
from serial.tools import list_ports

from config.words import Sentence, words_of
from devices.links.base import FORBIDDEN, IN_USE, FileLink, Link, LinkAbsent, LinkMistake, LinkText
from devices.links.echo import EchoFree
from devices.links.holder import SOMEBODY, holder
from devices.links.identity import SERIAL

NOT_FOUND = {
    "by-serial": "No adapter with serial number {wanted} is plugged in; check its USB cable.",
    "by-id": "No adapter with name {wanted} is plugged in; check its USB cable.",
    "by-path": "No adapter with USB position {wanted} is plugged in; check its USB cable.",
}
LINE = ("baud", "parity", "bits", "stop", "flow")


class Port(Protocol):
    """What we look at in a port of pyserial's list."""

    device: str
    serial_number: str | None
    location: str | None


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow(*LINE, "rs485", "echo")
    line_of(target)
    flag(target, "rs485")
    flag(target, "echo")
    if target.host == "" and not target.path.startswith("/"):
        raise LinkMistake(f"link {target.text!r}: write the whole path of the port: serial:///dev/ttyS0")
    if target.host and (target.host not in ("by-path", "by-id", "by-serial") or not target.path.strip("/")):
        raise LinkMistake(
            f"link {target.text!r}: write serial:///dev/NAME, serial://by-path/PATH, serial://by-id/NAME or "
            "serial://by-serial/NUMBER"
        )


def flag(target: LinkText, name: str) -> bool:
    """A setting that is on (1) or off (0, or not said). Raises LinkMistake."""
    return target.choice(name, "0", ("0", "1")) == "1"


def line_of(target: LinkText, default_baud: int = 9600) -> dict[str, Any]:
    """How the line is set, as pyserial calls it. Raises LinkMistake naming the setting that is wrong."""
    flow = target.choice("flow", "none", ("none", "rtscts", "xonxoff", "dsrdtr"))
    return {
        "baudrate": target.number("baud", default_baud, least=50),
        "parity": target.choice("parity", "N", ("N", "E", "O", "M", "S")),
        "bytesize": int(target.choice("bits", "8", ("5", "6", "7", "8"))),
        "stopbits": float(target.choice("stop", "1", ("1", "1.5", "2"))),
        "rtscts": flow == "rtscts",
        "xonxoff": flow == "xonxoff",
        "dsrdtr": flow == "dsrdtr",
    }


def open_serial(target: LinkText, default_baud: int) -> Link:
    """Open a serial port as its link text says. Raises LinkAbsent."""
    link = SerialLink(target, default_baud)
    return EchoFree(link) if flag(target, "echo") else link


class SerialLink(FileLink):
    """An open serial port, ours alone."""

    def __init__(self, target: LinkText, default_baud: int) -> None:
        line = line_of(target, default_baud)
        node = find_node(target)
        if not _pseudo(node) and (user := holder(node)):
            # Whoever opened it without a lock would go on eating half of what the device says.
            raise LinkAbsent(Sentence(IN_USE, user=user, node=node))
        try:
            self._port = serial.Serial(node, exclusive=True, **line)
        except (serial.SerialException, termios.error, OSError, ValueError) as e:
            raise LinkAbsent(why_absent(node, e)) from e
        with contextlib.suppress(OSError):  # a second hurdle for programs that know no locks; not every port has it
            fcntl.ioctl(self._port.fileno(), termios.TIOCEXCL)
        if flag(target, "rs485"):
            self._switch_rs485(node)
        super().__init__(self._port.fileno())
        bits = 1 + line["bytesize"] + (line["parity"] != "N") + line["stopbits"]
        self.seconds_per_byte = max(11, bits) / line["baudrate"] if not _pseudo(node) else 0.0

    def _switch_rs485(self, node: str) -> None:
        try:
            self._port.rs485_mode = RS485Settings()
        except (ValueError, OSError) as e:
            self._port.close()
            raise LinkAbsent(
                Sentence(
                    "{node} has no RS-485 mode to switch on; an adapter that switches by itself needs none: "
                    "take rs485=1 out of its link.",
                    node=node,
                )
            ) from e

    def _let_go(self) -> None:
        with contextlib.suppress(serial.SerialException, OSError):  # an unplugged port may fail to close
            self._port.close()


def find_node(target: LinkText, ports: Iterable[Port] | None = None, folder: Path = SERIAL) -> str:
    """The device node this link means now. Raises LinkAbsent when nothing fits, or more than one adapter does."""
    if target.host == "":
        return target.path
    wanted = target.path.strip("/")
    present = list(list_ports.comports() if ports is None else ports)
    if target.host == "by-serial":
        found = [p.device for p in present if p.serial_number == wanted]
    else:
        udev = folder / target.host / wanted
        found = [os.path.realpath(udev)] if udev.exists() else []
        if target.host == "by-path":
            found = found or [p.device for p in present if p.location == wanted]
    if not found:
        raise LinkAbsent(Sentence(NOT_FOUND[target.host], wanted=wanted))
    if len(found) > 1:
        raise LinkAbsent(
            Sentence(
                "{found} share the serial number {wanted}; name the port by-path instead.",
                found=", ".join(found),
                wanted=wanted,
            )
        )
    return found[0]


def why_absent(node: str, error: Exception) -> Sentence:
    """One sentence for the technician about a port that would not open."""
    if not os.path.exists(node):
        return Sentence("There is no port {node}; check that the device is plugged in and switched on.", node=node)
    if not os.access(node, os.R_OK | os.W_OK):
        return Sentence(FORBIDDEN, node=node, group="dialout")
    if "lock" in str(error).lower() or getattr(error, "errno", None) in (11, 16):
        return Sentence(IN_USE, user=holder(node) or SOMEBODY, node=node)
    return Sentence("{node} cannot be opened as a serial port ({why}).", node=node, why=words_of(error))


def _pseudo(node: str) -> bool:
    """True for a pseudo-terminal, which has no speed."""
    return os.path.realpath(node).startswith("/dev/pts/")

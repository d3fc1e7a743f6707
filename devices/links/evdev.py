"""What types: keyboards, scanners and pedals that count as keyboards, read from the kernel before anybody else is.

`evdev://by-id/NAME` and `evdev://by-path/NAME` are names below /dev/input; `evdev://by-path/1-2:1.0` is a USB position
and `evdev://usb/VID:PID` or `evdev://usb/VID:PID/SERIAL` the device itself. `evdev:///path` is for other ends: a FIFO
or a terminal on which somebody plays the device.

The device is grabbed: while it is open, nothing it types reaches a window, the kiosk or a login. What passes is the
kernel's own `struct input_event`, 24 bytes each on 64-bit systems (`devices.hid.events`). Nothing is ever written.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from config.words import Sentence, words_of
from devices.links import sysfs
from devices.links.base import FORBIDDEN, FileLink, LinkAbsent, LinkLost, LinkText
from devices.links.identity import INPUT

MAJOR = 13  # of every input node
EVIOCGRAB = 0x40044590  # _IOW('E', 0x90, int)
PTY_MAJORS = range(136, 144)
TAKEN = "Another program has taken the keys of {node} for itself; stop that program."
NO_TYPING = "{node} is no device that types; choose one below {folder}."
SHAPE = "evdev://by-id/NAME, evdev://by-path/PATH, evdev://usb/VID:PID or evdev://usb/VID:PID/SERIAL"

Ioctl = Callable[[int, int, int], object]


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow()
    if target.host or not target.path.startswith("/"):
        sysfs.check(target, SHAPE)


class EvdevLink(FileLink):
    """An input device, ours alone while it is open."""

    def __init__(self, target: LinkText) -> None:
        node = find_node(target)
        self._fd = open_node(node)
        try:
            if os.major(os.fstat(self._fd).st_rdev) == MAJOR:
                seize(self._fd, node)
        except LinkAbsent:
            os.close(self._fd)
            raise
        super().__init__(self._fd)

    def write(self, data: bytes) -> None:
        """See Link. What types is never written to."""
        if data:
            raise LinkLost(Sentence("a device that types takes no bytes"))

    def _let_go(self) -> None:
        os.close(self._fd)  # the kernel ends the grab with it


def find_node(target: LinkText, folder: Path = INPUT, present: Sequence[sysfs.Node] | None = None) -> str:
    """The node this link means now. Raises LinkMistake, LinkAbsent."""
    if target.host == "" and target.path.startswith("/"):
        return target.path
    return sysfs.find(target, folder, sysfs.nodes("event") if present is None else present, SHAPE)


def open_node(node: str) -> int:
    """Open an input device, or a FIFO or terminal that stands for one. Raises LinkAbsent."""
    try:
        fd = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as e:
        raise LinkAbsent(why_absent(node, e)) from e
    status = os.fstat(fd)
    known = os.major(status.st_rdev) in (MAJOR, *PTY_MAJORS) if stat.S_ISCHR(status.st_mode) else False
    if not known and not stat.S_ISFIFO(status.st_mode):
        os.close(fd)
        raise LinkAbsent(Sentence(NO_TYPING, node=node, folder=INPUT / "by-id"))
    return fd


def seize(fd: int, node: str, ioctl: Ioctl = fcntl.ioctl) -> None:
    """Have the kernel send this device's keys to nobody but us. Raises LinkAbsent."""
    try:
        ioctl(fd, EVIOCGRAB, 1)
    except OSError as e:
        if e.errno == errno.EBUSY:
            raise LinkAbsent(Sentence(TAKEN, node=node)) from e
        raise LinkAbsent(
            Sentence("The keys of {node} cannot be kept from other programs ({why}).", node=node, why=words_of(e))
        ) from e


def why_absent(node: str, error: OSError) -> Sentence:
    """One sentence for the technician about a node that would not open."""
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return Sentence("There is no {node}; check that the device is plugged in and switched on.", node=node)
    if error.errno in (errno.EACCES, errno.EPERM):
        return Sentence(FORBIDDEN, node=node, group="input")
    return Sentence("{node} cannot be opened ({why}).", node=node, why=words_of(error))

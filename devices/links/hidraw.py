"""A USB device that exchanges raw HID reports: pads, and readers that are no serial port.

`hidraw://usb/VID:PID`, `hidraw://usb/VID:PID/SERIAL`, `hidraw://by-path/1-2:1.0` (a USB position), or
`hidraw://by-id/NAME` and `hidraw://by-path/NAME` where udev makes names below /dev/hidraw. `hidraw:///path` is for
other ends: a FIFO or a terminal on which somebody plays the device.

A report is the unit of HID: the kernel hands over one for each read and wants one for each write. So that a driver can
tell where one ends in a stream of bytes, every report is handed on with the same length, filled up with zeros. The
length is the longest of the device's own descriptor; `?report=64` says it for a device whose descriptor is wrong.

What is written is cut at that length, and a number 0 goes before each report where the device does not number them
(the kernel's Documentation/hid/hidraw.rst). Where it does, the driver's reports begin with theirs already.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.words import Sentence
from devices.links import sysfs
from devices.links.base import IN_USE, FileLink, LinkAbsent, LinkLost, LinkText
from devices.links.evdev import PTY_MAJORS, why_absent
from devices.links.holder import SOMEBODY, holder
from devices.links.identity import HIDRAW

NO_HID = "{node} is no HID device; write {shape}."
SHAPE = "hidraw://usb/VID:PID, hidraw://usb/VID:PID/SERIAL or hidraw://by-path/1-2:1.0"
USUAL = 64  # bytes in a report where nothing says otherwise
MOST = 16384  # the longest the kernel passes on (HID_MAX_BUFFER_SIZE)
INPUT, OUTPUT, SIZE, NUMBER, COUNT, PUSH, POP = 0x80, 0x90, 0x74, 0x84, 0x94, 0xA4, 0xB4  # items of a descriptor
LONG_ITEM = 0xFE


@dataclass(frozen=True)
class Reports:
    """How long a device's reports are, their number included; 0: it has none of that direction."""

    read: int = USUAL
    written: int = USUAL
    numbered: bool = False

    @classmethod
    def of(cls, descriptor: bytes) -> Reports:
        """As a report descriptor has it (HID 1.11, section 6.2.2). What it does not understand it passes over."""
        bits: dict[tuple[int, int], int] = {}
        now, kept = {SIZE: 0, COUNT: 0, NUMBER: 0}, []
        for item, value in _items(descriptor):
            if item in now:
                now[item] = value
            elif item == PUSH:
                kept.append(dict(now))
            elif item == POP and kept:
                now = kept.pop()
            elif item in (INPUT, OUTPUT):
                place = (item, now[NUMBER])
                bits[place] = bits.get(place, 0) + now[SIZE] * now[COUNT]
        numbered = any(number for _, number in bits)
        longest = {
            way: max((-(-size // 8) + numbered for (item, _), size in bits.items() if item == way), default=0)
            for way in (INPUT, OUTPUT)
        }
        return cls(longest[INPUT], longest[OUTPUT], numbered)

    def filled(self, report: bytes) -> bytes:
        """A report of the device's, as long as all others."""
        return report.ljust(self.read, b"\0")

    def cut(self, data: bytes) -> Iterator[bytes]:
        """What is to be written, one report for each write."""
        length = self.written or USUAL
        for start in range(0, len(data), length):
            part = data[start : start + length]
            yield part if self.numbered else b"\0" + part.ljust(length, b"\0")


def check(target: LinkText) -> None:
    """Raises LinkMistake."""
    target.allow("report")
    report_length(target)
    if target.host or not target.path.startswith("/"):
        sysfs.check(target, SHAPE)


def report_length(target: LinkText) -> int:
    """Bytes of a report as the link says it; 0: as the device says it. Raises LinkMistake."""
    return target.number("report", 0, 0, MOST)


class HidrawLink(FileLink):
    """A raw HID device, ours alone while it is open."""

    def __init__(self, target: LinkText) -> None:
        length = report_length(target)
        node = find_node(target)
        self._fd, self._real = open_node(node)
        found = reports_of(node) or Reports()
        self.reports = Reports(length, length, found.numbered) if length else found
        super().__init__(self._fd)

    def read(self, timeout: float) -> bytes:
        """See Link. One report, if it is a device; from another end whatever has arrived."""
        data = super().read(timeout)
        return self.reports.filled(data) if self._real and data else data

    def write(self, data: bytes) -> None:
        """See Link. Whole reports, one after the other."""
        if not self._real:
            super().write(data)
            return
        sent = 0
        for report in self.reports.cut(data):
            try:
                super().write(report)
            except LinkLost as loss:
                raise LinkLost(loss.reason, sent) from loss
            sent += self.reports.written or USUAL

    def _let_go(self) -> None:
        os.close(self._fd)


def find_node(target: LinkText, folder: Path = HIDRAW, present: Sequence[sysfs.Node] | None = None) -> str:
    """The node this link means now. Raises LinkMistake, LinkAbsent."""
    if target.host == "" and target.path.startswith("/"):
        return target.path
    return sysfs.find(target, folder, sysfs.nodes("hidraw") if present is None else present, SHAPE)


def open_node(node: str) -> tuple[int, bool]:
    """Open a node, and whether it is a HID device: not a FIFO or terminal that stands for one. Raises LinkAbsent."""
    try:
        fd = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as e:
        raise LinkAbsent(why_absent(node, e)) from e
    status = os.fstat(fd)
    character, terminal = stat.S_ISCHR(status.st_mode), os.major(status.st_rdev) in PTY_MAJORS
    real = character and not terminal
    if not (stat.S_ISFIFO(status.st_mode) or terminal or (real and _is_hidraw(node))):
        os.close(fd)
        raise LinkAbsent(Sentence(NO_HID, node=node, shape=SHAPE))
    try:
        # Whoever else has it open would be told the same reports, and his questions would be answered to us.
        user = holder(node) if real else ""
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        user = holder(node) or SOMEBODY
    if user:
        os.close(fd)
        raise LinkAbsent(Sentence(IN_USE, user=user, node=node))
    return fd, real


def reports_of(node: str, classes: Path = sysfs.CLASSES) -> Reports | None:
    """How long the reports of this node are; None where the kernel shows no descriptor."""
    with contextlib.suppress(OSError):
        name = os.path.basename(os.path.realpath(node))
        return Reports.of((classes / "hidraw" / name / "device" / "report_descriptor").read_bytes())
    return None


def _is_hidraw(node: str) -> bool:
    return os.path.basename(os.path.realpath(node)).startswith("hidraw")


def _items(descriptor: bytes) -> Iterator[tuple[int, int]]:
    """Each short item: its tag and kind (size bits 0), and its value without a sign."""
    at = 0
    while at < len(descriptor):
        prefix = descriptor[at]
        if prefix == LONG_ITEM:
            at += 3 + (descriptor[at + 1] if at + 1 < len(descriptor) else 0)
            continue
        size = (0, 1, 2, 4)[prefix & 3]
        yield prefix & 0xFC, int.from_bytes(descriptor[at + 1 : at + 1 + size], "little")
        at += 1 + size

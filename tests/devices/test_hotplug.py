"""Gone and back on the same port: at once when udev says so, by trying again when nobody does, and nothing is left."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from devices.condition import State
from devices.hotplug import Hotplug, Plugged, concerns, follow, plugged_of
from devices.links import LinkText
from devices.roles import LinkDown
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

ADAPTER = Plugged(
    action="add",
    node="/dev/ttyUSB1",
    names=("/dev/serial/by-id/usb-FTDI_A1-if00-port0", "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0"),
    serial_number="A1",
    position="1-2:1.0",
)


@pytest.mark.parametrize(
    "link",
    [
        "serial://by-id/usb-FTDI_A1-if00-port0?baud=9600",
        "serial://by-path/pci-0000:00:14.0-usb-0:2:1.0-port0",
        "serial://by-path/1-2:1.0",
        "serial://by-serial/A1",
        "serial:///dev/serial/by-id/usb-FTDI_A1-if00-port0",
        "serial:///dev/ttyUSB1",
        "hidraw://by-path/1-4",  # says nothing of where it is: trying is cheap
    ],
)
def test_an_adapter_that_is_plugged_in_is_tried_at_once_by_whoever_waits_for_it(link: str) -> None:
    assert concerns(ADAPTER, LinkText.parse(link))


@pytest.mark.parametrize(
    "link",
    [
        "serial://by-id/usb-FTDI_B2-if00-port0",
        "serial://by-path/1-3:1.0",
        "serial://by-serial/B2",
        "serial:///dev/ttyS0",
        "socket://10.1.2.3:9100",
        "rfc2217://10.1.2.3:4001",
        "sim:",
        "v4l2:///dev/video0",
    ],
)
def test_others_are_left_to_their_own_rhythm(link: str) -> None:
    assert not concerns(ADAPTER, LinkText.parse(link))


def test_what_is_pulled_out_is_no_reason_to_try() -> None:
    gone = Plugged("remove", ADAPTER.node, ADAPTER.names, "A1", "1-2:1.0")
    assert not concerns(gone, LinkText.parse("serial://by-serial/A1"))


def test_udevs_words_are_understood() -> None:
    """As pyudev's device has them; the node's parent is the USB interface."""
    told = SimpleNamespace(
        action="add",
        device_node=ADAPTER.node,
        device_links=iter(ADAPTER.names),
        properties={"ID_SERIAL_SHORT": "A1", "ID_SERIAL": "FTDI_A1"},
        find_parent=lambda *kind: SimpleNamespace(sys_name="1-2:1.0") if kind == ("usb", "usb_interface") else None,
    )
    assert plugged_of(told) == ADAPTER


def test_listening_to_udev_ends_without_a_trace() -> None:
    threads, files = set(threading.enumerate()), psutil.Process().num_fds()
    for _ in range(3):
        hotplug = Hotplug(lambda plugged: None)
        assert hotplug.start() == hotplug.start()
        hotplug.close()
        hotplug.close()
    gc.collect()  # pyudev's sockets close with their objects
    assert set(threading.enumerate()) == threads
    assert psutil.Process().num_fds() <= files + 1


class Udev:
    """What pyudev's monitor is to us: readable when there is a word, which may also be that words were lost."""

    def __init__(self, *words: Any) -> None:
        self.words = list(words)
        self.ours, self.theirs = os.pipe()
        os.write(self.theirs, b"." * len(words))

    def fileno(self) -> int:
        return self.ours

    def poll(self, timeout: float) -> Any:
        os.read(self.ours, 1)
        word = self.words.pop(0)
        if isinstance(word, Exception):
            raise word
        return word


def test_lost_words_and_odd_ones_do_not_end_the_listening(caplog: pytest.LogCaptureFixture) -> None:
    """The system keeps only so much for who listens; a device may be gone again before it is looked at."""
    there = SimpleNamespace(
        action="add", device_node="/dev/ttyUSB0", device_links=(), properties={}, find_parent=lambda *kind: None
    )
    udev, bell = Udev(OSError(105, "No buffer space available"), SimpleNamespace(device_node="/dev/x"), there), -1
    try:
        bell = os.eventfd(0)
        told: list[Plugged] = []

        def tell(plugged: Plugged) -> None:
            told.append(plugged)
            os.eventfd_write(bell, 1)

        follow(udev, bell, tell)
    finally:
        for fd in (udev.ours, udev.theirs, bell):
            os.close(fd)
    assert [plugged.node for plugged in told] == ["/dev/ttyUSB0"]
    assert "some of udev's words were lost" in caplog.text and "hearing from udev" in caplog.text


def test_gone_and_back_a_hundred_times_leaves_nothing_behind(
    pty_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    """With a station's usual patience, a second and more between attempts: it is udev's word that brings it back."""
    strip = closing(SimulatedDevice("pingan-strip").on_pty(pty_path))
    station = closing(Station([DeviceEntry("strip", "pingan-strip", strip.link)], diary))
    until(lambda: station.state("strip").state is State.READY)
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    began, memory = time.monotonic(), 0
    for n in range(100):
        strip.unplug()
        until(lambda: station.state("strip").state is State.ABSENT)
        strip.plug()
        station.plugged(Plugged("add", str(pty_path)))
        until(lambda: station.state("strip").state is State.READY)
        if n == 20:
            memory = psutil.Process().memory_info().rss
    assert time.monotonic() - began < 100, "the first attempt alone would come after a second each time"
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files
    assert psutil.Process().memory_info().rss - memory < 3_000_000
    until(lambda: len(diary.of(LinkDown)) == 200)
    assert [n.over for n in diary.of(LinkDown)] == [False, True] * 100, "each told once"
    assert station.state("strip").counters["opened"] == 101


def test_without_a_word_from_anybody_it_is_back_by_trying_again(
    pty_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    strip = closing(SimulatedDevice("pingan-strip").on_pty(pty_path))
    station = closing(Station([DeviceEntry("strip", "pingan-strip", strip.link)], diary))
    until(lambda: station.state("strip").state is State.READY)
    strip.unplug()
    until(lambda: station.state("strip").state is State.ABSENT)
    strip.plug()
    until(lambda: station.state("strip").state is State.READY, 10)

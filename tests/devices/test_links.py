"""Cables: real pseudo-terminals and TCP connections, read, written, pulled out and put back."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devices.drivers import ascii_strip
from devices.links import LinkAbsent, LinkLost, LinkMistake, LinkText, check_link, open_link
from devices.links.base import FileLink
from devices.links.serial_port import find_node
from devices.roles import ShowText
from devices.station import DeviceEntry, mistakes


@dataclass
class Terminal:
    """Both ends of a pseudo-terminal."""

    master: int
    slave: int

    @property
    def link(self) -> str:
        return f"serial://{os.ttyname(self.slave)}"

    def pull(self) -> None:
        ends, self.slave, self.master = (self.slave, self.master), -1, -1  # first: the test may end meanwhile
        for fd in ends:
            os.close(fd)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal(*pty.openpty())
    tty.setraw(made.slave)
    yield made
    if made.master >= 0:
        made.pull()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def address(listener: socket.socket) -> str:
    return f"socket://127.0.0.1:{listener.getsockname()[1]}"


def test_serial_carries_every_byte_both_ways(terminal: Terminal, closing: Any) -> None:
    link = closing(open_link(terminal.link + "?baud=115200&parity=E&bits=8&stop=2", 9600))
    everything = bytes(range(256))
    os.write(terminal.master, everything)
    got = b""
    while len(got) < 256:
        got += link.read(1.0)
    assert got == everything
    link.write(everything)
    assert os.read(terminal.master, 1000) == everything
    assert link.read(0.0) == b""


def test_a_port_belongs_to_one_program(terminal: Terminal, closing: Any) -> None:
    closing(open_link(terminal.link, 9600))
    with pytest.raises(LinkAbsent, match="is using"):
        open_link(terminal.link, 9600)


def test_a_port_that_is_not_there_is_absent(tmp_path: Path) -> None:
    with pytest.raises(LinkAbsent, match="plugged in and switched on"):
        open_link(f"serial://{tmp_path}/none", 9600)
    (tmp_path / "file").write_text("")
    with pytest.raises(LinkAbsent, match="cannot be opened as a serial port"):
        open_link(f"serial://{tmp_path}/file", 9600)


def test_an_unplugged_port_is_lost_at_once(terminal: Terminal, closing: Any) -> None:
    link = closing(open_link(terminal.link, 9600))
    threading.Timer(0.05, terminal.pull).start()
    began = time.monotonic()
    with pytest.raises(LinkLost):
        while True:
            link.read(5.0)
    assert time.monotonic() - began < 2.0
    with pytest.raises(LinkLost) as loss:
        link.write(b"slip")
    assert loss.value.written == 0


def test_a_wedged_line_cannot_hang_us(terminal: Terminal, closing: Any) -> None:
    link = closing(open_link(terminal.link, 9600))
    link.stuck = 0.2
    with pytest.raises(LinkLost, match="taken no bytes") as loss:
        link.write(bytes(10_000_000))
    assert 0 < loss.value.written < 10_000_000
    taken = 0
    os.set_blocking(terminal.master, False)
    while True:
        try:
            taken += len(os.read(terminal.master, 65536))
        except BlockingIOError:
            break
    assert taken == loss.value.written


def test_tcp_carries_bytes_and_ends_at_once_when_the_peer_hangs_up(listener: socket.socket, closing: Any) -> None:
    link = closing(open_link(address(listener), 9600))
    peer, _ = listener.accept()
    assert link._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    assert link._socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    link.write(b"\x10\x04\x01")
    assert peer.recv(10) == b"\x10\x04\x01"
    peer.sendall(b"\x12")
    assert link.read(1.0) == b"\x12"
    peer.close()
    with pytest.raises(LinkLost, match="hung up"):
        link.read(5.0)


def test_a_large_write_goes_out_whole_to_a_slow_peer(listener: socket.socket, closing: Any) -> None:
    link = closing(open_link(address(listener), 9600))
    peer, _ = listener.accept()
    got = bytearray()

    def take_slowly() -> None:
        while len(got) < 3_000_000:
            got.extend(peer.recv(100_000))

    reader = threading.Thread(target=take_slowly)
    reader.start()
    payload = os.urandom(3_000_000)
    link.write(payload)
    reader.join(10)
    assert bytes(got) == payload
    peer.close()


def test_nobody_listening_is_absent(listener: socket.socket) -> None:
    where = address(listener)
    listener.close()
    with pytest.raises(LinkAbsent, match="power and network cable"):
        open_link(where, 9600)


def test_a_waiting_read_can_be_woken(listener: socket.socket, closing: Any) -> None:
    link: FileLink = closing(open_link(address(listener), 9600))
    threading.Timer(0.05, link.wake).start()
    began = time.monotonic()
    assert link.read(5.0) == b""
    assert time.monotonic() - began < 2.0


def test_closing_twice_and_waking_a_closed_link_are_harmless(terminal: Terminal) -> None:
    link = open_link(terminal.link, 9600)
    link.close()
    link.close()
    link.wake()


@dataclass
class Plugged:
    device: str
    serial_number: str | None = None
    location: str | None = None


def test_an_adapter_is_found_by_what_it_is_not_by_its_turn() -> None:
    ports = [Plugged("/dev/ttyUSB1", "A1", "1-2:1.0"), Plugged("/dev/ttyUSB0", "B2", "1-3:1.0")]
    assert find_node(LinkText.parse("serial://by-serial/B2"), ports) == "/dev/ttyUSB0"
    swapped = [Plugged("/dev/ttyUSB0", "A1", "1-2:1.0"), Plugged("/dev/ttyUSB1", "B2", "1-3:1.0")]
    assert find_node(LinkText.parse("serial://by-serial/B2"), swapped) == "/dev/ttyUSB1"
    assert find_node(LinkText.parse("serial://by-path/1-2:1.0"), swapped) == "/dev/ttyUSB0"


def test_an_adapter_that_is_away_or_has_a_twin_is_not_guessed() -> None:
    with pytest.raises(LinkAbsent, match="No adapter with serial number B2"):
        find_node(LinkText.parse("serial://by-serial/B2"), [])
    twins = [Plugged("/dev/ttyUSB0", "0001"), Plugged("/dev/ttyUSB1", "0001")]
    with pytest.raises(LinkAbsent, match="by-path"):
        find_node(LinkText.parse("serial://by-serial/0001"), twins)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/dev/ttyS0", "no scheme"),
        ("telepathy://x", "no kind of link called 'telepathy'"),
        ("socket://host:99999", "the port must be a number"),
        ("socket://host", "write socket://HOST:PORT"),
        ("socket://host:9100/raw", "nothing may follow the port"),
        ("socket://host:9100?baud=9600", "no setting is called 'baud'"),
        ("serial:///dev/ttyS0?baud=fast", "baud must be a whole number"),
        ("serial:///dev/ttyS0?parity=X", "parity must be one of N, E, O, M, S"),
        ("serial:///dev/ttyS0?bits=9", "bits must be one of"),
        ("serial:///dev/ttyS0?speed=9600", "no setting is called 'speed'; there are: baud, parity"),
        ("serial:///dev/ttyS0?9600", "write NAME=VALUE"),
        ("serial://dev/ttyS0", "write serial:///dev/NAME"),
        ("serial://by-serial/", "write serial:///dev/NAME"),
        ("sim:", "needs a driver"),
    ],
)
def test_a_wrong_link_text_names_the_part(text: str, said: str) -> None:
    with pytest.raises(LinkMistake) as wrong:
        open_link(text, 9600)
    assert said in str(wrong.value)
    assert repr(text) in str(wrong.value)


def test_a_link_text_can_be_checked_without_a_cable() -> None:
    assert check_link("serial:///dev/none?baud=1200").scheme == "serial"
    with pytest.raises(LinkMistake):
        check_link("serial:///dev/none?baud")


@pytest.mark.parametrize(
    ("driver", "link", "said"),
    [
        ("serial-scanner", "serial:///dev/ttyS0?baud=fast", "baud must be a whole number"),
        ("serial-scanner", "serial:///dev/ttyS0?speed=9600", "no setting is called 'speed'"),
        ("serial-scanner", "serial:///dev/ttyS0?echo=yes", "echo must be one of 0, 1"),
        ("serial-scanner", "serial:///dev/ttyS0?rs485=on", "rs485 must be one of 0, 1"),
        ("serial-scanner", "serial:ttyS0", "write the whole path of the port"),
        ("serial-scanner", "serial://by-name/x", "write serial:///dev/NAME, serial://by-path/PATH"),
        ("serial-scanner", "serial://by-path/", "write serial:///dev/NAME, serial://by-path/PATH"),
        ("serial-scanner", "rfc2217://10.0.0.7:4001?parity=X", "parity must be one of"),
        ("serial-scanner", "rfc2217://10.0.0.7", "write rfc2217://HOST:PORT"),
        ("serial-scanner", "socket://10.0.0.7", "write socket://HOST:PORT"),
        ("serial-scanner", "socket://10.0.0.7:9100/x", "nothing may follow the port"),
        ("serial-scanner", "socket://a..b:9100", "'a..b' cannot be the name of a host"),
        ("serial-scanner", f"socket://{'a' * 64}:9100", "cannot be the name of a host"),
        ("ascii-strip", "udp://a..b:5005", "cannot be the name of a host"),
        ("ascii-strip", "udp://10.0.0.7:5005?local=65536", "local must be a whole number of 0 to 65535"),
        ("evaluator-tablet", "ws-listen://0.0.0.0", "write ws-listen://HOST:PORT"),
        ("evaluator-tablet", "listen://0.0.0.0:1/rate", "nothing may follow the port"),
        ("cups-printer", "ipp://a..b", "cannot be the name of a host"),
        ("cups-printer", "ipp://127.0.0.1/printers/a4", "the queue is an option"),
        ("hid-pad", "evdev://by-name/x", "write evdev://by-id/NAME"),
        ("hid-pad", "evdev://usb/zz", "write evdev://by-id/NAME"),
        ("hid-pad", "hidraw://usb/zz", "write hidraw://usb/VID:PID"),
        ("hid-pad", "hidraw://usb/0400:c35a?report=16385", "report must be a whole number of 0 to 16384"),
        ("uvc-camera", "v4l2:", "write v4l2:///dev/v4l/by-path/NAME"),
        ("uvc-camera", "v4l2://by-path/x?hang=0", "hang must be a whole number of 1 to 999"),
        ("serial-scanner", "sim:?faults=noise", "no setting is called 'faults'"),
    ],
)
def test_a_link_that_can_never_work_is_told_before_it_is_saved_or_opened(driver: str, link: str, said: str) -> None:
    with pytest.raises(LinkMistake, match=re.escape(said)):
        check_link(link)
    [wrong] = mistakes([DeviceEntry("it", driver, link)], "device.")
    assert wrong.startswith("device.it.link: ") and said in wrong


SCARCE = """
import os, resource, sys
from devices.links import LinkAbsent, open_link
os.mkfifo(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    os.close(taken.pop())  # room for the device, and for nothing else
for _ in range(20):
    try:
        open_link(f"evdev://{sys.argv[1]}", 9600)
    except LinkAbsent as absence:
        said = str(absence)
print(said, len(os.listdir("/proc/self/fd")) - 64)
"""


def test_a_cable_that_cannot_be_opened_whole_is_let_go_of(tmp_path: Path) -> None:
    """Where files are scarce, each attempt must not make them scarcer."""
    house = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SCARCE, str(tmp_path / "fifo")], capture_output=True, text=True, cwd=house, timeout=60
    )
    assert done.stdout == "This program cannot open another file (Too many open files); start it again. 0\n", (
        done.stderr
    )


def test_the_simulator_behind_a_sim_link_hoards_nothing() -> None:
    """A station in which a device is only played runs for weeks too."""
    driver = ascii_strip.Driver()
    simulator = ascii_strip.Simulator(driver.options)
    link = open_link("sim:", 9600, lambda: simulator)

    def write(times: int) -> int:
        for number in range(times):
            link.write(driver.encode(ShowText(text=f"A{number:04d}")))
            link.read(0.0)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        assert -write(2000) + write(2000) < 20_000, "bytes; an order kept would be a hundred or more"
    finally:
        tracemalloc.stop()
        link.close()

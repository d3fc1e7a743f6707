"""Serial cables in particular: echo taken out, lasting names, whose port it is, and ports of other machines."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import socket
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from serial.rfc2217 import PortManager

from devices.condition import State
from devices.links import LinkAbsent, LinkLost, LinkMistake, LinkText, open_link, rfc2217
from devices.links.echo import BOUND, EchoCanceller
from devices.links.holder import holder
from devices.links.identity import shifting, stable_names
from devices.links.serial_port import find_node
from devices.roles import KeyPressed, Obeyed, Rated, ShowCall
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station, mistakes

ASK, ANSWER = bytes.fromhex("a0 04 98 01 50 ed ff"), bytes.fromhex("a0 05 98 01 50 a1 21 5c ff")

# ---- what we sent ourselves -----------------------------------------------------------------------------------


def test_an_echo_is_taken_out_in_whatever_pieces_it_comes() -> None:
    stream = ASK + ANSWER
    for cut in range(len(stream) + 1):
        canceller = EchoCanceller()
        canceller.sent(ASK, out_at=0.0)
        assert canceller.heard(stream[:cut], 0.01) + canceller.heard(stream[cut:], 0.02) == ANSWER, cut
        assert canceller.due is None


def test_what_a_device_said_before_the_echo_is_kept() -> None:
    canceller = EchoCanceller()
    canceller.sent(ASK, 0.0)
    assert canceller.heard(ANSWER[:3], 0.0) + canceller.heard(ANSWER[3:] + ASK + b"\x00", 0.01) == ANSWER + b"\x00"


def test_a_devices_frame_that_is_the_same_as_ours_is_its_own() -> None:
    """The bus pads' own "please evaluate" is byte for byte what we say to them: one is the echo, the other is not."""
    canceller = EchoCanceller()
    canceller.sent(ASK, 0.0)
    assert canceller.heard(ASK + ASK, 0.01) == ASK
    assert canceller.heard(ASK, 0.02) == ASK, "nothing of ours is out any more"


def test_an_adapter_without_echo_loses_nothing_and_delays_no_longer_than_the_bound() -> None:
    canceller = EchoCanceller()
    canceller.sent(ASK, out_at=1.0)
    assert canceller.heard(ANSWER, 1.01) == ANSWER, "an answer that cannot become the echo goes on at once"
    assert canceller.heard(ASK[:3], 1.02) == b"", "this may become it"
    assert canceller.due == 1.0 + BOUND
    assert canceller.late(1.0 + BOUND / 2) == b""
    assert canceller.late(1.0 + BOUND) == ASK[:3]
    canceller.sent(ASK, out_at=2.0)
    assert canceller.late(2.0 + BOUND) == b""
    assert canceller.heard(ASK, 3.0) == ASK, "too late to be an echo"


def test_random_talk_comes_through_byte_for_byte() -> None:
    """Frames and answers made of few different bytes, so that everything looks like the beginning of everything."""
    dice = random.Random(3)
    for _ in range(300):
        canceller = EchoCanceller()
        wire, answers, got, now = b"", b"", b"", 0.0
        for _ in range(dice.randint(1, 6)):
            sent = bytes(dice.choices(b"\xff\x68", k=dice.randint(1, 6)))
            answer = bytes(dice.choices(b"\x01\x68", k=dice.randint(0, 5)))
            canceller.sent(sent, now)
            wire, answers = wire + sent + answer, answers + answer
            while wire:
                cut = dice.randint(1, len(wire))
                got, wire, now = got + canceller.heard(wire[:cut], now), wire[cut:], now + 0.001
            now += 2 * BOUND
            got += canceller.late(now)
        assert got == answers


def test_an_adapter_that_hears_itself_confirms_no_order_and_presses_no_key(
    pty_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    strip = closing(SimulatedDevice("pingan-strip", faults=["echo"]).on_pty(pty_path))
    station = closing(Station([DeviceEntry("strip", "pingan-strip", strip.link + "?echo=1")], diary))
    until(lambda: station.state("strip").state is State.READY)
    assert isinstance(station.send("strip", ShowCall(number="A007", window=3)).result(5), Obeyed)
    heard = "".join(e.data for e in station.exchanges("strip") if e.direction == "in")
    sent = [e.data for e in station.exchanges("strip") if e.direction == "out"]
    assert sent
    assert not any(frame in heard for frame in sent), "the driver has never seen what we sent"


# ---- names that last ------------------------------------------------------------------------------------------


@pytest.fixture
def serial_folder(tmp_path: Path) -> Path:
    """As udev makes it: two names for the one adapter that is plugged in."""
    node = tmp_path / "ttyUSB0"
    node.touch()
    for name in ("by-id/usb-FTDI_FT232R_A1-if00-port0", "by-path/pci-0000:00:14.0-usb-0:2:1.0-port0"):
        link = tmp_path / "serial" / name
        link.parent.mkdir(parents=True)
        link.symlink_to(node)
    return tmp_path / "serial"


def test_a_port_is_found_by_the_names_udev_gives(serial_folder: Path) -> None:
    node = str(serial_folder.parent / "ttyUSB0")
    for name in ("by-id/usb-FTDI_FT232R_A1-if00-port0", "by-path/pci-0000:00:14.0-usb-0:2:1.0-port0"):
        assert find_node(LinkText.parse(f"serial://{name}?baud=9600"), [], serial_folder) == node
        assert f"serial://{name}" in stable_names(node, serial_folder)
    with pytest.raises(LinkAbsent, match="No adapter with name usb-OTHER is plugged in"):
        find_node(LinkText.parse("serial://by-id/usb-OTHER"), [], serial_folder)


def test_a_name_that_shifts_is_refused_with_what_to_write_instead(tmp_path: Path) -> None:
    for kind in ("by-id/usb-A1", "by-path/pci-2"):
        (tmp_path / kind).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / kind).symlink_to("/dev/ttyUSB0")
    said = shifting(LinkText.parse("serial:///dev/ttyUSB0?baud=19200"), tmp_path)
    assert said == (
        "/dev/ttyUSB0 may be another device after the next start; "
        "write serial://by-id/usb-A1?baud=19200 or serial://by-path/pci-2?baud=19200"
    )
    assert "as found below /dev/serial" in shifting(LinkText.parse("serial:///dev/ttyACM3"), tmp_path)
    for lasting in ("serial:///dev/ttyS0", "serial://by-id/usb-A1", "serial:///dev/serial/by-id/x", "serial:///tmp/p"):
        assert shifting(LinkText.parse(lasting), tmp_path) == ""


def test_a_configuration_may_not_name_a_port_that_shifts() -> None:
    entry = DeviceEntry("strip", "pingan-strip", "serial:///dev/ttyUSB0")
    (sentence,) = mistakes([entry], "device.")
    assert sentence.startswith("device.strip.link: /dev/ttyUSB0 may be another device after the next start; write ")
    assert mistakes([DeviceEntry("strip", "pingan-strip", "rfc2217://10.0.0.9:4001")]) == []
    assert "not on rfc2217" in mistakes([DeviceEntry("cam", "uvc-camera", "rfc2217://10.0.0.9:4001")])[0]


# ---- whose port it is -----------------------------------------------------------------------------------------


@pytest.fixture
def terminal() -> Iterator[str]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


LOCKER = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
if sys.argv[2] == "lock":
    fcntl.flock(fd, fcntl.LOCK_EX)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_program() -> Iterator[Any]:
    """`other_program(node, "lock" or "open")` → a process that has the node."""
    started: list[subprocess.Popen[str]] = []

    def start(node: str, how: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", LOCKER, node, how]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        started.append(process)
        return process

    yield start
    for process in started:
        process.communicate()


def test_a_port_another_program_has_is_refused_naming_it(terminal: str, other_program: Any) -> None:
    other = other_program(terminal, "lock")
    with pytest.raises(LinkAbsent) as refused:
        open_link(f"serial://{terminal}", 9600)
    assert f"(process {other.pid}) is using {terminal}; stop that program." in str(refused.value)
    other.communicate()
    open_link(f"serial://{terminal}", 9600).close()


def test_a_program_that_locks_nothing_is_found_by_what_it_has_open(tmp_path: Path, other_program: Any) -> None:
    node = tmp_path / "port"
    node.touch()
    assert holder(str(node)) == ""
    other = other_program(str(node), "open")
    assert f"(process {other.pid})" in holder(str(node))
    with node.open() as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        assert holder(str(node)) == "this program itself, for another device,"


def test_two_devices_of_one_program_cannot_have_one_port(terminal: str, closing: Any) -> None:
    closing(open_link(f"serial://{terminal}", 9600))
    with pytest.raises(LinkAbsent, match="this program itself, for another device, is using"):
        open_link(f"serial://{terminal}", 9600)


def test_an_adapter_without_rs485_mode_says_so_and_lets_go_of_the_port(terminal: str) -> None:
    with pytest.raises(LinkAbsent, match=r"has no RS-485 mode to switch on; .* take rs485=1 out"):
        open_link(f"serial://{terminal}?rs485=1", 9600)
    open_link(f"serial://{terminal}?rs485=0&echo=0", 9600).close()
    with pytest.raises(LinkMistake, match="echo must be one of 0, 1"):
        open_link(f"serial://{terminal}?echo=yes", 9600)


# ---- a port of another machine (RFC 2217) ---------------------------------------------------------------------


class Terminal(serial.Serial):
    """A pseudo-terminal as a serial server's port: it has no modem lines."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None:
        pass

    def _update_rts_state(self) -> None:
        pass


class Server:
    """pyserial's own serial server for one port: the far end is not ours."""

    def __init__(self, node: str) -> None:
        self.port = Terminal(node, timeout=0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.link = f"rfc2217://127.0.0.1:{self.listener.getsockname()[1]}"
        self.peer: socket.socket | None = None
        self.lock = threading.Lock()
        self.closing = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def write(self, data: bytes) -> None:
        with self.lock:
            if self.peer is not None:
                self.peer.sendall(data)

    def run(self) -> None:
        while not self.closing:
            if not select.select([self.listener], [], [], 0.05)[0]:
                continue
            self.peer, _ = self.listener.accept()
            manager = PortManager(self.port, self)
            while not self.closing and self.peer is not None:
                readable, _, _ = select.select([self.peer, self.port.fileno()], [], [], 0.05)
                if self.peer in readable:
                    data = self.peer.recv(1024)
                    if not data:
                        break
                    self.port.write(b"".join(manager.filter(data)))
                if self.port.fileno() in readable:
                    self.write(b"".join(manager.escape(self.port.read(1024))))
            self.hang_up()

    def hang_up(self) -> None:
        with self.lock:
            peer, self.peer = self.peer, None
        if peer is not None:
            peer.close()

    def close(self) -> None:
        self.closing = True
        self.thread.join(5)
        self.hang_up()
        self.listener.close()
        self.port.close()


@pytest.fixture
def server(pty_path: Path, closing: Any) -> Server:
    closing(SimulatedDevice("pingan-strip").on_pty(pty_path))
    made: Server = closing(Server(str(pty_path)))
    return made


def test_a_device_behind_a_serial_server_is_like_one_on_a_cable(
    server: Server, diary: Any, until: Any, closing: Any
) -> None:
    threads = set(threading.enumerate())
    station = Station([DeviceEntry("strip", "pingan-strip", f"{server.link}?baud=19200&stop=2")], diary)
    until(lambda: station.state("strip").state is State.READY)
    assert (server.port.baudrate, server.port.stopbits) == (19200, 2), "set from afar; a terminal takes no parity"
    assert isinstance(station.send("strip", ShowCall(number="A007", window=3)).result(5), Obeyed)
    station.close()
    assert set(threading.enumerate()) <= threads


def test_every_byte_passes_a_serial_server_both_ways(terminal: str, closing: Any) -> None:
    """FF too, which Telnet doubles."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    server = closing(Server(os.ttyname(slave)))
    link = closing(open_link(server.link, 9600))
    everything = bytes(range(256)) * 2
    link.write(everything)
    got = b""
    while len(got) < 512:
        assert select.select([master], [], [], 5)[0]
        got += os.read(master, 1024)
    assert got == everything
    os.write(master, everything)
    got = b""
    while len(got) < 512:
        got += link.read(1.0)
    assert got == everything
    assert link.read(0.0) == link.read(0.02) == b""
    server.closing = True
    with pytest.raises(LinkLost, match="the serial server hung up"):
        for _ in range(200):
            link.read(0.05)
    os.close(slave)
    os.close(master)


def test_a_serial_server_that_babbles_does_not_fill_the_memory(terminal: str, closing: Any, until: Any) -> None:
    """Somebody takes his time with the news, so nobody reads; at 115200 baud that would be a gigabyte a day."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    server = closing(Server(os.ttyname(slave)))
    link = closing(open_link(server.link, 9600))
    os.set_blocking(master, False)

    def babbled() -> bool:
        if select.select([], [master], [], 0)[1]:
            os.write(master, b"x" * 4096)
        return bool(link._port.in_waiting > rfc2217.MOST)

    until(babbled, 30)
    with pytest.raises(LinkLost, match="more than can be heard"):
        link.read(0.1)
    server.close()
    os.close(slave)
    os.close(master)


def test_a_serial_server_that_is_none_says_what_to_look_at(closing: Any) -> None:
    listener = closing(socket.create_server(("127.0.0.1", 0)))
    where = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(LinkAbsent, match=f"{where} does not speak RFC 2217 or refuses .*; look at the settings"):
        open_link(f"rfc2217://{where}", 9600)
    listener.close()
    with pytest.raises(LinkAbsent, match=f"{where} cannot be reached; check its power"):
        open_link(f"rfc2217://{where}", 9600)
    for wrong, said in (("rfc2217://host", "write rfc2217://HOST:PORT"), ("rfc2217://h:1?echo=1", "no setting")):
        with pytest.raises(LinkMistake, match=said):
            open_link(wrong, 9600)


def test_pads_that_share_a_language_with_their_echo_are_told_apart(
    pty_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    pads = closing(SimulatedDevice("queue-bus", faults=["echo"]).on_pty(pty_path))
    entry = DeviceEntry("pads", "queue-bus", pads.link + "?echo=1", {"echo": "no"})
    station = closing(Station([entry], diary))
    until(lambda: station.state("pads").state is State.DEGRADED)
    for grade in (5, 4, 3):
        pads.happen(Rated(grade=grade))
        until(lambda wanted=grade: diary.of(Rated) and diary.of(Rated)[-1].grade == wanted)
    assert [n.grade for n in diary.of(Rated)] == [5, 4, 3]
    assert diary.of(KeyPressed) == []

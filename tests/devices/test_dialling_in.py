"""Links a device dials in to, and datagrams: real sockets of this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import wsproto
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

from devices.condition import State
from devices.links import Link, LinkAbsent, LinkLost, LinkMistake, open_link
from devices.roles import Rated, ShowText, Unconfirmed
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(type=kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def opened(until: Callable[..., Any]) -> Iterator[Callable[[str], Any]]:
    """Opens a link in a thread, as a station would, until somebody has dialled in; closes it at the end."""
    links: list[Link] = []

    def start(text: str) -> Callable[[], Link]:
        got: list[Link] = []
        reasons: list[str] = []

        def keep_trying() -> None:
            for _ in range(40):
                try:
                    got.append(open_link(text, 9600))
                    links.append(got[0])
                    return
                except LinkAbsent as absence:
                    reasons.append(str(absence))
                    assert absence.again == 0.0

        thread = threading.Thread(target=keep_trying, daemon=True)
        thread.start()

        def result() -> Link:
            thread.join(30)
            assert got, reasons
            return got[0]

        result.reasons = reasons  # type: ignore[attr-defined]
        return result

    yield start
    for link in links:
        link.close()


def dial(port: int, until: Callable[..., Any]) -> socket.socket:
    def attempt() -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except ConnectionRefusedError:
            return None

    peer: socket.socket = until(attempt)
    return peer


def read(link: Link, until: Callable[..., Any]) -> bytes:
    data: bytes = until(lambda: link.read(0.2))
    return data


class Tablet:
    """The client's side of a WebSocket, written with the library alone."""

    def __init__(self, port: int, until: Callable[..., Any], path: str = "/") -> None:
        self.peer = dial(port, until)
        self.ws = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self.send(Request(host="hall", target=path))
        self.events: list[Any] = []

    def send(self, *events: Any) -> None:
        self.peer.sendall(b"".join(self.ws.send(event) for event in events))

    def hear(self) -> list[Any]:
        """What the server says next; empty when it has hung up."""
        while True:
            data = self.peer.recv(65536)
            if not data:
                return []
            self.ws.receive_data(data)
            if events := list(self.ws.events()):
                return events


def arrives(port: int, until: Callable[..., Any]) -> Tablet | None:
    try:
        return Tablet(port, until, "/rate")
    except ConnectionError:
        return None


# ---- plain TCP


def test_a_device_dials_in_speaks_hangs_up_and_dials_in_again(port: int, opened: Any, until: Any) -> None:
    text = f"listen://127.0.0.1:{port}"
    for _ in range(2):
        waiting = opened(text)
        with dial(port, until) as peer:
            link = waiting()
            peer.sendall(b"N\r")
            assert read(link, until) == b"N\r"
            link.write(b"OK\r")
            assert peer.recv(100) == b"OK\r"
        with pytest.raises(LinkLost, match="hung up"):
            until(lambda: link.read(0.5))  # noqa: B023
        link.close()


def test_nobody_dials_in(port: int) -> None:
    with pytest.raises(LinkAbsent, match=f"No device has dialled in to port {port} yet") as absence:
        open_link(f"listen://127.0.0.1:{port}", 9600)
    assert absence.value.again == 0.0, "it has waited already"


def test_a_second_device_is_sent_away_with_a_sentence(port: int, opened: Any, until: Any) -> None:
    waiting = opened(f"listen://127.0.0.1:{port}")
    with dial(port, until) as first:
        link = waiting()
        with dial(port, until) as second:
            link.read(0.5)
            assert second.recv(200) == b"127.0.0.1 is connected here already, so 127.0.0.1 is not let in.\r\n"
        first.sendall(b"still here")
        assert read(link, until) == b"still here"


def test_a_port_somebody_else_has_is_said(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), pytest.raises(LinkAbsent, match="cannot be listened on") as absence:
        open_link(f"listen://127.0.0.1:{port}", 9600)
    assert absence.value.again is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listen://127.0.0.1", "write listen://HOST:PORT"),
        ("ws-listen://:3348", "write ws-listen://HOST:PORT"),
        ("listen://127.0.0.1:1?baud=9600", "no setting is called 'baud'"),
        ("udp://10.0.0.1", "write udp://HOST:PORT"),
        ("udp://10.0.0.1:5/x", "nothing may follow the port"),
        ("udp://10.0.0.1:5?local=x", "local must be a whole number"),
    ],
)
def test_a_wrong_link_text_names_the_part(text: str, said: str) -> None:
    with pytest.raises(LinkMistake) as wrong:
        open_link(text, 9600)
    assert said in str(wrong.value)


# ---- WebSocket


def test_messages_are_lines_and_lines_are_messages(port: int, opened: Any, until: Any) -> None:
    waiting = opened(f"ws-listen://127.0.0.1:{port}/rate")
    tablet = Tablet(port, until, "/rate?window=3")
    link = waiting()
    [welcome] = tablet.hear()
    assert isinstance(welcome, AcceptConnection)
    tablet.send(Message(data='{\r\n "method": "评价"\n}'))
    line = read(link, until)
    assert line.count(b"\n") == 1 and json.loads(line) == {"method": "评价"}
    link.write('{"a":"满意"}\n{"b":1}\n'.encode())
    said = tablet.hear()
    while len(said) < 2:
        said += tablet.hear()
    assert [one.data for one in said if isinstance(one, TextMessage)] == ['{"a":"满意"}', '{"b":1}']
    tablet.send(Message(data='{"half":', message_finished=False))
    assert link.read(0.2) == b""
    tablet.send(Message(data="1}"), Message(data="2"))
    assert read(link, until) == b'{"half":1}\n2\n'
    tablet.send(Ping(payload=b"there?"))
    assert link.read(0.5) == b""
    [pong] = tablet.hear()
    assert isinstance(pong, Pong) and pong.payload == b"there?"
    tablet.send(CloseConnection(code=1001, reason="restart"))
    with pytest.raises(LinkLost, match=r"hung up \(code 1001: restart\)"):
        until(lambda: link.read(0.5))
    [goodbye] = tablet.hear()
    assert isinstance(goodbye, CloseConnection)


@pytest.mark.parametrize("then", ["we answer", "it goes on"])
def test_a_tablet_says_its_last_word_and_goodbye_in_one_breath(then: str, port: int, opened: Any, until: Any) -> None:
    waiting = opened(f"ws-listen://127.0.0.1:{port}")
    tablet = Tablet(port, until)
    link = waiting()
    tablet.hear()
    tablet.send(Message(data="1"), CloseConnection(code=1001, reason="restart"))
    assert read(link, until) == b"1\n"
    if then == "it goes on":
        tablet.peer.sendall(b"\x81\x80abcd")
    with pytest.raises(LinkLost, match=r"hung up \(code 1001: restart\)"):
        if then == "we answer":
            link.write(b"{}\n")
        until(lambda: link.read(0.5))


def test_a_second_tablet_is_refused_with_a_sentence(port: int, opened: Any, until: Any) -> None:
    waiting = opened(f"ws-listen://127.0.0.1:{port}")
    first = Tablet(port, until)
    link = waiting()
    assert isinstance(first.hear()[0], AcceptConnection)
    second = Tablet(port, until)
    link.read(0.5)
    said = second.hear()
    assert isinstance(said[0], RejectConnection) and said[0].status_code == 409
    words = b"".join(bytes(one.data) for one in said if isinstance(one, RejectData))
    assert words == b"127.0.0.1 is connected here already, so 127.0.0.1 is not let in."


def test_another_path_is_refused_and_what_is_no_web_socket_too(port: int, opened: Any, until: Any) -> None:
    waiting = opened(f"ws-listen://127.0.0.1:{port}/rate")
    lost = Tablet(port, until, "/elsewhere")
    said = lost.hear()
    assert isinstance(said[0], RejectConnection) and said[0].status_code == 404

    until(lambda: any("'/elsewhere' instead of '/rate'" in reason for reason in waiting.reasons))

    def browse() -> bytes:
        """The door is made anew after each who is not let in: whoever comes in that moment comes again."""
        try:
            with dial(port, until) as browser:
                browser.sendall(b"GET / HTTP/1.1\r\nHost: hall\r\n\r\n")
                return browser.recv(100)
        except ConnectionResetError:
            return b""

    assert until(browse).startswith(b"HTTP/1.1 400")
    until(lambda: any("is no WebSocket" in reason for reason in waiting.reasons))

    def hang_up() -> bool:
        with dial(port, until):
            pass
        return any("hung up before" in reason for reason in waiting.reasons)

    until(hang_up)
    assert until(lambda: arrives(port, until))
    waiting()


@pytest.mark.parametrize("wrong", [BytesMessage(data=b"\x00"), Message(data="x" * 1_000_001), b"\xff\xff\xff\xff"])
def test_what_no_tablet_says_ends_the_talk(wrong: Any, port: int, opened: Any, until: Any) -> None:
    waiting = opened(f"ws-listen://127.0.0.1:{port}")
    tablet = Tablet(port, until)
    link = waiting()
    tablet.hear()
    said = wrong if isinstance(wrong, bytes) else tablet.ws.send(wrong)
    threading.Thread(target=lambda: tablet.peer.sendall(said), daemon=True).start()
    with pytest.raises(LinkLost, match=r"no WebSocket|code 1002"):
        until(lambda: link.read(0.5))


# ---- datagrams


def test_each_frame_is_a_datagram(until: Any) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as board:
        board.bind(("127.0.0.1", 0))
        board.settimeout(5)
        local = free_port(socket.SOCK_DGRAM)
        link = open_link(f"udp://127.0.0.1:{board.getsockname()[1]}?local={local}", 9600)
        link.write(b"\xaa\x55hello")
        data, sender = board.recvfrom(2000)
        assert (data, sender[1]) == (b"\xaa\x55hello", local)
        board.sendto(b"\x06", sender)
        assert read(link, until) == b"\x06"
        board.sendto(b"", sender)
        assert link.read(0.2) == b"", "an empty datagram is no end"
        link.write(b"x" * 2000)
        assert [len(board.recv(2000)) for _ in range(2)] == [1472, 528]
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"psst", ("127.0.0.1", local))
        assert link.read(0.2) == b""
        link.close()


def test_an_address_where_nothing_listens_is_a_lost_cable() -> None:
    link = open_link(f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", 9600)
    with pytest.raises(LinkLost, match="nothing listens at that address"):
        for _ in range(20):
            link.write(b"hello")
            link.read(0.1)
    link.close()


def test_a_name_nobody_knows_is_an_absent_cable() -> None:
    with pytest.raises(LinkAbsent, match="is not known on this network"):
        open_link("udp://board.invalid:5000", 9600)


def test_a_strip_behind_udp_is_told_by_datagram(diary: Any, until: Any, closing: Any) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as board:
        board.bind(("127.0.0.1", 0))
        board.settimeout(5)
        entry = DeviceEntry("strip", "ascii-strip", f"udp://127.0.0.1:{board.getsockname()[1]}", {})
        station = closing(Station([entry], diary))
        assert isinstance(station.send("strip", ShowText(text="A001")).result(5), Unconfirmed)
        assert board.recv(100) == b"A001\r\n"


def test_a_pad_behind_a_serial_server_that_dials_in(port: int, diary: Any, until: Any, closing: Any) -> None:
    text = f"listen://127.0.0.1:{port}"
    station = closing(Station([DeviceEntry("pad", "ascii-pad", text, {})], diary))
    until(lambda: station.state("pad").state is State.ABSENT)
    assert "has dialled in" in station.state("pad").reason
    pad = closing(SimulatedDevice("ascii-pad").on_dial(text))
    until(lambda: station.state("pad").counters.get("opened"))
    pad.happen(Rated(grade=5))
    until(lambda: diary.of(Rated))
    assert station.state("pad").state is State.READY
    pad.unplug()
    until(lambda: station.state("pad").state is State.ABSENT)
    pad.plug()
    until(lambda: station.state("pad").counters["opened"] == 2)
    pad.happen(Rated(grade=1))
    until(lambda: len(diary.of(Rated)) == 2)
    assert [n.grade for n in diary.of(Rated)] == [5, 1]

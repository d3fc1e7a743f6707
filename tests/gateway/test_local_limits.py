"""What a page, or anybody who reaches the port, cannot do to the gateway: fill its memory, its room, or its paper."""

from __future__ import annotations

import contextlib
import itertools
import json
import resource
import socket
from collections.abc import Iterable

import gevent
import gevent.socket
import pytest
from document_camera import sheet
from local_hall import BUSINESS, OTHER, PageSide
from test_local import CARD, JSON, SLIP, Server, in_background, signed
from test_scans import Scan

from config.reader import Mistake
from devices.gateway import create_gateway, serve
from devices.gateway.local.refusal import Refusal
from devices.gateway.local.signed import Signatures
from devices.gateway.server import EACH, MOST, SPARE, PlainServer, Shares
from devices.roles import PrintSlip
from devices.words import WordMistake, build

HOST = "Host: 127.0.0.1\r\n"


def answer_to(port: int, said: bytes, more: Iterable[bytes] = ()) -> bytes:
    """What comes back for bytes on a connection of their own, until it is closed or its head has come."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plug:
        plug.sendall(said)
        for part in more:
            plug.sendall(part)
        got = b""
        while b"\r\n\r\n" not in got and (part := plug.recv(65536)):
            got += part
    return got


# ---- bodies ----


def test_a_page_that_is_not_paired_gets_no_long_body_read(clerk):
    page = PageSide(clerk.url, OTHER)
    told = page.json("POST", "/v1/pairings", {"name": "x" * 16 * 1024}, status=413)
    assert told["code"] == "too-long" and told["detail"] == "请求内容过大。"
    assert page.status("POST", "/v1/pairings", {"name": "x" * 16_000}) == 202


def test_nor_one_that_does_not_say_how_long_it_is(clerk):
    head = f"POST /v1/pairings HTTP/1.1\r\n{HOST}Origin: {OTHER}\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    got = answer_to(clerk.server.port, head, [chunk] * 5)
    assert got.startswith(b"HTTP/1.1 413 ")
    small = b"2\r\n{}\r\n0\r\n\r\n"
    assert answer_to(clerk.server.port, head, [small]).startswith(b"HTTP/1.1 202 ")


def test_a_body_without_end_is_cut_off_while_others_are_served(clerk):
    head = f"POST /v1/pairings HTTP/1.1\r\n{HOST}Origin: {OTHER}\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    flooded = in_background(lambda: answer_to(clerk.server.port, head, itertools.repeat(chunk)))
    for _ in range(20):
        assert PageSide(clerk.url, BUSINESS).status("GET", "/v1/hello") == 200
    with pytest.raises(OSError):
        flooded.result(20)


@pytest.mark.parametrize(
    ("device", "deed", "fits", "too_long"),
    [("id-reader", "card", 16_000, 17_000), ("printer", "slip", 60_000, 66_000), ("strip", "text", 60_000, 66_000)],
)
def test_each_door_reads_as_much_as_it_needs(clerk, device, deed, fits, too_long):
    page = clerk.pair()
    path = f"/v1/devices/{device}/{deed}"
    assert page.status("POST", path, {"pad": "x" * too_long}) == 413
    assert page.status("POST", path, {"pad": "x" * fits, "seconds": "no number"}) != 413


@pytest.mark.parametrize(
    "pdf", [b"[" * 9_000_000, b"[" + b"[]," * 9_000_000 + b"[]]", b'{"a":' * 200_000 + b"1" + b"}" * 200_000]
)
def test_a_document_that_is_no_text_but_a_million_lists_is_never_taken_apart(clerk, pdf):
    page = clerk.pair()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = page.raw("/v1/devices/sheets/page", b'{"pdf":' + pdf + b"}")
    assert told["code"] == "too-many-parts" and told["detail"] == "请求内容的项数过多。"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000  # KB; read, it would be a gigabyte


def test_nor_can_a_small_one_be_nested_without_end(clerk):
    told = clerk.pair().raw("/v1/devices/sheets/page", b'{"pdf":' + b"[" * 40_000 + b"]" * 40_000 + b"}")
    assert told["code"] == "unreadable"


def test_whoever_is_not_let_in_is_told_before_the_body_comes(clerk):
    head = f"POST /v1/devices/sheets/page HTTP/1.1\r\n{HOST}Origin: {OTHER}\r\nContent-Length: 60000000\r\n\r\n"
    assert answer_to(clerk.server.port, head.encode()).startswith(b"HTTP/1.1 403 ")
    page = clerk.pair()
    said = f"{HOST}Origin: {BUSINESS}\r\nAuthorization: Bearer {page.token}\r\nContent-Length: 9000\r\n\r\n"
    head = f"POST /v1/scans/no-such-scan/file HTTP/1.1\r\n{said}"
    assert answer_to(clerk.server.port, head.encode()).startswith(b"HTTP/1.1 404 ")


# ---- connections ----


@pytest.mark.parametrize("first", [b"", b"GET /v1/hello HTTP/1.1\r\n"])
def test_a_head_that_drips_is_cut_off(clerk, first):
    app = create_gateway(clerk.station, title="t", login=lambda password: False)
    clerk.local.mount(app)
    with (
        serve(app, "127.0.0.1", 0, head=0.5) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=0.1) as plug,
    ):
        plug.sendall(first)
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            while True:
                plug.sendall(b"X" if not first else b"X-a: b\r\n")
                try:
                    if not plug.recv(100):
                        raise ConnectionResetError("closed: connection reset")
                except TimeoutError:
                    pass


def test_a_connection_kept_open_may_be_quiet_for_longer_than_a_head_takes(clerk):
    app = create_gateway(clerk.station, title="t", login=lambda password: False)
    clerk.local.mount(app)
    ask = f"GET /v1/hello HTTP/1.1\r\n{HOST}Origin: {BUSINESS}\r\n\r\n".encode()
    with (
        serve(app, "127.0.0.1", 0, head=0.2) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as plug,
    ):
        for _ in range(2):
            plug.sendall(ask)
            got = b""
            while not got.endswith(b"}\n"):
                got += plug.recv(65536)
            assert got.startswith(b"HTTP/1.1 200 ")
            plug.settimeout(0.5)  # a browser that has nothing to ask
            with pytest.raises(TimeoutError):
                plug.recv(1)
            plug.settimeout(20)


@pytest.mark.parametrize(
    "dripping",
    [
        b"GET /v1/hello HTTP/1.1\r\nX-a: ",
        f"POST /v1/pairings HTTP/1.1\r\n{HOST}Origin: {OTHER}\r\n{JSON}Content-Length: 999\r\n\r\n".encode(),
        f"GET /v1/hello HTTP/1.1\r\n{HOST}Origin: {BUSINESS}\r\n\r\n".encode(),
    ],
    ids=["heads", "bodies", "quiet ones kept open"],
)
def test_many_that_keep_the_gateway_waiting_keep_nobody_else_waiting(clerk, dripping):
    """More connections than there are places, each of which says a little and then nothing."""
    app = create_gateway(clerk.station, title="t", login=lambda password: False)
    clerk.local.mount(app)
    with serve(app, "127.0.0.1", 0, idle=1000.0, head=1000.0) as server, contextlib.ExitStack() as open_ones:
        for _ in range(MOST + SPARE):
            plug = open_ones.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            plug.sendall(dripping)
        for _ in range(3):
            ask = f"GET /v1/hello HTTP/1.1\r\n{HOST}Origin: {BUSINESS}\r\nConnection: close\r\n\r\n".encode()
            assert answer_to(server.port, ask).startswith(b"HTTP/1.1 200 ")  # within the 20 s of its socket


def test_whoever_is_at_work_is_not_cut_off_for_others(clerk):
    page = clerk.pair()
    with page.socket() as feed, contextlib.ExitStack() as open_ones:
        for _ in range(MOST + SPARE):
            plug = open_ones.enter_context(socket.create_connection(("127.0.0.1", clerk.server.port), timeout=20))
            plug.sendall(b"GET ")
        feed.say(take="camera")
        assert feed.hear("taken")["device"] == "camera"
        assert page.status("POST", "/v1/devices/camera/still", {}) == 200


def test_other_machines_share_half_the_connections():
    shares, held = Shares(), []

    def open_one(address: str) -> bool:
        held.append(shares.one(address))
        return held[-1].__enter__()

    assert [open_one("10.0.0.1") for _ in range(EACH + 1)] == [True] * EACH + [False]
    others = [open_one(f"10.0.{n}.2") for n in range(MOST)]
    assert sum(others) == MOST // 2 - EACH and not others[-1]
    assert all(open_one("127.0.0.1") and open_one("::1") for _ in range(MOST))
    held[0].__exit__(None, None, None)
    assert open_one("10.9.9.9") is True
    for one in held[1:]:
        one.__exit__(None, None, None)
    assert not shares._held


def test_a_machine_that_has_its_share_is_closed_without_a_word(clerk):
    app = create_gateway(clerk.station, title="t", login=lambda password: False)
    server = PlainServer(("127.0.0.1", 0), app, log=None)
    server.shares = Shares(each=1)
    ends = [gevent.socket.socketpair() for _ in range(2)]
    first = gevent.spawn(server.handle, ends[0][0], ("10.0.0.7", 1))
    gevent.sleep(0)
    server.handle(ends[1][0], ("10.0.0.7", 2))  # comes back at once
    ends[0][1].sendall(b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert ends[0][1].recv(100).startswith(b"HTTP/1.1 200 ")
    first.kill()
    for pair in ends:
        for end in pair:
            end.close()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("GET /v1/pair HTTP/1.1\r\n\r\n", 400),
        (f"GET /v1/pair HTTP/1.1\r\n{HOST}Host: evil.example\r\n\r\n", 400),
        (f"GET /v1/pair HTTP/1.1\r\n{HOST}\r\n", 200),
    ],
)
def test_a_request_names_its_host_once(clerk, said, status):
    assert answer_to(clerk.server.port, said.encode()).startswith(f"HTTP/1.1 {status} ".encode())


# ---- what is asked ----


@pytest.mark.parametrize(
    ("field", "value", "fits"),
    [("hall", "x" * 201, "x" * 200), ("url", "x" * 100, ""), ("ahead", 10_000, 9_999), ("ahead", -1, 0)],
)
def test_a_slip_prints_no_metres(clerk, field, value, fits):
    page = clerk.pair()
    if field == "url":
        value *= 3
    told = page.ask("printer", "slip", 422, **{**SLIP, field: value})
    assert (told["code"], told["field"]) == ("bad-field", field) and f"字段 {field} 超出范围" in told["detail"]
    assert clerk.bench.far["printer"].obeyed == []
    with pytest.raises(WordMistake, match=f"PrintSlip.{field}: expected"):
        build(PrintSlip, {**SLIP, field: value})  # as the command line does
    assert page.ask("printer", "slip", **{**SLIP, field: fits}) == {"result": "done"}


def test_a_scan_is_asked_for_what_it_has(desk_of_clerk, camera):
    page = desk_of_clerk.pair()
    with page.socket() as feed:
        scan = Scan(page, feed)
        camera.lay(sheet("A"))
        [one] = scan.until_pages(1)
        for kind in ([], {}, 1, None):
            assert page.json("POST", f"{scan.path}/file", {"kind": kind}, status=400)["code"] == "bad-field"
        for degrees in (90.0, [90], True, "90"):
            asked = {"page": one["id"], "degrees": degrees}
            assert page.json("POST", f"{scan.path}/rotate", asked, status=400)["code"] == "bad-field"


def test_a_card_read_while_the_pairing_is_revoked_is_not_given(clerk, until):
    page, other = clerk.pair(BUSINESS), clerk.pair(OTHER)
    answer = in_background(lambda: page.send("POST", "/v1/devices/id-reader/card", {"seconds": 100}))
    until(lambda: other.devices()["id-reader"]["owner"] == BUSINESS)

    def at_the_same_moment() -> None:
        clerk.local.pairs.revoke(BUSINESS)
        clerk.local.hear("id-reader", CARD)

    clerk.server._hub.loop.run_callback_threadsafe(at_the_same_moment)
    status, _, body = answer.result(20)
    assert (status, json.loads(body)["code"]) == (401, "revoked")
    assert "张三丰".encode() not in body
    until(lambda: other.devices()["id-reader"]["owner"] is None)


def test_a_read_ends_when_the_pairing_is_revoked(clerk, until):
    page, other = clerk.pair(BUSINESS), clerk.pair(OTHER)
    answer = in_background(lambda: page.send("POST", "/v1/devices/id-reader/card", {"seconds": 100}))
    until(lambda: other.devices()["id-reader"]["owner"] == BUSINESS)
    assert clerk.own.status("POST", "/v1/pair/revoke", {"origin": BUSINESS}) == 204
    assert answer.result(20)[0] == 401


# ---- what was signed when ----


def checked(signatures: Signatures, server: Server, at: float, nonce: str = "0123456789abcdef") -> None:
    headers = signed(server, "/", at=at, nonce=nonce)
    signatures.check(server.public, "GET", "/", BUSINESS, tuple(headers.values()))


def test_a_moment_that_could_not_be_written_is_not_taken_for_kept(tmp_path):
    server, file = Server(), tmp_path / "away" / "signed.json"
    signatures = Signatures(file, lambda: 1_790_000_000.0)
    with pytest.raises(OSError):
        checked(signatures, server, 1_790_000_000)
    file.parent.mkdir()
    checked(signatures, server, 1_790_000_000, nonce="another-of-that-second")
    assert json.loads(file.read_text()) == {BUSINESS: 1_790_000_000}


def test_a_clock_that_once_was_ahead_bars_nobody(tmp_path):
    server, file = Server(), tmp_path / "signed.json"
    file.write_text(json.dumps({BUSINESS: 1_890_000_000}))
    checked(Signatures(file, lambda: 1_790_000_000.0), server, 1_790_000_000)
    assert json.loads(file.read_text()) == {BUSINESS: 1_790_000_000}
    with pytest.raises(Refusal, match="sent before"):
        checked(Signatures(file, lambda: 1_790_000_000.0), server, 1_790_000_000)


def test_a_number_beyond_all_numbers_in_the_file_is_said(tmp_path):
    (tmp_path / "signed.json").write_text('{"https://x": 1e999}')
    with pytest.raises(Mistake, match="damaged"):
        Signatures(tmp_path / "signed.json")

"""The local gateway over real HTTP and WebSocket: who is let in, what the devices do, and who has which of them."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import socket
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from local_hall import BUSINESS, OTHER, Feed, HandshakeRefused, PageSide
from PIL import Image

from config.reader import Mistake
from config.words import translator
from devices.documents import trial_page
from devices.gateway import create_gateway, local
from devices.gateway.local import Pairs
from devices.gateway.local.deeds import GRADES, NEEDS
from devices.gateway.local.leases import Page
from devices.gateway.local.refusal import REPORTS, ROOM, Refusal
from devices.gateway.local.signed import Signatures
from devices.roles import (
    AskRating,
    CardPresented,
    CardRemoved,
    CodeScanned,
    PaperOut,
    PrintSlip,
    Rated,
    ShowText,
    ShowWelcome,
    StopScan,
    TriggerScan,
)

CARD = CardPresented(
    kind="citizen",
    name="张三丰",
    id_number="11010519491231002X",
    sex="男",
    nation="汉",
    birth="19491231",
    address_text="武当山紫霄宫",
    authority="某公安局",
    start="20200101",
    end="长期",
)
SLIP = {"hall": "青山镇便民服务中心", "service": "社保", "number": "A007", "ahead": 2}
JSON = "Content-Type: application/json\r\n"
SECRETS = ("张三丰", "11010519491231002X", "紫霄宫")


def in_background(call):
    """A request that waits, while the test goes on."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call)
    pool.shutdown(wait=False)
    return future


# ---- who is let in ----


def test_a_page_that_is_not_paired_is_told_so_and_reaches_nothing(clerk):
    page = PageSide(clerk.url, BUSINESS)
    assert page.json("GET", "/v1/hello")["paired"] is False
    for method, path in (("GET", "/v1/devices"), ("POST", "/v1/devices/id-reader/card")):
        told = page.json(method, path, None if method == "GET" else {}, status=403)
        assert told["code"] == "not-paired"
        assert told["sentence"][0].startswith("本页面还没有与本机配对")
        assert told["sentence"][1] == told["title"]
    assert page.send("OPTIONS", "/v1/devices")[0] == 403
    assert "Access-Control-Allow-Origin" not in page.send("GET", "/v1/devices")[1]
    with pytest.raises(HandshakeRefused, match="403"):
        Feed(clerk.url, BUSINESS)


def test_the_clerk_confirms_once_and_it_lasts(clerk):
    page = clerk.pair()
    assert page.json("GET", "/v1/hello")["paired"] is True
    assert set(page.devices()) == {"id-reader", "bus", "printer", "scanner", "strip", "sheets", "camera"}
    file = clerk.folder / "pairs.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert page.token not in file.read_text()
    clerk.server.close()
    clerk.serve()  # the station's program starts anew
    page.url = clerk.url
    assert page.devices()["printer"]["can"] == ["slip"]


def test_the_clerk_sees_who_asks_and_may_refuse(clerk):
    page = PageSide(clerk.url, BUSINESS)
    asked = page.json("POST", "/v1/pairings", {"name": "综合\u202e受理系统\n"}, status=202)
    assert re.fullmatch(r"\d{4}", asked["code"])
    page.headers["Bianmin-Secret"] = asked["secret"]
    state = f"/v1/pairings/{asked['pairing']}"
    assert page.json("GET", state) == {"state": "waiting"}
    [wish] = clerk.own.json("GET", "/v1/pair/state")["wishes"]
    assert wish == {
        "id": asked["pairing"],
        "origin": BUSINESS,
        "name": "综合受理系统",
        "code": asked["code"],
        "signs": False,
    }
    assert clerk.own.status("POST", f"/v1/pair/{asked['pairing']}/refuse", {}) == 204
    assert page.json("GET", state) == {"state": "refused"}
    assert page.json("GET", state, status=404)["code"] == "no-wish"
    assert page.json("GET", "/v1/hello")["paired"] is False


def test_a_token_is_given_once_and_only_to_the_page_that_asked(clerk):
    page = PageSide(clerk.url, BUSINESS)
    asked = page.json("POST", "/v1/pairings", {}, status=202)
    clerk.own.send("POST", f"/v1/pair/{asked['pairing']}/allow", {})
    thief = PageSide(clerk.url, OTHER)
    assert thief.json("GET", f"/v1/pairings/{asked['pairing']}", status=404)["code"] == "no-wish"
    page.headers["Bianmin-Secret"] = asked["secret"]
    assert page.json("GET", f"/v1/pairings/{asked['pairing']}")["state"] == "allowed"
    assert page.json("GET", f"/v1/pairings/{asked['pairing']}", status=404)["code"] == "no-wish"


def test_one_origins_token_opens_nothing_for_another(clerk):
    first, second = clerk.pair(BUSINESS), clerk.pair(OTHER)
    thief = PageSide(clerk.url, OTHER)
    thief.sign_in(first.token)
    assert thief.json("GET", "/v1/devices", status=401)["code"] == "wrong-token"
    assert second.devices()
    nobody = PageSide(clerk.url, "")
    nobody.sign_in(first.token)
    assert nobody.json("GET", "/v1/devices", status=403)["code"] == "no-origin"
    sandboxed = PageSide(clerk.url, "null")
    sandboxed.sign_in(first.token)
    assert sandboxed.json("GET", "/v1/devices", status=403)["code"] == "no-origin"


def test_revoked_is_revoked_at_once_and_for_good(clerk):
    page = clerk.pair()
    with page.socket() as feed:
        feed.hear("devices")
        feed.say(take="camera")
        feed.hear("taken")
        assert clerk.own.status("POST", "/v1/pair/revoke", {"origin": BUSINESS}) == 204
        assert feed.hear("refused")["code"] == "revoked"
        assert feed.next() is None and feed.ended == 4401
    assert page.json("GET", "/v1/devices", status=403)["code"] == "not-paired"
    again = clerk.pair()
    assert again.devices()["camera"]["owner"] is None
    assert page.json("GET", "/v1/devices", status=401)["code"] == "wrong-token"
    assert clerk.own.json("POST", "/v1/pair/revoke", {"origin": OTHER}, status=404)["code"] == "not-paired"


def test_foreign_pages_cannot_press_the_clerks_buttons(clerk):
    page = PageSide(clerk.url, BUSINESS)
    asked = page.json("POST", "/v1/pairings", {}, status=202)
    allow = f"/v1/pair/{asked['pairing']}/allow"
    assert page.status("POST", allow, {}) == 403  # foreign origin
    stolen = clerk.own
    stolen.headers["Origin"] = BUSINESS
    assert stolen.status("POST", allow, {}) == 403  # with our page's token even
    assert PageSide(clerk.url, clerk.url).status("POST", allow, {}) == 403  # ours, without the token
    assert PageSide(clerk.url, "").status("POST", allow, {}) == 403
    assert page.json("GET", "/v1/hello")["paired"] is False
    paired = clerk.pair(OTHER)
    assert "Access-Control-Allow-Origin" not in paired.send("GET", "/v1/pair/state")[1]
    headers = PageSide(clerk.url, "").send("GET", "/v1/pair")[1]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "127.0.0.1.evil.example", "10.0.0.7:{port}", "[::ffff:1.2.3.4]"]
)
def test_a_rebound_name_is_turned_away(clerk, host):
    page = clerk.pair()
    host = host.format(port=clerk.server.port)
    for path in ("/v1/hello", "/v1/devices", "/v1/pair", "/v1/sample"):
        assert page.json("GET", path, status=421, Host=host)["code"] == "foreign-host"
    with pytest.raises(HandshakeRefused, match="421"):
        Feed(clerk.url, BUSINESS, host=host)


def test_other_machines_are_turned_away(clerk_with):
    """Also where the technician's page is open to the network, by password."""
    clerk = clerk_with(facade=True, origins=[BUSINESS])
    app = create_gateway(clerk.station, title="t", login=lambda password: False)
    clerk.local.mount(app)
    client = app.test_client()
    for path in ("/v1/hello", "/v1/devices", "/v1/pair", "/v1/sample", "/getPic"):
        said = {"Host": "127.0.0.1", "Origin": BUSINESS}
        for remote in ("10.0.0.7", "fe80::7"):
            assert client.get(path, headers=said, environ_base={"REMOTE_ADDR": remote}).status_code == 403, path
    assert client.get("/v1/hello", headers=said, environ_base={"REMOTE_ADDR": "::1"}).status_code == 200


def test_too_many_wishes_do_not_flood_the_clerk(clerk):
    codes = [PageSide(clerk.url, f"https://s{n}.example").status("POST", "/v1/pairings", {}) for n in range(6)]
    assert codes == [202] * 5 + [429]
    assert PageSide(clerk.url, "https://s1.example").status("POST", "/v1/pairings", {}) == 202  # replaces its own
    assert len(clerk.own.json("GET", "/v1/pair/state")["wishes"]) == 5


def test_a_wish_the_clerk_does_not_see_ends_by_itself(tmp_path):
    now = [100.0]
    pairs = Pairs(tmp_path / "pairs.json", now=lambda: now[0])
    wish, secret = pairs.ask(BUSINESS, "")
    now[0] += 301
    with pytest.raises(Refusal, match="ask again"):
        pairs.allow(wish.id)
    with pytest.raises(Refusal, match="ask again"):
        pairs.collect(wish.id, secret)


def test_hall_toml_may_name_who_may_ask(clerk_with):
    clerk = clerk_with(origins=[BUSINESS])
    assert clerk.pair(BUSINESS).devices()
    stranger = PageSide(clerk.url, OTHER)
    told = stranger.json("POST", "/v1/pairings", {}, status=403)
    assert told["code"] == "barred" and OTHER in told["detail"]
    status, headers, _ = stranger.send("OPTIONS", "/v1/pairings")
    assert status == 403 and "Access-Control-Allow-Origin" not in headers


def test_a_pairing_that_is_no_longer_named_is_barred(clerk_with):
    clerk = clerk_with()
    page = clerk.pair()
    clerk.server.close()
    clerk.choices["origins"] = [OTHER]
    clerk.serve()
    page.url = clerk.url
    assert page.json("GET", "/v1/devices", status=403)["code"] == "barred"


@pytest.mark.parametrize("text", ["[", "{}", '[{"origin": "x"}]', "[1]"])
def test_a_damaged_file_of_pairings_is_not_taken_for_an_empty_one(tmp_path, text):
    file = tmp_path / "pairs.json"
    file.write_text(text)
    file.chmod(0o600)
    if text == "{}":
        assert Pairs(file).all() == []
        return
    with pytest.raises(Mistake, match="damaged"):
        Pairs(file)


def test_a_file_of_pairings_others_may_write_is_not_believed(tmp_path):
    file = tmp_path / "pairs.json"
    file.write_text("[]")
    file.chmod(0o666)
    with pytest.raises(Mistake, match="chmod 600"):
        Pairs(file)


def test_preflights_of_both_kinds(clerk):
    clerk.pair()
    page = PageSide(clerk.url, BUSINESS)
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,bianmin-page"}
    status, headers, _ = page.send("OPTIONS", "/v1/devices/printer/slip", headers=asks)
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == BUSINESS
    allowed = {name.strip().lower() for name in headers["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "bianmin-page", "bianmin-signature", "content-type"} <= allowed
    assert "Access-Control-Allow-Private-Network" not in headers
    assert "Access-Control-Allow-Credentials" not in headers
    older = {**asks, "Access-Control-Request-Private-Network": "true"}
    assert page.send("OPTIONS", "/v1/devices", headers=older)[1]["Access-Control-Allow-Private-Network"] == "true"
    stranger = PageSide(clerk.url, OTHER)
    status, headers, _ = stranger.send("OPTIONS", "/v1/pairings", headers=older)  # it may ask to be paired
    assert status == 204 and headers["Access-Control-Allow-Private-Network"] == "true"
    status, headers, _ = stranger.send("OPTIONS", "/v1/devices", headers=older)
    assert status == 403 and "Access-Control-Allow-Private-Network" not in headers


# ---- signed requests ----


class Server:
    """A business system's server: it signs as docs/gateway.md says, written here from that text alone."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()

    @property
    def public(self) -> str:
        raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def sign(self, text: str) -> str:
        return base64.b64encode(self.key.sign(text.encode())).decode()


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of nothing, FIPS 180-4


def signed(server: Server, path: str, *, nonce: str = "0123456789abcdef", at: float | None = None, **changed: str):
    moment = str(int(time.time() if at is None else at))
    parts = {"method": "GET", "path": path, "origin": BUSINESS, "digest": EMPTY, **changed}
    text = "\n".join(("bianmin-v1", parts["method"], parts["path"], parts["origin"], moment, nonce, parts["digest"]))
    return {"Bianmin-Time": moment, "Bianmin-Nonce": nonce, "Bianmin-Signature": server.sign(text)}


def test_an_origin_that_signs_must_sign_everything(clerk):
    server = Server()
    page = clerk.pair(key=server.public)
    assert page.json("GET", "/v1/hello")["signs"] is True
    assert page.json("GET", "/v1/devices", status=401)["code"] == "unsigned"
    assert page.json("GET", "/v1/devices", **signed(server, "/v1/devices"))["devices"]


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("wrong-signature", {"method": "POST"}),
        ("wrong-signature", {"path": "/v1/hello"}),
        ("wrong-signature", {"origin": OTHER}),
        ("wrong-signature", {"digest": "0" * 64}),
        ("signed-late", {"at": -120}),
        ("signed-late", {"at": 120}),
        ("bad-nonce", {"nonce": "short"}),
    ],
)
def test_a_signature_that_is_not_right(clerk, code, how):
    server = Server()
    page = clerk.pair(key=server.public)
    if "at" in how:
        how = {"at": time.time() + how["at"]}
    path = how.pop("path", "/v1/devices")
    assert page.json("GET", "/v1/devices", status=401, **signed(server, path, **how))["code"] == code
    forged = signed(Server(), "/v1/devices", nonce="another-servers-key")
    assert page.json("GET", "/v1/devices", status=401, **forged)["code"] == "wrong-signature"


def test_a_signed_request_counts_once(clerk):
    server = Server()
    page = clerk.pair(key=server.public)
    headers = signed(server, "/v1/devices")
    assert page.json("GET", "/v1/devices", **headers)
    assert page.json("GET", "/v1/devices", status=401, **headers)["code"] == "replayed"


def test_a_signed_request_counts_once_though_the_program_starts_anew(clerk):
    server = Server()
    page = clerk.pair(key=server.public)
    now = time.time()
    used = signed(server, "/v1/devices", at=now + 30)  # by a server whose clock is ahead
    assert page.json("GET", "/v1/devices", **used)
    assert page.json("GET", "/v1/devices", **signed(server, "/v1/devices", nonce="a-nonce-before-it", at=now))
    clerk.server.close()
    clerk.serve()
    page.url = clerk.url
    assert page.json("GET", "/v1/devices", status=401, **used)["code"] == "replayed"
    fresh = signed(server, "/v1/devices", nonce="a-nonce-after-that", at=now + 31)
    assert page.json("GET", "/v1/devices", **fresh)["devices"]
    assert (clerk.folder / "gateway-signed.json").stat().st_mode & 0o777 == 0o600
    other = clerk.pair(OTHER, key=server.public)  # which has signed nothing yet
    assert other.json("GET", "/v1/devices", **signed(server, "/v1/devices", origin=OTHER, at=now))["devices"]


def test_moments_that_are_over_are_not_kept(tmp_path):
    now, server = [1_790_000_000.0], Server()
    signatures = Signatures(tmp_path / "signed.json", lambda: now[0])

    def check(origin: str) -> None:
        headers = signed(server, "/", origin=origin, at=now[0])
        signatures.check(server.public, "GET", "/", origin, tuple(headers.values()))

    check(BUSINESS)
    now[0] += 121
    check(OTHER)
    assert json.loads((tmp_path / "signed.json").read_text()) == {OTHER: 1_790_000_121}


@pytest.mark.parametrize("text", ["[1]", "{", '{"https://x": null}'])
def test_a_damaged_file_of_moments_is_said(tmp_path, text):
    (tmp_path / "signed.json").write_text(text)
    with pytest.raises(Mistake, match="damaged"):
        Signatures(tmp_path / "signed.json")


def test_the_body_is_signed_and_so_is_the_address_as_sent(clerk):
    server = Server()
    page = clerk.pair(key=server.public)
    body = b'{"text": "A007"}'
    digest = "b3ee5e4b6c5f5d5c" * 4  # of another body
    given = json.loads(body)
    headers = signed(server, "/v1/devices/strip/text", method="POST", digest=digest)
    assert page.json("POST", "/v1/devices/strip/text", given, status=401, **headers)["code"] == "wrong-signature"
    assert clerk.bench.far["strip"].obeyed == []


def test_a_signed_socket(clerk):
    server = Server()
    page = clerk.pair(key=server.public)
    with page.socket() as feed:
        assert feed.hear("refused")["code"] == "unsigned"
    headers = signed(server, "/v1/events")
    said = {name.removeprefix("Bianmin-").lower(): value for name, value in headers.items()}
    with page.socket(**said) as feed:
        assert feed.hear("devices")["devices"]
    with page.socket(**said) as feed:
        assert feed.hear("refused")["code"] == "replayed"


def test_a_key_that_is_none_is_not_taken(clerk):
    page = PageSide(clerk.url, BUSINESS)
    assert page.json("POST", "/v1/pairings", {"key": "bm90IGEga2V5"}, status=400)["code"] == "bad-key"


# ---- devices ----


def test_a_card_goes_to_the_page_that_asked(clerk):
    page = clerk.pair()
    answer = in_background(lambda: page.ask("id-reader", "card", seconds=20))
    clerk.bench.far["id-reader"].happen(CARD)
    card = answer.result(20)
    assert card["name"] == "张三丰" and card["id_number"] == "11010519491231002X" and card["id_valid"] is True
    assert page.ask("id-reader", "card", seconds=5)["name"] == "张三丰"  # it still lies there


def test_a_card_is_nowhere_else(clerk, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        page, other = clerk.pair(BUSINESS), clerk.pair(OTHER)
        clerk.bench.far["id-reader"].happen(CARD)
        with other.socket() as feed:
            feed.hear("devices")
            assert page.ask("id-reader", "card", seconds=10)["name"] == "张三丰"
            feed.say(take="id-reader", watch=True)  # now it has the reader, but that card was not for it
            feed.hear("taken")
            clerk.bench.far["id-reader"].happen(CardRemoved())
            assert feed.hear("news")["news"] == "CardRemoved"
    seen = caplog.text + "".join(capfd.readouterr()) + (clerk.folder / "pairs.json").read_text()
    assert not [secret for secret in SECRETS if secret in seen]


def test_no_card_and_no_reader_are_told_apart(clerk):
    page = clerk.pair()
    assert page.ask("id-reader", "card", 504, seconds=0.3)["code"] == "nothing-came"
    clerk.bench.far["id-reader"].unplug()
    told = page.ask("id-reader", "card", 502, seconds=10)
    assert told["code"] == "not-ready" and told["detail"].startswith("链路断开：")


def test_a_page_that_leaves_frees_the_reader(clerk, until):
    page = clerk.pair()
    with socket.create_connection(("127.0.0.1", clerk.server.port)) as plug:
        head = "".join(f"{name}: {value}\r\n" for name, value in page.headers.items())
        request = (
            f"POST /v1/devices/id-reader/card HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}{JSON}Content-Length: 15\r\n\r\n"
        )
        plug.sendall(request.encode() + b'{"seconds":100}')
        until(lambda: page.devices()["id-reader"]["owner"] == BUSINESS)
    until(lambda: page.devices()["id-reader"]["owner"] is None)


@pytest.mark.parametrize("grade", [5, 1])
def test_a_rating_at_the_right_window(clerk, until, grade):
    page, bus = clerk.pair(), clerk.bench.far["bus"]
    answer = in_background(lambda: page.ask("bus", "rating", seconds=20, window=4))
    until(lambda: AskRating(address=2) in bus.obeyed)
    bus.happen(Rated(grade=3, address=1))  # the neighbour's citizen
    bus.happen(Rated(grade=grade, address=2))
    assert answer.result(20) == {"grade": grade, "word": GRADES[grade], "address": 2}


def test_nobody_rates(clerk):
    page = clerk.pair()
    assert page.ask("bus", "rating", seconds=0.5)["grade"] is None
    assert page.ask("bus", "rating", 404, window=9)["code"] == "no-window"


def test_a_slip(clerk, until):
    page, printer = clerk.pair(), clerk.bench.far["printer"]
    assert page.ask("printer", "slip", **SLIP) == {"result": "done"}
    assert [type(order) for order in printer.obeyed] == [PrintSlip]
    printer.happen(PaperOut())
    until(lambda: page.devices()["printer"]["state"] == "error")
    told = page.ask("printer", "slip", 502, **SLIP)
    assert told["code"] == "not-done" and "缺纸" in told["detail"]
    wrong = page.ask("printer", "slip", 400, **{**SLIP, "number": 7})
    assert wrong["place"] == "PrintSlip.number: expected text"


def test_a_page(clerk):
    page, sheets = clerk.pair(), clerk.bench.far["sheets"]
    pdf = base64.b64encode(trial_page().pdf).decode()
    assert page.ask("sheets", "page", pdf=pdf, title="回执", copies=2) == {"result": "done"}
    [job] = sheets.simulator.jobs.values()
    assert (job.title, job.copies, job.pdf) == ("回执", 2, trial_page().pdf)
    assert page.ask("sheets", "page", 400, pdf=base64.b64encode(b"GIF89a").decode())["code"] == "unprintable"
    assert (
        page.ask("sheets", "page", 400, pdf=base64.b64encode(b"\x89PNG\r\n\x1a\n..").decode())["code"] == "unprintable"
    )
    assert page.ask("sheets", "page", 400, pdf=pdf, copies=1000)["code"] == "bad-field"


def test_a_picture_that_would_burst_is_too_large(clerk, capfd):
    huge = io.BytesIO()
    Image.new("1", (8, 8)).save(huge, "PNG")
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    bomb = huge.getvalue()[:16] + head + zlib.crc32(b"IHDR" + head).to_bytes(4, "big") + huge.getvalue()[33:]
    told = clerk.pair().ask("sheets", "page", 400, pdf=base64.b64encode(bomb).decode())
    assert told["code"] == "unprintable" and told["detail"] == "文件过大，请分开打印。"
    assert "Traceback" not in capfd.readouterr().err  # an answer for the page is no fault of ours


def test_a_picture_on_a_sheet(clerk):
    page, sheets = clerk.pair(), clerk.bench.far["sheets"]
    drawn = io.BytesIO()
    Image.new("RGB", (800, 300), "navy").save(drawn, "PNG")
    assert page.ask("sheets", "page", pdf=base64.b64encode(drawn.getvalue()).decode()) == {"result": "done"}
    [job] = sheets.simulator.jobs.values()
    with pikepdf.open(io.BytesIO(job.pdf)) as printed:
        [sheet] = printed.pages
        assert [round(float(x)) for x in sheet.mediabox] == [0, 0, 842, 595]  # A4 across, in points


def test_a_code_and_the_scanner_goes_out_again(clerk, until):
    page, scanner = clerk.pair(), clerk.bench.far["scanner"]
    answer = in_background(lambda: page.ask("scanner", "code", seconds=20))
    until(lambda: TriggerScan() in scanner.obeyed)
    scanner.happen(CodeScanned(text="https://业务.example/受理/1"))
    assert answer.result(20)["text"] == "https://业务.example/受理/1"
    assert page.ask("scanner", "code", 504, seconds=0.3)["code"] == "nothing-came"
    until(lambda: StopScan() in scanner.obeyed)


def test_a_still_and_a_live_picture(clerk):
    page = clerk.pair()
    status, headers, jpeg = page.send("POST", "/v1/devices/camera/still", {})
    assert (status, headers["Content-Type"], jpeg[:2]) == (200, "image/jpeg", b"\xff\xd8")
    path = page.ask("camera", "stream")["path"]
    with socket.create_connection(("127.0.0.1", clerk.server.port), timeout=20) as plug:
        plug.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        got = b""
        while got.count(b"Content-Type: image/jpeg") < 3:
            got += plug.recv(65536)
        assert b"multipart/x-mixed-replace; boundary=frame" in got
        assert b"Cross-Origin-Resource-Policy: cross-origin" in got
        assert page.devices()["camera"]["yours"] is True
    assert PageSide(clerk.url, "").json("GET", path, status=404)["code"] == "no-stream"  # its key opens once


def test_a_text_and_the_welcome_again(clerk):
    page, strip = clerk.pair(), clerk.bench.far["strip"]
    assert page.ask("strip", "text", text="请A007到3号窗口", window=3) == {"result": "done"}
    assert page.ask("strip", "text", text="") == {"result": "done"}
    assert strip.obeyed == [ShowText(text="请A007到3号窗口", address=strip.obeyed[0].address), ShowWelcome()]
    assert page.ask("strip", "text", 400, text="two\nlines")["code"] == "bad-field"


def test_what_cannot_be_is_said(clerk):
    page = clerk.pair()
    assert page.ask("nobody", "card", 404)["code"] == "no-device"
    assert page.ask("printer", "card", 404)["code"] == "no-deed"
    assert page.ask("printer", "explode", 404)["code"] == "no-deed"
    assert page.ask("id-reader", "card", 400, seconds="5")["code"] == "bad-field"
    assert page.ask("id-reader", "card", 400, seconds=1e9)["code"] == "bad-field"
    assert page.json("POST", "/v1/devices/printer/slip", [1], status=400)["code"] == "unreadable"
    assert page.raw("/v1/devices/printer/slip", b"[" * 40_000)["code"] == "unreadable"
    assert page.json("GET", "/v1/nothing", status=404)["code"] == "no-door"


def test_a_device_that_is_taken_out_of_the_configuration(clerk, until):
    page = clerk.pair()
    with page.socket() as feed:
        feed.hear("devices")
        answer = in_background(lambda: page.ask("id-reader", "card", 404, seconds=20))
        until(lambda: page.devices()["id-reader"]["owner"] == BUSINESS)
        clerk.station.apply([entry for entry in clerk.bench.entries if entry.name != "id-reader"])
        assert answer.result(20)["code"] == "no-device"
        told = feed.hear("devices", lambda m: "id-reader" not in [d["name"] for d in m["devices"]])
        assert len(told["devices"]) == 6
    assert page.ask("id-reader", "card", 404)["code"] == "no-device"


def test_sent_but_unconfirmed_is_not_done(clerk_with, bench):
    bench.add("old strip", "pingan-strip", {"acks": False})
    page = clerk_with().pair()
    told = page.json("POST", "/v1/devices/old%20strip/text", {"text": "A007"}, status=202)
    assert told["result"] == "unknown" and told["sentence"][0].startswith("已发送，但无法确认")


# ---- one page at a time ----


def test_one_page_has_a_device_and_the_others_are_told_who(clerk):
    page, other = clerk.pair(BUSINESS), clerk.pair(OTHER)
    with page.socket() as feed, other.socket() as second:
        feed.say(take="camera")
        feed.hear("taken")
        second.say(take="camera", wait=True)
        assert second.hear("owned") == {"event": "owned", "device": "camera", "owner": BUSINESS}
        told = other.ask("camera", "still", 409)
        assert told["code"] == "owned" and told["owner"] == BUSINESS and BUSINESS in told["detail"]
        assert page.another().ask("camera", "still", 409)["code"] == "owned"  # another tab is another page
        assert page.send("POST", "/v1/devices/camera/still", {})[0] == 200
        assert {n: d["yours"] for n, d in page.devices().items()}["camera"] is True
        feed.say(release="camera")
        assert second.hear("taken")["device"] == "camera"
        assert page.ask("camera", "still", 409)["owner"] == OTHER


def test_what_a_page_had_is_free_when_its_socket_ends(clerk, until):
    page, other = clerk.pair(BUSINESS), clerk.pair(OTHER)
    with other.socket() as second:
        with page.socket() as feed:
            feed.say(take="camera")
            feed.hear("taken")
            second.say(take="camera", wait=True)
            second.hear("owned")
        assert second.hear("taken")["device"] == "camera"  # the first tab was closed, without a word
    until(lambda: page.devices()["camera"]["owner"] is None)


def test_a_request_has_the_device_while_it_lasts(clerk, until):
    page, other = clerk.pair(BUSINESS), clerk.pair(OTHER)
    answer = in_background(lambda: page.ask("id-reader", "card", seconds=20))
    until(lambda: other.devices()["id-reader"]["owner"] == BUSINESS)
    assert other.ask("id-reader", "card", 409)["owner"] == BUSINESS
    clerk.bench.far["id-reader"].happen(CARD)
    answer.result(20)
    assert other.devices()["id-reader"]["owner"] is None


def test_a_page_that_comes_back_while_it_waits_is_told_on_its_new_socket_once(clerk, until):
    """It keeps its place in the line; the socket it had before may be dead without anybody knowing yet."""
    page, other = clerk.pair(BUSINESS), clerk.pair(OTHER)
    with page.socket() as first, other.socket() as dead, other.socket() as alive:
        first.say(take="camera")
        first.hear("taken")
        dead.say(take="camera", wait=True)
        dead.hear("owned")
        alive.say(take="camera", wait=True)
        alive.hear("owned")
        first.say(release="camera")
        assert alive.hear("taken") == {"event": "taken", "device": "camera"}
        dead.close()
        alive.say(release="camera")
        events = []
        while "released" not in events:
            events.append(alive.next()["event"])
        assert "taken" not in events  # it was told once
        assert clerk.local.leases._waiting == {}


def test_whoever_gives_up_waiting_is_passed_over(clerk):
    pages = [clerk.pair(origin) for origin in (BUSINESS, OTHER, "https://third.example")]
    with pages[0].socket() as first, pages[1].socket() as second, pages[2].socket() as third:
        first.say(take="camera")
        first.hear("taken")
        for feed in (second, third):
            feed.say(take="camera", wait=True)
            feed.hear("owned")
        second.say(release="camera")
        second.hear("released")
        first.say(release="camera")
        assert third.hear("taken")["device"] == "camera"


def _in_line(feed: Feed, second: Feed) -> None:
    """The first has the reader and watches it; the second waits for it."""
    feed.say(take="id-reader", watch=True)
    feed.hear("taken")
    second.say(take="id-reader", watch=True, wait=True)
    second.hear("owned")


def test_news_only_for_the_page_that_has_the_device_and_watches(clerk):
    page, other = clerk.pair(BUSINESS), clerk.pair(OTHER)
    with page.socket() as feed, other.socket() as second:
        _in_line(feed, second)
        clerk.bench.far["id-reader"].happen(CARD)
        assert feed.hear("news", lambda m: m["news"] == "CardPresented")["id_number"] == "11010519491231002X"
        feed.say(release="id-reader")
        second.hear("taken")
        clerk.bench.far["id-reader"].happen(CardRemoved())
        assert second.hear("news")["news"] == "CardRemoved"  # and not the card that came before it
        feed.say(take="printer")
        feed.hear("taken")  # nothing of the reader came in between


def test_news_of_one_page_never_reach_the_next_one_in_line(clerk):
    page, other = clerk.pair(BUSINESS), clerk.pair(OTHER)
    with page.socket() as feed, other.socket() as second:
        _in_line(feed, second)

        def at_the_same_moment() -> None:  # the card is heard of, and before it is told the reader changes hands
            clerk.local.hear("id-reader", CARD)
            clerk.local.leases.release("id-reader", Page(BUSINESS, page.id))
            clerk.local.hear("id-reader", CardRemoved())

        clerk.server._hub.loop.run_callback_threadsafe(at_the_same_moment)
        assert second.hear("news")["news"] == "CardRemoved"


def test_what_a_page_makes_up_is_not_kept(clerk):
    page = clerk.pair()
    with page.socket() as feed:
        for n in range(3):
            feed.say(release=f"nothing-{n}")
            feed.hear("released")
        feed.say(take="camera")
        feed.hear("taken")
        feed.say(release="camera")
        feed.hear("released")
    assert clerk.local.leases._waiting == {}


def test_the_devices_are_told_when_they_change(clerk):
    page = clerk.pair()
    with page.socket() as feed:
        feed.hear("devices")
        clerk.bench.far["printer"].unplug()
        told = feed.hear("devices", lambda m: {d["name"]: d["state"] for d in m["devices"]}["printer"] == "absent")
        assert next(d for d in told["devices"] if d["name"] == "printer")["word"] == ["未连接", "Not connected"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("not json", 4400),
        ("[]", 4400),
        ("[" * 60_000, 4400),
        ('{"hello": "guess"}', 4401),
        ('{"take": "camera"}', 4401),
    ],
)
def test_a_socket_that_does_not_greet_properly(clerk, said, code):
    from wsproto.events import Message

    clerk.pair()
    feed = Feed(clerk.url, BUSINESS)
    feed.plug.sendall(feed.wire.send(Message(data=said)))
    while feed.next() is not None:
        pass
    assert feed.ended == code
    feed.close()


def test_a_socket_that_never_greets_is_closed_though_it_drips(clerk):
    from wsproto.events import Ping

    clerk.pair()
    feed = Feed(clerk.url, BUSINESS)
    ends = time.monotonic() + 15
    with pytest.raises(OSError):
        while time.monotonic() < ends:
            feed.plug.sendall(feed.wire.send(Ping()))
            time.sleep(0.2)  # how slowly it drips is the test
    feed.close()


def test_a_foreign_page_cannot_open_a_socket(clerk):
    clerk.pair()
    for origin in (OTHER, "", "null"):
        with pytest.raises(HandshakeRefused, match="403"):
            Feed(clerk.url, origin)


def test_nothing_is_left_behind(clerk, until):
    page = clerk.pair()
    before = len(clerk.local.hearing._listeners)
    for _ in range(5):
        with page.socket() as feed:
            feed.hear("devices")
    until(lambda: len(clerk.local.hearing._listeners) == before)
    assert [t.name for t in threading.enumerate()].count("gateway") == 1


# ---- words ----


def test_every_message_is_translated():
    folder = Path(local.__file__).parent
    code = "".join(file.read_text("utf-8") for file in folder.glob("*.py"))
    said = set(re.findall(r'Refusal\(\s*\d+,\s*"[a-z0-9-]+",\s*"(.+?)"', code))
    for template in (folder / "templates").rglob("*.html"):
        text = template.read_text("utf-8")
        said |= set(re.findall(r"""\b(?:two|_|second)\(['"](.+?)["']\)""", text))
        said |= set(re.findall(r'\("[a-z]+", "[a-z-]+", "(.+?)"\)', text))
    said |= {REPORTS, *re.findall(r'SheetMistake\("(.+?)"\)', code)}
    chinese = translator(ROOM)
    assert len(said) > 60
    assert sorted(m for m in said if not re.search(r"[\u4e00-\u9fff]", chinese(m))) == []


def test_pages_hold_no_inline_script_or_style():
    for template in (Path(local.__file__).parent / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), template


def test_the_comparison_names_tests_that_are_there():
    root = Path(local.__file__).parents[3]
    text = (root / "docs" / "compared.md").read_text("utf-8")
    tests = "".join(file.read_text("utf-8") for file in (root / "tests" / "gateway").glob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", text)
    assert len(named) > 15
    assert [name for name in named if f"def {name}(" not in tests] == []
    assert all((root / path).exists() for path in re.findall(r"`(tests/\w+/\w+\.py)`", text))


def test_the_documentation_names_every_code():
    root = Path(local.__file__).parents[3]
    folder, doc = root / "devices" / "gateway" / "local", (root / "docs" / "gateway.md").read_text("utf-8")
    code = "".join(file.read_text("utf-8") for file in folder.glob("*.py") if file.name != "facade.py")
    codes = {*re.findall(r'Refusal\(\s*\d+,\s*"([a-z-]+)"', code), "no-door", "fault"}
    assert len(codes) > 30
    assert sorted(one for one in codes if f"`{one}`" not in doc) == []


def test_the_module_offers_every_deed():
    module = (Path(local.__file__).parent / "static" / "bianmin-devices.js").read_text("utf-8")
    assert sorted(set(re.findall(r'#do\("(\w+)"', module))) == sorted(NEEDS)

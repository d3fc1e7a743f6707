"""Old front ends at the addresses they know: off by default, and only for origins hall.toml names."""

from __future__ import annotations

import base64
import io
import socket

import pytest
from local_hall import BUSINESS, OTHER, PageSide
from PIL import Image
from test_local import CARD, in_background

from devices.roles import CodeScanned, StopScan, TriggerScan

PATHS = (
    "/StartPreview", "/StopPreview", "/getPic", "/SavePic", "/Rotate", "/idcard/Open", "/idcard/Close",
    "/idcard/GetData", "/spru/Open", "/spru/Close", "/spru/Active", "/spru/Cancle",
)  # fmt: skip


@pytest.fixture
def old(clerk_with):
    """An old front end's page."""
    clerk = clerk_with(origins=[BUSINESS], facade=True)
    page = PageSide(clerk.url, BUSINESS)
    page.clerk = clerk
    return page


def test_it_is_off_by_default(clerk):
    clerk.pair(BUSINESS)
    for path in PATHS:
        assert PageSide(clerk.url, BUSINESS).status("GET", path) == 404


@pytest.mark.parametrize("path", PATHS)
def test_only_for_pages_hall_toml_names(old, path):
    for stranger in (PageSide(old.url, OTHER), PageSide(old.url, ""), PageSide(old.url, "null")):
        status, headers, body = stranger.send("GET", path)
        assert status == 403 and b'"state":"fail"' in body
        assert "Access-Control-Allow-Origin" not in headers
    assert PageSide(old.url, "").status("GET", path, headers={"Referer": OTHER + "/page"}) == 403
    assert old.status("GET", path, headers={"Host": "evil.example"}) == 421


def test_a_card(old):
    answer = in_background(lambda: old.json("GET", "/idcard/GetData"))
    old.clerk.bench.far["id-reader"].happen(CARD)
    told = answer.result(20)
    assert (told["state"], told["tips"]) == ("sucess", "")
    assert told["data"]["id_number"] == "11010519491231002X"
    assert old.json("GET", "/idcard/Open")["state"] == old.json("GET", "/idcard/Close")["state"] == "sucess"


def test_a_device_another_page_has_is_said(old):
    page = old.clerk.pair()
    with page.socket() as feed:
        feed.say(take="camera")
        feed.hear("taken")
        told = old.json("GET", "/getPic")
        assert told["state"] == "fail" and BUSINESS in told["tips"]


def test_pictures_turned_as_asked(old):
    def picture():
        return Image.open(io.BytesIO(base64.b64decode(old.json("GET", "/getPic")["data"])))

    assert picture().size == (640, 480)
    assert old.json("GET", "/Rotate")["data"] == 90
    assert picture().size == (480, 640)
    assert old.json("GET", "/Rotate?angle=270")["data"] == 0
    assert picture().size == (640, 480)
    assert old.json("GET", "/Rotate?angle=7")["state"] == "fail"


def test_a_preview(old):
    address = old.json("GET", "/StartPreview")["data"]
    assert address.startswith(old.url + "/v1/streams/")
    with socket.create_connection(("127.0.0.1", old.clerk.server.port), timeout=20) as plug:
        plug.sendall(f"GET {address.removeprefix(old.url)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        got = b""
        while got.count(b"Content-Type: image/jpeg") < 2:
            got += plug.recv(65536)
    assert old.json("GET", "/StopPreview")["state"] == "sucess"


def test_a_code_and_giving_up(old, until):
    scanner = old.clerk.bench.far["scanner"]
    answer = in_background(lambda: old.json("GET", "/spru/Active"))
    until(lambda: TriggerScan() in scanner.obeyed)
    scanner.happen(CodeScanned(text="A007"))
    assert answer.result(20) == {"state": "sucess", "tips": "", "data": "A007"}
    answer = in_background(lambda: old.json("GET", "/spru/Active"))
    until(lambda: scanner.obeyed.count(TriggerScan()) == 2)
    assert old.json("GET", "/spru/Cancle")["state"] == "sucess"
    assert answer.result(20)["tips"] == "已取消。"
    until(lambda: StopScan() in scanner.obeyed)


def test_preflights(old):
    status, headers, _ = old.send("OPTIONS", "/getPic", headers={"Access-Control-Request-Private-Network": "true"})
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == BUSINESS
    assert headers["Access-Control-Allow-Private-Network"] == "true"

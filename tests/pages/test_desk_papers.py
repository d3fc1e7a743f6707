"""Scanning papers at the desk: the hall's page, this computer's gateway, a camera on a wire, the ticket they go to."""

from __future__ import annotations

import io
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import expect

from config.words import compile_all
from devices.gateway import create_gateway
from devices.gateway import serve as serve_gateway
from devices.gateway.local import LocalGateway
from devices.station import DeviceEntry, Station

sys.path.insert(0, str(Path(__file__).parents[1] / "gateway"))
from document_camera import SIZE, DocumentCamera, sheet

expect.set_options(timeout=15000)

FAULTS = (Path(__file__).parent / "faults_of_layout.js").read_text("utf-8")


@pytest.fixture
def camera():
    made = DocumentCamera()
    yield made
    made.close()


class ClerksComputer:
    """The station of a window with one camera, and its gateway."""

    def __init__(self, folder, camera, origins=(), hall=""):
        compile_all()
        options = {"width": SIZE[0], "height": SIZE[1], "fps": 15}
        entries = [DeviceEntry("camera", "uvc-camera", camera.link, options)]
        self.local = None
        self.station = Station(entries, self._hear, delays=(0.05,))
        self.local = LocalGateway(
            self.station, title="3 号窗口", pairs=folder / "pairs.json", origins=origins, hall=hall
        )
        app = create_gateway(self.station, title="3 号窗口")
        self.local.mount(app)
        self.server = serve_gateway(app, "127.0.0.1", 0)
        self.url = self.server.url.rstrip("/")

    def _hear(self, device, news):
        if self.local:
            self.local.hear(device, news)

    def close(self):
        self.server.close()
        self.local.close()
        self.station.close()


@pytest.fixture
def computer(tmp_path, camera):
    made = ClerksComputer(tmp_path, camera)
    yield made
    made.close()


@pytest.fixture
def served(hall):
    """A ticket being served at window 3."""
    ticket = hall.issue("A")
    hall.open_window()
    hall.call_next()
    hall.ask(f"/tickets/{ticket['id']}/start", {})
    return ticket


def pair(page):
    with page.expect_popup() as popup:
        page.click("#papers-pair")
    expect(page.locator("#papers-code")).to_have_text(popup.value.locator(".wish .code").inner_text())
    popup.value.get_by_role("button", name="号码一致，允许").click()
    expect(page.locator(".scan-panel")).to_be_visible()
    popup.value.close()


def fetch(hall, path, token):
    request = urllib.request.Request(f"{hall.url}/v1{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def attachments(hall, ticket):
    return json.loads(fetch(hall, f"/tickets/{ticket['id']}/attachments", hall.manager_token))["attachments"]


def test_paired_once_scanned_and_attached(hall, visit, served, computer, camera, complaints, picture):
    page = visit(f"/desk?gateway={computer.url}", clerk="li")
    expect(page.locator("#scan")).to_be_visible()
    page.click("#scan")
    expect(page.locator("#papers-way")).to_contain_text("还没有与本机配对")
    pair(page)
    camera.lay(sheet("FORM A"))
    expect(page.locator(".scan-pages li")).to_have_count(1)
    expect(page.locator(".scan-pages img")).not_to_have_js_property("naturalWidth", 0)
    expect(page.locator(".scan-frame img")).to_have_js_property("naturalWidth", SIZE[0])
    camera.clear()
    expect(page.locator(".scan-phase")).to_contain_text("请把材料放到台面上")
    camera.lay(sheet("FORM B"))
    expect(page.locator(".scan-pages li")).to_have_count(2)
    picture(page, "desk-scan")
    page.click(".scan-done")
    expect(page.locator("#papers-say")).to_have_text(f"材料已附到 {served['number']} 号。")
    expect(page.locator("#papers-list li")).to_have_count(1)
    [kept] = attachments(hall, served)
    pdf = fetch(hall, f"/tickets/{served['id']}/attachments/{kept['id']}", hall.manager_token)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert len(document.pages) == 2
    with page.expect_download() as saved:
        page.locator("#papers-list a").click()
    assert Path(saved.value.path()).read_bytes() == pdf
    [told] = hall.events("AttachmentAdded")
    assert told["data"] == {
        "ticket": served["id"],
        "number": served["number"],
        "queue": "A",
        "attachment": kept["id"],
        "window": 3,
        "size": len(pdf),
    }
    picture(page, "desk-attached")

    page.click("#papers-again")  # another, without pairing; and this one is not kept
    expect(page.locator(".scan-none")).to_be_visible()
    page.click("#papers-close")
    expect(page.locator("#papers")).to_be_hidden()
    expect(page.locator("#papers-count")).to_have_text("已附 1 份")
    picture(page, "desk-with-papers")
    page.keyboard.press("m")
    page.locator("#papers-list button").click()
    expect(page.locator("#papers-none")).to_be_visible()
    assert attachments(hall, served) == [] and len(hall.events("AttachmentRemoved")) == 1
    assert complaints == []


@pytest.mark.parametrize("size", [(1366, 768), (1366, 900), (1920, 1080)])
def test_a_long_list_leaves_the_picture_and_every_button_on_the_screen(hall, visit, served, computer, size):
    page = visit(f"/desk?gateway={computer.url}", clerk="li", size=size)
    page.click("#scan")
    pair(page)
    for number in range(1, 8):
        page.click(".scan-take")
        expect(page.locator(".scan-pages li")).to_have_count(number)
    expect(page.locator(".scan-pages li").last).to_be_in_viewport(ratio=0.9)
    for name in (".scan-phase", ".scan-frame", ".scan-take", ".scan-done", ".scan-close", "#papers-none"):
        expect(page.locator(name)).to_be_in_viewport(ratio=1)
    assert page.evaluate(FAULTS, False) == []


def test_keys_under_the_camera_are_not_the_desks(hall, visit, served, computer):
    page = visit(f"/desk?gateway={computer.url}", clerk="li")
    expect(page.locator("#scan")).to_be_visible()
    page.keyboard.press("m")
    expect(page.locator("#papers")).to_be_visible()
    page.keyboard.press("f")
    page.keyboard.press("h")
    expect(page.locator("#choices")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#papers")).to_be_hidden()
    assert hall.ask(f"/tickets/{served['id']}")["state"] == "serving"
    for _ in range(20):  # a key just after another is heeded only when the desk has drawn itself anew
        page.keyboard.press("f")
        page.wait_for_timeout(500)
        if page.locator("#choices").is_visible():
            break
    expect(page.locator("#choices")).to_be_visible()


def test_what_the_hall_refuses_is_said_and_the_pages_stay(hall, visit, served, computer, camera):
    page = visit(f"/desk?gateway={computer.url}", clerk="li")
    page.click("#scan")
    pair(page)
    camera.lay(sheet("TOO LATE"))
    expect(page.locator(".scan-pages li")).to_have_count(1)
    hall.finish(served)  # by the pad
    page.click(".scan-done")
    expect(page.locator(".scan-told")).to_contain_text("只有在窗口的号才能附材料")
    expect(page.locator(".scan-pages li")).to_have_count(1)
    assert attachments(hall, served) == []


def test_no_ticket_no_papers_and_no_gateway_is_said(hall, visit, computer):
    hall.open_window()
    page = visit("/desk?gateway=http://127.0.0.1:9", clerk="li")
    expect(page.locator("#main .first")).to_have_text("叫下一位")
    expect(page.locator("#papers-row")).to_be_hidden()
    page.keyboard.press("m")
    expect(page.locator("#papers")).to_be_hidden()
    hall.issue("A")
    hall.call_next()
    page.click("#scan")
    expect(page.locator("#papers-way")).to_contain_text("没有外设网关应答")
    expect(page.locator("#papers-again")).to_be_visible()


def test_a_gateway_elsewhere_is_never_asked(hall, visit, served):
    page = visit("/desk?gateway=http://10.0.0.7:8765", clerk="li")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.click("#scan")
    expect(page.locator("#papers-way")).to_be_visible()
    assert not [url for url in asked if "10.0.0.7" in url]
    stopped = page.evaluate("fetch('http://10.0.0.7:8765/v1/hello').then(() => 'went out', () => 'stopped')")
    assert stopped == "stopped"


def test_only_the_desk_may_reach_this_computer(hall):
    def policy(path):
        with urllib.request.urlopen(hall.url + path, timeout=10) as answer:
            return answer.headers["Content-Security-Policy"]

    assert "connect-src 'self' http://127.0.0.1:* " in policy("/desk")
    assert "127.0.0.1" not in policy("/manager") and "127.0.0.1" not in policy("/")
    for name in ("bianmin-devices.js", "bianmin-scan.js", "bianmin-scan.css"):
        with urllib.request.urlopen(f"{hall.url}/static/station/{name}", timeout=10) as answer:
            assert len(answer.read()) > 1000
    with urllib.request.urlopen(f"{hall.url}/static/station/where.js", timeout=10) as answer:
        assert answer.read() == b'export const STATION = "http://127.0.0.1:8765";\n'
    for name in ("sample.js", "..%2Fgateway.py"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{hall.url}/static/station/{name}", timeout=10)


def test_hall_toml_may_name_others_and_the_halls_own_desk_is_let_ask(hall, visit, served, tmp_path, camera):
    computer = ClerksComputer(tmp_path, camera, origins=("https://business.example.gov.cn",), hall=hall.url)
    page = visit(f"/desk?gateway={computer.url}", clerk="li")
    page.click("#scan")
    pair(page)
    computer.close()

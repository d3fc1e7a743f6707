"""The sample page in a real browser, from another origin: pairing, each device, who owns it, and what is in the way."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from local_hall import BusinessSystem, Clerk
from playwright.sync_api import Browser, BrowserContext, Page, expect

from devices.gateway import create_gateway, serve
from devices.gateway.local.tls import Keys
from devices.gateway.server import Secure
from devices.roles import AskRating, CardPresented, CodeScanned, PaperOut, Rated, ShowText, TriggerScan

expect.set_options(timeout=15000)

CARD = CardPresented(
    kind="citizen", name="张三丰", id_number="11010519491231002X", sex="男", nation="汉", birth="19491231",
    address_text="武当山紫霄宫", authority="某公安局", start="20200101", end="长期",
)  # fmt: skip


@pytest.fixture
def tabs(browser: Browser) -> Iterator[BrowserContext]:
    """One browser profile, so that pages share what they remember."""
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    context.set_default_timeout(15000)
    yield context
    context.close()


@pytest.fixture
def business(clerk: Clerk) -> Iterator[BusinessSystem]:
    made = BusinessSystem(clerk.url)
    yield made
    made.close()


def card(page: Page, device: str) -> Any:
    return page.locator(f'section.device[data-name="{device}"]')


def press(page: Page, device: str, deed: str) -> None:
    card(page, device).locator(f'button[data-deed="{deed}"]').click()


def told(page: Page, device: str, kind: str) -> Any:
    """What came of it, once it is of this kind."""
    found = card(page, device).locator(".told")
    expect(found).to_have_class(re.compile(rf"\b{kind}\b"))
    return found


def pair(page: Page, allow: bool = True) -> None:
    """Press Pair, compare the numbers, and decide on the local page that opens beside it."""
    with page.expect_popup() as popup:
        page.get_by_role("button", name="配对").click()
    clerk = popup.value
    code = clerk.locator(".wish .code")
    expect(code).to_have_text(re.compile(r"\d{4}"))
    expect(page.locator("#code")).to_have_text(code.inner_text())
    expect(clerk.locator(".wish .origin")).to_have_text(page.evaluate("location.origin"))
    clerk.get_by_role("button", name="号码一致，允许" if allow else "拒绝").click()
    expect(clerk.locator("#quiet")).to_be_visible()
    clerk.close()


def paired(tabs: BrowserContext, address: str) -> Page:
    page = tabs.new_page()
    page.goto(address)
    pair(page)
    expect(page.locator("#stand")).to_contain_text("已配对并连接")
    expect(page.locator("section.device").first).to_be_visible()
    return page


def test_not_paired_then_refused_then_paired_then_revoked(tabs, clerk, business):
    page = tabs.new_page()
    page.goto(business.page())
    expect(page.locator("#way")).to_contain_text("还没有与本机配对")
    expect(page.locator("#way")).to_contain_text("not paired with this machine")
    expect(page.locator("section.device")).to_have_count(0)
    pair(page, allow=False)
    expect(page.locator("#way")).to_contain_text("没有同意配对")
    pair(page)
    expect(page.locator("#way")).to_be_hidden()
    expect(page.locator("section.device")).to_have_count(7)
    page.reload()  # it remembers
    expect(page.locator("section.device")).to_have_count(7)

    own = tabs.new_page()
    own.goto(clerk.url + "/v1/pair")
    expect(own.locator("#pairings .name")).to_have_text(business.origin())
    own.get_by_role("button", name="撤销").click()
    expect(own.locator("#none")).to_be_visible()
    expect(page.locator("#way")).to_contain_text("还没有与本机配对")
    expect(page.locator("section.device")).to_have_count(0)


def test_each_device_from_another_origin(tabs, clerk, business, until):
    page, far = paired(tabs, business.page()), clerk.bench.far

    press(page, "id-reader", "card")
    far["id-reader"].happen(CARD)
    told(page, "id-reader", "done")
    expect(card(page, "id-reader").locator(".card-data")).to_contain_text("11010519491231002X")

    press(page, "bus", "rating")
    until(lambda: AskRating(address=1) in far["bus"].obeyed)
    far["bus"].happen(Rated(grade=5, address=1))
    expect(told(page, "bus", "done")).to_contain_text("非常满意")

    press(page, "printer", "slip")
    told(page, "printer", "done")
    far["printer"].happen(PaperOut())
    expect(card(page, "printer").locator(".chip")).to_contain_text("故障")
    press(page, "printer", "slip")
    expect(told(page, "printer", "failed")).to_contain_text("缺纸")

    press(page, "sheets", "page")
    told(page, "sheets", "done")
    [job] = far["sheets"].simulator.jobs.values()
    assert job.pdf.startswith(b"%PDF-1.4") and job.title == "sample"

    press(page, "scanner", "code")
    until(lambda: TriggerScan() in far["scanner"].obeyed)
    far["scanner"].happen(CodeScanned(text="受理 2026-001"))
    told(page, "scanner", "done")
    expect(card(page, "scanner").locator(".card-data")).to_contain_text("受理 2026-001")

    press(page, "strip", "text")
    told(page, "strip", "done")
    assert [order.text for order in far["strip"].obeyed if isinstance(order, ShowText)] == ["请 A001 到 1 号窗口"]

    picture = card(page, "camera").locator("figure img")
    press(page, "camera", "still")
    told(page, "camera", "done")
    until(lambda: picture.evaluate("img => img.naturalWidth") == 640)
    assert picture.get_attribute("src").startswith("blob:")
    press(page, "camera", "stream")
    until(lambda: "/v1/streams/" in picture.get_attribute("src"))
    until(lambda: picture.evaluate("img => img.naturalWidth") == 640)
    assert clerk.local.leases.owner("camera").origin == business.origin()  # as long as the picture runs


def test_two_pages_and_the_second_is_told_who(tabs, clerk, business):
    first = paired(tabs, business.page("localhost"))
    second = paired(tabs, business.page("127.0.0.1"))
    press(first, "camera", "take")
    expect(told(first, "camera", "done")).to_contain_text("现由本页使用")
    expect(card(second, "camera").locator(".owned")).to_contain_text(business.origin("localhost"))
    press(second, "camera", "still")
    expect(told(second, "camera", "failed")).to_contain_text(business.origin("localhost"))
    press(second, "camera", "take")
    expect(told(second, "camera", "unknown")).to_contain_text("排队等候")
    first.close()
    expect(told(second, "camera", "done")).to_contain_text("现由本页使用")
    press(second, "camera", "still")
    expect(told(second, "camera", "done")).to_contain_text("成功")


def test_the_sample_on_the_gateway_itself(tabs, clerk):
    wrong: list[str] = []
    page = tabs.new_page()
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.goto(clerk.url + "/v1/sample")
    pair(page)
    expect(page.locator("section.device")).to_have_count(7)
    press(page, "camera", "still")
    told(page, "camera", "done")
    assert wrong == []


def test_the_gateway_stops_and_comes_back(tabs, clerk, business):
    page = paired(tabs, business.page())
    port = clerk.server.port
    clerk.server.close()
    expect(page.locator("#way")).to_contain_text("没有外设网关应答")
    expect(page.locator("#stand")).to_contain_text("未连接")
    clerk.serve_at(port)
    expect(page.locator("#way")).to_be_hidden()  # it connects again by itself
    expect(page.locator("section.device")).to_have_count(7)


def test_a_site_hall_toml_does_not_name_is_told_so(tabs, clerk_with):
    clerk = clerk_with(origins=["https://business.example.gov.cn"])
    business = BusinessSystem(clerk.url)
    page = tabs.new_page()
    page.goto(business.page())
    expect(page.locator("#way")).to_contain_text("hall.toml 没有允许本网站")
    expect(page.get_by_role("button", name="配对")).to_be_hidden()
    business.close()


def test_a_foreign_page_without_the_module_gets_nothing(tabs, clerk, business):
    """What a hostile page could try by itself, in a browser that is paired with another."""
    paired(tabs, business.page("localhost"))
    hostile = tabs.new_page()
    hostile.goto(business.page("127.0.0.1"))
    seen = hostile.evaluate(
        """async (gateway) => {
          const outcome = async (call) => { try { return await call(); } catch (e) { return "stopped"; } };
          const socket = (url) => new Promise((done) => {
            const s = new WebSocket(url);
            s.onopen = () => done("open");
            s.onerror = () => done("stopped");
          });
          return [
            await outcome(async () => (await fetch(`${gateway}/v1/devices`)).status),
            await outcome(async () => (await fetch(`${gateway}/v1/pair/state`)).status),
            await outcome(async () => (await fetch(`${gateway}/v1/pair`, { credentials: "include" })).status),
            await outcome(async () => (await fetch(`${gateway}/v1/devices/camera/still`, { method: "POST" })).status),
            await outcome(async () => (await fetch(`${gateway}/api/devices`)).status),
            await socket(gateway.replace("http", "ws") + "/v1/events"),
          ];
        }""",
        clerk.url,
    )
    assert seen == ["stopped"] * 6


def test_on_a_phone_nothing_runs_off_the_page(tabs, clerk):
    clerk.pair("https://a-very-long-name.of-a-business-system.example.gov.cn:8443")
    page = tabs.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(clerk.url + "/v1/sample")
    pair(page)
    expect(page.locator("section.device")).to_have_count(7)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(clerk.url + "/v1/pair")
    expect(page.locator("#pairings li")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for target in page.locator("button:visible").all():
        box = target.bounding_box()
        assert box is not None and box["height"] >= 40, target.inner_text()


# ---- what browsers put in the way ----


@pytest.fixture
def public(chromium_with: Callable[..., Browser], business: BusinessSystem) -> Iterator[BrowserContext]:
    """A browser to which the business system lies in the internet, as real ones do, and which asks nobody."""
    names = "MAP business.example 127.0.0.1"
    where = f"127.0.0.1:{business.port}=public"
    opened = chromium_with(f"--ip-address-space-overrides={where}", f"--host-resolver-rules={names}")
    context = opened.new_context()
    context.set_default_timeout(15000)
    yield context
    opened.close()


def test_local_network_access_is_denied_and_that_is_said(public, business):
    page = public.new_page()
    page.goto(business.page())
    expect(page.locator("#way")).to_contain_text("浏览器已禁止本页面访问本机设备")
    expect(page.get_by_role("button", name="配对")).to_be_hidden()


def test_a_page_by_plain_http_may_not_even_ask_and_that_is_said(public, business):
    page = public.new_page()
    page.goto(business.page("business.example"))
    assert page.evaluate("isSecureContext") is False
    expect(page.locator("#way")).to_contain_text("不是安全页面")
    expect(page.locator("#way")).to_contain_text("Chrome 142 and later")


def test_https_that_is_not_trusted_and_https_that_is(tabs, clerk, business, chromium_with, tmp_path):
    keys = Keys(tmp_path / "tls", "window-3")
    app = create_gateway(clerk.station, title="3 号窗口")
    clerk.local.mount(app)
    with serve(app, "127.0.0.1", 0, Secure(0, keys.context(), keys.renew)) as server:
        address = business.page(gateway=f"https://127.0.0.1:{server.secure_port}")
        page = tabs.new_page()
        page.goto(address)
        expect(page.locator("#way")).to_contain_text("网关没有通过 https 应答")
        certificate = x509.load_pem_x509_certificate(keys.certificate.read_bytes())
        raw = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
        trusting = chromium_with(f"--ignore-certificate-errors-spki-list={digest}")
        page = paired(trusting.new_context(), address)
        press(page, "camera", "still")
        told(page, "camera", "done")
        press(page, "camera", "stream")
        picture = card(page, "camera").locator("figure img")
        expect(picture).to_have_attribute("src", re.compile("^https://127.0.0.1:.*/v1/streams/"))
        expect(picture).to_have_js_property("naturalWidth", 640)
        trusting.close()


def test_the_module_signs_as_the_gateway_checks(tabs, clerk, business):
    """A page whose server signs, here with the browser's own Ed25519; one whose server has another key."""
    page = tabs.new_page()
    page.goto(business.page())
    page.evaluate(
        """async (address) => {
          const { Gateway } = await import("/v1/bianmin-devices.js");
          const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
          const server = async () => {
            const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
            const text = new TextEncoder();
            return {
              publicKey: base64(await crypto.subtle.exportKey("raw", pair.publicKey)),
              sign: async (what) => base64(await crypto.subtle.sign("Ed25519", pair.privateKey, text.encode(what))),
            };
          };
          window.right = new Gateway({ address, name: "签名系统", storage: null, ...(await server()) });
          window.other = await server();
          window.paired = window.right.pair({ open: false });
        }""",
        clerk.url,
    )
    own = tabs.new_page()
    own.goto(clerk.url + "/v1/pair")
    expect(own.locator(".wish")).to_contain_text("其服务器对每个请求签名")
    own.get_by_role("button", name="号码一致，允许").click()
    expect(own.locator("#pairings .chip")).to_contain_text("带签名")
    seen = page.evaluate(
        """async () => {
          await window.paired;
          const names = (await window.right.list()).map((device) => device.name);
          const told = new Promise((done) => {
            window.right.addEventListener("devices", ({ detail }) => done(detail.length));
          });
          await window.right.open();
          const shown = await window.right.showText("请 A007", { device: "strip" });
          const counted = await told;
          window.right.sign = window.other.sign;
          const refused = await window.right.list().then(() => "", (error) => error.code);
          return { names: names.length, shown, counted, refused };
        }"""
    )
    assert seen == {"names": 7, "shown": {"result": "done"}, "counted": 7, "refused": "wrong-signature"}


def test_the_module_connects_once_and_again_though_its_server_fails_to_sign(tabs, clerk, business):
    page = paired(tabs, business.page())
    page.evaluate(
        """async () => {
          const { gateway } = window;
          await Promise.all([gateway.open(), gateway.open()]);  // connected already: nothing more is opened
          window.tries = 0;
          gateway.sign = async () => { if (++window.tries < 3) throw new TypeError("the server is away"); return ""; };
          window.back = new Promise((done) => {
            gateway.addEventListener("devices", () => done(window.tries), { once: true });
          });
          gateway.socket.close();
        }"""
    )
    assert page.evaluate("window.back") >= 3
    assert len(clerk.local.hearing._listeners) == 1  # one socket

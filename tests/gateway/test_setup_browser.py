"""From "add" to "works" in a real browser: a printer, a bus pad, a strip and a pad nobody documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from config import machine as machines
from config.hall_file import HallFile
from devices.ends import PtyEnd
from devices.gateway import PasswordFile, create_gateway, serve
from devices.gateway.configuring import Configuring
from devices.gateway.totp import TotpFile
from devices.roles import AskRating, Key, KeyPressed, PrintTest, Rated, ShowCall
from devices.setup.changes import Setup, entries_of
from devices.simulate import SimulatedDevice
from devices.station import Station

expect.set_options(timeout=15000)


class Place:
    """A machine without a device, four cables that wait for one, and a technician's browser."""

    def __init__(self, folder: Path, browser: Browser, mode: str = "open") -> None:
        self.ports = folder / "ports"
        self.ports.mkdir()
        self.file = folder / "hall.toml"
        self.file.write_text('[machine]\nname = "x"\nstate = "."\n[hall]\nplan = "town"\n', encoding="utf-8")
        self.told: list[tuple[str, object]] = []
        self.station = Station([], lambda device, news: self.told.append((device, news)), delays=(0.05, 0.1))
        setup = Setup(HallFile(self.file), lambda machine: self._apply(machine))
        configuring = Configuring(
            setup, PasswordFile(folder / "password"), TotpFile(folder / "totp"), mode, (self.ports,)
        )
        self.configuring = configuring
        self.server = serve(
            create_gateway(self.station, title="一楼 1 号工位", configuring=configuring), "127.0.0.1", 0
        )
        self.far: dict[str, SimulatedDevice] = {}
        self.wrong: list[str] = []
        self.page: Page = browser.new_page(viewport={"width": 1366, "height": 900})
        self.page.set_default_timeout(20000)
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda e: self.wrong.append(str(e)))

    def plug(self, name: str, driver: str, options: dict | None = None) -> SimulatedDevice:
        self.far[name] = SimulatedDevice(driver, options, ()).on_pty(self.ports / name)
        return self.far[name]

    def _apply(self, machine: machines.Machine) -> None:
        self.station.apply(entries_of(machine.devices))

    def begin(self, role: str, port: str) -> None:
        """From the list of devices to the choice of a driver."""
        self.page.goto(self.server.url)
        self.page.locator("body.bare, #list li").first.wait_for()  # the list is there: its place and its buttons stay
        self.page.get_by_role("link", name="添加设备").first.click()
        self.page.locator(f"[data-role={role}]").click()
        self.page.locator(f".port[data-link$='/{port}']").click()

    def save(self, name: str) -> None:
        """Name it, look at what changes, save, and see that it works."""
        self.page.locator("#name").fill(name)
        self.page.get_by_role("button", name="查看改动").click()
        expect(self.page.locator("#change-words")).to_contain_text(f"新增 added: {name}")
        self.page.get_by_role("button", name="保存").click()
        expect(self.page.get_by_role("heading", name=name, level=2)).to_be_visible()

    def close(self) -> None:
        self.page.close()
        self.configuring.end_lesson()
        self.server.close()
        self.station.close()
        for device in self.far.values():
            device.close()


@pytest.fixture
def place(tmp_path: Path, browser: Browser) -> Iterator[Place]:
    made = Place(tmp_path, browser)
    yield made
    made.close()


def test_a_printer_found_by_its_plug(place: Place):
    far = place.plug("usb-printer", "escpos-printer")
    place.page.goto(place.server.url + "setup")
    place.page.locator("[data-role=ticket-printer]").click()
    expect(place.page.locator(".port[data-link$='usb-printer']")).to_be_visible()
    place.page.get_by_role("button", name="找设备").click()
    expect(place.page.locator("#finding-pull")).to_be_visible()
    far.unplug()
    expect(place.page.locator("#finding-push")).to_be_visible()
    far.plug()
    expect(place.page.locator("#finding-done")).to_be_visible()
    expect(place.page.locator("#link")).to_have_value(far.link)
    place.page.get_by_role("button", name="逐个试问").click()
    expect(place.page.locator("[data-driver=escpos-printer]")).to_have_attribute("aria-checked", "true")
    place.page.locator("#option-width_mm").select_option("58")
    place.save("printer")
    expect(place.page.locator(".state .chip")).to_contain_text("正常")
    place.page.get_by_role("button", name="打印测试小票").click()
    expect(place.page.locator(".result .outcome")).to_have_class(re.compile("done"))
    assert far.obeyed == [PrintTest()]
    assert "width_mm = 58" in place.file.read_text(encoding="utf-8")
    assert place.wrong == []


def test_a_bus_pad(place: Place, until):
    far = place.plug("usb-bus", "queue-bus", {"addresses": (3,)})
    place.begin("call-pad", "usb-bus")
    place.page.locator("[data-driver=queue-bus]").click()
    place.page.locator("#option-addresses").fill("3")
    row = place.page.locator("#window-rows input")
    row.nth(0).fill("3")
    row.nth(1).fill("2")
    place.save("bus")
    expect(place.page.locator(".state .chip")).to_contain_text("可用，不应答")
    far.happen(KeyPressed(key=Key.CALL_NEXT, address=3))
    expect(place.page.locator(".news")).to_contain_text("按键 key pressed")
    place.page.get_by_role("button", name="点亮评价器").click()
    expect(place.page.locator(".result .outcome")).to_have_class(re.compile("unknown"))
    until(lambda: AskRating(address=3) in far.obeyed)
    far.happen(Rated(grade=5, address=3))
    expect(place.page.locator(".news")).to_contain_text("grade=5")
    assert place.station.entries["bus"].windows == {3: 2}
    assert place.wrong == []


def test_choices_are_read_in_chinese_and_written_as_they_are(place: Place):
    place.plug("usb-strip", "pingan-strip")
    place.begin("window-screen", "usb-strip")
    place.page.locator("[data-driver=pingan-strip]").click()
    colour = place.page.locator("#option-text_colour")
    assert colour.locator("option").all_text_contents() == ["红色 red", "绿色 green", "黄色 yellow"]
    colour.select_option(label="绿色 green")
    place.page.locator("#window-rows input").nth(1).fill("1")
    place.save("strip")
    assert 'options = { text_colour = "green" }' in place.file.read_text(encoding="utf-8")
    assert place.wrong == []


def test_the_name_offered_follows_the_role_until_somebody_writes_one(place: Place):
    place.page.goto(place.server.url + "setup")
    name = place.page.locator("#name")
    for role, driver, written, named in (
        ("ticket-printer", "escpos-printer", "", "ticket-printer"),
        ("camera", "uvc-camera", "高拍仪", "camera"),
        ("ticket-printer", "escpos-printer", "", "高拍仪"),
    ):
        place.page.locator(f"[data-role={role}]").click()
        place.page.locator("#link").fill("socket://127.0.0.1:9")
        place.page.locator(f"[data-driver={driver}]").click()
        expect(place.page.locator("#step-form")).to_be_visible()
        expect(name).to_have_value(named)
        if written:
            name.fill(written)


def test_what_only_the_simulator_heeds_is_asked_for_the_simulator_only(place: Place):
    place.page.goto(place.server.url + "setup")
    place.page.locator("[data-role=camera]").click()
    for link, shown in (("v4l2://by-path/x", False), ("sim:", True), ("v4l2://by-path/x", False)):
        place.page.locator("#link").fill(link)
        place.page.locator("[data-driver=uvc-camera]").click()
        expect(place.page.locator("#option-width")).to_be_visible()
        expect(place.page.locator("#option-pictures")).to_be_visible(visible=shown)
    expect(place.page.locator("#fields")).to_contain_text("画面横宽")
    assert place.wrong == []


def test_a_strip_changed_and_undone(place: Place):
    far = place.plug("usb-strip", "pingan-strip")
    place.begin("window-screen", "usb-strip")
    place.page.get_by_role("button", name="逐个试问").click()
    expect(place.page.locator("[data-driver=pingan-strip]")).to_have_attribute("aria-checked", "true", timeout=60000)
    place.page.locator("#window-rows input").nth(1).fill("1")
    place.save("strip")
    expect(place.page.locator(".state .chip")).to_contain_text("正常")
    place.page.get_by_role("button", name="呼叫 A001").click()
    expect(place.page.locator(".result .outcome")).to_have_class(re.compile("done"))
    assert [type(order) for order in far.obeyed] == [ShowCall]
    place.page.get_by_role("link", name="修改").click()
    expect(place.page.locator("#name")).to_have_value("strip")
    place.page.locator("#option-digits").fill("9")
    place.page.get_by_role("button", name="查看改动").click()
    expect(place.page.locator("#change-mistakes")).to_contain_text("must be at most 4")
    expect(place.page.locator("#change-yes")).to_be_disabled()
    place.page.get_by_role("button", name="返回").last.click()
    place.page.locator("#option-digits").fill("4")
    place.page.get_by_role("button", name="查看改动").click()
    expect(place.page.locator("#change-lines")).to_contain_text("digits = 4")
    place.page.get_by_role("button", name="保存").click()
    expect(place.page.get_by_role("heading", name="strip", level=2)).to_be_visible()
    assert "digits = 4" in place.file.read_text(encoding="utf-8")
    place.page.get_by_role("button", name="撤销上次修改").click()
    expect(place.page.locator("#change-words")).to_contain_text("修改 changed: strip")
    place.page.get_by_role("button", name="保存").click()
    expect(place.page.locator("#change")).to_be_hidden()
    assert "digits" not in place.file.read_text(encoding="utf-8")
    place.page.get_by_role("button", name="删除").click()
    place.page.get_by_role("button", name="保存").click()
    expect(place.page.locator("#nothing")).to_be_visible()
    assert place.wrong == []


def test_a_pad_nobody_documented(place: Place, until):
    """A5, address, length, body, XOR of all before, 5A: what its keys send is all that is known."""
    frames = {
        "call_next": bytes.fromhex("A5 01 02 10 01 B7 5A"),
        "recall": bytes.fromhex("A5 01 02 10 02 B4 5A"),
        "5": bytes.fromhex("A5 01 02 20 05 83 5A"),
        "1": bytes.fromhex("A5 01 02 20 01 87 5A"),
    }
    far = PtyEnd(place.ports / "usb-pad")
    far.plug()
    place.begin("call-pad", "usb-pad")
    place.page.get_by_role("button", name="通过按键学习").click()
    for key, frame in frames.items():
        button = place.page.locator(f"[data-key='{key}']")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        for times in (1, 2):
            far.write(frame)
            expect(button.locator(".count")).to_contain_text(f"× {times}")
    place.page.get_by_role("button", name="推算协议").click()
    expect(place.page.locator("#learnt")).to_be_visible()
    far.write(frames["recall"])
    expect(place.page.locator("#replayed")).to_contain_text("recall")
    place.page.get_by_role("button", name="核对无误，采用").click()
    expect(place.page.locator("#step-form")).to_be_visible()
    place.page.locator("#window-rows input").nth(1).fill("3")
    place.save("pad")
    until(lambda: place.station.state("pad").counters["opened"] == 1)
    far.write(frames["call_next"])
    until(lambda: any(d == "pad" and isinstance(n, KeyPressed) and n.key is Key.CALL_NEXT for d, n in place.told))
    far.write(frames["1"])
    until(lambda: any(d == "pad" and isinstance(n, Rated) and n.grade == 1 for d, n in place.told))
    far.unplug()
    assert place.wrong == []


def test_the_second_factor_at_the_page(tmp_path: Path, browser: Browser):
    place = Place(tmp_path, browser, "totp")
    try:
        place.page.goto(place.server.url + "setup")
        expect(place.page.locator("#door")).to_contain_text("请先设置动态口令")
        place.page.get_by_role("button", name="设置动态口令").click()
        expect(place.page.locator("#enrol-code svg")).to_be_visible()
        secret = place.page.locator("#enrol-secret").inner_text().replace(" ", "")
        place.page.locator("#enrol-password input").fill("technik-88")
        place.page.locator("#enrol-figures").fill("12")
        place.page.get_by_role("button", name="确认").click()
        expect(place.page.locator("#door-refusal")).to_contain_text("口令不正确")
        place.page.locator("#enrol-figures").fill(pyotp.TOTP(secret).now())
        place.page.get_by_role("button", name="确认").click()
        expect(place.page.locator("#door")).to_be_hidden()
    finally:
        place.close()


def test_on_a_phone_nothing_sticks_out(place: Place):
    place.plug("usb-printer", "escpos-printer")
    place.page.set_viewport_size({"width": 390, "height": 800})
    place.page.goto(place.server.url + "setup")
    place.page.locator("[data-role=ticket-printer]").click()
    place.page.locator(".port[data-link$='usb-printer']").click()
    place.page.locator("[data-driver=escpos-printer]").click()
    expect(place.page.locator("#fields .field").first).to_be_visible()
    assert place.page.evaluate("document.documentElement.scrollWidth") <= 390

"""The technician's page in a real browser, over real wires: sees a fault come and go, presses the buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from devices.gateway import create_gateway, gateway_of, serve
from devices.roles import FrameSeen, PaperOut, PrintTest, ShowCall

expect.set_options(timeout=15000)


class Tab:
    """A browser tab that remembers what went wrong in it."""

    def __init__(self, browser: Browser, width: int = 1366, height: int = 768) -> None:
        self.wrong: list[str] = []
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(15000)
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda e: self.wrong.append(str(e)))


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    made = Tab(browser)
    yield made
    made.page.close()


def test_a_fault_comes_and_goes_before_ones_eyes(tab, page, bench):
    tab.page.goto(page)
    row = tab.page.locator("#list li[data-name=printer]")
    expect(row.locator(".chip")).to_contain_text("正常")
    expect(tab.page.locator("article h2")).to_have_text("printer")  # the first device is open on a wide screen
    bench.far["printer"].happen(PaperOut())
    expect(row.locator(".chip")).to_contain_text("故障")
    expect(tab.page.locator(".why .reason")).to_contain_text("缺纸")
    expect(tab.page.locator(".advice")).to_contain_text("请装入新纸卷")
    expect(tab.page.locator(".advice")).to_contain_text("Put in a new roll")
    bench.far["printer"].happen(PaperOut(over=True))
    expect(row.locator(".chip")).to_contain_text("正常")
    expect(tab.page.locator(".why")).to_be_hidden()
    bench.far["printer"].unplug()
    expect(row.locator(".chip")).to_contain_text("未连接")
    bench.far["printer"].plug()
    expect(row.locator(".chip")).to_contain_text("正常")
    assert tab.wrong == []


def choose_device(tab, name):
    """Its page, not merely its link: every device's page has buttons of the same names."""
    tab.page.get_by_role("link", name=name).click()
    expect(tab.page.get_by_role("heading", name=name, level=2)).to_be_visible()


def test_the_buttons_and_their_four_results(tab, page, bench):
    tab.page.goto(page)
    outcome = tab.page.locator(".result .outcome")
    tab.page.get_by_role("button", name="打印测试小票").click()
    expect(outcome).to_have_class(re.compile("done"))
    expect(outcome).to_contain_text("成功：设备已确认。")
    assert bench.far["printer"].obeyed == [PrintTest()]

    choose_device(tab, "strips")
    choose = tab.page.locator(".trial", has_text="呼叫 A001").locator("select")
    choose.select_option(label="6 号窗口 window 6")
    tab.page.get_by_role("button", name="呼叫 A001").click()
    expect(outcome).to_have_class(re.compile("done"))
    assert bench.far["strips"].obeyed == [ShowCall(number="A001", window=6, address=2)]

    choose_device(tab, "old strip")
    tab.page.get_by_role("button", name="显示欢迎词").click()
    expect(outcome).to_have_class(re.compile("unknown"))
    expect(outcome).to_contain_text("无法确认")

    choose_device(tab, "away")
    tab.page.get_by_role("button", name="打印测试小票").click()
    expect(outcome).to_have_class(re.compile("failed"))
    expect(tab.page.locator(".result .reason")).not_to_be_empty()
    assert tab.wrong == []


def test_a_slow_device_shows_that_it_is_busy(tab, bench, until):
    bench.add("printer", "escpos-printer", {"confirm_seconds": 2.0}, faults=("no-status",))
    station = bench.start()
    with serve(create_gateway(station, title="t"), "127.0.0.1", 0) as server:
        tab.page.goto(server.url)
        press = tab.page.get_by_role("button", name="打印测试小票")
        press.click()
        expect(tab.page.locator(".outcome")).to_have_class(re.compile("busy"))
        expect(press).to_be_disabled()
        expect(tab.page.locator(".outcome")).to_have_class(re.compile("unknown"))
        expect(press).to_be_enabled()
        until(lambda: bench.far["printer"].obeyed == [PrintTest()])


def test_a_station_that_stops_is_seen(tab, hall):
    server = serve(create_gateway(hall, title="t"), "127.0.0.1", 0)
    tab.page.goto(server.url)
    expect(tab.page.locator("#flow-on")).to_be_visible()
    server.close()
    expect(tab.page.locator("#lost")).to_be_visible()
    expect(tab.page.locator("#lost")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    expect(tab.page.locator("#flow-on")).to_be_hidden()
    with serve(create_gateway(hall, title="t"), "127.0.0.1", server.port):
        expect(tab.page.locator("#lost")).to_be_hidden()


def test_the_technician_signs_in_and_out(tab, hall):
    with serve(create_gateway(hall, title="t", login=lambda given: given == "right horse"), "127.0.0.1", 0) as server:
        tab.page.goto(server.url)
        tab.page.locator("#password").fill("wrong")
        tab.page.get_by_role("button", name="登录").click()
        expect(tab.page.locator("#refusal")).to_contain_text("密码不正确")
        tab.page.locator("#password").fill("right horse")
        tab.page.keyboard.press("Enter")
        expect(tab.page.locator("#list li").first).to_be_visible()
        tab.page.get_by_role("button", name="打印测试小票").click()
        expect(tab.page.locator(".outcome")).to_have_class(re.compile("done"))
        tab.page.get_by_role("button", name="退出").click()
        expect(tab.page.locator("#password")).to_be_visible()


def test_whoever_had_to_sign_in_comes_back_to_where_he_was(tab, hall):
    with serve(create_gateway(hall, title="t", login=lambda given: given == "right horse"), "127.0.0.1", 0) as server:
        tab.page.goto(server.url + "#old%20strip")
        tab.page.locator("#password").fill("right horse")
        tab.page.keyboard.press("Enter")
        expect(tab.page.get_by_role("heading", name="old strip", level=2)).to_be_visible()
        assert tab.page.url == server.url + "#old%20strip"


def test_a_machine_without_devices_says_what_to_do(tab, bench):
    with serve(create_gateway(bench.start(), title="t"), "127.0.0.1", 0) as server:
        tab.page.goto(server.url)
        expect(tab.page.locator("#nothing")).to_contain_text("本机还没有配置设备")
        expect(tab.page.locator("#nothing")).to_contain_text("[[device]]")


def test_on_a_phone_the_list_comes_first(browser, page):
    tab = Tab(browser, 390, 844)
    tab.page.goto(page)
    expect(tab.page.locator("#list")).to_be_visible()
    expect(tab.page.locator("article")).to_have_count(0)
    tab.page.get_by_role("link", name="strips").click()
    expect(tab.page.locator("article h2")).to_have_text("strips")
    expect(tab.page.locator("#list")).to_be_hidden()
    for address in ("", "#strips"):
        tab.page.goto(page + address)
        expect(tab.page.locator("#list li, article").first).to_be_attached()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    tab.page.get_by_role("link", name="全部设备").click()
    expect(tab.page.locator("#list")).to_be_visible()
    assert tab.wrong == []
    tab.page.close()


def test_what_is_pressed_can_be_pressed_with_a_finger(tab, page):
    tab.page.goto(page)
    expect(tab.page.locator(".trial button").first).to_be_visible()
    for target in tab.page.locator("button:visible, #list a:visible, select:visible").all():
        box = target.bounding_box()
        assert box is not None and box["height"] >= 40, target.inner_text()


def test_the_live_picture_runs_in_the_page(tab, hall, until):
    app = create_gateway(hall, title="t")
    done, data = cv2.imencode(".jpg", np.full((48, 64, 3), 200, np.uint8))
    assert done

    def film() -> None:
        gateway_of(app).hear("printer", FrameSeen(jpeg=data.tobytes(), width=64, height=48))

    film()
    with serve(app, "127.0.0.1", 0) as server:
        tab.page.goto(server.url)
        tab.page.get_by_role("button", name="查看一分钟实时画面").click()
        picture = tab.page.locator("figure img")
        until(lambda: film() or picture.evaluate("img => img.naturalWidth") == 64)
        expect(picture).to_be_visible()
        assert tab.wrong == []


def test_what_is_left_of_a_roll_is_shown(tab, bench):
    bench.add("printer", "escpos-printer", {"roll_metres": 30.0, "poll_seconds": 1.0})
    station = bench.start()
    with serve(create_gateway(station, title="一楼 1 号工位"), "127.0.0.1", 0) as server:
        tab.page.goto(server.url)
        paper = tab.page.locator("[data-part=paper]")
        expect(tab.page.locator(".state .chip")).to_contain_text("正常")
        expect(paper).to_be_hidden()
        tab.page.get_by_role("button", name="打印测试小票").click()
        expect(paper).to_contain_text("m ≈")

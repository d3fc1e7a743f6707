"""A citizen calls a helper at a kiosk: every desk shows it at once, one press sends somebody, all others see it."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

FAULTS = (Path(__file__).parent / "faults_of_layout.js").read_text("utf-8")
AT_ONCE = 1000  # ms


@pytest.fixture
def calls(hall):
    """Orders a citizen's kiosk would give."""

    class Kiosk:
        token = hall.kiosk_token

        def help(self, kiosk="k1"):
            hall.ask("/help", {"kiosk": kiosk, "page": "home"}, token=self.token)

        def trouble(self, device, state="error", reason="取号机缺纸，请装纸。"):
            report = {"device": device, "role": "ticket printer", "state": state, "reason": reason, "windows": []}
            hall.ask("/devices", {"machine": "k1", "devices": [report]}, token=self.token)

    return Kiosk()


def place(page, selector):
    return page.locator(selector).bounding_box()


def open_calls(hall):
    return [a["machine"] for a in hall.ask("/alarms", token=hall.manager_token)["alarms"] if a["device"] == "help"]


def test_every_desk_shows_a_call_and_loses_it_when_somebody_goes(hall, visit, calls, complaints, picture):
    hall.open_window(3)
    one, other = visit("/desk", clerk="li"), visit("/desk", clerk="zhang")
    for page in (one, other):
        expect(page.locator("#window-name")).not_to_be_empty()
        expect(page.locator("#help")).to_be_hidden()
    before = place(one, "#main")
    calls.help("取号机一")
    for page in (one, other):
        expect(page.locator("#help")).to_be_visible(timeout=AT_ONCE)
        expect(page.locator("#help-text .first")).to_have_text("取号机一 有群众请求帮助，请前往。")
    expect(one.locator("#help-go .first")).to_have_text("我去帮忙")
    expect(one.locator("#help-go .second")).to_have_text("I will go")
    assert place(one, "#main") == before, "the biggest button moved under the clerk's finger"
    assert one.evaluate(FAULTS, True) == []
    picture(one, "desk-help")
    one.click("#help-go button")
    for page in (one, other):
        expect(page.locator("#help")).to_be_hidden(timeout=AT_ONCE)
    assert [line["data"]["machine"] for line in hall.events("AlarmCleared")] == ["取号机一"]
    assert complaints == []


def test_a_call_is_there_when_a_desk_is_opened_and_waits_its_turn(hall, visit, calls):
    calls.help("k1"), calls.help("k2"), calls.help("k3")
    page = visit("/desk", clerk="li")
    expect(page.locator("#help-text .first")).to_contain_text("k1")
    expect(page.locator("#help-more")).to_have_text("另有 2 处")
    page.keyboard.press("g")
    expect(page.locator("#help-text .first")).to_contain_text("k2")
    expect(page.locator("#help-more")).to_have_text("另有 1 处")
    assert open_calls(hall) == ["k2", "k3"]


def test_pressed_twice_and_on_two_desks_somebody_goes_once(hall, visit, calls):
    calls.help("k1"), calls.help("k2")
    one, other = visit("/desk", clerk="li"), visit("/desk", clerk="zhang")
    for page in (one, other):
        expect(page.locator("#help-more")).to_have_text("另有 1 处")
    sent = []
    one.on("request", lambda request: sent.append(request) if request.url.endswith("/help/answer") else None)
    one.dblclick("#help-go button")
    other.evaluate("document.querySelector('#help-go button').click()")
    expect(one.locator("#help-more")).to_be_empty()
    expect(other.locator("#help-text .first")).to_contain_text("k2")
    assert open_calls(hall) == ["k2"], "the second half of a double click answered the next call"
    assert len(sent) == 1


def test_while_the_hall_is_slow_the_button_says_so_and_a_silent_hall_is_told(hall, visit, calls):
    calls.help("k1")
    page = visit("/desk", clerk="li")
    expect(page.locator("#help")).to_be_visible()
    hall.freeze()
    page.click("#help-go button")
    expect(page.locator("#help-go button")).to_be_disabled()
    expect(page.locator("#help-go .first")).to_have_text("正在告知同事……")
    hall.stop()
    expect(page.locator("#say")).to_contain_text("没有应答", timeout=20000)
    hall.start()
    expect(page.locator("#help-go .first")).to_have_text("我去帮忙", timeout=6000)
    page.click("#help-go button")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.locator("#say")).to_be_hidden()


def test_a_refusal_is_a_sentence(hall, visit, calls):
    calls.help("k1")
    page = visit("/desk", clerk="li")
    expect(page.locator("#help")).to_be_visible()
    page.evaluate("import('/static/api.js').then((api) => api.allow('an old page'))")
    page.click("#help-go button")
    expect(page.locator("#say")).to_contain_text("页面已过期")
    expect(page.locator("#help-go button")).to_be_enabled()
    assert open_calls(hall) == ["k1"]


def test_what_is_broken_is_one_small_line_on_the_desk(hall, visit, calls):
    page = visit("/desk", clerk="li")
    expect(page.locator("#window-name")).not_to_be_empty()
    calls.trouble("printer"), calls.trouble("reader", reason="身份证阅读器无响应，请检查电缆。")
    expect(page.locator("#trouble")).to_contain_text("2 项", timeout=AT_ONCE)
    expect(page.locator("#help")).to_be_hidden()
    assert page.evaluate(FAULTS, True) == []
    calls.trouble("printer", "ready", ""), calls.trouble("reader", "ready", "")
    expect(page.locator("#trouble")).to_be_hidden(timeout=AT_ONCE)


def test_the_manager_sees_calls_before_all_else_and_answers_them(hall, visit, calls, complaints):
    calls.trouble("printer")
    page, desk = visit("/manager", clerk="chen"), visit("/desk", clerk="li")
    expect(page.locator("#alarms li")).to_have_count(1)
    calls.help("k2"), calls.help("k1")
    expect(page.locator("#alarms li")).to_have_count(3, timeout=AT_ONCE)
    said = page.locator("#alarms li strong").all_inner_texts()
    assert "k2" in said[0] and "k1" in said[1] and "缺纸" in said[2]
    assert page.evaluate(FAULTS, False) == []
    expect(desk.locator("#help-more")).to_have_text("另有 1 处")
    page.click("#alarms li:nth-child(1) .go-there")
    expect(page.locator("#alarms li")).to_have_count(2, timeout=AT_ONCE)
    expect(desk.locator("#help-text .first")).to_contain_text("k1", timeout=AT_ONCE)
    assert complaints == []


def test_a_desk_chimes_once_for_a_call_unless_it_is_told_not_to(hall, visit, calls):
    page = visit("/desk", clerk="li")
    expect(page.locator("#window-name")).not_to_be_empty()
    page.click("#hall-name")
    sounds = []
    ear = page.context.new_cdp_session(page)
    ear.on("WebAudio.contextCreated", lambda told: sounds.append(told))
    ear.send("WebAudio.enable")
    calls.help("k1")
    expect(page.locator("#help")).to_be_visible(timeout=AT_ONCE)
    calls.trouble("printer")
    expect(page.locator("#trouble")).to_be_visible(timeout=AT_ONCE)
    assert len(sounds) == 1
    page.click("#help-bell")
    expect(page.locator("#help-bell")).to_have_text("提示音关")
    calls.help("k2")
    expect(page.locator("#help-more")).to_have_text("另有 1 处", timeout=AT_ONCE)
    assert len(sounds) == 1


def test_how_soon_a_call_is_seen(hall, visit, calls, eventually):
    """From the kiosk's order to the strip, ten times; the slowest within a second."""
    page = visit("/desk", clerk="li")
    expect(page.locator("#window-name")).not_to_be_empty()
    slowest = 0.0
    for n in range(10):
        started = time.monotonic()
        calls.help(f"k{n}")
        expect(page.locator("#help-text .first")).to_contain_text(f"k{n}")
        slowest = max(slowest, time.monotonic() - started)
        page.click("#help-go button")
        expect(page.locator("#help")).to_be_hidden()
    assert slowest < 1, f"{slowest:.3f} s"

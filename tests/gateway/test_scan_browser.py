"""The sample page's scan panel in a real browser, from another origin, over a camera under which pages are laid."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from document_camera import SIZE, desk, sheet
from local_hall import BusinessSystem
from playwright.sync_api import Browser, Page, expect
from scan_desk import ScanDesk

from devices.roles import PedalPressed

expect.set_options(timeout=15000)


@pytest.fixture
def clerk(desk_of_clerk: ScanDesk) -> ScanDesk:
    return desk_of_clerk


@pytest.fixture
def page(browser: Browser, clerk) -> Iterator[Page]:
    """The sample page as another origin serves it, paired, with the panel open."""
    business = BusinessSystem(clerk.url)
    context = browser.new_context(viewport={"width": 1366, "height": 900}, accept_downloads=True)
    context.set_default_timeout(15000)
    wrong: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and "Failed to load" not in m.text else None)
    page.goto(business.page())
    with page.expect_popup() as popup:
        page.get_by_role("button", name="配对").click()
    popup.value.get_by_role("button", name="号码一致，允许").click()
    expect(page.locator("#stand")).to_contain_text("已配对并连接")
    popup.value.close()
    page.locator('[data-deed="scan"]').click()
    expect(page.locator(".scan-panel")).to_be_visible()
    yield page
    context.close()
    business.close()
    assert wrong == []


def picture(page: Page, name: str) -> None:
    """Kept for those who look when BIANMIN_SHOTS names a folder."""
    if folder := os.environ.get("BIANMIN_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def rows(page: Page):
    return page.locator(".scan-pages li")


def test_pages_are_taken_and_worked_on(page, clerk, camera):
    expect(page.locator(".scan-phase")).to_contain_text("请把材料放到台面上")
    expect(page.locator(".scan-frame img")).to_have_js_property("naturalWidth", SIZE[0])
    camera.lay(sheet("FORM A"))
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#scan")).to_have_attribute("data-taken", "1")
    expect(page.locator(".scan-frame polygon")).to_have_count(1)
    expect(page.locator(".scan-phase")).to_contain_text("已拍下")
    expect(rows(page).locator("img")).not_to_have_js_property("naturalHeight", 0)
    camera.clear()
    expect(page.locator(".scan-frame polygon")).to_have_count(0)
    camera.lay(sheet("FORM B"))
    expect(rows(page)).to_have_count(2)
    expect(page.locator(".scan-total")).to_contain_text("共 2 页")
    picture(page, "scan-panel")

    first, second = (rows(page).nth(n).get_attribute("data-page") for n in (0, 1))
    rows(page).nth(1).get_by_label("上移").click()
    expect(rows(page).nth(0)).to_have_attribute("data-page", second)
    rows(page).nth(0).get_by_label("旋转").click()
    expect(rows(page).nth(0).locator("img")).to_have_js_property("naturalWidth", 240)  # its longer side lies now
    page.locator(".scan-undo").click()
    rows(page).nth(0).get_by_label("删除").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_have_attribute("data-page", first)
    page.locator(".scan-undo").click()
    expect(rows(page)).to_have_count(2)

    with page.expect_download() as saved:
        page.locator(".scan-save").first.click()
    with pikepdf.open(saved.value.path()) as document:
        assert len(document.pages) == 2
    expect(page.locator(".scan-told")).to_contain_text("已保存 scan.pdf")
    page.locator(".scan-done").click()
    expect(page.locator('[data-name="desk-camera"] .told')).to_contain_text(re.compile(r"PDF \d{5,} B"))


def test_cropped_by_hand_with_mouse_and_keys(page, camera):
    camera.lay(sheet("CROP ME"))
    expect(rows(page)).to_have_count(1)
    stamp = rows(page).get_attribute("data-stamp")
    rows(page).get_by_label("裁剪").click()
    corner = page.locator(".scan-corner").nth(2)
    expect(corner).to_be_visible()
    picture(page, "scan-crop")
    field, at = page.locator(".scan-crop").bounding_box(), corner.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.down()
    # Halfway to the middle: further in, the four corners would span no page.
    to_x = (at["x"] + at["width"] / 2 + field["x"] + field["width"] / 2) / 2
    to_y = (at["y"] + at["height"] / 2 + field["y"] + field["height"] / 2) / 2
    page.mouse.move(to_x, to_y, steps=5)
    page.mouse.up()
    now = corner.bounding_box()
    assert abs(now["x"] + now["width"] / 2 - to_x) < 3
    corner.press("ArrowLeft")
    assert corner.bounding_box()["x"] < now["x"]
    before = rows(page).locator("img").evaluate("img => [img.naturalWidth, img.naturalHeight]")
    page.locator(".scan-yes").click()
    expect(page.locator(".scan-dialog")).to_have_count(0)
    expect(rows(page)).not_to_have_attribute("data-stamp", stamp)
    expect(rows(page).locator("img")).not_to_have_js_property("naturalWidth", 0)
    after = rows(page).locator("img").evaluate("img => [img.naturalWidth, img.naturalHeight]")
    assert 0 not in before and after != before


def test_a_card_is_cropped_at_close_range(page, camera):
    camera.lay(sheet("CARD")[:190, :300], at=(800, 560))
    expect(rows(page)).to_have_count(1)
    rows(page).get_by_label("裁剪").click()
    corners, pane = page.locator(".scan-corner"), page.locator(".scan-pane")
    expect(corners.nth(2)).to_be_visible()
    picture(page, "scan-crop-card")
    spread = lambda: corners.nth(2).bounding_box()["x"] - corners.nth(0).bounding_box()["x"]  # noqa: E731
    close = spread()
    assert close > 0.6 * pane.bounding_box()["width"]
    for number in range(4):
        expect(corners.nth(number)).to_be_in_viewport(ratio=1)
    page.locator(".scan-zoom").click()
    assert spread() < 0.5 * close
    page.locator(".scan-zoom").click()
    assert spread() == pytest.approx(close, abs=1)


def test_by_button_foot_and_retake_and_a_copy_on_paper(page, clerk, camera, until):
    page.locator(".scan-check input").uncheck()
    camera.lay(sheet("BY HAND"))
    expect(page.locator(".scan-phase")).to_contain_text("请按“拍一页”")
    page.locator(".scan-take").click()
    expect(rows(page)).to_have_count(1)
    camera.lay(sheet("BY FOOT"))
    expect(page.locator(".scan-phase")).to_contain_text("请按“拍一页”")
    clerk.bench.far["pedal"].happen(PedalPressed(pedal=1, code="KEY_B"))
    expect(rows(page)).to_have_count(2)
    stamp = rows(page).nth(0).get_attribute("data-stamp")
    rows(page).nth(0).get_by_label("重拍").click()
    expect(rows(page).nth(0)).to_have_attribute("data-retaking", "true")
    page.locator(".scan-take").click()
    expect(rows(page).nth(0)).not_to_have_attribute("data-stamp", stamp)
    expect(rows(page)).to_have_count(2)
    page.locator(".scan-mark input").fill("仅供办理养老保险使用")
    page.locator(".scan-print").click()
    expect(page.locator(".scan-sheet img")).to_be_visible()
    picture(page, "scan-copy")
    page.locator(".scan-yes").click()
    expect(page.locator(".scan-told")).to_contain_text("已打印")
    [job] = clerk.bench.far["sheets"].simulator.jobs.values()
    with pikepdf.open(io.BytesIO(job.pdf)) as document:
        assert len(document.pages) == 2


def test_what_is_wrong_with_a_page_or_the_camera_is_said(page, camera):
    page.locator(".scan-take").click()  # an empty desk: the whole picture is kept, and that is said
    expect(rows(page).locator('[data-flag="whole_picture"]')).to_contain_text("没有找到页边")
    trouble = page.locator(".scan-trouble")
    camera.frozen = True
    expect(trouble).to_contain_text("画面停住不动")
    camera.frozen = False
    expect(trouble).to_be_hidden()
    camera.show(desk() * 0)
    expect(trouble).to_contain_text("画面全黑")
    camera.show(desk())
    expect(trouble).to_be_hidden()
    camera.unplug()
    expect(trouble).to_contain_text("高拍仪未连接")
    picture(page, "scan-unplugged")
    camera.plug()
    expect(trouble).to_be_hidden()
    camera.lay(sheet("AGAIN"))
    expect(rows(page)).to_have_count(2)


def test_a_trembling_finger_does_everything_once(page, camera):
    for wanted in (1, 2, 3):
        page.locator(".scan-take").dblclick()
        expect(rows(page)).to_have_count(wanted)
    last = rows(page).nth(2).get_attribute("data-page")
    rows(page).nth(0).get_by_label("删除").dblclick()
    expect(rows(page)).to_have_count(2)
    page.locator(".scan-undo").click()
    expect(rows(page)).to_have_count(3)
    expect(rows(page).nth(2)).to_have_attribute("data-page", last)


def test_closed_or_lost_it_is_gone(page, clerk, camera):
    camera.lay(sheet("GONE"))
    expect(rows(page)).to_have_count(1)
    page.locator(".scan-close").click()
    expect(page.locator("#scan")).to_be_hidden()
    page.locator('[data-deed="scan"]').click()
    expect(page.locator(".scan-none")).to_be_visible()
    page.evaluate("gateway.socket.close()")  # as when the station's program is started anew
    expect(page.locator(".scan-panel")).to_have_count(0)


def test_on_a_phone_nothing_runs_off_the_panel(page, camera):
    camera.lay(sheet("SMALL"))
    expect(rows(page)).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

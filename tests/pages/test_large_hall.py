"""Pages of a large hall with long names, and of one in which nothing has happened yet: still nothing is cut off."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

FAULTS = (Path(__file__).parent / "faults_of_layout.js").read_text("utf-8")
SIZES = {
    "/": [(1366, 768), (360, 740)],
    "/desk": [(1366, 768), (1920, 1080)],
    "/manager": [(1366, 768), (1920, 1080)],
    "/board": [(1920, 1080), (1280, 720), (1080, 1920)],
    "/window/1": [(1280, 720), (1920, 1080), (1080, 1920)],
    "/evaluator/1": [(1280, 800), (1024, 600), (800, 1280)],
    "/t/{id}": [(360, 740), (320, 568)],
}
FIXED = ("/desk", "/board", "/window/1", "/evaluator/1")
PEOPLE = {"/desk": "clerk1", "/manager": "chen"}
DRAWN = {
    "/": ("#windows li", 14),
    "/desk": ("#queues li", 8),
    "/manager": ("#windows li", 14),
    "/board": ("#queues li", 8),
    "/window/1": ("#name", 1),
    "/evaluator/1": ("#hall-name", 1),
    "/t/{id}": ("#number", 1),
}


def crowd(hall):
    """A hundred people, twelve clerks, poor ratings, broken things and calls for help."""
    for n in range(12):
        hall.open_window(n + 1, f"clerk{n + 1}")
    for n in range(96):
        hall.issue(None, service=f"s{'ABCDEFGH'[n % 8]}", priority="elder" if n % 9 == 0 else None)
    for n in range(1, 13):
        ticket = hall.call_next(n)
        hall.finish(ticket)
        hall.ask(f"/tickets/{ticket['id']}/rate", {"grade": 1 + n % 5, "channel": "evaluator"})
    for n in range(1, 12):
        ticket = hall.call_next(n)
        if n == 1:
            hall.ask(f"/tickets/{ticket['id']}/start", {})
            hall.ask(f"/tickets/{ticket['id']}/hold", {})
            hall.ask(f"/tickets/{hall.call_next(1)['id']}/pass", {})
            hall.call_next(1)
    hall.ask("/windows/12/pause", {"reason": "系统升级，请到其他综合受理窗口办理，预计十分钟后恢复"})
    for n in range(1, 4):
        hall.ask("/help", {"kiosk": f"一楼大厅东侧自助终端 {n}"}, token=hall.kiosk_token)
    reason = "热敏打印机缺纸，请打开前盖装入 80 毫米纸卷后合上。"
    device = {"role": "ticket printer", "state": "error", "reason": reason, "windows": []}
    devices = [{**device, "device": f"ticket-printer-{n}"} for n in range(6)]
    hall.ask("/devices", {"machine": "kiosk-hall-1-east", "devices": devices}, token=hall.kiosk_token)


def the_desks_questions_fit(page, picture):
    for key in "tn":
        page.keyboard.press(key)
        expect(page.locator("#choices")).to_be_visible()
        picture(page, f"large-desk-{key}")
        assert page.evaluate(FAULTS, True) == [], key
        page.keyboard.press("Escape")


@pytest.mark.parametrize("state", ["crowded", "empty"])
@pytest.mark.parametrize("path", SIZES)
def test_nothing_is_cut_off(path, state, large_hall, visit, complaints, picture):
    if state == "crowded":
        crowd(large_hall)
    ticket = large_hall.issue(None, service="sA")["id"] if "{id}" in path else ""
    page = visit(path.replace("{id}", ticket), clerk=PEOPLE.get(path), screen=path in FIXED[1:])
    what, count = DRAWN[path]
    for width, height in SIZES[path]:
        page.set_viewport_size({"width": width, "height": height})
        page.reload()
        expect(page.locator(what)).to_have_count(count)
        expect(page.locator(what).first).not_to_have_text(re.compile(r"^[\s–]*$"))
        if path == "/desk":
            expect(page.locator("#help")).to_be_visible(visible=state == "crowded")
        page.evaluate("document.fonts.ready.then(() => true)")
        picture(page, f"large-{state}{path.replace('/', '-').replace('{id}', '')}-{width}x{height}")
        assert page.evaluate(FAULTS, path in FIXED) == [], f"{path} {state} at {width}×{height}"
        if path == "/desk" and state == "crowded":
            the_desks_questions_fit(page, picture)
    assert complaints == []

"""Every page at its stated sizes: nothing cut off, nothing beside the screen, every text readable, nothing refused."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
SIZES = {
    "/": [(1366, 768), (360, 740)],
    "/login": [(1366, 768), (360, 740)],
    "/desk": [(1366, 768), (1920, 1080)],
    "/manager": [(1366, 768), (1920, 1080)],
    "/board": [(1920, 1080), (1280, 720), (1080, 1920)],
    "/window/3": [(1280, 720), (1920, 1080), (1080, 1920)],
    "/evaluator/3": [(1280, 800), (1024, 600), (800, 1280)],
    "/t/{id}": [(360, 740), (320, 568), (768, 1024)],
}
WITHOUT_SCROLLING = ("/desk", "/board", "/window/3", "/evaluator/3")
PEOPLE = {"/desk": "li", "/manager": "chen"}

FAULTS = (Path(__file__).parent / "faults_of_layout.js").read_text("utf-8")


@pytest.fixture
def busy_hall(hall):
    """A hall in the middle of its morning."""
    for queue in "AAAABBCCDACBDAAC":
        hall.issue(queue)
    hall.issue(None, service="pension")
    hall.issue("A", priority="elder")
    hall.issue(None, service="pension")
    hall.open_window(3), hall.open_window(1, "zhang")
    one, two = hall.call_next(3), hall.call_next(3, "done")
    hall.ask(f"/tickets/{one['id']}/rate", {"grade": 2, "channel": "evaluator"})
    hall.ask(f"/tickets/{two['id']}/start", {})
    hall.ask(f"/tickets/{two['id']}/hold", {})
    three = hall.call_next(1)
    four = hall.call_next(1, "accepted")
    hall.ask(f"/tickets/{three['id']}/rate", {"grade": 5, "channel": "evaluator"})
    hall.ask(f"/tickets/{four['id']}/pass", {})
    hall.call_next(1)
    hall.ask(f"/tickets/{hall.call_next(3)['id']}/start", {})
    return hall


@pytest.mark.parametrize("path", SIZES)
def test_nothing_is_cut_off_or_faint_or_refused(path, busy_hall, visit, complaints, picture):
    ticket = busy_hall.issue("A")["id"]
    place = path.replace("{id}", ticket)
    page = visit(place, clerk=PEOPLE.get(path), screen=path in ("/board", "/window/3", "/evaluator/3"))
    for width, height in SIZES[path]:
        page.set_viewport_size({"width": width, "height": height})
        page.reload()
        page.wait_for_load_state("networkidle") if path == "/login" else expect(page.locator("body")).to_contain_text(
            "东胜区" if not path.startswith("/window") else "李秀英"
        )
        page.evaluate("document.fonts.ready.then(() => true)")
        settled(page, path)
        found = page.evaluate(FAULTS, path in WITHOUT_SCROLLING)
        if (width, height) == SIZES[path][0]:
            picture(page, path.strip("/").split("/")[0] or "doors")
        assert found == [], f"{path} at {width}×{height}"
    assert complaints == []


def settled(page, path):
    """Until the page has drawn what the hall answered."""
    marks = {
        "/desk": "#waiting li",
        "/manager": "#windows li",
        "/board": "#queues li",
        "/evaluator/3": "#clerk-no",
        "/": "#windows li",
        "/t/{id}": "#number",
        "/window/3": "#number",
    }
    if path in marks:
        expect(page.locator(marks[path]).first).not_to_have_text(re.compile(r"^[\s–]*$"))


def test_the_sign_of_old_data_has_its_place_on_every_screen(busy_hall, visit):
    places = ("/board", "/window/3", "/evaluator/3")
    pages = [visit(place, SIZES[place][0], screen=True) for place in places]
    for page in pages:
        expect(page.locator("body")).to_have_attribute("data-stale", "false")
    busy_hall.freeze()
    for place, page in zip(places, pages, strict=True):
        expect(page.locator("#stale")).to_be_visible(timeout=15000)
        for width, height in SIZES[place]:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate(FAULTS, True) == [], f"{place} at {width}×{height}"
    busy_hall.thaw()


@pytest.mark.parametrize("size", [(1280, 800), (1024, 600), (800, 1280)])
def test_the_evaluators_question_fits(size, hall, visit):
    hall.open_window()
    ticket = hall.issue("A")
    hall.call_next()
    page = visit("/evaluator/3", size, screen=True)
    hall.finish(ticket)
    expect(page.locator("#ask")).to_be_visible()
    assert page.evaluate(FAULTS, True) == []
    page.click('[data-grade="1"]')
    expect(page.locator("#why")).to_be_visible()
    assert page.evaluate(FAULTS, True) == []


@pytest.mark.parametrize("enrolled", [True, False])
def test_the_window_screens_call_for_a_rating_fits(enrolled, hall, visit, picture):
    hall.open_window()
    ticket = hall.issue("A")
    hall.call_next()
    page = visit("/window/3", screen=enrolled)
    hall.finish(ticket)
    expect(page.locator("#number")).to_have_text("请扫小票上的二维码")
    expect(page.locator("#code")).to_be_visible(visible=enrolled)
    for width, height in SIZES["/window/3"]:
        page.set_viewport_size({"width": width, "height": height})
        picture(page, f"window-rate-{enrolled}-{width}")
        assert page.evaluate(FAULTS, True) == [], f"{width}×{height}"


def test_the_phone_page_asks_and_answers_without_being_cut_off(hall, visit):
    hall.open_window()
    ticket = hall.issue("A")
    hall.call_next()
    page = visit(f"/t/{ticket['id']}", (320, 568))
    expect(page.locator("#go-to")).to_be_visible()
    assert page.evaluate(FAULTS, False) == []
    hall.finish(ticket)
    page.reload()
    expect(page.locator("#rate")).to_be_visible()
    page.click('[data-grade="1"]')
    expect(page.locator("#send")).to_be_visible()
    assert page.evaluate(FAULTS, False) == []


def test_the_desks_questions_fit(busy_hall, visit):
    page = visit("/desk", clerk="li")
    expect(page.locator("#state")).to_contain_text("正在办理")
    for key in "ftn":
        page.keyboard.press(key)
        expect(page.locator("#choices")).to_be_visible()
        assert page.evaluate(FAULTS, True) == [], key
        page.keyboard.press("Escape")


@pytest.mark.parametrize(
    "sheet",
    sorted([*ROOT.glob("hall_api/pages/static/*.css"), *ROOT.glob("screens/static/*.css")]),
    ids=lambda p: p.name,
)
def test_colours_come_from_the_one_list(sheet):
    assert re.findall(r"#[0-9A-Fa-f]{3,8}\b(?![^{}]*\{)", sheet.read_text()) == []


@pytest.mark.parametrize(
    "template",
    sorted([*ROOT.glob("hall_api/pages/templates/**/*.html"), *ROOT.glob("screens/templates/**/*.html")]),
    ids=lambda p: p.name,
)
def test_no_script_or_style_stands_in_a_page_and_nothing_comes_from_elsewhere(template):
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|https?://", text)

"""Whoever types a wrong address gets kind words and a way back; programs get a problem they can read."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

FAULTS = (Path(__file__).parent / "faults_of_layout.js").read_text("utf-8")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def refused(hall, path, accept):
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(urllib.request.Request(hall.url + path, headers={"Accept": accept}), timeout=10)
    return answer.value


@pytest.mark.parametrize("size", [(1366, 768), (360, 740)])
def test_a_person_finds_the_way_back(hall, visit, complaints, size, picture):
    page = visit("/dask", size)
    expect(page.locator("h1 .first")).to_have_text("这个地址没有页面")
    expect(page.locator("h1 .second")).to_have_text("There is no page at this address")
    page.evaluate("document.fonts.ready.then(() => true)")
    assert page.evaluate(FAULTS, True) == []
    picture(page, "nowhere")
    page.click("main a")
    page.wait_for_url(f"{hall.url}/")
    expect(page.locator("#hall-name")).to_contain_text("东胜区")
    assert complaints == []


@pytest.mark.parametrize("path", ["/dask", "/window/three", "/static/none", "/board/", "/v1x"])
def test_a_browser_is_answered_with_a_page(hall, path):
    answer = refused(hall, path, BROWSER)
    assert (answer.code, answer.headers.get_content_type()) == (404, "text/html")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "返回首页" in answer.read().decode()


@pytest.mark.parametrize(
    ("path", "accept"), [("/v1/nothing", BROWSER), ("/v1", BROWSER), ("/dask", "*/*"), ("/dask", "application/json")]
)
def test_a_program_is_answered_with_a_problem(hall, path, accept):
    answer = refused(hall, path, accept)
    assert (answer.code, answer.headers.get_content_type()) == (404, "application/problem+json")
    assert json.loads(answer.read())["code"] == "not_found"

"""A citizen's ticket page on a phone: what to do now, coming back after being passed, one rating."""

import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

PHONE = (360, 740)


def path_of(ticket):
    return "/t/" + ticket["id"]


def test_from_waiting_to_rated(hall, visit, complaints, picture):
    ahead, ticket = hall.issue("A"), hall.issue(None, service="pension")
    hall.open_window()
    page = visit(path_of(ticket), PHONE)
    expect(page.locator("#number")).to_have_text(ticket["number"])
    expect(page.locator("#ahead")).to_have_text("1")
    expect(page.locator("#what")).to_have_text("城乡居民基本养老保险参保登记")
    picture(page, "ticket-page")
    hall.call_next()
    hall.finish(ahead)
    hall.call_next()
    expect(page.locator("#go-to #window")).to_have_text("3", timeout=8000)
    expect(page.locator("#words")).to_contain_text("轮到您了")
    assert "3号窗口" in page.title()
    picture(page, "ticket-page-called")
    hall.finish(ticket)
    expect(page.locator("#rate")).to_be_visible(timeout=8000)
    page.click('[data-grade="4"]')
    page.click("#send")
    expect(page.locator("#thanks")).to_contain_text("已评价")
    expect(page.locator("#rate")).to_be_hidden()
    rated = [line["data"] for line in hall.events("TicketRated")]
    assert [(r["ticket"], r["grade"], r["channel"]) for r in rated] == [(ticket["id"], 4, "qr")]
    assert complaints == []


def test_rated_at_the_window_is_rated_here(hall, visit):
    ticket = hall.issue("A")
    hall.open_window()
    hall.call_next()
    hall.finish(ticket)
    hall.ask(f"/tickets/{ticket['id']}/rate", {"grade": 5, "channel": "evaluator"})
    page = visit(path_of(ticket), PHONE)
    expect(page.locator("#thanks")).to_contain_text("已评价")
    expect(page.locator("#rate")).to_be_hidden()


def test_passed_and_back_in_the_queue(hall, visit):
    ticket = hall.issue("A")
    hall.issue("A")
    hall.open_window()
    hall.call_next()
    hall.ask(f"/tickets/{ticket['id']}/pass", {})
    page = visit(path_of(ticket), PHONE)
    expect(page.locator("#missed")).to_be_visible()
    page.dblclick("#rejoin")
    expect(page.locator("#figures")).to_be_visible()
    assert hall.ask(f"/tickets/{ticket['id']}")["state"] == "waiting"
    assert len(hall.events("TicketRejoined")) == 1


def test_a_refusal_on_the_phone_is_a_sentence(hall, visit):
    ticket = hall.issue("A")
    hall.open_window()
    hall.call_next()
    hall.ask(f"/tickets/{ticket['id']}/pass", {})
    page = visit(path_of(ticket), PHONE)
    expect(page.locator("#missed")).to_be_visible()
    hall.ask(f"/tickets/{ticket['id']}/rejoin", {})  # at the kiosk, a moment before
    page.click("#rejoin")
    expect(page.locator("#refusal")).to_be_visible()
    expect(page.locator("#figures")).to_be_visible()


def test_the_page_names_nobody_and_asks_not_to_be_indexed(hall, visit):
    ticket = hall.issue("A", priority="soldier")
    page = visit(path_of(ticket), PHONE)
    expect(page.locator("#number")).to_have_text(ticket["number"])
    assert page.locator("meta[name=robots]").get_attribute("content").startswith("noindex")
    assert "军人" not in page.content()
    assert page.context.cookies() == []


@pytest.mark.parametrize("wrong", ["nobody", "..%2f..%2fetc", "<b>"])
def test_an_unknown_ticket_is_told_kindly(hall, wrong):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{hall.url}/t/{urllib.parse.quote(wrong, safe='%')}", timeout=10)
    assert refused.value.code == 404
    if "%" not in wrong:
        assert "没有找到这张号票" in refused.value.read().decode()

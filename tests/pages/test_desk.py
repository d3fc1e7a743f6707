"""A clerk's visit in a real browser: by keyboard, by mouse, pressed twice, on two pages at once, and refused."""

from playwright.sync_api import expect


def settle(page):
    """The desk takes no second wish while it carries out the first, nor the second half of a double click."""
    expect(page.locator("body")).not_to_have_attribute("data-busy", "")


def press(page, key):
    settle(page)
    page.keyboard.press(key)


def calls(hall):
    return [line["data"]["number"] for line in hall.events("TicketCalled")]


def test_a_visit_by_keyboard(hall, visit, complaints):
    first, second = hall.issue("A"), hall.issue("B")
    for _ in range(4):
        hall.issue("C")
    hall.issue("A", priority="soldier")
    page = visit("/desk", clerk="li")
    expect(page.locator("#main .first")).to_have_text("开窗")
    page.keyboard.press("Enter")
    expect(page.locator("#main .first")).to_have_text("叫下一位")
    expect(page.locator("#waiting li")).to_have_count(7)
    press(page, "F2")
    expect(page.locator("#number")).to_have_text(first["number"])
    expect(page.locator("#state")).to_contain_text("正在呼叫")
    press(page, "s")
    expect(page.locator("#state")).to_contain_text("正在办理")
    press(page, "f")
    expect(page.locator("#choices")).to_be_visible()
    press(page, "4")
    expect(page.locator("#main .first")).to_have_text("叫下一位")
    assert hall.ask(f"/tickets/{first['id']}")["outcome"] == "tolerant"
    press(page, "Enter")
    expect(page.locator("#number")).to_have_text(second["number"])
    assert calls(hall) == [first["number"], second["number"]]
    assert complaints == []


def test_finish_and_call_the_next_in_one(hall, visit):
    first, second = hall.issue("A"), hall.issue("A")
    hall.open_window()
    hall.call_next()
    page = visit("/desk", clerk="li")
    expect(page.locator("#number")).to_have_text(first["number"])
    page.keyboard.press("f")
    page.keyboard.press(" ")
    expect(page.locator("#also-next")).to_be_checked()
    page.keyboard.press("1")
    expect(page.locator("#number")).to_have_text(second["number"])
    assert hall.ask(f"/tickets/{first['id']}")["outcome"] == "done"


def test_a_visit_by_mouse_with_hold_pass_and_transfer(hall, visit):
    held, passed, moved = hall.issue("A"), hall.issue("A"), hall.issue("A")
    hall.open_window()
    page = visit("/desk", clerk="li")

    def click(selector):
        settle(page)
        page.click(selector)

    click("#main")
    expect(page.locator("#number")).to_have_text(held["number"])
    click("#main")
    expect(page.locator("#state")).to_contain_text("正在办理")
    click("#hold")
    expect(page.locator("#held b")).to_have_text(held["number"])
    click("#main")
    expect(page.locator("#number")).to_have_text(passed["number"])
    click("#pass")
    expect(page.locator("#passed b")).to_have_text(passed["number"])
    click("#main")
    expect(page.locator("#number")).to_have_text(moved["number"])
    click("#transfer")
    click("#choices-list button:has-text('户政')")
    expect(page.locator("#main .first")).to_have_text("叫下一位")
    assert hall.ask(f"/tickets/{moved['id']}")["queue"] == "B"
    click("#passed button")
    expect(page.locator("#say")).to_contain_text(passed["number"])
    assert hall.ask(f"/tickets/{passed['id']}")["state"] == "waiting"
    click("#held button")
    expect(page.locator("#number")).to_have_text(held["number"])
    click("#finish")
    click("#choices-list button >> nth=0")
    expect(page.locator("#main .first")).to_have_text("叫下一位")
    assert hall.ask(f"/tickets/{held['id']}")["state"] == "done"


def test_pressed_twice_happens_once(hall, visit):
    for _ in range(3):
        hall.issue("A")
    hall.open_window()
    page = visit("/desk", clerk="li")
    expect(page.locator("#waiting li")).to_have_count(3)
    page.dblclick("#main")
    expect(page.locator("#number")).to_have_text("A001")
    settle(page)
    assert calls(hall) == ["A001"]
    assert hall.window()["ticket"]["state"] == "called"
    page.evaluate(
        """() => { for (let i = 0; i < 5; i += 1) document.body.dispatchEvent(
        new KeyboardEvent("keydown", {key: "Enter", repeat: i > 0, bubbles: true})); }"""
    )
    expect(page.locator("#state")).to_contain_text("正在办理")
    settle(page)
    assert hall.window()["ticket"]["state"] == "serving"
    assert not page.locator("#choices").is_visible()


def test_two_pages_and_a_pad_on_one_window(hall, visit, eventually):
    tickets = [hall.issue("A") for _ in range(3)]
    hall.open_window()
    one, other = visit("/desk", clerk="li"), visit("/desk", clerk="li")
    expect(one.locator("#waiting li")).to_have_count(3)
    expect(other.locator("#waiting li")).to_have_count(3)
    one.click("#main")
    expect(other.locator("#number")).to_have_text(tickets[0]["number"])
    hall.ask(f"/tickets/{tickets[0]['id']}/start", {})  # a call pad's key
    expect(one.locator("#state")).to_contain_text("正在办理")
    expect(other.locator("#state")).to_contain_text("正在办理")
    hall.finish(tickets[0])
    expect(one.locator("#main .first")).to_have_text("叫下一位")
    expect(other.locator("#main .first")).to_have_text("叫下一位")
    one.click("#main"), other.click("#main")
    expect(one.locator("#number")).to_have_text(tickets[1]["number"])
    expect(other.locator("#number")).to_have_text(tickets[1]["number"])
    assert calls(hall) == [t["number"] for t in tickets[:2]]


def test_a_refusal_is_shown_as_its_sentence(hall, visit):
    hall.issue("A")
    hall.open_window()
    page = visit("/desk", clerk="li")
    page.click("#main")
    expect(page.locator("#number")).to_have_text("A001")
    press(page, "r")
    expect(page.locator("#say")).to_contain_text("20")
    assert hall.events("TicketRecalled") == []


def test_a_claim_is_verified_at_the_desk_and_its_reason_stays_untold(hall, visit):
    hall.issue("A"), hall.issue("A")
    claimed = hall.issue("A", priority="pregnant")
    hall.open_window()
    page = visit("/desk", clerk="li")
    row = page.locator(f"#waiting li[data-number={claimed['number']}]")
    expect(row.locator(".claim")).to_be_visible()
    assert "孕" not in page.inner_text("body")
    row.locator(".claim button").first.click()
    expect(page.locator("#waiting li").first).to_have_attribute("data-number", claimed["number"])


def test_a_ticket_by_hand_with_three_keys(hall, visit):
    hall.open_window()
    page = visit("/desk", clerk="li")
    expect(page.locator("#main .first")).to_have_text("叫下一位")
    page.keyboard.press("n")
    page.keyboard.press("2")
    expect(page.locator("#choices-title")).to_contain_text("优先")
    page.keyboard.press("1")
    expect(page.locator("#say")).to_contain_text("B001")
    assert [line["data"]["number"] for line in hall.events("TicketIssued")] == ["B001"]


def test_the_clerk_sees_no_grade(hall, visit):
    ticket = hall.issue("A")
    hall.open_window()
    hall.call_next()
    page = visit("/desk", clerk="li")
    expect(page.locator("#number")).to_have_text(ticket["number"])
    heard = []
    page.on("response", lambda answer: heard.append(answer.url))
    hall.finish(ticket)
    hall.ask(f"/tickets/{ticket['id']}/rate", {"grade": 1, "channel": "evaluator"})
    expect(page.locator("#main .first")).to_have_text("叫下一位")
    shown = page.inner_text("body")
    assert "满意" not in shown
    assert "整改" not in shown
    assert not [url for url in heard if "/cases" in url or "/day" in url]


def test_a_lost_hall_is_told_and_found_again(hall, visit):
    hall.issue("A")
    hall.open_window()
    page = visit("/desk", clerk="li")
    expect(page.locator("#waiting li")).to_have_count(1)
    hall.stop()
    expect(page.locator("#lost")).to_be_visible(timeout=16000)
    expect(page.locator("#lost")).to_contain_text("数据更新于")
    expect(page.locator("#waiting li")).to_have_count(1)
    hall.start()
    expect(page.locator("#lost")).to_be_hidden(timeout=6000)
    hall.issue("A")
    expect(page.locator("#waiting li")).to_have_count(2, timeout=6000)


def test_a_wrong_password_is_refused_in_words_and_a_stranger_is_sent_to_the_door(hall, visit):
    page = visit("/desk")
    page.wait_for_url("**/login**")
    page.fill("#login", "li")
    page.fill("#password", "not this one")
    page.click("#enter")
    expect(page.locator("#refusal")).to_be_visible()
    assert page.inner_text("#refusal").strip()
    page.goto(f"{hall.url}/login?next=//elsewhere.example/desk")
    page.fill("#login", "li")
    page.fill("#password", "correct horse 42")
    page.click("#enter")
    page.wait_for_url(f"{hall.url}/desk")


def test_the_manager_stops_a_queue_and_sees_cases(hall, visit):
    ticket = hall.issue("A")
    hall.open_window()
    hall.call_next()
    hall.finish(ticket)
    hall.ask(f"/tickets/{ticket['id']}/rate", {"grade": 2, "channel": "evaluator"})
    page = visit("/manager", clerk="chen")
    expect(page.locator("#cases tr")).to_have_count(1)
    expect(page.locator("#cases tr")).to_contain_text("不满意")
    expect(page.locator("#cases tr")).to_contain_text("李秀英")
    page.click("#queues tr:nth-child(4) button")
    expect(page.locator("#queues tr:nth-child(4) .chip")).to_contain_text("未开放")
    assert [q["open"] for q in hall.ask("/queues")["queues"]] == [True, True, True, False]

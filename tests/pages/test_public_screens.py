"""What citizens see in the hall: board, window screen, evaluator; each in a real browser against the real hall."""

import time

from playwright.sync_api import expect

BOARD = (1920, 1080)


def follows(page):
    """Until the page hears the hall's events: it has drawn the state and opened its stream."""
    expect(page.locator("body")).to_have_attribute("data-stale", "false")


def watch(page, selector):
    """Notes in the page when `selector` first shows each text, in the page's own clock."""
    page.evaluate(
        """(selector) => { window.seen = {}; const look = () => {
        const text = document.querySelector(selector)?.textContent;
        if (text && !(text in seen)) seen[text] = Date.now(); };
        new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true}); }""",
        selector,
    )


def test_a_call_is_on_the_board_within_a_second_and_is_spoken(hall, visit, complaints, eventually):
    for queue in "ABACAD":
        hall.issue(queue)
    hall.open_window(3), hall.open_window(1, "zhang")
    page = visit("/board", BOARD, screen=True)
    expect(page.locator("#nobody")).to_be_visible()
    expect(page.locator("#queues li")).to_have_count(4)
    follows(page)
    watch(page, "#calls li:first-child .number")
    for window in (3, 1):
        asked = time.time() * 1000
        number = hall.call_next(window)["number"]
        expect(page.locator("#calls li").first).to_have_attribute("data-number", number)
        assert page.evaluate(f"seen['{number}']") - asked <= 1000
        assert page.locator("#calls li").first.evaluate("row => row.classList.contains('flash')")
    expect(page.locator("#calls li")).to_have_count(2)
    expect(page.locator("#queues li[data-queue=A] .waiting")).to_have_text("2")
    seqs = " ".join(str(line["seq"]) for line in hall.events("TicketCalled"))
    eventually(lambda: page.evaluate("document.body.dataset.said") == seqs, 20)  # one after the other, both
    assert complaints == []


def test_announcements_never_overlap(hall, visit, eventually):
    for _ in range(3):
        hall.issue("A")
    for no, clerk in ((3, "li"), (1, "zhang")):
        hall.open_window(no, clerk)
    page = visit("/board", BOARD, screen=True)
    page.evaluate(
        """() => { window.spans = []; const play = Audio.prototype.play; Audio.prototype.play = function () {
        if (!this.src.includes("/voice/")) return play.call(this); const span = [Date.now(), null]; spans.push(span);
        this.addEventListener("ended", () => { span[1] = Date.now(); }); return play.call(this); }; }"""
    )
    follows(page)
    hall.call_next(3), hall.call_next(1)
    spans = eventually(lambda: (s := page.evaluate("spans")) and len(s) == 2 and all(end for _, end in s) and s, 25)
    # The page hears the end before this test does: their clocks may be read a moment apart, not an announcement apart.
    assert spans[0][1] <= spans[1][0] + 100
    assert all(end - begin > 2500 for begin, end in spans)


def test_the_board_keeps_its_picture_while_the_hall_is_away_and_recovers(hall, visit, complaints):
    hall.issue("A"), hall.issue("A")
    hall.open_window()
    page = visit("/board", BOARD, screen=True)
    number = hall.call_next()["number"]
    expect(page.locator("#calls li").first).to_have_attribute("data-number", number)
    hall.stop()
    expect(page.locator("#stale")).to_be_visible(timeout=14000)
    expect(page.locator("#stale")).to_contain_text("数据更新于")
    expect(page.locator("#calls li").first).to_have_attribute("data-number", number)
    hall.start()
    back = time.monotonic()
    ticket = hall.window()["ticket"]
    hall.finish(ticket)
    second = hall.call_next()["number"]
    expect(page.locator("#calls li").first).to_have_attribute("data-number", second, timeout=5000)
    expect(page.locator("#stale")).to_be_hidden(timeout=5000)
    assert time.monotonic() - back <= 5
    assert complaints == []


def test_a_pulled_cable_is_noticed_and_forgotten_after_five_seconds(hall, visit):
    hall.issue("A")
    hall.open_window()
    page = visit("/board", BOARD, screen=True)
    follows(page)
    hall.freeze()
    expect(page.locator("#stale")).to_be_visible(timeout=14000)
    hall.thaw()
    back = time.monotonic()
    number = hall.call_next()["number"]
    expect(page.locator("#calls li").first).to_have_attribute("data-number", number, timeout=5000)
    expect(page.locator("#stale")).to_be_hidden(timeout=5000)
    assert time.monotonic() - back <= 5


def test_a_browser_that_wants_a_press_before_it_sounds(hall, visit, shy_chromium, eventually):
    hall.issue("A")
    hall.open_window()
    context = shy_chromium.new_context(viewport={"width": 1920, "height": 1080})
    heard = []
    context.on("response", lambda answer: heard.append(answer.url))
    page = visit(f"/enrol?token={hall.screen_token}&to=/board", context=context)

    def tried():  # asking the page anything would count as a press
        page.wait_for_timeout(20)
        return any("silence.wav" in url for url in heard)

    eventually(tried)
    expect(page.locator("#sound")).to_contain_text("点此开启语音")
    hall.call_next()
    expect(page.locator("#calls li")).to_have_count(1)
    page.click("#sound")
    expect(page.locator("#sound")).to_be_hidden()
    seq = str(hall.events("TicketCalled")[0]["seq"])
    eventually(lambda: seq in page.evaluate("document.body.dataset.said ?? ''").split(), 15)


def test_a_board_nobody_enrolled_shows_calls_without_sound_and_says_so(hall, visit):
    hall.issue("A")
    hall.open_window()
    page = visit("/board", BOARD)
    expect(page.locator("#sound")).to_contain_text("未登记", timeout=8000)
    number = hall.call_next()["number"]
    expect(page.locator("#calls li").first).to_have_attribute("data-number", number, timeout=3000)


def test_a_board_of_one_zone_shows_only_its_calls(hall, visit):
    first, other = hall.issue("A"), hall.issue("C")
    hall.open_window(3), hall.open_window(2, "zhang")
    page = visit("/board?zone=B区", BOARD, screen=True)
    follows(page)
    hall.call_next(3)
    assert hall.call_next(2)["number"] == other["number"]
    expect(page.locator("#calls li").first).to_have_attribute("data-number", other["number"])
    expect(page.locator(f"#calls li[data-number={first['number']}]")).to_have_count(0)
    expect(page.locator("#queues li")).to_have_count(2)


def test_the_window_screen_tells_its_state_in_words(hall, visit, complaints, picture):
    ticket = hall.issue("A", priority="soldier")
    page = visit("/window/3", (1280, 720), screen=True)
    expect(page.locator("#number")).to_have_text("未开放")
    hall.open_window()
    expect(page.locator("#number")).to_have_text("请稍候")
    expect(page.locator("#clerk-name")).to_have_text("李秀英")
    expect(page.locator("#phone")).to_have_text("0477-8580000")
    hall.call_next()
    expect(page.locator("#number")).to_have_text(ticket["number"])
    expect(page.locator("#state")).to_contain_text("请到本窗口")
    expect(page.locator("#face")).to_have_class("flash")
    picture(page, "window-screen")
    hall.ask(f"/tickets/{ticket['id']}/start", {})
    expect(page.locator("#state")).to_contain_text("正在办理")
    assert "军人" not in page.inner_text("body")
    assert "优先" not in page.inner_text("body")
    hall.finish(ticket)
    hall.ask("/windows/3/pause", {"reason": "用餐"})
    expect(page.locator("#number")).to_have_text("暂停服务")
    hall.ask("/windows/3/close", {})
    expect(page.locator("#number")).to_have_text("未开放")
    expect(page.locator("#clerk")).to_be_hidden()
    assert complaints == []


def test_a_window_without_an_evaluator_asks_for_a_rating_by_code(hall, visit, complaints, picture):
    pads = {"device": "pads", "role": "evaluator", "state": "ready", "windows": [3]}
    hall.ask("/devices", {"machine": "w3", "devices": [pads]})
    hall.open_window()
    enrolled, stranger = (visit("/window/3", (1280, 720), screen=known) for known in (True, False))
    for page in (enrolled, stranger):
        follows(page)
    first, second = hall.issue("A"), hall.issue("A")
    hall.call_next()
    hall.finish(first)
    expect(enrolled.locator("#number")).to_have_text("请稍候")  # the evaluator asks, not the screen
    hall.call_next()
    hall.ask("/devices", {"machine": "w3", "devices": [{**pads, "state": "absent", "reason": "unplugged"}]})
    hall.finish(second)
    for page in (enrolled, stranger):
        expect(page.locator("#number")).to_have_text("请扫小票上的二维码")
        expect(page.locator("#state")).to_contain_text("请您评价本次服务")
    code = enrolled.locator("#code-image")
    expect(code).to_be_visible()
    assert code.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    expect(stranger.locator("#code")).to_be_hidden()  # a screen nobody enrolled is told no citizen's link
    picture(enrolled, "window-screen-rate")
    hall.ask(f"/tickets/{second['id']}/rate", {"grade": 5, "channel": "qr"})
    expect(enrolled.locator("#number")).to_have_text("请稍候")
    expect(enrolled.locator("#code")).to_be_hidden()
    assert complaints == []


def test_a_window_that_does_not_exist(visit):
    page = visit("/window/99", (1280, 720), screen=True)
    expect(page.locator("#state")).not_to_have_text("")


def invited(hall, page, queue="A"):
    ticket = hall.issue(queue)
    hall.call_next()
    began = time.time() * 1000
    hall.finish(ticket)
    expect(page.locator("#ask")).to_be_visible()
    return ticket, began


def test_one_press_one_rating(hall, visit, complaints, picture, eventually):
    hall.open_window()
    page = visit("/evaluator/3", (1280, 800), screen=True)
    expect(page.locator("#clerk-name")).to_have_text("李秀英")
    follows(page)
    page.evaluate(
        """() => { new MutationObserver(() => { if (!window.asked && !document.querySelector("#ask").hidden)
        window.asked = Date.now(); }).observe(document.querySelector("#ask"), {attributes: true}); }"""
    )
    ticket, began = invited(hall, page)
    assert page.evaluate("asked") - began <= 1000
    expect(page.locator("#ask-number")).to_have_text(ticket["number"])
    expect(page.locator("#grades button")).to_have_count(5)
    for button, words in zip(
        page.locator("#grades button").all(), ("非常满意", "满意", "基本满意", "不满意", "非常不满意"), strict=True
    ):
        expect(button.locator(".first")).to_have_text(words)
        expect(button.locator("i")).to_be_visible()
    picture(page, "evaluator")
    page.evaluate(
        """() => { document.querySelector('[data-grade="5"]').click();
        setTimeout(() => document.querySelector('[data-grade="1"]').click(), 250); }"""
    )
    expect(page.locator("#thanks")).to_be_visible()
    expect(page.locator("#idle")).to_be_visible(timeout=8000)
    rated = [line["data"] for line in hall.events("TicketRated")]
    assert [(r["ticket"], r["grade"], r["channel"]) for r in rated] == [(ticket["id"], 5, "evaluator")]
    assert complaints == []


def test_a_poor_grade_may_give_reasons_and_opens_a_case(hall, visit, eventually):
    hall.open_window()
    page = visit("/evaluator/3", (1280, 800), screen=True)
    ticket, _ = invited(hall, page)
    page.click('[data-grade="2"]')
    expect(page.locator("#why")).to_be_visible()
    expect(page.locator("#version")).to_contain_text("暂用版")
    page.click("#options button >> nth=1")
    page.click("#with-reason")
    expect(page.locator("#thanks")).to_be_visible()
    cases = eventually(lambda: hall.events("CaseOpened"), 5)
    assert [case["data"]["ticket"] for case in cases] == [ticket["id"]]


def test_a_poor_grade_counts_even_when_the_next_visit_ends_meanwhile(hall, visit, eventually):
    hall.open_window()
    page = visit("/evaluator/3", (1280, 800), screen=True)
    first, _ = invited(hall, page)
    page.click('[data-grade="1"]')
    expect(page.locator("#why")).to_be_visible()
    second = hall.issue("A")
    hall.call_next()
    hall.finish(second)
    expect(page.locator("#ask-number")).to_have_text(second["number"])
    expect(page.locator("#ask")).to_be_visible()
    page.click('[data-grade="4"]')
    rated = eventually(lambda: len(found := hall.events("TicketRated")) == 2 and found, 5)
    assert [(r["data"]["ticket"], r["data"]["grade"]) for r in rated] == [(first["id"], 1), (second["id"], 4)]


def test_a_rating_given_while_the_hall_is_away_arrives_later(hall, visit, eventually):
    hall.open_window()
    page = visit("/evaluator/3", (1280, 800), screen=True)
    ticket, _ = invited(hall, page)
    hall.stop()
    page.click('[data-grade="5"]')
    expect(page.locator("#thanks")).to_be_visible()
    hall.start()
    rated = eventually(lambda: hall.events("TicketRated"), 10)
    assert [(r["data"]["ticket"], r["data"]["grade"]) for r in rated] == [(ticket["id"], 5)]


def test_a_card_switched_on_late_still_asks_and_a_closed_invitation_goes_away(hall, visit):
    hall.open_window()
    ticket = hall.issue("A")
    hall.call_next()
    hall.finish(ticket)
    page = visit("/evaluator/3", (1280, 800), screen=True)
    expect(page.locator("#ask")).to_be_visible()
    hall.ask(f"/tickets/{ticket['id']}/rate", {"grade": 4, "channel": "evaluator"})  # the box with keys beside it
    expect(page.locator("#idle")).to_be_visible()


def test_an_evaluator_in_the_clerks_own_browser(hall, visit, eventually):
    desk = visit("/desk", clerk="li")
    hall.open_window()
    card = visit(f"/enrol?token={hall.screen_token}&to=/evaluator/3", context=desk.context)
    expect(card.locator("#clerk-name")).to_have_text("李秀英")
    invited(hall, card)
    card.click('[data-grade="3"]')
    assert eventually(lambda: hall.events("TicketRated"), 5)[0]["data"]["grade"] == 3


def test_a_call_heard_before_the_board_was_there_is_not_spoken_again(hall, visit):
    hall.issue("A")
    hall.open_window()
    hall.call_next()
    page = visit("/board", BOARD, screen=True)
    expect(page.locator("#calls li")).to_have_count(1)
    follows(page)
    assert page.evaluate("document.body.dataset.said ?? ''") == ""

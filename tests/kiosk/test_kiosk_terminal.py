"""The terminal's mind without a window: what it asks of the hall, and what it shows when the hall or a device fails."""

import time
from dataclasses import replace

import pytest

from devices.roles import CardPresented
from kiosk.journey import Event, Times
from kiosk.outside import Away, Outside, Refused
from kiosk.terminal import Habits, Terminal
from kiosk.view import PAPER

SERVICES = [
    {"code": "pension", "name": "养老保险", "english": "Pension", "queue": "A"},
    {"code": "card", "name": "社会保障卡申领", "english": "Social security card", "queue": "A"},
]
CATEGORY = {
    "code": "insurance",
    "name": "社会保险",
    "english": "Social insurance",
    "icon": "shield",
    "services": SERVICES,
}
QUEUES = [
    {"code": "A", "name": "社保", "english": "", "zone": "A区", "waiting": 6, "wait_minutes": 24, "open": True},
    {"code": "D", "name": "综合事务", "english": "", "zone": "B区", "waiting": 1, "wait_minutes": 4, "open": True},
]
ELDER = {"code": "elder", "name": "老年人", "english": "Senior", "verify": "card_age"}


class Hall:
    """The other end of the cable: keeps keys, loses answers on demand."""

    def __init__(self):
        self.by_key, self.asked, self.lose, self.away, self.refuse = {}, [], 0, False, None
        self.tickets, self.helped = {}, []

    def _door(self, *asked):
        self.asked.append(asked)
        if self.away:
            raise Away("no answer")
        if self.refuse:
            raise Refused(self.refuse, "refused")

    def hall(self):
        self._door("hall")
        return {"name": "镇便民服务中心", "time_zone": "Asia/Shanghai", "priorities": [ELDER]}

    def services(self):
        return {"categories": [CATEGORY]}

    def queues(self):
        return {"queues": QUEUES}

    def issue(self, *, queue, service, priority, key):
        self._door("issue", queue, service, priority, key)
        if key not in self.by_key:
            number = f"A{len(self.by_key) + 7:03}"
            self.by_key[key] = {
                "id": f"t{number}",
                "number": number,
                "state": "waiting",
                "job": {"id": f"j{number}", "state": "queued"},
            }
            self.tickets[f"t{number}"] = self.by_key[key]
        if self.lose:
            self.lose -= 1
            raise Away("the answer was lost on its way")
        return self.by_key[key]

    def ticket(self, id):
        self._door("ticket", id)
        return self.tickets[id]

    def find(self, number):
        self._door("find", number)
        return [t for t in self.tickets.values() if t["number"] == number]

    def rejoin(self, id, key):
        self._door("rejoin", id, key)
        return {**self.tickets[id], "state": "waiting"}

    def reprint(self, id, key):
        self._door("reprint", id, key)
        return {**self.tickets[id], "job": {"id": "j2", "state": "queued"}}

    def slip_taken(self, job, key):
        self._door("slip_taken", job)
        return {"id": job, "state": "confirmed"}

    def verify_age(self, id, age):
        self._door("verify_age", id, age)
        return {**self.tickets[id], "priority": True}

    def call_helper(self, page):
        self._door("help", page)
        self.helped.append(page)


class Devices:
    def __init__(self):
        self.asked = []

    def read_card(self):
        self.asked.append("read_card")

    def stop_card(self):
        self.asked.append("stop_card")

    def test_print(self):
        self.asked.append("test_print")

    def states(self):
        return [
            {"device": role, "role": role, "state": "ready", "reason": ""} for role in ("ticket-printer", "id-reader")
        ]


class Stage:
    def __init__(self):
        self.break_on, self.sounds, self.left, self.view = None, [], False, None

    def show(self, view, moved):
        self.view = view
        if view.page == self.break_on:
            raise ZeroDivisionError("drawn wrong")

    def warn(self, seconds):
        self.warning = seconds

    def sound(self, name):
        self.sounds.append(name)

    def leave(self):
        self.left = True


class Bench:
    """A terminal with a clock of ours."""

    def __init__(self, state):
        self.now, self.hall, self.devices, self.stage = 1000.0, Hall(), Devices(), Stage()
        self.outside = Outside(self.hall, self.devices)
        self.state = state
        self.terminal = Terminal(Habits(state=state), self.outside, self.stage, lambda: self.now)

    @property
    def session(self):
        return self.terminal.session

    @property
    def page(self):
        return str(self.terminal.journey.page)

    def press(self, event, value=None):
        self.terminal.press(event, value)

    def until(self, agrees, seconds=5.0):
        """Turn the mill until something is so (workers need real time)."""
        end = time.monotonic() + seconds
        while not agrees():
            assert time.monotonic() < end, f"still {self.page}, {self.session.printing}"
            self.terminal.turn()
            time.sleep(0.001)

    def go(self, page):
        self.until(lambda: self.page == page)

    def to_confirm(self):
        self.until(lambda: self.terminal.view.categories)
        self.press(Event.TOUCH)
        self.press(Event.CATEGORY, CATEGORY)
        self.press(Event.SERVICE, SERVICES[0])
        assert self.page == "confirm"

    def take(self):
        self.to_confirm()
        self.press(Event.TAKE)
        self.go("result")

    def issued(self):
        return [asked for asked in self.hall.asked if asked[0] == "issue"]


@pytest.fixture
def bench(tmp_path):
    one = Bench(tmp_path)
    yield one
    one.terminal.close()


def test_as_01_a_number_without_identity(bench):
    bench.take()
    assert bench.session.ticket["number"] == "A007"
    assert [asked[1:4] for asked in bench.issued()] == [(None, "pension", None)]
    bench.outside.print_settled("jA007", "confirmed")
    bench.until(lambda: bench.session.printing == "printed")
    bench.now += 10
    bench.terminal.turn()
    assert bench.page == "attract" and bench.session.ticket is None


def test_an_answer_lost_on_its_way_makes_no_second_ticket(bench):
    bench.hall.lose = 1
    bench.take()
    assert len(bench.issued()) == 2 and len(bench.hall.by_key) == 1


def test_trying_again_by_hand_uses_the_same_key(bench):
    bench.hall.lose = 2  # the first order and its silent repetition
    bench.to_confirm()
    bench.press(Event.TAKE)
    bench.go("away")
    bench.press(Event.RETRY)
    bench.go("result")
    assert len({asked[4] for asked in bench.issued()}) == 1 and len(bench.hall.by_key) == 1


def test_as_02_no_second_ticket_for_a_second_tap_within_ten_seconds(bench):
    bench.take()
    bench.outside.device_changed("ticket-printer", "error", "缺纸 paper out")
    bench.outside.print_settled("jA007", "failed", "缺纸 paper out")
    bench.until(lambda: bench.session.printing == "paper")
    bench.press(Event.TAKE)
    bench.press(Event.TAKE)
    bench.press(Event.SERVICE)  # back to the start within the same visit, and the same once more
    bench.now += 5
    bench.press(Event.CATEGORY, CATEGORY)
    bench.press(Event.SERVICE, SERVICES[0])
    bench.press(Event.TAKE)
    bench.go("result")
    assert bench.session.ticket["number"] == "A007" and len(bench.hall.by_key) == 1


def test_the_next_person_gets_a_number_of_their_own_at_once(bench):
    bench.take()
    bench.press(Event.FINISH)
    bench.take()
    assert bench.session.ticket["number"] == "A008"


@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [
        ("sending", "", "printing"),
        ("sent", "", "sent"),
        ("confirmed", "", "printed"),
        ("unknown", "", "unknown"),
        ("failed", "缺纸 paper out", "paper"),
        ("failed", "盖子打开", "fault"),
        ("cancelled", "", "fault"),
    ],
)
def test_what_became_of_the_slip_is_said_in_words(bench, state, reason, shown):
    bench.take()
    bench.outside.print_settled("somebody else's job", "failed", "缺纸")
    bench.outside.print_settled("jA007", state, reason)
    bench.until(lambda: bench.session.printing == shown or shown == "printing")
    bench.terminal.turn()
    assert bench.session.printing == shown


def test_a_reprint_is_a_persons_choice_and_follows_its_own_job(bench):
    bench.take()
    bench.outside.print_settled("jA007", "unknown")
    bench.until(lambda: bench.session.printing == "unknown")
    assert not [asked for asked in bench.hall.asked if asked[0] == "reprint"]
    bench.press(Event.REPRINT)
    bench.until(lambda: (bench.session.ticket.get("job") or {}).get("id") == "j2")
    bench.outside.print_settled("j2", "confirmed")
    bench.until(lambda: bench.session.printing == "printed")


@pytest.mark.parametrize("trouble", ["", "away", "refuse"])
def test_a_citizen_who_has_the_slip_settles_its_job_and_is_not_bothered_with_the_halls_troubles(trouble, bench):
    bench.take()
    bench.outside.print_settled("jA007", "unknown")
    bench.until(lambda: bench.session.printing == "unknown")
    if trouble:
        setattr(bench.hall, trouble, True)
    page = bench.page
    bench.press(Event.PRINTED)
    bench.until(lambda: ("slip_taken", "jA007") in bench.hall.asked)
    bench.terminal.turn()
    assert (bench.session.printing, bench.page) == ("printed", page)
    assert not [asked for asked in bench.hall.asked if asked[0] == "reprint"]


def test_a_card_proves_the_age_and_nothing_else_leaves_the_terminal(bench):
    bench.to_confirm()
    bench.press(Event.FIRST)
    bench.press(Event.CLASS, ELDER)
    assert bench.page == "privacy" and bench.devices.asked == []
    bench.press(Event.AGREE)
    number = "".join(["110101", "19490307", "8899"])
    bench.outside.card(CardPresented(kind="citizen", name="张三", id_number=number, birth=number[6:14]))
    del number
    bench.until(lambda: bench.terminal.view.card_state == "read")
    assert bench.session.card.number == "11**************99" and bench.page == "card"
    bench.outside.card_removed()
    bench.go("result")
    bench.until(lambda: any(asked[0] == "verify_age" for asked in bench.hall.asked))
    asked = next(asked for asked in bench.hall.asked if asked[0] == "verify_age")
    assert asked[1] == "tA007" and isinstance(asked[2], int)
    assert bench.issued()[0][3] == "elder"
    assert bench.session.card is None


def test_a_card_nobody_asked_for_is_not_looked_at(bench):
    bench.until(lambda: bench.terminal.view.categories)
    bench.outside.card(CardPresented(kind="citizen", name="张三", id_number="110101194903078899"))
    bench.until(lambda: bench.terminal.view.card_left)
    assert bench.session.card is None and bench.page == "attract"
    bench.outside.card_removed()
    bench.until(lambda: not bench.terminal.view.card_left)


def test_a_broken_reader_offers_the_number_without_a_card(bench):
    bench.to_confirm()
    bench.press(Event.FIRST)
    bench.press(Event.CLASS, ELDER)
    bench.press(Event.AGREE)
    bench.outside.device_changed("id-reader", "absent", "unplugged")
    bench.until(lambda: bench.terminal.view.card_state == "broken")
    bench.press(Event.SKIP)
    bench.go("result")


def test_an_answer_for_a_session_that_ended_is_dropped(bench):
    bench.to_confirm()
    bench.press(Event.TAKE)
    bench.terminal.journey.session.wipe()
    bench.until(lambda: bench.issued())
    for _ in range(50):
        bench.terminal.turn()
        time.sleep(0.001)
    assert bench.session.ticket is None and bench.page == "issuing"


def test_a_mistake_in_drawing_leads_to_the_failsafe_page_and_then_home(bench):
    bench.until(lambda: bench.terminal.view.categories)
    bench.stage.break_on = "home"
    bench.press(Event.TOUCH)
    assert bench.page == "failsafe"
    bench.stage.break_on = None
    bench.now += 10.1
    bench.terminal.turn()
    assert bench.page == "home"


def test_a_mistake_in_a_worker_leads_to_the_failsafe_page(bench):
    bench.to_confirm()
    bench.hall.issue = None
    bench.press(Event.TAKE)
    bench.go("failsafe")


def test_the_halls_refusal_is_shown_in_its_own_words(bench):
    bench.to_confirm()
    bench.hall.refuse = "今天的号已取完"
    bench.press(Event.TAKE)
    bench.go("fault")
    assert bench.session.detail == "今天的号已取完"


def test_those_who_do_not_know_get_the_comprehensive_queue(bench):
    bench.until(lambda: bench.terminal.view.queues)
    bench.press(Event.TOUCH)
    bench.press(Event.UNSURE)
    bench.press(Event.TAKE)
    bench.go("result")
    assert bench.issued()[0][1:3] == ("D", None)


@pytest.mark.parametrize("code", ["http://10.0.0.5:8000/t/tA007-x_9", "A007", "a007"])
def test_a_slip_held_to_the_scanner_finds_its_ticket(bench, code):
    bench.take()
    bench.press(Event.FINISH)
    bench.hall.tickets["tA007-x_9"] = bench.hall.tickets["tA007"]
    bench.outside.scanned(code)
    bench.go("ticket")
    assert bench.session.ticket["number"] == "A007"


def test_a_number_that_was_never_given_is_said_so(bench):
    bench.until(lambda: bench.terminal.view.categories)
    for event, value in ((Event.TOUCH, None), (Event.MINE, None), (Event.TYPED, "Z999"), (Event.LOOK, None)):
        bench.press(event, value)
    bench.until(lambda: bench.terminal.view.note)
    assert bench.page == "find"


def test_a_helper_is_called_or_one_is_sent_to_the_desk(bench):
    bench.until(lambda: bench.terminal.view.categories)
    bench.press(Event.TOUCH)
    bench.press(Event.HELP)
    bench.until(lambda: bench.terminal.view.help_called is True)
    bench.press(Event.BACK)
    bench.hall.away = True
    bench.press(Event.HELP)
    bench.until(lambda: bench.terminal.view.help_called is False)


def test_the_catalogue_survives_a_start_without_the_hall(bench):
    bench.until(lambda: (bench.state / "catalogue.json").exists() and bench.terminal.index.find("YL"), 30)
    again = Bench(bench.state)
    again.hall.away = True
    assert [c["code"] for c in again.terminal.view.categories] == ["insurance"]
    again.until(lambda: again.terminal.view.away)
    again.terminal.close()


def test_idle_ends_and_wipes(bench):
    bench.terminal.journey.times = replace(Times(), idle=5, warning=2)
    bench.to_confirm()
    before = bench.session.id
    bench.now += 5
    bench.terminal.turn()
    assert bench.stage.warning == 2 and bench.stage.sounds[-1] == "warning"
    bench.now += 2
    bench.terminal.turn()
    assert bench.page == "attract" and bench.session.id != before and bench.session.service is None


@pytest.mark.parametrize(
    ("reason", "paper"),
    [
        ("缺纸 paper out", True),
        ("paper_end", True),
        ("PaperOut", True),
        ("纸将尽 paper near end", False),
        ("盖子打开 cover open", False),
    ],
)
def test_paper_out_is_known_by_its_words(reason, paper):
    assert bool(PAPER.search(reason)) is paper

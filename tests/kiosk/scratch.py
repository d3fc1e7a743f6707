"""A terminal before a small scripted hall, for tests and measurements: `python tests/kiosk/scratch.py STATE …`.

It is driven from outside: real touches on its window, and JSON lines on stdin for what the hall and the devices do:

    {"away": true}                  the hall does not answer (false: it does again)
    {"print": "failed", "reason": "paper_out"}   what becomes of the slips from now on; null: nothing is heard
    {"device": ["ticket-printer", "error", "paper_out"]}
    {"card": "110101199003078899", "name": "…"}  (written backwards: nothing of it may be found in the memory later)
    {"card_removed": true}, {"unreadable": true}, {"scan": "A007"}, {"passed": "A001"}
    {"break": "home"}               the page's drawing raises from now on; null: no more
    {"audit": true}                 prints {"audit": …}: every text and button on the screen
    {"memory": true}, {"stop": true}
"""

import argparse
import json
import logging
import sys
import threading
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from config import plans
from config.machine import Screen
from devices.roles import CardPresented
from kiosk import maintenance
from kiosk.app import Settings, open_window
from kiosk.journey import Page, Times
from kiosk.outside import Away, Outside, Refused
from kiosk.papers import Glance, Pixels, Preview, Taken, Uncut
from kiosk.session import Shown
from kiosk.view import CAMERA, SHEETS


class Hall:
    """Issues numbers A007, A008 … and remembers keys, as the real one does."""

    def __init__(self, plan):
        self.plan, self.away, self.print_state, self.print_reason = plan, False, "confirmed", ""
        self.tickets, self.keys, self.calls, self.outside = {}, {}, [], None
        self.next = {queue.code: 7 for queue in plan.queues}
        self.job, self.remember = 0, True

    def _ask(self, what, *values):
        if self.remember:
            self.calls.append((what, *values))
        if self.away:
            raise Away("the cable is pulled")

    def hall(self):
        self._ask("hall")
        p = self.plan
        return {
            "name": p.name,
            "english": p.english,
            "time_zone": p.time_zone,
            "complaint_phone": p.complaint_phone,
            "address": p.address or "人民路1号",
            "opening_hours": p.opening_hours,
            "notice": p.notice,
            "priorities": [
                {"code": c.code, "name": c.name, "english": c.english, "verify": c.verify} for c in p.priorities
            ],
        }

    def services(self):
        self._ask("services")
        return {
            "categories": [
                {
                    "code": c.code,
                    "name": c.name,
                    "english": c.english,
                    "icon": c.icon,
                    "services": [
                        {"code": s.code, "name": s.name, "english": s.english, "queue": s.queue}
                        for s in self.plan.services
                        if s.category == c.code
                    ],
                }
                for c in self.plan.categories
            ]
        }

    def queues(self):
        self._ask("queues")
        return {
            "queues": [
                {
                    "code": q.code,
                    "name": q.name,
                    "english": q.english,
                    "zone": q.zone or f"{q.code}区",
                    "waiting": self.next[q.code] - 1,
                    "wait_minutes": 4 * (self.next[q.code] - 1),
                    "open": True,
                }
                for q in self.plan.queues
            ]
        }

    def issue(self, *, queue, service, priority, key):
        self._ask("issue", queue, service, priority, key)
        if key in self.keys:
            return self.tickets[self.keys[key]]
        item = next((s for s in self.plan.services if s.code == service), None)
        code = queue or item.queue
        number = f"{code}{self.next[code]:03}"
        self.next[code] += 1
        self.job += 1
        q = self.plan.queue(code)
        id = f"tk{number}x{self.job:06}"
        ticket = {
            "id": id,
            "number": number,
            "queue": code,
            "queue_name": q.name,
            "service": service or "",
            "service_name": item.name if item else "",
            "zone": q.zone or f"{code}区",
            "state": "waiting",
            "priority": False,
            "ahead": self.next[code] - 2,
            "wait_minutes": 4 * (self.next[code] - 2),
            "window": None,
            "recalls": 0,
            "rejoins": 0,
            "url": f"http://10.0.0.5:8000/t/{id}",
            "job": {"id": f"j{self.job}", "state": "queued", "kiosk": "1"},
        }
        if self.remember:
            self.keys[key], self.tickets[id] = id, ticket
        self._settle(f"j{self.job}")
        return ticket

    def _settle(self, job):
        if self.print_state:
            timer = threading.Timer(0.15, lambda: self.outside.print_settled(job, self.print_state, self.print_reason))
            timer.daemon = True
            timer.start()

    def ticket(self, id):
        self._ask("ticket", id)
        if id not in self.tickets:
            raise Refused("没有这张号票", "not_found")
        return self.tickets[id]

    def find(self, number):
        self._ask("find", number)
        return [t for t in self.tickets.values() if t["number"] == number]

    def rejoin(self, id, key):
        self._ask("rejoin", id, key)
        ticket = self.tickets[id]
        if ticket["rejoins"] >= 2:
            raise Refused("这张号票已重排两次，请到导办台", "rejoin_limit")
        ticket.update(state="waiting", ahead=3, wait_minutes=12, rejoins=ticket["rejoins"] + 1)
        return ticket

    def reprint(self, id, key):
        self._ask("reprint", id, key)
        self.job += 1
        self.tickets[id]["job"] = {"id": f"j{self.job}", "state": "queued", "kiosk": "1"}
        self._settle(f"j{self.job}")
        return self.tickets[id]

    def slip_taken(self, job, key):
        self._ask("slip_taken", job, key)
        return {"id": job, "state": "confirmed"}

    def verify_age(self, id, age):
        self._ask("verify_age", id, age)
        if age < 60:
            raise Refused("未满60周岁", "too_young")
        self.tickets[id] = {**self.tickets[id], "priority": True}
        return self.tickets[id]

    def call_helper(self, page):
        self._ask("call_helper", page)


class Devices:
    def __init__(self):
        self.now = {"ticket-printer": ("ready", ""), "id-reader": ("ready", ""), "code-scanner": ("ready", "")}
        self.calls = []

    def read_card(self):
        self.calls.append("read_card")

    def stop_card(self):
        self.calls.append("stop_card")

    def test_print(self):
        self.calls.append("test_print")

    def states(self):
        return [
            {"device": name, "role": role, "state": s, "reason": r}
            for name, (role, (s, r)) in zip(("小票打印机", "身份证阅读器", "扫码器"), self.now.items(), strict=True)
        ]


def say(**line):
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


class Script:
    """Carries out the lines of stdin."""

    def __init__(self, window, outside):
        self.window, self.outside, self.broken = window, outside, None

    def read(self):
        for line in sys.stdin:
            order = json.loads(line)
            del line
            for word, value in order.items():
                getattr(self, f"do_{word}", lambda *_: None)(value, order)
            order.clear()

    def do_away(self, value, _):
        self.outside.hall.away = value

    def do_print(self, value, order):
        self.outside.hall.print_state, self.outside.hall.print_reason = value, order.get("reason", "")

    def do_device(self, value, _):
        role, state, reason = value
        self.outside.devices.now[role] = (state, reason)
        self.outside.device_changed(role, state, reason)

    def do_card(self, value, order):
        number, name = value[::-1], order["name"][::-1]
        self.outside.card(CardPresented(kind="citizen", name=name, id_number=number, birth=number[6:14], sex="女"))

    def do_card_removed(self, *_):
        self.outside.card_removed()

    def do_unreadable(self, *_):
        self.outside.card_unreadable("…")

    def do_scan(self, value, _):
        self.outside.scanned(value)

    def do_passed(self, value, _):
        for ticket in self.outside.hall.tickets.values():
            if ticket["number"] == value:
                ticket.update(state="passed")

    def do_shut(self, value, _):
        self.outside.hall.shut = value

    def do_break(self, value, _):
        def spoil():
            self.window._page(value).draw = lambda _view: 1 / 0

        self._on_window(spoil)  # which makes its pages one after the other, this one perhaps not yet

    def do_mend(self, value, _):
        del self.window.pages[value].draw

    def do_calls(self, *_):
        say(calls=[list(call) for call in self.outside.hall.calls], devices=self.outside.devices.calls)

    def do_audit(self, *_):
        self._on_window(lambda: say(audit=_announce().audit(self.window)))

    def do_search_graph(self, order, _):
        self._on_window(lambda: say(search_graph=_graph(self.window, [word[::-1] for word in order])))

    def do_visit(self, value, order):
        """Show a page in a state of `VISITS`, in a mode, without touching; the audit follows when it is laid out."""
        page, state = value.split("-") if "-" in value else (value, "")
        elder, language = order.get("elder", False), order.get("language", "zh_CN")
        self._on_window(lambda: visit(self.window, page, state, elder, language))

    def do_memory(self, *_):
        import psutil

        say(memory=psutil.Process().memory_info().rss)

    def do_stop(self, *_):
        self.outside.stop()

    def _on_window(self, work):
        from kivy.clock import Clock

        Clock.schedule_once(lambda _dt: work())


TICKET = {
    "id": "tkB007x1", "number": "B007", "queue": "B", "queue_name": "社会保险与就业", "service": "medical-insurance",
    "service_name": "城乡居民基本医疗保险参保登记", "zone": "A区", "state": "waiting", "priority": False, "ahead": 123,
    "wait_minutes": 119, "window": 3, "url": "http://10.0.0.5:8000/t/tkB007x1", "job": {"id": "j", "state": "sent"},
}  # fmt: skip
RESULTS = ("printing", "sent", "printed", "paper", "fault", "unknown", "none")
TICKETS = ("waiting", "called", "serving", "held", "passed", "done", "cancelled", "expired")
PHASES = ("starting", "empty", "unclear", "moving", "taken", "full", "retaking")
TROUBLES = ("gone", "frozen", "dark", "bright", "small")
FLAGS = ("whole_picture", "out_of_frame", "finger", "corner_covered", "blurred", "glare", "white_on_white")
COPIES = ("done", "unknown", "paper", "failed")
VISITS = (
    "attract", "attract-left", "home", "home-warning", "home-plain", "categories", "services", "search", "search-SH",
    "confirm", "confirm-paper", "confirm-closed", "priority", "privacy", "card-wanted", "card-unreadable", "card-read",
    "card-broken", "issuing", *(f"result-{state}" for state in RESULTS), "result-priority", "find", "find-note",
    *(f"ticket-{state}" for state in TICKETS), "ticket-slip", "info", "help", "help-yes", "help-no", "away", "fault",
    "failsafe", "code", "code-wait", "maintenance",
    *(f"scan-{phase}" for phase in PHASES), *(f"scan-{trouble}" for trouble in TROUBLES), "scan-many",
    "scan-cut", *(f"scan-{flag}" for flag in FLAGS),
    "sheet", *(f"sheet-{flag}" for flag in FLAGS), "sheet-wait", "crop", "crop-none", "crop-wait", "crop-small",
    "copy", "copy-two", "copy-wait", "copy-paper", "copy-broken", "copying",
    *(f"copied-{state}" for state in COPIES),
)  # fmt: skip


def visit(window, page, state, elder, language):
    """Put the terminal's mind into a state as it would be there, and let the window draw it."""
    terminal = window.terminal
    terminal._fresh()
    session, view = terminal.session, terminal.view
    session.elder, session.language = elder, language
    view.devices = dict.fromkeys(("ticket-printer", "id-reader", "code-scanner"), ("ready", ""))
    session.category = max(view.categories, key=lambda c: len(c["services"]))
    session.service = max(session.category["services"], key=lambda s: len(s["name"]))
    view.card_left = state == "left"
    view.can_copy = state != "plain"
    view.away = False
    if state == "paper":
        view.devices["ticket-printer"] = ("error", "缺纸 paper out")
    if state == "closed":
        queue = view.queue_of(session.service)
        view.queues = {**view.queues, str(queue["code"]): {**queue, "open": False}}
    if page == "search":
        session.typed = state
        terminal._do_search()
    if page == "card":
        view.card_state = state
        session.card = Shown("欧****", "11**************99", 77, "citizen") if state == "read" else None
    if page == "result":
        session.printing = state if state in RESULTS else "printed"
        session.priority = {"code": "elder"} if state == "priority" else None
        session.ticket = TICKET
    if page == "ticket":
        session.ticket = {**TICKET, "state": state if state in TICKETS else "waiting"}
        session.printing = "fault" if state == "slip" else ""
    if page == "find":
        session.typed, view.note = "B007", "There is no such number today." if state else ""
    view.help_called = {"yes": True, "no": False}.get(state)
    session.detail = "这张号票已重排两次，请到导办台" if page == "fault" else ""
    if page in ("scan", "sheet", "crop", "copy", "copied"):
        lay_down(terminal, page, state)
    view.code_wait = 100.0 if state == "wait" else 0.0
    if page == "maintenance":
        view.all_devices = [
            {
                "device": f"设备{n}",
                "role": "ticket-printer",
                "state": s,
                "reason": "纸将尽 paper near end" if n % 2 else "",
            }
            for n, s in enumerate(("ready", "degraded", "error", "absent", "connecting", "disabled"))
        ]
    terminal.journey.page = Page(page)
    terminal.journey.moved += 1
    terminal.journey.touch(terminal.clock() - (61 if state == "warning" else 0))
    terminal.journey.warned = state == "warning"
    terminal._show()
    window.warn(20.0 if state == "warning" else None)

    def settled(frames):
        from kivy.clock import Clock

        if frames:
            Clock.schedule_once(lambda _dt: settled(frames - 1))
        else:
            say(audit=_announce().audit(window))

    settled(4)


def lay_down(terminal, shown, state):
    """Pages under a camera, as they would be there."""
    session, view = terminal.session, terminal.view
    flags = (state,) if state in FLAGS else ()
    many = {"empty": 0, "starting": 0, "many": 9, "full": 20, "copy": 3}.get(state, 2)
    session.sheets = tuple(Taken(n, drawn(170, 240), flags if n == many else ()) for n in range(1, many + 1))
    session.changed = many > 0
    session.chosen, session.sheet = many, None if state == "wait" else drawn(700, 990)
    card = ((0.38, 0.4), (0.64, 0.42), (0.63, 0.62), (0.37, 0.6))  # of a stand that sees a little more than A4
    page = ((0.2, 0.1), (0.7, 0.12), (0.72, 0.9), (0.18, 0.88))
    found = {"none": (), "small": card}.get(state, page)
    session.uncut = None if state == "wait" else Uncut(many, drawn(1600, 1200), found, found)
    session.copying = state if shown == "copied" else ""
    view.devices[CAMERA] = view.devices[SHEETS] = ("ready", "")
    if state in ("paper", "broken"):
        view.devices[SHEETS] = ("error", "缺纸 paper out" if state == "paper" else "卡纸 jam")
    session.preview = None if state == "wait" else Preview(drawn(700, 990), 0, 2 if state == "two" else 1)
    seen = Glance(
        1,
        None if state in ("starting", "gone") else drawn(720, 405),
        (page,) if state in ("moving", "cut", "taken", "many", *FLAGS) else (),
        state if state in PHASES else {"small": "empty", "cut": "moving"}.get(state, "taken"),
        state if state in TROUBLES else "",
        many,
        1 if state == "retaking" else None,
        state == "cut",
    )
    view.live = lambda: seen


def drawn(width, height):
    """A picture of nothing in particular."""
    return Pixels(width, height, bytes((200, 206, 212)) * (width * height))


def _announce():
    from kiosk.ui import announce

    return announce


def _graph(window, words):
    """Which of `words` any object reachable for the collector still holds (as a string, or within one)."""
    import gc

    gc.collect()
    gc.unfreeze()
    mine, found = {id(word) for word in words}, []
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            parts = thing.values()
        elif isinstance(thing, (list, tuple, set)) and thing is not words:
            parts = thing
        else:
            continue
        for part in list(parts):
            if isinstance(part, str) and id(part) not in mine:
                found += [word for word in words if word in part]
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("state", type=Path)
    parser.add_argument("--size", default="1080x1920")
    parser.add_argument("--mm", default="268x476")
    parser.add_argument("--elder", action="store_true")
    parser.add_argument("--low", action="store_true")
    parser.add_argument("--still", action="store_true")
    parser.add_argument("--language", default="zh_CN")
    parser.add_argument("--times", default="{}")
    parser.add_argument("--dim", type=float, default=600.0)
    parser.add_argument("--code", default="")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    plan = plans.choose("town", None, Path())
    hall, devices = Hall(plan), Devices()
    outside = Outside(hall, devices)
    hall.outside = outside
    if given.code:
        maintenance.set_code(given.state, given.code)
    width, height = map(int, given.size.split("x"))
    wide, high = map(float, given.mm.split("x"))
    languages = ("zh_CN", "en") if given.language == "zh_CN" else ("en", "zh_CN")
    settings = Settings(
        state=given.state,
        screen=Screen(width=width, height=height, width_mm=wide, height_mm=high, full=False),
        elder=given.elder,
        low_reach=given.low,
        still=given.still,
        sound=False,
        announce=True,
        languages=languages,
        times=replace(Times(), **json.loads(given.times)),
        heartbeat=given.state / "heartbeat",
        dim_after=given.dim,
    )
    window = open_window(settings, outside)
    threading.Thread(target=Script(window, outside).read, daemon=True).start()
    window.run()
    say(ended=True)


if __name__ == "__main__":
    main()

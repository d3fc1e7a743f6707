"""How many people are ahead, how long it takes, where to wait; then: take the number."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Stack, Text, hide
from kiosk.ui.page import Base, Fact, Heading, halves
from kiosk.ui.press import Push


class Page(Base):
    """Confirm."""

    def build(self):
        self.heading = Heading("Take a number?", align="center")
        self.ahead = Fact("People ahead", "users")
        self.wait = Fact("About", "clock")
        self.zone = Fact("Wait in", "location-dot")
        facts = Stack(self.ahead, self.wait, self.zone, across=True, gap=4, fit=True)
        self.remark = Text(role="large", colour="amber", align="center", strong=True, balance=True)
        self.take = Push(
            "Take a number", "ticket-simple", "confirm.take", self.says(Event.TAKE), "act", "title", high=(46, 50)
        )
        self.first = Push(
            "Priority number", "hand-holding-heart", "confirm.first", self.says(Event.FIRST), high=(30, 36)
        )
        self.first_words = Text(
            "For soldiers, firefighters, medical staff, the elderly, the disabled, expectant mothers and the unwell",
            role="body",
            colour="soft",
            align="center",
            balance=True,
        )
        return [halves([self.heading, Air(high=2), facts, self.remark], [self.take, self.first, self.first_words])]

    def draw(self, view):
        service = view.session.service or {}
        self.heading.say(*self.names(service))
        queue = view.queue_of(service) or {}
        self.ahead.show(self.word("{n} people", n=queue.get("waiting", 0)) if queue and not view.away else "")
        minutes = queue.get("wait_minutes")
        self.wait.show(self.word("{n} min", n=int(minutes)) if minutes is not None and not view.away else "")
        self.zone.show(str(queue.get("zone", "")))
        closed = bool(queue) and not queue.get("open", True)
        words = "No more numbers today" if closed else "No paper: shown on this screen" if view.paper_out else ""
        self.remark.ask(words)
        hide(self.remark, not words)
        self.take.enable(not closed and bool(service))
        self.first.enable(not closed and bool(service))
        hide(self.first, not view.hall.get("priorities"))
        hide(self.first_words, not view.hall.get("priorities") or self.theme.elder)

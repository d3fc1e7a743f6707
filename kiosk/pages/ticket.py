"""One's own ticket: its state in words, how many are ahead, and what one may do with it."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Card, Stack, Text, column, hide
from kiosk.ui.page import Banner, Base, Fact
from kiosk.pages.result import PRINTING
from kiosk.ui.press import Push

STATES = {  # state of the ticket → (words, icon, colour)
    "waiting": ("Please wait, you will be called", "hourglass-half", "river"),
    "called": ("You are being called: please go to window {window}", "bullhorn", "jade"),
    "serving": ("You are being served at window {window}", "user-check", "jade"),
    "held": ("Your matter is on hold: please ask at window {window}", "pause", "amber"),
    "passed": ("Your number was called and has passed", "clock-rotate-left", "amber"),
    "done": ("Your matter was dealt with", "circle-check", "jade"),
    "cancelled": ("This number was given up", "ban", "amber"),
    "expired": ("This number is no longer valid", "ban", "amber"),
}


class Page(Base):
    """Ticket."""

    def build(self):
        self.words_part = Text("Your number", role="large", colour="soft", align="center")
        self.number = Text(role="hero", strong=True, colour="river", align="center")
        self.service = Text(role="large", strong=True, align="center", balance=True)
        hero = Card(self.words_part, self.number, self.service, gap=1, pad=(4, 6, 4, 6), fit=True, shadow=True)
        self.ahead, self.wait, self.zone = (Fact("People ahead", "users"), Fact("About", "clock"),
                                            Fact("Wait in", "location-dot"))
        facts = Stack(self.ahead, self.wait, self.zone, across=True, gap=4, fit=True)
        self.state, self.slip = Banner(), Banner()
        self.rejoin = Push("Queue again", "rotate-left", "ticket.rejoin", self.says(Event.REJOIN), "act", high=(30, 36))
        self.again = Push("Print again", "print", "ticket.reprint", self.says(Event.REPRINT), high=(26, 30))
        self.done = Push("Done", "check", "ticket.finish", self.says(Event.FINISH), "act", high=(28, 32))
        left = column(hero, facts, gap=4, fit=True)
        right = column(self.state, self.slip, self.rejoin, self.again, gap=5, fit=True)
        left.pos_hint = right.pos_hint = {"top": 1}
        return [Air(share=0.3), Stack(left, right, turns=True, gap=6, fit=True), Air(), self.done]

    def draw(self, view):
        ticket, printing = view.session.ticket or {}, view.session.printing
        state = str(ticket.get("state", ""))
        self.number.say(str(ticket.get("number", "")))
        self.service.say(str(ticket.get("service_name") or ticket.get("queue_name", "")))
        words, icon, colour = STATES.get(state, STATES["waiting"])
        self.state.show("", icon, colour)
        self.state.words_part.say(self.word(words, window=ticket.get("window") or "—"))
        waits = state == "waiting"
        self.ahead.show(self.word("{n} people", n=ticket.get("ahead", 0)) if waits else "")
        minutes = ticket.get("wait_minutes")
        self.wait.show(self.word("{n} min", n=int(minutes)) if waits and minutes is not None else "")
        self.zone.show(str(ticket.get("zone", "")) if waits else "")
        hide(self.rejoin, state != "passed")
        hide(self.again, state not in ("waiting", "passed", "held"))
        self.again.enable(printing != "printing" and view.works("ticket-printer"))
        hide(self.slip, not printing)
        if printing:
            self.slip.show(*PRINTING[printing])

"""One's own ticket: its state in words, how many are ahead, and what one may do with it."""

from kiosk.journey import Event
from kiosk.pages.result import PRINTING, number_scale
from kiosk.ui.base import Air, Card, Stack, Text, column, hide
from kiosk.ui.page import Banner, Base, Facts
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
        upright = self.theme.portrait
        self.words_part = Text("Your number", role="large", colour="soft", align="center")
        self.number = Text(role="hero", strong=True, colour="river", align="center")
        self.service = Text(role="large", strong=True, align="center", balance=True)
        hero = Card(self.words_part, self.number, self.service, gap=1, pad=(4, 5, 4, 5), fit=True, shadow=True)
        self.facts, self.state, self.slip = Facts(self), Banner(), Banner()
        self.rejoin = Push("Queue again", "rotate-left", "ticket.rejoin", self.says(Event.REJOIN), "act", high=(30, 32))
        self.again = Push("Print again", "print", "ticket.reprint", self.says(Event.REPRINT), high=(30, 32))
        self.done = Push("Done", "check", "ticket.finish", self.says(Event.FINISH), high=(30, 32))
        left = column(hero, gap=4, fit=True)
        right = column(self.state, self.facts.stack, self.slip, gap=5, fit=True)
        left.pos_hint = right.pos_hint = {"top": 1}
        last = Stack(self.rejoin, self.again, self.done, across=not upright, gap=4, fit=True)
        return [Air(share=0.3), Stack(left, right, turns=True, gap=6, fit=True), Air(), last]

    def draw(self, view):
        ticket, printing = view.session.ticket or {}, view.session.printing
        self.number.scale = number_scale(self.theme)
        hide(self.words_part, self.theme.elder or not self.theme.portrait)
        state = str(ticket.get("state", ""))
        self.number.say(str(ticket.get("number", "")))
        self.service.say(str(ticket.get("service_name") or ticket.get("queue_name", "")))
        words, icon, colour = STATES.get(state, STATES["waiting"])
        self.state.show("", icon, colour)
        self.state.words_part.say(self.word(words, window=ticket.get("window") or "—"))
        low = bool(printing) and not self.theme.portrait  # a wide screen has no room for both
        self.facts.show(ticket if state == "waiting" and not low else {})
        hide(self.rejoin, state != "passed")
        hide(self.again, state not in ("waiting", "passed", "held"))
        self.again.enable(printing != "printing" and view.works("ticket-printer"))
        hide(self.slip, not printing)
        if printing:
            self.slip.show(*PRINTING[printing])

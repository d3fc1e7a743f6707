"""The number. Nothing else on this page is as large; it closes by itself, without counting down before anybody's eyes."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Card, Stack, Text, column, hide
from kiosk.ui.page import Banner, Base, Fact
from kiosk.ui.press import Push
from kiosk.ui.qr import Code

PRINTING = {  # what became of the slip → (words, icon, colour)
    "printing": ("Your slip is being printed", "print", "river"),
    "sent": ("Please take your slip below", "circle-check", "jade"),
    "printed": ("Please take your slip below", "circle-check", "jade"),
    "paper": ("The printer has no paper. Please photograph or note your number", "camera", "seal"),
    "fault": ("The slip could not be printed. Please photograph or note your number", "camera", "seal"),
    "unknown": ("Was your slip printed?", "circle-question", "amber"),
    "none": ("Please photograph or note your number", "camera", "river"),
    "": ("Please photograph or note your number", "camera", "river"),
}


class Page(Base):
    """Result."""

    def build(self):
        self.words_part = Text("Your number", role="large", colour="soft", align="center")
        self.number = Text(role="hero", strong=True, colour="river", align="center")
        self.service = Text(role="large", strong=True, align="center", balance=True)
        self.mark = Text(role="body", colour="jade", strong=True, align="center")
        hero = Card(self.words_part, self.number, self.service, self.mark, gap=1, pad=(4, 6, 4, 6), fit=True, shadow=True)
        self.ahead, self.wait, self.zone = (Fact("People ahead", "users"), Fact("About", "clock"),
                                            Fact("Wait in", "location-dot"))
        facts = Stack(self.ahead, self.wait, self.zone, across=True, gap=4, fit=True)
        self.banner = Banner()
        self.code = Code(high=(56, 56))
        self.code_words = Text("Scan to see on your phone how many people are ahead of you", role="body", colour="soft")
        self.code_words.pos_hint = {"center_y": 0.5}
        self.code_line = Stack(self.code, self.code_words, across=True, gap=6, fit=True)
        self.yes = Push("Yes, I have it", "check", "result.printed", self.says(Event.PRINTED), high=(26, 30))
        self.again = Push("Print again", "print", "result.reprint", self.says(Event.REPRINT), high=(26, 30))
        self.ask = Stack(self.yes, self.again, across=True, gap=4, fit=True)
        self.done = Push("Done", "check", "result.finish", self.says(Event.FINISH), "act", high=(28, 32))
        left = column(hero, facts, gap=4, fit=True)
        right = column(self.banner, self.code_line, self.ask, gap=5, fit=True)
        left.pos_hint = right.pos_hint = {"top": 1}
        self.halves = Stack(left, right, turns=True, gap=6, fit=True)
        return [Air(share=0.3), self.halves, Air(), self.done]

    def draw(self, view):
        ticket, printing = view.session.ticket or {}, view.session.printing
        self.number.say(str(ticket.get("number", "")))
        self.service.say(self._service(view, ticket))
        self.mark.ask("Priority: staff will look at it" if view.session.priority and not ticket.get("priority")
                      else "Priority" if ticket.get("priority") else "")
        hide(self.mark, not self.mark.words)
        self.ahead.show(self.word("{n} people", n=ticket.get("ahead", 0)) if ticket else "")
        minutes = ticket.get("wait_minutes")
        self.wait.show(self.word("{n} min", n=int(minutes)) if minutes is not None else "")
        self.zone.show(str(ticket.get("zone", "")))
        self.banner.show(*PRINTING.get(printing, PRINTING[""]))
        self.code.show(str(ticket.get("url", "")))
        hide(self.code_line, not ticket.get("url"))
        hide(self.yes, printing != "unknown")
        hide(self.again, printing not in ("unknown", "fault", "paper"))
        self.again.enable(not (printing == "paper" and view.paper_out))
        hide(self.ask, self.yes.hidden and self.again.hidden)

    def _service(self, view, ticket):
        service = view.session.service
        if service and self.theme.language != "zh_CN":
            return self.name(service)
        return str(ticket.get("service_name") or ticket.get("queue_name", ""))

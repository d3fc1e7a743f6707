"""The number: nothing here is as large. The page closes by itself, without counting down before anybody's eyes."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Card, Stack, Text, column, hide
from kiosk.ui.page import Banner, Base, Facts
from kiosk.ui.press import Push
from kiosk.ui.qr import Code

PRINTING = {  # what became of the slip → (words, icon, colour)
    "printing": ("Your slip is being printed", "print", "river"),
    "sent": ("Please take your slip below", "circle-check", "jade"),
    "printed": ("Please take your slip below", "circle-check", "jade"),
    "paper": ("No paper. Please note your number", "camera", "seal"),
    "fault": ("Not printed. Please note your number", "camera", "seal"),
    "unknown": ("Was your slip printed?", "circle-question", "amber"),
    "none": ("Please photograph or note your number", "camera", "river"),
    "": ("Please photograph or note your number", "camera", "river"),
}


def number_scale(theme):
    """As large as the page has room for."""
    return (1.25 if theme.elder else 1.6) if theme.portrait else 1.0


class Page(Base):
    """Result."""

    def build(self):
        upright = self.theme.portrait
        self.words_part = Text("Your number", role="large", colour="soft", align="center")
        self.number = Text(role="hero", strong=True, colour="river", align="center")
        self.service = Text(role="large", strong=True, align="center", balance=True)
        self.mark = Text(role="body", colour="jade", strong=True, align="center")
        hero = Card(
            self.words_part, self.number, self.service, self.mark, gap=1, pad=(4, 5, 4, 5), fit=True, shadow=True
        )
        self.facts, self.banner = Facts(self), Banner()
        self.code = Code(high=(66, 60))
        self.code.pos_hint = {"center_y": 0.5}
        self.code_words = Text("Scan to see on your phone how many people are ahead of you", role="body", colour="soft")
        self.code_words.pos_hint = {"center_y": 0.5}
        self.yes = Push("Yes, I have it", "check", "result.printed", self.says(Event.PRINTED), high=(28, 32))
        self.again = Push("Print again", "print", "result.reprint", self.says(Event.REPRINT), high=(28, 32))
        self.done = Push("Done", "check", "result.finish", self.says(Event.FINISH), "act", high=(28, 32))
        beside = self.code_words if upright else column(self.facts.stack, self.code_words, gap=2, fit=True)
        beside.pos_hint = {"center_y": 0.5}
        self.code_line = Stack(self.code, beside, across=True, gap=6, fit=True)
        left = column(hero, self.facts.stack, gap=4, fit=True) if upright else hero
        right = column(self.banner, self.code_line, gap=5, fit=True)
        left.pos_hint = right.pos_hint = {"top": 1}
        if upright:
            last = column(Stack(self.yes, self.again, across=True, gap=4, fit=True), self.done, gap=4, fit=True)
        else:
            last = Stack(self.yes, self.again, self.done, across=True, gap=4, fit=True)
        return [Air(share=0.3), Stack(left, right, turns=True, gap=6, fit=True), Air(), last]

    def apply(self, theme):
        hide(self.code_words, theme.elder and not theme.portrait)
        super().apply(theme)

    def draw(self, view):
        ticket, printing = view.session.ticket or {}, view.session.printing
        self.number.scale = number_scale(self.theme)
        hide(self.words_part, self.theme.elder or not self.theme.portrait)
        self.number.say(str(ticket.get("number", "")))
        self.service.say(self._service(view, ticket))
        self.mark.ask(
            "Priority: staff will look at it"
            if view.session.priority and not ticket.get("priority")
            else "Priority"
            if ticket.get("priority")
            else ""
        )
        hide(self.mark, not self.mark.words)
        self.facts.show(ticket)
        self.banner.show(*PRINTING.get(printing, PRINTING[""]))
        self.code.show(str(ticket.get("url", "")))
        hide(self.code, not ticket.get("url"))
        hide(self.yes, printing != "unknown")
        hide(self.again, printing not in ("unknown", "fault", "paper"))
        self.again.enable(not (printing == "paper" and view.paper_out))

    def _service(self, view, ticket):
        service = view.session.service
        if service and self.theme.language != "zh_CN":
            return self.name(service)
        return str(ticket.get("service_name") or ticket.get("queue_name", ""))

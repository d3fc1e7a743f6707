"""Something does not work or was refused: what it is, what to do, whom to ring."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Icon, Text, hide
from kiosk.ui.page import Base, Heading, halves
from kiosk.ui.press import Push

CAUSES = {  # cause → (what happened, what to do, icon)
    "refused": (
        "This is not possible just now",
        "Please ask at the guide desk; a member of staff will help you.",
        "circle-info",
    ),
    "printer": ("The printer is not working", "Please photograph or note your number.", "print"),
    "reader": ("The ID reader is not working", "You can go on without a card.", "id-card"),
}


class Page(Base):
    """Fault."""

    def build(self):
        self.icon_part = Icon("circle-info", size=44, colour="amber")
        self.heading = Heading("This is not possible just now", align="center")
        self.detail = Text(role="large", strong=True, align="center", balance=True)
        self.advice = Text(role="large", colour="soft", align="center", balance=True)
        self.phone = Text(role="large", strong=True, colour="river", align="center")
        self.back = Push("Back", "arrow-left", "fault.back", self.says(Event.BACK), "act", high=(34, 38))
        self.home_button = Push("To the start", "house", "fault.home", self.says(Event.HOME), high=(28, 32))
        return [
            halves(
                [self.icon_part, Air(high=4), self.heading, self.detail, self.advice, self.phone],
                [self.back, self.home_button],
            )
        ]

    def draw(self, view):
        words, advice, icon = CAUSES.get(view.session.cause, CAUSES["refused"])
        self.heading.ask(words)
        self.advice.ask(advice)
        self.icon_part.pick(icon)
        self.detail.say(view.session.detail)
        hide(self.detail, not view.session.detail)
        self.phone.say(self.word("Telephone {phone}", phone=view.hall.get("complaint_phone", "12345")))

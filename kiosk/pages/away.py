"""The hall cannot be reached: what that means for the person, and what to do."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Icon, Text
from kiosk.ui.page import Base, Heading, halves
from kiosk.ui.press import Push


class Page(Base):
    """Hall away."""

    def build(self):
        self.heading = Heading("The hall's system does not answer just now", align="center")
        self.remark = Text(
            "Please try again, or ask at the guide desk. You will not get two numbers.",
            role="large",
            colour="soft",
            align="center",
            balance=True,
        )
        self.phone = Text(role="large", strong=True, colour="river", align="center")
        self.retry = Push("Try again", "rotate-right", "away.retry", self.says(Event.RETRY), "act", high=(34, 38))
        self.home_button = Push("To the start", "house", "away.home", self.says(Event.HOME), high=(28, 32))
        icon = Icon("plug-circle-xmark", size=44, colour="amber")
        return [halves([icon, Air(high=6), self.heading, self.remark, self.phone], [self.retry, self.home_button])]

    def draw(self, view):
        phone = view.hall.get("complaint_phone", "12345")
        self.phone.say(self.word("Telephone {phone}", phone=phone))

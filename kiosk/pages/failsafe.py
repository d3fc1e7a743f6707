"""After any mistake of ours: an apology, and the way back to the start. This page needs nothing that could break."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Icon, Text
from kiosk.ui.page import Base, Heading, halves
from kiosk.ui.press import Push


class Page(Base):
    """Failsafe."""

    def build(self):
        self.heading = Heading("Sorry, something went wrong", align="center")
        self.remark = Text(
            "This page goes back to the start in a moment. If you have waited long enough, "
            "please ask at the guide desk.",
            role="large",
            colour="soft",
            align="center",
            balance=True,
        )
        self.home_button = Push("To the start", "house", "failsafe.home", self.says(Event.HOME), "act", high=(34, 38))
        icon = Icon("triangle-exclamation", size=44, colour="amber")
        return [halves([icon, Air(high=6), self.heading, self.remark], [self.home_button])]

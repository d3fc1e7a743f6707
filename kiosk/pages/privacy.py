"""Before any card is read: what is read, what for, what is kept, and that one need not."""

from kiosk.journey import Event
from kiosk.ui.base import Card
from kiosk.ui.page import Base, Heading, halves, point
from kiosk.ui.press import Push


class Page(Base):
    """Privacy notice."""

    def build(self):
        self.heading = Heading("Show your age with your ID card? You need not.")
        notice = Card(
            point("cake-candles", "Only your age is taken from the card, to put you among the first."),
            point("eraser", "Name, number and picture are not kept and not sent anywhere."),
            point("user-check", "Without a card a member of staff simply looks."),
            gap=6,
            pad=(8, 8, 8, 8),
            fit=True,
        )
        self.agree = Push(
            "I agree, use my ID card", "id-card", "privacy.agree", self.says(Event.AGREE), "act", high=(34, 38)
        )
        self.skip = Push(
            "No card, take the number", "ticket-simple", "privacy.skip", self.says(Event.SKIP), high=(30, 36)
        )
        return [self.heading, halves([notice], [self.agree, self.skip])]

"""Waiting for an ID card, and for it to be taken away again. Only a masked name and number are ever shown."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Card, Icon, Text, hide
from kiosk.ui.page import Base, Heading, halves
from kiosk.ui.press import Push

SAYS = {  # state of the card → (heading, icon, colour)
    "wanted": ("Please put your ID card on the reader", "id-card", "river"),
    "unreadable": ("The card cannot be read. Please lift it and put it down again", "rotate", "amber"),
    "read": ("Thank you. Please take your ID card", "circle-check", "jade"),
    "gone": ("Thank you. Please take your ID card", "circle-check", "jade"),
    "broken": ("The ID reader is not working. You can take the number without a card", "plug-circle-xmark", "amber"),
}


class Page(Base):
    """ID card."""

    def build(self):
        self.heading = Heading("Please put your ID card on the reader", align="center")
        self.icon_part = Icon("id-card", size=50, colour="river")
        self.name_part = Text(private=True, role="title", strong=True, align="center")
        self.number_part = Text(private=True, role="large", align="center")
        self.age_part = Text(private=True, role="large", colour="jade", strong=True, align="center")
        self.box = Card(self.name_part, self.number_part, self.age_part, gap=3, pad=(6, 6, 6, 6), fit=True)
        self.go_on = Push("I have taken it: go on", "check", "card.go_on", self.says(Event.GO_ON), "act", high=(34, 38))
        self.skip = Push("No card, take the number", "ticket-simple", "card.skip", self.says(Event.SKIP), high=(30, 36))
        return [halves([self.heading, Air(high=4), self.icon_part], [self.box, self.go_on, self.skip])]

    def draw(self, view):
        words, icon, colour = SAYS.get(view.card_state, SAYS["wanted"])
        self.heading.ask(words)
        self.heading.title.tint(colour if colour != "river" else "ink")
        self.icon_part.pick(icon)
        self.icon_part.tint(colour)
        card = view.session.card
        hide(self.box, card is None)
        hide(self.go_on, card is None)
        hide(self.skip, card is not None)
        if card is not None:
            self.name_part.say(card.name)
            self.number_part.say(card.number)
            self.age_part.say(self.word("Age {n}", n=card.age) if card.age is not None else "")
        else:
            for part in (self.name_part, self.number_part, self.age_part):
                part.say("")

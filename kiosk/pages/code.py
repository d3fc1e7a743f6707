"""The technician's door: a code of digits."""

from kiosk.journey import Event
from kiosk.ui.base import Card, Text, hide
from kiosk.ui.keys import Keys
from kiosk.ui.page import Base, Heading, halves
from kiosk.ui.press import Push


class Page(Base):
    """Code."""

    def build(self):
        self.typed = ""
        self.heading = Heading("For technicians: your code")
        self.field = Text(role="title", strong=True, align="center")
        self.note = Text(role="body", strong=True, colour="amber", align="center")
        self.keys = Keys(self._type, columns=5, tall=(22, 25))
        self.erase = Push("Delete", "delete-left", "code.erase", self._erase, typing=True, high=(22, 25))
        self.open = Push("Open", "lock-open", "code.open", self.says(Event.CODE), "act", high=(28, 30))
        field = Card(self.field, pad=(5, 3, 5, 3), fit=True)
        return [halves([self.heading, field, self.note], [self.keys, self.erase, self.open])]

    def draw(self, view):
        self.typed = view.session.typed
        self.field.say("●" * len(self.typed) or "—")
        self.keys.offer([(digit, digit) for digit in "1234567890"])
        self.open.enable(len(self.typed) >= 6 and not view.code_wait)
        self.erase.enable(bool(self.typed))
        self.note.ask("Too many wrong codes. Please wait five minutes." if view.code_wait else view.note)
        hide(self.note, not self.note.words)

    def _type(self, value):
        self.press(Event.TYPED, (self.typed + value)[:12])

    def _erase(self):
        self.press(Event.TYPED, self.typed[:-1])

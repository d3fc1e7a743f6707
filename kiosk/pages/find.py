"""Finding one's own ticket: hold the slip to the scanner, or type the number."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Card, Stack, Text, column, hide
from kiosk.ui.keys import Keys
from kiosk.ui.page import Base, Heading, point
from kiosk.ui.press import Push


class Page(Base):
    """My ticket."""

    def build(self):
        self.typed = ""
        self.heading = Heading("My ticket")
        self.scan = point("qrcode", "Hold the code of your slip to the scanner, or type your number")
        self.field = Text(role="title", strong=True, align="center")
        box = Card(self.field, pad=(5, 3, 5, 3), fit=True, border="river")
        self.letters = Keys(self._type, columns=5, tall=(22, 25))
        self.digits = Keys(self._type, columns=5, tall=(22, 25))
        self.erase = Push("Delete", "delete-left", "find.erase", self._erase, typing=True, high=(22, 25))
        self.look = Push("Look it up", "magnifying-glass", "find.look", self.says(Event.LOOK), "act", high=(30, 34))
        self.note = Text(role="large", strong=True, colour="amber")
        left = column(self.scan, box, self.note, gap=5, fit=True)
        right = column(self.letters, self.digits, self.erase, self.look, gap=3, fit=True)
        left.pos_hint = right.pos_hint = {"top": 1}
        return [self.heading, Stack(left, right, turns=True, gap=6, fit=True), Air()]

    def draw(self, view):
        self.typed = view.session.typed
        self.field.say(self.typed or "—")
        codes = sorted(view.queues) or list("ABCD")
        self.letters.offer([(code, code) for code in codes[:10]], min(5, max(4, len(codes))))
        self.digits.offer([(digit, digit) for digit in "1234567890"], 5)
        self.erase.enable(bool(self.typed))
        self.look.enable(len(self.typed) > 1 and not view.session.waiting)
        self.note.ask(view.note)
        hide(self.note, not view.note)

    def _type(self, value):
        self.press(Event.TYPED, (self.typed + value)[:6])

    def _erase(self):
        self.press(Event.TYPED, self.typed[:-1])

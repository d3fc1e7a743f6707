"""One page that was taken, large: turn it, crop it by hand, take it again, move it to the front, or leave it out."""

from kiosk.journey import Event
from kiosk.pages.scan import wrong
from kiosk.ui.base import Air, Stack, Text, column, hide
from kiosk.ui.page import Base, Heading
from kiosk.ui.picture import Picture
from kiosk.ui.press import Push


class Page(Base):
    """Sheet."""

    lowered = (0.22, 0.0)

    def build(self):
        upright = self.theme.portrait
        high = (28, 32) if upright else (24, 26)
        self.heading = Heading("Is this page good?")
        self.place = Text(role="large", colour="soft")
        self.note = Text(role="large", colour="amber", strong=True, balance=True)
        self.picture = Picture(ground="mist", frame="line")
        self.turn = Push("Turn", "rotate-right", "sheet.turn", self.says(Event.TURN), high=high)
        self.crop = Push("Crop", "crop-simple", "sheet.crop", self.says(Event.CROP), high=high)
        self.again = Push("Retake", "camera-rotate", "sheet.retake", self.says(Event.RETAKE), high=high)
        self.remove = Push("Remove", "trash-can", "sheet.remove", self.says(Event.REMOVE), "stop", high=high)
        self.earlier = Push("Earlier", "arrow-left", "sheet.earlier", self.says(Event.EARLIER), high=high)
        self.good = Push("Good", "check", "sheet.good", self.says(Event.GO_ON), "act", high=high)
        if upright:
            rows = ((self.turn, self.crop, self.again), (self.remove, self.earlier, self.good))
        else:
            rows = ((self.turn, self.crop), (self.again, self.remove), (self.earlier, self.good))
        rows = [Stack(*row, across=True, gap=4, fit=True) for row in rows]
        if upright:
            return [self.heading, self.place, self.note, self.picture, *rows]
        right = column(self.heading, self.place, self.note, Air(high=2), *rows, gap=4, wide=180, fit=True)
        right.pos_hint = {"center_y": 0.5}
        return [Stack(self.picture, right, across=True, gap=8)]

    def draw(self, view):
        session = view.session
        found = [(n, sheet) for n, sheet in enumerate(session.sheets, 1) if sheet.id == session.chosen]
        words = wrong(found[0][1]) if found else ""
        self.note.say(self.word(words, n=found[0][0]) if words else "")
        hide(self.note, not words)
        place, many = found[0][0] if found else 0, len(session.sheets)
        self.place.say(self.word("Page {n} of {of}", n=place, of=many) if place else "")
        hide(self.place, not place or many < 2 or bool(words))  # what is wrong with a page names it
        hide(self.earlier, place < 2)
        small = found[0][1].small if found else None
        self.picture.show(session.sheet or small)  # the small one at once, until the large one is there

    def forget(self):
        """Nothing of anybody's papers stays here."""
        self.picture.forget()

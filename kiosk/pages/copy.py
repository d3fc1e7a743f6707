"""The copy as it will come out of the printer, before it does."""

from kiosk.journey import Event
from kiosk.ui.base import Stack, Text, column, hide
from kiosk.ui.page import Banner, Base, Heading
from kiosk.ui.picture import Picture
from kiosk.ui.press import Push
from kiosk.view import SHEETS, WORKS


class Page(Base):
    """Copy."""

    lowered = (0.22, 0.0)

    def build(self):
        upright = self.theme.portrait
        high = (28, 32) if upright else (24, 26)
        self.heading = Heading("Your copy will look like this: black and white")
        self.count = Text(role="large", colour="soft", balance=True)
        self.paper = Picture(ground="mist", frame="line")
        self.state = Banner()
        self.more = Push("Add pages", "plus", "copy.more", self.says(Event.SCAN), high=high)
        self.mark = Push("Mark it", "stamp", "copy.mark", self.says(Event.MARK), high=high)
        self.next = Push("Next sheet", "chevron-right", "copy.next", self.says(Event.NEXT), high=high)
        self.print = Push("Print", "print", "copy.print", self.says(Event.PRINT), "act", high=high)
        if upright:
            rows = [Stack(self.more, self.mark, self.next, across=True, gap=4, fit=True), self.print]
            return [self.heading, self.count, self.paper, self.state, *rows]
        right = column(
            self.heading, self.count, self.state, self.more, self.mark, self.next, self.print, gap=4,
            wide=(170, 190), fit=True,
        )  # fmt: skip
        right.pos_hint = {"center_y": 0.5}
        return [Stack(self.paper, right, across=True, gap=8)]

    def apply(self, theme):
        hide(self.count, theme.elder and not theme.portrait)
        hide(self.heading.below, theme.elder or not theme.portrait)
        super().apply(theme)

    def draw(self, view):
        preview = view.session.preview
        self.paper.show(preview.pixels if preview else None)
        pages = len(view.session.sheets)
        if preview is None:
            self.count.ask("One moment …")
        else:
            words = "{pages} pages on one sheet of A4" if preview.of == 1 else "{pages} pages; sheet {n} of {of}"
            self.count.say(self.word(words, pages=pages, of=preview.of, n=preview.number + 1))
        hide(self.next, not preview or preview.of < 2)
        self.mark.ask("No mark" if view.session.mark else "Mark it")
        known = view.devices.get(SHEETS)
        trouble = ""
        if view.lacks_paper(SHEETS):
            trouble = "The printer has no paper. Please call a member of staff"
        elif known is not None and known[0] not in (*WORKS, "connecting"):
            trouble = "The printer is not working. Please call a member of staff"
        hide(self.state, not trouble)
        hide(self.mark, bool(trouble) and not self.theme.portrait)  # a wide screen has no room for both
        if trouble:
            self.state.show(trouble, "print", "seal")
        self.print.enable(preview is not None and not trouble)

    def forget(self):
        """Nothing of anybody's papers stays here."""
        self.paper.forget()

"""A row of small pages with their numbers; more than fit are turned by two buttons."""

from kiosk.ui.base import Air, Icon, Stack, Text, hide
from kiosk.ui.picture import Picture
from kiosk.ui.press import Press, Push

SIDE = (20, 25)  # mm of the buttons at both ends


class Thumb(Press):
    """One page, small. A page with something wrong says so by its border and a mark before its number."""

    def __init__(self, **kwargs):
        self.picture = Picture(ground="white")
        self.number = Text(role="small", strong=True, hug=True)
        self.mark = Icon("triangle-exclamation", size=(5, 7.5), colour="amber", wide=(7, 10))
        below = Stack(Air(), self.mark, self.number, Air(), across=True, gap=1, fit=True)
        super().__init__(self.picture, below, name="sheet", act=lambda: None, gap=1, pad=2, **kwargs)

    def fill_in(self, page, number, act, flagged):
        """Become this page."""
        self.name, self.act = f"sheet.{page.id}", act
        self.picture.show(page.small)
        self.number.say(str(number))
        hide(self.mark, not flagged)
        self.recolour(border="amber" if flagged else "line")


class Strip(Stack):
    """`offer(pages)` shows as many as fit, the last ones first; `act(id)` is called for the one that is pressed."""

    def __init__(self, room, act, **kwargs):
        self.thumbs = [Thumb() for _ in range(room)]
        self.airs = [Air() for _ in range(room)]
        self.back = Push("", "chevron-left", "strip.previous", lambda: self.turn(-1), wide=SIDE, high=None)
        self.ahead = Push("", "chevron-right", "strip.next", lambda: self.turn(1), wide=SIDE, high=None)
        super().__init__(self.back, *self.thumbs, *self.airs, self.ahead, across=True, gap=3, **kwargs)
        self.pages, self.first, self._act = (), 0, act

    def offer(self, pages, flagged):
        """Show these pages; a new one is always seen."""
        grown = len(pages) > len(self.pages)
        self.pages, self._flagged = pages, flagged
        last = max(0, len(pages) - len(self.thumbs))
        self.first = last if grown else min(self.first, last)
        self._fill()

    def turn(self, by):
        """Further along."""
        last = max(0, len(self.pages) - len(self.thumbs))
        self.first = min(max(self.first + by * len(self.thumbs), 0), last)
        self._fill()

    def forget(self):
        """No page is shown any more."""
        self.pages, self.first = (), 0
        for thumb in self.thumbs:
            thumb.picture.forget()

    def _fill(self):
        many = len(self.pages) > len(self.thumbs)
        shown = self.pages[self.first : self.first + len(self.thumbs)]
        for number, (thumb, air) in enumerate(zip(self.thumbs, self.airs, strict=True)):
            there = number < len(shown)
            if there:
                page = shown[number]
                place = self.first + number + 1
                thumb.fill_in(page, place, lambda id=page.id: self._act(id), page.id in self._flagged)
            elif thumb.picture.pixels is not None:
                thumb.picture.forget()
            hide(thumb, not there)
            hide(air, there)
        hide(self.back, not many)
        hide(self.ahead, not many)
        if many:
            self.back.enable(self.first > 0)
            self.ahead.enable(self.first + len(self.thumbs) < len(self.pages))

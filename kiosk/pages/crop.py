"""Cropping a page by hand: its four corners are dragged over the camera's picture."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Stack, Text, column, hide
from kiosk.ui.cropper import Cropper
from kiosk.ui.page import Base, Heading
from kiosk.ui.press import Push


class Page(Base):
    """Crop."""

    lowered = (0.22, 0.0)

    def build(self):
        upright = self.theme.portrait
        high = (28, 32) if upright else (24, 26)
        self.heading = Heading("Drag the four corners onto the page's corners")
        self.state = Text("One moment …", role="large", colour="soft")
        self.shot = Cropper("crop", ground="mist", frame="line")
        self.cancel = Push("Cancel", "xmark", "crop.cancel", self.says(Event.BACK), high=high)
        self.automatic = Push("Automatic", "wand-magic-sparkles", "crop.automatic", self._restore, high=high)
        self.zoom = Push("Whole picture", "magnifying-glass-minus", "crop.zoom", self._zoom, high=high)
        self.good = Push("OK", "check", "crop.good", self._cut, "act", high=high)
        last = Stack(self.cancel, self.good, across=True, gap=4, fit=True)
        if upright:
            return [
                self.heading,
                self.state,
                self.shot,
                Stack(self.automatic, self.zoom, across=True, gap=4, fit=True),
                last,
            ]
        right = column(
            self.heading, self.state, Air(high=2), self.automatic, self.zoom, last, gap=4, wide=180, fit=True
        )
        right.pos_hint = {"center_y": 0.5}
        return [Stack(self.shot, right, across=True, gap=8)]

    def draw(self, view):
        uncut = view.session.uncut
        self.shot.offer(uncut)
        self.automatic.enable(uncut is not None)
        self.good.enable(uncut is not None)
        hide(self.automatic, uncut is not None and not uncut.found)
        hide(self.state, uncut is not None)
        self._show_zoom()

    def forget(self):
        """Nothing of anybody's papers stays here."""
        self.shot.forget()

    def _show_zoom(self):
        words, icon = ("Closer", "plus") if self.shot.whole else ("Whole picture", "minus")
        hide(self.zoom, not self.shot.zooms)
        self.zoom.ask(words)
        self.zoom.icon_part.pick(f"magnifying-glass-{icon}")

    def _restore(self):
        self.shot.restore()
        self._show_zoom()

    def _zoom(self):
        self.shot.zoom()
        self._show_zoom()

    def _cut(self):
        self.press(Event.CUT, self.shot.corners)

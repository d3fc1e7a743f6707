"""Cropping a page by hand: its four corners are dragged over the camera's picture."""

from kiosk.journey import Event
from kiosk.ui.base import Air, Stack, column, hide
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
        self.shot = Cropper("crop", ground="mist", frame="line")
        self.cancel = Push("Cancel", "xmark", "crop.cancel", self.says(Event.BACK), high=high)
        self.automatic = Push("Automatic", "wand-magic-sparkles", "crop.automatic", self.shot.restore, high=high)
        self.good = Push("OK", "check", "crop.good", self._cut, "act", high=high)
        pair = Stack(self.cancel, self.automatic, across=True, gap=4, fit=True)
        if upright:
            return [self.heading, self.shot, pair, self.good]
        right = column(self.heading, Air(high=2), pair, self.good, gap=4, wide=180, fit=True)
        right.pos_hint = {"center_y": 0.5}
        return [Stack(self.shot, right, across=True, gap=8)]

    def draw(self, view):
        uncut = view.session.uncut
        self.shot.offer(uncut)
        self.automatic.enable(uncut is not None)
        self.good.enable(uncut is not None)
        hide(self.automatic, uncut is not None and not uncut.found)

    def forget(self):
        """Nothing of anybody's papers stays here."""
        self.shot.forget()

    def _cut(self):
        self.press(Event.CUT, self.shot.corners)

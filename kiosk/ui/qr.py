"""A QR code on the screen, for phones that photograph it from arm's length."""

import segno
from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.uix.widget import Widget

from config import look
from kiosk.ui.base import Sized

QUIET = 4  # modules of white around it (ISO/IEC 18004, 9.1)


class Code(Sized, Widget):
    """`show(text)` draws the code of a text; the picture is kept and painted over, one for each size of code."""

    def __init__(self, high=(52, 60), **kwargs):
        super().__init__(**kwargs)
        self.high, self.wide, self.text = high, high, ""
        self._pictures = {}
        with self.canvas:
            Color(*look.rgba("white"))
            self._ground = Rectangle()
            self._ink = Color(1, 1, 1, 0)
            self._box = Rectangle()
        self.bind(pos=self._place, size=self._place)

    def apply(self, theme):
        self.apply_size(theme)

    def show(self, text):
        """The code of `text`; empty: nothing."""
        if text == self.text:
            return
        self.text = text
        self._ink.a = 1.0 if text else 0.0
        if not text:
            return
        rows = [
            bytes(0 if dark else 255 for dark in line) for line in segno.make(text, error="m").matrix_iter(border=QUIET)
        ]
        side = len(rows)
        picture = self._pictures.get(side)
        if picture is None:
            picture = self._pictures[side] = Texture.create(size=(side, side), colorfmt="luminance")
            picture.mag_filter = "nearest"
        picture.blit_buffer(b"".join(reversed(rows)), colorfmt="luminance", bufferfmt="ubyte")
        self._box.texture = picture
        self._side = side
        self._place()

    def _place(self, *_):
        side = min(self.width, self.height)
        modules = getattr(self, "_side", 1)
        exact = side // modules * modules or side  # whole dots for a module, or a phone sees stripes
        x, y = self.x + (self.width - exact) // 2, self.y + (self.height - exact) // 2
        self._ground.pos = self._box.pos = (round(x), round(y))
        self._ground.size = self._box.size = (exact, exact) if self.text else (0, 0)

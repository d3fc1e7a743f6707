"""Pictures on the screen: a camera's live view with the outlines of what it sees, a page, a sheet of paper.

The picture is as large as its box allows, never distorted. `forget` takes it out of the memory it is drawn from.
"""

from kivy.animation import Animation
from kivy.graphics import Color, Line, Rectangle
from kivy.graphics.texture import Texture
from kivy.uix.widget import Widget

from config import look
from kiosk.ui.base import Sized

MOST = 6  # outlines at once
FLASH_S = 0.25


class Picture(Sized, Widget):
    """`show(pixels)` draws a picture (kiosk.papers.Pixels), `show(None)` none; `outline` draws round what was found."""

    def __init__(self, ground="mist", high=None, wide=None, frame=None, **kwargs):
        super().__init__(**kwargs)
        self.high, self.wide, self.pixels, self._frame_token = high, wide, None, frame
        self.ground_token, self._thick, self._corners, self._texture = ground, 3.0, (), None
        with self.canvas:
            self._ground_colour = Color(*look.rgba(ground, 1 if ground else 0))
            self._ground = Rectangle()
            self._light = Color(1, 1, 1, 0)
            self._box = Rectangle()
            self._frame_colour = Color(*look.rgba(frame or "line", 1 if frame else 0))
            self._frame = Line(width=1)
            self._pen = Color(*look.rgba("jade"))
            self._halos, self._lines = [], []
            for _ in range(MOST):
                Color(1, 1, 1, 0.85)
                self._halos.append(Line(close=True, joint="round"))
                Color(*look.rgba("jade"))
                self._lines.append(Line(close=True, joint="round"))
            self._flash = Color(1, 1, 1, 0)
            self._white = Rectangle()
        self.bind(pos=self._place, size=self._place)

    def apply(self, theme):
        self.apply_size(theme)
        self._thick = theme.mm(0.6)
        for halo, line in zip(self._halos, self._lines, strict=True):
            halo.width, line.width = self._thick * 1.7, self._thick
        self._place()

    def show(self, pixels):
        """Another picture, or none."""
        if pixels is self.pixels:
            return
        self.pixels = pixels
        if pixels is None:
            self.forget()
            return
        size = (pixels.width, pixels.height)
        if self._texture is None or self._texture.size != size:
            self._texture = self._box.texture = Texture.create(size=size, colorfmt="rgb")
        self._texture.blit_buffer(pixels.rgb, colorfmt="rgb", bufferfmt="ubyte")
        self._light.a = 1.0
        self._place()

    def outline(self, corners):
        """Quadrilaterals in fractions of the picture, counted from its upper left."""
        if corners != self._corners:
            self._corners = corners
            self._draw_lines()

    def flash(self, seconds=FLASH_S):
        """The shutter, seen."""
        Animation.stop_all(self._flash)
        if seconds:
            self._flash.a = 0.9
            Animation(a=0.0, d=seconds, t="out_quad").start(self._flash)

    def forget(self):
        """Nothing of the last picture stays, not even where it is drawn from."""
        self.pixels = None
        self.outline(())
        texture, self._texture = self._texture, None
        if texture is not None:  # not the box's: a box without a picture has one that all boxes share
            texture.blit_buffer(bytes(texture.width * texture.height * 3), colorfmt="rgb", bufferfmt="ubyte")
            self._box.texture = None
        self._light.a = 0.0
        self._place()

    def _shown(self):
        """(width, height) in pixels of what is shown of the picture."""
        return self.pixels.width, self.pixels.height

    def _margin(self):
        """Dots that stay free around the picture."""
        return 0

    def _place(self, *_):
        self._ground.pos, self._ground.size = self.pos, self.size
        if self.pixels is None:
            self._box.size = self._white.size = (0, 0)
            self._frame.rectangle = (*self.pos, 0, 0)
            return
        (across, down), room = self._shown(), 2 * self._margin()
        scale = min((self.width - room) / across, (self.height - room) / down)
        scale = max(scale, 1 / max(across, down))  # before there is a layout
        width, height = round(across * scale), round(down * scale)
        x, y = round(self.x + (self.width - width) / 2), round(self.y + (self.height - height) / 2)
        self._box.pos = self._white.pos = (x, y)
        self._box.size = self._white.size = (width, height)
        self._frame.rectangle = (x, y, width, height)
        self._draw_lines()

    def _on_screen(self, point):
        """Where a point of the picture (fractions, counted from its upper left) is on the screen, in dots."""
        (x, y), (width, height) = self._box.pos, self._box.size
        across, down = (min(max(part, 0), 1) for part in point)
        return x + across * width, y + (1 - down) * height

    def _draw_lines(self):
        for number, (halo, line) in enumerate(zip(self._halos, self._lines, strict=True)):
            points = []
            if number < len(self._corners):
                for corner in self._corners[number]:
                    points += self._on_screen(corner)
            halo.points = line.points = points

"""A picture with four corners one can drag, and a magnifier that shows what the finger covers.

A corner is moved by a ring as large as any button, by as much as the finger moves, so that the ring may be taken at
its rim, beside the spot it stands on. Of the picture only the part around a small page is shown at first, as large as
the room allows. Where rings would lie upon one another all the same, they stand away from the page, each on a stick.
While a finger is down, the spot is shown much larger at the top of the picture, on the side where the finger is not.
"""

from itertools import combinations

from kivy.graphics import Color, Ellipse, Line, Rectangle

from config import look
from kiosk.corners import START, View, close_up, moved, start
from kiosk.ui.picture import Picture

LARGER = 3.0  # times
GLASS = (60, 70)  # mm: side of the magnifier
SHADE = 0.28  # how dark the inside of a ring is: the page's edge is seen through it


class Cropper(Picture):
    """`offer(uncut)` shows a shot (kiosk.papers.Uncut) with its corners, `restore()` puts them where they were found.

    `corners` is where they stand; `zoom()` changes between all of the picture (`whole`) and the part around them.
    """

    def __init__(self, name, **kwargs):
        super().__init__(**kwargs)
        self.name, self.theme, self.corners = name, None, START
        self._view, self._all = View(), False  # what is shown; all of the picture is wanted
        self._close = START  # the corners it is shown around, wherever a finger puts them since: it must not jump
        self._uncut, self._finger, self._held, self._apart = None, None, 0, (0.0, 0.0)
        self._stick = 0.0  # dots from a corner to the middle of its ring
        with self.canvas:
            self._rings = []
            for _ in range(4):
                shade = Color(*look.rgba("river", 0)), Ellipse()
                halo = Color(1, 1, 1, 0), Line(circle=(0, 0, 1))
                ring = Color(*look.rgba("river", 0)), Line(circle=(0, 0, 1))
                self._rings.append((shade, halo, ring, Line()))
            self._rim_colour, self._rim = Color(*look.rgba("river", 0)), Rectangle()
            self._glass_colour, self._glass = Color(1, 1, 1, 0), Rectangle()
            self._cross = []
            for thick in (3.2, 1.4):
                colour = Color(*look.rgba("white" if thick > 2 else "seal", 0))
                self._cross.append((colour, Line(width=thick), Line(width=thick)))

    def apply(self, theme):
        self.theme = theme
        super().apply(theme)

    def offer(self, uncut):
        """Another shot, or none. The same one again leaves the corners where a finger has put them."""
        if uncut is self._uncut:
            return
        self._uncut = uncut
        self.show(uncut.pixels if uncut else None)
        if uncut:
            self._begin(uncut.corners)

    def restore(self):
        """Back to where the page was found."""
        if self._uncut:
            self._begin(self._uncut.found)

    @property
    def whole(self):
        """All of the picture is shown."""
        return self._view == View()

    @property
    def zooms(self):
        """There is something to be seen closer, or less close."""
        return not self.whole or self._closer() != View()

    def zoom(self):
        """From the part around the corners to all of the picture, or back."""
        self._all, self._close = not self.whole, self.corners
        self._place()
        self.theme.changed()

    def forget(self):
        self._uncut, self._finger, self.corners = None, None, START
        self._glass.texture = None
        super().forget()
        self._draw_rings()

    @property
    def side(self):
        """How large a ring is, in dots."""
        return self.theme.button

    def spots(self):
        """The corners on the screen, upper left first; none while there is no picture."""
        return [] if self.pixels is None else [self._on_screen(corner) for corner in self.corners]

    def places(self):
        """The middles of their rings: at the ends of their sticks, seen from the page's middle, but within our box."""
        spots, places = self.spots(), []
        radius = self.side / 2 if spots else 0.0
        for x, y in spots:
            dx, dy = x - sum(sx for sx, _ in spots) / 4, y - sum(sy for _, sy in spots) / 4
            share = self._stick / max((dx * dx + dy * dy) ** 0.5, 1.0)
            x, y = x + dx * share, y + dy * share
            places.append((min(max(x, self.x + radius), self.right - radius),
                           min(max(y, self.y + radius), self.top - radius)))  # fmt: skip
        return places

    def _plant(self):
        """The shortest sticks on which no ring is too near to another."""
        self._stick, least = 0.0, self.side + self.theme.gap
        while self._stick < 2 * self.side:
            places = self.places()
            if all(max(abs(ax - bx), abs(ay - by)) >= least for (ax, ay), (bx, by) in combinations(places, 2)):
                return
            self._stick += self.side / 8

    # ---- the finger --------------------------------------------------------------------------------------------

    def on_touch_down(self, touch):
        if self._finger is not None or self.theme is None or not self.pixels or not self.collide_point(*touch.pos):
            return False
        far = [((px - touch.x) ** 2 + (py - touch.y) ** 2) ** 0.5 for px, py in self.places()]
        nearest = min(range(4), key=far.__getitem__)
        if far[nearest] > self.side:  # a ring and half of one around it
            return False
        x, y = self.spots()[nearest]
        self._finger, self._held, self._apart = touch, nearest, (x - touch.x, y - touch.y)
        touch.grab(self)
        self.theme.sound("press")
        self._draw_rings()
        return True

    def on_touch_move(self, touch):
        if touch is not self._finger:
            return False
        (x, y), (width, height) = self._box.pos, self._box.size
        to = (touch.x + self._apart[0] - x) / width, 1 - (touch.y + self._apart[1] - y) / height
        self._stand(moved(self.corners, self._held, self._view.meant(to)))
        return True

    def on_touch_up(self, touch):
        if touch is not self._finger:
            return False
        touch.ungrab(self)
        self._finger = None
        self._stand(self.corners)
        return True

    # ---- drawing -----------------------------------------------------------------------------------------------

    def _stand(self, corners):
        self.corners = corners
        self.outline((corners,))
        if self._finger is None:  # a ring does not leave the finger that holds it
            self._plant()
            self.theme.changed()
        self._draw_rings()

    def _begin(self, corners):
        """Corners where the page was cut or found, seen close: with all that was found, to be had back."""
        self.corners, self._all = start(corners), False
        self._close = (*self.corners, *(start(self._uncut.found) if self._uncut.found else ()))
        self._place()
        self._stand(self.corners)

    def _closer(self):
        """The part of the picture around the corners that fills the room there is."""
        if self.pixels is None or self.width <= self._margin() * 2 or self.height <= self._margin() * 2:
            return View()
        room = (self.width - 2 * self._margin()) / (self.height - 2 * self._margin())
        return close_up(self._close, room * self.pixels.height / self.pixels.width)

    def _shown(self):
        return self.pixels.width * self._view.wide, self.pixels.height * self._view.high

    def _on_screen(self, point):
        return super()._on_screen(self._view.seen(point))

    def _margin(self):
        """Room around the picture, so that a ring at its very corner is whole."""
        return self.side / 2 + 2 if self.theme else 0

    def _place(self, *_):
        if self._finger is None:
            self._view = View() if self._all else self._closer()
        super()._place()
        if self._texture is not None:
            view = self._view
            self._box.tex_coords = self._part(view.x, view.y, view.x + view.wide, view.y + view.high)
        if getattr(self, "theme", None) and hasattr(self, "_cross"):
            self._plant()
            self._draw_rings()

    def _draw_rings(self):
        places, spots = self.places(), self.spots()
        for number, (shade, halo, ring, stick) in enumerate(self._rings):
            stick.points = ()
            there = number < len(places)
            held = self._finger is not None and number == self._held
            shade[0].a, halo[0].a, ring[0].a = SHADE * there * (not held), 0.9 * there, 1.0 * there
            if there:
                (x, y), radius, thick = places[number], self.side / 2, self.theme.mm(0.7)
                shade[1].pos, shade[1].size = (x - radius, y - radius), (2 * radius, 2 * radius)
                halo[1].circle, halo[1].width = (x, y, radius - thick), thick * 1.8
                ring[1].circle, ring[1].width = (x, y, radius - thick), thick
                stick.points, stick.width = (*spots[number], x, y) if self._stick else (), thick
        self._draw_glass()

    def _draw_glass(self):
        """The spot under the finger, larger; nothing while no finger is down."""
        shown = self._finger is not None and self.pixels is not None
        self._rim_colour.a = self._glass_colour.a = float(shown)
        for colour, _, _ in self._cross:
            colour.a = float(shown)
        if not shown:
            return
        width, height = self._box.size
        side = min(self.theme.mm(GLASS), self.width / 2.2, self.height / 1.6)
        # What is seen of the picture, in its fractions.
        half = [side / LARGER / 2 / width * self._view.wide, side / LARGER / 2 / height * self._view.high]
        spot = self.corners[self._held]
        middle = [min(max(at, share), 1 - share) for at, share in zip(spot, half, strict=True)]
        left = self.spots()[self._held][0] > self.center_x
        corner = (self.x if left else self.right - side, self.top - side)
        rim = self.theme.mm(1)
        self._rim.pos, self._rim.size = (corner[0] - rim, corner[1] - rim), (side + 2 * rim, side + 2 * rim)
        self._glass.texture = self._texture
        (x, y), (dx, dy) = middle, half
        self._glass.tex_coords = self._part(x - dx, y - dy, x + dx, y + dy)
        self._glass.pos, self._glass.size = corner, (side, side)
        across = corner[0] + side / 2 + (spot[0] - middle[0]) / half[0] * side / 2
        down = corner[1] + side / 2 - (spot[1] - middle[1]) / half[1] * side / 2
        for _, level, plumb in self._cross:
            level.points = (corner[0], down, corner[0] + side, down)
            plumb.points = (across, corner[1], across, corner[1] + side)

    def _part(self, left, top, right, bottom):
        """Which of the texture's points belong to the corners of a rectangle that shows this part of the picture."""
        (u0, v0), (u1, v1) = self._texture.uvpos, self._texture.uvsize
        west, east = (u0 + u1 * across for across in (left, right))
        south, north = (v0 + v1 * (1 - down) for down in (bottom, top))
        return (west, south, east, south, east, north, west, north)

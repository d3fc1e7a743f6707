"""Choices a page at a time: never more than fit, turned by two big buttons or a swipe, never by dragging alone."""

import math

from kivy.animation import Animation
from kivy.graphics import PopMatrix, PushMatrix, Translate
from kivy.properties import NumericProperty
from kivy.uix.stencilview import StencilView
from kivy.uix.widget import Widget

from kiosk.ui.base import Stack, Text, hide, style
from kiosk.ui.press import Push, Tile

SWIPE_MM = 25.0


class Sheet(Widget):
    """One page of tiles; tiles are made when first needed and then kept.

    Edges are counted from `y` and `height`: Kivy brings `top` up to date only after `pos` has been told about.
    While it slides only the picture moves, by `offset` dots: laying out a hundred parts anew takes longer than a frame.
    """

    offset = NumericProperty(0.0)

    def __init__(self, across, **kwargs):
        super().__init__(size_hint=(None, None), **kwargs)
        with self.canvas.before:
            PushMatrix()
            self._slide = Translate(0, 0, 0)
        with self.canvas.after:
            PopMatrix()
        self.bind(offset=lambda _sheet, dots: setattr(self._slide, "x", round(dots)))
        self.across, self.pool, self.shown = across, [], 0
        self.grid = (1, 1, 0.0)
        self.bind(pos=self._place, size=self._place)

    def fill(self, choices, fill_in, grid, theme):
        """Show these choices in (columns, rows, gap in dots)."""
        self.grid = grid
        while len(self.pool) < len(choices):
            tile = Tile(across=self.across, size_hint=(None, None))
            style(tile, theme)
            self.pool.append(tile)
        for number, tile in enumerate(self.pool):
            if number < len(choices):
                fill_in(tile, choices[number])
                if tile.parent is None:
                    self.add_widget(tile)
            elif tile.parent is not None:
                self.remove_widget(tile)
        self.shown = len(choices)
        self._place()

    def _place(self, *_):
        columns, rows, gap = self.grid
        w = (self.width - gap * (columns - 1)) / columns
        h = (self.height - gap * (rows - 1)) / rows
        for number, tile in enumerate(self.pool[: self.shown]):
            line, at = divmod(number, columns)
            tile.pos = (self.x + at * (w + gap), self.y + self.height - (line + 1) * h - line * gap)
            tile.size = (w, h)


class Pager(Stack):
    """Choices as tiles.

    `least` is a tile's (width, height) in mm, each a pair normal/elder; `most` its greatest height; `columns` at most
    so many, ((upright normal, elder), (wide normal, elder)). `fill_in(tile, choice)` turns a tile into a choice.
    """

    def __init__(self, fill_in, least, most, across=False, columns=((1, 1), (2, 1)), **kwargs):
        self.stage = StencilView()
        self.sheets = (Sheet(across), Sheet(across))
        self.stage.add_widget(self.sheets[0])
        self.back = Push("Previous", "chevron-left", "pager.previous", lambda: self.turn(-1), role="body")
        self.ahead = Push("Next", "chevron-right", "pager.next", lambda: self.turn(1), role="body")
        self.where = Text(role="body", align="center", strong=True, high=(20, 25), wide=(34, 40))
        self.bar = Stack(self.back, self.where, self.ahead, across=True, high=(20, 25))
        self.bar.hidden = True
        super().__init__(self.stage, self.bar, gap=4, **kwargs)
        self.fill_in, self.least, self.most, self.columns = fill_in, least, most, columns
        self.choices, self.page, self.theme, self._finger = (), 0, None, None
        self._grid = None
        self.stage.bind(pos=self._arrange, size=self._arrange)

    def apply(self, theme):
        self.theme = theme
        for sheet in self.sheets:
            for tile in sheet.pool:
                style(tile, theme)
        super().apply(theme)
        self._grid = None
        self._arrange()

    def offer(self, choices, keep_page=False):
        """Show these choices from the first page (or the one that was shown, if it still exists)."""
        self.choices = tuple(choices)
        if not keep_page:
            self.page = 0
        self._grid = None
        self._arrange()

    def rewind(self):
        """Back to the first page, without a movement."""
        if self.page:
            self.page, self._grid = 0, None
            self._arrange()

    @property
    def pages(self):
        columns, rows = self._grid[:2] if self._grid else (1, 1)
        return max(1, math.ceil(len(self.choices) / (columns * rows)))

    def _fit(self, height):
        """(columns, rows) that hold as many choices as are there, in tiles not smaller than `least`."""
        mm, gap, elder = self.theme.mm, self.theme.gap, self.theme.elder
        most = self.columns[not self.theme.portrait][elder]
        columns = max(1, min(most, int((self.stage.width + gap) // (mm(self.least[0]) + gap))))
        rows = max(1, int((height + gap) // (mm(self.least[1]) + gap)))
        return columns, rows

    def _arrange(self, *_):
        if self.theme is None or self.stage.width < 2 or self.height < 2:
            return
        bar = self.theme.mm((20, 25)) + self.theme.mm(self.gap_mm)
        columns, rows = self._fit(self.height)
        if len(self.choices) > columns * rows:
            columns, rows = self._fit(self.height - bar)
        grid = (columns, rows, self.theme.gap, self.stage.size[0], self.stage.size[1])
        many = len(self.choices) > columns * rows
        if many != (not self.bar.hidden):
            hide(self.bar, not many)
        if grid == self._grid:
            self.sheets[0].pos = (self.stage.x, self.stage.y + self.stage.height - self.sheets[0].height)
            return
        self._grid = grid
        self.page = min(self.page, self.pages - 1)
        self._show(self.sheets[0])
        self.sheets[0].x = self.stage.x
        self._label()

    def _show(self, sheet):
        columns, rows, gap = self._grid[:3]
        part = self.choices[self.page * columns * rows : (self.page + 1) * columns * rows]
        lines = math.ceil(len(part) / columns) if self.pages == 1 else rows
        tallest = self.theme.mm(self.most) * lines + gap * (lines - 1)
        sheet.size = (self.stage.width, min(self.stage.height, tallest))
        sheet.fill(part, self.fill_in, (columns, max(lines, 1), gap), self.theme)
        sheet.y = self.stage.y + self.stage.height - sheet.height

    def _label(self):
        self.where.say(f"{self.page + 1} / {self.pages}")
        self.back.enable(self.page > 0)
        self.ahead.enable(self.page + 1 < self.pages)

    def turn(self, step):
        """Go one page on or back."""
        if self._grid is None or not 0 <= self.page + step < self.pages:
            return
        Animation.stop_all(self.sheets[0])
        Animation.stop_all(self.sheets[1])
        self.page += step
        self.theme.changed()
        old, new = self.sheets
        self._show(new)
        self._label()
        self.sheets = (new, old)
        if new.parent is None:
            self.stage.add_widget(new)
        new.x, old.offset = self.stage.x, 0
        if not self.theme.motion:
            new.offset = 0
            self._settled()
            return
        new.offset = step * self.stage.width
        Animation(offset=-step * self.stage.width, d=self.theme.motion, t="out_cubic").start(old)
        arrive = Animation(offset=0, d=self.theme.motion, t="out_cubic")
        arrive.bind(on_complete=lambda *_: self._settled())
        arrive.start(new)

    def _settled(self):
        self.theme.changed()
        for sheet in list(self.stage.children):
            if sheet is not self.sheets[0]:
                self.stage.remove_widget(sheet)
        self.sheets[0].y = self.stage.y + self.stage.height - self.sheets[0].height

    def on_touch_down(self, touch):
        if self.stage.collide_point(*touch.pos):
            if len(self.stage.children) > 1:  # what slides cannot be touched
                return True
            self._finger = (touch, touch.pos)
        return super().on_touch_down(touch)

    def on_touch_up(self, touch):
        if self._finger and self._finger[0] is touch and self.theme is not None:
            moved = touch.x - self._finger[1][0]
            self._finger = None
            if abs(moved) > self.theme.mm(SWIPE_MM):
                self.turn(-1 if moved > 0 else 1)
        return super().on_touch_up(touch)

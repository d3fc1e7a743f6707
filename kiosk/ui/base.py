"""What all parts have in common: sizes in millimetres that follow the mode, and text that is set like print.

A widget is *styled* when it is first shown and whenever elder mode or language change: `style(theme)` walks the tree
from a page down. Widgets are made once and live as long as the terminal, because the window's library does not give
back all the memory of those that are thrown away.
"""

from kivy.core.text import Label as Shaper
from kivy.graphics import BorderImage, Color, Ellipse, Rectangle
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from config import look
from kiosk.ui import fonts
from kiosk.ui.lines import wrap
from kiosk.ui.skin import skin


def style(widget, theme):
    """Give `widget` and all below it the sizes, colours and words in force."""
    for child in list(getattr(widget, "parts", widget.children)):
        style(child, theme)
    apply = getattr(widget, "apply", None)
    if apply is not None:
        apply(theme)


class Sized:
    """Mixin: `wide` and `high` in millimetres (a number or a pair normal/elder); None follows the layout's share."""

    wide = None
    high = None
    hidden = False

    def apply_size(self, theme):
        if self.wide is not None:
            self.size_hint_x, self.width = None, theme.mm(self.wide)
        if self.high is not None:
            self.size_hint_y, self.height = None, theme.mm(self.high)


class Stack(Sized, BoxLayout):
    """Parts one below or beside the other. `gap` and `pad` are millimetres; hidden parts take no room."""

    def __init__(self, *parts, gap=3.0, pad=0.0, across=False, wide=None, high=None, turns=False, fit=False, **kwargs):
        super().__init__(orientation="horizontal" if across else "vertical", **kwargs)
        self.gap_mm, self.pad_mm, self.across, self.turns, self.fit = gap, pad, across, turns, fit
        self.wide, self.high = wide, high
        self.parts = list(parts)
        for part in parts:
            part.home = self  # where a hidden part comes back to
        self._members = []
        if fit:  # as high as its parts together
            self.size_hint_y = None
            self.bind(minimum_height=self.setter("height"))
        self.settle()

    def settle(self):
        """Put exactly the parts that are not hidden on the screen, in their order."""
        wanted = [part for part in self.parts if not getattr(part, "hidden", False)]
        if wanted != self._members:
            self.clear_widgets()
            for part in wanted:
                self.add_widget(part)
            self._members = wanted

    def apply(self, theme):
        self.apply_size(theme)
        if self.turns:  # beside one another on a wide screen, below on an upright one
            self.orientation = "vertical" if theme.portrait else "horizontal"
        # Layouts round to whole dots, and three millimetres have to stay three.
        self.spacing = theme.mm(self.gap_mm) + (2 if self.gap_mm >= 3 else 0)
        pad = self.pad_mm if isinstance(self.pad_mm, (list, tuple)) else (self.pad_mm,) * 4
        self.padding = [theme.mm(side) for side in pad]
        self.settle()


def column(*parts, **kwargs):
    """Parts one below the other."""
    return Stack(*parts, **kwargs)


def row(*parts, **kwargs):
    """Parts side by side."""
    return Stack(*parts, across=True, **kwargs)


def hide(widget, hidden=True):
    """Take a part out of its stack, or put it back; its place closes up."""
    if getattr(widget, "hidden", False) != hidden:
        widget.hidden = hidden
        if isinstance(getattr(widget, "home", None), Stack):
            widget.home.settle()
    return widget


class Air(Sized, Widget):
    """Nothing, on purpose."""

    def __init__(self, high=None, wide=None, share=1.0, **kwargs):
        super().__init__(**kwargs)
        self.high, self.wide = high, wide
        self.size_hint = (share, share)

    def apply(self, theme):
        self.apply_size(theme)


class Letters(Sized, Widget):
    """Mixin of all that is written: one picture, exactly as large as its letters, tinted when it is drawn.

    The library's own label paints a picture as wide as its box; over twenty pages that is forty megabytes of nothing.
    """

    def write(self, align, valign):
        self._align, self._valign, self._theme_colour = align, valign, "ink"
        self._shaper = Shaper(halign=align, font_name=fonts.HAN)
        with self.canvas:
            self._ink = Color(1, 1, 1, 0)
            self._letters = Rectangle()
        self.bind(pos=self._place_letters, size=self._place_letters, disabled=lambda *_: self._dip())

    def tint(self, colour):
        """Change the colour token."""
        self.colour = colour
        self._dip()

    def _dip(self):
        self._ink.rgba = look.rgba("line" if self.disabled else self.colour, 1 if self.picture[0] else 0)

    @property
    def picture(self):
        """(width, height) of the letters in dots; zeros when nothing is written."""
        texture = self._letters.texture
        return tuple(texture.size) if texture is not None and self.written else (0, 0)

    def paint_letters(self, text, size, font):
        """Draw the text anew."""
        self.written, self.painted_size = text, size
        shaper = self._shaper
        if text.strip():
            shaper.options["font_size"], shaper.options["font_name"] = size, font
            shaper.resolve_font_name()
            shaper.text = text
            shaper.refresh()
            self._letters.texture = shaper.texture
        else:
            self._letters.texture = None
        self._dip()
        self._place_letters()

    def _place_letters(self, *_):
        width, height = self.picture
        room_x, room_y = self.width - width, self.height - height
        dx = {"left": 0, "center": room_x / 2, "right": room_x}[self._align]
        dy = {"top": room_y, "middle": room_y / 2, "bottom": 0}[self._valign]
        self._letters.pos = (round(self.x + dx), round(self.y + dy))
        self._letters.size = (width, height)


LINE = 1.448  # a line of Noto Sans CJK, in font sizes
_FITTED = {}  # how texts were broken into lines before; nothing of a person comes here (see `private`)


class Text(Letters):
    """A piece of text. `words` is a message id to be translated; `say` sets text that is already in words.

    `role` names the size, `strong` the weight, `colour` a token of config.look. It grows downwards as its lines need,
    unless `high` is given or `grow` is off; `single` keeps it on one line, smaller if it must be. With `hug` it is
    only as wide as its words (`room` at most). `private`: its words name a person and are remembered nowhere.
    """

    def __init__(
        self,
        words="",
        role="body",
        strong=False,
        colour="ink",
        align="left",
        second=False,
        high=None,
        wide=None,
        grow=True,
        balance=False,
        valign="middle",
        scale=1.0,
        hug=False,
        single=False,
        private=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.words, self.role, self.strong, self.colour, self.second = words, role, strong, colour, second
        self.high, self.wide, self.grow, self.balance = high, wide, grow and high is None, balance
        self.scale, self.hug, self.single, self.room, self.private = scale, hug, single, 0.0, private
        self.raw, self.written, self.theme, self._set = "", "", None, None
        self.font_size, self.font_name = 0.0, fonts.HAN
        self.write(align, valign)
        self.bind(width=lambda *_: self._layout())

    def apply(self, theme):
        self.theme = theme
        self.font_name = fonts.STRONG if self.strong else fonts.HAN
        self.font_size = theme.type(self.role, self.second) * self.scale
        self.apply_size(theme)
        if self.words:
            self.raw = (theme.second if self.second else theme.words)(self.words)
        self._set = None
        self._layout()

    def say(self, text):
        """Show text that needs no translation."""
        self.words = ""
        if text != self.raw:
            self.raw = text
            self._layout()

    def ask(self, words):
        """Show the translation of a message id."""
        self.words = words
        if self.theme is not None:
            self.raw = (self.theme.second if self.second else self.theme.words)(words)
            self._layout()

    def _fit(self, room):
        """(font size, lines): the size of the role, or a smaller one of the scale for a word too long for it."""
        wanted = (self.raw, int(room), self.font_size, self.font_name, self.balance, self.single)
        found = _FITTED.get(wanted)
        if found is None:
            found = self._try_sizes(room)
            if not self.private:
                if len(_FITTED) > 2000:
                    _FITTED.clear()
                _FITTED[wanted] = found
        return found

    def _try_sizes(self, room):
        options = self._shaper.options
        options["font_name"], size = self.font_name, self.font_size
        while True:
            options["font_size"] = size
            self._shaper.resolve_font_name()
            lines = wrap(self.raw, max(room, size), self.measure, self.balance) if self.raw else []
            smaller = self.theme.smaller(size)
            fits = all(self.measure(line) <= room for line in lines) and not (self.single and len(lines) > 1)
            if smaller is None or fits or room < 2 * size:
                return size, lines
            size = smaller

    def become(self, role):
        """Another role, and so another size."""
        if role != self.role and self.theme is not None:
            self.role = role
            self.font_size = self.theme.type(role, self.second) * self.scale
            self._layout()

    def height_in(self, room):
        """How high the words would be in a given width."""
        size, lines = self._fit(room)
        self._shaper.options["font_size"], self._shaper.options["font_name"] = size, self.font_name
        self._shaper.resolve_font_name()
        return len(lines) * self._shaper.get_extents("国")[1]

    def measure(self, text):
        """Width of a line in dots."""
        return self._shaper.get_extents(text)[0]

    def _layout(self):
        if self.theme is None:
            return
        room = (self.room or self.theme.width * 0.8) if self.hug else self.width
        wanted = (self.raw, int(room), self.font_size, self.font_name)
        if wanted == self._set:
            return
        self._set = wanted
        size, lines = self._fit(room)
        self.paint_letters("\n".join(lines), size, self.font_name)
        if self.grow:
            # What must stay on one line keeps its height when it has to become smaller: its neighbours stay in line.
            least = self.font_size * LINE if self.single and self.raw else 0
            self.size_hint_y, self.height = None, max(self.picture[1], least)
        if self.hug:
            self.size_hint_x, self.width = None, self.picture[0]


class Icon(Letters):
    """One icon, by its Font Awesome name. `disc` lays a quiet round ground under it."""

    def __init__(self, name="circle-question", size=12.0, colour="ink", high=None, wide=None, disc=False, **kwargs):
        super().__init__(**kwargs)
        self.icon_mm, self.colour, self.high, self.wide = size, colour, high or size, wide
        self.name, self.written, self.font_size, self._disc = name, "", 0.0, None
        if disc:
            with self.canvas.before:
                Color(*look.rgba("mist"))
                self._disc = Ellipse()
            self.bind(pos=self._lie, size=self._lie)
        self.write("center", "middle")

    def pick(self, name):
        """Show another icon."""
        if name != self.name:
            self.name = name
            if self.font_size:
                self.paint_letters(fonts.icon(name), self.font_size, fonts.ICONS)

    def apply(self, theme):
        self.font_size = theme.mm(self.icon_mm)
        self.apply_size(theme)
        self.paint_letters(fonts.icon(self.name), self.font_size, fonts.ICONS)
        self._lie()

    def _lie(self, *_):
        if self._disc is not None:
            side = self.font_size * 1.75
            self._disc.size = (side, side)
            self._disc.pos = (self.x + (self.width - side) / 2, self.y + (self.height - side) / 2)


class Surface:
    """Mixin: a rounded ground with a border and, if wanted, the one soft shadow of the house."""

    sunk = False  # pressed just now: darker, and the shadow gone

    def paint(self, fill="white", border="line", corner=look.CORNER_MM, shadow=False, thick=0.5):
        self.fill_token, self.border_token = fill, border
        self._measures = (corner, thick, 0.8 if shadow else 0.0)
        self._dots = None
        with self.canvas.before:
            Color(1, 1, 1, 1)
            self._skin = BorderImage(size=(0, 0))
        self.bind(pos=self._place, size=self._place)

    def recolour(self, fill=None, border=None):
        """Another ground or border."""
        if (fill or self.fill_token, border or self.border_token) != (self.fill_token, self.border_token):
            self.fill_token, self.border_token = fill or self.fill_token, border or self.border_token
            self._dress()

    def sink(self, sunk):
        """Look pressed, or as always."""
        self.sunk = sunk
        self._dress()

    def apply_surface(self, theme):
        corner, thick, drop = self._measures
        self._dots = (int(theme.mm(corner)), int(max(1, theme.mm(thick))), int(theme.mm(drop)))
        self._dress()

    def _dress(self):
        if self._dots is not None:
            self._skin.texture, self._skin.border = skin(self.fill_token, self.border_token, *self._dots, self.sunk)
            self._place()

    def _place(self, *_):
        if self._dots is not None:
            drop = self._dots[2]
            self._skin.pos, self._skin.size = (self.x, self.y - drop), (self.width, self.height + drop)


class Card(Surface, Stack):
    """A surface that holds parts."""

    def __init__(self, *parts, fill="white", border="line", shadow=False, **kwargs):
        super().__init__(*parts, **kwargs)
        self.paint(fill, border, shadow=shadow)

    def apply(self, theme):
        super().apply(theme)
        self.apply_surface(theme)


__all__ = ["Air", "Card", "Icon", "Sized", "Stack", "Surface", "Text", "column", "hide", "row", "style"]

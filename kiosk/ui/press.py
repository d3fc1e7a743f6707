"""Everything one can press: it answers at once by sinking and a soft sound, and acts when the finger is lifted on it.

A second touch in the same place within half a second is the same touch twice (EN 301 549, 5.9: double-strike), and is
swallowed whatever page it lands on; keys for typing are quicker outside elder mode, or nobody could type 11.
"""

from typing import ClassVar

from kivy.clock import Clock
from kivy.properties import BooleanProperty

from kiosk.ui.base import Air, Icon, Stack, Surface, Text, hide

DOUBLE_S, TYPING_S, NEAR_MM = 0.5, 0.2, 15.0


class Guard:
    """Remembers the last press of this terminal: when, and where on the screen."""

    def __init__(self):
        self.at, self.place = -1e9, (0.0, 0.0)

    def same_again(self, now, place, seconds, near):
        """True when a touch is the last one once more."""
        dx, dy = place[0] - self.place[0], place[1] - self.place[1]
        return now - self.at < seconds and dx * dx + dy * dy < near * near

    def note(self, now, place):
        self.at, self.place = now, place


GUARD = Guard()


class Press(Surface, Stack):
    """Base of all buttons. `name` says what it is (for tests and helpers), `act` is called once per press."""

    pressed = BooleanProperty(False)
    disabled_look = BooleanProperty(False)

    def __init__(self, *parts, name, act, fill="white", border="line", typing=False, shadow=True, **kwargs):
        super().__init__(*parts, **kwargs)
        self.name, self.act, self.typing, self.theme = name, act, typing, None
        self.paint(fill, border, shadow=shadow)
        self.rest_fill, self.rest_border = fill, border
        self._finger = None

    def apply(self, theme):
        self.theme = theme
        super().apply(theme)
        self.apply_surface(theme)

    @property
    def label(self):
        """What stands on it, in words."""
        return " ".join(_texts(self))

    def enable(self, enabled=True):
        """A disabled button stays where it is, greyed, and says nothing when touched."""
        self.disabled = not enabled  # and everything on it, which pales by itself
        self.recolour(self.rest_fill if enabled else "mist", self.rest_border if enabled else "mist")

    def on_touch_down(self, touch):
        if self.disabled or not self.collide_point(*touch.pos) or self.theme is None:
            return False
        seconds = TYPING_S if self.typing and not self.theme.elder else DOUBLE_S
        if GUARD.same_again(Clock.get_time(), touch.pos, seconds, self.theme.mm(NEAR_MM)):
            return True
        touch.grab(self)
        self._finger = touch
        self.show_pressed(True)
        self.theme.sound("press")
        return True

    def on_touch_move(self, touch):
        if touch is self._finger:
            self.show_pressed(self.collide_point(*touch.pos))
            return True
        return False

    def on_touch_up(self, touch):
        if touch is not self._finger:
            return False
        touch.ungrab(self)
        self._finger = None
        self.show_pressed(False)
        if self.collide_point(*touch.pos) and not self.disabled and self.get_root_window() is not None:
            GUARD.note(Clock.get_time(), touch.pos)
            self.act()
        return True

    def show_pressed(self, pressed):
        """Sink or rise: darker ground, and the shadow goes."""
        if pressed == self.pressed:
            return
        self.pressed = pressed
        self.sink(pressed)


def _texts(widget):
    for part in getattr(widget, "parts", ()):
        if getattr(part, "hidden", False):
            continue
        if isinstance(part, Text):
            if part.raw:
                yield part.raw
        elif not isinstance(part, Icon):
            yield from _texts(part)


class Push(Press):
    """A button with words and perhaps an icon. kind: act (blue, the one to press), plain, stop."""

    KINDS: ClassVar = {
        "act": ("river", "river", "white"),
        "plain": ("white", "line", "ink"),
        "stop": ("seal", "seal", "white"),
    }

    def __init__(
        self,
        words="",
        icon=None,
        name="",
        act=None,
        kind="plain",
        role="large",
        high=(20, 25),
        upright=False,
        typing=False,
        **kwargs,
    ):
        fill, border, ink = self.KINDS[kind]
        self.text_part = Text(words, role=role, strong=True, colour=ink, align="center", balance=True, hug=True)
        parts = [self.text_part]
        self.icon_part = None
        if icon:
            self.icon_part = Icon(icon, size=(9, 10), colour=ink)
            if not upright:
                self.icon_part.wide = (14, 16)
            parts.insert(0, self.icon_part)
        if not upright:
            parts = [Air(), *parts, Air()]
        super().__init__(
            *[_middle(p) for p in parts],
            name=name,
            act=act or (lambda: None),
            fill=fill,
            border=border,
            typing=typing,
            across=not upright,
            gap=0.5,
            pad=(1, 2, 1, 2),
            high=high,
            **kwargs,
        )
        self.bind(width=self._room)

    def apply(self, theme):
        super().apply(theme)
        self._room()

    def _room(self, *_):
        """How wide the words may be: the button without its edges and its icon."""
        if self.theme is None:
            return
        beside = self.icon_part is not None and self.across
        self.text_part.room = max(self.width - self.theme.mm(3) - (self.theme.mm((16, 18)) if beside else 0), 1)
        self.text_part._layout()

    def ask(self, words):
        """Other words."""
        self.text_part.ask(words)

    def say(self, text):
        """Words that need no translation."""
        self.text_part.say(text)


def _middle(part):
    part.pos_hint = {"center_y": 0.5, "center_x": 0.5}
    return part


class Tile(Press):
    """A large choice: an icon, its name, the second language below, and perhaps a remark.

    Where the words need more room than the tile has, the second language goes first, then the name becomes smaller.
    """

    def __init__(self, name="", act=None, across=False, icon_size=(13, 16), **kwargs):
        self.icon_part = Icon("circle-question", size=icon_size, colour="river", high=(23, 28), disc=True)
        align = "left" if across else "center"
        self.title = Text(role="large", strong=True, align=align, balance=True)
        self.below = Text(role="large", second=True, colour="soft", align=align, balance=True)
        self.remark = Text(role="body", colour="soft", align=align)
        words = Stack(self.title, self.below, self.remark, gap=0.5, fit=True)
        words.pos_hint = {"center_y": 0.5}
        if across:
            self.icon_part.wide = (24, 30)
        self.icon_part.pos_hint = {"center_y": 0.5}
        box = Stack(self.icon_part, words, across=across, gap=2, fit=True)
        box.pos_hint = {"center_y": 0.5}
        super().__init__(box, name=name, act=act or (lambda: None), across=True, pad=(4, 2, 4, 2), **kwargs)
        self.beside, self.filled, self._tight = across, None, None
        self.bind(size=lambda *_: self.tighten())

    def fill_in(self, title, below="", icon=None, remark="", name=None, act=None):
        """Become another choice."""
        if name is not None:
            self.name = name
        if act is not None:
            self.act = act
        shown = (title, below, icon, remark)
        if shown == self.filled:
            return
        self.filled = shown
        self.title.say(title)
        self.below.say(below)
        self.remark.say(remark)
        hide(self.remark, not remark)
        if icon:
            self.icon_part.pick(icon)
        hide(self.icon_part, not icon)
        self.tighten()

    def tighten(self):
        """Choose how much of the words is shown, and how large."""
        room = (self.filled, self.width, self.height, self.theme and (self.theme.elder, self.theme.language))
        if self.theme is None or self.width < 2 or not self.title.raw or room == self._tight:
            return
        self._tight = room
        mm, icon = self.theme.mm, not self.icon_part.hidden
        width = self.width - 2 * mm(4) - (mm((24, 30)) + mm(2) if icon and self.beside else 0)
        height = self.height - 2 * mm(2) - (mm((23, 28)) + mm(2) if icon and not self.beside else 0)
        remark = self.remark.height_in(width) if self.remark.raw else 0
        for role, second in (("large", "large"), ("large", "body"), ("large", ""), ("body", "")):
            self.title.become(role)
            self.below.become(second or "body")
            shown = bool(second and self.below.raw)
            needs = self.title.height_in(width) + remark + (self.below.height_in(width) if shown else 0) + 2 * mm(0.5)
            if needs <= height:
                break
        hide(self.below, not shown)

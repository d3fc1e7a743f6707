"""Are you still there? One large button keeps everything as it is."""

from kivy.graphics import Color, Rectangle
from kivy.uix.anchorlayout import AnchorLayout

from config import look
from kiosk.journey import Event
from kiosk.ui.base import Card, Icon, Text
from kiosk.ui.press import Push


class Warning(AnchorLayout):
    """Covers the page; touches beside the button do nothing but tell that somebody is there."""

    def __init__(self, press, **kwargs):
        super().__init__(**kwargs)
        with self.canvas.before:
            Color(*look.rgba("night", 0.72))
            self._veil = Rectangle()
        self.bind(pos=self._lie, size=self._lie)
        self.title = Text("Are you still there?", role="title", strong=True, align="center")
        self.words_part = Text(
            "To protect what you have entered, this page closes soon.",
            role="large",
            colour="soft",
            align="center",
            balance=True,
        )
        self.seconds = Text(role="title", strong=True, colour="amber", align="center")
        self.stay = Push(
            "Go on", "hand-pointer", "warning.stay", lambda: press(Event.STAY), "act", "title", high=(46, 50)
        )
        self.card = Card(
            Icon("clock", size=26, colour="amber"),
            self.title,
            self.words_part,
            self.seconds,
            self.stay,
            gap=6,
            pad=(14, 12, 14, 12),
            fit=True,
            shadow=True,
        )
        self.card.size_hint_x = None
        self.parts = [self.card]
        self.add_widget(self.card)

    def apply(self, theme):
        self.theme = theme
        self.card.width = min(theme.width * 0.86, theme.mm(300))

    def _lie(self, *_):
        self._veil.pos, self._veil.size = self.pos, self.size

    def count(self, seconds):
        """How many seconds are left, in words."""
        self.seconds.say(self.theme.words("{n} seconds left").format(n=int(seconds + 0.999)))

    def on_touch_down(self, touch):
        super().on_touch_down(touch)
        return True

    def on_touch_up(self, touch):
        super().on_touch_up(touch)
        return True

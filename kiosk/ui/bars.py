"""The two bars that are the same on every page: above, whose hall this is and the time; below, the five ways out."""

import time

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle

from config import look
from kiosk.journey import Event
from kiosk.ui.base import Icon, Stack, Text, column, hide
from kiosk.ui.press import Push

CORNER_S, CORNER_MM = 5.0, 25.0


class Ground:
    """Mixin: a plain ground of one colour."""

    def lay(self, token):
        self.ground_token = token
        with self.canvas.before:
            Color(*look.rgba(token))
            self._lay = Rectangle()
        self.bind(pos=self._lie, size=self._lie)

    def _lie(self, *_):
        self._lay.pos, self._lay.size = self.pos, self.size


class TopBar(Ground, Stack):
    """Emblem, hall name, clock. Five seconds on its left corner open the technician's door."""

    def __init__(self, press, **kwargs):
        self.name_part = Text(role="body", strong=True, colour="white")
        self.below = Text(role="body", second=True, colour="white")
        self.clock = Text(role="body", strong=True, colour="white", align="right")
        self.day = Text(role="small", colour="white", align="right")
        self.names = column(self.name_part, self.below, gap=0, fit=True)
        self.times = column(self.clock, self.day, gap=0, fit=True, wide=(76, 50))
        for part in (self.names, self.times):
            part.pos_hint = {"center_y": 0.5}
        emblem = Icon("landmark", size=11, colour="white", wide=15)
        emblem.pos_hint = {"center_y": 0.5}
        super().__init__(emblem, self.names, self.times, across=True, gap=3, pad=(8, 2, 8, 2), high=(28, 28), **kwargs)
        self.press, self.theme, self._held = press, None, None
        self.lay("river")

    def apply(self, theme):
        self.theme = theme
        hide(self.day, theme.elder)
        hide(self.below, theme.elder)
        super().apply(theme)

    def show(self, hall, now):
        """Hall name in both languages, and the hall's time."""
        names = (hall.get("name", ""), hall.get("english", ""))
        first, second = names if self.theme.language == "zh_CN" else (names[1] or names[0], names[0])
        self.name_part.say(first)
        self.below.say(second)
        self.tell_time(now)

    def tell_time(self, now):
        self.clock.say(time.strftime("%H:%M", now))
        week = self.theme.words(WEEK[now.tm_wday])
        date = f"{now.tm_mon}月{now.tm_mday}日" if self.theme.language == "zh_CN" else f"{now.tm_mday}.{now.tm_mon}."
        self.day.say(f"{date} {week}")

    def on_touch_down(self, touch):
        corner = self.theme.mm(CORNER_MM)
        if touch.x - self.x < corner and self.top - touch.y < corner:
            self._held = Clock.schedule_once(lambda _dt: self.press(Event.CORNER), CORNER_S)
        return super().on_touch_down(touch)

    def on_touch_up(self, touch):
        if self._held is not None:
            self._held.cancel()
            self._held = None
        return super().on_touch_up(touch)


WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class BottomBar(Ground, Stack):
    """Back, elder mode, language, call a helper, 12345."""

    def __init__(self, press, **kwargs):
        def button(words, icon, event):
            return Push(words, icon, f"bar.{event}", lambda: press(event), role="small", upright=True, high=(24, 32))

        self.back = button("Back", "arrow-left", Event.BACK)
        self.elder = button("Elder mode", "person-cane", Event.ELDER)
        self.language = button("中文", "language", Event.LANGUAGE)
        self.help = button("Help", "hand", Event.HELP)
        self.phone = Text(role="large", strong=True, colour="ink", align="center")
        self.phone_words = Text("Hotline", role="small", colour="soft", align="center")
        phone = column(self.phone, self.phone_words, gap=0, fit=True)
        phone.pos_hint = {"center_y": 0.5}
        super().__init__(
            self.back,
            self.elder,
            self.language,
            self.help,
            phone,
            across=True,
            gap=3,
            pad=(8, 4, 8, 4),
            high=(32, 40),
            **kwargs,
        )
        self.lay("mist")

    def apply(self, theme):
        hide(self.phone_words, theme.elder)
        super().apply(theme)

    def show(self, view):
        """Which way back there is, and which mode the next press gives."""
        self.back.enable(view.can_go_back)
        self.elder.ask("Normal" if view.session.elder else "Elder mode")
        self.language.say("English" if view.session.language == "zh_CN" else "中文")
        self.phone.say("12345")  # the national hotline, whatever else the hall has

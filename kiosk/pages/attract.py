"""The page of an empty hall: whose hall it is, what time it is, and that one may touch the screen."""

import math
import time

from kivy.graphics import Color, Mesh, Rectangle

from config import look
from kiosk.journey import Event
from kiosk.ui.base import Air, Card, Icon, Stack, Text, column, hide
from kiosk.ui.page import Base

WAVES = ((0.30, 0.020, 1.6, 0.4, 0.06), (0.22, 0.026, 1.2, 2.0, 0.07), (0.13, 0.022, 1.9, 4.1, 0.08))


class River(Stack):
    """The blue ground with three quiet waves, drawn once for the size of the screen."""

    def ground(self):
        self.ground_token = "river"
        with self.canvas.before:
            Color(*look.rgba("river"))
            self._flat = Rectangle()
            self._waves = []
            for wave in WAVES:
                Color(1, 1, 1, wave[4])
                self._waves.append(Mesh(mode="triangle_strip"))
        self.bind(pos=self._flow, size=self._flow)

    def _flow(self, *_):
        self._flat.pos, self._flat.size = self.pos, self.size
        for mesh, (height, swell, turns, start, _) in zip(self._waves, WAVES, strict=True):
            points = []
            for step in range(81):
                x = self.x + self.width * step / 80
                crest = height + swell * math.sin(start + turns * 2 * math.pi * step / 80)
                points += [x, self.y, 0, 0, x, self.y + self.height * crest, 0, 0]
            mesh.vertices, mesh.indices = points, list(range(162))


class Page(Base):
    """Attract."""

    bars = (False, True)

    def build(self):
        self.emblem = Icon("landmark", size=(26, 26), colour="white")
        self.hall = Text(role="title", strong=True, colour="white", align="center", balance=True)
        self.hall_below = Text(role="title", second=True, colour="white", align="center", balance=True)
        self.clock = Text(role="hero", strong=True, colour="white", align="center")
        self.day = Text(role="large", colour="white", align="center")
        self.touch_icon = Icon("hand-pointer", size=18, colour="river", wide=24)
        self.touch_words = Text(
            "Please touch the screen", role="title", strong=True, colour="river", align="center", hug=True
        )
        self.touch_below = Text(
            "Please touch the screen", role="title", second=True, colour="soft", align="center", hug=True
        )
        self.touch_words.pos_hint = self.touch_below.pos_hint = {"center_x": 0.5}
        words = column(self.touch_words, self.touch_below, gap=1, fit=True)
        words.size_hint_x = None
        self.touch_words.bind(width=lambda _w, _v: setattr(words, "width", self._widest()))
        self.touch_below.bind(width=lambda _w, _v: setattr(words, "width", self._widest()))
        self.touch_icon.pos_hint = words.pos_hint = {"center_y": 0.5}
        self.invite = Card(
            Air(), self.touch_icon, words, Air(), across=True, gap=4, pad=(10, 8, 10, 8), fit=True, shadow=True
        )
        self.hours = Text(role="body", colour="white", align="center")
        self.away = Text(
            "The hall's system cannot be reached just now. Please go to the guide desk.",
            role="body",
            strong=True,
            colour="white",
            align="center",
            balance=True,
        )
        self.left = Card(
            Icon("id-card", size=14, colour="seal", wide=20),
            Text("Please take your ID card with you", role="large", strong=True, colour="seal"),
            across=True,
            gap=4,
            pad=(8, 6, 8, 6),
            border="seal",
            fit=True,
        )
        top = column(self.emblem, self.hall, self.hall_below, gap=4, fit=True)
        clock = column(self.clock, self.day, gap=1, fit=True)
        bottom = column(self.invite, self.hours, self.away, self.left, gap=6, fit=True)
        if self.theme.portrait:
            parts = [Air(share=0.7), top, Air(), clock, Air(), bottom, Air(share=0.5)]
        else:
            parts = [column(Air(), top, Air(high=6), clock, Air()), column(Air(), bottom, Air())]
        self.river = River(
            *parts, across=not self.theme.portrait, gap=2 if self.theme.portrait else 10, pad=(14, 8, 14, 8)
        )
        self.river.ground()
        return [self.river]

    def _widest(self):
        return max(self.touch_words.width, self.touch_below.width)

    def apply(self, theme):
        room = theme.width * (0.6 if theme.portrait else 0.28)
        self.touch_words.room = self.touch_below.room = room
        super().apply(theme)
        self.padding = 0

    def draw(self, view):
        first, second = self.names({"name": view.hall.get("name", ""), "english": view.hall.get("english", "")})
        self.hall.say(first)
        self.hall_below.say(second)
        hours = str(view.hall.get("opening_hours", ""))
        self.hours.say(f"{self.word('Opening hours')}  {hours}" if hours else "")
        hide(self.hours, not hours)
        hide(self.away, not view.away)
        hide(self.left, not view.card_left)
        hide(self.hall_below, not second)

    def tell_time(self, now):
        """The hall's time as a time.struct_time."""
        self.clock.say(time.strftime("%H:%M", now))
        from kiosk.ui.bars import WEEK

        week = self.word(WEEK[now.tm_wday])
        chinese = self.theme.language == "zh_CN"
        self.day.say(
            f"{now.tm_year}年{now.tm_mon}月{now.tm_mday}日  {week}"
            if chinese
            else f"{week}, {now.tm_mday}.{now.tm_mon}.{now.tm_year}"
        )

    def shift(self, dots):
        """Move everything a little, so that nothing burns into the panel."""
        self.river.padding = [
            self.theme.mm(14) + dots[0],
            self.theme.mm(8) + dots[1],
            self.theme.mm(14) - dots[0],
            self.theme.mm(8) - dots[1],
        ]

    def on_touch_down(self, touch):
        if self.collide_point(*touch.pos):
            touch.ud["began"] = self
            return True
        return super().on_touch_down(touch)

    def on_touch_up(self, touch):
        if touch.ud.get("began") is self:
            self.press(Event.TOUCH)
            return True
        return super().on_touch_up(touch)

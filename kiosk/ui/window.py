"""The window and what stands in it: the two bars, the page between them, the warning above all.

It draws what the terminal's mind shows it, passes touches on, and lets nothing out: whatever goes wrong in a handler
ends on the failsafe page.
"""

import gc
import json
import logging
import sys
import time

from kivy.animation import Animation
from kivy.app import App
from kivy.base import ExceptionHandler, ExceptionManager
from kivy.clock import Clock
from kivy.core.window import Window as Screen
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout

from config import look
from config.words import translator
from kiosk import pages
from kiosk.journey import Event
from kiosk.journey import Page as Name
from kiosk.terminal import Terminal
from kiosk.ui import announce, fonts
from kiosk.ui.bars import BottomBar, TopBar
from kiosk.ui.base import Air, style
from kiosk.ui.sounds import Sounds
from kiosk.ui.theme import Theme
from kiosk.ui.warning import Warning

log = logging.getLogger(__name__)
SHIFT_EVERY_S, SHIFTS = 60.0, ((0, 0), (3, 2), (-2, 3), (-3, -2), (2, -3))


class NoWindow(Exception):
    """There is no screen to open a window on."""


class ToFailsafe(ExceptionHandler):
    """Kivy asks us what to do with an exception that nobody caught."""

    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def handle_exception(self, inst):
        if isinstance(inst, (KeyboardInterrupt, SystemExit)):
            return ExceptionManager.RAISE
        self.terminal.broke(inst)
        return ExceptionManager.PASS


class Root(FloatLayout):
    """All that is on the screen. Every touch passes here first: it wakes a dark screen, and somebody is there."""

    def __init__(self, window, **kwargs):
        super().__init__(**kwargs)
        self.window = window

    def on_touch_down(self, touch):
        if self.window.wake() or touch.is_mouse_scrolling:
            touch.ud["swallowed"] = True
            return True
        self.window.terminal.touch()
        return super().on_touch_down(touch)

    def on_touch_move(self, touch):
        if "swallowed" in touch.ud:
            return True
        self.window.terminal.touch()  # whoever drags something slowly is there
        return super().on_touch_move(touch)

    def on_touch_up(self, touch):
        return True if "swallowed" in touch.ud else super().on_touch_up(touch)


class Window(App):
    """The application. It is the stage of `kiosk.terminal`: show, warn, sound, leave."""

    def __init__(self, settings, outside):
        if Screen is None:
            raise NoWindow("no window can be opened here: is DISPLAY set, and is libgl1-mesa-dri installed?")
        super().__init__()
        self.settings = settings
        self.terminal = Terminal(settings.habits, outside, self)
        screen = settings.screen
        self.theme = Theme(
            screen.dots_per_mm,
            screen.width,
            screen.height,
            elder=settings.elder,
            low_reach=settings.low_reach,
            still=settings.still,
        )
        self.sounds = Sounds(settings.state / "sounds", settings.sound)
        self.theme.sound = self.sounds.play
        self.theme.changed = self._changed
        self.pages, self.page, self._styled = {}, None, {}
        self._announced, self._to_announce, self._quiet_since = None, False, time.monotonic()
        self._dark, self._beat, self._late = False, 0.0, []
        self._of = ""  # whose session the pages last showed
        self.load_config = lambda: None  # no bianmin.ini beside the program

    # ---- Kivy --------------------------------------------------------------------------------------------------

    def build(self):
        Screen.clearcolor = look.rgba("paper")
        fonts.register(self.settings.state)
        self.terminal.stage = self
        ExceptionManager.add_handler(ToFailsafe(self.terminal))
        press = self.terminal.press
        self.top, self.bottom = TopBar(press), BottomBar(press)
        self.body = BoxLayout()
        self.reach = Air(share=1)
        self.reach.size_hint_y = None
        self.reach.height = 0
        self.shell = BoxLayout(orientation="vertical")
        self.warning = Warning(press)
        self.root = Root(self)
        self.root.add_widget(self.shell)
        self._speak()
        style(self.top, self.theme)
        style(self.bottom, self.theme)
        style(self.warning, self.theme)
        self.show(self.terminal.view, True)
        return self.root

    def on_start(self):
        Clock.schedule_interval(self._turn, 0)
        Clock.schedule_interval(self._tell_time, 1.0)
        self._tell_time()
        Screen.bind(on_flip=self._drawn)
        self._late = [name for name in Name if name not in self.pages]
        Clock.schedule_once(lambda _dt: self._prepare_rest(), 0.5)

    def on_stop(self):
        self.terminal.close()

    def _turn(self, _dt):
        self.terminal.turn()
        if hasattr(self.page, "tick"):
            self.terminal.guard(self.page.tick)
        self._maybe_dim()

    def _prepare_rest(self):
        """Make the other pages one at a time while nobody waits, so that the first touch finds them ready."""
        if not self._late:
            self.sounds.load()
            gc.collect()
            gc.freeze()  # what lives as long as the terminal need not be looked through again and again
            return
        name = str(self._late.pop(0))
        if name not in self._styled:
            style(self._page(name), self.theme)
            self._styled[name] = (self.theme.elder, self.theme.language)
        Clock.schedule_once(lambda _dt: self._prepare_rest(), 0.02)

    # ---- stage -------------------------------------------------------------------------------------------------

    def show(self, view, moved):
        """Draw the view."""
        if (view.session.elder, view.session.language) != (self.theme.elder, self.theme.language):
            self.theme.elder, self.theme.language = view.session.elder, view.session.language
            self._speak()
            for part in (self.top, self.bottom, self.warning):
                style(part, self.theme)
        if view.session.id != self._of:
            self._of = view.session.id
            for known in self.pages.values():
                if hasattr(known, "forget"):
                    known.forget()
        page = self._page(view.page)
        mode = (self.theme.elder, self.theme.language)
        if self._styled.get(view.page) != mode:
            self._styled[view.page] = mode
            page.draw(view)  # what is hidden decides what is laid out
            style(page, self.theme)
        page.draw(view)
        self.bottom.show(view)
        if page is not self.page:
            self._put(page)
        if page.bars[0]:
            self.top.show(view.hall, self._now())
        self._to_announce = True
        self._quiet_since = time.monotonic()

    def warn(self, seconds):
        """The warning above everything, or none."""
        if seconds is None:
            if self.warning.parent is not None:
                self.root.remove_widget(self.warning)
                self._to_announce = True
            return
        self.warning.count(seconds)
        if self.warning.parent is None:
            self.wake()
            self.root.add_widget(self.warning)
            self._to_announce = True

    def sound(self, name):
        """One of the tunes."""
        self.sounds.play(name)

    def leave(self):
        """Close."""
        self.stop()

    # ---- inside ------------------------------------------------------------------------------------------------

    def _speak(self):
        """Words of the language in force, and of the other one."""
        language = self.theme.language
        others = [other for other in self.settings.languages if other != language]
        self.theme.words = translator("kiosk", language)
        self.theme.second = translator("kiosk", others[0]) if others else lambda _words: ""

    def _changed(self):
        self._to_announce = True

    def _page(self, name):
        page = self.pages.get(name)
        if page is None:
            page = self.pages[str(name)] = pages.load(str(name), self.terminal.press, self.theme)
        return page

    def _put(self, page):
        """Another page between the bars; the old one is kept for later."""
        page.arrive()
        self.body.clear_widgets()
        self.body.add_widget(page)
        wanted = [
            self.top if page.bars[0] else None,
            self.reach if self.theme.low_reach and page.bars[0] else None,
            self.body,
            self.bottom if page.bars[1] else None,
        ]
        wanted = [part for part in wanted if part is not None]
        if wanted != list(reversed(self.shell.children)):
            self.shell.clear_widgets()
            for part in wanted:
                self.shell.add_widget(part)
        # The lower half of the screen is what a person in a wheelchair reaches.
        self.reach.height = self.theme.height * page.lowered[not self.theme.portrait] if self.theme.low_reach else 0
        if self.page is not None and self.theme.motion:
            page.opacity = 0.5  # never out of nothing: a slow machine would show an empty screen meanwhile
            Animation(opacity=1.0, d=self.theme.motion * 0.6, t="out_quad").start(page)
        self.page = page

    def _now(self):
        return self.terminal.hall_time().timetuple()

    def _tell_time(self, _dt=0):
        now = self._now()
        self.root.canvas.ask_update()  # a frame each second even where nothing moves: the watchdog counts drawn frames
        self.top.tell_time(now)
        page = self.pages["attract"]
        page.tell_time(now)
        if self.page is page:
            page.shift(SHIFTS[int(time.monotonic() // SHIFT_EVERY_S) % len(SHIFTS)])

    def _maybe_dim(self):
        idle = self.page is self.pages["attract"] and time.monotonic() - self._quiet_since > self.settings.dim_after
        if idle and not self._dark:
            self._dark = True
            Animation(opacity=0.25, d=self.theme.motion).start(self.shell)

    def wake(self):
        """Light a dark screen again; True when it was dark, and then the touch that did it presses nothing."""
        self._quiet_since = time.monotonic()
        if not self._dark:
            return False
        self._dark = False
        Animation.stop_all(self.shell)
        self.shell.opacity = 1.0
        return True

    def _drawn(self, *_):
        """A frame has reached the screen."""
        now = time.monotonic()
        if self.settings.heartbeat is not None and now - self._beat > 1.0:
            self._beat = now
            self.settings.heartbeat.touch()
        if self._to_announce and self.settings.announce:
            self._to_announce = False
            said = announce.describe(self)
            line = json.dumps(said, ensure_ascii=False)
            if line != self._announced:
                self._announced = line
                sys.stdout.write(line + "\n")
                sys.stdout.flush()


__all__ = ["Event", "NoWindow", "Window"]

"""The terminal's window: full screen, one page at a time, never dead.

`run_terminal(settings, outside)` opens it and comes back when it is closed. Only this module and what lies in
`kiosk/ui` and `kiosk/pages` know Kivy; it is imported late, because it opens the screen when it is imported.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from config.machine import Machine, Screen
from kiosk.journey import Times
from kiosk.outside import Outside
from kiosk.view import Habits

if TYPE_CHECKING:
    from kiosk.ui.window import Window


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How one terminal looks and behaves. `heartbeat`: touched after drawn frames; `announce`: tell pages on stdout."""

    state: Path
    screen: Screen = field(default_factory=Screen)
    times: Times = field(default_factory=Times)
    languages: tuple[str, ...] = ("zh_CN", "en")
    elder: bool = False
    low_reach: bool = False
    still: bool = False  # reduced motion
    sound: bool = True
    announce: bool = False
    heartbeat: Path | None = None
    dim_after: float = 600.0  # seconds of attract page until the screen goes dark

    @property
    def habits(self) -> Habits:
        """What the terminal's mind has to know of it."""
        first = self.languages[0] if self.languages else "zh_CN"
        return Habits(
            state=self.state, times=self.times, elder=self.elder, language=first, languages=self.languages or ("zh_CN",)
        )


def settings_of(machine: Machine, *, announce: bool = False, sound: bool = True) -> Settings:
    """The terminal that hall.toml describes. Elder mode waits twice as long and warns half as long again."""
    kiosk, state = machine.kiosk, machine.about.state / "kiosk"
    times = Times(
        idle=kiosk.idle, warning=kiosk.warning, elder_idle=2.0 * kiosk.idle, elder_warning=1.5 * kiosk.warning
    )
    return Settings(
        state=state,
        screen=kiosk.screen,
        times=times,
        languages=kiosk.languages,
        elder=kiosk.elder,
        low_reach=kiosk.low_reach,
        still=os.environ.get("BIANMIN_STILL", "") == "1",
        sound=sound,
        announce=announce,
        heartbeat=state / "heartbeat",
    )


def run_terminal(settings: Settings, outside: Outside) -> None:
    """Open the terminal and stay until it is closed (`outside.stop()`, or a technician). Call it on the main thread.

    Raises SystemExit with a sentence when no window can be opened.
    """
    open_window(settings, outside).run()


def open_window(settings: Settings, outside: Outside) -> Window:
    """The window, not yet running."""
    settings.state.mkdir(parents=True, exist_ok=True)
    prepare(settings)
    from kiosk.ui.window import NoWindow, Window

    try:
        window: Window = Window(settings, outside)  # type: ignore[no-untyped-call]  # Kivy knows no types
        return window
    except NoWindow as gap:
        sys.exit(f"bianmin: {gap}")


def prepare(settings: Settings) -> None:
    """Everything Kivy wants to know before it is imported; nothing of it lands in anybody's home."""
    home = settings.state / "kivy"
    home.mkdir(exist_ok=True)
    os.environ.update(
        KIVY_NO_ARGS="1",
        KIVY_NO_ENV_CONFIG="1",
        KIVY_HOME=str(home),
        KIVY_LOG_MODE="PYTHON",
        KIVY_NO_FILELOG="1",
        KIVY_WINDOW="sdl2",
        KIVY_TEXT="sdl2",
        KIVY_IMAGE="sdl2",
        KIVY_AUDIO="sdl2",
        KIVY_CLIPBOARD="dummy",
        SDL_VIDEO_ALLOW_SCREENSAVER="0",
    )
    # Kivy sets the level of its own log when it is imported; a filter it leaves alone.
    logging.getLogger("kivy").addFilter(lambda record: record.levelno >= logging.ERROR)
    from kivy.config import Config

    screen = settings.screen
    for section, key, value in (
        ("graphics", "width", screen.width),
        ("graphics", "height", screen.height),
        ("graphics", "rotation", screen.turned),
        ("graphics", "fullscreen", "auto" if screen.full else 0),
        ("graphics", "borderless", 1),
        ("graphics", "resizable", 0),
        ("graphics", "multisamples", 0),
        ("graphics", "maxfps", 60),
        ("graphics", "show_cursor", 0 if screen.full else 1),
        ("kivy", "exit_on_escape", 0),
        ("kivy", "keyboard_mode", "system"),
        ("kivy", "desktop", 0),
        ("kivy", "log_enable", 0),
        ("input", "mouse", "mouse,disable_multitouch"),
    ):
        Config.set(section, key, str(value))
    for device in list(Config.options("input")):
        if device != "mouse":
            Config.remove_option("input", device)

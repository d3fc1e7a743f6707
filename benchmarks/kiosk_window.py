"""The kiosk's window: how soon it is there, how smoothly pages turn, how much memory ten thousand visits leave behind.

Each figure stands beside an empty window of the same library on the same screen in the same run. Without a graphics
card the drawing is done by the processor (Mesa's llvmpipe), and on a busy machine both columns sink together.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.row import Row

ROOT = Path(__file__).resolve().parent.parent
VISITS = int(os.environ.get("BIANMIN_BENCH_VISITS", "10000"))
SECONDS = 4.0  # of turning pages


def rows() -> Iterable[Row]:
    """Start, frames, memory."""
    with tempfile.TemporaryDirectory(prefix="bianmin-bench-") as folder, screen() as display:
        state = Path(folder) / "state"
        run(display, "terminal", state, "start")  # the very first start cuts the fonts out; that is not measured
        ours = statistics.median(run(display, "terminal", state, "start")["seconds"] for _ in range(3))
        bare = statistics.median(run(display, "empty", state, "start")["seconds"] for _ in range(3))
        yield Row(what="kiosk: start to attract page drawn", ours=ours, unit="s", limit=bare, of="empty window",
                  aim="≤ 3 s", met=ours <= 3.0)  # fmt: skip
        turned, still = run(display, "terminal", state, "turn"), run(display, "empty", state, "turn")
        yield Row(what="kiosk: frames while choices slide", ours=turned["fps"], unit="fps", limit=still["fps"],
                  of="empty window redrawn", aim="60 fps", met=turned["fps"] >= 58.0,
                  note=f"p95 of a frame {turned['p95_ms']:.0f} ms, empty {still['p95_ms']:.0f} ms; "
                  f"{turned['renderer']}")  # fmt: skip
        lived, idle = run(display, "terminal", state, "live"), run(display, "empty", state, "live")
        early, late = lived["early_mb"], lived["late_mb"]
        yield Row(what=f"kiosk: memory after {lived['visits']:,} visits", ours=late, unit="MB", limit=idle["late_mb"],
                  of="empty window", aim="≤ 300 MB, flat", met=late <= 300 and late - early < 5,
                  note=f"{early:.0f} MB after a tenth of them; {lived['per_second']:.0f} visits a second")  # fmt: skip


@contextmanager
def screen() -> Iterator[str]:
    """A screen of our own."""
    read, write = os.pipe()
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1080x1920x24", "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, pass_fds=[write], **quiet)
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def run(display: str, what: str, state: Path, job: str) -> dict[str, Any]:
    """One window in a process of its own; what it measured."""
    begun = time.time()
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.kiosk_window", what, str(state), job, str(begun)],
        cwd=ROOT,
        env={**os.environ, "DISPLAY": display, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=600,
        check=True,
    ).stdout
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


# ---- inside the process of the window ------------------------------------------------------------------------------


class Measure:
    """Counts frames, then writes what was measured and stops the application."""

    def __init__(self, app: Any, job: str, begun: float) -> None:
        from kivy.clock import Clock
        from kivy.core.window import Window

        self.app, self.job, self.begun, self.clock, self.flips = app, job, begun, Clock, []
        Window.bind(on_flip=self._flip)
        Clock.schedule_once(self._begin, 0)

    def _flip(self, *_: Any) -> None:
        self.flips.append(time.perf_counter())
        if self.job == "start":
            self.job = "told"
            self.tell(seconds=time.time() - self.begun)

    def _begin(self, _dt: float) -> None:
        if self.job == "turn":
            self.clock.schedule_once(self._turn, 2.0)
        elif self.job == "live":
            self.clock.schedule_once(lambda _dt: self.clock.schedule_interval(self._visit, 0), 2.0)
            self.visits, self.early = self.lives(), 0.0

    def _turn(self, _dt: float) -> None:
        self.turning()
        self.flips.clear()
        self.clock.schedule_once(self._turned, SECONDS)

    def _turned(self, _dt: float) -> None:
        from kivy.graphics.opengl import GL_RENDERER, glGetString

        gaps = [1000 * (b - a) for a, b in zip(self.flips, self.flips[1:], strict=False)]
        p95 = statistics.quantiles(gaps, n=20)[-1]
        self.tell(fps=1000 / statistics.fmean(gaps), p95_ms=p95, renderer=glGetString(GL_RENDERER).decode())

    def _visit(self, _dt: float) -> bool:
        try:
            done = next(self.visits)
        except StopIteration:
            self.tell(early_mb=self.early, late_mb=megabytes(), visits=self.count,
                      per_second=self.count / max(time.monotonic() - self.since, 0.001))  # fmt: skip
            return False
        if done == self.count // 10:
            self.early = megabytes()
        return True

    def tell(self, **measured: Any) -> None:
        """The last line of this process."""
        print(json.dumps(measured), flush=True)
        self.app.stop()


class OfTerminal(Measure):
    """The real terminal before a hall in the same process."""

    count = VISITS

    def turning(self) -> None:
        """Open a page of many choices and turn its leaves without end."""
        from kiosk.journey import Event

        terminal = self.app.terminal
        terminal.press(Event.TOUCH)
        terminal.press(Event.SEARCH)
        pager = self.app.pages["search"].results
        self.way = 1

        def turn(_dt: float) -> None:
            if not 0 <= pager.page + self.way < pager.pages:
                self.way = -self.way
            pager.turn(self.way)

        self.clock.schedule_interval(turn, 0.22)

    def lives(self) -> Iterator[int]:
        """Visits at full speed: a number, every third with priority, every fifth in elder mode, some in English."""
        from kiosk.journey import Event, Page

        terminal = self.app.terminal
        self.since = time.monotonic()
        for visit in range(self.count):
            terminal.press(Event.TOUCH)
            if visit % 5 == 0:
                terminal.press(Event.ELDER)
            if visit % 7 == 0:
                terminal.press(Event.LANGUAGE)
            category = terminal.view.categories[visit % len(terminal.view.categories)]
            terminal.press(Event.CATEGORY, category)
            if terminal.journey.page is Page.SERVICES:
                terminal.press(Event.SERVICE, category["services"][visit % len(category["services"])])
            if visit % 3 == 0:
                terminal.press(Event.FIRST)
                terminal.press(Event.CLASS, terminal.view.hall["priorities"][0])
            else:
                terminal.press(Event.TAKE)
            while terminal.journey.page is Page.ISSUING:
                terminal.turn()
                time.sleep(0.0002)
            assert terminal.journey.page is Page.RESULT, terminal.journey.page
            yield visit
            terminal.press(Event.FINISH)


class OfNothing(Measure):
    """A window with nothing in it, made to draw every frame."""

    count = 300

    def turning(self) -> None:
        """Draw without end."""
        self.clock.schedule_interval(lambda _dt: self.app.root.canvas.ask_update(), 0)

    def lives(self) -> Iterator[int]:
        """Frames."""
        self.since = time.monotonic()
        for frame in range(self.count):
            self.app.root.canvas.ask_update()
            yield frame


def megabytes() -> float:
    """Resident memory of this process."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 1e6


def main(what: str, state: str, job: str, begun: str) -> None:
    """Open the window and measure."""
    import importlib.util

    from config.machine import Screen
    from kiosk.app import Settings, open_window, prepare
    from kiosk.outside import Outside

    settings = Settings(state=Path(state), screen=Screen(full=False), sound=False)
    if what == "empty":
        settings.state.mkdir(parents=True, exist_ok=True)
        prepare(settings)
        from kivy.app import App
        from kivy.uix.widget import Widget

        app = App()
        app.load_config = lambda: None
        app.build = Widget
        kept: list[Measure] = []  # Kivy holds on to nobody who listens
        app.bind(on_start=lambda _app: kept.append(OfNothing(app, job, float(begun))))
        app.run()
        return
    spec = importlib.util.spec_from_file_location("scratch", ROOT / "tests" / "kiosk" / "scratch.py")
    assert spec is not None and spec.loader is not None
    scratch = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scratch)
    from config import plans

    hall = scratch.Hall(plans.choose("town", None, Path()))
    hall.remember = False  # ten thousand tickets are the hall's memory, not the terminal's
    hall.print_state = None
    outside = Outside(hall, scratch.Devices())
    hall.outside = outside
    window = open_window(settings, outside)
    measures: list[Measure] = []
    window.bind(on_start=lambda _app: measures.append(OfTerminal(window, job, float(begun))))
    window.run()


if __name__ == "__main__":
    main(*sys.argv[1:])

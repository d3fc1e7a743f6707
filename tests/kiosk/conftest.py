"""A real terminal in a real window on a screen of its own, touched by a real pointer, before a scripted hall."""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRATCH = Path(__file__).with_name("scratch.py")


class Screen:
    """An Xvfb of our own on a free display."""

    def __init__(self, size):
        width, height = size
        read, write = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[write],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as answer:
            self.display = f":{answer.readline().strip()}"

    def close(self):
        self.process.kill()
        self.process.wait()


def scratch_argv(state, size, mm, args):
    """The command line of the terminal before the scripted hall."""
    measures = ["--size", "x".join(map(str, size)), "--mm", "x".join(map(str, mm))]
    return [sys.executable, str(SCRATCH), str(state), *measures, *args]


class Kiosk:
    """The terminal under test: reads what it announces, touches what it shows."""

    def __init__(self, screen, state, size=(1080, 1920), mm=(268, 476), args=(), argv=None):
        self.size, self.last, self.buffer, self.tapped = size, None, b"", (-999, -999)
        rooms = os.fspath(SCRATCH.parents[2])
        self.environment = {**os.environ, "DISPLAY": screen.display, "PYTHONUTF8": "1", "PYTHONPATH": rooms}
        self.errors = Path(state).parent / "stderr.txt"
        with self.errors.open("wb") as errors:
            self.started = time.monotonic()
            self.process = subprocess.Popen(
                argv or scratch_argv(state, size, mm, args),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self.environment,
            )

    # ---- listening

    def line(self, timeout=10.0):
        """The next line it says, as a dict."""
        end = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise TimeoutError(f"nothing said for {timeout} s; it shows {self.last and self.last['page']}")
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                raise EOFError(self.errors.read_text())
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        said = json.loads(line) if line.startswith(b"{") else {"ready": line.decode()}
        if "page" in said:
            self.last = said
        return said

    def until(self, agrees, timeout=10.0):
        """The first announcement for which `agrees` is true, the last one included."""
        if self.last is not None and agrees(self.last):
            return self.last
        end = time.monotonic() + timeout
        while True:
            said = self.line(max(0.01, end - time.monotonic()))
            if "page" in said and agrees(said):
                return said

    def page(self, name, timeout=10.0):
        """Wait for a page."""
        return self.until(lambda said: said["page"] == name, timeout)

    def quiet(self, seconds=0.35):
        """Read on until it has said nothing for a while: everything is laid out."""
        end = time.monotonic() + 8
        try:
            while time.monotonic() < end:
                self.line(seconds)
        except TimeoutError:
            return self.last
        raise AssertionError(f"{self.last['page']} never comes to rest")

    def ask(self, word, value=True, timeout=15.0):
        """The answer to an order that is answered under its own word."""
        self.tell(**{word: value})
        return self.answer(word, timeout)

    def answer(self, word, timeout=15.0):
        end = time.monotonic() + timeout
        while True:
            said = self.line(max(0.01, end - time.monotonic()))
            if word in said:
                return said[word]

    # ---- acting

    def tell(self, **order):
        """A line for the scripted hall."""
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()

    def widget(self, name):
        for widget in self.last["widgets"]:
            if widget["name"] == name:
                return widget
        raise KeyError(f"{name} is not on {self.last['page']}: {[w['name'] for w in self.last['widgets']]}")

    def touch(self, x, y, times=1):
        clicks = ["click", "--repeat", str(times), "--delay", "120", "1"]
        subprocess.run(["xdotool", "mousemove", str(int(x)), str(int(y)), *clicks], env=self.environment, check=True)

    def drag(self, name, by, lift=True):
        """A finger on a widget's middle moves by so many dots, in small steps, and is lifted."""
        self.quiet()
        x, y, width, height = self.widget(name)["rect"]
        x, y = x + width // 2, y + height // 2
        steps = [f"mousemove {x + by[0] * n // 8} {y + by[1] * n // 8} sleep 0.03" for n in range(9)]
        steps.insert(1, "mousedown 1 sleep 0.05")
        words = " ".join([*steps, *(["mouseup 1"] if lift else [])]).split()
        subprocess.run(["xdotool", *words], env=self.environment, check=True)

    def lift(self):
        """The finger is lifted."""
        subprocess.run(["xdotool", "mouseup", "1"], env=self.environment, check=True)

    def tap(self, name, times=1):
        """Touch a widget in its middle, once the page is at rest."""
        self.quiet()
        x, y, width, height = self.widget(name)["rect"]
        near = 70  # dots; the same place again at once would be a double strike
        if abs(x + width / 2 - self.tapped[0]) < near and abs(y + height / 2 - self.tapped[1]) < near:
            self.quiet(0.55)
        self.tapped = (x + width / 2, y + height / 2)
        self.touch(x + width / 2, y + height / 2, times)

    def wake(self):
        """From the attract page to home."""
        self.page("attract")
        self.quiet()
        self.touch(self.size[0] / 2, self.size[1] / 2)
        return self.page("home")

    def picture(self, file):
        """What is on the screen, as a PNG."""
        subprocess.run(["import", "-window", "root", str(file)], env=self.environment, check=True)
        return file

    def close(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="session", autouse=True)
def compiled_words():
    from config.words import compile_all

    compile_all()


@pytest.fixture(scope="session")
def upright():
    screen = Screen((1080, 1920))
    yield screen
    screen.close()


@pytest.fixture(scope="session")
def wide():
    screen = Screen((1920, 1080))
    yield screen
    screen.close()


@pytest.fixture
def kiosk(upright, wide, tmp_path):
    """Start terminals: `kiosk()`, `kiosk(landscape=True)`, with more arguments of scratch.py."""
    started = []

    def start(*args, landscape=False, mm=None):
        size, of = ((1920, 1080), wide) if landscape else ((1080, 1920), upright)
        mm = mm or ((476, 268) if landscape else (268, 476))
        one = Kiosk(of, tmp_path / f"state{len(started)}", size, mm, args)
        started.append(one)
        return one

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="session")
def kiosk_class():
    return Kiosk


@pytest.fixture(scope="session")
def scratch_visits():
    """The states of scratch.py's pages, read from its text: it opens a window when it is run, and knows no pytest."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("kiosk_scratch", SCRATCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.VISITS

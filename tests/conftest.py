"""A whole hall on real wires, for the tests of acceptance and of the assembled machine."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # what every room's tests share: waiting
from waiting import until

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse 42"
PLAN = """
name = "测试便民服务中心"
english = "Test Service Centre"
complaint_phone = "0477-8580000"
categories = [{ code = "social", name = "社会保险", english = "Social insurance", icon = "shield-halved" }]
services = [{ code = "pension", name = "城乡居民养老保险", english = "Pension", category = "social", queue = "A" }]
queues = [
    { code = "A", name = "社会保险", english = "Social insurance", zone = "A区", minutes = 4.0 },
    { code = "B", name = "户籍", english = "Household", zone = "B区", minutes = 8.0 },
]
windows = [{ no = 1, name = "综合窗口" }, { no = 2, name = "社保窗口" }, { no = 3, name = "帮办窗口" }]
staff = [
    { login = "wang", work_no = "1005", name = "王芳", duties = "综合受理", window = 1 },
    { login = "li", work_no = "1006", name = "李明", duties = "社会保险", window = 2 },
    { login = "zhao", work_no = "1007", name = "赵丽", duties = "帮办代办", window = 3 },
    { login = "chen", work_no = "9000", name = "陈主任", role = "manager" },
    { login = "sun", work_no = "9001", name = "孙工", role = "technician" },
]
"""
KIOSK = "k1"  # the machine's name, and so the kiosk's
WINDOWS = (1, 2, 3)
CLERKS = {1: "wang", 2: "li", 3: "zhao"}


class Running:
    """A program of ours as a process. `line` is what it said when it was ready."""

    def __init__(self, argv: list[str], log: Path) -> None:
        self.log = log
        with log.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", *argv],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        assert self.line.startswith("ready "), f"{argv}: {self.line!r}\n{log.read_text()}"

    def kill(self) -> None:
        """-9."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(timeout=20)
        if self.process.stdout:
            self.process.stdout.close()


class WholeHall:
    """The hall's program as a process, simulated devices on pseudo-terminals and TCP ports, and whoever serves them."""

    def __init__(self, folder: Path, template: Path, policy: dict[str, object], faults: dict[str, list[str]]) -> None:
        from config import machine as machines
        from hall_api.accounts import Accounts
        from hall_api.storage.store import open_store
        from kiosk.demo_hall import free_port
        from kiosk.street import Street, Wire

        self.folder, self.said = folder, []
        wires = [
            Wire("printer", "escpos-printer", {"width_mm": 80}),
            Wire("reader", "ga467-reader"),
            Wire("bus", "queue-bus", {"addresses": list(WINDOWS)}),
            *(Wire(f"strip{n}", "pingan-strip", {"addresses": [n]}, port=0 if n == 3 else None) for n in WINDOWS),
        ]
        wires = [Wire(w.name, w.driver, w.options, w.port, tuple(faults.get(w.name, ()))) for w in wires]
        self.street = Street(folder / "wires", wires, self.said.append)
        self._closing = contextlib.ExitStack()
        self._closing.callback(self.street.close)
        self.port = free_port()
        (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
        self.file = folder / "hall.toml"
        self.file.write_text(self._toml(wires, policy, free_port()), encoding="utf-8")
        state = folder / "state"
        state.mkdir(mode=0o700)
        shutil.copy(template, state / "hall.db")
        self.machine = machines.load(self.file)
        store = open_store(self.machine.database)
        accounts = Accounts(store, self.machine.plan)
        self.tokens = {
            role: accounts.new_token(role, f"a {role}")
            for role in ("kiosk", "window", "screen", "manager", "technician", "clerk")
        }
        for login in ("wang", "chen"):
            accounts.set_password(login, PASSWORD)
        store.close()
        for role in ("kiosk", "window"):
            (state / f"{role}.token").touch(0o600)
            (state / f"{role}.token").write_text(self.tokens[role])
        self.url = self.machine.hall_url
        self.clock: Path | None = None
        self.hall: Running | None = None

    def _toml(self, wires: list[Any], policy: dict[str, object], gateway: int) -> str:
        lines = [
            f'[machine]\nname = "{KIOSK}"\nroles = ["hall", "kiosk", "window"]\nstate = "state"',
            f'[hall]\nport = {self.port}\nplan = "plan.toml"\n[gateway]\nport = {gateway}',
        ]
        for wire in wires:
            link = self.street.devices[wire.name].link
            lines.append(f'[[device]]\nname = "{wire.name}"\ndriver = "{wire.driver}"\nlink = "{link}"')
            lines.append("options = { " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in wire.options.items()) + " }")
            if wire.name == "bus":
                lines.append("windows = { 1 = 1, 2 = 2, 3 = 3 }")
            elif wire.name.startswith("strip"):
                lines.append(f"windows = {{ {wire.name[-1]} = {wire.name[-1]} }}")
        rules = [f"{key} = {json.dumps(value)}" for key, value in policy.items()]
        return "\n".join([*lines, *(["[plan.policy]", *rules] if rules else [])]) + "\n"

    # ---- programs

    def open(self, at: float | None = None) -> WholeHall:
        """Start the hall's program; with `at`, one whose clock stands at that Unix time until `later`."""
        log = self.folder / "hall.log"
        if at is None and self.clock is None:
            self.hall = Running(["-m", "kiosk.roles.hall", str(self.file)], log)
        else:
            if at is not None:
                self.clock = self.folder / "clock"
                self.clock.write_text(str(at))
            program = Path(__file__).with_name("acceptance") / "hall_with_a_clock.py"
            self.hall = Running([str(program), str(self.file), str(self.clock)], log)
        return self

    def later(self, seconds: float) -> None:
        """Time passes for a hall that was opened with a clock."""
        assert self.clock is not None
        half = self.clock.with_suffix(".half")
        half.write_text(str(float(self.clock.read_text()) + seconds))
        half.replace(self.clock)

    def run(self, role: str, *flags: str) -> Running:
        """A role's program as a process."""
        program = Running(["-m", f"kiosk.roles.{role}", str(self.file), *flags], self.folder / f"{role}.log")
        self._closing.callback(program.close)
        return program

    def attend(self, role: str, **more: Any) -> Any:
        """An attendant in this process, with the devices of the role (kiosk, window), serving."""
        from devices.setup.changes import entries_of
        from hall_api.client import HallClient
        from kiosk.attendant import Attendant
        from kiosk.roles import post

        kiosk = role == "kiosk"
        chosen = list(post.kiosk_devices(self.machine).values()) if kiosk else post.window_devices(self.machine)
        attendant = Attendant(
            f"{KIOSK}-{role}",
            HallClient(self.url, self.tokens[role]),
            entries_of(chosen),
            self.machine.about.state,
            kiosk=KIOSK if kiosk else "",
            printer="printer" if kiosk else "",
            **more,
        )
        attendant.start()
        self._closing.callback(attendant.close)
        return attendant

    def close(self) -> None:
        """Everything that was started, the last first; the hall at the end."""
        self._closing.close()
        if self.hall:
            self.hall.close()

    # ---- the hall's doors

    def as_(self, role: str) -> Any:
        """The hall as this role reaches it; "" is anybody."""
        from hall_api.client import HallClient

        return HallClient(self.url, self.tokens.get(role, ""))

    def open_windows(self, *numbers: int) -> None:
        for no in numbers:
            self.as_("manager").at_window(no, "open", staff=CLERKS[no])

    def issue(self, key: str | None = None, **what: Any) -> dict[str, Any]:
        """A citizen takes a number at the kiosk."""
        return self.as_("kiosk").issue(**{"service": "pension", "kiosk": KIOSK, "key": key, **what})

    def told(self, *kinds: str) -> list[dict[str, Any]]:
        """What the journal tells a manager, of these kinds."""
        found, after = [], 0
        while page := self.as_("manager").events(after):
            found += page
            after = page[-1]["seq"]
        return [event for event in found if not kinds or event["type"] in kinds]

    def state_of(self, device: str, role: str = "technician") -> str:
        """How a device is, as the hall knows it; "" before it was reported."""
        devices = self.as_(role).get("/devices")["devices"]
        return next((d["state"] for d in devices if d["device"] == device), "")

    def all_ready(self, *devices: str) -> None:
        """Wait until these are well; the bus never answers, so degraded is as well as it gets."""
        until(lambda: all(self.state_of(d) in ("ready", "degraded") for d in devices))

    def database(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table."""
        with contextlib.closing(sqlite3.connect(self.folder / "state" / "hall.db")) as connection:
            connection.row_factory = sqlite3.Row
            names = [r["name"] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {n: [dict(r) for r in connection.execute(f'SELECT * FROM "{n}"')] for n in names}

    # ---- the street

    @property
    def printer(self) -> Any:
        return self.street.devices["printer"]

    def obeyed(self, device: str, order: str) -> list[dict[str, Any]]:
        """Orders of this name that a device has obeyed, with the moment (`at`, monotonic ns)."""
        return [line for line in list(self.said) if line["device"] == device and line.get("order") == order]

    def press(self, no: int, key: str) -> None:
        """A key of the pad at a window."""
        self.street.do({"device": "bus", "news": "KeyPressed", "key": key, "address": no})

    def press_again(self, no: int, key: str) -> None:
        """The same key once more, as a new press: pads repeat themselves, so the line must have been quiet."""
        began = time.monotonic()

        def quiet() -> bool:
            last = max((line["at"] / 1e9 for line in list(self.said) if line["device"] == "bus"), default=0.0)
            return time.monotonic() - max(last, began) > 0.8

        until(quiet)
        self.press(no, key)

    def rate(self, no: int, grade: int) -> None:
        """A key of the evaluator at a window."""
        self.street.do({"device": "bus", "news": "Rated", "grade": grade, "address": no})


BROWSER = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium_with() -> Iterator[Callable[..., Any]]:
    """Starts Debian's browser with these flags more; one driver for all tests of a process, which cannot hold two."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        yield lambda *flags: play.chromium.launch(
            executable_path="/usr/bin/chromium", headless=True, args=[*BROWSER, *flags]
        )


@pytest.fixture(scope="session")
def hall_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hall's tables, made once."""
    from hall_api.storage.store import open_store

    path = tmp_path_factory.mktemp("whole") / "hall.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def whole_hall(tmp_path: Path, hall_template: Path) -> Iterator[Callable[..., WholeHall]]:
    """`whole_hall(policy=…, faults={device: […]})` makes a hall, not yet open; all it started ends with the test."""
    halls: list[WholeHall] = []

    def make(policy: dict[str, object] | None = None, faults: dict[str, list[str]] | None = None) -> WholeHall:
        folder = tmp_path / f"hall{len(halls) + 1}"
        folder.mkdir()
        halls.append(WholeHall(folder, hall_template, policy or {}, faults or {}))
        return halls[-1]

    before = set(threading.enumerate())
    yield make
    for hall in halls:
        hall.close()
    left = [t.name for t in threading.enumerate() if t not in before and t.is_alive() and "news" not in t.name]
    assert not [name for name in left if name.startswith((KIOSK, "outbox", "simulated"))], left


@pytest.fixture(scope="session")
def kiosk_parts() -> Any:
    """The helpers of tests/kiosk by file: `kiosk_parts("desk").Camera`. They are no package and cannot be imported."""

    def load(name: str) -> Any:
        known = sys.modules.get(f"kiosk_parts_{name}")
        if known is not None:
            return known
        file = Path(__file__).with_name("kiosk") / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"kiosk_parts_{name}", file)
        assert spec is not None and spec.loader is not None
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def soon() -> Callable[..., Any]:
    """`soon(lambda: …, seconds)` polls until the answer is true and returns it; fails at the deadline."""
    return until

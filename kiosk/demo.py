"""`bianmin demo`: a whole hall on this machine, every device simulated on a wire of its own.

The product's programs run as `bianmin run` starts them, from a hall.toml; only the street outside is simulated
(`kiosk.street`), and with `--day` the people (`kiosk.day`).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import queue
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from config import machine as machines
from config import plans
from hall_api.client import HallAway, HallClient
from kiosk import demo_hall, maintenance
from kiosk.app import settings_of
from kiosk.day import HOURS, Day, as_json, plan_day, summary
from kiosk.program import Line
from kiosk.run import command, environment
from kiosk.supervisor import NotReady, Supervisor

ROOT = Path(__file__).resolve().parent.parent
CODE = "246810"  # opens the kiosk's maintenance page: a corner pressed for five seconds
PASSWORD = "bianmin-demo"  # a demo's, on loopback, over a database that is thrown away
START = 30.0
PORT = 8000
PAGES = 8765
PORTRAIT = ("width = 1080", "height = 1920", "width_mm = 268.0", "height_mm = 476.0", "full = true")
SMALL = ("width = 540", "height = 960", "width_mm = 268.0", "height_mm = 476.0", "full = false")
SHOT_EVERY = 5.0


@click.command()
@click.option("--day", "citizens", type=click.IntRange(1, 5000), metavar="N", help="Live a day with N citizens.")
@click.option("--speed", type=click.FloatRange(1, 600), default=60.0, show_default=True, help="How fast the day runs.")
@click.option("--json", "report", type=click.Path(path_type=Path), help="Write the day's figures to this file too.")
@click.option("--shots", type=click.Path(path_type=Path), help="Folder for screenshots of the kiosk.")
@click.option("--headless", is_flag=True, help="Without the kiosk's window.")
@click.option("--port", type=click.IntRange(1, 65535), help=f"The hall's port; else {PORT}, or what is free.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which day: the same seed, the same people.")
@click.option("--kill", type=click.IntRange(0, 500), default=0, help="End the hall's program outright so many times.")
def demo(
    citizens: int | None,
    speed: float,
    report: Path | None,
    shots: Path | None,
    headless: bool,
    port: int | None,
    seed: int,
    kill: int,
) -> None:
    """A whole hall on this machine, each device simulated on its own wire. Ctrl-C ends it."""
    console = Console()

    def say(sentence: str) -> None:
        console.print(sentence, style="yellow", soft_wrap=True, highlight=False)

    with own_folder(ROOT / "var") as (shift, folder), Supervisor(folder / "logs", say=say) as keeper, keeper.signals():
        try:
            hall = DemoHall(folder, keeper, console, headless=headless, shots=shots)
            hall.start(port or PORT + shift, PAGES + 2 * shift, speed if citizens else None)
            if citizens:
                result = hall.live(citizens, speed, seed, kill)
                if report:
                    report.write_text(as_json(result), encoding="utf-8")
                print_day(console, result, speed)
                sys.exit(1 if result["lost"] or result["duplicated"] or not result["whole"] else 0)
            hall.show_addresses(hall.manager.issue(queue="A", kiosk=demo_hall.KIOSK)["url"])
            keeper.wait()
        except NotReady as trouble:
            if keeper.asked:
                return
            raise click.ClickException(str(trouble)) from trouble


@contextlib.contextmanager
def own_folder(var: Path) -> Iterator[tuple[int, Path]]:
    """An empty folder in `var` for one demo, and how many are taken by others: two demos get two, and other ports."""
    for number in range(9):
        folder = var / (f"demo-{number + 1}" if number else "demo")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock_file = (folder / ".lock").open("w")
        except OSError as trouble:
            raise click.ClickException(
                f"{folder} cannot be written by this user ({trouble.strerror}); "
                "copy Bianmin to a folder of your own and start it there."
            ) from trouble
        with lock_file as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            keep = {".lock", "cache"}  # fonts and voices prepared at the first start
            for old in folder.iterdir():
                if old.name not in keep:
                    shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
            yield number, folder
            return
    raise click.ClickException("Nine demos run already in var/; stop one of them.")


class DemoHall:
    """One running demo."""

    def __init__(
        self, folder: Path, keeper: Supervisor, console: Console, *, headless: bool, shots: Path | None
    ) -> None:
        self.folder, self.keeper, self.console = folder, keeper, console
        self.headless, self.shots = headless, shots
        self.on_kiosk: Callable[[str], None] | None = None  # hears what the kiosk's window shows, in JSON
        self.on_street: Callable[[dict[str, Any]], None] | None = None  # hears what the simulated devices do
        self.links: dict[str, str] = {}
        self.day: Day | None = None
        self.display = os.environ.get("DISPLAY", "")

    # ---- starting ------------------------------------------------------------------------------------------------

    def start(self, port: int, pages: int, speed: float | None) -> None:
        """Simulated devices, then the machine's programs as `bianmin run` starts them. Raises NotReady.

        `port` is the hall's, `pages` that of the windows' devices page; the kiosk's stands one higher.
        """
        began = time.monotonic()
        wires = self.folder / "wires"
        self._say("simulated devices on their wires …")
        self.keeper.start(
            "street",
            [sys.executable, "-P", "-m", "kiosk.street", str(wires), demo_hall.wires_json()],
            environment(),
            ready=Line('{"ready"'),
            on_line=self._street_says,
        )
        if not self.headless and not self.display:
            self._start_screen()
        self.keeper.wait_ready("street", timeout=START)
        self.file = self._write(wires, port, pages, speed)
        self.machine = machines.load(self.file)
        self._say("the hall …")
        self.keeper.start("hall", command("hall", self.file), environment(), ready=Line("ready "))
        self.keeper.wait_ready("hall", timeout=START)
        self._people()
        self._say(f"the hall answers after {time.monotonic() - began:.1f} s")
        for role in ("window", "kiosk"):
            flags, hear = [], None
            if role == "kiosk":
                hear = self.on_kiosk
                flags = ["--headless"] if self.headless else ["--announce"] if hear else []
            env = {**environment(), **({"DISPLAY": self.display} if self.display else {})}
            self.keeper.start(role, command(role, self.file) + flags, env, ready=Line("ready "), on_line=hear)
        self.keeper.wait_ready("window", "kiosk", timeout=START)
        if self.shots and not self.headless:
            threading.Thread(target=self._take_shots, daemon=True).start()

    def _write(self, wires: Path, port: int, pages: int, speed: float | None) -> Path:
        # A day that runs sixty times as fast has sixty times shorter pauses between two calls of one number.
        policy = {} if speed is None else {"recall_gap": max(1, round(20 / speed)), "rating_prompt": 30}
        links = {name: demo_hall.link_of(wires, name, link) for name, link in self.links.items()}
        file = self.folder / "hall.toml"
        gateway = demo_hall.free_port(pages)
        while demo_hall.free_port(gateway + 1) != gateway + 1:  # the kiosk's page stands one port higher
            gateway = demo_hall.free_port()
        screen = PORTRAIT if not os.environ.get("DISPLAY") else SMALL
        text = demo_hall.hall_toml(links, port=demo_hall.free_port(port), gateway=gateway, screen=screen, policy=policy)
        file.write_text(text, encoding="utf-8")
        state = self.folder / "state"
        state.mkdir(mode=0o700)
        return file

    def _people(self) -> None:
        """Demo logins, tokens for the screens and for us, and the windows opened by their clerks."""
        from hall_api.accounts import Accounts
        from hall_api.storage import open_store

        assert self.machine.plan is not None
        store = open_store(self.machine.database)
        accounts = Accounts(store, self.machine.plan)
        for person in self.machine.plan.staff:
            accounts.set_password(person.login, PASSWORD)
        self.tokens = {role: accounts.new_token(role, f"demo-{role}") for role in ("screen", "manager", "kiosk")}
        store.close()
        maintenance.set_code(settings_of(self.machine).state, CODE)
        self.manager = HallClient(self.machine.hall_url, self.tokens["manager"])
        for person in self.machine.plan.staff:
            if person.window is not None:
                self.manager.at_window(person.window, "open", staff=person.login)

    def _start_screen(self) -> None:
        """A screen of our own where there is none: Xvfb, upright like a kiosk."""
        if shutil.which("Xvfb") is None:
            raise click.ClickException("There is no display, and Xvfb is not installed: apt-get install xvfb.")
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.keeper.start(
            "screen",
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1080x1920x24", "-nolisten", "tcp", "-noreset"],
            on_line=said.put,
        )
        with contextlib.suppress(queue.Empty):
            while not self.display:
                line = said.get(timeout=START).strip()
                self.display = f":{line}" if line.isdigit() else ""
        if not self.display:
            raise click.ClickException("Xvfb does not start; its words are in var/demo/logs/screen.log.")

    def _street_says(self, line: str) -> None:
        """A line of the street's program."""
        if not line.startswith("{"):
            return
        said = json.loads(line)
        if "ready" in said:
            self.links = said["ready"]
            return
        if self.day is not None:
            self.day.report(said)
        if self.on_street is not None:
            self.on_street(said)

    def _take_shots(self) -> None:
        """A picture of the kiosk's screen every few seconds."""
        from PIL import ImageGrab

        assert self.shots is not None
        self.shots.mkdir(parents=True, exist_ok=True)
        for number in range(1, 100_000):
            time.sleep(SHOT_EVERY)
            with contextlib.suppress(OSError):  # the screen closes while the demo ends
                ImageGrab.grab(xdisplay=self.display).save(self.shots / f"kiosk-{number:04}.png")

    # ---- showing -------------------------------------------------------------------------------------------------

    def show_addresses(self, ticket: str = "") -> None:
        """Where to look, and who may. `ticket`: the address of a citizen's ticket, when somebody has one."""
        url, gateway = self.machine.hall_url, self.machine.gateway.port
        enrol = f"{url}/enrol?token={self.tokens['screen']}&to="
        rows = [
            ("窗口工作台 clerk's desk", f"{url}/desk", f"clerk1, clerk2, clerk3 / {PASSWORD}"),
            ("大厅主管 manager", f"{url}/manager", f"manager / {PASSWORD}"),
            ("综合屏 hall board", f"{enrol}/board", "this link carries the screen's token"),
            ("窗口屏 window screen", f"{enrol}/window/1", "also /window/2, /window/3"),
            ("评价器 evaluator card", f"{enrol}/evaluator/1", "lights up when a visit ends"),
            ("群众号票页 a citizen's ticket", ticket or f"{url}/t/…", "what the slip's QR opens"),
            ("窗口设备 window devices", f"http://127.0.0.1:{gateway}/", "pads, evaluators, strips, a clerk's desk"),
            ("网页用设备 devices from a web page", f"http://127.0.0.1:{gateway}/v1/sample", "has to be paired"),
            ("终端设备 kiosk devices", f"http://127.0.0.1:{gateway + 1}/", "printers, reader, scanner, camera"),
        ]
        self.console.print("\n[bold]便民 Bianmin · demo hall[/]")
        for what, address, note in rows:  # addresses stand alone on their lines: a terminal can open or copy them whole
            self.console.print(f"  {what}  [dim]{note}[/]", soft_wrap=True, highlight=False)
            self.console.print(f"    {address}", soft_wrap=True, style="cyan", highlight=False)
        self.console.print()
        if not self.headless:
            where = f"screenshots land in {self.shots}" if self.shots else "--shots DIR takes pictures of it"
            self._say(f"the kiosk's window is on display {self.display}; {where}")
            self._say(f"its maintenance page: five seconds on the top left corner, code {CODE}")
        self._say(f"files and logs: {self.folder}. Ctrl-C ends everything.")

    def _say(self, sentence: str) -> None:
        self.console.print(f"bianmin: {sentence}", soft_wrap=True, highlight=False)

    # ---- a day ---------------------------------------------------------------------------------------------------

    def live(self, citizens: int, speed: float, seed: int, kill: int) -> dict[str, Any]:
        """A day with so many citizens; what it came to."""
        plan = plans.choose("town")
        rng = random.Random(seed)
        people = plan_day(
            citizens, [q.code for q in plan.queues], len(demo_hall.WINDOWS), [p.code for p in plan.priorities], rng
        )
        policy = self.manager.hall()["policy"]
        street = self.keeper.programs["street"]
        self.day = day = Day(
            Patient(HallClient(self.machine.hall_url, self.tokens["kiosk"])),
            lambda command: street.write(json.dumps(command)),
            people,
            {n: (demo_hall.BUS, n, f"strip{n}") for n in demo_hall.WINDOWS},
            kiosk=demo_hall.KIOSK,
            speed=speed,
            recall_gap=policy["recall_gap"],
        )
        stop = threading.Event()
        ear = threading.Thread(target=self.manager.follow, args=(0, day.told, stop), daemon=True)
        ear.start()
        moments = sorted(rng.uniform(0.03, 0.9) * HOURS * 3600 / speed for _ in range(kill))
        killer = threading.Thread(target=self._kill, args=(moments, day), daemon=True)
        began = time.monotonic()
        self.show_addresses()
        self._say(f"a day of {citizens} citizens, {speed:g} times as fast as life …")
        killer.start()
        trouble = self._watch(day, citizens)
        day.stop.set()
        killer.join(timeout=5)
        self._settle(day)
        stop.set()
        result = summary(day.ledger, Patient(self.manager).get("/day"), speed)
        whole = not trouble and result["citizens"] == citizens
        return {
            **result,
            "seconds": round(time.monotonic() - began, 1),
            "kills": self._killed,
            "whole": whole,
            "trouble": trouble,
        }

    _killed = 0

    def _watch(self, day: Day, citizens: int) -> str:
        """Show how far the day is until it is over; why it ended before its time, or ""."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True) as progress, ThreadPoolExecutor(1) as pool:
            living = pool.submit(day.run)
            taken = progress.add_task("numbers taken", total=citizens)
            ended = progress.add_task("visits ended", total=citizens)
            while not wait([living], timeout=0.3).done:
                if self.keeper.asked:
                    day.stop.set()
                counts = day.ledger.counts
                progress.update(taken, completed=len(day.ledger.issued))
                progress.update(ended, completed=counts["ServiceFinished"] + counts["TicketPassed"])
        failure = living.exception()
        if failure is not None:
            return f"{type(failure).__name__}: {failure}"
        return "it was stopped" if self.keeper.asked else ""

    def _settle(self, day: Day) -> None:
        """Wait a moment for the last slips and ratings to arrive: they are brought even when the hall was away."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and not self.keeper.asked and summary(day.ledger, {}, 1.0)["lost"]:
            time.sleep(0.3)

    def _kill(self, moments: list[float], day: Day) -> None:
        """End the hall's program outright at these moments of the day; the supervisor starts it again.

        One that is still starting then is left a second to live: a hall that never answers is another trial.
        """
        began = time.monotonic()
        program = self.keeper.programs["hall"]
        for moment in moments:
            day.stop.wait(max(0.0, began + moment - time.monotonic()))
            if not program.is_ready.is_set():
                while not program.is_ready.wait(0.05) and not day.stop.is_set():
                    pass
                day.stop.wait(1.0)
            pid = program.pid
            if pid is not None and program.is_ready.is_set() and not day.stop.is_set():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self._killed += 1


class Patient:
    """The hall's doors for a citizen who tries again while the hall is away, with the same key."""

    def __init__(self, client: HallClient, patience: float = 60.0) -> None:
        self.client, self.patience = client, patience

    def post(self, path: str, body: Any, *, key: str) -> Any:
        """See HallClient.post."""
        return self._ask(lambda: self.client.post(path, body, key=key))

    def get(self, path: str) -> Any:
        """See HallClient.get."""
        return self._ask(lambda: self.client.get(path))

    def _ask(self, ask: Any) -> Any:
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return ask()
            except HallAway:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def print_day(console: Console, result: dict[str, Any], speed: float) -> None:
    """The table at the end of the day."""
    table = Table(title=f"A day at the hall · {result['citizens']} citizens · speed {speed:g}", title_style="bold")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for name in ("tickets", "slips", "calls", "recalls", "passed", "rejoined", "finished"):
        table.add_row(name, str(result[name]))
    ratings = result["ratings"]
    words = zip("54321", ("非常满意", "满意", "基本满意", "不满意", "非常不满意"), strict=True)
    table.add_row("ratings", "  ".join(f"{word} {ratings[grade]}" for grade, word in words))
    waits = result["wait_minutes"]
    table.add_row("wait, minutes of the day", f"mean {waits['mean']}   p95 {waits['p95']}")
    for name, hop in result["hops"].items():
        figures = "never" if not hop["n"] else f"p50 {hop['p50_ms']} ms   p99 {hop['p99_ms']} ms   n {hop['n']}"
        table.add_row(name.replace("_to_", " → ").replace("_", " "), figures)
    if result["kills"]:
        table.add_row("hall ended outright", f"{result['kills']} times")
    for name in ("lost", "duplicated"):
        style = "bold green" if not result[name] else "bold red"
        table.add_row(name, f"[{style}]{result[name]}[/]")
        for kind, numbers in result[f"{name}_what"].items():
            table.add_row(f"  {kind}", ", ".join(numbers[:12]))
    console.print(table)

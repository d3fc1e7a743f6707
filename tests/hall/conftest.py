"""Halls for the tests: on SQLite, and on a PostgreSQL the suite starts for itself; with a clock one can turn."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import waiting

from config.plan import Category, HallPlan, Policy, Queue, Service, Staff, Window
from hall_api.hall import Hall
from hall_api.storage.store import Store, open_store, upgrade

ENGINES = ("sqlite", "postgresql")


class Clock:
    """A clock one turns by hand. It starts on a Friday at 16:00 in Shanghai."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **time_passed: float) -> None:
        """Time passes: `clock.on(minutes=5)`; negative to set it back."""
        self.now += timedelta(**time_passed)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def plan() -> HallPlan:
    """Two queues; window 1 takes both, 2 only A, 3 only B; a clerk for each and a manager."""
    return HallPlan(
        name="测试便民服务中心",
        english="Test Hall",
        categories=(Category(code="social", name="社会保险", english="Insurance", icon="shield-halved"),),
        services=(Service(code="pension", name="养老保险", english="Pension", category="social", queue="A"),),
        queues=(
            Queue(code="A", name="社会保险", english="Insurance", zone="A区"),
            Queue(code="B", name="户籍", english="Household", zone="B区", minutes=8.0),
        ),
        windows=(
            Window(no=1, name="综合窗口"),
            Window(no=2, name="社保窗口", kind="service", queues=("A",)),
            Window(no=3, name="户籍窗口", kind="service", queues=("B",)),
        ),
        staff=(
            Staff(login="wang", work_no="1005", name="王芳", duties="综合受理", window=1),
            Staff(login="li", work_no="1006", name="李明", duties="社会保险", window=2),
            Staff(login="zhao", work_no="1007", name="赵丽", duties="户籍", window=3),
            Staff(login="chen", work_no="9000", name="陈主任", role="manager"),
        ),
        policy=Policy(),
    )


class PostgresServer:
    """A PostgreSQL of our own in a temporary folder, run by somebody who is not root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._user = _somebody() if os.geteuid() == 0 else None
        self._numbers = itertools.count(1)
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", folder / "data", "-U", "hall", "--auth=trust", "-E", "UTF8", "--locale=C", "-N")
        settings = (
            "listen_addresses=''\nshared_buffers=16MB\nmax_connections=100\n"
            f"unix_socket_directories='{folder}'\nautovacuum=off\n"
        )
        with (folder / "data" / "postgresql.conf").open("a") as conf:
            conf.write(settings)
        self.start()
        self.template = self.database()
        upgrade(self.template)

    def _run(self, program: str, *arguments: object) -> None:
        command = [_program(program), *map(str, arguments)]
        if self._user:
            command = ["runuser", "-u", self._user, "--", *command]
        done = subprocess.run(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"

    def start(self) -> None:
        """Up, and answering."""
        self._run("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Down: `fast` asks its guests to leave, `immediate` is a power cut."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", mode, "-w", "stop")

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://hall@/{name}?host={self.folder}"

    def database(self, template: str = "template0") -> str:
        """A new database; its address."""
        name = f"hall{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def hall_database(self) -> str:
        """A new database with the hall's tables in it."""
        return self.database(template="hall1")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found:
        return found
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert places, f"{name} is missing: apt-get install postgresql (deploy/apt-packages.txt)"
    return str(places[-1])


def _somebody() -> str:
    """PostgreSQL refuses to be started by root."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise AssertionError("neither postgres nor nobody is a user here")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="hall-pg-"))
    try:
        server = PostgresServer(folder)
        yield server
        server.stop("immediate")  # nobody will need it again
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "hall.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh hall on SQLite."""
    shutil.copy(sqlite_template, tmp_path / "hall.db")
    return f"sqlite:///{tmp_path / 'hall.db'}"


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    """A fresh hall on each engine in turn."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("postgres").hall_database())


@pytest.fixture
def open_hall(plan: HallPlan, clock: Clock) -> Iterator[Callable[..., Hall]]:
    """`open_hall(url)`: another process's hall, as it were, on the same database; closed at the end."""
    halls: list[Hall] = []

    def opened(url: str, own_plan: HallPlan = plan, own_clock: Callable[[], datetime] = clock) -> Hall:
        halls.append(Hall(own_plan, open_store(url), clock=own_clock, public_url="http://hall.test"))
        return halls[-1]

    yield opened
    for hall in halls:
        hall.close()


@pytest.fixture
def hall(open_hall: Callable[..., Hall], url: str) -> Hall:
    """One hall on each engine in turn."""
    return open_hall(url)


@pytest.fixture
def quick_hall(open_hall: Callable[..., Hall], sqlite_url: str) -> Hall:
    """One hall, on SQLite only: for rules that no engine knows of."""
    return open_hall(sqlite_url)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store on each engine in turn."""
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def until() -> Callable[..., None]:
    """`until(lambda: …)`: polls until it is true; fails at the deadline."""
    return waiting.until

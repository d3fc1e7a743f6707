"""A station with simulated devices on real wires, for the tests of its local page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import waiting

from config.words import compile_all
from devices.gateway import create_gateway, serve
from devices.roles import News
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

sys.path.insert(0, str(Path(__file__).parent))
from document_camera import DocumentCamera
from local_hall import Clerk
from scan_desk import ScanDesk

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WAIT = 10.0  # seconds


@pytest.fixture(scope="session")
def until() -> Callable[..., object]:
    return waiting.until


@pytest.fixture(scope="session", autouse=True)
def words_compiled() -> None:
    compile_all()


class Bench:
    """A station and the far ends of its cables, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.far: dict[str, SimulatedDevice] = {}
        self.entries: list[DeviceEntry] = []
        self.station: Station | None = None

    def add(
        self, name: str, driver: str, options: dict | None = None, *, plugged: bool = True, faults=(), **more
    ) -> None:
        path = self.folder / f"cable{len(self.entries)}"
        if plugged:
            self.far[name] = SimulatedDevice(driver, options, faults).on_pty(path)
        self.entries.append(DeviceEntry(name, driver, f"serial://{path}", options or {}, **more))

    def add_on_tcp(self, name: str, driver: str, scheme: str, options: dict | None = None) -> None:
        self.far[name] = SimulatedDevice(driver, options).on_tcp()
        where = self.far[name].link.partition("//")[2]
        self.entries.append(DeviceEntry(name, driver, f"{scheme}://{where}", options or {}))

    def start(self, tell: Callable[[str, News], None] = lambda device, news: None) -> Station:
        self.station = Station(self.entries, tell, delays=(0.05, 0.1))
        return self.station

    def close(self) -> None:
        if self.station:
            self.station.close()
        for device in self.far.values():
            device.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clerk_with(bench: Bench, tmp_path: Path) -> Iterator[Callable[..., Clerk]]:
    """`clerk_with(origins=…)` opens a window PC with every device a clerk has, each ready."""
    made: list[Clerk] = []

    def open_it(**choices: object) -> Clerk:
        made.append(Clerk(bench, tmp_path, **choices).open())
        waiting.until(lambda: all(s.state.value in ("ready", "degraded") for s in made[0].station.states()))
        return made[0]

    yield open_it
    for clerk in made:
        clerk.close()


@pytest.fixture
def clerk(clerk_with: Callable[..., Clerk]) -> Clerk:
    return clerk_with()


@pytest.fixture
def camera() -> Iterator[DocumentCamera]:
    """A document camera, for a test to lay pages under."""
    made = DocumentCamera()
    yield made
    made.close()


@pytest.fixture
def desk_of_clerk(bench: Bench, tmp_path: Path, camera: DocumentCamera) -> Iterator[ScanDesk]:
    """A window whose clerk scans with that camera; camera and printer are ready."""
    made = ScanDesk(bench, tmp_path, camera).open()
    waiting.until(lambda: all(made.station.state(name).state.value == "ready" for name in ("desk-camera", "sheets")))
    yield made
    made.close()
    made.local.close()


@pytest.fixture(scope="module")
def browser(chromium_with: Callable[..., Browser]) -> Iterator[Browser]:
    """A browser of this machine, for the tests of one file."""
    opened = chromium_with()
    yield opened
    opened.close()


@pytest.fixture
def hall(bench: Bench) -> Station:
    """A printer that works, two strips on one line, a strip of the old make, a printer that is not there."""
    bench.add("printer", "escpos-printer", {"poll_seconds": 1.0})
    bench.add("strips", "pingan-strip", {"addresses": (1, 2)}, windows={1: 5, 2: 6})
    bench.add("old strip", "pingan-strip", {"acks": False})
    bench.add("away", "escpos-printer", plugged=False)
    station = bench.start()
    waiting.until(lambda: {s.name: s.state.value for s in station.states()}["printer"] == "ready")
    return station


@pytest.fixture
def page(hall: Station) -> Iterator[str]:
    """The address of the served page, no password asked."""
    with serve(create_gateway(hall, title="一楼 1 号工位"), "127.0.0.1", 0) as server:
        yield server.url

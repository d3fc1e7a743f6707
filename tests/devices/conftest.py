"""Shared by the device tests: a driver and its simulator across a table, and polling with a deadline.

`pytest tests/devices --bench hall.toml` runs the exam also against the real devices named there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import waiting

from devices import drivers
from devices.driver import Driver, Simulator
from devices.faults import sort_faults
from devices.options import read_options
from devices.roles import News, Order

sys.path.insert(0, str(Path(__file__).parent))  # what several tests share: pad_desk, kernel_keys

Shape = Callable[[bytes], Iterable[bytes]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bench", metavar="HALL.TOML", help="examine the real devices of this machine as well")


def whole(answer: bytes) -> Iterable[bytes]:
    return [answer]


class Table:
    """A driver on one side, its simulator on the other, no cable: what the station does, without its clock."""

    def __init__(self, name: str, options: Any = None, faults: Iterable[str] = ()) -> None:
        options = read_options(name, options or {}) if options is None or isinstance(options, dict) else options
        module = drivers.load(name)
        own = sort_faults(faults, module.Simulator.faults)[1]
        self.driver: Driver = module.Driver(options)
        self.sim: Simulator = module.Simulator(options, own)
        self.shape: Shape = whole
        self.news: list[News] = []
        self.obeyed: list[Order] = []
        self.driver.reset()

    def hear(self, data: bytes) -> None:
        """The device has said this; it arrives in the shape of the day, and what is owed is answered."""
        for piece in self.shape(data) if data else ():
            self.news += self.driver.feed(piece)
            self.speak()

    def speak(self) -> None:
        for _ in range(100):
            frame = self.driver.owed()
            if not frame:
                return
            answer = self.sim.receive(frame)
            self.obeyed += self.sim.obeyed
            self.sim.obeyed.clear()
            self.hear(answer)
        raise AssertionError("the driver never stops owing something")

    def moment(self) -> None:
        """A tenth of a second or so: the device ticks; we have waited in vain, or it is quiet and we ask."""
        self.hear(self.sim.tick())
        if self.driver.patience is not None:
            self.news += self.driver.silence()
        elif self.driver.idle:
            self.driver.poll()
        self.speak()

    def settle(self, moments: int = 12) -> list[News]:
        """Some quiet moments; returns all news since the last time."""
        self.speak()
        for _ in range(moments):
            self.moment()
        news, self.news = self.news, []
        return news

    def happen(self, news: News) -> None:
        self.hear(self.sim.happen(news))

    def order(self, order: Order) -> list[News]:
        """Give an order when the driver is free for it; returns all news until it is free again."""
        for _ in range(50):
            if self.driver.idle:
                break
            self.moment()
        assert self.driver.idle, "the driver never becomes free for an order"
        self.settle(0)
        self.obeyed.clear()
        self.driver.take(order)
        self.speak()
        for _ in range(50):
            if self.driver.idle:
                break
            self.moment()
        news, self.news = self.news, []
        return news


@pytest.fixture
def table() -> type[Table]:
    return Table


@pytest.fixture
def until() -> Callable[..., Any]:
    """`until(lambda: …)` looks again and again until the answer is true; it fails after `seconds`."""
    return waiting.until


class Diary:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, News]] = []

    def __call__(self, device: str, news: News) -> None:
        self.told.append((device, news))

    def of(self, *kinds: type[News]) -> list[News]:
        return [news for _, news in list(self.told) if isinstance(news, kinds or News)]


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def closing() -> Iterator[Callable[[Any], Any]]:
    """`closing(thing)` closes it after the test, the last one first."""
    things: list[Any] = []

    def keep(thing: Any) -> Any:
        things.append(thing)
        return thing

    yield keep
    for thing in reversed(things):
        thing.close()


@pytest.fixture
def pty_path(tmp_path: Path) -> Path:
    return tmp_path / "terminal"

"""What drivers have in common that only listen: to a keyboard, or to what is typed on one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from devices import driver
from devices.driver import OrderMistake
from devices.hearing import Hearing
from devices.hid.events import events
from devices.roles import Order


class Listener(driver.Driver):
    """A driver of a device that can be told nothing and speaks by itself."""

    links: ClassVar[tuple[str, ...]] = ("evdev", "socket")
    answers = False
    refusal: ClassVar[str]  # of an order the device has not: the beginning of a sentence that ends with its name

    def reset(self) -> None:
        """See Driver."""
        self._hearing = Hearing()

    def encode(self, order: Order) -> bytes:
        """See Driver."""
        raise OrderMistake(self.lacks(type(order)) or f"{self.refusal} {type(order).__name__}")

    def take(self, order: Order) -> None:
        """See Driver."""
        self.encode(order)

    def owed(self) -> bytes:
        """See Driver."""
        return b""


class Typing(driver.Simulator):
    """A device that types whatever happens to it, a second after what it typed before."""

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options, faults)
        self._seconds = 1_700_000_000

    def receive(self, data: bytes) -> bytes:
        """See Simulator. Nobody can tell it anything."""
        return b""

    def _type(self, keys: Iterable[tuple[int, int]]) -> bytes:
        """These keys, as (code, value), go down and up."""
        self._seconds += 1
        return events(keys, self._seconds)

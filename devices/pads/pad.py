"""What drivers of pads have in common that can be told something: the orders there are, and what becomes of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence, Sized
from typing import ClassVar

from devices import driver
from devices.driver import OrderMistake
from devices.hearing import Hearing
from devices.pads.lines import LineOrders
from devices.pads.orders import OPTION, Templates, beeps
from devices.pads.telling import Telling
from devices.roles import CALL_PAD, EVALUATOR, News, Order, Role


class Pad(driver.Driver):
    """A pad that is told what its options say."""

    roles: ClassVar[tuple[Role, ...]] = (CALL_PAD, EVALUATOR)
    _orders: LineOrders | Templates

    def lacks(self, what: type) -> str:
        """See Driver."""
        return self._orders.lacks(what)

    def encode(self, order: Order) -> bytes:
        """See Driver."""
        return b"".join(self._frames_of(order))

    def _frames_of(self, order: Order) -> list[bytes]:
        """What goes out for an order, one after the other. Raises OrderMistake."""
        if type(order) not in OPTION:
            raise OrderMistake(f"call pads and evaluators do not know the order {type(order).__name__}")
        if self.lacks(type(order)):
            raise OrderMistake(self.lacks(type(order)))
        return [self._frame(order)] * beeps(order)

    @abstractmethod
    def _frame(self, order: Order) -> bytes:
        """What says an order this pad has, once. Raises OrderMistake."""


class SilentPad(Pad):
    """A pad that speaks, but never says whether it did what it was told."""

    answers = False
    _answers: Sized  # what is still to be said to its keys

    def reset(self) -> None:
        """See Driver."""
        self._telling = Telling()
        self._hearing = Hearing()

    @property
    def idle(self) -> bool:
        """See Driver."""
        return self._telling.order is None and not self._answers

    def take(self, order: Order) -> None:
        """See Driver."""
        self._telling.take(order, self._frames_of(order))

    def lost(self) -> list[News]:
        """See Driver."""
        return self._telling.lost()


def address_of(order: Order, addresses: Sequence[int]) -> int:
    """Whom an order is for: the first if it names nobody. Raises OrderMistake."""
    address = order.address or addresses[0]
    if not 0 <= address <= 255:
        raise OrderMistake(f"address must be 0 to 255, got {address}")
    return address

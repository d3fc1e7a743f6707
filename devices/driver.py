"""The shape of a driver: a pure machine between orders and news on one side and bytes on the other.

```
order ──take──▶ ┌────────┐ ──owed──▶ bytes ──link──▶ device
                │ driver │
news ◀──feed──  └────────┘ ◀──────── bytes ◀──link── device
```

A driver opens nothing, reads nothing, waits for nothing and has no clock. The station that owns the cable keeps this
rhythm:

    driver.reset()                       after each (re)opening; forgets half frames and unfinished talk
    driver.poll()                        in a quiet moment, every `timing.poll_every` seconds: put a question
    driver.take(order)                   only while `driver.idle`
    link.write(driver.owed())            after every call above and below, until it owes nothing
    for news in driver.feed(data): …     whatever arrives, in whatever pieces
    for news in driver.silence(): …      when `driver.patience` seconds passed with nothing received
    for news in driver.lost(): …         when the cable went while something was under way

On a line with several devices each driver has its turns (`devices.cable`): it holds the line while it is not `idle`,
and hears others only if it is `unasked`. So whoever waits for an answer must not be idle meanwhile.

One file in `devices/drivers/` is one family: `Options`, `Driver`, `Simulator` and nothing registered elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from devices.roles import News, Order, Role, Trouble


@dataclass(frozen=True)
class Timing:
    """What the station needs to know about a family's rhythm. Seconds."""

    poll_every: float | None = None  # ask in quiet moments; None: never speak unless there is an order
    gap: float = 0.0  # least pause between two frames written to the cable


class OrderMistake(ValueError):
    """Our own mistake: the order does not fit this driver (unknown, wrong field, too long)."""


class Driver(ABC):
    """How one device family speaks. Subclasses are named `Driver` in their module."""

    roles: ClassVar[tuple[Role, ...]]
    links: ClassVar[tuple[str, ...]] = ("serial", "socket")  # link schemes that make sense for this family
    Options: ClassVar[type[Any]]  # a frozen dataclass; fields carry metadata label/help/unit/min/max/choices
    baud: ClassVar[int] = 9600  # the family's usual speed, when the link names none
    timing: Timing = Timing()
    # Orders or news of its roles that this family lacks, each with the reason in a sentence.
    cannot: ClassVar[dict[type, str]] = {}
    private: ClassVar[bool] = False  # True: what passes on this cable may name a person and is never kept or logged
    shared: bool = False  # True: others speak on this line too, so a frame for an address we do not have is theirs
    identifies: ClassVar[bool] = False  # True: Alive.detail tells which device this is, or at least which make
    answers: bool = True  # False: by its nature (or its options) this device never answers; it can never be confirmed

    def __init__(self, options: Any = None) -> None:
        self.options = options if options is not None else self.Options()

    @abstractmethod
    def encode(self, order: Order) -> bytes:
        """The bytes that carry this order, and nothing around it. Pure: changes no state. Raises OrderMistake."""

    @abstractmethod
    def take(self, order: Order) -> None:
        """Accept an order into the conversation; its outcome comes later as Obeyed, Refused or Unconfirmed."""

    @abstractmethod
    def feed(self, data: bytes) -> list[News]:
        """Everything the device has said with these bytes. Never raises, whatever the bytes."""

    @abstractmethod
    def owed(self) -> bytes:
        """One frame the conversation obliges us to send now (acknowledgement, next step); empty: nothing."""

    @property
    def unasked(self) -> bool:
        """True when devices of this family may speak by themselves: a key is pressed, a card laid down."""
        return any(not issubclass(news, Trouble) for role in self.roles for news in role.news)

    def lacks(self, what: type) -> str:
        """Why this device, set up as it is, has no such order or news, as a sentence; empty when it has."""
        return self.cannot.get(what, "")

    def poll(self) -> None:
        """A quiet moment (idle, nothing waited for): put a harmless question, if there is one. `owed` sends it."""

    def silence(self) -> list[News]:
        """`patience` seconds passed without a byte: what follows from that."""
        return []

    def lost(self) -> list[News]:
        """The cable went: the outcome of what was under way."""
        return []

    @abstractmethod
    def reset(self) -> None:
        """The cable was opened (again): forget half frames and unfinished talk, keep nothing of the past."""

    @property
    def patience(self) -> float | None:
        """Seconds of silence after which `silence` is to be called; None: nothing is being waited for."""
        return None

    @property
    def idle(self) -> bool:
        """True when a new order may be taken."""
        return True


class Simulator(ABC):
    """The device's side of the cable, as pure as the driver: bytes in, bytes out, and things that happen to it."""

    faults: ClassVar[tuple[str, ...]] = ()  # faults of this device; faults of any cable live in `devices.faults`

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        self.options = options
        self.faults_on = faults
        self.obeyed: list[Order] = []  # orders the device has done; whoever runs the simulator drains it

    @abstractmethod
    def receive(self, data: bytes) -> bytes:
        """What the device answers to these bytes, in whatever pieces they come."""

    @abstractmethod
    def happen(self, news: News) -> bytes:
        """Something happens at the device (a card is laid down, a key pressed, paper runs out): bytes it sends, if any.

        Raises ValueError when this device cannot have such news.
        """

    def dialled(self) -> bytes:
        """The device has dialled in to us: what it says first. Only devices that do so say anything."""
        return b""

    def tick(self) -> bytes:
        """What the device sends by itself about ten times a second (camera frames, automatic status)."""
        return b""

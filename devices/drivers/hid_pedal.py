"""Foot pedals that count as a keyboard and press a key of it (generic).

Pedals follow no document of a maker's: which key one presses is set at the factory or by a program of the maker's, and
learning mode finds out. What comes is the kernel's input protocol (Documentation/input/input.rst), grabbed by the
link: the key reaches nobody else.

A step is told when the pedal goes down. While a foot stays on it the kernel repeats the key (value 2), which is no
step, and a second step needs the pedal to have come up: so a contact that chatters within one report is one step, and
no clock is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from devices.hid.events import DOWN, HELD, UP, strokes
from devices.hid.held import LOST, Held
from devices.hid.listener import Listener, Typing
from devices.hid.names import code_of, name_of, pressed
from devices.roles import FOOT_PEDAL, News, PedalPressed, Role

PEDALS = 9  # at most on one device
SETTLE = 0.1  # s of quiet after which half an event is no more than noise
USUAL = "KEY_B"  # what a simulated pedal presses when nothing is set up


@dataclass(frozen=True)
class Options:
    """Which key each pedal presses."""

    keys: Mapping[str, int] = field(
        default_factory=dict,
        metadata={
            "label": "踏板按键 keys",
            "help": 'key = number of the pedal, such as "KEY_B" = 1; empty: any key is pedal 1',
        },
    )

    def __post_init__(self) -> None:
        self.codes()
        for name, pedal in self.keys.items():
            if not 1 <= pedal <= PEDALS:
                raise ValueError(f"keys: {name} must be pedal 1 to {PEDALS}, got {pedal}")

    def codes(self) -> dict[int, int]:
        """Number of a key → number of its pedal."""
        try:
            return {code_of(name): pedal for name, pedal in self.keys.items()}
        except ValueError as wrong:
            raise ValueError(f"keys: {wrong}") from None


class Driver(Listener):
    """Tells each step on a pedal."""

    roles: ClassVar[tuple[Role, ...]] = (FOOT_PEDAL,)
    Options = Options
    refusal = "a foot pedal has no order"

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self._pedals = self.set_up.codes()
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        super().reset()
        self._held = Held()

    @property
    def patience(self) -> float | None:
        """See Driver."""
        return SETTLE if self._held.half else None

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        for code in self._held.feed(data):
            if code == LOST:
                self._hearing.noise(news)
            else:
                self._step(code, news)
        return news

    def silence(self) -> list[News]:
        """See Driver."""
        news: list[News] = []
        if self._held.quiet():
            self._hearing.noise(news)
        return news

    def _step(self, code: int, news: list[News]) -> None:
        pedal = self._pedals.get(code, 0) if self._pedals else 1
        if not pedal:
            return
        self._hearing.clear(news)
        self._hearing.lives(news)
        news.append(PedalPressed(pedal=pedal, code=name_of(code)))


def learn(presses: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
    """The options of a device whose pedals were pressed. `presses`: number of a pedal → what came at each of 2 presses.

    Raises ValueError with a sentence when the pedals cannot be told apart.
    """
    keys: dict[str, int] = {}
    for pedal, recorded in presses.items():
        if pedal not in map(str, range(1, PEDALS + 1)):
            raise ValueError(f"there is no pedal {pedal!r}; call them 1 to {PEDALS}")
        if len(recorded) < 2:
            raise ValueError(f"pedal {pedal} was pressed once only; press it at least twice")
        steps = [pressed(one) for one in recorded]
        if not all(steps):
            raise ValueError(f"pedal {pedal} was pressed and no key came; check its cable")
        if any(step != steps[0] for step in steps):
            raise ValueError(f"pedal {pedal} did not say the same each time; press one pedal at a time")
        name = steps[0][0]
        if name in keys:
            raise ValueError(f"pedals {keys[name]} and {pedal} both press {name} and cannot be told apart")
        keys[name] = int(pedal)
    if not keys:
        raise ValueError("nothing was recorded; press each pedal at least twice")
    return {"keys": keys}


class Simulator(Typing):
    """Pedals on which somebody steps."""

    faults: ClassVar[tuple[str, ...]] = ("stuck", "chatter")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options or Options(), faults)
        self.set_up = cast(Options, self.options)

    def happen(self, news: News) -> bytes:
        """See Simulator."""
        if not isinstance(news, PedalPressed):
            raise ValueError(f"a foot pedal is only pressed; it has no {type(news).__name__}")
        codes = {pedal: code for code, pedal in self.set_up.codes().items()} or {1: code_of(USUAL)}
        if news.pedal not in codes:
            raise ValueError(f"there is no pedal {news.pedal}; there are: {', '.join(map(str, codes))}")
        code = codes[news.pedal]
        if "stuck" in self.faults_on:
            return self._type([(code, DOWN), *[(code, HELD)] * 40])
        if "chatter" in self.faults_on:  # as a contact that closes twice before the kernel has seen it open
            return self._type([(code, DOWN), (code, DOWN), (code, UP)])
        return self._type(strokes([code]))

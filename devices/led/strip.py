"""The conversation with LED strips: one order at a time, and honestly whether it was done.

A hall board made of strips, or in one piece, shows the latest calls: every row is written anew on each call.

A family says how a text looks as frames (`say`), or an order its cards know themselves (`carry`), and, when it can,
what a harmless question looks like (`ask`) and what an answer is (`hear`). The rest is here: acknowledgements awaited
and asked for again, strips asked in turn, silence and noise told once, our own bytes that an RS-485 adapter returns not
taken for noise.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from devices import driver as base
from devices.driver import OrderMistake
from devices.roles import (
    HALL_BOARD,
    WINDOW_SCREEN,
    Alive,
    Garbled,
    News,
    Obeyed,
    Order,
    Refused,
    Role,
    ShowCalls,
    Silent,
    Unconfirmed,
)

NOISE_LIMIT = 256  # stray bytes without one good answer between them, after which the line counts as garbled
QUIET = 1.0  # s without a byte after which noise on the line of a silent family is over
MISSES = 3
GRACE = 2.0  # s of quiet after which an answer that was given up will not come any more
SENT = 0.05  # s after the last frame until an order that nobody acknowledges gets its outcome
MUTE = "the text was sent; a strip like this never acknowledges"


@dataclass(frozen=True)
class Reply:
    """What a strip answered. `at`: its address, None when the answer does not say; `done`: about an order, or None."""

    at: int | None = None
    done: bool | None = None
    reason: str = ""
    detail: str = ""


class Strip(base.Driver):
    """The host's side of any strip. `options` has `addresses` and `words`; families that answer add the waits."""

    roles: ClassVar[tuple[Role, ...]] = (WINDOW_SCREEN, HALL_BOARD)
    links: ClassVar[tuple[str, ...]] = ("serial", "socket", "udp")
    answers = False
    asks: bool = False  # there is a harmless question
    copies: ClassVar[int] = 1  # how often each frame is sent

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        # The class lists what the family can be for; this one hangs above windows or is a board, never both.
        self.roles = (HALL_BOARD if self.options.rows() else WINDOW_SCREEN,)  # type: ignore[misc]
        self._turn = 0
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        self._order: Order | None = None
        self._asked = False  # a question is under way
        self._at = 0  # the strip that is being talked to
        self._frames: deque[bytes] = deque()
        self._rows: deque[tuple[int, list[bytes]]] = deque()  # of a board, still to be told: strip and frames
        self._row: list[bytes] = []  # frames of the one being told
        self._worst: tuple[type[Any], str] = (Obeyed, "")  # of the rows told so far
        self._begun = self._waiting = False
        self._tries = 0
        self._rest = b""
        self._noise = self._echo = 0
        self._garbled = False
        self._alive: set[int] = set()
        self._silent: set[int] = set()
        self._misses: dict[int, int] = {}
        self._due: dict[int, int] = {}  # answers that may still come, by address

    # ---- what a family adds ----

    @abstractmethod
    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """The frames that show a text; `place` names the text in an OrderMistake."""

    def carry(self, at: int, order: Order) -> list[bytes]:
        """The frames of an order: its text, unless the family's cards know the order itself."""
        return self.say(at, *self.options.words(order))

    def board(self, rows: list[str], place: str) -> list[tuple[int, list[bytes]]]:
        """The frames of each row of a board and the strip that answers to them, from top to bottom."""
        return [(at, self.say(at, row, place)) for at, row in zip(self.options.addresses, rows, strict=True)]

    def ask(self, at: int) -> bytes:
        """A harmless question to the strip at an address."""
        return b""

    def hear(self, data: bytes) -> tuple[Sequence[Reply], int, bytes]:
        """Answers in the bytes, how many bytes belong to none, and the beginning of one that is not whole yet."""
        return (), len(data), b""

    # ---- orders ----

    def encode(self, order: Order) -> bytes:
        """See Driver."""
        return b"".join(frame for _, frames in self._said(order) for frame in frames)

    def take(self, order: Order) -> None:
        """See Driver."""
        if not self.idle:
            raise OrderMistake("the strip is still busy with another order")
        self._rows, self._worst = deque(self._said(order)), (Obeyed, "")
        self._order, self._begun = order, False
        self._next_row()

    def poll(self) -> None:
        """See Driver. Each strip in turn."""
        if not self.asks or not self.idle:
            return
        addresses = self.options.addresses
        self._at = addresses[self._turn % len(addresses)]
        self._turn += 1
        self._asked, self._tries = True, 0
        self._put([self.ask(self._at)])

    @property
    def idle(self) -> bool:
        """See Driver. An answer to a question could be mistaken for one to the order behind it, so they never mix."""
        return self._order is None and not self._asked

    def owed(self) -> bytes:
        """See Driver."""
        if not self._frames:
            return b""
        frame = self._frames.popleft()
        self._begun = True
        self._waiting = not self._frames
        self._echo = min(self._echo + len(frame), 4096)
        if self._waiting and (self._asked or self.answers):
            self._due[self._at] = self._due.get(self._at, 0) + 1
        return frame

    @property
    def patience(self) -> float | None:
        """See Driver."""
        if self._waiting:
            return float(self.options.confirm_seconds) if self._asked or self.answers else SENT
        if self._due:
            return GRACE
        return QUIET if self._noise and not self.asks else None

    def _put(self, frames: list[bytes]) -> None:
        self._frames = deque(frame for frame in frames for _ in range(self.copies))
        self._waiting = False

    def _next_row(self) -> None:
        self._at, self._row = self._rows.popleft()
        self._tries = 0
        self._put(self._row)

    def _said(self, order: Order) -> list[tuple[int, list[bytes]]]:
        """What must be told, strip by strip; where nothing is acknowledged, all of it in one go."""
        at = self._address(order)
        if not isinstance(order, ShowCalls):
            return [(at, self.carry(at, order))]
        if not (count := self.options.rows()):
            raise OrderMistake("ShowCalls: these strips are not set up as a hall board")
        calls = [*order.calls[:count], *[None] * (count - len(order.calls))]
        told = self.board([self.options.row(call) for call in calls], "ShowCalls.calls")
        return told if self.answers else [(at, [frame for _, frames in told for frame in frames])]

    def _address(self, order: Order) -> int:
        known: tuple[int, ...] = self.options.addresses
        at = order.address or known[0]
        if at not in known:
            there = ", ".join(map(str, known))
            raise OrderMistake(f"{type(order).__name__}.address: no strip {at} here; there are: {there}")
        return at

    # ---- what comes back ----

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        if not data:
            return news
        if self._waiting and not self._asked and not self.answers:
            self._end(news, Unconfirmed, MUTE)  # whatever has come, it is no acknowledgement
        replies, stray, self._rest = self.hear(self._rest + data)
        for reply in replies:
            self._reply(reply, news)
        if replies:
            self._noise = self._echo = 0  # what came beside an answer has done no harm
        else:
            self._stray(stray, news)
        return news

    def _stray(self, count: int, news: list[News]) -> None:
        ours = min(count, self._echo)
        self._echo -= ours
        self._noise += count - ours
        if self._noise <= NOISE_LIMIT:
            return
        if not self._garbled:
            self._garbled = True
            news.append(Garbled())
        if self._waiting:
            self._missed(news, "the text was sent, but the line is full of noise")

    def _reply(self, reply: Reply, news: list[News]) -> None:
        at = self._at if reply.at is None else reply.at
        if at not in self.options.addresses:
            return  # somebody else's on the same line
        if self._garbled:
            self._garbled = False
            news.append(Garbled(over=True))
        self._heard(at, reply.detail, news)
        due = self._due.pop(at, 0)
        if due > 1:
            self._due[at] = due - 1
        if not self._waiting or at != self._at or due > self._tries + 1:
            return  # the answer to something that was given up before: it says nothing about the present order
        if self._asked:
            self._waiting = self._asked = False
        elif reply.done is not None and self.answers:
            self._end(news, Obeyed if reply.done else Refused, reply.reason)

    def _heard(self, at: int, detail: str, news: list[News]) -> None:
        self._misses[at] = 0
        if at in self._silent:
            self._silent.discard(at)
            self._alive.discard(at)
            news.append(Silent(address=at, over=True))
        if at not in self._alive:
            self._alive.add(at)
            news.append(Alive(address=at, detail=detail))

    # ---- silence and loss ----

    def silence(self) -> list[News]:
        """See Driver."""
        news: list[News] = []
        self._noise = self._echo = 0
        if self._garbled and not self.asks:
            self._garbled = False
            news.append(Garbled(over=True))
        if not self._waiting:
            self._due.clear()
            return news
        if not self._asked and not self.answers:
            self._end(news, Unconfirmed, MUTE)
        elif self._order is not None and self._tries < self.options.repeats and self._at not in self._silent:
            self._tries += 1
            self._put(self._row)  # to be told the same twice harms no strip
        else:
            self._missed(news, f"the text was sent, but strip {self._at} did not acknowledge it")
        return news

    def _missed(self, news: list[News], reason: str) -> None:
        at = self._at
        self._misses[at] = self._misses.get(at, 0) + 1
        if self._misses[at] >= MISSES and at not in self._silent:
            self._silent.add(at)
            news.append(Silent(address=at))
        self._end(news, Unconfirmed, reason)

    def lost(self) -> list[News]:
        """See Driver."""
        news: list[News] = []
        if self._begun:
            self._end(news, Unconfirmed, "the cable went while the text was on its way", lost=True)
        else:
            self._end(news, Refused, "the cable went before the text was sent", lost=True)
        return news

    def _end(self, news: list[News], outcome: type[Any], reason: str = "", lost: bool = False) -> None:
        if self._worst[0] is Obeyed:
            self._worst = (outcome, reason)
        if self._rows and not lost:
            self._next_row()
            return
        if not lost:
            outcome, reason = self._worst
        self._rows.clear()
        order, self._order = self._order, None
        self._frames.clear()
        self._waiting = self._asked = self._begun = False
        if order is not None:
            why = {"reason": reason} if reason else {}
            news.append(outcome(order=type(order).__name__, id=order.id, address=order.address, **why))

"""The strips' own side of the cable: they find frames among whatever comes and show what they are told.

Faults that more than one family lists: `dark` takes everything and shows nothing; `no-acks` or `no-answers` shows and
says nothing; `first-ack-lost` or `first-answer-lost` loses one answer; `wrong-address` signs as another strip.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

from devices import driver as base
from devices.roles import News, Order, ShowCall, ShowCalls, ShowServing

MOST = 4096  # bytes of a frame that has not ended yet


class StripSimulator(base.Simulator):
    """One or more strips on one line. `shown` is what stands on each, as a person reads it."""

    HEAD: ClassVar[bytes] = b""  # how a frame of this family begins; one without a beginning has its own `start`
    faults: ClassVar[tuple[str, ...]] = ("dark",)

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options, faults)
        self.shown: dict[int, str] = {}
        self._rest = b""
        self._lost_one = False

    @abstractmethod
    def size(self, data: bytes) -> int | None:
        """How long the frame is that begins these bytes; 0: it is none; None: more bytes will tell."""

    @abstractmethod
    def obey(self, frame: bytes) -> bytes:
        """Do what a whole and right frame says; what the strip answers."""

    def receive(self, data: bytes) -> bytes:
        """See Simulator."""
        data, answers = self._rest + data, b""
        while (start := self.start(data)) >= 0:
            data = data[start:]
            size = self.size(data)
            if size is None:
                self._rest = self.keep(data)
                return answers
            if not size:
                data = data[1:]
                continue
            if "dark" not in self.faults_on:
                answers += self.obey(data[:size])
            data = data[size:]
        self._rest = data[1 - len(self.HEAD) :] if len(self.HEAD) > 1 else b""
        return answers

    def keep(self, data: bytes) -> bytes:
        """What is kept of a frame that has not ended yet."""
        return data[-MOST:]

    def start(self, data: bytes) -> int:
        """Where a frame may begin; -1: nowhere."""
        return data.find(self.HEAD)

    def happen(self, news: News) -> bytes:
        """See Simulator."""
        raise ValueError(f"a window strip has nothing to say by itself, so it cannot have {type(news).__name__}")

    def show(self, at: int, text: str) -> None:
        """A text now stands on the strip at an address; what order it was can be read out of it."""
        if self.options.rows() and (self.options.called(text) or not text.strip()):
            self.rows(at, [text])
            return
        order = self.options.meant(text)
        if isinstance(order, ShowCall | ShowServing) and not order.window:
            order = replace(order, window=at)  # a strip that does not say so hangs above its own window
        self.stand(at, text, order)

    def rows(self, at: int, texts: list[str]) -> None:
        """Rows of a board now say this, from the strip at an address down; with the last one the board is whole."""
        options = self.options
        self.shown.update({at + i: text for i, text in enumerate(texts)})
        if len(texts) > 1 or at == options.addresses[-1]:
            shown = texts if len(texts) > 1 else [self.shown.get(one, "") for one in options.addresses]
            calls = tuple(call for call in map(options.called, shown) if call)
            self.obeyed.append(ShowCalls(calls=calls))

    def stand(self, at: int, text: str, order: Order) -> None:
        """A text now stands on the strip at an address, because of this order."""
        self.shown[at] = text
        self.obeyed.append(replace(order, address=0 if at == self.options.addresses[0] else at))

    # ---- answers ----

    @property
    def mute(self) -> bool:
        """True when these strips never answer anything."""
        return not self.faults_on.isdisjoint(("no-acks", "no-answers"))

    def kept_back(self) -> bool:
        """True when the answer that is due now does not come: these strips are mute, or this one is lost."""
        loses = not self.faults_on.isdisjoint(("first-ack-lost", "first-answer-lost"))
        if loses and not self._lost_one:
            self._lost_one = True
            return True
        return self.mute

    def signed(self, at: int) -> int:
        """The address that the strip at an address puts under its answer."""
        return at % 254 + 1 if "wrong-address" in self.faults_on else at

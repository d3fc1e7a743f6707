"""The strips' own side of the cable: they find frames among whatever comes and show what they are told."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

from devices import driver as base
from devices.roles import News, ShowCall, ShowServing

MOST = 4096  # bytes of a frame that has not ended yet


class StripSimulator(base.Simulator):
    """One or more strips on one line. `shown` is what stands on each, as a person reads it."""

    HEAD: ClassVar[bytes] = b""  # how a frame of this family begins; one without a beginning has its own `start`
    faults: ClassVar[tuple[str, ...]] = ("dark",)  # takes everything, shows nothing

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options, faults)
        self.shown: dict[int, str] = {}
        self._rest = b""

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
                self._rest = data[-MOST:]
                return answers
            if not size:
                data = data[1:]
                continue
            if "dark" not in self.faults_on:
                answers += self.obey(data[:size])
            data = data[size:]
        self._rest = data[1 - len(self.HEAD) :] if len(self.HEAD) > 1 else b""
        return answers

    def start(self, data: bytes) -> int:
        """Where a frame may begin; -1: nowhere."""
        return data.find(self.HEAD)

    def happen(self, news: News) -> bytes:
        """See Simulator."""
        raise ValueError(f"a window strip has nothing to say by itself, so it cannot have {type(news).__name__}")

    def show(self, at: int, text: str) -> None:
        """A text now stands on the strip at an address."""
        self.shown[at] = text
        order = self.options.meant(text)
        if isinstance(order, ShowCall | ShowServing) and not order.window:
            order = replace(order, window=at)  # a strip that does not say so hangs above its own window
        self.obeyed.append(replace(order, address=0 if at == self.options.addresses[0] else at))

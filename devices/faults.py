"""What can go wrong on any cable, whatever hangs on it: put around a simulator to see whether we notice.

| fault | what the line does |
| --- | --- |
| silent | takes everything, says nothing |
| noise | random bytes before each answer |
| late | each answer comes 1.5 s late |
| twice | each answer comes twice |
| split | each answer comes byte by byte |
| half | each answer stops in the middle |
| bad-checksum | one bit of each answer is wrong |
| echo | what is sent comes back first (RS-485 adapters with their receiver left on) |
| die-mid-frame | the cable goes in the middle of what is sent (of 4 bytes or more), and is back after 2 s |
| babble | 1 MB/s of random bytes |
"""

from __future__ import annotations

import random
from collections.abc import Iterable

LINE_FAULTS = ("silent", "noise", "late", "twice", "split", "half", "bad-checksum", "echo", "die-mid-frame", "babble")
LATE = 1.5  # seconds
AWAY = 2.0  # seconds a cable that died stays away
BABBLE = 1_000_000  # bytes a second


class FaultyLine:
    """The cable between us and a simulator; `names` are the faults it has. Same seed, same noise."""

    def __init__(self, names: Iterable[str], seed: int = 1) -> None:
        self.names = frozenset(names)
        self._random = random.Random(seed)

    def hear(self, data: bytes) -> tuple[bytes, bytes, bool]:
        """What is sent to the device: (what reaches it, what comes straight back, whether the cable dies now)."""
        if "die-mid-frame" in self.names and len(data) >= 4:
            return data[: len(data) // 2], b"", True
        return data, data if "echo" in self.names else b"", False

    def say(self, answer: bytes) -> list[tuple[float, bytes]]:
        """What arrives of one answer: pieces, each with its delay in seconds."""
        if not answer or "silent" in self.names:
            return []
        if "half" in self.names:
            answer = answer[: max(1, len(answer) // 2)]
        if "bad-checksum" in self.names:
            middle = len(answer) // 2
            answer = answer[:middle] + bytes([answer[middle] ^ 0x01]) + answer[middle + 1 :]
        if "twice" in self.names:
            answer += answer
        if "noise" in self.names:
            answer = self._random.randbytes(self._random.randint(1, 16)) + answer
        delay = LATE if "late" in self.names else 0.0
        if "split" in self.names:
            return [(delay + 0.001 * i, answer[i : i + 1]) for i in range(len(answer))]
        return [(delay, answer)]

    def babble(self, seconds: float) -> bytes:
        """The noise of a babbling line for so long; empty when it does not babble."""
        return self._random.randbytes(int(BABBLE * seconds)) if "babble" in self.names else b""


def sort_faults(names: Iterable[str], own: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Faults of the line and of the device itself (`own` are the ones it has). Raises ValueError with the list."""
    given, own = frozenset(names), frozenset(own)
    unknown = given - own - frozenset(LINE_FAULTS)
    if unknown:
        known = ", ".join((*LINE_FAULTS, *sorted(own)))
        raise ValueError(f"no fault is called {', '.join(sorted(unknown))}; there are: {known}")
    return given - own, given & own

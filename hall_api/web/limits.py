"""How often one may try: counts attempts in a sliding window of time, in memory."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable


class Limit:
    """At most `tries` in `seconds` for each key."""

    def __init__(self, tries: int, seconds: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self.tries, self.seconds, self._now = tries, seconds, now
        self._made: dict[str, deque[float]] = {}

    def wait(self, key: str) -> int:
        """Whole seconds to wait before the next try; 0 when it may be made now."""
        made = self._fresh(key)
        return math.ceil(made[0] + self.seconds - self._now()) if len(made) >= self.tries else 0

    def count(self, key: str) -> None:
        """A try is being made."""
        if len(self._made) > 10_000:  # somebody makes up keys: forget those whose time is over
            for old in list(self._made):
                self._fresh(old)
        self._fresh(key, keep=True).append(self._now())

    def forgive(self, key: str) -> None:
        """It was the right person after all."""
        self._made.pop(key, None)

    def _fresh(self, key: str, *, keep: bool = False) -> deque[float]:
        made = self._made.get(key)
        if made is None:
            made = deque(maxlen=self.tries)
            if keep:
                self._made[key] = made
            return made
        oldest = self._now() - self.seconds
        while made and made[0] <= oldest:
            made.popleft()
        if not made and not keep:
            del self._made[key]
        return made

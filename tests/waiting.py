"""Waiting for what another thread or program does: until it is so, never for a while and in hope."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], seconds: float = 10.0) -> T:
    """Look again and again until the answer is true, and return it; fails after `seconds` with what was seen last."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {seen!r}"
        time.sleep(0.005)  # nobody tells us: it happens in another process, or at the other end of a cable
    return seen


def still(look: Callable[[], object], seconds: float) -> Callable[[], bool]:
    """For `until`: true once the answer has stayed the same for so long."""
    seen, since = look(), time.monotonic()

    def looked() -> bool:
        nonlocal seen, since
        now = look()
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since >= seconds

    return looked

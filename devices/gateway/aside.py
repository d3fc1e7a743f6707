"""Work that takes its time, in another thread, while the gateway's one thread serves every other page."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import gevent

T = TypeVar("T")


def aside(work: Callable[[], T], *expected: type[Exception]) -> T:
    """What `work` returns; raises what it raises.

    ValueError, OSError and what is `expected` are answers for whoever asked and are printed nowhere; anything else is
    our own mistake, which gevent's pool prints.
    """
    done: Future[T] = Future()
    kinds: tuple[type[Exception], ...] = (ValueError, OSError, *expected)

    def attempt() -> None:
        try:
            done.set_result(work())
        except kinds as trouble:
            done.set_exception(trouble)

    gevent.get_hub().threadpool.apply(attempt)
    return done.result()

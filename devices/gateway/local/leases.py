"""Which page has which device: one at a time; others are told who, and may wait in line.

A page that wants to keep a device takes it over its WebSocket and has it until it lets go or the socket ends. A single
request without that takes the device for as long as the request lasts.
"""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from devices.gateway.local.refusal import Refusal


@dataclass(frozen=True)
class Page:
    """One page of one origin: two tabs are two pages. `id` is its own choice, made anew at each load."""

    origin: str
    id: str


class Leases:
    """Who has what. Used from the gateway's one thread; nothing here waits."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._owners: dict[str, Page] = {}
        self._kept: set[str] = set()  # taken by a page until it lets go
        self._deeds: Counter[str] = Counter()  # requests under way
        self._waiting: dict[str, deque[tuple[Page, Callable[[], None]]]] = {}

    def owner(self, device: str) -> Page | None:
        """The page that has it now."""
        return self._owners.get(device)

    def take(self, device: str, page: Page, when_free: Callable[[], None] | None = None) -> Page | None:
        """Have it from now on: None. Or the page that has it; then `when_free` is called once it is ours."""
        owner = self._owners.setdefault(device, page)
        if owner == page:
            self._kept.add(device)
            self._changed()
            return None
        if when_free is not None:
            line = self._waiting.setdefault(device, deque())
            if all(one != page for one, _ in line):
                line.append((page, when_free))
        return owner

    def release(self, device: str, page: Page) -> None:
        """Let go, or stop waiting. What is under way is finished first."""
        if left := deque(one for one in self._waiting.pop(device, ()) if one[0] != page):
            self._waiting[device] = left
        if self._owners.get(device) == page:
            self._kept.discard(device)
            self._free_if_done(device)

    def drop(self, page: Page) -> None:
        """The page is gone: everything it had is free."""
        for device in {*self._owners, *self._waiting}:
            self.release(device, page)

    @contextlib.contextmanager
    def during(self, device: str, page: Page) -> Iterator[None]:
        """Have it for one request. Raises Refusal naming the owner when another page has it."""
        owner = self._owners.get(device)
        if owner is not None and owner != page:
            raise Refusal(409, "owned", "Another page is using this device: {owner}", owner=owner.origin)
        self._owners[device] = page
        self._deeds[device] += 1
        self._changed()
        try:
            yield
        finally:
            self._deeds[device] -= 1
            self._free_if_done(device)

    def _free_if_done(self, device: str) -> None:
        if self._deeds[device] or device in self._kept:
            return
        del self._owners[device]
        line = self._waiting.get(device)
        if line:
            self._owners[device], when_free = line.popleft()
            self._kept.add(device)
            when_free()
        self._changed()

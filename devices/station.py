"""This machine's devices: opens each on its cable, sends orders, tells news, and knows how each is doing.

    station = Station([DeviceEntry("pad", "queue-bus", "serial://by-path/…")], tell=print)
    station.send("pad", Beep()).result()        Obeyed, Refused or Unconfirmed
    station.states()                            one DeviceState each
    station.apply([…])                          another configuration, without touching what stays the same
    station.close()

The only threads of `devices/` are made here: two for each cable (`devices.cable`, `devices.teller`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.reader import Mistake
from devices import drivers
from devices.cable import CALM, DELAYS, Cable, Exchange
from devices.condition import State
from devices.driver import Driver
from devices.links import Link, LinkMistake, check_link, open_link
from devices.options import read_options
from devices.orders import Outcome
from devices.roles import News, Order
from devices.words import to_json

__all__ = ["DeviceEntry", "DeviceState", "Outcome", "State", "Station", "mistakes"]


@dataclass(frozen=True)
class DeviceEntry:
    """One device of this machine, as configured. `windows` maps an address on the cable to a window number."""

    name: str
    driver: str
    link: str
    options: object = field(default_factory=dict)  # a table, or the driver's Options
    windows: Mapping[int, int] = field(default_factory=dict)
    enabled: bool = True


@dataclass(frozen=True)
class DeviceState:
    """How a device is doing. `troubles` are news as in `devices.words`; `since` is in UTC."""

    name: str
    driver: str
    roles: tuple[str, ...]
    link: str
    state: State
    reason: str
    since: datetime
    troubles: tuple[dict[str, Any], ...]
    counters: dict[str, int]
    windows: dict[int, int]
    enabled: bool

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON-able dict."""
        return {
            **vars(self),
            "roles": list(self.roles),
            "state": self.state.value,
            "since": self.since.isoformat(timespec="seconds"),
            "troubles": list(self.troubles),
            "windows": {str(address): no for address, no in self.windows.items()},
        }


class Station:
    """The devices of one machine, each on a cable of its own."""

    def __init__(
        self,
        devices: Sequence[DeviceEntry],
        tell: Callable[[str, News], None],
        delays: Sequence[float] = DELAYS,
        calm: float = CALM,
    ) -> None:
        """Check everything, then open everything. `tell(device, news)` is called in order for each device, by a thread.

        `delays`: seconds between attempts to open a cable; `calm`: seconds without noise until a line counts as clean.

        Raises Mistake (one sentence a line, naming the place) or LinkMistake, before anything is opened.
        """
        self._tell, self._delays, self._calm = tell, tuple(delays), calm
        self._applying = threading.Lock()
        self.entries: dict[str, DeviceEntry] = {}
        self._cables: dict[str, Cable] = {}
        self.apply(devices)

    def apply(self, devices: Sequence[DeviceEntry]) -> list[str]:
        """Have these devices and no others: what is new is opened, what is gone or changed is closed first.

        Devices that stay as they were are not touched: their talk, counters and waiting orders go on. Returns the
        names of those that were opened or closed, in order. May be called from any thread but not inside `tell`.

        Raises Mistake or LinkMistake, as when the station is made, before anything is touched.
        """
        with self._applying:
            if wrong := _shared(devices):
                raise Mistake(*wrong)
            entries = {entry.name: entry for entry in devices}
            kept = {name for name, entry in entries.items() if self.entries.get(name) == entry}
            made = {n: _cable(e, self._tell, self._delays, self._calm) for n, e in entries.items() if n not in kept}
            gone = {name: cable for name, cable in self._cables.items() if name not in kept}
            for cable in gone.values():
                cable.stop()
            for cable in gone.values():
                cable.close()
            # Swapped in one step: whoever asks meanwhile sees the old devices or the new ones, never half of them.
            cables = {name: made.get(name) or self._cables[name] for name in entries}
            self.entries, self._cables = entries, cables
            for cable in made.values():
                cable.start()
            return sorted({*made, *gone})

    def send(self, device: str, order: Order, timeout: float = 10.0) -> Future[Outcome]:
        """Send an order; the future gets Obeyed, Refused or Unconfirmed. Refused at once while the device is absent.

        Raises KeyError when this machine has no such device. Never wait for the result inside `tell`.
        """
        return self._cable(device).send(order, timeout)

    def states(self) -> list[DeviceState]:
        """How each device is doing now."""
        return [self._state(entry, cable) for entry, cable in self._pairs()]

    def state(self, device: str) -> DeviceState:
        """How one device is doing now. Raises KeyError."""
        cable = self._cable(device)
        return self._state(self.entries[device], cable)

    def exchanges(self, device: str) -> list[Exchange]:
        """The last 200 things that passed on a device's cable, oldest first. Raises KeyError."""
        cable = self._cable(device)
        with cable.lock:
            return list(cable.exchanges)

    def last_news(self, device: str) -> list[tuple[datetime, News]]:
        """The last 50 pieces of news of a device, oldest first; personal fields are in clear here. Raises KeyError."""
        cable = self._cable(device)
        with cable.lock:
            return list(cable.last_news)

    def close(self) -> None:
        """Let go of every cable. Orders that still wait are refused."""
        for cable in self._cables.values():
            cable.stop()
        for cable in self._cables.values():
            cable.close()

    def __enter__(self) -> Station:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _pairs(self) -> list[tuple[DeviceEntry, Cable]]:
        """Each device with its cable, as they are now; a configuration may be applied while we look."""
        entries, cables = self.entries, self._cables
        return [(entries[name], cable) for name, cable in cables.items() if name in entries]

    def _cable(self, device: str) -> Cable:
        if device not in self._cables:
            raise KeyError(f"this machine has no device {device!r}; it has: {', '.join(self._cables) or 'none'}")
        return self._cables[device]

    def _state(self, entry: DeviceEntry, cable: Cable) -> DeviceState:
        with cable.lock:
            state, reason = cable.condition.state
            return DeviceState(
                name=entry.name,
                driver=entry.driver,
                roles=tuple(role.name for role in cable.driver.roles),
                link=entry.link,
                state=state,
                reason=reason,
                since=cable.since,
                troubles=tuple(to_json(trouble) for trouble in cable.condition.troubles),
                counters=dict(cable.counters),
                windows=dict(entry.windows),
                enabled=entry.enabled,
            )


def mistakes(devices: Sequence[DeviceEntry], place: str = "") -> list[str]:
    """What is wrong in these entries, a sentence each, without opening anything; `place` stands before their names."""
    wrong = []
    for entry in devices:
        here = f"{place}{entry.name}"
        try:
            kinds = drivers.load(entry.driver).Driver.links
            scheme = check_link(entry.link).scheme
            if scheme not in (*kinds, "sim"):
                wrong.append(f"{here}.link: {entry.driver} sits on {' or '.join(kinds)}, not on {scheme}")
            if isinstance(entry.options, Mapping):
                read_options(entry.driver, entry.options, f"{here}.options")
        except KeyError as unknown:
            wrong.append(f"{here}.driver: {unknown.args[0]}")
        except LinkMistake as mistake:
            wrong.append(f"{here}.link: {mistake}")
        except Mistake as mistake:
            wrong += mistake.lines
    return wrong or _shared(devices)


def _shared(devices: Sequence[DeviceEntry]) -> list[str]:
    """Two devices cannot have one name, nor one cable. Raises LinkMistake."""
    wrong = []
    names = [entry.name for entry in devices]
    wrong += [f"devices: two are called {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
    links = [entry.link for entry in devices if entry.enabled and check_link(entry.link).scheme != "sim"]
    for link in sorted({one for one in links if links.count(one) > 1}):
        users = ", ".join(entry.name for entry in devices if entry.link == link)
        wrong.append(f"devices: {users} name the same cable {link}; several addresses on it are one device's options")
    return wrong


def _cable(entry: DeviceEntry, tell: Callable[[str, News], None], delays: Sequence[float], calm: float) -> Cable:
    try:
        module = drivers.load(entry.driver)
    except KeyError as unknown:
        raise Mistake(f"{entry.name}.driver: {unknown.args[0]}") from unknown
    options = entry.options
    if isinstance(options, Mapping):
        options = read_options(entry.driver, options, f"{entry.name}.options")
    driver: Driver = module.Driver(options)

    def open_it() -> Link:
        return open_link(entry.link, driver.baud, lambda: module.Simulator(options))

    return Cable(entry.name, driver, open_it, tell, delays, calm, entry.enabled)

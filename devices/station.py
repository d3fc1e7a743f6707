"""This machine's devices: opens each on its cable, sends orders, tells news, and knows how each is doing.

    station = Station([DeviceEntry("pad", "queue-bus", "serial://by-path/…")], tell=print)
    station.send("pad", Beep()).result()        Obeyed, Refused or Unconfirmed
    station.states()                            one DeviceState each
    station.apply([…])                          another configuration, without touching what stays the same
    station.close()

A station has one thread for each cable (`devices.cable`), one for each device's news (`devices.teller`), and one for
udev (`devices.hotplug`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from config.reader import Mistake
from devices import drivers
from devices.cable import DELAYS, Cable
from devices.condition import State
from devices.conversation import CALM, Conversation, Exchange
from devices.driver import Driver
from devices.hotplug import ELSEWHERE, Hotplug, Plugged, concerns
from devices.links import REMOTE, Link, LinkMistake, check_link, open_link
from devices.links.identity import shifting
from devices.memory import Memory
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
    bus: bool = False  # one of several devices on one RS-485 line: each of them names the same link


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
    """The devices of one machine, each on a cable of its own or, on a line, with others (`devices.cable`)."""

    def __init__(
        self,
        devices: Sequence[DeviceEntry],
        tell: Callable[[str, News], None],
        delays: Sequence[float] = DELAYS,
        calm: float = CALM,
        memory: Path | None = None,
    ) -> None:
        """Check everything, then open everything. `tell(device, news)` is called in order for each device, by a thread.

        `delays`: seconds between attempts to open a cable; `calm`: seconds without noise until a line counts as clean;
        `memory`: the file beside the configuration that remembers which device answers where (`devices.memory`).

        Raises Mistake (one sentence a line, naming the place) or LinkMistake, before anything is opened.
        """
        self._tell, self._delays, self._calm = tell, tuple(delays), calm
        self._applying = threading.Lock()
        self._closed = False
        self._hotplug, self._memory = Hotplug(self.plugged), Memory(memory)
        self._talks: dict[str, tuple[DeviceEntry, Conversation]] = {}
        self._groups: dict[str, list[DeviceEntry]] = {}  # what is on each cable, by the cable's name
        self._cables: dict[str, Cable] = {}
        self.apply(devices)

    def apply(self, devices: Sequence[DeviceEntry]) -> list[str]:
        """Have these devices and no others: what is new is opened, what is gone or changed is closed first.

        Devices that stay as they were are not touched: their talk, counters and waiting orders go on. Returns the
        names of those that were opened or closed, in order. May be called from any thread but not inside `tell`.

        Raises Mistake or LinkMistake, as when the station is made, before anything is touched. A station that has been
        closed opens nothing any more: somebody may save while the program ends.
        """
        with self._applying:
            if self._closed:
                return []
            if wrong := _shared(devices):
                raise Mistake(*wrong)
            groups = _groups(devices)
            kept = {key for key, group in groups.items() if self._groups.get(key) == group}
            talks = {e.name: self._talk(e) for key, group in groups.items() if key not in kept for e in group}
            made = {key: self._cable(key, groups[key], talks) for key in groups if key not in kept}
            gone = {key: cable for key, cable in self._cables.items() if key not in kept}
            for cable in gone.values():
                cable.stop()
            for cable in gone.values():
                cable.close()
            touched = {*talks, *(talk.name for cable in gone.values() for talk in cable.talks)}
            # Swapped in one step: whoever asks meanwhile sees the old devices or the new ones, never half of them.
            self._talks = {
                entry.name: (entry, talks.get(entry.name) or self._talks[entry.name][1]) for entry in devices
            }
            self._groups, self._cables = groups, {key: made.get(key) or self._cables[key] for key in groups}
            for cable in made.values():
                cable.start()
            if any(check_link(entry.link).scheme not in ELSEWHERE for entry in devices if entry.enabled):
                self._hotplug.start()
            else:
                self._hotplug.close()
            return sorted(touched)

    def plugged(self, plugged: Plugged) -> None:
        """Something was plugged in: whoever waits for it tries at once. udev says so; others may, from any thread."""
        for key, group in self._groups.items():
            cable = self._cables.get(key)
            if cable is not None and concerns(plugged, check_link(group[0].link)):
                cable.retry()

    @property
    def entries(self) -> dict[str, DeviceEntry]:
        """What is configured now, by name."""
        return {name: entry for name, (entry, _) in self._talks.items()}

    def options(self, device: str) -> Any:
        """The driver's Options a device is set up with. Raises KeyError."""
        return _driver(self._find(device)[0]).options

    def send(self, device: str, order: Order, timeout: float = 10.0) -> Future[Outcome]:
        """Send an order; the future gets Obeyed, Refused or Unconfirmed. Refused at once while the device is absent.

        Raises KeyError when this machine has no such device. Never wait for the result inside `tell`.
        """
        return self._find(device)[1].send(order, timeout)

    def accept(self, device: str) -> None:
        """A technician says that what answers here was put there on purpose: it is the device from now on.

        Raises KeyError.
        """
        _, talk = self._find(device)
        self._memory.forget(device)
        talk.accept()

    def states(self) -> list[DeviceState]:
        """How each device is doing now."""
        return [_state(entry, talk) for entry, talk in self._talks.values()]

    def state(self, device: str) -> DeviceState:
        """How one device is doing now. Raises KeyError."""
        return _state(*self._find(device))

    def exchanges(self, device: str) -> list[Exchange]:
        """The last 200 things that passed on a device's cable, oldest first. Raises KeyError."""
        _, talk = self._find(device)
        with talk.lock:
            return list(talk.exchanges)

    def last_news(self, device: str) -> list[tuple[datetime, News]]:
        """The last 50 pieces of news of a device, oldest first, as `devices.words.kept` leaves them.

        Raises KeyError.
        """
        _, talk = self._find(device)
        with talk.lock:
            return list(talk.last_news)

    def close(self) -> None:
        """Let go of every cable. Orders that still wait are refused."""
        with self._applying:
            self._closed = True
            for cable in self._cables.values():
                cable.stop()
            for cable in self._cables.values():
                cable.close()
            self._hotplug.close()

    def __enter__(self) -> Station:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _find(self, device: str) -> tuple[DeviceEntry, Conversation]:
        talks = self._talks
        if device not in talks:
            raise KeyError(f"this machine has no device {device!r}; it has: {', '.join(talks) or 'none'}")
        return talks[device]

    def _talk(self, entry: DeviceEntry) -> Conversation:
        name, driver = entry.name, entry.driver
        return Conversation(
            name,
            _driver(entry),
            self._tell,
            self._calm,
            entry.enabled,
            known_as=lambda alive: self._memory.compare(name, driver, alive.address, alive.detail),
            must_prove=lambda: self._memory.knows(name, driver),
        )

    def _cable(self, key: str, group: Sequence[DeviceEntry], talks: Mapping[str, Conversation]) -> Cable:
        """The cable of a group, not yet opened."""
        first = group[0]
        driver = talks[first.name].driver

        def open_it() -> Link:
            return open_link(first.link, driver.baud, lambda: drivers.load(first.driver).Simulator(driver.options))

        return Cable(key, [talks[entry.name] for entry in group], open_it, self._delays, shared=first.bus)


def _state(entry: DeviceEntry, talk: Conversation) -> DeviceState:
    with talk.lock:
        state, reason = talk.condition.state
        return DeviceState(
            name=entry.name,
            driver=entry.driver,
            roles=tuple(role.name for role in talk.driver.roles),
            link=entry.link,
            state=state,
            reason=reason,
            since=talk.since,
            troubles=tuple(to_json(trouble) for trouble in talk.condition.troubles),
            counters=dict(talk.counters),
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
            target = check_link(entry.link)
            if (REMOTE.get(target.scheme, target.scheme)) not in (*kinds, "sim"):
                wrong.append(f"{here}.link: {entry.driver} sits on {' or '.join(kinds)}, not on {target.scheme}")
            if why := shifting(target):
                wrong.append(f"{here}.link: {why}")
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
    """Two devices cannot have one name, nor one cable unless it is a line for several. Raises LinkMistake."""
    wrong = []
    names = [entry.name for entry in devices]
    wrong += [f"devices: two are called {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
    wired = [entry for entry in devices if entry.enabled and check_link(entry.link).scheme != "sim"]
    for link in sorted({entry.link for entry in wired}):
        users = [entry for entry in wired if entry.link == link]
        called = ", ".join(entry.name for entry in users)
        if len(users) > 1 and not all(entry.bus for entry in users):
            wrong.append(
                f"devices: {called} name the same cable {link}; several addresses of one family are one device's "
                "options, and on a line (RS-485) with several families each entry says bus = true"
            )
        elif len(users) > 1:
            wrong += _on_one_line(users, called)
    return wrong


def _on_one_line(users: Sequence[DeviceEntry], called: str) -> list[str]:
    """What keeps devices from sharing a line: speeds that differ, addresses two of them have."""
    wrong = []
    made = [(entry, _driver(entry)) for entry in users]
    speeds = {driver.baud for _, driver in made}
    if len(speeds) > 1 and "baud" not in check_link(users[0].link).query:
        usual = " or ".join(str(speed) for speed in sorted(speeds))
        wrong.append(f"devices: {called} are made for different speeds; their link must say ?baud= ({usual})")
    owners: dict[tuple[str, int], str] = {}
    for entry, driver in made:
        for address in getattr(driver.options, "addresses", (0,)):
            other = owners.setdefault((entry.driver, address), entry.name)
            if other != entry.name:
                wrong.append(f"devices: {other} and {entry.name} both have address {address} on {entry.link}")
    return wrong


def _groups(devices: Sequence[DeviceEntry]) -> dict[str, list[DeviceEntry]]:
    """The devices of each cable, by a name for the cable: the device's, or for a line its link."""
    groups: dict[str, list[DeviceEntry]] = {}
    for entry in devices:
        line = entry.bus and check_link(entry.link).scheme != "sim"
        groups.setdefault(f"line {entry.link}" if line else entry.name, []).append(entry)
    return groups


def _driver(entry: DeviceEntry) -> Driver:
    """The driver of a device, set up. Raises Mistake."""
    try:
        module = drivers.load(entry.driver)
    except KeyError as unknown:
        raise Mistake(f"{entry.name}.driver: {unknown.args[0]}") from unknown
    options = entry.options
    if isinstance(options, Mapping):
        options = read_options(entry.driver, options, f"{entry.name}.options")
    made: Driver = module.Driver(options)
    return made

"""The street outside: simulated devices on real wires, and the people who press their keys.

    python -m kiosk.street FOLDER < commands > reports

Each device of a demo hall sits on a pseudo-terminal (a link in FOLDER) or a TCP port, and drivers open it like any
cable. One JSON object a line comes in (`{"device": "bus", "news": "KeyPressed", …}` or `{"device": "bus", "do":
"unplug"}`) and goes out (`{"device": "strip3", "order": "ShowCall", …, "at": …}`). `at` is CLOCK_MONOTONIC in
nanoseconds, which all processes of one machine share, so that hops from process to process can be measured.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devices.roles import News, Order
from devices.simulate import SimulatedDevice
from devices.words import WordMistake, from_json, to_json


@dataclass(frozen=True)
class Wire:
    """A simulated device: its name in hall.toml, its driver and options, and its TCP port (None: a terminal)."""

    name: str
    driver: str
    options: Mapping[str, object] = field(default_factory=dict)
    port: int | None = None
    faults: tuple[str, ...] = ()


SLIP_BEGINS = b"\x1b@"  # a slip starts by initialising the printer; status questions do not


class Street:
    """Simulated devices on cables, by name. `report` is called from their threads with one JSON-able dict each time."""

    def __init__(self, folder: Path, wires: list[Wire], report: Any) -> None:
        self._report = report
        self.devices: dict[str, SimulatedDevice] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for wire in wires:
            device = SimulatedDevice(
                wire.driver,
                wire.options,
                wire.faults,
                on_obeyed=lambda order, name=wire.name: self._obeyed(name, order),  # type: ignore[misc]
                on_heard=lambda data, name=wire.name: self._heard(name, data),  # type: ignore[misc]
            )
            self.devices[wire.name] = (
                device.on_pty(folder / wire.name) if wire.port is None else device.on_tcp(wire.port)
            )

    def do(self, command: Mapping[str, Any]) -> None:
        """Carry out one command. Raises KeyError, ValueError or WordMistake with a sentence."""
        data = dict(command)
        name = data.pop("device", None)
        if name not in self.devices:
            raise KeyError(f"no device is called {name!r}; there are: {', '.join(self.devices)}")
        device = self.devices[name]
        what = data.pop("do", None)
        if what in ("unplug", "plug"):
            device.unplug() if what == "unplug" else device.plug()
        elif what is None:
            device.happen(from_json(data, News))
        else:
            raise ValueError(f"do: expected unplug or plug, got {what!r}")

    def close(self) -> None:
        """Pull every cable."""
        for device in self.devices.values():
            device.close()

    def _obeyed(self, name: str, order: Order) -> None:
        self._report({"device": name, **to_json(order), "at": time.monotonic_ns()})

    def _heard(self, name: str, data: bytes) -> None:
        if SLIP_BEGINS in data:
            self._report({"device": name, "heard": "slip", "at": time.monotonic_ns()})


def main(folder: str, wires: str) -> None:
    """Read commands until the end of the input; `wires` is the JSON of a list of Wire fields."""
    lock = threading.Lock()

    def report(line: Mapping[str, Any]) -> None:
        with lock:
            print(json.dumps(line, ensure_ascii=False), flush=True)

    street = Street(Path(folder), [Wire(**w) for w in json.loads(wires)], report)
    report({"ready": {name: device.link for name, device in street.devices.items()}})
    try:
        for line in sys.stdin:
            try:
                street.do(json.loads(line))
            except (KeyError, ValueError, WordMistake) as mistake:
                report({"error": str(mistake)})
    except KeyboardInterrupt:
        pass
    finally:
        street.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])

"""What is plugged into this machine: each port by the names that stay the same, and who has it open.

A port of which the kernel's name is all there is (`ttyS0`, a pseudo-terminal) is listed by that; adapters on the USB
never are (`devices.links.identity`): by their own number when they have one, by their socket when they have none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serial.tools import list_ports

from devices.links.holder import holder
from devices.links.identity import stable_names

DEV, SYS = Path("/dev"), Path("/sys")


@dataclass(frozen=True)
class Port:
    """One thing that is plugged in. `links` are texts for a configuration, the best first."""

    node: str
    kind: str  # serial, camera, keys (a keyboard or what types like one), hid
    links: tuple[str, ...]
    about: str = ""  # what it says of itself: maker and product
    usb: str = ""  # VID:PID, as "1a86:7523"
    holder: str = ""  # who has it open: "picocom (process 812)"

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON-able dict."""
        return {**vars(self), "links": list(self.links), "link": self.links[0] if self.links else ""}


def ports(extra: Sequence[Path] = (), dev: Path = DEV, sys: Path = SYS) -> list[Port]:
    """Everything that could be a device, in a steady order. `extra`: folders with more serial ports."""
    found = [*_serial(dev), *_cameras(dev), *_hid(dev, sys), *_keys(dev), *_extra(extra)]
    return sorted(found, key=lambda port: (port.kind, port.links[:1], port.node))


def changes(before: Sequence[Port], now: Sequence[Port]) -> list[tuple[str, Port]]:
    """What was pulled out ("-") and plugged in ("+"). That somebody has opened a port or let go of it is no change."""

    def plugs(some: Sequence[Port]) -> dict[tuple[str, str, tuple[str, ...]], Port]:
        return {(port.kind, port.node, port.links): port for port in some}

    old, new = plugs(before), plugs(now)
    gone = [("-", port) for plug, port in old.items() if plug not in new]
    return gone + [("+", port) for plug, port in new.items() if plug not in old]


def _serial(dev: Path) -> Iterator[Port]:
    for one in list_ports.comports():
        names = tuple(stable_names(one.device, dev / "serial"))
        usb = f"{one.vid:04x}:{one.pid:04x}" if one.vid is not None else ""
        links = names if usb and names else (f"serial://{one.device}",) if not usb else ()
        if usb and not names and one.location:
            links = (f"serial://by-path/{one.location}",)
        about = " ".join(part for part in (one.manufacturer, one.product) if part)
        yield Port(one.device, "serial", links, about, usb, holder(one.device))


def _cameras(dev: Path) -> Iterator[Port]:
    """The node of each camera that shows pictures: the others carry metadata."""
    for link in sorted((dev / "v4l" / "by-path").glob("*-video-index0")):
        node = os.path.realpath(link)
        ids = [name.name for name in (dev / "v4l" / "by-id").glob("*") if os.path.realpath(name) == node]
        about = ids[0].removeprefix("usb-").replace("_", " ").removesuffix("-video-index0") if ids else ""
        yield Port(node, "camera", (f"v4l2://by-path/{link.name}",), about, holder=holder(node))


def _keys(dev: Path) -> Iterator[Port]:
    """Keyboards, and what types like one: many scanners, pedals and pads."""
    for link in sorted((dev / "input" / "by-id").glob("*-event-kbd")):
        node = os.path.realpath(link)
        about = link.name.removeprefix("usb-").removesuffix("-event-kbd").replace("_", " ")
        yield Port(node, "keys", (f"evdev://by-id/{link.name}",), about, holder=holder(node))


def _hid(dev: Path, sys: Path) -> Iterator[Port]:
    """Raw HID nodes by what the USB says of them; keyboards are listed as such."""
    for folder in sorted((sys / "class" / "hidraw").glob("hidraw*")):
        said = _uevent(folder / "device" / "uevent")
        parts = said.get("HID_ID", "").split(":")  # bus:vendor:product, each in hex
        if len(parts) != 3:
            continue
        usb = f"{int(parts[1], 16):04x}:{int(parts[2], 16):04x}"
        serial = said.get("HID_UNIQ", "")
        link = f"hidraw://usb/{usb}" + (f"/{serial}" if serial else "")
        node = str(dev / folder.name)
        yield Port(node, "hid", (link,), said.get("HID_NAME", ""), usb, holder(node))


def _extra(folders: Iterable[Path]) -> Iterator[Port]:
    for folder in folders:
        for file in sorted(folder.glob("*")):
            if file.exists() and not file.is_dir():
                yield Port(os.path.realpath(file), "serial", (f"serial://{file}",), file.name)


def _uevent(file: Path) -> dict[str, str]:
    """NAME=VALUE lines of the kernel; nothing when the device went meanwhile."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)

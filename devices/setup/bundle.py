"""The diagnostics bundle: what somebody far away needs to help, in one ZIP file, with nothing about any person in it.

Devices and how they are, their counters, what passed on their cables (as hex where it cannot name a person), what is
plugged in, the configuration without addresses of databases or businesses, versions. Cables on which citizens' data
passes are kept as sizes and moments only, and so is what was printed: a slip may carry a matter's name.
"""

from __future__ import annotations

import io
import json
import platform
import re
import sys
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from config import hall_file
from devices import drivers
from devices.roles import A4_PRINTER, TICKET_PRINTER
from devices.setup.ports import ports
from devices.station import Station

PACKAGES = ("pyserial", "python-escpos", "opencv-python", "flask", "gevent", "kivy", "evdev-binary", "pyudev")
LONG_NUMBER = re.compile(r"\d[\d *-]{6,}[\dXx]")  # an identity card's, a phone's


def bundle(station: Station, config: str = "", extra: Sequence[Path] = ()) -> bytes:
    """The ZIP file's bytes. `config` is hall.toml's text; `extra`: see `devices.setup.ports`."""
    files = {
        "about.json": _json(_about()),
        "devices.json": _json([state.to_json() for state in station.states()]),
        "ports.json": _json([port.to_json() for port in ports(extra)]),
        "devices.toml": hall_file.exported(config) if config else "",
    }
    for number, name in enumerate(station.entries, 1):
        files[f"cables/{number:02} {_plain(name)}.txt"] = _cable(station, name)  # two names may be alike when plain
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def without_numbers(text: str) -> str:
    """The text with every number long enough to be a person's made unreadable."""
    return LONG_NUMBER.sub("***", text)


def _about() -> dict[str, Any]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "packages": {name: _version(name) for name in PACKAGES},
        "drivers": drivers.names(),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _cable(station: Station, name: str) -> str:
    """What passed, a line each."""
    try:
        cls, passed = drivers.load(station.state(name).driver).Driver, station.exchanges(name)
    except KeyError:
        return "It was taken out of the configuration meanwhile.\n"
    closed = cls.private or any(role in (TICKET_PRINTER, A4_PRINTER) for role in cls.roles)
    lines = []
    for one in passed:
        data = "" if closed else one.data
        words = "" if closed else without_numbers(one.words)
        lines.append(f"{one.at.isoformat(timespec='milliseconds')} {one.direction:3} {one.size:6} B  {data}  {words}")
    return "\n".join(lines) + "\n"


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name) or "_"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"

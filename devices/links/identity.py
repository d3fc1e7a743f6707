"""What a port is called for good: the kernel's names (ttyUSB0) go round with each start, those udev gives do not."""

from __future__ import annotations

import os
import re
from pathlib import Path

from devices.links.base import LinkText

SERIAL = Path("/dev/serial")  # by-path: the USB socket something is plugged into; by-id: the adapter itself
_SHIFTING = re.compile(r"/dev/tty(?:USB|ACM|XRUSB|CH341USB)\d+")


def stable_names(node: str, folder: Path = SERIAL) -> list[str]:
    """The links that mean this port for good, as found now: by the adapter's own number first."""
    found = []
    for kind in ("by-id", "by-path"):
        for name in sorted((folder / kind).glob("*")):
            if os.path.realpath(name) == os.path.realpath(node):
                found.append(f"serial://{kind}/{name.name}")
    return found


def shifting(target: LinkText, folder: Path = SERIAL) -> str:
    """Why this link may be another device after the next start, and what to write instead; empty when it may not."""
    found = _SHIFTING.fullmatch(target.path) if target.host == "" else None
    if found is None:
        return ""
    node, names = found[0], stable_names(found[0], folder)
    query = f"?{target.text.partition('?')[2]}" if target.query else ""
    instead = " or ".join(f"{name}{query}" for name in names)
    instead = (
        instead or "serial://by-id/NAME or serial://by-path/NAME, as found below /dev/serial when it is plugged in"
    )
    return f"{node} may be another device after the next start; write {instead}"

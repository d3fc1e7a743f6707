"""What a device is called for good: the kernel's names (ttyUSB0) go round with each start, those udev gives do not."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from devices.links.base import LinkText

SERIAL = Path("/dev/serial")  # by-path: the USB socket something is plugged into; by-id: the adapter itself
INPUT, HIDRAW, VIDEO = Path("/dev/input"), Path("/dev/hidraw"), Path("/dev/v4l")


@dataclass(frozen=True)
class Kind:
    """Nodes of one kind: their shifting names, where udev puts lasting ones, and what to write when it has none."""

    shifting: re.Pattern[str]
    scheme: str
    folder: Path
    otherwise: str


KINDS = (
    Kind(
        re.compile(r"/dev/tty(?:USB|ACM|XRUSB|CH341USB)\d+"),
        "serial",
        SERIAL,
        "serial://by-id/NAME or serial://by-path/NAME, as found below /dev/serial when it is plugged in",
    ),
    Kind(
        re.compile(r"/dev/input/(?:event|mouse|js)\d+"),
        "evdev",
        INPUT,
        "evdev://by-id/NAME, as found below /dev/input when it is plugged in, or evdev://usb/VID:PID",
    ),
    Kind(
        re.compile(r"/dev/hidraw\d+"),
        "hidraw",
        HIDRAW,
        "hidraw://usb/VID:PID or hidraw://by-path/ and its USB position, such as 1-2:1.0",
    ),
    Kind(
        re.compile(r"/dev/video\d+"),
        "v4l2",
        VIDEO,
        "v4l2://by-path/NAME, as found below /dev/v4l/by-path when it is plugged in",
    ),
)


def stable_names(node: str, folder: Path = SERIAL, scheme: str = "serial") -> list[str]:
    """The links that mean this node for good, as found now: by the device's own number first."""
    found = []
    for kind in ("by-id", "by-path"):
        for name in sorted((folder / kind).glob("*")):
            if os.path.realpath(name) == os.path.realpath(node):
                found.append(f"{scheme}://{kind}/{name.name}")
    return found


def shifting(target: LinkText, folder: Path | None = None) -> str:
    """Why this link may be another device after the next start, and what to write instead; empty when it may not."""
    kind = next((kind for kind in KINDS if target.host == "" and kind.shifting.fullmatch(target.path)), None)
    if kind is None:
        return ""
    names = stable_names(target.path, folder or kind.folder, kind.scheme)
    query = f"?{target.text.partition('?')[2]}" if target.query else ""
    instead = " or ".join(f"{name}{query}" for name in names) or kind.otherwise
    return f"{target.path} may be another device after the next start; write {instead}"

"""Which nodes of an input or raw HID device the USB devices plugged in have, read from what the kernel shows in /sys.

/sys/class/input/event3 → …/1-2/1-2:1.0/0003:05E0:1200.0004/input/input9/event3
                            │   └ position      the nearest parent with idVendor is the USB device
                            └ idVendor, idProduct, serial
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.words import Sentence
from devices.links.base import LinkAbsent, LinkMistake, LinkText

CLASSES = Path("/sys/class")
NO_DEVICE = "No device {wanted} is plugged in; check its USB cable."
NO_SERIAL = "No device {wanted} with serial number {serial} is plugged in; check its USB cable."
_POSITION = re.compile(r"\d+-[\d.]+:\d+\.\d+")  # of an interface on the USB, as 1-2.4:1.0
_USB_ID = re.compile(r"([0-9a-f]{4}:[0-9a-f]{4})(?:/(.+))?", re.IGNORECASE)
_TYPED_ON = range(1, 84)  # keys of a keyboard proper, to its number block; volume and power are no keys to type on


@dataclass(frozen=True)
class Node:
    """One node below /dev and the USB interface it belongs to. `usb_id` is VID:PID in small letters."""

    path: str
    usb_id: str
    serial: str
    position: str
    keys: int = 0  # bit n set: it has key n (input devices only)

    @property
    def typed_on(self) -> bool:
        """True when one can type on it, or press a key of a pad: not the volume knob of the same device."""
        return any(self.keys >> key & 1 for key in _TYPED_ON)


def nodes(kind: str, classes: Path = CLASSES) -> list[Node]:
    """Every node of this kind (`event` or `hidraw`) that a USB device has now."""
    folder, below = ("input", "/dev/input/") if kind == "event" else ("hidraw", "/dev/")
    found = []
    for entry in sorted((classes / folder).glob(f"{kind}*"), key=lambda e: (len(e.name), e.name)):
        here = entry.resolve()
        device = next((parent for parent in here.parents if (parent / "idVendor").exists()), None)
        if device is None:
            continue
        position = next((p.name for p in here.parents if _POSITION.fullmatch(p.name)), "")
        usb_id = f"{_read(device / 'idVendor')}:{_read(device / 'idProduct')}".lower()
        keys = _bits(_read(here / "device" / "capabilities" / "key"))
        found.append(Node(below + entry.name, usb_id, _read(device / "serial"), position, keys))
    return found


def check(target: LinkText, shape: str) -> None:
    """Raises LinkMistake, which shows `shape`, unless this is a text that `find` understands."""
    wanted = target.path.strip("/")
    named = target.host in ("by-id", "by-path") and wanted
    if not named and not (target.host == "usb" and _USB_ID.fullmatch(wanted)):
        raise LinkMistake(f"link {target.text!r}: write {shape}")


def find(target: LinkText, folder: Path, present: Sequence[Node], shape: str) -> str:
    """The node that `by-id/NAME`, `by-path/NAME`, `by-path/POSITION` or `usb/VID:PID[/SERIAL]` means now.

    Names are udev's, below `folder`; `present` are the USB devices' nodes; `shape` is shown in a mistake.

    Raises LinkMistake for another text; LinkAbsent when nothing fits, or more than one device does.
    """
    check(target, shape)
    wanted = target.path.strip("/")
    usb = _USB_ID.fullmatch(wanted)
    if target.host in ("by-id", "by-path") and wanted and (named := folder / target.host / wanted).exists():
        return os.path.realpath(named)
    fits: list[Node]
    if target.host == "by-id":
        fits, lack = [], Sentence("No device with name {wanted} is plugged in; check its USB cable.", wanted=wanted)
    elif target.host == "usb" and usb:
        fits = [n for n in present if n.usb_id == usb[1].lower() and usb[2] in (None, n.serial)]
        lack = Sentence(NO_SERIAL if usb[2] else NO_DEVICE, wanted=usb[1].lower(), serial=usb[2] or "")
    else:
        fits = [n for n in present if n.position == wanted or n.position.partition(":")[0] == wanted]
        lack = Sentence("No device at the USB position {wanted} is plugged in; check its USB cable.", wanted=wanted)
    fits = [n for n in fits if n.typed_on] or fits
    if not fits:
        raise LinkAbsent(lack)
    if len(fits) > 1:
        places = ", ".join(f"{n.path} at {n.position or 'an unknown place'}" for n in fits)
        raise LinkAbsent(
            Sentence(
                "More than one answers to {wanted} ({places}); write {link} and the place.",
                wanted=wanted,
                places=places,
                link=f"{target.scheme}://by-path/",
            )
        )
    return fits[0].path


def _read(file: Path) -> str:
    with contextlib.suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace").strip()
    return ""


def _bits(text: str) -> int:
    """Words of 64 bits in hex, the highest first, as the kernel shows a bit mask; 0 when it shows none."""
    number = 0
    for word in text.split():
        number = number << 64 | int(word, 16)
    return number

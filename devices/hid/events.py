"""The kernel's `struct input_event` of 64-bit systems, cut out of a stream of bytes.

    offset  0        8        16     18     20       24      little endian
            seconds  microsec type   code   value           (Documentation/input/input.rst, <linux/input.h>)

Of interest are keys: type 1 (EV_KEY), the key's code, value 1 down, 2 still held down, 0 up; and type 0 code 3
(SYN_DROPPED): we were too slow and events are lost. Anything else is passed over.

A stream from a device begins with an event and goes on event by event. So after noise the next place counts whose
bytes can be an event: a time before 2242, less than 2^20 microseconds, a type and a code there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SIZE = 24
UP, DOWN, HELD = 0, 1, 2
DROPPED = (-1, 0)  # stands among keys where events are lost
EVENT = re.compile(
    rb"[\s\S]{4}[\x00\x01]\x00{3}[\s\S]{2}[\x00-\x0f]\x00{5}"  # time
    rb"(?:\x01\x00([\s\S][\x00-\x02])([\x00-\x02])\x00{3}"  # a key
    rb"|\x00\x00(?:(\x03)\x00{5}|[\x00-\x02]\x00[\x00\x01]\x00{3})"  # events lost, or the end of a group
    rb"|[\x02-\x05\x11\x12\x14-\x17]\x00[\s\S][\x00-\x02][\s\S]{4})"  # what pointers, lamps and scan codes say
)


class Events:
    """Cuts bytes into events. `junk` counts the bytes that were none; whoever looks at it sets it back."""

    def __init__(self) -> None:
        self.junk = 0
        self._held = b""

    def clear(self) -> None:
        """Forget half an event; it counts as junk."""
        self.junk += len(self._held)
        self._held = b""

    def feed(self, data: bytes) -> list[tuple[int, int]]:
        """The keys in what has arrived, as (code, value); DROPPED where events were lost or noise lay between."""
        data = self._held + data
        keys: list[tuple[int, int]] = []
        at = 0
        for event in EVENT.finditer(data):
            if event.start() > at:
                self.junk += event.start() - at
                keys.append(DROPPED)
            at = event.end()
            code, value, dropped = event.groups()
            if code is not None:
                keys.append((code[0] | code[1] << 8, value[0]))
            elif dropped is not None:
                keys.append(DROPPED)
        rest = len(data) - at
        if rest >= SIZE:
            self.junk += rest - SIZE + 1
            keys.append(DROPPED)
            at = len(data) - SIZE + 1
        self._held = data[at:]
        return keys

    @property
    def half(self) -> bool:
        """True when the beginning of an event waits for its end."""
        return bool(self._held)


def events(keys: Iterable[tuple[int, int]], seconds: int = 1_700_000_000) -> bytes:
    """What the kernel says when these keys, as (code, value), go down and up: each with the end of its group.

    There is no clock here: the times begin at `seconds` and go on by 8 ms.
    """
    said = bytearray()
    for count, (code, value) in enumerate(keys, 1):
        time = (seconds + count // 125).to_bytes(8, "little") + (count % 125 * 8000 + 129).to_bytes(8, "little")
        said += time + b"\1\0" + code.to_bytes(2, "little") + value.to_bytes(4, "little")
        said += time + bytes(8)
    return bytes(said)


def strokes(codes: Iterable[int]) -> list[tuple[int, int]]:
    """Each key down and up again."""
    return [(code, value) for code in codes for value in (DOWN, UP)]

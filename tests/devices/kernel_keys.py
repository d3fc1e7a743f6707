"""What the kernel says of keys, written out by hand from its documents (Documentation/input/input.rst).

struct input_event on 64-bit systems: two times 8 bytes of time, then type, code and value. The time is 2026-03-05
09:12:39.25; codes are those of <linux/input-event-codes.h>: KEY_A 30, KEY_1 2, KEY_ENTER 28 …
"""

from __future__ import annotations

H = bytes.fromhex
TIME = H("07 49 a9 69 00 00 00 00 90 d0 03 00 00 00 00 00")
SYN = TIME + H("00 00 00 00 00 00 00 00")  # the end of a group
DROPPED = TIME + H("00 00 03 00 00 00 00 00")  # SYN_DROPPED


def key(code: int, value: int) -> bytes:
    """A key (EV_KEY, type 1) goes down (1), is still held (2) or comes up (0)."""
    return TIME + H("01 00") + code.to_bytes(2, "little") + H(f"{value:02x} 00 00 00") + SYN


def stroke(*codes: int, held: int = 0) -> bytes:
    """These keys down and up one after the other, while another is held."""
    inside = b"".join(key(code, 1) + key(code, 0) for code in codes)
    return key(held, 1) + inside + key(held, 0) if held else inside

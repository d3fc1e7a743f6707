"""The check values pads end their frames with, by the name a frame template uses."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from functools import reduce
from operator import xor


def crc16(data: bytes) -> bytes:
    """CRC-16 of Modbus over serial line (polynomial A001 reflected, from FFFF), low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def ccitt(data: bytes) -> bytes:
    """CRC-16 of XMODEM (polynomial 1021, from 0), high byte first."""
    return binascii.crc_hqx(data, 0).to_bytes(2, "big")


CHECKS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {  # name → its size in bytes, and how it is worked out
    "sum": (1, lambda data: bytes((sum(data) & 0xFF,))),
    "xor": (1, lambda data: bytes((reduce(xor, data, 0),))),
    "lrc": (1, lambda data: bytes((-sum(data) & 0xFF,))),
    "crc16": (2, crc16),
    "ccitt": (2, ccitt),
}

"""The local page's words in two languages, also of sentences in which something is filled in.

Why a cable will not open is said by `devices.links` in English, with names of ports and programs in it. Such a
sentence is found again by the pattern it was made from; what is filled in may be a sentence of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from config.words import FIRST, translator

ROOM = "devices.gateway"
Say = Callable[[str], tuple[str, str]]

# The more particular before the more general.
FILLED = (
    "There is no port {node}; check that the device is plugged in and switched on.",
    "There is no camera at {node}; check that it is plugged into this USB socket.",
    "There is no {node}; check that the device is plugged in and switched on.",
    "This user may not use {node}; add it to the group {group}.",
    "Another program has taken the keys of {node} for itself; stop that program.",
    "{user} is using {node}; stop that program.",
    "{node} cannot be opened as a serial port ({why}).",
    "{node} cannot be opened as a camera; another program may be using it",
    "{node} cannot be opened ({why}).",
    "No adapter with serial number {wanted} is plugged in; check its USB cable.",
    "No adapter with name {wanted} is plugged in; check its USB cable.",
    "No adapter with USB position {wanted} is plugged in; check its USB cable.",
    "No device with name {wanted} is plugged in; check its USB cable.",
    "No device at the USB position {wanted} is plugged in; check its USB cable.",
    "No device {wanted} is plugged in; check its USB cable.",
    "{found} share the serial number {wanted}; name the port by-path instead.",
    "More than one answers to {wanted} ({places}); write {link} and the place.",
    "{node} has no RS-485 mode to switch on; an adapter that switches by itself needs none: "
    "take rs485=1 out of its link.",
    "{node} is no device that types; choose one below {folder}.",
    "The keys of {node} cannot be kept from other programs ({why}).",
    "{node} is no HID device; write {shape}.",
    "{node} is not a camera; choose one of {folder}.",
    "No device has dialled in to port {port} yet; check its power, its network and the address it is told to dial.",
    "port {port} of {host} cannot be listened on ({why}); "
    "another program or another device of this machine may be using it.",
    "The serial server {where} cannot be reached; check its power and network cable.",
    "The serial server {where} does not speak RFC 2217 or refuses this speed and parity; "
    "look at the settings of its port.",
    "{where} cannot be reached ({why}); check the device's power and network cable.",
    "{host} is not known on this network ({why}).",
    "{where} cannot be spoken to ({why}); "
    "check the network cable and that no other program uses the local port.",
    "A device dialled in and said nothing ({why}).",
    "What dialled in to port {port} is no WebSocket ({why}).",
    "A tablet dialled {asked} instead of {wanted}.",
    "A tablet dialled in and hung up at once ({why}).",
    "This program cannot open another file ({why}); start it again.",
    "The cable was lost: {why}.",
    "the cable was unplugged ({why})",
    "the line has taken no bytes for {seconds} s",
    "the other end hung up (code {code})",
    "what came is no WebSocket: {why}",
    "the serial server hung up ({why})",
    "the serial server took no more bytes ({why})",
    "the camera's program ended (code {code})",
    "the camera has hung for {seconds} s; its program was ended",
    "A fault in our own program ({why}).",
    "{device} is not connected: {why}",
    "{device} cannot work: {why}",
    "{device} is another device: {why}",
    "{device} is switched off; a technician can switch it on in the configuration.",
)  # fmt: skip


@cache
def speaker(second: str = "en", room: str = ROOM) -> Say:
    """A function from a sentence to (Chinese, second language); twice the same when there are no words for it.

    What `room`, a part of the local page with catalogues of its own, has no words for, the page itself may have.
    """

    def words(language: str, message: str) -> str:
        own = translator(room, language)(message)
        return own if own != message else translator(ROOM, language)(message)

    @lru_cache(maxsize=1000)
    def say(message: str) -> tuple[str, str]:
        first, below = words(FIRST, message), words(second, message)
        if first != message or not message:
            return first, below
        for sentence, pattern in _patterns():
            if found := pattern.fullmatch(message):
                parts = {name: say(part) for name, part in found.groupdict().items()}
                return (
                    words(FIRST, sentence).format(**{name: part[0] for name, part in parts.items()}),
                    words(second, sentence).format(**{name: part[1] for name, part in parts.items()}),
                )
        return first, below

    return say


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    made = []
    for sentence in FILLED:
        pieces = re.split(r"\{(\w+)\}", sentence)  # text, name, text, …
        text = "".join(f"(?P<{piece}>.+?)" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces))
        made.append((sentence, re.compile(text)))
    return tuple(made)


def message_ids() -> set[str]:
    """Every message id said from here."""
    return set(FILLED)

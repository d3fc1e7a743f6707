"""Any LED strip that shows plain text between a fixed beginning and a fixed end: generic, nothing is acknowledged.

    beginning | text | end         each as the options say, in hex; {address} in the beginning is the strip's address

Generic: no maker's document is followed. It serves strips whose own manual describes such a frame, and serial text
displays that show a line ending in 0D 0A. A frame with a checksum or a length needs a driver of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devices.driver import OrderMistake, Timing
from devices.led.simulated import StripSimulator
from devices.led.strip import Strip
from devices.led.texts import Texts, characters, seconds_field

CHARSETS = ("gb2312", "gb18030", "utf-8")
ADDRESS = "{address}"


@dataclass(frozen=True, kw_only=True)
class Options(Texts):
    """What the strip's own manual says about its frame."""

    encoding: str = field(
        default="gb2312", metadata={"label": "Encoding", "choices": CHARSETS, "help": "ASCII is part of each."}
    )
    prefix_hex: str = field(
        default="", metadata={"label": "Before the text", "help": "Hex, such as AA {address} 55; may be empty."}
    )
    suffix_hex: str = field(
        default="0D 0A",
        metadata={"label": "Behind the text", "help": "Hex; by this the strip knows the text has ended."},
    )
    most_bytes: int = field(default=200, metadata={"label": "Longest text", "unit": "bytes", "min": 1, "max": 1000})
    gap_seconds: float = seconds_field("Pause between two texts", 0.1, 0, 10)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("prefix_hex", "suffix_hex"):
            try:
                bytes.fromhex(getattr(self, name).replace(ADDRESS, "00"))
            except ValueError:
                raise ValueError(f"{name}: expected pairs of hex digits, got {getattr(self, name)!r}") from None
        if ADDRESS in self.suffix_hex:
            raise ValueError("suffix_hex: {address} may stand in prefix_hex only")
        if not self.suffix():
            raise ValueError("suffix_hex: expected at least one byte, or the strip never knows where a text ends")
        if len(self.addresses) > 1 and ADDRESS not in self.prefix_hex:
            raise ValueError("addresses: several strips on one cable need {address} in prefix_hex")

    def prefix(self, address: int) -> bytes:
        """What comes before the text for the strip at an address."""
        return bytes.fromhex(self.prefix_hex.replace(ADDRESS, f"{address:02X}"))

    def suffix(self) -> bytes:
        """What comes behind it."""
        return bytes.fromhex(self.suffix_hex)


class Driver(Strip):
    """The host's side."""

    Options = Options

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.timing = Timing(gap=self.options.gap_seconds)

    def say(self, at: int, text: str, place: str) -> list[bytes]:
        """See Strip."""
        chosen = self.options
        data = b"".join(characters(text, place, chosen.encoding, chosen.most_bytes))
        if chosen.suffix() in data + chosen.suffix()[:-1]:
            raise OrderMistake(f"{place}: contains the bytes that end a text ({chosen.suffix().hex(' ')})")
        return [chosen.prefix(at) + data + chosen.suffix()]


def learn(shown: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
    """Options under which each text is sent as it was recorded; `shown`: text → the frames that showed it.

    Raises ValueError with a sentence: fewer than two texts, a text that is not in its frame, frames that do not begin
    and end alike (there is a length or a checksum then, and the strip needs a driver of its own).
    """
    if len(shown) < 2:
        raise ValueError("record at least two different texts; what changes between them is the text")
    for encoding in CHARSETS:
        around = _around(shown, encoding)
        if around is None:
            continue
        if len(around) > 1:
            raise ValueError("the frames begin or end differently: there is a length or a checksum in them")
        prefix, suffix = around.pop()
        if not suffix:
            raise ValueError("nothing stands behind the text, so the strip cannot know where it ends")
        return {"encoding": encoding, "prefix_hex": prefix.hex(" ").upper(), "suffix_hex": suffix.hex(" ").upper()}
    raise ValueError("the texts are not in what was recorded; type them exactly as the strip shows them")


def _around(shown: Mapping[str, Sequence[bytes]], encoding: str) -> set[tuple[bytes, bytes]] | None:
    """What stands before and behind the texts; None when one of them is not in its frame."""
    found = set()
    for text, frames in shown.items():
        try:
            wanted = text.encode(encoding)
        except UnicodeEncodeError:
            return None
        for frame in frames:
            prefix, there, suffix = frame.partition(wanted)
            if not there:
                return None
            found.add((prefix, suffix))
    return found


class Simulator(StripSimulator):
    """Strips that show whatever stands between beginning and end."""

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self._by_prefix = {self.options.prefix(at): at for at in self.options.addresses}
        self._frame = re.compile(
            b"(%s)(.*?)%s" % (b"|".join(map(re.escape, self._by_prefix)), re.escape(self.options.suffix())), re.DOTALL
        )

    def start(self, data: bytes) -> int:
        """See StripSimulator."""
        starts = [at for at in (data.find(prefix[:1]) for prefix in self._by_prefix) if at >= 0]
        return min(starts, default=-1) if data else -1

    def size(self, data: bytes) -> int | None:
        """See StripSimulator."""
        found = self._frame.match(data)
        if found:
            return found.end()
        return None if any(prefix.startswith(data[: len(prefix)]) for prefix in self._by_prefix) else 0

    def obey(self, frame: bytes) -> bytes:
        """See StripSimulator."""
        found = self._frame.match(frame)
        assert found
        text = found[2].decode("utf-8" if self.options.encoding == "utf-8" else "gb18030", "replace")
        self.show(self._by_prefix[found[1]], text)
        return b""

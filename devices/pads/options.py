"""Options that generic pads of several families have, in groups.

An `Options` made of a group has its fields and checks. A form shows fields in their order: those of the class it is
made of before its own. `like` is for a field of a group that has another default, or another help, in one family.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, field
from typing import Any

from devices.pads.frames import Template
from devices.pads.orders import Digits, Templates, texts_of


@dataclass(frozen=True)
class OnCable:
    """Which frames pass on the cable, and for whom."""

    frame: str = field(
        default="FF 68 {length} {length} 68 {address} {body} {sum} 16",
        metadata={"label": "帧格式 frame", "help": "hex, ?? and {length} {address} {body} {sum} {xor} {lrc} {crc16}"},
    )
    addresses: tuple[int, ...] = field(
        default=(1,),
        metadata={"label": "地址 addresses", "min": 0, "max": 255, "help": "orders go to the first if they name none"},
    )

    def check_addresses(self) -> None:
        """Raises ValueError when there is nobody on the cable."""
        if not self.addresses:
            raise ValueError("addresses must name at least one address")

    def check_several(self, template: Template) -> None:
        """Raises ValueError when there are several on the cable and frames do not say for whom they are."""
        if len(self.addresses) > 1 and not template.addressed:
            raise ValueError("addresses: several pads on one cable need {address} in frame")


@dataclass(frozen=True)
class Told:
    """What the pad can be told: bytes in hex with places for numbers (`devices.pads.orders`)."""

    show: str = field(
        default="", metadata={"label": "显示指令 show", "help": "body in hex with {number} and {waiting}; empty: none"}
    )
    beep: str = field(default="", metadata={"label": "鸣响指令 beep", "help": "body in hex; empty: none"})
    ask: str = field(default="", metadata={"label": "请评价指令 ask", "help": "body in hex; empty: none"})
    stars: str = field(
        default="", metadata={"label": "星级指令 stars", "help": "body in hex with {stars}; empty: none"}
    )
    digits: int = field(default=3, metadata={"label": "位数 digits", "min": 1, "max": 8})
    digits_as: str = field(
        default="bytes",
        metadata={"label": "数字写法 digits as", "choices": ("bytes", "ascii"), "help": "00 or 30 is 0"},
    )
    blank: str = field(
        default="0A", metadata={"label": "空位 blank digit", "help": "one byte in hex: leaves it as it is"}
    )

    def digit(self) -> Digits:
        """How numbers are written. Raises ValueError when the blank is no byte."""
        if not re.fullmatch("[0-9A-Fa-f]{2}", self.blank):
            raise ValueError(f"blank: write one byte in hex, got {self.blank!r}")
        return Digits(self.digits, self.digits_as == "ascii", int(self.blank, 16))

    def orders(self) -> Templates:
        """What may be said to it. Raises ValueError naming the option."""
        return Templates(texts_of(self), self.digit())


def like(group: type[Any], name: str, default: object = MISSING, **words: object) -> Any:
    """A field as it is in a group, but for its default or what is said of it (`help`, `min` …)."""
    known = group.__dataclass_fields__[name]
    return field(default=known.default if default is MISSING else default, metadata={**known.metadata, **words})


def repeats(default: float, what: str) -> Any:
    """The field `repeat_seconds`, of what counts as one press."""
    help = f"the same {what} within is one press"
    return field(default=default, metadata={"label": "重复 repeats", "unit": "s", "min": 0, "max": 5, "help": help})

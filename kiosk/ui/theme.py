"""How large and in which colour everything is, for this screen and this person.

All sizes are millimetres until the last moment; the configured screen says how many dots a millimetre has. Type is
measured by the height of its capitals, because that is what the accessibility rules measure (Section 508, 402.4:
4.8 mm; EN 301 549, 5.1.4: 7.3 mm at 600 mm).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from config import look
from kiosk.ui.fonts import CAP_HEIGHT

Length = float | tuple[float, float]  # millimetres; a pair is (normal, elder mode)
SMALLEST_MM = (4.8, 7.3)  # height of capitals, normal and elder mode
GAP_MM = 3.0  # between two things one can press


@dataclass
class Theme:
    """The one set of sizes in force. Changing `elder` or `language` takes effect when the widgets are styled again."""

    dots_per_mm: float
    width: int
    height: int
    elder: bool = False
    language: str = "zh_CN"
    low_reach: bool = False
    still: bool = False  # reduced motion
    words: Callable[[str], str] = str
    second: Callable[[str], str] = str  # the other language
    sound: Callable[[str], None] = field(default=lambda _name: None)

    @property
    def portrait(self) -> bool:
        """The screen stands upright."""
        return self.height > self.width

    def mm(self, length: Length) -> float:
        """A length in dots."""
        value = length[self.elder] if isinstance(length, tuple) else length
        return round(value * self.dots_per_mm)

    def type(self, role: str, second: bool = False) -> float:
        """Font size in dots of a role of look.TYPE_MM (or `small`, `number`), never below the smallest allowed."""
        capital = look.TYPE_MM[role]
        if second:
            capital *= look.SECOND_LANGUAGE
        if self.elder and role != "hero":
            capital *= look.TYPE_ELDER
        capital = max(capital, SMALLEST_MM[self.elder])
        return float(-(-capital / CAP_HEIGHT * self.dots_per_mm // 1))  # upwards: never a hair too small

    @property
    def button(self) -> float:
        """The least side of anything one can press, in dots (upwards)."""
        least = look.BUTTON_ELDER_MM if self.elder else look.BUTTON_MM
        return float(-(-least * self.dots_per_mm // 1))

    @property
    def gap(self) -> float:
        """The least distance between two things one can press, in dots (upwards)."""
        return float(-(-GAP_MM * self.dots_per_mm // 1))

    @property
    def motion(self) -> float:
        """Seconds a movement may take; 0 with reduced motion."""
        return 0.0 if self.still else min(0.2, look.MOTION_S)

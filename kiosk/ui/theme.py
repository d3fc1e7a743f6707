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
SCALE = sorted({*look.TYPE_MM.values(), look.TYPE_MM["title"] * look.TYPE_ELDER})


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
    changed: Callable[[], None] = field(default=lambda: None)  # something on the screen is not what it was

    @property
    def portrait(self) -> bool:
        """The screen stands upright."""
        return self.height > self.width

    def mm(self, length: Length) -> float:
        """A length in dots, rounded up: no button is ever a hair too small."""
        value = length[self.elder] if isinstance(length, tuple) else length
        return float(-(-value * self.dots_per_mm // 1))

    def type(self, role: str, second: bool = False) -> float:
        """Font size in dots of a role of look.TYPE_MM, never below the smallest allowed.

        Sizes are drawn from one short scale for both modes: each size of the Chinese font costs 2.7 MB of memory.
        """
        capital = look.TYPE_MM[role]
        if second:
            capital *= look.SECOND_LANGUAGE
        if self.elder and role != "hero":
            capital *= look.TYPE_ELDER
        capital = max(capital, SMALLEST_MM[self.elder])
        capital = next((step for step in SCALE if step >= capital * 0.98), capital)
        return float(-(-capital / CAP_HEIGHT * self.dots_per_mm // 1))  # upwards: never a hair too small

    def smaller(self, size: float) -> float | None:
        """The next smaller font size of the scale that is still allowed; None: there is none."""
        least = SMALLEST_MM[self.elder]
        sizes = [float(-(-step / CAP_HEIGHT * self.dots_per_mm // 1)) for step in SCALE if step >= least]
        return max((other for other in sizes if other < size), default=None)

    @property
    def button(self) -> float:
        """The least side of anything one can press, in dots (upwards)."""
        least = look.BUTTON_ELDER_MM if self.elder else look.BUTTON_MM
        return float(-(-least * self.dots_per_mm // 1))

    @property
    def gap(self) -> float:
        """The least distance between two things one can press, in dots (upwards)."""
        return float(-(-GAP_MM * self.dots_per_mm // 1)) + 2

    @property
    def motion(self) -> float:
        """Seconds a movement may take; 0 with reduced motion."""
        return 0.0 if self.still else min(0.2, look.MOTION_S)

"""What is known of kinds of ticket printers, as a table: a technician names the kind and need not know the rest.

Kinds are named by what they speak. The table follows the Epson ESC/POS reference and the command sets of Chinese 58 and
80 mm printers; where a printer differs, its options say so one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

AS_MODEL = "model"  # an option that is left to the table
STATUS = ("dle-eot", "gs-r", "esc-v", "asb", "both", "none")
CUTS = ("partial", "full", "esc-m", "esc-i", "none")
CODES = ("native", "raster")


@dataclass(frozen=True)
class Model:
    """One kind of printer."""

    width_mm: int = 80
    status: str = "dle-eot"  # which question it answers
    cut: str = "partial"  # esc-m and esc-i are the older commands for a partial and a full cut
    chinese: bool = True  # takes the command that switches Chinese mode on
    qr: str = "native"  # native: it draws QR codes by itself
    buzzer: bool = True


MODELS = MappingProxyType(
    {
        "standard-80": Model(),
        "standard-58": Model(width_mm=58, cut="none"),
        "paper-sensor-80": Model(status="gs-r"),  # ignores DLE EOT
        "paper-sensor-58": Model(width_mm=58, status="esc-v", cut="none", qr="raster"),
        "automatic-80": Model(status="asb"),  # tells by itself when something changes
        "older-80": Model(status="esc-v", cut="esc-i", qr="raster", buzzer=False),
        "cloud-80": Model(status="both"),  # behind a network box that buffers: DLE EOT alone proves nothing
        "silent-80": Model(status="none"),
        "silent-58": Model(width_mm=58, status="none", cut="none", qr="raster", buzzer=False),
    }
)

"""How everything looks: colours, sizes and fonts, once, for the kiosk's window and the web pages alike.

Text on its ground has a contrast of at least 7:1 and borders at least 3:1, as a test checks for every pair named here.
Sizes are millimetres on the kiosk (a screen says how many dots that is); web pages get them as CSS lengths.
"""

from __future__ import annotations

from types import MappingProxyType

COLOURS = MappingProxyType(
    {
        "ink": "#16202A",  # text
        "soft": "#3A4550",  # second lines and remarks
        "paper": "#F7F5F0",  # the ground of every page
        "river": "#1F4E8C",  # act
        "seal": "#9C1C16",  # stop, poor, red card
        "jade": "#0F5B48",  # done, open
        "amber": "#6F4800",  # wait, yellow card
        "mist": "#E3E8EE",  # surfaces
        "line": "#6B7683",  # borders
        "white": "#FFFFFF",  # text on a filled button
        "night": "#0E1A2B",  # the ground of boards
        "night-mist": "#1B2B42",  # a surface on a board
        "night-line": "#7F90A8",  # borders on a board
        "night-text": "#FFFFFF",
        "night-soft": "#C3CEDB",  # second lines on a board
        "night-call": "#FFD166",  # the number being called
    }
)

# Who is written on what. Only these pairs are used; anything else has to be added here, and so be tested.
TEXT_ON = (
    ("ink", "paper"),
    ("ink", "mist"),
    ("ink", "white"),
    ("soft", "paper"),
    ("soft", "mist"),
    ("soft", "white"),
    ("river", "paper"),
    ("seal", "paper"),
    ("jade", "paper"),
    ("amber", "paper"),
    ("river", "white"),
    ("seal", "white"),
    ("jade", "white"),
    ("amber", "white"),
    ("white", "river"),
    ("white", "seal"),
    ("white", "jade"),
    ("white", "amber"),
    ("night-text", "night"),
    ("night-text", "night-mist"),
    ("night-soft", "night"),
    ("night-soft", "night-mist"),
    ("night-call", "night"),
    ("night-call", "night-mist"),
)
BORDER_ON = (
    ("line", "paper"),
    ("line", "mist"),
    ("line", "white"),
    ("river", "mist"),
    ("night-line", "night"),
    ("night-line", "night-mist"),
)

TYPE_MM = MappingProxyType({"small": 4.8, "body": 6.0, "large": 8.0, "title": 11.0, "hero": 30.0})
TYPE_ELDER = 1.35  # elder mode: all type times this
SECOND_LANGUAGE = 2 / 3  # of the Chinese line above it
# Debian's fonts-noto-cjk has two weights; a third would cost a hall 200 MB of fonts for hardly a difference.
WEIGHTS = MappingProxyType({"text": 400, "strong": 700})

BUTTON_MM = 20.0
BUTTON_ELDER_MM = 25.0
GRID_MM = 2.0  # the grid of 8 (px on a page), in millimetres on the kiosk
CORNER_MM = 3.0  # the corners of 12, likewise
MOTION_S = 0.3  # nothing moves longer

FONTS = ("Noto Sans CJK SC", "Noto Sans SC", "Noto Sans", "Noto Sans Mongolian", "sans-serif")
FONT_FOLDER = "/usr/share/fonts/opentype/noto"  # Debian's fonts-noto-cjk
FONT_FILES = MappingProxyType(
    {
        "text": f"{FONT_FOLDER}/NotoSansCJK-Regular.ttc",
        "number": f"{FONT_FOLDER}/NotoSansCJK-Bold.ttc",
    }
)
FONT_FACE_SC = 2  # which face of the collection is Simplified Chinese (after JP and KR)


def rgb(name: str) -> tuple[int, int, int]:
    """A colour's red, green, blue, each 0…255. KeyError for an unknown name."""
    code = COLOURS[name]
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def rgba(name: str, alpha: float = 1.0) -> tuple[float, float, float, float]:
    """A colour as Kivy wants it, each part 0…1."""
    red, green, blue = rgb(name)
    return red / 255, green / 255, blue / 255, alpha


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two named colours, 1…21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(name: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""

    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in rgb(name))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def css() -> str:
    """The same tokens as CSS custom properties on `:root`: `--ink`, `--type-body`, `--weight-strong`, `--font` …"""
    fonts = ", ".join(name if name == "sans-serif" else f'"{name}"' for name in FONTS)
    lines = [f"--{name}: {code};" for name, code in COLOURS.items()]
    lines += [f"--type-{name}: {size:g}mm;" for name, size in TYPE_MM.items()]
    lines += [f"--weight-{name}: {weight};" for name, weight in WEIGHTS.items()]
    lines += [
        f"--font: {fonts};",
        f"--type-elder: {TYPE_ELDER:g};",
        f"--second: {SECOND_LANGUAGE:.4f};",
        f"--button: {BUTTON_MM:g}mm;",
        f"--button-elder: {BUTTON_ELDER_MM:g}mm;",
        "--grid: 8px;",
        "--corner: 12px;",
        "--shadow: 0 2px 8px rgb(22 32 42 / 18%);",
        f"--motion: {MOTION_S * 1000:g}ms;",
    ]
    body = "\n".join(f"  {line}" for line in lines)
    return f":root {{\n{body}\n}}\n@media (prefers-reduced-motion: reduce) {{\n  :root {{ --motion: 0ms; }}\n}}\n"

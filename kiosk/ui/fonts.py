"""Brings the fonts the terminal writes with: Chinese in the forms of the mainland, and icons.

Debian ships Noto Sans CJK as a collection whose first face is Japanese, and the window's text engine always takes the
first face. So the face for Simplified Chinese is copied out of the collection once, into the state folder (OpenType
specification, "Font Collections": a collection is a list of table directories over shared tables).
"""

from __future__ import annotations

import re
import struct
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from config import look

HAN, STRONG, ICONS = "han", "han-strong", "icons"
CAP_HEIGHT = 0.733  # of the font size, OS/2.sCapHeight of both weights
_TABLE = struct.Struct(">4sIII")


def single_face(collection: Path, index: int, target: Path) -> Path:
    """Write face `index` of a font collection as a font of its own; nothing is done when it is there already.

    Raises OSError when the collection cannot be read or the target not be written, ValueError when it is no collection.
    """
    if target.exists() and target.stat().st_mtime_ns >= collection.stat().st_mtime_ns:
        return target
    data = memoryview(collection.read_bytes())
    if data[:4] != b"ttcf":
        raise ValueError(f"{collection} is not a font collection; please reinstall the package fonts-noto-cjk")
    (start,) = struct.unpack_from(">I", data, 12 + 4 * index)
    (count,) = struct.unpack_from(">H", data, start + 4)
    place = 12 + _TABLE.size * count
    directory, tables = [bytes(data[start : start + 12])], []
    for number in range(count):
        tag, checksum, offset, length = _TABLE.unpack_from(data, start + 12 + _TABLE.size * number)
        directory.append(_TABLE.pack(tag, checksum, place, length))
        tables.append(bytes(data[offset : offset + length]) + bytes(-length % 4))
        place += len(tables[-1])
    half = target.with_suffix(".half")  # a start that is cut short leaves no half font behind
    half.write_bytes(b"".join(directory + tables))
    half.replace(target)
    return target


def icon_font() -> Path:
    """The solid icons of the fontawesomefree wheel."""
    return _icons() / "otfs" / "Font Awesome 6 Free-Solid-900.otf"


@cache
def icon(name: str) -> str:
    """The character of an icon (`graduation-cap`); a plain question mark for a name the font does not have."""
    return _characters().get(name, _characters()["circle-question"])


@cache
def _characters() -> dict[str, str]:
    sheet = (_icons() / "css" / "fontawesome.min.css").read_text(encoding="utf-8")
    pattern = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"(\\?[^"]+)"\}')
    found = {}
    for names, code in pattern.findall(sheet):
        character = chr(int(code[1:], 16)) if code.startswith("\\") else code
        found.update(dict.fromkeys(re.findall(r"\.fa-([a-z0-9-]+):before", names), character))
    return found


def _icons() -> Path:
    spec = find_spec("fontawesomefree")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the Python package fontawesomefree is missing: start through ./bianmin")
    return Path(spec.origin).parent / "static" / "fontawesomefree"


def register(state: Path) -> None:
    """Tell the window's text engine about our fonts; `state` is where the Chinese faces are kept."""
    from kivy.core.text import LabelBase

    folder = state / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    for name, weight in ((HAN, "text"), (STRONG, "number")):
        source = Path(look.FONT_FILES[weight])
        LabelBase.register(name, str(single_face(source, look.FONT_FACE_SC, folder / f"{name}-sc.otf")))
    LabelBase.register(ICONS, str(icon_font()))

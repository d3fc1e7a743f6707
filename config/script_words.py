"""The words that scripts of web pages say, found in the scripts themselves and handed to browsers as a module.

A script writes t("English sentence") where it speaks, or w("English sentence") where it only names what is said later.
So a sentence exists once, in the script that uses it, and a test sees that each has its translation.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from config.words import translator

_SPOKEN = re.compile(r"""\b[tw]\("((?:[^"\\]|\\.)*)"\)""")
_HELPERS = """\
/** Both lines of a sentence: the hall's first language and the second. */
export const both = (id) => words[id] ?? [id, id];
export const t = (id) => both(id)[0];
export const w = (id) => id;
/** Fills the {names} of a sentence. */
export const fill = (sentence, values) => sentence.replace(/\\{(\\w+)\\}/g, (_, name) => values[name] ?? "");
"""


def script_words(folder: Path) -> list[str]:
    """Every message id in the ES modules of `folder`, sorted."""
    found = {json.loads(f'"{m}"') for path in folder.glob("*.js") for m in _SPOKEN.findall(path.read_text("utf-8"))}
    return sorted(found)


def words_module(folder: Path, room: str, second: str) -> str:
    """An ES module with the words of `folder`'s scripts, from the catalogue of `room`; `second` is the lower line's."""
    first, below = translator(room), translator(room, second)
    table = {message: [first(message), below(message)] for message in script_words(folder)}
    return f"const words = {json.dumps(table, ensure_ascii=False, indent=0)};\n{_HELPERS}"

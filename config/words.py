"""Every sentence people read, in their languages: Chinese first, a second language below it.

Message ids are plain English. Each room keeps its own catalogues in `<room>/locale/<language>/LC_MESSAGES/bianmin.po`,
and a large part of a room may keep its own beside it (`hall_api/pages/locale`);
the compiled `.mo` files beside them are made at set-up (`python -m config.words`) and are not kept in git.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Self

DOMAIN = "bianmin"
FIRST = "zh_CN"  # what is written largest, everywhere
ROOMS = ("config", "devices", "hall_api", "screens", "kiosk")
_HOUSE = Path(__file__).resolve().parent.parent

Translate = Callable[[str], str]


class Sentence(str):
    """An English sentence that keeps what it was made from, so that whoever shows it can say it in another language.

        Sentence("There is no port {node}; check its cable.", node="/dev/ttyS0")

    `id` is the message id, `fields` what its braces were filled with: names, which stay as they are, or sentences in
    their turn. Without fields braces are left alone. Everywhere else, in logs and in JSON, it is the plain text.
    """

    __slots__ = ("fields", "id")
    id: str
    fields: Mapping[str, str]

    def __new__(cls, id: str, /, **fields: object) -> Self:
        """`fields` that are no text are written as they print."""
        kept = {name: one if isinstance(one, str) else str(one) for name, one in fields.items()}
        made = super().__new__(cls, id.format(**kept) if kept else id)
        made.id, made.fields = id, MappingProxyType(kept)
        return made

    def holds(self, *ids: str) -> bool:
        """True when it, or a sentence within it, was made from one of these message ids."""
        within = (one for one in self.fields.values() if isinstance(one, Sentence))
        return self.id in ids or any(one.holds(*ids) for one in within)


def words_of(error: Exception) -> Sentence:
    """What the system or a library says of an error; the most frequent have their words in other languages."""
    return Sentence(getattr(error, "strerror", None) or str(error))


def joined(by: str, parts: Iterable[str]) -> Sentence:
    """Several sentences or names in one, each of which keeps its own message id."""
    named = {f"part{n}": part for n, part in enumerate(parts)}
    return Sentence(by.join(f"{{{name}}}" for name in named), **named)


@cache
def translator(room: str, *languages: str) -> Translate:
    """A function from message id to text in the first of `languages` that has it; the id itself when none has.

    `room` is a package name: `screens`, or a part with catalogues of its own, `hall_api.pages` (else the room's count).
    Without languages: Chinese.
    """
    folder = _HOUSE.joinpath(*room.split("."), "locale")
    if not folder.is_dir():
        folder = _HOUSE / room.partition(".")[0] / "locale"
    if not folder.parent.is_dir():
        raise ValueError(f"there is no room called {room!r}; there are: {', '.join(ROOMS)}")
    catalogue = gettext.translation(DOMAIN, folder, list(languages or (FIRST,)), fallback=True)

    def translate(message: str) -> str:
        return catalogue.gettext(message) if message else ""  # gettext keeps the catalogue's header under ""

    return translate


def pair(room: str, second: str = "en") -> Callable[[str], tuple[str, str]]:
    """A function from message id to (Chinese, second language): the two lines of a heading or button."""
    first, below = translator(room, FIRST), translator(room, second)
    return lambda message: (first(message), below(message))


def catalogues() -> Iterator[Path]:
    """Every `.po` file of the house."""
    for room in ROOMS:
        yield from sorted((_HOUSE / room / "locale").glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
        yield from sorted((_HOUSE / room).glob(f"*/**/locale/*/LC_MESSAGES/{DOMAIN}.po"))


def messages(po: Path) -> MappingProxyType[str, str]:
    """Message id → translation of one `.po` file, for tests that look at every string; empty where untranslated."""
    from babel.messages.pofile import read_po

    with po.open("rb") as file:
        catalogue = read_po(file, locale=po.parent.parent.name, domain=DOMAIN)
    return MappingProxyType({str(m.id): str(m.string) for m in catalogue if m.id})


def compile_all(paths: Sequence[Path] | None = None) -> list[Path]:
    """Write the `.mo` beside each `.po` that is newer than it; returns the files written."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    written = []
    for po in catalogues() if paths is None else paths:
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
            continue
        with po.open("rb") as file:
            catalogue = read_po(file, locale=po.parent.parent.name, domain=DOMAIN, abort_invalid=True)
        half = mo.with_suffix(".mo.half")  # a reader never meets half a catalogue
        with half.open("wb") as out:
            write_mo(out, catalogue)
        half.replace(mo)
        written.append(mo)
    return written


if __name__ == "__main__":
    compile_all()

"""What becomes of pages: files of a kind, or sheets of A4 as a copier would print them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from devices.vision import export, pdf, watermark
from devices.vision.sheets import Sheet

FORMATS = ("pdf", "jpg", "png", "tiff")
OF_ALL = ("pdf", "tiff")  # formats that hold all pages in one file
CARD = 100.0  # millimetres: what is shorter is a card, and two of them share a sheet


def with_mark(sheet: Sheet, mark: str) -> Sheet:
    """The page with `mark` written across it, if there is one."""
    return watermark.marked(sheet, mark) if mark else sheet


def document(sheets: Iterable[Sheet], title: str = "") -> bytes:
    """One PDF of these pages; each is asked for when its turn comes."""
    out = io.BytesIO()
    pdf.write_to(out, sheets, title)
    return out.getvalue()


def files(kind: str, sheets: Iterable[Sheet], first: int = 1) -> list[tuple[str, bytes]]:
    """(name, bytes) of the files of a kind in FORMATS; `first` is the number of the first page."""
    if kind == "pdf":
        return [("scan.pdf", document(sheets))]
    if kind == "tiff":
        return [("scan.tiff", export.tiff(sheets))]
    make = export.jpg if kind == "jpg" else export.png
    return [(f"scan-{number}.{kind}", make(sheet)) for number, sheet in enumerate(sheets, first)]


def on_paper(sheets: Iterable[Sheet]) -> Iterator[list[Sheet]]:
    """What goes on each sheet of A4: cards together, up to two on one; everything else has its own."""
    cards: list[Sheet] = []
    for sheet in sheets:
        if max(sheet.size_mm) < CARD:
            cards.append(sheet)
            if len(cards) == 2:
                yield cards
                cards = []
            continue
        if cards:
            yield cards
            cards = []
        yield [sheet]
    if cards:
        yield cards

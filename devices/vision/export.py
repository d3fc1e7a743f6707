"""Writes finished pages as a file of the kind its ending names: one document, or one picture a page."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
from PIL import Image, TiffImagePlugin

from devices.vision import pdf, unfinished, watermark
from devices.vision.sheets import Sheet, jpeg

ENDINGS = (".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff")


def check(path: Path) -> None:
    """Raises ValueError when this ending names no kind of file we write."""
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path}: what kind of file is that to be? Its name may end in {', '.join(ENDINGS)}.")


def write(path: Path, sheets: Iterable[Sheet], title: str = "", mark: str = "") -> list[Path]:
    """The pages at `path`, across each `mark` as a watermark; returns the files written.

    A PDF or TIFF holds all pages; of JPEG and PNG there is one file a page, `name-2.jpg` and so on from the second.
    Pages are taken one by one. All files are written beside and renamed at the end: all of them are there, or none.
    """
    check(path)
    pages = (watermark.marked(sheet, mark) for sheet in sheets) if mark else iter(sheets)
    ending = path.suffix.lower()
    if ending == ".pdf":
        pdf.write(path, pages, title)
        return [path]
    with _Files() as files:
        if ending in (".tif", ".tiff"):
            _tiff(files.beside(path), pages)
        else:
            for number, sheet in enumerate(pages, 1):
                name = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
                files.beside(name).write_bytes(png(sheet) if ending == ".png" else jpg(sheet))
        return files.finish()


class _Files:
    """Files under way: each is written beside its place, and none is there before all are whole."""

    def __init__(self) -> None:
        self._beside: dict[Path, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for beside in self._beside.values():
            beside.unlink(missing_ok=True)

    def beside(self, path: Path) -> Path:
        """Where the file is to be written that will be at `path`; only we can read it."""
        self._beside[path] = beside = unfinished.beside(path)
        return beside

    def finish(self) -> list[Path]:
        if not self._beside:
            raise ValueError("a document of no pages cannot be written.")
        for beside in self._beside.values():
            with open(beside, "rb") as file:
                os.fsync(file.fileno())
        for path, beside in self._beside.items():
            os.replace(beside, path)
        return list(self._beside)


def jpg(sheet: Sheet) -> bytes:
    """The page as a JPEG; its own bytes where it is one already and need not be turned."""
    if sheet.mode != "black-and-white" and not sheet.turn:
        return sheet.data
    return jpeg(sheet.picture(), 90, sheet.dpi)


def png(sheet: Sheet) -> bytes:
    """The page as a PNG, of one bit where it is black and white."""
    out = io.BytesIO()
    _image(sheet).save(out, "PNG", dpi=(sheet.dpi, sheet.dpi), compress_level=3)
    return out.getvalue()


def tiff(pages: Iterable[Sheet]) -> bytes:
    """All pages as one TIFF."""
    out = io.BytesIO()
    _tiff(out, pages)
    return out.getvalue()


def _tiff(target: Path | io.BytesIO, pages: Iterable[Sheet]) -> None:
    with TiffImagePlugin.AppendingTiffWriter(target if isinstance(target, io.BytesIO) else str(target), True) as file:
        sheet = None
        for sheet in pages:
            way = (
                {"compression": "group4"} if sheet.mode == "black-and-white" else {"compression": "jpeg", "quality": 90}
            )
            _image(sheet).save(file, "TIFF", dpi=(sheet.dpi, sheet.dpi), **way)
            file.newFrame()
        if sheet is None:
            raise ValueError("a document of no pages cannot be written.")


def _image(sheet: Sheet) -> Image.Image:
    image = Image.fromarray(cv2.cvtColor(sheet.picture(), cv2.COLOR_BGR2RGB))
    return image.convert("1", dither=Image.Dither.NONE) if sheet.mode == "black-and-white" else image

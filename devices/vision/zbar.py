"""zbar asked for raw bytes. pyzbar's own `decode` lets zbar guess the letters of a QR code, which garbles Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_void_p, cast, create_string_buffer, string_at
from typing import Any, NamedTuple

import numpy as np
from pyzbar import wrapper as zbar

GREY = int.from_bytes(b"Y800", "little")
EVERY_KIND = 0
BINARY = 4  # zbar.h: ZBAR_CFG_BINARY, which pyzbar's list of settings does not name


class Seen(NamedTuple):
    """A code as zbar saw it: its kind in zbar's words, raw bytes, and corner points x, y."""

    kind: str
    data: bytes
    points: tuple[tuple[int, int], ...]


def read(grey: np.ndarray) -> list[Seen]:
    """Every code in a height × width uint8 picture."""
    height, width = grey.shape
    pixels = create_string_buffer(np.ascontiguousarray(grey).tobytes(), grey.size)
    with _scanner() as scanner, _image() as image:
        zbar.zbar_image_set_format(image, GREY)
        zbar.zbar_image_set_size(image, width, height)
        zbar.zbar_image_set_data(image, cast(pixels, c_void_p), grey.size, None)
        zbar.zbar_scan_image(scanner, image)
        return list(_symbols(image))


def _symbols(image: Any) -> Iterator[Seen]:
    symbol = zbar.zbar_image_first_symbol(image)
    while symbol:
        try:
            kind = zbar.ZBarSymbol(symbol.contents.type).name
        except ValueError:  # a kind younger than pyzbar
            kind = ""
        points = range(zbar.zbar_symbol_get_loc_size(symbol))
        yield Seen(
            kind,
            string_at(zbar.zbar_symbol_get_data(symbol), zbar.zbar_symbol_get_data_length(symbol)),
            tuple((zbar.zbar_symbol_get_loc_x(symbol, n), zbar.zbar_symbol_get_loc_y(symbol, n)) for n in points),
        )
        symbol = zbar.zbar_symbol_next(symbol)


@contextmanager
def _scanner() -> Iterator[Any]:
    scanner = zbar.zbar_image_scanner_create()
    try:
        zbar.zbar_image_scanner_set_config(scanner, EVERY_KIND, BINARY, 1)
        yield scanner
    finally:
        zbar.zbar_image_scanner_destroy(scanner)


@contextmanager
def _image() -> Iterator[Any]:
    image = zbar.zbar_image_create()
    try:
        yield image
    finally:
        zbar.zbar_image_destroy(image)

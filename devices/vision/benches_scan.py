"""Pages drawn by ourselves, whose every character is known, and what is measured on them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SANS = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
SERIF = SANS.with_name("NotoSerifCJK-Regular.ttc")
BOLD = SANS.with_name("NotoSansCJK-Bold.ttc")
SIMPLIFIED = 2  # the face within Noto's collections
INCH = 25.4


@dataclass(frozen=True)
class Drawn:
    """A page of paper: its pixels (BGR, uint8) and what stands on it, line by line from the top."""

    bgr: np.ndarray
    lines: tuple[str, ...]


@functools.cache
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size, index=SIMPLIFIED)


def page(
    paragraphs: Sequence[str],
    *,
    font: Path = SANS,
    points: float = 12,
    dpi: int = 200,
    columns: int = 1,
    table: bool = False,
    title: str = "",
    spacing: float = 1.6,
) -> Drawn:
    """An A4 page with these paragraphs, broken to its width; with `table` they stand in ruled cells, two to a row."""
    wide, high = round(210 / INCH * dpi), round(297 / INCH * dpi)
    size, edge = round(points / 72 * dpi), round(20 / INCH * dpi)
    image = Image.new("RGB", (wide, high), "white")
    pen = ImageDraw.Draw(image)
    lines: list[str] = []
    y = edge
    if title:
        pen.text((wide / 2, y), title, (15, 15, 15), _font(font, size * 2), "ma")
        lines.append(title)
        y += size * 4
    step = round(size * spacing)
    if table:
        _ruled(pen, paragraphs, _font(font, size), (edge, y, wide - edge, high - edge), step, lines)
        return Drawn(np.asarray(image)[:, :, ::-1].copy(), tuple(lines))
    between = round(8 / INCH * dpi)
    column = (wide - 2 * edge - between * (columns - 1)) // columns
    top, left = y, edge
    for paragraph in paragraphs:
        for line in _broken(paragraph, _font(font, size), column):
            if y + step > high - edge:
                left, y = left + column + between, top
                if left + column > wide - edge + 2:
                    return Drawn(np.asarray(image)[:, :, ::-1].copy(), tuple(lines))
            pen.text((left, y), line, (20, 20, 20), _font(font, size))
            lines.append(line)
            y += step
        y += step // 3
    return Drawn(np.asarray(image)[:, :, ::-1].copy(), tuple(lines))


def _ruled(
    pen: ImageDraw.ImageDraw,
    cells: Sequence[str],
    font: ImageFont.FreeTypeFont,
    box: tuple[int, int, int, int],
    step: int,
    lines: list[str],
) -> None:
    left, y, right, bottom = box
    middle = (left + right) // 2
    high = round(step * 1.4)
    for number, text in enumerate(cells):
        x, stop = (left, middle) if number % 2 == 0 else (middle, right)
        if y + high > bottom:
            return
        short = next(iter(_broken(text, font, stop - x - step)))
        pen.rectangle((x, y, stop, y + high), outline=(40, 40, 40), width=2)
        pen.text((x + step // 2, y + high // 2), short, (20, 20, 20), font, "lm")
        lines.append(short)
        if number % 2:
            y += high


def _broken(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines no longer than `width` pixels; Latin words are kept whole where they can be."""
    out, line, long = [], "", 0.0
    for letter in text:
        if line and long + _advance(font, letter) > width:
            inside = letter.isascii() and letter.isalnum() and line[-1].isascii() and line[-1].isalnum()
            cut = line.rfind(" ") if inside else -1
            keep, line = (line[:cut], line[cut + 1 :]) if cut > 0 else (line, "")
            out.append(keep.rstrip())
            long = sum(_advance(font, each) for each in line)
        if line or letter != " ":
            line += letter
            long += _advance(font, letter)
    return [*out, line] if line else out


@functools.cache
def _advance(font: ImageFont.FreeTypeFont, letter: str) -> float:
    return font.getlength(letter)


def lit(bgr: np.ndarray, dark: float = 0.5, warm: float = 0.85) -> np.ndarray:
    """The page under one lamp at its right: `dark` of the light is left at the far side, and it is yellowish."""
    height, width = bgr.shape[:2]
    fall = np.linspace(dark, 0.95, width, dtype=np.float32)[None, :, None] * np.array([warm, 0.96, 1], np.float32)
    return np.asarray((bgr * np.broadcast_to(fall, (height, width, 3))).astype(np.uint8))


def on_desk(bgr: np.ndarray, size: tuple[int, int], turn: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(a picture of `size` = (width, height) with the page lying on a dark desk, its corners there: 4 × 2)."""
    wide, high = size
    height, width = bgr.shape[:2]
    scale = min(wide * 0.9 / width, high * 0.9 / height)
    half = np.array([(-width, -height), (width, -height), (width, height), (-width, height)], np.float32) / 2 * scale
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    corners = half @ np.array([(cos, sin), (-sin, cos)], np.float32) + np.array([wide / 2, high / 2], np.float32)
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    desk = np.full((high, wide, 3), (58, 72, 80), np.uint8)
    view = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    cv2.warpPerspective(bgr, view, size, dst=desk, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT)
    return desk, corners


def agreement(truth: str, said: str) -> float:
    """The share of `truth`'s characters that are right in `said` (1 less edit distance by length); blanks apart."""
    wanted, got = "".join(truth.split()), "".join(said.split())
    if not wanted:
        return 1.0 if not got else 0.0
    codes = np.array([ord(letter) for letter in got], np.int64)
    places = np.arange(len(got) + 1)
    row = places.copy()
    for number, letter in enumerate(wanted, 1):
        best = np.minimum(row[:-1] + (codes != ord(letter)), row[1:] + 1)
        row = np.concatenate(([number], best))
        row = np.minimum.accumulate(row - places) + places  # a letter too many costs one
    return 1 - float(row[-1]) / len(wanted)

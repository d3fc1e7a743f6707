"""Passports, visas and cards drawn by ourselves as a camera may see them, and what is read of their lines.

`ocrb.png` holds the characters of OCR-B side by side (Norbert Schwarz' design, free of any limit), 60 pixels each.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from devices import travel
from devices.vision import ocrb
from devices.vision.mrz import read_mrz

GLYPH = 60  # pixels of pitch in the sheet of characters
SPACING = 6.35 / 2.54  # from line to line, in pitches
SIZES = {"TD1": (85.6, 53.98), "TD2": (105.0, 74.0), "MRVB": (105.0, 74.0), "TD3": (125.0, 88.0), "MRVA": (120.0, 80.0)}
MM = 16  # pixels a millimetre while drawing
NAMES = (
    "ZHANG",
    "WANG XIAOMING",
    "ERIKSSON",
    "OUYANG NA",
    "MUELLER",
    "LI",
    "SANTOS DA SILVA",
    "KIM",
    "O CONNOR",
    "QURESHI",
)
ISSUERS = ("CHN", "UTO", "GBR", "FRA", "USA", "KOR", "JPN", "RUS", "NLD", "D", "BRA", "HUN", "IND", "VNM", "EGY")


@dataclass(frozen=True)
class Drawn:
    """A picture of a document, and its lines."""

    bgr: np.ndarray
    lines: tuple[str, ...]
    turn: int


@functools.cache
def _glyphs() -> np.ndarray:
    sheet = cv2.imread(str(Path(__file__).with_name("ocrb.png")), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    return sheet


def printed(line: str) -> np.ndarray:
    """A line in OCR-B, black on white: 72 × (60 · length), uint8."""
    sheet = _glyphs()
    cells = [ocrb.LETTERS.index(letter) * GLYPH for letter in line]
    return np.hstack([sheet[:, cell : cell + GLYPH] for cell in cells])


def document(chance: np.random.Generator, kind: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(a document of this kind flat, MM pixels a millimetre, BGR; its lines) with somebody's made-up data."""
    number = "".join(chance.choice(list("ABCDEFGHJKLMNPRSTUVWXYZ0123456789"), 9))
    if chance.random() < 0.6:
        number = str(chance.choice(list("EGKPLCAX"))) + "".join(chance.choice(list("0123456789"), 8))
    fields = {
        "code": {"TD1": "I", "TD2": "I", "TD3": "P", "MRVA": "V", "MRVB": "V"}[kind],
        "issuer": str(chance.choice(ISSUERS)),
        "number": number,
        "nationality": str(chance.choice(ISSUERS)),
        "birth": f"{chance.integers(0, 100):02}{chance.integers(1, 13):02}{chance.integers(1, 29):02}",
        "sex": str(chance.choice(["M", "F"])),
        "expiry": f"{chance.integers(26, 37):02}{chance.integers(1, 13):02}{chance.integers(1, 29):02}",
        "surname": str(chance.choice(NAMES)),
        "given_names": str(chance.choice(NAMES)),
    }
    lines = travel.write(kind, fields)
    wide, high = (round(side * MM) for side in SIZES[kind])
    paper = np.full((high, wide, 3), chance.uniform(200, 250, 3), np.float32)
    cloud = cv2.resize(chance.normal(0, 1, (12, 18, 3)).astype(np.float32), (wide, high), interpolation=cv2.INTER_CUBIC)
    paper += cloud * float(chance.uniform(2, 9))
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    wave = np.sin(y / MM * 3 + 6 * np.sin(x / MM / 9)) > 0.6
    paper[wave] *= float(chance.uniform(0.93, 1.0))
    margin = (5 if kind == "TD1" else 4) * MM
    zone = len(lines) * SPACING * 2.54 + 4
    photo = (slice(8 * MM, round(high - zone * MM) - 2 * MM), slice(4 * MM, round(0.3 * wide)))
    paper[photo] = chance.uniform(60, 160, 3)
    words_ink = np.zeros((high, wide), np.uint8)
    for row in range(int((high / MM - zone - 8) / 6)):
        words = f"{fields['surname']} {fields['given_names']} {row} / {fields['number']}"[: 6 + 5 * (row % 4)]
        at = (round(0.36 * wide), round((9 + row * 6) * MM))
        cv2.putText(words_ink, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.09 * MM, 190, max(MM // 8, 1))
    paper *= 1 - words_ink[..., None] / np.float32(255)
    pitch = 2.54 * MM
    for number_of, line in enumerate(lines):
        ink = printed(line)
        size = (round(pitch * len(line)), round(ink.shape[0] * pitch / GLYPH))
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
        top = round(high - zone * MM + number_of * SPACING * pitch + 2 * MM)
        part = paper[top : top + size[1], margin : margin + size[0]]
        part *= 1 - (1 - ink[: part.shape[0], : part.shape[1], None] / 255) * float(chance.uniform(0.7, 0.95))
    return np.clip(paper, 0, 255).astype(np.uint8), lines


def seen(chance: np.random.Generator, flat: np.ndarray, turn: int, size: tuple[int, int], share: float) -> np.ndarray:
    """The document on a desk in a picture of `size`, `turn` quarters round, tilted, lit, blurred, noisy, compressed."""
    wide, high = size
    height, width = flat.shape[:2]
    angle = np.radians(90 * turn + chance.normal(0, 4))
    half = np.array([(-width, -height), (width, -height), (width, height), (-width, height)], np.float32) / 2
    cos, sin = np.cos(angle), np.sin(angle)
    corners = half @ np.array([(cos, sin), (-sin, cos)], np.float32)
    corners *= share * min(wide / np.ptp(corners[:, 0]), high / np.ptp(corners[:, 1]))
    corners *= 1 + chance.normal(0, 0.025, (4, 2))
    corners += np.array([wide, high]) * (0.5 + chance.uniform(-0.5, 0.5, 2) * (1 - share) * 0.8)
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    view = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    scale = float(np.linalg.norm(corners[1] - corners[0])) / width
    if scale < 0.6:
        flat = cv2.GaussianBlur(flat, (0, 0), 0.4 / scale)
    desk = np.full((high, wide, 3), chance.uniform(30, 140, 3), np.float32)
    desk += cv2.GaussianBlur(chance.normal(0, 12, (high, wide, 1)).astype(np.float32), (0, 0), 2)[..., None]
    picture = desk.clip(0, 255).astype(np.uint8)
    cv2.warpPerspective(flat, view, size, dst=picture, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    light = np.linspace(chance.uniform(0.6, 1.05), chance.uniform(0.6, 1.05), wide)[None, :, None]
    lit = cv2.GaussianBlur(picture * light, (0, 0), max(float(chance.uniform(0.2, 0.2 * 2.54 * MM * scale / 5)), 0.2))
    noisy = lit + chance.normal(0, float(chance.uniform(1, 6)), lit.shape)
    code = cv2.imencode(
        ".jpg", noisy.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(55, 95))]
    )
    out = cv2.imdecode(code[1], cv2.IMREAD_COLOR)
    assert out is not None
    return out


def pictures(count: int, seed: int = 3) -> Iterator[Drawn]:
    """So many documents of all kinds, four ways round, in pictures from web size to 8 megapixels."""
    chance = np.random.default_rng(seed)
    sizes = ((1280, 960), (1920, 1080), (800, 600), (3264, 2448))
    for number in range(count):
        kind = ("TD3", "TD1", "TD3", "TD2", "MRVA", "TD1", "TD3", "MRVB")[number % 8]
        flat, lines = document(chance, kind)
        turn = number // 2 % 4
        size = sizes[number % len(sizes)]
        least = 7.5 * SIZES[kind][0] / 2.54 / min(size)  # a character no narrower than 7.5 pixels
        yield Drawn(seen(chance, flat, turn, size, float(chance.uniform(max(0.5, least), 0.95))), lines, turn)


def number_and_dates(lines: tuple[str, ...] | list[str]) -> str:
    """The line (of a card: the two) that names number and dates."""
    return "".join(lines[:2]) if len(lines) == 3 else "".join(lines[1:2])


def passport_eye() -> Callable[[np.ndarray], tuple[str, ...]] | None:
    """What PassportEye reads as the lines of a picture (h × w × 3, uint8, BGR); None where it is not installed.

    It is no part of Bianmin, and needs the program Tesseract.
    """
    if importlib.util.find_spec("passporteye") is None or shutil.which("tesseract") is None:
        return None
    theirs = importlib.import_module("passporteye").read_mrz

    def read(bgr: np.ndarray) -> tuple[str, ...]:
        found = theirs(io.BytesIO(cv2.imencode(".png", bgr)[1].tobytes()))
        return tuple(str(found.aux["text"]).split()) if found is not None else ()

    return read


def reading(count: int = 40, told: Callable[[int, int], None] = lambda done, of: None) -> dict[str, float]:
    """How many of the drawn documents are read right: their number and date line, all lines; wrongly called right."""
    right = whole = false = 0
    spent = 0.0
    for done, drawn in enumerate(pictures(count), 1):
        began = time.perf_counter()
        read = read_mrz(drawn.bgr)
        spent += time.perf_counter() - began
        lines = read.document.lines if read else ()
        same = number_and_dates(lines) == number_and_dates(drawn.lines)
        right += same
        whole += lines == drawn.lines
        false += bool(read and read.whole and not same)
        told(done, count)
    return {"right": right, "whole": whole, "false": false, "of": count, "ms": round(spent / count * 1000)}

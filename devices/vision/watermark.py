"""Writes what a copy was made for across the page, as a part of its picture: it cannot be lifted off again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from devices.vision.sheets import Sheet, jpeg

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
SIMPLIFIED = 2  # the face within Noto's collection
SLOPE = 30.0  # degrees upwards
LETTER = 1 / 26  # of the page's shorter side
STRENGTH = 0.28  # of black on white; what is printed stays darker
LONGEST = 60  # characters
QUALITY = 88


def marked(sheet: Sheet, text: str) -> Sheet:
    """The page with this text across it, again and again. Raises ValueError when the text is empty or too long."""
    stored = dataclasses.replace(sheet, turn=0).picture()
    height, width = stored.shape[:2]
    shown = (height, width) if sheet.turn % 180 else (width, height)
    mask = np.ascontiguousarray(np.rot90(pattern(text, shown), sheet.turn // 90))
    if sheet.mode == "black-and-white":
        from devices.vision.scan import g4

        raster = np.add.outer(np.arange(height), np.arange(width)) % 3 == 0  # dots: one bit knows no gray
        return dataclasses.replace(sheet, data=g4(np.where((mask > 127) & raster, 0, stored[:, :, 0]), sheet.dpi))
    shade = cv2.cvtColor(cv2.convertScaleAbs(mask, alpha=STRENGTH), cv2.COLOR_GRAY2BGR)
    return dataclasses.replace(sheet, data=jpeg(cv2.subtract(stored, shade), QUALITY, sheet.dpi))


def pattern(text: str, size: tuple[int, int]) -> np.ndarray:
    """The text in rows over a page of `size` (width, height) pixels: uint8, 255 where there is ink."""
    text = " ".join(text.split())
    if not text:
        raise ValueError("the watermark has no text.")
    if len(text) > LONGEST:
        raise ValueError(f"the watermark has {len(text)} characters; at most {LONGEST} can be read on a page.")
    width, height = size
    letter = max(round(min(size) * LETTER), 8)
    font = ImageFont.truetype(str(FONT), letter, index=SIMPLIFIED)
    reach = round((width**2 + height**2) ** 0.5)
    sheet = Image.new("L", (reach, reach), 0)
    pen = ImageDraw.Draw(sheet)
    step = font.getlength(text) + 4 * letter
    for number, y in enumerate(range(0, reach, 6 * letter)):
        x = -step * (number % 2) / 2  # rows stand between one another, as bricks do
        while x < reach:
            pen.text((x, y), text, 255, font)
            x += step
    turned = sheet.rotate(SLOPE, Image.Resampling.BILINEAR)
    left, top = (reach - width) // 2, (reach - height) // 2
    return np.asarray(turned.crop((left, top, left + width, top + height)))

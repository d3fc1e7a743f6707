"""Teaches `ocrb` its characters: draws lines in OCR-B as bad cameras see them, and fits the network to them.

`python -m devices.vision.ocrb_learn OCRB.otf OTHER.ttf…` writes `ocrb.npz` anew; a quarter of an hour on one core. The
type is not shipped (Debian: fonts-ocr-b, free of any limit); nothing of this runs in a hall.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from devices.vision import ocrb

NOTHING = len(ocrb.LETTERS)
HIDDEN, SECOND = 224, 96
LARGE = 40  # pixels of pitch while drawing
CAP_TO_PITCH = ocrb.CAP / ocrb.PITCH
OTHERS = "abcdefghijklmnopqrstuvwxyz./:-()ÄÖÜ中国护照签证出生日期"


def line(chance: np.random.Generator, fonts: Sequence[Path], others: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """(a strip HIGH × w as `ocrb.evened` makes it, the class at each column or -1 where it is not to be judged)."""
    foreign = chance.random() < 0.15 and bool(others)
    count = int(chance.integers(14, 46))
    text = "".join(chance.choice(list(ocrb.LETTERS), count))
    for _ in range(int(chance.integers(0, 4))):
        at, long = int(chance.integers(0, count)), int(chance.integers(2, 9))
        text = (text[:at] + "<" * long + text[at + long :])[:count]
    if foreign:
        text = "".join(chance.choice(list(ocrb.LETTERS + OTHERS * 3), count))
    font = _font(str(chance.choice([str(path) for path in (others if foreign else fonts)])), foreign)
    squeeze = 1.0 + chance.normal(0, 0.06)  # of the pitch beside the height
    pitch = LARGE * squeeze
    edge = 3 * LARGE
    wide, high = round(pitch * count) + 2 * edge, LARGE * 4
    image = Image.new("L", (wide, high), 0)
    pen = ImageDraw.Draw(image)
    middle = high / 2
    for at, letter in enumerate(text):
        pen.text((edge + pitch * (at + 0.5), middle + CAP_TO_PITCH * LARGE / 2), letter, 255, font, "ms")
    for side in (-1, 1):  # the neighbouring line, or something else near
        if chance.random() < 0.5:
            away = side * LARGE * float(chance.uniform(1.9, 2.9))
            near = "".join(chance.choice(list(ocrb.LETTERS), count))
            pen.text((edge, middle + away + LARGE / 2), near, 255, font, "ls")
    ink: np.ndarray = np.asarray(image, np.float32) / 255
    weight = int(chance.integers(-2, 4))
    kernel = np.ones((abs(weight) + 1, abs(weight) + 1), np.uint8)
    ink = cv2.dilate(ink, kernel) if weight > 0 else cv2.erode(ink, kernel) if weight < -1 else ink
    # As the camera sees it: slanted a little, coarse, blurred, noisy, compressed.
    centres = np.stack([edge + pitch * (np.arange(count) + 0.5), np.full(count, middle)], 1)
    seen_pitch = float(np.exp(np.log(4.7) + np.log(22 / 4.7) * chance.random() ** 1.5))
    scale = seen_pitch / LARGE
    angle, shear = np.radians(chance.normal(0, 0.35)), chance.normal(0, 0.04)
    turn = np.array([[np.cos(angle), -np.sin(angle) + shear], [np.sin(angle), np.cos(angle)]]) * scale
    size = (max(round(wide * scale), 8), max(round(high * scale), 8))
    shift = np.array(size) / 2 - turn @ (wide / 2, high / 2) + chance.uniform(-0.5, 0.5, 2)
    matrix = np.hstack([turn, shift[:, None]]).astype(np.float32)
    if scale < 0.7:
        ink = cv2.GaussianBlur(ink, (0, 0), 0.42 / scale)
    seen: np.ndarray = cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_LINEAR)
    seen = cv2.GaussianBlur(seen, (0, 0), max(abs(chance.normal(0, 0.06)) * seen_pitch, 0.05))
    paper, dark = float(chance.uniform(110, 250)), float(chance.uniform(0.2, 0.95))
    ground: np.ndarray = paper * (1 + chance.normal(0, 0.04) * np.linspace(-1, 1, size[0])[None])
    if chance.random() < 0.5:  # guilloche and stains
        cloud = cv2.GaussianBlur(chance.normal(0, 1, size[::-1]).astype(np.float32), (0, 0), seen_pitch * 0.5)
        ground = ground + cloud / max(float(cloud.std()), 1e-6) * float(chance.uniform(0, 0.07)) * paper
    if chance.random() < 0.3:
        y, x = np.mgrid[0 : size[1], 0 : size[0]]
        wave = np.sin((x * chance.normal(0, 1) + y * chance.normal(0, 1)) / seen_pitch * 2)
        ground = ground + wave * float(chance.uniform(0, 0.06)) * paper
    grey: np.ndarray = ground * (1 - seen * dark) + chance.normal(0, abs(chance.normal(0, 0.02)) * paper, size[::-1])
    grey = np.clip(grey, 0, 255).astype(np.uint8)
    if chance.random() < 0.7:
        code = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(35, 95))])[1]
        decoded = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)
        assert decoded is not None
        grey = decoded
    # Back to a strip, with the errors finding a line makes: its height is off by some, its middle too.
    centres = centres @ turn.T + shift
    back = ocrb.PITCH / seen_pitch * float(np.exp(chance.normal(0, 0.07)))
    lift = float(chance.normal(0, 0.8))
    width = max(round(size[0] * back), ocrb.WIDE)
    view = np.array([[back, 0, 0], [0, back, ocrb.HIGH / 2 - 0.5 + lift - back * size[1] / 2]], np.float32)
    way = cv2.INTER_AREA if back < 0.7 else cv2.INTER_CUBIC
    strip = cv2.warpAffine(grey, view, (width, ocrb.HIGH), flags=way, borderMode=cv2.BORDER_REPLICATE)
    columns = centres[:, 0] * back
    classes = np.full(width, NOTHING)
    distance = np.abs(np.arange(width)[:, None] - columns[None])
    nearest, far = distance.argmin(axis=1), distance.min(axis=1)
    if not foreign:
        classes[(far > 1.2) & (far < 4.0)] = -1
        known = far <= 1.2
        classes[known] = [ocrb.LETTERS.index(text[at]) for at in nearest[known]]
    return ocrb.evened(strip), classes


def _font(path: str, foreign: bool) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(path, 100, index=2 if path.endswith("ttc") else 0)
    box = font.getbbox("H", anchor="ls")
    return ImageFont.truetype(path, round(100 * CAP_TO_PITCH * LARGE / -box[1]), index=2 if path.endswith("ttc") else 0)


def sample(
    chance: np.random.Generator, fonts: Sequence[Path], others: Sequence[Path], lines: int
) -> tuple[np.ndarray, np.ndarray]:
    """Windows and classes of so many lines."""
    looks, classes = [], []
    for _ in range(lines):
        ink, known = line(chance, fonts, others)
        use = np.flatnonzero(known >= 0)
        use = use[(known[use] < NOTHING) | (chance.random(len(use)) < 0.2)]
        looks.append(ocrb.windows(ink)[use].astype(np.float16))
        classes.append(known[use])
    return np.concatenate(looks), np.concatenate(classes)


def learn(fonts: Sequence[Path], others: Sequence[Path], rounds: int = 80, lines: int = 500, seed: int = 5) -> None:
    """Fit the network (Adam, one pass over fresh lines a round) and store it."""
    chance = np.random.default_rng(seed)
    sizes = (ocrb.HIGH * ocrb.WIDE, HIDDEN, SECOND, NOTHING + 1)
    parts: list[np.ndarray] = []
    for before, after in itertools.pairwise(sizes):
        parts.append(chance.normal(0, np.sqrt(2 / before), (before, after)).astype(np.float32))
        parts.append(np.zeros(after, np.float32))
    first = [np.zeros_like(part) for part in parts]
    second = [np.zeros_like(part) for part in parts]
    step = 0
    held: list[tuple[np.ndarray, np.ndarray]] = []
    for turn in range(rounds):
        held = [*held, sample(chance, fonts, others, lines)][-14:]
        looks = np.concatenate([pair[0] for pair in held])
        classes = np.concatenate([pair[1] for pair in held])
        rate = 2e-3 * min(1.0, 2.2 * (1 - turn / rounds)) + 2e-5
        right = 0
        order = chance.permutation(len(looks))
        for at in range(0, len(order) - 255, 256):
            some = order[at : at + 256]
            x, wanted = looks[some].astype(np.float32), classes[some]
            hidden = np.maximum(x @ parts[0] + parts[1], 0)
            inner = np.maximum(hidden @ parts[2] + parts[3], 0)
            answer = inner @ parts[4] + parts[5]
            answer -= answer.max(axis=1, keepdims=True)
            share = np.exp(answer)
            share /= share.sum(axis=1, keepdims=True)
            right += int((share.argmax(axis=1) == wanted).sum())
            share[np.arange(len(some)), wanted] -= 1
            share /= len(some)
            middle = (share @ parts[4].T) * (inner > 0)
            back = (middle @ parts[2].T) * (hidden > 0)
            slopes = [x.T @ back, back.sum(0), hidden.T @ middle, middle.sum(0), inner.T @ share, share.sum(0)]
            step += 1
            for part, slope, mean, spread in zip(parts, slopes, first, second, strict=True):
                mean += 0.1 * (slope - mean)
                spread += 0.001 * (slope**2 - spread)
                part -= (
                    rate * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.999**step)) + 1e-8) + rate * 1e-3 * part
                )
        print(f"round {turn + 1} of {rounds}: {right / len(order):.4f} right of {len(order)}", flush=True)
        stored = {name: part.astype(np.float16) for name, part in zip(ocrb.PARTS, parts, strict=True)}
        np.savez_compressed(ocrb.WEIGHTS, **stored)  # type: ignore[arg-type]


if __name__ == "__main__":
    given = [Path(each) for each in sys.argv[1:]]
    learn([path for path in given if "OCRB" in path.name], [path for path in given if "OCRB" not in path.name])

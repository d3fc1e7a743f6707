"""Knows the characters of OCR-B, the type of machine-readable lines: how likely each is at each place of a line.

A small network (two hidden layers) looks at a window as wide as a character. It was taught by `ocrb_learn` on lines
drawn with a free OCR-B type; its figures are in `ocrb.npz`. It also knows what is no character, or none in the middle.
"""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"  # the classes in order; one more is "nothing"
CAP = 14  # pixels of a capital's height in a strip
PITCH = 15.0  # pixels from character to character there, about: 2.54 mm at capitals of 2.4 mm
HIGH, WIDE = 22, 18  # pixels of a window
PARTS = ("w1", "b1", "w2", "b2", "w3", "b3")
WEIGHTS = Path(__file__).with_name("ocrb.npz")


def evened(grey: np.ndarray) -> np.ndarray:
    """How much ink is at each pixel of a strip (HIGH × w, uint8 or float32), 0 to about 1: paper and light set off."""
    strip = np.asarray(grey, np.float32)
    paper = cv2.blur(cv2.dilate(strip, np.ones((HIGH, 15), np.uint8)), (61, 1))
    ink = paper - strip
    # The darkest in the neighbourhood is a full stroke; where there is little ink at all, noise stays noise.
    full = cv2.blur(cv2.dilate(cv2.blur(ink, (3, 3)), np.ones((HIGH, 45), np.uint8)), (61, 1))
    least = max(8.0, 0.35 * float(np.percentile(full, 90)))
    return np.asarray(np.clip(ink / np.maximum(full, least), 0, 1.5), np.float32)


def windows(ink: np.ndarray) -> np.ndarray:
    """Every window of an evened strip, one a column (white beyond its ends): w × (HIGH · WIDE) float32."""
    padded = np.pad(ink, ((0, 0), (WIDE // 2, WIDE - 1 - WIDE // 2)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, WIDE, axis=1)  # HIGH × w × WIDE
    return np.ascontiguousarray(seen.transpose(1, 0, 2)).reshape(ink.shape[1], HIGH * WIDE)


def likely(ink: np.ndarray) -> np.ndarray:
    """The logarithm of how likely each of LETTERS, and last nothing, is centred at each column: w × 38 float32."""
    return spoken(windows(ink))


def spoken(seen: np.ndarray) -> np.ndarray:
    """The same for n windows (n × HIGH · WIDE): n × 38."""
    w1, b1, w2, b2, w3, b3 = _weights()
    answer = np.maximum(np.maximum(seen @ w1 + b1, 0) @ w2 + b2, 0) @ w3 + b3
    top = answer.max(axis=1, keepdims=True)
    return np.asarray(answer - top - np.log(np.exp(answer - top).sum(axis=1, keepdims=True)))


@functools.cache
def _weights() -> tuple[np.ndarray, ...]:
    with np.load(WEIGHTS) as stored:
        return tuple(stored[name].astype(np.float32) for name in PARTS)

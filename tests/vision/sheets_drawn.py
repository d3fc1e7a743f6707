"""Sheets of paper drawn in perspective on a desk."""

from __future__ import annotations

import cv2
import numpy as np

from devices.vision import quads

SIZE = 1600, 1200
SHEETS = {
    "straight": [(300, 150), (1150, 150), (1150, 1050), (300, 1050)],
    "slanted": [(420, 120), (1250, 260), (1080, 1090), (250, 930)],
    "receding": [(520, 200), (1080, 210), (1330, 1100), (240, 1080)],
}


def desk(seed: int) -> np.ndarray:
    """A dark wooden desk, more or less: brown, with grain along it and noise."""
    chance = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(chance.normal(0, 9, (SIZE[1], SIZE[0])).astype(np.float32), (0, 0), sigmaX=30, sigmaY=1.2)
    brown = np.array([52, 78, 112], np.float32) + 4 * grain[..., None] + chance.normal(0, 5, (SIZE[1], SIZE[0], 1))
    return np.clip(brown, 0, 255).astype(np.uint8)


def with_sheet(ground: np.ndarray, corners: list[tuple[int, int]], shadow: float = 0.8) -> np.ndarray:
    """The ground with a printed sheet on it, darker towards one side."""
    paper = np.full((1400, 1000, 3), 236, np.uint8)
    for n in range(22):
        cv2.putText(
            paper, "Bianmin 2026 0123456789", (70, 110 + 58 * n), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (40, 40, 40), 3
        )
    start = np.array([[0, 0], [1000, 0], [1000, 1400], [0, 1400]], np.float32)
    view = cv2.getPerspectiveTransform(start, np.array(corners, np.float32))
    laid = cv2.warpPerspective(paper, view, SIZE, flags=cv2.INTER_AREA).astype(np.float32)
    mask = cv2.warpPerspective(np.ones((1400, 1000), np.float32), view, SIZE)[..., None]
    light = np.linspace(1.0, shadow, SIZE[0], dtype=np.float32)[None, :, None]
    return np.clip((laid * light) * mask + ground * (1 - mask), 0, 255).astype(np.uint8)


def overlap(page: object, truth: object) -> float:
    """Intersection over union of two figures of four corners."""
    return quads.overlap(np.asarray(page, np.float32), np.asarray(truth, np.float32))

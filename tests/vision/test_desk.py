"""The empty desk, known: light comes and goes, hands and cups do, and only pages are pages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from devices.vision import quads
from devices.vision.desk import Desk

ROOT = Path(__file__).resolve().parents[2]
SIZE = 1280, 960
PAGE = [(330, 140), (930, 170), (900, 800), (300, 780)]


def wood(level: float = 1.0) -> np.ndarray:
    chance = np.random.default_rng(3)
    grain = cv2.GaussianBlur(chance.normal(0, 9, SIZE[::-1]).astype(np.float32), (0, 0), sigmaX=24, sigmaY=1.2)
    return (np.array([52, 78, 112], np.float32) + 5 * grain[..., None]) * level


def white() -> np.ndarray:
    cloud = cv2.GaussianBlur(np.random.default_rng(4).normal(0, 1, SIZE[::-1]).astype(np.float32), (0, 0), 40)
    return np.full((*SIZE[::-1], 3), (222, 226, 228), np.float32) + 60 * cloud[..., None]


def mat() -> np.ndarray:
    """A desk with a light writing mat on it for good: a page to anybody who does not know it."""
    ground = wood()
    cv2.fillConvexPoly(ground, np.array(PAGE, np.int32), (205, 212, 214))
    return ground


DESKS = {"wood": wood, "white": white, "mat": mat}
LIGHTS = {
    "same": lambda x, y: np.ones_like(x),
    "dimmer": lambda x, y: np.full_like(x, 0.7),
    "brighter": lambda x, y: np.full_like(x, 1.05),
    "window": lambda x, y: 0.7 + 0.4 * x,
    "lamp": lambda x, y: 0.75 + 0.4 * np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) / 0.35),
}


def seen(scene: np.ndarray, light: str = "same", seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[0 : 1 : SIZE[1] * 1j, 0 : 1 : SIZE[0] * 1j].astype(np.float32)
    lit = scene * LIGHTS[light](x, y)[..., None]
    noisy = lit + np.random.default_rng(seed).normal(0, 3, lit.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def with_page(ground: np.ndarray, level: float = 236) -> np.ndarray:
    scene = ground.copy()
    shadow = np.zeros(ground.shape[:2], np.float32)
    cv2.fillConvexPoly(shadow, np.array(PAGE, np.int32) + 5, 1.0)
    scene *= 1 - 0.12 * cv2.GaussianBlur(shadow, (0, 0), 4)[..., None]
    cv2.fillConvexPoly(scene, np.array(PAGE, np.int32), (level, level, level))
    for row in range(12):
        cv2.line(scene, (380, 230 + 44 * row), (820 - 20 * (row % 3), 236 + 44 * row), (70, 70, 70), 6)
    return scene


def with_hand(ground: np.ndarray) -> np.ndarray:
    """A palm with fingers reaching in from the foot of the picture."""
    scene = ground.copy()
    skin = (125, 150, 205)
    cv2.ellipse(scene, (640, 720), (150, 180), 0, 0, 360, skin, -1)
    cv2.line(scene, (660, 960), (640, 760), skin, 170)
    for dx, length in ((-130, 260), (-50, 350), (30, 370), (110, 320)):
        cv2.line(scene, (640 + dx // 2, 700), (640 + dx, 720 - length), skin, 52)
    return cv2.GaussianBlur(scene, (0, 0), 2)


def with_cup(ground: np.ndarray) -> np.ndarray:
    scene = ground.copy()
    cv2.circle(scene, (700, 450), 170, (225, 225, 230), -1)
    cv2.circle(scene, (700, 450), 145, (60, 60, 65), -1)
    cv2.ellipse(scene, (890, 450), (50, 60), 0, 0, 360, (225, 225, 230), 26)
    return scene


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("name", DESKS)
def test_an_empty_desk_never_fires(name, light):
    assert Desk(seen(DESKS[name]())).find(seen(DESKS[name](), light, 1)) == []


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("name", ["wood", "white"])
def test_a_page_is_found_in_any_light(name, light):
    [page] = Desk(seen(DESKS[name]())).find(seen(with_page(DESKS[name](), 246), light, 1))
    assert quads.overlap(page.corners, np.array(PAGE, np.float32)) > 0.95


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("thing", [with_hand, with_cup], ids=["hand", "cup"])
@pytest.mark.parametrize("name", DESKS)
def test_a_hand_or_a_cup_is_no_page(name, thing, light):
    assert Desk(seen(DESKS[name]())).find(seen(thing(DESKS[name]()), light, 1)) == []


def test_another_lamp_is_learned_beside_the_first():
    """Hard light, unlike any smooth change: a cross of bright bars, as through a window."""
    barred = wood()
    barred[300:420] *= 1.8
    barred[:, 500:640] *= 1.8
    desk = Desk(seen(wood()))
    assert not desk.is_empty(seen(barred))
    desk.learn(seen(barred))
    assert desk.is_empty(seen(barred, seed=2))
    assert desk.is_empty(seen(wood(), seed=3)), "and the first is not forgotten"
    assert desk.find(seen(with_page(barred), seed=4)) != []


def test_slow_wear_is_followed():
    desk = Desk(seen(wood()))
    for step in range(60):
        worn = wood()
        worn[200:700, 300:900] *= 1 + 0.006 * step
        desk.learn(seen(worn, seed=step), rate=0.3)
    assert desk.is_empty(seen(worn, seed=99))


def test_the_command_takes_an_empty_desk(tmp_path):
    empty, laid = tmp_path / "empty.png", tmp_path / "laid.png"
    cv2.imwrite(str(empty), seen(mat()))
    cv2.imwrite(str(laid), seen(mat(), "window", 1))
    ask = [sys.executable, "-P", "-m", "kiosk", "vision", "page", str(laid), "--json"]
    how = {"cwd": ROOT, "env": {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, "capture_output": True, "text": True}
    alone = subprocess.run(ask, timeout=60, **how)
    known = subprocess.run([*ask, "--desk", str(empty)], timeout=60, **how)
    assert [len(json.loads(done.stdout)["pages"]) for done in (alone, known)] == [1, 0]
    gone = subprocess.run([*ask, "--desk", str(tmp_path / "gone.png")], timeout=60, **how)
    assert (gone.returncode, "gone.png" in gone.stderr) == (1, True)

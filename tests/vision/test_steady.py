"""The trigger, driven by drawn frames at ten a second: pages come and go, hands and lamps do, the camera fails."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from devices.vision.steady import EMPTY, MOVING, STILL, TAKEN, Seen, Steady

PAGE = np.array([(120, 60), (420, 70), (410, 400), (110, 390)], np.float32)
NOISE = np.random.default_rng(5)


def frame(
    page: np.ndarray | None, hand: tuple[int, int] | None = None, light: float = 1.0, print_of: int = 1
) -> np.ndarray:
    scene = np.full((480, 640), 80.0, np.float32)
    if page is not None:
        cv2.fillConvexPoly(scene, page.astype(np.int32), 230)
        left, top = page.min(axis=0).astype(int) + 40
        words = np.random.default_rng(print_of).integers(40, 220, 14)
        for row, long in enumerate(words):
            cv2.rectangle(scene, (left, top + 18 * row), (left + int(long), top + 18 * row + 9), 60, -1)
    if hand is not None:
        cv2.circle(scene, hand, 60, 150, -1)
    return np.clip(scene * light + NOISE.normal(0, 2, scene.shape), 0, 255).astype(np.uint8)


class Run:
    """A camera at ten frames a second."""

    def __init__(self) -> None:
        self.steady = Steady()
        self.now = 0.0

    def see(self, frames: Iterable[tuple[np.ndarray, list[np.ndarray]]]) -> list[Seen]:
        out = []
        for grey, outlines in frames:
            self.now += 0.1
            out.append(self.steady.see(grey, outlines, self.now))
        return out

    def lies(self, page: np.ndarray | None, frames: int = 15, **how) -> list[Seen]:
        return self.see((frame(page, **how), [] if page is None else [page]) for _ in range(frames))

    def comes(self, page: np.ndarray) -> list[Seen]:
        shifted = [page + np.float32((300 - 30 * step, 0)) for step in range(10)]
        return self.see((frame(at, (560, 300)), [at]) for at in shifted)


def taken(seen: list[Seen]) -> int:
    return sum(each.take for each in seen)


def test_a_page_laid_down_is_taken_once_when_it_lies_still():
    run = Run()
    assert {each.state for each in run.lies(None)} == {EMPTY}
    assert {(each.state, each.take) for each in run.comes(PAGE)} == {(MOVING, False)}
    seen = run.lies(PAGE, 40)
    assert taken(seen) == 1
    assert [each.state for each in seen if each.state in (STILL, TAKEN)][:2] == [STILL, TAKEN]
    assert seen[-1].state == TAKEN


def test_the_next_page_in_the_same_place_is_taken_too():
    run = Run()
    run.comes(PAGE)
    assert taken(run.lies(PAGE)) == 1
    run.see((frame(PAGE, (520 - 20 * step, 300), print_of=1 + step // 5), [PAGE]) for step in range(10))
    assert taken(run.lies(PAGE, 30, print_of=9)) == 1


def test_the_same_page_is_taken_again_only_after_it_was_away():
    run = Run()
    run.comes(PAGE)
    assert taken(run.lies(PAGE)) == 1
    run.see((frame(PAGE, (520 - 20 * step, 300)), [PAGE]) for step in range(10))  # a hand passes
    assert taken(run.lies(PAGE, 30)) == 0
    run.lies(None)
    run.comes(PAGE)
    assert taken(run.lies(PAGE)) == 1


def test_hands_never_fire():
    run = Run()
    run.lies(None)
    moving = run.see((frame(None, (100 + 9 * step, 240)), []) for step in range(40))
    resting = run.lies(None, 40, hand=(300, 240))
    assert taken(moving) == taken(resting) == 0


def test_a_hand_moving_beside_the_page_holds_the_shot_back():
    run = Run()
    run.comes(PAGE)
    assert taken(run.see((frame(PAGE, (520 + 40 * (step % 2), 430)), [PAGE]) for step in range(30))) == 0
    assert taken(run.lies(PAGE)) == 1


def test_a_lamp_switched_makes_no_page_new():
    run = Run()
    run.comes(PAGE)
    assert taken(run.lies(PAGE)) == 1
    assert taken(run.lies(PAGE, 30, light=0.75)) == 0


def test_a_frozen_camera_takes_nothing_and_is_told():
    run = Run()
    same = frame(PAGE)
    run.comes(PAGE)
    seen = run.see((frame(PAGE + 4 * (step % 2)), [PAGE + 4 * (step % 2)]) for step in range(4))
    assert taken(seen) == 0
    seen = run.see((same, [PAGE]) for _ in range(40))
    assert seen[-1].frozen
    assert not run.lies(PAGE, 2)[-1].frozen


def test_what_was_taken_can_be_taken_once_more():
    run = Run()
    run.comes(PAGE)
    assert taken(run.lies(PAGE)) == 1
    run.steady.again()
    assert taken(run.lies(PAGE)) == 1

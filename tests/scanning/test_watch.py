"""When a page is taken and when not: pictures made here, time as an argument."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest

from devices.scanning.watch import SURE, Watch
from devices.vision.desk import Desk
from devices.vision.pages import find_pages

WIDTH, HEIGHT = 640, 480
EVERY = 0.1  # seconds between two frames


def desk(light: float = 1.0) -> np.ndarray:
    grain = np.random.default_rng(7).normal(0, 5, (HEIGHT, 1)).repeat(WIDTH, 1)
    wood = (np.array((42, 58, 74), np.float32) + grain[..., None]) * light
    return np.clip(wood, 0, 255).astype(np.uint8)


def page(seed: int) -> np.ndarray:
    dice = np.random.default_rng(seed)
    sheet = np.full((400, 300, 3), 240, np.uint8)
    for y in range(40, 370, 18):
        for x in range(30, 260, 24):
            if dice.random() < 0.6:
                cv2.rectangle(sheet, (x, y), (x + 18, y + 7), (50, 50, 50), -1)
    return sheet


def on_desk(sheet: np.ndarray, at: tuple[int, int] = (170, 40), turn: float = 2.0, light: float = 1.0) -> np.ndarray:
    shown = desk(light)
    view = cv2.getRotationMatrix2D((150, 200), turn, 1.0)
    view[:, 2] += at
    where = cv2.warpAffine(np.full(sheet.shape[:2], 255, np.uint8), view, (WIDTH, HEIGHT)) > 127
    lit = np.clip(sheet.astype(np.float32) * light, 0, 255).astype(np.uint8)
    shown[where] = cv2.warpAffine(lit, view, (WIDTH, HEIGHT))[where]
    return shown


def hand(picture: np.ndarray, x: int) -> np.ndarray:
    shown = picture.copy()
    cv2.ellipse(shown, (x, 260), (70, 45), 0, 0, 360, (118, 146, 205), -1)
    cv2.rectangle(shown, (x + 30, 230), (WIDTH, 290), (118, 146, 205), -1)
    return shown


class Watched:
    """A watch before which a film is played; it counts the shots."""

    def __init__(self, desk: Desk | None = None) -> None:
        self.watch, self.now, self.shots, self.phase = Watch(desk), 0.0, 0, ""
        self._noise = np.random.default_rng(1)

    def play(self, scenes: Iterable[np.ndarray]) -> None:
        for scene in scenes:
            self.now += EVERY
            look = self.watch.look(cv2.add(scene, self._noise.integers(0, 5, scene.shape, np.uint8)), self.now)
            self.phase = look.phase
            if look.fire:
                self.shots += 1
                self.watch.taken()

    def lay(self, sheet: np.ndarray, **how: object) -> None:
        """A hand brings a page and goes; then it lies there for two seconds."""
        lies = on_desk(sheet, **how)  # type: ignore[arg-type]
        self.play([hand(lies, 300 + 60 * step) for step in range(6)])
        self.play([lies] * 20)

    def clear(self) -> None:
        self.play([hand(desk(), 500 - 40 * step) for step in range(4)])
        self.play([desk()] * 10)


@pytest.fixture
def watched() -> Watched:
    made = Watched()
    made.play([desk()] * 25)
    assert (made.shots, made.phase) == (0, "empty")
    return made


def test_each_page_is_taken_once(watched: Watched) -> None:
    for number in range(1, 4):
        watched.lay(page(number))
        assert (watched.shots, watched.phase) == (number, "taken")
        watched.play([on_desk(page(number))] * 30)
        assert watched.shots == number
        watched.clear()
        assert watched.phase == "empty"


def test_another_page_in_its_place_is_another_page(watched: Watched) -> None:
    watched.lay(page(1))
    watched.lay(page(2))
    assert watched.shots == 2


def test_a_page_that_is_pushed_is_not_another(watched: Watched) -> None:
    watched.lay(page(1))
    watched.lay(page(1), at=(150, 55), turn=-3.0)
    assert (watched.shots, watched.phase) == (1, "taken")


def test_the_same_page_laid_down_again_is_taken_again(watched: Watched) -> None:
    watched.lay(page(1))
    watched.clear()
    watched.lay(page(1))
    assert watched.shots == 2


def test_a_hand_never_is(watched: Watched) -> None:
    watched.play([hand(desk(), 260)] * 30)
    assert watched.shots == 0
    watched.play([hand(on_desk(page(1)), 260)] * 30)
    assert watched.shots == 0  # not with the hand on it
    watched.play([on_desk(page(1))] * 20)
    assert watched.shots == 1


def test_a_lamp_is_no_page(watched: Watched) -> None:
    for light in (1.3, 0.75, 1.0, 1.5):
        watched.play([desk(light)] * 15)
    assert watched.shots == 0
    watched.lay(page(1), light=1.5)
    assert watched.shots == 1


def test_what_lies_there_may_be_asked_for_once_more(watched: Watched) -> None:
    watched.lay(page(1))
    watched.watch.again()
    watched.play([on_desk(page(1))] * 20)
    assert watched.shots == 2


def card() -> np.ndarray:
    """A card so small that its outline alone does not make it a page for certain."""
    shown = np.full((62, 98, 3), (112, 126, 138), np.uint8)
    cv2.putText(shown, "ID 0", (10, 36), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (60, 60, 60), 1)
    return shown


def test_a_card_that_lay_there_from_the_start_is_no_desk_and_is_taken_where_the_desk_is_known(watched: Watched) -> None:
    lies = on_desk(card(), at=(200, 150))
    [found] = find_pages(lies)
    assert found.score < SURE, "a doubtful one, else this proves nothing"
    unknown = Watched()
    unknown.play([lies] * 40)
    assert unknown.watch.desk is None and unknown.shots == 0
    later = Watched(watched.watch.desk)
    later.play([lies] * 20)
    assert later.shots == 1


def test_a_desk_known_from_before_is_given_up_when_the_camera_looks_elsewhere(watched: Watched) -> None:
    patches = np.random.default_rng(3).integers(0, 255, (12, 16, 3), np.uint8)
    elsewhere = cv2.resize(patches, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    later = Watched(watched.watch.desk)
    later.play([elsewhere] * 5)
    assert later.watch.desk is None
    later.play([elsewhere] * 40)
    assert later.watch.desk is not None and later.watch.desk.is_empty(elsewhere) and later.shots == 0


def test_something_without_edges_is_told_until_it_goes_or_belongs_to_the_desk(watched: Watched) -> None:
    cup = desk()
    cv2.circle(cup, (300, 220), 90, (150, 170, 190), -1)
    watched.play([cup] * 15)
    assert (watched.phase, watched.shots) == ("unclear", 0)
    watched.play([desk()] * 10)
    assert watched.phase == "empty"
    watched.play([cup] * 72)
    assert (watched.phase, watched.shots) == ("empty", 0)


def test_a_desk_handed_on_is_another_one_for_the_earlier_watch_may_still_be_looking(watched: Watched) -> None:
    later = Watched(watched.watch.desk)
    assert later.watch.desk is not watched.watch.desk
    later.play([desk()])
    assert later.watch.desk is not watched.watch.desk and later.watch.desk is not None

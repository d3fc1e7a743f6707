"""Four corners under a finger: they follow it, and are a page whatever it does."""

import random
from math import inf, nan

import pytest

from kiosk.corners import CLOSEST, START, View, close_up, moved, spans, start

PAGE = ((0.2, 0.1), (0.7, 0.12), (0.72, 0.9), (0.18, 0.88))


def test_a_corner_goes_where_the_finger_wants_it_and_the_others_stay():
    after = moved(PAGE, 2, (0.6, 0.7))
    assert after[2] == pytest.approx((0.6, 0.7))
    assert (after[0], after[1], after[3]) == (PAGE[0], PAGE[1], PAGE[3])


def test_a_corner_stays_in_the_picture():
    assert moved(PAGE, 0, (-3.0, -0.2))[0] == pytest.approx((0.0, 0.0))


@pytest.mark.parametrize("to", [(0.9, 0.95), (0.71, 0.5), (0.45, 0.6), (0.7, 0.12)])
def test_a_corner_goes_as_far_as_the_page_stays_one(to):
    after = moved(PAGE, 0, to)
    assert spans(after) and after[0] != PAGE[0], "on its way, and not across"


def test_no_finger_ever_makes_anything_but_a_page():
    draw, corners = random.Random(7), PAGE
    for _ in range(3000):
        corners = moved(corners, draw.randrange(4), (draw.uniform(-0.3, 1.3), draw.uniform(-0.3, 1.3)))
        assert spans(corners)
        assert all(0 <= value <= 1 for corner in corners for value in corner)


@pytest.mark.parametrize(
    ("found", "stands"),
    [
        ((), START),
        (PAGE, PAGE),
        (((-0.1, 0.1), *PAGE[1:]), ((0.0, 0.1), *PAGE[1:])),  # a page that reaches out of the picture
        ((PAGE[0], PAGE[0], PAGE[2], PAGE[3]), START),
        (PAGE[::-1], START),  # counted the other way round it is seen from behind
    ],
)
def test_where_the_corners_stand_at_first(found, stands):
    assert start(found) == stands


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_what_is_no_number_never_passes(number):
    for place in range(4):
        for point in ((number, 0.5), (0.5, number)):
            odd = (*PAGE[:place], point, *PAGE[place + 1 :])
            assert not spans(odd)
            assert start(odd) == START
            assert moved(PAGE, place, point) == PAGE


CARD = ((0.4, 0.4), (0.6, 0.41), (0.6, 0.56), (0.4, 0.55))


@pytest.mark.parametrize("away", [(0.0, 0.0), (-0.4, 0.44), (0.4, -0.4)], ids=["middle", "lower left", "upper right"])
def test_a_card_is_seen_close_with_all_its_corners_and_all_of_it_is_picture(away):
    card = tuple((x + away[0], y + away[1]) for x, y in CARD)
    view = close_up(card)
    assert 0.2 < view.wide == view.high < 0.3
    assert 0 <= view.x <= 1 - view.wide and 0 <= view.y <= 1 - view.high
    seen = [view.seen(corner) for corner in card]
    assert all(-1e-9 <= part <= 1 + 1e-9 for corner in seen for part in corner)
    assert seen[1][0] - seen[0][0] > 0.7, "it fills the room"
    for corner, point in zip(card, seen, strict=True):
        assert view.meant(point) == pytest.approx(corner)


def test_a_large_page_is_seen_whole_and_a_speck_not_too_close():
    assert close_up(PAGE) == close_up(START) == View()
    speck = ((0.5, 0.5), (0.51, 0.5), (0.51, 0.51), (0.5, 0.51))
    assert close_up(speck).high == CLOSEST


def test_what_is_beside_the_part_that_is_shown_means_its_rim():
    assert View(0.2, 0.4, 0.5, 0.5).meant((1.4, -0.3)) == pytest.approx((0.7, 0.4))


def test_an_upright_page_in_a_wide_picture_fills_an_upright_room():
    view = close_up(PAGE, 0.7)
    assert (view.wide, view.high) == pytest.approx((0.7, 1.0), abs=0.02)
    assert view.x < 0.18 - 0.05 and view.x + view.wide > 0.72 + 0.05, "a little around the page is seen"
    assert close_up(PAGE, 1.4).high == 1.0, "a wide room has none to spare"

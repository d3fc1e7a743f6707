"""A large picture worked on in stripes, by several threads."""

import numpy as np
import pytest

from devices.vision.stripes import STRIPE, in_stripes


@pytest.mark.parametrize("height", (1, STRIPE - 1, STRIPE, STRIPE + 1, 5 * STRIPE))
def test_each_row_is_worked_on_once(height):
    rows = np.zeros(height, int)

    def work(top: int, bottom: int) -> None:
        rows[top:bottom] += 1

    in_stripes(height, work)
    assert (rows == 1).all()


def test_what_goes_wrong_in_a_stripe_is_told():
    def work(top: int, bottom: int) -> None:
        if top:
            raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        in_stripes(3 * STRIPE, work)

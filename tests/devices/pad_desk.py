"""What the tests of call pads and evaluators have in common: a driver set up in a word, and the frames of one bus."""

from __future__ import annotations

from typing import Any

import pytest

from config.reader import Mistake
from devices import drivers
from devices.driver import Driver, OrderMistake, Simulator
from devices.options import read_options
from devices.roles import Alive, CardRemoved, Key, KeyPressed, News, Order

H = bytes.fromhex
# The bus of the deployed hall system of `queue-bus`, as worked out from its host's rules.
CALL_3 = H("FF68030368 03010C 1016")
SHOW_042_3 = H("FF68080868 03020A0A0A000402 2916")
BEEP_3 = H("FF68020268 0303 0616")
RATED_1_5 = H("FF68030368 051101 1716")
RATED_1_5_ANSWER = H("FF68030368 050101 0716")
ASK_5 = H("FF68030368 05010B 1116")
ALIVE_3 = Alive(detail="address 3 has spoken")


def made(name: str, options: dict[str, Any]) -> Driver:
    """A driver with the options of a configuration file."""
    return drivers.load(name).Driver(read_options(name, options))


def owed(driver: Driver) -> list[bytes]:
    """All that the driver wants to send now."""
    out = []
    while sent := driver.owed():
        out.append(sent)
    return out


def refuses(driver: Driver, order: Order, said: str) -> None:
    """The driver says that this order does not fit."""
    with pytest.raises(OrderMistake, match=said):
        driver.encode(order)


def cannot_be(name: str, options: dict[str, Any], sentence: str) -> None:
    """These options are refused with a sentence."""
    with pytest.raises(Mistake, match=sentence):
        read_options(name, options)


def never_happens(pads: Simulator, *more: News) -> None:
    """What happens at no pad, at one without such keys, and `more`: the simulator says so."""
    for news in (CardRemoved(), KeyPressed(key=Key.ONE_METRE), *more):
        with pytest.raises(ValueError, match=r"cannot have|no key|no pad"):
            pads.happen(news)

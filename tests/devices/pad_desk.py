"""What the tests of call pads and evaluators have in common: a driver set up in a word, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from config.reader import Mistake
from devices import drivers
from devices.driver import Driver, OrderMistake, Simulator
from devices.options import read_options
from devices.roles import CardRemoved, Key, KeyPressed, News, Order


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

"""Feeds a driver what no device would say, and what one would say spoilt, in any pieces and at any moment."""

from __future__ import annotations

import contextlib
import gc
import random
from dataclasses import dataclass

import psutil

from benchmarks.devices_feed import record
from devices import drivers, roles
from devices.driver import Driver, OrderMistake
from devices.roles import Order

ORDERS: tuple[Order, ...] = (
    roles.PrintTest(),
    roles.ReadCard(),
    roles.TriggerScan(),
    roles.ShowNumber(number="007", waiting=2),
    roles.AskRating(),
    roles.ShowCall(number="A007", window=3),
    roles.ShowText(text="请稍候"),
    roles.TakeStill(),
)
PIECE = 4096  # bytes at most


@dataclass(frozen=True)
class Fuzzed:
    """How many bytes were fed, and how many more the process held at the end than in the middle."""

    fed: int
    growth: int


def fuzz(name: str, amount: int, seed: int = 1) -> Fuzzed:
    """Feed so many bytes. Whatever the driver raises goes through to the caller: it must never raise."""
    dice = random.Random(seed)
    driver: Driver = drivers.load(name).Driver()
    driver.reset()
    spoken = record(name)[:200_000] or dice.randbytes(1000)
    fed, middle = 0, 0
    while fed < amount:
        piece = _piece(dice, spoken)
        driver.feed(piece)
        fed += len(piece)
        _between(dice, driver)
        if not middle and fed >= amount // 2:
            middle = _held()
    return Fuzzed(fed, max(0, _held() - middle))


def _piece(dice: random.Random, spoken: bytes) -> bytes:
    """Noise, the device's own words, or its own words with some bytes changed, lost or said twice."""
    size = dice.choice((1, 2, 7, 64, 512, PIECE))
    kind = dice.randrange(4)
    if kind == 0:
        return dice.randbytes(size)
    start = dice.randrange(len(spoken))
    words = bytearray(spoken[start : start + size])
    if kind == 1 or not words:
        return bytes(words) or b"\x00"
    for _ in range(1 + len(words) // 50):
        at = dice.randrange(len(words))
        if kind == 2:
            words[at] = dice.randrange(256)
        elif dice.random() < 0.5 and len(words) > 1:
            del words[at]
        else:
            words[at:at] = words[at : at + 8]
    return bytes(words)


def _between(dice: random.Random, driver: Driver) -> None:
    """What a station may do between two pieces."""
    moment = dice.randrange(12)
    if moment == 0 and driver.patience is not None:
        driver.silence()
    elif moment == 1 and driver.idle:
        driver.poll()
    elif moment == 2 and driver.idle:
        with contextlib.suppress(OrderMistake):  # another trade's order
            driver.take(dice.choice(ORDERS))
    elif moment == 3 and dice.random() < 0.02:
        driver.lost()
        driver.reset()
    for _ in range(20):
        if not driver.owed():
            break


def _held() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)

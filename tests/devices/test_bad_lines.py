"""ID readers and call pads over a real terminal whose line is bad: what happens there is still told, and once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.roles import CardPresented, CardRemoved, Garbled, Key, KeyPressed, LinkDown, Rated
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

CARD = CardPresented(kind="citizen", name="张三丰", id_number="110101199003070134", sex="男", nation="汉", end="长期")


def test_a_reader_that_answers_late_is_given_time(
    pty_path: Path, diary: Any, until: Callable[..., Any], closing: Callable[[Any], Any]
) -> None:
    reader = closing(SimulatedDevice("ga467-reader", faults=("late",)).on_pty(pty_path))
    reader.happen(CARD)
    station = closing(Station([DeviceEntry("reader", "ga467-reader", reader.link)], diary))
    until(lambda: diary.of(CardPresented), 20)
    assert diary.of(CardPresented) == [CARD]
    assert station.state("reader").state == "ready"


@pytest.mark.parametrize("fault", ["twice", "noise", "split", "echo", "wrong-checksum-once", "babble"])
def test_a_card_is_told_once_and_lifted_once(
    fault: str, pty_path: Path, diary: Any, until: Callable[..., Any], closing: Callable[[Any], Any]
) -> None:
    reader = closing(SimulatedDevice("ga467-reader", faults=(fault,)).on_pty(pty_path))
    closing(Station([DeviceEntry("reader", "ga467-reader", reader.link)], diary))
    reader.happen(CARD)
    until(lambda: diary.of(CardPresented))
    reader.happen(CardRemoved())
    until(lambda: diary.of(CardRemoved))
    assert diary.of(CardPresented, CardRemoved, LinkDown) == [CARD, CardRemoved()]
    assert len(diary.of(Garbled)) == (fault == "babble")


@pytest.mark.parametrize("fault", ["twice", "noise", "split", "echo", "deaf", "wrong-checksum", "babble"])
def test_a_press_is_told_once(
    fault: str, pty_path: Path, diary: Any, until: Callable[..., Any], closing: Callable[[Any], Any]
) -> None:
    pads = closing(SimulatedDevice("queue-bus", faults=(fault,)).on_pty(pty_path))
    station = closing(Station([DeviceEntry("pads", "queue-bus", pads.link)], diary))
    until(lambda: station.state("pads").state == "degraded")
    pads.happen(KeyPressed(key=Key.CALL_NEXT, address=3))
    until(lambda: diary.of(KeyPressed))
    pads.happen(Rated(grade=4, address=5))
    until(lambda: diary.of(Rated))
    assert diary.of(KeyPressed, Rated, LinkDown) == [
        KeyPressed(key=Key.CALL_NEXT, code="0c", address=3),
        Rated(grade=4, code="02", address=5),
    ]
    assert len(diary.of(Garbled)) == (fault == "babble")

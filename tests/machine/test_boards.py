"""A hall board made of LEDs on a machine: it shows the latest calls of the whole hall, also after it was away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config import machine
from devices.roles import Call, ShowCalls
from devices.simulate import SimulatedDevice

OPTIONS = {"screen": "combined", "addresses": [1, 2, 3]}


def test_a_board_shows_the_latest_calls_and_again_when_it_was_away(whole_hall: Any, soon: Any, tmp_path: Path) -> None:
    with SimulatedDevice("kuiwen-strip", OPTIONS).on_pty(tmp_path / "board") as board:
        hall = whole_hall()
        more = f'[[device]]\nname = "board"\ndriver = "kuiwen-strip"\nlink = "{board.link}"\n'
        more += 'options = { screen = "combined", addresses = [1, 2, 3] }\n'
        head, tables, tail = hall.file.read_text(encoding="utf-8").partition("[[device]]")
        hall.file.write_text(head + more + tables + tail, encoding="utf-8")
        hall.machine = machine.load(hall.file)
        hall.open()
        hall.open_windows(1, 3)
        attendant = hall.attend("window")
        soon(lambda: attendant.station.state("bus").counters.get("opened"))
        assert attendant.places["board"].roles == ("hall-board",)
        calls: list[Call] = []
        for no in (3, 1):
            ticket = hall.issue(kiosk=None)
            hall.press(no, "call_next")
            calls.insert(0, Call(number=ticket["number"], window=no))
            wanted = ShowCalls(calls=tuple(calls))
            soon(lambda wanted=wanted: wanted in board.obeyed)
        assert [text.strip() for text in board.simulator.shown.values()] == [  # type: ignore[attr-defined]
            f"{calls[0].number} 1号窗口",
            f"{calls[1].number} 3号窗口",
            "",
        ]
        board.unplug()
        soon(lambda: attendant.station.state("board").state == "absent", 5)
        board.obeyed.clear()
        board.plug()
        soon(lambda: ShowCalls(calls=tuple(calls)) in board.obeyed, 15)
        attendant.close()
        board.obeyed.clear()
        hall.attend("window")
        soon(lambda: ShowCalls(calls=tuple(calls)) in board.obeyed, 10)

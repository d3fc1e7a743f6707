"""Print jobs to their end on a printer that never answers, given-up numbers, and a roll counted across restarts."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from config import machine
from devices.drivers.escpos_printer import Driver, Options
from devices.orders import Outcome
from devices.roles import Obeyed, Order, PaperUsed, PrintSlip, Refused, SetRoll, Unconfirmed
from kiosk.paper import Roll
from kiosk.slips import Slips


def job_of(hall: Any, ticket: Any) -> Any:
    return hall.as_("").ticket(ticket["id"])["job"]["state"]


def test_a_slip_on_a_printer_that_never_answers_is_sent_and_nobody_is_asked(whole_hall: Any, soon: Any) -> None:
    """And the count of its paper outlives the program."""
    hall = whole_hall()
    text = hall.file.read_text(encoding="utf-8")
    hall.file.write_text(text.replace("width_mm = 80", 'model = "silent-80", roll_metres = 5.0'), encoding="utf-8")
    hall.machine = machine.load(hall.file)
    hall.open()
    kiosk = hall.attend("kiosk")
    soon(lambda: kiosk.station.state("printer").state == "degraded")
    first = hall.issue()
    soon(lambda: job_of(hall, first) == "sent", 10)
    used = soon(lambda: kiosk.roll.used, 5)
    assert 80 < used < 200
    kiosk.close()
    kiosk = hall.attend("kiosk")
    soon(lambda: kiosk.station.state("printer").state == "degraded")
    second = hall.issue()
    soon(lambda: job_of(hall, second) == "sent", 10)
    soon(lambda: kiosk.roll.used == 2 * used, 5)
    assert isinstance(kiosk.station.send("printer", SetRoll()).result(5), Obeyed)
    third = hall.issue()
    soon(lambda: job_of(hall, third) == "sent", 10)
    soon(lambda: kiosk.roll.used == used, 5)


def test_a_number_given_up_before_its_slip_was_printed_is_not_printed(whole_hall: Any) -> None:
    hall = whole_hall().open()
    ticket = hall.issue()
    hall.as_("manager").at_ticket(ticket["id"], "cancel")
    printed: list[PrintSlip] = []

    def send(slip: PrintSlip) -> Outcome:
        printed.append(slip)
        return Obeyed(order="PrintSlip")

    slips = Slips(hall.as_("kiosk"), "k1", send, lambda *_: None, time.time, threading.Event())
    slips.catch_up(hall.as_("kiosk").hall())
    slips.close()
    slips.run()
    assert (printed, job_of(hall, ticket)) == ([], "cancelled")


def test_what_is_remembered_is_told_before_the_first_slip_until_it_was_taken(tmp_path: Path) -> None:
    given: list[Order] = []
    answers: list[Outcome] = [
        Refused(order="SetRoll", reason="absent"), Refused(order="PrintSlip", reason="absent"),
        Obeyed(order="SetRoll"), Unconfirmed(order="PrintSlip", reason=""), Unconfirmed(order="PrintSlip", reason=""),
    ]  # fmt: skip

    def send(order: Order) -> Outcome:
        given.append(order)
        return answers[len(given) - 1]

    slip = PrintSlip(hall="厅", service="社保", number="A001", ahead=0)
    Roll(tmp_path / "roll", send).heard(PaperUsed(used_mm=1234, left_mm=1, slips_left=0))
    roll = Roll(tmp_path / "roll", send)
    for _ in range(3):
        roll.print(slip)
    assert given == [SetRoll(used_mm=1234), slip, SetRoll(used_mm=1234), slip, slip]


def test_a_damaged_or_missing_count_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "roll"
    for text in ("", "soup", "-5"):
        file.write_text(text)
        assert Roll(file, lambda _order: Obeyed(order="")).used == 0
    assert Roll(tmp_path / "none", lambda _order: Obeyed(order="")).used == 0
    roll = Roll(tmp_path / "no folder" / "roll", lambda _order: Obeyed(order=""))
    roll.heard(PaperUsed(used_mm=5, left_mm=0, slips_left=0))
    assert roll.used == 0


def test_a_printer_that_is_not_counted_is_told_nothing(tmp_path: Path) -> None:
    driver = Driver(Options())
    given: list[Order] = []

    def send(order: Order) -> Outcome:
        given.append(order)
        driver.take(order)
        driver.lost()
        driver.reset()
        return Obeyed(order="PrintSlip")

    Roll(tmp_path / "roll", send).print(PrintSlip(hall="厅", service="社保", number="A001", ahead=0))
    assert [type(order) for order in given] == [PrintSlip]

"""The assembled machine when things go wrong: cables pulled, lines that babble, programs killed, a hall away."""

import sqlite3
import threading
import time
from datetime import UTC, datetime

import pytest

from devices.roles import CardPresented, Key, KeyPressed
from kiosk.attendant import Ears

FRIDAY = datetime(2026, 11, 20, 1, 30, tzinfo=UTC).timestamp()
CARD = CardPresented(
    kind="citizen", name="张三丰", id_number="110101199003070134", sex="男", nation="汉", birth="19900307",
    address_text="北京市", authority="公安局", start="20200101", end="长期",
)  # fmt: skip


def job_of(hall, ticket):
    return hall.as_("").ticket(ticket["id"])["job"]["state"]


def slips(hall):
    return [(s["number"], s["reprint"]) for s in hall.obeyed("printer", "PrintSlip")]


def called(hall, soon, no=3):
    """A citizen called to a window with the pad's key, shown on its strip; the ticket."""
    ticket = hall.issue(kiosk=None)
    hall.press(no, "call_next")
    soon(lambda: ticket["number"] in [s["number"] for s in hall.obeyed(f"strip{no}", "ShowCall")])
    return ticket


# ---- the printer ---------------------------------------------------------------------------------------------------


def test_a_printer_unplugged_in_the_middle_of_a_slip_prints_it_again_only_when_asked(whole_hall, soon):
    hall = whole_hall().open()
    hall.attend("kiosk")
    hall.all_ready("printer")
    hall.printer.spoil("die-mid-frame")
    ticket = hall.issue()
    soon(lambda: job_of(hall, ticket) == "unknown", 10)
    soon(lambda: hall.state_of("printer") == "absent", 5)
    assert "printer" in [a["device"] for a in hall.as_("technician").get("/alarms")["alarms"]]
    hall.printer.spoil()
    soon(lambda: hall.state_of("printer") == "ready", 15)
    following = hall.issue()
    soon(lambda: job_of(hall, following) == "confirmed", 10)
    assert slips(hall) == [(following["number"], False)], "the slip that was cut off is not printed by itself"
    hall.as_("kiosk").at_ticket(ticket["id"], "reprint", kiosk="k1")
    soon(lambda: job_of(hall, ticket) == "confirmed", 10)
    assert slips(hall)[1:] == [(ticket["number"], True)]


def test_a_kiosk_killed_while_it_prints_does_not_print_twice(whole_hall, soon):
    hall = whole_hall().open()
    kiosk = hall.run("kiosk", "--headless")
    hall.all_ready("printer")
    hall.printer.spoil("late")  # so that the job stays under way for some seconds
    ticket = hall.issue()
    soon(lambda: slips(hall))
    assert job_of(hall, ticket) == "sending"
    kiosk.kill()
    hall.printer.spoil()
    hall.run("kiosk", "--headless")
    soon(lambda: job_of(hall, ticket) == "unknown", 10)
    following = hall.issue()
    soon(lambda: job_of(hall, following) == "confirmed", 10)
    assert slips(hall) == [(ticket["number"], False), (following["number"], False)]


def test_a_slip_wanted_while_the_kiosk_was_off_is_printed_once_if_it_is_fresh(whole_hall, soon):
    hall = whole_hall().open(at=FRIDAY)  # hours away from this machine's own clock: the hall's counts
    old = hall.issue()
    hall.later(seconds=121)
    fresh = hall.issue()
    hall.run("kiosk", "--headless")
    soon(lambda: job_of(hall, fresh) == "confirmed", 10)
    assert job_of(hall, old) == "failed"
    following = hall.issue()
    soon(lambda: job_of(hall, following) == "confirmed", 10)
    assert slips(hall) == [(fresh["number"], False), (following["number"], False)]


def test_a_job_told_by_the_journal_and_by_the_list_is_printed_once(whole_hall, soon):
    from devices.roles import Obeyed
    from kiosk.slips import Slips

    hall = whole_hall().open()
    ticket = hall.issue()
    printed, stop = [], threading.Event()

    def send(slip):
        printed.append(slip)
        return Obeyed(order="PrintSlip", id=slip.id)

    slips = Slips(hall.as_("kiosk"), "k1", send, lambda job, state, reason: None, time.time, stop)
    [issued] = hall.told("TicketIssued")
    slips.catch_up(hall.as_("kiosk").hall())
    slips.hear(issued)
    slips.catch_up(hall.as_("kiosk").hall())
    slips.close()
    slips.run()
    assert [slip.number for slip in printed] == [ticket["number"]]
    assert (printed[0].ahead, printed[0].wait_minutes, printed[0].url) == (
        ticket["ahead"], ticket["wait_minutes"], ticket["url"],
    )  # fmt: skip


def test_a_slip_that_was_settled_meanwhile_is_not_printed(whole_hall):
    from kiosk.slips import Slips

    hall = whole_hall().open()
    ticket = hall.issue()
    slips = Slips(hall.as_("kiosk"), "k1", pytest.fail, lambda *settled: None, time.time, threading.Event())
    slips.catch_up(hall.as_("kiosk").hall())
    hall.as_("kiosk").settle_job(ticket["job"]["id"], "cancelled")
    slips.close()
    slips.run()
    assert job_of(hall, ticket) == "cancelled"


# ---- cables of windows ---------------------------------------------------------------------------------------------


def test_pad_and_evaluator_unplugged_during_service_are_back_with_what_they_missed(whole_hall, soon):
    hall = whole_hall().open()
    hall.open_windows(2, 3)
    hall.attend("window")
    hall.all_ready("bus", "strip2", "strip3")
    ticket = called(hall, soon)
    other = called(hall, soon, 2)
    hall.as_("clerk").at_ticket(ticket["id"], "start")
    bus = hall.street.devices["bus"]
    bus.unplug()
    pulled = time.monotonic()
    soon(lambda: hall.state_of("bus") == "absent", 5)
    assert time.monotonic() - pulled <= 5
    hall.as_("clerk").at_ticket(other["id"], "finish", outcome="done")  # at the desk: nothing waits for a cable
    before = len(hall.said)
    bus.plug()
    back = time.monotonic()
    soon(lambda: hall.state_of("bus") in ("ready", "degraded"), 10)
    told = soon(lambda: (t := [x for x in hall.said[before:] if x["device"] == "bus"]) and len(t) >= 2 and t, 10)
    assert time.monotonic() - back <= 10
    soon(lambda: (3, "001") in [(x["address"], x.get("number")) for x in hall.said[before:] if x["device"] == "bus"])
    soon(lambda: (2, "AskRating") in [(x["address"], x["order"]) for x in hall.said[before:] if x["device"] == "bus"])
    assert told
    hall.rate(2, 4)
    soon(lambda: hall.as_("").ticket(other["id"])["rating"] == "rated", 5)
    hall.press(3, "evaluate")
    soon(lambda: hall.as_("").ticket(ticket["id"])["state"] == "done", 5)
    soon(lambda: [a for a in hall.said[before:] if a.get("order") == "AskRating" and a["address"] == 3], 5)
    hall.rate(3, 5)
    soon(lambda: hall.as_("").ticket(ticket["id"])["rating"] == "rated", 5)


def test_a_strip_that_was_away_shows_how_things_are_now(whole_hall, soon):
    hall = whole_hall().open()
    hall.open_windows(1, 3)
    hall.attend("window")
    hall.all_ready("strip1", "strip3")
    for no, device in ((1, "strip1"), (3, "strip3")):  # a pseudo-terminal and a TCP port
        called(hall, soon, no)
        strip = hall.street.devices[device]
        strip.unplug()
        soon(lambda device=device: hall.state_of(device) == "absent", 5)
        missed = hall.issue(kiosk=None)
        hall.as_("clerk").call_next(no, finish="done")
        hall.as_("clerk").at_ticket(missed["id"], "start")
        strip.plug()
        soon(
            lambda device=device, missed=missed: (
                missed["number"] in [s["number"] for s in hall.obeyed(device, "ShowServing")]
            ),
            10,
        )
        assert missed["number"] not in [s["number"] for s in hall.obeyed(device, "ShowCall")], "calls are not repeated"


@pytest.mark.parametrize("babbler", ["strip1", "reader"])
def test_a_babbling_line_delays_no_call_elsewhere_beyond_a_second(babbler, whole_hall, soon):
    hall = whole_hall().open()
    hall.open_windows(3)
    window, kiosk = hall.attend("window"), hall.attend("kiosk")
    hall.all_ready("bus", "strip3", "printer", babbler)
    hall.street.devices[babbler].spoil("babble")
    station = (kiosk if babbler == "reader" else window).station
    soon(lambda: station.state(babbler).counters.get("bytes_in", 0) > 300_000, 20)
    latencies = []
    for _ in range(5):
        ticket = hall.issue()
        hall.press_again(3, "call_next")
        pressed = time.monotonic()
        shown = soon(
            lambda ticket=ticket: [s for s in hall.obeyed("strip3", "ShowCall") if s["number"] == ticket["number"]], 5
        )
        latencies.append(shown[0]["at"] / 1e9 - pressed)
        soon(lambda ticket=ticket: job_of(hall, ticket) == "confirmed", 5)
    assert max(latencies) <= 1, latencies
    hall.street.devices[babbler].spoil()
    soon(lambda: hall.state_of(babbler) in ("ready", "degraded"), 20)


@pytest.mark.parametrize("fault", ["late", "twice", "bad-checksum"])
def test_a_kiosk_survives_a_reader_with_bad_manners(fault, whole_hall, soon):
    hall = whole_hall(faults={"reader": [fault]}).open()
    kiosk = hall.run("kiosk", "--headless")
    hall.all_ready("printer")
    hall.street.devices["reader"].happen(CARD)
    for _ in range(3):
        ticket = hall.issue()
        soon(lambda ticket=ticket: job_of(hall, ticket) == "confirmed", 10)
    if fault == "bad-checksum":
        assert hall.state_of("reader") not in ("ready", "")
    else:
        soon(lambda: hall.state_of("reader") == "ready", 30)
    assert kiosk.process.poll() is None
    assert "张三丰" not in kiosk.log.read_text()


# ---- a hall that is away -------------------------------------------------------------------------------------------


def invited(hall, soon):
    """A visit that has just ended at window 3: its evaluator asks."""
    hall.open_windows(3)
    ticket = called(hall, soon)
    hall.press(3, "evaluate")
    soon(lambda: hall.obeyed("bus", "AskRating"), 5)
    return ticket


def outbox(hall):
    return list((hall.folder / "state" / "k1-window-outbox").glob("*.json"))


def test_a_rating_pressed_while_the_hall_is_away_is_stored_when_it_is_back(whole_hall, soon):
    hall = whole_hall().open()
    hall.attend("window")
    hall.all_ready("bus", "strip3")
    ticket = invited(hall, soon)
    hall.hall.kill()
    hall.rate(3, 2)
    soon(lambda: outbox(hall), 5)
    hall.open()
    soon(lambda: hall.as_("").ticket(ticket["id"])["rating"] == "rated", 10)
    assert [e["data"]["grade"] for e in hall.told("TicketRated")] == [2]
    soon(lambda: not outbox(hall), 10)


def test_a_rating_survives_hall_and_window_program_both_killed(whole_hall, soon):
    hall = whole_hall().open()
    window = hall.run("window")
    hall.all_ready("bus", "strip3")
    ticket = invited(hall, soon)
    hall.hall.kill()
    hall.rate(3, 4)
    soon(lambda: outbox(hall), 5)
    window.kill()
    assert len(outbox(hall)) == 1, "on the disk, whoever is dead"
    hall.open()
    assert hall.as_("").ticket(ticket["id"])["rating"] == "invited"
    hall.run("window")
    soon(lambda: hall.as_("").ticket(ticket["id"])["rating"] == "rated", 10)
    assert [e["data"]["grade"] for e in hall.told("TicketRated")] == [4]


def test_a_rating_pressed_while_the_window_program_starts_without_a_hall_is_stored_later(whole_hall, soon):
    hall = whole_hall().open()
    window = hall.run("window")
    hall.all_ready("bus", "strip3")
    ticket = invited(hall, soon)
    kept = hall.folder / "state" / "k1-window-invited.json"
    soon(lambda: ticket["id"] in kept.read_text(), 5)
    window.kill()
    hall.hall.kill()
    hall.attend("window")
    soon(lambda: hall.rate(3, 5) or outbox(hall), 10)
    hall.open()
    soon(lambda: hall.as_("").ticket(ticket["id"])["rating"] == "rated", 10)
    assert [e["data"]["grade"] for e in hall.told("TicketRated")] == [5]


def test_a_rating_pressed_in_time_counts_though_the_hall_was_away_for_longer_than_it_may_wait(whole_hall, soon):
    hall = whole_hall(policy={"rating_prompt": 10}).open()
    hall.attend("window")
    hall.all_ready("bus", "strip3")
    ticket = invited(hall, soon)
    until = time.monotonic() + 11
    hall.hall.kill()
    hall.rate(3, 5)
    soon(lambda: outbox(hall), 5)
    soon(lambda: time.monotonic() > until, 15)  # the invitation has run out meanwhile
    hall.open()
    soon(lambda: hall.as_("").ticket(ticket["id"])["rating"] == "rated", 10)
    assert hall.as_("manager").get("/day")["ratings"]["5"] == 1


def test_keys_pressed_while_the_hall_is_away_are_forgotten_within_seconds(whole_hall, soon):
    hall = whole_hall().open()
    hall.open_windows(1, 2, 3)
    hall.attend("window")
    hall.all_ready("bus")
    hall.issue(kiosk=None)
    hall.hall.kill()
    for no in (1, 2, 3):
        hall.press(no, "call_next")
    soon(lambda: {b["address"] for b in hall.obeyed("bus", "Beep")} == {1, 2, 3}, 9)  # not one after the other
    hall.open()
    hall.all_ready("bus")
    hall.press_again(3, "call_next")
    soon(lambda: "A001" in [s["number"] for s in hall.obeyed("strip3", "ShowCall")])
    assert [e["data"]["window"] for e in hall.told("TicketCalled")] == [3], "only the key pressed now"


def test_a_machine_whose_token_was_taken_back_serves_again_when_it_is_known_again(whole_hall, soon):
    hall = whole_hall().open()
    hall.open_windows(3)
    hall.attend("window")
    hall.all_ready("bus", "strip3")

    def revoke(value):
        with sqlite3.connect(hall.folder / "state" / "hall.db", timeout=10) as db:
            db.execute("UPDATE tokens SET revoked_at = ? WHERE role = 'window'", (value,))

    hall.hall.kill()
    revoke(1)
    hall.open()
    hall.press(3, "call_next")
    soon(lambda: hall.obeyed("bus", "Beep"), 10)
    revoke(None)
    shown = soon(lambda: _try_to_call(hall), 30)
    assert shown


def _try_to_call(hall):
    """A clerk who presses again until the strip shows a number."""
    hall.issue(kiosk=None)
    hall.press_again(3, "call_next")
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and not hall.obeyed("strip3", "ShowCall"):
        time.sleep(0.01)
    return hall.obeyed("strip3", "ShowCall")


def test_the_clock_set_back_an_hour_in_the_assembled_hall(whole_hall, soon):
    hall = whole_hall().open(at=FRIDAY)
    hall.open_windows(3)
    hall.attend("window")
    hall.attend("kiosk")
    hall.all_ready("bus", "strip3", "printer")
    first = hall.issue()
    hall.later(seconds=-3600)
    second = hall.issue()
    assert (first["number"], second["number"]) == ("A001", "A002")
    soon(lambda: job_of(hall, second) == "confirmed", 10)
    for number in ("A001", "A002"):
        hall.press_again(3, "call_next")
        soon(lambda number=number: number in [s["number"] for s in hall.obeyed("strip3", "ShowCall")])
    soon(lambda: [a for a in hall.as_("technician").get("/alarms")["alarms"] if a["device"] == "clock"], 5)
    times = [event["at"] for event in hall.told()]
    assert times == sorted(times)
    hall.later(seconds=3600)
    soon(lambda: not [a for a in hall.as_("technician").get("/alarms")["alarms"] if a["device"] == "clock"], 5)


def test_an_evaluator_does_not_light_up_for_a_visit_that_ended_long_ago(whole_hall, soon):
    """A machine that was away hears the journal late; the next citizen must not rate the last one's visit."""
    hall = whole_hall().open()
    hall.open_windows(3)
    window = hall.attend("window")
    hall.all_ready("bus", "strip3")
    ticket = called(hall, soon)
    data = {"ticket": ticket["id"], "number": ticket["number"], "queue": "A", "window": 3}

    def invited(seconds_ago):
        at = datetime.fromtimestamp(time.time() - seconds_ago, UTC).isoformat()
        window._hear({"seq": 0, "at": at, "type": "RatingInvited", "data": data})

    invited(seconds_ago=11)
    hall.rate(3, 5)
    hall.press(3, "recall")  # heard after the rating; too soon, so it is refused
    soon(lambda: hall.obeyed("bus", "Beep"), 5)
    assert hall.obeyed("bus", "AskRating") == []
    assert window.windows[3].rating == ""
    invited(seconds_ago=5)
    soon(lambda: hall.obeyed("bus", "AskRating"), 5)
    assert window.windows[3].rating == ticket["id"]


def test_pads_show_how_many_wait_once_for_each_change_and_again_when_they_were_away(whole_hall, soon):
    hall = whole_hall().open()
    hall.open_windows(1, 2, 3)
    hall.attend("window")
    hall.all_ready("bus")

    def counts(since=0):
        told = [x for x in hall.said[since:] if x["device"] == "bus" and x.get("waiting") is not None]
        return sorted((x["address"], x["waiting"]) for x in told)

    hall.issue(kiosk=None)
    soon(lambda: {(n, 1) for n in (1, 2, 3)} <= set(counts()), 5)
    seen = len(hall.said)
    hall.issue(kiosk=None)
    hall.as_("clerk").at_ticket(hall.issue(kiosk=None)["id"], "cancel")
    soon(lambda: {(n, 2) for n in (1, 2, 3)} <= set(counts(seen)), 5)
    assert len(counts(seen)) == len(set(counts(seen))), "what a pad shows already is not told again"
    bus = hall.street.devices["bus"]
    bus.unplug()
    soon(lambda: hall.state_of("bus") == "absent", 5)
    seen = len(hall.said)
    bus.plug()
    soon(lambda: {(n, 2) for n in (1, 2, 3)} <= set(counts(seen)), 10)


def test_a_strip_does_not_wait_for_a_journal_that_comes_late(whole_hall, soon):
    """The answer to the key tells as much; when the journal tells it too, nothing is shown twice."""
    from devices.setup.changes import entries_of
    from hall_api.client import HallClient
    from kiosk.attendant import Attendant

    late = threading.Event()

    class Late(HallClient):
        """A hall whose journal arrives only when it is let."""

        def follow(self, after, on_event, stop, **more):
            super().follow(after, lambda event: late.wait(20) and on_event(event), stop, **more)

    hall = whole_hall().open()
    hall.open_windows(3)
    devices = [d for d in hall.machine.devices if d.windows]
    window = Attendant("late", Late(hall.url, hall.tokens["window"]), entries_of(devices), hall.machine.about.state)
    window.start()
    try:
        hall.all_ready("bus", "strip3")
        ticket = called(hall, soon)
        hall.press(3, "evaluate")
        soon(lambda: hall.obeyed("bus", "AskRating"), 5)
        hall.rate(3, 5)
        soon(lambda: hall.as_("").ticket(ticket["id"])["rating"] == "rated", 5)
        late.set()
        soon(lambda: window.windows[3].rating == "", 5)  # the journal's last word about this visit
        following = called(hall, soon)
        shown = [s["number"] for s in hall.obeyed("strip3", "ShowCall")]
        assert shown == [ticket["number"], following["number"]]
        assert len(hall.obeyed("bus", "AskRating")) == 1
    finally:
        late.set()
        window.close()


def test_next_pressed_right_after_a_call_finishes_nobody(whole_hall, soon):
    hall = whole_hall().open()
    hall.open_windows(3)
    window = hall.attend("window")
    hall.all_ready("bus", "strip3")
    first, second = hall.issue(kiosk=None), hall.issue(kiosk=None)
    hall.press(3, "call_next")
    soon(lambda: window.windows[3].ticket == first["id"])
    window._tell("bus", KeyPressed(key=Key.CALL_NEXT, address=3))  # the pad's line eats quicker repeats by itself
    soon(lambda: hall.obeyed("bus", "Beep"), 5)
    assert hall.as_("").ticket(first["id"])["state"] == "called"
    hall.press_again(3, "call_next")
    soon(lambda: second["number"] in [s["number"] for s in hall.obeyed("strip3", "ShowCall")])
    assert hall.as_("").ticket(first["id"])["state"] == "done"


def test_a_duty_that_breaks_down_is_taken_up_again(whole_hall, soon, caplog):
    broken = []

    def stumble(role, state, reason):
        if state == "ready" and not broken:
            broken.append(role)
            raise ZeroDivisionError("somebody's mistake")

    hall = whole_hall().open()
    hall.attend("kiosk", ears=Ears(changed=stumble))
    hall.all_ready("printer")
    assert broken
    assert "k1-kiosk report broke down and is taken up again" in caplog.text

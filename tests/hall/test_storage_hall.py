"""The same hall on both engines: whatever is answered is stored, whatever is stored is told."""

import json
import threading
from dataclasses import replace

import pytest

from hall_api.domain.orders import (
    Actor,
    CallNext,
    Finish,
    Housekeep,
    Issue,
    OpenWindow,
    Outcome,
    Rate,
    ReportDevice,
    SettleJob,
)
from hall_api.domain.refusal import Refusal
from hall_api.storage.unit import Unit

CLERK = Actor(role="clerk", name="wang")
KIOSK = Actor(role="kiosk", name="k1")


def test_a_number_is_stored_with_its_print_job(hall):
    issued = hall.obey(Issue(service="pension", kiosk="k1"), KIOSK)
    assert (issued["number"], issued["queue"], issued["service_name"]) == ("A001", "A", "养老保险")
    assert issued["job"] == {"id": issued["job"]["id"], "state": "queued", "kiosk": "k1"}
    assert issued["url"] == f"http://hall.test/t/{issued['id']}"
    assert hall.ticket(issued["id"]) == issued
    assert hall.tickets_by_number("a001") == {"tickets": [issued]}
    job = issued["job"]["id"]
    settled = hall.obey(SettleJob(job=job, state="confirmed"), KIOSK)
    assert settled == {"id": job, "ticket": issued["id"], "state": "confirmed", "kiosk": "k1", "first": ""}
    assert hall.ticket(issued["id"])["job"]["state"] == "confirmed"


def test_a_job_that_has_ended_stays_as_it_ended(hall):
    job = hall.obey(Issue(service="pension", kiosk="k1"), KIOSK)["job"]["id"]
    for state, then in (
        ("sending", "sending"),
        ("sent", "sent"),
        ("cancelled", "cancelled"),
        ("confirmed", "cancelled"),
    ):
        assert hall.obey(SettleJob(job=job, state=state), KIOSK)["state"] == then
    assert hall.print_jobs("k1") == {"jobs": []}


def test_ids_cannot_be_guessed_and_stand_in_order(hall, clock):
    first = hall.obey(Issue(queue="A"), KIOSK)["id"]
    clock.on(seconds=1)
    second = hall.obey(Issue(queue="A"), KIOSK)["id"]
    assert first < second
    assert len(first) >= 24 + 6  # five bits a letter: 120 random ones behind the time
    assert first[-24:] != second[-24:]


def test_everything_is_told_in_order_and_from_any_point(hall):
    heard = []
    stop = hall.follow(heard.extend)
    hall.obey(OpenWindow(window=1), CLERK)
    ticket = hall.obey(Issue(queue="A"), KIOSK)
    hall.obey(CallNext(window=1), CLERK)
    hall.obey(Finish(ticket=ticket["id"], outcome=Outcome.DONE), CLERK)
    hall.obey(Rate(ticket=ticket["id"], grade=2), Actor(role="window", window=1))
    stop()
    hall.obey(Issue(queue="A"), KIOSK)
    kinds = [line.type for line in heard]
    assert kinds == [
        "WindowOpened", "TicketIssued", "TicketCalled", "ServiceFinished", "RatingInvited",
        "RatingClosed", "TicketRated", "CaseOpened",
    ]  # fmt: skip
    assert [line.seq for line in heard] == list(range(1, 9))
    everyone = ("public", "staff", "manager")
    assert hall.events(0, 8, everyone) == heard
    assert [line.type for line in hall.events(5)] == ["RatingClosed", "TicketIssued"]
    assert hall.events(2, 1) == heard[2:3]
    assert hall.events(5, 1)[0].type == "RatingClosed", "a page of others' lines is passed over"
    assert hall.last_seq() == 9
    assert json.loads(heard[1].text()) == heard[1].as_json()
    assert heard[1].as_json()["data"]["number"] == "A001"


def test_a_repeated_request_gets_the_first_answer(hall):
    first = hall.obey(Issue(queue="A"), KIOSK, "key-1")
    assert hall.obey(Issue(queue="A"), KIOSK, "key-1") == first
    other = Actor(role="kiosk", name="k2")
    assert hall.obey(Issue(queue="A"), other, "key-1")["number"] == "A002", "another asker's key"
    with pytest.raises(Refusal) as said:
        hall.obey(Issue(queue="B"), KIOSK, "key-1")
    assert (said.value.code, said.value.kind) == ("key_reused", "invalid")
    assert hall.queues()["queues"][0]["waiting"] == 2


def test_a_refusal_and_an_empty_answer_are_remembered_too(hall):
    with pytest.raises(Refusal, match="window_closed"):
        hall.obey(CallNext(window=1), CLERK, "early")
    hall.obey(OpenWindow(window=1), CLERK)
    with pytest.raises(Refusal) as said:
        hall.obey(CallNext(window=1), CLERK, "early")
    assert (said.value.code, said.value.params) == ("window_closed", {"window": 1})
    assert hall.obey(CallNext(window=1), CLERK, "nobody") is None
    hall.obey(Issue(queue="A"), KIOSK)
    assert hall.obey(CallNext(window=1), CLERK, "nobody") is None, "the first answer was: nobody waits"
    assert hall.obey(CallNext(window=1), CLERK, "again")["number"] == "A001"


def test_the_same_key_twice_in_one_moment(hall):
    answers = []
    both = threading.Barrier(6)

    def ask():
        both.wait()
        answers.append(hall.obey(Issue(queue="A"), KIOSK, "double tap"))

    askers = [threading.Thread(target=ask) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert {a["number"] for a in answers} == {"A001"}
    assert hall.day()["issued"] == 1


def test_a_mistake_of_ours_hurts_only_its_own_order(hall):
    """Orders wait in one batch behind a slow one; one of them fails with an exception after it has changed rows."""
    gate, entered = threading.Event(), threading.Event()

    def slow(unit: Unit):
        entered.set()
        gate.wait(10)

    def broken(unit: Unit):
        hall._decided(unit, Issue(queue="A"), KIOSK)
        raise ZeroDivisionError

    outcomes = {}

    def ask(name, work):
        try:
            outcomes[name] = work()
        except ZeroDivisionError:
            outcomes[name] = "mistake"

    write = hall._store.write
    askers = [threading.Thread(target=ask, args=("slow", lambda: write(slow)))]
    askers[0].start()
    assert entered.wait(10)
    askers += [
        threading.Thread(target=ask, args=("before", lambda: hall.obey(Issue(queue="A"), KIOSK))),
        threading.Thread(target=ask, args=("broken", lambda: write(broken))),
        threading.Thread(target=ask, args=("after", lambda: hall.obey(Issue(queue="A"), KIOSK))),
    ]
    for asker in askers[1:]:
        asker.start()
    while hall._store._writer._jobs.qsize() < 3:
        assert any(asker.is_alive() for asker in askers)
    gate.set()
    for asker in askers:
        asker.join()
    assert outcomes["broken"] == "mistake"
    assert {outcomes["before"]["number"], outcomes["after"]["number"]} == {"A001", "A002"}
    assert hall.queues()["queues"][0]["waiting"] == 2
    assert [line.seq for line in hall.events(0)] == [1, 2]


def test_two_clerks_at_once_never_get_one_ticket(open_hall, url):
    """Two processes, three windows, everybody presses all the time."""
    halls = [open_hall(url), open_hall(url)]
    halls[0].obey(OpenWindow(window=1, staff="wang"), CLERK)
    halls[0].obey(OpenWindow(window=2, staff="li"), CLERK)
    for _ in range(60):
        halls[0].obey(Issue(queue="A"), KIOSK)
    called = []

    def press(hall, window):
        while ticket := hall.obey(CallNext(window=window, finish=Outcome.DONE), CLERK):
            called.append(ticket["number"])

    clerks = [threading.Thread(target=press, args=args) for args in ((halls[0], 1), (halls[1], 2))]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()
    assert sorted(called) == [f"A{n:03d}" for n in range(1, 61)]


def test_processes_hear_one_another_in_order(open_hall, url, until):
    """Two processes issue at the same time; each hears all lines of both, in order, without a gap."""
    halls = [open_hall(url), open_hall(url)]
    heard = [[], []]
    for hall, ear in zip(halls, heard, strict=True):
        hall.follow(ear.extend)

    def issue(hall, queue):
        for _ in range(40):
            hall.obey(Issue(queue=queue), KIOSK)

    threads = [threading.Thread(target=issue, args=args) for args in zip(halls, "AB", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: all(len(ear) >= 80 for ear in heard))
    for ear in heard:
        assert [line.seq for line in ear] == list(range(1, 81))
    assert heard[0] == heard[1]
    assert halls[1].queues()["queues"][0]["waiting"] == 40


def test_a_reader_of_the_journal_never_discovers_an_earlier_line(open_hall, url):
    """What `after=N` has skipped once must not appear later: read all the time while two processes write."""
    halls = [open_hall(url), open_hall(url)]
    reader = open_hall(url)
    writing = [threading.Thread(target=lambda h=h, q=q: [h.obey(Issue(queue=q), KIOSK) for _ in range(50)])
               for h, q in zip(halls, "AB", strict=True)]  # fmt: skip
    for thread in writing:
        thread.start()
    seen = []
    while len(seen) < 100:
        page = reader.events(seen[-1] if seen else 0)
        seen += [line.seq for line in page]
        assert page or any(t.is_alive() for t in writing) or reader.events(seen[-1])
    assert seen == list(range(1, 101))


def test_what_another_process_changed_is_seen_at_once(open_hall, url):
    """Rows kept on the writer's desk are dropped as soon as another process has written."""
    one, two = open_hall(url), open_hall(url)
    one.obey(OpenWindow(window=1), CLERK)
    two.obey(Issue(queue="A"), KIOSK)
    assert one.obey(Issue(queue="A"), KIOSK)["number"] == "A002"
    assert two.obey(CallNext(window=1), CLERK)["number"] == "A001"
    with pytest.raises(Refusal, match="window_holds"):
        one.obey(CallNext(window=1), CLERK)


def test_devices_alarms_and_silence(hall, clock):
    report = ReportDevice(machine="w1", device="evaluator", role="evaluator", state="ready", windows=(1,))
    machine = Actor(role="window", name="w1", window=1)
    hall.obey(report, machine)
    hall.obey(report, machine)
    assert len(hall.events(0, audience=("staff",))) == 1, "only changes are told"
    hall.obey(replace(report, state="error", reason="缺纸"), machine)
    assert hall.alarms()["alarms"][0]["reason"] == "缺纸"
    clock.on(seconds=30)
    hall.obey(report, machine)
    assert hall.alarms() == {"alarms": []}
    clock.on(seconds=91)
    assert hall.devices()["devices"][0]["state"] == "absent", "even before anybody has tidied up"
    hall.obey(Housekeep(), Actor(role="system"))
    kinds = [line.type for line in hall.events(0, audience=("staff",))]
    assert kinds == ["DeviceChanged", "DeviceChanged", "AlarmRaised", "DeviceChanged", "AlarmCleared",
                     "DeviceChanged", "AlarmRaised"]  # fmt: skip
    assert hall.devices()["devices"][0]["windows"] == [1]


def test_a_store_knows_accounts_beside_the_hall(store):
    from sqlalchemy import bindparam, insert, select

    from hall_api.storage.schema import tokens

    add = insert(tokens).values(hash=bindparam("hash"), role=bindparam("role"), created_at=bindparam("at"))
    find = select(tokens.c.role, tokens.c.window).where(tokens.c.hash == bindparam("hash"))
    store.change(lambda connection: connection.run(add, hash="h", role="kiosk", at=1))
    assert store.read(lambda connection: connection.run(find, hash="h")) == [("kiosk", None)]
    assert store.read(lambda connection: connection.run(select(tokens.c.role).where(tokens.c.hash == "x"))) == []


def test_a_follower_that_fails_stops_nobody(hall):
    def broken(_):
        raise ZeroDivisionError

    heard = []
    hall.follow(broken)
    hall.follow(heard.extend)
    for n in (1, 2):
        assert hall.obey(Issue(queue="A"), KIOSK)["number"] == f"A00{n}"
    assert [line.seq for line in heard] == [1, 2]


def test_a_statement_made_for_one_question_is_forgotten(store):
    """The web layer may compose statements with values in them: they must not pile up in memory."""
    import gc

    from sqlalchemy import select

    from hall_api.storage.schema import tokens

    connection = store.engine.connect()
    for n in range(50):
        connection.run(select(tokens.c.role).where(tokens.c.hash == str(n)))
    gc.collect()
    assert len(connection._compile._known) < 25
    connection.close()

"""What only PostgreSQL has: locked rows stepped over, news across machines, a server that dies and comes back."""

import threading

import psycopg
import pytest

from hall_api.domain.orders import Actor, CallNext, Housekeep, Issue, OpenWindow
from hall_api.domain.refusal import Refusal
from hall_api.storage import statements as ask
from hall_api.storage.postgres import PostgresEngine

KIOSK = Actor(role="kiosk", name="k1")
CLERK = Actor(role="clerk", name="wang")


@pytest.fixture
def pg_url(postgres):
    return postgres.hall_database()


def test_a_row_held_by_a_stranger_is_stepped_over(open_hall, pg_url):
    hall = open_hall(pg_url)
    hall.obey(OpenWindow(window=1), CLERK)
    for _ in range(3):
        hall.obey(Issue(queue="A"), KIOSK)
    with psycopg.connect(pg_url) as stranger:
        stranger.execute("SELECT id FROM tickets WHERE number = 'A001' FOR UPDATE")
        assert hall.obey(CallNext(window=1), CLERK)["number"] == "A002", "nobody stands waiting at a window"


def test_four_machines_call_one_line(open_hall, pg_url, plan):
    halls = [open_hall(pg_url) for _ in range(3)]
    for no, login in ((1, "wang"), (2, "li")):
        halls[0].obey(OpenWindow(window=no, staff=login), CLERK)
    for _ in range(50):
        halls[0].obey(Issue(queue="A"), KIOSK)
    called = []

    def press(hall, window):
        while ticket := hall.obey(CallNext(window=window, finish="done"), CLERK):
            called.append(ticket["number"])

    def issue(hall):
        for _ in range(30):
            hall.obey(Issue(queue="B"), KIOSK)

    work = [threading.Thread(target=press, args=args) for args in ((halls[0], 1), (halls[1], 2))]
    work.append(threading.Thread(target=issue, args=(halls[2],)))
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert len(called) == len(set(called))
    assert set(called) >= {f"A{n:03d}" for n in range(1, 51)}
    told = halls[1].events(0, 10_000, ("public", "staff", "manager"))
    assert [line.seq for line in told] == list(range(1, len(told) + 1))


def test_a_server_that_dies_is_said_so_and_found_again(open_hall, postgres, pg_url, until):
    """A power cut of the database: orders are refused in words, nothing answered is lost, the news go on."""
    hall, other = open_hall(pg_url), open_hall(pg_url)
    heard = []
    hall.follow(heard.extend)
    assert hall.obey(Issue(queue="A"), KIOSK)["number"] == "A001"
    other.obey(Housekeep(), CLERK)
    assert [other.queue("A")["waiting"] for _ in range(8)] == [1] * 8
    postgres.stop("immediate")
    try:
        for ask in (lambda: hall.obey(Issue(queue="A"), KIOSK, "while away"), lambda: hall.queues()):
            with pytest.raises(Refusal) as said:
                ask()
            assert (said.value.code, str(said.value.kind)) == ("storage_trouble", "unavailable")
    finally:
        postgres.start()
    assert hall.obey(Issue(queue="A"), KIOSK, "while away")["number"] == "A002"
    assert other.obey(Issue(queue="A"), KIOSK)["number"] == "A003", "a connection found dead is replaced"
    assert [other.queue("A")["waiting"] for _ in range(8)] == [3] * 8, "and so is each reader's"
    until(lambda: [line.seq for line in heard] == [1, 2, 3])
    assert hall.queues()["queues"][0]["waiting"] == 3


def test_a_machine_without_power_gives_the_turn_back(open_hall, pg_url):
    """The writer's turn is a row lock: a hall's session that sleeps on it is ended by the server after seconds."""
    hall = open_hall(pg_url)
    sleeper = PostgresEngine(pg_url).connect()
    sleeper.begin(write=True)
    sleeper.run(ask.TAKE_STATE)
    assert hall.obey(Issue(queue="A"), KIOSK)["number"] == "A001"
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        sleeper.commit()

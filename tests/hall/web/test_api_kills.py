"""API processes that are killed in the middle of everything: what was acknowledged stays, and happens once."""

import contextlib
import os
import random
import signal
import threading
import time

import pytest
from waiting import until

from hall_api.client import HallAway, HallClient, HallRefused

KILLS = 10
MACHINES = 4


class Kiosk(threading.Thread):
    """Draws numbers without pause; asks again with the same key until it knows."""

    def __init__(self, url, token, name, stop):
        super().__init__()
        self.client, self.name_, self.stop_ = HallClient(url, token, timeout=3.0), name, stop
        self.given, self.trouble = {}, None

    def run(self):
        try:
            while not self.stop_.is_set():
                key = f"{self.name_}-{len(self.given)}"
                self.given[key] = patiently(lambda key=key: self.client.issue(queue="A", key=key))
        except (HallRefused, AssertionError) as trouble:
            self.trouble = trouble


def patiently(ask, seconds=30):
    """As a machine does: the same question again until there is an answer."""
    answers = []

    def answered():
        with contextlib.suppress(HallAway):
            answers.append(ask())
        return answers

    return until(answered, seconds)[0]


@pytest.mark.parametrize("processes", [1, 2])
def test_kills_during_traffic_lose_nothing(serve, eventually, processes):
    """Ten times -9 at a random moment: each acknowledged number is stored once, followers hear each event once."""
    served = serve("--processes", str(processes))
    chance = random.Random(processes)
    stop, heard, following = threading.Event(), [], threading.Event()
    kiosks = [Kiosk(served.url, served.token("kiosk"), f"k{n}", stop) for n in range(MACHINES)]
    follower = threading.Thread(
        target=HallClient(served.url, served.token("screen")).follow, args=(0, heard.append, following)
    )
    for thread in (*kiosks, follower):
        thread.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.05, 0.4))  # traffic goes on meanwhile: the moment of the kill is the test
        kill_one(served, chance, eventually)
    stop.set()
    for kiosk in kiosks:
        kiosk.join(40)
        assert kiosk.trouble is None
    given = [ticket for kiosk in kiosks for ticket in kiosk.given.values()]
    assert len(given) > KILLS
    numbers = [ticket["number"] for ticket in given]
    assert len(set(numbers)) == len(numbers), "a number was given twice"
    last = patiently(HallClient(served.url).healthy)["seq"]
    eventually(lambda: heard and heard[-1]["seq"] >= last, 20)
    following.set()
    follower.join(10)
    issued = [event["data"]["number"] for event in heard if event["type"] == "TicketIssued"]
    assert [event["seq"] for event in heard] == list(range(1, last + 1)), "the feed has gaps or repeats"
    assert sorted(issued) == sorted(numbers), "stored and acknowledged are not the same"
    assert HallClient(served.url).queues()[0]["waiting"] == len(numbers)


def kill_one(served, chance, eventually):
    """The only process, started again by hand; or one of several, started again by its parent."""
    children = served.children() if "2" in served.options else []
    if not children:
        served.kill()
        served.start()
        return
    victim = chance.choice(children)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: victim not in served.children() and len(served.children()) == 2)


def test_two_clerks_pressing_at_once_on_two_processes(serve):
    """Three windows call as fast as they can; nobody is called twice, nobody is left over."""
    served = serve("--processes", "2")
    kiosk = HallClient(served.url, served.token("kiosk"))
    waiting = {kiosk.issue(queue="ABCD"[n % 4])["id"] for n in range(90)}
    called, troubles = [], []

    def clerk(window, token):
        desk, finish = HallClient(served.url, token), None
        try:
            while ticket := desk.call_next(window, finish=finish):
                called.append(ticket["id"])
                finish = "done"
        except (HallRefused, HallAway) as trouble:
            troubles.append(trouble)

    clerks = [threading.Thread(target=clerk, args=(no, served.token("clerk"))) for no in (1, 2, 3)]
    for thread in clerks:
        thread.start()
    for thread in clerks:
        thread.join(60)
    assert troubles == []
    assert len(called) == len(set(called))
    assert set(called) == waiting


def test_an_event_of_one_process_is_heard_in_the_other(serve, eventually):
    """Ten followers on two processes all hear what any process stored, in order and soon."""
    served = serve("--processes", "2")
    token, stop = served.token("screen"), threading.Event()
    ears = [[] for _ in range(10)]
    threads = [
        threading.Thread(target=HallClient(served.url, token).follow, args=(0, ear.append, stop)) for ear in ears
    ]
    for thread in threads:
        thread.start()
    kiosks = [HallClient(served.url, served.token("kiosk")) for _ in range(4)]
    for _ in range(5):
        for kiosk in kiosks:
            kiosk.issue(queue="A")
    last = kiosks[0].healthy()["seq"]
    eventually(lambda: all(ear and ear[-1]["seq"] >= last for ear in ears))
    stop.set()
    for thread in threads:
        thread.join(5)
    assert all([event["seq"] for event in ear] == list(range(1, ear[-1]["seq"] + 1)) for ear in ears)

"""The client other machines use: asks again without doing twice, follows without losing, says what went wrong."""

import json
import select
import socket
import threading
from contextlib import closing

import pytest

from hall_api.client import HallAway, HallClient, HallRefused


@pytest.fixture
def served(serve):
    return serve()


def test_a_visit_with_the_client(served):
    kiosk = HallClient(served.url, served.token("kiosk"))
    desk = HallClient(served.url, served.token("window"))
    assert kiosk.healthy()["status"] == "ok"
    ticket = kiosk.issue(queue="A", key="touch 1")
    assert kiosk.issue(queue="A", key="touch 1") == ticket
    assert kiosk.ticket(ticket["id"])["number"] == ticket["number"]
    assert [t["id"] for t in kiosk.tickets(ticket["number"])] == [ticket["id"]]
    assert desk.call_next(1)["id"] == ticket["id"]
    with pytest.raises(HallRefused) as refused:
        desk.call_next(1)
    assert refused.value.status == 409
    assert refused.value.detail
    assert desk.call_next(1, finish="done") is None
    assert desk.rate(ticket["id"], 5)["rating"] == "rated"
    assert [e["type"] for e in desk.events(0)].count("TicketIssued") == 1
    kiosk.report_devices("k1", [{"device": "printer", "role": "ticket printer", "state": "ready"}])


def test_refused_in_english_too(served):
    stranger = HallClient(served.url, "", language="en")
    with pytest.raises(HallRefused, match="log in"):
        stranger.issue(queue="A")


def test_nobody_there():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(HallAway, match="no answer"):
        HallClient(f"http://127.0.0.1:{port}", "t").issue(queue="A")


@pytest.mark.parametrize("url", ["hall", "ftp://hall", ""])
def test_an_address_that_is_none(url):
    with pytest.raises(ValueError, match="http"):
        HallClient(url)


class Line:
    """A cable between client and hall that loses the first answers on their way back."""

    def __init__(self, url, lost):
        self.target = ("127.0.0.1", int(url.rpartition(":")[2]))
        self.lost, self.asked = lost, []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                caller, _ = self.server.accept()
            except OSError:
                return
            with caller, socket.create_connection(self.target) as hall:
                self.join(caller, hall)

    def join(self, caller, hall):
        while True:
            for ready in select.select([caller, hall], [], [])[0]:
                raw = ready.recv(65536)
                if ready is caller:
                    self.asked.append(raw)
                    hall.sendall(raw)
                elif raw and not self.lost:
                    caller.sendall(raw)
                elif raw:
                    self.lost -= 1
                    return
                if not raw:
                    return


def test_a_lost_answer_is_asked_for_again_and_happens_once(served):
    line = Line(served.url, lost=1)
    kiosk = HallClient(line.url, served.token("kiosk"))
    ticket = kiosk.issue(queue="A")
    assert ticket["number"] == "A001"
    assert len(line.asked) >= 2
    assert HallClient(served.url).queues()[0]["waiting"] == 1
    line.server.close()


def test_a_line_that_loses_everything_says_so(served):
    line = Line(served.url, lost=99)
    kiosk = HallClient(line.url, served.token("kiosk"))
    with pytest.raises(HallAway):
        kiosk.issue(queue="A")
    line.server.close()


def test_something_else_answers():
    server = socket.create_server(("127.0.0.1", 0))

    def wrong_house():
        for _ in range(2):
            caller, _ = server.accept()
            with caller:
                caller.recv(65536)
                caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")

    threading.Thread(target=wrong_house, daemon=True).start()
    with pytest.raises(HallAway, match="not the hall"):
        HallClient(f"http://127.0.0.1:{server.getsockname()[1]}").healthy()
    server.close()


def test_following_over_a_hall_that_dies(served, eventually):
    """Every event once and in order, over a -9 and a new start."""
    kiosk = HallClient(served.url, served.token("kiosk"))
    heard, contacts, stop = [], [], threading.Event()
    follower = threading.Thread(
        target=HallClient(served.url, served.token("screen")).follow,
        args=(0, heard.append, stop),
        kwargs={"on_contact": contacts.append},
    )
    follower.start()
    for _ in range(3):
        kiosk.issue(queue="A")
    eventually(lambda: len([e for e in heard if e["type"] == "TicketIssued"]) == 3)
    served.kill()
    eventually(lambda: False in contacts)
    served.start()
    for _ in range(3):
        kiosk.issue(queue="A")
    eventually(lambda: len([e for e in heard if e["type"] == "TicketIssued"]) == 6)
    stop.set()
    follower.join(5)
    assert not follower.is_alive()
    seqs = [e["seq"] for e in heard]
    assert seqs == sorted(set(seqs))
    assert json.dumps(heard[-6:])


def test_a_follower_nobody_knows_is_told(served):
    with pytest.raises(HallRefused):
        HallClient(served.url, "nonsense").follow(0, print, threading.Event())

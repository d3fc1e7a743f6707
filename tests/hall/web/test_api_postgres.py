"""The same doors over PostgreSQL: two processes, one database, every event heard in both."""

import json
import threading
import urllib.error
import urllib.request

import pytest

from hall_api.client import HallClient


@pytest.fixture
def database(postgres):
    return postgres.hall_database()


def test_two_processes_on_postgresql(serve, eventually):
    served = serve("--processes", "2")
    kiosk, stop, ears = HallClient(served.url, served.token("kiosk")), threading.Event(), [[] for _ in range(4)]
    token = served.token("screen")
    threads = [
        threading.Thread(target=HallClient(served.url, token).follow, args=(0, ear.append, stop)) for ear in ears
    ]
    for thread in threads:
        thread.start()
    tickets = [kiosk.issue(queue="A", key=f"k{n // 2}") for n in range(20)]
    assert len({ticket["id"] for ticket in tickets}) == 10
    desks = [HallClient(served.url, served.token("clerk")) for _ in range(3)]
    called = [desk.call_next(no)["id"] for no, desk in enumerate(desks, start=1)]
    assert len(set(called)) == 3
    last = kiosk.healthy()["seq"]
    eventually(lambda: all(ear and ear[-1]["seq"] >= last for ear in ears))
    stop.set()
    for thread in threads:
        thread.join(5)
    assert all([event["seq"] for event in ear] == list(range(1, ear[-1]["seq"] + 1)) for ear in ears)
    assert kiosk.queues()[0]["waiting"] == 7


def test_a_database_that_is_away_is_no_ones_business_but_the_logs(serve, postgres, eventually):
    """Whoever asks is told that the hall is in trouble, not where its database lives; a slip's link stays good."""
    served = serve()
    ticket = HallClient(served.url, served.token("kiosk")).issue(queue="A")
    postgres.stop("immediate")
    try:
        with pytest.raises(urllib.error.HTTPError) as said:
            urllib.request.urlopen(f"{served.url}/v1/queues", timeout=10)
        problem = json.load(said.value)
        assert (said.value.code, problem["code"]) == (503, "storage_trouble")
        assert "大厅日志" in problem["detail"] and "connection" not in problem["detail"]
        with urllib.request.urlopen(f"{served.url}/t/{ticket['id']}", timeout=10) as page:
            assert page.status == 200
    finally:
        postgres.start()
    eventually(lambda: HallClient(served.url, served.token("clerk")).call_next(1)["id"] == ticket["id"])

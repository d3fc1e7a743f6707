"""Greenlets of one thread ask the hall and none holds the others up. In a process of its own: gevent stays there."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import json, sys, threading
import gevent
from hall_api.default_plan import DEFAULT_PLAN
from hall_api.domain.orders import Actor, CallNext, Issue
from hall_api.domain.refusal import Refusal
from hall_api.hall import Hall
from hall_api.storage import open_store
from hall_api.storage.green import Greenlets

hall = Hall(DEFAULT_PLAN, open_store(sys.argv[1], waiting=Greenlets()))
hub_thread, heard, threads, ticks, numbers = threading.get_ident(), [], set(), [], []

def hear(told):
    heard.extend(line.seq for line in told)
    threads.add(threading.get_ident())

def issue():
    for _ in range(20):
        numbers.append(hall.obey(Issue(queue="A"), Actor(role="kiosk", name="k"))["number"])

def tick():
    while len(numbers) < 160:
        ticks.append(len(numbers))
        gevent.sleep(0)

def refuse():
    try:
        hall.obey(CallNext(window=1), Actor(role="clerk"))
    except Refusal as refusal:
        return refusal.code

hall.follow(hear)
refused = gevent.spawn(refuse)
with gevent.Timeout(60):
    gevent.joinall([gevent.spawn(issue) for _ in range(8)] + [gevent.spawn(tick), refused])
    waiting = hall.queues()["queues"][0]["waiting"]
    while len(heard) < 160:
        gevent.sleep(0.01)
hall.close()
print(json.dumps({
    "numbers": sorted(numbers), "waiting": waiting, "refused": refused.value,
    "in_order": heard == list(range(1, 161)), "in_hub": threads == {hub_thread}, "ticks": len(ticks),
}))
"""


def test_greenlets_share_the_hall(url):
    done = subprocess.run([sys.executable, "-c", CODE, url], cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("numbers") == [f"A{n:03d}" for n in range(1, 161)]
    assert said.pop("ticks") > 10, "others ran while these waited for the disk: how often depends on the disk"
    assert said == {"waiting": 160, "refused": "window_closed", "in_order": True, "in_hub": True}


def test_a_patched_threading_module_is_refused(sqlite_url):
    code = (
        "from gevent import monkey\nmonkey.patch_all()\nfrom hall_api.storage.green import Greenlets\n"
        "try:\n    Greenlets()\nexcept RuntimeError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "do not monkey-patch threading" in done.stdout

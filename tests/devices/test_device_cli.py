"""The technician's command line as a technician runs it: real processes, real cables, exit codes and JSON lines."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.reader import Mistake
from devices import drivers
from devices.options import describe, parse_options, typed

COMMAND = [sys.executable, "-m", "devices.cli"]
HOUSE = Path(__file__).parents[2]
SLIP = {
    "hall": "政务服务中心",
    "service": "社保",
    "number": "A007",
    "ahead": 3,
    "wait_minutes": 12,
    "zone": "B区",
    "time": "09:15",
    "url": "https://hall.example/t/1",
    "complaint_phone": "12345",
}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run([*COMMAND, *words], cwd=HOUSE, capture_output=True, text=True, timeout=60)


class Running:
    """A command that goes on, with its lines as they come."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *words], cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)

    def line(self, seconds: float = 20) -> Any:
        """The next JSON line, which must come in time."""
        return json.loads(self._lines.get(timeout=seconds))

    def say(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def close(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*words: str) -> Running:
        running.append(Running(*words))
        return running[-1]

    yield begin
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_every_driver_is_listed_with_role_links_and_options() -> None:
    shown = run("drivers", "--json")
    listed = {one["name"]: one for one in json.loads(shown.stdout)}
    assert sorted(listed) == drivers.names()
    scanner = listed["serial-scanner"]
    assert (scanner["roles"], scanner["links"]) == (["code-scanner"], ["serial", "socket"])
    suffix = next(o for o in scanner["options"] if o["name"] == "suffix")
    assert (suffix["type"], suffix["default"]) == ("str", "cr")
    assert {"silent", "babble", "no-suffix"} <= set(scanner["faults"])
    words = run("drivers").stdout
    assert "通用叫号器、评价器：每个键发一个字符或一短行文字。" in words  # as the local page has it
    assert "--option keys=N:call_next,R:recall" in words  # as it is typed
    assert all(name in words for name in listed)


@pytest.mark.parametrize("name", drivers.names())
def test_the_options_listed_can_be_typed_as_they_stand(name: str) -> None:
    shown = [f"{one['name']}={typed(one['default'])}" for one in describe(name) if one["default"] is not None]
    assert parse_options(name, shown) == drivers.load(name).Driver.Options()


def test_a_table_without_pairs_is_told_how_to_write_it() -> None:
    for word in ("grades=1", "grades=1:5,2"):
        with pytest.raises(Mistake, match=r"option grades: write KEY:VALUE, .*\(key = grade 5 to 1.*got '[12]'"):
            parse_options("queue-bus", [word])


def test_a_simulated_scanner_on_a_pty_is_heard(start: Callable[..., Running], tmp_path: Path) -> None:
    path = tmp_path / "scanner"
    device = start("simulate", "serial-scanner", "--pty", str(path))
    assert device.line() == {"ready": f"serial://{path}"}
    assert path.is_symlink()
    listening = start("listen", "--driver", "serial-scanner", "--link", f"serial://{path}", "--json", "--show-personal")
    masked = None
    device.say("this is no JSON")
    assert "no JSON" in device.line()["error"]
    device.say('{"news": "PaperOut"}')
    assert "only scans codes" in device.line()["error"]
    device.say('{"news": "CodeScanned"}')
    assert device.line() == {"error": "CodeScanned.text: missing, expected text"}
    assert device.process.stdin
    for _ in range(100):  # until the listener has opened the cable
        device.say('{"news": "CodeScanned", "text": "粤A"}')
        try:
            first = listening.line(0.2)
            break
        except queue.Empty:
            continue
    assert first == {"news": "Alive", "detail": ""}
    assert listening.line() == {"news": "CodeScanned", "text": "粤A", "hex": "e7b2a441", "encoding": "utf-8"}
    listening.close()
    device.process.stdin.close()
    masked = start("listen", "--driver", "serial-scanner", "--link", f"serial://{path}", "--json", "--seconds", "0.1")
    assert masked.process.wait(20) == 0
    assert device.process.poll() is None, "the end of stdin does not stop it"
    assert device.close() == 0
    assert not path.exists() and not path.is_symlink()


def test_send_ends_with_0_when_the_device_has_done_it(start: Callable[..., Running]) -> None:
    device = start("simulate", "serial-scanner", "--tcp", "0", "--option", "trigger=newland")
    link = device.line()["ready"]
    words = ["--driver", "serial-scanner", "--link", link, "--option", "trigger=newland"]
    sent = run("send", *words, "TriggerScan")
    assert sent.returncode == 0, sent.stderr
    outcome = json.loads(sent.stdout)
    assert (outcome["news"], outcome["order"]) == ("Obeyed", "TriggerScan")
    assert device.line() == {"order": "TriggerScan"}
    assert device.close(signal.SIGINT) == 0


def test_send_ends_with_2_when_nobody_can_know(start: Callable[..., Running]) -> None:
    device = start("simulate", "serial-scanner", "--tcp", "0", "--option", "trigger=honeywell")
    link = device.line()["ready"]
    sent = run("send", "--driver", "serial-scanner", "--link", link, "--option", "trigger=honeywell", "TriggerScan")
    assert sent.returncode == 2
    assert json.loads(sent.stdout)["news"] == "Unconfirmed"
    assert sent.stderr.strip() == "This scanner never answers commands."


def test_a_slip_is_printed_and_a_printer_without_paper_refuses(start: Callable[..., Running]) -> None:
    device = start("simulate", "escpos-printer", "--tcp", "0")
    link = device.line()["ready"]
    words = ["send", "--driver", "escpos-printer", "--link", link, "PrintSlip", json.dumps(SLIP)]
    sent = run(*words)
    assert sent.returncode == 0, sent.stderr
    printed = device.line()
    assert {key: printed[key] for key in ("order", "number", "ahead")} == {
        "order": "PrintSlip",
        "number": "A007",
        "ahead": 3,
    }
    device.say('{"news": "PaperOut"}')
    sent = run(*words)
    assert sent.returncode == 1
    assert json.loads(sent.stdout)["news"] == "Refused"
    assert "paper" in sent.stderr and len(sent.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["send", "--driver", "tea", "--link", "sim:", "PrintTest"], "no driver is called 'tea'"),
        (["send", "--driver", "escpos-printer", "--link", "x", "PrintTest"], "no scheme"),
        (["send", "--driver", "escpos-printer", "--link", "sim:", "MakeTea"], "there is no order 'MakeTea'"),
        (["send", "--driver", "escpos-printer", "--link", "sim:", "PrintSlip", "{"], "no JSON"),
        (["send", "--driver", "escpos-printer", "--link", "sim:", "PrintSlip", "[]"], "must be a JSON object"),
        (
            ["send", "--driver", "escpos-printer", "--link", "sim:", "PrintSlip", '{"colour": 1}'],
            "PrintSlip.colour: no such field",
        ),
        (["send", "--driver", "escpos-printer", "--link", "sim:", "TriggerScan"], "TriggerScan"),
        (["send", "--driver", "escpos-printer", "--link", "serial:///none", "PrintTest"], "There is no port /none"),
        (["listen", "--driver", "serial-scanner", "--link", "sim:", "--option", "gap"], "write KEY=VALUE"),
        (["listen", "--driver", "serial-scanner", "--link", "sim:", "--option", "gap=x"], "expected a number"),
        (["encode", "--driver", "serial-scanner", "--option", "colour=red", "StopScan"], "is not known here"),
        (["simulate", "serial-scanner"], "either --tcp PORT, --pty PATH or --dial LINK"),
        (
            ["simulate", "serial-scanner", "--tcp", "0", "--fault", "gremlins"],
            "no fault is called gremlins; there are: ",
        ),
        (["simulate", "tea", "--tcp", "0"], "no driver is called 'tea'"),
        (["simulate", "serial-scanner", "--pty", "/proc/none/x"], "/proc/none"),
    ],
)
def test_bad_input_ends_with_1_and_one_sentence(words: list[str], said: str) -> None:
    done = run(*words)
    assert done.returncode == 1, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_encode_prints_hex_and_opens_nothing() -> None:
    done = run("encode", "--driver", "serial-scanner", "--option", "trigger=newland", "TriggerScan")
    assert (done.returncode, done.stdout.strip()) == (0, "7e01303030304053434e545247313b03")
    slip = run("encode", "--driver", "escpos-printer", "PrintSlip", json.dumps({**SLIP, "order": "PrintSlip"}))
    assert "社保".encode("gb18030").hex() in slip.stdout


def test_a_document_is_named_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(b"%PDF-1.4 hello")
    words = ("encode", "--driver", "cups-printer", "PrintDocument")
    done = run(*words, json.dumps({"path": str(file), "title": "notice", "copies": 2}))
    assert b"%PDF-1.4 hello".hex() in done.stdout and b"notice".hex() in done.stdout
    file.write_bytes(b"hello")
    done = run(*words, json.dumps({"path": str(file)}))
    assert (done.returncode, done.stderr.strip()) == (1, "the document is not a PDF")


def test_a_person_is_masked_in_what_listen_prints(start: Callable[..., Running]) -> None:
    device = start("simulate", "ga467-reader", "--tcp", "0")
    link = device.line()["ready"]
    card = {"news": "CardPresented", "kind": "citizen", "name": "张三丰", "id_number": "110101199003070134"}
    card |= {"sex": "男", "nation": "汉", "birth": "19900307", "address_text": "北京", "authority": "公安局"}
    device.say(json.dumps({**card, "start": "20200101", "end": "长期"}))
    words = ["listen", "--driver", "ga467-reader", "--link", link, "--json"]
    listening = start(*words)
    heard = [listening.line(), listening.line()]
    assert [one["news"] for one in heard] == ["Alive", "CardPresented"]
    assert (heard[1]["name"], heard[1]["id_number"], heard[1]["address_text"]) == ("张**", "110***********0134", "***")
    assert listening.close() == 0
    device.say('{"news": "CardRemoved"}')


def test_a_reader_that_goes_away_is_told_as_news(start: Callable[..., Running], tmp_path: Path) -> None:
    device = start("simulate", "serial-scanner", "--pty", str(tmp_path / "s"), "--option", "trigger=newland")
    link = device.line()["ready"]
    listening = start("listen", "--driver", "serial-scanner", "--link", link, "--json", "--option", "trigger=newland")
    assert listening.line()["news"] == "Alive"
    device.close()
    down = listening.line()
    assert (down["news"], down["over"]) == ("LinkDown", False)


def test_output_that_nobody_reads_ends_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        done = subprocess.run(
            [*COMMAND, "drivers", "--json"], cwd=HOUSE, stdout=gone, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert "Traceback" not in done.stderr


def test_a_simulated_tablet_dials_in_and_is_heard(start: Callable[..., Running]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        link = f"ws-listen://127.0.0.1:{one.getsockname()[1]}"
    listening = start("listen", "--driver", "evaluator-tablet", "--link", link, "--json")
    tablet = start("simulate", "evaluator-tablet", "--dial", link)
    assert tablet.line() == {"ready": link}
    while listening.line()["news"] != "Alive":
        pass
    tablet.say('{"news": "Rated", "grade": 5}')
    assert (heard := listening.line())["news"] == "Rated" and heard["grade"] == 5


def test_a_simulator_dials_in_to_links_that_listen_only(start: Callable[..., Running]) -> None:
    done = run("simulate", "evaluator-tablet", "--dial", "socket://127.0.0.1:9")
    assert done.returncode == 1 and "dials in to listen://HOST:PORT" in done.stderr

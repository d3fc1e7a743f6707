"""Programs are kept running, told about once, and stopped to the last; all with real processes."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from waiting import until as eventually

from kiosk.supervisor import Line, NotReady, Port, Supervisor

ROOT = Path(__file__).resolve().parent.parent


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code), *arguments]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(tmp_path, said):
    with Supervisor(tmp_path / "logs", say=said.append) as one:
        yield one


SLEEP = "import time; print('up', flush=True); time.sleep(600)"


def test_ready_by_a_line_and_logged(supervisor, tmp_path):
    program = supervisor.start(
        "hall", python("print('up and ready'); import time; time.sleep(600)"), ready=Line("ready")
    )
    supervisor.wait_ready("hall", timeout=15)
    assert alive(program.pid)
    assert eventually(lambda: (tmp_path / "logs/hall.log").read_text()).endswith("Z up and ready\n")


def test_ready_when_the_port_answers(supervisor):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = """
        import socket, sys, time
        sys.stdin.readline()
        listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
        time.sleep(600)
    """
    program = supervisor.start("hall", python(code, str(port)), ready=Port(port))
    eventually(lambda: program.pid)
    assert not program.is_ready.is_set()
    program.write("go on")
    supervisor.wait_ready(timeout=15)


def test_not_ready_shows_the_last_lines(supervisor):
    supervisor.start("hall", python("print('no such plan'); import time; time.sleep(600)"), ready=Line("ready"))
    with pytest.raises(NotReady, match=r"hall was not ready after 2 s(?s:.*)no such plan"):
        supervisor.wait_ready(timeout=2)


def test_a_dead_program_is_started_again_and_told_once(supervisor, said, tmp_path):
    count = tmp_path / "count"
    code = """
        import pathlib, sys, time
        file = pathlib.Path(sys.argv[1])
        lives = int(file.read_text()) + 1 if file.exists() else 1
        file.write_text(str(lives))
        print("life", lives, flush=True)
        if lives < 3:
            sys.exit(7)
        time.sleep(600)
    """
    program = supervisor.start("kiosk", python(code, str(count)), ready=Line("life 3"))
    supervisor.wait_ready(timeout=20)
    assert program.starts == 3
    assert len(said) == 1
    assert "kiosk ended with exit code 7" in said[0]
    assert "life 1" in said[0]


def test_a_killed_program_comes_back(supervisor, said):
    program = supervisor.start("hall", python(SLEEP), ready=Line("up"))
    supervisor.wait_ready(timeout=15)
    first = program.pid
    os.kill(first, signal.SIGKILL)
    eventually(lambda: program.pid not in (None, first))
    assert "was ended by SIGKILL" in said[0]


def test_a_program_that_cannot_be_started_says_why(supervisor, said):
    supervisor.start("hall", ["/does/not/exist"])
    eventually(lambda: said)
    assert "/does/not/exist" in said[0]


def test_stopping_ends_what_the_program_started_and_nobody_else(tmp_path, said):
    stranger = subprocess.Popen(python(SLEEP), stdout=subprocess.DEVNULL)
    code = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("child", child.pid, flush=True)
        time.sleep(600)
    """
    try:
        with Supervisor(tmp_path / "logs", say=said.append) as supervisor:
            program = supervisor.start("window", python(code), ready=Line("child"))
            supervisor.wait_ready(timeout=15)
            pids = [program.pid, int(program.last_lines[-1].split()[1])]
            assert all(alive(pid) for pid in pids)
        assert not any(alive(pid) for pid in pids)
        assert alive(stranger.pid)
        assert said == []
    finally:
        stranger.kill()
        stranger.wait()


def test_a_deaf_program_is_killed(tmp_path, said):
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    supervisor = Supervisor(tmp_path / "logs", say=said.append)
    program = supervisor.start("hall", python(code), ready=Line("deaf"))
    supervisor.wait_ready(timeout=15)
    pid = program.pid
    supervisor.stop(grace=0.5)
    assert not alive(pid)
    assert "is killed" in said[0]


KEEPER = """
    import sys
    from pathlib import Path
    from kiosk.supervisor import Line, Supervisor
    with Supervisor(Path(sys.argv[1])) as supervisor, supervisor.signals():
        program = supervisor.start("one", [sys.executable, "-c", sys.argv[2]], ready=Line("up"))
        supervisor.wait_ready()
        print(program.pid, flush=True)
        supervisor.wait()
    print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_programs_end_with_their_keeper(tmp_path, number):
    keeper = subprocess.Popen(
        python(KEEPER, str(tmp_path), SLEEP),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    pid = int(keeper.stdout.readline())
    assert alive(pid)
    keeper.send_signal(number)
    rest, _ = keeper.communicate(timeout=20)
    eventually(lambda: not alive(pid))
    assert (rest == "stopped\n") == (number is not signal.SIGKILL)
    assert keeper.returncode == (-signal.SIGKILL if number is signal.SIGKILL else 0)


def test_two_programs_of_one_name_are_a_mistake(supervisor):
    supervisor.start("hall", python(SLEEP))
    with pytest.raises(ValueError, match="hall"):
        supervisor.start("hall", python(SLEEP))

"""The command line imports only what is called, and speaks in sentences."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def bianmin(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "kiosk", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def imported_by(*arguments: str) -> set[str]:
    """Top-level modules a call has imported when it ends."""
    code = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print('\\n' + json.dumps(sorted({m.partition('.')[0] for m in sys.modules}))))\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "from kiosk.cli import main\n"
        "main()\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )
    return set(json.loads(out.stdout.splitlines()[-1]))


def test_help_lists_every_command_and_imports_no_room():
    out = bianmin("--help")
    assert out.returncode == 0
    for command in ("demo", "run", "hall", "device", "test", "bench"):
        assert f"\n  {command} " in out.stdout
    assert imported_by("--help").isdisjoint({"devices", "hall_api", "screens", "flask", "kivy", "sqlalchemy"})


def test_looking_at_devices_loads_neither_web_server_nor_window():
    modules = imported_by("device", "drivers")
    assert "devices" in modules
    assert modules.isdisjoint({"flask", "kivy", "sqlalchemy", "hall_api", "screens"})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dmeo"], "No such command 'dmeo'."),
        (["run", "--chekc"], "No such option"),
        (["run", "nowhere.toml"], "nowhere.toml: cannot be read: No such file or directory"),
    ],
)
def test_a_slip_of_the_keyboard_gets_a_sentence(arguments, sentence):
    out = bianmin(*arguments)
    assert out.returncode != 0
    assert sentence in out.stderr
    assert "Traceback" not in out.stderr


def test_run_check_reads_the_file_and_starts_nothing(tmp_path):
    (tmp_path / "hall.toml").write_text('[machine]\nname = "v1"\n')
    out = bianmin("run", "--check", cwd=tmp_path)
    assert out.stdout == "hall.toml is in order: v1 is hall, kiosk, window.\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "hall.toml"]


def test_a_mistake_in_the_file_names_its_place(tmp_path):
    (tmp_path / "hall.toml").write_text('[machine]\nname = "v1"\n[kiosk]\nidle = "60"\n')
    out = bianmin("run", cwd=tmp_path)
    assert out.returncode == 1
    assert f"{tmp_path}/hall.toml: kiosk.idle: expected int, got '60'" in out.stderr


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ('driver = "escpos"\nlink = "sim:"', "device.d.driver: no driver is called 'escpos'; there are: "),
        (
            'driver = "queue-bus"\nlink = "seriel:///dev/x"',
            "device.d.link: link 'seriel:///dev/x': there is no kind of",
        ),
        ('driver = "queue-bus"\nlink = "v4l2://by-path/x"', "device.d.link: queue-bus sits on serial or socket"),
        (
            'driver = "escpos-printer"\nlink = "sim:"\noptions = { width_mm = 70 }',
            "device.d.options.width_mm: expected",
        ),
        ('driver = "escpos-printer"\nlink = "sim:"\noptions = { width = 58 }', "device.d.options.width: is not known"),
    ],
)
@pytest.mark.parametrize("arguments", [["run", "--check"], ["run"]])
def test_a_mistake_in_a_device_is_told_before_anything_starts(tmp_path, arguments, device, sentence):
    (tmp_path / "hall.toml").write_text(f'[machine]\nname = "v1"\n[[device]]\nname = "d"\n{device}\n')
    out = bianmin(*arguments, cwd=tmp_path)
    assert out.returncode == 1
    assert f"{tmp_path}/hall.toml: {sentence}" in out.stderr
    assert "Traceback" not in out.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "hall.toml"]


@pytest.mark.parametrize("example", sorted((ROOT / "docs" / "examples").glob("*.toml")), ids=lambda file: file.stem)
def test_the_examples_are_in_order(example):
    out = bianmin("run", "--check", str(example))
    assert (out.returncode, out.stderr) == (0, "")


def test_run_check_says_which_token_has_to_be_brought(tmp_path):
    text = '[machine]\nname = "w3"\nroles = ["window"]\nhall = "http://192.168.1.10:8000"\n[windows]\nnumbers = [3]\n'
    (tmp_path / "hall.toml").write_text(text)
    out = bianmin("run", "--check", cwd=tmp_path)
    assert "window cannot work yet: " in out.stdout and "`bianmin hall token window --db …`" in out.stdout
    [named] = [word for word in out.stdout.split() if word.endswith("window.token")]
    Path(named).parent.mkdir(parents=True, exist_ok=True)
    Path(named).write_text("token")
    assert "cannot work" not in bianmin("run", "--check", cwd=tmp_path).stdout

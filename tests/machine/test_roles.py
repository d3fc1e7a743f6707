"""A machine's program that cannot do its work ends with one sentence that names the place."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def taken():
    """A port that another program holds."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


def start(folder: Path, gateway: str, rights: int = 0o600) -> subprocess.CompletedProcess[str]:
    """The window's program of a machine in this folder, until it ends by itself."""
    (folder / "hall.toml").write_text(
        '[machine]\nname = "w1"\nroles = ["window"]\nhall = "http://127.0.0.1:9"\nstate = "state"\n'
        f"[gateway]\n{gateway}\n"
        '[[device]]\nname = "pad"\ndriver = "queue-bus"\nlink = "sim:"\nwindows = { 1 = 1 }\n'
    )
    (folder / "state").mkdir()
    (folder / "state" / "window.token").write_text("a-token")
    (folder / "state" / "window.token").chmod(rights)
    return run("window", folder)


def run(role: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A role's program over the folder's hall.toml, until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-P", "-m", f"kiosk.roles.{role}", str(folder / "hall.toml")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_port_of_the_devices_page_that_is_taken(tmp_path, taken):
    out = start(tmp_path, f"port = {taken}")
    assert out.returncode == 1
    assert f"bianmin: gateway.port: 127.0.0.1:{taken} cannot be used" in out.stderr
    assert "Traceback" not in out.stderr


def test_a_devices_page_open_to_the_network_without_a_password(tmp_path):
    out = start(tmp_path, 'host = "0.0.0.0"\nport = 8765')
    assert out.returncode == 1
    assert "bianmin: gateway.host: 0.0.0.0 can be reached by other machines" in out.stderr
    assert "Traceback" not in out.stderr


def test_a_token_that_others_may_read(tmp_path):
    out = start(tmp_path, "port = 8765", rights=0o644)
    assert out.returncode == 1
    assert "others may read this secret: chmod 600" in out.stderr
    assert "Traceback" not in out.stderr


def test_a_database_whose_password_is_not_there(tmp_path):
    (tmp_path / "hall.toml").write_text(
        '[machine]\nname = "h1"\nroles = ["hall"]\nstate = "state"\n'
        '[hall]\ndatabase = "postgresql://hall@127.0.0.1:1/hall"\npassword = "secret.txt"\n'
    )
    out = run("hall", tmp_path)
    assert out.returncode == 1
    assert out.stderr == f"bianmin: {tmp_path}/secret.txt: cannot be read: No such file or directory\n"

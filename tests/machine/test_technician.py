"""The technician's code and password are set from the command line and kept only as hashes."""

import pytest
from click.testing import CliRunner

from config import machine as machines
from devices.gateway.guard import PasswordFile
from kiosk.app import settings_of
from kiosk.cli import bianmin
from kiosk.maintenance import Lock


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "hall.toml"
    file.write_text('[machine]\nname = "k1"\nroles = ["kiosk"]\nhall = "http://10.0.0.5:8000"\n')
    return file


def ask(what, file, secret):
    return CliRunner().invoke(bianmin, ["technician", what, str(file)], input=secret + "\n")


def test_the_code_opens_the_kiosk_and_only_that_code(file):
    done = ask("code", file, "246813")
    assert done.exit_code == 0, done.output
    lock = Lock(settings_of(machines.load(file)).state)
    assert not lock.opens("246814", 0.0)
    assert lock.opens("246813", 0.0)


def test_the_password_is_that_of_the_devices_page(file):
    assert ask("password", file, "correct horse").exit_code == 0
    kept = PasswordFile(file.parent / "state" / "gateway.password")
    assert kept.matches("correct horse") and not kept.matches("correct hors")
    assert kept.path.stat().st_mode & 0o077 == 0 and "horse" not in kept.path.read_text()


@pytest.mark.parametrize(("what", "secret"), [("code", "12345"), ("code", "abcdef"), ("password", "short")])
def test_a_weak_one_is_refused_in_a_sentence(file, what, secret):
    done = ask(what, file, secret)
    assert done.exit_code == 1
    assert "must be" in done.output or "needs at least" in done.output
    assert not (file.parent / "state" / "gateway.password").exists()


def test_a_broken_file_is_named(file):
    file.write_text("[machine]\n")
    done = ask("code", file, "246813")
    assert done.exit_code == 1 and "machine.name" in done.output

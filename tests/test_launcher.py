"""`./bianmin` sets a machine up from nothing, may be cut short, and says in one sentence what it lacks.

The house here is a small one: the real launcher and set-up, with lists of its own and a room that only says its name.
What stands at the end of the cable (apt, the user's rights) is played by programs in a folder on PATH.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = (
    "sh env dirname readlink cat cmp find mktemp awk tr wc rm mkdir tail sed flock sync grep dpkg-query apt-get id true"
)


@pytest.fixture
def house(tmp_path):
    """A checkout with no packages to install."""
    return build(tmp_path / "大厅 house")


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A house that has been set up; (house, what the first start said)."""
    house = build(tmp_path_factory.mktemp("ready") / "house")
    first = start(house, "run", "hall.toml")
    assert first.returncode == 0, first.stderr
    return house, first


@pytest.fixture
def furnished(ready, tmp_path):
    """A checkout that has an environment already, but whose lists have changed since."""
    house = shutil.copytree(ready[0], tmp_path / "furnished", symlinks=True)
    (house / "requirements.lock").write_text("# another\n")
    return house


def build(house: Path) -> Path:
    (house / "deploy").mkdir(parents=True)
    (house / "kiosk/locale/zh_CN/LC_MESSAGES").mkdir(parents=True)
    (house / "config").mkdir()
    shutil.copy(ROOT / "bianmin", house)
    shutil.copy(ROOT / "deploy/setup.sh", house / "deploy")
    (house / "deploy/apt-packages.txt").write_text("runtime  dpkg  # is there\n")
    (house / "requirements.lock").write_text("")
    (house / "requirements-dev.lock").write_text("# for tests\n")
    (house / "kiosk/__init__.py").touch()
    (house / "kiosk/__main__.py").write_text("import os, sys\nprint('kiosk', *sys.argv[1:], os.getcwd())\n")
    (house / "config/__init__.py").touch()
    (house / "config/words.py").write_text("open('words-made', 'a').write('x')\n")
    return house


def start(house: Path, *arguments: str, cwd: Path | str = "/", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [house / "bianmin", *arguments],
        cwd=cwd,
        env={**os.environ, "PIP_NO_INDEX": "1", "TMPDIR": str(house.parent), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.fixture
def machine(tmp_path):
    """A folder for PATH with the usual tools, from which a test takes some away or plays them itself."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS.split():
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def play(machine: Path, tool: str, script: str) -> None:
    (machine / tool).unlink(missing_ok=True)
    (machine / tool).write_text(f"#!/bin/sh\n{script}\n")
    (machine / tool).chmod(0o755)


def test_the_first_start_sets_up_and_starts(ready):
    house, first = ready
    assert first.stdout == "kiosk run hall.toml /\n"
    assert first.stderr.splitlines()[-1] == "bianmin: Ready."
    assert (house / "words-made").read_text() == "x"


def test_a_later_start_says_nothing_and_is_instant(ready):
    house, _ = ready
    began = time.monotonic()
    again = start(house, "demo")
    assert (again.stdout, again.stderr) == ("kiosk demo /\n", "")
    assert time.monotonic() - began < 1.0


def test_through_a_link_and_from_any_folder(ready, tmp_path):
    house, _ = ready
    link = tmp_path / "bin" / "bianmin"
    link.parent.mkdir()
    link.symlink_to(house / "bianmin")
    (tmp_path / "kiosk.py").write_text("raise SystemExit('the wrong kiosk')")
    out = subprocess.run([link, "a b", "*"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert out.stdout == f"kiosk a b * {tmp_path}\n"


def test_a_new_list_is_installed_at_the_next_start(ready):
    house, _ = ready
    (house / "requirements.lock").write_text("# newer\n")
    assert "Python packages" in start(house).stderr
    assert start(house).stderr == ""


def test_tests_have_a_list_of_their_own(ready):
    house, _ = ready
    assert "Python packages" in start(house, "test").stderr
    assert start(house, "test").stderr == ""
    assert start(house, "run").stderr == ""


def test_a_changed_translation_is_made_ready(ready):
    house, _ = ready
    before = (house / "words-made").read_text()
    po = house / "kiosk/locale/zh_CN/LC_MESSAGES/bianmin.po"
    po.touch()
    later = time.time() + 2
    os.utime(po, (later, later))
    os.utime(house / ".venv/words-ready", (later - 1, later - 1))
    assert start(house).stderr == ""
    assert (house / "words-made").read_text() == before + "x"


def test_a_set_up_cut_short_is_done_again_from_nothing(ready):
    house, _ = ready
    (house / ".venv/.building").touch()
    (house / ".venv/ready-runtime").unlink()
    (house / ".venv/half").touch()
    again = start(house, "run")
    assert again.returncode == 0, again.stderr
    assert "Python environment in" in again.stderr
    assert not (house / ".venv/half").exists()
    assert not (house / ".venv/.building").exists()


def test_two_starts_at_once_set_up_once(house):
    starts = [
        subprocess.Popen([house / "bianmin", "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=100) for process in starts]
    assert [process.returncode for process in starts] == [0, 0], said
    assert sum("Python environment in" in err for _, err in said) == 1
    assert (house / "words-made").read_text() == "x"


def test_packages_that_cannot_be_had_are_told_and_tried_again(ready):
    house, _ = ready
    good = (house / "requirements.lock").read_text()
    (house / "requirements.lock").write_text(f"nothing==1.0 --hash=sha256:{'0' * 64}\n")
    failed = start(house, "run")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "bianmin: The Python packages could not be installed (is there a network?)." in failed.stderr
    assert "nothing" in failed.stderr  # pip's own last lines
    (house / "requirements.lock").write_text(good)
    assert start(house, "run").returncode == 0


def lacking(house: Path) -> None:
    """This house wants a package this machine does not have."""
    (house / "deploy/apt-packages.txt").write_text(
        "runtime  dpkg\nruntime  bianmin-glass  # is not there\ntest  other\n"
    )


def test_not_debian_is_one_sentence_with_every_package(house, machine):
    lacking(house)
    (machine / "dpkg-query").unlink()
    out = start(house, PATH=str(machine))
    assert out.returncode == 1
    assert out.stderr.count("\n") == 1
    assert "not a Debian machine" in out.stderr
    assert "dpkg bianmin-glass" in out.stderr
    assert "other" not in out.stderr


def test_not_debian_but_everything_is_there(furnished):
    lacking(furnished)
    assert start(furnished, "run", BIANMIN_PACKAGES="present").stdout == "kiosk run /\n"


def test_no_rights_is_one_sentence_with_the_missing_packages(house, machine):
    lacking(house)
    play(machine, "id", "echo 1000")
    out = start(house, PATH=str(machine))
    assert out.returncode == 1
    assert out.stderr == (
        "bianmin: Debian packages are missing and this user may not install any; "
        "please have an administrator run: apt-get install bianmin-glass\n"
    )


def test_no_network_is_told_with_the_missing_packages(house, machine):
    lacking(house)
    play(machine, "apt-get", "echo 'E: Could not resolve deb.debian.org'; exit 100")
    play(machine, "id", "echo 0")
    out = start(house, PATH=str(machine))
    assert out.returncode == 1
    assert "(is there a network?); please have an administrator run: apt-get install bianmin-glass" in out.stderr
    assert "Could not resolve" in out.stderr
    assert not (house / ".venv").exists()


def test_missing_packages_and_only_those_are_asked_of_apt(furnished, machine, tmp_path):
    lacking(furnished)
    play(machine, "apt-get", f'echo "$@" >>"{tmp_path}/asked"; [ -t 0 ] && exit 1; exit 0')
    play(machine, "id", "echo 1000")
    play(machine, "sudo", '[ "$1" = -n ] && shift; exec "$@"')
    assert start(furnished, "run", PATH=str(machine)).returncode == 0
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[-1] for line in asked] == ["update", "bianmin-glass"]
    assert "--no-install-recommends" in asked[1]

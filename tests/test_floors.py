"""The floors of the house hold: who may know whom, and nobody else uses our names."""

import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command as command; command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--config", str(config), "--no-cache"],
        cwd=config.parent,
        env={**os.environ, "PYTHONPATH": str(config.parent)},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_knowledge_points_down_only():
    result = lint_imports(ROOT / "pyproject.toml")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("devices/station.py", "import hall_api"),
        ("screens/board.py", "import devices"),
        ("config/reader.py", "import kiosk"),
        ("hall_api/domain/queue.py", "import time"),
        ("devices/drivers/noisy.py", "import socket"),
        ("devices/drivers/noisy.py", "import devices.drivers.other"),
        ("screens/board.py", "import kivy"),
    ],
)
def test_the_guard_bites(tmp_path, file, line):
    """The contracts on a house of empty rooms with one forbidden line: a contract that cannot fail guards nothing."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    rooms = [*PACKAGES, "hall_api/domain", "hall_api/storage", "hall_api/web", "devices/drivers", "devices/links"]
    for room in rooms:
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / "__init__.py").touch()
    for module in ("devices/station.py", "devices/drivers/other.py"):
        (tmp_path / module).touch()
    assert lint_imports(tmp_path / "pyproject.toml").returncode == 0
    (tmp_path / file).write_text(line + "\n")
    result = lint_imports(tmp_path / "pyproject.toml")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout


def test_every_room_is_listed_and_guarded():
    rooms = {p.parent.name for p in ROOT.glob("*/__init__.py")}
    assert rooms == set(PACKAGES) == set(PROJECT["tool"]["importlinter"]["root_packages"])


def test_no_dependency_takes_one_of_our_names():
    taken = {}
    for distribution in importlib.metadata.distributions():
        if distribution.metadata["Name"] == PROJECT["project"]["name"]:
            continue
        for file in distribution.files or ():
            top = file.parts[0].removesuffix(".py")
            if top in PACKAGES:
                taken.setdefault(distribution.metadata["Name"], top)
    assert taken == {}


def test_tests_is_no_package():
    """python-barcode installs a top-level `tests`; ours must stay a folder."""
    assert not list((ROOT / "tests").rglob("__init__.py"))


def locked(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.removesuffix("\\").strip().split("==") for line in lines if "==" in line and line[0].isalnum())


def test_what_runs_is_what_was_tested():
    runtime, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert runtime.items() <= dev.items()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "pyproject.toml"])
def test_no_file_names_a_package_index(name):
    text = (ROOT / name).read_text()
    assert "://" not in text

"""The README lists the drivers that exist, no more and no less, each with a test of its own."""

from pathlib import Path

import pytest

from devices import drivers, support

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_says_what_the_drivers_say():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert support.written(readme) == readme, "run python -m devices.support"


@pytest.mark.parametrize("name", drivers.names())
def test_a_listed_driver_has_a_test_of_its_own(name):
    assert (ROOT / "tests" / "devices" / f"test_{name.replace('-', '_')}.py").exists()


def test_a_readme_without_its_marks_is_a_mistake():
    with pytest.raises(ValueError, match="marks"):
        support.written("# Bianmin\n")

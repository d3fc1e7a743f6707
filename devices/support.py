"""Writes the table of supported devices into the README, from the drivers themselves: what is not there is not listed.

python -m devices.support        a test fails while the README says something else
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devices import drivers, quality

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- drivers: written by python -m devices.support -->", "<!-- end of drivers -->"
CONFIRMED = {True: "yes", False: "cannot: the device never answers"}


def row(name: str) -> str:
    """One driver: how good it is, what it is for, what it speaks, how it is plugged in, what it lacks."""
    module = drivers.load(name)
    driver = module.Driver
    what = (module.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    lacks = "; ".join(f"{', '.join(named)}: {why}" for why, named in _by_reason(driver.cannot).items())
    roles = ", ".join(role.name for role in driver.roles)
    answers = CONFIRMED[driver.answers] if isinstance(driver.answers, bool) else "by its options"
    tested = f"[vectors](tests/devices/test_{name.replace('-', '_')}.py)"
    grade = quality.grade(name).grade
    return (
        f"| `{name}` | {grade} | {roles} | {what} | {', '.join(driver.links)} | {answers} | {lacks or '–'} | {tested} |"
    )


def _by_reason(cannot: Mapping[type, str]) -> dict[str, list[str]]:
    """Each reason once, with what it is the reason for."""
    found: dict[str, list[str]] = {}
    for cls, why in cannot.items():
        found.setdefault(why, []).append(f"`{cls.__name__}`")
    return found


def table() -> str:
    """The whole table in Markdown, between its two marks."""
    head = [
        "| driver | grade | role | speaks to | cables | orders confirmed | lacks | test |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([BEGIN, *head, *(row(name) for name in drivers.names()), END])


def written(readme: str) -> str:
    """The README with the table as it should be. Raises ValueError when its marks are missing."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md: the marks {BEGIN} and {END} are missing")
    return before + table() + after


def main() -> None:
    """Write it."""
    file = ROOT / "README.md"
    file.write_text(written(file.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{len(drivers.names())} drivers written into {file.name}")


if __name__ == "__main__":
    main()

"""Configuration text becomes dataclasses, and every mistake is told with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Literal

import pytest

from config.hall_file import HallFile
from config.reader import Mistake, parse, read
from config.writer import write


class Paper(StrEnum):
    NARROW = "58mm"
    WIDE = "80mm"


class Parity(Enum):
    NONE = 0
    EVEN = 2


@dataclass(frozen=True)
class Options:
    width: int = field(default=48, metadata={"min": 24, "max": 64, "unit": "columns"})
    paper: Paper = Paper.WIDE
    parity: Parity = Parity.NONE
    mode: Literal["fast", "quiet"] = "fast"
    speed: float = 1.0


@dataclass(frozen=True)
class Printer:
    name: str = field(metadata={"help": "what the technician calls it"})
    options: Options = Options()
    spare: str | None = None
    grey: int | str = 0
    cut: bool = True
    codes: tuple[int, ...] = field(default=(), metadata={"min": 0, "max": 255})
    size: tuple[int, float] = (1, 2.0)
    windows: Mapping[int, str] = field(default_factory=dict)
    raw: Mapping[str, object] = field(default_factory=dict)
    drawers: tuple[Options, ...] = field(default=(), metadata={"key": "drawer"})
    logo: Path | None = None
    seen: int = field(default=0, metadata={"in_file": False})


def wrong(data, cls=Printer):
    with pytest.raises(Mistake) as caught:
        read(cls, data, "printer")
    return list(caught.value.lines)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"options": {"width": "48"}}, "printer.options.width: expected int, got '48'"),
        ({"options": {"width": True}}, "printer.options.width: expected int, got true"),
        ({"options": {"width": 48.0}}, "printer.options.width: expected int, got 48.0"),
        ({"options": {"width": 12}}, "printer.options.width: must be at least 24 columns, got 12"),
        ({"options": {"width": 99}}, "printer.options.width: must be at most 64 columns, got 99"),
        ({"options": {"speed": "fast"}}, "printer.options.speed: expected a number, got 'fast'"),
        ({"options": {"speed": float("nan")}}, "printer.options.speed: expected a number, got nan"),
        ({"options": {"speed": True}}, "printer.options.speed: expected a number, got true"),
        ({"options": {"paper": "81mm"}}, "printer.options.paper: expected one of 58mm, 80mm, got '81mm'"),
        ({"options": {"parity": 1}}, "printer.options.parity: expected one of 0, 2, got 1"),
        ({"options": {"parity": []}}, "printer.options.parity: expected one of 0, 2, got a list"),
        ({"options": {"mode": "loud"}}, "printer.options.mode: expected one of fast, quiet, got 'loud'"),
        ({"options": {"mode": []}}, "printer.options.mode: expected one of fast, quiet, got a list"),
        ({"options": 3}, "printer.options: expected a table, got 3"),
        ({"options": {"widht": 48}}, "printer.options.widht: is not known here; did you mean width?"),
        ({"cut": 1}, "printer.cut: expected true or false, got 1"),
        ({"spare": 7}, "printer.spare: expected text, got 7"),
        ({"grey": 1.5}, "printer.grey: expected int or text, got 1.5"),
        ({"codes": 7}, "printer.codes: expected a list, got 7"),
        ({"codes": [1, "2"]}, "printer.codes[2]: expected int, got '2'"),
        ({"codes": [1, 300]}, "printer.codes[2]: must be at most 255, got 300"),
        ({"size": [1]}, "printer.size: expected 2 values, got 1"),
        ({"windows": {"one": "1"}}, "printer.windows.one: the key must be a whole number, not 'one'"),
        ({"windows": {"1": 1}}, "printer.windows.1: expected text, got 1"),
        ({"drawer": [{}, {"width": "x"}]}, "printer.drawer[2].width: expected int, got 'x'"),
        ({"logo": ""}, "printer.logo: expected a path, got ''"),
        ({"name": ["x"]}, "printer.name: expected text, got a list"),
    ],
)
def test_a_mistake_names_its_place(data, line):
    assert wrong({"name": "one", **data}) == [line]


def test_a_missing_key_says_what_it_is_for():
    assert wrong({}) == ["printer.name: is missing (what the technician calls it)"]


def test_a_far_off_key_lists_what_is_known():
    assert wrong({"zebra": 1}, Options)[0].startswith("printer.zebra: is not known here; known are: width, paper")


def test_what_is_never_in_a_file_is_not_known():
    assert wrong({"name": "one", "seen": 3})[0].startswith("printer.seen: is not known here")


def test_all_mistakes_are_told_at_once():
    lines = wrong({"options": {"width": "48", "colour": 1}, "cut": "yes"})
    assert sorted(line.partition(":")[0] for line in lines) == [
        "printer.cut",
        "printer.name",
        "printer.options.colour",
        "printer.options.width",
    ]


FULL = Printer(
    name='引号 "和" 反斜\\杠\n换行\x7f',
    options=Options(width=32, paper=Paper.NARROW, parity=Parity.EVEN, mode="quiet", speed=0.5),
    spare="",
    grey="dark",
    cut=False,
    codes=(0, 255),
    size=(3, 4.0),
    windows={1: "一号", 12: "十二号"},
    raw={"a b": [1, [2, 3]], "t": {"deep": {"x": 1}}, "é": True, "list": [{"k": 1}, {"k": {"m": [{}]}}]},
    drawers=(Options(), Options(width=30)),
    logo=Path("/srv/hall/logo.png"),
)


@pytest.mark.parametrize("printer", [FULL, Printer(name="plain")], ids=["full", "plain"])
def test_what_is_written_is_read_back(printer, tmp_path):
    file = tmp_path / "printer.toml"
    file.write_text(write(printer), encoding="utf-8")
    assert read(Printer, parse(file)) == printer


def test_defaults_are_not_written():
    assert write(Printer(name="plain")) == 'name = "plain"\n'


def test_paths_are_relative_to_the_file():
    printer = read(Printer, {"name": "x", "logo": "pictures/logo.png"}, base=Path("/srv/hall"))
    assert printer.logo == Path("/srv/hall/pictures/logo.png")
    assert 'logo = "pictures/logo.png"' in write(printer, base=Path("/srv/hall"))


def test_a_syntax_error_names_file_line_and_column(tmp_path):
    file = tmp_path / "hall.toml"
    file.write_text("[machine]\nname = \n")
    with pytest.raises(Mistake, match=r"hall\.toml: .*line 2, column 8"):
        parse(file)


def test_a_file_that_is_not_there_or_not_utf8(tmp_path):
    with pytest.raises(Mistake, match="cannot be read: No such file"):
        parse(tmp_path / "hall.toml")
    (tmp_path / "hall.toml").write_bytes('name = "大厅"'.encode("gb18030"))
    with pytest.raises(Mistake, match="not written in UTF-8"):
        parse(tmp_path / "hall.toml")


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_called_so(tmp_path, code):
    (tmp_path / "hall.toml").write_bytes('name = "大厅"'.encode(code))
    for look in (parse, lambda file: HallFile(file).text()):
        with pytest.raises(Mistake, match=r'hall\.toml: is written in UTF-16, which some editors call "Unicode"'):
            look(tmp_path / "hall.toml")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "hall.toml").write_bytes("\ufeffname = 'x'".encode())
    assert parse(tmp_path / "hall.toml") == {"name": "x"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("x = " + "9" * 5000, "hall.toml: a value cannot be understood"), ("x = " + "[" * 3000, "hall.toml: brackets")],
)
def test_what_would_choke_the_reader_is_a_mistake_too(text: str, said: str):
    with pytest.raises(Mistake, match=said):
        parse(Path("hall.toml"), text)


def test_a_key_of_thousands_of_digits_is_no_number():
    assert "the key must be a whole number" in wrong({"name": "x", "windows": {"9" * 5000: "1"}})[0]

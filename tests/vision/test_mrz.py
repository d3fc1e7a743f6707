"""Machine-readable lines in pictures: drawn documents seen by a bad camera, and real specimens where at hand."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from devices import travel
from devices.vision import benches_mrz, mrz
from devices.vision.pictures import load

ROOT = Path(__file__).resolve().parents[2]
TRUTH = ROOT.parent / "shared" / "pictures" / "mrz" / "truth.csv"
# ICAO Doc 9303 part 4, appendix B, and part 5, appendix B.
PASSPORT = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
CARD = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")


def paper(lines: tuple[str, ...]) -> np.ndarray:
    """A light sheet with these lines near its foot, and something else above them."""
    ink = [benches_mrz.printed(line) for line in lines]
    wide = ink[0].shape[1] + 240
    sheet = np.full((wide * 5 // 7, wide, 3), 232, np.uint8)
    cv2.putText(sheet, "UTOPIA / ERIKSSON 1974", (900, 500), cv2.FONT_HERSHEY_SIMPLEX, 3.5, (70, 60, 60), 7)
    for number, strip in enumerate(ink):
        y = sheet.shape[0] - 150 * (len(ink) - number) - 60
        part = sheet[y : y + strip.shape[0], 120 : 120 + strip.shape[1]]
        part[:] = np.minimum(part, np.maximum(strip, 40)[..., None])
    return sheet


@pytest.mark.parametrize("lines", [PASSPORT, CARD], ids=["passport", "card"])
@pytest.mark.parametrize("turn", range(4))
def test_the_specimens_of_the_standard_are_read_whichever_way_they_lie(lines, turn):
    chance = np.random.default_rng(turn)
    picture = benches_mrz.seen(chance, paper(lines), turn, (1280, 960), 0.9)
    read = mrz.read_mrz(picture)
    assert read is not None
    assert read.document.lines == lines
    assert read.whole
    assert read.document.fields["surname"] == "ERIKSSON"


def test_drawn_documents_of_all_kinds_are_read_and_none_is_wrongly_called_right():
    told = benches_mrz.reading(16)
    assert told["right"] >= 15
    assert told["false"] == 0


def test_a_wrong_check_digit_is_told_and_not_mended():
    """The number's digit is 6: with a 1 there, which looks like no 6, what is printed has to be reported as it is."""
    forged = (PASSPORT[0], PASSPORT[1].replace("L898902C36", "L898902C31"))
    read = mrz.read_mrz(paper(forged))
    assert read is not None
    assert read.document.lines == forged
    assert set(read.document.wrong) == {"number", "composite"}


def test_the_line_of_a_permit():
    """The picture of one line alone on a card, like that for Hong Kong and Macao."""
    line = ("CSC12345678" + travel.check_digit("C12345678") + "<" + "300102" + travel.check_digit("300102") + "<"
            + "850612" + travel.check_digit("850612") + "<0")  # fmt: skip
    read = mrz.read_mrz(paper((line,)))
    assert read is not None
    assert (read.document.kind, read.document.fields["number"], read.whole) == ("permit", "C12345678", True)


def test_other_print_holds_no_such_lines():
    sheet = np.full((1000, 1400, 3), 235, np.uint8)
    for row in range(14):
        words = "THE QUICK BROWN FOX 0123456789 JUMPS <<<< OVER"
        cv2.putText(sheet, words, (50, 80 + 60 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (40, 40, 40), 3)
    assert mrz.read_mrz(sheet) is None
    assert mrz.read_mrz(np.full((600, 800, 3), 200, np.uint8)) is None
    assert mrz.read_mrz(np.full((8, 9, 3), 200, np.uint8)) is None


def specimens() -> list[dict[str, str]]:
    if not TRUTH.is_file():
        return []
    with TRUTH.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


@pytest.mark.skipif(not specimens(), reason="no pictures of specimens at hand")
def test_real_specimens():
    right = false = 0
    for row in specimens():
        truth = row["truth"].split("|")
        read = mrz.read_mrz(load(TRUTH.parent / row["file"]).bgr)
        lines = read.document.lines if read else ()
        same = benches_mrz.number_and_dates(lines) == benches_mrz.number_and_dates(truth)
        right += same
        false += bool(read and read.whole and not same)
    assert right >= 0.9 * len(specimens())
    assert false == 0


def test_the_command_answers_as_agreed(tmp_path):
    passport, empty = tmp_path / "passport.png", tmp_path / "empty.png"
    cv2.imwrite(str(passport), paper(PASSPORT))
    cv2.imwrite(str(empty), np.full((300, 400, 3), 90, np.uint8))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "kiosk", "vision", "mrz", str(passport), str(empty), "--json"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found, none = map(json.loads, done.stdout.splitlines())
    assert found.keys() == none.keys() == {"file", "lines", "type", "fields", "checks", "ms"}
    assert (tuple(found["lines"]), found["type"]) == (PASSPORT, "TD3")
    assert found["fields"]["number"] == "L898902C3"
    assert all(found["checks"].values())
    assert none["lines"] == []

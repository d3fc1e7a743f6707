"""The eye of the document camera, measured beside others in the same run: a row for each aim.

Real pictures come from a folder with `pages`, `codes` and `mrz` in it, each with a `truth.csv`; without one, what can
be drawn is drawn. Everything runs on one core.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import segno

from devices import travel
from devices.vision import benches_idcard, benches_mrz, benches_scan, quads
from devices.vision.codes import read_codes
from devices.vision.desk import Desk
from devices.vision.mrz import read_mrz
from devices.vision.pages import find_pages
from devices.vision.pictures import load
from devices.vision.text import ROOT

Told = Callable[[int, int], None]
HD = 1920 * 1080
_PIPED: dict[str, Any] = {"capture_output": True, "text": True, "check": True}
RETAIL = {"EAN13", "EAN8", "UPCA", "UPCE"}
SQUARE = {"DataMatrix", "Aztec", "PDF417", "MicroPDF417", "MaxiCode", "MicroQRCode", "rMQRCode", "RMQRCode"}
CHINESE = ("便民服务大厅取号A", "请到三号窗口办理，编号", "身份证复印件，仅供办理居住证使用", "政务服务中心第")


@dataclass(frozen=True)
class Row:
    """One figure: ours, and beside it those of others by name; `aim` in words, and whether it is met (None: no aim)."""

    what: str
    unit: str
    ours: float
    aim: str = ""
    good: bool | None = None
    peers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Part:
    """Some rows measured together; `run` gets the folder of pictures, if there is one, and tells how far it is."""

    name: str
    run: Callable[[Path | None, Told], Iterable[Row]]
    all_cores: bool = False  # OpenCV may use them all; else one, as a live view must leave room for the rest


def at_least(what: str, unit: str, ours: float, aim: float, *peers: tuple[str, float]) -> Row:
    """A figure that is to be large."""
    return Row(what, unit, ours, f"≥ {aim:g}", ours >= aim, peers)


def at_most(what: str, unit: str, ours: float, aim: float, *peers: tuple[str, float]) -> Row:
    """A figure that is to be small."""
    return Row(what, unit, ours, f"≤ {aim:g}", ours <= aim, peers)


def truth(pictures: Path | None, kind: str) -> list[dict[str, str]]:
    """The rows of truth about one folder of pictures; none where it is not there."""
    path = pictures / kind / "truth.csv" if pictures else None
    if path is None or not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as rows:
        return [{**row, "path": str(path.parent / row["file"])} for row in csv.DictReader(rows)]


# ---- pages ---------------------------------------------------------------------------------------------------


def plain_outline(bgr: np.ndarray) -> list[np.ndarray]:
    """What tutorials do with plain OpenCV: Canny, and the largest contour that four corners approximate."""
    scale = 500 / bgr.shape[0]
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    edges = cv2.Canny(cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (5, 5), 0), 75, 200)
    contours, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:5]:
        four = cv2.approxPolyDP(contour, 0.02 * cv2.arcLength(contour, True), True)
        if len(four) == 4:
            return [four.reshape(4, 2).astype(np.float32) / np.float32(scale)]
    return []


def outlines(pictures: Path | None, told: Told) -> Iterator[Row]:
    """Outlines on pictures, real or drawn, and the time of one at 1080p."""
    shown = list(_pages_shown(pictures))
    finders = {"ours": lambda bgr: [page.corners for page in find_pages(bgr)], "plain OpenCV": plain_outline}
    overlaps: dict[str, list[float]] = {name: [] for name in finders}
    fires = dict.fromkeys(finders, 0)
    spent: dict[str, list[float]] = {name: [] for name in finders}
    empty = 0
    for done, (bgr, corners) in enumerate(shown, 1):
        empty += corners is None
        size = np.sqrt(HD / (bgr.shape[0] * bgr.shape[1]))
        frame = cv2.resize(bgr, None, fx=size, fy=size, interpolation=cv2.INTER_AREA if size < 1 else cv2.INTER_CUBIC)
        for name, find in finders.items():
            found = find(bgr)
            if corners is None:
                fires[name] += bool(found)
            else:
                best = max((quads.overlap(quads.clockwise(page), corners) for page in found), default=0.0)
                overlaps[name].append(best)
            spent[name].append(min(_seconds(find, frame) for _ in range(5)) * 1000)
        told(done, len(shown))
    kind = "photos" if pictures and truth(pictures, "pages") else "drawn"
    peer = "plain OpenCV"
    if overlaps["ours"]:
        mean = {name: round(float(np.mean(each)), 3) for name, each in overlaps.items()}
        share = {name: round(100 * float(np.mean(np.array(each) > 0.9)), 1) for name, each in overlaps.items()}
        yield at_least(f"page outline, {kind}: mean IoU", "", mean["ours"], 0.95, (peer, mean[peer]))
        yield at_least(f"page outline, {kind}: share > 0.90", "%", share["ours"], 95, (peer, share[peer]))
    if empty:
        yield at_most(f"fires without a page, of {empty}", "", fires["ours"], empty // 8, (peer, fires[peer]))
    middle = {name: round(float(np.mean(each)), 1) for name, each in spent.items()}
    yield at_most("outline per frame, 1080p", "ms", middle["ours"], 20, (peer, middle[peer]))


def _seconds(call: Callable[[np.ndarray], object], bgr: np.ndarray) -> float:
    began = time.perf_counter()
    call(bgr)
    return time.perf_counter() - began


def _pages_shown(pictures: Path | None) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    rows = truth(pictures, "pages")
    for row in rows:
        corners = None if row["truth"] == "none" else np.array(row["truth"].split(), np.float32).reshape(4, 2)
        yield load(Path(row["path"])).bgr, corners
    if not rows:
        chance = np.random.default_rng(2)
        for number in range(12):
            if number % 4 == 3:
                yield _desk(chance), None
            else:
                yield _laid(chance, number)


def _desk(chance: np.random.Generator) -> np.ndarray:
    grain = cv2.GaussianBlur(chance.normal(0, 60, (1080, 1920)).astype(np.float32), (0, 0), sigmaX=24, sigmaY=1.2)
    brown = chance.uniform((40, 60, 90), (90, 120, 150)).astype(np.float32)
    return np.clip(brown + grain[..., None] + chance.normal(0, 4, (1080, 1920, 1)), 0, 255).astype(np.uint8)


def _laid(chance: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray]:
    paper = benches_scan.lit(benches_scan.page(benches_scan.PARAGRAPHS, dpi=100).bgr, 0.75)
    angle = np.radians(chance.uniform(-25, 25) + 90 * (number % 2))
    half = np.array([(-210, -297), (210, -297), (210, 297), (-210, 297)], np.float32) / 2
    cos, sin = np.cos(angle), np.sin(angle)
    corners = half @ np.array([(cos, sin), (-sin, cos)], np.float32) * float(chance.uniform(1.7, 2.6))
    corners = (corners * (1 + chance.normal(0, 0.04, (4, 2))) + (960, 540)).astype(np.float32)
    height, width = paper.shape[:2]
    start = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    picture = _desk(chance)
    view = cv2.getPerspectiveTransform(start, corners)
    cv2.warpPerspective(paper, view, (1920, 1080), dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    return picture, quads.clockwise(corners)


def known_desk(pictures: Path | None, told: Told) -> Iterator[Row]:
    """With the desk known: how often an empty one fires while the light changes, and whether pages are still found."""
    chance = np.random.default_rng(4)
    fires = found = 0
    for number in range(8):
        empty = _desk(chance)
        if number % 2:  # a writing mat, for good
            cv2.rectangle(empty, (600, 200), (1300, 900), (118, 128, 132), -1)
        desk = Desk(empty)
        fires += bool(desk.find(benches_scan.lit(empty, 0.7)))
        picture, corners = _laid(chance, number)
        inside = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, np.rint(corners).astype(np.int32), 1)
        laid = benches_scan.lit(np.where(inside[..., None] > 0, picture, empty), 0.7)
        found += any(quads.overlap(page.corners, corners) > 0.9 for page in desk.find(laid))
        told(number + 1, 8)
    yield at_most("fires on a known empty desk, light changed, of 8", "", fires, 0)
    yield at_least("pages found on it, of 8", "", found, 8)


# ---- codes ---------------------------------------------------------------------------------------------------


@functools.cache
def _readers() -> dict[str, Callable[[np.ndarray], set[str]]]:
    import zxingcpp
    from pyzbar import pyzbar

    plain = zxingcpp.TextMode.Plain  # by default it writes brackets into GS1 texts

    def zbar(bgr: np.ndarray) -> set[str]:
        return {code.data.decode("utf-8", "replace") for code in pyzbar.decode(bgr)}

    return {
        "ours": lambda bgr: {code.text for code in read_codes(bgr)},
        "pyzbar": zbar,
        "zxing-cpp": lambda bgr: {code.text for code in zxingcpp.read_barcodes(bgr, text_mode=plain)},
    }


def codes(pictures: Path | None, told: Told) -> Iterator[Row]:
    """The codes of real pictures by class."""
    rows = truth(pictures, "codes")
    right: dict[str, dict[str, int]] = {}
    of: dict[str, int] = {}
    wrong = dict.fromkeys(_readers(), 0)
    empty = dict.fromkeys(_readers(), 0)
    for done, row in enumerate(rows, 1):
        bgr = load(Path(row["path"])).bgr
        kind = _class(row["what"])
        of[kind] = of.get(kind, 0) + 1
        for name, read in _readers().items():
            texts = {text.replace("\r\n", "\n") for text in read(bgr)}
            if kind == "none":
                empty[name] += bool(texts)
                continue
            wanted = row["truth"].replace("\r\n", "\n")
            counts = right.setdefault(kind, dict.fromkeys(_readers(), 0))
            counts[name] += wanted in texts
            wrong[name] += bool(texts - {wanted})
        told(done, len(rows))
    aims = {"QR": 95, "EAN-UPC": 82, "other 1-D": 100, "other 2-D": 97}
    for kind, aim in aims.items():
        if of.get(kind):
            share = {name: round(100 * count / of[kind], 1) for name, count in right[kind].items()}
            yield at_least(f"codes, {kind}, of {of[kind]}", "%", share.pop("ours"), aim, *share.items())
    if rows:
        yield at_most("codes told wrong", "", wrong.pop("ours"), 0, *wrong.items())
        yield at_most(f"codes where there are none, of {of.get('none', 0)}", "", empty.pop("ours"), 0, *empty.items())


def _class(what: str) -> str:
    if what == "None":
        return "none"
    if what == "QRCode":
        return "QR"
    return "EAN-UPC" if what in RETAIL else "other 2-D" if what in SQUARE else "other 1-D"


def chinese(pictures: Path | None, told: Told, each: int = 200) -> Iterator[Row]:
    """QR codes in Chinese, three encodings."""
    ways = {
        "UTF-8": {"encoding": "utf-8"},
        "UTF-8 + ECI": {"encoding": "utf-8", "eci": True},
        "GB18030": {"encoding": "gb18030"},
    }
    right = dict.fromkeys(_readers(), 0)
    for at, how in enumerate(ways.values()):
        for number in range(each):
            text = f"{CHINESE[number % len(CHINESE)]}{number:04}号"
            out = io.BytesIO()
            segno.make_qr(text, mode="byte", **how).save(out, kind="png", scale=4)  # type: ignore[arg-type]
            bgr = cv2.imdecode(np.frombuffer(out.getvalue(), np.uint8), cv2.IMREAD_COLOR)
            assert bgr is not None
            for name, read in _readers().items():
                right[name] += text in read(bgr)
            told(at * each + number + 1, len(ways) * each)
    yield at_least(f"Chinese QR, of {3 * each}", "", right.pop("ours"), 3 * each, *right.items())


# ---- lines, cards, text, saving ------------------------------------------------------------------------------


def mrz(pictures: Path | None, told: Told) -> Iterator[Row]:
    """Number and date lines: drawn documents, and real specimens four ways round, beside rapidocr whole-picture and,
    where it is installed, PassportEye."""
    rows = truth(pictures, "mrz")
    whole = benches_scan.whole_page()
    peers: dict[str, Callable[[np.ndarray], tuple[str, ...]]] = {"rapidocr": lambda bgr: _by_peer(whole(bgr))}
    if passport_eye := benches_mrz.passport_eye():
        peers["PassportEye"] = passport_eye
    drawn = benches_mrz.reading(40, lambda done, of: told(done, of + 4 * len(rows)))
    yield at_least("MRZ number and date line, drawn", "%", round(100 * drawn["right"] / drawn["of"], 1), 95)
    right = false = 0
    theirs = dict.fromkeys(peers, 0)
    spent: list[float] = []
    for number, row in enumerate(rows):
        wanted = benches_mrz.number_and_dates(row["truth"].split("|"))
        stored = load(Path(row["path"])).bgr
        for turn in range(4):
            bgr = np.ascontiguousarray(np.rot90(stored, turn))
            began = time.perf_counter()
            read = read_mrz(bgr)
            spent.append(time.perf_counter() - began)
            same = bool(read) and benches_mrz.number_and_dates(read.document.lines if read else ()) == wanted
            right += same
            false += bool(read and read.whole and not same)
            for name, other in peers.items():
                theirs[name] += benches_mrz.number_and_dates(other(bgr)) == wanted
            told(40 + 4 * number + turn + 1, 40 + 4 * len(rows))
    if rows:
        of = 4 * len(rows)
        shares = [(name, round(100 * count / of, 1)) for name, count in theirs.items()]
        what = f"MRZ number and date line, specimens 4 ways, of {of}"
        yield at_least(what, "%", round(100 * right / of, 1), 95, *shares)
        yield at_most("MRZ called right but wrong", "", false + drawn["false"], 0)
        yield Row("MRZ per picture", "ms", round(1000 * float(np.mean(spent))))


def _by_peer(text: str) -> tuple[str, ...]:
    """The lines in what a reader of whole pages says, mended as far as grammar goes."""
    rows = [row.replace(" ", "").upper() for row in text.splitlines()]
    rows = [row for row in rows if len(row) > 24 and travel.FILLER in row]
    for kind, width in ((2, 44), (2, 36), (3, 30)):
        lines = [travel.fitted(row, width) for row in rows[-kind:]]
        if len(lines) == kind and travel.read(travel.mend(lines)):
            return travel.mend(lines)
    return tuple(rows[-2:])


def cards(pictures: Path | None, told: Told) -> Iterator[Row]:
    """Identity cards, drawn."""
    found = benches_idcard.reading(24, told)
    yield Row(f"ID card fields, drawn, of {found['of fields']:g}", "", found["fields"])
    yield at_most("ID card numbers called right but wrong", "", found["false"], 0)


def upright(pictures: Path | None, told: Told) -> Iterator[Row]:
    """Pages turned upright, four ways."""
    found = benches_scan.standing()
    told(1, 1)
    yield at_least(f"upright, of {found['of']}", "", found["right"], found["of"])


def saving(pictures: Path | None, told: Told) -> Iterator[Row]:
    """From the trigger to the page on the disk."""
    for number, (megapixels, aim) in enumerate(((8, 85), (13, 125)), 1):
        with tempfile.TemporaryDirectory() as folder:
            took = benches_scan.saving(Path(folder), megapixels)
        peer = ("plain OpenCV", took["plain OpenCV"])
        yield at_most(f"trigger to page saved, {megapixels} MP", "ms", took["ours"], aim, peer)
        told(number, 2)


def text(pictures: Path | None, told: Told) -> Iterator[Row]:
    """Rendered A4 pages read."""
    rows = benches_scan.reading()
    told(1, 1)

    def mean(name: str) -> float:
        return float(np.mean([float(row[name]) for row in rows]))

    peer = ("rapidocr", round(100 * mean("rapidocr right"), 2))
    yield at_least("rendered A4, text right", "%", round(100 * mean("right"), 2), 99, peer)
    slowest = max(float(row["seconds"]) for row in rows)
    yield at_most(
        "rendered A4, slowest", "s", slowest, 3, ("rapidocr", max(float(row["rapidocr seconds"]) for row in rows))
    )
    # In a program of its own: the others' models lie in this one.
    ask = "import json; from devices.vision.benches_scan import memory; print(json.dumps(memory()))"
    done = subprocess.run([sys.executable, "-P", "-c", ask], env={**os.environ, "PYTHONPATH": str(ROOT)}, **_PIPED)
    yield at_most("memory after reading", "MB", json.loads(done.stdout)["after"], 400)


PARTS = (
    Part("outlines", outlines),
    Part("known desk", known_desk),
    Part("codes", codes),
    Part("Chinese QR", chinese),
    Part("upright", upright),
    Part("MRZ", mrz),
    Part("ID cards", cards),
    Part("saving", saving, all_cores=True),
    Part("text", text),
)

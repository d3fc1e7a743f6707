"""`bianmin vision text` and `vision scan`: names, JSON and refusals are a contract."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pikepdf
import pytest
from click.testing import CliRunner
from PIL import Image

from devices.vision.benches_scan import agreement, lit, page
from devices.vision.cli import vision

TEXT = ["申请人应当如实填写申请表，并提交身份证明的原件和复印件，工作人员当场核对后退还原件。"] * 3
DRAWN = page(TEXT, points=12, title="居住证申请表", dpi=150)


def run(*words: object):
    return CliRunner().invoke(vision, [str(word) for word in words])


def out_pages(told) -> list[dict]:
    return json.loads(told.stdout)["pages"]


@pytest.fixture
def upside_down(tmp_path):
    """A picture file with a dim page, laid down the wrong way round."""
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), np.ascontiguousarray(lit(DRAWN.bgr, 0.6)[::-1, ::-1]))
    return path


def test_text_tells_lines_in_pixels_of_the_stored_file(upside_down):
    result = run("text", "--json", upside_down)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert set(told) == {"file", "lines", "ms"}
    assert told["file"] == str(upside_down)
    assert agreement("".join(DRAWN.lines), "".join(line["text"] for line in told["lines"])) > 0.99
    first = told["lines"][0]
    assert set(first) == {"text", "score", "corners"}
    assert first["text"] == "居住证申请表"
    xs, ys = zip(*first["corners"], strict=True)
    height, width = DRAWN.bgr.shape[:2]
    assert min(ys) > 0.8 * height  # the title, at the top of the paper, lies at the bottom of the file
    assert first["corners"][0][0] > first["corners"][1][0]  # and its first letter on the right
    assert (min(xs) + max(xs)) / 2 == pytest.approx(width / 2, abs=20)


def test_text_without_json_is_for_people(upside_down):
    result = run("text", upside_down)
    assert result.output.splitlines()[1] == "居住证申请表"


def test_scan_makes_a_document_that_can_be_searched(upside_down, tmp_path):
    out = tmp_path / "out.pdf"
    result = run(
        "scan", upside_down, upside_down, "-o", out, "--searchable", "--json", "--watermark", "仅供办理居住证使用"
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["files"] == [str(out)]
    assert told["bytes"] == out.stat().st_size
    assert [each["title"] for each in told["pages"]] == ["居住证申请表"] * 2
    assert [each["turn"] for each in told["pages"]] == [180, 180]
    said = subprocess.run(["pdftotext", out, "-"], capture_output=True, text=True, check=True).stdout
    assert agreement("".join(DRAWN.lines) * 2, said) > 0.99
    with pikepdf.open(out) as document, document.open_metadata() as about:
        assert about.pdfa_status == "2B"


@pytest.mark.parametrize("mode", ["document", "photo", "bw", "book"])
@pytest.mark.parametrize("ending", ["pdf", "jpg", "png", "tif"])
def test_every_mode_goes_into_every_kind_of_file(tmp_path, mode, ending):
    cv2.imwrite(str(tmp_path / "a.jpg"), page(TEXT, dpi=60).bgr)
    result = run("scan", tmp_path / "a.jpg", "-o", tmp_path / f"out.{ending}", "--mode", mode)
    assert result.exit_code == 0, result.output
    assert (tmp_path / f"out.{ending}").stat().st_size > 500


def test_a_picture_in_which_no_page_is_found_is_taken_whole_and_that_is_said(tmp_path):
    cv2.imwrite(str(tmp_path / "flat.png"), np.full((300, 400, 3), 190, np.uint8))
    result = run("scan", tmp_path / "flat.png", "-o", tmp_path / "out.pdf", "--json")
    assert result.exit_code == 0
    assert "no page was found" in result.stderr
    (told,) = json.loads(result.stdout)["pages"]
    assert told["flags"] == ["whole_picture"]
    assert (told["width"], told["height"]) == (400, 300)


def test_photo_keeps_the_cameras_own_bytes(tmp_path):
    cv2.imwrite(str(tmp_path / "flat.jpg"), np.full((300, 400, 3), 190, np.uint8))
    assert run("scan", tmp_path / "flat.jpg", "-o", tmp_path / "out.jpg", "--mode", "photo").exit_code == 0
    assert (tmp_path / "out.jpg").read_bytes() == (tmp_path / "flat.jpg").read_bytes()


@pytest.mark.parametrize("dpi", [None, 72, 96])
def test_a_resolution_that_a_phone_invented_makes_no_giant_page(tmp_path, dpi):
    desk = np.full((1000, 1400, 3), (58, 72, 80), np.uint8)
    desk[80:921, 300:895] = 250  # 595 × 841 pixels: A4
    whole = np.full((3508, 2480, 3), 190, np.uint8)
    about = {} if dpi is None else {"dpi": (dpi, dpi)}
    for name, bgr in (("desk.jpg", desk), ("whole.jpg", whole)):
        Image.fromarray(bgr[:, :, ::-1].copy()).save(tmp_path / name, **about)
    told = run("scan", tmp_path / "desk.jpg", tmp_path / "whole.jpg", "-o", tmp_path / "out.pdf", "--json")
    assert told.exit_code == 0, told.output
    sizes = [sorted(each[side] / each["dpi"] * 25.4 for side in ("width", "height")) for each in out_pages(told)]
    assert sizes[0] == pytest.approx((210, 297), abs=3)
    assert sizes[1] == pytest.approx((210, 297), abs=1)


def test_a_resolution_that_a_scanner_measured_is_kept(tmp_path):
    Image.fromarray(np.full((877, 620, 3), 190, np.uint8)).save(tmp_path / "a5.png", dpi=(106, 106))
    told = run("scan", tmp_path / "a5.png", "-o", tmp_path / "out.pdf", "--json")
    (about,) = out_pages(told)
    assert about["dpi"] == pytest.approx(106, abs=0.1)


BAD = {
    "missing": None,
    "empty": b"",
    "words": b"this is no picture",
    "cut off": cv2.imencode(".png", np.zeros((50, 50, 3), np.uint8))[1].tobytes()[:60],
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("command", ["text", "scan"])
def test_a_file_that_is_no_good_is_named_and_nothing_is_written(tmp_path, what, command):
    bad, good, out = tmp_path / "bad.jpg", tmp_path / "good.png", tmp_path / "out.pdf"
    if BAD[what] is not None:
        bad.write_bytes(BAD[what])
    cv2.imwrite(str(good), page(TEXT[:1], dpi=60).bgr)
    result = run(command, good, bad, *(["-o", out] if command == "scan" else []))
    assert result.exit_code == 1
    assert str(bad) in result.stderr
    assert "Traceback" not in result.output
    assert {path.name for path in tmp_path.iterdir()} <= {"bad.jpg", "good.png"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "{}/out.docx"], "may end in .pdf"),
        (["-o", "{}/none/out.pdf"], "cannot be written"),
        (["-o", "{}/out.pdf", "--watermark", "字" * 61], "at most 60"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(tmp_path, words, said):
    cv2.imwrite(str(tmp_path / "a.png"), page(TEXT[:1], dpi=60).bgr)
    result = run("scan", tmp_path / "a.png", *[word.format(tmp_path) for word in words])
    assert result.exit_code == 1
    assert said in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("command", ["codes", "text"])
def test_an_answer_for_which_there_is_no_room_is_told_in_a_sentence(tmp_path, command):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((60, 80, 3), 250, np.uint8))
    ask = [sys.executable, "-P", "-m", "kiosk", "vision", command, "--json", tmp_path / "a.png"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(ask, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: the answer cannot be written (No space left on device).\n"

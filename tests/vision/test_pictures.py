"""Files that are no pictures, or hardly: one sentence names each, and the other files of the call are answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from devices.vision import pictures
from devices.vision.cli import vision
from devices.vision.commands.answer import each_picture
from devices.vision.idcard import read_card
from devices.vision.text import Reader, TooMuchNoise

ROOT = Path(__file__).resolve().parents[2]
EACH = ("codes", "text", "idcard", "mrz", "page")
TINY = [(1, 1), (1, 7), (1, 33), (4, 1), (1, 3000), (3000, 1), (10_000, 10), (10, 10_000)]  # width × height


def run(*words: object):
    return CliRunner().invoke(vision, [str(word) for word in words])


def drawn(path: Path, width: int, height: int, value: int = 10) -> Path:
    cv2.imwrite(str(path), np.full((height, width, 3), value, np.uint8))
    return path


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def test_a_pipe_nobody_writes_into_and_a_device_without_end_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", Path("/dev/zero")):
        with pytest.raises(pictures.PictureMistake, match=f"{path}: this is a device or a pipe"):
            pictures.load(path)


def test_a_file_larger_than_a_picture_is_not_read(tmp_path):
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(pictures.MOST_BYTES + 1)
    with pytest.raises(pictures.PictureMistake, match="at most 128 MB"):
        pictures.load(tmp_path / "large.png")


@pytest.mark.parametrize("command", EACH)
def test_pictures_of_a_pixel_or_a_hair_are_answered(tmp_path, command):
    files = [drawn(tmp_path / f"{w}x{h}-{value}.png", w, h, value) for w, h in TINY for value in (10, 255)]
    told = run(command, "--json", *files)
    assert told.exit_code == 0, told.output
    assert [json.loads(row)["file"] for row in told.stdout.splitlines()] == [str(file) for file in files]


@pytest.mark.parametrize("size", TINY)
def test_a_hair_is_scanned(tmp_path, size):
    told = run("scan", drawn(tmp_path / "a.png", *size), "-o", tmp_path / "out.pdf")
    assert told.exit_code == 0, told.output


@pytest.mark.parametrize("command", EACH)
def test_a_file_that_may_not_be_read_a_folder_and_a_device_do_not_stop_the_others(tmp_path, command):
    closed, good = drawn(tmp_path / "closed.png", 30, 20), drawn(tmp_path / "good.png", 30, 20)
    closed.chmod(0)
    words = [sys.executable, "-P", "-c", "from devices.vision.cli import vision; vision()", command, "--json"]
    if os.geteuid() == 0:  # who may read everything, unless this right is put down
        words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *words]
    told = subprocess.run(
        [*words, closed, tmp_path, "/dev/zero", good],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert told.returncode == 1
    assert json.loads(told.stdout)["file"] == str(good)
    assert [row.split(": ")[0] for row in told.stderr.splitlines()] == [str(closed), str(tmp_path), "/dev/zero"]


def test_a_folder_as_the_output_or_the_desk_is_told_in_a_sentence(tmp_path):
    good = drawn(tmp_path / "good.png", 30, 20)
    for words in (("scan", good, "-o", tmp_path), ("page", good, "--desk", tmp_path)):
        told = run(*words)
        assert told.exit_code == 1
        assert told.stderr.count("\n") == 1 and f"{tmp_path}: cannot be" in told.stderr


def test_what_opencv_cannot_work_on_is_told_and_the_next_picture_is_answered(tmp_path):
    def look(picture: pictures.Picture) -> dict[str, object]:
        return {"shape": cv2.resize(picture.bgr, None, fx=0.1, fy=0.1).shape}

    @click.command()
    def command() -> None:
        each_picture((drawn(tmp_path / "one.png", 1, 1), drawn(tmp_path / "two.png", 50, 50)), True, look, str)

    told = CliRunner().invoke(command, [])
    assert told.exit_code == 1
    assert told.stderr.startswith(f"{tmp_path / 'one.png'}: the picture cannot be worked on (")
    assert told.stderr.count("\n") == 1
    assert json.loads(told.stdout)["file"] == str(tmp_path / "two.png")


def test_noise_is_told_and_the_same_program_reads_on(tmp_path):
    with Reader() as reader:
        with pytest.raises(TooMuchNoise):
            reader.read(noise(1600, 1200))
        pid = reader.pid
        assert reader.read(np.full((300, 300, 3), 250, np.uint8)) == []
        assert pid is not None and reader.pid == pid
        assert read_card(noise(1600, 1200), reader.read) is None
    cv2.imwrite(str(tmp_path / "noise.png"), noise(1600, 1200))
    told = run("text", tmp_path / "noise.png", drawn(tmp_path / "good.png", 300, 300, 250))
    assert told.exit_code == 1
    assert told.stderr == f"{tmp_path / 'noise.png'}: there is too much noise to read in the picture.\n"
    assert told.stdout == f"{tmp_path / 'good.png'}: 0 lines\n"

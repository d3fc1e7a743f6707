"""The bench of the camera's eye: each figure beside others', in words and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from devices.vision import benches

ROOT = Path(__file__).resolve().parents[2]
HOW = {"cwd": ROOT, "env": {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, "capture_output": True, "text": True}


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-P", "-m", "kiosk", "vision", "bench", *words], timeout=110, **HOW)


def test_each_figure_is_a_line_of_json_beside_its_peers():
    done = bench("--json", "--only", "outlines")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0].keys() == {"what", "unit", "ours", "aim", "good", "peers"}
    by_name = {row["what"]: row for row in rows}
    assert by_name["page outline, drawn: mean IoU"]["ours"] > 0.95
    assert by_name["page outline, drawn: mean IoU"]["peers"].keys() == {"plain OpenCV"}
    assert by_name["fires without a page, of 3"]["ours"] == 0


def test_without_json_it_is_a_table():
    done = bench("--only", "known desk")
    assert done.returncode == 0, done.stderr
    assert "fires on a known empty desk" in " ".join(done.stdout.replace("│", " ").split())


def test_real_pictures_are_judged_by_the_truth_beside_them(tmp_path):
    """A folder whose truth is false on purpose: the bench has to say so."""
    folder = tmp_path / "codes"
    folder.mkdir()
    cv2.imwrite(str(folder / "empty.png"), np.full((80, 80, 3), 255, np.uint8))
    (folder / "truth.csv").write_text("file,what,truth\nempty.png,QRCode,anything\n", encoding="utf-8")
    qr, wrong, none = benches.codes(tmp_path, lambda done, of: None)
    assert (qr.ours, qr.good, dict(qr.peers)) == (0.0, False, {"pyzbar": 0.0, "zxing-cpp": 0.0})
    assert (wrong.ours, none.ours) == (0, 0)


def test_chinese_codes_in_all_three_encodings_are_read():
    [row] = benches.chinese(None, lambda done, of: None, each=4)
    assert (row.ours, row.good) == (12, True)


def test_the_live_view_is_told_in_frames_a_second():
    done = bench("--json", "--only", "live view")
    assert done.returncode == 0, done.stderr
    [row] = map(json.loads, done.stdout.splitlines())
    assert (row["unit"], row["aim"], row["peers"].keys()) == ("fps", "≥ 15", {"plain OpenCV"})
    assert row["ours"] > 0

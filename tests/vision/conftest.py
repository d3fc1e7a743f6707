"""Pictures for the tests of the camera's eye: drawn by other people's programs, or real ones where they are at hand."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # sheets_drawn

SHARED = Path(__file__).resolve().parents[3] / "shared" / "pictures"


def rows_of(folder: str) -> list[dict[str, str]]:
    """The truth about a folder of real pictures; nothing where they are not at hand."""
    truth = SHARED / folder / "truth.csv"
    if not truth.is_file():
        return []
    with truth.open(encoding="utf-8", newline="") as lines:
        return [{**row, "path": str(truth.parent / row["file"])} for row in csv.DictReader(lines)]


@pytest.fixture(scope="session")
def drawn():
    """A picture (BGR) of what a `save(file, kind="png", …)` of another program draws."""

    def draw(code, **how) -> np.ndarray:
        out = io.BytesIO()
        code.save(out, kind="png", **how)
        return cv2.imdecode(np.frombuffer(out.getvalue(), np.uint8), cv2.IMREAD_COLOR)

    return draw


@pytest.fixture(params=rows_of("codes") or [None], ids=lambda row: row["file"] if row else "none at hand")
def real_code(request):
    """One row of truth about a real picture of a code, or None where there are none."""
    return request.param


@pytest.fixture(params=rows_of("pages") or [None], ids=lambda row: row["file"] if row else "none at hand")
def real_page(request):
    """One row of truth about a real picture of a page, or None where there are none."""
    return request.param

"""Scanning through the local gateway: pages laid under a real camera's wire, over real HTTP and WebSocket."""

from __future__ import annotations

import io
import os
import re
import urllib.request
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from document_camera import SIZE, DocumentCamera, desk, laid, sheet
from local_hall import BUSINESS, OTHER, Feed, PageSide
from PIL import Image
from scan_desk import OPTIONS

from devices.roles import PedalPressed
from devices.station import DeviceEntry


class Scan:
    """A page's side of a scan."""

    def __init__(self, page: PageSide, feed: Feed, **wanted: object) -> None:
        self.page, self.feed = page, feed
        self.path = page.ask("desk-camera", "scan", searchable=False, **wanted)["path"]
        self.pages: list[dict] = []

    def hear(self, fits) -> dict:
        """The next `scan` event that fits; with the pages as last told."""

        def see(message: dict) -> bool:
            self.pages = message.get("pages", self.pages)
            return fits(message)

        return self.feed.hear("scan", see)

    def until_pages(self, count: int) -> list[dict]:
        if len(self.pages) != count:
            self.hear(lambda message: len(self.pages) == count)
        return self.pages

    def order(self, name: str, status: int = 200, **given: object):
        return self.page.json("POST", f"{self.path}/{name}", given, status)

    def file(self, **given: object) -> tuple[dict, bytes]:
        status, headers, body = self.page.send("POST", f"{self.path}/file", given)
        assert status == 200, body
        return headers, body


@pytest.fixture
def page(desk_of_clerk) -> PageSide:
    return desk_of_clerk.pair()


def folders() -> set[Path]:
    """What scans of this process have on the disk."""
    return set(Path("/dev/shm").glob(f"bianmin-scan-{os.getpid()}-*"))


def picture_of(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_pages_laid_down_are_taken_and_handed_over(desk_of_clerk, page, camera):
    with page.socket() as feed:
        scan = Scan(page, feed)
        camera.lay(sheet("FORM A"))
        told = scan.hear(lambda m: m["phase"] == "taken" and m["outlines"])
        assert told["taken"] == 1
        corners = told["outlines"][0]["corners"]
        assert len(corners) == 4 and all(0 <= x <= 1 and 0 <= y <= 1 for x, y in corners)
        scan.until_pages(1)
        camera.clear()
        scan.hear(lambda m: m["phase"] == "empty")
        camera.lay(sheet("FORM B"), degrees=-3)
        first, second = scan.until_pages(2)
        thumbnail = PageSide(page.url, "").send("GET", first["thumbnail"])  # an <img> brings no key but its address
        assert thumbnail[1]["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert thumbnail[0] == 200 and thumbnail[2].startswith(b"\xff\xd8")
        assert first["bytes"] > 5000 and 0.6 < first["width_mm"] / first["height_mm"] < 0.9

        headers, pdf = scan.file(kind="pdf")
        assert headers["Content-Type"] == "application/pdf"
        with pikepdf.open(io.BytesIO(pdf)) as document:
            assert len(document.pages) == 2
        headers, pack = scan.file(kind="png")
        with zipfile.ZipFile(io.BytesIO(pack)) as files:
            assert files.namelist() == ["scan-1.png", "scan-2.png"]
        one = picture_of(scan.file(kind="jpg", page=second["id"])[1])
        assert one.mean() > 190  # the page alone, whitened: no desk
        assert scan.file(kind="tiff")[1][:2] in (b"II", b"MM")
        plain = picture_of(scan.file(kind="jpg", page=first["id"])[1])
        marked = picture_of(scan.file(kind="jpg", page=first["id"], mark="仅供办理养老保险使用")[1])
        assert marked.shape == plain.shape and marked.mean() < plain.mean() - 1


def test_the_same_page_is_not_taken_twice_and_a_hand_or_the_desk_never(page, camera):
    with page.socket() as feed:
        scan = Scan(page, feed)
        camera.lay(sheet("ONCE"))
        scan.until_pages(1)
        camera.show(laid(sheet("ONCE"), (300, 60)))  # pushed a little
        camera.pause(30)
        camera.clear()
        scan.hear(lambda m: m["phase"] == "empty")
        camera.pause(20)
        scan.order("mode", mode="photo")
        assert scan.hear(lambda m: m["mode"] == "photo")["taken"] == 1
        assert len(scan.pages) == 1


def test_a_stand_that_was_measured_gives_true_sizes(desk_of_clerk, camera, until):
    # 480 mm over 1280 pixels: the page of 620 × 820 pixels is 232.5 × 307.5 mm.
    entries = [
        replace(one, options={**OPTIONS, "across": 480.0}) if one.name == "desk-camera" else one
        for one in desk_of_clerk.bench.entries
    ]
    desk_of_clerk.station.apply(entries)
    until(lambda: desk_of_clerk.station.state("desk-camera").state.value == "ready")
    page = desk_of_clerk.pair()
    with page.socket() as feed:
        scan = Scan(page, feed)
        camera.lay(sheet("FORM A"))
        [one] = scan.until_pages(1)
        assert sorted((one["width_mm"], one["height_mm"])) == pytest.approx([232.5, 307.5], rel=0.012)


def test_what_a_person_does_with_the_pages(page, camera):
    with page.socket() as feed:
        scan = Scan(page, feed)
        for name in ("ONE", "TWO"):
            camera.lay(sheet(name))
            scan.hear(lambda m: m["phase"] == "taken")
            camera.clear()
            scan.hear(lambda m: m["phase"] == "empty")
        one, two = scan.until_pages(2)
        scan.order("reorder", pages=[two["id"], one["id"]])
        scan.hear(lambda m: [p["id"] for p in scan.pages] == [two["id"], one["id"]])
        scan.order("rotate", page=one["id"], degrees=90)
        scan.hear(lambda m: scan.pages[1]["width_mm"] > scan.pages[1]["height_mm"])
        assert scan.order("undo") == {"done": True}
        scan.hear(lambda m: scan.pages[1]["width_mm"] < scan.pages[1]["height_mm"])
        scan.order("crop", page=one["id"], corners=[[0.3, 0.2], [0.6, 0.2], [0.6, 0.5], [0.3, 0.5]])
        scan.hear(lambda m: scan.pages[1]["stamp"] != one["stamp"] and scan.pages[1]["bytes"] < one["bytes"])
        scan.order("remove", page=two["id"])
        scan.until_pages(1)
        shot = page.send("GET", f"{scan.path}/pages/{one['id']}/shot")
        assert Image.open(io.BytesIO(shot[2])).size == SIZE
        scan.order("retake", page=one["id"])
        camera.lay(sheet("THREE"))
        scan.hear(lambda m: m["retaking"] is None and m["taken"] == 3)
        assert [p["id"] for p in scan.until_pages(1)] == [one["id"]]


def test_by_button_and_by_foot_when_automatic_is_off(desk_of_clerk, page, camera):
    with page.socket() as feed:
        scan = Scan(page, feed, automatic=False)
        camera.lay(sheet("BY HAND"))
        scan.hear(lambda m: m["phase"] == "still")
        camera.pause(25)
        scan.order("take")
        assert scan.hear(lambda m: m["taken"])["taken"] == 1
        scan.until_pages(1)
        camera.lay(sheet("BY FOOT"))
        scan.hear(lambda m: m["phase"] == "still")
        desk_of_clerk.bench.far["pedal"].happen(PedalPressed(pedal=1, code="KEY_B"))
        scan.until_pages(2)
        scan.order("automatic", on=True)
        assert scan.hear(lambda m: m["automatic"])["taken"] == 2


def test_a_copy_is_printed(desk_of_clerk, page, camera):
    with page.socket() as feed:
        scan = Scan(page, feed)
        camera.lay(sheet("COPY"))
        scan.until_pages(1)
        preview = page.send("POST", f"{scan.path}/preview", {})
        assert preview[2].startswith(b"\xff\xd8")
        assert scan.order("print", copies=2) == {"result": "done"}
        [job] = desk_of_clerk.bench.far["sheets"].simulator.jobs.values()
        with pikepdf.open(io.BytesIO(job.pdf)) as document:
            left, bottom, right, top = map(float, document.pages[0].mediabox)
            assert (round(right - left), round(top - bottom)) == (595, 842)  # A4 in points
        assert scan.order("print", 404, printer="nowhere")["code"] == "no-printer"


def test_it_lives_as_long_as_its_socket(desk_of_clerk, page, camera, until):
    assert page.ask("desk-camera", "scan", 409)["code"] == "no-socket"
    before = folders()
    with page.socket() as feed:
        feed.hear("devices")
        scan = Scan(page, feed)
        assert len(folders() - before) == 1
        other = desk_of_clerk.pair(OTHER)
        with other.socket() as theirs:
            theirs.hear("devices")
            told = other.ask("desk-camera", "scan", 409)
            assert told["code"] == "owned" and told["owner"] == BUSINESS
            assert other.json("POST", f"{scan.path}/take", {}, 404)["code"] == "no-scan"
            assert other.json("POST", "/v1/scans/%E6%89%AB/take", {}, 404)["code"] == "no-scan"
        camera.lay(sheet("GONE"))
        scan.until_pages(1)
        [address] = [one["thumbnail"] for one in scan.pages]
    until(lambda: folders() == before)
    assert page.json("GET", address, status=404)["code"] == "no-scan"
    assert page.devices()["desk-camera"]["owner"] is None


def test_a_page_that_connects_anew_keeps_what_its_new_line_began(page, camera, until):
    with page.socket() as dead:
        dead.hear("devices")
        with page.socket() as feed:  # the same page: its old line is dead, but we do not know it yet
            feed.hear("devices")
            scan = Scan(page, feed)
            dead.close()
            camera.lay(sheet("ALIVE"))
            scan.until_pages(1)
            assert page.devices()["desk-camera"]["yours"] is True
    until(lambda: page.devices()["desk-camera"]["owner"] is None)


def test_ended_by_the_page(page, camera):
    before = folders()
    with page.socket() as feed:
        scan = Scan(page, feed)
        scan.order("end")
        assert feed.hear("scan-ended")["why"] == "ended"
        assert folders() == before
        assert scan.order("take", 404)["code"] == "no-scan"
        again = Scan(page, feed)
        assert again.path != scan.path
        feed.say(release="desk-camera")
        feed.hear("scan-ended")


def first_frame(page, **wanted) -> tuple[int, int]:
    """The size of a live picture's first frame."""
    path = page.ask("desk-camera", "stream", **wanted)["path"]
    with urllib.request.urlopen(page.url + path, timeout=15) as live:
        data = b""
        while b"\xff\xd9\r\n--frame" not in data:
            data += live.read1(65536)
    return Image.open(io.BytesIO(data[data.index(b"\xff\xd8") :])).size


def test_the_live_picture_is_no_larger_than_it_is_shown(page):
    width, height = SIZE
    assert first_frame(page) == SIZE
    assert first_frame(page, width=640) == (width // 2, height // 2)
    assert first_frame(page, width=200) == (width // 4, height // 4)
    assert first_frame(page, width=800) == SIZE  # half would be too little
    for width in (-1, "640", True, 20_000):
        assert page.ask("desk-camera", "stream", 400, width=width)["code"] == "bad-field"


def test_trouble_is_said_in_words(page, camera):
    with page.socket() as feed:
        scan = Scan(page, feed)
        scan.hear(lambda m: m["phase"] == "empty" and m["camera"] is None)
        camera.frozen = True
        told = scan.hear(lambda m: m["camera"])
        assert told["camera"]["code"] == "frozen" and told["camera"]["sentence"][0].startswith("画面停住")
        camera.frozen = False
        scan.hear(lambda m: m["camera"] is None)
        camera.show(np.zeros_like(desk()))
        assert scan.hear(lambda m: m["camera"])["camera"]["code"] == "black"
        camera.show(desk())
        scan.hear(lambda m: m["camera"] is None)
        camera.show(np.full_like(desk(), 255))
        told = scan.hear(lambda m: m["camera"])
        assert told["camera"]["code"] == "too-bright" and told["camera"]["sentence"][0].startswith("摄像头画面全白")
        camera.show(desk())
        scan.hear(lambda m: m["camera"] is None)
        camera.unplug()
        assert scan.hear(lambda m: m["camera"])["camera"]["code"] == "unplugged"
        camera.plug()
        scan.hear(lambda m: m["camera"] is None)
        camera.lay(sheet("BACK"))  # and it goes on
        scan.until_pages(1)


def test_pages_are_whole_though_every_second_picture_is_half(page, camera):
    with page.socket() as feed:
        scan = Scan(page, feed)
        scan.hear(lambda m: m["phase"] == "empty" and m["camera"] is None)
        camera.torn = True
        assert scan.hear(lambda m: m["camera"])["camera"]["code"] == "garbled"
        camera.lay(sheet("A"))
        [one] = scan.until_pages(1)
        status, _, data = page.send("GET", f"{scan.path}/pages/{one['id']}/shot")
        assert status == 200 and (picture_of(data)[-8:] != 128).any(), "its last rows are no filling"
        camera.torn = False
        scan.hear(lambda m: m["camera"] is None)


def test_two_cameras_on_one_bus(desk_of_clerk, camera, until):
    mute = DocumentCamera()
    mute.mute = mute.full = True
    desk_of_clerk.station.apply([*desk_of_clerk.bench.entries, DeviceEntry("second", "uvc-camera", mute.link, OPTIONS)])
    page = desk_of_clerk.pair()
    with page.socket() as feed:
        page.ask("second", "scan", searchable=False)
        told = feed.hear("scan", lambda m: m["device"] == "second" and m["camera"])
        assert told["camera"]["code"] == "bus-full" and "USB" in told["camera"]["sentence"][0]
        mute.mute = mute.full = False  # the other one was unplugged
        feed.hear("scan", lambda m: m["device"] == "second" and m["camera"] is None)
    mute.close()


def test_what_cannot_be_done_is_refused_in_words(page, camera):
    with page.socket() as feed:
        assert page.ask("desk-camera", "scan", 409, mode="sepia")["sentence"][0] == "没有这种扫描方式。"
        assert page.ask("desk-camera", "scan", 400, dpi=True)["code"] == "bad-field"
        scan = Scan(page, feed)
        assert scan.order("file", 409)["sentence"][0] == "还没有扫到任何一页。"
        assert scan.order("file", 400, kind="docx")["code"] == "bad-field"
        assert scan.order("file", 400, mark="x" * 61)["code"] == "bad-field"
        assert scan.order("remove", 409, page=9)["sentence"][0] == "没有这一页。"
        for corners in (None, [[0, 0]] * 3 + [["a", 1]], [[0, 0], [9, 0], [1, 1], [0, 1]]):
            assert scan.order("crop", 400, page=1, corners=corners)["code"] == "bad-field"
        assert scan.order("dance", 404)["code"] == "no-deed"
        assert scan.order("undo") == {"done": False}
        with pytest.raises(AssertionError, match="403"):
            PageSide(page.url, OTHER).json("POST", f"{scan.path}/take", {})


def test_every_sentence_of_a_scan_has_its_chinese():
    from devices.gateway.local.refusal import ROOM
    from devices.gateway.local.scans import CAMERA
    from devices.gateway.wording import speaker
    from devices.scanning import session

    code = Path(session.__file__).read_text("utf-8")
    said = {session.DAMAGED, *(sentence for _, sentence in CAMERA.values())}
    said |= set(re.findall(r'(?:ScanTrouble|_told)\("(.+?)"\)', code))
    assert len(said) > 12
    assert [one for one in said if not re.search(r"[\u4e00-\u9fff]", speaker(room=ROOM)(one)[0])] == []


def test_every_flaw_of_a_page_has_its_sentence_on_the_panel():
    from devices.gateway import local
    from devices.vision.flaws import WORDS
    from devices.vision.scan import WHOLE

    module = (Path(local.__file__).parent / "static" / "bianmin-devices.js").read_text("utf-8")
    sentences = module.partition("export const SCAN_FLAGS = {")[2].partition("};")[0]
    assert set(re.findall(r"^  (\w+): \[", sentences, re.MULTILINE)) == {*WORDS, WHOLE}

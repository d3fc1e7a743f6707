"""One person's scan from the first frame to nothing left: over the whole session, with its threads."""

from __future__ import annotations

import io
import math
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pikepdf
import pytest
from waiting import until

from devices.scanning import ScanSession, ScanTrouble
from devices.scanning.session import DAMAGED
from devices.scanning.watch import Look, Watch
from devices.vision.judging import PageFound

SIZE = (1280, 960)


def picture(seed: int) -> bytes:
    """A page with grey bars of its own on a dark desk, as a camera's JPEG."""
    dice = np.random.default_rng(seed)
    shown = np.full((SIZE[1], SIZE[0], 3), (60, 70, 80), np.uint8)
    shown[80:880, 340:940] = 240
    for y in range(160, 820, 40):
        cv2.rectangle(shown, (400, y), (400 + int(dice.integers(80, 480)), y + 14), (40, 40, 40), -1)
    return cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


class Still(Watch):
    """A watchman for whom everything lies still, so that what is tested here is the session alone."""

    def look(self, small: np.ndarray, now: float) -> Look:
        height, width = small.shape[:2]
        corners = np.array([(340, 80), (939, 80), (939, 879), (340, 879)], np.float32) * (width / SIZE[0])
        return Look("still", (PageFound(corners, 1.0, "page", ()),), width, height)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[ScanSession]:
    with ScanSession(tmp_path, searchable=False, automatic=False, watch=Still()) as made:
        yield made


def take(session: ScanSession, seed: int) -> int:
    """One page more; its id."""
    before = session.state()["taken"]
    session.see(picture(seed))
    session.take()
    until(lambda: session.state()["taken"] == before + 1)
    return session.state()["pages"][-1]["id"]


def ids(session: ScanSession) -> list[int]:
    return [page["id"] for page in session.state()["pages"]]


def test_pages_in_order_and_every_change_taken_back(session: ScanSession) -> None:
    first, second, third = (take(session, seed) for seed in (1, 2, 3))
    assert ids(session) == [first, second, third]
    session.reorder([third, first, second])
    session.remove(first)
    assert ids(session) == [third, second]
    wide = session.state()["pages"][0]["width_mm"]
    session.rotate(third)
    assert session.state()["pages"][0]["height_mm"] == wide
    for expected in ([third, second], [third, first, second], [first, second, third]):
        assert session.undo()
        assert ids(session) == expected
    for wrong in ([first], [first, first, second], [first, second, 99]):
        with pytest.raises(ScanTrouble):
            session.reorder(wrong)
    with pytest.raises(ScanTrouble, match="no such page"):
        session.remove(99)


def test_a_retaken_page_stays_in_its_place(session: ScanSession) -> None:
    first, second = take(session, 1), take(session, 2)
    before = session.picture(first)
    session.retake(first)
    session.see(picture(9))
    session.take()
    until(lambda: session.picture(first) != before)
    assert ids(session) == [first, second]


def test_a_full_scan_takes_no_page_more_but_one_of_its_own_again(tmp_path: Path) -> None:
    looks: list[int] = []
    with ScanSession(
        tmp_path, searchable=False, automatic=False, most=2, watch=Still(), looked=lambda: looks.append(1)
    ) as session:
        first, second = take(session, 1), take(session, 2)
        assert session.live()["phase"] == "full"
        before = len(looks)
        session.take()
        until(lambda: len(looks) > before)
        assert ids(session) == [first, second]
        session.retake(first)
        assert session.live()["phase"] == "still"
        session.see(picture(3))
        session.take()
        until(lambda: session.state()["taken"] == 3)
        assert ids(session) == [first, second] and session.live()["phase"] == "full"
        session.remove(first)
        assert session.live()["phase"] == "still"
        take(session, 4)


def test_what_is_told_of_a_picture_comes_with_that_picture(session: ScanSession) -> None:
    assert session.seen()[0] is None and session.live()["size"] == [0, 0]
    session.see(picture(1))
    until(lambda: session.seen()[0] is not None)
    small, told = session.seen()
    assert small is not None
    assert (told["phase"], told["size"]) == ("still", [small.shape[1], small.shape[0]])
    (left, top), _, (right, low), _ = told["outlines"][0]["corners"]
    inside = small[int(top * small.shape[0]) : int(low * small.shape[0]), int(left * small.shape[1]) :]
    assert inside[:, : int((right - left) * small.shape[1])].mean() > 180


def test_what_fails_changes_nothing_and_undo_knows_what_it_takes_back(session: ScanSession, tmp_path: Path) -> None:
    first, second = take(session, 1), take(session, 2)
    session.reorder([second, first])
    session.rotate(first)
    turned, corner = session.pages(), (0.3, 0.1)
    aside = tmp_path.with_name(tmp_path.name + " gone")

    def missing() -> None:
        """The disk takes nothing and gives nothing."""
        tmp_path.rename(aside)
        try:
            for change in (lambda: session.rotate(first), lambda: session.crop(first, by_hand)):
                with pytest.raises(ValueError, match="gone or damaged"):
                    change()
            session.see(picture(3))
            session.take()
            until(lambda: "No such file" in session.live()["trouble"])
        finally:
            aside.rename(tmp_path)

    by_hand = [corner, (0.7, 0.1), (0.7, 0.5), (0.3, 0.5)]
    for wrong, why in (
        (lambda: session.rotate(99), "no such page"),
        (lambda: session.rotate(first, 45), "by quarters"),
        (lambda: session.remove(99), "no such page"),
        (lambda: session.crop(first, [corner, (math.nan, 0.1), *by_hand[2:]]), "do not span"),
    ):
        with pytest.raises(ValueError, match=why):
            wrong()
    missing()
    assert session.pages() == turned
    assert session.undo() and ids(session) == [second, first] and session.pages() != turned
    assert session.undo() and ids(session) == [first, second]
    assert session.undo() and ids(session) == [first]
    assert session.picture(first)[:2] == b"\xff\xd8", "the page and not only its number"
    assert session.undo() and not session.undo()


def test_a_page_that_is_gone_is_not_taken_again(session: ScanSession) -> None:
    first, second = take(session, 1), take(session, 2)
    session.retake(first)
    session.remove(first)
    assert session.live()["retaking"] is None
    assert session.undo() and session.live()["retaking"] is None
    session.retake(second)
    assert session.undo() and session.live()["retaking"] is None, "undone away"
    third = take(session, 3)
    assert ids(session) == [first, third] and third not in (first, second)


def test_cut_by_hand(session: ScanSession) -> None:
    page = take(session, 1)
    about = session.state()["pages"][0]
    session.crop(page, [(0.3, 0.1), (0.7, 0.1), (0.7, 0.5), (0.3, 0.5)])
    cut = session.state()["pages"][0]
    assert cut["height_mm"] < about["height_mm"] * 0.6
    assert session.undo() and session.state()["pages"][0]["height_mm"] == about["height_mm"]


def test_corners_that_span_no_page(session: ScanSession) -> None:
    page = take(session, 1)
    before = session.pages()
    a, b, c, d = (0.3, 0.1), (0.7, 0.1), (0.7, 0.5), (0.3, 0.5)
    for wrong in (
        [a, a, a, a],
        [a, b, c],
        [a, b, c, d, (0.2, 0.3)],
        [a, b, (0.4, 0.2), d],  # a dent
        [a, c, b, d],  # crossed
        [d, c, b, a],  # seen from behind
        [a, b, (0.7, 0.105), (0.3, 0.105)],  # a line
        [a, b, c, (0.3, 0.1099)],  # one side is shorter than a hundredth
        [a, (1.51, 0.1), c, d],
        [(-0.51, 0.1), b, c, d],
        [a, (math.nan, 0.1), c, d],
        [a, (math.inf, 0.1), c, d],
        [a, b, c, (0.3, math.nan)],
    ):
        with pytest.raises(ScanTrouble, match="The four corners do not span a page"):
            session.crop(page, wrong)
    assert session.pages() == before
    session.crop(page, [(-0.05, -0.05), (1.05, 0.0), (1.0, 1.0), (0.0, 1.05)])  # a page that reaches out of the shot


@pytest.mark.parametrize("size", [SIZE, (SIZE[0] * 2, SIZE[1] * 2)])
def test_a_measured_stand_gives_true_sizes_whatever_size_its_pictures_have(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    # A picture shows 400 mm from left to right: the page, 600 of 1280 pixels wide and 800 high, is 187.5 × 250 mm.
    with ScanSession(tmp_path, searchable=False, automatic=False, watch=Still(), across=400.0) as session:
        shown = cv2.resize(cv2.imdecode(np.frombuffer(picture(3), np.uint8), cv2.IMREAD_COLOR), size)
        session.see(cv2.imencode(".jpg", shown)[1].tobytes())
        session.take()
        until(lambda: session.pages())
        [page] = session.pages()
        assert sorted((page["width_mm"], page["height_mm"])) == pytest.approx([187.5, 250.0], rel=0.01)
        session.crop(page["id"], [(340 / 1280, 80 / 960), (640 / 1280, 80 / 960), (640 / 1280, 0.5), (340 / 1280, 0.5)])
        [page] = session.pages()
        assert sorted((page["width_mm"], page["height_mm"])) == pytest.approx([93.75, 125.0], rel=0.01), "by hand too"
        dpi = size[0] / 400 * 25.4
        [(_, jpg)] = session.exported("jpg")
        assert jpg[6:11] == b"JFIF\0" and struct.unpack(">BHH", jpg[13:18]) == (1, round(dpi), round(dpi))
        with pikepdf.open(io.BytesIO(session.document())) as document:
            sides = [float(side) / 72 * 25.4 for side in list(document.pages[0].mediabox)[2:]]
        assert sorted(sides) == pytest.approx([93.75, 125.0], rel=0.01)


def test_what_was_found_is_known_after_cropping(session: ScanSession) -> None:
    page = take(session, 1)
    now, found = session.cut(page)
    assert now == found and len(found) == 4
    by_hand = [(0.3, 0.1), (0.7, 0.1), (0.7, 0.5), (0.3, 0.5)]
    session.crop(page, by_hand)
    now, still = session.cut(page)
    assert still == found and np.abs(np.array(now) - by_hand).max() < 1e-6
    with pytest.raises(ScanTrouble, match="no such page"):
        session.cut(99)


def test_every_kind_of_file(session: ScanSession) -> None:
    with pytest.raises(ScanTrouble, match="no page yet"):
        session.document()
    take(session, 1)
    take(session, 2)
    for pages, data in ((2, session.document("标题", "仅供办理社保使用")), (2, session.copy())):
        with pikepdf.open(io.BytesIO(data)) as document:
            assert len(document.pages) == pages
    assert [name for name, _ in session.exported("png")] == ["scan-1.png", "scan-2.png"]
    assert session.exported("tiff")[0][1][:2] in (b"II", b"MM")
    assert session.exported("jpg")[0][1][:2] == b"\xff\xd8" and session.preview()[:2] == b"\xff\xd8"
    with pytest.raises(ScanTrouble, match="kind of file"):
        session.exported("doc")


def test_a_copy_of_no_more_pages_than_there_are(session: ScanSession) -> None:
    first, second = take(session, 1), take(session, 2)
    with pikepdf.open(io.BytesIO(session.copy([second]))) as document:
        assert len(document.pages) == 1
    for make in (session.copy, session.preview):
        for wrong in ([first, second, first], [99]):
            with pytest.raises(ScanTrouble, match="no such page"):
                make(wrong)
    assert session.papers() == 2 and session.paper(1)[:2] == b"\xff\xd8"
    for number in (2, 99):
        with pytest.raises(ScanTrouble, match="no such page"):
            session.paper(number)


def test_the_live_view_waits_for_nobody(tmp_path: Path) -> None:
    busy, done = threading.Event(), threading.Event()

    def changed() -> None:
        if threading.current_thread().name == "slow":
            busy.set()
            done.wait(60)

    with ScanSession(tmp_path, searchable=False, automatic=False, watch=Still(), changed=changed) as session:
        page = take(session, 1)
        frames: list[bytes | None] = []

        def follow() -> None:
            session.see(picture(2))
            frames.append(session.frame())
            session.take()
            session.live()

        slow = threading.Thread(target=session.rotate, args=(page,), name="slow")
        live = threading.Thread(target=follow, daemon=True)
        try:
            slow.start()
            assert busy.wait(20)
            live.start()
            live.join(20)
            assert not live.is_alive() and frames == [picture(2)]
        finally:
            done.set()
            slow.join(20)
        until(lambda: len(session) == 2)


def test_nothing_readable_lies_on_the_disk_and_nothing_at_all_afterwards(tmp_path: Path) -> None:
    with ScanSession(tmp_path, searchable=False, automatic=False, watch=Still()) as session:
        take(session, 1)
        shot = picture(1)
        files = [file.read_bytes() for file in tmp_path.iterdir()]
        assert files and not any(b"\xff\xd8\xff" in data[:64] or shot[100:200] in data for data in files)
    assert list(tmp_path.iterdir()) == []
    session.see(shot)
    session.take()
    assert session.frame() is None, "a frame that comes late is not kept"
    assert session.live()["outlines"] == [] and session.pages() == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("scan")]


def half(frame: bytes) -> bytes:
    """The frame as a camera sends it whose USB has lost the rest: it has its end mark, and a decoder finds no fault."""
    torn = frame[: len(frame) // 2] + b"\xff\xd9"
    assert cv2.imdecode(np.frombuffer(torn, np.uint8), cv2.IMREAD_COLOR).shape == (SIZE[1], SIZE[0], 3)
    return torn


def in_parts(frame: bytes) -> bytes:
    """The same picture with restart marks, as many cameras send it."""
    pixels = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_RST_INTERVAL, 20])[1].tobytes()


@pytest.mark.parametrize("as_sent", [lambda frame: frame, in_parts], ids=["in one", "in parts"])
def test_half_a_picture_is_never_a_page_and_the_button_gets_the_next_whole_one(
    session: ScanSession, as_sent: Callable[[bytes], bytes]
) -> None:
    whole = as_sent(picture(3))
    session.see(half(whole))
    session.take()
    until(lambda: session.state()["trouble"] == DAMAGED)
    assert session.state()["pages"] == []
    session.see(whole)
    until(lambda: session.state()["taken"] == 1)
    [page] = ids(session)
    assert session.shot(page) == whole and session.state()["trouble"] == ""


def test_what_is_taken_by_itself_is_never_half_a_picture(tmp_path: Path) -> None:
    class Ready(Still):
        """As soon as there is a picture, everything is still."""

        def look(self, small: np.ndarray, now: float) -> Look:
            return replace(super().look(small, now), fire=not self._taken)

        def taken(self) -> None:
            self._taken = (np.zeros(1),)

    for whole in (picture(4), in_parts(picture(4))):
        with ScanSession(tmp_path, searchable=False, watch=Ready()) as made:
            for _ in range(3):
                made.see(half(whole))
                until(lambda made=made: made.state()["trouble"] == DAMAGED)
            made.see(whole)
            until(lambda made=made: made.state()["taken"] == 1)
            assert made.shot(ids(made)[0]) == whole


def test_a_damaged_frame_is_told_and_the_next_one_is_fine(session: ScanSession) -> None:
    session.see(b"\xff\xd8 no picture")
    until(lambda: session.state()["trouble"])
    take(session, 1)
    assert session.state()["trouble"] == ""


def test_a_camera_that_falls_silent(session: ScanSession) -> None:
    session.see(picture(1))
    until(lambda: session.state()["phase"] == "still")
    until(lambda: session.state()["phase"] == "no_camera")
    assert session.state()["outlines"] == []


def test_text_is_read_behind_and_told(tmp_path: Path) -> None:
    with ScanSession(tmp_path, automatic=False, watch=Still()) as session:
        page = np.full((SIZE[1], SIZE[0], 3), (60, 70, 80), np.uint8)
        page[80:880, 340:940] = 245
        for row in range(5):
            where = (380, 200 + 100 * row)
            cv2.putText(page, "RECEIPT 2026", where, cv2.FONT_HERSHEY_SIMPLEX, 1.8, (20, 20, 20), 4, cv2.LINE_AA)
        session.see(cv2.imencode(".jpg", page)[1].tobytes())
        session.take()
        until(lambda: session.state()["pages"] and session.state()["pages"][0]["lines"] > 0, 60)
        assert "RECEIPT" in session.state()["pages"][0]["title"].upper()
        until(lambda: session.state()["pages"][0]["reading"] is None)


class Stumbling(Still):
    """A watchman that breaks down over its first picture."""

    stumbled = False

    def look(self, small: np.ndarray, now: float) -> Look:
        if not self.stumbled:
            self.stumbled = True
            raise cv2.error("no such picture")
        return super().look(small, now)


def test_a_mistake_over_one_picture_is_told_and_the_scan_goes_on(tmp_path: Path) -> None:
    with ScanSession(tmp_path, searchable=False, automatic=False, watch=Stumbling()) as session:
        session.see(picture(1))
        until(lambda: session.state()["trouble"] == "The camera's picture is damaged.")
        take(session, 2)
        assert session.state()["trouble"] == ""

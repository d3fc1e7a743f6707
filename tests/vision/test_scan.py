"""From a shot to a page, and the pile pages lie in: nothing of them readable on the disk, nothing left when wiped."""

import io
import resource

import cv2
import numpy as np
import pytest
import segno

from devices.vision import scan, tone
from devices.vision.benches_scan import lit, on_desk, page
from devices.vision.sheets import Pile, PileMistake, Sheet, jpeg
from devices.vision.text import Line, Word

TEXT = ["申请人应当如实填写申请表，并提交身份证明的原件和复印件。" * 2] * 4


def desk(turn: float = 4.0) -> tuple[bytes, np.ndarray]:
    """A camera's JPEG with an A4 page on it, and where the page lies."""
    bgr, corners = on_desk(lit(page(TEXT, dpi=100).bgr), (1600, 1200), turn)
    return cv2.imencode(".jpg", bgr)[1].tobytes(), corners


def small() -> Sheet:
    return scan.page(scan.Shot(np.full((60, 40, 3), 200, np.uint8), dpi=100.0))


@pytest.mark.parametrize("mode", tone.MODES)
def test_a_page_is_cut_out_squared_and_toned(mode):
    data, corners = desk()
    sheet = scan.page(scan.shot(data, 90.0), corners, mode)
    assert sheet.width / sheet.height == pytest.approx(210 / 297, rel=0.01)
    assert sheet.mode == mode
    edge = sheet.picture()[3:10, 20:-20]
    assert edge.mean() > (100 if mode == "photo" else 240)  # the desk is gone, the paper reaches the edge


def test_a_photo_taken_whole_is_the_cameras_own_file():
    data, _ = desk()
    assert scan.page(scan.shot(data), None, "photo").data == data


def test_a_page_that_lies_on_its_side_is_shown_upright():
    data, corners = desk()
    sheet = scan.page(scan.shot(data), corners, upright=lambda bgr: 90)
    assert sheet.turn == 90
    height, width = sheet.picture().shape[:2]
    assert width > height
    thumbnail = cv2.imdecode(np.frombuffer(sheet.thumbnail, np.uint8), 1)
    assert thumbnail.shape[1] > thumbnail.shape[0]


def test_a_mode_that_does_not_exist_is_said():
    with pytest.raises(ValueError, match="sepia"):
        scan.page(scan.Shot(np.zeros((9, 9, 3), np.uint8)), mode="sepia")


def test_a_damaged_shot_is_said():
    with pytest.raises(ValueError, match="damaged"):
        scan.shot(b"\xff\xd8\xff nothing")


def test_a_shot_with_needless_bytes_before_its_end_is_whole():
    """Some cameras send all theirs so."""
    data, _ = desk()
    assert data[-2:] == b"\xff\xd9"
    assert (scan.shot(data[:-2] + bytes(40) + data[-2:]).bgr == scan.shot(data).bgr).all()


def test_half_a_shot_is_damaged():
    data, _ = desk()
    with pytest.raises(ValueError, match="damaged"):
        scan.shot(data[: len(data) // 2])


def test_pages_come_back_from_the_pile_as_they_went(tmp_path):
    pile = Pile(tmp_path)
    line = Line("张三", 0.9, ((1.0, 2.0), (3.0, 2.0), (3.0, 4.0), (1.0, 4.0)), (Word("张三", 0.0, 1.0),))
    sheet = small()
    sheet = Sheet(
        sheet.data, 40, 60, 100.0, "photo", 90, (line,), ("glare",), "名", b"t", ({"text": "1"},), ((0.0, 1.0),)
    )
    assert pile.add(sheet, b"the shot") == 0
    assert pile[0] == sheet
    assert list(pile) == [sheet]
    assert pile.shot(0) == b"the shot"


def test_nothing_on_the_disk_can_be_read(tmp_path):
    pile = Pile(tmp_path)
    sheet = small()
    pile.add(sheet, sheet.data)
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        assert b"\xff\xd8" not in data[:40]
        assert sheet.data[200:232] not in data
        assert path.stat().st_mode & 0o077 == 0


def test_a_file_changed_on_the_disk_is_noticed(tmp_path):
    pile = Pile(tmp_path)
    pile.add(small())
    for path in tmp_path.iterdir():
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    with pytest.raises(PileMistake, match="damaged"):
        pile[0]


def test_a_full_disk_keeps_no_half_of_a_page_and_the_pile_as_it_was(tmp_path):
    pile = Pile(tmp_path)
    pile.add(small(), b"shot")
    files, before = sorted(tmp_path.iterdir()), (pile.names, pile.ids)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256, limits[1]))  # room for the shot, none for the page
    try:
        with pytest.raises(OSError, match="too large"):
            pile.rotate(0)
        with pytest.raises(OSError, match="too large"):
            pile.add(small(), b"shot")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(tmp_path.iterdir()) == files and (pile.names, pile.ids) == before
    assert pile.add(small(), b"shot") == 1 and len(set(pile.ids)) == 2


def titled(pile: Pile) -> str:
    return "".join(sheet.title for sheet in pile)


def named(title: str) -> Sheet:
    base = small()
    return Sheet(base.data, base.width, base.height, base.dpi, title=title)


def test_the_pile_obeys_and_takes_back(tmp_path):
    pile = Pile(tmp_path)
    for title in "abc":
        pile.add(named(title))
    pile.reorder([2, 0, 1])
    assert titled(pile) == "cab"
    pile.replace(1, named("A"))
    assert titled(pile) == "cAb"
    pile.remove(0)
    assert titled(pile) == "Ab"
    pile.rotate(0, 270)
    assert pile[0].turn == 270
    for after in ("Ab", "cAb", "cab", "abc", "ab", "a", ""):
        assert pile.undo()
        assert titled(pile) == after
    assert not pile.undo()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("places", [[0, 0], [0], [0, 1, 2], [1, 2]])
def test_an_order_that_loses_a_page_is_refused(tmp_path, places):
    pile = Pile(tmp_path)
    pile.add(named("a"))
    pile.add(named("b"))
    with pytest.raises(PileMistake, match="once"):
        pile.reorder(places)
    assert titled(pile) == "ab"


@pytest.mark.parametrize("place", [-1, 1, 99])
def test_a_page_that_is_not_there_is_said(tmp_path, place):
    pile = Pile(tmp_path)
    pile.add(named("a"))
    for act in (pile.remove, pile.rotate, pile.shot, pile.__getitem__):
        with pytest.raises(PileMistake, match="no page"):
            act(place)


def test_a_wiped_pile_is_gone(tmp_path):
    pile = Pile(tmp_path)
    pile.add(named("a"), b"shot")
    pile.remove(0)
    pile.wipe()
    assert not list(tmp_path.iterdir())
    assert len(pile) == 0
    assert not pile.undo()
    with pytest.raises(PileMistake, match="wiped"):
        pile.add(named("b"))


def test_a_long_pile_keeps_only_what_can_be_taken_back(tmp_path):
    pile = Pile(tmp_path)
    pile.add(named("a"))
    for _ in range(30):
        pile.rotate(0)
    assert pile[0].turn == 30 * 90 % 360
    assert len(list(tmp_path.iterdir())) <= 2 * 21


def test_codes_on_a_page_are_kept_with_it_where_they_stand():
    paper = np.full((1000, 700, 3), 255, np.uint8)
    out = io.BytesIO()
    segno.make_qr("便民 A001", encoding="utf-8").save(out, kind="png", scale=6)
    code = cv2.imdecode(np.frombuffer(out.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    paper[100 : 100 + code.shape[0], 60 : 60 + code.shape[1]] = code
    [found] = scan.coded(scan.page(scan.Shot(paper)).turned(90)).codes
    assert (found["format"], found["text"]) == ("QRCode", "便民 A001")
    assert np.asarray(found["corners"]).mean(axis=0) == pytest.approx(
        (60 + code.shape[1] / 2, 100 + code.shape[0] / 2), abs=6
    )


def test_a_slanted_page_comes_out_at_its_true_proportions():
    picture = np.full((1200, 1600, 3), 200, np.uint8)
    # An A4 sheet seen by a camera with a focal length of 1500 pixels, turned back by 40 degrees.
    sheet = np.array([(-105, -148.5), (105, -148.5), (105, 148.5), (-105, 148.5)], np.float64)
    back = np.radians(40)
    space = np.stack([sheet[:, 0], sheet[:, 1] * np.cos(back), 700 + sheet[:, 1] * np.sin(back)], axis=1)
    corners = space[:, :2] / space[:, 2:] * 1500 + (800, 600)
    flat = scan.squared(picture, corners)
    assert flat.shape[0] / flat.shape[1] == pytest.approx(297 / 210, rel=0.03)


def test_corners_that_enclose_nothing_are_refused():
    with pytest.raises(ValueError, match="enclose no page"):
        scan.squared(np.zeros((100, 100, 3), np.uint8), [(5, 5), (50, 5), (90, 5), (20, 5)])


def test_a_page_is_cut_anew_from_its_shot(tmp_path):
    picture = np.full((400, 600, 3), 90, np.uint8)
    picture[100:300, 200:500] = 240
    pile = Pile(tmp_path)
    shot = jpeg(picture)
    pile.add(scan.page(scan.shot(shot)).turned(90), shot)
    corners = [(200, 100), (500, 100), (500, 300), (200, 300)]
    pile.crop(0, lambda data, old: scan.cut_anew(scan.shot(data), corners, old))
    assert (pile[0].turn, pile[0].corners[2]) == (90, (500.0, 300.0))
    assert pile[0].width / pile[0].height == pytest.approx(1.5, rel=0.08)
    assert pile.undo()
    assert pile[0].corners == ()
    pile.add(scan.page(scan.Shot(picture)))
    with pytest.raises(PileMistake, match="not kept"):
        pile.crop(1, lambda data, old: old)


def test_a_hair_of_the_desk_is_no_line_around_the_page() -> None:
    picture = np.full((900, 700, 3), (40, 60, 80), np.uint8)
    picture[100:800, 100:600] = 240
    outside = [(98, 98), (601, 98), (601, 801), (98, 801)]  # two pixels of the desk at each side
    shown = scan.page(scan.Shot(picture, dpi=100.0), outside).picture()
    assert shown.min() > 200

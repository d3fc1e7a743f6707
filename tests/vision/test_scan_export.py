"""Pages as files: documents and pictures, marked across, copied at true size; all of them or none."""

import dataclasses
import io

import cv2
import numpy as np
import pikepdf
import pytest
from PIL import Image

from devices.vision import export, pdf, scan, watermark
from devices.vision.benches_scan import page
from devices.vision.sheets import Pile, Sheet
from devices.vision.text import Line

MARK = "仅供办理居住证使用"


def sheet(mode: str = "document") -> Sheet:
    bgr = page(["申请人应当如实填写申请表。"] * 4, dpi=100).bgr
    bgr[1000:, 700:] = (30, 30, 30)
    return scan.page(scan.Shot(bgr, dpi=100.0), mode=mode)


@pytest.mark.parametrize("ending", ["jpg", "png", "jpeg", "JPG"])
def test_pictures_are_one_file_a_page_and_say_how_large_they_are(tmp_path, ending):
    one, two = sheet(), sheet().turned(90)
    files = export.write(tmp_path / f"a.{ending}", [one, two])
    assert [path.name for path in files] == [f"a.{ending}", f"a-2.{ending}"]
    with Image.open(files[0]) as first, Image.open(files[1]) as second:
        assert first.size == (827, 1169)
        assert second.size == (1169, 827)
        for picture in (first, second):
            assert picture.info["dpi"] == pytest.approx((100, 100), abs=0.5)
        assert np.asarray(second.convert("L"))[-40, 40] < 80  # the black corner has come along


def test_a_jpeg_that_need_not_be_turned_is_not_compressed_again(tmp_path):
    one = sheet("photo")
    export.write(tmp_path / "a.jpg", [one])
    assert (tmp_path / "a.jpg").read_bytes() == one.data


def test_a_tiff_holds_all_pages(tmp_path):
    export.write(tmp_path / "a.tif", [sheet("black-and-white"), sheet().turned(90), sheet("photo")])
    with Image.open(tmp_path / "a.tif") as stored:
        assert stored.n_frames == 3
        assert (stored.mode, stored.info["compression"]) == ("1", "group4")
        assert np.asarray(stored)[1100, 760] == 0
        assert np.asarray(stored)[20, 20] == 1
        stored.seek(1)
        assert stored.size == (1169, 827)
        assert stored.info["dpi"] == pytest.approx((100, 100), abs=0.5)
        stored.seek(2)
        assert stored.mode == "RGB"


@pytest.mark.parametrize("name", ["a.pdf", "a.jpg", "a.png", "a.tif"])
def test_what_fails_on_the_way_leaves_nothing(tmp_path, name):
    def pages():
        yield sheet()
        raise ValueError("the second page is no good")

    (tmp_path / name).write_bytes(b"old")
    with pytest.raises(ValueError, match="no good"):
        export.write(tmp_path / name, pages())
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("name", ["a.pdf", "a.jpg", "a.png", "a.tif"])
def test_no_pages_make_no_file(tmp_path, name):
    with pytest.raises(ValueError, match="no pages"):
        export.write(tmp_path / name, [])
    assert not list(tmp_path.iterdir())


def test_an_ending_nobody_knows_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.docx"):
        export.write(tmp_path / "a.docx", [sheet()])


@pytest.mark.parametrize("mode", ["document", "photo", "black-and-white"])
@pytest.mark.parametrize("turn", [0, 90])
def test_the_mark_lies_across_the_page_as_it_is_shown(mode, turn):
    plain = sheet(mode).turned(turn)
    marked = watermark.marked(plain, MARK)
    before, after = plain.picture().astype(int), marked.picture().astype(int)
    assert before.shape == after.shape
    darker = (before - after).max(axis=2) > 30
    ink = watermark.pattern(MARK, (before.shape[1], before.shape[0])) > 200
    paper = before.min(axis=2) > 240
    assert darker[ink & paper].mean() > (0.25 if mode == "black-and-white" else 0.9)
    assert darker[~cv2.dilate(ink.astype(np.uint8), np.ones((7, 7))).astype(bool) & paper].mean() < 0.01


def test_the_mark_is_in_the_picture_of_the_pdf_itself(tmp_path):
    export.write(tmp_path / "plain.pdf", [sheet()])
    export.write(tmp_path / "marked.pdf", [sheet()], mark=MARK)
    with pikepdf.open(tmp_path / "plain.pdf") as plain, pikepdf.open(tmp_path / "marked.pdf") as marked:
        first, second = (
            Image.open(io.BytesIO(each.pages[0].Resources.XObject.P.read_raw_bytes())) for each in (plain, marked)
        )
        assert np.asarray(first).mean() - np.asarray(second).mean() > 1


@pytest.mark.parametrize("text", ["", "  \n", "字" * 61])
def test_a_mark_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match="watermark"):
        watermark.marked(sheet(), text)


def card(gray: int) -> Sheet:
    """An ID card (85.6 × 54 mm) at 300 dpi."""
    return scan.page(scan.Shot(np.full((638, 1011, 3), gray, np.uint8), dpi=300.0), mode="photo")


def test_both_sides_of_a_card_are_copied_at_true_size_on_one_sheet():
    copy = scan.copies([card(90), card(40)])
    assert copy.size_mm == pytest.approx((210, 297), abs=0.2)
    rows = np.flatnonzero(copy.picture().min(axis=2).min(axis=1) < 150)
    columns = np.flatnonzero(copy.picture().min(axis=2).min(axis=0) < 150)
    assert (columns[-1] - columns[0]) / 200 * 25.4 == pytest.approx(85.6, abs=0.5)
    parts = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    assert [len(part) / 200 * 25.4 for part in parts] == pytest.approx([54, 54], abs=0.5)
    middle = copy.picture()[parts[0][0] + 50, (columns[0] + columns[-1]) // 2]
    assert middle.max() - middle.min() <= 2  # gray
    assert cv2.imdecode(np.frombuffer(copy.thumbnail, np.uint8), 1).shape[0] == scan.THUMBNAIL


def test_an_a4_page_is_copied_to_the_edge_and_a_larger_one_made_to_fit():
    assert scan.copies([sheet()]).picture()[-30:-20, -30:-20].max() < 90
    large = scan.page(scan.Shot(np.full((3000, 2000, 3), 90, np.uint8), dpi=100.0), mode="photo")
    copy = scan.copies([large]).picture()
    assert copy[:20].min() > 240
    assert copy[copy.shape[0] // 2, copy.shape[1] // 2].max() < 120


def test_copies_of_nothing_are_refused():
    with pytest.raises(ValueError, match="nothing"):
        scan.copies([])


def line(text: str, y: float, high: float, score: float = 0.95) -> Line:
    return Line(text, score, ((0, y), (300, y), (300, y + high), (0, y + high)))


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([line("第一号窗口", 10, 20), line("居住证申请表", 60, 48), line("姓名", 130, 22)], "居住证申请表"),
        ([line("申请表", 10, 40), line("大字在底下", 900, 90)], "申请表"),
        ([line("居住证申请表", 60, 46), line("便民服务中心", 140, 48)], "居住证申请表"),
        ([line("申请/表: 第<1>页。", 10, 40)], "申请表 第1页"),
        ([line("编号110101198506121234", 10, 40)], "编号"),
        ([line("看不清", 10, 60, 0.4), line("通知", 80, 30)], "通知"),
        ([], ""),
        ([line("12345678", 10, 40)], ""),
        ([line("长" * 90, 10, 40)], "长" * 40),
    ],
)
def test_a_title_is_proposed_from_the_largest_line_near_the_top(lines, name):
    assert scan.title(lines, 1000) == name


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_file_is_turned_as_it_says(tmp_path, orientation):
    from PIL import ImageOps

    from devices.vision.pictures import load

    image = Image.fromarray(np.arange(60 * 40 * 3, dtype=np.uint32).reshape(60, 40, 3).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as stored:
        wanted = np.asarray(ImageOps.exif_transpose(stored))[:, :, ::-1]
    assert (scan.upright_pixels(load(tmp_path / "a.png")) == wanted).all()


def test_a_pile_of_three_hundred_pages_is_written_with_flat_memory(tmp_path):
    """What is held at once is a page or two, however many there are; the file holds them all."""
    import tracemalloc

    (tmp_path / "pile").mkdir()
    pile = Pile(tmp_path / "pile")
    one = dataclasses.replace(card(90), data=card(90).data + bytes(400_000))  # as heavy as a page with much on it
    for _ in range(300):
        pile.add(one)
    tracemalloc.start()
    size = pdf.write(tmp_path / "a.pdf", pile)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 300 * len(one.data)
    assert most < 8 * len(one.data)
    with pikepdf.open(tmp_path / "a.pdf") as document:
        assert len(document.pages) == 300
    pile.wipe()
    assert not list((tmp_path / "pile").iterdir())

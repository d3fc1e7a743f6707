"""The document: valid, true to size, searchable in Chinese; read back by poppler and qpdf, not by our own writer."""

import dataclasses
import datetime
import io
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image

from devices.vision import pdf, scan, tone
from devices.vision.benches_scan import page
from devices.vision.sheets import Sheet
from devices.vision.text import Line, Word

DPI = 100
AT = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)
SAID = "便民服务中心 ABC-12"


def sheet(mode: str = "document", lines: tuple[Line, ...] = ()) -> Sheet:
    bgr = page([SAID] * 3, dpi=DPI).bgr
    bgr[1000:, 700:] = (30, 30, 30)  # the corner at the lower right is black: which way up it is
    return dataclasses.replace(scan.page(scan.Shot(bgr, dpi=DPI), mode=mode), lines=lines)


def line(text: str, x: float, y: float, wide: float, high: float = 20, words: tuple[Word, ...] = ()) -> Line:
    return Line(text, 1.0, ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)), words)


def pdftotext(path: Path, *options: str) -> str:
    return subprocess.run(["pdftotext", *options, path, "-"], capture_output=True, text=True, check=True).stdout


def drawn(path: Path, number: int = 1) -> np.ndarray:
    done = subprocess.run(
        ["pdftoppm", "-r", str(DPI), "-gray", "-f", str(number), "-l", str(number), path],
        capture_output=True,
        check=True,
    )
    return np.asarray(Image.open(io.BytesIO(done.stdout)))


def test_what_is_hidden_in_the_page_is_found_by_a_reader(tmp_path):
    lines = (
        line("便民服务中心业务办理须知", 80, 80, 240),
        line("申请人：张三 ABC-12", 80, 120, 200),
        line("𠮷野家", 80, 160, 60),
    )
    pdf.write(tmp_path / "a.pdf", [sheet(lines=lines)])
    assert pdftotext(tmp_path / "a.pdf").split("\n")[:3] == [each.text for each in lines]


def test_each_word_is_hidden_where_it_stands(tmp_path):
    words = (Word("姓名 ", 0.0, 0.2), Word("张三", 0.75, 1.0))
    pdf.write(tmp_path / "a.pdf", [sheet(lines=(line("姓名 张三", 100, 200, 400, words=words),))])
    boxes = {
        found[5]: [float(value) * DPI / 72 for value in found.group(1, 2, 3, 4)]
        for found in re.finditer(
            r'xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)<', pdftotext(tmp_path / "a.pdf", "-bbox")
        )
    }
    assert boxes["张三"][0] == pytest.approx(400, abs=2)
    assert boxes["张三"][2] == pytest.approx(500, abs=2)
    assert boxes["姓名"][0] == pytest.approx(100, abs=2)
    assert boxes["姓名"][1] == pytest.approx(200, abs=4)
    assert boxes["姓名"][3] == pytest.approx(220, abs=4)


def test_the_hidden_text_leaves_no_ink(tmp_path):
    pdf.write(tmp_path / "with.pdf", [sheet(lines=(line("看不见", 80, 600, 400, 60),))])
    pdf.write(tmp_path / "without.pdf", [sheet()])
    assert (drawn(tmp_path / "with.pdf") == drawn(tmp_path / "without.pdf")).all()


@pytest.mark.parametrize("mode", ["document", "photo", "black-and-white"])
def test_a_page_is_a4_and_looks_as_it_did(tmp_path, mode):
    pdf.write(tmp_path / "a.pdf", [sheet(mode)])
    with pikepdf.open(tmp_path / "a.pdf") as document:
        box = [float(value) for value in document.pages[0].mediabox]
    assert box == pytest.approx([0, 0, 595.3, 841.9], abs=0.6)
    seen = drawn(tmp_path / "a.pdf")
    assert seen[1100:1150, 750:800].mean() < 60
    assert seen[10:60, 10:60].mean() > 245


@pytest.mark.parametrize(("turn", "corner"), [(0, (-40, -40)), (90, (-40, 40)), (180, (40, 40)), (270, (40, -40))])
def test_a_turned_page_is_turned_with_its_text(tmp_path, turn, corner):
    lines = (line("第一行在上面", 80, 80, 160),)
    pdf.write(tmp_path / "a.pdf", [sheet(lines=lines).turned(turn)])
    seen = drawn(tmp_path / "a.pdf")
    assert (seen.shape[0] > seen.shape[1]) == (turn in (0, 180))
    assert [at for at in ((40, 40), (40, -40), (-40, 40), (-40, -40)) if seen[at] < 80] == [corner]
    assert "第一行在上面" in pdftotext(tmp_path / "a.pdf")


def test_the_jpeg_is_embedded_byte_for_byte(tmp_path):
    one = sheet("photo")
    pdf.write(tmp_path / "a.pdf", [one])
    with pikepdf.open(tmp_path / "a.pdf") as document:
        assert document.pages[0].Resources.XObject.P.read_raw_bytes() == one.data


def test_black_and_white_is_one_bit_in_g4(tmp_path):
    pdf.write(tmp_path / "a.pdf", [sheet("black-and-white")])
    with pikepdf.open(tmp_path / "a.pdf") as document:
        picture = document.pages[0].Resources.XObject.P
        assert picture.Filter == "/CCITTFaxDecode"
        assert picture.BitsPerComponent == 1


def test_the_document_says_that_it_is_a_pdf_a_2b_and_keeps_its_rules(tmp_path):
    pdf.write(
        tmp_path / "a.pdf", [sheet(lines=(line("甲", 10, 10, 20),)), sheet("black-and-white")], "办理<须知> & 表", AT
    )
    data = (tmp_path / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF-1.7\n%") and min(data[10:14]) > 127
    with pikepdf.open(tmp_path / "a.pdf") as document:
        with document.open_metadata() as said:
            assert said.pdfa_status == "2B"
            assert said["dc:title"] == "办理<须知> & 表"
            assert said["xmp:CreateDate"].startswith("2026-03-04T05:06:07")
            assert said["pdf:Producer"] == str(document.docinfo.Producer)
        assert str(document.docinfo.Title) == "办理<须知> & 表"
        assert not document.is_encrypted
        assert len(document.trailer.ID) == 2
        intent = document.Root.OutputIntents[0]
        assert intent.S == "/GTS_PDFA1"
        assert intent.DestOutputProfile.N == 3
        assert intent.DestOutputProfile.read_bytes()[36:40] == b"acsp"
        assert "Filter" not in document.Root.Metadata
        font = document.pages[0].Resources.Font.F.DescendantFonts[0]
        assert font.FontDescriptor.FontFile2.read_bytes()[:4] == b"\0\1\0\0"
        assert not document.check_pdf_syntax()


def test_one_page_more_costs_no_memory_of_pages_before(tmp_path):
    """Pages are asked for one by one, each only after the one before has gone out."""
    one = sheet()
    seen: list[int] = []

    class Counting(io.BytesIO):
        def write(self, data):
            seen.append(len(data))
            return super().write(data)

    file = Counting()

    def leaves():
        for _ in range(5):
            before = sum(seen)
            yield one
            assert sum(seen) - before > len(one.data)

    assert pdf.write_to(file, leaves()) == len(file.getvalue())
    with pikepdf.open(file) as document:
        assert len(document.pages) == 5


def test_a_mistake_on_the_way_leaves_nothing_and_the_old_file_as_it_was(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"old")

    def leaves():
        yield sheet()
        raise OSError("the stick was pulled")

    with pytest.raises(OSError, match="stick"):
        pdf.write(tmp_path / "a.pdf", leaves())
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]
    assert (tmp_path / "a.pdf").read_bytes() == b"old"


def test_a_document_without_pages_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="no pages"):
        pdf.write(tmp_path / "a.pdf", [])
    assert not list(tmp_path.iterdir())


def test_every_mode_there_is_can_be_written(tmp_path):
    pdf.write(tmp_path / "a.pdf", [sheet(mode) for mode in tone.MODES])
    with pikepdf.open(tmp_path / "a.pdf") as document:
        assert len(document.pages) == len(tone.MODES)


def test_what_the_standard_asks_of_the_bytes_is_kept(tmp_path):
    """Rules of PDF/A-2 that no reader minds: pages with and without text, one and eight bits."""
    said = line("甲\tA", 10, 10, 40)
    for name, sheets in {"words": [sheet(lines=(said,)), sheet("black-and-white")], "none": [sheet("photo")]}.items():
        pdf.write(tmp_path / f"{name}.pdf", sheets)
        data = (tmp_path / f"{name}.pdf").read_bytes()
        assert data.endswith(b"%%EOF\n") and data.count(b"%%EOF") == 1
        begin = int(data.split(b"startxref\n")[1].split()[0])
        rows = data[begin:].split(b"trailer")[0].split(b"\n", 2)[2]
        assert len(rows) % 20 == 0  # each row is twenty bytes
        for number in range(len(rows) // 20):
            at, generation, kind = rows[number * 20 : number * 20 + 20].split()
            if kind == b"f":  # free, and outside the list of free ones
                assert (int(at), int(generation)) == (0, 65535)
            else:
                assert data[int(at) :].startswith(b"%d 0 obj\n" % number)
        with pikepdf.open(tmp_path / f"{name}.pdf") as document:
            for thing in document.objects:
                if isinstance(thing, pikepdf.Stream):
                    assert not {"/F", "/FFilter", "/Alternates", "/OPI", "/SMask", "/Interpolate"} & set(thing.keys())
                    assert thing.get("/Filter", "/FlateDecode") != "/LZWDecode"
                if isinstance(thing, pikepdf.Dictionary):
                    assert not {"/AA", "/JavaScript", "/OpenAction", "/Annots", "/Group", "/ExtGState"} & set(
                        thing.keys()
                    )


def test_hidden_text_never_shows_the_missing_glyph_and_is_as_wide_as_said(tmp_path):
    pdf.write(tmp_path / "a.pdf", [sheet(lines=(line("甲𠮷A", 10, 10, 40),))])
    with pikepdf.open(tmp_path / "a.pdf") as document:
        font = document.pages[0].Resources.Font.F
        (inner,) = font.DescendantFonts
        glyphs = inner.CIDToGIDMap.read_bytes()
        program = inner.FontDescriptor.FontFile2.read_bytes()
        tables = {program[at : at + 4]: int.from_bytes(program[at + 8 : at + 12]) for at in range(12, 108, 16)}
        advance = int.from_bytes(program[tables[b"hmtx"] + 4 : tables[b"hmtx"] + 6])
        per_em = int.from_bytes(program[tables[b"head"] + 18 : tables[b"head"] + 20])
        assert len(glyphs) == 2 * 65536 and set(glyphs[1::2]) == {1} and set(glyphs[::2]) == {0}
        assert advance * 1000 == inner.DW * per_em
        assert inner.FontDescriptor.FontFile2.Length1 == len(program)
        assert font.BaseFont == inner.BaseFont == inner.FontDescriptor.FontName


@pytest.mark.parametrize("dpi", [1.5, 6000])
def test_a_page_is_never_smaller_or_larger_than_the_standard_allows(tmp_path, dpi):
    small = Image.new("RGB", (8, 8) if dpi > 1000 else (1000, 400), "white")
    out = io.BytesIO()
    small.save(out, "JPEG")
    size = small.size
    pdf.write(tmp_path / "a.pdf", [Sheet(out.getvalue(), *size, dpi, "photo", lines=(line("甲", 1, 1, 5, 5),))])
    with pikepdf.open(tmp_path / "a.pdf") as document:
        box = [float(value) for value in document.pages[0].MediaBox]
        assert min(box[2:]) >= 3 and max(box[2:]) <= 14400


def test_a_picture_in_four_inks_becomes_one_in_three_colours(tmp_path):
    out = io.BytesIO()
    Image.new("CMYK", (40, 30), (0, 255, 255, 0)).save(out, "JPEG")
    pdf.write(tmp_path / "a.pdf", [Sheet(out.getvalue(), 40, 30, 72, "photo")])
    with pikepdf.open(tmp_path / "a.pdf") as document:
        held = Image.open(io.BytesIO(document.pages[0].Resources.XObject.P.read_raw_bytes()))
        assert held.mode == "RGB"
        red, green, blue = held.getpixel((20, 15))
        assert red > 150 and max(green, blue) < 90


def test_a_title_that_xml_cannot_hold_is_written_without_those_characters(tmp_path):
    pdf.write(tmp_path / "a.pdf", [sheet()], "表\x01\udcff一")
    with pikepdf.open(tmp_path / "a.pdf") as document, document.open_metadata() as said:
        assert said["dc:title"] == str(document.docinfo.Title) == "表一"


def test_what_a_killed_writer_left_goes_with_the_next_and_nothing_else(tmp_path):
    left, fresh, other = (tmp_path / name for name in (".a.pdf.0123abcd", ".a.pdf.89abcdef", ".b.pdf.0123abcd"))
    for path in (left, fresh, other):
        path.touch()
    for path in (left, other):
        os.utime(path, (0, 0))
    pdf.write(tmp_path / "a.pdf", [sheet()])
    assert {path.name for path in tmp_path.iterdir()} == {"a.pdf", fresh.name, other.name}

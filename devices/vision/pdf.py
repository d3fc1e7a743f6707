"""Writes pages into one PDF/A-2b with text that can be searched, page after page, without holding more than one.

A PDF is a row of numbered objects and, at its end, a table of where each begins; so a pile of three hundred pages is
written as it is read, and the file is whole only when it has been renamed to its name.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import io
import os
import re
import secrets
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol
from xml.sax.saxutils import escape

from PIL import Image, ImageCms, JpegImagePlugin, TiffImagePlugin

from devices.vision import unfinished
from devices.vision.text import Line, Word

PRODUCER = "Bianmin"
# Pillow knows a format once its module is loaded, and looks only for these in what it opens.
KINDS = (JpegImagePlugin.JpegImageFile.format, TiffImagePlugin.TiffImageFile.format)
POINTS = 72.0  # to the inch
LEAST_SIDE, MOST_SIDE = 3.0, 14400.0  # points a side of a page may have
G4, STRIP_AT, STRIP_LONG = 4, 273, 279  # TIFF: compression, where the strip begins, its length
QUALITY = 92  # of a JPEG that has to be made anew
ADVANCE = 500  # of the font without shapes, in thousandths of its size
UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot hold
SPARE = 0xE000  # private codes lent to characters beyond the first 65 536
CATALOG, PAGES, INFO, XMP, COLOUR, INTENT, FONT, CID_FONT, FONT_ABOUT, FONT_FILE, GLYPHS, UNICODE = range(1, 13)


class Leaf(Protocol):
    """What a page must tell to become part of a PDF; `sheets.Sheet` does."""

    @property
    def data(self) -> bytes:
        """A JPEG, or a black-and-white TIFF of one strip in CCITT G4."""

    @property
    def dpi(self) -> float:
        """Pixels to the inch."""

    @property
    def turn(self) -> int:
        """By how many degrees clockwise the picture is to be shown turned: 0, 90, 180 or 270."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """The text in the picture, in its own pixels, before turning."""


def write(path: Path, leaves: Iterable[Leaf], title: str = "", at: datetime.datetime | None = None) -> int:
    """A PDF/A-2b of these pages at `path`; returns its size in bytes.

    Written beside `path`, brought to the disk and renamed: whatever happens there is never half a file of that name.
    """
    beside = unfinished.beside(path)
    try:
        with open(beside, "wb") as file:
            size = write_to(file, leaves, title, at)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return size


def write_to(file: BinaryIO, leaves: Iterable[Leaf], title: str = "", at: datetime.datetime | None = None) -> int:
    """The same into an open file, from its present place on; returns how many bytes were written."""
    return _Document(file, title, (at or datetime.datetime.now()).astimezone()).write(leaves)


class _Document:
    """One PDF being written: objects go out at once, only where they begin is remembered."""

    def __init__(self, file: BinaryIO, title: str, at: datetime.datetime) -> None:
        self._file = file
        self._title = UNSPEAKABLE.sub("", title)
        self._at = at
        self._written = 0
        self._begins: dict[int, int] = {}
        self._pages: list[int] = []
        self._digest = hashlib.sha256(secrets.token_bytes(16))
        self._spare: dict[str, int] = {}
        self._text = False

    def write(self, leaves: Iterable[Leaf]) -> int:
        self._out(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        for leaf in leaves:
            self._leaf(leaf)
        if not self._pages:
            raise ValueError("a document of no pages cannot be written.")
        self._frame()
        return self._written

    def _out(self, data: bytes) -> None:
        self._file.write(data)
        self._written += len(data)

    def _object(self, number: int, body: bytes) -> None:
        self._begins[number] = self._written
        self._out(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _stream(self, number: int, about: bytes, data: bytes, pack: bool = True) -> None:
        if pack:
            data = zlib.compress(data, 6)
            about += b" /Filter /FlateDecode"
        self._begins[number] = self._written
        self._out(b"%d 0 obj\n<< %b /Length %d >>\nstream\n" % (number, about, len(data)))
        self._out(data)
        self._out(b"\nendstream\nendobj\n")

    def _leaf(self, leaf: Leaf) -> None:
        page, picture, content = (UNICODE + 1 + 3 * len(self._pages) + part for part in range(3))
        about, data, width, height = _picture(leaf.data)
        self._stream(picture, about, data, pack=False)
        self._digest.update(hashlib.sha256(data).digest())
        unit = min(max(POINTS / leaf.dpi, LEAST_SIDE / min(width, height)), MOST_SIDE / max(width, height))
        wide, high = width * unit, height * unit
        shown = (high, wide) if leaf.turn % 180 else (wide, high)
        # All of the page, picture and text alike, is turned as one; the text keeps its place on the picture.
        turned = {
            0: (1, 0, 0, 1, 0, 0),
            90: (0, -1, 1, 0, 0, wide),
            180: (-1, 0, 0, -1, wide, high),
            270: (0, 1, -1, 0, high, 0),
        }[leaf.turn % 360]
        drawing = b"q %b cm q %b 0 0 %b 0 0 cm /P Do Q\n%bQ\n" % (
            b" ".join(map(_number, turned)),
            _number(wide),
            _number(high),
            self._hidden(leaf, height, unit),
        )
        self._stream(content, b"", drawing)
        font = b" /Font << /F %d 0 R >>" % FONT if leaf.lines else b""
        self._object(
            page,
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %b %b] /Contents %d 0 R"
            b" /Resources << /XObject << /P %d 0 R >>%b >> >>"
            % (PAGES, _number(shown[0]), _number(shown[1]), content, picture, font),
        )
        self._pages.append(page)

    def _hidden(self, leaf: Leaf, height: int, unit: float) -> bytes:
        """The page's text, drawn with no ink (render mode 3) exactly over its picture of so many points a pixel."""
        if not leaf.lines:
            return b""
        self._text = True
        out = [b"BT 3 Tr\n"]
        for line in leaf.lines:
            (x0, y0), (x1, y1), _, (x3, y3) = line.corners
            size = max(((x3 - x0) ** 2 + (y3 - y0) ** 2) ** 0.5 * unit, 1.0)
            length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1.0)
            cos, sin = (x1 - x0) / length, -(y1 - y0) / length  # the page's y points up
            # Letters stand on a line a fifth of their height above the lower edge of what is inked.
            foot_x, foot_y = x3 + (x0 - x3) * 0.15, height - (y3 + (y0 - y3) * 0.15)
            out.append(b"/F %b Tf\n" % _number(size))
            for word in line.words or (Word(line.text, 0.0, 1.0),):
                codes = self._codes(word.text)
                if not codes:
                    continue
                stretch = (word.stop - word.start) * length * unit / (len(codes) // 4 * ADVANCE / 1000 * size) * 100
                x, y = foot_x + word.start * length * cos, foot_y + word.start * length * sin
                out.append(
                    b"%b Tz %b %b %b %b %b %b Tm <%b> Tj\n"
                    % (*map(_number, (max(stretch, 1.0), cos, sin, -sin, cos, x * unit, y * unit)), codes)
                )
        out.append(b"ET\n")
        return b"".join(out)

    def _codes(self, text: str) -> bytes:
        """Two bytes a character, as hexadecimal digits."""
        out = bytearray()
        for letter in text:
            code = ord(letter)
            if code > 0xFFFF:
                code = self._spare.setdefault(letter, SPARE + len(self._spare))
            if code >= 0x20 and code not in (0xFEFF, 0xFFFE, 0xFFFF):
                out += b"%04X" % code
        return bytes(out)

    def _frame(self) -> None:
        """What all pages share, and the table of where everything begins."""
        self._object(
            CATALOG,
            b"<< /Type /Catalog /Pages %d 0 R /Metadata %d 0 R /OutputIntents [%d 0 R] /Lang (zh-CN)"
            b" /ViewerPreferences << /DisplayDocTitle true >> >>" % (PAGES, XMP, INTENT),
        )
        kids = b" ".join(b"%d 0 R" % page for page in self._pages)
        self._object(PAGES, b"<< /Type /Pages /Count %d /Kids [%b] >>" % (len(self._pages), kids))
        self._object(
            INFO,
            b"<< /Title %b /Producer %b /CreationDate (%b) /ModDate (%b) >>"
            % (_text(self._title), _text(PRODUCER), _date(self._at), _date(self._at)),
        )
        self._stream(XMP, b"/Type /Metadata /Subtype /XML", _xmp(self._title, self._at), pack=False)
        self._stream(COLOUR, b"/N 3", _srgb())
        self._object(
            INTENT,
            b"<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /Info (sRGB)"
            b" /DestOutputProfile %d 0 R >>" % COLOUR,
        )
        if self._text:
            self._font()
        self._table()

    def _font(self) -> None:
        """A font of one empty shape for every character there is: text needs one, even when it is not drawn."""
        name = b"/Bianmin-Hidden"
        self._object(
            FONT,
            b"<< /Type /Font /Subtype /Type0 /BaseFont %b /Encoding /Identity-H /DescendantFonts [%d 0 R]"
            b" /ToUnicode %d 0 R >>" % (name, CID_FONT, UNICODE),
        )
        self._object(
            CID_FONT,
            b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont %b /CIDToGIDMap %d 0 R /DW %d /FontDescriptor %d 0 R"
            b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
            % (name, GLYPHS, ADVANCE, FONT_ABOUT),
        )
        self._object(
            FONT_ABOUT,
            b"<< /Type /FontDescriptor /FontName %b /Flags 4 /FontBBox [0 0 %d 1000] /ItalicAngle 0 /Ascent 850"
            b" /Descent -150 /CapHeight 850 /StemV 80 /MissingWidth %d /FontFile2 %d 0 R >>"
            % (name, ADVANCE, ADVANCE, FONT_FILE),
        )
        font = _empty_font()
        self._stream(FONT_FILE, b"/Length1 %d" % len(font), font)
        self._stream(GLYPHS, b"", b"\x00\x01" * 65536)
        self._stream(UNICODE, b"", _to_unicode(self._spare))

    def _table(self) -> None:
        begin = self._written
        last = max(self._begins)
        rows = [b"0000000000 65535 f \n"]
        for number in range(1, last + 1):
            at = self._begins.get(number)
            rows.append(b"0000000000 65535 f \n" if at is None else b"%010d 00000 n \n" % at)
        name = self._digest.hexdigest()[:32].encode()
        self._out(b"xref\n0 %d\n" % (last + 1) + b"".join(rows))
        self._out(
            b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [<%b> <%b>] >>\nstartxref\n%d\n%%%%EOF\n"
            % (last + 1, CATALOG, INFO, name, name, begin)
        )


def _picture(data: bytes) -> tuple[bytes, bytes, int, int]:
    """(its entry in the PDF, its bytes there, width, height): compressed data go over as they are."""
    with Image.open(io.BytesIO(data), formats=KINDS) as header:
        width, height = header.size
        about = b"/Type /XObject /Subtype /Image /Width %d /Height %d" % (width, height)
        if header.format == "TIFF":
            tags = header.tag_v2  # type: ignore[attr-defined]
            begin, long = tags[STRIP_AT][0], tags[STRIP_LONG][0]
            about += (
                b" /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /CCITTFaxDecode"
                b" /DecodeParms << /K -1 /Columns %d /Rows %d >>" % (width, height)
            )
            return about, data[begin : begin + long], width, height
        if header.mode not in ("L", "RGB"):  # four inks, which mean nothing to a document in sRGB
            out = io.BytesIO()
            header.convert("RGB").save(out, "JPEG", quality=QUALITY)
            data = out.getvalue()
        space = b"/DeviceGray" if header.mode == "L" else b"/DeviceRGB"
        return about + b" /ColorSpace %b /BitsPerComponent 8 /Filter /DCTDecode" % space, data, width, height


def _number(value: float) -> bytes:
    """A number as a PDF likes it: no exponent, no minus zero."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return (b"0" if text in ("-0", "") else text.encode()) or b"0"


def _text(text: str) -> bytes:
    return b"<FEFF%b>" % text.encode("utf-16-be").hex().upper().encode()


def _date(at: datetime.datetime) -> bytes:
    zone = at.strftime("%z") or "+0000"
    return f"D:{at:%Y%m%d%H%M%S}{zone[:3]}'{zone[3:5]}'".encode()


def _xmp(title: str, at: datetime.datetime) -> bytes:
    """The same said again in XML, and that this is a PDF/A-2b; readers believe only this place."""
    moment = at.isoformat(timespec="seconds")
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
<pdf:Producer>{PRODUCER}</pdf:Producer>
<xmp:CreateDate>{moment}</xmp:CreateDate><xmp:ModifyDate>{moment}</xmp:ModifyDate>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()


@functools.cache
def _srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _to_unicode(spare: dict[str, int]) -> bytes:
    """Codes are Unicode already, but for those lent to rare characters."""
    # Surrogates and the private codes are left out; so are codes that name no character.
    highs = [high for high in range(256) if not 0xD8 <= high < 0xF9]
    ranges = [(high << 8, high << 8 | 0xFF) for high in highs]
    ranges[0], ranges[-1] = (0x0020, 0x00FF), (0xFF00, 0xFFFD)
    parts = [
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        b"/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
    ]
    rows = [b"<%04X> <%04X> <%04X>\n" % (begin, stop, begin) for begin, stop in ranges]
    for at in range(0, len(rows), 100):
        part = rows[at : at + 100]
        parts.append(b"%d beginbfrange\n%bendbfrange\n" % (len(part), b"".join(part)))
    lent = [
        b"<%04X> <%b>\n" % (code, letter.encode("utf-16-be").hex().upper().encode()) for letter, code in spare.items()
    ]
    for at in range(0, len(lent), 100):
        part = lent[at : at + 100]
        parts.append(b"%d beginbfchar\n%bendbfchar\n" % (len(part), b"".join(part)))
    parts.append(b"endcmap CMapName currentdict /CMap defineresource pop end end\n")
    return b"".join(parts)


@functools.cache
def _empty_font() -> bytes:
    """The smallest TrueType file: two shapes, both empty, each half as wide as the letters are high."""
    head = struct.pack(
        ">IIIIHHqqhhhhHHhhh", 0x00010000, 0x00010000, 0, 0x5F0F3CF5, 0, 1000, 0, 0, 0, 0, ADVANCE, 1000, 0, 8, 2, 0, 0
    )
    hhea = struct.pack(
        ">IhhhHhhhhhhhhhhhH", 0x00010000, 850, -150, 0, ADVANCE, 0, 0, ADVANCE, 1, 0, 0, 0, 0, 0, 0, 0, 2
    )
    maxp = struct.pack(">IHHHHHHHHHHHHHH", 0x00010000, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    hmtx = struct.pack(">HhHh", ADVANCE, 0, ADVANCE, 0)
    loca = struct.pack(">HHH", 0, 0, 0)
    tables = {b"glyf": b"\0\0\0\0", b"head": head, b"hhea": hhea, b"hmtx": hmtx, b"loca": loca, b"maxp": maxp}
    at = 12 + 16 * len(tables)
    rows, body = b"", b""
    for name, data in sorted(tables.items()):
        padded = data + b"\0" * (-len(data) % 4)
        rows += struct.pack(">4sIII", name, _sum(padded), at + len(body), len(data))
        body += padded
    font = struct.pack(">IHHHH", 0x00010000, len(tables), 64, 2, 16 * len(tables) - 64) + rows + body
    adjust = (0xB1B0AFBA - _sum(font)) & 0xFFFFFFFF
    place = font.index(head) + 8
    return font[:place] + struct.pack(">I", adjust) + font[place + 4 :]


def _sum(data: bytes) -> int:
    return int(sum(struct.unpack(f">{len(data) // 4}I", data))) & 0xFFFFFFFF

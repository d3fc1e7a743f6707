"""Finds the codes in a picture and reads them: QR, Data Matrix, PDF417, Aztec and their kin, and codes made of bars.

Several looks are taken, each at the picture prepared in another way, and only as long as something is missing. A wrong
text is worse than none, so what has no error correction of its own counts only when two different looks agree or the
picture looks like the reading (`bars`). zxing-cpp looks first, zbar gives the second opinion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import monotonic

import cv2
import numpy as np
import zxingcpp

from devices.vision import bars, crumpled, zbar
from devices.vision.sizes import scaled

PATIENCE = 8.0  # seconds after which no further look is begun
SMALL = 1200  # pixels of the longer side below which a picture is looked at enlarged
LARGE = 1600  # and those above which crumpled codes are looked for in a smaller copy
QR = zxingcpp.BarcodeFormat.QRCode
SHORTEST_ITF = 6  # digits: two bars of anything look like a shorter one
TELLING = 6  # letters from which on a bar code without check characters is believed at first sight
SURE_LIKENESS = 0.9  # a bar code that looks so much like its reading needs no second look
READ_LIKENESS, READ_LEAD, READ_BANDS = 0.75, 0.015, 3
SHORT_LIKENESS = 0.84  # the same for short codes, which more things look like

_RETAIL = ("EAN13", "UPCA", "EAN8", "UPCE")
_BARS = (*_RETAIL, "Code39", "Code93", "Code128", "ITF", "Codabar", "Telepen", "DXFilmEdge", "PZN", "Code32", "ISBN")
_GUESSED = ("MicroQRCode",)  # a corner of any QR code can look like one, and a small one has little to contradict it
_GUARDED = ("Code93", "Code128", "DataBar", "DXFilmEdge")  # bars with check characters that hold
_FAMILY = {
    "DataBarOmni": "DataBar", "DataBarStk": "DataBar", "DataBarStkOmni": "DataBar", "Code39Std": "Code39",
    "Code39Ext": "Code39", "PZN": "Code39", "Code32": "Code39", "ITF14": "ITF", "ISBN": "EAN13",
    "TelepenAlpha": "Telepen", "TelepenNumeric": "Telepen", "QRCodeModel1": "QRCode", "QRCodeModel2": "QRCode",
    "AztecCode": "Aztec", "AztecRune": "Aztec", "CompactPDF417": "PDF417", "DataBarExpanded": "DataBarExp",
}  # fmt: skip
_ZBAR = {
    "QRCODE": "QRCode", "EAN13": "EAN13", "UPCA": "UPCA", "EAN8": "EAN8", "UPCE": "UPCE", "CODE128": "Code128",
    "CODE93": "Code93", "I25": "ITF", "CODABAR": "Codabar",
}  # fmt: skip


@dataclass(frozen=True)
class CodeFound:
    """A code: its kind in zxing's words, its text, the bytes it carries, its corners (x, y; clockwise from its own
    top left) in pixels of the picture."""

    format: str
    text: str
    data: bytes
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class _Look:
    """A picture prepared for reading, and the matrix (3 × 3) that brings its points back to the original."""

    grey: np.ndarray
    back: np.ndarray


@dataclass(frozen=True)
class _Claim:
    """What one look says, before it is believed."""

    found: CodeFound
    by: str  # which reader


def read_codes(bgr: np.ndarray, pages: Sequence[np.ndarray] = ()) -> list[CodeFound]:
    """Every code in a picture (height × width × 3 BGR, or grey), each once, top to bottom.

    `pages`: corners (4 × 2, clockwise from top left) of pages in it, looked at straightened as well.
    """
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY) if bgr.ndim == 3 else bgr
    until = monotonic() + PATIENCE
    plain = _Look(grey, np.eye(3))
    claims = [*_zxing(plain), *_zbar(plain)]
    for page in pages:
        claims += _zxing(_straightened(grey, page))
    further, judge = _further(grey), _Judge(grey)
    while not (believed := judge.believed(claims)) or _doubtful(claims, believed):
        look = next(further, None)
        if look is None or monotonic() > until:
            break
        claims += look()
    if not believed and monotonic() < until:
        believed = _read_whole(grey, _places(grey), READ_LIKENESS)
    return sorted(believed, key=lambda code: (min(y for _, y in code.corners), code.corners))


# ---- looks -----------------------------------------------------------------------------------------------------------


def _further(grey: np.ndarray) -> Iterator[Callable[[], list[_Claim]]]:
    """Further looks, the cheapest and likeliest first."""
    if max(grey.shape) < SMALL:
        yield lambda: _zxing(_scaled(grey, 2, 2.0))
        yield lambda: _zbar(_scaled(grey, 2, 2.0))
    yield lambda: _zxing(_Look(cv2.createCLAHE(3, (8, 8)).apply(grey), np.eye(3)))
    if max(grey.shape) < SMALL:
        yield lambda: _zxing(_scaled(grey, 3, 3.0))
    yield lambda: _zxing(_Look(cv2.GaussianBlur(grey, (0, 0), 1.2), np.eye(3)))
    yield lambda: _zxing(_Look(grey, np.eye(3)), zxingcpp.Binarizer.GlobalHistogram)
    yield lambda: _zxing(_scaled(grey, 0.5, 0.0))
    yield lambda: [claim for look in _squares(grey) for claim in _zxing(look)]
    yield lambda: [claim for look in _smoothed(grey) for claim in _zxing(look, only=QR, alone=True)]
    for angle in (15, -15, 30, -30, 45, 60, -60, 75):
        yield lambda angle=angle: _zxing(_turned(grey, angle), only=zxingcpp.BarcodeFormat.AllLinear)  # type: ignore[misc]


def _scaled(grey: np.ndarray, factor: float, sharpen: float) -> _Look:
    how = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    large = cv2.resize(grey, scaled(grey, factor), interpolation=how)
    if sharpen:
        large = cv2.addWeighted(large, 1 + sharpen, cv2.GaussianBlur(large, (0, 0), 1.5 * factor), -sharpen, 0)
    return _Look(large, np.diag([1 / factor, 1 / factor, 1.0]))


def _turned(grey: np.ndarray, angle: float) -> _Look:
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = int(height * sin + width * cos) + 1, int(height * cos + width * sin) + 1
    matrix[:, 2] += [size[0] / 2 - width / 2, size[1] / 2 - height / 2]
    turned = cv2.warpAffine(grey, matrix, size, flags=cv2.INTER_LINEAR, borderValue=255)
    return _Look(turned, np.linalg.inv(np.vstack([matrix, [0, 0, 1]])))


def _straightened(grey: np.ndarray, corners: np.ndarray, grow: float = 1.0) -> _Look:
    """What lies within these corners, seen straight from above."""
    a, b, c, d = points = np.asarray(corners, np.float32).reshape(4, 2)
    width = grow * max(np.linalg.norm(b - a), np.linalg.norm(c - d))
    height = grow * max(np.linalg.norm(d - a), np.linalg.norm(c - b))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(points, target)
    straight = cv2.warpPerspective(grey, matrix, (max(int(width), 1), max(int(height), 1)), flags=cv2.INTER_CUBIC)
    return _Look(straight, np.linalg.inv(matrix))


def _squares(grey: np.ndarray) -> Iterator[_Look]:
    """QR codes that were found by their corners but not read: laid out square, with their margin."""
    for look in (_Look(grey, np.eye(3)), _scaled(grey, 2, 0.0)):
        if look.grey.shape != grey.shape and max(grey.shape) >= SMALL:
            continue
        seen, quads = cv2.QRCodeDetector().detectMulti(look.grey)
        for quad in islice(quads if seen else (), 8):
            middle = quad.mean(axis=0)
            wide = (middle + (quad - middle) * 1.25).astype(np.float32)
            side = float(np.linalg.norm(quad[1] - quad[0]))
            if side > 15:
                straight = _straightened(look.grey, wide, max(1.0, 500 / side))
                for blur in (0.0, 2.0, 4.0):
                    soft = cv2.GaussianBlur(straight.grey, (0, 0), blur) if blur else straight.grey
                    yield _Look(soft, look.back @ straight.back)


def _smoothed(grey: np.ndarray) -> Iterator[_Look]:
    """QR codes on crumpled or bent paper, laid flat."""
    longer = max(grey.shape)
    look = _scaled(grey, 2, 0.0) if longer < SMALL else _scaled(grey, min(LARGE / longer, 1.0), 0.0)
    for flat in crumpled.flattened(look.grey):
        yield _Look(flat.grey, look.back @ flat.back)


# ---- readers ---------------------------------------------------------------------------------------------------------


def _zxing(
    look: _Look,
    binarizer: zxingcpp.Binarizer = zxingcpp.Binarizer.LocalAverage,
    only: zxingcpp.BarcodeFormat = zxingcpp.BarcodeFormat.AllReadable,
    alone: bool = False,
) -> list[_Claim]:
    """What zxing-cpp reads. `alone`: the look is one clean code and nothing else."""

    def read(mode: zxingcpp.TextMode) -> list[zxingcpp.Barcode]:
        formats = zxingcpp.BarcodeFormats([only])
        found = zxingcpp.read_barcodes(look.grey, formats=formats, text_mode=mode, binarizer=binarizer, is_pure=alone)
        return [code for code in found if code.valid]

    found = read(zxingcpp.TextMode.Plain)
    declared = set()
    if any(not _is_utf8(code.bytes) for code in found):
        declared = {code.bytes for code in read(zxingcpp.TextMode.HexECI) if DECLARES in code.text}
    claims = []
    for code in found:
        at = code.position
        points = [(p.x, p.y) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
        kind = _FAMILY.get(code.format.name, code.format.name)
        known = code.content_type.name == "GS1" or code.bytes in declared
        text = code.text if known else text_of(code.bytes, code.text)
        claims.append(_Claim(CodeFound(_retail(kind, text), text, code.bytes, _brought_back(points, look)), "zxing"))
    return claims


def _zbar(look: _Look) -> list[_Claim]:
    claims = []
    for code in zbar.read(look.grey):
        kind = _ZBAR.get(code.kind)
        if kind is None or len(code.points) < 2:
            continue
        text = text_of(code.data, code.data.decode("latin-1"))
        if kind == "UPCA":
            text = text.zfill(13)
        corners = _brought_back(_box(code.points), look)
        claims.append(_Claim(CodeFound(_retail(kind, text), text, code.data, corners), "zbar"))
    return claims


def _retail(kind: str, text: str) -> str:
    """UPC-A is an EAN-13 that begins with 0; scanners differ in what they call it."""
    return "UPCA" if kind == "EAN13" and text.startswith("0") else kind


def _box(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    box = cv2.boxPoints(cv2.minAreaRect(np.array(points, np.float32)))
    return [(float(x), float(y)) for x, y in box]


def _brought_back(points: Sequence[tuple[float, float]], look: _Look) -> tuple[tuple[float, float], ...]:
    back = cv2.perspectiveTransform(np.array([points], np.float64), look.back)[0]
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in back)


# ---- letters ---------------------------------------------------------------------------------------------------------

DECLARES = "5C 30 30 30"  # the escape before the number of a character set (ECI), in zxing's hex form
_KANA = re.compile("[぀-ヿ]")
_NARROW = re.compile("[\x00-\x7f｡-ﾟ]+")
_VOICED = re.compile("[ｳｶ-ﾄﾊ-ﾎ]ﾞ|[ﾊ-ﾎ]ﾟ")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def text_of(data: bytes, guess: str) -> str:
    """What the bytes of a code say that does not say in what they are written. `guess` is the scanner's own opinion.

    UTF-8 if they are UTF-8; else Chinese (GB18030), unless they cannot be, or are plainly Japanese. A single letter
    from beyond western Europe is more likely half of a Chinese text than UTF-8.
    """
    if _is_utf8(data):
        text = data.decode("utf-8")
        letters = [letter for letter in text if letter > "\x7f"]
        return text if len(letters) != 1 or not "\u0100" <= letters[0] <= "\u07ff" else _chinese(data, text)
    if _NARROW.fullmatch(guess) and len(_VOICED.findall(guess)) > 1:
        return guess
    common = all(len(run) % 2 == 0 and min(run) > 0xA0 for run in re.findall(rb"[\x80-\xff]+", data))
    return _chinese(data, guess) if common or not _is_japanese(data, guess) else guess


def _chinese(data: bytes, otherwise: str) -> str:
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        return otherwise


def _is_japanese(data: bytes, guess: str) -> bool:
    """Whether the guess has kana, or only the commonest Japanese characters, written as these bytes say."""
    if _KANA.search(guess):
        return True
    try:
        pairs = [letter.encode("shift_jis") for letter in guess if letter > "\x7f"]
    except UnicodeEncodeError:
        return False
    return b"".join(pairs) in data and all(len(pair) == 2 and 0x88 <= pair[0] <= 0x97 for pair in pairs)


# ---- belief ----------------------------------------------------------------------------------------------------------


class _Judge:
    """What may be told of all that was claimed of one picture. Remembers what it has weighed."""

    def __init__(self, grey: np.ndarray) -> None:
        self._grey = grey
        self._whole: dict[tuple[tuple[float, float], ...], list[CodeFound]] = {}

    def believed(self, claims: Sequence[_Claim]) -> list[CodeFound]:
        """Codes that may be told: each place once."""
        told: list[CodeFound] = []
        for claim in claims:
            agreeing = [other for other in claims if _same(other.found, claim.found)]
            # zbar says of bars where it crossed them, not where they end
            code = next((other.found for other in agreeing if other.by == "zxing"), claim.found)
            if not any(_same(one, code) or (_overlap(one, code) and one.format in _BARS) for one in told):
                told += self._held(code, agreeing, claims)
        return told

    def _held(self, code: CodeFound, agreeing: Sequence[_Claim], claims: Sequence[_Claim]) -> list[CodeFound]:
        """The code itself if it may be told, or what really stands in its place."""
        twice, by_zxing = len(agreeing) > 1, any(claim.by == "zxing" for claim in agreeing)
        if code.format in _GUESSED:
            return [code] if twice else []
        if code.format not in _BARS or code.format in _GUARDED:
            return [code] if twice or by_zxing else []
        if code.format == "ITF" and len(code.text) < SHORTEST_ITF:
            return []
        if code.format not in _RETAIL:
            return [code] if twice or (by_zxing and len(code.text) >= TELLING) else []
        against = {c.found.text for c in claims if _overlap(c.found, code) and c.found.format in _RETAIL} - {code.text}
        if code.format in ("EAN13", "UPCA") and code.text.isdigit() and len(code.text) == 13:
            if bars.likeness(self._grey, np.array(code.corners), code.text) >= SURE_LIKENESS:
                return [code]
            if whole := self._read_whole(code):
                return whole
        return [code] if twice and not against else []

    def _read_whole(self, code: CodeFound) -> list[CodeFound]:
        if code.corners not in self._whole:
            self._whole[code.corners] = _read_whole(self._grey, [np.array(code.corners)], SURE_LIKENESS)
        return self._whole[code.corners]


def _doubtful(claims: Sequence[_Claim], believed: Sequence[CodeFound]) -> bool:
    """Something was read that is not believed yet, and nothing believed lies there: another look may settle it."""
    return any(
        not any(_same(code, c.found) or _overlap(code, c.found) for code in believed)
        for c in claims
        if c.found.format in (*_BARS, *_GUESSED)
    )


def _same(one: CodeFound, other: CodeFound) -> bool:
    return one.text == other.text and (one.format == other.format or {one.format, other.format} <= {*_RETAIL})


def _overlap(one: CodeFound, other: CodeFound) -> bool:
    """Whether two codes lie in the same place (their upright boxes do)."""
    a, b = (np.array(code.corners) for code in (one, other))
    reach = 4.0
    return bool((a.min(axis=0) - reach <= b.max(axis=0)).all() and (b.min(axis=0) - reach <= a.max(axis=0)).all())


def _places(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Corners of what looks like bars."""
    for factor in (1, 2) if max(grey.shape) < SMALL else (1,):
        seen, quads = cv2.barcode.BarcodeDetector().detectMulti(_scaled(grey, factor, 0.0).grey)
        for quad in islice(np.asarray(quads).reshape(-1, 4, 2) if seen else (), 3):
            yield quad / factor


def _read_whole(grey: np.ndarray, places: Iterable[np.ndarray], least: float) -> list[CodeFound]:
    """The retail code at one of these places, read as a whole: for codes nobody could read bar by bar, or not alike.

    `least`: the likeness it must have; short codes, which more things look like, must have more in any case.
    """
    readings: dict[tuple[str, str], list[tuple[bars.Reading, np.ndarray]]] = {}
    for corners in places:
        for reading in bars.read(grey, corners):
            readings.setdefault((reading.kind, reading.text), []).append((reading, corners))
    believed = []
    for (kind, text), agreeing in sorted(readings.items(), key=lambda item: -len(item[1])):
        enough = least if kind in ("EAN13", "UPCA") else max(least, SHORT_LIKENESS)
        good = [(reading, corners) for reading, corners in agreeing if reading.likeness >= enough]
        if len(good) >= READ_BANDS and np.mean([reading.lead for reading, _ in good]) >= READ_LEAD:
            at = tuple((round(float(x), 1), round(float(y), 1)) for x, y in good[0][1])
            believed.append(CodeFound(kind, text, text.encode(), at))
    long = [code for code in believed if code.format in ("EAN13", "UPCA")]
    return (long or believed)[:1]

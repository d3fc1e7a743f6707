"""Reads a Chinese resident identity card from a picture: the fields by their labels, and whether they agree.

It is a fall-back where there is no card reader: what is printed can be forged, and only a chip can be asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import cv2
import numpy as np

from devices.idcard import NATIONS, number_is_right
from devices.vision import flat, tone, upright
from devices.vision.lines import strips
from devices.vision.pages import find_pages
from devices.vision.sizes import scaled
from devices.vision.text import Line, TooMuchNoise

Read = Callable[[np.ndarray], list[Line]]
WIDTH = 1300  # pixels of a card's longer side that is read
LEAST_WIDTH = 1000  # a smaller one is made larger first
CARDS = 3  # figures found in a picture that are tried
ALONE = 1.25, 2.0  # longer through shorter side of a picture that may be of nothing but the card
FRONT = ("name", "sex", "nation", "birth", "address", "number")
BACK = ("issuer", "valid_from", "valid_to")
LOOKS_LIKE = str.maketrans("OoQDIl|ZzSsBbGx×", "0000111225588" + "6XX")  # in a row of digits
AFAR, SPECK = 650, 12  # pixels of a look's longer side in which its pieces are counted, and of one that counts
MOST_PIECES = 150  # a card has some 50, with a desk around it 70; a written page has twice as many as this
FEWEST_LINES = 3
MOST_LINES = 180  # a card has some 12, with a desk around it up to 130 that might be some
LINE_HIGH = 0.011, 0.12  # of a look's longer side: a line of a card that is half as wide as the look has 0.018
LONGEST = 32.0  # times its height the longest line of a card is long: the number behind its label has 24
HINT = re.compile(r"姓名|性别|民族|出生|住址|公民|身份|号码|签发|机关|有效|期限|居民|中华|共和国|\d{15}")
NAMED = {name for name in NATIONS.values() if name not in ("其他", "外国血统中国籍")}
FOREVER = "长期"
DATE = r"(\d{4})[.,，。·]?(\d\d)[.,，。·]?(\d\d)"


@dataclass(frozen=True)
class Card:
    """One side of a card.

    `side` is "front" or "back"; `fields` as printed, dates YYYYMMDD (valid_to may be 长期), "" where not read;
    `checks`: what can be judged of them, right or wrong.
    """

    side: str
    fields: Mapping[str, str]
    checks: Mapping[str, bool]

    @property
    def worth(self) -> int:
        """How much of it was read and agrees."""
        return sum(bool(value) for value in self.fields.values()) + 2 * sum(self.checks.values())

    @property
    def whole(self) -> bool:
        """Whether everything was read and agrees."""
        return all(self.fields.values()) and all(self.checks.values())


def read_card(bgr: np.ndarray, read: Read) -> Card | None:
    """The side of a card in a picture (h × w × 3, uint8, BGR), whichever way it lies; None when there is none.

    `read` is `text.Reader.read`.
    """
    best: Card | None = None
    for look in _looks(bgr):
        if _pieces(look) > MOST_PIECES:
            continue
        for degrees in _turns(look):
            turned = upright.turned(look, degrees)
            try:
                card = _card(turned, read)
            except TooMuchNoise:
                break
            if card is not None and (best is None or card.worth > best.worth):
                best = card
            if card is not None:
                break
        if best is not None and best.whole and best.side == "front":
            break
    return best


def _card(turned: np.ndarray, read: Read) -> Card | None:
    """The side this look shows, if it stands upright. Raises TooMuchNoise."""
    found = strips(turned)
    may_be = [strip for strip in found if _may_be_of_card(strip.picture, max(turned.shape[:2]))]
    if len(found) > MOST_LINES or len(may_be) < FEWEST_LINES:
        return None
    glance = upright.sample(may_be)
    # Its longest lines say whether it may be a card at all; to read all of a page takes ten times as long.
    if glance is None or not any(HINT.search(line.text) for line in read(glance)):
        return None
    return said(read(turned))


def _may_be_of_card(line: np.ndarray, high: int) -> bool:
    """Whether a line of print is as long and as high as those of a card, in a look whose longer side is `high`."""
    height, width = line.shape
    return bool(LINE_HIGH[0] < height / high < LINE_HIGH[1] and width < LONGEST * height)


def _pieces(look: np.ndarray) -> int:
    """How many pieces of print and drawing a look has, as seen from afar."""
    scale = AFAR / max(look.shape[:2])
    small = cv2.resize(look, scaled(look, scale), interpolation=cv2.INTER_AREA)
    dark = cv2.morphologyEx(255 - tone.ink(small), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark)
    return int((stats[1:, cv2.CC_STAT_AREA] >= SPECK).sum())


def _turns(look: np.ndarray) -> tuple[int, ...]:
    """By how many degrees clockwise a look may have to be turned to be read, the likeliest first."""
    stand = upright.stand(look)
    other = (stand.turn + 180) % 360
    if stand.sure >= upright.SURE:
        return stand.turn, other
    return stand.turn, other, (stand.turn + 90) % 360, (stand.turn + 270) % 360


def _is_card(height: int, width: int) -> bool:
    return ALONE[0] < max(height, width) / min(height, width) < ALONE[1]


def _looks(bgr: np.ndarray) -> Iterator[np.ndarray]:
    """What may be a card, laid flat at a size that reads well; the picture as it is where it may be of nothing else."""
    height, width = bgr.shape[:2]
    found = sorted(find_pages(bgr), key=lambda page: page.kind != "card")[:CARDS]
    for page in found:
        laid = flat.rectify(bgr, page.corners)
        if _is_card(*laid.shape[:2]):
            size = flat.CARD if laid.shape[1] > laid.shape[0] else flat.CARD[::-1]
            laid = flat.rectify(bgr, page.corners, size_mm=size)
        yield _sized(laid)
    if not found or _is_card(height, width):
        yield _sized(bgr)


def _sized(bgr: np.ndarray) -> np.ndarray:
    long = max(bgr.shape[:2])
    scale = WIDTH / long if long > WIDTH else max(1.0, LEAST_WIDTH / long)
    if scale == 1:
        return bgr
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(bgr, scaled(bgr, scale), interpolation=how))


def said(lines: Sequence[Line]) -> Card | None:
    """The side these lines of print are, from the top; None when they are of no card."""
    rows = [re.sub(r"\s", "", line.text) for line in lines]
    whole = "\n".join(rows)
    front = sum(label in whole for label in ("姓名", "性别", "民族", "出生", "住址", "公民身份", "身份号码"))
    back = sum(label in whole for label in ("签发机关", "有效期限", "居民身份证", "中华人民共和国"))
    if front >= 2 and front >= back:
        return _front(lines, rows)
    return _back(rows) if back >= 2 else None


def _front(lines: Sequence[Line], rows: Sequence[str]) -> Card:
    whole = "\n".join(rows)
    sex = re.search(r"性别?\W?([男女])", whole) or re.search(r"别\W?([男女])", whole)
    nation = re.search(r"民?族\W?([\u4e00-\u9fff]{1,4})", whole)
    born = re.search(r"(\d{4})年(\d{1,2})月(\d{1,2})", whole)
    fields = dict.fromkeys(FRONT, "")
    fields["name"] = _name(rows)
    fields["sex"] = sex[1] if sex else ""
    fields["nation"] = nation[1] if nation else ""
    fields["birth"] = f"{born[1]}{int(born[2]):02}{int(born[3]):02}" if born else ""
    fields["address"] = _address(lines, rows)
    fields["number"] = _agreed(_number(rows), fields["birth"])
    number = fields["number"]
    right = number_is_right("citizen", number)
    checks = {
        "number": right,
        "birth": right and number[6:14] == fields["birth"],
        "sex": right and fields["sex"] == ("男" if int(number[16]) % 2 else "女"),
        "nation": fields["nation"] in NAMED,
    }
    return Card("front", fields, checks)


def _name(rows: Sequence[str]) -> str:
    for at, row in enumerate(rows):
        if found := re.match(r"姓?名\W?(.*)$", row):
            name = found[1] or (rows[at + 1] if at + 1 < len(rows) else "")
            return re.sub(r"[^\u3400-\u9fff\U00020000-\U0003ffff·A-Za-z]", "", name)
    return ""


def _address(lines: Sequence[Line], rows: Sequence[str]) -> str:
    """From its label to the number's, what stands left of the portrait."""
    out: list[str] = []
    edge = 0.0
    for line, row in zip(lines, rows, strict=True):
        if not out:
            if found := re.match(r"住?址\W?(.*)$", row):
                out = [found[1]]
                edge = max(point[0] for point in line.corners)
            continue
        if re.search(r"公民|身份|号码|\d{15}", row):
            break
        start = min(point[0] for point in line.corners)
        if start < edge or not out[0]:
            out.append(row)
            edge = max(edge, *(point[0] for point in line.corners))
    return "".join(out)


def _number(rows: Sequence[str]) -> str:
    best = ""
    for row in rows:
        after = re.sub(r"^\D*?号码\W?", "", row)
        for text in (row, after.translate(LOOKS_LIKE)):
            if found := re.search(r"(?<!\d)\d{17}[\dXx](?!\d)", text):
                if number_is_right("citizen", found[0].upper()):
                    return found[0].upper()
                best = best or found[0].upper()
    return best


def _agreed(number: str, birth: str) -> str:
    """The number; where it is wrong and comes right with the birth as printed beside it, that way."""
    if len(number) == 18 and birth and not number_is_right("citizen", number):
        other = number[:6] + birth + number[14:]
        differ = sum(a != b for a, b in zip(number, other, strict=True))
        if differ == 1 and number_is_right("citizen", other):
            return other
    return number


def _back(rows: Sequence[str]) -> Card:
    whole = "\n".join(rows)
    issuer = re.search(r"签?发机关\W?\n?(.+)", whole)
    valid = re.search(rf"{DATE}\W?(?:{DATE}|{FOREVER})", whole)
    fields = dict.fromkeys(BACK, "")
    fields["issuer"] = issuer[1] if issuer else ""
    if valid:
        fields["valid_from"] = "".join(valid.group(1, 2, 3))
        fields["valid_to"] = "".join(valid.group(4, 5, 6)) if valid[4] else FOREVER
    return Card("back", fields, {"valid": _lasts(fields["valid_from"], fields["valid_to"])})


def _lasts(first: str, last: str) -> bool:
    """Cards are valid for 5, 10 or 20 years to the day, or for ever."""
    try:
        begin = date.fromisoformat(f"{first[:4]}-{first[4:6]}-{first[6:]}")
        if last == FOREVER:
            return True
        end = date.fromisoformat(f"{last[:4]}-{last[4:6]}-{last[6:]}")
    except ValueError:
        return False
    leap = begin.month == 2 and begin.day == 29
    same = (begin.month, begin.day) == (end.month, end.day) or (leap and (end.month, end.day) in ((2, 28), (3, 1)))
    return end.year - begin.year in (5, 10, 20) and same

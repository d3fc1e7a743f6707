"""Chinese resident identity cards of nobody, drawn after GA 448 as a camera may see them, and what is read of them."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from devices.vision import benches_mrz
from devices.vision.benches_scan import SANS, _font
from devices.vision.idcard import read_card
from devices.vision.text import Reader

MM = 16  # pixels a millimetre while drawing
WIDE, HIGH = round(85.6 * MM), round(53.98 * MM)
BLUE, BLACK = (60, 110, 170), (25, 25, 28)
FAMILY, GIVEN = "王李张刘陈杨赵黄周吴徐孙欧阳诸葛", "伟芳娜敏静秀丽强磊军洋勇艳杰娟涛明超兰霞平刚桂鑫宇轩梓涵"
NATIONS = ("汉", "汉", "汉", "满", "回", "壮", "藏", "蒙古", "维吾尔", "土家")
PLACES = (
    "北京市朝阳区建国路88号院2号楼1503室",
    "广东省深圳市南山区科技园北区高新中一道9号",
    "四川省凉山彝族自治州西昌市航天大道二段162号附3号",
    "上海市浦东新区世纪大道100号",
    "江苏省南京市鼓楼区中山北路南秀村25号7幢302室",
    "内蒙古自治区呼和浩特市赛罕区大学西路235号",
)
OFFICES = ("北京市公安局朝阳分局", "深圳市公安局南山分局", "西昌市公安局", "南京市公安局鼓楼分局")
AREAS = ("110105", "440305", "513401", "310115", "320106", "150105")


@dataclass(frozen=True)
class Drawn:
    """A picture of one side of a card, and what stands on it (the names of `idcard.read_card`)."""

    bgr: np.ndarray
    side: str
    fields: Mapping[str, str]
    turn: int


def checked(number: str) -> str:
    """The seventeen digits of a number with their check character (GB 11643)."""
    rest = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(number)) % 11
    return number + "10X98765432"[rest]


def somebody(chance: np.random.Generator) -> dict[str, str]:
    """A made-up person, as the front of the card tells."""
    where = int(chance.integers(len(AREAS)))
    born = datetime.date(1940, 1, 1) + datetime.timedelta(int(chance.integers(0, 25_000)))
    order = int(chance.integers(1, 999))
    family = "欧阳" if chance.random() < 0.1 else str(chance.choice(list(FAMILY[:12])))
    return {
        "name": family + "".join(chance.choice(list(GIVEN), int(chance.integers(1, 3)))),
        "sex": "男" if order % 2 else "女",
        "nation": str(chance.choice(NATIONS)),
        "birth": f"{born:%Y%m%d}",
        "address": PLACES[where],
        "number": checked(f"{AREAS[where]}{born:%Y%m%d}{order:03}"),
    }


def front(chance: np.random.Generator, fields: Mapping[str, str]) -> np.ndarray:
    """The front of the card, MM pixels a millimetre, BGR."""
    image = Image.fromarray(_ground(chance, (228, 238, 244)))
    pen = ImageDraw.Draw(image)

    def put(x: float, y: float, text: str, colour: tuple[int, int, int] = BLACK, mm: float = 3.3) -> None:
        pen.text((x * MM, y * MM), text, colour, _font(SANS, round(mm * MM)), "lm")

    small = 2.8
    for x, y, label in (
        (4.4, 8.6, "姓 名"),
        (4.4, 15.4, "性 别"),
        (22.5, 15.4, "民 族"),
        (4.4, 22.2, "出 生"),
        (4.4, 29.6, "住 址"),
    ):
        put(x, y, label, BLUE, small)
    put(14.6, 8.6, fields["name"], mm=3.8)
    put(14.6, 15.4, fields["sex"])
    put(32, 15.4, fields["nation"])
    born = fields["birth"]
    for x, text, colour in (
        (14.6, born[:4], BLACK), (23.2, "年", BLUE), (28.0, str(int(born[4:6])), BLACK), (32.2, "月", BLUE),
        (36.8, str(int(born[6:])), BLACK), (41.0, "日", BLUE),
    ):  # fmt: skip
        put(x, 22.2, text, colour, small if colour == BLUE else 3.2)
    place = fields["address"]
    for row in range(0, len(place), 11):
        put(14.6, 29.6 + row / 11 * 4.6, place[row : row + 11], mm=3.2)
    put(4.4, 47.8, "公民身份号码", BLUE, small)
    paper = np.asarray(image).copy()
    ink = benches_mrz.printed("".join("K" if each == "?" else each for each in fields["number"]))
    ink = cv2.resize(ink, (round(2.54 * 18 * MM), round(3.05 * MM)), interpolation=cv2.INTER_AREA)
    y, x = round(46.0 * MM), round(29 * MM)
    part = paper[y : y + ink.shape[0], x : x + ink.shape[1]]
    part[:] = np.minimum(part, np.maximum(ink[..., None], 25))
    cv2.rectangle(paper, (round(58 * MM), round(6 * MM)), (round(81 * MM), round(39 * MM)), (205, 214, 220), -1)
    cv2.ellipse(paper, (round(69.5 * MM), round(20 * MM)), (7 * MM, 9 * MM), 0, 0, 360, (150, 175, 205), -1)
    cv2.ellipse(paper, (round(69.5 * MM), round(39 * MM)), (10 * MM, 9 * MM), 0, 180, 360, (70, 60, 60), -1)
    cv2.ellipse(paper, (round(69.5 * MM), round(15 * MM)), (7 * MM, 6 * MM), 0, 180, 360, (40, 40, 45), -1)
    return cv2.cvtColor(paper, cv2.COLOR_RGB2BGR)


def back(chance: np.random.Generator, fields: Mapping[str, str]) -> np.ndarray:
    """The side with the emblem."""
    image = Image.fromarray(_ground(chance, (240, 232, 226)))
    pen = ImageDraw.Draw(image)
    pen.ellipse((7 * MM, 6 * MM, 22 * MM, 21 * MM), (200, 50, 40))
    pen.ellipse((10 * MM, 9 * MM, 19 * MM, 18 * MM), (225, 150, 60))
    pen.text((54 * MM, 10.5 * MM), "中华人民共和国", BLACK, _font(SANS, round(4.6 * MM)), "mm")
    pen.text((54 * MM, 19 * MM), "居 民 身 份 证", BLACK, _font(SANS, round(6.4 * MM)), "mm")
    small = _font(SANS, round(2.8 * MM))
    pen.text((19 * MM, 40.5 * MM), "签发机关", BLACK, small, "lm")
    pen.text((19 * MM, 47 * MM), "有效期限", BLACK, small, "lm")
    pen.text((34 * MM, 40.5 * MM), fields["issuer"], BLACK, _font(SANS, round(3.2 * MM)), "lm")
    first, last = (_dotted(fields[name]) for name in ("valid_from", "valid_to"))
    pen.text((34 * MM, 47 * MM), f"{first}-{last}", BLACK, _font(SANS, round(3.2 * MM)), "lm")
    return cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)


def _dotted(date: str) -> str:
    return f"{date[:4]}.{date[4:6]}.{date[6:]}" if date.isdigit() else date


def _ground(chance: np.random.Generator, colour: tuple[int, int, int]) -> np.ndarray:
    y, x = np.mgrid[0:HIGH, 0:WIDE].astype(np.float32) / MM
    wave = np.sin(y * 4 + 5 * np.sin(x / 6)) + np.sin(x * 3 + 4 * np.sin(y / 5))
    shade = 1 + float(chance.uniform(0.005, 0.03)) * wave[..., None] * np.array([1, 0.6, 0.3], np.float32)
    side = np.linspace(chance.uniform(0.93, 1.03), chance.uniform(0.93, 1.03), WIDE)[None, :, None]
    return np.asarray(np.clip(np.array(colour, np.float32) * shade * side, 0, 255).astype(np.uint8))


def pictures(count: int, seed: int = 9) -> Iterator[Drawn]:
    """So many sides of cards, four ways round, in pictures of usual sizes."""
    chance = np.random.default_rng(seed)
    sizes = ((1280, 960), (1920, 1080), (3264, 2448))
    for number in range(count):
        if number % 3 == 2:
            year = int(chance.integers(2008, 2025))
            day = f"{chance.integers(1, 13):02}{chance.integers(1, 29):02}"
            long = str(chance.choice(["10", "20", "长期"]))
            fields = {
                "issuer": str(chance.choice(OFFICES)),
                "valid_from": f"{year}{day}",
                "valid_to": long if long == "长期" else f"{year + int(long)}{day}",
            }
            flat, side = back(chance, fields), "back"
        else:
            fields = somebody(chance)
            flat, side = front(chance, fields), "front"
        turn = number // 2 % 4
        size = sizes[number % len(sizes)]
        share = float(chance.uniform(0.55 if size[0] > 1500 else 0.75, 0.95))
        yield Drawn(benches_mrz.seen(chance, flat, turn, size, share), side, fields, turn)


def reading(count: int = 24, told: Callable[[int, int], None] = lambda done, of: None) -> dict[str, float]:
    """How many sides are read wholly right, how many fields of how many, and how many are called right but are not."""
    right = fields = of_fields = false = 0
    spent = 0.0
    with Reader() as reader:
        for done, drawn in enumerate(pictures(count), 1):
            began = time.perf_counter()
            card = read_card(drawn.bgr, reader.read)
            spent += time.perf_counter() - began
            same = sum(card is not None and card.fields.get(name) == value for name, value in drawn.fields.items())
            right += same == len(drawn.fields)
            fields, of_fields = fields + same, of_fields + len(drawn.fields)
            number = drawn.fields.get("number", "")
            false += bool(number and card and card.checks.get("number") and card.fields["number"] != number)
            told(done, count)
    return {
        "right": right,
        "of": count,
        "fields": fields,
        "of fields": of_fields,
        "false": false,
        "ms": round(spent / count * 1000),
    }

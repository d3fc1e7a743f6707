"""Pages drawn by ourselves, whose every character is known, and what is measured on them."""

from __future__ import annotations

import functools
import io
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pikepdf
from PIL import Image, ImageDraw, ImageFont

from devices.vision import pdf, scan, tone, upright
from devices.vision.reading import model
from devices.vision.text import Reader

SANS = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
SERIF = SANS.with_name("NotoSerifCJK-Regular.ttc")
BOLD = SANS.with_name("NotoSansCJK-Bold.ttc")
SIMPLIFIED = 2  # the face within Noto's collections
INCH = 25.4
PARAGRAPHS = (
    "为方便群众和企业办事，提高行政效率，现就政务服务大厅有关事项说明如下。申请人应当对申请材料的真实性负责，并配合工作人员核对身份信息。",
    "一、办理时间：工作日上午9:00至12:00，下午13:30至17:00；法定节假日另行通知。咨询电话：010-65288888，传真：010-65281234。",
    "二、申请材料包括：（一）居民身份证或者户口簿原件及复印件；（二）营业执照副本；（三）授权委托书；（四）近期免冠彩色照片2张，规格为26mm×32mm。",
    "三、收费标准：首次申领居民身份证的，每证20元；因遗失、损坏补领的，每证40元；享受最低生活保障的居民，费用减半收取。",
    "四、行政机关应当自受理申请之日起二十日内作出决定；不能作出决定的，经本机关负责人批准，可以延长十日，并将延长期限的理由告知申请人。",
    "五、网上办理请登录 https://www.example.gov.cn 或使用“掌上办事”App，预约编号如 A0123、B0456，验证码5分钟内有效。",
    "六、残疾人、老年人、孕妇及携带婴幼儿者可在三号窗口优先办理；需要手语翻译、轮椅、助听器等帮助的，请与导服人员联系。",
)
CELLS = (
    *("姓名", "张晓明", "性别", "男", "民族", "汉族", "出生日期", "1985年6月12日"),
    *("公民身份号码", "110101198506121234", "住址", "朝阳区建国路88号院2号楼1503室", "联系电话", "13800138000"),
    *("工作单位", "宏图信息技术有限公司", "申请事项", "个体工商户变更登记", "受理编号", "SL20260315-00872"),
)


@dataclass(frozen=True)
class Drawn:
    """A page of paper: its pixels (BGR, uint8) and what stands on it, line by line from the top."""

    bgr: np.ndarray
    lines: tuple[str, ...]


@functools.cache
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size, index=SIMPLIFIED)


def page(
    paragraphs: Sequence[str],
    *,
    font: Path = SANS,
    points: float = 12,
    dpi: int = 200,
    columns: int = 1,
    table: bool = False,
    title: str = "",
    spacing: float = 1.6,
) -> Drawn:
    """An A4 page with these paragraphs, broken to its width; with `table` they stand in ruled cells, two to a row."""
    wide, high = round(210 / INCH * dpi), round(297 / INCH * dpi)
    size, edge = round(points / 72 * dpi), round(20 / INCH * dpi)
    image = Image.new("RGB", (wide, high), "white")
    pen = ImageDraw.Draw(image)
    lines: list[str] = []
    y = edge
    if title:
        pen.text((wide / 2, y), title, (15, 15, 15), _font(font, size * 2), "ma")
        lines.append(title)
        y += size * 4
    step = round(size * spacing)
    if table:
        _ruled(pen, paragraphs, _font(font, size), (edge, y, wide - edge, high - edge), step, lines)
        return Drawn(np.asarray(image)[:, :, ::-1].copy(), tuple(lines))
    between = round(8 / INCH * dpi)
    column = (wide - 2 * edge - between * (columns - 1)) // columns
    top, left = y, edge
    for paragraph in paragraphs:
        for line in _broken(paragraph, _font(font, size), column):
            if y + step > high - edge:
                left, y = left + column + between, top
                if left + column > wide - edge + 2:
                    return Drawn(np.asarray(image)[:, :, ::-1].copy(), tuple(lines))
            pen.text((left, y), line, (20, 20, 20), _font(font, size))
            lines.append(line)
            y += step
        y += step // 3
    return Drawn(np.asarray(image)[:, :, ::-1].copy(), tuple(lines))


def _ruled(
    pen: ImageDraw.ImageDraw,
    cells: Sequence[str],
    font: ImageFont.FreeTypeFont,
    box: tuple[int, int, int, int],
    step: int,
    lines: list[str],
) -> None:
    left, y, right, bottom = box
    middle = (left + right) // 2
    high = round(step * 1.4)
    for number, text in enumerate(cells):
        x, stop = (left, middle) if number % 2 == 0 else (middle, right)
        if y + high > bottom:
            return
        short = next(iter(_broken(text, font, stop - x - step)))
        pen.rectangle((x, y, stop, y + high), outline=(40, 40, 40), width=2)
        pen.text((x + step // 2, y + high // 2), short, (20, 20, 20), font, "lm")
        lines.append(short)
        if number % 2:
            y += high


def _broken(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines no longer than `width` pixels; Latin words are kept whole where they can be."""
    out, line, long = [], "", 0.0
    for letter in text:
        if line and long + _advance(font, letter) > width:
            inside = letter.isascii() and letter.isalnum() and line[-1].isascii() and line[-1].isalnum()
            cut = line.rfind(" ") if inside else -1
            keep, line = (line[:cut], line[cut + 1 :]) if cut > 0 else (line, "")
            out.append(keep.rstrip())
            long = sum(_advance(font, each) for each in line)
        if line or letter != " ":
            line += letter
            long += _advance(font, letter)
    return [*out, line] if line else out


@functools.cache
def _advance(font: ImageFont.FreeTypeFont, letter: str) -> float:
    return font.getlength(letter)


def lit(bgr: np.ndarray, dark: float = 0.5, warm: float = 0.85) -> np.ndarray:
    """The page under one lamp at its right: `dark` of the light is left at the far side, and it is yellowish."""
    height, width = bgr.shape[:2]
    fall = np.linspace(dark, 0.95, width, dtype=np.float32)[None, :, None] * np.array([warm, 0.96, 1], np.float32)
    return np.asarray((bgr * np.broadcast_to(fall, (height, width, 3))).astype(np.uint8))


def on_desk(bgr: np.ndarray, size: tuple[int, int], turn: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(a picture of `size` = (width, height) with the page lying on a dark desk, its corners there: 4 × 2)."""
    wide, high = size
    height, width = bgr.shape[:2]
    scale = min(wide * 0.9 / width, high * 0.9 / height)
    half = np.array([(-width, -height), (width, -height), (width, height), (-width, height)], np.float32) / 2 * scale
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    corners = half @ np.array([(cos, sin), (-sin, cos)], np.float32) + np.array([wide / 2, high / 2], np.float32)
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    desk = np.full((high, wide, 3), (58, 72, 80), np.uint8)
    view = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    cv2.warpPerspective(bgr, view, size, dst=desk, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT)
    return desk, corners


def agreement(truth: str, said: str) -> float:
    """The share of `truth`'s characters that are right in `said` (1 less edit distance by length); blanks apart."""
    wanted, got = "".join(truth.split()), "".join(said.split())
    if not wanted:
        return 1.0 if not got else 0.0
    codes = np.array([ord(letter) for letter in got], np.int64)
    places = np.arange(len(got) + 1)
    row = places.copy()
    for number, letter in enumerate(wanted, 1):
        best = np.minimum(row[:-1] + (codes != ord(letter)), row[1:] + 1)
        row = np.concatenate(([number], best))
        row = np.minimum.accumulate(row - places) + places  # a letter too many costs one
    return 1 - float(row[-1]) / len(wanted)


def saving(folder: Path, megapixels: int = 8, rounds: int = 9) -> dict[str, float]:
    """From the trigger to the page saved, in milliseconds: ours by steps and in all, beside plain OpenCV's sequence.

    Decode, square, whiten, JPEG, PDF, fsync, in `folder`. The plain sequence is what a careful user of the library
    writes: light from the page's own blurred copy at a quarter, divided, and a plain PDF of it. The two take turns,
    both on as many cores as OpenCV may use, and each figure is the middle one of its rounds.
    """
    size = {8: (3264, 2448), 13: (4208, 3120)}[megapixels]
    bgr, corners = on_desk(lit(page(PARAGRAPHS * 2, dpi=300).bgr), size, 2.0)
    grain = np.random.default_rng(7).normal(0, 3, bgr.shape)
    data = cv2.imencode(".jpg", (bgr + grain).clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92])[
        1
    ].tobytes()
    times: dict[str, list[float]] = {}
    for _ in range(rounds + 1):
        for name, spent in {**_ours(folder, data, corners), "plain OpenCV": _plain(folder, data, corners)}.items():
            times.setdefault(name, []).append(spent * 1000)
    return {name: round(float(np.median(spent[1:])), 1) for name, spent in times.items()}


def _ours(folder: Path, data: bytes, corners: np.ndarray) -> dict[str, float]:
    marks = [time.perf_counter()]
    taken = scan.shot(data, 300.0)
    marks.append(time.perf_counter())
    flat = scan.squared(taken.bgr, corners)
    marks.append(time.perf_counter())
    white = tone.whiten(flat)
    marks.append(time.perf_counter())
    sheet = scan.sheet(white, taken, corners, "document", ())
    marks.append(time.perf_counter())
    pdf.write(folder / "ours.pdf", [sheet])
    marks.append(time.perf_counter())
    steps = dict(
        zip(("decode", "square", "whiten", "jpeg and thumbnail", "pdf and fsync"), np.diff(marks), strict=True)
    )
    return {**{name: float(spent) for name, spent in steps.items()}, "ours": marks[-1] - marks[0]}


def _plain(folder: Path, data: bytes, corners: np.ndarray) -> float:
    began = time.perf_counter()
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width, height = round(max(sides[0], sides[2])), round(max(sides[1], sides[3]))
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    assert bgr is not None
    flat = cv2.warpPerspective(bgr, cv2.getPerspectiveTransform(corners.astype(np.float32), target), (width, height))
    small = cv2.resize(flat, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    light = cv2.resize(cv2.medianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), 21), (width, height))
    white = cv2.divide(flat, light, scale=255)
    jpeg = cv2.imencode(".jpg", white, [cv2.IMWRITE_JPEG_QUALITY, scan.QUALITY])[1].tobytes()
    out = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page(page_size=(width / 300 * 72, height / 300 * 72))
    picture = pikepdf.Stream(document, jpeg)
    picture.update(
        {
            "/Type": pikepdf.Name.XObject,
            "/Subtype": pikepdf.Name.Image,
            "/Width": width,
            "/Height": height,
            "/ColorSpace": pikepdf.Name.DeviceRGB,
            "/BitsPerComponent": 8,
            "/Filter": pikepdf.Name.DCTDecode,
        }
    )
    document.pages[0].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=picture))
    document.pages[0].Contents = document.make_stream(b"%f 0 0 %f 0 0 cm /P Do" % (width / 300 * 72, height / 300 * 72))
    document.save(out)
    with open(folder / "plain.pdf", "wb") as file:
        file.write(out.getvalue())
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - began


def pages_to_read() -> dict[str, Drawn]:
    """Rendered A4 pages in Chinese: fonts, sizes, spacings, columns, a table, and characters at random."""
    prose = list(PARAGRAPHS)
    return {
        "sans 12 pt": page(prose * 2, points=12),
        "serif 10.5 pt": page(prose * 3, font=SERIF, points=10.5),
        "sans 9 pt": page(prose * 5, points=9),
        "bold 16 pt, title": page(prose * 2, font=BOLD, points=16, title="办事须知"),
        "two columns": page(prose * 3, points=10.5, columns=2, title="政务服务公告"),
        "table": page(CELLS * 2, points=12, table=True, title="申请登记表"),
        "tight lines": page(prose * 3, points=12, spacing=1.15),
        "at random": page(_at_random(30), font=SERIF, points=12),
        "dim": Drawn(lit((one := page(prose * 2, points=12)).bgr, 0.5), one.lines),
        "150 dpi": page(prose * 2, points=12, dpi=150),
        "300 dpi": page(prose * 2, points=12, dpi=300),
    }


def _at_random(count: int) -> list[str]:
    """Lines of the 3 755 commonest characters, each as likely as any other."""
    common = [bytes((row, cell)).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFF)]
    dice = np.random.default_rng(11)
    return ["".join(dice.choice(common, 70)) for _ in range(count)]


def reading(peer: bool = True) -> list[dict[str, float | str]]:
    """A row a page: the share of its characters read right and the seconds it took, beside rapidocr whole-page."""
    whole = whole_page() if peer else None
    rows: list[dict[str, float | str]] = []
    with Reader() as reader:
        reader.read(page(["热身"]).bgr)
        for name, drawn in pages_to_read().items():
            truth = "\n".join(drawn.lines)
            began = time.perf_counter()
            said = reader.read(drawn.bgr)
            row: dict[str, float | str] = {"page": name, "seconds": round(time.perf_counter() - began, 2)}
            row["right"] = round(agreement(truth, "\n".join(line.text for line in said)), 4)
            if whole:
                began = time.perf_counter()
                theirs = whole(drawn.bgr)
                row["rapidocr seconds"] = round(time.perf_counter() - began, 2)
                row["rapidocr right"] = round(agreement(truth, theirs), 4)
            rows.append(row)
    return rows


def whole_page() -> Callable[[np.ndarray], str]:
    """rapidocr as it comes, on the whole page; its models named, so that it fetches none."""
    from rapidocr import RapidOCR

    models = model().parent
    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Rec.model_path": str(model()),
            "Cls.model_path": str(models / "ch_ppocr_mobile_v2.0_cls_mobile.onnx"),
        }
    )

    def read(bgr: np.ndarray) -> str:
        found = engine(bgr, use_det=True, use_cls=True, use_rec=True)
        return "\n".join(getattr(found, "txts", None) or ())

    return read


def standing() -> dict[str, int]:
    """How many of the rendered pages, laid down four ways each, are turned upright; and how many there are."""
    pages = pages_to_read()
    right = sum(
        (upright.turn(upright.turned(drawn.bgr, turn)) + turn) % 360 == 0
        for drawn in pages.values()
        for turn in upright.TURNS
    )
    return {"right": right, "of": len(pages) * len(upright.TURNS)}


def memory() -> dict[str, float]:
    """MB this program and its reader hold before, while and after a page is read (the largest seen)."""
    me = os.getpid()
    before, most = _resident(me), 0.0
    with Reader() as reader:

        def told(done: int, of: int) -> None:
            nonlocal most
            child = reader.pid
            most = max(most, _resident(me) + (_resident(child) if child else 0))

        reader.read(page(PARAGRAPHS * 5, points=9).bgr, told)
    return {"before": before, "while": most, "after": _resident(me)}


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)

"""Cameras that send a live view as single JPEG pictures: document cameras and portrait cameras.

They are seen as the USB Video Class specification and Linux' V4L2 manual show them. The `v4l2` link opens the camera
and puts lines of text between the pictures; a plain MJPEG stream works too.

    us      ASK MJPG 1920x1080@30 autofocus=1      the wanted format and controls, once after opening
    camera  V4L2 MJPG 1280x720@30                  what was granted, read back
    us      STILL                                  a still is wanted
    camera  V4L2 STILL                             the picture behind this line was taken afterwards
    camera  V4L2 FULL                              the kernel will not start it: the USB bus has no room (every 5 s)

A sensor never sends the same bytes twice. The same picture again is therefore not news, ten in a row mean that the
camera (or the system's driver below it) is stuck, and so do two seconds without any picture. Whether a picture is
black or white all over, or torn (its data end too early, though it has an end), is looked at in an eighth of its size:
about once a second, whenever it has a quarter more or fewer bytes, and always when it may be the still that is wanted
or something was wrong before. What is found to be damaged is handed on to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from config.words import Sentence
from devices import driver
from devices.driver import OrderMistake
from devices.jpeg import Damage, Picture, Splitter
from devices.jpeg_decoder import decoded
from devices.roles import (
    CAMERA,
    Alive,
    BusFull,
    FrameSeen,
    Garbled,
    News,
    Obeyed,
    Order,
    PictureBright,
    PictureDark,
    PictureFrozen,
    Refused,
    Role,
    StillTaken,
    TakeStill,
    WrongFormat,
)

CONTROLS = ("autofocus", "focus", "auto_exposure", "exposure", "auto_wb", "wb_temperature", "zoom")
GRANTED = re.compile(r"(\w{4}) (\d{1,5})x(\d{1,5})@([\d.]{1,8})")
PATIENCE = 2.0  # s without a picture, looked at twice: bytes without a picture do not count
SAME = 10  # equal pictures in a row
GOOD = 5  # whole pictures in a row after a damaged one until the line counts as clean
JUNK = 64 * 1024  # bytes that are no picture
DARK_MEAN, DARK_BRIGHTEST = 16, 48  # of 255; the brightest are the upper hundredth
WHITE, BRIGHT = 252, 0.85  # of 255; the share of a picture so white that nothing can be seen on it
BAD = 10  # damaged pictures in a row after which a still is waited for no longer


@dataclass(frozen=True)
class Options:
    """The wanted picture."""

    width: int = field(default=1920, metadata={"label": "Width", "unit": "px", "min": 160, "max": 8192})
    height: int = field(default=1080, metadata={"label": "Height", "unit": "px", "min": 120, "max": 8192})
    fps: int = field(default=30, metadata={"label": "Pictures a second", "unit": "1/s", "min": 1, "max": 120})
    controls: Mapping[str, float] = field(
        default_factory=dict, metadata={"label": "Camera controls", "help": "any of " + ", ".join(CONTROLS)}
    )
    across: float = field(
        default=0.0,
        metadata={
            "label": "Desk seen across",
            "unit": "mm",
            "min": 0,
            "max": 3000,
            "help": "how much of the desk a picture shows from left to right, as `bianmin vision calibrate` measures; "
            "0: not measured",
        },
    )
    pictures: str = field(
        default="",
        metadata={
            "label": "Simulated pictures",
            "simulator": True,
            "help": "folder of pictures for the simulator only",
        },
    )

    def __post_init__(self) -> None:
        for name in self.controls:
            if name not in CONTROLS:
                raise ValueError(f"controls: there is no {name!r}; there are: {', '.join(CONTROLS)}")

    @property
    def asked(self) -> str:
        """The format as lines write it."""
        return f"MJPG {self.width}x{self.height}@{self.fps}"


class Driver(driver.Driver):
    """Watches one camera's pictures."""

    roles: ClassVar[tuple[Role, ...]] = (CAMERA,)
    links: ClassVar[tuple[str, ...]] = ("v4l2", "socket")
    Options = Options
    private = True

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.set_up = cast(Options, self.options)
        self._splitter = Splitter()
        self.reset()

    def reset(self) -> None:
        """See Driver."""
        self._splitter.clear()
        self._owed: list[bytes] = []
        self._asked = False
        self._order: Order | None = None
        self._marks = False  # this camera says which picture is the still
        self._skip = False  # the picture that arrives now is older than the order
        self._granted = ""
        self._last = b""
        self._equal = 0
        self._good, self._bad = GOOD, 0
        self._until_look = 0  # pictures
        self._looked_at = 1  # bytes of the picture last looked at
        self._seen = False  # a picture, since the last look
        self._light: type[PictureDark] | type[PictureBright] | None = None
        self._alive = self._frozen = self._garbled = self._wrong = self._full = False

    @property
    def idle(self) -> bool:
        """See Driver."""
        return self._order is None

    @property
    def patience(self) -> float | None:
        """See Driver. After opening we speak at once; then pictures are always expected."""
        return PATIENCE / 2 if self._asked else 0.0

    def encode(self, order: Order) -> bytes:
        """See Driver."""
        if not isinstance(order, TakeStill):
            raise OrderMistake(f"a camera does not know the order {type(order).__name__}")
        return b"STILL\n"

    def take(self, order: Order) -> None:
        """See Driver."""
        self._owed.append(self.encode(order))
        self._order = order
        self._skip = self._marks or self._splitter.inside

    def owed(self) -> bytes:
        """See Driver."""
        return self._owed.pop(0) if self._owed else b""

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        for one in self._splitter.feed(data):
            if isinstance(one, Picture):
                news += self._see(one)
            elif isinstance(one, Damage):
                news += self._damaged()
            elif one == "FULL":
                news += self._crowd_out()
            else:
                self._read_line(one)
        if self._splitter.junk >= JUNK:
            self._splitter.junk = 0
            news += self._damaged() + self._end(Refused, "What the camera sends is not pictures.")
        return news

    def silence(self) -> list[News]:
        """See Driver."""
        if not self._asked:
            self._asked = self._seen = True
            self._owed.append(ask_line(self.set_up))
        if self._seen:
            self._seen = False
            return []
        if self._full:
            return []
        none = Sentence("The camera has sent no picture for {seconds} seconds.", seconds=f"{PATIENCE:g}")
        return self._freeze() + self._end(Refused, none)

    def lost(self) -> list[News]:
        """See Driver."""
        return self._end(Refused, "The cable went before a picture came.")

    def _read_line(self, line: str) -> None:
        if line == "STILL":
            self._skip = False
        elif GRANTED.fullmatch(line):
            self._granted = line
            self._marks = True

    def _see(self, picture: Picture) -> list[News]:
        self._seen = True
        skipped, self._skip = self._skip, self._skip and self._marks
        if picture.jpeg == self._last:
            self._equal += 1
            if self._equal < SAME:
                return []
            return self._freeze() + self._end(Refused, "The camera keeps sending one and the same picture.")
        self._last, self._equal = picture.jpeg, 0
        before = self._light
        if not self._look_at(picture):
            return self._damaged()
        news = [*self._recover(), *self._compare_format(picture), *self._tell_light(before)]
        jpeg, width, height = picture
        news.append(FrameSeen(jpeg=jpeg, width=width, height=height))
        if self._order and not skipped:
            news += [StillTaken(jpeg=jpeg, width=width, height=height), *self._end(Obeyed)]
        return news

    def _recover(self) -> list[News]:
        """A fresh whole picture has come: what that ends."""
        news: list[News] = []
        if not self._alive:
            self._alive = True
            news.append(Alive(detail=self._granted))
        if self._frozen:
            self._frozen = False
            news.append(PictureFrozen(over=True))
        if self._full:
            self._full = False
            news.append(BusFull(over=True))
        self._good, self._bad = self._good + 1, 0
        if self._garbled and self._good >= GOOD:
            self._garbled = False
            news.append(Garbled(over=True))
        return news

    def _compare_format(self, picture: Picture) -> list[News]:
        """Tell when the camera sends another format than the one asked for, and when that ends."""
        asked, size = self.set_up, f"{picture.width}x{picture.height}"
        granted = self._granted or f"MJPG {size}@?"  # a plain stream says nothing but its pictures
        wrong = not granted.startswith(f"MJPG {asked.width}x{asked.height}@")
        if wrong == self._wrong:
            return []
        self._wrong = wrong
        return [WrongFormat(asked=asked.asked, granted=granted, over=not wrong)]

    def _look_at(self, picture: Picture) -> bool:
        """Look whether a picture is whole, and how light it is, unless that was done lately; False when damaged."""
        self._until_look -= 1
        size = len(picture.jpeg)
        known = self._until_look > 0 and 3 * self._looked_at < 4 * size < 5 * self._looked_at
        if known and not (self._order or self._garbled or self._light):
            return True
        try:
            small = decoded(picture.jpeg, 8, "GRAY")
        except ValueError:
            return False
        self._until_look, self._looked_at = self.set_up.fps, size
        dark = small.mean() < DARK_MEAN and np.percentile(small, 99) < DARK_BRIGHTEST
        self._light = PictureDark if dark else PictureBright if np.mean(small >= WHITE) > BRIGHT else None
        return True

    def _tell_light(self, before: type[PictureDark] | type[PictureBright] | None) -> list[News]:
        """That a picture is black or white all over, and when that ends."""
        if self._light is before:
            return []
        overs = [before(over=True)] if before else []
        return [*overs, *([self._light()] if self._light else [])]

    def _damaged(self) -> list[News]:
        self._good, self._bad = 0, self._bad + 1
        told: list[News] = [] if self._garbled else [Garbled()]
        self._garbled = True
        if self._bad >= BAD:
            told += self._end(Refused, "The camera's pictures come damaged: try another cable or USB socket.")
        return told

    def _crowd_out(self) -> list[News]:
        """There is no room on the bus: that no picture comes is not the camera's fault."""
        news: list[News] = []
        if self._frozen:
            self._frozen = False
            news.append(PictureFrozen(over=True))
        if not self._full:
            self._full = True
            news.append(BusFull())
        return news + self._end(Refused, "The USB bus has no room for this camera's pictures.")

    def _freeze(self) -> list[News]:
        if self._frozen:
            return []
        self._frozen = True
        return [PictureFrozen()]

    def _end(self, outcome: type[Obeyed] | type[Refused], reason: str = "") -> list[News]:
        order, self._order = self._order, None
        if order is None:
            return []
        told: dict[str, Any] = {"order": type(order).__name__, "id": order.id}
        if outcome is Refused:
            told["reason"] = reason
        return [outcome(**told)]


def ask_line(options: Options) -> bytes:
    """The line that asks for a format."""
    controls = "".join(f" {name}={value:g}" for name, value in options.controls.items())
    return f"ASK {options.asked}{controls}\n".encode()


# ---- the camera's side ------------------------------------------------------------------------------------------

ASKED = re.compile(rb"(ASK|STILL)([^\n]{0,200})\n")
VARIANTS = 4  # of each picture, each with its own sensor noise
EACH = 40  # ticks a picture lies under the camera
SLIDE = (0.3, 0.6, 0.9)  # of the picture's width by which it has been taken away, tick by tick
BARE = 18  # ticks the desk is empty
SHEETS = 3  # drawn here: a page, and both sides of a card
DESK = (58, 52, 46)
END = b"\xff\xd9"  # of a JPEG


class Simulator(driver.Simulator):
    """A camera above a desk: one sheet after the other is laid down, lies still and is taken away. Ten pictures a
    second, each with noise of its own.

    The sheets are drawn here (a page, both sides of a card), or taken from the folder `pictures`. Faults: `truncated`
    cuts off every third picture, `torn` takes the lower half of every third and ends it all the same, `no-frames` sends
    none, `wrong-size` grants 640x480 whatever is asked for.
    """

    faults: ClassVar[tuple[str, ...]] = ("truncated", "torn", "no-frames", "wrong-size")

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        set_up = cast(Options, self.options)
        self._wanted = (set_up.width, set_up.height)
        self._size = (640, 480) if "wrong-size" in faults else self._wanted
        self._made: dict[tuple[tuple[int, float] | str, tuple[int, int]], list[bytes]] = {}
        self._random = np.random.default_rng(1)
        self._files = _files(set_up.pictures)
        self._held = b""
        self._count = 0
        self._still = b""
        self._frozen = self._dark = self._bright = self._full = False

    def receive(self, data: bytes) -> bytes:
        """See Simulator."""
        held, out, at = self._held + data, b"", 0
        for line in ASKED.finditer(held):
            at = line.end()
            if line[1] == b"ASK":
                out += self._grant()
            elif "no-frames" not in self.faults_on and not self._full:
                self.obeyed.append(TakeStill())
                out += b"V4L2 STILL\n" + (self._still or self._frame())
                self._still = b""
        self._held = held[at:][-256:]
        return out

    def happen(self, news: News) -> bytes:
        """See Simulator. A FrameSeen is sent as it is, a StillTaken is the next still."""
        if isinstance(news, FrameSeen):
            return news.jpeg or self._frame()
        if isinstance(news, StillTaken):
            self._still = news.jpeg
            return b""
        if isinstance(news, PictureFrozen):
            self._frozen = not news.over
            return b""
        if isinstance(news, PictureDark):
            self._dark = not news.over
            return self._frame()
        if isinstance(news, PictureBright):
            self._bright = not news.over
            return self._frame()
        if isinstance(news, BusFull):
            self._full = not news.over
            return b"V4L2 FULL\n" if self._full else self._frame()
        if isinstance(news, WrongFormat):
            granted = GRANTED.search(news.granted)
            other = (int(granted[2]), int(granted[3])) if granted else (640, 480)
            self._size = self._wanted if news.over else other
            return self._grant() + self._frame()
        raise ValueError(f"a camera cannot have {type(news).__name__}")

    def tick(self) -> bytes:
        """See Simulator."""
        if "no-frames" in self.faults_on or self._full:
            return b""
        frame = self._frame()
        half = frame[: len(frame) // 2] if self._count % 3 == 0 else frame
        if "truncated" in self.faults_on:
            return half
        return half.removesuffix(END) + END if "torn" in self.faults_on else frame

    def _grant(self) -> bytes:
        fps = cast(Options, self.options).fps
        return f"V4L2 MJPG {self._size[0]}x{self._size[1]}@{fps}\n".encode()

    def _frame(self) -> bytes:
        """The next picture; the same again while frozen."""
        self._count += not self._frozen
        which = "dark" if self._dark else "bright" if self._bright else self._scene()
        if (which, self._size) not in self._made:
            self._made[which, self._size] = self._make(which)
        return self._made[which, self._size][self._count % VARIANTS]

    def _scene(self) -> tuple[int, float]:
        """Which sheet there is now, and how far away from its place: 0 it lies there, 1 it is gone."""
        around = EACH + 2 * len(SLIDE) + BARE
        turn, at = divmod(self._count, around)
        sheet, count = turn % (len(self._files) or SHEETS), len(self._files) or SHEETS
        if at < EACH:
            return sheet, 0.0
        if at < EACH + len(SLIDE):
            return sheet, SLIDE[at - EACH]
        if at >= around - len(SLIDE):
            return (sheet + 1) % count, SLIDE[around - 1 - at]
        return 0, 1.0

    def _make(self, scene: tuple[int, float] | str) -> list[bytes]:
        """Several JPEGs of a scene (or of nothing, in the "dark" or too "bright"), each with other noise."""
        width, height = self._size
        picture: np.ndarray = np.full((height, width, 3), 252 if scene == "bright" else 0, np.uint8)
        if not isinstance(scene, str):
            sheet, away = scene
            picture[:] = DESK
            gone = round(away * width)
            if self._files:
                lying = np.asarray(Image.open(self._files[sheet]).convert("RGB").resize(self._size))
            else:
                lying = np.asarray((_draw_sheet if sheet == 0 else _draw_card)(width, height, sheet))
            picture[:, gone:] = lying[:, : width - gone]
        variants = []
        for _ in range(VARIANTS):
            noise = self._random.integers(0, 4, picture.shape, np.uint8)
            noisy = cv2.cvtColor(cv2.add(picture, noise), cv2.COLOR_RGB2BGR)
            variants.append(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
        return variants


def _files(folder: str) -> list[Path]:
    """The pictures of a folder, by name. Raises ValueError when there are none."""
    if not folder:
        return []
    found = sorted(p for p in Path(folder).glob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp"))
    if not found:
        raise ValueError(f"pictures: the folder {folder} holds no .jpg, .png or .bmp")
    return found


def _draw_sheet(width: int, height: int, sheet: int) -> Image.Image:
    """A sheet of paper with a heading, lines, a table and a seal, on a dark desk, a little askew."""
    desk = Image.new("RGB", (width, height), DESK)
    tall = int(height * 0.92)
    paper = Image.new("RGB", (int(tall / 1.414), tall), (246, 244, 238))
    draw = ImageDraw.Draw(paper)
    wide, unit = paper.width, tall / 40
    draw.text((wide / 2, 2.5 * unit), f"SAMPLE {sheet + 1}", (22, 32, 42), ImageFont.load_default(unit * 2), "mm")
    for row in range(6, 22):
        end = wide * (0.9 if row % 4 else 0.6)
        draw.line((wide * 0.1, row * unit, end, row * unit), (70, 70, 74), max(1, int(unit / 4)))
    for row, column in _cells():
        at = (wide * (0.1 + 0.2 * column), (24 + 2 * row) * unit)
        draw.rectangle((*at, at[0] + wide * 0.2, at[1] + 2 * unit), outline=(30, 30, 34))
    draw.ellipse(
        (wide * 0.6, 33 * unit, wide * 0.6 + 5 * unit, 38 * unit), outline=(156, 28, 22), width=int(unit / 3) or 1
    )
    turned = paper.rotate(1.5 - 3 * sheet, expand=True, fillcolor=DESK, resample=Image.Resampling.BILINEAR)
    desk.paste(turned, ((width - turned.width) // 2, (height - turned.height) // 2))
    return desk


def _draw_card(width: int, height: int, side: int) -> Image.Image:
    """A card, on the same desk and to the same scale: side 1 with a portrait, side 2 with a stripe."""
    desk = Image.new("RGB", (width, height), DESK)
    long = round(height * 0.92 / 297 * 85.6)
    card = Image.new("RGB", (long, round(long / 1.586)), (224, 232, 236))
    draw, unit = ImageDraw.Draw(card), long / 40
    draw.text((2 * unit, 1.2 * unit), f"SAMPLE CARD {side}", (22, 32, 42), ImageFont.load_default(unit * 2.6))
    if side == 1:
        draw.rectangle((28 * unit, 5 * unit, 37 * unit, 17 * unit), fill=(150, 160, 170), outline=(60, 66, 72))
    else:
        draw.rectangle((0, 5 * unit, long, 9 * unit), fill=(40, 44, 50))
    for row in range(10, 23, 3):
        draw.line(
            (2 * unit, row * unit, (24 if row % 2 else 18) * unit, row * unit), (60, 60, 66), max(1, int(unit / 3))
        )
    turned = card.rotate(4 - 3 * side, expand=True, fillcolor=DESK, resample=Image.Resampling.BILINEAR)
    desk.paste(turned, ((width - turned.width) // 2, (height - turned.height) // 2))
    return desk


def _cells() -> Iterable[tuple[int, int]]:
    return ((row, column) for row in range(4) for column in range(4))

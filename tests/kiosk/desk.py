"""A camera above a desk, made of photographs: pages are laid down by a hand, lie still, are taken away; light changes.

The photographs are those with known corners beside the project, or rendered pages where there are none. Each frame has
sensor noise of its own, and goes out over the simulated camera's real cable.
"""

import csv
import threading
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from devices.roles import FrameSeen
from devices.simulate import SimulatedDevice

PICTURES = Path(__file__).resolve().parents[3] / "shared" / "pictures" / "pages"
WANTED = ("d710_prova1.jpg", "jscanify_test2.jpg")
FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
SIZE = (1200, 1600)  # width, height
FRAME_S = 0.11
SKIN = (120, 150, 205)  # BGR


def photographs():
    """[(picture, corners)]: real ones where they are, else rendered."""
    if not all((PICTURES / name).exists() for name in WANTED):
        long = [f"第 {n} 项 材料名称各不相同 {n * 7919}" for n in range(1, 13)]
        return [rendered(["材料 1", "姓名 测试", "本页由测试生成"], 1), rendered(long, 2)]
    with (PICTURES / "truth.csv").open(encoding="utf-8") as file:
        truth = {row["file"]: row["truth"] for row in csv.DictReader(file)}
    found = []
    for name in WANTED:
        corners = np.array(truth[name].split(), np.float32).reshape(4, 2)
        found.append((cv2.imread(str(PICTURES / name)), corners))
    return found


def rendered(lines, seed=1, scale=0.62):
    """(picture, corners) of a page with these lines upon a grained desk, a little askew."""
    random = np.random.default_rng(seed)
    grain = cv2.resize(random.integers(0, 40, (100, 20), np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    desk = np.full((SIZE[1], SIZE[0], 3), (40, 62, 92), np.uint8) + grain[:, :, None] // 2
    paper = Image.new("RGB", (840, 1188), (246, 245, 241))
    pen = ImageDraw.Draw(paper)
    for row, line in enumerate(lines):
        pen.text((80, 90 + 90 * row), line, (25, 25, 30), ImageFont.truetype(FONT, 40, index=2))
    for row in range(6 + 2 * len(lines) + 3 * seed, 24):
        x, stop = 80, 760 - 37 * (row * seed % 7)
        while x < stop:  # words of any length, so that no part of the page is like another
            word = int(random.integers(20, 160))
            pen.line((x, 48 * row, min(x + word, stop), 48 * row), (60, 60, 66), 6)
            x += word + int(random.integers(15, 60))
    picture = cv2.cvtColor(np.asarray(paper), cv2.COLOR_RGB2BGR)
    wide, high = scale * SIZE[0], scale * SIZE[0] * 1.414
    x, y, lean = (SIZE[0] - wide) / 2, (SIZE[1] - high) / 2, 30.0 * seed
    corners = np.array([(x + lean, y), (x + wide, y + lean), (x + wide - lean, y + high), (x, y + high - lean)])
    corners = corners.astype(np.float32)
    box = np.array([(0, 0), (840, 0), (840, 1188), (0, 1188)], np.float32)
    view = cv2.getPerspectiveTransform(box, corners)
    laid = cv2.warpPerspective(picture, view, SIZE)
    mask = cv2.warpPerspective(np.full(picture.shape[:2], 255, np.uint8), view, SIZE)
    return np.where(mask[:, :, None] > 127, laid, desk), corners


class Desk:
    """The desk of the first photograph, with the pages of all of them, each where it lay in its own."""

    def __init__(self, found):
        self.corners = [corners for _, corners in found]
        first = found[0][0]
        self.pages = [(picture, self._mask(corners, 2)) for picture, corners in found]
        # Under the first page lies the same wood as beside it.
        strip = first[:, :110]
        wood = np.tile(np.concatenate([strip, strip[:, ::-1]], axis=1), (1, 1 + SIZE[0] // 220, 1))[:, : SIZE[0]]
        hole = cv2.GaussianBlur(self._mask(self.corners[0], 40), (41, 41), 0)[:, :, None] / 255.0
        self.bare = (wood * hole + first * (1 - hole)).astype(np.uint8)
        self.random = np.random.default_rng(5)

    @staticmethod
    def _mask(corners, more):
        mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 255)
        return cv2.dilate(mask, np.ones((more, more), np.uint8))

    def frame(self, page=None, away=(0, 0), hand=None, light=1.0):
        """One JPEG: a page `away` pixels from where it lies, a hand, more or less light."""
        scene = self.bare.copy()
        if page is not None:
            picture, mask = self.pages[page]
            shift = np.float32([[1, 0, away[0]], [0, 1, away[1]]])
            there = cv2.warpAffine(mask, shift, SIZE) > 127
            scene[there] = cv2.warpAffine(picture, shift, SIZE)[there]
        if hand is not None:
            x, y = hand
            cv2.ellipse(scene, (x + 210, y + 260), (190, 330), -38, 0, 360, SKIN, -1, cv2.LINE_AA)
            for finger in range(4):
                cv2.line(scene, (x + 160, y + 200), (x + 26 * finger, y - 18 * finger), SKIN, 44, cv2.LINE_AA)
            cv2.line(scene, (x + 300, y + 420), (x + 700, y + 1100), SKIN, 210, cv2.LINE_AA)
        noise = self.random.integers(0, 7, scene.shape, np.uint8)  # never the same picture twice
        lit = cv2.add(cv2.convertScaleAbs(scene, alpha=light), noise)
        return cv2.imencode(".jpg", lit, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


class Camera:
    """The simulated camera above the desk, on a TCP cable; `link` is what hall.toml says."""

    def __init__(self, desk):
        self.desk = desk
        self.device = SimulatedDevice(
            "uvc-camera", {"width": SIZE[0], "height": SIZE[1]}, ["no-frames"]
        ).on_tcp()  # its own sheets stay in the drawer
        self.link = self.device.link
        self.sent, self.lying = 0, []  # frames so far; those of a page that lies still
        self._scene, self._lock, self._closing = {}, threading.Condition(), False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def show(self, **scene):
        """What lies there from now on."""
        with self._lock:
            self._scene = scene

    def wait(self, frames):
        """Until so many more frames have gone out."""
        with self._lock:
            goal = self.sent + frames
            assert self._lock.wait_for(lambda: self.sent >= goal, frames * 2 + 10)

    def lay(self, page, light=1.0):
        """A hand brings a page, lets go and leaves."""
        for step in (900, 600, 380, 200, 90, 30, 0):
            self.show(page=page, away=(step, step // 2), hand=(500 + step, 700 + step // 2), light=light)
            self.wait(1)
        for step in (60, 250, 520, 800, 1100):
            self.show(page=page, hand=(500 + step, 700 + step), light=light)
            self.wait(1)
        self.show(page=page, light=light)

    def take_away(self, page):
        """A hand comes and takes the page."""
        for step in (700, 300, 0):
            self.show(page=page, hand=(500 + step, 700 + step))
            self.wait(1)
        for step in (120, 400, 800, 1300):
            self.show(page=page, away=(step, step // 3), hand=(500 + step, 700 + step // 3))
            self.wait(1)
        self.show()

    def stop(self):
        """It sends nothing more, though its cable is in."""
        self._closing = True
        self._thread.join()

    def close(self):
        self.stop()
        self.device.close()

    def _run(self):
        while not self._closing:
            began = time.monotonic()
            with self._lock:
                scene = dict(self._scene)
            jpeg = self.desk.frame(**scene)
            self.device.happen(FrameSeen(jpeg=jpeg))
            with self._lock:
                self.sent += 1
                if scene.get("page") is not None and "hand" not in scene:
                    self.lying.append(jpeg)
                self._lock.notify_all()
            time.sleep(max(0.0, FRAME_S - (time.monotonic() - began)))

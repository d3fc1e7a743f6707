"""Cameras: pictures cut out of a stream, what is told of them, the simulator, and the V4L2 link without a camera."""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from config.words import Sentence
from devices.drivers.uvc_camera import Driver, Options, Simulator
from devices.jpeg import Damage, Picture, Splitter
from devices.jpeg_decoder import decoded
from devices.links import LinkAbsent, LinkLost, LinkMistake, LinkText, camera_worker, open_link, v4l2
from devices.links.base import IN_USE
from devices.roles import (
    Alive,
    Beep,
    BusFull,
    FrameSeen,
    Garbled,
    News,
    Obeyed,
    PictureBright,
    PictureDark,
    PictureFrozen,
    Refused,
    StillTaken,
    TakeStill,
    WrongFormat,
)
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

SMALL = Options(width=64, height=48)


def jpeg(shade: int, size: tuple[int, int] = (64, 48), thumbnail: bytes = b"", **how: Any) -> bytes:
    """A JPEG made by Pillow, not by our simulator; `thumbnail` is a whole JPEG put into its APP1 segment."""
    image = Image.new("RGB", size, (shade, shade, shade))
    image.putpixel((0, 0), (255, 0, 0))
    out = io.BytesIO()
    image.save(out, "JPEG", **how)
    made = out.getvalue()
    if not thumbnail:
        return made
    segment = b"Exif\0\0" + thumbnail
    return made[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + made[2:]


def noisy(seed: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """A JPEG full of detail, so that its data hold many FF bytes, with restart markers in between."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_RST_INTERVAL, 4, cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


FRAMES = [jpeg(shade) for shade in range(60, 100)]
THUMB = jpeg(1, (16, 12))


# ---- cutting


@pytest.mark.parametrize(
    "picture",
    [
        jpeg(80),
        jpeg(80, progressive=True),
        jpeg(80, thumbnail=THUMB),
        jpeg(80, thumbnail=THUMB + THUMB[:40] + b"\xff\xd9"),
        noisy(1),
        jpeg(80, comment=b"\xff\xd8\xff\xd9"),
    ],
    ids=["plain", "progressive", "thumbnail", "torn-thumbnail", "noisy", "comment"],
)
@pytest.mark.parametrize("step", [1, 7, 1000, 10**6])
def test_a_picture_is_cut_where_it_ends(picture: bytes, step: int) -> None:
    stream = b"\0\0" + picture + b"\0" * 5 + picture + FRAMES[0]
    splitter, out = Splitter(), []
    for at in range(0, len(stream), step):
        out += splitter.feed(stream[at : at + step])
    size = Image.open(io.BytesIO(picture)).size
    assert out == [Picture(picture, *size), Picture(picture, *size), Picture(FRAMES[0], 64, 48)]
    assert splitter.junk == 0, "padding with zeros is no junk"


def test_lines_between_pictures() -> None:
    stream = b"V4L2 MJPG 64x48@30\n" + FRAMES[0] + b"xyV4L2 STILL\n" + FRAMES[1]
    for step in (1, 1000):
        splitter, out = Splitter(), []
        for at in range(0, len(stream), step):
            out += splitter.feed(stream[at : at + step])
        assert out == ["MJPG 64x48@30", Picture(FRAMES[0], 64, 48), "STILL", Picture(FRAMES[1], 64, 48)]


@pytest.mark.parametrize("cut", [20, 200, -300, -2])
def test_a_picture_that_was_cut_off_does_not_take_the_next_with_it(cut: int) -> None:
    whole = noisy(2)
    out = Splitter().feed(whole[:cut] + FRAMES[0] + FRAMES[1] + FRAMES[2])
    assert any(isinstance(one, Damage) for one in out)
    assert out[-2:] == [Picture(FRAMES[1], 64, 48), Picture(FRAMES[2], 64, 48)]


def test_a_picture_that_never_ends_is_given_up() -> None:
    splitter = Splitter()
    begin = noisy(3)[:5000]
    out = splitter.feed(begin)
    for _ in range(20):
        out += splitter.feed(b"\x11" * 1_000_000)
    assert [type(one) for one in out] == [Damage]
    assert splitter.feed(FRAMES[0]) == [Picture(FRAMES[0], 64, 48)]


# ---- the driver


def started(options: Options = SMALL) -> Driver:
    driver = Driver(options)
    assert driver.patience == 0.0
    assert driver.silence() == []
    return driver


def test_asks_for_the_wanted_format_once() -> None:
    driver = started(Options(width=1280, height=720, fps=15, controls={"autofocus": 0, "zoom": 1.5}))
    assert driver.owed() == b"ASK MJPG 1280x720@15 autofocus=0 zoom=1.5\n"
    assert driver.owed() == b"" and driver.patience == 1.0
    driver.reset()
    driver.silence()
    assert driver.owed() != b"", "and again after a reopening"


def test_every_fresh_frame_is_told() -> None:
    driver = started()
    assert driver.feed(b"V4L2 MJPG 64x48@30\n" + FRAMES[0] + FRAMES[1]) == [
        Alive(detail="MJPG 64x48@30"),
        FrameSeen(jpeg=FRAMES[0], width=64, height=48),
        FrameSeen(jpeg=FRAMES[1], width=64, height=48),
    ]


def test_ten_equal_pictures_are_a_frozen_one() -> None:
    driver = started()
    driver.feed(FRAMES[0])
    assert driver.feed(FRAMES[0] * 9) == []
    assert driver.feed(FRAMES[0]) == [PictureFrozen()]
    assert driver.feed(FRAMES[0] * 30) == []
    assert driver.feed(FRAMES[1])[0] == PictureFrozen(over=True)


def test_two_seconds_without_a_picture_are_a_frozen_one() -> None:
    driver = started()
    driver.feed(FRAMES[0])
    assert driver.patience == 1.0
    assert driver.silence() == [], "one second"
    assert driver.silence() == [PictureFrozen()]
    assert driver.silence() == []
    assert driver.feed(FRAMES[1])[0] == PictureFrozen(over=True)


def test_a_still_is_the_first_picture_that_began_after_the_order() -> None:
    driver = started()
    driver.feed(FRAMES[0] + FRAMES[1][:100])
    driver.take(TakeStill(id="s"))
    assert not driver.idle
    assert [type(n) for n in driver.feed(FRAMES[1][100:])] == [FrameSeen], "this one is older"
    assert driver.feed(FRAMES[2])[1:] == [
        StillTaken(jpeg=FRAMES[2], width=64, height=48),
        Obeyed(order="TakeStill", id="s"),
    ]
    assert driver.idle


def test_a_camera_that_marks_the_still_is_believed() -> None:
    driver = started()
    driver.feed(b"V4L2 MJPG 64x48@30\n" + FRAMES[0])
    driver.take(TakeStill())
    driver.owed()
    assert driver.owed() == b"STILL\n"
    assert [type(n) for n in driver.feed(FRAMES[1] + FRAMES[2])] == [FrameSeen, FrameSeen], "still in the buffers"
    news = driver.feed(b"V4L2 STILL\n" + FRAMES[3])
    assert news[1:] == [StillTaken(jpeg=FRAMES[3], width=64, height=48), Obeyed(order="TakeStill")]


def test_no_still_of_a_stuck_or_silent_camera() -> None:
    driver = started()
    driver.feed(FRAMES[0])
    driver.take(TakeStill(id="1"))
    frozen, refused = driver.feed(FRAMES[0] * 12)
    assert frozen == PictureFrozen() and isinstance(refused, Refused) and refused.id == "1"
    driver.take(TakeStill(id="2"))
    driver.silence()
    [refused] = driver.silence()
    assert isinstance(refused, Refused) and "2 seconds" in refused.reason
    driver.take(TakeStill(id="3"))
    assert isinstance(driver.lost()[0], Refused)
    with pytest.raises(ValueError, match="Beep"):
        driver.encode(Beep())


def test_a_dark_picture_is_told_once_and_light_once() -> None:
    driver = started(Options(width=320, height=240, fps=5))
    black = [cv2.imencode(".jpg", np.full((240, 320, 3), n % 3, np.uint8))[1].tobytes() for n in range(20)]
    light = [noisy(seed) for seed in range(6)]
    news = [n for f in (*light[:3], *black, *light[3:]) for n in driver.feed(f) if isinstance(n, PictureDark)]
    assert news == [PictureDark(), PictureDark(over=True)]


def test_another_format_than_asked_for() -> None:
    driver = started()
    [_, wrong, _] = driver.feed(b"V4L2 YUYV 64x48@30\n" + FRAMES[0])
    assert wrong == WrongFormat(asked="MJPG 64x48@30", granted="YUYV 64x48@30")
    news = driver.feed(FRAMES[1] + b"V4L2 MJPG 64x48@25\n" + FRAMES[2])
    assert [n.over for n in news if isinstance(n, WrongFormat)] == [True], "another rate is no other picture"
    plain = started()
    assert WrongFormat(asked="MJPG 64x48@30", granted="MJPG 96x72@?") in plain.feed(jpeg(9, (96, 72)))


def test_a_cut_off_picture_is_garbled_until_five_whole_ones() -> None:
    driver = started()
    driver.feed(FRAMES[0])
    news = driver.feed(FRAMES[1][:-50] + b"".join(FRAMES[2:9]) + FRAMES[9][:-50] + FRAMES[10])
    assert [n for n in news if isinstance(n, Garbled)] == [Garbled(), Garbled(over=True), Garbled()]


def torn(frame: bytes, share: float = 0.5) -> bytes:
    """A frame without the end of its data, but with its end mark: decoders make grey of the rest and find no fault."""
    return frame[: int(len(frame) * share)] + b"\xff\xd9"


def photo(seed: int, flat: int = 0, **how: int) -> bytes:
    """A frame of a desk: light falling off to one side and a little noise; its lower part `flat` without any."""
    across = np.linspace(90, 200, 320)[None, :] + np.random.default_rng(seed).normal(0, 2, (240, 320))
    if flat:
        across[120:] = flat
    flags = [one for name, value in how.items() for one in (getattr(cv2, f"IMWRITE_JPEG_{name}"), value)]
    return cv2.imencode(".jpg", np.repeat(across[..., None], 3, 2).clip(0, 255).astype(np.uint8), flags)[1].tobytes()


CAMERAS = ({}, {"RST_INTERVAL": 5}, {"QUALITY": 40}, {"SAMPLING_FACTOR": 0x111111}, {"SAMPLING_FACTOR": 0x211111})


@pytest.mark.parametrize("how", CAMERAS, ids=str)
def test_a_picture_whose_data_end_too_early_is_torn(how: dict[str, int]) -> None:
    whole = photo(1, **how)
    begin = whole.rindex(b"\xff\xda") + 20
    for share in (0.3, 0.6, 0.95):
        for cut in range(6):  # wherever in a byte pair, also behind an FF
            half = torn(whole, (begin + share * (len(whole) - begin) + cut) / len(whole))
            with pytest.raises(ValueError, match="Corrupt"):
                decoded(half, 8, "GRAY")
    lost = whole[: len(whole) // 2] + whole[len(whole) // 2 + 400 :]  # packets in its middle
    with pytest.raises(ValueError, match="Corrupt"):
        decoded(lost)


@pytest.mark.parametrize("how", CAMERAS, ids=str)
def test_a_whole_picture_is_not_torn_whatever_it_shows(how: dict[str, int]) -> None:
    for whole in (*(photo(seed, **how) for seed in range(3)), *(photo(7, flat, **how) for flat in (1, 127, 128, 129))):
        padded = whole[:-2] + b"\0\0" + whole[-2:]  # some cameras fill up their data before the mark
        for one in (whole, padded):
            small = cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
            assert np.array_equal(decoded(one, 8, "GRAY")[..., 0], small)


def test_half_a_picture_is_no_still_and_is_told() -> None:
    driver = started(Options(width=320, height=240, fps=30))
    driver.feed(photo(1))
    driver.take(TakeStill(id="5"))
    news = driver.feed(torn(photo(2)) + torn(photo(3), 0.9) + photo(4))
    assert news[0] == Garbled() and news[1:] == [
        FrameSeen(jpeg=photo(4), width=320, height=240),
        StillTaken(jpeg=photo(4), width=320, height=240),
        Obeyed(order="TakeStill", id="5"),
    ]
    assert Garbled(over=True) in driver.feed(b"".join(photo(seed) for seed in range(5, 12)))


def test_a_camera_that_sends_nothing_but_halves_is_told_and_a_still_not_waited_for() -> None:
    driver = started(Options(width=320, height=240, fps=30))
    driver.take(TakeStill(id="6"))
    news = driver.feed(b"".join(torn(photo(seed)) for seed in range(12)))
    assert [type(one) for one in news] == [Garbled, Refused] and "damaged" in news[1].reason


def test_a_white_picture_is_told_once_and_its_end_once() -> None:
    driver = started(Options(width=320, height=240, fps=3))
    white = [cv2.imencode(".jpg", np.full((240, 320, 3), 255 - n % 3, np.uint8))[1].tobytes() for n in range(9)]
    black = [cv2.imencode(".jpg", np.full((240, 320, 3), n % 3, np.uint8))[1].tobytes() for n in range(9)]
    told = [n for f in (*white, *black, photo(1)) for n in driver.feed(f) if isinstance(n, PictureBright | PictureDark)]
    assert told == [PictureBright(), PictureBright(over=True), PictureDark(), PictureDark(over=True)]


def test_a_white_sheet_that_fills_the_picture_is_not_too_bright() -> None:
    page = np.full((240, 320, 3), 245, np.uint8)
    cv2.putText(page, "A4", (100, 140), cv2.FONT_HERSHEY_SIMPLEX, 2, (20, 20, 20), 6)
    assert PictureBright() not in started(Options(width=320, height=240)).feed(cv2.imencode(".jpg", page)[1].tobytes())


def test_noise_is_told_once_and_a_picture_behind_it_is_found() -> None:
    driver = started()
    noise = np.random.default_rng(1).bytes(500_000)
    driver.take(TakeStill())
    news = driver.feed(noise)
    assert news[0] == Garbled() and [type(n) for n in news[1:]] == [Refused]
    assert FrameSeen(jpeg=FRAMES[0], width=64, height=48) in driver.feed(FRAMES[0])


def test_a_full_bus_is_told_once_ends_with_a_picture_and_is_no_frozen_picture() -> None:
    driver = started()
    driver.take(TakeStill())
    told = driver.feed(b"V4L2 FULL\n")
    assert told[0] == BusFull() and isinstance(told[1], Refused) and "USB" in told[1].reason
    assert driver.feed(b"V4L2 FULL\nV4L2 FULL\n") == []
    assert [driver.silence() for _ in range(4)] == [[]] * 4, "that no picture comes is known"
    assert BusFull(over=True) in driver.feed(b"V4L2 MJPG 64x48@30\n" + FRAMES[0])
    driver.silence(), driver.silence(), driver.silence()
    assert driver.feed(b"V4L2 FULL\n") == [PictureFrozen(over=True), BusFull()], "the graver one takes its place"


# ---- the simulator


def seen(driver: Driver, camera: Simulator, ticks: int) -> list[News]:
    news: list[News] = []
    for _ in range(ticks):
        news += driver.feed(camera.tick())
    return news


def test_the_simulators_frames_are_pictures_of_the_wanted_size_and_never_the_same_twice() -> None:
    camera = Simulator(Options(width=800, height=600))
    frames = [camera.tick() for _ in range(40)]
    assert all(a != b for a, b in itertools.pairwise(frames))
    image = Image.open(io.BytesIO(frames[0]))
    image.load()
    assert image.size == (800, 600)
    assert np.asarray(image.convert("L")).std() > 30, "there is something on it"


def test_what_happens_at_the_simulator_is_told() -> None:
    driver, camera = started(), Simulator(SMALL)
    assert driver.feed(camera.receive(driver.owed())) == []
    assert [type(n) for n in seen(driver, camera, 3)] == [Alive, FrameSeen, FrameSeen, FrameSeen]
    for trouble in (PictureFrozen(), PictureDark(), PictureBright(), WrongFormat(), BusFull()):
        for news in (trouble, type(trouble)(over=True)):
            told = driver.feed(camera.happen(news)) + seen(driver, camera, 12)
            assert [(type(n), n.over) for n in told if isinstance(n, type(trouble))] == [(type(trouble), news.over)]
    assert driver.feed(camera.happen(FrameSeen(jpeg=FRAMES[5]))) == [FrameSeen(jpeg=FRAMES[5], width=64, height=48)]
    with pytest.raises(ValueError, match="Beep|Alive"):  # noqa: RUF043
        camera.happen(Alive())


def test_the_simulators_faults() -> None:
    for fault in ("truncated", "torn"):
        told = seen(started(), Simulator(SMALL, frozenset({fault})), 40)
        assert Garbled() in told and any(isinstance(n, FrameSeen) for n in told)
    assert seen(started(), Simulator(SMALL, frozenset({"no-frames"})), 5) == []
    driver, camera = started(), Simulator(SMALL, frozenset({"wrong-size"}))
    driver.feed(camera.receive(driver.owed()))
    assert WrongFormat(asked="MJPG 64x48@30", granted="MJPG 640x480@30") in seen(driver, camera, 2)


def test_the_simulator_shows_the_pictures_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    Image.new("RGB", (10, 10), (0, 200, 0)).save(tmp_path / "a.png")
    frame = Simulator(Options(width=64, height=48, pictures=str(tmp_path))).tick()
    red, green, blue = Image.open(io.BytesIO(frame)).getpixel((30, 20))  # type: ignore[misc]
    assert green > 150 and red < 60 and blue < 60
    with pytest.raises(ValueError, match="holds no"):
        Simulator(Options(pictures=str(tmp_path / "none")))


@pytest.mark.parametrize("where", ["sim", "tcp"])
def test_a_live_view_and_a_still_over_a_real_station(
    where: str, diary: Any, until: Callable[..., Any], closing: Callable[[Any], Any]
) -> None:
    options = {"width": 640, "height": 480}
    link = "sim:" if where == "sim" else closing(SimulatedDevice("uvc-camera", options).on_tcp()).link
    station = closing(Station([DeviceEntry("camera", "uvc-camera", link, options)], diary))
    until(lambda: len(diary.of(FrameSeen)) >= 5)
    assert station.state("camera").state == "ready"
    assert isinstance(station.send("camera", TakeStill()).result(5), Obeyed)
    until(lambda: diary.of(StillTaken))
    assert not diary.of(PictureFrozen, WrongFormat, Garbled)


# ---- the link, without a camera


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("v4l2:///dev/video-that-is-not-there", LinkAbsent, "no camera at /dev/video-that-is-not-there"),
        ("v4l2://by-path/pci-0000-usb-0:1:1.0-video-index0", LinkAbsent, "/dev/v4l/by-path/pci-0000-usb"),
        ("v4l2:///dev/null", LinkAbsent, "is not a camera"),
        ("v4l2:", LinkMistake, "by-path"),
        ("v4l2:///dev/null?baud=9600", LinkMistake, "no setting is called 'baud'"),
        ("v4l2:///dev/null?hang=soon", LinkMistake, "hang must be"),
    ],
)
def test_a_camera_that_is_not_there_is_a_sentence(text: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        open_link(text, 0)


def test_our_own_worker_says_why_it_cannot_open_a_camera() -> None:
    house = Path(v4l2.__file__).parents[2]
    program = [sys.executable, "-m", "devices.links.camera_worker", "/dev/null"]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = subprocess.run(program, cwd=house, stdin=theirs, capture_output=True, text=True, timeout=60)
    assert done.returncode == v4l2.CLOSED
    assert done.stderr.strip().splitlines()[-1].startswith("/dev/null cannot be opened as a camera")


def linked(program: str, hang: int = 5, node: str = "") -> v4l2.V4L2Link:
    return v4l2.V4L2Link(LinkText.parse(f"v4l2:{node}?hang={hang}"), [sys.executable, "-c", program])


def read_until(link: v4l2.V4L2Link, enough: Callable[[bytes], bool]) -> bytes:
    data, deadline = b"", time.monotonic() + 10
    while not enough(data):
        assert time.monotonic() < deadline
        data += link.read(0.1)
    return data


def test_the_link_carries_lines_to_the_worker_and_pictures_back(closing: Callable[[Any], Any]) -> None:
    echo = "import os\nwhile d := os.read(0, 9): os.write(1, d.upper())"
    link = closing(linked(echo))
    link.write(b"ask\n")
    assert read_until(link, lambda d: len(d) == 4) == b"ASK\n"


def test_a_worker_that_ends_is_a_lost_cable_with_its_reason(closing: Callable[[Any], Any]) -> None:
    link = closing(linked("import sys; print('[ WARN ]', file=sys.stderr); sys.exit('the camera was unplugged')"))
    with pytest.raises(LinkLost, match=r"^the camera's program ended \(code 1\): the camera was unplugged$"):
        read_until(link, lambda data: False)


def test_a_worker_that_cannot_open_its_camera_says_who_has_it(tmp_path: Path, closing: Callable[[Any], Any]) -> None:
    """Another program, another device of ours, or somebody of whom nothing can be told."""
    node = tmp_path / "video0"
    node.touch()

    def reason() -> Sentence:
        link = closing(linked(f"raise SystemExit({v4l2.CLOSED})", node=str(node)))
        with pytest.raises(LinkLost) as lost:
            read_until(link, lambda data: False)
        return lost.value.reason

    assert reason() == v4l2.NOT_OPENED.format(node=node)
    held = f"held = open({str(node)!r}); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        assert f"(process {other.pid})" in reason() and reason().holds(IN_USE)
        other.communicate(b"\n")
    ours = closing(linked(held, node=str(node)))
    read_until(ours, lambda data: data == b"held\n")
    assert reason() == f"this program itself, for another device, is using {node}; stop that program."


def test_a_worker_that_complains_of_every_picture_fills_no_disk(closing: Callable[[Any], Any]) -> None:
    """Libraries write a line for each spoilt JPEG, thirty a second, for weeks."""
    talkative = """
import os, sys
for n in range(200):
    os.write(2, b"Corrupt JPEG data: premature end of data segment\\n" * 100)
    os.write(1, b".")
    os.read(0, 1)
sys.exit("the camera was unplugged")
"""
    link = closing(linked(talkative))
    most = 0
    for _ in range(200):
        read_until(link, lambda data: data == b".")
        most = max(most, os.fstat(link._said.fileno()).st_size)
        link.write(b".")
    assert 50_000 < most < v4l2.MOST_SAID + 10_000
    with pytest.raises(LinkLost, match=r"^the camera's program ended \(code 1\): the camera was unplugged$"):
        read_until(link, lambda data: False)


def test_a_hung_camera_cannot_hang_us() -> None:
    link = linked("import signal\nsignal.signal(15, signal.SIG_IGN)\nwhile True: signal.pause()", hang=1)
    began = time.monotonic()
    with pytest.raises(LinkLost, match="hung for 1 s"):
        read_until(link, lambda data: False)
    worker = link._worker
    link.close()
    assert time.monotonic() - began < 5
    assert worker.poll() is not None, "its program was ended, so the camera is free"


class Fake:
    """A camera in the place of cv2.VideoCapture: what is set is granted, in sizes it knows; the order is noted."""

    def __init__(self, raw: bool = True, good: int = 10**6) -> None:
        self.raw, self.good = raw, good
        self.order: list[int] = []
        self.values = {cv2.CAP_PROP_FOURCC: 0x56595559, cv2.CAP_PROP_FPS: 30.0}
        self.grabbed = 0
        self.count = 0

    def set(self, what: int, value: float, /) -> bool:
        self.order.append(what)
        if what != cv2.CAP_PROP_FOURCC or self.raw:
            self.values[what] = min(value, 640) if what == cv2.CAP_PROP_FRAME_WIDTH else value
        return True

    def get(self, what: int, /) -> float:
        return self.values.get(what, 0)

    def grab(self) -> bool:
        self.grabbed += 1
        return True

    def read(self) -> tuple[bool, Any]:
        self.count += 1
        if self.count > self.good:
            return False, None
        if self.raw:
            return True, np.frombuffer(FRAMES[self.count % 40], np.uint8).reshape(1, -1)
        return True, np.full((48, 64, 3), self.count % 200, np.uint8)

    def release(self) -> None:
        self.released = True


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    with ours, theirs:
        yield ours, theirs


def served(camera: Any, line: tuple[socket.socket, socket.socket], stop: Callable[[list[Any]], bool]) -> list[Any]:
    """Everything cut out of what the worker sends until `stop`."""
    ours, theirs = line

    def run() -> None:
        try:
            camera_worker.serve(camera, theirs)
        except (OSError, camera_worker.Unusable):
            return  # hung up while it was sending, or the film has ended

    thread = threading.Thread(target=run)
    thread.start()
    splitter, out = Splitter(), list[Any]()
    while not stop(out):
        out += splitter.feed(ours.recv(65536))
    ours.close()
    thread.join(10)
    assert not thread.is_alive()
    return out


def test_the_worker_sets_up_in_the_order_that_works_and_reads_back(line: tuple[socket.socket, socket.socket]) -> None:
    camera = Fake()
    line[0].sendall(b"ASK MJPG 1920x1080@15 autofocus=0\n")
    out = served(camera, line, lambda out: len(out) >= 3)
    assert out[0] == "MJPG 640x1080@15", "what was granted, not what was asked"
    assert isinstance(out[1], Picture) and out[1].jpeg in FRAMES, "raw, as the camera made it"
    assert camera.order == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
        cv2.CAP_PROP_AUTOFOCUS,
        cv2.CAP_PROP_CONVERT_RGB,
    ]
    assert camera.values[cv2.CAP_PROP_CONVERT_RGB] == 0
    assert camera.grabbed == camera_worker.FIRST


def test_a_still_comes_after_the_old_pictures_are_thrown_away(line: tuple[socket.socket, socket.socket]) -> None:
    camera = Fake()
    line[0].sendall(b"ASK MJPG 64x48@15\nSTILL\n")
    out = served(camera, line, lambda out: "STILL" in out and isinstance(out[-1], Picture))
    assert camera.grabbed == camera_worker.FIRST + camera_worker.BUFFERS
    assert out[:2] == ["MJPG 64x48@15", "STILL"]


def test_a_camera_without_mjpg_is_compressed_here_and_named(line: tuple[socket.socket, socket.socket]) -> None:
    line[0].sendall(b"ASK MJPG 64x48@30\n")
    out = served(Fake(raw=False), line, lambda out: len(out) >= 2)
    assert out[0] == "YUYV 64x48@30"
    assert (out[1].width, out[1].height) == (64, 48)


def test_a_camera_that_stops_is_told(line: tuple[socket.socket, socket.socket]) -> None:
    line[0].sendall(b"ASK MJPG 64x48@30\n")
    with pytest.raises(camera_worker.Unusable, match="stopped sending"):
        camera_worker.serve(Fake(good=3), line[1])


def test_opencvs_own_capture_fits_the_worker(tmp_path: Path, line: tuple[socket.socket, socket.socket]) -> None:
    film = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(film, cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for shade in range(20):
        writer.write(np.full((48, 64, 3), shade * 10, np.uint8))
    writer.release()
    line[0].sendall(b"ASK MJPG 64x48@10\n")
    capture = cv2.VideoCapture(film, cv2.CAP_OPENCV_MJPEG)
    assert capture.isOpened()
    out = served(capture, line, lambda out: len(out) >= 4)
    assert out[0].startswith("MJPG 64x48@") and all(isinstance(one, Picture) for one in out[1:])


def test_a_control_that_no_camera_has_is_refused() -> None:
    with pytest.raises(ValueError, match="controls: there is no 'colour'; there are: "):
        Options(controls={"colour": 1})


def test_a_picture_that_cannot_be_decoded_is_no_picture() -> None:
    """Its beginning and end are right, and nothing between them is."""
    driver = Driver(SMALL)
    driver.reset()
    empty = b"\xff\xd8\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x00" * 40 + b"\xff\xd9"
    news = driver.feed(empty)
    assert [type(n) for n in news] == [Garbled]
    assert [type(n) for n in driver.feed(jpeg(90)) if isinstance(n, FrameSeen)] == [FrameSeen]


def test_a_simulated_camera_shows_the_picture_it_is_given() -> None:
    given = jpeg(120)
    camera = Simulator()
    assert camera.happen(StillTaken(jpeg=given)) == b""
    assert camera.receive(b"STILL now\n").endswith(given)
    blind = Simulator(faults=frozenset({"no-frames"}))
    assert blind.receive(b"STILL now\n") == b"" and blind.obeyed == []


def test_a_line_of_the_worker_that_says_nothing_known_changes_nothing() -> None:
    driver = Driver()
    driver.reset()
    assert driver.feed(b"V4L2 WEATHER fine\n") == []


# ---- a full bus: the numbers are those of linux/videodev2.h, the error is in "USB error codes" in the kernel's manual


def kernel(fails_at: int, number: int, asked: list[int]) -> Callable[[int, int, bytes], object]:
    """A kernel that refuses one call of a camera."""

    def ask(device: int, call: int, about: bytes) -> object:
        asked.append(call)
        if call == fails_at:
            raise OSError(number, os.strerror(number))
        return 0

    return ask


REQBUFS, STREAMON = 0xC0145608, 0x40045612


@pytest.mark.parametrize(
    ("fails_at", "number", "full"),
    [
        (STREAMON, errno.ENOSPC, True),
        (STREAMON, errno.EIO, False),
        (REQBUFS, errno.EBUSY, False),
        (REQBUFS, errno.ENOTTY, False),
        (0, 0, False),
    ],
)
def test_a_bus_is_full_when_the_kernel_says_so_and_only_then(fails_at: int, number: int, full: bool) -> None:
    asked: list[int] = []
    assert camera_worker.bus_is_full("/dev/null", kernel(fails_at, number, asked)) is full
    assert asked == ([REQBUFS] if fails_at == REQBUFS else [REQBUFS, STREAMON])


def test_the_real_kernel_is_asked_and_a_file_that_is_no_camera_is_no_full_bus() -> None:
    assert camera_worker.bus_is_full("/dev/null") is False
    assert camera_worker.bus_is_full("/dev/video-that-is-not-there") is False


def test_a_camera_without_room_is_tried_again_as_it_was_asked_for(line: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = line
    cameras = [Fake(good=0), Fake(good=0), Fake()]
    left = list(cameras)

    def run() -> None:
        with contextlib.suppress(OSError):
            camera_worker.keep_serving(lambda: left.pop(0), theirs, lambda: True, wait=0.05)

    worker = threading.Thread(target=run)
    worker.start()
    ours.sendall(b"ASK MJPG 640x480@15\n")
    driver, told = started(), []
    while not any(isinstance(n, FrameSeen) for n in told):
        told += driver.feed(ours.recv(65536))
    ours.close()
    worker.join(10)
    assert [n for n in told if isinstance(n, BusFull)] == [BusFull(), BusFull(over=True)]
    assert [getattr(one, "released", False) for one in cameras] == [True, True, False]
    assert cameras[2].values[cv2.CAP_PROP_FRAME_HEIGHT] == 480, "what was asked for once still counts"


def test_a_camera_that_stops_for_another_reason_is_not_tried_for_ever(
    line: tuple[socket.socket, socket.socket],
) -> None:
    with pytest.raises(camera_worker.Unusable, match="stopped sending"):
        camera_worker.keep_serving(lambda: Fake(good=2), line[1], lambda: False)

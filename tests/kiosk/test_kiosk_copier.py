"""The terminal's mind with a document camera and a printer for sheets on real cables: what it shows when they fail."""

import os
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from config import machine as machines
from devices.roles import FrameSeen, PaperOut, PrintDocument, WrongFormat
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station
from kiosk.copier import FOLDER, Copier, pixels
from kiosk.journey import Event, Page
from kiosk.outside import Away, Outside
from kiosk.roles import post
from kiosk.terminal import Habits, Terminal

USES = {"camera": "camera", "sheets": "sheets"}


class NoHall:
    """The hall is away; nothing of this needs it."""

    def __getattr__(self, name):
        def away(*_, **__):
            raise Away("no hall")

        return away


class NoDevices:
    def states(self):
        return []

    def stop_card(self):
        """Nothing to stop."""


class Stage:
    def __init__(self):
        self.sounds, self.view = [], None

    def show(self, view, moved):
        self.view = view

    def warn(self, seconds):
        """No window."""

    def sound(self, name):
        self.sounds.append(name)


class Bench:
    """A terminal without a window, and the devices' other ends."""

    def __init__(self, state, parts, faults=()):
        desk = parts("desk")
        self.camera = desk.Camera(desk.Desk([desk.rendered([f"第 {n} 页"], n) for n in (1, 2)]))
        self.printer = SimulatedDevice("cups-printer", {"poll_seconds": 1.0}, faults).on_tcp()
        width, height = desk.SIZE
        self.outside, self.stage = Outside(NoHall(), NoDevices()), Stage()
        entries = [
            DeviceEntry("camera", "uvc-camera", self.camera.link, {"width": width, "height": height}),
            DeviceEntry("sheets", "cups-printer", "ipp:" + self.printer.link.partition(":")[2], {"poll_seconds": 1.0}),
        ]
        self.station = Station(entries, self.hear)
        self.across = 0.0
        self.copier = self.outside.copier = Copier(
            self.outside.post, USES, self.station.send, across=lambda camera: self.across if camera == "camera" else 0.0
        )
        self.terminal = Terminal(Habits(state=state), self.outside, self.stage)
        self.press = self.terminal.press

    def hear(self, device, news):
        if hasattr(self, "copier"):
            self.copier.hear(device, news)

    @property
    def session(self):
        return self.terminal.session

    @property
    def page(self):
        return self.terminal.journey.page

    def until(self, agrees, seconds=20.0):
        end = time.monotonic() + seconds
        while not (found := agrees()):
            assert time.monotonic() < end, f"still {self.page}, {self.copier.glance()}, {self.session.copying}"
            self.terminal.turn()
            time.sleep(0.005)
        return found

    def scan(self):
        self.until(lambda: self.station.state("camera").state == "ready")
        self.camera.show()
        self.press(Event.TOUCH)
        self.press(Event.SCAN)
        assert self.page is Page.SCAN
        self.until(lambda: (glance := self.copier.glance()) and glance.phase == "empty")

    def lay(self, page=0):
        sheets = len(self.session.sheets)
        self.camera.lay(page)
        self.until(lambda: len(self.session.sheets) > sheets)

    def print(self):
        self.until(lambda: self.station.state("sheets").state == "ready")
        self.press(Event.COPY)
        self.until(lambda: self.session.preview)
        self.press(Event.PRINT)

    def trouble(self):
        glance = self.copier.glance()
        return glance and glance.trouble

    def close(self):
        self.terminal.close()
        self.station.close()
        self.camera.close()
        self.printer.close()


@pytest.fixture
def bench(tmp_path, kiosk_parts):
    started = []

    def start(*faults):
        started.append(Bench(tmp_path, kiosk_parts, faults))
        started[-1].scan()
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_a_page_is_taken_with_a_sound_previewed_and_printed(bench):
    one = bench()
    assert one.stage.view.can_copy
    one.press(Event.COPY)
    assert one.page is Page.SCAN, "there is nothing to copy yet"
    one.lay()
    assert one.stage.sounds[-1] == "taken"
    [sheet] = one.session.sheets
    assert (sheet.flags, max(sheet.small.width, sheet.small.height)) == ((), 240)
    one.print()
    assert 1.40 < one.session.preview.pixels.height / one.session.preview.pixels.width < 1.43
    one.until(lambda: one.page is Page.COPIED)
    assert (one.session.copying, one.stage.sounds[-1]) == ("done", "done")
    [document] = one.printer.obeyed
    assert isinstance(document, PrintDocument) and document.pdf.startswith(b"%PDF")


def written(preview):
    """(width, height) of what is written on a sheet that is looked at, in shares of the sheet's width."""
    rgb = np.frombuffer(preview.pixels.rgb, np.uint8).reshape(preview.pixels.height, preview.pixels.width, 3)
    _, _, width, height = cv2.boundingRect((rgb[..., 1] < 140).astype(np.uint8))
    return np.array([width, height]) / preview.pixels.width


def test_a_measured_stand_copies_an_a5_page_at_its_true_size(bench):
    """A page of A's proportions is taken for A4 where nobody has measured; on a measured stand it is what it is."""
    one = bench()
    one.lay()
    one.press(Event.COPY)
    as_a4 = written(one.until(lambda: one.session.preview))
    one.press(Event.FINISH)
    left, right = one.camera.desk.corners[0][:2]
    one.across = 1200 * 148 / float(np.linalg.norm(right - left))
    one.scan()
    one.lay()
    one.press(Event.COPY)
    as_a5 = written(one.until(lambda: one.session.preview))
    assert as_a5 / as_a4 == pytest.approx([148 / 210] * 2, rel=0.03)


def test_the_mark_is_on_the_preview_and_on_the_paper(bench):
    one = bench()
    one.lay()
    one.press(Event.COPY)
    plain = one.until(lambda: one.session.preview)
    one.press(Event.MARK)
    one.until(lambda: one.session.preview is not plain)
    clean, marked = (np.frombuffer(p.pixels.rgb, np.uint8).astype(int) for p in (plain, one.session.preview))
    assert (clean - marked > 20).mean() > 0.01, "gray letters across the sheet"


@pytest.mark.parametrize(
    ("faults", "news", "told"),
    [(["aborts"], None, "failed"), (["aborts-half-way"], None, "unknown"), ([], PaperOut(), "paper")],
)
def test_what_became_of_the_copy_is_told_and_never_more(bench, faults, news, told):
    one = bench(*faults)
    one.lay()
    one.until(lambda: one.station.state("sheets").state == "ready")
    if news is not None:
        one.printer.happen(news)
    one.press(Event.COPY)
    one.until(lambda: one.session.preview)
    one.press(Event.PRINT)
    assert one.page is Page.COPYING
    one.until(lambda: one.page is Page.COPIED)
    assert (one.session.copying, one.stage.sounds[-1]) == (told, "sorry")
    one.press(Event.PRINTED)
    assert one.session.copying == "done", "only the person has seen it"


def test_what_is_wrong_with_the_camera_is_seen_and_so_is_its_end(bench):
    one = bench()
    one.camera.show(light=0.01)
    one.until(lambda: one.trouble() == "dark")
    one.camera.show()
    one.until(lambda: one.trouble() == "")
    one.camera.show(light=40.0)
    one.until(lambda: one.trouble() == "bright")
    one.camera.show()
    one.until(lambda: one.trouble() == "")
    one.camera.device.unplug()
    one.until(lambda: one.trouble() == "gone")
    assert one.copier.glance().outlines == ()
    one.camera.device.plug()
    one.until(lambda: one.trouble() == "", 30)
    one.camera.stop()
    one.until(lambda: one.trouble() == "frozen")


def test_a_picture_smaller_than_asked_for_is_told(bench):
    one = bench()
    one.camera.device.happen(WrongFormat(granted="MJPG 640x480@30"))
    one.until(lambda: one.trouble() == "small")
    one.camera.device.happen(WrongFormat(over=True))
    one.until(lambda: one.trouble() == "")


def test_a_page_is_cropped_from_its_shot_and_what_was_found_stays_known(bench):
    one = bench()
    one.lay()
    one.press(Event.SHEET, one.session.sheets[0].id)
    before = one.until(lambda: one.session.sheet)
    one.press(Event.CROP)
    assert (one.page, one.session.uncut) == (Page.CROP, None)
    uncut = one.until(lambda: one.session.uncut)
    assert uncut.corners == uncut.found and len(uncut.found) == 4
    assert (uncut.pixels.width, uncut.pixels.height) == (1200, 1600), "the whole shot"
    (left, top), (right, _), _, (_, low) = uncut.found
    one.press(Event.CUT, ((left, top), (right, top), (right, (top + low) / 2), (left, (top + low) / 2)))
    assert one.page is Page.SHEET
    after = one.until(lambda: one.session.sheet)
    assert after.height / after.width < 0.6 * before.height / before.width
    assert one.session.uncut is None
    one.press(Event.CROP)
    again = one.until(lambda: one.session.uncut)
    assert again.found == uncut.found and again.corners != uncut.corners
    one.press(Event.BACK)
    assert (one.page, one.session.uncut, one.session.sheet) == (Page.SHEET, None, after)


def test_outlines_never_trail_behind_the_picture(bench):
    one = bench()
    trails = {}
    for step in (*range(-260, 260, 40), *range(260, -260, -40)):
        one.camera.show(page=0, away=(step, 0))
        one.camera.wait(1)
        glance = one.copier.glance()
        if glance.outlines:
            picture = np.frombuffer(glance.pixels.rgb, np.uint8).reshape(glance.pixels.height, -1, 3)
            light = np.nonzero((picture[:, :, 2] > 150).mean(0) > 0.3)[0]  # the page's columns
            outline = np.array(glance.outlines[0])[:, 0]
            trails[glance.number] = outline.mean() - light.mean() / glance.pixels.width
    assert len(trails) > 5
    assert max(map(abs, trails.values())) < 0.015, "the page moves by 0.033 of the width from frame to frame"


def test_a_page_left_out_comes_back(bench):
    one = bench()
    assert not one.session.changed
    one.lay()
    one.press(Event.SHEET, one.session.sheets[0].id)
    one.press(Event.REMOVE)
    one.until(lambda: not one.session.sheets)
    assert one.session.changed
    one.press(Event.UNDO)
    one.until(lambda: one.session.sheets)


def test_a_page_is_moved_to_the_front_and_the_first_one_stays_there(bench):
    one = bench()
    one.scan()
    one.lay()
    one.lay(1)
    first, second = (sheet.id for sheet in one.session.sheets)
    one.press(Event.SHEET, second)
    one.press(Event.EARLIER)
    one.until(lambda: [sheet.id for sheet in one.session.sheets] == [second, first])
    one.press(Event.EARLIER)
    one.press(Event.TURN)
    one.until(lambda: one.session.sheet)
    assert [sheet.id for sheet in one.session.sheets] == [second, first] and one.page is Page.SHEET


def test_a_page_is_only_taken_while_it_is_looked_at(bench):
    one = bench()
    one.press(Event.BACK)
    assert one.page is Page.HOME and one.copier.glance() is None
    one.camera.lay(0)
    one.camera.wait(15)
    one.terminal.turn()
    assert one.session.sheets == ()
    one.press(Event.SCAN)
    one.until(lambda: one.session.sheets)


def test_the_end_forgets_and_another_person_begins_with_nothing(bench):
    one = bench()
    one.lay()
    mine = lambda: list(Path("/dev/shm").glob(f"{FOLDER}-{os.getpid()}-*"))  # noqa: E731
    assert mine()
    one.press(Event.SHEET, one.session.sheets[0].id)
    one.until(lambda: one.session.sheet)
    one.press(Event.CROP)
    one.until(lambda: one.session.uncut)
    one.press(Event.FINISH)
    assert one.page is Page.ATTRACT
    assert (one.session.sheets, one.session.sheet, one.copier.glance()) == ((), None, None)
    assert (one.session.uncut, one.session.cut) == (None, ())
    one.until(lambda: not mine(), 2)
    one.press(Event.TOUCH)
    one.press(Event.SCAN)
    one.until(lambda: one.copier.glance())
    assert one.session.sheets == ()


def test_the_next_person_sees_nothing_of_the_last_while_the_worker_is_still_busy(kiosk_parts, soon):
    desk = kiosk_parts("desk")
    width, height = desk.SIZE
    above = desk.Desk([desk.rendered(["第 1 页"])])
    busy, let_go = threading.Event(), threading.Event()
    told = []

    def send(_device, _order, _seconds):
        busy.set()
        let_go.wait(20)
        raise KeyError

    def seen():
        copier.hear("camera", FrameSeen(jpeg=above.frame(page=0), width=width, height=height))
        return copier.glance() and copier.glance().pixels

    copier = Copier(lambda *said: told.append(said), USES, send)
    copier.begin("one")
    copier.watch(True)
    soon(seen)
    copier.shoot()
    soon(lambda: any(kind == "sheets" for kind, *_ in told))
    copier.print()
    assert busy.wait(20)
    copier.end()
    copier.begin("two")
    copier.watch(True)
    glances = {}
    while len(glances) < 4:  # a fourth of a second apart
        assert not seen()
        glances.update({glance.number: glance.phase} if (glance := copier.glance()) else {})
    assert set(glances.values()) == {"starting"}
    assert not [said for said in told if said[1] == "two"]
    let_go.set()
    soon(seen)
    copier.close()
    assert ("copied", "one", "failed", "there is no printer") in told


def test_whoever_walks_away_is_forgotten(bench):
    one = bench()
    one.lay()
    one.terminal.clock = lambda: time.monotonic() + 100  # a minute, and the seconds of the warning
    one.terminal.turn()
    assert (one.page, one.session.sheets) == (Page.ATTRACT, ())
    one.until(lambda: not list(Path("/dev/shm").glob(f"{FOLDER}-{os.getpid()}-*")), 5)


def test_a_picture_is_drawn_from_below_and_no_larger_than_asked():
    bgr = np.zeros((40, 80, 3), np.uint8)
    bgr[:20] = (0, 0, 250)  # red above
    drawn = pixels(cv2.imencode(".png", bgr)[1].tobytes(), 40)
    assert (drawn.width, drawn.height) == (40, 20)
    assert drawn.rgb[:3] == bytes(3) and drawn.rgb[-3] > 240
    with pytest.raises(ValueError, match="cannot be read"):
        pixels(b"no picture", 40)


CAMERA = '[[device]]\nname = "camera"\ndriver = "uvc-camera"\nlink = "sim:"\n'
PRINTER = '[[device]]\nname = "a4"\ndriver = "cups-printer"\nlink = "sim:"\n'


@pytest.mark.parametrize(
    ("devices", "uses"),
    [
        (CAMERA + PRINTER, {"camera": "camera", "sheets": "a4"}),
        (PRINTER, {}),  # without a camera it is the clerks'
        ("[kiosk]\nsheets = 'a4'\n" + PRINTER, {"sheets": "a4"}),
        (CAMERA, {"camera": "camera"}),
    ],
)
def test_which_printer_is_the_kiosks(tmp_path, devices, uses):
    file = tmp_path / "hall.toml"
    file.write_text('[machine]\nname = "m"\n' + devices)
    found = {use: device.name for use, device in post.kiosk_devices(machines.load(file)).items()}
    assert found == uses
    assert Copier(print, found, print).there is ({"camera", "sheets"} <= uses.keys())

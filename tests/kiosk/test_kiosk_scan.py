"""Scan and copy at the kiosk's real program: laid down, taken by itself, printed on A4, forgotten."""

import io
import socket
from pathlib import Path

import cv2
import numpy as np
import pikepdf
import pytest
from waiting import until


@pytest.fixture(scope="module")
def photographs(request, kiosk_parts):
    desk = kiosk_parts("desk")
    return [desk.rendered(*request.param)] if hasattr(request, "param") else desk.photographs()


@pytest.fixture
def camera(kiosk_parts, photographs):
    desk = kiosk_parts("desk")
    one = desk.Camera(desk.Desk(photographs))
    yield one
    one.close()


@pytest.fixture
def program(camera, kiosk_parts, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one = kiosk_parts("scanning").Program(tmp_path / "kiosk", camera.link, port)
    yield one
    one.close()


@pytest.fixture
def terminal(program, upright, kiosk_class):
    one = kiosk_class(upright, program.folder / "state", argv=program.argv)
    yield one
    one.close()


def names(said, start):
    """Names of widgets on the screen that begin so."""
    return [w["name"] for w in said["widgets"] if w["name"].startswith(start)]


def memory_folders(pid):
    """The folders in memory where this process keeps pages."""
    return sorted(Path("/dev/shm").glob(f"bianmin-copy-{pid}-*"))


def pages_shown(terminal):
    return names(terminal.last, "sheet.")


def picture_of(pdf, number):
    """The only picture on a page, gray."""
    [image] = pdf.pages[number].get_images().values()
    return np.asarray(pikepdf.PdfImage(image).as_pil_image().convert("L"))


def ink(gray):
    """Where a page is written on: strokes, as dense as they are on a grid of 20 × 20 over all of them."""
    height, width = gray.shape
    inner = gray[height // 25 : -height // 25, width // 25 : -width // 25]
    inner = cv2.resize(inner, (800, 1130), interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(inner, 51)
    strokes = (inner.astype(np.float32) < 0.72 * paper).astype(np.uint8)
    strokes = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, np.ones((3, 9), np.uint8))
    count, labels, about, _ = cv2.connectedComponentsWithStats(strokes)
    # What is long and thin is the page's edge, and a speck is one.
    kept = [n for n in range(1, count) if about[n, cv2.CC_STAT_AREA] > 20 and 8 < about[n, cv2.CC_STAT_HEIGHT] < 500]
    mask = np.isin(labels, kept).astype(np.uint8)
    x, y, wide, high = cv2.boundingRect(mask)
    return cv2.resize(mask[y : y + high, x : x + wide] * 255, (20, 20), interpolation=cv2.INTER_AREA).astype(np.float32)


def alike(one, other):
    """Correlation of what is written on two pages."""
    a, b = (ink(picture) for picture in (one, other))
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).mean() / (a.std() * b.std()))


def seen_on(paper, piece):
    """How surely a piece of a page is somewhere on a sheet of paper, upright, whatever its size (correlation)."""

    def strokes(gray):
        less = cv2.resize(gray, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).astype(np.float32)
        return cv2.GaussianBlur(np.maximum(cv2.GaussianBlur(less, (0, 0), 12) - less, 0), (0, 0), 1.5)

    height, width = piece.shape
    where = strokes(paper)
    where += np.random.default_rng(1).normal(0, 0.5, where.shape).astype(np.float32)  # bare paper is like nothing
    inner, best = piece[height // 12 : -height // 12, width // 12 : -width // 12], -1.0
    for scale in np.geomspace(1.0, 2.6, 40):
        sought = strokes(cv2.resize(inner, None, fx=scale, fy=scale))
        if sought.shape[0] <= where.shape[0] and sought.shape[1] <= where.shape[1]:
            best = max(best, float(cv2.matchTemplate(where, sought, cv2.TM_CCOEFF_NORMED).max()))
    return best


def flat(photograph, corners):
    """The page of a photograph, squared by its known corners to A4's shape."""
    box = np.array([(0, 0), (840, 0), (840, 1188), (0, 1188)], np.float32)
    return cv2.warpPerspective(
        cv2.cvtColor(photograph, cv2.COLOR_BGR2GRAY), cv2.getPerspectiveTransform(corners, box), (840, 1188)
    )


def test_laid_down_taken_printed_and_wiped(terminal, program, camera, photographs):
    terminal.wake()
    terminal.until(lambda said: names(said, "home.scan"), 20)
    terminal.tap("home.scan")
    terminal.page("scan")
    pid = terminal.process.pid
    camera.wait(20)  # the empty desk is learnt

    camera.lay(0)
    terminal.until(lambda said: names(said, "sheet.1"), 30)
    [folder] = memory_folders(pid)
    for light in (0.8, 0.65, 0.9, 1.15, 1.0):  # a cloud, the lamp
        camera.show(page=0, light=light)
        camera.wait(6)
    camera.take_away(0)
    camera.wait(10)
    terminal.quiet()
    assert pages_shown(terminal) == ["sheet.1"], "light is no page, and a page is taken once"

    camera.lay(1, light=0.85)
    terminal.until(lambda said: names(said, "sheet.2"), 30)
    camera.wait(10)
    terminal.quiet()
    assert pages_shown(terminal) == ["sheet.1", "sheet.2"]

    terminal.tap("scan.copy")
    terminal.page("copy")
    terminal.until(lambda said: any(w["name"] == "copy.print" and w["enabled"] for w in said["widgets"]), 20)
    terminal.tap("copy.print")
    terminal.page("copied", 30)
    [document] = program.documents
    assert document.title == "复印件"
    with pikepdf.open(io.BytesIO(document.pdf)) as pdf:
        assert len(pdf.pages) == 2
        for number, page in enumerate(pdf.pages):
            width, height = (float(side) for side in list(page.mediabox)[2:])
            assert (width, height) == pytest.approx((595.3, 841.9), abs=1.5), "A4"
            lay = flat(*photographs[number])
            assert alike(picture_of(pdf, number), lay) > 0.5 > alike(picture_of(pdf, 1 - number), lay)

    assert list(folder.iterdir())
    terminal.tap("copied.finish")
    terminal.page("attract")
    until(lambda: not memory_folders(pid), 2.0)


def chosen(terminal, camera):
    """To the page of a paper that was laid down."""
    terminal.wake()
    terminal.until(lambda said: names(said, "home.scan"), 20)
    terminal.tap("home.scan")
    terminal.page("scan")
    camera.lay(0)
    terminal.until(lambda said: names(said, "sheet.1"), 30)
    terminal.tap("sheet.1")
    terminal.page("sheet")


def test_a_doubt_about_a_page_never_bars_the_way_on(terminal, camera):
    terminal.wake()
    terminal.until(lambda said: names(said, "home.scan"), 20)
    terminal.tap("home.scan")
    terminal.page("scan")
    camera.wait(20)  # the empty desk is learnt
    terminal.tap("scan.shoot")  # nothing lies there: the whole picture is taken, and asked about
    terminal.until(lambda said: names(said, "scan.keep"), 20)
    camera.lay(0)
    terminal.until(lambda said: names(said, "sheet.2"), 30)
    assert {"scan.retake", "scan.keep", "scan.finish", "scan.copy"} <= set(names(terminal.last, "scan."))
    terminal.tap("scan.copy")
    terminal.page("copy")


def test_a_page_turned_left_out_brought_back_and_retaken(terminal, camera):
    chosen(terminal, camera)
    terminal.tap("sheet.turn")
    terminal.tap("sheet.retake")  # it still lies there, and is taken again at once in its old place
    terminal.page("scan")
    camera.wait(15)
    terminal.until(lambda said: names(said, "sheet.1"), 20)
    terminal.quiet()
    assert pages_shown(terminal) == ["sheet.1"]
    terminal.tap("sheet.1")
    terminal.page("sheet")
    terminal.tap("sheet.remove")
    terminal.page("scan")
    terminal.until(lambda said: not names(said, "sheet."), 10)
    assert not terminal.widget("scan.copy")["enabled"]
    terminal.tap("scan.undo")
    terminal.until(lambda said: names(said, "sheet.1"), 10)


def middle(terminal, name):
    x, y, width, height = terminal.widget(name)["rect"]
    return np.array([x + width / 2, y + height / 2])


def rings(terminal):
    """Where the four rings stand on the screen."""
    return np.array([middle(terminal, f"crop.{n}") for n in (1, 2, 3, 4)])


def cropping(terminal, camera):
    """To the crop page of a page that was laid down."""
    chosen(terminal, camera)
    terminal.tap("sheet.crop")
    terminal.page("crop")
    terminal.until(lambda said: names(said, "crop.1"), 20)
    terminal.quiet()


def halve(terminal, found):
    """The two right rings are dragged halfway to the left ones."""
    for number, other in ((2, 1), (3, 4)):
        way = (found[other - 1] - found[number - 1]) / 2
        terminal.drag(f"crop.{number}", (int(way[0]), int(way[1])))


def test_a_page_cropped_by_hand_is_printed_as_it_was_cropped(terminal, program, camera, photographs):
    cropping(terminal, camera)
    photograph, corners = photographs[0]
    found = rings(terminal)
    # The rings stand on the page's corners: the way from picture to screen is the same for both axes and all corners.
    dots = np.linalg.norm(found[2] - found[0]) / np.linalg.norm(corners[2] - corners[0])
    assert np.abs((found - found.mean(0)) / dots - (corners - corners.mean(0))).max() < 25, "pixels of the photograph"
    assert min(terminal.widget("crop.1")["rect"][2:]) >= 20 * 1080 / 268 > 64

    halve(terminal, found)
    terminal.until(lambda said: np.abs(middle(terminal, "crop.3") - found[2:].mean(0)).max() < 12, 5)
    terminal.tap("crop.automatic")
    terminal.until(lambda said: np.abs(rings(terminal) - found).max() <= 1, 5)

    halve(terminal, found)
    terminal.tap("crop.good")
    terminal.page("sheet")
    terminal.tap("sheet.good")
    terminal.page("scan")
    terminal.tap("scan.copy")
    terminal.page("copy")
    terminal.until(lambda said: any(w["name"] == "copy.print" and w["enabled"] for w in said["widgets"]), 20)
    terminal.tap("copy.print")
    terminal.page("copied", 30)
    [document] = program.documents
    with pikepdf.open(io.BytesIO(document.pdf)) as pdf:
        printed = picture_of(pdf, 0)
    page = flat(photograph, corners)
    left, right = page[:, :420], page[:, 420:]
    there, gone = seen_on(printed, left), seen_on(printed, right)
    assert there > 0.75 and gone < 0.8 * there, (there, gone)


def test_cropping_is_left_without_a_change_and_cropped_again_from_what_was_found(terminal, camera):
    cropping(terminal, camera)
    found = rings(terminal)
    terminal.drag("crop.1", (120, 160))
    terminal.until(lambda said: np.abs(middle(terminal, "crop.1") - found[0] - (120, 160)).max() < 6, 5)
    terminal.tap("crop.cancel")
    terminal.page("sheet")
    terminal.tap("sheet.crop")
    terminal.page("crop")
    terminal.until(lambda said: names(said, "crop.1") and np.abs(rings(terminal) - found).max() <= 1, 10)
    terminal.drag("crop.1", (120, 160))
    terminal.tap("crop.good")
    terminal.page("sheet")
    terminal.tap("sheet.crop")
    terminal.page("crop")
    terminal.until(
        lambda said: names(said, "crop.1") and np.abs(middle(terminal, "crop.1") - found[0] - (120, 160)).max() < 8, 10
    )
    terminal.tap("crop.automatic")
    terminal.until(lambda said: np.abs(rings(terminal) - found).max() <= 2, 5)


def test_rings_never_cross(terminal, camera):
    cropping(terminal, camera)
    terminal.drag("crop.1", (900, 1500))
    terminal.quiet()
    (ax, ay), (bx, by), _, (dx, dy) = rings(terminal)
    assert (bx - ax) * (dy - ay) - (by - ay) * (dx - ax) > 0, "still clockwise: the upper left one is no other"


@pytest.mark.parametrize("photographs", [(["姓名 测试", "证件"], 1, 0.2)], indirect=True, ids=["card"])
def test_a_card_fills_the_room_while_it_is_cropped_and_all_of_the_picture_can_be_seen(terminal, camera):
    cropping(terminal, camera)
    close = rings(terminal)
    terminal.tap("crop.zoom")
    terminal.quiet()
    terminal.tap("crop.zoom")
    terminal.until(lambda said: np.abs(rings(terminal) - close).max() <= 1, 5)
    assert np.ptp(close[:, 1]) > 600, "dots of the screen"

"""Scan and copy at the kiosk: a document camera's pages in this session's memory, a copy on paper, nothing after.

    camera ─FrameSeen─▶ hear ─▶ ScanSession ─▶ pages (encrypted, on a RAM disk) ─▶ a PDF ─▶ the printer for sheets
                          └──▶ the live view, made small ─▶ `glance`, for the window

Every method returns at once: what takes time is done by one worker, what comes of it is told by `tell`, stamped with
the session it belongs to. While nobody scans, the camera's pictures are dropped as they come. The pages' text is never
read here: a copy does not need it, and what was never known need not be forgotten.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from devices.jpeg_decoder import reduced
from devices.orders import Outcome
from devices.private import private_folder, sweep
from devices.roles import (
    Alive,
    BusFull,
    FrameSeen,
    LinkDown,
    News,
    Obeyed,
    Order,
    PictureBright,
    PictureDark,
    PictureFrozen,
    PrintDocument,
    Silent,
    Trouble,
    Unconfirmed,
    WrongFormat,
)
from kiosk.papers import Corners, Glance, Pixels, Preview, Taken, Uncut

if TYPE_CHECKING:
    from devices.scanning import ScanSession
    from devices.vision.desk import Desk

log = logging.getLogger(__name__)
SIDE = 720  # pixels at most on the longer side of the live view
EVERY = 1 / 20  # seconds between two pictures of it
LOOK = 0.25  # seconds between two glances when no picture has been looked at
GONE = 3.0  # seconds without a picture
MOST = 20  # pages of one person
PAGE, THUMB = 1000, 240  # pixels of a page's longer side when it is looked at
SHOT = 2400  # the same of the picture it was cut from, of which a card is shown as large as the screen allows
PRINTING = 180.0  # seconds a document may take until nobody can say any more what became of it
TITLE = "复印件"  # all that the printer's list shows
M_PERTURB = -6  # malloc.h
FOLDER = "bianmin-copy"
MARK = "仅供本次办事使用"
TROUBLES: Mapping[type[Trouble], str] = {
    LinkDown: "gone",
    Silent: "gone",
    BusFull: "gone",  # nothing a citizen could do about it; the technician's page says what it is
    PictureFrozen: "frozen",
    PictureDark: "dark",
    PictureBright: "bright",
    WrongFormat: "small",
}
WORST = ("gone", "frozen", "dark", "bright", "small")
BLIND = ("gone", "frozen", "dark", "bright")  # nothing that was found is worth showing


class Copier:
    """The camera and the printer for sheets, as a citizen uses them.

    `tell(kind, session, …)` is `Outside.post`: "sheets" (tuple of Taken), "sheet" (id, Pixels), "uncut" (Uncut),
    "preview" (Preview), "copied" (done, unknown or failed, and why), "broke". `uses` names the kiosk's devices: camera,
    sheets.
    """

    def __init__(
        self,
        tell: Callable[..., None],
        uses: Mapping[str, str],
        send: Callable[[str, Order, float], Future[Outcome]],
        across: Callable[[str], float] = lambda _camera: 0.0,
    ) -> None:
        """`across(camera)`: the millimetres its pictures show from left to right, 0 where nobody has measured."""
        self._tell, self._uses, self._send, self._across = tell, uses, send, across
        self._work = ThreadPoolExecutor(1, "copier")
        self._lock = threading.Lock()  # who is there, and what is shown to them
        self._scan: ScanSession | None = None
        self._whose = ""  # the session this scan was opened for; it may be over while the worker has other things to do
        self._camera = ""  # the one the scan looks through
        self._desks: dict[str, Desk] = {}  # camera → its empty desk, as the last scan knew it
        self._session = ""  # whose pages these are
        self._watching = False
        self._troubles: set[str] = set()
        self._looked = threading.Event()  # the session has looked at another picture
        self._last = 0.0  # when a picture came, or watching began
        self._glance: Glance | None = None
        self._closing = False
        self._live = threading.Thread(target=self._follow, name="live view", daemon=True)
        self._live.start()
        overwrite_freed_memory()
        self._work.submit(sweep, FOLDER)

    @property
    def there(self) -> bool:
        """This kiosk has what copying needs: a camera and a printer for sheets."""
        return "camera" in self._uses and "sheets" in self._uses

    # ---- what the camera says --------------------------------------------------------------------------------------

    def hear(self, device: str, said: News) -> None:
        """News of any device, from any thread."""
        if device != self._uses.get("camera"):
            return
        if isinstance(said, FrameSeen):
            scan = self._now
            if self._watching and scan is not None:
                self._last = time.monotonic()
                scan.see(said.jpeg)
            return
        if isinstance(said, Alive):
            self._troubles.discard("gone")
        word = next((word for kind, word in TROUBLES.items() if isinstance(said, kind)), None)
        if word is not None and isinstance(said, Trouble):
            (self._troubles.discard if said.over else self._troubles.add)(word)

    def glance(self) -> Glance | None:
        """The live view now; None while nobody scans."""
        return self._glance

    # ---- what a person does ----------------------------------------------------------------------------------------

    def begin(self, session: str) -> None:
        """This person scans; nothing happens when they do already."""
        with self._lock:
            if session == self._session:
                return
            self._session = session
        self._do(self._open, session)

    def watch(self, watching: bool) -> None:
        """Look at the live view, and take pages from it; or do not for a while."""
        with self._lock:
            if watching == self._watching:
                return
            self._last, self._watching = time.monotonic(), watching
            if not watching:
                self._glance = None

    def end(self) -> None:
        """Forget this person: pages, pictures, folder."""
        with self._lock:
            session, self._session = self._session, ""
            self._watching, self._glance = False, None
        if session:
            self._do(self._forget)

    def shoot(self) -> None:
        """Take what lies there now."""
        self._with(lambda scan: scan.take())

    def remove(self, id: int) -> None:
        """A page is not wanted; `undo` brings it back."""
        self._with(lambda scan: scan.remove(id))

    def turn(self, id: int) -> None:
        """A page a quarter clockwise; it is shown again."""
        self._with(lambda scan: scan.rotate(id))
        self.look_at(id)

    def earlier(self, id: int) -> None:
        """A page changes places with the one before it, if there is one."""

        def swap(scan: ScanSession) -> None:
            order = [page["id"] for page in scan.pages()]
            if id in order[1:]:
                place = order.index(id)
                order[place - 1 : place + 1] = id, order[place - 1]
                scan.reorder(order)

        self._with(swap)

    def retake(self, id: int) -> None:
        """The next page taken replaces this one."""
        self._with(lambda scan: scan.retake(id))

    def undo(self) -> None:
        """Take the last change back."""
        self._with(lambda scan: scan.undo())

    def look_at(self, id: int) -> None:
        """A page, large: told as "sheet"."""
        self._with(lambda scan: self._say("sheet", id, pixels(scan.picture(id), PAGE)))

    def look_at_shot(self, id: int) -> None:
        """The camera's picture a page was cut from, to be cropped by hand: told as "uncut"."""

        def show(scan: ScanSession) -> None:
            corners, found = scan.cut(id)
            self._say("uncut", Uncut(id, shot_pixels(scan.shot(id)), tuple(corners), tuple(found)))

        self._with(show)

    def cut(self, id: int, corners: Corners) -> None:
        """Cut a page from its shot between these corners; it is shown again."""
        self._with(lambda scan: scan.crop(id, corners))
        self.look_at(id)

    def preview(self, number: int = 0, mark: bool = False) -> None:
        """The `number`th sheet as it would be printed: told as "preview"."""

        def show(scan: ScanSession) -> None:
            of = scan.papers()
            wanted = number % of
            sheet = scan.paper(wanted, MARK if mark else "")
            self._say("preview", Preview(pixels(sheet, PAGE), wanted, of))

        self._with(show)

    def print(self, copies: int = 1, mark: bool = False) -> None:
        """The copy on paper: told as "copied" when it is known what became of it."""
        session = self._session

        def out(scan: ScanSession) -> None:
            order = PrintDocument(title=TITLE, pdf=scan.copy(mark=MARK if mark else ""), copies=copies)
            try:
                future = self._send(self._uses.get("sheets", ""), order, PRINTING)
            except KeyError:
                self._tell("copied", session, "failed", "there is no printer")
                return
            future.add_done_callback(lambda done: self._printed(session, done.result()))

        self._with(out)

    def close(self) -> None:
        """The terminal closes: forget whoever is there."""
        self.end()
        self._closing = True
        self._looked.set()
        self._work.shutdown(wait=True)
        self._live.join(timeout=5)

    # ---- inside ----------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> ScanSession | None:
        """The scan of whoever is there; None while it is not open yet, or the last person's not forgotten yet."""
        scan = self._scan
        return scan if self._whose == self._session else None

    def _do(self, work: Callable[..., None], *values: Any) -> None:
        def carefully() -> None:
            try:
                work(*values)
            except Exception as trouble:  # noqa: BLE001 - a worker's mistake has to reach the window's thread
                self._tell("broke", trouble)

        self._work.submit(carefully)

    def _with(self, work: Callable[[ScanSession], Any]) -> None:
        """Do this with the pages, unless they have been forgotten or changed before its turn came."""
        session = self._session

        def if_there() -> None:
            from devices.scanning import ScanTrouble

            scan = self._now
            if scan is None or session != self._session:
                return
            try:
                work(scan)
            except ScanTrouble as gone:
                log.info("a touch came too late: %s", gone)

        self._do(if_there)

    def _say(self, kind: str, *values: Any) -> None:
        """To be called by the worker alone. Whose it is, is told: by now somebody else may be there."""
        self._tell(kind, self._whose, *values)

    def _open(self, session: str) -> None:
        from devices.scanning import ScanSession  # late: the engine is large, and most people only take a number

        if session != self._session:
            return
        folder = private_folder(FOLDER)
        self._camera = self._uses.get("camera", "")
        self._whose = session
        self._scan = ScanSession(
            folder,
            searchable=False,
            across=self._across(self._camera),
            desk=self._desks.get(self._camera),
            most=MOST,
            changed=lambda: self._do(self._tell_sheets, session),
            looked=self._looked.set,
        )
        self._folder = folder

    def _forget(self) -> None:
        scan, self._scan = self._scan, None
        if scan is not None:
            if (desk := scan.desk) is not None:
                self._desks[self._camera] = desk
            scan.end()
            shutil.rmtree(self._folder, ignore_errors=True)
        del scan
        gc.collect()
        give_back_memory()

    def _tell_sheets(self, session: str) -> None:
        scan = self._now
        if scan is None or session != self._session:
            return
        pages = scan.state()["pages"]
        sheets = [Taken(page["id"], pixels(scan.thumbnail(page["id"]), THUMB), tuple(page["flags"])) for page in pages]
        self._tell("sheets", session, tuple(sheets))

    def _printed(self, session: str, outcome: Outcome) -> None:
        if isinstance(outcome, Obeyed):
            self._tell("copied", session, "done", "")
        elif isinstance(outcome, Unconfirmed):
            self._tell("copied", session, "unknown", outcome.reason)
        else:
            self._tell("copied", session, "failed", outcome.reason)

    def _follow(self) -> None:
        """Make the live view: the picture the session has looked at last, small, with what it sees in it."""
        number = 0
        while not self._closing:
            looked = self._looked.wait(LOOK)
            self._looked.clear()
            if not self._watching:
                continue
            began, number, session = time.monotonic(), number + 1, self._session
            glance = self._look(number, self._now, looked)
            with self._lock:
                if self._watching and session == self._session:  # else nobody is to see it any more
                    self._glance = glance
            time.sleep(max(0.0, EVERY - (time.monotonic() - began)))

    def _look(self, number: int, scan: ScanSession | None, looked: bool) -> Glance:
        """`looked`: at another picture than the one shown before."""
        before = self._glance
        picture, seen = scan.seen() if scan is not None else (None, {})
        shown = _drawn(picture, SIDE) if looked and picture is not None else None
        troubles = set(self._troubles)
        if time.monotonic() - self._last > GONE:
            troubles.add("frozen" if "frozen" in troubles else "gone")
        phase = str(seen.get("phase", "starting"))
        if phase == "still" and before is not None and before.phase == "taken":
            phase = "taken"  # it has been looked at once more; nothing has moved
        trouble = next((word for word in WORST if word in troubles), "")
        # What was found in another picture than the one shown would trail behind it.
        old = before if shown is None else None
        outlines, cut_off = (old.outlines, old.cut_off) if old else _outlines(seen)
        blind = trouble in BLIND
        return Glance(
            number,
            shown or (before.pixels if before else None),
            () if blind else outlines,
            phase,
            trouble,
            int(seen.get("taken", 0)),
            seen.get("retaking"),
            cut_off and not blind,
        )


def _outlines(seen: Mapping[str, Any]) -> tuple[tuple[Corners, ...], bool]:
    """The outlines in a picture, and whether one of them reaches beyond it."""
    pages = seen.get("outlines", ())
    cut_off = any("out_of_frame" in one["flags"] for one in pages)
    return tuple(tuple(map(tuple, one["corners"])) for one in pages), cut_off


def pixels(jpeg: bytes, side: int) -> Pixels:
    """A JPEG as a picture to be drawn, at most `side` pixels long. Raises ValueError when it is none."""
    bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError("a page's picture cannot be read.")
    return _drawn(bgr, side)


def shot_pixels(jpeg: bytes) -> Pixels:
    """A whole shot, as the camera sees it. Raises ValueError when it is damaged."""
    return _drawn(reduced(jpeg, SHOT), SHOT)


def _drawn(bgr: np.ndarray, side: int) -> Pixels:
    height, width = bgr.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    height, width = bgr.shape[:2]
    return Pixels(width, height, cv2.cvtColor(cv2.flip(bgr, 0), cv2.COLOR_BGR2RGB).tobytes())


def give_back_memory() -> None:
    """Freed memory goes back to the system, so that what lay there lies there no more (glibc; else nothing happens)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def overwrite_freed_memory() -> None:
    """From now on this process overwrites what it frees (glibc's M_PERTURB): no picture is left lying in the heap."""
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(M_PERTURB, 0x5A)

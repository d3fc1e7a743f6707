"""One person's scan: follows a camera's live view, takes each page when everything is still, keeps the pages.

A thread of the session looks at the newest frame (older ones are dropped), so a slow machine shows fewer outlines and
misses no page; a second one reads the text of pages behind everything else, if that is wanted. Pages lie in a `Pile`:
on the disk only encrypted with a key of this process. `end` forgets them; so does the end of the process.
"""

from __future__ import annotations

import itertools
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from devices.jpeg_decoder import reduced, size_of
from devices.scanning import output
from devices.scanning.watch import Look, Watch
from devices.teller import safely
from devices.vision import export, flat, flaws, judging, scan, tone, upright
from devices.vision.desk import Desk
from devices.vision.sheets import Pile, PileMistake, Sheet
from devices.vision.text import Line, Reader, Stopped, TextTrouble

SMALL = 640  # pixels of the longer side of what is watched, or somewhat more: as small as its JPEG can be opened
FRESH = 3.0  # seconds after which a camera that sends nothing is told as such
IDLE = 0.25  # seconds a thread waits before it looks whether it is to end
Corners = list[tuple[float, float]]  # clockwise from top left, fractions of a shot's width and height
LEAST_SIDE = 0.01  # of the picture: a page cut by hand is no shorter on any side
LEAST_AREA = 0.001  # of the picture, likewise
BEYOND = 0.5  # of the picture: so far may a corner lie outside of it
MOST = 300  # pages of one scan: with their shots about a gigabyte, and more than anybody lays down for one matter

DAMAGED = "The camera's picture is damaged."

log = logging.getLogger(__name__)


class ScanTrouble(ValueError):
    """Why something cannot be done, as a message id fit to show."""


@dataclass
class _Live:
    """What was seen last. Corners are fractions of the picture's width and height, so that any size can show them."""

    outlines: list[dict[str, Any]] = field(default_factory=list)
    phase: str = "starting"
    picture: np.ndarray | None = None  # small, BGR: the one the outlines were found in
    frames: int = 0
    at: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels; zeros before there is one."""
        return (0, 0) if self.picture is None else (self.picture.shape[1], self.picture.shape[0])


class ScanSession:
    """Any thread may call any method. `folder` must exist and be this session's own; it is emptied by `end`."""

    def __init__(
        self,
        folder: Path,
        *,
        mode: str = "document",
        dpi: float | None = None,
        across: float = 0.0,
        searchable: bool = True,
        automatic: bool = True,
        most: int = MOST,
        watch: Watch | None = None,
        desk: Desk | None = None,
        changed: Callable[[], None] = lambda: None,
        looked: Callable[[], None] = lambda: None,
    ) -> None:
        """`automatic`: pages are taken by themselves; else by `take`; no more than `most` of them. A thread calls
        `changed` when a page was taken, read or changed, and `looked` after each look at a frame. The stand's true
        scale, measured once: `across`, the millimetres its pictures show from left to right (0: nobody has measured),
        or `dpi`. `desk`: what an earlier session of this camera knew of the empty desk. Raises ScanTrouble for a mode
        there is not."""
        self._folder, self._dpi, self._across, self._changed = folder, dpi, across, changed
        self._most, self._looked = most, looked
        self._watch = watch or Watch(desk)
        self._lock = threading.RLock()  # the pile; held for one page at a time, never for a whole document
        self._eye = threading.Lock()  # what the camera shows and what is wanted of it; the last to be taken
        self._pile = Pile(folder)
        self._live = _Live()
        self._newest: bytes | None = None
        self._there = threading.Event()  # a frame has come
        self._take_now = False
        self._again: int | None = None  # the page that the next shot is to replace
        self._trouble = ""
        self._flash = 0  # counts pages taken, for sound and flash
        self._ended = False
        self._version = 0
        self.automatic, self.searchable = automatic, searchable
        self.mode = self._checked(mode)
        self._to_read: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._abouts: dict[str, dict[str, Any]] = {}  # stamp → what is told of the page, so that it is opened once
        self._reading: dict[int, tuple[int, int]] = {}  # page's key → lines read, of how many
        self._threads = [
            threading.Thread(target=self._look, name="scan", daemon=True),
            threading.Thread(target=self._read, name="scan text", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    # ---- the camera ------------------------------------------------------------------------------------------------

    def see(self, jpeg: bytes) -> None:
        """A frame of the live view: a whole JPEG, as the camera sent it."""
        with self._eye:
            if self._ended:
                return
            self._newest = jpeg
        self._there.set()

    def frame(self) -> bytes | None:
        """The newest frame, to be shown; None before there is one."""
        with self._eye:
            return self._newest

    def take(self) -> None:
        """Take what lies there now: the button, the pedal."""
        with self._eye:
            if self._ended:
                return
            self._take_now = True
        self._there.set()

    @property
    def desk(self) -> Desk | None:
        """What is known of the empty desk: for the next session of this camera. Nothing that was laid on it."""
        return self._watch.desk

    # ---- what there is ---------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything to be shown, as a JSON-able dict: what `live` and `pages` tell."""
        with self._lock:
            return {**self.live(), "pages": self.pages()}

    def live(self) -> dict[str, Any]:
        """What changes with each frame; `phase`: starting, empty, unclear (something lies there, but no
        page is found), moving, still, taken, full, no_camera."""
        return self.seen()[1]

    def seen(self) -> tuple[np.ndarray | None, dict[str, Any]]:
        """The small picture (h × w × 3, uint8, BGR) looked at last, if any, and what `live` tells of this very one."""
        with self._eye:
            live = self._live
        return live.picture, self._told_of(live)

    def _told_of(self, live: _Live) -> dict[str, Any]:
        stale = live.at and time.monotonic() - live.at > FRESH
        return {
            "phase": "no_camera" if stale else "full" if self._full else live.phase,
            "outlines": [] if stale else live.outlines,
            "taken": self._flash,
            "size": list(live.size),
            "trouble": self._trouble,
            "mode": self.mode,
            "automatic": self.automatic,
            "retaking": self._again,
            "version": self._version,
        }

    def pages(self) -> list[dict[str, Any]]:
        """The pages in order. `stamp` is another one whenever the page is; corners are pixels of its shot."""
        with self._lock:
            names = self._pile.names
            self._abouts = {name: self._abouts.get(name) or _about(self._pile[n]) for n, name in enumerate(names)}
            return [
                {"id": key, "stamp": name, **self._abouts[name], "reading": self._how_far(key)}
                for key, name in zip(self._pile.ids, names, strict=True)
            ]

    def _how_far(self, key: int) -> dict[str, int] | None:
        if key not in self._reading:
            return None
        done, of = self._reading[key]
        return {"done": done, "of": of}

    def __len__(self) -> int:
        with self._lock:
            return len(self._pile)

    def thumbnail(self, page: int) -> bytes:
        """A small JPEG of a page. Raises ScanTrouble when there is no such page."""
        with self._lock:
            return self._pile[self._place(page)].thumbnail

    def picture(self, page: int) -> bytes:
        """The page as a JPEG, upright. Raises ScanTrouble."""
        return export.jpg(self._sheet(page))

    def shot(self, page: int) -> bytes:
        """The camera's picture the page was cut from, for cropping by hand. Raises ScanTrouble."""
        with self._lock:
            return self._pile.shot(self._place(page))

    def cut(self, page: int) -> tuple[Corners, Corners]:
        """Where a page was cut from its shot, and where it was found there before anybody cropped it by hand: corners
        as `crop` takes them, or none where all of the picture was taken. Raises ScanTrouble."""
        with self._lock:
            place = self._place(page)
            sheet, (width, height) = self._pile[place], size_of(self._pile.shot(place))
        now, found = ([(x / width, y / height) for x, y in points] for points in (sheet.corners, sheet.outline))
        return now, found

    # ---- what a person does with the pages -------------------------------------------------------------------------

    def set_mode(self, mode: str) -> None:
        """How the next pages are made. Raises ScanTrouble."""
        with self._lock:
            self.mode = self._checked(mode)
            self._touch()

    def remove(self, page: int) -> None:
        """Take a page out; `undo` brings it back."""
        with self._lock:
            self._pile.remove(self._place(page))
            self._touch()

    def rotate(self, page: int, degrees: int = 90) -> None:
        """Turn a page clockwise."""
        with self._lock:
            self._pile.rotate(self._place(page), degrees)
            self._touch()

    def reorder(self, pages: Sequence[int]) -> None:
        """A new order; each page once. Raises ScanTrouble."""
        with self._lock:
            places = [self._place(page) for page in pages]
            if sorted(places) != list(range(len(self._pile))):
                raise ScanTrouble("A new order must name each page once.")
            self._pile.reorder(places)
            self._touch()

    def crop(self, page: int, corners: Sequence[Sequence[float]]) -> None:
        """Cut the page again between four corners set by hand (fractions of the shot, clockwise from top left).

        Raises ScanTrouble, with nothing changed.
        """
        _checked_corners(corners)
        with self._lock:
            self._pile.crop(self._place(page), partial(self._cut_anew, corners))
            self._touch()
            if self.searchable:
                self._to_read.put(page)

    def _cut_anew(self, corners: Sequence[Sequence[float]], shot: bytes, old: Sheet) -> Sheet:
        taken = scan.shot(shot, self._dpi)
        height, width = taken.bgr.shape[:2]
        points = [(float(x) * width, float(y) * height) for x, y in corners]
        # A person says where the page is, and so what is outside of it; the rest has to be good all the same.
        flags = [f for f in flaws.flaws(taken.bgr, points) if f != judging.CUT_OFF or f in old.flags]
        return scan.cut_anew(self._measured(taken, points), points, old, flags)

    def retake(self, page: int) -> None:
        """The next page taken replaces this one."""
        with self._lock:
            self._place(page)
            self._again = page
            self._watch.again()
            self._touch()

    def undo(self) -> bool:
        """Take the last change back; False when there is none."""
        with self._lock:
            if not self._pile.undo():
                return False
            self._touch()
            return True

    # ---- handing over ----------------------------------------------------------------------------------------------

    def document(self, title: str = "", mark: str = "") -> bytes:
        """All pages as one PDF, searchable as far as they have been read; `mark` is written across each page."""
        return output.document(self._marked(mark), title)

    def exported(self, kind: str, mark: str = "", page: int | None = None) -> list[tuple[str, bytes]]:
        """(name, bytes) of the files of a kind: one PDF or TIFF, or a JPEG or PNG for each page, or for one `page`.

        Raises ScanTrouble.
        """
        if kind not in output.FORMATS:
            raise ScanTrouble("There is no such kind of file.")
        if page is None or kind in output.OF_ALL:
            return output.files(kind, self._marked(mark))
        with self._lock:
            self._some()
            place, sheet = self._place(page), self._sheet(page)
        return output.files(kind, [output.with_mark(sheet, mark)], place + 1)

    def copy(self, pages: Sequence[int] = (), mark: str = "") -> bytes:
        """A PDF to be printed as a copier would: a sheet of A4 a page, cards one below the other at true size.

        `pages`: these alone, in this order; no more of them than there are. Raises ScanTrouble.
        """
        papers = output.on_paper(self._sheets(pages))
        return output.document(output.with_mark(scan.copies(few), mark) for few in papers)

    def preview(self, pages: Sequence[int] = ()) -> bytes:
        """A small JPEG of the first sheet `copy` would print."""
        return scan.copies(next(output.on_paper(self._sheets(pages)))).thumbnail

    def papers(self) -> int:
        """How many sheets of A4 `copy` would print of all pages. Raises ScanTrouble when there is no page."""
        return sum(1 for _ in output.on_paper(self._sheets()))

    def paper(self, number: int, mark: str = "") -> bytes:
        """The `number`th sheet (from 0) `copy` would print, as a JPEG of its full size. Raises ScanTrouble."""
        few = next(itertools.islice(output.on_paper(self._sheets()), number, None), None)
        if few is None:
            raise ScanTrouble("There is no such page.")
        return export.jpg(output.with_mark(scan.copies(few), mark))

    def end(self) -> None:
        """Forget everything: pages, shots, frames, text. Returns when the threads have ended."""
        with self._eye:
            self._ended = True
        self._there.set()
        self._to_read.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=20)
        with self._lock:
            self._pile.wipe()
            self._reading, self._abouts, self._trouble, self._again = {}, {}, "", None
            self._watch = Watch()
        with self._eye:
            self._newest, self._live, self._take_now = None, _Live(), False

    def __enter__(self) -> ScanSession:
        return self

    def __exit__(self, *error: object) -> Literal[False]:
        self.end()
        return False

    # ---- inside ----------------------------------------------------------------------------------------------------

    @property
    def _full(self) -> bool:
        """No further page is taken; one that replaces another still is."""
        return self._again is None and len(self._pile) >= self._most

    def _some(self) -> None:
        if not len(self._pile):
            raise ScanTrouble("There is no page yet.")

    def _place(self, page: int) -> int:
        try:
            return self._pile.ids.index(page)
        except ValueError:
            raise ScanTrouble("The scan has no such page.") from None

    @staticmethod
    def _checked(mode: str) -> str:
        if mode not in tone.MODES:
            raise ScanTrouble("There is no such mode.")
        return mode

    def _sheet(self, page: int) -> Sheet:
        with self._lock:
            return self._pile[self._place(page)]

    def _sheets(self, pages: Sequence[int] = ()) -> Iterator[Sheet]:
        """These pages, or all in order, each read when its turn comes: between two of them the session goes on.

        Raises ScanTrouble, also for a page that was taken out before its turn.
        """
        with self._lock:
            self._some()
            if len(pages) > len(self._pile):
                raise ScanTrouble("The scan has no such page.")
            chosen = list(pages) or self._pile.ids
            for page in chosen:
                self._place(page)
        return map(self._sheet, chosen)

    def _marked(self, mark: str) -> Iterator[Sheet]:
        return (output.with_mark(sheet, mark) for sheet in self._sheets())

    def _touch(self) -> None:
        if self._again is not None and self._again not in self._pile.ids:
            self._again = None  # the page that was to be taken again is no more
        self._version += 1
        self._changed()

    def _look(self) -> None:
        """Follow the newest frame. A mistake of ours over one picture is told, and does not end the scan."""
        while not self._ended:
            if not self._there.wait(IDLE):
                continue
            self._there.clear()
            if safely("looking at a camera's picture", self._look_once) is not None:
                self._told(DAMAGED)

    def _look_once(self) -> None:
        with self._eye:
            jpeg, now_wanted, self._take_now = self._newest, self._take_now, False
        if jpeg is None or self._ended:
            return
        try:
            seen = reduced(jpeg, SMALL)
        except ValueError:  # half a picture is no page; whoever has pressed the button gets the next one
            self._told(DAMAGED)
            with self._eye:
                self._take_now = (self._take_now or now_wanted) and not self._ended
            return
        if self._trouble == DAMAGED:
            self._told("")
        look = self._watch.look(seen, time.monotonic())
        self._show(look, seen)
        self._looked()
        if (now_wanted or (look.fire and self.automatic)) and not self._full:
            self._shoot(jpeg, look)

    def _show(self, look: Look, seen: np.ndarray) -> None:
        height, width = seen.shape[:2]
        outlines = [
            {"corners": [[float(x) / width, float(y) / height] for x, y in one.corners], "flags": list(one.flags)}
            for one in look.pages
        ]
        with self._eye:
            if self._ended:
                return
            frames = self._live.frames + 1
            self._live = _Live(outlines, look.phase, seen, frames, time.monotonic())

    def _shoot(self, jpeg: bytes, look: Look) -> None:
        """Make pages of a frame that is already in hand."""
        try:
            taken = scan.shot(jpeg, self._dpi)
            sheets: list[Sheet] = []
            for corners, flags in self._found(taken, look) or [scan.ALL]:
                one = self._measured(taken, corners)
                sheets += scan.pages(one, corners, self.mode, upright=upright.turn, flags=flags)
        except (ValueError, cv2.error) as trouble:
            self._told(str(trouble))
            return
        with self._lock:
            if self._ended:
                return
            try:
                for sheet in sheets:
                    self._keep(sheet, jpeg)
            except (PileMistake, OSError) as trouble:
                self._told(str(trouble))
                return
            self._flash += 1
            self._trouble = ""
            self._watch.taken()
            self._touch()

    def _found(self, taken: scan.Shot, look: Look) -> list[tuple[scan.Corners | None, tuple[str, ...]]]:
        """The pages of the shot, found again in full sharpness; those of the live view where that finds others."""
        height, width = taken.bgr.shape[:2]
        scale = np.array((width / look.width, height / look.height), np.float32)
        seen = [(one.corners * scale, one.flags) for one in look.pages]
        sharp = scan.found(taken.bgr)
        return sharp if len(sharp) == len(seen) else [(corners, flags) for corners, flags in seen]

    def _measured(self, taken: scan.Shot, corners: scan.Corners | None) -> scan.Shot:
        """The shot with its resolution: the stand's; where nobody has measured that, what the page's shape suggests."""
        height, width = taken.bgr.shape[:2]
        if self._dpi is None and self._across:
            return replace(taken, dpi=width / self._across * flat.MM_PER_INCH)
        if self._dpi is not None or corners is None:
            return taken
        return replace(taken, dpi=flat.likely_dpi(np.asarray(corners, np.float32), width, height))

    def _keep(self, sheet: Sheet, shot: bytes) -> None:
        if self._again is not None and self._again in self._pile.ids:
            self._pile.replace(self._place(self._again), sheet, shot)
            key, self._again = self._again, None
        else:
            place = self._pile.add(sheet, shot)
            key = self._pile.ids[place]
        if self.searchable:
            self._reading[key] = (0, 0)
            self._to_read.put(key)

    def _told(self, sentence: str) -> None:
        with self._lock:
            if self._trouble != sentence:
                self._trouble = sentence
                self._touch()

    def _read(self) -> None:
        """Read the pages' text, one after the other, giving way to everything else."""
        with Reader(behind=True) as reader:
            while (key := self._to_read.get()) is not None and not self._ended:
                safely("reading a page's text", partial(self._read_one, reader, key))

    def _read_one(self, reader: Reader, key: int) -> None:
        with self._lock:
            sheet = self._sheet(key) if key in self._pile.ids else None
        try:
            if sheet is not None:
                self._take_in(key, sheet, scan.read(scan.coded(sheet), self._lines(reader, key)))
        except (TextTrouble, Stopped) as trouble:  # a page without its text is a page all the same
            log.info("a page's text was not read: %s", trouble)
        finally:
            with self._lock:
                self._reading.pop(key, None)
                self._touch()

    def _lines(self, reader: Reader, key: int) -> Callable[[np.ndarray], list[Line]]:
        """The reader, telling how far it is and stopping at the session's end."""

        def told(done: int, of: int) -> None:
            with self._lock:
                self._reading[key] = (done, of)

        return lambda bgr: reader.read(bgr, told, lambda: not self._ended)

    def _take_in(self, key: int, before: Sheet, read: Sheet) -> None:
        """The text belongs to the picture it was read from: not to one that has been cut or turned meanwhile."""
        with self._lock:
            if key not in self._pile.ids:
                return
            place = self._place(key)
            if self._pile[place].data == before.data and self._pile[place].turn == before.turn:
                self._pile.amend(place, read)


def _about(sheet: Sheet) -> dict[str, Any]:
    """What is told of a page."""
    width, height = sheet.size_mm
    return {
        "title": sheet.title,
        "flags": list(sheet.flags),
        "width_mm": round(width, 1),
        "height_mm": round(height, 1),
        "bytes": len(sheet.data),
        "mode": sheet.mode,
        "codes": list(sheet.codes),
        "lines": len(sheet.lines),
        "corners": [list(corner) for corner in sheet.corners],
    }


def _checked_corners(corners: Sequence[Sequence[float]]) -> None:
    """They are four, clockwise and finite, without a dent, and the page between them is more than a line."""
    fit = len(corners) == 4 and all(-BEYOND <= n <= 1 + BEYOND for one in corners for n in one)  # NaN is neither
    if fit:
        sides = [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise([*corners, corners[0]])]
        bends = [a[0] * b[1] - a[1] * b[0] for a, b in itertools.pairwise([*sides, sides[0]])]
        fit = min(math.hypot(*side) for side in sides) >= LEAST_SIDE and min(bends) > 0
    if not fit or cv2.contourArea(np.array(corners, np.float32)) < LEAST_AREA:
        raise ScanTrouble("The four corners do not span a page.")

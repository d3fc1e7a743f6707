"""Scans of pages: one at a time on a camera, begun by a page over HTTP and alive as long as that page's WebSocket.

What happens is told over the socket, the outlines ten times a second and the pages whenever one of them is another:

    ours → {"event": "scan", "device", "phase", "outlines", "size", "taken", "mode", "automatic", "retaking",
            "trouble", "camera", "pages"?}
    ours → {"event": "scan-ended", "device", "why": "ended" | "idle" | "broken"}

Pages lie encrypted in a folder of this scan's own; when it ends, or the socket does, nothing of it is left.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
from gevent.lock import BoundedSemaphore

from config.words import Sentence
from devices.gateway.aside import aside
from devices.gateway.local.deeds import WORKS, Gone, Wish
from devices.gateway.local.leases import Page
from devices.gateway.local.refusal import REPORTS, Refusal
from devices.private import private_folder
from devices.roles import FrameSeen, News, PedalPressed

if TYPE_CHECKING:
    from devices.gateway.local.gateway import LocalGateway
    from devices.scanning.session import ScanSession
    from devices.vision.desk import Desk

EVERY = 0.1  # seconds between two looks at what a scan shows
IDLE = 1800.0  # seconds without a page or an order after which a forgotten scan ends by itself
FOLDER = "bianmin-scan"
LONGEST_MARK = 60  # characters of a watermark
KINDS = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png", "tiff": "image/tiff"}
PICTURES = ("thumbnail", "picture", "shot")
# What is wrong with a camera → a code for programs and what to do.
CAMERA = {
    "LinkDown": ("unplugged", "The camera is not connected: plug it in again; the scan goes on by itself."),
    "PictureFrozen": ("frozen", "The camera's picture stands still: unplug it and plug it in again."),
    "PictureDark": ("black", "The camera's picture is black: switch its lamp on, or take the cap off the lens."),
    "PictureBright": ("too-bright", "The camera's picture is white all over: turn its lamp down, or shade it."),
    "WrongFormat": ("wrong-size", "The camera sends another size than asked for: choose one that it has."),
    "Silent": ("frozen", "The camera's picture stands still: unplug it and plug it in again."),
    "Garbled": ("garbled", "The camera's pictures come damaged: try another cable or USB socket."),
    "BusFull": (
        "bus-full",
        "The USB bus has no room for this camera beside the other one: plug one of them into another side of the "
        "machine, or choose a smaller picture.",
    ),
}

T = TypeVar("T")
Tell = Callable[..., None]


@dataclass
class Scan:
    """One that is under way."""

    device: str
    page: Page
    session: ScanSession
    folder: Path
    tell: Tell
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    used: float = field(default_factory=time.monotonic)  # when a page came or something was asked


class Scans:
    """All scans of a gateway. Everything but `hear` and `close` runs in the gateway's one thread."""

    def __init__(self, gateway: LocalGateway) -> None:
        self._gateway = gateway
        self._running: dict[str, Scan] = {}  # device → scan
        self._mouths: dict[Page, Tell] = {}  # pages whose socket is open
        self._desks: dict[str, Desk] = {}  # device → its empty desk, as the last scan knew it
        self._starting = BoundedSemaphore()

    # ---- from elsewhere ------------------------------------------------------------------------------------------

    def hear(self, device: str, news: News) -> None:
        """In the device's thread: a frame for the scan of its camera; a step on a pedal takes a page."""
        if isinstance(news, FrameSeen):
            if (scan := self._running.get(device)) is not None:
                scan.session.see(news.jpeg)
        elif isinstance(news, PedalPressed):
            for scan in list(self._running.values()):
                scan.session.take()

    def arrived(self, page: Page, tell: Tell) -> None:
        """A page's socket is open."""
        self._mouths[page] = tell

    def tell(self, page: Page, **message: Any) -> None:
        """Say something to a page over the socket it opened last."""
        if (mouth := self._mouths.get(page)) is not None:
            mouth(**message)

    def left(self, page: Page, tell: Tell) -> bool:
        """A page's socket is closed: the scans that were told over it are gone. True when the page has no other."""
        if self._mouths.get(page) is tell:
            del self._mouths[page]
        for scan in [one for one in self._running.values() if one.tell is tell]:
            self.end(scan)
        return page not in self._mouths

    def released(self, device: str, page: Page) -> None:
        """A page lets go of a camera."""
        scan = self._running.get(device)
        if scan is not None and scan.page == page:
            self.end(scan, "ended")

    def close(self) -> None:
        """The program ends."""
        for scan in list(self._running.values()):
            self._running.pop(scan.device, None)
            self._forget(scan)

    # ---- a scan --------------------------------------------------------------------------------------------------

    def start(self, device: str, page: Page, given: Mapping[str, Any]) -> dict[str, Any]:
        """Begin, or find that this page has begun; the scan's key. Raises Refusal."""
        mode, dpi = given.get("mode", "document"), given.get("dpi")
        automatic, searchable = _flag(given, "automatic"), _flag(given, "searchable")
        if dpi is not None and (isinstance(dpi, bool) or not isinstance(dpi, int | float) or not 50 <= dpi <= 1200):
            raise Refusal(400, "bad-field", "The resolution is 50 to 1200 dots per inch.")
        tell = self._mouths.get(page)
        if tell is None:
            raise Refusal(409, "no-socket", "Open the WebSocket first: a scan lives as long as it does.")
        with self._starting:
            scan = self._running.get(device)
            if scan is None:
                owner = self._gateway.leases.take(device, page)
                if owner is not None:
                    raise Refusal(409, "owned", "Another page is using this device: {owner}", owner=owner.origin)
                with contextlib.ExitStack() as unless_begun:
                    unless_begun.callback(self._gateway.leases.release, device, page)
                    across = getattr(self._gateway.station.options(device), "across", 0.0)  # as the technician measured
                    desk = self._desks.get(device)
                    scan = self._begin(
                        device, page, tell, lambda: _session(str(mode), automatic, searchable, dpi, across, desk)
                    )
                    unless_begun.pop_all()
            elif scan.page != page:
                raise Refusal(409, "owned", "Another page is using this device: {owner}", owner=scan.page.origin)
        return {"scan": scan.key, "device": device, "path": f"/v1/scans/{scan.key}"}

    def _begin(self, device: str, page: Page, tell: Tell, make: Callable[[], tuple[ScanSession, Path]]) -> Scan:
        session, folder = self._made(make)
        scan = Scan(device, page, session, folder, tell)
        if self._mouths.get(page) is not tell:  # it left while the session was made
            aside(lambda: self._forget(scan))
            raise Gone
        self._running[device] = scan
        gevent.spawn(self._follow, scan)
        return scan

    def end(self, scan: Scan, why: str = "") -> None:
        """Forget everything; `why` is told to the page."""
        if self._running.get(scan.device) is not scan:
            return
        del self._running[scan.device]
        self._gateway.leases.release(scan.device, scan.page)
        aside(lambda: self._forget(scan))
        if why:
            scan.tell(event="scan-ended", device=scan.device, why=why)

    def of(self, key: str, page: Page | None) -> Scan:
        """The scan with this key; `page` None: whoever knows the key. Raises Refusal."""
        asked = key.encode()  # for a text, compare_digest takes no Chinese
        scan = next((one for one in self._running.values() if secrets.compare_digest(one.key.encode(), asked)), None)
        if scan is None or (page is not None and scan.page != page):
            raise Refusal(404, "no-scan", "This scan is over.")
        return scan

    def _follow(self, scan: Scan) -> None:
        """Tell the page what is to be seen, until the scan is over; a fault of our own ends it too."""
        try:
            self._tell_on(scan)
        finally:
            self.end(scan, "broken")

    def _tell_on(self, scan: Scan) -> None:
        live: dict[str, Any] = {}
        pages: list[dict[str, Any]] = []
        while self._running.get(scan.device) is scan:
            try:
                now, lying = aside(lambda: (scan.session.live(), scan.session.pages()))
            except (ValueError, OSError):  # its pages are damaged on the disk: nothing is left to go on with
                return
            now = {**now, "trouble": self._words(now["trouble"]), "camera": self._camera(scan)}
            if now["version"] != live.get("version"):
                scan.used = time.monotonic()
            more = {} if lying == pages and live else {"pages": [self._page(scan, one) for one in lying]}
            if now != live or more:
                live, pages = now, lying
                scan.tell(event="scan", device=scan.device, **now, **more)
            if time.monotonic() - scan.used > IDLE:
                self.end(scan, "idle")
                return
            gevent.sleep(EVERY)

    @staticmethod
    def _page(scan: Scan, page: dict[str, Any]) -> dict[str, Any]:
        """A page with the address of its thumbnail, which an `<img>` can show: it carries the scan's key."""
        told = {name: value for name, value in page.items() if name != "codes"}
        where = f"/v1/scans/{scan.key}/pages/{page['id']}/thumbnail?{page['stamp']}"
        return {**told, "codes": [code.get("text", "") for code in page["codes"]], "thumbnail": where}

    def _words(self, sentence: str) -> tuple[str, str] | None:
        """A message id, or words of something below, in Chinese and the second language."""
        if not sentence:
            return None
        first, below = self._gateway.say(sentence)
        return (first, below) if first != below else self._gateway.say(Sentence(REPORTS, reason=sentence))

    def _camera(self, scan: Scan) -> dict[str, Any] | None:
        """What is wrong with the camera itself, in words."""
        try:
            state = self._gateway.station.state(scan.device)
        except KeyError:  # the technician has taken it away
            names = ["LinkDown"]
        else:
            names = [str(trouble["news"]) for trouble in state.troubles]
        known = [CAMERA[name] for name in names if name in CAMERA]
        if not known:
            return None
        code, sentence = known[0]
        return {"code": code, "sentence": self._gateway.say(sentence)}

    # ---- what a page orders --------------------------------------------------------------------------------------

    def order(self, scan: Scan, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one of ORDERS. Raises Refusal."""
        scan.used = time.monotonic()
        if name not in ORDERS:
            raise Refusal(404, "no-deed", "This device does no such thing.")
        if name == "end":
            self.end(scan, "ended")
            return {}
        done = self._made(lambda: ORDERS[name](scan.session, given))
        return {"done": done} if isinstance(done, bool) else {}

    def picture(self, scan: Scan, page: int, what: str) -> bytes:
        """A JPEG: one of PICTURES. Raises Refusal."""
        make: Callable[[int], bytes] = getattr(scan.session, what)
        return self._made(lambda: make(page))

    def files(self, scan: Scan, given: Mapping[str, Any]) -> list[tuple[str, bytes]]:
        """(name, bytes) of what is handed over: `kind` pdf, jpg, png, tiff, or copy (a PDF as a copier would make)."""
        scan.used = time.monotonic()
        kind, mark, page = given.get("kind", "pdf"), _mark(given), given.get("page")
        if kind == "copy":
            return [("copy.pdf", self._made(lambda: scan.session.copy(_pages(given), mark)))]
        if not isinstance(kind, str) or kind not in KINDS:
            raise Refusal(400, "bad-field", "There is no such kind of file.")
        one = None if page is None else _page(given)
        return self._made(lambda: scan.session.exported(kind, mark, one))

    def preview(self, scan: Scan, given: Mapping[str, Any]) -> bytes:
        """A JPEG of the first sheet a copy would have."""
        return self._made(lambda: scan.session.preview(_pages(given)))

    def print(self, scan: Scan, given: Mapping[str, Any], still_there: Callable[[], bool]) -> dict[str, Any]:
        """Copy on an A4 printer of this machine: `printer`, or the first that works. As the deed `page`."""
        [(_, pdf)] = self.files(scan, {**given, "kind": "copy"})
        printer = self._printer(given.get("printer"))
        wish = {"pdf": base64.b64encode(pdf).decode(), "title": "", "copies": given.get("copies", 1)}
        with self._gateway.leases.during(printer, scan.page):
            return self._gateway.deeds.page(Wish(printer, wish, still_there))

    def _forget(self, scan: Scan) -> None:
        if (desk := scan.session.desk) is not None:
            self._desks[scan.device] = desk
        try:
            scan.session.end()
        finally:
            shutil.rmtree(scan.folder, ignore_errors=True)

    def _printer(self, wanted: object) -> str:
        fit = [state for state in self._gateway.station.states() if "a4-printer" in state.roles]
        if wanted is not None:
            fit = [state for state in fit if state.name == wanted]
        if not fit:
            raise Refusal(404, "no-printer", "This machine has no A4 printer.")
        return next((state for state in fit if state.state in WORKS), fit[0]).name

    def _made(self, work: Callable[[], T]) -> T:
        """What takes its time, made aside; what the pages cannot do is a refusal in words."""
        try:
            return aside(work, Refusal)
        except (ValueError, OSError) as trouble:  # ScanTrouble, PileMistake and a watermark's mistakes are ValueErrors
            raise Refusal(409, "cannot-scan", str(trouble)) from trouble


def _session(
    mode: str, automatic: bool, searchable: bool, dpi: float | None, across: float, desk: Desk | None
) -> tuple[ScanSession, Path]:
    from devices.scanning.session import ScanSession  # and with it what sees: only where one scans

    folder = private_folder(FOLDER)
    with contextlib.ExitStack() as unless_made:
        unless_made.callback(folder.rmdir)
        session = ScanSession(
            folder, mode=mode, automatic=automatic, searchable=searchable, dpi=dpi, across=across, desk=desk
        )
        unless_made.pop_all()
    return session, folder


# ---- orders and what they need ------------------------------------------------------------------------------------


def _page(given: Mapping[str, Any]) -> int:
    page = given.get("page")
    if type(page) is not int:
        raise Refusal(400, "bad-field", "The scan has no such page.")
    return page


def _pages(given: Mapping[str, Any]) -> list[int]:
    pages = given.get("pages", [])
    if not isinstance(pages, list) or any(type(page) is not int for page in pages):
        raise Refusal(400, "bad-field", "The scan has no such page.")
    return pages


def _flag(given: Mapping[str, Any], name: str) -> bool:
    flag = given.get(name, True)
    if not isinstance(flag, bool):
        raise Refusal(400, "bad-field", "The request cannot be read.")
    return flag


def _mark(given: Mapping[str, Any]) -> str:
    mark = given.get("mark", "")
    if not isinstance(mark, str) or len(mark) > LONGEST_MARK or not all(c.isprintable() for c in mark):
        raise Refusal(400, "bad-field", "A watermark is one line of at most 60 characters.")
    return mark.strip()


def _corners(given: Mapping[str, Any]) -> list[list[float]]:
    corners = given.get("corners")
    fit = isinstance(corners, list) and all(
        isinstance(one, list)
        and len(one) == 2
        and all(isinstance(n, int | float) and not isinstance(n, bool) and -0.5 <= n <= 1.5 for n in one)
        for one in corners
    )
    if not fit:
        raise Refusal(400, "bad-field", "The four corners do not span a page.")
    assert isinstance(corners, list)
    return corners


def _turn(session: ScanSession, given: Mapping[str, Any]) -> None:
    degrees = given.get("degrees", 90)
    if type(degrees) is not int or degrees not in (90, 180, 270, -90):
        raise Refusal(400, "bad-field", "The angle must be 0, 90, 180 or 270.")
    session.rotate(_page(given), degrees)


def _set_automatic(session: ScanSession, given: Mapping[str, Any]) -> None:
    session.automatic = _flag(given, "on")


ORDERS: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "take": lambda session, given: session.take(),
    "mode": lambda session, given: session.set_mode(str(given.get("mode", ""))),
    "automatic": _set_automatic,
    "undo": lambda session, given: session.undo(),
    "remove": lambda session, given: session.remove(_page(given)),
    "rotate": _turn,
    "reorder": lambda session, given: session.reorder(_pages(given)),
    "retake": lambda session, given: session.retake(_page(given)),
    "crop": lambda session, given: session.crop(_page(given), _corners(given)),
    "end": lambda session, given: None,
}

"""Pages as they are kept: what a page is, and the pile they lie in until they are handed over.

A pile may hold more pages than memory should; so they lie on the disk, but only encrypted with a key that exists in
this process and nowhere else. When the process ends, or the pile is wiped, nobody can read them any more.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import secrets
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from PIL import Image

from devices.vision.pdf import KINDS
from devices.vision.text import Line, Word

NONCE = 12  # bytes, as AES-GCM likes them
ENDING = ".page"
SHOT = "s"  # before the name of a page: the shot it was cut from
MOST = 2000  # pages of one pile; nobody lays down more by intention
UNDO = 20  # changes that can be taken back; each may keep a page on the disk


class PileMistake(ValueError):
    """Why something cannot be done with the pile, as a sentence."""


@dataclass(frozen=True)
class Sheet:
    """A finished page: its picture as it will be stored, and what is known about it."""

    data: bytes  # JPEG, or in black-and-white a TIFF of one strip in CCITT G4
    width: int  # pixels of the picture as stored
    height: int
    dpi: float
    mode: str = "document"  # one of tone.MODES
    turn: int = 0  # degrees clockwise by which it is shown turned
    lines: tuple[Line, ...] = ()  # in pixels of the picture as stored
    flags: tuple[str, ...] = ()
    title: str = ""  # a name proposed for the document, from its largest line
    thumbnail: bytes = b""  # JPEG, already turned
    codes: tuple[dict[str, Any], ...] = ()  # as `bianmin vision codes` tells them
    corners: tuple[tuple[float, float], ...] = ()  # where the page lay in the shot
    outline: tuple[tuple[float, float], ...] = ()  # the same as it was found, whatever was cropped by hand since

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height as shown, in millimetres."""
        wide, high = self.width / self.dpi * 25.4, self.height / self.dpi * 25.4
        return (high, wide) if self.turn % 180 else (wide, high)

    def turned(self, degrees: int) -> Sheet:
        """Shown turned by so many degrees clockwise (a multiple of 90) more than now; the picture is not touched."""
        if degrees % 90:
            raise PileMistake(f"a page is turned by quarters, not by {degrees} degrees.")
        picture = cv2.imdecode(np.frombuffer(self.thumbnail, np.uint8), cv2.IMREAD_COLOR) if self.thumbnail else None
        small = b"" if picture is None else jpeg(np.rot90(picture, -(degrees // 90)), 80)
        return dataclasses.replace(self, turn=(self.turn + degrees) % 360, thumbnail=small)

    def picture(self) -> np.ndarray:
        """As shown: height × width × 3, uint8, BGR."""
        with Image.open(io.BytesIO(self.data), formats=KINDS) as stored:
            array = np.asarray(stored.convert("RGB"))
        return np.ascontiguousarray(np.rot90(cv2.cvtColor(array, cv2.COLOR_RGB2BGR), -(self.turn // 90)))


def jpeg(bgr: np.ndarray, quality: int = 85, dpi: float = 0.0) -> bytes:
    """A JPEG of this picture, its colours at half size as cameras store them; with `dpi` it says how large it is."""
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(bgr), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise PileMistake("the page could not be compressed.")
    if dpi and data[6:10].tobytes() == b"JFIF":
        data[13:18] = np.frombuffer(struct.pack(">BHH", 1, round(dpi), round(dpi)), np.uint8)
    return data.tobytes()


class Pile:
    """Pages in order, on the disk, encrypted; each change is on the disk when the call returns.

    `folder` must exist and be private to this machine's session (a RAM disk is best). File names say nothing: a number
    drawn at random. Not for several threads at once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key: AESGCM | None = AESGCM(AESGCM.generate_key(256))
        self._order: list[str] = []
        self._before: list[list[str]] = []  # orders to go back to, the latest last
        self._ids: dict[str, int] = {}  # name → the page's id
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Sheet]:
        """The pages in order; each is read when its turn comes, so that only one is in memory."""
        for name in tuple(self._order):
            yield _unpacked(self._open(name))

    @property
    def names(self) -> tuple[str, ...]:
        """For each page in order a word that is another one whenever anything about the page is."""
        return tuple(self._order)

    @property
    def ids(self) -> tuple[int, ...]:
        """For each page in order its number: its own whatever its place and its picture, also after `undo`."""
        return tuple(self._ids[name] for name in self._order)

    def __getitem__(self, place: int) -> Sheet:
        return _unpacked(self._open(self._name(place)))

    def add(self, sheet: Sheet, shot: bytes = b"") -> int:
        """Put a page on top; `shot` is the camera's picture it was cut from, kept for cropping by hand. Its place."""
        if len(self._order) >= MOST:
            raise PileMistake(f"a pile holds at most {MOST} pages; hand these over first.")
        name = self._store(sheet, shot, self._next_id)
        self._next_id += 1
        self._change([*self._order, name])
        return len(self._order) - 1

    def replace(self, place: int, sheet: Sheet, shot: bytes = b"") -> None:
        """Another picture of the same page in its place; without `shot` the one there is stays."""
        old = self._name(place)
        name = self._store(sheet, shot or self.shot(place), self._ids[old])
        self._change([name if each == old else each for each in self._order])

    def amend(self, place: int, sheet: Sheet) -> None:
        """The same page, better known (its text, its codes): nothing to be taken back."""
        old = self._name(place)
        name = self._store(sheet, self.shot(place), self._ids[old])
        self._order = [name if each == old else each for each in self._order]
        self._before = [[name if each == old else each for each in order] for order in self._before]
        self._sweep()

    def remove(self, place: int) -> None:
        """Take a page out."""
        old = self._name(place)
        self._change([name for name in self._order if name != old])

    def reorder(self, places: Sequence[int]) -> None:
        """A new order: `places` names each present place once."""
        if sorted(places) != list(range(len(self._order))):
            raise PileMistake("a new order must name each page once.")
        self._change([self._order[place] for place in places])

    def rotate(self, place: int, degrees: int = 90) -> None:
        """Turn a page clockwise."""
        self.replace(place, self[place].turned(degrees))

    def crop(self, place: int, cut: Callable[[bytes, Sheet], Sheet]) -> None:
        """Cut a page anew from the shot it came from: `cut` gets that and the page as it is (see `scan.cut_anew`)."""
        shot = self.shot(place)
        if not shot:
            raise PileMistake("the picture this page was cut from was not kept; lay it down again.")
        self.replace(place, cut(shot, self[place]))

    def undo(self) -> bool:
        """Take the last change back; False when there is none left."""
        if not self._before:
            return False
        self._order = self._before.pop()
        self._sweep()
        return True

    def shot(self, place: int) -> bytes:
        """The camera's picture this page was cut from; empty when it was not given."""
        return self._open(SHOT + self._name(place))

    def wipe(self) -> None:
        """Forget everything: the key first, so that a file that cannot be removed says nothing either."""
        self._key = None
        self._order, self._before, self._ids = [], [], {}
        self._sweep()

    def _name(self, place: int) -> str:
        if not 0 <= place < len(self._order):
            raise PileMistake(f"there is no page {place + 1}; the pile has {len(self._order)}.")
        return self._order[place]

    def _change(self, order: list[str]) -> None:
        self._before = [*self._before, self._order][-UNDO:]
        self._order = order
        self._sweep()

    def _store(self, sheet: Sheet, shot: bytes, number: int) -> str:
        """Both of them on the disk, for good, before anybody is told that the page is kept."""
        name = secrets.token_hex(8)
        try:
            self._seal(SHOT + name, shot)
            self._seal(name, _packed(sheet))
        except OSError:  # most likely the disk is full: what is half there must not keep it so
            self._sweep()
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._ids[name] = number
        return name

    def _seal(self, name: str, plain: bytes) -> None:
        if self._key is None:
            raise PileMistake("the pile has been wiped; begin a new one.")
        nonce = secrets.token_bytes(NONCE)
        sealed = self._key.encrypt(nonce, plain, name.encode())  # a page cannot pass for another
        path = self._folder / (name + ENDING)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(nonce)
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())

    def _open(self, name: str) -> bytes:
        if self._key is None:
            raise PileMistake("the pile has been wiped.")
        try:
            data = (self._folder / (name + ENDING)).read_bytes()
            return self._key.decrypt(data[:NONCE], memoryview(data)[NONCE:], name.encode())
        except (OSError, InvalidTag) as trouble:
            raise PileMistake("a page of the pile is gone or damaged on the disk; lay it down again.") from trouble

    def _sweep(self) -> None:
        """Remove the files of pages no order needs any more."""
        needed = {name for order in (self._order, *self._before) for name in order}
        self._ids = {name: number for name, number in self._ids.items() if name in needed}
        for path in self._folder.glob("*" + ENDING):
            if path.stem.removeprefix(SHOT) not in needed:
                path.unlink(missing_ok=True)


def _packed(sheet: Sheet) -> bytes:
    """The page as bytes: a line of JSON with what is known, then the thumbnail, then the picture."""
    about = dataclasses.asdict(sheet)
    about["long"] = len(about.pop("thumbnail")), len(about.pop("data"))
    return json.dumps(about, separators=(",", ":")).encode() + b"\n" + sheet.thumbnail + sheet.data


def _unpacked(data: bytes) -> Sheet:
    first = data.index(b"\n") + 1
    about = json.loads(data[:first])
    thumbnail, _ = about.pop("long")
    about["lines"] = tuple(
        Line(
            line["text"],
            line["score"],
            (pair(line["corners"][0]), pair(line["corners"][1]), pair(line["corners"][2]), pair(line["corners"][3])),
            tuple(Word(**word) for word in line["words"]),
        )
        for line in about["lines"]
    )
    about["corners"], about["outline"] = (tuple(map(pair, about[name])) for name in ("corners", "outline"))
    about["flags"], about["codes"] = tuple(about["flags"]), tuple(about["codes"])
    return Sheet(data=data[first + thumbnail :], thumbnail=data[first : first + thumbnail], **about)


def pair(point: Sequence[float]) -> tuple[float, float]:
    """A point as the pair it is."""
    return float(point[0]), float(point[1])

"""What a page may look at, and what is asked of whoever draws it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kiosk.journey import Page, Times
from kiosk.outside import Record
from kiosk.papers import Live, no_live
from kiosk.session import Session

PRINTER, READER, CAMERA, SHEETS = "ticket-printer", "id-reader", "camera", "a4-printer"
WORKS = ("ready", "degraded")
PAPER = re.compile(r"paper.?(out|end)|no paper|缺纸", re.IGNORECASE)


@dataclass
class View:
    """What a page may look at to draw itself."""

    session: Session
    page: str = Page.ATTRACT
    can_go_back: bool = False
    hall: Record = field(default_factory=dict)
    categories: tuple[Record, ...] = ()
    queues: Mapping[str, Record] = field(default_factory=dict)
    found: tuple[Record, ...] = ()  # services found by the search
    characters: tuple[str, ...] = ()
    letters: frozenset[str] = frozenset()
    devices: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # role → (state, reason)
    all_devices: tuple[Record, ...] = ()
    card_state: str = ""  # "", wanted, unreadable, read, gone
    card_left: bool = False  # somebody's card still lies on the reader
    help_called: bool | None = None  # None: not answered yet
    note: str = ""  # a short remark for the page (a number that was not found …)
    away: bool = False  # the hall did not answer last time
    can_copy: bool = False  # this kiosk has a document camera and a printer for sheets
    live: Live = no_live  # the camera's live view, while somebody scans
    code_wait: float = 0.0  # seconds until another technician's code may be tried

    def queue_of(self, service: Record) -> Record | None:
        """The queue in which tickets for this service wait, with its figures."""
        code = service["code"] if service.get("is_queue") else service.get("queue")
        return self.queues.get(str(code))

    def works(self, role: str) -> bool:
        """A device of this role is known to work."""
        return self.devices.get(role, ("absent", ""))[0] in WORKS

    @property
    def paper_out(self) -> bool:
        """The printer says that it has no paper."""
        return self.lacks_paper(PRINTER)

    def lacks_paper(self, role: str) -> bool:
        """The device of this role says that it has no paper."""
        state, reason = self.devices.get(role, ("absent", ""))
        return state == "error" and bool(PAPER.search(reason))


class Stage(Protocol):
    """Whoever draws. Called on the window's thread only."""

    def show(self, view: View, moved: bool) -> None:
        """Draw the view; `moved` when the page is another one than before."""

    def warn(self, seconds: float | None) -> None:
        """Show how long until the session ends, or (None) take the warning away."""

    def sound(self, name: str) -> None:
        """Play one of the tunes."""

    def leave(self) -> None:
        """Close the window."""


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How this terminal behaves."""

    state: Path
    times: Times = field(default_factory=Times)
    elder: bool = False
    language: str = "zh_CN"
    languages: tuple[str, ...] = ("zh_CN", "en")

"""What the terminal needs from the world, and how the world speaks to it: two small protocols and one letter box.

Whoever runs the terminal gives it a `Hall` and `Devices`, whose methods are called from worker threads and may take
their time; and tells it news by the methods of `Outside`, from any thread. The window's own thread reads the letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from devices.roles import CardPresented
from kiosk.papers import Corners, Glance

Record = Mapping[str, Any]  # a JSON object of docs/api.md
Letter = tuple[str, tuple[Any, ...]]


class Away(Exception):
    """The hall cannot be reached just now; what became of an order is not known, so ask again with the same key."""


class Refused(Exception):
    """The hall said no; the text is its sentence for the citizen, in the language asked for, `code` its word."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


class Hall(Protocol):
    """The hall, as far as a kiosk asks it. Each method raises Away or Refused; answers are as in docs/api.md."""

    def hall(self) -> Record:
        """GET /v1/hall."""

    def services(self) -> Record:
        """GET /v1/services."""

    def queues(self) -> Record:
        """GET /v1/queues."""

    def issue(self, *, queue: str | None, service: str | None, priority: str | None, key: str) -> Record:
        """POST /v1/tickets for this kiosk; the same `key` gives the same ticket."""

    def ticket(self, id: str) -> Record:
        """GET /v1/tickets/{id}."""

    def find(self, number: str) -> Sequence[Record]:
        """GET /v1/tickets?number=, today's tickets of this number."""

    def rejoin(self, id: str, key: str) -> Record:
        """POST /v1/tickets/{id}/rejoin."""

    def reprint(self, id: str, key: str) -> Record:
        """POST /v1/tickets/{id}/reprint for this kiosk."""

    def slip_taken(self, job: str, key: str) -> Record:
        """POST /v1/print-jobs/{job}: nobody knew whether the slip was printed, and the citizen has it."""

    def verify_age(self, id: str, age: int) -> Record:
        """POST /v1/tickets/{id}/verify-priority with the age from the card."""

    def call_helper(self, page: str) -> None:
        """Ask for a person to come to this kiosk."""


class Devices(Protocol):
    """The devices of this machine, as far as a citizen or a technician at the kiosk uses them."""

    def read_card(self) -> None:
        """Wait for an ID card; news: `Outside.card`, `card_unreadable`, `card_removed`."""

    def stop_card(self) -> None:
        """No card is wanted any more."""

    def test_print(self) -> None:
        """Print the test page."""

    def states(self) -> Sequence[Record]:
        """Each device: {"device", "role", "state", "reason"}."""


class Copier(Protocol):
    """A document camera and a printer for sheets (`kiosk.copier`). Each method returns at once; what comes of it comes
    as a letter: "sheets", "sheet", "uncut", "preview", "copied"."""

    @property
    def there(self) -> bool:
        """This kiosk has both."""

    def begin(self, session: str) -> None:
        """This person scans."""

    def watch(self, watching: bool) -> None:
        """Look at the live view and take pages, or do not for a while."""

    def glance(self) -> Glance | None:
        """The live view now."""

    def shoot(self) -> None:
        """Take what lies there now."""

    def remove(self, id: int) -> None:
        """Take a page out."""

    def turn(self, id: int) -> None:
        """A page a quarter clockwise."""

    def earlier(self, id: int) -> None:
        """A page changes places with the one before it, if there is one."""

    def retake(self, id: int) -> None:
        """The next page taken replaces this one."""

    def undo(self) -> None:
        """Take the last change back."""

    def look_at(self, id: int) -> None:
        """A page, large."""

    def look_at_shot(self, id: int) -> None:
        """The camera's picture a page was cut from."""

    def cut(self, id: int, corners: Corners) -> None:
        """Cut a page from its shot anew."""

    def preview(self, number: int = 0, mark: bool = False) -> None:
        """The `number`th sheet as it would be printed."""

    def print(self, copies: int = 1, mark: bool = False) -> None:
        """The copy on paper."""

    def end(self) -> None:
        """Forget all pages."""

    def close(self) -> None:
        """The terminal closes."""


class Outside:
    """The terminal's world. News may come from any thread; each method returns at once. Without a `copier` the kiosk
    offers no copies."""

    def __init__(self, hall: Hall, devices: Devices, copier: Copier | None = None) -> None:
        self.hall = hall
        self.devices = devices
        self.copier = copier
        self._letters: SimpleQueue[Letter] = SimpleQueue()

    def print_settled(self, job: str, state: str, reason: str = "") -> None:
        """What became of a print job: sending, sent, confirmed, unknown, failed, cancelled."""
        self.post("print_settled", job, state, reason)

    def device_changed(self, role: str, state: str, reason: str = "") -> None:
        """A device of this machine is now absent, connecting, ready, degraded, error or disabled."""
        self.post("device_changed", role, state, reason)

    def card(self, card: CardPresented) -> None:
        """A card was read. The terminal owns the record from now on and overwrites what is personal in it."""
        self.post("card", card)

    def card_unreadable(self, reason: str = "") -> None:
        """A card lies there but cannot be read."""
        self.post("card_unreadable", reason)

    def card_removed(self) -> None:
        """The card was lifted."""
        self.post("card_removed")

    def scanned(self, text: str) -> None:
        """The scanner read a code."""
        self.post("scanned", text)

    def stop(self) -> None:
        """Close the terminal."""
        self.post("stop")

    def post(self, kind: str, *values: Any) -> None:
        """Put a letter into the box (also used by the terminal's own workers)."""
        self._letters.put((kind, values))

    def letters(self) -> list[Letter]:
        """All letters that lie in the box now."""
        found = []
        while True:
            try:
                found.append(self._letters.get_nowait())
            except Empty:
                return found

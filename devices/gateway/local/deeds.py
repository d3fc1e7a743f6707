"""What a page may ask of a device, and what it gets: a card, a grade, a code, a picture, or that it was done.

Everything here runs in a greenlet of the gateway's thread: it waits with `gevent.sleep` and nothing blocks.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import gevent

from devices.gateway import trials
from devices.gateway.aside import aside
from devices.gateway.local.hearing import Hearing
from devices.gateway.local.refusal import Refusal
from devices.gateway.local.sheets import SheetMistake, as_pdf
from devices.orders import Outcome
from devices.roles import (
    AskRating,
    CardPresented,
    CardUnreadable,
    CodeScanned,
    DocumentRead,
    DocumentUnreadable,
    News,
    Obeyed,
    Order,
    PrintDocument,
    PrintSlip,
    Rated,
    ReadCard,
    Refused,
    ShowText,
    ShowWelcome,
    StillTaken,
    StopScan,
    TakeStill,
    TriggerScan,
    Unconfirmed,
)
from devices.station import DeviceEntry, DeviceState, State, Station
from devices.words import RangeMistake, WordMistake, build, to_json

LOOK = 0.02  # seconds between two looks at what has been heard
SOON = 3.0  # seconds in which the news an order was for follows its outcome
PRINTING = 75.0  # seconds a document may take
LONGEST, LONGEST_TEXT = 120.0, 200
GRADES = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
WORKS = (State.READY, State.DEGRADED)
N = TypeVar("N", bound=News)


class Gone(Exception):
    """The page that asked is no longer there; nobody gets an answer."""


@dataclass(frozen=True)
class Wish:
    """One request: the device, what the page said, and whether it still waits."""

    device: str
    given: Mapping[str, Any]
    still_there: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Deeds:
    """The deeds by their names in the doors. Each raises Refusal, or Gone when the page has left."""

    station: Station
    hearing: Hearing

    def card(self, wish: Wish) -> dict[str, Any]:
        """Read the card that lies there or is laid down within `seconds`."""
        ends = _ends(wish.given, 30.0)
        with self.hearing.of(wish.device) as heard:
            outcome = self._send(wish, ReadCard())
            if isinstance(outcome, Obeyed):
                return _plain(self._wait(wish, heard, time.monotonic() + SOON, CardPresented))
            told = self._wait(wish, heard, ends, CardPresented, CardUnreadable)
        if isinstance(told, CardUnreadable):
            raise Refusal(502, "unreadable", told.reason)
        return _plain(told)

    def document(self, wish: Wish) -> dict[str, Any]:
        """The travel document that is laid down within `seconds`."""
        with self.hearing.of(wish.device) as heard:
            told = self._wait(wish, heard, _ends(wish.given, 30.0), DocumentRead, DocumentUnreadable)
        if isinstance(told, DocumentUnreadable):
            raise Refusal(502, "unreadable", told.reason)
        return _plain(told)

    def rating(self, wish: Wish) -> dict[str, Any]:
        """Light the evaluator; the grade pressed within `seconds`, or None."""
        address, ends = self._address(wish), _ends(wish.given, 20.0)
        with self.hearing.of(wish.device) as heard:
            self._must(self._send(wish, AskRating(address=address)))
            while (told := self._next(wish, heard, ends, Rated)) is not None:
                if told.address == address:
                    return {"grade": told.grade, "word": GRADES.get(told.grade or 0, ""), "address": address}
        return {"grade": None, "word": "", "address": address}

    def code(self, wish: Wish) -> dict[str, Any]:
        """The code held before the scanner within `seconds`; scanners that can be triggered are."""
        lit = not trials.driver_of(self.station.entries[wish.device]).lacks(TriggerScan)
        with self.hearing.of(wish.device) as heard:
            try:
                if lit:
                    self._must(self._send(wish, TriggerScan()))
                return _plain(self._wait(wish, heard, _ends(wish.given, 30.0), CodeScanned))
            except (Refusal, Gone):
                if lit:
                    self.station.send(wish.device, StopScan())
                raise

    def still(self, wish: Wish) -> StillTaken:
        """A picture, as the camera sends it."""
        with self.hearing.of(wish.device) as heard:
            self._must(self._send(wish, TakeStill()))
            return self._wait(wish, heard, time.monotonic() + SOON, StillTaken)

    def slip(self, wish: Wish) -> dict[str, Any]:
        """Print a slip and cut it."""
        return self._done(wish, _order(PrintSlip, wish.given))

    def page(self, wish: Wish) -> dict[str, Any]:
        """Print a PDF or a picture on sheets."""
        order = _order(PrintDocument, {"title": "", **wish.given})
        pdf: bytes = order.pdf
        try:
            order = replace(order, pdf=aside(lambda: as_pdf(pdf)))
        except SheetMistake as wrong:
            raise Refusal(400, "unprintable", str(wrong)) from wrong
        if not 1 <= order.copies <= 50:
            raise Refusal(400, "bad-field", "Copies are 1 to 50.")
        return self._done(wish, order, PRINTING)

    def text(self, wish: Wish) -> dict[str, Any]:
        """Show a text on the strip; an empty one brings the welcome back."""
        text = wish.given.get("text", "")
        if not isinstance(text, str) or len(text) > LONGEST_TEXT or not all(c.isprintable() for c in text):
            raise Refusal(400, "bad-field", "The text must be one line of at most 200 characters.")
        address = self._address(wish)
        return self._done(wish, ShowText(text=text, address=address) if text else ShowWelcome(address=address))

    # ---- what they have in common --------------------------------------------------------------------------------

    def check(self, device: str, deed: str) -> None:
        """Raises Refusal when there is no such device, or it does no such thing."""
        if ROLE_OF.get(deed) not in self._state(device).roles:
            raise Refusal(404, "no-deed", "This device does no such thing.")
        if lack := lacks(self.station.entries[device], deed):
            raise Refusal(501, "cannot", lack)

    def _state(self, device: str) -> DeviceState:
        """How it is. Raises Refusal when there is none, or none any more."""
        try:
            return self.station.state(device)
        except KeyError:
            raise Refusal(404, "no-device", "This machine has no device called {device}.", device=device) from None

    def _address(self, wish: Wish) -> int:
        """The address on the cable: the one said, that of the window said, or the first."""
        windows = self._state(wish.device).windows
        given = wish.given
        if "window" in given:
            found = [address for address, no in windows.items() if no == given["window"]]
            if not found:
                raise Refusal(404, "no-window", "This device serves no such window.")
            return found[0]
        address = given.get("address", next(iter(sorted(windows)), 0))
        if type(address) is not int or (windows and address not in windows):
            raise Refusal(404, "no-window", "This device serves no such window.")
        return address

    def _send(self, wish: Wish, order: Order, patience: float = 12.0) -> Outcome:
        self._state(wish.device)
        future: Future[Outcome] = self.station.send(wish.device, order, patience)
        while not future.done():  # an order on its way is not called back: its outcome is waited for
            gevent.sleep(LOOK)
        return future.result()

    def _must(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Refused):
            raise Refusal(502, "not-done", outcome.reason or "Not done.")
        return outcome

    def _done(self, wish: Wish, order: Order, patience: float = 12.0) -> dict[str, Any]:
        """`done` when the device said so; `unknown` when nobody can know, which must not be read as done."""
        outcome = self._must(self._send(wish, order, patience))
        if isinstance(outcome, Unconfirmed):
            return {"result": "unknown", "reason": outcome.reason}
        return {"result": "done"}

    def _next(self, wish: Wish, heard: deque[News], ends: float, *kinds: type[N]) -> N | None:
        """The next news of these kinds; None at the end of the time. Raises Gone, and Refusal when the device went."""
        while True:
            while heard:
                if isinstance(one := heard.popleft(), kinds):
                    return one
            if time.monotonic() > ends:
                return None
            if not wish.still_there():
                raise Gone
            if (state := self._state(wish.device)).state not in WORKS:
                raise Refusal(502, "not-ready", state.reason or "The device is not ready.")
            gevent.sleep(LOOK)

    def _wait(self, wish: Wish, heard: deque[News], ends: float, *kinds: type[N]) -> N:
        told = self._next(wish, heard, ends, *kinds)
        if told is None:
            raise Refusal(504, "nothing-came", "Nothing was laid down, pressed or scanned in time.")
        return told


# deed → role; deed → the order without which there is no such deed (None: news alone)
ROLE_OF = {
    "card": "id-reader",
    "document": "travel-document",
    "rating": "evaluator",
    "code": "code-scanner",
    "still": "camera",
    "stream": "camera",
    "scan": "camera",
    "slip": "ticket-printer",
    "page": "a4-printer",
    "text": "window-screen",
}
NEEDS: dict[str, type[Order] | None] = {
    "card": ReadCard,
    "document": None,
    "rating": AskRating,
    "code": None,
    "still": TakeStill,
    "stream": None,
    "scan": None,
    "slip": PrintSlip,
    "page": PrintDocument,
    "text": ShowText,
}


def lacks(entry: DeviceEntry, deed: str) -> str:
    """Why this device cannot do a deed of its role, as a message id; empty when it can."""
    needs = NEEDS[deed]
    return trials.driver_of(entry).lacks(needs) if needs else ""


def _ends(given: Mapping[str, Any], usual: float) -> float:
    """The moment the page waits no longer."""
    seconds = given.get("seconds", usual)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST:
        raise Refusal(400, "bad-field", "Seconds are more than 0 and at most 120.")
    return time.monotonic() + seconds


def _order(cls: type[Any], given: Mapping[str, Any]) -> Any:
    try:
        return build(cls, {key: value for key, value in given.items() if key not in ("id", "address")})
    except RangeMistake as wrong:
        place = str(wrong).partition(", got")[0]
        raise Refusal(422, "bad-field", "Too much for {field}: {place}", field=wrong.field, place=place) from wrong
    except WordMistake as wrong:
        place = str(wrong).partition(", got")[0]  # what was given may name a person
        raise Refusal(400, "bad-field", "The request cannot be read: {place}", place=place) from wrong


def _plain(news: News) -> dict[str, Any]:
    """News in clear, for the page that asked."""
    written = to_json(news, personal=True)
    return {key: value for key, value in written.items() if key not in ("news", "hex")}

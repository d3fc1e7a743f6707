"""The bell: which device speaks for which event of the hall, and what a key on a device asks of the hall.

Two tables and two pure functions: `ring(kind, data, places)` turns one journal event into orders for devices;
`heed(news, place, windows)` turns one piece of news from a device into a request to the hall. Whoever owns cables and
connections carries them out (`kiosk.attendant`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from devices import roles
from devices.roles import CALL_PAD, EVALUATOR, HALL_BOARD, WINDOW_SCREEN, Call, Key, News, Order
from screens.strip_texts import StripText, strip_text

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """A device of this machine: what it is for, and which window each of its addresses serves (empty: no window)."""

    device: str
    roles: tuple[str, ...]
    windows: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Ring:
    """An order for one device. `display` orders overtake older ones that are still waiting for the same place."""

    device: str
    order: Order
    display: bool = True


@dataclass(frozen=True)
class WindowNow:
    """What this machine knows of a window: the ticket it holds and the visit that may be rated now."""

    no: int
    state: str = "closed"
    ticket: str = ""
    number: str = ""  # of that ticket, as people read it
    ticket_state: str = ""
    held: str = ""  # the ticket that was put aside last
    rating: str = ""  # the ticket whose rating is invited


@dataclass(frozen=True)
class Request:
    """Something to ask of the hall. `keep`: it must reach the hall even after a power cut (a citizen's rating)."""

    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    keep: bool = False


# ---- the hall speaks: event type → orders for the devices of one window ------------------------------------

# Events after which a window holds the ticket, and how.
_HOLDING = {
    "TicketCalled": "called",
    "TicketRecalled": "called",
    "ServiceStarted": "serving",
    "TicketResumed": "serving",
}

FACES: dict[str, Callable[[StripText], Order]] = {
    "call": lambda text: roles.ShowCall(number=text.number, window=text.window),
    "serving": lambda text: roles.ShowServing(number=text.number, window=text.window),
    "welcome": lambda _text: roles.ShowWelcome(),
    "paused": lambda _text: roles.ShowPaused(),
    "closed": lambda _text: roles.ShowPaused(),
}


def _on_strip(kind: str, data: Data) -> Order | None:
    text = strip_text(kind, data)
    return FACES[text.face](text) if text else None


def _on_pad(kind: str, data: Data) -> Order | None:
    return roles.ShowNumber(number=data["number"]) if kind in _HOLDING else None


def _on_evaluator(kind: str, _data: Data) -> Order | None:
    return roles.AskRating() if kind == "RatingInvited" else None


RINGS: dict[str, Callable[[str, Data], Order | None]] = {
    WINDOW_SCREEN.name: _on_strip,
    CALL_PAD.name: _on_pad,
    EVALUATOR.name: _on_evaluator,
}


def ring(kind: str, data: Data, places: Iterable[Place]) -> list[Ring]:
    """The orders that the event `kind` with `data` means for the devices of this machine."""
    window = data.get("window", data.get("from_window"))
    rings = []
    for place in places:
        addresses = [address for address, no in place.windows.items() if no == window]
        orders = [(role, speak(kind, data)) for role, speak in RINGS.items() if role in place.roles and addresses]
        rings += [
            Ring(place.device, replace(order, address=address), display=role != EVALUATOR.name)
            for address in addresses
            for role, order in orders
            if order is not None
        ]
    return rings


# ---- hall boards made of LEDs: the latest calls, every row anew on each call ---------------------------------

REMEMBERED = 16  # calls; no board has more rows
_CALLING = ("TicketCalled", "TicketRecalled")


def remember(calls: tuple[Call, ...], kind: str, data: Data) -> tuple[Call, ...]:
    """The latest calls of the hall after one more event, newest first; who is called again comes to the top."""
    if kind not in _CALLING:
        return calls
    call = Call(number=data["number"], window=data["window"])
    return (call, *(one for one in calls if one.number != call.number))[:REMEMBERED]


def ring_boards(calls: tuple[Call, ...], places: Iterable[Place]) -> list[Ring]:
    """What the boards of this machine show; a board with windows of its own shows only calls to those."""
    rings = []
    for place in places:
        if HALL_BOARD.name in place.roles:
            own = set(place.windows.values())
            shown = tuple(call for call in calls if not own or call.window in own)
            rings.append(Ring(place.device, roles.ShowCalls(calls=shown)))
    return rings


# ---- a device speaks: news → what to ask of the hall -------------------------------------------------------


def _call_next(now: WindowNow) -> Request:
    # A pad has no key for the outcome: whoever still sits there is done when the clerk calls the next one.
    return Request(f"/windows/{now.no}/call-next", {"finish": "done" if now.ticket else None})


def _on_ticket(verb: str, **body: Any) -> Callable[[WindowNow], Request | None]:
    return lambda now: Request(f"/tickets/{now.ticket}/{verb}", body) if now.ticket else None


def _call_back(now: WindowNow) -> Request | None:
    return Request(f"/tickets/{now.held}/resume", {"window": now.no}) if now.held else None


def _pause(now: WindowNow) -> Request:
    if now.state == "paused":
        return Request(f"/windows/{now.no}/resume")
    return Request(f"/windows/{now.no}/pause", {"reason": ""})


KEYS: dict[Key, Callable[[WindowNow], Request | None]] = {
    Key.CALL_NEXT: _call_next,
    Key.RECALL: _on_ticket("recall"),
    Key.EVALUATE: _on_ticket("finish", outcome="done"),
    Key.GIVE_UP: _on_ticket("pass"),
    Key.HOLD: _on_ticket("hold"),
    Key.CALL_BACK: _call_back,
    Key.PAUSE: _pause,
}


def heed(news: News, place: Place, windows: Mapping[int, WindowNow]) -> Request | None:
    """What this news asks of the hall; None when it asks nothing (no window, nothing to rate, a meaningless key)."""
    no = window_of(place, news.address)
    if no is None:
        return None
    now = windows.get(no, WindowNow(no))
    if isinstance(news, roles.KeyPressed):
        meaning = KEYS.get(news.key)
        return meaning(now) if meaning else None
    if isinstance(news, roles.Rated) and news.grade is not None and now.rating:
        body = {"grade": news.grade, "channel": "evaluator"}
        return Request(f"/tickets/{now.rating}/rate", body, keep=True)
    return None


def window_of(place: Place, address: int) -> int | None:
    """The window that `address` on this cable serves; address 0 means the only one."""
    if address in place.windows:
        return place.windows[address]
    return next(iter(place.windows.values())) if address == 0 and len(place.windows) == 1 else None


# ---- what a machine remembers of its windows ---------------------------------------------------------------

_LEAVING = {"TicketPassed", "TicketHeld", "TicketTransferred", "ServiceFinished"}
_WINDOW = {"WindowOpened": "open", "WindowResumed": "open", "WindowPaused": "paused", "WindowClosed": "closed"}


def follow(now: WindowNow, kind: str, data: Data) -> WindowNow:
    """What is known of a window after one more event about it."""
    ticket = data.get("ticket", "")
    if kind in _HOLDING:
        held = "" if ticket == now.held else now.held
        return replace(now, ticket=ticket, number=data.get("number", ""), ticket_state=_HOLDING[kind], held=held)
    if kind in _LEAVING:
        held = ticket if kind == "TicketHeld" else now.held
        mine = ticket == now.ticket
        return replace(now, ticket="" if mine else now.ticket, ticket_state="" if mine else now.ticket_state, held=held)
    if kind in _WINDOW:
        return replace(now, state=_WINDOW[kind])
    if kind == "RatingInvited":
        return replace(now, rating=ticket)
    if kind == "RatingClosed" and ticket == now.rating:
        return replace(now, rating="")
    return now

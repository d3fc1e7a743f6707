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
from devices.roles import CALL_PAD, EVALUATOR, WINDOW_SCREEN, Key, News, Order

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


def _call(data: Data) -> dict[str, Order]:
    number, window = data["number"], data["window"]
    return {
        WINDOW_SCREEN.name: roles.ShowCall(number=number, window=window),
        CALL_PAD.name: roles.ShowNumber(number=number),
    }


def _serving(data: Data) -> dict[str, Order]:
    return {WINDOW_SCREEN.name: roles.ShowServing(number=data["number"], window=data["window"])}


def _welcome(_data: Data) -> dict[str, Order]:
    return {WINDOW_SCREEN.name: roles.ShowWelcome()}


def _paused(_data: Data) -> dict[str, Order]:
    return {WINDOW_SCREEN.name: roles.ShowPaused()}


def _rate(_data: Data) -> dict[str, Order]:
    return {EVALUATOR.name: roles.AskRating()}


RINGS: dict[str, Callable[[Data], dict[str, Order]]] = {
    "TicketCalled": _call,
    "TicketRecalled": _call,
    "ServiceStarted": _serving,
    "TicketResumed": _serving,
    "TicketPassed": _welcome,
    "TicketHeld": _welcome,
    "TicketTransferred": _welcome,
    "ServiceFinished": _welcome,
    "WindowOpened": _welcome,
    "WindowResumed": _welcome,
    "WindowPaused": _paused,
    "WindowClosed": _paused,
    "RatingInvited": _rate,
}


def ring(kind: str, data: Data, places: Iterable[Place]) -> list[Ring]:
    """The orders that the event `kind` with `data` means for the devices of this machine."""
    speak = RINGS.get(kind)
    window = data.get("window", data.get("from_window"))
    if speak is None or window is None:
        return []
    orders = speak(data)
    rings = []
    for place in places:
        for address, no in place.windows.items():
            if no != window:
                continue
            rings += [
                Ring(place.device, replace(orders[role], address=address), display=role != EVALUATOR.name)
                for role in place.roles
                if role in orders
            ]
    return rings


# ---- a device speaks: news → what to ask of the hall -------------------------------------------------------


def _call_next(now: WindowNow) -> Request:
    # A pad has no key for the outcome: whoever still sits there is done when the clerk calls the next one.
    return Request(f"/v1/windows/{now.no}/call-next", {"finish": "done" if now.ticket else None})


def _on_ticket(verb: str, **body: Any) -> Callable[[WindowNow], Request | None]:
    return lambda now: Request(f"/v1/tickets/{now.ticket}/{verb}", body) if now.ticket else None


def _call_back(now: WindowNow) -> Request | None:
    return Request(f"/v1/tickets/{now.held}/resume", {"window": now.no}) if now.held else None


def _pause(now: WindowNow) -> Request:
    if now.state == "paused":
        return Request(f"/v1/windows/{now.no}/resume")
    return Request(f"/v1/windows/{now.no}/pause", {"reason": ""})


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
        return Request(f"/v1/tickets/{now.rating}/rate", body, keep=True)
    return None


def window_of(place: Place, address: int) -> int | None:
    """The window that `address` on this cable serves; address 0 means the only one."""
    if address in place.windows:
        return place.windows[address]
    return next(iter(place.windows.values())) if address == 0 and len(place.windows) == 1 else None


# ---- what a machine remembers of its windows ---------------------------------------------------------------

_HOLDING = {
    "TicketCalled": "called",
    "TicketRecalled": "called",
    "ServiceStarted": "serving",
    "TicketResumed": "serving",
}
_LEAVING = {"TicketPassed", "TicketHeld", "TicketTransferred", "ServiceFinished"}
_WINDOW = {"WindowOpened": "open", "WindowResumed": "open", "WindowPaused": "paused", "WindowClosed": "closed"}


def follow(now: WindowNow, kind: str, data: Data) -> WindowNow:
    """What is known of a window after one more event about it."""
    ticket = data.get("ticket", "")
    if kind in _HOLDING:
        held = "" if ticket == now.held else now.held
        return replace(now, ticket=ticket, ticket_state=_HOLDING[kind], held=held)
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

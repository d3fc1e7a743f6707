"""The attendant of a machine: keeps its devices at the hall's service and the hall informed of its devices.

It owns the station (the cables), follows the hall's journal, rings the devices by the bell's table, carries keys and
ratings from the devices to the hall, prints the slips of its kiosk, and reports every change of a device. It decides
nothing.

Threads, each with one duty: the follower hears the journal; the runner asks the hall for what keys ask; the printer
prints one slip after the other; the reporter tells how the devices are; the outbox brings ratings.
"""

from __future__ import annotations

import json
import logging
import math
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from devices import drivers, roles
from devices.options import read_options
from devices.orders import Outcome
from devices.roles import News, Order, Refused
from devices.station import DeviceEntry, State, Station
from hall_api.client import HallAway, HallClient, HallRefused
from kiosk import bell
from kiosk.bell import Place, Request, WindowNow
from kiosk.outbox import Message, Outbox
from kiosk.paper import Roll
from kiosk.slips import Slips, seconds_of

LOG = logging.getLogger(__name__)
PATIENCE = 5.0  # seconds a key press waits for a hall that is away; later it would surprise the clerk
REPORT_EVERY = 30.0  # seconds between two reports of an unchanged device
LOOK_EVERY = 0.5  # seconds between two looks at the devices
REFRESH_AFTER = 1.0  # seconds after an event until the pads are told how many wait
AT_ONCE = 0.1  # seconds within which a rating is told as it is pressed
TOO_LATE = 10.0  # seconds after a visit's end in which its evaluator may still light up: another may sit there later
TWICE = 0.7  # seconds in which a second "next" of one pad is the same finger: nobody has walked to the window yet
AGAIN = 1.0  # seconds until a duty that broke down is taken up again
SHUT_OUT = 10.0  # seconds until a hall that knows our token no more is asked again
LEARNT = ("TicketCalled", "ServiceFinished", "RatingInvited")  # events that the answer to a key tells as well
INVITING = ("RatingInvited", "RatingClosed", "TicketRated")
LATER = (401, 429)  # refusals that say nothing about the message: our token is unknown, or we ask too often


@dataclass(frozen=True)
class Wish:
    """What a key asks of the hall: who pressed it, and until when it is worth trying."""

    device: str
    address: int
    request: Request
    deadline: float  # of the monotonic clock


@dataclass
class Ears:
    """Who else on this machine wants to know (the terminal's window). Called from the attendant's threads."""

    news: Callable[[str, News], None] = lambda device, news: None
    settled: Callable[[str, str, str], None] = lambda job, state, reason: None
    changed: Callable[[str, str, str], None] = lambda role, state, reason: None


class Attendant:
    """Serves the hall with `entries`, the devices of machine `name`; `kiosk` names the kiosk whose slips it prints."""

    def __init__(
        self,
        name: str,
        hall: HallClient,
        entries: Sequence[DeviceEntry],
        state: Path,
        *,
        kiosk: str = "",
        printer: str = "",
        ears: Ears | None = None,
    ) -> None:
        self.name, self.hall, self.kiosk = name, hall, kiosk
        self.ears = ears or Ears()
        self.places: dict[str, Place] = {}
        self.windows: dict[int, WindowNow] = {}
        self._calls: tuple[roles.Call, ...] = ()  # the hall's latest, for boards
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._taken_in: deque[tuple[str, int | None, str | None, str]] = deque(maxlen=200)
        self._wishes: queue.SimpleQueue[Wish | None] = queue.SimpleQueue()
        self._pressed_next: dict[tuple[str, int], float] = {}  # pad → when "next" was last heeded, monotonic
        self._showing: dict[tuple[str, int], Future[Any]] = {}
        self._next: dict[tuple[str, int], Order] = {}
        self._count_due = 0.0
        self._counted: dict[tuple[str, int], int] = {}  # what a pad has been told
        self._counts: dict[str, dict[int, int]] = {}  # device → address → what its pad is still to be told
        self._counting: set[str] = set()  # devices that are being told
        self._ahead = 0.0  # what must be added to our monotonic clock to get the hall's time
        self.station = Station(entries, self._tell, memory=state / f"{name}-devices.json")
        self._settle()
        self._invited = state / f"{name}-invited.json"
        for no, ticket in _read_invited(self._invited).items():
            if no in self.windows:
                self.windows[no] = replace(self.windows[no], rating=ticket)
        self.outbox = Outbox(state / f"{name}-outbox", self._deliver, HallAway)
        self._state_folder = state
        self.printer, self.roll = printer, self._roll(printer)
        self.slips = Slips(
            hall,
            kiosk,
            lambda slip: self.roll.print(slip),
            lambda job, state, reason: self.ears.settled(job, state, reason),
            self._hall_time,
            self._stop,
            self._mute,
        )
        duties = (self._follow, self._run, self._report, *((self.slips.run,) if kiosk else ()))
        self._threads = [
            threading.Thread(target=self._do, args=(duty,), name=f"{name} {duty.__name__.strip('_')}", daemon=True)
            for duty in duties
        ]

    def start(self) -> None:
        """Begin to serve; returns at once."""
        for thread in self._threads:
            thread.start()

    def apply(self, entries: Sequence[DeviceEntry], printer: str = "") -> list[str]:
        """Other devices from now on, without letting go of those that stay. Returns the names of those touched.

        Raises Mistake or LinkMistake, and then nothing has changed.
        """
        touched = self.station.apply(entries)
        if printer != self.printer:
            self.printer, self.roll = printer, self._roll(printer)
        fresh = self._settle()
        try:
            told = self._get("/windows")["windows"] if fresh else []
        except (HallAway, HallRefused):
            told = []  # what happens there from now on is heard from the journal
        with self._lock:
            self.windows.update({window["no"]: _now(window) for window in told if window["no"] in fresh})
        for name in touched:
            self._catch_up(name)
        return touched

    def _settle(self) -> set[int]:
        """Know the devices and windows there are now; returns the windows that are new."""
        places = {one.name: Place(one.name, one.roles, one.windows) for one in self.station.states()}
        served = {no for place in places.values() for no in place.windows.values()}
        with self._lock:
            fresh = served - self.windows.keys()
            self.places = places
            self.windows = {no: self.windows.get(no) or WindowNow(no) for no in sorted(served)}
        return fresh

    def _roll(self, printer: str) -> Roll:
        """The roll in this printer."""

        def send(order: Order) -> Outcome:
            try:
                return self.station.send(printer, order, timeout=60.0).result()
            except KeyError:  # it has been taken out of the configuration
                return Refused(order=type(order).__name__, reason="This kiosk has no ticket printer.")

        return Roll(self._state_folder / f"{self.name}-{printer}-roll", send)

    def _mute(self) -> bool:
        """True while the kiosk's printer is there and of a kind that never answers."""
        entry = self.station.entries.get(self.printer)
        if entry is None or not _never_answers(entry):
            return False
        return self.station.state(self.printer).state is State.DEGRADED

    def close(self) -> None:
        """Stop serving and let go of every cable; ratings that have not reached the hall stay on the disk."""
        self._stop.set()
        self._wishes.put(None)
        self.slips.close()
        self.outbox.close()
        self.station.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _do(self, duty: Callable[[], None]) -> None:
        """A duty, taken up again after whatever it stumbled over: a machine must not fall silent behind its back."""
        while not self._stop.is_set():
            try:
                duty()
                return
            except Exception:  # a mistake of ours that nobody foresaw: told in the log, and the hall goes on
                LOG.exception("%s broke down and is taken up again", threading.current_thread().name)
                self._stop.wait(AGAIN)

    # ---- devices speak -------------------------------------------------------------------------------------------

    def _tell(self, device: str, news: News) -> None:
        """Called by the device's own thread, in the order of its news."""
        place = self.places.get(device)
        if place is None:  # the first words of a device, before the station has been asked who is there
            return
        with self._lock:
            request = None if self._is_echo(place, news) else bell.heed(news, place, self.windows)
        if request is not None:
            self._ask_for(device, news.address, request)
        elif isinstance(news, roles.KeyPressed):
            self._sorry(device, news.address)
        if isinstance(news, roles.Alive) or (isinstance(news, roles.LinkDown) and news.over):
            self._catch_up(device)
        if isinstance(news, roles.PaperUsed) and device == self.printer:
            self.roll.heard(news)
        self.ears.news(device, news)

    def _is_echo(self, place: Place, news: News) -> bool:
        """The same pad's "next" twice within a moment would finish the visit of a citizen who has only been called."""
        if not isinstance(news, roles.KeyPressed) or news.key is not roles.Key.CALL_NEXT:
            return False
        key, pressed = (place.device, news.address), time.monotonic()
        now = self.windows.get(bell.window_of(place, news.address) or 0)
        if now and now.ticket_state == "called" and pressed - self._pressed_next.get(key, -TWICE) < TWICE:
            return True
        self._pressed_next[key] = pressed
        return False

    def _ask_for(self, device: str, address: int, request: Request) -> None:
        """A rating goes by way of the disk, a key straight to the hall."""
        if request.keep:
            try:
                self.outbox.put(request.path, request.body)
                return
            except OSError as trouble:
                LOG.error("a rating could not be kept on the disk (%s); it is sent without", trouble)
        self._wishes.put(Wish(device, address, request, time.monotonic() + PATIENCE))

    def _run(self) -> None:
        """Ask the hall for what keys ask, one after the other."""
        while (wish := self._wishes.get()) is not None:
            if not self._grant(wish):
                self._sorry(wish.device, wish.address)

    def _grant(self, wish: Wish) -> bool:
        """True when the hall has done it. A key pressed while the hall is away is forgotten after some seconds."""
        key, request = str(uuid.uuid4()), wish.request
        while not self._stop.is_set():
            try:
                answer = self.hall.post(request.path, dict(request.body), key=key)
            except HallAway:
                if time.monotonic() > wish.deadline:
                    return False
                self._stop.wait(0.2)
                continue
            except HallRefused as no:
                LOG.info("the hall refused %s: %s", request.path.rsplit("/", 1)[-1], no.code)
                return False
            if answer is not None:  # None: nobody waits
                self._learn(answer)
            return answer is not None
        return False

    def _learn(self, ticket: Mapping[str, Any]) -> None:
        """The answer to a key tells what the window holds now: strip, pad and evaluator do not wait for the journal,
        which may come late while its connection is made anew."""
        no, state = ticket.get("window"), ticket.get("state")
        if no not in self.windows:
            return
        data = {"ticket": ticket["id"], "number": ticket["number"], "window": no}
        if state == "called":
            self._take_in("TicketCalled", data, ticket["called_at"])
        elif state == "done":
            self._take_in("ServiceFinished", data, ticket["finished_at"])
            if ticket["rating"] == "invited":
                self._take_in("RatingInvited", data, ticket["finished_at"])

    def _take_in(self, kind: str, data: Mapping[str, Any], at: str) -> None:
        """Remember what this means for its window and show it, once, whoever tells it first: an answer or the journal.

        `at` is the moment it was stored.
        """
        no = data.get("window") or data.get("from_window")
        told = (kind, no, data.get("ticket"), at)
        with self._lock:
            if kind in LEARNT:
                if told in self._taken_in:
                    return
                self._taken_in.append(told)
            if no in self.windows:
                self.windows[no] = bell.follow(self.windows[no], kind, data)
            before, self._calls = self._calls, bell.remember(self._calls, kind, data)
            boards = bell.ring_boards(self._calls, self.places.values()) if self._calls != before else []
        if kind in INVITING:
            self._keep_invited()
        for ring in [*bell.ring(kind, data, list(self.places.values())), *boards]:
            self._show(ring)

    def _keep_invited(self) -> None:
        """Which visits may be rated stands on the disk too: for presses while this program starts without a hall."""
        with self._lock:
            invited = {str(no): now.rating for no, now in self.windows.items() if now.rating}
            draft = self._invited.with_suffix(".part")
            try:
                draft.write_text(json.dumps(invited), encoding="utf-8")
                draft.replace(self._invited)
            except OSError as trouble:
                LOG.error("open invitations to rate could not be kept on the disk (%s)", trouble)

    def _sorry(self, device: str, address: int) -> None:
        """Tell the clerk at the pad that the key did nothing: two beeps."""
        place = self.places.get(device)
        if place is not None and roles.CALL_PAD.name in place.roles:
            self._send(device, roles.Beep(times=2, address=address))

    def _deliver(self, message: Message) -> bool:
        """For the outbox: raises HallAway to be tried again; a refusal (already rated) is an answer.

        False when the hall broke down over this very message: it is kept for a hall that has been mended.
        """
        # What counts is when the key was pressed, not when its message gets through.
        waited = time.time() - message.at
        body = {**message.body, "age": math.ceil(waited) if waited > AT_ONCE else 0}
        try:
            self.hall.post(message.path, body, key=message.key)
        except HallRefused as no:
            if no.status in LATER:
                raise HallAway(no.detail) from no
            if no.status >= 500:
                LOG.error("the hall broke down over a message, which is kept: %s", no.code)
                return False
            LOG.info("the hall did not take a message: %s", no.code)
        return True

    # ---- the hall speaks -----------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Set every device to how things are, then follow the journal from there; again when the hall is a new one."""
        while not self._stop.is_set():
            try:
                self.hall.follow(self._arrive(), self._hear, self._stop)
            except HallAway:
                self._stop.wait(1.0)
            except HallRefused as no:
                LOG.error("the hall does not let this machine in: %s", no.detail)
                self._stop.wait(SHUT_OUT)

    def _arrive(self) -> int:
        """Learn how things are now; returns the journal's number for it."""
        seq = int(self._get("/healthz")["seq"])
        facts = self._get("/hall")
        self._ahead = seconds_of(facts["now"]) - time.monotonic()
        windows = self._get("/windows")["windows"]
        with self._lock:
            self._calls = _called(windows)
        for window in windows:
            if window["no"] in self.windows:
                with self._lock:
                    self.windows[window["no"]] = _now(window)
        self._keep_invited()
        for name in list(self.places):
            self._catch_up(name)
        if self.kiosk:
            self.slips.catch_up(facts)
        return seq

    def _catch_up(self, device: str) -> None:
        """Show a device (again) what it should be showing: after a start, and when it has come back."""
        with self._lock:
            place = self.places.get(device)
            if place is None:
                return
            known = [self.windows[no] for no in place.windows.values()]
            boards = bell.ring_boards(self._calls, [place])
        for ring in boards:
            self._show(ring)
        for now in known:
            kind, data = _as_event(now)
            for ring in bell.ring(kind, data, [place]):
                self._show(ring)
            if now.rating:
                for ring in bell.ring("RatingInvited", {"window": now.no}, [place]):
                    self._show(ring)
        with self._lock:
            for address in place.windows:
                self._counted.pop((device, address), None)
        self._count_due = self._count_due or time.monotonic() + REFRESH_AFTER

    def _hear(self, event: Mapping[str, Any]) -> None:
        """One event of the journal."""
        kind, data = event["type"], event["data"]
        if kind == "RatingInvited" and self._hall_time() - seconds_of(event["at"]) > TOO_LATE:
            return  # we were away: whoever presses now is the next citizen, and rates another visit
        self._take_in(kind, data, event["at"])
        if self.kiosk:
            self.slips.hear(event)
        if kind.startswith("Ticket") and not self._count_due:
            self._count_due = time.monotonic() + REFRESH_AFTER

    def _show(self, ring: bell.Ring) -> None:
        """Give the order to the device; an older display order that still waits is overtaken by it."""
        if not ring.display:
            self._send(ring.device, ring.order)
            return
        place = (ring.device, ring.order.address)
        with self._lock:
            busy = self._showing.get(place)
            if busy is not None and not busy.done():
                self._next[place] = ring.order
                return
            future = self._showing[place] = self._send(ring.device, ring.order)
        future.add_done_callback(lambda _done: self._shown(ring.device, place))

    def _shown(self, device: str, place: tuple[str, int]) -> None:
        with self._lock:
            order = self._next.pop(place, None)
        if order is not None and not self._stop.is_set():
            self._show(bell.Ring(device, order))

    # ---- reports -----------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        """Tell the hall how the devices are: every change at once, everything now and then."""
        told: dict[str, tuple[str, str]] = {}  # to the hall
        noticed: dict[str, tuple[str, str]] = {}  # by this machine's own window
        due = 0.0
        while not self._stop.is_set():
            states = {s.name: (s.state.value, s.reason) for s in self.station.states()}
            for name in [name for name, state in states.items() if noticed.get(name) != state]:
                for role in self._roles_of(name):
                    self.ears.changed(role, *states[name])
            noticed = states
            changed = [name for name, state in states.items() if told.get(name) != state]
            if changed or time.monotonic() >= due:
                names = list(states) if time.monotonic() >= due else changed
                if self._report_these(names, states):
                    told = states
                    due = time.monotonic() + REPORT_EVERY if names == list(states) else due
            self._refresh_counts()
            self._stop.wait(LOOK_EVERY)

    def _roles_of(self, name: str) -> tuple[str, ...]:
        place = self.places.get(name)
        return place.roles if place else ()

    def _report_these(self, names: Sequence[str], states: Mapping[str, tuple[str, str]]) -> bool:
        body = {
            "machine": self.name,
            "devices": [
                {
                    "device": name,
                    "role": self.places[name].roles[0],
                    "roles": list(self.places[name].roles),
                    "state": states[name][0],
                    "reason": states[name][1],
                    "windows": sorted(set(self.places[name].windows.values())),
                }
                for name in names
                if name in self.places
            ],
        }
        try:
            self.hall.post("/devices", body, key=str(uuid.uuid4()))
        except HallAway:
            return False
        except HallRefused as no:
            LOG.error("the hall does not take this machine's report: %s", no.detail)
        return True

    def _refresh_counts(self) -> None:
        """Tell the pads how many wait for their window, a moment after the line has changed."""
        if not self._count_due or time.monotonic() < self._count_due:
            return
        self._count_due = 0.0
        pads = [p for p in self.places.values() if roles.CALL_PAD.name in p.roles]
        if not pads:
            return
        try:
            waiting = {q["code"]: q["waiting"] for q in self._get("/queues")["queues"]}
            skills = {w["no"]: w["queues"] for w in self._get("/windows")["windows"]}
        except (HallAway, HallRefused):
            return  # shown at the next change of the line
        for pad in pads:
            for address, no in pad.windows.items():
                count = min(sum(waiting.get(code, 0) for code in skills.get(no, ())), 999)
                with self._lock:
                    if self._counted.get((pad.device, address)) != count:
                        self._counted[pad.device, address] = count
                        self._counts.setdefault(pad.device, {})[address] = count
            self._count(pad.device)

    def _count(self, device: str, done: Future[Any] | None = None) -> None:
        """Tell the pads of a cable their counts, one at a time: twenty in a row would hold a call up for seconds."""
        with self._lock:
            if done is None and device in self._counting:
                return
            self._counting.discard(device)
            left = self._counts.get(device)
            if not left or self._stop.is_set():
                return
            address, count = left.popitem()
            self._counting.add(device)
        future = self._send(device, roles.ShowNumber(waiting=count, address=address))
        future.add_done_callback(lambda done: self._count(device, done))

    def _send(self, device: str, order: Order) -> Future[Outcome]:
        """Send an order; a device that has just been taken out of the configuration refuses it."""
        try:
            return self.station.send(device, order)
        except KeyError as gone:
            refused: Future[Outcome] = Future()
            refused.set_result(Refused(order=type(order).__name__, reason=str(gone.args[0])))
            return refused

    # ---- asking ------------------------------------------------------------------------------------------------------

    def _hall_time(self) -> float:
        """Seconds of Unix time by the hall's clock; ours may be wrong."""
        return time.monotonic() + self._ahead

    def _get(self, path: str) -> dict[str, Any]:
        return self.hall.get(path)


def _read_invited(file: Path) -> dict[int, str]:
    """Window → visit that may be rated, as it was known last; nothing when it is not known or was half written."""
    try:
        return {int(no): str(ticket) for no, ticket in json.loads(file.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _now(window: Mapping[str, Any]) -> WindowNow:
    """What GET /v1/windows tells of one window."""
    ticket, rating = window["ticket"] or {}, window["rating"] or {}
    return WindowNow(
        window["no"],
        state=window["state"],
        ticket=ticket.get("id", ""),
        ticket_state=ticket.get("state", ""),
        rating=rating.get("ticket", ""),
        number=ticket.get("number", ""),
    )


def _never_answers(entry: DeviceEntry) -> bool:
    """True for a device that by its nature, or as it is set up, never says what it has done."""
    options = entry.options
    if isinstance(options, Mapping):
        options = read_options(entry.driver, options)
    return not drivers.load(entry.driver).Driver(options).answers


def _called(windows: Sequence[Mapping[str, Any]]) -> tuple[roles.Call, ...]:
    """Who has been called and is at a window now, the last one first: what a board can know of the time before."""
    held = [(window["ticket"], window["no"]) for window in windows if window["ticket"]]
    held.sort(key=lambda one: str(one[0].get("called_at") or ""), reverse=True)
    return tuple(roles.Call(number=ticket["number"], window=no) for ticket, no in held)[: bell.REMEMBERED]


def _as_event(now: WindowNow) -> tuple[str, dict[str, Any]]:
    """The event that says how a window is, for showing it to a device."""
    data = {"window": now.no, "number": now.number}
    if now.ticket_state:
        return {"called": "TicketCalled", "serving": "ServiceStarted"}[now.ticket_state], data
    return {"open": "WindowOpened", "paused": "WindowPaused"}.get(now.state, "WindowClosed"), data

"""How the terminal takes what the world tells it: the hall's answers, the devices' news; `card` is `_on_card`.

An answer for a session that has ended meanwhile is dropped.
"""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from devices.roles import CardPresented
from kiosk import search
from kiosk.journey import Event, Page
from kiosk.mind import Mind
from kiosk.outside import Outside, Record
from kiosk.papers import Pixels, Preview, Taken, Uncut
from kiosk.session import look_at
from kiosk.view import PAPER, READER, SHEETS, WORKS, Habits, Stage

log = logging.getLogger(__name__)
SETTLED = {"confirmed": "printed", "sent": "sent", "sending": "printing", "queued": "printing", "unknown": "unknown"}


class Answers(Mind):
    """Letters, opened."""

    def __init__(self, habits: Habits, outside: Outside, stage: Stage, clock: Callable[[], float]) -> None:
        super().__init__(habits, outside, stage, clock)
        self._initials: dict[str, str] = {}
        self._reading = False  # another process is reading the names of the services aloud
        self._remembered: Mapping[str, Any] = {}
        self._recall_catalogue()

    # ---- the hall ----------------------------------------------------------------------------------------------

    def _on_catalogue(self, catalogue: Mapping[str, Any]) -> None:
        self._take_catalogue(catalogue)
        self.view.away = False
        names = {str(service["name"]) for category in self.view.categories for service in category["services"]}
        if names <= self._initials.keys():
            self._index_services()
        elif not self._reading:
            self._reading = True
            self._questions.submit(self._read_aloud, sorted(names))
        self._remember({**catalogue, "initials": self._initials})

    def _take_catalogue(self, catalogue: Mapping[str, Any]) -> None:
        self.view.hall = catalogue["hall"]
        self.view.categories = tuple(c for c in catalogue["services"]["categories"] if c["services"])
        self._on_queues(catalogue["queues"])

    def _on_queues(self, answer: Mapping[str, Any]) -> None:
        self.view.queues = {str(queue["code"]): queue for queue in answer["queues"]}
        self.view.away = False

    def _on_no_catalogue(self, _reason: str) -> None:
        self.view.away = True

    def _read_aloud(self, names: list[str]) -> None:
        try:
            self.outside.post("initials", search.read_aloud(names))
        except (OSError, subprocess.SubprocessError, ValueError) as trouble:
            log.warning("services cannot be found by pinyin: %s", trouble)
            self.outside.post("initials", dict.fromkeys(names, ""))

    def _on_initials(self, initials: dict[str, str]) -> None:
        self._initials, self._reading = initials, False
        self._index_services()

    def _index_services(self) -> None:
        services = [service for category in self.view.categories for service in category["services"]]
        self.index = search.build(services, self._initials)
        self._do_search()

    def _on_answer(self, session: str, what: str, answer: Any) -> None:
        if session != self.session.id:
            return
        if what == "taken":  # the person has said it, the hall knows it: nothing more to do
            return
        if what == "help":
            self.view.help_called = True
        elif what == "issue":
            self._take_ticket(answer)
            self.session.waiting = ""
            self._handle(Event.ISSUED)
        elif what == "find":
            self._found(answer)
        elif what == "verify":
            self.session.ticket = {**answer, "job": (self.session.ticket or {}).get("job")}
        else:
            self._take_ticket(answer)
            self.session.waiting = ""
            self._handle(Event.FOUND)

    def _found(self, tickets: list[Record]) -> None:
        self.session.waiting = ""
        if not tickets:
            self.view.note = "There is no such number today."
            self._handle(Event.NOTHING)
            return
        self.session.ticket, self.session.printing = tickets[-1], ""
        self._handle(Event.FOUND)

    def _take_ticket(self, ticket: Record) -> None:
        self.session.ticket = ticket
        job = ticket.get("job")
        if not job:
            self.session.printing = "none" if self.journey.page is Page.ISSUING else ""
        elif job["state"] in SETTLED:
            self.session.printing = SETTLED[job["state"]]
        else:
            self.session.printing = "paper" if self.view.paper_out else "fault"

    def _on_refused(self, session: str, what: str, sentence: str, code: str) -> None:
        if session != self.session.id:
            return
        if what == "help":
            self.view.help_called = False
        elif what == "find" and code in ("not_found", "unknown_ticket", ""):
            self._found([])
        elif what not in ("verify", "taken"):  # a claim that was not accepted leaves the ticket as it is
            self.session.cause, self.session.detail = "refused", sentence
            self._handle(Event.REFUSED)

    def _on_away(self, session: str, what: str, _reason: str) -> None:
        self.view.away = True
        if session != self.session.id or what in ("verify", "taken"):
            return
        if what == "help":
            self.view.help_called = False
        else:
            self._handle(Event.AWAY)

    # ---- scanning and copying ----------------------------------------------------------------------------------

    def _on_sheets(self, session: str, sheets: tuple[Taken, ...]) -> None:
        if session != self.session.id:
            return
        more = len(sheets) > len(self.session.sheets) or self.session.retaking
        self.session.sheets, self.session.changed = sheets, True
        known = {sheet.id for sheet in sheets}
        self.session.kept = frozenset(self.session.kept & known)
        if more and self.journey.page is Page.SCAN:  # whoever lays down a page is there
            self.session.retaking = False
            self.journey.touch(self.clock())
            self.stage.sound("taken")

    def _on_sheet(self, session: str, id: int, large: Pixels) -> None:
        if session == self.session.id and id == self.session.chosen:
            self.session.sheet = large

    def _on_uncut(self, session: str, uncut: Uncut) -> None:
        if session == self.session.id and uncut.id == self.session.chosen and self.journey.page is Page.CROP:
            self.session.uncut = uncut

    def _on_preview(self, session: str, preview: Preview) -> None:
        if session == self.session.id:
            self.session.preview = preview

    def _on_copied(self, session: str, state: str, reason: str) -> None:
        if session != self.session.id:
            return
        lacking = state == "failed" and (PAPER.search(reason) or self.view.lacks_paper(SHEETS))
        self.session.copying = "paper" if lacking else state
        self.stage.sound("done" if state == "done" else "sorry")
        self._handle(Event.COPIED)

    # ---- devices -----------------------------------------------------------------------------------------------

    def _on_states(self, states: tuple[Record, ...]) -> None:
        self.view.all_devices = states
        self.view.devices = {str(d["role"]): (str(d["state"]), str(d.get("reason", ""))) for d in states}

    def _on_device_changed(self, role: str, state: str, reason: str) -> None:
        self.view.devices = {**self.view.devices, role: (state, reason)}
        if role == READER and state not in WORKS and self.view.card_state == "wanted":
            self.view.card_state = "broken"
            self._handle(Event.NO_CARD)

    def _on_print_settled(self, job: str, state: str, reason: str) -> None:
        ours = (self.session.ticket or {}).get("job") or {}
        if not job or ours.get("id") != job:
            return
        if state in SETTLED:
            self.session.printing = SETTLED[state]
        else:
            self.session.printing = "paper" if self.view.paper_out or PAPER.search(reason) else "fault"
        self.journey.touch(self.clock())  # the person has something new to read

    def _on_card(self, card: CardPresented) -> None:
        self.view.card_left = True
        shown = look_at(card, self.today())
        if self.journey.page is Page.CARD and self._asking_cards:
            self.session.card = shown
            self.view.card_state = "read"
            self._handle(Event.CARD)

    def _on_card_unreadable(self, _reason: str) -> None:
        if self.journey.page is Page.CARD and self.view.card_state == "wanted":
            self.view.card_state = "unreadable"
            self.stage.sound("sorry")

    def _on_card_removed(self) -> None:
        self.view.card_left = False
        if self.journey.page is not Page.CARD:
            return
        if self.view.card_state == "read":
            self.view.card_state = "gone"
            self._handle(Event.GO_ON)
        elif self.view.card_state == "unreadable":
            self.view.card_state = "wanted"

    def _on_scanned(self, text: str) -> None:
        self._scanned = text
        self._handle(Event.SCANNED)
        self._scanned = ""

    def _on_code(self, session: str, right: bool) -> None:
        if session == self.session.id:
            self.view.code_wait = self._lock.wait(self.clock())
            self.view.note = "" if right else "This code does not open."
            self._handle(Event.CODE_RIGHT if right else Event.CODE_WRONG)

    # ---- remembering the catalogue over a start without the hall -----------------------------------------------

    def _remember(self, catalogue: Mapping[str, Any]) -> None:
        """Keep what is public about the hall, so that the next start shows it at once."""
        told = {key: catalogue[key] for key in ("hall", "services", "initials")}
        if told == self._remembered:
            return
        self._remembered = told
        file = self.habits.state / "catalogue.json"
        try:
            half = file.with_suffix(".half")
            half.write_text(json.dumps(catalogue, ensure_ascii=False), encoding="utf-8")
            half.replace(file)
        except OSError as trouble:
            log.warning("%s cannot be written: %s", file, trouble.strerror)

    def _recall_catalogue(self) -> None:
        try:
            catalogue = json.loads((self.habits.state / "catalogue.json").read_text(encoding="utf-8"))
            self._take_catalogue(catalogue)
            self._initials = dict(catalogue["initials"])
            self._index_services()
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as trouble:
            log.warning("the remembered catalogue is of no use: %s", trouble)

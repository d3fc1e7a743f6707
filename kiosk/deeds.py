"""What the journey's table asks for, deed by deed: `issue` is `_do_issue`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from kiosk.mind import Mind
from kiosk.outside import Copier
from kiosk.view import READER

SAME_TICKET_S = 10.0  # a second tap for the same thing within this time is the same wish
TICKET_LINK = re.compile(r"/t/([A-Za-z0-9_-]{6,})")
TYPED_NUMBER = re.compile(r"[A-Za-z]{0,2}\d{1,5}")


class Deeds(Mind):
    """The words of `kiosk.journey.TABLE`, carried out."""

    def _do_begin(self) -> None:
        self._fresh()

    def _do_end(self) -> None:
        self._fresh()
        self._do_stop_card()

    def _do_be_elder(self) -> None:
        self.session.elder = not self.session.elder

    def _do_other_language(self) -> None:
        known = self.habits.languages
        at = known.index(self.session.language) if self.session.language in known else -1
        self.session.language = known[(at + 1) % len(known)]

    def _do_only_service(self) -> None:
        assert self.session.category is not None
        self.session.service = self.session.category["services"][0]

    def _do_clear_typed(self) -> None:
        self.session.typed, self.view.note = "", ""
        self._do_search()

    def _do_new_key(self) -> None:
        wish, key, at = self._old_wish
        same = wish == self.session.wanted and self.clock() - at < SAME_TICKET_S
        self.session.key = key if same else uuid.uuid4().hex
        self.session.priority = None

    def _do_ordinary(self) -> None:
        self.session.priority = None

    def _do_issue(self) -> None:
        kind, code = self.session.wanted
        if not code:
            self.outside.post("refused", self.session.id, "issue", "", "nothing_chosen")
            return
        self.session.waiting = "issue"
        self._old_wish = (self.session.wanted, self.session.key, self.clock())
        priority = str(self.session.priority["code"]) if self.session.priority else None
        self._order(
            "issue",
            lambda hall, key: hall.issue(
                queue=code if kind == "queue" else None,
                service=code if kind == "service" else None,
                priority=priority,
                key=key,
            ),
            self.session.key,
        )

    def _do_verify_age(self) -> None:
        card, ticket = self.session.card, self.session.ticket
        if card is None or card.age is None or ticket is None or self.session.priority is None:
            return
        age, number = card.age, str(ticket["id"])
        self._order("verify", lambda hall, _key: hall.verify_age(number, age), "")

    def _do_forget_card(self) -> None:
        self.session.card = None

    def _do_read_card(self) -> None:
        self.view.card_state = "wanted" if self.view.works(READER) or not self.view.devices else "broken"
        self._asking_cards = True
        self._questions.submit(self._device, self.outside.devices.read_card)

    def _do_stop_card(self) -> None:
        if self._asking_cards:
            self._asking_cards = False
            self._questions.submit(self._device, self.outside.devices.stop_card)

    def _do_find(self) -> None:
        number = self.session.typed.strip().upper()
        self.session.waiting = "find"
        self._order("find", lambda hall, _key: list(hall.find(number)), "")

    def _do_look_scanned(self) -> None:
        text, self.session.waiting = self._scanned.strip(), "find"
        link = TICKET_LINK.search(text)
        if link:
            id = link.group(1)
            self._order("find", lambda hall, _key: [hall.ticket(id)], "")
        else:
            self.session.typed = text.upper() if TYPED_NUMBER.fullmatch(text) else ""
            self._do_find()

    def _do_again(self) -> None:
        if self.session.waiting in ("find", "rejoin", "reprint"):
            getattr(self, f"_do_{self.session.waiting}")()

    def _do_rejoin(self) -> None:
        self._with_ticket("rejoin", lambda hall, id, key: hall.rejoin(id, key))

    def _do_reprint(self) -> None:
        self.session.printing = "printing"
        self._with_ticket("reprint", lambda hall, id, key: hall.reprint(id, key))

    def _do_was_printed(self) -> None:
        self.session.printing = "printed"
        job = ((self.session.ticket or {}).get("job") or {}).get("id")
        if job:
            self._order("taken", lambda hall, key: hall.slip_taken(str(job), key), uuid.uuid4().hex)

    def _do_no_print(self) -> None:
        self.session.printing = "fault"

    def _do_call_help(self) -> None:
        self.view.help_called = None
        page = str(self.journey.page)
        self._order("help", lambda hall, _key: hall.call_helper(page), "")

    # ---- scanning and copying ----------------------------------------------------------------------------------

    def _copier(self) -> Copier:
        if self.outside.copier is None:
            raise LookupError("there is no copier at this kiosk, and yet somebody uses it")
        return self.outside.copier

    def _do_begin_scan(self) -> None:
        self._copier().begin(self.session.id)

    def _do_shoot(self) -> None:
        self._copier().shoot()

    def _do_look_at_sheet(self) -> None:
        self.session.sheet = self.session.uncut = None
        self._copier().look_at(self.session.chosen)

    def _do_turn_sheet(self) -> None:
        self._copier().turn(self.session.chosen)

    def _do_move_sheet(self) -> None:
        self._copier().earlier(self.session.chosen)

    def _do_look_at_shot(self) -> None:
        self.session.uncut = None
        self._copier().look_at_shot(self.session.chosen)

    def _do_forget_shot(self) -> None:
        self.session.uncut = None

    def _do_cut_sheet(self) -> None:
        self.session.sheet = self.session.uncut = None
        self._copier().cut(self.session.chosen, self.session.cut)

    def _do_remove_sheet(self) -> None:
        self.session.sheet = None
        self._copier().remove(self.session.chosen)

    def _do_retake(self) -> None:
        self.session.sheet, self.session.retaking = None, True
        self.session.kept -= {self.session.chosen}
        self._copier().retake(self.session.chosen)

    def _do_keep_sheet(self) -> None:
        self.session.sheet = None
        self.session.kept |= {self.session.chosen}

    def _do_undo(self) -> None:
        self._copier().undo()

    def _do_preview(self) -> None:
        self.session.preview = None
        self._copier().preview(0, self.session.mark)

    def _do_next_preview(self) -> None:
        at = self.session.preview.number if self.session.preview else -1
        self._copier().preview(at + 1, self.session.mark)

    def _do_mark(self) -> None:
        self.session.mark = not self.session.mark
        self._copier().preview(self.session.preview.number if self.session.preview else 0, self.session.mark)

    def _do_copy(self) -> None:
        self.session.copying = "printing"
        self._copier().print(1, self.session.mark)

    def _do_was_copied(self) -> None:
        self.session.copying = "done"

    def _do_check_code(self) -> None:
        code, self.session.typed = self.session.typed, ""
        self._questions.submit(lambda: self.outside.post("code", self.session.id, self._lock.opens(code, self.clock())))

    def _do_ask_devices(self) -> None:
        devices = self.outside.devices
        self._questions.submit(self._device, lambda: self.outside.post("states", tuple(devices.states())))

    def _do_test_print(self) -> None:
        self.view.note = "The test page is on its way."
        self._questions.submit(self._device, self.outside.devices.test_print)

    def _do_leave(self) -> None:
        self.stage.leave()

    def _do_ask_queues(self) -> None:
        self._asked["queues"] = -1e9
        self._refresh(self.clock())

    def _with_ticket(self, what: str, ask: Callable[[Any, str, str], Any]) -> None:
        if self.session.ticket is None:
            return
        id, self.session.waiting = str(self.session.ticket["id"]), what
        self._order(what, lambda hall, key: ask(hall, id, key), uuid.uuid4().hex)

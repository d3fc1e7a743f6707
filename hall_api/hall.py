"""The hall: ask it for something and it is done, stored and told; ask it how things are and it answers.

Everyone who changes anything goes through `Hall.obey`. The dicts it answers with are the JSON shapes of docs/api.md.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from config.plan import HallPlan
from hall_api.answers import Json, Shapes
from hall_api.domain.book import Draft, Moment
from hall_api.domain.calendar import business_date, hall_time, to_ms
from hall_api.domain.decide import decide, new_day
from hall_api.domain.orders import Actor, Order
from hall_api.domain.papers import only_its_window
from hall_api.domain.refusal import Kind, Refusal
from hall_api.readings import Readings
from hall_api.storage.engine import Connection
from hall_api.storage.feed import Callback
from hall_api.storage.reader import Reader, Snapshot
from hall_api.storage.store import Store
from hall_api.storage.unit import Told, Unit
from hall_api.vault import Vault

T = TypeVar("T")
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # no i, l, o, u: nobody mistakes or misreads them


def utc_now() -> datetime:
    """The machine's clock; the hall's own time (never going back) is derived from it."""
    return datetime.now(UTC)


def draw(now: int, bits: int) -> str:
    """An id nobody can guess, with the second it was made in front so that indexes grow at one end only."""
    value = (now // 1000 << bits) | secrets.randbits(bits)
    letters = []
    while value:
        value, digit = divmod(value, 32)
        letters.append(_LETTERS[digit])
    return "".join(reversed(letters))


def fingerprint(order: Order) -> str:
    """What was asked, as a short hash: the same key with another fingerprint is a mistake of the asker."""
    return hashlib.sha256(repr(order).encode()).hexdigest()


class Hall(Readings):
    """One hall over one store. Safe to use from any thread; from greenlets when the store was opened for them.

    `vault` seals attachments; without one none are taken.
    `public_url` stands before every link given to citizens ("http://192.168.1.5:8000"), without a slash at its end.
    """

    def __init__(
        self,
        plan: HallPlan,
        store: Store,
        *,
        clock: Callable[[], datetime] = utc_now,
        public_url: str = "",
        vault: Vault | None = None,
    ) -> None:
        for queue in plan.queues:
            if queue.code[-1:].isdigit():
                raise ValueError(f"queue {queue.code!r}: a code that ends in a digit would make numbers ambiguous")
        super().__init__(plan, store, Shapes(plan, public_url.rstrip("/")))
        self.vault = vault or Vault(None)
        self._clock = clock
        self._offset = 0  # how far hall time is ahead of a clock that was set back, ms

    def obey(self, order: Order, actor: Actor, key: str | None = None, request_hash: str | None = None) -> Json | None:
        """Do it durably, then answer: TICKET, WINDOW, queue, job or {}; None when CallNext finds nobody waiting.

        `key` is the idempotency key: the same key from the same actor gets the first answer (a refusal too).
        Raises Refusal(code, kind, **params); kind `unavailable` when the disk is full or the database is away.
        """
        if key is None:
            return self._store.write(lambda unit: self._decided(unit, order, actor))
        request = request_hash or fingerprint(order)
        return self._store.write(lambda unit: self._once(unit, order, actor, key, request))

    def _once(self, unit: Unit, order: Order, actor: Actor, key: str, request: str) -> Json | None:
        """The first answer to this key, now or again."""
        name = f"{actor.role}:{actor.name}"
        first = unit.answered(name, key)
        if first:
            return _repeated(first, request)
        try:
            answer = self._decided(unit, order, actor)
        except Refusal as refusal:
            if refusal.kind is not Kind.UNAVAILABLE:
                body = {"code": refusal.code, "kind": refusal.kind, "params": refusal.params}
                unit.remember(name, key, request, "refused", json.dumps(body, ensure_ascii=False), unit.at)
            raise
        unit.remember(name, key, request, "ok", json.dumps(answer, ensure_ascii=False), unit.at)
        return answer

    def _decided(self, unit: Unit, order: Order, actor: Actor) -> Json | None:
        now, self._offset = hall_time(to_ms(self._clock()), unit.at, self._offset)
        moment = Moment(
            plan=self.plan,
            now=now,
            date=business_date(now, self.plan, unit.business_date),
            actor=actor,
            draw=lambda bits: draw(now, bits),
            behind=self._offset,
        )
        who = f"{actor.role}:{actor.name}"
        if moment.date != unit.business_date:
            if unit.business_date:
                unit.apply(new_day(unit.business_date, unit, moment), "system:", now)
            unit.turn_day(moment.date, now)
        draft = decide(order, unit, moment)
        unit.apply(draft, who, now)
        return self._shapes.answer(draft.subject, unit, draft.ahead)

    def attachments(self, ticket_id: str, actor: Actor) -> Json:
        """`GET /v1/tickets/{id}/attachments`, for who may see them. Raises Refusal."""
        kept = self._papers(ticket_id, actor, lambda reader: reader.attachments(ticket_id))
        return {"attachments": [self._shapes.attachment(one) for one in kept]}

    def attachment(self, ticket_id: str, attachment: str, actor: Actor) -> bytes:
        """A document as it is kept: sealed. Raises Refusal."""
        sealed = self._papers(ticket_id, actor, lambda reader: reader.sealed(ticket_id, attachment))
        if sealed is None:
            raise Refusal("no_attachment", Kind.MISSING)
        return sealed

    def _papers(self, ticket_id: str, actor: Actor, look: Callable[[Reader], T]) -> T:
        """What somebody who may see a ticket's papers sees of them."""

        def in_a_moment(connection: Connection) -> T:
            reader = Snapshot(connection)
            date = reader.state()[2]
            draft = Draft(reader, Moment(plan=self.plan, now=self.now(), date=date, actor=actor, draw=lambda _: ""))
            only_its_window(draft.ticket(ticket_id), draft)
            return look(reader)

        return self._store.read(in_a_moment)

    def now(self) -> int:
        """Hall time in ms: the clock, or what runs on from the last stored moment when the clock was set back."""
        return to_ms(self._clock()) + self._offset

    def events(self, after: int, limit: int = 500, audience: Sequence[str] = ("public",)) -> list[Told]:
        """Journal lines with seq > `after`, oldest first, of these audiences: for catching up.

        At most `limit` lines are looked at; the page is empty only when there is nothing more.
        """
        while page := self._store.events(after, limit):
            heard = [line for line in page if line.audience in audience]
            if heard:
                return heard
            after = page[-1].seq
        return []

    def last_seq(self) -> int:
        """Of the newest journal line this process has heard."""
        return self._store.feed.last

    def follow(self, callback: Callback) -> Callable[[], None]:
        """Hear every new journal line of every process, in order, each once; returns how to stop.

        Called with a list of Told (seq, at, type, audience, data as JSON text, `.as_json()`, `.text()`): on a native
        thread, or in the hub when the store was opened with Greenlets. It must be quick and must not ask the hall.
        """
        return self._store.feed.follow(callback)

    def close(self) -> None:
        """Finish what was asked, then let go of the store."""
        self._store.close()


def _repeated(first: tuple[str, str, str], request: str) -> Json | None:
    asked, status, body = first
    if asked != request:
        raise Refusal("key_reused", Kind.INVALID)
    answer: Any = json.loads(body)
    if status == "refused":
        raise Refusal(answer["code"], answer["kind"], **answer["params"])
    return answer  # type: ignore[no-any-return]

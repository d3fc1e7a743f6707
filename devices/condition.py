"""How one device is doing, worked out from what it and its cable have said: no clock, no thread.

absent ── the cable opens ──▶ connecting ── it answers ──▶ ready ◀──▶ degraded, error
  ▲                                                          │
  └────────────── the cable goes, or nothing answers ◀───────┘
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from config.words import Sentence, joined
from devices.roles import Alive, Exchanged, LinkDown, News, Silent, Trouble
from devices.words import SAID


class State(StrEnum):
    """States of a device as a technician sees them."""

    ABSENT = "absent"
    CONNECTING = "connecting"
    READY = "ready"
    DEGRADED = "degraded"
    ERROR = "error"
    DISABLED = "disabled"


class Condition:
    """What is known of one device. Each method returns the news that is worth telling: each trouble once."""

    def __init__(self, answers: bool, enabled: bool = True) -> None:
        self.answers = answers
        self.enabled = enabled
        self.open = False
        self.why_absent = ""  # empty: not tried yet
        self.mistake = ""  # a fault of our own program or configuration
        self._alive: set[int] = set()
        self._troubles: dict[tuple[type[Trouble], int], Trouble] = {}

    @property
    def troubles(self) -> list[Trouble]:
        """Every trouble that has started and not ended, the cable's own first."""
        down = [LinkDown(reason=self.why_absent)] if self.why_absent and not self.open else []
        return [*down, *self._troubles.values()]

    def opened(self) -> list[News]:
        """The cable is open."""
        was_told = bool(self.why_absent)
        self.open, self.why_absent, self.mistake = True, "", ""
        return [LinkDown(over=True)] if was_told else []

    def absent(self, reason: str) -> list[News]:
        """The cable is gone or cannot be opened. Older troubles are over: nobody can know of them any more."""
        news: list[News] = [] if self.why_absent else [LinkDown(reason=reason)]
        self.open, self.why_absent = False, reason
        return news + self.forget()

    def forget(self) -> list[News]:
        """The driver starts afresh and will tell again what is wrong."""
        overs: list[News] = [replace(trouble, over=True) for trouble in self._troubles.values()]
        self._troubles.clear()
        self._alive.clear()
        return overs

    def hear(self, news: News) -> bool:
        """The device says something; True when it is worth telling."""
        if isinstance(news, Alive):
            self._alive.add(news.address)
        if not isinstance(news, Trouble):
            return True
        key = (type(news), news.address)
        if isinstance(news, Silent) and not news.over:
            self._alive.discard(news.address)
        if not news.over:
            known = key in self._troubles
            self._troubles[key] = news
            return not known
        return self._troubles.pop(key, None) is not None

    @property
    def state(self) -> tuple[State, str]:
        """The state, and the reason for it in a sentence (empty when there is nothing to explain)."""
        if not self.enabled:
            return State.DISABLED, "Switched off in the configuration."
        if self.mistake:
            return State.ERROR, self.mistake
        if not self.open:
            return (State.ABSENT, self.why_absent) if self.why_absent else (State.CONNECTING, "The cable is opened.")
        grave = [t for t in self._troubles.values() if t.grave]
        well = self._alive - {t.address for t in grave}
        words = joined("; ", (_called(t) for t in [*grave, *(t for t in self._troubles.values() if not t.grave)]))
        if any(isinstance(t, Exchanged) for t in grave):
            return State.ERROR, words  # whatever else on it may be well: nobody knows what hangs here
        if grave and not well:
            silent = all(isinstance(t, Silent) for t in grave)
            return (State.ABSENT if silent else State.ERROR), words
        if not self._alive and self.answers:
            return State.CONNECTING, "The cable is open; the device has not answered yet."
        if words:
            return State.DEGRADED, words
        if not self._alive:
            return State.DEGRADED, "This device cannot answer: what it does is never confirmed."
        return State.READY, ""


def _called(trouble: Trouble) -> str:
    """A trouble in words: 缺纸 paper out (address 3)."""
    name = SAID.get(type(trouble).__name__, type(trouble).__name__)
    detail = next((one for key in ("reason", "detail", "granted") if (one := getattr(trouble, key, ""))), "")
    said = joined(": ", (part for part in (name, detail) if part))
    return Sentence("{trouble} (address {address})", trouble=said, address=trouble.address) if trouble.address else said

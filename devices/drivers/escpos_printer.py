"""Ticket printers that speak ESC/POS, 58 and 80 mm: a slip in Chinese with its QR code, cut, and the truth about it.

A slip is asked for, sent and asked after:

    DLE EOT 1..4 ──▶ paper out, cover open … ──▶ Refused, nothing printed
                 ──▶ well, or no answer      ──▶ the slip ──▶ DLE EOT 1..4 ──▶ well          Obeyed
                                                                           ──▶ trouble      Unconfirmed
                                                                           ──▶ no answer    Unconfirmed

Unknown status does not keep a slip from being printed, but it is never told as success. Questions are put one at a
time, because the answers do not say which question they belong to (Epson ESC/POS reference, DLE EOT). For the same
reason the first answer after a question that was given up is not believed: it may be that one's, from before the slip.

Dialects: `dle-eot` (real time), `gs-r` and the older `esc-v` (models that ignore DLE EOT; the answer comes in turn
behind the slip), `both` (GS r behind the slip proves it was worked through, then DLE EOT tells how the printer is),
`asb` (the printer tells by itself when something changes, and once when it is asked to), `none`. What a kind of printer
speaks and has is a table (`devices.escpos.models`); scripts it has no letters for, and codes it cannot draw, are drawn
for it.

With `asb`, status that differs from the last may have come by itself, so it proves nothing about the slip: the question
is put again, and only the same status once more is its answer. A printer that has stopped answers nothing in this
dialect until it works again; what it told last holds until then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from devices import driver as base
from devices.driver import OrderMistake, Timing
from devices.escpos import status
from devices.escpos.ear import Ear, Verdict
from devices.escpos.encode import longest_block, millimetres, render
from devices.escpos.models import AS_MODEL, CODES, CUTS, MODELS, STATUS, Model
from devices.escpos.paper import Mechanism, read_aloud, seen
from devices.escpos.slip import Item, Line, columns, lay_out, read_back
from devices.roles import (
    TICKET_PRINTER,
    Alive,
    CoverOpen,
    CutterError,
    Garbled,
    News,
    Obeyed,
    Order,
    PaperNearEnd,
    PaperOut,
    PaperUsed,
    PrinterError,
    PrinterOffline,
    Refused,
    Role,
    SetRoll,
    Silent,
    Trouble,
    Unconfirmed,
)

ANSWER_PATIENCE = 0.6  # seconds; real-time answers come within milliseconds, 9600 baud and a slow USB bridge included
MISSES = 3  # unanswered polls in a row that make a printer silent

_QUESTIONS: dict[str, tuple[bytes, ...]] = {
    "gs-r": (status.BUFFERED,),
    "esc-v": (status.OLD_BUFFERED,),
    "asb": (status.AUTOMATIC,),
    "none": (),
}
_SPOKEN: dict[tuple[bytes, ...], str] = {(status.BUFFERED,): "GS r", (status.OLD_BUFFERED,): "ESC v"}
STOPPED_TURNS = 6  # a printer that has stopped keeps what it is sent: it is asked more seldom

_WHY: dict[type[Trouble], str] = {
    PaperOut: "the printer has no paper: put in a new roll",
    CoverOpen: "the printer's cover is open: close it",
    CutterError: "the cutter is stuck: switch the printer off, clear the cutter, switch it on",
    PrinterError: "the printer reports an error",
    PrinterOffline: "the printer is offline: press its feed or online key",
}
_AFTER: dict[type[Trouble], str] = {
    PaperOut: "paper ran out while printing; look at the slip",
    CoverOpen: "the cover was opened while printing; look at the slip",
    CutterError: "the cutter got stuck while printing; look at the slip",
}


@dataclass(frozen=True)
class Options:
    """What a technician chooses for a ticket printer."""

    model: str = field(
        default="standard-80",
        metadata={
            "label": "Kind of printer",
            "choices": tuple(MODELS),
            "help": "What is left to the model below follows from this.",
        },
    )
    width_mm: int = field(
        default=0,
        metadata={"label": "Paper width", "unit": "mm", "choices": (0, 58, 80), "help": "0: as the model."},
    )
    status: str = field(
        default=AS_MODEL,
        metadata={
            "label": "Status language",
            "choices": (AS_MODEL, *STATUS),
            "help": "Which question the printer answers. If the status stays unknown, try gs-r, then esc-v, then asb.",
        },
    )
    cut: str = field(
        default=AS_MODEL,
        metadata={
            "label": "Cut",
            "choices": (AS_MODEL, *CUTS),
            "help": "Many 80 mm printers know the partial cut only; old ones know esc-m (partial) and esc-i (full).",
        },
    )
    qr: str = field(
        default=AS_MODEL,
        metadata={
            "label": "QR code",
            "choices": (AS_MODEL, *CODES),
            "help": "raster: drawn dot by dot, for printers that print letters instead of the code.",
        },
    )
    qr_size: int = field(default=6, metadata={"label": "QR module size", "unit": "dots", "min": 3, "max": 12})
    qr_ec: str = field(default="M", metadata={"label": "QR error correction", "choices": ("L", "M", "Q", "H")})
    chinese_command: bool = field(
        default=True,
        metadata={
            "label": "Switch Chinese mode on",
            "help": "Sends FS & before the text. Leave it on unless the slip starts with a stray & sign.",
        },
    )
    beep: int = field(default=0, metadata={"label": "Beeps after a slip", "min": 0, "max": 9})
    poll_seconds: float = field(
        default=5.0, metadata={"label": "Ask for status every", "unit": "s", "min": 1, "max": 60}
    )
    confirm_seconds: float = field(
        default=3.0, metadata={"label": "Wait for confirmation", "unit": "s", "min": 0.2, "max": 30}
    )

    roll_metres: float = field(
        default=0.0,
        metadata={
            "label": "Length of a roll",
            "unit": "m",
            "min": 0,
            "max": 400,
            "help": "0: not counted. For printers that cannot tell that paper runs low; after a new roll, say so.",
        },
    )
    low_metres: float = field(default=3.0, metadata={"label": "Warn below", "unit": "m", "min": 0.5, "max": 50})

    def as_set(self) -> Model:
        """The kind of printer with what these options change about it."""
        own = {"width_mm": self.width_mm, "status": self.status, "cut": self.cut, "qr": self.qr}
        model = replace(MODELS[self.model], **{k: v for k, v in own.items() if v not in (0, AS_MODEL)})  # type: ignore[arg-type]
        return replace(model, chinese=model.chinese and self.chinese_command)


class Driver(base.Driver):
    """The host's side: one slip at a time, status before, behind and in quiet moments."""

    roles: ClassVar[tuple[Role, ...]] = (TICKET_PRINTER,)
    Options = Options
    baud = 19200

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self._model: Model = self.options.as_set()
        dialect = self._model.status
        self.answers = dialect != "none"
        self.timing = Timing(poll_every=self.options.poll_seconds if self.answers else None)
        self._questions = _QUESTIONS.get(dialect, status.REAL_TIME)
        self._after = (status.BUFFERED, *status.REAL_TIME) if dialect == "both" else self._questions
        self._used = 0  # millimetres of the roll, by our own count
        self._torn = 0  # a slip was cut off on its way: so many bytes of it the printer may still wait for
        self.reset()

    def reset(self) -> None:
        self._out = b""
        self._job = b""
        self._prefix = b""  # goes out before the question in _out
        self._purged = False  # what was torn has been ended on this cable
        self._order: Order | None = None
        self._sent = False  # the job has been handed out
        self._phase = ""  # "", poll, before, after
        self._left: list[bytes] = []  # questions of this round not yet put; the first is the one waiting
        self._waiting = False  # the first of _left has been handed out
        self._overdue = b""  # how a question began that was given up unanswered; its answer may still come
        self._dropped = False  # an answer was taken for that one; if no other follows, the question is put again
        self._answers: dict[bytes, int] = {}
        self._unproven = False  # GS r behind the slip stayed unanswered
        self._ear = Ear()
        self._misses = 0
        self._alive = False
        self._silent = False
        self._garbled = False  # told so
        self._troubles: dict[type[Trouble], Trouble] = {}
        self._automatic = b""  # the last automatic status
        self._seen_low = False  # the printer itself sees the end of the roll
        self._turns = 0  # polls since the printer stopped

    # ---- orders ----

    def encode(self, order: Order) -> bytes:
        return self._render(lay_out(order, self._model.width_mm))

    def _render(self, slip: list[Item]) -> bytes:
        o = self.options
        return render(slip, self._model, qr_size=o.qr_size, qr_ec=o.qr_ec, beep=o.beep)

    def take(self, order: Order) -> None:
        if self._order is not None:
            raise OrderMistake("the printer is still busy with another slip")
        if isinstance(order, SetRoll):
            self._take_roll(order)
            return
        self._job = self.encode(order)
        self._order, self._sent, self._unproven = order, False, False
        if not self._questions or self._silent:  # nobody answers: the citizen shall not wait for it
            self._send_job()
        elif self._phase == "poll":
            self._phase = "before"  # the running round is as fresh as a new one
        else:
            self._start("before", self._questions)

    def _take_roll(self, order: SetRoll) -> None:
        """Nothing is sent for it; `silence` tells the outcome."""
        if not self.options.roll_metres:
            raise OrderMistake("SetRoll: the roll is not counted; give its length in the options (roll_metres)")
        if order.used_mm < 0:
            raise OrderMistake(f"SetRoll.used_mm: expected at least 0, got {order.used_mm}")
        self._order, self._used = order, order.used_mm

    def lacks(self, what: type) -> str:
        if what in (PaperUsed, SetRoll):
            return "" if self.options.roll_metres else "the roll is counted only when its length is in the options"
        if what is PaperNearEnd and self.options.roll_metres:
            return ""
        if self._model.status == "none" and what in status.ALL_KINDS:
            return "a printer set up without status tells nothing"
        if self._model.status in ("gs-r", "esc-v") and what in status.ALL_KINDS - {PaperNearEnd}:
            return "GS r 1 and ESC v speak of paper only, and most printers that have stopped do not answer them"
        return super().lacks(what)

    def poll(self) -> None:
        if self._questions and not self._phase and self._order is None:
            self._overdue = b""  # seconds have passed
            self._turns = self._turns + 1 if self._stopped else 0
            if self._turns % STOPPED_TURNS:
                return
            self._start("poll", self._questions)

    @property
    def idle(self) -> bool:
        return self._order is None

    def _purge(self) -> bytes:
        """Ends the code or picture the printer may still be reading, then cuts off what stands under the head."""
        return self._torn * b"\0" + self._render([])

    def owed(self) -> bytes:
        if self._prefix:
            prefix, self._prefix, self._purged = self._prefix, b"", True
            return prefix
        out, self._out = self._out, b""
        if out and out is self._job:
            self._sent = True
            if self._after:
                self._start("after", self._after)
        elif out:
            self._waiting = True
        return out

    @property
    def patience(self) -> float | None:
        if (self._sent and not self._after) or (isinstance(self._order, SetRoll) and not self._waiting):
            return 0.05  # nothing will come; only let the bytes leave
        if not self._waiting:
            return None
        return self.options.confirm_seconds if self._phase == "after" else ANSWER_PATIENCE

    @property
    def _stopped(self) -> Trouble | None:
        """In a dialect whose questions a stopped printer cannot answer: what it said has stopped it."""
        if self._questions != (status.AUTOMATIC,):
            return None
        return next((t for t in self._troubles.values() if t.grave), None)

    def _start(self, phase: str, questions: Iterable[bytes]) -> None:
        self._phase, self._left, self._answers = phase, list(questions), {}
        if self._torn and not self._purged and phase != "after":
            self._prefix = self._purge()  # or it would take the question for a part of the slip
        self._put()

    def _put(self, again: bool = False) -> None:
        self._out, self._waiting, self._dropped = self._left[0], False, False
        self._ear.expect(self._left[0], again)

    def _send_job(self) -> None:
        if self._torn and not self._purged:
            self._job = self._purge() + self._job
        self._phase, self._out = "job", self._job
        self._stop_asking()

    def _stop_asking(self) -> None:
        self._left, self._waiting = [], False
        self._ear.forget()

    # ---- what comes back ----

    def feed(self, data: bytes) -> list[News]:
        news: list[News] = []
        heard = self._ear.hear(data)
        if self._ear.garbled and not self._garbled:
            self._garbled = True
            news.append(Garbled())
        for frame in heard.frames:
            self._heard(news, "automatic status")
            self._tell(status.from_automatic(frame), news)
            changed, self._automatic = self._automatic not in (b"", frame), frame
            if self._waiting and self._left[0] == status.AUTOMATIC:
                self._told(changed, news)
        if not self._waiting:
            self._overdue = self._overdue if heard.frames else b""  # here it was
            return news
        if heard.verdict is Verdict.ANSWER:
            self._answered(heard.answer, news)
        elif heard.verdict is Verdict.DOUBT:
            self._put(again=True)
        elif heard.verdict is Verdict.HOPELESS:
            self._unanswered(news)
        return news

    def _told(self, changed: bool, news: list[News]) -> None:
        """Automatic status while it is asked for: the answer, unless it may have come by itself."""
        if self._overdue == self._left[0][:1]:
            self._overdue, self._dropped = b"", True
        elif self._phase == "after" and changed and not status.from_automatic(self._automatic).stops:
            self._put()
        else:
            self._left, self._waiting = [], False
            self._ear.forget()
            self._round_done(news)

    def _heard(self, news: list[News], detail: str) -> None:
        self._misses = 0
        if self._silent:
            self._silent = False
            self._alive = False
            news.append(Silent(over=True))
        if not self._alive:
            self._alive = True
            news.append(Alive(detail=detail))

    def _answered(self, answer: int, news: list[News]) -> None:
        if self._overdue == self._left[0][:1]:
            self._overdue, self._dropped = b"", True
            self._ear.expect(self._left[0])
            return
        self._answers[self._left.pop(0)] = answer
        self._waiting = False
        if self._left:
            self._put()
        else:
            self._ear.forget()
            self._round_done(news)

    def _unanswered(self, news: list[News]) -> None:
        question = self._left[0]
        if question == status.BUFFERED and len(self._left) > 1:  # `both`: the real-time questions still tell something
            self._unproven = True
            self._left.pop(0)
            self._put()
            return
        phase, self._phase, self._out = self._phase, "", b""
        self._stop_asking()
        if stopped := self._stopped:
            if phase == "before":
                self._end(news, Refused, _WHY[type(stopped)])
            if phase in ("before", "poll"):
                return
        self._misses += 1
        if self._misses >= MISSES and not self._silent:
            self._silent = True
            news.append(Silent())
        if phase == "before":
            self._send_job()
        elif phase == "after":
            self._end(news, Unconfirmed, "the slip was sent, but the printer does not say whether it printed it; look")

    def _round_done(self, news: list[News]) -> None:
        phase, self._phase = self._phase, ""
        if self._purged:  # it answers, so it has read past what was torn
            self._torn, self._purged = 0, False
        if self._garbled:
            self._garbled = self._ear.garbled = False
            news.append(Garbled(over=True))
        self._heard(news, f"answers {_SPOKEN.get(self._questions, 'DLE EOT')}")
        if self._questions == (status.AUTOMATIC,):
            report = status.from_automatic(self._automatic)
        elif status.REAL_TIME[0] in self._answers:
            report = status.from_real_time(*(self._answers[q] for q in status.REAL_TIME))
        else:
            report = status.from_buffered(self._answers[self._questions[0]])
        self._tell(report, news)
        stop = report.stops
        if phase == "before" and stop:
            self._end(news, Refused, _WHY[type(stop)])
        elif phase == "before":
            self._send_job()
        elif phase == "after" and stop:
            self._end(news, Unconfirmed, _AFTER.get(type(stop), _WHY[type(stop)] + "; look at the slip"))
        elif phase == "after" and self._unproven:
            self._end(news, Unconfirmed, "the printer is well, but it does not say that the slip is done; look at it")
        elif phase == "after":
            self._torn = 0
            self._end(news, Obeyed)

    def _tell(self, report: status.Report, news: list[News]) -> None:
        """Each trouble once when it starts and once when it ends. The end of the roll is seen, or counted."""
        now = {type(t): t for t in report.troubles}
        if PaperNearEnd in report.known:
            self._seen_low = PaperNearEnd in now
        if self._counted_low and PaperOut not in now:
            now.setdefault(PaperNearEnd, PaperNearEnd())
        for kind in [k for k in self._troubles if k in report.known and k not in now]:
            news.append(replace(self._troubles.pop(kind), over=True))
        for kind, trouble in now.items():
            if kind not in self._troubles:
                self._troubles[kind] = trouble
                news.append(trouble)

    @property
    def _counted_low(self) -> bool:
        """By our own count the roll is nearly used up."""
        o = self.options
        return bool(o.roll_metres) and (o.roll_metres - o.low_metres) * 1000 < self._used

    def _count(self, order: Order, news: list[News]) -> None:
        """A slip has gone out, or most of it: count its paper, and say so."""
        if not self.options.roll_metres:
            return
        o = self.options
        length = millimetres(lay_out(order, self._model.width_mm), self._model, o.qr_size, o.qr_ec)
        self._used += length
        left = max(0, round(o.roll_metres * 1000) - self._used)
        news.append(PaperUsed(used_mm=self._used, left_mm=left, slips_left=left // length))
        if self._counted_low and PaperNearEnd not in self._troubles:
            self._troubles[PaperNearEnd] = PaperNearEnd()
            news.append(PaperNearEnd())

    def _new_roll(self, news: list[News]) -> None:
        """Staff has said how much of the roll is used."""
        if self._counted_low and PaperNearEnd not in self._troubles:
            self._troubles[PaperNearEnd] = PaperNearEnd()
            news.append(PaperNearEnd())
        elif not self._counted_low and not self._seen_low and PaperNearEnd in self._troubles:
            del self._troubles[PaperNearEnd]
            news.append(PaperNearEnd(over=True))
        self._end(news, Obeyed)

    def _end(self, news: list[News], outcome: type[Any], reason: str = "") -> None:
        order = self._order
        if order is None:
            return
        if self._sent:
            self._count(order, news)
        why = {"reason": reason} if reason else {}
        news.append(outcome(order=type(order).__name__, id=order.id, address=order.address, **why))
        self._order, self._job, self._sent = None, b"", False

    # ---- silence and loss ----

    def silence(self) -> list[News]:
        news: list[News] = []
        if self._sent and not self._after:
            self._phase, self._torn = "", 0
            self._end(news, Unconfirmed, "the slip was sent; this printer is set up as one that never answers")
        elif isinstance(self._order, SetRoll) and not self._waiting:
            self._new_roll(news)
        elif self._waiting and self._dropped:
            self._put()
        elif self._waiting:
            self._overdue = self._left[0][:1]
            self._unanswered(news)
        return news

    def lost(self) -> list[News]:
        news: list[News] = []
        if self._sent:
            self._torn = longest_block(self._job)
            self._end(news, Unconfirmed, "the printer was cut off while the slip was on its way; look at the slip")
        elif self._order is not None:
            self._end(news, Refused, "the printer was cut off before the slip was sent")
        self._phase, self._out, self._prefix = "", b"", b""
        self._stop_asking()
        return news


class Simulator(base.Simulator):
    """A printer: sets on paper what it is sent, answers for its paper, cover and cutter, and can misbehave."""

    faults = (
        "ignores-dle-eot",  # answers GS r only, as some Chinese models
        "no-status",  # answers nothing at all
        "chinese-off",  # powers up with Chinese mode off
        "automatic-status",  # sends automatic status unasked
        "paper-ends-mid-slip",
        "dies-mid-slip",
        "no-native-qr",  # passes over the commands for QR codes
    )

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self._troubles: dict[type[Trouble], Trouble] = {}
        self._dead = False
        self._struck = False  # a fault in the middle of a slip strikes once
        self._told = 0
        room = columns(self.options.as_set().width_mm)
        self._mechanism = Mechanism(room, "chinese-off" not in faults, self._answer)
        self._mechanism.automatic = "automatic-status" in faults
        self._mechanism.draws_codes = "no-native-qr" not in faults
        self._mechanism.on_item = self._at_head
        self._unasked = b""

    def receive(self, data: bytes) -> bytes:
        if self._dead:
            return b""
        answer = self._mechanism.take(data) + self._unasked
        self._unasked = b""
        self._tell_slips()
        return b"" if self._dead else answer

    def happen(self, news: News) -> bytes:
        if not isinstance(news, Trouble) or type(news) not in status.ALL_KINDS:
            raise ValueError(f"a ticket printer cannot have {type(news).__name__}")
        out = self._become(news) + self._mechanism.run()
        self._tell_slips()
        return out

    def _become(self, trouble: Trouble) -> bytes:
        if trouble.over:
            self._troubles.pop(type(trouble), None)
        else:
            self._troubles[type(trouble)] = trouble
        self._mechanism.stopped = self._offline
        return self._automatic_status()

    def paper(self) -> list[str]:
        """All slips so far as a person would read them, line by line, codes and cuts in brackets."""
        return [line for slip in self.slips() for line in read_aloud(slip)]

    def slips(self) -> list[list[Item]]:
        """The paper itself, each slip for itself; the last one may still stand under the head."""
        open_slip = self._mechanism.open
        return [*self._mechanism.slips, open_slip] if open_slip else list(self._mechanism.slips)

    @property
    def _offline(self) -> bool:
        return any(t.grave for t in self._troubles.values())

    def _tell_slips(self) -> None:
        for slip in self._mechanism.slips[self._told :]:
            order = read_back([seen(item) for item in slip])
            if order is not None:
                self.obeyed.append(order)
        self._told = len(self._mechanism.slips)

    def _at_head(self, item: Item) -> None:
        """Faults that strike in the middle of a slip: right after its number."""
        if not isinstance(item, Line) or item.width < 2 or self._struck:
            return
        self._struck = True
        if "paper-ends-mid-slip" in self.faults_on:
            self._unasked = self._become(PaperOut())
        elif "dies-mid-slip" in self.faults_on:
            self._dead = self._mechanism.stopped = True

    def _answer(self, question: bytes) -> bytes:
        if "no-status" in self.faults_on:
            return b""
        if question[0] == 0x10:
            deaf = "ignores-dle-eot" in self.faults_on
            return b"" if deaf else bytes((status.real_time_answer(question[2], self._troubles.keys()),))
        if question.startswith(b"\x1da"):
            return self._automatic_status()
        if question == status.OLD_BUFFERED:
            return bytes((0x0F if PaperOut in self._troubles else 0x03 * (PaperNearEnd in self._troubles),))
        paper = 0x0C if PaperOut in self._troubles else 0x03 if PaperNearEnd in self._troubles else 0
        return bytes((paper,)) if question[2:] in (b"\x01", b"1") else b""

    def _automatic_status(self) -> bytes:
        if not self._mechanism.automatic or "no-status" in self.faults_on:
            return b""
        return status.automatic_frame(self._troubles.keys())

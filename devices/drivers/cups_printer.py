"""Printers for sheets behind CUPS, or any printer that speaks IPP: a PDF, copies, and what became of them.

    Get-Printer-Attributes ──▶ paper out, cover open … ──▶ Refused, nothing sent
                           ──▶ well ──▶ Print-Job ──▶ Get-Job-Attributes … ──▶ completed              Obeyed
                                                                           ──▶ canceled, aborted      Refused, or
                                                     Unconfirmed when sheets have come out of it already
                                                                           ──▶ no end in time         Unconfirmed

IPP over HTTP (reference: RFC 8010 and 8011). A document that has not ended when its time is up is cancelled, so that it
never comes out hours later; so is one whose outcome was lost with the cable, as soon as the service answers again.
Answers carry the number of their question, so late ones are known and dropped. Sits on `ipp://HOST:631`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from devices import driver as base
from devices.driver import OrderMistake, Timing
from devices.ipp import http
from devices.ipp import message as ipp
from devices.roles import (
    A4_PRINTER,
    Alive,
    CoverOpen,
    DocumentState,
    Garbled,
    News,
    Obeyed,
    Order,
    PaperNearEnd,
    PaperOut,
    PrintDocument,
    PrinterError,
    PrinterOffline,
    Refused,
    Role,
    Silent,
    TonerLow,
    Trouble,
    Unconfirmed,
)

NOISE_LIMIT = 1024  # stray bytes without an answer between them, after which the line counts as garbled
MISSES = 3
BETWEEN = 1.0  # s between two looks at a document
USER = "bianmin"
STOPPED = 5  # printer-state

# printer-state-reasons (RFC 8011, 5.4.12), without their severity, and what they mean.
REASONS: dict[str, Trouble] = {
    "media-empty": PaperOut(),
    "media-needed": PaperOut(),
    "media-low": PaperNearEnd(),
    "cover-open": CoverOpen(),
    "door-open": CoverOpen(),
    "interlock-open": CoverOpen(),
    "toner-low": TonerLow(),
    "marker-supply-low": TonerLow(),
    "toner-empty": PrinterError(detail="no toner"),
    "marker-supply-empty": PrinterError(detail="no toner"),
    "media-jam": PrinterError(detail="paper jam"),
    "output-area-full": PrinterError(detail="the output tray is full"),
    "input-tray-missing": PrinterError(detail="the paper tray is missing"),
    "fuser-over-temp": PrinterError(detail="too hot; it goes on by itself when it has cooled"),
    "spool-area-full": PrinterError(detail="the print service's disk is full"),
    "offline": PrinterOffline(),
    "shutdown": PrinterOffline(),
    "timed-out": PrinterOffline(),
    "connecting-to-device": PrinterOffline(),
    "paused": PrinterOffline(),
    "stopped-partly": PrinterOffline(),
}
KINDS: tuple[type[Trouble], ...] = (PaperOut, PaperNearEnd, CoverOpen, TonerLow, PrinterError, PrinterOffline)
WHY: dict[type[Trouble], str] = {
    PaperOut: "the printer has no paper: fill its tray",
    CoverOpen: "the printer's cover is open: close it",
    PrinterError: "the printer reports an error",
    PrinterOffline: "the printer is stopped or switched off: switch it on and resume it in the print service",
}
_SEVERITY = re.compile(r"-(?:report|warning|error)\Z")


@dataclass(frozen=True)
class Options:
    """What a technician chooses for an A4 printer."""

    path: str = field(
        default="/printers/a4",
        metadata={"label": "Queue", "help": "/printers/NAME at CUPS, /ipp/print at a printer on the network."},
    )
    poll_seconds: float = field(
        default=5.0, metadata={"label": "Ask for status every", "unit": "s", "min": 1, "max": 60}
    )
    answer_seconds: float = field(
        default=5.0, metadata={"label": "Wait for an answer", "unit": "s", "min": 0.5, "max": 60}
    )
    confirm_seconds: float = field(
        default=60.0,
        metadata={"label": "Wait for the end of a document", "unit": "s", "min": 5, "max": 600,
                  "help": "A document that has not come out by then is cancelled."},
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not re.fullmatch(r"/[!-~]{1,200}", self.path):
            raise ValueError(f"path: expected something like /printers/a4, got {self.path!r}")


class Driver(base.Driver):
    """The host's side: one document at a time."""

    roles: ClassVar[tuple[Role, ...]] = (A4_PRINTER,)
    links: ClassVar[tuple[str, ...]] = ("ipp", "socket")
    Options = Options
    private = True  # documents name people

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.timing = Timing(poll_every=self.options.poll_seconds)
        self._numbers = itertools.count(1)  # goes on when the cable comes back: no late answer fits a new question
        self._orphan = 0  # a document whose outcome is not waited for any more, and which must not come out later
        self.reset()

    def reset(self) -> None:
        self._cutter = http.Cutter()
        self._out = b""
        self._phase = ""  # "", poll, before, send, pause, watch, cancel, orphan
        self._asked = 0  # number of the question that waits; 0: none
        self._order: PrintDocument | None = None
        self._job = 0
        self._state = ("", "")  # of the document, as told
        self._looks = 0
        self._misses = 0
        self._alive = self._silent = self._garbled = False
        self._troubles: dict[type[Trouble], Trouble] = {}

    # ---- orders ----

    def encode(self, order: Order) -> bytes:
        return self._post(ipp.PRINT_JOB, 0, *self._document(order))

    def take(self, order: Order) -> None:
        if self._order is not None:
            raise OrderMistake("the printer is still busy with another document")
        self._document(order)
        assert isinstance(order, PrintDocument)
        self._order, self._job, self._state, self._looks = order, 0, ("", ""), 0
        if self._phase != "poll":  # a running one is as fresh as a new one
            self._ask("before", ipp.GET_PRINTER)
        else:
            self._phase = "before"

    def _document(self, order: Order) -> tuple[list[ipp.Attribute], list[ipp.Attribute], bytes]:
        """What goes with Print-Job: the document's name and kind, how it is to be printed, and itself."""
        if not isinstance(order, PrintDocument):
            raise OrderMistake(f"an A4 printer cannot do {type(order).__name__}")
        if b"%PDF-" not in order.pdf[:1024]:
            raise OrderMistake("PrintDocument.pdf is not a PDF")
        if not 1 <= order.copies <= 99:
            raise OrderMistake(f"PrintDocument.copies: expected 1 to 99, got {order.copies}")
        title = order.title.encode()[:255].decode("utf-8", "ignore") or "document"
        about = [ipp.text(ipp.NAME, "job-name", title), ipp.text(ipp.MIME, "document-format", "application/pdf")]
        return about, [ipp.number(ipp.INTEGER, "copies", order.copies)], order.pdf

    def _post(
        self,
        operation: int,
        number: int,
        about: list[ipp.Attribute],
        how: list[ipp.Attribute] | None = None,
        document: bytes = b"",
    ) -> bytes:
        head = [
            ipp.text(ipp.CHARSET, "attributes-charset", "utf-8"),
            ipp.text(ipp.LANGUAGE, "attributes-natural-language", "en"),
            ipp.text(ipp.URI, "printer-uri", f"ipp://localhost{self.options.path}"),
        ]
        # RFC 8011, 4.1.5: the job's number stands right behind the printer's name.
        head += [one for one in about if one[1] == "job-id"] + [ipp.text(ipp.NAME, "requesting-user-name", USER)]
        head += [one for one in about if one[1] != "job-id"]
        groups = [(ipp.OPERATION, head), *([(ipp.JOB, how)] if how else [])]
        return http.post(self.options.path, ipp.message(operation, number, groups, document))

    def _ask(self, phase: str, operation: int) -> None:
        self._phase, self._asked = phase, next(self._numbers)
        if operation == ipp.PRINT_JOB:
            assert self._order is not None
            self._out = self._post(operation, self._asked, *self._document(self._order))
            return
        about: list[ipp.Attribute] = []
        if operation == ipp.GET_PRINTER:
            about = _wanted("printer-state", "printer-state-reasons", "printer-state-message")
        elif operation == ipp.GET_JOB:
            about = _wanted("job-state", "job-state-reasons", "job-printer-state-message", "job-impressions-completed")
        if operation in (ipp.GET_JOB, ipp.CANCEL_JOB):
            about = [ipp.number(ipp.INTEGER, "job-id", self._orphan if phase == "orphan" else self._job), *about]
        self._out = self._post(operation, self._asked, about)

    def poll(self) -> None:
        if self._phase or self._order is not None:
            return
        if self._orphan:
            self._ask("orphan", ipp.CANCEL_JOB)
        else:
            self._ask("poll", ipp.GET_PRINTER)

    @property
    def idle(self) -> bool:
        return self._order is None and self._phase != "orphan"

    def owed(self) -> bytes:
        out, self._out = self._out, b""
        return out

    @property
    def patience(self) -> float | None:
        if self._phase == "pause":
            return BETWEEN
        if not self._asked or self._out:
            return None
        return float(self.options.answer_seconds) * (4 if self._phase == "send" else 1)

    # ---- what comes back ----

    def feed(self, data: bytes) -> list[News]:
        news: list[News] = []
        for answer in self._cutter.feed(data):
            self._hear(answer, news)
        if self._cutter.junk > NOISE_LIMIT and not self._garbled:
            self._garbled = True
            news.append(Garbled())
        return news

    def _hear(self, answer: http.Answer, news: list[News]) -> None:
        if answer.status == 200 and ipp.number_in(answer.body) != self._asked:
            return  # late, or not IPP at all
        if not self._asked:
            return
        read = ipp.read(answer.body) if answer.status == 200 else None
        if answer.status == 200 and read is None:
            return  # damaged: the question stays unanswered
        phase, self._asked = self._phase, 0
        self._well(news)
        if read is None:
            self._refused(
                phase, f"the print service refuses (HTTP {answer.status}); let this machine print there", news
            )
        elif phase in ("poll", "before"):
            self._printer(phase, read[0], news)
        elif phase == "send":
            self._sent(read[0], news)
        elif phase == "watch":
            self._watched(read[0], news)
        elif phase == "orphan":
            self._phase, self._orphan = "", 0
        elif phase == "cancel":
            self._cancelled(read[0], news)

    def _well(self, news: list[News]) -> None:
        """A whole answer has come."""
        self._misses = 0
        if self._silent:
            self._silent = self._alive = False
            news.append(Silent(over=True))
        if self._garbled:
            self._garbled = False
            news.append(Garbled(over=True))
        if not self._alive:
            self._alive = True
            news.append(Alive(detail="answers IPP"))

    def _refused(self, phase: str, reason: str, news: list[News]) -> None:
        """The question itself was refused."""
        self._phase = ""
        if phase in ("poll", "before"):
            self._tell([PrinterError(detail=reason)], news)
        if phase in ("watch", "cancel"):
            self._end(Unconfirmed, f"the document was sent, but {reason}", news)
        elif phase in ("before", "send"):
            self._end(Refused, reason, news)

    def _printer(self, phase: str, answer: ipp.Response, news: list[News]) -> None:
        if not answer.good:
            self._refused(phase, ipp.REFUSALS.get(answer.status, f"the print service says {answer.status:04x}"), news)
            return
        self._phase = ""
        troubles = _troubles(answer)
        self._tell(troubles, news)
        grave = next((t for t in troubles if t.grave), None)
        if phase == "before" and grave:
            detail = getattr(grave, "detail", "")
            self._end(Refused, WHY[type(grave)] + (f": {detail}" if detail else ""), news)
        elif phase == "before":
            self._ask("send", ipp.PRINT_JOB)

    def _sent(self, answer: ipp.Response, news: list[News]) -> None:
        self._job = answer.number_of("job-id")
        if not answer.good or not self._job:
            self._refused("send", ipp.REFUSALS.get(answer.status, f"the print service says {answer.status:04x}"), news)
            return
        self._progress(answer, news)

    def _watched(self, answer: ipp.Response, news: list[News]) -> None:
        if not answer.good:
            self._refused("watch", "the print service does not know it any more", news)
            return
        self._progress(answer, news)

    def _progress(self, answer: ipp.Response, news: list[News]) -> None:
        """How the document stands; on to the next look, or the end."""
        state = ipp.JOB_STATES.get(answer.number_of("job-state", 3), "pending")
        reasons = [one for one in answer.words("job-state-reasons") if one != "none"]
        said = "; ".join([*answer.words("job-printer-state-message"), *reasons]).strip("; ")
        if (state, said) != self._state:
            self._state = (state, said)
            pages = max(0, answer.number_of("job-impressions-completed"))
            news.append(DocumentState(state=state, reason=said, pages=pages))
        if state == "completed":
            self._end(Obeyed, "", news)
        elif state in ipp.ENDED:
            self._not_printed(state, said, answer.number_of("job-impressions-completed"), news)
        else:
            self._phase = "pause"

    def _not_printed(self, state: str, said: str, sheets: int, news: list[News]) -> None:
        reason = f"the print service has {state} it" + (f" ({said})" if said else "")
        if sheets > 0:
            self._end(Unconfirmed, f"{reason}; {sheets} pages have come out already, look at them", news)
        else:
            self._end(Refused, reason, news)

    def _cancelled(self, answer: ipp.Response, news: list[News]) -> None:
        if answer.status == ipp.NOT_POSSIBLE:  # it has ended meanwhile: look how
            self._looks = 0
            self._ask("watch", ipp.GET_JOB)
            return
        seconds = self.options.confirm_seconds
        self._end(Unconfirmed, f"it did not come out within {seconds:g} s and was cancelled; look at the printer", news)

    def _tell(self, troubles: list[Trouble], news: list[News]) -> None:
        """Each trouble once when it starts and once when it ends."""
        now = {type(t): t for t in reversed(troubles)}
        for kind in [k for k in self._troubles if k not in now]:
            news.append(replace(self._troubles.pop(kind), over=True))
        for kind, trouble in now.items():
            if kind not in self._troubles:
                self._troubles[kind] = trouble
                news.append(trouble)

    def _end(self, outcome: type[Any], reason: str, news: list[News]) -> None:
        order, self._order = self._order, None
        self._phase, self._asked, self._out = "", 0, b""
        if order is not None:
            why = {"reason": reason} if reason else {}
            news.append(outcome(order=type(order).__name__, id=order.id, address=order.address, **why))

    # ---- silence and loss ----

    def silence(self) -> list[News]:
        news: list[News] = []
        if self._phase == "pause":
            self._looks += 1
            late = self._looks * BETWEEN >= self.options.confirm_seconds
            self._ask("cancel" if late else "watch", ipp.CANCEL_JOB if late else ipp.GET_JOB)
            return news
        if not self._asked:
            return news
        self._cutter.clear()
        phase, self._asked, self._phase = self._phase, 0, ""
        self._misses += 1
        if self._misses >= MISSES and not self._silent:
            self._silent = True
            news.append(Silent())
        if phase == "before":
            self._end(Refused, "the print service does not answer; nothing was sent", news)
        elif phase == "send":
            self._end(Unconfirmed, "the document was sent, but the print service does not answer; look", news)
        elif phase == "watch" and self._misses < MISSES:
            self._phase = "pause"
        elif phase in ("watch", "cancel"):
            self._orphan = self._job
            self._end(Unconfirmed, "the print service stopped answering; what has not come out is cancelled", news)
        return news

    def lost(self) -> list[News]:
        news: list[News] = []
        if self._phase in ("pause", "watch", "cancel"):
            self._orphan = self._job
            self._end(Unconfirmed, "the print service was lost; what has not come out is cancelled", news)
        elif self._phase == "send":
            self._end(Unconfirmed, "the print service was lost while the document was on its way; look", news)
        elif self._order is not None:
            self._end(Refused, "the print service was lost before the document was sent", news)
        self._phase, self._asked, self._out = "", 0, b""
        return news


def _wanted(*names: str) -> list[ipp.Attribute]:
    """The attributes that are asked for: one name, several values."""
    return [ipp.text(ipp.KEYWORD, "requested-attributes" if i == 0 else "", name) for i, name in enumerate(names)]


def _troubles(answer: ipp.Response) -> list[Trouble]:
    """What is wrong with the printer, the gravest first."""
    found: dict[type[Trouble], Trouble] = {}
    for word in answer.words("printer-state-reasons"):
        trouble = REASONS.get(_SEVERITY.sub("", word))
        if trouble is not None:
            found.setdefault(type(trouble), trouble)
    if answer.number_of("printer-state") == STOPPED and not any(t.grave for t in found.values()):
        said = "; ".join(answer.words("printer-state-message"))
        found[PrinterOffline] = PrinterOffline() if not said else PrinterError(detail=said[:200])
    if PaperOut in found:
        found.pop(PaperNearEnd, None)  # says nothing new
    return sorted({type(t): t for t in found.values()}.values(), key=lambda t: not t.grave)


@dataclass
class Job:
    """A document inside the simulated print service."""

    number: int
    title: str
    copies: int
    pdf: bytes
    state: int = 3
    pages: int = 0
    looks: int = 0


class Simulator(base.Simulator):
    """A print service with one queue. A document is pending, processing and completed as it is looked at."""

    faults = (
        "slow",  # a document takes twenty looks
        "never-ends",
        "aborts",
        "aborts-half-way",
        "paper-ends-mid-document",
        "takes-none",
        "forbidden",  # HTTP 403
        "chunked",
        "no-answers",
    )

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options if options is not None else Options(), faults)
        self._cutter = http.Cutter(requests=True, most=60_000_000)
        self._troubles: dict[type[Trouble], Trouble] = {}
        self._numbers: Iterator[int] = itertools.count(1)
        self.jobs: dict[int, Job] = {}

    def receive(self, data: bytes) -> bytes:
        """See Simulator."""
        out = b"".join(self._answer(one.body) for one in self._cutter.feed(data))
        self._cutter.junk = 0
        return b"" if "no-answers" in self.faults_on else out

    def happen(self, news: News) -> bytes:
        """See Simulator. It is told when the driver asks; a document ends by itself."""
        if isinstance(news, DocumentState):
            return b""
        if not isinstance(news, Trouble) or type(news) not in KINDS:
            raise ValueError(f"an A4 printer cannot have {type(news).__name__}")
        if news.over:
            self._troubles.pop(type(news), None)
        else:
            self._troubles[type(news)] = news
        return b""

    def _answer(self, body: bytes) -> bytes:
        if "forbidden" in self.faults_on:
            return http.respond(b"", 403)
        asked = ipp.read(body)
        if asked is None:
            return http.respond(ipp.message(ipp.BAD_REQUEST, max(0, ipp.number_in(body)), []))
        request, document = asked
        status, group, attributes = self._do(request, document)
        head = [
            ipp.text(ipp.CHARSET, "attributes-charset", "utf-8"),
            ipp.text(ipp.LANGUAGE, "attributes-natural-language", "en"),
        ]
        groups = [(ipp.OPERATION, head), *([(group, attributes)] if attributes else [])]
        return http.respond(ipp.message(status, request.number, groups), chunked="chunked" in self.faults_on)

    def _do(self, asked: ipp.Response, document: bytes) -> tuple[int, int, list[ipp.Attribute]]:
        """Status, group and attributes of the answer; `asked.status` is the operation."""
        if asked.words("printer-uri") != [f"ipp://localhost{self.options.path}"]:
            return ipp.NOT_FOUND, 0, []
        if asked.status == ipp.GET_PRINTER:
            return ipp.OK, ipp.PRINTER, self._printer()
        if asked.status == ipp.PRINT_JOB:
            if "takes-none" in self.faults_on:
                return ipp.NOT_ACCEPTING, 0, []
            number = next(self._numbers)
            title = "".join(asked.words("job-name"))
            self.jobs[number] = Job(number, title, asked.number_of("copies", 1), document)
            return ipp.OK, ipp.JOB, self._job(self.jobs[number])
        job = self.jobs.get(asked.number_of("job-id"))
        if job is None:
            return ipp.NOT_FOUND, 0, []
        if asked.status == ipp.GET_JOB:
            self._move(job)
            return ipp.OK, ipp.JOB, self._job(job)
        if asked.status == ipp.CANCEL_JOB:
            if job.state >= 7:
                return ipp.NOT_POSSIBLE, 0, []
            job.state = 7
            return ipp.OK, 0, []
        return 0x0501, 0, []

    def _printer(self) -> list[ipp.Attribute]:
        word = {type(trouble): reason for reason, trouble in reversed(REASONS.items())}
        reasons = [f"{word[kind]}-{'error' if kind.grave else 'warning'}" for kind in self._troubles] or ["none"]
        state = STOPPED if any(kind.grave for kind in self._troubles) else 3
        listed = [ipp.text(ipp.KEYWORD, "" if i else "printer-state-reasons", one) for i, one in enumerate(reasons)]
        return [ipp.number(ipp.ENUM, "printer-state", state), *listed]

    def _move(self, job: Job) -> None:
        """A look at a document, and time has passed."""
        job.looks += 1
        if job.state >= 7 or any(kind.grave for kind in self._troubles):
            return
        job.state = 5
        if "paper-ends-mid-document" in self.faults_on and job.looks == 1:
            job.pages = 1
            self.happen(PaperOut())
        elif "aborts" in self.faults_on or "aborts-half-way" in self.faults_on:
            job.pages = 1 if "aborts-half-way" in self.faults_on else 0
            job.state = 8
        elif "never-ends" not in self.faults_on and job.looks > (20 if "slow" in self.faults_on else 1):
            job.state, job.pages = 9, job.copies
            self.obeyed.append(PrintDocument(title=job.title, pdf=job.pdf, copies=job.copies))

    def _job(self, job: Job) -> list[ipp.Attribute]:
        reason = {7: "job-canceled-by-user", 8: "aborted-by-system"}.get(job.state, "none")
        return [
            ipp.number(ipp.INTEGER, "job-id", job.number),
            ipp.number(ipp.ENUM, "job-state", job.state),
            ipp.text(ipp.KEYWORD, "job-state-reasons", reason),
            ipp.number(ipp.INTEGER, "job-impressions-completed", job.pages),
        ]

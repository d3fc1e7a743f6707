"""Reads resident ID cards of all four kinds through any reader that speaks the common security-module protocol.

One look at the reader is a chain: find → select → read ("身份证阅读器通信协议", sections on framing and sequence).

* Answers do not name their command. Each command therefore accepts only answers of its own status and size, anything
  else is an answer that came late or twice and is dropped; and after a time-out the next question is always *find*,
  whose two answers no other command has. A reader found to be late is given more time from then on.
* After a card was read, *find* says 80 both while that card lies there and when nothing does. So when it says 80 and
  a card was read, every second look also tries the read, as the makers' own programs do: data mean the card still
  lies there (they are dropped at once), 41 means it was lifted. A new card always answers 9F.
* A read that fails on a fresh card is tried once more before anybody is troubled: cards are still moving then.
* Photo and fingerprints are never kept: of a long answer only head and text leave the buffer, which is then zeroed.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from devices import driver, idcard, sdt
from devices.driver import OrderMistake, Timing
from devices.roles import (
    ID_READER,
    Alive,
    CardPresented,
    CardRemoved,
    CardUnreadable,
    Garbled,
    NewestAddress,
    News,
    Obeyed,
    Order,
    ReadCard,
    ReaderFault,
    ReadNewestAddress,
    Refused,
    ResetReader,
    Role,
    Silent,
    Unconfirmed,
)


@dataclass(frozen=True)
class Options:
    """What an installer may choose."""

    fingers: bool = field(
        default=False,
        metadata={
            "label": "指纹读法 read command 30 10",
            "help": "For readers that refuse 30 01 with status 21. Fingerprints are dropped unread.",
        },
    )
    framing: str = field(
        default="serial",
        metadata={
            "label": "传输方式 how frames travel",
            "choices": sdt.FRAMINGS,
            "help": "serial: also for USB readers with bulk pipes. On a hidraw link hid, or hid-stripped: no preamble.",
        },
    )

    def reports(self) -> sdt.Reports | None:
        """What puts frames into HID reports; None on a serial line or a bulk pipe."""
        return None if self.framing == "serial" else sdt.Reports(self.framing == "hid-stripped")


@dataclass(frozen=True)
class Ask:
    """One command: its bytes, how long its answer may take (s), and the answers that can be its own."""

    name: str
    command: bytes
    patience: float
    good: tuple[tuple[int, tuple[int, ...]], ...]  # status and sizes
    bad: frozenset[int]

    def fits(self, answer: sdt.Answer) -> bool:
        """True when this may be the answer to this command."""
        if any(answer.status == status and answer.size in sizes for status, sizes in self.good):
            return True
        return answer.size == 0 and (answer.status in self.bad or answer.status in ANY_TIME)


ANY_TIME = frozenset(sdt.READER_TROUBLE) | {sdt.BAD_CHECK, sdt.BAD_LENGTH}
ON_CARD = frozenset(sdt.CARD_TROUBLE)
FIND = Ask("find", sdt.FIND, 1.0, ((sdt.FOUND, (sdt.FOUND_SIZE,)),), frozenset({sdt.NOT_FOUND}))
SELECT = Ask("select", sdt.SELECT, 1.0, ((sdt.OK, (sdt.SELECTED_SIZE,)),), ON_CARD - {0x41} | {sdt.NOT_SELECTED})
READ = Ask("read", sdt.READ, 2.0, ((sdt.OK, sdt.READ_SIZES),), ON_CARD)
READ_WITH_FINGERS = Ask("read", sdt.READ_WITH_FINGERS, 3.0, ((sdt.OK, sdt.READ_SIZES),), ON_CARD)
ADDRESS = Ask("address", sdt.READ_ADDRESS, 1.5, ((sdt.OK, (sdt.ADDRESS_SIZE,)),), ON_CARD | {sdt.NO_CONTENT})
RESET = Ask("reset", sdt.RESET, 2.0, ((sdt.OK, (0,)),), frozenset())

TRIES = 2  # how often a question is put when its answer, or the question itself, was damaged on the way
MISSES = 3  # unanswered questions in a row before the reader counts as silent
JUNK = 4096  # bytes that are no answer (a damaged long one has 2321) before the line counts as garbled
TOO_MUCH = 16384  # such bytes since the question, after which its answer is not waited for any longer
LOOK_EVERY = 2  # of so many polls one checks by reading whether a card that was read still lies there
SLOWEST = 4.0  # at most so many times the usual patience for a reader that was late


class Driver(driver.Driver):
    """The conversation with one reader."""

    roles: ClassVar[tuple[Role, ...]] = (ID_READER,)
    links: ClassVar[tuple[str, ...]] = ("serial", "socket", "hidraw")
    Options = Options
    baud = 115200
    timing = Timing(poll_every=0.5)
    private = True

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self._read = READ_WITH_FINGERS if self.options.fingers else READ
        self._splitter = sdt.Splitter()
        self._reports: sdt.Reports | None = self.options.reports()
        self._answered: dict[str, Callable[[sdt.Answer], list[News]]] = {
            "find": self._after_find,
            "select": self._after_select,
            "read": self._after_read,
            "address": self._after_address,
            "reset": self._after_reset,
        }
        self.reset()

    def reset(self) -> None:
        """See Driver. A card that lies there already is read and told again."""
        self._forget_half()
        self._plan: deque[Ask] = deque()
        self._asked: Ask | None = None
        self._late: Ask | None = None  # given up; its answer may still come
        self._order: Order | None = None
        self._tries = 0
        self._resend = False
        self._card = "unknown"  # unknown, none, read, unreadable
        self._found = False  # in this chain
        self._again = True  # this chain may try the card once more
        self._looks = 0
        self._misses = 0
        self._slow = 1.0
        self._alive = self._silent = self._garbled = False
        self._babbled = 0  # bytes since the question
        self._babble = False  # the line has babbled since the last answer
        self._fault = ""

    def _forget_half(self) -> None:
        self._splitter.clear()
        if self._reports:
            self._reports.clear()

    @property
    def idle(self) -> bool:
        """See Driver."""
        return self._order is None and self._asked is None and not self._plan

    @property
    def patience(self) -> float | None:
        """See Driver."""
        return self._asked.patience * self._slow if self._asked else None

    def encode(self, order: Order) -> bytes:
        """See Driver. ReadCard is shown by its last step; finding and selecting go before it."""
        return self._framed(self._ask(order))

    def take(self, order: Order) -> None:
        """See Driver."""
        ask = self._ask(order)
        self._order = order
        self._begin(FIND)
        if ask is not self._read:
            self._plan = deque((FIND, ask) if self._late else (ask,))

    def poll(self) -> None:
        """See Driver. Asks whether a card is there."""
        if self.idle:
            self._looks += 1
            self._begin(FIND)

    def owed(self) -> bytes:
        """See Driver."""
        if self._resend and self._asked:
            self._resend = False
            return self._framed(self._asked)
        if self._asked or not self._plan:
            return b""
        self._asked = self._plan.popleft()
        self._tries = 1
        self._babbled = 0
        return self._framed(self._asked)

    def _framed(self, ask: Ask) -> bytes:
        frame = sdt.request(ask.command)
        return self._reports.wrap(frame) if self._reports else frame

    def feed(self, data: bytes) -> list[News]:
        """See Driver."""
        news: list[News] = []
        if self._reports:
            taken = self._reports.unwrap(data)
            answers = self._splitter.feed(taken)
            taken[:] = bytes(len(taken))
            self._splitter.junk += self._reports.junk
            self._reports.junk = 0
        else:
            answers = self._splitter.feed(data)
        for answer in answers:
            news += self._hear(answer)
            answer.data[:] = bytes(len(answer.data))
        if self._splitter.junk >= JUNK:
            self._babbled += self._splitter.junk
            self._splitter.junk = 0
            self._babble = True
            news += self._tell_garbled()
            if self._asked and self._babbled >= TOO_MUCH:
                news += self._give_up("The line to the reader carries bytes that are not the reader's.")
        return news

    def silence(self) -> list[News]:
        """See Driver."""
        if self._asked is None:
            return []
        self._forget_half()
        self._misses += 1
        news = self._give_up(f"The reader did not answer within {self.patience:g} seconds.")
        if self._misses == MISSES:
            self._silent, self._alive = True, False
            news.append(Silent())
        return news

    def lost(self) -> list[News]:
        """See Driver."""
        if self._order is None:
            return []
        if self._asked is None:
            return self._end(Refused, "The cable went before the reader was asked.")
        return self._give_up("The cable went before the reader answered.")

    def _ask(self, order: Order) -> Ask:
        if isinstance(order, ReadCard):
            return self._read
        if isinstance(order, ReadNewestAddress):
            return ADDRESS
        if isinstance(order, ResetReader):
            return RESET
        raise OrderMistake(f"an ID reader does not know the order {type(order).__name__}")

    def _begin(self, *plan: Ask) -> None:
        self._plan = deque(plan)
        self._found = False
        self._again = True

    def _hear(self, answer: sdt.Answer) -> list[News]:
        ask = self._asked
        if answer.status == sdt.DAMAGED.status:
            return self._put_again() if ask else []
        if ask is None or not ask.fits(answer):
            if self._late and self._late.fits(answer):
                self._late = None
                self._give_more_time()
            return []
        if answer.status in (sdt.BAD_CHECK, sdt.BAD_LENGTH):
            return self._put_again()  # our question arrived damaged
        if ask is FIND and self._late is FIND and not self._silent:
            self._give_more_time()  # this may well be the answer to the question given up
        news = self._tell_alive()
        self._asked = None
        if ask is FIND:
            self._late = None  # answers come in order: nothing older can follow
        if answer.status in sdt.READER_TROUBLE:
            return news + self._reader_fault(answer.status)
        if self._fault:
            reason = sdt.READER_TROUBLE[int(self._fault, 16)]
            news.append(ReaderFault(status=self._fault, reason=reason, over=True))
            self._fault = ""
        return news + self._answered[ask.name](answer)

    # ---- what follows from each answer

    def _after_find(self, answer: sdt.Answer) -> list[News]:
        if self._plan:  # asked only to get back into step, before an order
            return []
        news: list[News] = []
        if answer.status == sdt.FOUND:
            self._found = True
            self._plan = deque((SELECT, self._read))
            if self._card == "read":  # lifted between two looks, and this one laid down
                news.append(CardRemoved())
                self._card = "none"
            return news
        if self._card == "unreadable":  # unlike a card that was read, it would have been found again
            news.append(CardRemoved())
            self._card = "none"
        look = self._card == "read" and self._looks % LOOK_EVERY == 0
        if self._order or look or self._card == "unknown":
            self._plan.append(self._read)
        return news

    def _after_select(self, answer: sdt.Answer) -> list[News]:
        if answer.status in (sdt.OK, sdt.NOT_SELECTED):
            return []  # the read is tried anyway
        return self._unreadable(answer.status, sdt.CARD_TROUBLE[answer.status])

    def _after_read(self, answer: sdt.Answer) -> list[News]:
        if answer.status != sdt.OK:
            return self._unreadable(answer.status, sdt.CARD_TROUBLE[answer.status])
        if self._card == "read" and not self._order:
            return []  # still there
        try:
            text = sdt.text_of(answer.data, answer.size)
            card = idcard.read_text(text)
            text[:] = bytes(len(text))
        except ValueError as e:
            return self._unreadable(answer.status, f"The card was read but is not understood: {e}.")
        self._card = "read"
        return [card, *self._end(Obeyed)]

    def _after_address(self, answer: sdt.Answer) -> list[News]:
        if answer.status == sdt.OK:
            return [NewestAddress(address_text=idcard.read_address(answer.data)), *self._end(Obeyed)]
        if answer.status == sdt.NO_CONTENT:
            return [NewestAddress(address_text=""), *self._end(Obeyed)]
        return self._end(Refused, sdt.CARD_TROUBLE[answer.status])

    def _after_reset(self, answer: sdt.Answer) -> list[News]:
        return self._end(Obeyed)

    def _unreadable(self, status: int, reason: str) -> list[News]:
        """The chain ended without a card's data: nothing there, or something that cannot be read."""
        self._plan.clear()
        if not self._found:
            news: list[News] = [CardRemoved()] if self._card == "read" else []
            self._card = "none"
            return news + self._end(Refused, "No card lies on the reader.")
        if self._again and self._card != "unreadable" and status != sdt.OK:
            self._again = self._found = False
            self._plan.append(FIND)
            return []
        known = self._card == "unreadable"
        self._card = "read" if status == sdt.OK else "unreadable"  # to the reader, read is read
        told = [] if known and not self._order else [CardUnreadable(reason=reason, status=f"{status:02x}")]
        return [*told, *self._end(Refused, reason)]

    # ---- troubles

    def _tell_alive(self) -> list[News]:
        """A whole answer has come: what was wrong with the line is over."""
        news: list[News] = []
        if self._silent:
            news.append(Silent(over=True))
        if self._garbled and not self._babble:
            self._garbled = False
            news.append(Garbled(over=True))
        if not self._alive:
            news.append(Alive())
        self._alive, self._silent, self._babble, self._misses = True, False, False, 0
        return news

    def _tell_garbled(self) -> list[News]:
        if self._garbled:
            return []
        self._garbled = True
        return [Garbled()]

    def _give_more_time(self) -> None:
        self._slow = min(self._slow * 2, SLOWEST)

    def _put_again(self) -> list[News]:
        """A question or its answer was damaged: put it once more, then call the line garbled."""
        if self._tries < TRIES:
            self._tries += 1
            self._resend = True
            return []
        return self._tell_garbled() + self._give_up("What passes between us and the reader arrives damaged.")

    def _reader_fault(self, status: int) -> list[News]:
        self._plan.clear()
        reason = sdt.READER_TROUBLE[status]
        told: list[News] = [] if self._fault else [ReaderFault(status=f"{status:02x}", reason=reason)]
        self._fault = self._fault or f"{status:02x}"
        return told + self._end(Refused, reason)

    def _give_up(self, reason: str) -> list[News]:
        """The question stays without an answer; if one comes yet, it is not taken for the answer to another."""
        self._late, self._asked, self._resend = self._asked, None, False
        self._plan.clear()
        if self._late is self._read and self._card == "none":
            self._card = "unknown"  # the reader may count it as read
        return self._end(Unconfirmed, reason)

    def _end(self, outcome: type[Obeyed] | type[Refused] | type[Unconfirmed], reason: str = "") -> list[News]:
        """The outcome of the order, when there is one."""
        order, self._order = self._order, None
        if order is None:
            return []
        told: dict[str, Any] = {"order": type(order).__name__, "id": order.id}
        if outcome is not Obeyed:
            told["reason"] = reason
        return [outcome(**told)]


# ---- the reader's side ------------------------------------------------------------------------------------------

NAMED_FAULTS = {"self-test-failed": 0x60, "sam-unauthorised": 0x66, "no-permission": 0x23}
ALWAYS = {0x05, 0x10, 0x11, 0x21, 0x23, 0x60, 0x66}  # answered to every command; other status words to their own
CONCERNED = {
    sdt.FIND: {sdt.NOT_FOUND},
    sdt.SELECT: {sdt.NOT_SELECTED},
    sdt.READ: set(sdt.CARD_TROUBLE),
    sdt.READ_WITH_FINGERS: set(sdt.CARD_TROUBLE),
    sdt.READ_ADDRESS: {sdt.NO_CONTENT},
}
STATUSES = sorted(ALWAYS.union(*CONCERNED.values()))
SAM_IDENTITY = struct.pack("<HHIII", 5, 3, 20231109, 1234567, 7654321)


class Simulator(driver.Simulator):
    """A reader that holds at most one card and answers byte for byte as the document lists.

    Faults: `status-41` and its like make the command concerned (or, for what is wrong with the reader itself, every
    command) answer that status; `wrong-checksum` spoils every answer, `wrong-checksum-once` the first; `twice` says
    everything twice; `apart` begins every HID report with a length of its own; `one-finger` and `no-fingers` shorten
    the answer to 30 10.
    """

    faults: ClassVar[tuple[str, ...]] = (
        *(f"status-{status:02x}" for status in STATUSES),
        *NAMED_FAULTS,
        "wrong-checksum",
        "wrong-checksum-once",
        "twice",
        "apart",
        "one-finger",
        "no-fingers",
    )

    def __init__(self, options: Any = None, faults: frozenset[str] = frozenset()) -> None:
        super().__init__(options, faults)
        self._reports: sdt.Reports | None = (options or Options()).reports()
        self._held = bytearray()
        self._card: CardPresented | None = None
        self._lies = False  # something lies on the reader
        self._state = "laid"  # laid, found, selected, read
        self._status = 0  # why the card that lies there cannot be read
        self._fault = 0  # what is wrong with the reader
        self._newest = ""
        self._spoil = "wrong-checksum-once" in faults
        for name, status in NAMED_FAULTS.items():
            self._fault = status if name in faults else self._fault
        self._forced = {status for status in STATUSES if f"status-{status:02x}" in faults}

    def happen(self, news: News) -> bytes:
        """See Simulator. The reader says nothing by itself."""
        if isinstance(news, CardPresented):
            idcard.write_text(news)  # says now whether it fits into a card
            self._lay(news)
        elif isinstance(news, CardUnreadable):
            self._lay(None, int(news.status or "41", 16))
        elif isinstance(news, CardRemoved):
            self._lies, self._card = False, None
        elif isinstance(news, NewestAddress):
            idcard.write_address(news.address_text)
            self._newest = news.address_text
        elif isinstance(news, ReaderFault):
            self._fault = 0 if news.over else int(news.status or "66", 16)
        else:
            raise ValueError(f"an ID reader cannot have {type(news).__name__}")
        return b""

    def receive(self, data: bytes) -> bytes:
        """See Simulator."""
        self._held += self._reports.unwrap(data) if self._reports else data
        out = b""
        while (at := self._held.find(sdt.PREAMBLE)) >= 0 and len(self._held) >= at + sdt.HEAD:
            body = at + sdt.HEAD
            length = int.from_bytes(self._held[body - 2 : body], "big")
            if not 3 <= length <= 256:
                del self._held[:body]
                out += self._say(sdt.answer(sdt.BAD_LENGTH))
                continue
            if len(self._held) < body + length:
                break
            asked = bytes(self._held[body : body + length - 1])
            whole = bytes(self._held[at : body + length])
            del self._held[: body + length]
            out += self._say(self._answer(asked) if whole == sdt.frame(asked) else sdt.answer(sdt.BAD_CHECK))
        del self._held[: max(0, len(self._held) - 512)]
        return out

    def _lay(self, card: CardPresented | None, status: int = 0) -> None:
        self._card, self._lies, self._state, self._status, self._newest = card, True, "laid", status, ""

    def _say(self, answer: bytes) -> bytes:
        if "wrong-checksum" in self.faults_on or self._spoil:
            self._spoil = False
            answer = answer[:-1] + bytes((answer[-1] ^ 0x55,))
        if self._reports:
            answer = self._reports.wrap(answer, apart="apart" in self.faults_on)
        return answer * 2 if "twice" in self.faults_on else answer

    def _answer(self, asked: bytes) -> bytes:
        command = asked[:2]
        forced = self._forced & (ALWAYS | CONCERNED.get(command, set()))
        if status := self._fault or min(forced, default=0):
            return sdt.answer(status)
        status, data = self._do(command)
        if status == sdt.OK:
            self._note(command)
        return sdt.answer(status, data)

    def _do(self, command: bytes) -> tuple[int, bytes]:
        """Status and data of a reader without faults."""
        if command == sdt.FIND:
            return self._find()
        if command == sdt.SELECT:
            selected = self._lies and self._state == "found"
            self._state = "selected" if selected else self._state
            return (sdt.OK, bytes(sdt.SELECTED_SIZE)) if selected else (sdt.NOT_SELECTED, b"")
        if command in (sdt.READ, sdt.READ_WITH_FINGERS):
            return self._read(command)
        if command == sdt.READ_ADDRESS:
            return self._address()
        if command in (sdt.RESET, sdt.STATUS) or command[:1] == b"\x60" or command == b"\x61\xff":
            return sdt.OK, b""
        if command == sdt.IDENTITY:
            return sdt.OK, SAM_IDENTITY
        return sdt.BAD_COMMAND, b""

    def _find(self) -> tuple[int, bytes]:
        if not self._lies or self._state == "read":
            return sdt.NOT_FOUND, b""
        self._state = "found"
        return sdt.FOUND, bytes(sdt.FOUND_SIZE)

    def _read(self, command: bytes) -> tuple[int, bytes]:
        if not self._lies or self._state not in ("selected", "read"):
            return sdt.READ_FAILED, b""
        if self._card is None:
            return self._status, b""
        self._state = "read"
        fingers = 0
        if command == sdt.READ_WITH_FINGERS:
            fingers = 0 if "no-fingers" in self.faults_on else 512 if "one-finger" in self.faults_on else 1024
        lengths = (256, 1024, fingers) if command == sdt.READ_WITH_FINGERS else (256, 1024)
        head = b"".join(n.to_bytes(2, "big") for n in lengths)
        return sdt.OK, head + idcard.write_text(self._card) + b"\x5a" * (1024 + fingers)

    def _address(self) -> tuple[int, bytes]:
        if self._card is None or self._state != "read":
            return sdt.READ_FAILED, b""
        if not self._newest:
            return sdt.NO_CONTENT, b""
        return sdt.OK, idcard.write_address(self._newest)

    def _note(self, command: bytes) -> None:
        """Remember what was done, as the orders of the role."""
        orders: dict[bytes, Order] = {
            sdt.READ: ReadCard(),
            sdt.READ_WITH_FINGERS: ReadCard(),
            sdt.READ_ADDRESS: ReadNewestAddress(),
            sdt.RESET: ResetReader(),
        }
        if command in orders:
            self.obeyed.append(orders[command])

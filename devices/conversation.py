"""What passes between us and one device: its orders and their outcomes, its news, how it is doing, and its rhythm.

The cable's thread (`devices.cable`) calls everything here except `send` and what `lock` protects. A conversation never
touches the cable: it holds the frame that is to go out next (`pending`) and is told when it has gone.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime

from config.words import Sentence
from devices.condition import Condition
from devices.driver import Driver, OrderMistake
from devices.orders import Orders, Outcome
from devices.roles import (
    Alive,
    Exchanged,
    FrameSeen,
    Garbled,
    News,
    Obeyed,
    Order,
    Refused,
    StillTaken,
    Trouble,
    Unconfirmed,
)
from devices.teller import Teller
from devices.words import SAID, kept, say

CALM = 5.0  # seconds without noise after which a line counts as clean again; noise comes and goes
KEPT = 200  # exchanges
SHOWN = 64  # bytes of an exchange
WORDS = 500  # characters of what it meant: a chunk of a babbling line may mean a thousand things

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exchange:
    """Something that passed on the cable. `data` is hex, cut when long, and empty when it may name a person."""

    direction: str  # "in" or "out"
    at: datetime
    size: int
    data: str
    words: str = ""  # what it meant: the news it made, the order it carried; masked as everywhere


@dataclass
class Rhythm:
    """Moments of one life of a cable, in seconds of the monotonic clock."""

    next_poll: float = 0.0
    out_at: float = 0.0  # when the last byte written has left a slow line
    waiting_since: float | None = None

    def watch(self, patience: float | None, now: float) -> None:
        """Start or stop counting silence. It counts from when our own bytes are out."""
        if patience is None:
            self.waiting_since = None
        elif self.waiting_since is None:
            self.waiting_since = max(now, self.out_at)

    def up_at(self, patience: float | None) -> float | None:
        """When `patience` runs out; None: it is not counted."""
        return None if patience is None or self.waiting_since is None else self.waiting_since + patience


class Conversation:
    """One device's talk. `send` and what `lock` protects may be used from any thread."""

    def __init__(
        self,
        name: str,
        driver: Driver,
        tell: Callable[[str, News], None],
        calm: float = CALM,
        enabled: bool = True,
        known_as: Callable[[Alive], str] = lambda alive: "",
        must_prove: Callable[[], bool] = lambda: False,
    ) -> None:
        """`known_as` says what is wrong when another device answers than is known here; `must_prove`: one is known."""
        self.name, self.driver, self.enabled = name, driver, enabled
        self.lock = threading.Lock()
        self.condition = Condition(driver.answers, enabled)
        self.since = datetime.now(UTC)
        self.counters: Counter[str] = Counter()
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self.last_news: deque[tuple[datetime, News]] = deque(maxlen=50)
        self.pending = b""  # the frame that is to go out next
        self.asleep_until: float | None = None  # our own mistake: left alone until then
        self.wake: Callable[[], None] = lambda: None  # set by the cable: makes its thread look for what is to be done
        self._calm = calm
        self._orders = Orders()
        self._teller = Teller(name, tell)
        self._clearing: dict[int, tuple[float, Garbled]] = {}  # address → when to tell that the noise is over
        self._written = 0  # bytes written since the last order was taken
        self._purpose = ""  # what the frames we send are for, in words
        self._rhythm = Rhythm()
        self._known_as, self._must_prove = known_as, must_prove
        self._proved = False  # the right device has answered since the cable was opened
        self._exchanged = ""  # why nothing here may be used
        self._accepted = False  # a technician says that it was replaced on purpose

    # ---- from any thread ----------------------------------------------------------------------------------------

    def send(self, order: Order, timeout: float) -> Future[Outcome]:
        """Queue an order; the future always gets an outcome, soon after `timeout` seconds at the latest."""
        future = self._orders.put(order, timeout)
        self.wake()
        return future

    def accept(self) -> None:
        """Whatever hangs here is the right device: begin anew with it."""
        self._accepted = True
        self.wake()

    def start(self) -> None:
        """Begin to tell, unless the device is switched off."""
        if self.enabled:
            self._teller.start()
        else:
            self._refuse_all("{device} is switched off; a technician can switch it on in the configuration.")

    def hurry(self) -> None:
        """The station closes: nothing waits for a listener any more."""
        self._teller.hurry()

    def close(self) -> None:
        """Tell what waits to be told, refuse what waits to be done. Only after the cable's thread has ended."""
        if self.enabled:
            self._teller.close()
        self._orders.close("The station has been stopped; send the order again when it runs.")

    # ---- what the cable's thread asks ---------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """True from a question until its answer or its time-out, and while there is something to send."""
        return bool(self.pending) or not self.driver.idle

    def wants_at(self) -> float | None:
        """When it will have an order to send or a question to put; None: not before something else happens."""
        if self.asleep_until is not None or not self.driver.idle:
            return None
        if self._orders.waiting and self._may_take():
            return 0.0
        if self.driver.timing.poll_every is not None and self.driver.patience is None:
            return self._rhythm.next_poll
        return None

    def due_at(self) -> float | None:
        """When it must be looked after although nothing was heard: an order's time is up, or its patience."""
        if self.asleep_until is not None:
            return self.asleep_until
        moments = [self._orders.next_deadline()]
        if not self.pending:
            moments.append(self._rhythm.up_at(self.driver.patience))
        return min((moment for moment in moments if moment is not None), default=None)

    # ---- the talk -----------------------------------------------------------------------------------------------

    def opened(self) -> None:
        """The cable is open: everything begins anew."""
        self.asleep_until, self._proved, self._exchanged, self._accepted = None, False, "", False
        self._rhythm = Rhythm()
        self.driver.reset()
        self.pending = b""
        self._clearing.clear()
        with self._changing():
            news = self.condition.opened()
        self.count("opened")
        self._orders.open()  # before it is told: whoever hears that the cable is back may send at once
        self._deliver(news)
        self._look()

    def begins(self, now: float) -> bool:
        """Take the next order, or else put the question whose time has come; True when a frame is to go out."""
        while not self.pending and (self._take_next() or self._ask(now)):
            self._look()
        return bool(self.pending)

    def wrote(self, seconds_per_byte: float) -> None:
        """The pending frame is written; a byte takes so long to leave."""
        size = len(self.pending)
        self._written += size
        self._rhythm.out_at = max(self._rhythm.out_at, time.monotonic()) + size * seconds_per_byte
        self._rhythm.waiting_since = None
        self.pending = b""
        self._look()

    def wrote_only(self, size: int) -> None:
        """The cable went in the middle of the pending frame, after so many bytes."""
        self._written += size

    @property
    def out_at(self) -> float:
        """When the last byte written has left the line."""
        return self._rhythm.out_at

    def heard(self, data: bytes, now: float) -> bool:
        """Bytes have come. True when the driver made something of them: said something, owes an answer, was freed."""
        before = (bool(self.pending), self.driver.idle)
        self._rhythm.waiting_since = now
        news = self.driver.feed(data)
        self.note("in", data, "；".join(dict.fromkeys(map(_meaning, news))))
        if self.driver.idle:
            self._purpose = "应答 answer"
        self._hear(self._own(news))
        self._look()
        return before != (bool(self.pending), self.driver.idle) or any(not isinstance(n, Garbled) for n in news)

    def watch(self, now: float) -> None:
        """Count silence from now on, if it is to be counted. A device that waits for its turn is not silent."""
        self._rhythm.watch(None if self.pending else self.driver.patience, now)

    def fell_silent(self, now: float) -> bool:
        """If its patience is up, hear what follows from that; True when it was."""
        up_at = None if self.pending else self._rhythm.up_at(self.driver.patience)
        if up_at is None or now < up_at:
            return False
        self._rhythm.waiting_since = now
        self._hear(self._own(self.driver.silence()))
        self._look()
        return True

    def look_after(self, now: float) -> None:
        """Orders whose time is up get their outcome; noise that has stayed away is over."""
        if self._accepted:
            with self._changing():
                overs = self.condition.forget()
            self._deliver(overs)
            self.opened()
        self._expire(now)
        for address in [address for address, (when, _) in self._clearing.items() if when <= now]:
            self._weigh(self._clearing.pop(address)[1])
        self._look()

    def noise(self, over: bool) -> None:
        """The line itself carries bytes that nobody understands, or does so no longer."""
        self._hear([Garbled(over=over)])

    def lost(self, reason: str) -> None:
        """The cable went in the middle of the talk."""
        self.count("lost")
        self._hear(self._outcomes_of_loss())
        self.gone(reason)

    def gone(self, reason: str) -> None:
        """There is no cable."""
        with self._changing():
            news = self.condition.absent(reason)
        self._deliver(news)
        self._refuse_all("{device} is not connected: {why}", why=reason)

    def mistaken(self, reason: str) -> None:
        """Our own program or configuration is wrong: say so; everything else goes on without this device."""
        self.pending = b""
        with self._changing():
            self.condition.open, self.condition.mistake = False, reason
            overs = self.condition.forget()
        self._deliver(overs)
        self._refuse_all("{device} cannot work: {why}", why=reason)

    def note(self, direction: str, data: bytes, words: str | None = None) -> None:
        """Keep what passed, for the technician."""
        words = (self._purpose if words is None else words)[:WORDS]
        shown = "" if self.driver.private else data[:SHOWN].hex() + ("…" if len(data) > SHOWN else "")
        with self.lock:
            self.counters[f"bytes_{direction}"] += len(data)
            self.exchanges.append(Exchange(direction, datetime.now(UTC), len(data), shown, words))

    def count(self, what: str) -> None:
        """One more of these."""
        with self.lock:
            self.counters[what] += 1

    # ---- inside -------------------------------------------------------------------------------------------------

    def _refuse_all(self, id: str, /, **fields: str) -> None:
        """Every order that waits or will come, until the cable is opened anew, with this sentence."""
        self._orders.close(Sentence(id, device=self.name, **fields))

    def _look(self) -> None:
        """Fetch the next frame the driver owes. An acknowledgement may be owed at any time."""
        if not self.pending:
            self.pending = self.driver.owed()

    def _own(self, news: list[News]) -> list[News]:
        """On a shared line what a driver cannot understand may be another's; the line itself knows what is noise."""
        return [one for one in news if not isinstance(one, Garbled)] if self.driver.shared else news

    def _take_next(self) -> bool:
        """Give the driver the next order if it is free for one."""
        taken = self._orders.take() if self.driver.idle and self._may_take() else None
        if taken is None:
            return False
        self._written, self._purpose = 0, SAID.get(type(taken.order).__name__, type(taken.order).__name__)
        try:
            self.driver.take(taken.order)
        except OrderMistake as mistake:
            self._hear([taken.refused(str(mistake))])
        return True

    def _may_take(self) -> bool:
        """A device that is known waits with its orders until it has shown that it is still the same."""
        return not self._exchanged and (self._proved or not self.driver.identifies or not self._must_prove())

    def _recognise(self, alive: Alive) -> None:
        """The device says who it is. If it is another one, nothing it says is passed on and nothing is sent to it."""
        reason = self._known_as(alive) if alive.detail and self.driver.identifies else ""
        if not reason:
            self._proved = True
            return
        self._exchanged = reason
        self._refuse_all("{device} is another device: {why}", why=reason)
        self._weigh(Exchanged(address=alive.address, reason=reason))

    def _ask(self, now: float) -> bool:
        """In a quiet moment, when its time has come, let the driver put its question."""
        every = self.driver.timing.poll_every
        quiet = self.driver.idle and self.driver.patience is None
        if every is None or not quiet or now < self._rhythm.next_poll:
            return False
        self._rhythm.next_poll, self._purpose = now + every, "询问 question"
        self.driver.poll()
        return True

    def _expire(self, now: float) -> None:
        """Orders whose time is up get their outcome; a driver that is stuck with one starts afresh."""
        late, stuck = self._orders.expired(now)
        if late:
            busy = "The device was still busy with another order, so this one was not sent."
            self._hear(p.refused(busy) for p in late)
        if not stuck:
            return
        if not self.driver.idle:
            self._hear(self.driver.lost())
            self.driver.reset()
            self.pending = b""
            with self._changing():
                overs = self.condition.forget()
            self._deliver(overs)
        unknown = "The device gave no outcome in time; look whether it did it."
        self._hear(p.unconfirmed(unknown) for p in stuck if not p.future.done())

    def _outcomes_of_loss(self) -> list[News]:
        """What the driver says of the loss; if not a byte of the order left us, it is known not to be done."""
        reason = "The cable was lost before a byte of it was sent."
        return [
            Refused(order=one.order, id=one.id, reason=reason)
            if isinstance(one, Unconfirmed) and self._written == 0
            else one
            for one in self.driver.lost()
        ]

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Change the condition; note when its state became another."""
        with self.lock:
            before = self.condition.state
            yield
            if self.condition.state != before:
                self.since = datetime.now(UTC)

    def _hear(self, news: Iterable[News]) -> None:
        """What the driver says: work out the condition, tell what is worth telling."""
        for one in news:
            if isinstance(one, Garbled):
                self._clearing.pop(one.address, None)
                if one.over:
                    self._clearing[one.address] = (time.monotonic() + self._calm, one)
                    continue
            self._weigh(one)

    def _weigh(self, news: News) -> None:
        if isinstance(news, Alive):
            self._recognise(news)
        if self._exchanged and not isinstance(news, Trouble | Obeyed | Refused | Unconfirmed):
            return
        with self._changing():
            worth = self.condition.hear(news)
        if worth:
            self._deliver([news])

    def _deliver(self, news: Iterable[News]) -> None:
        """Keep, log and tell; then settle the order this was the outcome of."""
        for one in news:
            with self.lock:
                self.counters["news"] += 1
                if not isinstance(one, FrameSeen):
                    self.last_news.append((datetime.now(UTC), kept(one)))
            if isinstance(one, Trouble):
                log.log(logging.INFO if one.over else logging.WARNING, "%s: %s", self.name, say(one))
            self._teller.tell(one)
            if isinstance(one, Obeyed | Refused | Unconfirmed):
                self.count(type(one).__name__.lower())
                self._orders.settle(one)


def _meaning(news: News) -> str:
    """News in a line. A picture is only named: saying more of it would cost more than taking it."""
    return SAID[type(news).__name__] if isinstance(news, FrameSeen | StillTaken) else say(news)

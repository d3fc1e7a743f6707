"""One cable and the thread that keeps it: opens it, talks in the driver's rhythm, reopens it, tells what happens."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime

from devices.condition import Condition
from devices.driver import Driver, OrderMistake
from devices.links import Link, LinkAbsent, LinkLost, LinkMistake
from devices.orders import Orders, Outcome
from devices.roles import FrameSeen, Garbled, News, Obeyed, Order, Refused, Trouble, Unconfirmed
from devices.teller import Teller, safely
from devices.words import say

DELAYS = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds between attempts to open a cable
KNOWN_DELAY = 5.0  # the longest for a cable that has been there before: it will be put back
STEADY = 30.0  # seconds after which a cable that goes is tried again without delay
CALM = 5.0  # seconds without noise after which a line counts as clean again; noise comes and goes
KEPT = 200  # exchanges
SHOWN = 64  # bytes of an exchange

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exchange:
    """Something that passed on the cable. `data` is hex, cut when long, and empty when it may name a person."""

    direction: str  # "in" or "out"
    at: datetime
    size: int
    data: str


@dataclass
class Rhythm:
    """Moments of one life of a cable, in seconds of the monotonic clock."""

    next_poll: float = 0.0
    may_write: float = 0.0  # not before: the family wants a pause between frames
    out_at: float = 0.0  # when the last byte written has left a slow line
    waiting_since: float | None = None

    def watch(self, patience: float | None, now: float) -> None:
        """Start or stop counting silence. It counts from when our own bytes are out."""
        if patience is None:
            self.waiting_since = None
        elif self.waiting_since is None:
            self.waiting_since = max(now, self.out_at)

    def is_up(self, patience: float | None, now: float) -> bool:
        """True when `patience` has run out."""
        return patience is not None and self.waiting_since is not None and now >= self.waiting_since + patience


class Cable:
    """A device's cable. `send`, `close` and what `lock` protects may be used from any thread."""

    def __init__(
        self,
        name: str,
        driver: Driver,
        open_it: Callable[[], Link],
        tell: Callable[[str, News], None],
        delays: Sequence[float] = DELAYS,
        calm: float = CALM,
        enabled: bool = True,
    ) -> None:
        self.name, self.driver, self.enabled = name, driver, enabled
        self.lock = threading.Lock()
        self.condition = Condition(driver.answers, enabled)
        self.since = datetime.now(UTC)
        self.counters: Counter[str] = Counter()
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self.last_news: deque[tuple[datetime, News]] = deque(maxlen=50)
        self._open_it, self._delays, self._calm = open_it, tuple(delays), calm
        self._orders = Orders()
        self._teller = Teller(name, tell)
        self._clearing: dict[int, tuple[float, Garbled]] = {}  # address → when to tell that the noise is over
        self._written = 0  # bytes written since the last order was taken
        self._link: Link | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"cable {name}", daemon=True)

    def start(self) -> None:
        """Begin, unless the device is switched off."""
        if self.enabled:
            self._teller.start()
            self._thread.start()
        else:
            self._orders.close(f"{self.name} is switched off; a technician can switch it on in the configuration.")

    def send(self, order: Order, timeout: float) -> Future[Outcome]:
        """Queue an order; the future always gets an outcome, soon after `timeout` seconds at the latest."""
        future = self._orders.put(order, timeout)
        self._wake()
        return future

    def stop(self) -> None:
        """Begin to end, without waiting."""
        self._stop.set()
        self._teller.hurry()
        self._wake()

    def close(self) -> None:
        """End the conversation; orders that still wait are refused. Returns when the threads have ended."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)
            self._teller.close()
        self._orders.close("The station has been stopped; send the order again when it runs.")

    def _wake(self) -> None:
        link = self._link
        if link is not None:
            link.wake()

    # ---- the thread that keeps the cable -------------------------------------------------------------------

    def _keep(self) -> None:
        """Open, talk, wait a little, again, until closed."""
        attempt, been_there = 0, False
        while not self._stop.is_set():
            began = time.monotonic()
            mistake = safely(f"talking to {self.name}", self._live)
            if mistake is not None:
                self._mistaken(f"A fault in our own program ({type(mistake).__name__}: {mistake}).")
            been_there = been_there or self.counters["opened"] > 0
            attempt = 0 if time.monotonic() - began > STEADY else attempt
            delay = self._delays[min(attempt, len(self._delays) - 1)]
            self._stop.wait(min(delay, KNOWN_DELAY) if been_there else delay)
            attempt += 1

    def _live(self) -> None:
        """One life of the cable, from opening to loss. Returns at once when it cannot be opened."""
        try:
            link = self._open_it()
        except LinkMistake as mistake:
            self._mistaken(str(mistake))
            return
        except LinkAbsent as absence:
            self._gone(str(absence))
            return
        try:
            self._link = link
            self._converse(link)
        except LinkLost as loss:
            self._count("lost")
            self._hear(self._outcomes_of_loss())
            self._gone(f"The cable was lost: {loss}.")
        finally:
            self._link = None
            link.close()

    def _converse(self, link: Link) -> None:
        """The rhythm of `devices.driver`, until the cable is lost or we are closed."""
        driver, rhythm = self.driver, Rhythm()
        driver.reset()
        self._clearing.clear()
        with self._changing():
            news = self.condition.opened()
        self._count("opened")
        self._orders.open()  # before it is told: whoever hears that the cable is back may send at once
        self._deliver(news)
        while not self._stop.is_set():
            self._say(link, rhythm)
            now = time.monotonic()
            rhythm.watch(driver.patience, now)
            if self._take_next() or self._ask(rhythm, now):
                continue
            data = link.read(self._how_long(link, rhythm, now))
            now = time.monotonic()
            if data:
                rhythm.waiting_since = now
                self._note("in", data)
                self._hear(driver.feed(data))
            elif rhythm.is_up(driver.patience, now):
                rhythm.waiting_since = now
                self._hear(driver.silence())
            self._expire(now)
            self._clear(now)

    def _say(self, link: Link, rhythm: Rhythm) -> None:
        """Write what is owed, with the family's pause between two frames."""
        while time.monotonic() >= rhythm.may_write and (frame := self.driver.owed()):
            self._note("out", frame)
            try:
                link.write(frame)
            except LinkLost as loss:
                self._written += loss.written
                raise
            self._written += len(frame)
            rhythm.out_at = max(rhythm.out_at, time.monotonic()) + len(frame) * link.seconds_per_byte
            rhythm.may_write = rhythm.out_at + self.driver.timing.gap if self.driver.timing.gap else 0.0
            rhythm.waiting_since = None

    def _take_next(self) -> bool:
        """Give the driver the next order if it is free for one."""
        pending = self._orders.take() if self.driver.idle else None
        if pending is None:
            return False
        self._written = 0
        try:
            self.driver.take(pending.order)
        except OrderMistake as mistake:
            self._hear([pending.refused(str(mistake))])
        return True

    def _ask(self, rhythm: Rhythm, now: float) -> bool:
        """In a quiet moment, when its time has come, let the driver put its question."""
        every = self.driver.timing.poll_every
        if every is None or not self._quiet() or now < rhythm.next_poll:
            return False
        rhythm.next_poll = now + every
        self.driver.poll()
        return True

    def _quiet(self) -> bool:
        return self.driver.idle and self.driver.patience is None

    def _how_long(self, link: Link, rhythm: Rhythm, now: float) -> float:
        """Seconds we may wait for a byte before something else is due."""
        moments = [now + (1.0 if link.wakes else 0.05)]
        patience, deadline = self.driver.patience, self._orders.next_deadline()
        if deadline is not None:
            moments.append(deadline)
        if rhythm.may_write > now:
            moments.append(rhythm.may_write)
        if patience is not None and rhythm.waiting_since is not None:
            moments.append(rhythm.waiting_since + patience)
        if self.driver.timing.poll_every is not None and self._quiet():
            moments.append(rhythm.next_poll)
        return max(0.0, min(moments) - now)

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

    # ---- what follows ----------------------------------------------------------------------------------------

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

    def _clear(self, now: float) -> None:
        """Noise that has stayed away is over."""
        for address in [address for address, (when, _) in self._clearing.items() if when <= now]:
            self._weigh(self._clearing.pop(address)[1])

    def _weigh(self, news: News) -> None:
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
                    self.last_news.append((datetime.now(UTC), one))
            if isinstance(one, Trouble):
                log.log(logging.INFO if one.over else logging.WARNING, "%s: %s", self.name, say(one))
            self._teller.tell(one)
            if isinstance(one, Obeyed | Refused | Unconfirmed):
                self._count(type(one).__name__.lower())
                self._orders.settle(one)

    def _gone(self, reason: str) -> None:
        with self._changing():
            news = self.condition.absent(reason)
        self._deliver(news)
        self._orders.close(f"{self.name} is not connected: {reason}")

    def _mistaken(self, reason: str) -> None:
        """Our own program or configuration is wrong: say so; everything else goes on without this device."""
        with self._changing():
            self.condition.open, self.condition.mistake = False, reason
            overs = self.condition.forget()
        self._deliver(overs)
        self._orders.close(f"{self.name} cannot work: {reason}")

    def _note(self, direction: str, data: bytes) -> None:
        shown = "" if self.driver.private else data[:SHOWN].hex() + ("…" if len(data) > SHOWN else "")
        with self.lock:
            self.counters[f"bytes_{direction}"] += len(data)
            self.exchanges.append(Exchange(direction, datetime.now(UTC), len(data), shown))

    def _count(self, what: str) -> None:
        with self.lock:
            self.counters[what] += 1

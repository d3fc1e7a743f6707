"""One cable and the thread that keeps it: opens it, gives each device on it its turn, reopens it when it went.

Most cables have one device. A line (RS-485) has several, which may speak different languages, and only one may speak
at a time. So there are turns:

* A turn begins with a frame of ours and lasts until that driver is free again or its own patience is up. So a dead
  device holds the others up by its own time-out, and then all the others come before it does.
* What arrives goes to the driver whose turn it is, and to drivers of devices that speak unasked (`Driver.unasked`).
* Acknowledgements to those go first: they are short, and somebody waits for them. Then everyone in a round.
* Nothing begins while somebody is speaking, or in the pause between two frames that the slowest family wants.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from config.words import Sentence
from devices.conversation import CALM, Conversation, Exchange
from devices.links import Link, LinkAbsent, LinkLost, LinkMistake
from devices.teller import safely

__all__ = ["CALM", "DELAYS", "Cable", "Conversation", "Exchange"]

DELAYS = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds between attempts to open a cable
KNOWN_DELAY = 5.0  # the longest for a cable that has been there before: it will be put back
STEADY = 30.0  # seconds after which a cable that goes is tried again without delay
TURNAROUND = 0.005  # seconds of quiet on a line until somebody else may speak: transceivers must let go of it
LONGEST_TURN = 3  # patiences, at least a second: noise that never stops must not keep a turn for ever
NOISE = 512  # bytes that no driver of a line made anything of, after which the line counts as garbled

log = logging.getLogger(__name__)


class Cable:
    """A cable with the devices on it. `close` and `wake` may be called from any thread."""

    def __init__(
        self,
        name: str,
        talks: Sequence[Conversation],
        open_it: Callable[[], Link],
        delays: Sequence[float] = DELAYS,
        shared: bool = False,
    ) -> None:
        self.name, self.talks, self.shared = name, tuple(talks), shared
        self._on = tuple(talk for talk in talks if talk.enabled)
        self._open_it, self._delays = open_it, tuple(delays)
        self._link: Link | None = None
        self._stop = False
        self._soon: float | None = None  # seconds until the next attempt, where the link knows them
        self._again = threading.Event()  # somebody knows a reason not to wait any longer
        self._thread = threading.Thread(target=self._keep, name=f"cable {name}", daemon=True)
        for talk in self._on:
            talk.wake = self.wake
            talk.driver.shared = self.shared

    def start(self) -> None:
        """Begin, unless every device on it is switched off."""
        for talk in self.talks:
            talk.start()
        if self._on:
            self._thread.start()

    def stop(self) -> None:
        """Begin to end, without waiting."""
        self._stop = True
        for talk in self._on:
            talk.hurry()
        self.retry()
        self.wake()

    def close(self) -> None:
        """End the conversations; orders that still wait are refused. Returns when the threads have ended."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)
        for talk in self.talks:
            talk.close()

    def retry(self) -> None:
        """Try at once to open it, if it is away: something was plugged in."""
        self._again.set()

    def wake(self) -> None:
        """Make the thread look for what is to be done."""
        link = self._link
        if link is not None:
            link.wake()

    # ---- one life after the other ----------------------------------------------------------------------------

    def _keep(self) -> None:
        """Open, talk, wait a little, again, until closed."""
        attempt, been_there = 0, False
        while not self._stop:
            self._again.clear()
            began = time.monotonic()
            mistake = safely(f"keeping the cable {self.name}", self._live)
            for talk in self._on if mistake is not None else ():
                talk.mistaken(fault(mistake))
            been_there = been_there or any(talk.counters["opened"] > 0 for talk in self._on)
            attempt = 0 if time.monotonic() - began > STEADY else attempt
            delay = self._delays[min(attempt, len(self._delays) - 1)]
            if self._soon is not None:
                delay = self._soon
            if not self._stop:
                self._again.wait(min(delay, KNOWN_DELAY) if been_there else delay)
            attempt += 1

    def _live(self) -> None:
        """One life of the cable, from opening to loss. Returns at once when it cannot be opened."""
        self._soon = None
        try:
            link = self._open_it()
        except LinkMistake as mistake:
            for talk in self._on:
                talk.mistaken(str(mistake))
            return
        except LinkAbsent as absence:
            self._soon = absence.again
            for talk in self._on:
                talk.gone(absence.reason)
            return
        try:
            self._link = link
            Turns(self._on, self.shared).converse(link, lambda: self._stop)
        except LinkLost as loss:
            self._soon = link.again
            for talk in self._on:
                with _guard(talk):
                    talk.lost(loss_of(loss))
        finally:
            self._link = None
            link.close()


def loss_of(loss: LinkLost) -> Sentence:
    """Why a cable that was open has gone."""
    return Sentence("The cable was lost: {why}.", why=loss.reason)


def fault(mistake: Exception | None) -> Sentence:
    """A mistake of ours, for whoever has to report it."""
    return Sentence("A fault in our own program ({why}).", why=f"{type(mistake).__name__}: {mistake}")


class Turns:
    """Who may speak: one life of a cable, in the rhythm of `devices.driver`."""

    def __init__(self, talks: Sequence[Conversation], shared: bool) -> None:
        self.shared = shared
        self.talks = tuple(talks)
        self._round = deque(talks)  # the longest without a turn first
        self._holder: Conversation | None = None
        self._turn_ends = 0.0  # at the latest
        self._may_write = 0.0  # not before: families want a pause between frames
        self._heard_at = 0.0
        self._pause = max((talk.driver.timing.gap for talk in talks), default=0.0)
        self._strays = 0  # bytes in a row that nobody made anything of
        self._garbled = False

    def converse(self, link: Link, stopped: Callable[[], bool]) -> None:
        """Until the cable is lost (LinkLost) or we are to stop."""
        for talk in self.talks:
            with _guard(talk):
                talk.opened()
        while not stopped():
            self._speak(link)
            now = time.monotonic()
            for talk in self._awake():
                with _guard(talk):
                    talk.watch(now)
            data = link.read(self._how_long(link, now))
            now = time.monotonic()
            listeners = self._hear(data, now) if data else ()
            for talk in self.talks:
                with _guard(talk):
                    self._look_after(talk, now, talk in listeners)
            if self._holder is not None and not self._keeps_turn(self._holder, now):
                self._holder = None

    # ---- speaking -----------------------------------------------------------------------------------------------

    def _speak(self, link: Link) -> None:
        """Write what may be written now."""
        while time.monotonic() >= self._ready_at() and (talk := self._next(time.monotonic())) is not None:
            talk.note("out", talk.pending)
            try:
                link.write(talk.pending)
            except LinkLost as loss:
                talk.wrote_only(loss.written)
                raise
            self._strays = 0
            self._round.remove(talk)
            self._round.append(talk)
            with _guard(talk):
                talk.wrote(link.seconds_per_byte)
                self._holder = talk if talk.busy else None
                self._turn_ends = talk.out_at + max(1.0, LONGEST_TURN * (talk.driver.patience or 0.0))
            pause = max(self._pause, TURNAROUND if self.shared else 0.0)
            self._may_write = talk.out_at + pause if pause else 0.0

    def _ready_at(self) -> float:
        """When the line is free for a frame. Whose turn it is does not wait for quiet: the device waits for him."""
        if self.shared and self._holder is None:
            return max(self._may_write, self._heard_at + TURNAROUND)
        return self._may_write

    def _next(self, now: float) -> Conversation | None:
        """Whose frame goes out now."""
        if self._holder is not None:
            return self._holder if self._holder.pending else None
        for talk in self._round:
            if talk.pending and talk.driver.unasked:
                return talk
        for talk in list(self._round):
            if talk.asleep_until is None:
                with _guard(talk):
                    if talk.begins(now):
                        return talk
        return None

    def _how_long(self, link: Link, now: float) -> float:
        """Seconds we may wait for a byte before something else is due."""
        ready = self._ready_at()
        moments = [now + (1.0 if link.wakes else 0.05)]
        for talk in self.talks:
            with _guard(talk):
                if (due := talk.due_at()) is not None:
                    moments.append(due)
                if self._holder is None and (wanted := talk.wants_at()) is not None:
                    moments.append(max(ready, wanted))
                if talk.pending and self._holder in (None, talk):
                    moments.append(ready)
        if self._holder is not None:
            moments.append(self._turn_ends)
        return max(0.0, min(moments) - now)

    # ---- listening ----------------------------------------------------------------------------------------------

    def _hear(self, data: bytes, now: float) -> Sequence[Conversation]:
        """Hand over what has arrived; to whom."""
        self._heard_at = now
        if not self.shared:
            listeners = self._awake()
        else:
            listeners = [talk for talk in self._awake() if talk is self._holder or talk.driver.unasked]
        understood = False
        for talk in listeners:
            with _guard(talk):
                understood = talk.heard(data, now) or understood
        if self.shared:
            self._weigh_strays(0 if understood else len(data))
        return listeners

    def _weigh_strays(self, count: int) -> None:
        """On a line, bytes that one driver does not know are another's; only what nobody knows is noise."""
        self._strays = self._strays + count if count else 0
        noisy = self._strays > NOISE
        if noisy or (self._garbled and not count):
            self._garbled = noisy
            for talk in self._awake():
                with _guard(talk):
                    talk.noise(over=not noisy)

    def _look_after(self, talk: Conversation, now: float, heard: bool) -> None:
        if talk.asleep_until is not None:
            if now >= talk.asleep_until:
                talk.opened()
            return
        if not heard and talk.fell_silent(now) and talk is self._holder:
            self._holder = None  # its own time-out is all a device may cost the others
        talk.look_after(now)

    def _keeps_turn(self, holder: Conversation, now: float) -> bool:
        """Until it is free again, and no longer than its time."""
        with _guard(holder):
            return holder.asleep_until is None and holder.busy and now < self._turn_ends
        return False

    def _awake(self) -> list[Conversation]:
        return [talk for talk in self.talks if talk.asleep_until is None]


@contextlib.contextmanager
def _guard(talk: Conversation) -> Iterator[None]:
    """A mistake in one driver must not take the cable, and with it other devices, down: it rests and begins anew."""
    try:
        yield
    except Exception as mistake:
        log.exception("our own mistake while talking to %s", talk.name)
        talk.mistaken(fault(mistake))
        talk.asleep_until = time.monotonic() + KNOWN_DELAY

"""Runs a driver's simulator on a real cable: a device to try everything on without owning it.

with SimulatedDevice("serial-scanner").on_pty(Path("/tmp/scanner")) as scanner:
    scanner.happen(CodeScanned(text="https://…"))     # something happens at the device
    scanner.unplug(); scanner.plug()                  # the same cable is pulled and put back
    scanner.obeyed                                    # orders it has done

with SimulatedLine({"pads": ("queue-bus", {}), "strip": ("pingan-strip", {"addresses": [3]})}).on_pty(…) as line:
    line.happen_at("pads", KeyPressed(key=Key.CALL_NEXT))
    line.kill("strip"); line.done["pads"]; line.collisions
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import select
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from devices import drivers
from devices.driver import Simulator
from devices.ends import DialEnd, End, PtyEnd, TcpEnd
from devices.faults import AWAY, FaultyLine, sort_faults
from devices.options import read_options
from devices.roles import News, Order

TICK = 0.1  # seconds between two ticks of a simulator
SLICE = 0.02  # seconds between two portions of babble
MOST = 4_000_000  # bytes waiting to be taken by the other side
LONGEST_WAIT = 0.5  # seconds for which somebody else is let finish; pictures in single bytes never would
KEPT = 20_000  # orders, the newest: a demo may stand in a showroom for weeks
STALE = 2.0  # seconds after which bytes that nobody takes are gone, as on a real line


def simulator_of(driver: str, options: object = None, faults: frozenset[str] = frozenset()) -> Simulator:
    """The simulator of a driver; `options` is its Options or a table of them. Raises Mistake, KeyError."""
    if options is None or isinstance(options, Mapping):
        options = read_options(driver, options or {})
    made = drivers.load(driver).Simulator(options, faults)
    assert isinstance(made, Simulator)
    return made


class SimulatedDevice:
    """One simulated device on a cable of its own, in a thread of its own."""

    def __init__(
        self,
        driver: str,
        options: object = None,
        faults: Iterable[str] = (),
        *,
        on_obeyed: Callable[[Order], None] | None = None,
        on_heard: Callable[[bytes], None] | None = None,
    ) -> None:
        line, own = sort_faults(faults, drivers.load(driver).Simulator.faults)
        self._set_up(simulator_of(driver, options, own), line, on_obeyed, on_heard)

    def _set_up(
        self,
        simulator: Simulator,
        line: frozenset[str],
        on_obeyed: Callable[[Order], None] | None = None,
        on_heard: Callable[[bytes], None] | None = None,
    ) -> None:
        self.simulator = simulator
        self.obeyed: list[Order] = []
        self._line = FaultyLine(line)
        self._on_obeyed, self._on_heard = on_obeyed, on_heard
        self._end: End | None = None
        self._lock = threading.RLock()
        self._later: list[tuple[float, int, bytes]] = []  # heap: when, order of arrival, bytes
        self._count = itertools.count()
        self._out = bytearray()
        self._moved = 0.0  # when the other side last took something
        self._free_at = 0.0  # when what is being said has been said
        self._back_at: float | None = None  # when a cable that died is put back
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closing = False
        self._thread: threading.Thread | None = None

    def on_pty(self, path: Path | str) -> Self:
        """Sit on a pseudo-terminal that `path` links to."""
        return self._on(PtyEnd(Path(path)))

    def on_tcp(self, port: int = 0) -> Self:
        """Sit on a TCP port of 127.0.0.1; 0 takes any free one."""
        return self._on(TcpEnd(port))

    def on_dial(self, link: str) -> Self:
        """Dial in to this `listen://` or `ws-listen://` link, whenever it is there."""
        return self._on(DialEnd(link))

    @property
    def link(self) -> str:
        """The link text the other side opens."""
        assert self._end is not None, "say on_pty, on_tcp or on_dial first"
        return self._end.link

    def happen(self, news: News) -> None:
        """Something happens at the device. Raises ValueError when it cannot have such news."""
        with self._lock:
            self._say(self.simulator.happen(news))

    def spoil(self, *faults: str) -> None:
        """From now on the line has these faults and no others; without any it is mended. Raises ValueError."""
        line, own = sort_faults(faults, ())
        assert not own
        with self._lock:
            self._line = FaultyLine(line)

    def unplug(self) -> None:
        """Pull the cable."""
        with self._lock:
            if self._end is not None:
                self._end.unplug()
            self._later.clear()
            self._out.clear()
        self._wake()

    def plug(self) -> None:
        """Put it back where it was: same path, same port."""
        with self._lock:
            if self._end is not None:
                self._end.plug()
        self._wake()

    def close(self) -> None:
        """Pull the cable for good."""
        if self._closing:
            return
        self._closing = True
        self._wake()
        if self._thread is not None:
            self._thread.join()
        self.unplug()
        with self._lock:
            bell, self._bell = self._bell, -1  # whoever still says something must not ring another file's descriptor
        os.close(bell)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _on(self, end: End) -> Self:
        end.plug()
        self._end = end
        self._thread = threading.Thread(target=self._run, name=f"simulated {end.link}", daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        next_tick = next_babble = time.monotonic()
        while not self._closing:
            now = time.monotonic()
            with self._lock:
                if self._back_at is not None and now >= self._back_at:
                    self._back_at = None
                    self.plug()
                if now >= next_tick:
                    next_tick = now + TICK
                    self._say(self.simulator.tick())
                if now >= next_babble:
                    next_babble = now + SLICE
                    self._out += self._line.babble(SLICE) if not self._out else b""
                self._flush(now)
            self._wait(min(next_tick, next_babble if "babble" in self._line.names else next_tick) - now)
            for order in self._listen():
                self.obeyed.append(order)
                del self.obeyed[:-KEPT]
                if self._on_obeyed:
                    self._on_obeyed(order)

    def _wait(self, seconds: float) -> None:
        """Until something arrives, can be sent or is due, or so many seconds."""
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        with self._lock:
            assert self._end is not None
            for fd in self._end.waits():
                poll.register(fd, select.POLLIN)
            if self._later:
                seconds = min(seconds, self._later[0][0] - time.monotonic())
            if self._out:
                seconds = min(seconds, 0.002)
        poll.poll(max(0.0, seconds) * 1000)
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._bell)

    def _listen(self) -> list[Order]:
        """Pass on what has arrived; returns the orders that were obeyed with it."""
        with self._lock:
            assert self._end is not None
            data = self._end.read()
            if self._end.arrived:
                self._end.arrived = False
                self._say(self.simulator.dialled())
            if not data:
                return []
            if self._on_heard:
                self._on_heard(data)
            reached, echo, dies = self._line.hear(data)
            if echo:
                self._put(time.monotonic(), echo)
            self._say(self.simulator.receive(reached))
            obeyed, self.simulator.obeyed = self.simulator.obeyed, []
            if dies:
                self.unplug()
                self._back_at = time.monotonic() + AWAY
            return obeyed

    def _say(self, answer: bytes) -> None:
        """Whole, however the line cuts it: nobody on a line speaks while another one does."""
        pieces = self._line.say(answer)
        if pieces:
            now, first = time.monotonic(), pieces[0][0]
            waits = min(max(0.0, self._free_at - now - first), LONGEST_WAIT)
            for delay, piece in pieces:
                self._put(now + delay + waits, piece)
            self._free_at = now + pieces[-1][0] + waits
        if answer:
            self._wake()

    def _put(self, at: float, piece: bytes) -> None:
        heapq.heappush(self._later, (at, next(self._count), piece))

    def _flush(self, now: float) -> None:
        """Hand over what is due; what nobody takes is lost after a while."""
        while self._later and self._later[0][0] <= now:
            piece = heapq.heappop(self._later)[2]
            if not self._out:
                self._moved = now
            if len(self._out) + len(piece) <= MOST:
                self._out += piece
        if not self._out:
            return
        assert self._end is not None
        taken = self._end.write(bytes(self._out[:65536]))
        if taken is None or (taken == 0 and now - self._moved > STALE):
            self._out.clear()
        elif taken:
            self._moved = now
            del self._out[:taken]

    def _wake(self) -> None:
        with self._lock:
            if self._bell >= 0:
                os.eventfd_write(self._bell, 1)


class Chorus(Simulator):
    """Several devices on one line: each hears everything, and answers what is meant for it."""

    def __init__(self, members: Mapping[str, Simulator]) -> None:
        super().__init__()
        self.members = dict(members)
        self.dead: set[str] = set()  # these have no power
        self.done: dict[str, list[Order]] = {name: [] for name in members}

    def receive(self, data: bytes) -> bytes:
        """See Simulator."""
        answers = b""
        for name, member in self._living():
            answers += member.receive(data)
            self.done[name] += member.obeyed
            del self.done[name][:-KEPT]
            self.obeyed += member.obeyed
            member.obeyed.clear()
        return answers

    def happen(self, news: News) -> bytes:
        """See Simulator. Nobody can say at which of the devices."""
        raise ValueError(f"say at which device of the line {type(news).__name__} happens")

    def tick(self) -> bytes:
        """See Simulator."""
        return b"".join(member.tick() for _, member in self._living())

    def _living(self) -> list[tuple[str, Simulator]]:
        return [(name, member) for name, member in self.members.items() if name not in self.dead]


class SimulatedLine(SimulatedDevice):
    """One line (RS-485) with several simulated devices. `members`: name → (driver, its options).

    Each answer comes after `think` seconds. What is sent into an answer that is still to come is a `collision`.
    """

    def __init__(
        self, members: Mapping[str, tuple[str, object]], faults: Iterable[str] = (), think: float = 0.0
    ) -> None:
        line, _ = sort_faults(faults, ())
        self.chorus = Chorus({name: simulator_of(driver, options) for name, (driver, options) in members.items()})
        self.collisions = 0
        self._think = think
        self._set_up(self.chorus, line, on_heard=self._hear)

    @property
    def done(self) -> dict[str, list[Order]]:
        """What each device has obeyed."""
        return self.chorus.done

    def happen_at(self, name: str, news: News) -> None:
        """Something happens at one of the devices. Raises ValueError when it cannot have such news."""
        with self._lock:
            if name not in self.chorus.dead:
                self._say(self.chorus.members[name].happen(news))

    def kill(self, *names: str) -> None:
        """From now on these devices are dead and all others live."""
        with self._lock:
            self.chorus.dead = set(names)

    def _hear(self, data: bytes) -> None:
        self.collisions += bool(self._later)

    def _put(self, at: float, piece: bytes) -> None:
        super()._put(at + self._think, piece)

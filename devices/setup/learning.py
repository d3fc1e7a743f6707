"""Learning mode: hears a pad nobody documented, key by key, and writes the options of a generic driver for it.

    lesson = Lesson("serial://by-path/…?baud=9600")
    lesson.listen_for("call_next")          whoever sits there presses that key two or three times
    lesson.listen_for("5")
    lesson.learn()                          {"driver": "framed-pad", "options": {…}}: from now on presses are replayed
    lesson.state()["replayed"]              what each further press would be told as

A key goes by one of the words of `devices.roles.Key` or by its grade, `5` to `1` (`0`: none in time). A strip is learnt
from the program it hung on until now: that program's cable is plugged in here, and each text it is told to show is
typed as the key's name. A pedal goes by its number, `1` to `9`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devices import drivers
from devices.cable import fault, loss_of
from devices.driver import Driver
from devices.links import Link, LinkAbsent, LinkLost, LinkMistake, check_link, open_link
from devices.options import read_options
from devices.roles import Garbled
from devices.teller import safely
from devices.words import say

QUIET = 0.25  # seconds without a byte that end a press
MOST = 20  # presses kept of a key
LONGEST = 4096  # bytes of one press: a line that babbles is no pad
AGAIN = 1.0  # seconds between attempts to open the cable
PADS, STRIPS, PEDALS = "pad", "strip", "pedal"
FAMILIES: dict[str, tuple[str, ...]] = {
    PADS: ("ascii-pad", "framed-pad", "hid-pad"),
    STRIPS: ("ascii-strip",),
    PEDALS: ("hid-pedal",),
}


class NotLearnt(ValueError):
    """Nothing can be made of what was recorded; the text says why and what to do."""


@dataclass
class Heard:
    """What has been recorded. `presses`: key → what came, press by press."""

    key: str = ""
    presses: dict[str, list[bytes]] = field(default_factory=dict)
    trouble: str = ""
    replayed: deque[str] = field(default_factory=lambda: deque(maxlen=12))
    strays: int = 0  # presses while no key was chosen


class Lesson:
    """One cable that is being listened to; nothing is ever written to it. Any thread may call any method."""

    def __init__(self, link: str, baud: int = 9600, kind: str = PADS) -> None:
        """`kind`: "pad", "strip" or "pedal". Raises LinkMistake."""
        check_link(link)
        self.link, self.baud, self.kind = link, baud, kind
        self.heard = Heard(trouble="The cable is being opened.")
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pupil: Driver | None = None  # the driver as learnt, which hears further presses
        self._learnt: dict[str, Any] | None = None
        self._thread = threading.Thread(target=self._listen, name="learning", daemon=True)
        self._thread.start()

    def listen_for(self, key: str) -> None:
        """What is pressed from now on is this key; an empty name: nobody listens. What was learnt before is void."""
        with self._lock:
            self.heard.key = key
            if key:
                self._pupil = self._learnt = None
                self.heard.replayed.clear()

    def forget(self, key: str) -> None:
        """Press that one again: it went wrong."""
        with self._lock:
            self.heard.presses.pop(key, None)

    def learn(self, driver: str = "") -> dict[str, Any]:
        """The driver that understands what was recorded, and its options. Raises NotLearnt.

        `driver` names the family; empty: each that sits on such a cable is tried.
        """
        with self._lock:
            presses = {key: list(sent) for key, sent in self.heard.presses.items()}
            self.heard.key = ""
        found = learnt(presses, families(self.link, self.kind, driver))
        with self._lock:
            made: Driver = drivers.load(found["driver"]).Driver(read_options(found["driver"], found["options"]))
            self._pupil, self._learnt = made, found
            self.heard.replayed.clear()
        return found

    def state(self) -> dict[str, Any]:
        """Everything there is to show, as a JSON-able dict."""
        with self._lock:
            heard = self.heard
            return {
                "link": self.link,
                "kind": self.kind,
                "key": heard.key,
                "presses": {key: [data.hex(" ").upper() for data in sent] for key, sent in heard.presses.items()},
                "trouble": heard.trouble,
                "strays": heard.strays,
                "learnt": self._learnt,
                "replayed": list(heard.replayed),
            }

    def close(self) -> None:
        """Let go of the cable."""
        self._stop.set()
        self._thread.join(timeout=5)

    def __enter__(self) -> Lesson:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ---- the one thread --------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        while not self._stop.is_set():
            mistake = safely(f"learning on {self.link}", self._live)
            if mistake is not None:
                self._trouble(fault(mistake))
                self._stop.wait(AGAIN)

    def _live(self) -> None:
        """From opening the cable to its loss."""
        try:
            link = open_link(self.link, self.baud)
        except (LinkAbsent, LinkMistake) as absent:
            self._trouble(absent.args[0])
            self._stop.wait(AGAIN)
            return
        try:
            self._trouble("")
            self._cut(link)
        except LinkLost as loss:
            self._trouble(loss_of(loss))
        finally:
            link.close()

    def _cut(self, link: Link) -> None:
        """Cut what comes into presses by the quiet between them."""
        press, last = b"", 0.0
        while not self._stop.is_set():
            data = link.read(0.05)
            now = time.monotonic()
            if data:
                press, last = (press + data)[-LONGEST:], now
            elif press and now - last >= QUIET:
                self._take(press)
                press = b""

    def _take(self, press: bytes) -> None:
        with self._lock:
            if self._pupil is not None:
                self.heard.replayed.append(self._replay(self._pupil, press))
            elif self.heard.key:
                kept = self.heard.presses.setdefault(self.heard.key, [])
                kept.append(press)
                del kept[:-MOST]
            else:
                self.heard.strays += 1

    def _replay(self, pupil: Driver, press: bytes) -> str:
        """What the learnt driver makes of a press, in words."""
        said = [say(news) for news in pupil.feed(press) if not isinstance(news, Garbled)]
        # A driver that waits for an answer would wait for ever: here nobody writes.
        while pupil.owed():
            pass
        said += [say(news) for news in pupil.silence()] if pupil.patience is not None else []
        return "；".join(dict.fromkeys(said)) or f"? {press[:32].hex(' ').upper()}"

    def _trouble(self, sentence: str) -> None:
        with self._lock:
            self.heard.trouble = sentence


def families(link: str, kind: str = PADS, driver: str = "") -> list[str]:
    """The generic drivers that can be learnt on such a cable, the simplest first. Raises NotLearnt."""
    scheme = check_link(link).scheme
    scheme = "serial" if scheme == "rfc2217" else scheme
    known = [name for name in FAMILIES[kind] if name in drivers.names() and hasattr(drivers.load(name), "learn")]
    fit = [name for name in known if scheme in drivers.load(name).Driver.links]
    if driver and driver not in known:
        raise NotLearnt(f"{driver} cannot be learnt; these can: {', '.join(known)}")
    if not driver and not fit:
        raise NotLearnt(f"no driver that can be learnt sits on a cable of the kind {scheme}")
    return [driver] if driver else fit


def learnt(presses: Mapping[str, Sequence[bytes]], among: Sequence[str]) -> dict[str, Any]:
    """The first of these drivers that understands the presses, with its options. Raises NotLearnt."""
    why = ""
    for name in among:
        try:
            options = drivers.load(name).learn(presses)
            read_options(name, options)
        except ValueError as wrong:
            why = str(wrong)
            continue
        return {"driver": name, "options": options}
    raise NotLearnt(why[:1].upper() + why[1:] + ("" if why.endswith(".") else "."))

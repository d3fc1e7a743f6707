"""Try a device: one button for each thing a technician wants to see with his own eyes, and what came of it in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import gevent

from config.words import Sentence
from devices import drivers
from devices.documents import trial_page
from devices.driver import Driver
from devices.gateway.faces import masked
from devices.gateway.wording import Say
from devices.options import read_options
from devices.orders import Outcome
from devices.roles import (
    AskRating,
    Beep,
    Call,
    Obeyed,
    Order,
    PrintDocument,
    PrintTest,
    ReadCard,
    Refused,
    SetRoll,
    ShowCall,
    ShowCalls,
    ShowNumber,
    ShowWelcome,
    StillTaken,
    StopScan,
    TakeStill,
    TriggerScan,
    Unconfirmed,
)
from devices.station import DeviceEntry, Station

TIMEOUT = 12.0  # seconds an order may take; a slip with its confirmation needs the longest
WINDOW = "window {no}"
TRIED_NUMBER = "A001"


@dataclass(frozen=True)
class Trial:
    """One button. `order` makes the order for a window number; `hint` says what the technician should then see."""

    key: str
    role: str
    label: str
    hint: str
    order: Callable[[int], Order]
    patience: float = TIMEOUT  # seconds; a document whose time is up is cancelled

    @property
    def kind(self) -> type[Order]:
        """The order's class."""
        return type(self.order(1))


TRIALS = (
    Trial("print", "ticket-printer", "Print a test slip", "Read it, scan its code, see that it is cut.",
          lambda _: PrintTest()),
    Trial("roll", "ticket-printer", "A new roll is in", "The count of its paper begins anew; nothing is printed.",
          lambda _: SetRoll()),
    Trial("page", "a4-printer", "Print a trial page", "A frame runs along all four margins of one A4 sheet.",
          lambda _: trial_page(), 75.0),
    Trial("sheet", "a4-printer", "Print the calibration sheet", "Its ruler is 150 mm long; else print it at 100 %.",
          lambda _: PrintDocument(title="calibration", pdf=_calibration_sheet()), 75.0),
    Trial("call", "window-screen", "Call A001 to the window", "The strip shows A001 and the window's number.",
          lambda window: ShowCall(number=TRIED_NUMBER, window=window)),
    Trial("welcome", "window-screen", "Show the welcome", "The strip shows its welcome again.",
          lambda _: ShowWelcome()),
    Trial("calls", "hall-board", "Call A001 on the board", "Its top row shows A001 and window 1; the others are empty.",
          lambda window: ShowCalls(calls=(Call(number=TRIED_NUMBER, window=window),))),
    Trial("rate", "evaluator", "Light the evaluator", "Press a key on it; what it says appears below.",
          lambda _: AskRating()),
    Trial("number", "call-pad", "Show A001 on the pad", "The pad shows A001 and 3 waiting; press its keys as well.",
          lambda _: ShowNumber(number=TRIED_NUMBER, waiting=3)),
    Trial("beep", "call-pad", "Sound the pad", "One short tone.", lambda _: Beep()),
    Trial("card", "id-reader", "Read a card", "Lay a card on the reader; only masked parts are shown here.",
          lambda _: ReadCard()),
    Trial("scan", "code-scanner", "Switch the scanner on", "Hold a code in its light; that it was read appears below.",
          lambda _: TriggerScan()),
    Trial("stop", "code-scanner", "Switch the scanner off", "Its light goes out.", lambda _: StopScan()),
    Trial("still", "camera", "Take a picture", "The picture appears here; it is not written to disk.",
          lambda _: TakeStill()),
    Trial("measure", "camera", "Measure the stand", "The printed calibration sheet lies flat under the camera.",
          lambda _: TakeStill()),
)  # fmt: skip
STILLS = ("still", "measure")  # trials that want the picture

OUTCOMES: dict[type, tuple[str, str, str]] = {
    Obeyed: ("done", "Done: the device confirmed it.", "circle-check"),
    Refused: ("failed", "Not done.", "circle-xmark"),
    Unconfirmed: ("unknown", "Sent, but nobody can know: look at the device.", "circle-question"),
}

NOT_TOLD = (*OUTCOMES, StillTaken)  # shown otherwise


def trials_of(station: Station, name: str, say: Say) -> list[dict[str, Any]]:
    """The buttons of one device; those its family cannot do carry the reason instead. Raises KeyError."""
    station.state(name)
    return buttons(station.entries[name], say)


def buttons(entry: DeviceEntry, say: Say) -> list[dict[str, Any]]:
    """The same for a device that is configured, whether or not it is open."""
    driver = driver_of(entry)
    roles = [role.name for role in driver.roles]
    addresses = [
        {"address": address, "label": " ".join(say(Sentence(WINDOW, no=no)))}
        for address, no in sorted(entry.windows.items())
    ]
    return [
        {
            "key": trial.key,
            "label": say(trial.label),
            "hint": say(trial.hint),
            "cannot": say(lack) if (lack := driver.lacks(trial.kind)) else None,
            "addresses": addresses if len(addresses) > 1 else [],
        }
        for trial in TRIALS
        if trial.role in roles
    ]


def try_out(station: Station, name: str, key: str, address: int, say: Say) -> dict[str, Any]:
    """Send the order of a button and wait for what comes of it. Raises KeyError for an unknown device or button."""
    state = station.state(name)
    trial = next((t for t in TRIALS if t.key == key and t.role in state.roles), None)
    if trial is None:
        raise KeyError(f"{name} has no test called {key!r}")
    known = getattr(driver_of(station.entries[name]).options, "addresses", tuple(state.windows))
    if address and address not in known:
        raise KeyError(f"{name} has no address {address}; it has: {', '.join(map(str, known)) or 'none'}")
    at = address or next(iter(sorted(state.windows)), 0)
    began = datetime.now(UTC)
    order = replace(trial.order(state.windows.get(at, 1)), address=at)
    outcome = _wait(station.send(name, order, trial.patience))
    result, sentence, shape = OUTCOMES[type(outcome)]
    reason = getattr(outcome, "reason", "")
    news = [one for when, one in station.last_news(name) if when >= began and not isinstance(one, NOT_TOLD)]
    return {
        "result": result,
        "shape": shape,
        "sentence": say(sentence),
        "reason": say(reason) if reason else None,
        "hint": say(trial.hint) if result != "failed" else None,
        "news": masked(news),
        "picture": key == "still" and result == "done",
    }


def _calibration_sheet() -> bytes:
    from devices.vision.calibration import sheet  # late: what sees is large

    return sheet()


def driver_of(entry: DeviceEntry) -> Driver:
    """A driver set up like the device's, to ask what it lacks."""
    options = entry.options
    if isinstance(options, Mapping):
        options = read_options(entry.driver, options, f"{entry.name}.options")
    made: Driver = drivers.load(entry.driver).Driver(options)
    return made


def _wait(future: Future[Outcome]) -> Outcome:
    """The outcome, letting other browsers be served meanwhile. The station always gives one, soon after its time."""
    while not future.done():
        gevent.sleep(0.02)
    return future.result()


def message_ids() -> set[str]:
    """Every message id said from here."""
    return (
        {t.label for t in TRIALS}
        | {t.hint for t in TRIALS}
        | {sentence for _, sentence, _ in OUTCOMES.values()}
        | {WINDOW}
    )

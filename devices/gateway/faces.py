"""What the page says about a device: state, role, what to do, what passed; every word as (Chinese, English)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config.words import Sentence
from devices.gateway.wording import Say
from devices.links.base import FORBIDDEN, IN_USE
from devices.links.evdev import NO_TYPING, TAKEN
from devices.links.hidraw import NO_HID
from devices.links.holder import OURSELVES
from devices.links.v4l2 import NO_CAMERA, NOT_OPENED
from devices.roles import CAMERA, PaperUsed
from devices.station import DeviceState, State, Station
from devices.words import say, to_json

EXCHANGES, NEWS = 200, 20  # newest ones shown

# Icons are Font Awesome names: a shape beside every word and colour.
STATES: dict[State, tuple[str, str]] = {
    State.READY: ("Ready", "circle-check"),
    State.DEGRADED: ("Needs attention", "triangle-exclamation"),
    State.ERROR: ("Fault", "circle-xmark"),
    State.ABSENT: ("Not connected", "plug-circle-xmark"),
    State.CONNECTING: ("Connecting", "hourglass-half"),
    State.DISABLED: ("Switched off", "circle-minus"),
}
MUTE = ("Works, never answers", "circle-question")  # degraded by its nature, with no trouble
ROLES: dict[str, tuple[str, str]] = {
    "ticket-printer": ("Ticket printer", "print"),
    "a4-printer": ("A4 printer", "print"),
    "id-reader": ("ID reader", "id-card"),
    "travel-document": ("Travel document reader", "passport"),
    "code-scanner": ("Code scanner", "qrcode"),
    "call-pad": ("Call pad", "calculator"),
    "evaluator": ("Evaluator", "face-smile"),
    "foot-pedal": ("Foot pedal", "shoe-prints"),
    "window-screen": ("Window screen", "display"),
    "hall-board": ("Hall board", "table-list"),
    "camera": ("Document camera", "camera"),
}
ADVICE: dict[str, str] = {
    "LinkDown": "Check the plug at both ends and the power. The station tries again by itself.",
    "Silent": "Check that it is switched on, that the speed (baud) is right and that it is the right driver.",
    "Exchanged": "Put each plug back where it was; if the device was replaced on purpose, confirm it.",
    "Garbled": "Check the speed (baud) and the driver; keep the cable away from mains leads.",
    "PaperOut": "Put in a new roll, its thermal side towards the head, and close the cover.",
    "PaperNearEnd": "Keep a new roll ready beside the printer.",
    "CoverOpen": "Close the cover until it clicks.",
    "CutterError": "Switch the printer off, free the cutter, switch it on again.",
    "PrinterError": "Switch the printer off and on. If the fault stays, call its service.",
    "PrinterOffline": "Press the printer's feed or online key.",
    "TonerLow": "Keep a new toner cartridge ready beside the printer.",
    "ReaderFault": "Unplug the reader, wait ten seconds, plug it in again.",
    "PictureFrozen": "Unplug the camera and plug it in again, directly into the machine.",
    "PictureDark": "Switch the lamp on and take the cap off the lens.",
    "PictureBright": "Shade the picture from the sun, turn the lamp down, and set exposure back to automatic.",
    "WrongFormat": "Another size was granted than asked for; choose one the camera has.",
    "BusFull": "Plug one of the cameras into a socket of another USB controller (mostly: another side of the machine, "
    "no hub), or choose a smaller picture or fewer frames; the format is MJPG already.",
}
# What helps a camera where other devices want something else.
CAMERA_ADVICE: dict[str, str] = {
    "Garbled": "The camera's pictures come damaged: try another cable or USB socket.",
}
# A cable that is there, but not for us: what its reason is made from → better advice than to look at the plug. The
# more particular before the more general.
BUSY = "Another program uses this port: end it, and the station opens the port by itself."
ANOTHER = "The address of its cable is that of something else: choose another one in its settings."
REASON_ADVICE: dict[str, str] = {
    OURSELVES.id: "Two devices of this machine name the same port: choose another one in the settings of one of them.",
    IN_USE: BUSY,
    TAKEN: BUSY,
    NOT_OPENED: BUSY,
    NO_CAMERA: ANOTHER,
    NO_TYPING: ANOTHER,
    NO_HID: ANOTHER,
    FORBIDDEN: "The station's user may not open this port: "
    "add it to the group named above and start the machine again.",
}
STATE_ADVICE: dict[State, str] = {
    State.CONNECTING: "Wait a moment. If it stays so, check power, speed (baud) and driver.",
    State.DISABLED: "To use it, set enabled = true for it in hall.toml.",
    State.DEGRADED: "Nothing to do: devices of this kind never answer, so look at them after each test.",
    State.ERROR: "Correct the configuration of this device; the station follows at once.",
    State.ABSENT: ADVICE["LinkDown"],
}


def overview(station: Station, say_: Say) -> list[dict[str, Any]]:
    """Every device as a row of the list."""
    return [row(state, say_) for state in station.states()]


def row(state: DeviceState, say_: Say) -> dict[str, Any]:
    """One device: name, roles, state with shape, and why."""
    mute = state.state is State.DEGRADED and not state.troubles
    word, icon = MUTE if mute else STATES[state.state]
    known = [ROLES.get(role, (role, "plug")) for role in state.roles]
    return {
        "name": state.name,
        "roles": [say_(word) for word, _ in known],
        "icon": known[0][1] if known else "plug",
        "state": "mute" if mute else state.state.value,
        "word": say_(word),
        "shape": icon,
        "since": state.since.isoformat(timespec="seconds"),
        "reason": say_(state.reason) if state.reason else ("", ""),
    }


def detail(station: Station, name: str, say_: Say) -> dict[str, Any]:
    """Everything about one device. Raises KeyError."""
    state = station.state(name)
    kept = station.exchanges(name)[-EXCHANGES:]
    told = station.last_news(name)[-NEWS:]

    def in_chinese(reason: str) -> str:
        return say_(reason)[0]

    return {
        **row(state, say_),
        "driver": state.driver,
        "link": state.link,
        "windows": [{"address": address, "window": window} for address, window in sorted(state.windows.items())],
        "counters": state.counters,
        "paper": _paper(station, name),
        "exchanged": any(trouble["news"] == "Exchanged" for trouble in state.troubles),
        "advice": [say_(sentence) for sentence in advice(state)],
        "exchanges": [
            {"direction": x.direction, "at": _moment(x.at), "size": x.size, "data": _spaced(x.data),
             "words": x.words}
            for x in reversed(kept)
        ],
        "news": [{"at": _moment(at), "text": say(news, speak=in_chinese), "over": bool(getattr(news, "over", False))}
                 for at, news in reversed(told)],
    }  # fmt: skip


def _paper(station: Station, name: str) -> str:
    """What is left of the roll by our own count, such as "12.4 m ≈ 97"; empty where nothing is counted."""
    counted = [news for _, news in station.last_news(name) if isinstance(news, PaperUsed)]
    return f"{counted[-1].left_mm / 1000:.1f} m ≈ {counted[-1].slips_left}" if counted else ""


def advice(state: DeviceState) -> list[str]:
    """What to do now, as message ids: one for each trouble, else for the state."""
    named = [(str(trouble["news"]), trouble.get("reason", "")) for trouble in state.troubles]
    usual = ADVICE | (CAMERA_ADVICE if CAMERA.name in state.roles else {})
    found = list(dict.fromkeys(_known(reason) or usual[name] for name, reason in named if name in usual))
    if found or state.state is State.READY:
        return found
    return [_known(state.reason) or STATE_ADVICE[state.state]]


def _known(reason: str) -> str:
    if not isinstance(reason, Sentence):
        return ""
    return next((advised for id, advised in REASON_ADVICE.items() if reason.holds(id)), "")


def message_ids() -> set[str]:
    """Every message id said from here, for the test that all are translated."""
    return (
        {word for word, _ in (*STATES.values(), MUTE)}
        | {word for word, _ in ROLES.values()}
        | set(ADVICE.values())
        | set(CAMERA_ADVICE.values())
        | set(REASON_ADVICE.values())
        | set(STATE_ADVICE.values())
    )


def masked(news: list[Any]) -> list[dict[str, Any]]:
    """News as JSON with what may name a person masked."""
    return [{"text": say(one), **to_json(one)} for one in news]


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _spaced(data: str) -> str:
    """Hex in pairs: 1b40… becomes 1B 40 …"""
    cut = data.endswith("…")
    return " ".join(data[i : i + 2] for i in range(0, len(data) - cut, 2)).upper() + (" …" if cut else "")

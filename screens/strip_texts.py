"""What an LED strip above a window shows for each event: plain data, whoever owns the cable says it in its own way.

A strip knows four faces (welcome, call, serving, paused); a strip that shows any text gets the sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from config.words import translator

Face = Literal["welcome", "call", "serving", "paused", "closed"]
Data = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StripText:
    """What the strip of `window` shows now. `number` is empty unless a number is called or served."""

    window: int
    face: Face
    text: str
    number: str = ""
    flashes: bool = False


SENTENCES: Mapping[Face, str] = {
    "call": "{number} to window {window}, please",
    "serving": "Serving {number}",
    "welcome": "Welcome",
    "paused": "Paused for a moment",
    "closed": "Window closed",
}
_FACES: Mapping[str, Face] = {
    "TicketCalled": "call",
    "TicketRecalled": "call",
    "ServiceStarted": "serving",
    "TicketResumed": "serving",
    "TicketPassed": "welcome",
    "TicketHeld": "welcome",
    "TicketTransferred": "welcome",
    "ServiceFinished": "welcome",
    "WindowOpened": "welcome",
    "WindowResumed": "welcome",
    "WindowPaused": "paused",
    "WindowClosed": "closed",
}


def strip_text(kind: str, data: Data, say: Callable[[str], str] | None = None) -> StripText | None:
    """The strip's text after the event `kind`; None when strips have nothing to show for it.

    `say` translates a message id (default: Chinese). The reason of a pause and of a priority is never shown.
    """
    face = _FACES.get(kind)
    window = data.get("window") or data.get("from_window")
    if face is None or window is None:
        return None
    number = str(data.get("number", "")) if face in ("call", "serving") else ""
    sentence = (say or translator("screens"))(SENTENCES[face])
    return StripText(
        window=int(window),
        face=face,
        text=sentence.format(number=number, window=window),
        number=number,
        flashes=face == "call",
    )

"""Works out what a pad's keys send, when that is text: which text each, and what ends it."""

from __future__ import annotations

from typing import Any

from devices.pads.recordings import Presses, cleaned, tables

ENDS = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "none": b""}
LONGEST_KEY = 16  # characters
LINE = 2  # bytes at least of a line that is said several times for one press


def learn(presses: Presses) -> dict[str, Any]:
    """Options of `ascii-pad` that understand these presses. Raises ValueError with a sentence."""
    recorded = cleaned(presses, LINE)
    sent = [data for one in recorded.values() for data in one]
    if not all(data.isascii() for data in sent):
        raise ValueError("the keys send bytes that are no text; learn them as framed-pad")
    end = next(name for name in ("crlf", "cr", "lf", "none") if all(data.endswith(ENDS[name]) for data in sent))
    named: dict[str, str] = {}
    for name, one in recorded.items():
        texts = {data.removesuffix(ENDS[end]).decode() for data in one}
        text = texts.pop()
        if texts:
            raise ValueError(f"{name} sends something else each time; learn the keys as framed-pad")
        if "\r" in text or "\n" in text:
            raise ValueError(f"{name} sends more than one line, or another end of line than the others")
        if not 1 <= len(text) <= LONGEST_KEY:
            raise ValueError(f"{name} sends {len(text)} characters; a key is 1 to {LONGEST_KEY}")
        if text in named:
            raise ValueError(f"{named[text]} and {name} send the same text ({text!r})")
        named[text] = name
    return {"end": end, "ratings": "none", **tables(named)}

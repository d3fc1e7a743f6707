"""Why something is not done, as RFC 9457 JSON with a Chinese and an English sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Response, jsonify

from config.words import FIRST, translator

ROOM, ABOVE = "devices.gateway.local", "devices.gateway"
REPORTS = "The device reports: {reason}"
Say = Callable[[str], tuple[str, str]]


class Refusal(Exception):
    """An HTTP status, a code for programs, a message id fit to show, and what its braces are filled with."""

    def __init__(self, status: int, code: str, sentence: str, **fields: str) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence, self.fields = status, code, sentence, fields


@cache
def speaker(second: str = "en") -> Say:
    """A function from message id to (Chinese, second language); what we have no words for, the house above may have."""

    def translate(language: str, message: str) -> str:
        own = translator(ROOM, language)(message)
        return own if own != message else translator(ABOVE, language)(message)

    return lambda message: (translate(FIRST, message), translate(second, message))


def body(refusal: Refusal, say: Say) -> dict[str, Any]:
    """The members of the problem; `fields` go along, so that a program need not read sentences."""
    first, below = say(refusal.sentence)
    if first == below:  # a device's or the system's own words, for which there are no others
        first, below = (frame.replace("{reason}", refusal.sentence) for frame in say(REPORTS))
    else:
        first, below = first.format(**refusal.fields), below.format(**refusal.fields)
    return {
        "title": below,
        "status": refusal.status,
        "detail": first,
        "sentence": [first, below],
        "code": refusal.code,
        **refusal.fields,
    }


def answer(refusal: Refusal, say: Say) -> Response:
    """The same as an HTTP answer."""
    response = jsonify(body(refusal, say))
    response.status_code, response.mimetype = refusal.status, "application/problem+json"
    return response

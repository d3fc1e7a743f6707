"""Why something is not done, as RFC 9457 JSON with a Chinese and an English sentence."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from config.words import Sentence
from devices.gateway.wording import Say

ROOM = "devices.gateway.local"
REPORTS = "The device reports: {reason}"


class Refusal(Exception):
    """An HTTP status, a code for programs, a message id fit to show, and what its braces are filled with."""

    def __init__(self, status: int, code: str, sentence: str, **fields: str) -> None:
        super().__init__(sentence)
        self.status, self.code, self.fields = status, code, fields
        self.sentence = Sentence(sentence, **fields) if fields else sentence


def body(refusal: Refusal, say: Say) -> dict[str, Any]:
    """The members of the problem; `fields` go along, so that a program need not read sentences."""
    first, below = say(refusal.sentence)
    if first == below:  # a device's or the system's own words, for which there are no others
        first, below = say(Sentence(REPORTS, reason=refusal.sentence))
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

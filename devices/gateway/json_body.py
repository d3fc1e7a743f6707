"""What a page says in the body of its request."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

# Values of a body, however long it is: each takes fifty bytes and more once it is read, however short; a long text is
# only one.
MOST_PARTS = 50_000
SIGNS = (b"[", b"{", b",")  # one before each value, and not one in base64


class TooManyParts(RequestEntityTooLarge):
    """A body of lists in lists, or of more values than anybody here has use for."""


def json_object() -> dict[str, Any] | None:
    """The JSON object of this request; None when it is anything else. Raises RequestEntityTooLarge, TooManyParts."""
    longest = request.max_content_length
    if longest is not None and request.content_length is None and len(request.get_data()) >= longest:
        raise RequestEntityTooLarge  # a body in chunks is read up to the limit, and what follows is left out
    if sum(map(request.get_data().count, SIGNS)) > MOST_PARTS:
        raise TooManyParts
    try:
        said = request.get_json(silent=True)
    except RecursionError:  # brackets within brackets, thousands of them
        return None
    return said if isinstance(said, dict) else None

"""What a page says in the body of its request."""

from __future__ import annotations

from typing import Any

from flask import request


def json_object() -> dict[str, Any] | None:
    """The JSON object of this request; None when it is anything else."""
    try:
        said = request.get_json(silent=True)
    except RecursionError:  # brackets within brackets, thousands of them
        return None
    return said if isinstance(said, dict) else None

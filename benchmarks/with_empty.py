"""The hall with one more route that does nothing: beside it one sees what the hall itself costs.

python -m benchmarks.with_empty DATABASE-URL
"""

from __future__ import annotations

import sys

from flask import Blueprint

from hall_api.default_plan import DEFAULT_PLAN
from hall_api.hall import Hall
from hall_api.server import Serving, serve


def empty_route(hall: Hall) -> list[Blueprint]:
    """POST /empty, and GET."""
    blueprint = Blueprint("empty", __name__)
    blueprint.add_url_rule("/empty", "empty", lambda: {"ok": True}, methods=["GET", "POST"])
    return [blueprint]


if __name__ == "__main__":
    sys.exit(serve(Serving(database=sys.argv[1], plan=DEFAULT_PLAN, port=0, open_windows=True), pages=empty_route))

"""Serves the public screens and the announcements; `kiosk/` hands this blueprint to the hall's app.

The screens use the hall's `/static/…` (style, icons, and the modules api.js, dom.js, follow.js, faces.js) by address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, jsonify, render_template

from config.script_words import words_module
from config.words import translator
from screens.voice import Voice, call_of

Result = TypeVar("Result")
EventOf = Callable[[int], Mapping[str, Any] | None]
FOLDER = Path(__file__).resolve().parent


def _here(work: Callable[[], Result]) -> Result:
    return work()


def create_screens(
    event_of: EventOf,
    voice: Voice,
    *,
    elsewhere: Callable[[Callable[[], bytes]], bytes] = _here,
    second: str = "en",
) -> Blueprint:
    """The blueprint of `/board`, `/window/<no>`, `/evaluator/<no>` and `/voice/<seq>.wav`.

    `event_of(seq)` gives one journal event as JSON ({"seq", "at", "type", "data"}) or None. `elsewhere(work)` runs
    `work` where it may block (a gevent server gives its thread pool's `apply`); left out, it runs in the request.
    `second` is the language below Chinese.
    """
    screens = Blueprint(
        "screens", __name__, template_folder="templates", static_folder="static", static_url_path="/screens"
    )
    first, below = translator("screens"), translator("screens", second)
    module = words_module(FOLDER / "static", "screens", second)

    @screens.context_processor
    def words() -> dict[str, object]:
        return {"_": first, "second": below, "second_tag": second}

    @screens.get("/screens/words.js")
    def words_js() -> Response:
        return Response(module, mimetype="text/javascript")

    _faces(screens)
    _announcements(screens, event_of, voice, elsewhere)
    return screens


def _faces(screens: Blueprint) -> None:
    @screens.get("/board")
    def board() -> str:
        return render_template("screens/board.html")

    @screens.get("/window/<int:no>")
    def window(no: int) -> str:
        return render_template("screens/window.html", no=no)

    @screens.get("/evaluator/<int:no>")
    def evaluator(no: int) -> str:
        return render_template("screens/evaluator.html", no=no)


def _announcements(
    screens: Blueprint, event_of: EventOf, voice: Voice, elsewhere: Callable[[Callable[[], bytes]], bytes]
) -> None:
    def sound(work: Callable[[], bytes], seconds: int) -> Response:
        response = Response(elsewhere(work), mimetype="audio/wav")
        response.headers["Cache-Control"] = f"private, max-age={seconds}" if not voice.fault else "no-store"
        return response

    @screens.get("/voice/<int:seq>.wav")
    def call(seq: int) -> Response:
        called = call_of(event_of(seq))
        if called is None:
            abort(404)
        number, window = called
        return sound(lambda: voice.call(number, window), 3600)

    @screens.get("/voice/check.wav")
    def check() -> Response:
        return sound(voice.check, 60)

    @screens.get("/voice/state.json")
    def state() -> Response:
        return jsonify(voice.state())

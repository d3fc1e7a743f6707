"""Serves the staff's and citizens' pages, the shared style and scripts, and the icons.

Other rooms' pages (boards, window screens) use the same `/static/…` files by address.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import segno
from flask import Blueprint, Response, abort, make_response, redirect, render_template, send_from_directory, url_for
from werkzeug.wrappers import Response as AnyResponse

from config import look
from config.script_words import words_module
from config.words import translator

ROOM = "hall_api.pages"
FOLDER = Path(__file__).resolve().parent
_ICONS = re.compile(r"(css/(fontawesome|solid|regular)\.min\.css|webfonts/fa-(solid-900|regular-400)\.(woff2|ttf))")


def create_pages(known_ticket: Callable[[str], bool], *, public_url: str = "", second: str = "en") -> Blueprint:
    """The blueprint. `known_ticket` tells whether a ticket has this id; `public_url` stands before citizens' links;
    `second` is the language below Chinese."""
    pages = Blueprint(
        "pages",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    first, below = translator(ROOM), translator(ROOM, second)
    module = words_module(FOLDER / "static", ROOM, second)
    icons = str(files("fontawesomefree") / "static" / "fontawesomefree")

    @pages.context_processor
    def words() -> dict[str, object]:
        return {"_": first, "second": below, "second_tag": second}

    _staff_pages(pages)
    _shared_files(pages, module, icons)

    @pages.get("/t/<ticket_id>")
    def ticket(ticket_id: str) -> str:
        if not known_ticket(ticket_id):
            abort(make_response(render_template("pages/missing.html"), 404))
        return render_template("pages/ticket.html", ticket_id=ticket_id)

    @pages.get("/t/<ticket_id>/qr.svg")
    def ticket_code(ticket_id: str) -> Response:
        """The same link as on the slip, for a window screen that takes the place of an evaluator."""
        if not known_ticket(ticket_id):
            abort(404)
        code, drawn = segno.make(f"{public_url}/t/{ticket_id}", error="m"), io.BytesIO()
        code.save(drawn, kind="svg", scale=8, border=4, light="#FFFFFF")
        return Response(drawn.getvalue(), mimetype="image/svg+xml")

    return pages


def _staff_pages(pages: Blueprint) -> None:
    @pages.get("/")
    def doors() -> str:
        return render_template("pages/doors.html")

    @pages.get("/login")
    def login() -> str:
        return render_template("pages/login.html")

    @pages.get("/desk")
    def desk() -> str:
        return render_template("pages/desk.html")

    @pages.get("/manager")
    def manager() -> str:
        return render_template("pages/manager.html")

    @pages.get("/favicon.ico")
    def favicon() -> AnyResponse:
        return redirect(url_for("pages.static", filename="icon.svg"))


def nowhere(second: str = "en") -> str:
    """The page for people who typed an address where nothing is; of an app that has the blueprint."""
    return render_template("pages/nowhere.html", _=translator(ROOM), second=translator(ROOM, second), second_tag=second)


def _shared_files(pages: Blueprint, module: str, icons: str) -> None:
    @pages.get("/static/look.css")
    def look_css() -> Response:
        return Response(look.css(), mimetype="text/css")

    @pages.get("/static/words.js")
    def words_js() -> Response:
        return Response(module, mimetype="text/javascript")

    @pages.get("/static/icons/<path:name>")
    def icon_files(name: str) -> Response:
        if not _ICONS.fullmatch(name):  # the wheel carries 20 MB of other things
            abort(404)
        return send_from_directory(icons, name, max_age=86400)

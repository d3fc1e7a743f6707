"""Puts the hall behind its doors: registers every door of the table, the pages, and what guards them all."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from hall_api.accounts import Accounts
from hall_api.domain.orders import Actor, Order
from hall_api.domain.refusal import Kind, Refusal
from hall_api.sentences import say
from hall_api.web import bodies, openapi, problems
from hall_api.web.api import NOUNS
from hall_api.web.doors import PUBLIC, Ask, Door
from hall_api.web.gate import Gate
from hall_api.web.headers import StrictHeaders
from hall_api.web.problems import Problem, wrong
from hall_api.web.sse import Feed

if TYPE_CHECKING:
    from hall_api.hall import Hall

log = logging.getLogger("hall.web")
requests_log = logging.getLogger("hall.requests")
BODY_LIMIT = 64 * 1024
STATUS = {Kind.INVALID: 422, Kind.FORBIDDEN: 403, Kind.MISSING: 404, Kind.CONFLICT: 409, Kind.UNAVAILABLE: 503}
_WERKZEUG = {400: "bad_request", 404: "not_found", 405: "method", 413: "too_large"}


class Front:
    """The hall as its doors see it."""

    def __init__(self, hall: Hall, gate: Gate) -> None:
        self.hall, self.gate = hall, gate
        self.feed = Feed(hall)
        self.description = openapi.describe(NOUNS)


_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def create_app(
    hall: Hall,
    accounts: Accounts,
    *,
    extra_blueprints: Iterable[Blueprint] = (),
    public_url: str = "",
    behind_tls: bool = False,
) -> Flask:
    """The hall's Flask app. `extra_blueprints` are other rooms' pages; `behind_tls`: cookies only travel encrypted.

    `app.extensions["hall"]` is the `Front`; close its feed when the app is no longer used.
    """
    app = Flask("hall_api.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    front = Front(hall, Gate(accounts, home=public_url, secure=behind_tls))
    app.extensions["hall"] = front
    for noun in NOUNS:
        blueprint = Blueprint(f"api_{noun.name}", __name__, url_prefix="/v1")
        for door in noun:
            blueprint.add_url_rule(door.path, door.name, _view(front, door), methods=[door.method])
        app.register_blueprint(blueprint)
    for pages in (_pages(front, public_url), _enrolment(front), *extra_blueprints):
        app.register_blueprint(pages)
    _explain_errors(app)
    app.wsgi_app = StrictHeaders(app.wsgi_app, behind_tls=behind_tls)  # type: ignore[method-assign]
    return app


def _pages(front: Front, public_url: str) -> Blueprint:
    from hall_api.pages import create_pages  # the pages read their templates and words: not needed to make a token

    def known_ticket(ticket_id: str) -> bool:
        try:
            front.hall.ticket(ticket_id)
        except Refusal as refusal:
            return refusal.kind is not Kind.MISSING  # the page itself says when the hall is away
        return True

    return create_pages(known_ticket, public_url=public_url.rstrip("/"))


def _nowhere() -> str:
    from hall_api.pages import nowhere  # as above

    return nowhere()


def _by_a_person(request: Request) -> bool:
    """Whether somebody looks for a page with a browser; scripts and programs ask for anything, or for JSON."""
    for_programs = request.path == "/v1" or request.path.startswith("/v1/")
    return not for_programs and "text/html" in request.headers.get("Accept", "")


def _enrolment(front: Front) -> Blueprint:
    """`/enrol?token=…` once at each screen: the token becomes a cookie and leaves the address."""
    blueprint = Blueprint("enrolment", __name__)

    @blueprint.get("/enrol")
    def enrol() -> Response:
        to = request.args.get("to", "/")
        safe = to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"
        return front.gate.enrol(request.args.get("token", ""), Response(status=303, headers={"Location": safe}))

    return blueprint


def _view(front: Front, door: Door) -> Callable[..., Response]:
    """What Flask calls for a door: admit, read, do, answer."""
    gate, does, fields = front.gate, door.does, door.body
    success = min(door.gives)
    stored = door.method == "GET" or door.answers_itself
    place = f"{door.method} {door.template}"

    def view(**path: Any) -> Response:
        started = time.perf_counter()
        asked: Request = request._get_current_object()  # type: ignore[attr-defined]  # once: each look costs
        actor = gate.admit(door, asked)
        raw = b"" if fields is None else _body(asked, door.largest or BODY_LIMIT)
        body = {} if fields is None or door.takes else bodies.read(raw, fields)
        result = does(Ask(front, actor, path, body, asked, raw))
        if not stored and isinstance(result, Order):
            result = _obey(front, result, actor, asked, raw)
        if requests_log.isEnabledFor(logging.INFO):  # neither address, query, token nor id
            requests_log.info("%s %s %.1f ms", place, actor.role, (time.perf_counter() - started) * 1e3)
        return result if isinstance(result, Response) else answer(result, success)

    view.__doc__ = does.__doc__
    return view


def answer(result: Any, status: int) -> Response:
    """JSON, or 204 when there is nothing to tell."""
    if result is None:
        return Response(status=204)
    return Response(_as_json(result), status, [("Cache-Control", "no-store")], content_type="application/json")


def _body(request: Request, limit: int) -> bytes:
    """The body as it came; straight from the server, for Flask's own way costs as much as the rest of a door."""
    length = request.environ.get("CONTENT_LENGTH")
    if not length:
        return request.get_data(cache=False)  # none, or in chunks
    if not (length.isascii() and length.isdigit()):
        raise Problem("bad_request")
    if int(length) > limit:
        raise Problem("too_large")
    try:
        raw: bytes = request.environ["wsgi.input"].read(int(length))
    except OSError as cause:  # it hung up, or stopped, in the middle: nobody's mistake here
        raise Problem("bad_request") from cause
    return raw


def _obey(front: Front, order: Order, actor: Actor, request: Request, raw: bytes) -> Any:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return front.hall.obey(order, actor)
    if not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise wrong("Idempotency-Key", "应为 1 到 200 个可见字符", "must be 1 to 200 visible ASCII characters")
    asked = hashlib.sha256(request.path.encode() + b"\0" + raw).hexdigest()
    if actor.role == PUBLIC:  # citizens have no name: one's key must not hide another's order
        key = f"{asked[:16]} {key}"
    return front.hall.obey(order, actor, key, asked)


def _fit_to_show(refusal: Refusal, instead: str) -> Refusal:
    """Where the database lives and what it says in its own words is for the log, not for whoever asks."""
    if "reason" not in refusal.params:
        return refusal
    return Refusal(refusal.code, refusal.kind, **{**refusal.params, "reason": instead})


def _explain_errors(app: Flask) -> None:
    """Every error becomes a problem document; what went wrong inside stays inside."""

    @app.errorhandler(Problem)
    def refused_here(problem: Problem) -> Response:
        response = problems.answer(
            request, problem.status, problem.code, problem.detail(), problem.detail(english=True)
        )
        response.headers.update(problem.headers)
        return response

    @app.errorhandler(Refusal)
    def refused_by_hall(refusal: Refusal) -> Response:
        chinese, english = (
            say(_fit_to_show(refusal, "见大厅日志"), "zh_CN"),
            say(_fit_to_show(refusal, "its log"), "en"),
        )
        return problems.answer(request, STATUS[refusal.kind], refusal.code, chinese, english)

    @app.errorhandler(HTTPException)
    def refused_by_flask(error: HTTPException) -> Any:
        if error.response is not None or error.code is None or error.code < 400:
            return error  # a redirect, or a page's own answer
        if error.code == 404 and _by_a_person(request):
            return Response(_nowhere(), 404, [("Cache-Control", "no-store")], mimetype="text/html")
        if error.code not in _WERKZEUG:
            return problems.answer(request, error.code, f"http_{error.code}", error.name, error.name)
        response = refused_here(Problem(_WERKZEUG[error.code]))
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def our_mistake(error: Exception) -> Response:
        reference = secrets.token_hex(4)
        rule = request.url_rule.rule if request.url_rule else "-"
        log.error("reference %s: %s %s", reference, request.method, rule, exc_info=error)
        return refused_here(Problem("internal", reference=reference))

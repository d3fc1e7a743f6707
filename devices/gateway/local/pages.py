"""The clerk's page, where pages of business systems are let in or sent away, and the sample page, which tries all."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, jsonify, render_template, request, send_from_directory

from config.words import FIRST
from devices.gateway.guard import Guard, Turned
from devices.gateway.json_body import json_object
from devices.gateway.local.refusal import Refusal, answer

if TYPE_CHECKING:
    from devices.gateway.local.gateway import LocalGateway

FILES = ("bianmin-devices.js", "bianmin-scan.js", "bianmin-scan.css", "sample.js", "pair.js", "local.css")
ANY = ",".join(f"'{name}'" for name in FILES)
# The sample may be shown another gateway's address to try (?gateway=…), on loopback only.
LOOPBACK = " ".join(
    f"{scheme}://{host}:*" for scheme in ("http", "https", "ws", "wss") for host in ("127.0.0.1", "localhost")
)
SAMPLE_MAY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; base-uri 'none'; "
    f"frame-ancestors 'none'; form-action 'none'; img-src 'self' blob: {LOOPBACK}; connect-src 'self' {LOOPBACK}"
)


def open_pages(app: Flask, gateway: LocalGateway) -> None:
    """Give the app its pages."""
    name = "bianmin_local_" + hashlib.sha256(gateway.title.encode()).hexdigest()[:8]
    app.secret_key = secrets.token_bytes(32)
    app.config.update(
        SESSION_COOKIE_NAME=name,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_PATH="/v1",
    )
    say = gateway.say
    app.context_processor(
        lambda: {
            "_": lambda message: say(message)[0],
            "second": lambda message: say(message)[1],
            "second_tag": gateway.second,
            "title": gateway.title,
            "language": FIRST,
        }
    )
    app.register_blueprint(_own_pages(gateway))


def _own_pages(gateway: LocalGateway) -> Blueprint:
    """Pages only we serve and only our own pages may press: the guard of the technician's page, without its password.

    Whoever sits at this machine may confirm a pairing; the technician's password is not the clerk's.
    """
    own, guard = Blueprint("own", __name__), Guard(None)

    @own.before_request
    def check() -> None:
        guard.check(request)

    @own.errorhandler(Turned)
    def turned(turned: Turned) -> Response:
        return answer(Refusal(turned.status, "turned", turned.sentence), gateway.say)

    @own.get(f"/v1/<any({ANY}):name>")
    def file(name: str) -> Response:
        return send_from_directory("static", name)

    @own.get("/v1/sample")
    def sample() -> Response:
        response = Response(render_template("local/sample.html"))
        response.headers["Content-Security-Policy"] = SAMPLE_MAY
        return response

    @own.get("/v1/pair")
    def pair() -> str:
        return render_template("local/pair.html", csrf=guard.token())

    @own.get("/v1/pair/state")
    def state() -> Response:
        return jsonify(
            wishes=[
                {"id": w.id, "origin": w.origin, "name": w.name, "code": w.code, "signs": bool(w.key)}
                for w in gateway.pairs.wishes()
            ],
            pairings=[
                {"origin": p.origin, "name": p.name, "since": p.since, "signs": bool(p.key)}
                for p in gateway.pairs.all()
            ],
        )

    @own.post("/v1/pair/<id>/<any('allow','refuse'):answer>")
    def decide(id: str, answer: str) -> tuple[str, int]:
        gateway.pairs.allow(id) if answer == "allow" else gateway.pairs.refuse(id)
        return "", 204

    @own.post("/v1/pair/revoke")
    def revoke() -> tuple[str, int]:
        gateway.pairs.revoke(str((json_object() or {}).get("origin", "")))
        return "", 204

    return own

"""The doors of the gateway for programs: pairing, the devices, and what may be asked of them. See docs/gateway.md."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from config.machine import is_origin
from devices.gateway.app import sentence_of
from devices.gateway.aside import aside
from devices.gateway.guard import harden
from devices.gateway.json_body import TooManyParts
from devices.gateway.local.asking import given, outcome, watcher
from devices.gateway.local.deeds import Gone, Wish
from devices.gateway.local.live import Stream, smaller
from devices.gateway.local.origins import origin_in, own_origin
from devices.gateway.local.refusal import Refusal, answer
from devices.gateway.local.scan_doors import open_scan_doors
from devices.gateway.local.signed import public_key
from devices.roles import FrameSeen

if TYPE_CHECKING:
    from devices.gateway.local.gateway import LocalGateway

PUBLIC = ("/v1/hello", "/v1/pairings")  # what a page that is not paired may ask
SENT = "Authorization, Content-Type, Bianmin-Page, Bianmin-Secret, Bianmin-Time, Bianmin-Nonce, Bianmin-Signature"
REMEMBERED = "60"  # seconds a browser may remember an answer to its preflight: a revocation must come through
# Bytes of a body; how many values it may hold says json_body.
SMALL, LARGEST = 16 * 1024, 70_000_000  # the latter: 50 MB of PDF in base64
ROOM_OF = {"page": LARGEST, "slip": 64 * 1024, "text": 64 * 1024}  # by deed; others are SMALL
LIVE_SECONDS = 600.0
SMOOTH = 0.06  # seconds between two pictures of a live view made smaller


def open_doors(app: Flask, gateway: LocalGateway) -> None:
    """Give the app its doors."""
    app.config["MAX_CONTENT_LENGTH"] = SMALL
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    _doormen(app, gateway)
    _pairing(app, gateway)
    _devices(app, gateway)
    _streams(app, gateway)
    open_scan_doors(app, gateway)


def _doormen(app: Flask, gateway: LocalGateway) -> None:
    @app.before_request
    def check() -> Response | None:
        gateway.check_way(request.host, request.remote_addr or "")
        request.max_content_length = _room(request.path)
        return _preflight(gateway) if request.method == "OPTIONS" else None

    @app.after_request
    def headers(response: Response) -> Response:
        own_policy = response.headers.get("Content-Security-Policy")
        harden(response)
        if own_policy:
            response.headers["Content-Security-Policy"] = own_policy
        origin, own = origin_in(request.environ), own_origin(request.environ)
        public = request.path.startswith(PUBLIC)
        if public:
            # A page we bar shall at least find out that we are here: see `whatIsInTheWay` in bianmin-devices.js.
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.path.startswith("/v1/streams/") or request.endpoint == "thumbnail":
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # such a picture stands in their page
        response.headers.add("Vary", "Origin")
        ours = request.blueprint == "own"  # the clerk's page is nobody else's to read
        if origin and not ours and (gateway.pairs.find(origin) or public) and gateway.may_ask(origin, own):
            response.headers["Access-Control-Allow-Origin"] = origin
        return response

    @app.after_request  # called before `headers`
    def still_paired(response: Response) -> Response:
        """A pairing that was revoked while its request was under way: nothing that was read goes out any more."""
        asked = g.pop("asked", None)
        if asked is None or gateway.pairs.holds(*asked):
            return response
        response.close()
        refusal = Refusal(401, "revoked", "The page's key is not valid any more; it has to be paired again.")
        return answer(refusal, gateway.say)

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        return answer(refusal, gateway.say)

    @app.errorhandler(Gone)
    def gone(_: Gone) -> Response:
        return Response(status=499)

    @app.errorhandler(HTTPException)
    def other(trouble: HTTPException) -> Response:
        if isinstance(trouble, TooManyParts):
            return answer(Refusal(413, "too-many-parts", "The request holds too many values."), gateway.say)
        if trouble.code == 413 and _room(request.path) == LARGEST:
            return answer(Refusal(413, "too-long", "The document is too large; print it in parts."), gateway.say)
        if trouble.code == 413:
            return answer(Refusal(413, "too-long", "The request is too large."), gateway.say)
        status = trouble.code or 500
        code = "no-door" if status == 404 else "fault" if status >= 500 else "unreadable"
        return answer(Refusal(status, code, sentence_of(status)), gateway.say)


def _room(path: str) -> int:
    """How many bytes the body of a request for this path may have."""
    return ROOM_OF.get(path.rpartition("/")[2], SMALL) if path.startswith("/v1/devices/") else SMALL


def _preflight(gateway: LocalGateway) -> Response:
    """Browsers ask first: whether this origin may, and (before Chrome 142) whether from a public network."""
    origin, own = origin_in(request.environ), own_origin(request.environ)
    if request.path.startswith(PUBLIC):
        if not gateway.may_ask(origin, own):
            raise Refusal(403, "barred", "This machine's hall.toml does not name this origin: {origin}", origin=origin)
    else:
        gateway.check_origin(origin, own)
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = SENT
    response.headers["Access-Control-Max-Age"] = REMEMBERED
    if request.headers.get("Access-Control-Request-Private-Network") == "true":
        response.headers["Access-Control-Allow-Private-Network"] = "true"
    return response


def _pairing(app: Flask, gateway: LocalGateway) -> None:
    def asking() -> str:
        origin = origin_in(request.environ)
        if not is_origin(origin):
            raise Refusal(403, "no-origin", "The request does not say which page it comes from.")
        if not gateway.may_ask(origin, own_origin(request.environ)):
            raise Refusal(403, "barred", "This machine's hall.toml does not name this origin: {origin}", origin=origin)
        return origin

    @app.get("/v1/hello")
    def hello() -> Response:
        """That we are here, and whether the page is paired."""
        pairing = gateway.pairs.find(asking())
        return jsonify(
            gateway="bianmin", api=1, paired=pairing is not None, signs=bool(pairing and pairing.key),
            tls_port=gateway.tls_port,
        )  # fmt: skip

    @app.post("/v1/pairings")
    def ask() -> tuple[Response, int]:
        """A page asks to be paired."""
        origin, said = asking(), given()
        name, key = said.get("name", ""), said.get("key", "")
        if not isinstance(name, str) or not isinstance(key, str):
            raise Refusal(400, "bad-field", "The request cannot be read.")
        if key:
            public_key(key)
            key = base64.b64encode(base64.b64decode(key)).decode()
        name = "".join(c for c in name if c.isprintable()).strip()[:40]
        wish, secret = gateway.pairs.ask(origin, name, key)
        address = f"{own_origin(request.environ)}/v1/pair"
        return jsonify(pairing=wish.id, secret=secret, code=wish.code, confirm_at=address, seconds=300), 202

    @app.get("/v1/pairings/<id>")
    def collect(id: str) -> Response:
        """How the page's wish stands; once allowed, its token, once."""
        asking()
        wish = gateway.pairs.collect(id, request.headers.get("Bianmin-Secret", ""))
        return jsonify(state=wish.state, **({"token": wish.token} if wish.state == "allowed" else {}))


def _devices(app: Flask, gateway: LocalGateway) -> None:
    @app.get("/v1/devices")
    def devices() -> Response:
        return jsonify(devices=gateway.devices_for(gateway.page_of(request)))

    @app.post("/v1/devices/<path:name>/<deed>")
    def do(name: str, deed: str) -> Response | tuple[Response, int]:
        page, there, asked = gateway.page_of(request), watcher(), g.asked
        gateway.deeds.check(name, deed)
        if deed == "stream":
            with gateway.leases.during(name, page):  # a camera somebody else has is told now, in words
                return jsonify(path=f"/v1/streams/{gateway.streams.new(name, page, _width(given()))}")
        if deed == "scan":
            return jsonify(gateway.scans.start(name, page, given()))
        wish = Wish(name, given(), lambda: there() and gateway.pairs.holds(*asked))
        with gateway.leases.during(name, page):
            if deed == "still":
                return Response(gateway.deeds.still(wish).jpeg, mimetype="image/jpeg")
            done: dict[str, Any] = getattr(gateway.deeds, deed)(wish)
        return outcome(done, gateway.say)


def _width(said: dict[str, Any]) -> int:
    """Pixels at which a live picture is to be shown; 0 when it does not matter."""
    width = said.get("width", 0)
    if type(width) is not int or not 0 <= width <= 10_000:
        raise Refusal(400, "bad-field", "The request cannot be read.")
    return width


def _streams(app: Flask, gateway: LocalGateway) -> None:
    @app.get("/v1/streams/<key>")
    def live(key: str) -> Response:
        stream = gateway.streams.take(key)
        there = watcher()
        pictures = _live(gateway, stream, there)
        next(pictures)  # takes the camera, or says who has it, before the answer begins
        return Response(pictures, mimetype="multipart/x-mixed-replace; boundary=frame")


def _live(gateway: LocalGateway, stream: Stream, there: Callable[[], bool]) -> Iterator[bytes]:
    """The camera's frames as they come, while the page looks, is paired, and at most ten minutes."""
    ends, device, width = time.monotonic() + LIVE_SECONDS, stream.device, stream.width

    def go_on() -> bool:
        return time.monotonic() < ends and there() and gateway.streams.welcome(stream)

    def made_smaller(frame: FrameSeen) -> bytes:
        return aside(lambda: smaller(frame.jpeg, frame.width, width))

    with gateway.leases.during(device, stream.page):
        yield b""
        if width:
            yield from gateway.views.moving(device, go_on, made_smaller, SMOOTH)
        else:
            yield from gateway.views.moving(device, go_on)

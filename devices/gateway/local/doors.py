"""The doors of the gateway for programs: pairing, the devices, and what may be asked of them. See docs/gateway.md."""

from __future__ import annotations

import base64
import select
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gevent
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from devices.gateway.guard import harden
from devices.gateway.local.deeds import Gone, Wish
from devices.gateway.local.live import smaller
from devices.gateway.local.origins import is_origin, origin_in, own_origin
from devices.gateway.local.refusal import Refusal, answer
from devices.gateway.local.scan_doors import open_scan_doors
from devices.gateway.local.signed import public_key

if TYPE_CHECKING:
    from devices.gateway.local.gateway import LocalGateway, Stream

PUBLIC = ("/v1/hello", "/v1/pairings")  # what a page that is not paired may ask
SENT = "Authorization, Content-Type, Bianmin-Page, Bianmin-Secret, Bianmin-Time, Bianmin-Nonce, Bianmin-Signature"
REMEMBERED = "60"  # seconds a browser may remember an answer to its preflight: a revocation must come through
LARGEST = 70_000_000  # bytes of a request: 50 MB of PDF in base64
LIVE_SECONDS = 600.0
SMOOTH = 0.06  # seconds between two pictures of a live view made smaller


def open_doors(app: Flask, gateway: LocalGateway) -> None:
    """Give the app its doors."""
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    _doormen(app, gateway)
    _pairing(app, gateway)
    _devices(app, gateway)
    _streams(app, gateway)
    open_scan_doors(app, gateway, _given, lambda: watcher(request.environ), lambda done: _outcome(gateway, done))


def _doormen(app: Flask, gateway: LocalGateway) -> None:
    @app.before_request
    def check() -> Response | None:
        gateway.check_way(request.host, request.remote_addr or "")
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

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        return answer(refusal, gateway.say)

    @app.errorhandler(Gone)
    def gone(_: Gone) -> Response:
        return Response(status=499)

    @app.errorhandler(HTTPException)
    def other(trouble: HTTPException) -> Response:
        if trouble.code == 413:
            return answer(Refusal(413, "too-long", "The document is too large; print it in parts."), gateway.say)
        if trouble.code == 404:
            return answer(Refusal(404, "no-door", "There is no such page."), gateway.say)
        return answer(Refusal(trouble.code or 500, "unreadable", "The request cannot be read."), gateway.say)


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
        origin, given = asking(), _given()
        name, key = given.get("name", ""), given.get("key", "")
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
        page = gateway.page_of(request)
        gateway.deeds.check(name, deed)
        if deed == "stream":
            with gateway.leases.during(name, page):  # a camera somebody else has is told now, in words
                return jsonify(path=f"/v1/streams/{gateway.new_stream(name, page, _width(_given()))}")
        if deed == "scan":
            return jsonify(gateway.scans.start(name, page, _given()))
        wish = Wish(name, _given(), watcher(request.environ))
        with gateway.leases.during(name, page):
            if deed == "still":
                return Response(gateway.deeds.still(wish).jpeg, mimetype="image/jpeg")
            done: dict[str, Any] = getattr(gateway.deeds, deed)(wish)
        return _outcome(gateway, done)


def _width(given: dict[str, Any]) -> int:
    """Pixels at which a live picture is to be shown; 0 when it does not matter."""
    width = given.get("width", 0)
    if type(width) is not int or not 0 <= width <= 10_000:
        raise Refusal(400, "bad-field", "The request cannot be read.")
    return width


def _outcome(gateway: LocalGateway, done: dict[str, Any]) -> Response | tuple[Response, int]:
    """What came of it; that nobody can know is said in words."""
    if done.get("result") == "unknown":
        sentence = gateway.say("Sent, but nobody can know: look at the device.")
        return jsonify({**done, "sentence": sentence, "reason": gateway.say(done["reason"])}), 202
    return jsonify(done)


def _streams(app: Flask, gateway: LocalGateway) -> None:
    @app.get("/v1/streams/<key>")
    def live(key: str) -> Response:
        stream = gateway.take_stream(key)
        there = watcher(request.environ)
        pictures = _live(gateway, stream, there)
        next(pictures)  # takes the camera, or says who has it, before the answer begins
        return Response(pictures, mimetype="multipart/x-mixed-replace; boundary=frame")


def _live(gateway: LocalGateway, stream: Stream, there: Callable[[], bool]) -> Iterator[bytes]:
    """The camera's frames as they come, while the page looks, is paired, and at most ten minutes."""
    ends, shown = time.monotonic() + LIVE_SECONDS, gateway.frames.get(stream.device)
    welcome = gateway.still_welcome
    with gateway.leases.during(stream.device, stream.page):
        yield b""
        yield b"--frame\r\n"
        while time.monotonic() < ends and there() and welcome(stream):
            frame = gateway.frames.get(stream.device)
            if frame is not None and frame is not shown:
                shown = frame
                # The next boundary goes out with the picture: browsers show a picture when they have seen its end.
                jpeg, pixels = frame.jpeg, frame.width
                if stream.width:
                    jpeg = gevent.get_hub().threadpool.apply(smaller, (jpeg, pixels, stream.width))
                yield b"Content-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n--frame\r\n"
            gevent.sleep(SMOOTH if stream.width else 0.03)


def _given() -> dict[str, Any]:
    """The JSON object of the request; an empty body is an empty one."""
    if not request.get_data():
        return {}
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise Refusal(400, "unreadable", "The request cannot be read.")
    return given


def watcher(environ: dict[str, Any]) -> Callable[[], bool]:
    """Tells whether the browser still waits: a page that was closed must not get a card it cannot show."""
    socket = environ.get("bianmin.socket")
    if socket is None:
        return lambda: True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLRDHUP)
    return lambda: not poll.poll(0)

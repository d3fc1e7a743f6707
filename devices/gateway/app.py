"""The local page's doors: the page itself, its feed, the test buttons, a camera's picture, and the way in."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from typing import Any, cast
from urllib.parse import urlsplit

import gevent
from flask import Flask, Response, jsonify, redirect, render_template, request, send_from_directory, session, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from config import look
from config.words import FIRST, translator
from devices.gateway import configuring as setting_up
from devices.gateway import faces, measuring, trials
from devices.gateway.configuring import Configuring
from devices.gateway.guard import Guard, Login, Turned, harden
from devices.gateway.json_body import json_object
from devices.gateway.pictures import Stills, Views
from devices.gateway.wording import ROOM, speaker
from devices.roles import News
from devices.station import Station

BEHIND_THE_LOGIN = {"page": "/", "setup_page": "/setup"}  # pages: whoever is not signed in is asked to, then comes back
GLANCE = 0.25  # seconds between two looks at the devices for a feed
HEARTBEAT = 10.0  # seconds of quiet after which a feed says that it is still there
LIVE_SECONDS = 60.0  # a live picture ends by itself: papers of citizens may lie under the camera
ICONS = re.compile(r"(css/(fontawesome|solid)\.min\.css|webfonts/fa-solid-900\.(woff2|ttf))")


class Gateway:
    """What the doors share: the station, the guard, the words, and the pictures somebody looks at."""

    def __init__(
        self, station: Station, title: str, allow_test: bool, login: Login | None, second: str, configures: bool
    ) -> None:
        self.station, self.title, self.allow_test, self.configures = station, title, allow_test, configures
        self.guard = Guard(login)
        self.say = speaker(second)
        self.views, self.stills = Views(), Stills()

    def hear(self, device: str, news: News) -> None:
        """News of a device, from the station's `tell`: frames for a live view, and a test's picture."""
        self.views.hear(device, news)
        self.stills.hear(device, news)

    def try_out(self, device: str, key: str, address: int) -> dict[str, Any]:
        """Press a test button; see `trials.try_out`. Raises KeyError."""
        if key not in trials.STILLS:
            return trials.try_out(self.station, device, key, address, self.say)
        still, said = self.stills.expect(device), {"result": "failed"}
        try:
            said = trials.try_out(self.station, device, key, address, self.say)
        finally:
            (self.stills.done if said["result"] == "done" else self.stills.forget)(device, still)
        return said

    def snapshot(self, name: str) -> dict[str, Any]:
        """All devices, and the chosen one in full; `device` is None when there is no such."""
        known = name in self.station.entries
        return {
            "devices": faces.overview(self.station, self.say),
            "device": faces.detail(self.station, name, self.say) if known else None,
            "trials": trials.trials_of(self.station, name, self.say) if known and self.allow_test else [],
            "live": name in self.views.cameras,
        }


def gateway_of(app: Flask) -> Gateway:
    """The gateway behind an app made by `create_gateway`."""
    return cast(Gateway, app.extensions["bianmin-gateway"])


def create_gateway(
    station: Station,
    *,
    title: str,
    allow_test: bool = True,
    login: Login | None = None,
    second: str = "en",
    configuring: Configuring | None = None,
) -> Flask:
    """The local page of one station. `login` tells whether a password is the technician's; None asks for none.

    `allow_test=False` takes the test buttons away. `second` is the language below the Chinese. Without `configuring`
    devices can be looked at and tried, but not set up.
    """
    app = Flask(__name__, static_url_path="/static")
    gateway = Gateway(station, title, allow_test, login, second, configuring is not None)
    app.extensions["bianmin-gateway"] = gateway
    app.secret_key = secrets.token_bytes(32)  # a restart of the station ends every session
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined] # roles and keys come in a person's order
    app.config.update(
        # Cookies know no ports: two stations' pages on one machine must not overwrite one another's.
        SESSION_COOKIE_NAME="bianmin_gateway_" + hashlib.sha256(title.encode()).hexdigest()[:8],
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=2),
        MAX_CONTENT_LENGTH=256 * 1024,
    )
    first, below = translator(ROOM, FIRST), translator(ROOM, second)
    app.context_processor(lambda: {"_": first, "second": below, "second_tag": second, "title": title})
    _doormen(app, gateway, configuring)
    _pages(app, gateway)
    _files(app)
    _devices(app, gateway, configuring)
    _pictures(app, gateway)
    if configuring is not None:
        setting_up.open_doors(app, gateway, configuring)
    return app


def _doormen(app: Flask, gateway: Gateway, configuring: Configuring | None) -> None:
    """What happens to every request before and after."""
    public = {"static", "look_css", "icon_files", "login_page", "log_in"}

    @app.before_request
    def check() -> AnyResponse | None:
        gateway.guard.check(request)
        if gateway.guard.open and configuring is not None and configuring.password.path.exists():
            gateway.guard.lock(configuring.password.matches)  # it was set on the command line meanwhile
        if request.endpoint in public or request.endpoint is None or gateway.guard.admitted():
            return None
        if request.endpoint in BEHIND_THE_LOGIN:
            wanted = request.full_path.rstrip("?")
            return redirect(url_for("login_page", to=wanted if wanted != "/" else None))
        raise Turned(401, "Sign in first.")

    @app.after_request
    def strict(response: Response) -> Response:
        return harden(response)

    @app.errorhandler(Turned)
    def turned(turned: Turned) -> tuple[Response, int]:
        return _problem(gateway, turned.status, turned.sentence)

    @app.errorhandler(HTTPException)
    def other(trouble: HTTPException) -> tuple[Response, int]:
        status = trouble.code or 500
        return _problem(gateway, status, sentence_of(status))


def sentence_of(status: int) -> str:
    """What to say of an HTTP status for which nothing better is known, as a message id."""
    if status >= 500:
        return "A fault in our own program; its log says which."
    return "There is no such page." if status == 404 else "The request cannot be read."


def wanted_page(address: str) -> str:
    """Where somebody wanted to go who had to sign in first: a page of ours, whatever the address says."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    ours = parts.path in BEHIND_THE_LOGIN.values() and not parts.scheme and not parts.netloc
    return address if ours else "/"


def _problem(gateway: Gateway, status: int, sentence: str) -> tuple[Response, int]:
    """RFC 9457, with the sentence in both languages."""
    first, below = gateway.say(sentence)
    response = jsonify({"title": below, "status": status, "detail": first, "sentence": [first, below]})
    response.mimetype = "application/problem+json"
    return response, status


def _pages(app: Flask, gateway: Gateway) -> None:
    @app.get("/")
    def page() -> str:
        return render_template(
            "gateway/devices.html",
            csrf=gateway.guard.token(),
            guarded=not gateway.guard.open,
            configures=gateway.configures,
        )

    @app.get("/setup")
    def setup_page() -> str:
        if not gateway.configures:
            raise Turned(404, "There is no such page.")
        return render_template("gateway/setup.html", csrf=gateway.guard.token())

    @app.get("/login")
    def login_page() -> AnyResponse | str:
        to = wanted_page(request.args.get("to", ""))
        if gateway.guard.admitted():
            return redirect(to)
        return render_template("gateway/login.html", csrf=gateway.guard.token(), to=to)

    @app.post("/api/session")
    def log_in() -> tuple[str, int]:
        password = (json_object() or {}).get("password")
        gateway.guard.log_in(password if isinstance(password, str) else "")
        return "", 204

    @app.delete("/api/session")
    def log_out() -> tuple[str, int]:
        session.clear()
        return "", 204


def _files(app: Flask) -> None:
    icons = str(files("fontawesomefree") / "static" / "fontawesomefree")

    @app.get("/static/look.css")
    def look_css() -> Response:
        return Response(look.css(), mimetype="text/css")

    @app.get("/static/icons/<path:name>")
    def icon_files(name: str) -> Response:
        if not ICONS.fullmatch(name):  # the wheel carries 20 MB of other things
            raise Turned(404, "There is no such page.")
        return send_from_directory(icons, name, max_age=86400)


def _devices(app: Flask, gateway: Gateway, here: Configuring | None) -> None:
    @app.get("/api/devices")
    def devices() -> Response:
        return jsonify(gateway.snapshot(request.args.get("device", "")))

    @app.get("/api/feed")
    def feed() -> Response:
        lines = _feed(gateway, request.args.get("device", ""))
        return Response(lines, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})

    @app.post("/api/devices/<path:name>/trials/<key>")
    def trial(name: str, key: str) -> Response:
        if not gateway.allow_test:
            raise Turned(403, "Tests are switched off on this machine.")
        address = (json_object() or {}).get("address", 0)
        if type(address) is not int:
            raise Turned(400, "The request cannot be read.")
        try:
            answer = gateway.try_out(name, key, address)
            return jsonify(measuring.measured(answer, name, gateway, here) if key == "measure" else answer)
        except KeyError:
            raise Turned(404, "This machine has no such device or test.") from None


def _feed(gateway: Gateway, name: str) -> Iterator[bytes]:
    """Server-Sent Events: the whole picture whenever it has changed, at most four times a second."""
    last, spoke = "", 0.0
    yield b"retry: 1000\n\n"
    while True:
        now = json.dumps(gateway.snapshot(name), ensure_ascii=False, separators=(",", ":"))
        if now != last:
            last, spoke = now, time.monotonic()
            yield f"data: {now}\n\n".encode()
        elif time.monotonic() - spoke > HEARTBEAT:
            spoke = time.monotonic()
            yield b"event: beat\ndata: still here\n\n"
        gevent.sleep(GLANCE)


def _pictures(app: Flask, gateway: Gateway) -> None:
    @app.get("/api/devices/<path:name>/still")
    def still(name: str) -> Response:
        """The picture of a test, straight from memory."""
        if jpeg := gateway.stills.hand_over(name):
            return Response(jpeg, mimetype="image/jpeg")
        raise Turned(404, "No picture has been taken.")

    @app.get("/api/devices/<path:name>/live")
    def live(name: str) -> Response:
        """The camera's frames as they come, for a minute."""
        if name not in gateway.views.cameras:
            raise Turned(404, "No picture has been taken.")
        ends = time.monotonic() + LIVE_SECONDS
        pictures = gateway.views.moving(name, lambda: time.monotonic() < ends)
        return Response(pictures, mimetype="multipart/x-mixed-replace; boundary=frame")

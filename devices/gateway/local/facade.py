"""Old front ends go on working: the addresses of a hall gateway that acceptance systems have been written for.

    GET /StartPreview /StopPreview /getPic /SavePic /Rotate          camera
    GET /idcard/Open /idcard/Close /idcard/GetData                    ID reader
    GET /spru/Open /spru/Close /spru/Active /spru/Cancle              scanner (spelling as found)

Addresses, `"state": "sucess"` (spelling as found) and `"tips"` are as public front ends use them; what stands in `data`
is ours, as nothing public says it. Such pages cannot be paired, so only origins that hall.toml names are answered, and
nothing is kept from one request to the next but how the picture is turned. No picture is ever written to disk.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request
from PIL import Image
from werkzeug.exceptions import HTTPException

from devices.gateway.app import sentence_of
from devices.gateway.aside import aside
from devices.gateway.guard import harden
from devices.gateway.local.asking import watcher
from devices.gateway.local.deeds import ROLE_OF, Gone, Wish
from devices.gateway.local.leases import Page
from devices.gateway.local.origins import origin_of
from devices.gateway.local.refusal import Refusal, body

if TYPE_CHECKING:
    from devices.gateway.local.gateway import LocalGateway

ROOTS = ("/StartPreview", "/StopPreview", "/getPic", "/SavePic", "/Rotate", "/idcard/", "/spru/")
SECONDS = 10.0  # an old page waits no longer
DONE, FAILED = "sucess", "fail"


class Facade:
    """The old addresses over one gateway's devices."""

    def __init__(self, gateway: LocalGateway) -> None:
        self.gateway = gateway
        self._turned: dict[str, int] = {}  # origin → degrees
        self._cancelled: dict[str, int] = {}  # origin → how often it gave up scanning
        self.app = Flask(__name__, static_folder=None)
        self.app.json.ensure_ascii = False  # type: ignore[attr-defined]
        self._doormen()
        for path, deed in self._deeds().items():
            self.app.add_url_rule(path, path, self._answering(deed), methods=["GET"])

    def _deeds(self) -> dict[str, Callable[[], dict[str, Any]]]:
        return {
            "/StartPreview": self._preview,
            "/StopPreview": lambda: self._there("still"),
            "/getPic": self._picture,
            "/SavePic": self._picture,
            "/Rotate": self._rotate,
            "/idcard/Open": lambda: self._there("card"),
            "/idcard/Close": lambda: self._there("card"),
            "/idcard/GetData": lambda: {"data": self._do("card", {"seconds": SECONDS})},
            "/spru/Open": lambda: self._there("code"),
            "/spru/Close": self._cancel,
            "/spru/Active": lambda: {"data": self._do("code", {"seconds": SECONDS})["text"]},
            "/spru/Cancle": self._cancel,
        }

    def _doormen(self) -> None:
        @self.app.before_request
        def check() -> Response | None:
            self.gateway.check_way(request.host, request.remote_addr or "")
            if self._origin() not in self.gateway.origins:
                raise Refusal(
                    403,
                    "barred",
                    "This machine's hall.toml does not name this origin: {origin}",
                    origin=self._origin() or "?",
                )
            return Response(status=204) if request.method == "OPTIONS" else None

        @self.app.after_request
        def headers(response: Response) -> Response:
            harden(response)
            response.headers.add("Vary", "Origin")
            if (origin := self._origin()) in self.gateway.origins:
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Allow-Headers"] = "Content-Type, X-Requested-With"
                if request.headers.get("Access-Control-Request-Private-Network") == "true":
                    response.headers["Access-Control-Allow-Private-Network"] = "true"
            return response

        @self.app.errorhandler(Refusal)
        def refused(refusal: Refusal) -> Response:
            told = body(refusal, self.gateway.say)
            response = jsonify(state=FAILED, tips=told["detail"], code=refusal.code)
            # Old pages look at `state` and take any other status for a broken line.
            response.status_code = refusal.status if refusal.status in (403, 421) else 200
            return response

        @self.app.errorhandler(HTTPException)
        def other(trouble: HTTPException) -> Response:
            status = trouble.code or 500
            return refused(Refusal(status, "no-door" if status == 404 else "fault", sentence_of(status)))

        @self.app.errorhandler(Gone)
        def gone(_: Gone) -> Response:
            return refused(Refusal(200, "cancelled", "Given up."))

    def _answering(self, deed: Callable[[], dict[str, Any]]) -> Callable[[], Response]:
        return lambda: jsonify(state=DONE, tips="", **deed())

    @staticmethod
    def _origin() -> str:
        """The page's origin: a script says it, a picture says the page it stands in. No page can forge either."""
        return request.headers.get("Origin", "") or origin_of(request.headers.get("Referer", ""))

    @property
    def _page(self) -> Page:
        return Page(self._origin(), "facade")

    # ---- deeds ---------------------------------------------------------------------------------------------------

    def _device(self, deed: str) -> str:
        """The device that can do it; of several one that works. Raises Refusal."""
        fit = [one for one in self.gateway.devices_for(self._page) if deed in one["can"]]
        if not fit:
            raise Refusal(404, "no-device", "This machine has no device called {device}.", device=ROLE_OF[deed])
        return str(next((one for one in fit if one["state"] in ("ready", "degraded")), fit[0])["name"])

    def _there(self, deed: str) -> dict[str, Any]:
        """Nothing has to be opened or closed here: the device is there, or that it is not is said."""
        self._device(deed)
        return {}

    def _do(self, deed: str, given: dict[str, Any]) -> Any:
        device, origin = self._device(deed), self._origin()
        before, there = self._cancelled.get(origin, 0), watcher()
        wish = Wish(device, given, lambda: there() and self._cancelled.get(origin, 0) == before)
        with self.gateway.leases.during(device, self._page):
            return getattr(self.gateway.deeds, deed)(wish)

    def _cancel(self) -> dict[str, Any]:
        self._cancelled[self._origin()] = self._cancelled.get(self._origin(), 0) + 1
        return {}

    def _preview(self) -> dict[str, Any]:
        device = self._device("stream")
        key = self.gateway.streams.new(device, self._page, paired=False)
        return {"data": f"{request.host_url.rstrip('/')}/v1/streams/{key}"}

    def _picture(self) -> dict[str, Any]:
        jpeg = self._do("still", {}).jpeg
        turned = self._turned.get(self._origin(), 0)
        if turned:
            jpeg = aside(lambda: _rotated(jpeg, turned))
        return {"data": base64.b64encode(jpeg).decode()}

    def _rotate(self) -> dict[str, Any]:
        """A quarter to the right, or by `angle`."""
        angle = request.args.get("angle", "90")
        if not angle.isdecimal() or len(angle) > 3 or int(angle) % 90:
            raise Refusal(400, "bad-field", "The angle must be 0, 90, 180 or 270.")
        self._turned[self._origin()] = (self._turned.get(self._origin(), 0) + int(angle)) % 360
        return {"data": self._turned[self._origin()]}


def _rotated(jpeg: bytes, degrees: int) -> bytes:
    """A picture turned to the right. Raises OSError for a damaged one."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(jpeg)) as picture:
        picture.rotate(-degrees, expand=True).save(out, "JPEG", quality=92)
    return out.getvalue()

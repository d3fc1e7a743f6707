"""A gateway with every device a clerk has, on real wires, and a page's side of it in plain HTTP and WebSocket."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, RejectConnection, Request, TextMessage
from wsproto.events import Message as Said

from devices.gateway import create_gateway, serve
from devices.gateway.local import LocalGateway
from devices.roles import News
from devices.station import Station

BUSINESS = "https://business.example.gov.cn"
OTHER = "https://other.example"


class Clerk:
    """A window PC: its devices, the served gateway, and the clerk who confirms on the local page."""

    def __init__(self, bench: Any, folder: Path, **choices: Any) -> None:
        self.bench, self.folder, self.choices = bench, folder, choices
        self.local: LocalGateway | None = None
        bench.add("id-reader", "ga467-reader")
        bench.add("bus", "queue-bus", {"addresses": (1, 2)}, windows={1: 3, 2: 4})
        bench.add("printer", "escpos-printer", {"poll_seconds": 1.0})
        bench.add("scanner", "serial-scanner", {"trigger": "newland"})
        bench.add("strip", "pingan-strip", {"addresses": (1,)}, windows={1: 3})
        bench.add_on_tcp("sheets", "cups-printer", "ipp")
        bench.add_on_tcp("camera", "uvc-camera", "socket", {"width": 640, "height": 480, "fps": 10})

    def open(self) -> Clerk:
        """Open the cables and serve."""
        self.station = Station(self.bench.entries, self._tell, delays=(0.05,))
        self.bench.station = self.station
        self.serve()
        return self

    def _tell(self, device: str, news: News) -> None:
        if self.local:
            self.local.hear(device, news)

    def serve(self) -> None:
        """Serve (again): as when the station's program is started anew."""
        self.serve_at(0)

    def serve_at(self, port: int) -> None:
        """The same on this port."""
        self.local = LocalGateway(self.station, title="3 号窗口", pairs=self.folder / "pairs.json", **self.choices)
        app = create_gateway(self.station, title="3 号窗口", login=lambda password: False)
        self.local.mount(app)
        self.server = serve(app, "127.0.0.1", port)

    @property
    def url(self) -> str:
        return self.server.url.rstrip("/")

    @property
    def own(self) -> PageSide:
        """Our own local page, as the clerk's browser has it."""
        page = PageSide(self.url, self.url)
        html = page.text("GET", "/v1/pair")
        page.headers["X-CSRF-Token"] = html.partition('name="csrf" content="')[2].partition('"')[0]
        return page

    def pair(self, origin: str = BUSINESS, **said: Any) -> PageSide:
        """A page that is paired: it asked, the clerk allowed it."""
        page = PageSide(self.url, origin)
        asked = page.json("POST", "/v1/pairings", {"name": "综合受理系统", **said}, status=202)
        assert self.own.status("POST", f"/v1/pair/{asked['pairing']}/allow", {}) == 204
        page.headers["Bianmin-Secret"] = asked["secret"]
        page.sign_in(page.json("GET", f"/v1/pairings/{asked['pairing']}")["token"])
        return page

    def close(self) -> None:
        self.server.close()


class PageSide:
    """What a browser sends for a page of `origin`; `headers` go with every request."""

    def __init__(self, url: str, origin: str, id: str = "page-1") -> None:
        self.url, self.origin, self.id, self.token = url, origin, id, ""
        self.headers: dict[str, str] = {"Origin": origin} if origin else {}
        self.headers["Bianmin-Page"] = id

    def sign_in(self, token: str) -> None:
        self.token = token
        self.headers["Authorization"] = f"Bearer {token}"

    def another(self, id: str = "page-2") -> PageSide:
        """A second tab of the same origin."""
        page = PageSide(self.url, self.origin, id)
        page.sign_in(self.token)
        return page

    def send(
        self, method: str, path: str, given: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        return self._send(method, path, None if given is None else json.dumps(given).encode(), headers)

    def raw(self, path: str, body: bytes) -> Any:
        """Whatever bytes in a body; what is said of them."""
        return json.loads(self._send("POST", path, body)[2])

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        request = urllib.request.Request(self.url + path, body, {**self.headers, **(headers or {})}, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, dict(answer.headers), answer.read()

    def status(self, method: str, path: str, given: object = None, headers: dict[str, str] | None = None) -> int:
        return self.send(method, path, given, headers)[0]

    def text(self, method: str, path: str) -> str:
        status, headers, body = self.send(method, path)
        assert status == 200
        if "Set-Cookie" in headers:
            self.headers["Cookie"] = headers["Set-Cookie"].partition(";")[0]
        return body.decode()

    def json(self, method: str, path: str, given: object = None, status: int = 200, **headers: str) -> Any:
        got, _, body = self.send(method, path, given, headers)
        assert got == status, body
        return json.loads(body) if body else None

    def ask(self, device: str, deed: str, status: int = 200, **given: object) -> Any:
        """Ask something of a device."""
        return self.json("POST", f"/v1/devices/{device}/{deed}", given, status)

    def devices(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.json("GET", "/v1/devices")["devices"]}

    @contextlib.contextmanager
    def socket(self, **said: str) -> Iterator[Feed]:
        """Its WebSocket, greeted."""
        feed = Feed(self.url, self.headers.get("Origin", ""))
        try:
            feed.say(hello=self.token, page=self.id, **said)
            yield feed
        finally:
            feed.close()


class HandshakeRefused(Exception):
    """The WebSocket was not opened; the HTTP status."""


class Feed:
    """A browser's end of the WebSocket."""

    def __init__(self, url: str, origin: str, host: str = "") -> None:
        parts = urlsplit(url)
        self.plug = socket.create_connection((parts.hostname, parts.port), timeout=20)
        self.wire = WSConnection(ConnectionType.CLIENT)
        extra = [(b"Origin", origin.encode())] if origin else []
        asked = Request(host=host or parts.netloc, target="/v1/events", extra_headers=extra)
        self.plug.sendall(self.wire.send(asked))
        self.ended: int | None = None
        self._heard: list[dict[str, Any]] = []
        answer = self._next_event()
        if isinstance(answer, RejectConnection):
            raise HandshakeRefused(answer.status_code)
        assert isinstance(answer, AcceptConnection), answer

    def say(self, **message: object) -> None:
        self.plug.sendall(self.wire.send(Said(data=json.dumps(message))))

    def hear(self, event: str, fits: Callable[[dict[str, Any]], bool] = lambda message: True) -> dict[str, Any]:
        """The next message of this kind that fits; what comes before it is passed over."""
        while True:
            message = self.next()
            if message is None:
                raise AssertionError(f"the socket ended ({self.ended}) before {event}")
            if message["event"] == event and fits(message):
                return message

    def next(self) -> dict[str, Any] | None:
        """The next message; None when the other side has closed."""
        text = ""
        while True:
            event = self._next_event()
            if event is None or isinstance(event, CloseConnection):
                self.ended = getattr(event, "code", None)
                return None
            if isinstance(event, Ping):
                self.plug.sendall(self.wire.send(event.response()))
            if isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    return json.loads(text)

    def close(self) -> None:
        self.plug.close()

    def _next_event(self) -> Any:
        if not hasattr(self, "_events"):
            self._events: list[Any] = []
        while not self._events:
            data = self.plug.recv(65536)
            if not data:
                return None
            self.wire.receive_data(data)
            self._events += list(self.wire.events())
        return self._events.pop(0)


class BusinessSystem:
    """Another origin: a web server with a copy of the sample page, as a business system would have its own."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway

        class Copy(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = "/v1/sample" if self.path.partition("?")[0] == "/" else self.path
                with urllib.request.urlopen(gateway + path, timeout=10) as original:
                    body, kind = original.read(), original.headers["Content-Type"]
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Copy)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.port = self._server.server_port

    def page(self, host: str = "localhost", gateway: str = "") -> str:
        """The sample's address; each host name is an origin of its own."""
        return f"http://{host}:{self.port}/?gateway={gateway or self.gateway}"

    def origin(self, host: str = "localhost") -> str:
        return f"http://{host}:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

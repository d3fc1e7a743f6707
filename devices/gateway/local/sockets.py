"""Events by WebSocket, and the ownership of devices that goes with it: what a page has taken is free when it goes.

    page → {"hello": token, "page": id}              within five seconds; with "time", "nonce", "signature" if it signs
    page → {"take": device, "wait": true, "watch": true}        {"release": device}
    ours → {"event": "devices", "devices": […]}      at first and whenever something changes
    ours → {"event": "taken" | "released", "device"}            {"event": "owned", "device", "owner"}
    ours → {"event": "news", "device", "news", …}    only to the page that has the device and said "watch"
    ours → {"event": "scan", …}                       see scans.py
    ours → {"event": "refused", "code", "sentence"}

We ping every five seconds; a page that has said nothing for fifteen, not even a pong, is gone.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import gevent
from gevent import Greenlet
from gevent.queue import Empty, Queue
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from devices.gateway.local.leases import Page
from devices.gateway.local.origins import origin_in, own_origin
from devices.gateway.local.refusal import Refusal, answer, body
from devices.roles import FrameSeen, News, Obeyed, Refused, StillTaken, Unconfirmed
from devices.words import to_json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from devices.gateway.local.gateway import LocalGateway

PING, PATIENCE, HELLO, GLANCE = 5.0, 15.0, 5.0, 0.25  # seconds
BACKLOG, LONGEST = 1000, 64 * 1024  # messages to a page that does not read; bytes of a message from it
SIGNED_OUT, TOO_SLOW, UNREADABLE = 4401, 4408, 4400  # close codes
NOT_TOLD = (FrameSeen, StillTaken, Obeyed, Refused, Unconfirmed)
HANDSHAKE = ("Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol")


class Socket:
    """One page's connection. Everything but `_listen` runs in the gateway's thread."""

    def __init__(self, gateway: LocalGateway, environ: WSGIEnvironment) -> None:
        self.gateway, self._environ = gateway, environ
        self._socket = environ["bianmin.socket"]
        self._loop = gevent.get_hub().loop
        self._wire = WSConnection(ConnectionType.SERVER)
        self._out: Queue[bytes | None] = Queue()
        self._origin = origin_in(environ)
        self._page: Page | None = None
        self._tell_page = self._say  # one object, by which others know this socket
        self._token = ""
        self._watched: set[str] = set()
        self._told = ""  # the devices as last told
        self._text = ""  # pieces of a message
        self._closing = False

    def serve(self, start_response: StartResponse) -> Iterable[bytes]:
        """Until it ends. Whoever may not come in is told by an ordinary HTTP answer."""
        try:
            self.gateway.check_way(self._environ.get("HTTP_HOST", ""), self._environ.get("REMOTE_ADDR", ""))
            self.gateway.check_origin(self._origin, own_origin(self._environ))
            if "websocket" not in self._environ.get("HTTP_UPGRADE", "").lower():
                raise Refusal(426, "no-websocket", "This door is a WebSocket.")
        except Refusal as refusal:
            with self.gateway.app.app_context():
                return answer(refusal, self.gateway.say)(self._environ, start_response)
        self._environ["bianmin.taken"] = True
        with contextlib.ExitStack() as farewell:  # each part of it, whatever becomes of the one before
            farewell.callback(self._hang_up, gevent.spawn(self._write))
            farewell.callback(self._leave)
            farewell.callback(self.gateway.hearing.add(self._listen))
            with contextlib.suppress(OSError, ProtocolError):  # gone, or speaks something else: the same to us
                self._shake_hands()
                self._read()
        return []

    def _leave(self) -> None:
        """A page that connected anew before we noticed that its old line was dead keeps what it has."""
        if self._page is not None and self.gateway.scans.left(self._page, self._tell_page):
            self.gateway.leases.drop(self._page)

    def _hang_up(self, writer: Greenlet) -> None:
        self._out.put(None)
        writer.join(timeout=2)
        writer.kill()

    # ---- the wire ------------------------------------------------------------------------------------------------

    def _shake_hands(self) -> None:
        headers = [
            (name.encode(), value.encode("latin-1"))
            for name in HANDSHAKE
            if (value := self._environ.get("HTTP_" + name.upper().replace("-", "_")))
        ]
        self._wire.initiate_upgrade_connection(headers, "/v1/events")
        for event in self._wire.events():
            self._send(AcceptConnection() if isinstance(event, Request) else RejectConnection())

    def _read(self) -> None:
        self._socket.settimeout(PATIENCE)
        greeted_until = time.monotonic() + HELLO
        while not self._closing:
            if self._page is None:
                if time.monotonic() > greeted_until:
                    self._end(SIGNED_OUT, "no hello")
                    return
                self._socket.settimeout(max(0.1, greeted_until - time.monotonic()))
            data = self._socket.recv(65536)
            self._socket.settimeout(PATIENCE)
            self._wire.receive_data(data or None)
            for event in self._wire.events():
                self._handle(event)
            if not data:
                return

    def _handle(self, event: Event) -> None:
        if isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            self._closing = True
            with contextlib.suppress(ProtocolError):
                self._send(event.response())
        elif isinstance(event, BytesMessage):
            self._end(UNREADABLE, "text only")
        elif isinstance(event, TextMessage):
            self._text += event.data
            if len(self._text) > LONGEST:
                self._end(UNREADABLE, "too long")
            elif event.message_finished:
                text, self._text = self._text, ""
                self._message(text)

    def _send(self, event: Event) -> None:
        self._out.put(self._wire.send(event))

    def _say(self, **message: Any) -> None:
        if self._closing:
            return
        if self._out.qsize() > BACKLOG:
            self._end(TOO_SLOW, "too slow")
            return
        self._send(Message(data=json.dumps(message, ensure_ascii=False)))

    def _end(self, code: int, reason: str) -> None:
        if not self._closing:
            self._send(CloseConnection(code=code, reason=reason))
            self._closing = True
            self._out.put(None)

    def _write(self) -> None:
        """Send what is to be sent; look at the devices now and then; ping."""
        pinged = time.monotonic()
        with contextlib.suppress(OSError, ProtocolError):
            while True:
                try:
                    data = self._out.get(timeout=GLANCE)
                except Empty:
                    self._look()
                    if time.monotonic() - pinged > PING and not self._closing:
                        pinged = time.monotonic()
                        self._send(Ping())
                    continue
                if data is None:
                    break
                self._socket.sendall(data)
        with contextlib.suppress(OSError):
            self._socket.shutdown(2)  # wakes the reader

    # ---- what is said --------------------------------------------------------------------------------------------

    def _message(self, text: str) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self._end(UNREADABLE, "no JSON object")
            return
        try:
            if self._page is None:
                self._greet(message)
            elif isinstance(device := message.get("take"), str):
                self._take(device, message)
            elif isinstance(device := message.get("release"), str):
                self._watched.discard(device)
                self.gateway.scans.released(device, self._page)
                self.gateway.leases.release(device, self._page)
                self._say(event="released", device=device)
            else:
                raise Refusal(400, "unreadable", "The request cannot be read.")
        except Refusal as refusal:
            self._say(event="refused", **body(refusal, self.gateway.say))
            if self._page is None:
                self._end(SIGNED_OUT, refusal.code)

    def _greet(self, message: dict[str, Any]) -> None:
        said = {key: value if isinstance(value := message.get(key, ""), str) else "" for key in
                ("hello", "page", "time", "nonce", "signature")}  # fmt: skip
        self.gateway.check_token(self._origin, said["hello"])
        pairing = self.gateway.pairs.find(self._origin)
        if pairing is not None and pairing.key:
            given = (said["time"], said["nonce"], said["signature"])
            self.gateway.signatures.check(pairing.key, "GET", "/v1/events", self._origin, given)
        self._page, self._token = Page(self._origin, said["page"][:64]), said["hello"]
        self.gateway.scans.arrived(self._page, self._tell_page)
        self._look()

    def _take(self, device: str, message: dict[str, Any]) -> None:
        page = self._page
        assert page is not None
        if device not in self.gateway.station.entries:
            raise Refusal(404, "no-device", "This machine has no device called {device}.", device=device)
        if message.get("watch") is True:
            self._watched.add(device)

        def when_free() -> None:
            """This socket may be a dead one by then, and the page have come back on another."""
            self.gateway.scans.tell(page, event="taken", device=device)

        owner = self.gateway.leases.take(device, page, when_free if message.get("wait") is True else None)
        if owner is None:
            self._say(event="taken", device=device)
        else:
            self._say(event="owned", device=device, owner=owner.origin)

    def _look(self) -> None:
        """Tell the devices when anything about them has changed; end when the pairing was revoked."""
        if self._page is None or self._closing:
            return
        if not self.gateway.pairs.holds(self._origin, self._token):
            refusal = Refusal(401, "revoked", "The page's key is not valid any more; it has to be paired again.")
            self._say(event="refused", **body(refusal, self.gateway.say))
            self._end(SIGNED_OUT, refusal.code)
            return
        devices = self.gateway.devices_for(self._page)
        if (now := json.dumps(devices, ensure_ascii=False)) != self._told:
            self._told = now
            self._say(event="devices", devices=devices)

    def _listen(self, device: str, news: News) -> None:
        """In the device's thread. News are for the page that has the device at this moment, not for the next."""
        if self._may_hear(device) and not isinstance(news, NOT_TOLD):
            self._loop.run_callback_threadsafe(self._tell, device, news)

    def _tell(self, device: str, news: News) -> None:
        """A moment later, in the gateway's thread: the page may have let go, or been revoked, meanwhile."""
        if self._may_hear(device) and self.gateway.pairs.holds(self._origin, self._token):
            self._say(event="news", device=device, **to_json(news, personal=True))

    def _may_hear(self, device: str) -> bool:
        """News may name a person: only the page that has the device and watches it."""
        return device in self._watched and self._page is not None and self.gateway.leases.owner(device) == self._page

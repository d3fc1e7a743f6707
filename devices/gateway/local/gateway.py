"""The local gateway of one machine: what its doors share, and how it is put beside the technician's page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, g

from devices.gateway import faces
from devices.gateway.hosts import is_loopback, own_loopback
from devices.gateway.local import doors, pages
from devices.gateway.local.deeds import NEEDS, ROLE_OF, Deeds, lacks
from devices.gateway.local.facade import ROOTS, Facade
from devices.gateway.local.hearing import Hearing
from devices.gateway.local.leases import Leases, Page
from devices.gateway.local.live import Streams
from devices.gateway.local.origins import origin_in, own_origin
from devices.gateway.local.pairs import Pairs
from devices.gateway.local.refusal import ROOM, Refusal
from devices.gateway.local.scans import Scans
from devices.gateway.local.signed import Signatures
from devices.gateway.local.sockets import Socket
from devices.gateway.pictures import Views
from devices.gateway.wording import speaker
from devices.roles import News
from devices.station import DeviceEntry, DeviceState, Station

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SIGNED_FILE = "gateway-signed.json"


class LocalGateway:
    """The doors under /v1/ for pages of business systems."""

    def __init__(
        self,
        station: Station,
        *,
        title: str,
        pairs: Path,
        origins: Iterable[str] = (),
        hall: str = "",
        tls_port: int = 0,
        facade: bool = False,
        second: str = "en",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`origins`: if there are any, only these (and the hall's own pages, from the origin `hall`) may ask to be
        paired; with `facade` they need not be.

        Beside `pairs` lies what was signed when. Raises Mistake when either is damaged.
        """
        self.station, self.title, self.origins, self.second = station, title, frozenset(origins), second
        self.hall = hall
        self.say = speaker(second, ROOM)
        self.pairs, self.leases, self.hearing = Pairs(pairs), Leases(), Hearing()
        self.signatures = Signatures(pairs.with_name(SIGNED_FILE), clock)
        self.deeds = Deeds(station, self.hearing)
        self.scans = Scans(self)
        self.views = Views()
        self.tls_port = tls_port or None  # told to pages, which may need it
        self.streams = Streams(lambda origin: self.pairs.find(origin) is not None)
        self._can: dict[str, tuple[DeviceEntry, list[str]]] = {}
        self.app = Flask(__name__, static_folder=None)
        doors.open_doors(self.app, self)
        pages.open_pages(self.app, self)
        self.facade = Facade(self) if facade else None

    def hear(self, device: str, news: News) -> None:
        """News of a device, from the station's `tell`, in that device's thread."""
        self.views.hear(device, news)
        self.scans.hear(device, news)
        self.hearing.tell(device, news)

    def close(self) -> None:
        """The program ends: scans that are under way are forgotten."""
        self.scans.close()

    def mount(self, page: Flask) -> None:
        """Answer under /v1/ of the server that serves `page`."""
        inner = page.wsgi_app
        old = self.facade
        page.config["PAIRED_PAGES"] = "/v1/pair"  # where the technician's page sends its reader to

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = str(environ.get("PATH_INFO", ""))
            if path == "/v1/events" and "bianmin.socket" in environ:
                return Socket(self, environ).serve(start_response)
            if path == "/v1" or path.startswith("/v1/"):
                return self.app.wsgi_app(environ, start_response)
            if old is not None and path.startswith(ROOTS):
                return old.app.wsgi_app(environ, start_response)
            return inner(environ, start_response)

        page.wsgi_app = answer  # type: ignore[method-assign]

    # ---- who asks ------------------------------------------------------------------------------------------------

    def check_way(self, host: str, remote: str) -> None:
        """Only from this machine, and only by its own name. Raises Refusal."""
        if not own_loopback(host):
            raise Refusal(421, "foreign-host", "This address does not belong to this machine.")
        if not is_loopback(remote):
            raise Refusal(403, "not-local", "The device gateway answers this machine's own browsers only.")

    def may_ask(self, origin: str, own: str) -> bool:
        """Whether an origin may ask to be paired: any, or those hall.toml names; our own sample page always may."""
        return bool(origin) and (not self.origins or origin in self.origins or origin in (own, self.hall))

    def check_origin(self, origin: str, own: str) -> None:
        """Raises Refusal when this origin is not paired."""
        if not origin:
            raise Refusal(403, "no-origin", "The request does not say which page it comes from.")
        if not self.may_ask(origin, own):
            raise Refusal(403, "barred", "This machine's hall.toml does not name this origin: {origin}", origin=origin)
        if self.pairs.find(origin) is None:
            raise Refusal(
                403, "not-paired", "This page is not paired with this machine; ask the clerk to confirm it once."
            )

    def check_token(self, origin: str, token: str) -> None:
        """Raises Refusal when this is no token of this origin."""
        if not self.pairs.holds(origin, token):
            raise Refusal(401, "wrong-token", "The page's key is not valid any more; it has to be paired again.")

    def page_of(self, request: Request) -> Page:
        """The page behind a request, which is paired, holds its token and has signed if it must. Raises Refusal."""
        origin = origin_in(request.environ)
        self.check_origin(origin, own_origin(request.environ))
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        self.check_token(origin, token)
        pairing = self.pairs.find(origin)
        if pairing is not None and pairing.key:
            given = tuple(request.headers.get(f"Bianmin-{part}", "") for part in ("Time", "Nonce", "Signature"))
            target = request.environ.get("RAW_URI") or request.full_path.rstrip("?")
            self.signatures.check(
                pairing.key, request.method, target, origin, (given[0], given[1], given[2]), request.get_data()
            )
        g.asked = (origin, token)  # looked at once more before the answer is given
        return Page(origin, request.headers.get("Bianmin-Page", "")[:64])

    # ---- what there is -------------------------------------------------------------------------------------------

    def devices_for(self, page: Page) -> list[dict[str, Any]]:
        """Every device as a page sees it: how it is, what it can do, and who has it."""
        entries = self.station.entries
        # The technician may take a device away meanwhile: what is no longer configured is left out.
        return [
            self._device(state, entries[state.name], page) for state in self.station.states() if state.name in entries
        ]

    def _device(self, state: DeviceState, entry: DeviceEntry, page: Page) -> dict[str, Any]:
        row, owner = faces.row(state, self.say), self.leases.owner(state.name)
        return {
            "name": state.name,
            "roles": list(state.roles),
            "called": row["roles"],
            "state": state.state.value,
            "word": row["word"],
            "reason": row["reason"],
            "icon": row["icon"],
            "shape": row["shape"],
            "windows": sorted(set(state.windows.values())),
            "can": self._can_of(state, entry),
            "owner": owner.origin if owner else None,
            "yours": owner == page,
        }

    def _can_of(self, state: DeviceState, entry: DeviceEntry) -> list[str]:
        """What a device can do; found out once for each configuration of it."""
        known = self._can.get(state.name)
        if known is None or known[0] is not entry:
            able = [deed for deed in NEEDS if ROLE_OF[deed] in state.roles and not lacks(entry, deed)]
            known = self._can[state.name] = (entry, able)
        return known[1]

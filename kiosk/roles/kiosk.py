"""The program of a kiosk: the citizen's window, its printer, readers and scanner, and their attendant.

With `--headless` there is no window: the devices work and slips are printed all the same (a ticket printer at a guide
desk, a demo on a machine without a screen).
"""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config.machine import Machine
from devices import roles
from devices.roles import News
from devices.station import Station
from hall_api.client import HallAway, HallClient, HallRefused
from kiosk.app import run_terminal, settings_of
from kiosk.attendant import Attendant, Ears
from kiosk.copier import Copier
from kiosk.outside import Away, Outside, Record, Refused
from kiosk.roles import leave, post

SEEN = "The citizen has it in hand."


class HallHere:
    """The hall as the terminal asks it: `kiosk.outside.Hall` over the hall's client."""

    def __init__(self, client: HallClient, kiosk: str) -> None:
        self._client, self._kiosk = client, kiosk

    def _get(self, path: str, **query: object) -> dict[str, Any]:
        try:
            return self._client.get(path, **query)
        except HallAway as gap:
            raise Away(str(gap)) from gap
        except HallRefused as no:
            raise Refused(no.detail, no.code) from no

    def _post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        try:
            return self._client.post(path, body, key=key) or {}
        except HallAway as gap:
            raise Away(str(gap)) from gap
        except HallRefused as no:
            raise Refused(no.detail, no.code) from no

    def hall(self) -> Record:
        """See kiosk.outside.Hall, as all that follows."""
        return self._get("/hall")

    def services(self) -> Record:
        """The service items by category."""
        return self._get("/services")

    def queues(self) -> Record:
        """The queues and who waits."""
        return self._get("/queues")

    def issue(self, *, queue: str | None, service: str | None, priority: str | None, key: str) -> Record:
        """A number, printed here."""
        body = {"queue": queue, "service": service, "priority": priority, "kiosk": self._kiosk or None}
        return self._post("/tickets", body, key)

    def ticket(self, id: str) -> Record:
        """One ticket."""
        return self._get(f"/tickets/{id}")

    def find(self, number: str) -> Sequence[Record]:
        """Today's tickets with this number."""
        tickets: list[Record] = self._get("/tickets", number=number)["tickets"]
        return tickets

    def rejoin(self, id: str, key: str) -> Record:
        """Wait again after being passed."""
        return self._post(f"/tickets/{id}/rejoin", {}, key)

    def reprint(self, id: str, key: str) -> Record:
        """The slip again, marked 补打."""
        return self._post(f"/tickets/{id}/reprint", {"kiosk": self._kiosk}, key)

    def slip_taken(self, job: str, key: str) -> Record:
        """A slip nobody could be sure of is in the citizen's hand."""
        return self._post(f"/print-jobs/{job}", {"state": "confirmed", "reason": SEEN}, key)

    def verify_age(self, id: str, age: int) -> Record:
        """Priority by the age on the card."""
        return self._post(f"/tickets/{id}/verify-priority", {"accept": True, "age": age})

    def call_helper(self, page: str) -> None:
        """A person is asked to come."""
        self._post("/help", {"kiosk": self._kiosk, "page": page})


class DevicesHere:
    """The kiosk's devices as the terminal uses them: `kiosk.outside.Devices` over the station."""

    def __init__(self, attendant: Attendant, names: Mapping[str, str]) -> None:
        self._attendant, self._names = attendant, names
        self.wanted = threading.Event()  # a card is wanted: only then is it told to anybody

    def read_card(self) -> None:
        """A card may be told now."""
        self.wanted.set()
        if "reader" in self._names:
            self._attendant.station.send(self._names["reader"], roles.ReadCard())

    def stop_card(self) -> None:
        """Cards are nobody's business any more."""
        self.wanted.clear()

    def test_print(self) -> None:
        """The printer's test page."""
        if "printer" in self._names:
            self._attendant.station.send(self._names["printer"], roles.PrintTest())

    def states(self) -> Sequence[Record]:
        """Each device and how it is."""
        return [
            {"device": s.name, "role": role, "state": s.state.value, "reason": s.reason}
            for s in self._attendant.station.states()
            for role in s.roles
        ]


def main(file: str, *flags: str) -> int:
    """Serve citizens until told to stop."""
    machine = post.load(file)
    stop = threading.Event()
    post.on_signals(stop.set)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold what people scanned
    token = post.wait_for_token(machine, "kiosk", stop)
    if stop.is_set():
        return 0
    ears = Ears()
    # One machine may have two of these pages, the windows' and the kiosk's; the kiosk's then stands one port higher.
    port = machine.gateway.port + (1 if "window" in machine.about.roles else 0)
    here = post.Post(Path(file), machine, "kiosk", token, port, ears)
    if "--headless" in flags:
        here.start()
        print(f"ready {here.page.url}", flush=True)
        stop.wait()
    else:
        _with_window(machine, here, ears, token, "--announce" in flags)
    here.close()
    return 0


def desk_seen(station: Station, camera: str) -> float:
    """The millimetres a camera's pictures show from left to right, as a technician has measured; 0: nobody has."""
    try:
        return float(getattr(station.options(camera), "across", 0.0))
    except KeyError:  # it is just being taken away, or called by another name
        return 0.0


def _with_window(machine: Machine, here: post.Post, ears: Ears, token: str, announce: bool) -> None:
    devices = DevicesHere(here.attendant, here.uses)
    hall = HallHere(HallClient(machine.hall_url, token), here.attendant.kiosk)
    outside = Outside(hall, devices)
    station = here.attendant.station
    copier = outside.copier = Copier(
        outside.post, here.uses, station.send, across=lambda camera: desk_seen(station, camera)
    )
    post.hear_too(ears, copier.hear)
    post.hear_too(ears, lambda device, said: _pass_on(outside, devices, said))
    ears.settled, ears.changed = outside.print_settled, outside.device_changed
    here.start()
    post.on_signals(outside.stop)
    print(f"ready {here.page.url}", flush=True)
    run_terminal(settings_of(machine, announce=announce), outside)


def _pass_on(outside: Outside, devices: DevicesHere, said: News) -> None:
    """What the citizen's window has to know. A card nobody asked for is told to nobody, only that it lies there."""
    if isinstance(said, roles.CardPresented) and devices.wanted.is_set():
        outside.card(said)
    elif isinstance(said, roles.CardUnreadable):
        outside.card_unreadable(said.reason)
    elif isinstance(said, roles.CardRemoved):
        outside.card_removed()
    elif isinstance(said, roles.CodeScanned):
        outside.scanned(said.text)


if __name__ == "__main__":
    leave(main, *sys.argv[1:])

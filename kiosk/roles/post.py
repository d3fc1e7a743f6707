"""What the programs of kiosk and windows have in common: an attendant with its devices, and the technician's page."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from config import machine as machines
from config.hall_file import HallFile
from config.machine import Device, Machine
from config.reader import Mistake
from devices.gateway.app import create_gateway, gateway_of
from devices.gateway.configuring import Configuring
from devices.gateway.guard import PasswordFile
from devices.gateway.local import LocalGateway
from devices.gateway.local.origins import origin_of
from devices.gateway.local.tls import Keys
from devices.gateway.server import Secure, Server
from devices.gateway.server import serve as serve_gateway
from devices.gateway.totp import TotpFile
from devices.gateway_cli import PAIRS_FILE, TLS_FOLDER
from devices.links import LinkMistake
from devices.roles import News
from devices.setup.changes import Setup, entries_of
from devices.teller import safely
from hall_api.client import HallClient
from kiosk.attendant import Attendant, Ears

LOG = logging.getLogger(__name__)
KIOSK_ROLES = {
    "printer": "ticket-printer",
    "reader": "id-reader",
    "scanner": "code-scanner",
    "camera": "camera",
    "sheets": "a4-printer",
}


def load(file: str) -> Machine:
    """hall.toml, with this program's log set up."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    machine = machines.load(Path(file))
    machine.about.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return machine


def kiosk_devices(machine: Machine) -> dict[str, Device]:
    """Use (see KIOSK_ROLES) → the kiosk's device: the one named, or the only one without a window."""
    from devices import drivers

    found: dict[str, Device] = {}
    for use, role in KIOSK_ROLES.items():
        name = getattr(machine.kiosk, use)
        if name:
            found[use] = machine.device(name)
            continue
        if use == "sheets" and "camera" not in found:
            continue  # nothing to copy with: then an A4 printer is the clerks'
        fit = [
            device
            for device in machine.devices
            if not device.windows and role in [r.name for r in drivers.load(device.driver).Driver.roles]
        ]
        if len(fit) == 1:
            found[use] = fit[0]
    return found


def window_devices(machine: Machine) -> list[Device]:
    """Every device that is not the kiosk's; all of them where this machine is no kiosk."""
    taken = {d.name for d in kiosk_devices(machine).values()} if "kiosk" in machine.about.roles else set()
    return [device for device in machine.devices if device.name not in taken]


def wait_for_token(machine: Machine, role: str, stop: threading.Event) -> str:
    """The token of a role. On a fresh machine the hall writes it a moment later; said once when it is missing.

    Raises Mistake when others may read the file.
    """
    file, said = machine.token_file(role), time.monotonic() + 10
    while not stop.is_set():
        if file.exists():
            return machines.secret(file)
        if time.monotonic() > said:
            said = float("inf")
            LOG.error("%s", machine.lacks_token(role))
        stop.wait(0.1)
    return ""


def devices_for(machine: Machine, role: str) -> list[Device]:
    """The devices of one role's program."""
    return list(kiosk_devices(machine).values()) if role == "kiosk" else window_devices(machine)


class Post:
    """An attendant and its local page, for one role of a machine. Raises Mistake when the page cannot be served.

    It follows hall.toml: whoever changes the devices there (the page, the command line, an editor) changes them here.
    """

    def __init__(self, file: Path, machine: Machine, role: str, token: str, port: int, ears: Ears) -> None:
        name = f"{machine.about.name}-{role}" if len(machine.about.roles) > 1 else machine.about.name
        self._role, self._applying = role, threading.Lock()
        self.uses = self._uses(machine)  # use (see KIOSK_ROLES) → the kiosk's device
        self.attendant = Attendant(
            name,
            HallClient(machine.hall_url, token),
            entries_of(devices_for(machine, role)),
            machine.about.state,
            kiosk=machine.about.name if "printer" in self.uses else "",
            printer=self.uses.get("printer", ""),
            ears=ears,
        )
        password = PasswordFile(machine.about.state / "gateway.password")
        self.configuring = Configuring(
            Setup(HallFile(file), self.apply),
            password,
            TotpFile(machine.about.state / "gateway.totp"),
            machine.gateway.configure,
        )
        self.app = create_gateway(
            self.attendant.station,
            title=name,
            login=password.matches if password.path.exists() else None,
            configuring=self.configuring,
        )
        hear_too(ears, gateway_of(self.app).hear)
        self.local: LocalGateway | None = None
        try:
            secure = self._local(machine, name, ears) if role == "window" and machine.gateway.api else None
            self.page: Server = serve_gateway(self.app, machine.gateway.host, port, secure)
        except (OSError, ValueError) as trouble:  # both are sentences that name the place in hall.toml
            self.attendant.station.close()
            raise Mistake(str(trouble)) from trouble
        self._watch = FileWatch(file, self.apply)

    def _local(self, machine: Machine, name: str, ears: Ears) -> Secure | None:
        """Let the pages of business systems use the devices; what to serve https with, if it is wanted."""
        chosen, state = machine.gateway, machine.about.state
        local = self.local = LocalGateway(
            self.attendant.station,
            title=name,
            pairs=state / PAIRS_FILE,
            origins=chosen.origins,
            hall=origin_of(machine.hall_url),
            tls_port=chosen.tls_port,
            facade=chosen.facade,
        )
        local.mount(self.app)
        hear_too(ears, local.hear)
        if not chosen.tls_port:
            return None
        keys = Keys(state / TLS_FOLDER, machine.about.name)
        return Secure(chosen.tls_port, keys.context(), keys.renew)

    def start(self) -> None:
        """Begin to serve."""
        self.attendant.start()
        self._watch.start()

    def apply(self, machine: Machine) -> None:
        """Have the devices this configuration names. Raises Mistake or LinkMistake, and then nothing has changed."""
        with self._applying:
            uses = self._uses(machine)
            self.attendant.apply(entries_of(devices_for(machine, self._role)), uses.get("printer", ""))
            kiosk_changes = ("printer" in uses) != ("printer" in self.uses)
            self.uses.clear()
            self.uses.update(uses)
        if kiosk_changes:
            LOG.warning("the kiosk has got its first ticket printer, or lost its last: its program starts again")
            os.kill(os.getpid(), signal.SIGTERM)

    def close(self) -> None:
        """Stop the page, then the devices."""
        self._watch.close()
        self.page.close()
        if self.local is not None:
            self.local.close()
        self.configuring.end_lesson()
        self.attendant.close()

    def _uses(self, machine: Machine) -> dict[str, str]:
        chosen = kiosk_devices(machine) if self._role == "kiosk" else {}
        return {use: device.name for use, device in chosen.items()}


class FileWatch:
    """Notices that hall.toml has become another, and passes on what it says, if that makes sense."""

    EVERY = 1.0  # seconds

    def __init__(self, file: Path, apply: Callable[[Machine], None]) -> None:
        self._file, self._apply = file, apply
        self._stop = threading.Event()
        self._seen = self._look()
        self._thread = threading.Thread(target=self._watch, name="hall.toml", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _look(self) -> tuple[int, int, int]:
        """What tells one version of the file from the next; zeros while there is none."""
        try:
            found = self._file.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_ino, found.st_size)

    def _watch(self) -> None:
        while not self._stop.wait(self.EVERY):
            now = self._look()
            if now in (self._seen, (0, 0, 0)):
                continue
            self._seen = now
            try:
                self._apply(machines.load(self._file))
            except (Mistake, LinkMistake) as mistake:
                LOG.error("the devices stay as they are, for the file is wrong: %s", mistake)


def hear_too(ears: Ears, listener: Callable[[str, News], None]) -> None:
    """Whoever hears the news already is joined by one more listener, whose mistakes cost him nothing."""
    first = ears.news

    def both(device: str, told: News) -> None:
        safely(f"telling one more listener news of {device}", lambda: listener(device, told))
        first(device, told)

    ears.news = both


def on_signals(stop: Callable[[], None]) -> None:
    """SIGTERM and SIGINT ask to stop."""

    def asked(number: int, frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)

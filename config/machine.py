"""What this machine is: reads hall.toml (roles, devices, windows, kiosk) and checks that it makes sense.

No password or token is ever in hall.toml: they live in files of mode 0600 in the state folder. Relative paths are
taken from the folder of hall.toml itself. What the hall is (queues, windows, people, rules) is `config.plan`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from config import plans, reader
from config.plan import HallPlan

ROLES = ("hall", "kiosk", "window")
LONGEST_NAME = 60  # characters of a device's name
NAMED = ("printer", "reader", "scanner", "camera", "sheets")  # where [kiosk] names a device
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")


def is_origin(text: str) -> bool:
    """True for an origin as browsers write it: scheme, host in lower case, port unless it is the usual one."""
    return len(text) <= 300 and _ORIGIN.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True)
class About:
    """`[machine]`: its name, what it does, where it keeps what it must not forget, and where the hall is."""

    name: str = field(metadata={"help": "a name for this machine, unique in the hall"})
    roles: tuple[str, ...] = field(default=ROLES, metadata={"choices": ROLES})
    state: Path = field(default=Path("state"), metadata={"help": "folder for database, tokens, logs, prints to come"})
    hall: str = field(default="", metadata={"help": "address of the hall; not needed where the hall itself runs"})

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name must not be empty")
        if not self.roles:
            raise ValueError(f"roles must name at least one of {', '.join(ROLES)}")
        if self.hall and urlsplit(self.hall).scheme not in ("http", "https"):
            raise ValueError(f"hall must be an address like http://10.0.0.5:8000, got {self.hall!r}")


@dataclass(frozen=True, kw_only=True)
class Hall:
    """`[hall]`: the hall's own process, where this machine has the role hall."""

    database: str = field(default="", metadata={"help": "empty: a file in state; or postgresql://user@host/name"})
    password: Path | None = field(default=None, metadata={"help": "file with the database password, mode 0600"})
    host: str = field(default="127.0.0.1", metadata={"help": "where to listen; 0.0.0.0: on every network"})
    port: int = field(default=8000, metadata={"min": 1, "max": 65535})
    processes: int = field(default=1, metadata={"min": 1, "max": 64})
    public_url: str = field(default="", metadata={"help": "the address citizens' phones reach; printed on slips as QR"})
    plan: str = field(default="village", metadata={"help": "a plan of ours (village, town) or the path of a plan file"})

    def __post_init__(self) -> None:
        if urlsplit(self.database).password is not None:
            raise ValueError("database: a password does not belong into this file; name a file with `password`")
        if self.password and not urlsplit(self.database).username:
            raise ValueError("password: needs a database like postgresql://user@host/name")
        if self.public_url and urlsplit(self.public_url).scheme not in ("http", "https"):
            raise ValueError(f"public_url must be an address like http://10.0.0.5:8000, got {self.public_url!r}")


@dataclass(frozen=True, kw_only=True)
class Screen:
    """A kiosk's screen, as the citizen sees it: width and height after any turning. 21.5 inches upright by default."""

    width: int = field(default=1080, metadata={"unit": "px", "min": 320})
    height: int = field(default=1920, metadata={"unit": "px", "min": 320})
    width_mm: float = field(default=268.0, metadata={"unit": "mm", "min": 60})
    height_mm: float = field(default=476.0, metadata={"unit": "mm", "min": 60})
    turned: int = field(default=0, metadata={"unit": "degrees", "choices": (0, 90, 180, 270)})
    full: bool = field(default=True, metadata={"help": "cover the whole screen, no window frame"})

    @property
    def portrait(self) -> bool:
        """True when it stands upright."""
        return self.height > self.width

    @property
    def dots_per_mm(self) -> float:
        """Pixels in a millimetre, across."""
        return self.width / self.width_mm


@dataclass(frozen=True, kw_only=True)
class Kiosk:
    """`[kiosk]`: the citizen's touch terminal. Devices are named as in `[[device]]`; empty: the only one there is."""

    screen: Screen = Screen()
    token: Path | None = field(default=None, metadata={"help": "file with its token; else kiosk.token in state"})
    printer: str = ""
    reader: str = ""
    scanner: str = ""
    camera: str = ""
    sheets: str = field(default="", metadata={"help": "the A4 printer for copies"})
    languages: tuple[str, ...] = ("zh_CN", "en")
    elder: bool = field(default=False, metadata={"help": "start in elder mode: one question a page, larger everything"})
    low_reach: bool = field(default=False, metadata={"help": "move the body of every page down"})
    idle: int = field(default=60, metadata={"unit": "s", "min": 10, "help": "without a touch, until the warning"})
    warning: int = field(default=20, metadata={"unit": "s", "min": 5, "help": "then back to the start"})


@dataclass(frozen=True, kw_only=True)
class Windows:
    """`[windows]`: which windows' devices hang on this machine. Empty `numbers`: those the devices name."""

    numbers: tuple[int, ...] = field(default=(), metadata={"min": 1})
    token: Path | None = field(default=None, metadata={"help": "file with their token; else window.token in state"})


@dataclass(frozen=True, kw_only=True)
class Device:
    """`[[device]]`: one cable with what hangs on it. `windows` says which address on the cable serves which window."""

    name: str
    driver: str
    link: str = field(metadata={"help": "serial:///dev/serial/by-path/…?baud=9600, socket://host:port, sim:"})
    enabled: bool = True
    bus: bool = field(default=False, metadata={"help": "one of several devices on one RS-485 line, all with this link"})
    options: Mapping[str, object] = field(default_factory=dict)  # read again by the driver's own Options
    windows: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > LONGEST_NAME:
            raise ValueError(f"name must be 1 to {LONGEST_NAME} characters that can be printed, got {self.name[:80]!r}")
        if not _SCHEME.match(self.link):
            raise ValueError(f"link must start with its kind (serial://, socket://, sim:), got {self.link!r}")


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """`[gateway]`: the station's own local page for the technician, and its door for this machine's browsers.

    See docs/gateway.md. `origins` empty: any page may ask the clerk to be paired; else only these.
    """

    host: str = "127.0.0.1"
    port: int = field(default=8765, metadata={"min": 1, "max": 65535})
    api: bool = field(default=True, metadata={"help": "paired pages of business systems may use a window's devices"})
    origins: tuple[str, ...] = field(
        default=(), metadata={"help": "business systems whose pages may be paired, such as https://host; none: any"}
    )
    tls_port: int = field(
        default=0, metadata={"min": 0, "max": 65535, "help": "https for the same, by this machine's own CA; 0: none"}
    )
    facade: bool = field(
        default=False, metadata={"help": "answer old front ends (GET /idcard/GetData …) of `origins`, without pairing"}
    )
    configure: str = field(
        default="totp",
        metadata={
            "choices": ("totp", "password", "open", "off"),
            "help": "who may change devices on the page: signed in with an authenticator, with a password, all, nobody",
        },
    )

    def __post_init__(self) -> None:
        for origin in self.origins:
            if not is_origin(origin):
                raise ValueError(f"origins: an origin is like https://host or http://host:8080, got {origin!r}")
        if self.tls_port in (self.port, self.port + 1):
            raise ValueError(
                f"tls_port must differ from port ({self.port}) and the next one ({self.port + 1}), a kiosk's page"
            )
        if self.facade and not self.origins:
            raise ValueError("facade needs origins: old pages cannot be paired, so the file must name them")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A whole hall.toml. `plan` is the hall's plan where this machine has the role hall, else None."""

    about: About = field(metadata={"key": "machine"})
    hall: Hall = Hall()
    kiosk: Kiosk = Kiosk()
    windows: Windows = Windows()
    devices: tuple[Device, ...] = field(default=(), metadata={"key": "device"})
    gateway: Gateway = Gateway()
    plan: HallPlan | None = field(default=None, metadata={"in_file": False})

    @property
    def hall_url(self) -> str:
        """Where this machine's other roles find the hall."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.hall.host, self.hall.host)
        return self.about.hall.rstrip("/") or f"http://{host}:{self.hall.port}"

    @property
    def public_url(self) -> str:
        """What stands in a slip's QR."""
        return self.hall.public_url.rstrip("/") or self.hall_url

    @property
    def database(self) -> str:
        """SQLAlchemy's address of the database, without its password: fit to be shown."""
        return self.hall.database or f"sqlite:///{self.about.state / 'hall.db'}"

    def database_with_password(self) -> str:
        """The same with the password from the file `hall.password` names. Raises reader.Mistake. Never show it."""
        if self.hall.password is None:
            return self.database
        user, _, rest = self.database.partition("@")
        return f"{user}:{quote(secret(self.hall.password), safe='')}@{rest}"

    @property
    def window_numbers(self) -> tuple[int, ...]:
        """The windows whose devices hang on this machine."""
        named = {no for device in self.devices if device.enabled for no in device.windows.values()}
        return self.windows.numbers or tuple(sorted(named))

    def token_file(self, role: str) -> Path:
        """The file with the token by which this machine's kiosk or windows speak to the hall."""
        chosen = {"kiosk": self.kiosk.token, "window": self.windows.token}[role]
        return chosen or self.about.state / f"{role}.token"

    def lacks_token(self, role: str) -> str:
        """What must be brought before this role can speak to the hall; empty: nothing. The hall itself needs none."""
        if role == "hall" or self.token_file(role).exists():
            return ""
        return (
            f"{self.token_file(role)} is missing: at the hall's machine run `bianmin hall token {role} --db …`, "
            "put the line it prints into this file, and `chmod 600` it."
        )

    def device(self, name: str) -> Device:
        """The device of this name; KeyError when there is none."""
        for device in self.devices:
            if device.name == name:
                return device
        raise KeyError(name)


def load(path: Path, text: str | None = None) -> Machine:
    """Read and check hall.toml. Raises reader.Mistake with a sentence for everything that is wrong in it.

    `text`: what is about to be written there, checked as if it stood there already.
    """
    path = path.resolve()
    data = reader.parse(path, text)
    own_plan = data.pop("plan", None)
    try:
        machine = reader.read(Machine, data, base=path.parent)
        machine = replace(machine, about=replace(machine.about, state=path.parent / machine.about.state))
        wrong = [*_contradictions(machine)]
        if "hall" in machine.about.roles:
            plan = plans.choose(machine.hall.plan, own_plan, path.parent)
            machine = replace(machine, plan=plan)
            wrong += _beside_the_plan(machine, plan)
        elif own_plan is not None:
            wrong.append("plan: belongs to the machine with the role hall, which this is not")
    except reader.Mistake as mistake:
        raise mistake.inside(path) from mistake
    if wrong:
        raise reader.Mistake(*wrong).inside(path)
    return machine


def secret(path: Path) -> str:
    """What stands in a file only its owner may read: a password, a token. Raises reader.Mistake."""
    try:
        if path.stat().st_mode & 0o077:
            raise reader.Mistake(f"{path}: others may read this secret: chmod 600 {path}")
        text = path.read_text(encoding="utf-8").strip()
    except OSError as trouble:
        raise reader.Mistake(f"{path}: cannot be read: {trouble.strerror}") from trouble
    if not text:
        raise reader.Mistake(f"{path}: is empty; it should hold one line")
    return text


def _contradictions(machine: Machine) -> list[str]:
    """Where two lines of one file do not agree."""
    wrong = []
    names = [device.name for device in machine.devices]
    wrong += [f"device: two devices are called {name}" for name in sorted({n for n in names if names.count(n) > 1})]
    for use in NAMED:
        name = getattr(machine.kiosk, use)
        if name and name not in names:
            wrong.append(f"kiosk.{use}: no device is called {name!r}; there are: {', '.join(names) or 'none'}")
    if "hall" not in machine.about.roles and not machine.about.hall:
        wrong.append("machine.hall: is missing: a machine without the role hall must be told the hall's address")
    return wrong


def _beside_the_plan(machine: Machine, plan: HallPlan) -> list[str]:
    """Windows this machine speaks of that the hall does not have."""
    known = {window.no for window in plan.windows}
    has = f"the hall has {', '.join(map(str, sorted(known)))}"
    wrong = [f"windows.numbers: there is no window {no}; {has}" for no in machine.windows.numbers if no not in known]
    for device in machine.devices:
        wrong += [
            f"device.{device.name}.windows.{address}: there is no window {no}; {has}"
            for address, no in device.windows.items()
            if no not in known
        ]
    return wrong

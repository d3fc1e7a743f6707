"""Who may change what is configured, and the doors by which the page does it: ports, forms, saving, undoing, learning.

`mode` is the machine's `[gateway] configure`: `totp` (signed in, with an authenticator's figures), `password` (signed
in), `open` (whoever sits at this machine), `off`.
"""

from __future__ import annotations

import io
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
import segno
from flask import Flask, Response, jsonify, request, session
from gevent.lock import BoundedSemaphore

from config import hall_file
from config.hall_file import Stale
from config.reader import Mistake
from devices import drivers, quality
from devices.gateway import faces
from devices.gateway.aside import aside
from devices.gateway.guard import SHORTEST, PasswordFile, Turned
from devices.gateway.json_body import json_object
from devices.gateway.totp import TotpFile
from devices.gateway.wording import Say
from devices.links import LinkMistake, check_link
from devices.roles import Key
from devices.setup import bundle as bundles
from devices.setup import forms, proposals
from devices.setup.changes import Change, Setup
from devices.setup.learning import FAMILIES, PADS, Lesson, NotLearnt
from devices.setup.ports import ports

if TYPE_CHECKING:
    from devices.gateway.app import Gateway

# Choices of a driver that are names or numbers, the same in every language.
NAME = re.compile(
    r"[0-9]+|[A-Z]|cr|lf|crlf|gb\w+|utf-8|ascii|unicode|esc-\w|gs-r|dle-eot|asb|6[qe]\d|honeywell|newland"
)
MODES = ("totp", "password", "open", "off")
LESSON_ENDS = 900.0  # seconds: a page that was closed must not keep a cable for ever
LONGEST_TEXT = 100  # characters of a text a strip is learnt by
KEYS = (*(key.value for key in Key if key is not Key.OTHER), "5", "4", "3", "2", "1", "0")
KEY_WORDS: dict[str, str] = {
    "call_next": "Call next",
    "recall": "Recall",
    "evaluate": "Ask for a rating",
    "give_up": "Pass",
    "hold": "Hold",
    "call_back": "Call back",
    "pause": "Pause or resume",
    "transfer": "Transfer",
    "cancel": "Cancel",
    "one_metre": "One-metre line",
    "5": "Very satisfied",
    "4": "Satisfied",
    "3": "Fairly satisfied",
    "2": "Dissatisfied",
    "1": "Very dissatisfied",
    "0": "No rating in time",
}
WHY = {
    "off": "Changes are switched off on this machine.",
    "password": "Set the technician's password first.",
    "sign in": "Sign in with the figures of your authenticator first.",
    "enrol": "Set up the second factor first.",
    "wrong": "Nothing was saved; correct what is marked.",
    "stale": "Somebody else changed the file meanwhile; look again and save once more.",
    "nothing": "There is no earlier version.",
    "code": "The figures are not right; wait for the next ones.",
    "lesson": "Nothing is being learnt; begin again.",
    "busy": "Another page is learning already.",
    "unreadable": "The request cannot be read.",
    "gone": "This machine has no such device or test.",
}


@dataclass
class Configuring:
    """What the configuration's doors share."""

    setup: Setup
    password: PasswordFile
    totp: TotpFile
    mode: str = "totp"
    folders: tuple[Path, ...] = ()  # more serial ports, see devices.setup.ports
    lesson: Lesson | None = None
    lesson_at: float = 0.0  # when a page last looked at it
    patience: float = LESSON_ENDS
    offered: dict[str, str] = field(default_factory=dict)  # secrets that wait for their first figures, by session
    _beginning: BoundedSemaphore = field(default_factory=BoundedSemaphore)

    def state(self, gateway: Gateway) -> dict[str, Any]:
        """Whether this session may change something, and what is missing if not."""
        why = self.missing(gateway)
        return {
            "may": not why,
            "mode": self.mode,
            "missing": why,
            "why": gateway.say(WHY[why]) if why else None,
            "open": self.mode == "open",
        }

    def missing(self, gateway: Gateway) -> str:
        """A key of WHY, or nothing when this session may change the configuration."""
        if self.mode == "off":
            return "off"
        if self.mode == "open":
            return ""
        if self.mode == "password":
            return "password" if gateway.guard.open else ""
        if not self.totp.is_set:
            return "enrol"
        return "" if session.get("figures") is True else "sign in"

    def require(self, gateway: Gateway) -> None:
        """Raises Turned 403 when this session may not change anything."""
        if why := self.missing(gateway):
            raise Turned(403, WHY[why])

    def end_lesson(self) -> None:
        """Let go of the cable that is being learnt."""
        lesson, self.lesson = self.lesson, None
        if lesson is not None:
            lesson.close()

    def begin_lesson(self, link: str, kind: str) -> Lesson:
        """Listen to a cable from now on, beginning anew if it is listened to. Raises Turned 409, LinkMistake.

        Runs in the gateway's thread. A lesson nobody looks at for `patience` seconds ends by itself.
        """
        with self._beginning:
            if self.lesson is not None and self.lesson.link != link:
                raise Turned(409, WHY["busy"])
            aside(self.end_lesson)
            self.lesson, self.lesson_at = Lesson(link, kind=kind), time.monotonic()
            gevent.spawn(self._ends_unwatched, self.lesson)
            return self.lesson

    def _ends_unwatched(self, lesson: Lesson) -> None:
        while self.lesson is lesson:
            left = self.patience - (time.monotonic() - self.lesson_at)
            if left <= 0:
                aside(self.end_lesson)
                return
            gevent.sleep(min(left, 1.0))


def open_doors(app: Flask, gateway: Gateway, here: Configuring) -> None:
    """Give the page's app the doors of the configuration."""
    _looking(app, gateway, here)
    _changing(app, gateway, here)
    _enrolling(app, gateway, here)
    _learning(app, gateway, here)


def _looking(app: Flask, gateway: Gateway, here: Configuring) -> None:
    say = gateway.say

    @app.get("/api/setup")
    def setup_state() -> Response:
        return jsonify(
            {
                **here.state(gateway),
                "file": here.setup.file.path.name,
                "taken": list(gateway.station.entries),
                "undo": here.setup.file.before() is not None,
                "drivers": [_driver(name, say) for name in drivers.names()],
                "roles": {role: {"word": say(word), "icon": icon} for role, (word, icon) in faces.ROLES.items()},
                "keys": [[key, say(KEY_WORDS[key])] for key in KEYS],
                "learnable": {kind: [n for n in names if n in drivers.names()] for kind, names in FAMILIES.items()},
            }
        )

    @app.get("/api/setup/ports")
    def setup_ports() -> Response:
        found = ports(here.folders)
        taken = {entry.link.partition("?")[0]: name for name, entry in gateway.station.entries.items()}
        rows = []
        for port in found:
            device = next((taken[link] for link in port.links if link in taken), "")
            rows.append({**port.to_json(), "proposed": proposals.proposed(port), "device": device})
        return jsonify({"ports": rows})

    @app.get("/api/setup/form/<driver>")
    def setup_form(driver: str) -> Response:
        """The fields of a driver, filled for ?device=NAME when that is one of its kind."""
        entry = gateway.station.entries.get(request.args.get("device", ""))
        values: Mapping[str, Any] = {}
        if entry is not None and entry.driver == driver:
            configured = {d.name: d for d in here.setup.devices()}
            values = dict(configured[entry.name].options) if entry.name in configured else {}
        if driver not in drivers.names():
            raise Turned(404, WHY["gone"])
        return jsonify({"fields": [_field(one, say) for one in forms.form(driver, values)], **_driver(driver, say)})

    @app.get("/api/setup/devices/<path:name>")
    def setup_device(name: str) -> Response:
        found = [d for d in here.setup.devices() if d.name == name]
        if not found:
            raise Turned(404, WHY["gone"])
        return jsonify(hall_file.table_of(found[0]))

    @app.get("/api/setup/export")
    def setup_export() -> Response:
        text = hall_file.exported(here.setup.file.text())
        return _download(text.encode(), "bianmin-devices.toml", "application/toml")

    @app.get("/api/setup/bundle")
    def setup_bundle() -> Response:
        packed = bundles.bundle(gateway.station, here.setup.file.text(), here.folders)
        return _download(packed, "bianmin-diagnostics.zip", "application/zip")

    @app.post("/api/setup/ask")
    def setup_ask() -> Response:
        """Ask one family politely. Only with the right to change: bytes go out to something unknown."""
        here.require(gateway)
        given = _object()
        driver, link = _text(given, "driver"), _text(given, "link")
        answer = aside(lambda: proposals.ask(driver, link))
        return jsonify(answer.to_json())

    @app.post("/api/setup/candidates")
    def setup_candidates() -> Response:
        given = _object()
        scheme = check_link(_text(given, "link")).scheme
        return jsonify({"drivers": proposals.candidates(scheme, _text(given, "role", ""))})

    @app.errorhandler(Mistake)
    @app.errorhandler(LinkMistake)
    def mistaken(mistake: ValueError) -> tuple[Response, int]:
        first, below = say(WHY["wrong"])
        body = {"title": below, "status": 422, "detail": first, "sentence": [first, below]}
        response = jsonify({**body, "mistakes": [_short(line, here) for line in str(mistake).splitlines()]})
        response.mimetype = "application/problem+json"
        return response, 422


def _changing(app: Flask, gateway: Gateway, here: Configuring) -> None:
    def proposed() -> Change:
        given = _object()
        if "remove" in given:
            if not _text(given, "remove"):
                raise Turned(400, WHY["unreadable"])
            return here.setup.propose(remove=_text(given, "remove"))
        if given.get("given") is not None:
            return here.setup.propose(given=_text(given, "given"))
        return here.setup.propose(_entry(given), _text(given, "instead", ""))

    @app.post("/api/setup/plan")
    def setup_plan() -> Response:
        """What would change, and what is wrong with it; nothing is saved."""
        return jsonify(proposed().to_json())

    @app.post("/api/setup/save")
    def setup_save() -> Response:
        """Save what was looked at: `version` is that of the plan."""
        here.require(gateway)
        change = proposed()
        if change.mistakes:
            raise Mistake(*change.mistakes)
        looked_at = _text(_object(), "version", change.version)
        try:
            aside(lambda: here.setup.save(change.text, looked_at), Stale)
        except Stale:
            raise Turned(409, WHY["stale"]) from None
        return jsonify({"saved": True})

    @app.get("/api/setup/undo")
    def setup_back() -> Response:
        change = here.setup.back()
        if change is None:
            raise Turned(404, WHY["nothing"])
        return jsonify(change.to_json())

    @app.post("/api/setup/undo")
    def setup_undo() -> Response:
        """Undo what was looked at: `version` is that of the change shown, where one is named."""
        here.require(gateway)
        if here.setup.file.before() is None:
            raise Turned(404, WHY["nothing"])
        looked_at = _text(_object(), "version", "") or None
        try:
            aside(lambda: here.setup.undo(looked_at), Stale)
        except Stale:
            raise Turned(409, WHY["stale"]) from None
        return jsonify({"saved": True})

    @app.post("/api/setup/devices/<path:name>/accept")
    def setup_accept(name: str) -> Response:
        """What answers there was put there on purpose."""
        here.require(gateway)
        try:
            gateway.station.accept(name)
        except KeyError:
            raise Turned(404, WHY["gone"]) from None
        return jsonify({"saved": True})


def _enrolling(app: Flask, gateway: Gateway, here: Configuring) -> None:
    @app.post("/api/setup/totp")
    def setup_totp() -> Response:
        """A new secret for an authenticator, to be proven by its figures. Only while there is none."""
        if here.mode != "totp" or here.totp.is_set:
            raise Turned(403, WHY["sign in"] if here.totp.is_set else WHY["off"])
        secret = TotpFile.fresh()
        key = str(session.setdefault("enrolling", secrets.token_urlsafe(16)))
        here.offered = {key: secret}
        address = TotpFile.address(secret, gateway.title)
        out = io.BytesIO()
        segno.make(address, error="m").save(out, kind="svg", scale=5, border=2, xmldecl=False, svgns=True)
        spaced = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
        return jsonify({"secret": spaced, "svg": out.getvalue().decode(), "password": gateway.guard.open})

    @app.post("/api/setup/totp/confirm")
    def setup_totp_confirm() -> Response:
        given = _object()
        secret = here.offered.get(str(session.get("enrolling", "")))
        if secret is None or here.totp.is_set:
            raise Turned(409, WHY["enrol"])
        password = _text(given, "password", "")
        if gateway.guard.open and len(password) < SHORTEST:
            raise Turned(422, "The password needs at least 8 characters.")
        if not here.totp.set(secret, _text(given, "code", "")):
            raise Turned(401, WHY["code"])
        if gateway.guard.open:
            here.password.set(password)
        here.offered = {}
        gateway.guard.lock(here.password.matches)
        session["technician"] = session["figures"] = True
        session.permanent = True
        return jsonify({"saved": True})

    @app.post("/api/setup/figures")
    def setup_figures() -> Response:
        """The authenticator's figures, for a session that is signed in already."""
        figures = _text(_object(), "code", "")
        gateway.guard.count_try(lambda: here.totp.matches(figures), WHY["code"])
        session["figures"] = True
        return jsonify({"saved": True})


def _learning(app: Flask, gateway: Gateway, here: Configuring) -> None:
    def lesson() -> Lesson:
        here.require(gateway)
        if here.lesson is None:
            raise Turned(404, WHY["lesson"])
        here.lesson_at = time.monotonic()
        return here.lesson

    def shown(lesson: Lesson) -> Response:
        state = lesson.state()
        return jsonify({**state, "trouble": gateway.say(state["trouble"]) if state["trouble"] else None})

    @app.post("/api/setup/lesson")
    def lesson_begins() -> Response:
        here.require(gateway)
        given = _object()
        kind = _text(given, "kind", "pad")
        if kind not in FAMILIES:
            raise Turned(400, WHY["unreadable"])
        return shown(here.begin_lesson(_text(given, "link"), kind))

    @app.get("/api/setup/lesson")
    def lesson_state() -> Response:
        return shown(lesson())

    @app.post("/api/setup/lesson/key")
    def lesson_key() -> Response:
        given = _object()
        key, learning = _text(given, "key", ""), lesson()
        if key and (key not in KEYS if learning.kind == PADS else len(key) > LONGEST_TEXT or not key.isprintable()):
            raise Turned(400, WHY["unreadable"])
        if given.get("forget"):
            learning.forget(key)
        learning.listen_for(key)
        return shown(learning)

    @app.post("/api/setup/lesson/learn")
    def lesson_learn() -> Response:
        try:
            lesson().learn(_text(_object(), "driver", ""))
        except NotLearnt as why:
            raise Mistake(str(why)) from why
        return shown(lesson())

    @app.delete("/api/setup/lesson")
    def lesson_ends() -> Response:
        here.require(gateway)
        aside(here.end_lesson)
        return jsonify({"saved": True})


def _entry(given: Mapping[str, Any]) -> dict[str, Any]:
    """A [[device]] from a form. Raises Mistake naming the field."""
    driver = _text(given, "driver")
    if driver not in drivers.names():
        raise Mistake(f"driver: no driver is called {driver!r}")
    name, link = _text(given, "name").strip(), _text(given, "link").strip()
    if not name:
        raise Mistake("name: give it a name")
    options = given.get("options", {})
    if not isinstance(options, Mapping):
        raise Turned(400, WHY["unreadable"])
    if not all(isinstance(given.get(flag, False), bool) for flag in ("enabled", "bus")):
        raise Turned(400, WHY["unreadable"])
    entry: dict[str, Any] = {"name": name, "driver": driver, "link": link}
    if given.get("enabled") is False:
        entry["enabled"] = False
    if given.get("bus") is True:
        entry["bus"] = True
    if filled := forms.filled(driver, options):
        entry["options"] = filled
    if windows := _windows(given.get("windows", {})):
        entry["windows"] = windows
    return entry


def _windows(given: Any) -> dict[str, int]:
    """Address → window, from a form. Raises Mistake."""
    if not isinstance(given, Mapping):
        raise Turned(400, WHY["unreadable"])
    found = {}
    for address, window in given.items():
        if not all(str(one).strip().isdecimal() and len(str(one)) <= 6 for one in (address, window)):
            raise Mistake(f"windows: write an address and a window number, got {address!s:.20} → {window!s:.20}")
        found[str(int(str(address)))] = int(str(window))
    return found


def _driver(name: str, say: Say) -> dict[str, Any]:
    """A driver as the page offers it."""
    module = drivers.load(name)
    cls = module.Driver
    return {
        "name": name,
        "summary": say((module.__doc__ or "").strip().partition("\n")[0]),
        "roles": [role.name for role in cls.roles],
        "links": list(cls.links),
        "baud": cls.baud,
        "grade": quality.grade(name).grade,
        "answers": cls.answers if isinstance(cls.answers, bool) else True,
        "shared": hasattr(cls.Options, "__dataclass_fields__") and "addresses" in cls.Options.__dataclass_fields__,
    }


def _field(one: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """A form's field with its words in both languages."""
    known = {**one, "label": say(one.get("label") or one["name"])}
    known["help"] = say(one["help"]) if one.get("help") else None
    if "choices" in one:
        known["choices"] = [{"value": choice, "word": say(str(choice))} for choice in one["choices"]]
    return known


def _object() -> dict[str, Any]:
    body = json_object()
    if body is None:
        raise Turned(400, WHY["unreadable"])
    return body


def _text(given: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = given.get(key, default)
    if not isinstance(value, str):
        raise Turned(400, WHY["unreadable"])
    return value


def _download(data: bytes, name: str, kind: str) -> Response:
    return Response(data, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _short(line: str, here: Configuring) -> str:
    """A sentence without the file's whole path."""
    return line.removeprefix(f"{here.setup.file.path}: ")


def message_ids() -> set[str]:
    """Every message id said from here, drivers' words included."""
    said = {*WHY.values(), *KEY_WORDS.values(), "The password needs at least 8 characters."}
    for name in drivers.names():
        said.add((drivers.load(name).__doc__ or "").strip().partition("\n")[0])
        for one in forms.form(name):
            said |= {text for text in (one.get("label"), one.get("help")) if text}
            said |= {choice for choice in map(str, one.get("choices", ())) if not NAME.fullmatch(choice)}
    return said

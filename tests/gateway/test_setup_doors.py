"""The doors of the configuration: who may change something, what is refused, and that nothing half-right is saved."""

from __future__ import annotations

import http.client
import io
import json
import re
import stat
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pyotp
import pytest

from config import machine as machines
from config.hall_file import HallFile
from devices.gateway import PasswordFile, create_gateway, gateway_of, serve
from devices.gateway.configuring import Configuring
from devices.gateway.totp import STEP, TotpFile
from devices.roles import StillTaken
from devices.setup.changes import Setup, entries_of
from devices.simulate import SimulatedDevice
from devices.station import Station

STRIP = {"name": "strip", "driver": "pingan-strip", "options": {}, "windows": {"1": "1"}}


class Place:
    """A machine with a printer, its hall.toml and its page."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.folder, self.file = folder, folder / "hall.toml"
        self.printer = SimulatedDevice("escpos-printer", None, ()).on_pty(folder / "printer")
        self.strip = SimulatedDevice("pingan-strip", None, ()).on_pty(folder / "strip")
        self.file.write_text(
            '[machine]\nname = "x"\nstate = "."\n[hall]\nplan = "village"\n'
            f'[[device]]\nname = "printer"\ndriver = "escpos-printer"\nlink = "{self.printer.link}"\n',
            encoding="utf-8",
        )
        self.hear = lambda device, news: None
        self.station = Station(
            entries_of(machines.load(self.file).devices),
            lambda device, news: self.hear(device, news),
            delays=(0.05, 0.1),
        )
        self.password, self.totp = PasswordFile(folder / "password"), TotpFile(folder / "totp")
        setup = Setup(HallFile(self.file), lambda machine: self._apply(machine))
        self.configuring = Configuring(setup, self.password, self.totp, mode, (folder,))
        self.app = create_gateway(self.station, title="工位", configuring=self.configuring)
        self.hear = gateway_of(self.app).hear
        self.server = serve(self.app, "127.0.0.1", 0)

    def _apply(self, machine: machines.Machine) -> None:
        self.station.apply(entries_of(machine.devices))

    def close(self) -> None:
        self.configuring.end_lesson()
        self.server.close()
        self.station.close()
        self.printer.close()
        self.strip.close()


class Tab:
    """A browser's side: cookies and the page's token."""

    def __init__(self, port: int) -> None:
        self.port, self.cookie, self.token = port, "", ""
        page = self.ask("GET", "/setup")[1].decode()
        found = re.search(r'name="csrf" content="([^"]+)"', page)
        self.token = found[1] if found else ""

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Cookie": self.cookie, "X-CSRF-Token": self.token, "Content-Type": "application/json"}
        wire.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = wire.getresponse()
        data = answer.read()
        if answer.headers["Set-Cookie"]:
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        wire.close()
        return answer.status, data

    def json(self, method: str, path: str, body: object = None, status: int = 200) -> dict:
        code, data = self.ask(method, path, body)
        assert code == status, data.decode()
        return json.loads(data)


@pytest.fixture
def place_with(tmp_path: Path) -> Iterator:
    made: list[Place] = []

    def make(mode: str) -> Place:
        made.append(Place(tmp_path, mode))
        return made[-1]

    yield make
    for place in made:
        place.close()


@pytest.fixture
def place(place_with) -> Place:
    return place_with("open")


def test_added_saved_applied_undone(place: Place, until):
    tab = Tab(place.server.port)
    wanted = {**STRIP, "link": place.strip.link}
    plan = tab.json("POST", "/api/setup/plan", wanted)
    assert plan["mistakes"] == [] and plan["words"] == ["新增 added: strip (pingan-strip)"]
    assert '+name = "strip"' in plan["difference"]
    before = place.file.read_text(encoding="utf-8")
    printer = place.station.state("printer").counters["opened"]
    tab.json("POST", "/api/setup/save", {**wanted, "version": plan["version"]})
    until(lambda: place.station.state("strip").state.value == "ready")
    assert place.station.state("printer").counters["opened"] == printer  # nobody pulled the printer's cable
    assert place.station.entries["strip"].windows == {1: 1}
    back = tab.json("GET", "/api/setup/undo")
    assert back["words"] == ["删除 removed: strip (pingan-strip)"]
    saved = place.file.read_text(encoding="utf-8")
    place.file.write_text(saved + "# by hand\n", encoding="utf-8")
    tab.json("POST", "/api/setup/undo", {"version": back["version"]}, status=409)  # somebody has changed it meanwhile
    place.file.write_text(saved, encoding="utf-8")
    tab.json("POST", "/api/setup/undo", {"version": back["version"]})
    assert place.file.read_text(encoding="utf-8") == before and list(place.station.entries) == ["printer"]
    tab.json("POST", "/api/setup/undo", {}, status=404)


def test_changed_only_where_it_was_changed(place: Place):
    tab = Tab(place.server.port)
    fields = tab.json("GET", "/api/setup/form/escpos-printer?device=printer")["fields"]
    options = {one["name"]: one["value"] for one in fields} | {"width_mm": 58}
    wanted = {"name": "slips", "driver": "escpos-printer", "link": place.printer.link, "options": options}
    plan = tab.json("POST", "/api/setup/plan", {**wanted, "instead": "printer"})
    assert [line for line in plan["difference"] if line[0] in "+-"] == [
        '-name = "printer"', '+name = "slips"', "+options = { width_mm = 58 }"]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "name: give it a name"),
        ({"name": "printer"}, "two devices are called printer"),
        ({"driver": "pingan"}, "no driver is called 'pingan'"),
        ({"link": "ttyUSB0"}, "link must start with its kind"),
        ({"link": "serial:///dev/ttyUSB0"}, "may be another device after the next start"),
        ({"link": "v4l2://by-path/x"}, "sits on serial or socket"),
        ({"options": {"digits": "many"}}, "options.digits: expected a whole number"),
        ({"options": {"digits": "9"}}, "digits: must be at most 4"),
        ({"windows": {"1": "99"}}, "there is no window 99"),
        ({"windows": {"a": "1"}}, "write an address and a window number"),
    ],
)
def test_mistakes_are_said_and_nothing_is_saved(place: Place, change: dict, said: str):
    tab = Tab(place.server.port)
    wanted = {**STRIP, "link": place.strip.link, **change}
    before = place.file.read_text(encoding="utf-8")
    code, data = tab.ask("POST", "/api/setup/plan", wanted)
    told = json.loads(data)
    assert code in (200, 422) and said in " ".join(told["mistakes"])
    assert str(place.folder) + "/hall.toml" not in " ".join(told["mistakes"])
    assert tab.ask("POST", "/api/setup/save", {**wanted, "version": "x"})[0] in (409, 422)
    assert place.file.read_text(encoding="utf-8") == before


def test_two_technicians_at_once(place: Place):
    first, second = Tab(place.server.port), Tab(place.server.port)
    wanted = {**STRIP, "link": place.strip.link}
    plans = [tab.json("POST", "/api/setup/plan", wanted) for tab in (first, second)]
    first.json("POST", "/api/setup/save", {**wanted, "version": plans[0]["version"]})
    other = {**wanted, "name": "other", "link": "serial://by-path/1-9:1.0", "windows": {}}
    told = second.json("POST", "/api/setup/save", {**other, "version": plans[1]["version"]}, status=409)
    assert told["sentence"][0].startswith("配置已被他人修改")


def test_devices_come_from_another_machine(place: Place):
    tab = Tab(place.server.port)
    code, text = tab.ask("GET", "/api/setup/export")
    assert code == 200 and b'name = "printer"' in text and b"[machine]" not in text
    given = text.decode().replace('"printer"', '"slips"')
    plan = tab.json("POST", "/api/setup/plan", {"given": given})
    assert plan["words"] == ["新增 added: slips (escpos-printer)", "删除 removed: printer (escpos-printer)"]
    tab.json("POST", "/api/setup/save", {"given": given, "version": plan["version"]})
    assert list(place.station.entries) == ["slips"]
    assert "no [[device]]" in tab.json("POST", "/api/setup/plan", {"given": "a = 1"}, status=422)["mistakes"][0]
    assert tab.json("POST", "/api/setup/plan", {"given": "[[["}, status=422)["mistakes"]


def test_removed(place: Place):
    tab = Tab(place.server.port)
    plan = tab.json("POST", "/api/setup/plan", {"remove": "printer"})
    tab.json("POST", "/api/setup/save", {"remove": "printer", "version": plan["version"]})
    assert list(place.station.entries) == [] and "[[device]]" not in place.file.read_text(encoding="utf-8")
    tab.json("POST", "/api/setup/plan", {"remove": "printer"}, status=422)


def test_the_bundle_opens(place: Place):
    code, packed = Tab(place.server.port).ask("GET", "/api/setup/bundle")
    assert code == 200
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {"about.json", "devices.json", "ports.json", "devices.toml"} <= set(archive.namelist())


# ---- who may ----


def test_nobody_where_it_is_switched_off(place_with):
    place = place_with("off")
    tab = Tab(place.server.port)
    assert tab.json("GET", "/api/setup")["why"][0] == "本机已关闭配置修改。"
    wanted = {**STRIP, "link": place.strip.link}
    for path in ("save", "undo", "ask", "lesson", "devices/printer/accept"):
        tab.json("POST", f"/api/setup/{path}", wanted, status=403)
    tab.json("POST", "/api/setup/totp", {}, status=403)
    assert place.strip.obeyed == []


def test_a_password_first(place_with):
    place = place_with("password")
    tab = Tab(place.server.port)
    assert tab.json("GET", "/api/setup")["missing"] == "password"
    tab.json("POST", "/api/setup/save", {**STRIP, "link": place.strip.link}, status=403)


def enrol(tab: Tab, password: str = "technik-88") -> str:
    secret = tab.json("POST", "/api/setup/totp", {})["secret"].replace(" ", "")
    code = pyotp.TOTP(secret).now()
    tab.json("POST", "/api/setup/totp/confirm", {"code": code, "password": password})
    return secret


def test_the_second_factor_is_set_up_once(place_with):
    place = place_with("totp")
    tab, other = Tab(place.server.port), Tab(place.server.port)
    wanted = {**STRIP, "link": place.strip.link}
    tab.json("POST", "/api/setup/save", wanted, status=403)
    secret = tab.json("POST", "/api/setup/totp", {})["secret"].replace(" ", "")
    tab.json("POST", "/api/setup/totp/confirm", {"code": "000000", "password": "technik-88"}, status=401)
    tab.json("POST", "/api/setup/totp/confirm", {"code": pyotp.TOTP(secret).now(), "password": "short"}, status=422)
    assert not place.totp.is_set and not place.password.path.exists()
    tab.json("POST", "/api/setup/totp/confirm", {"code": pyotp.TOTP(secret).now(), "password": "technik-88"})
    assert stat.S_IMODE(place.totp.path.stat().st_mode) == 0o600
    plan = tab.json("POST", "/api/setup/plan", wanted)
    tab.json("POST", "/api/setup/save", {**wanted, "version": plan["version"]})
    other.json("GET", "/api/setup", status=401)  # from now on a password is asked for
    other.json("POST", "/api/setup/totp", {}, status=401)
    tab.json("POST", "/api/setup/totp", {}, status=403)


def test_signed_in_is_not_enough(place_with):
    place = place_with("totp")
    secret = enrol(Tab(place.server.port))
    tab = Tab(place.server.port)
    tab.token = re.search(r'name="csrf" content="([^"]+)"', tab.ask("GET", "/login")[1].decode())[1]
    tab.json_status = tab.ask("POST", "/api/session", {"password": "technik-88"})[0]
    assert tab.json_status == 204
    tab.token = re.search(r'name="csrf" content="([^"]+)"', tab.ask("GET", "/setup")[1].decode())[1]
    assert tab.json("GET", "/api/setup")["missing"] == "sign in"
    tab.json("POST", "/api/setup/undo", {}, status=403)
    used = pyotp.TOTP(secret).now()
    place.totp.matches(used)
    assert tab.json("POST", "/api/setup/figures", {"code": used}, status=401)["sentence"][0].startswith("口令不正确")
    place.totp._now = lambda now=place.totp._now: now() + STEP  # half a minute later
    tab.json("POST", "/api/setup/figures", {"code": pyotp.TOTP(secret).at(int(place.totp._now()))})
    assert tab.json("GET", "/api/setup")["may"] is True


def test_figures_cannot_be_guessed(place_with):
    place = place_with("totp")
    tab = Tab(place.server.port)
    enrol(tab)
    answers = [tab.ask("POST", "/api/setup/figures", {"code": f"{n:06}"})[0] for n in range(8)]
    assert answers[-1] == 429 and 200 not in answers


def test_figures_are_good_for_one_time(tmp_path: Path):
    now = [1_700_000_000.0]
    totp = TotpFile(tmp_path / "totp", lambda: now[0])
    secret = TotpFile.fresh()
    at = pyotp.TOTP(secret).at
    assert totp.set(secret, at(int(now[0])))
    assert not totp.matches(at(int(now[0])))
    now[0] += STEP
    assert totp.matches(at(int(now[0]) + STEP))  # a phone that is half a minute ahead
    assert not totp.matches(at(int(now[0])))  # and what was before it is over
    now[0] += 10 * STEP
    assert not totp.matches(at(int(now[0]) - 2 * STEP))
    for wrong in ("", "12345", "abcdef", "１２３４５６", "-12345"):
        assert not totp.matches(wrong)
    assert totp.matches(at(int(now[0])))
    assert not TotpFile(totp.path, lambda: now[0]).matches(at(int(now[0])))  # a program that was started anew
    now[0] += STEP
    totp.path.chmod(0o644)
    assert not totp.matches(at(int(now[0])))


def test_a_file_of_a_secret_alone_goes_on_working(tmp_path: Path):
    totp = TotpFile(tmp_path / "totp")
    secret = TotpFile.fresh()
    totp.path.write_text(secret + "\n")
    totp.path.chmod(0o600)
    figures = pyotp.TOTP(secret).now()
    assert totp.matches(figures) and not totp.matches(figures)


def test_a_lesson_nobody_looks_at_ends(place: Place, until):
    place.configuring.patience = 0.3
    tab = Tab(place.server.port)
    tab.json("POST", "/api/setup/lesson", {"link": place.strip.link, "kind": "pad"})
    until(lambda: "learning" not in [thread.name for thread in threading.enumerate()])
    tab.json("GET", "/api/setup/lesson", status=404)


def test_a_password_set_on_the_command_line_counts_at_once(place_with):
    place = place_with("totp")
    tab = Tab(place.server.port)
    secret = tab.json("POST", "/api/setup/totp", {})["secret"].replace(" ", "")
    place.password.set("technik-88")
    tab.json("GET", "/api/setup", status=401)
    code = {"code": pyotp.TOTP(secret).now(), "password": "somebody else's"}
    tab.json("POST", "/api/setup/totp/confirm", code, status=401)
    assert place.password.matches("technik-88") and not place.totp.is_set


def test_a_foreign_page_changes_nothing(place: Place):
    tab = Tab(place.server.port)
    tab.token = ""
    tab.json("POST", "/api/setup/save", {**STRIP, "link": place.strip.link}, status=403)
    tab.json("DELETE", "/api/setup/lesson", status=403)
    assert list(place.station.entries) == ["printer"]


@pytest.mark.parametrize(
    "path", ["save", "plan", "ask", "candidates", "lesson", "lesson/key", "totp/confirm", "figures"]
)
@pytest.mark.parametrize("body", [None, [], {}, {"driver": 1, "link": {}}, {"link": "x:y", "kind": "cat"}])
def test_nonsense_is_refused_in_words(place: Place, path: str, body: object):
    code, data = Tab(place.server.port).ask("POST", f"/api/setup/{path}", body)
    assert 400 <= code < 500, data
    assert json.loads(data)["sentence"][0]


# ---- a camera's stand


def sheet_under(camera: SimulatedDevice, sheet: bool = True) -> None:
    """The next still shows the calibration sheet, 100 dots an inch, on a desk 14 inches wide; or the bare desk."""
    desk = np.full((1400, 1400, 3), (58, 72, 80), np.uint8)
    if sheet:
        desk[100:1269, 100:927] = 240
        for row in range(8):  # the middles of the discs in millimetres, as the sheet says: every 30, from 30 and 40
            for column in range(6):
                at = [100 + millimetres / 25.4 * 100 for millimetres in (30 + 30 * column, 40 + 30 * row)]
                cv2.circle(desk, (round(at[0]), round(at[1])), 18, (20, 20, 20), -1, cv2.LINE_AA)
    camera.happen(StillTaken(jpeg=cv2.imencode(".jpg", desk)[1].tobytes()))


@pytest.fixture
def camera() -> Iterator[SimulatedDevice]:
    one = SimulatedDevice("uvc-camera", {"width": 640, "height": 480}).on_tcp()
    yield one
    one.close()


def with_camera(place: Place, camera: SimulatedDevice, until) -> Tab:
    size = "options = { width = 640, height = 480 }"
    place.file.write_text(
        place.file.read_text("utf-8")
        + f'[[device]]\nname = "desk"\ndriver = "uvc-camera"\nlink = "{camera.link}"\n{size}\n',
        "utf-8",
    )
    place.station.apply(entries_of(machines.load(place.file).devices))
    until(lambda: place.station.state("desk").state.value == "ready")
    return Tab(place.server.port)


def test_a_stand_is_measured_and_the_figure_kept(place: Place, camera: SimulatedDevice, until):
    tab = with_camera(place, camera, until)
    sheet_under(camera)
    said = tab.json("POST", "/api/devices/desk/trials/measure", {})
    assert said["result"] == "done" and "356" in said["sentence"][0] and "已保存" in said["sentence"][0], said
    assert not said["picture"] and said["hint"] is None
    assert place.station.options("desk").across == pytest.approx(14 * 25.4, rel=0.005)
    assert place.station.options("desk").width == 640
    until(lambda: place.station.state("desk").state.value == "ready")
    sheet_under(camera, sheet=False)
    said = tab.json("POST", "/api/devices/desk/trials/measure", {})
    assert said["result"] == "failed" and "标定纸" in said["sentence"][0]
    assert place.station.options("desk").across == pytest.approx(14 * 25.4, rel=0.005)


def test_nobody_who_may_not_change_devices_keeps_a_figure(place_with, camera: SimulatedDevice, until):
    place = place_with("totp")
    tab = with_camera(place, camera, until)
    before = place.file.read_bytes()
    sheet_under(camera)
    said = tab.json("POST", "/api/devices/desk/trials/measure", {})
    assert said["result"] == "done" and "356" in said["sentence"][0] and "未保存" in said["sentence"][0]
    assert place.file.read_bytes() == before

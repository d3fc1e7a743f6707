"""The local page's doors: who is let in, what a test button brings, and that every word has its Chinese."""

import json
import re
import socket
import threading
import urllib.request
from dataclasses import replace
from pathlib import Path

import gevent
import pytest
from flask.testing import FlaskClient

from config.words import Sentence, translator
from devices.cable import loss_of
from devices.gateway import (
    PasswordFile,
    configuring,
    create_gateway,
    faces,
    gateway_of,
    measuring,
    serve,
    trials,
)
from devices.gateway.app import sentence_of
from devices.gateway.guard import TRIES, Guard, Turned
from devices.gateway.hosts import is_loopback, own_host, own_loopback
from devices.gateway.wording import ROOM
from devices.links.base import FORBIDDEN, IN_USE, LinkLost
from devices.links.holder import OURSELVES
from devices.roles import CardPresented, FrameSeen, PaperOut, PrintTest, ShowCall, ShowWelcome, StillTaken, TakeStill
from devices.station import DeviceEntry, State

GATEWAY = Path(faces.__file__).parent
PASSWORD = "right horse"


def client_of(station, **choices) -> FlaskClient:
    app = create_gateway(station, title="test", **choices)
    return app.test_client()


def token(client: FlaskClient, path: str = "/") -> dict[str, str]:
    """The header our own page would send."""
    html = client.get(path).get_data(as_text=True)
    return {"X-CSRF-Token": re.search(r'name="csrf" content="([^"]+)"', html)[1]}


# ---- who is let in ----


def test_strict_headers_on_every_answer(hall):
    client = client_of(hall)
    for path in ("/", "/api/devices", "/static/devices.js", "/nowhere"):
        headers = client.get(path).headers
        assert "'unsafe-inline'" not in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_hold_no_inline_script_or_style():
    for template in (GATEWAY / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), template


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1:8765", True),
        ("localhost", True),
        ("[::1]:8765", True),
        ("10.0.0.7:8765", True),
        ("evil.example:8765", False),  # a foreign name pointed at this machine
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("[", False),
    ],
)
def test_foreign_names_are_turned_away(hall, host, own):
    assert own_host(host) is own
    if host not in ("", "["):
        assert client_of(hall).get("/api/devices", headers={"Host": host}).status_code == (200 if own else 421)


def test_this_machine_by_its_own_names():
    assert all(is_loopback(name) for name in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"))
    assert not any(is_loopback(name) for name in ("", "10.0.0.7", "::ffff:10.0.0.7", "localhost.evil.example"))
    assert own_loopback("[::1]:8765") and not own_loopback("[::1") and not own_loopback("10.0.0.7:8765")


def test_a_foreign_page_cannot_press_a_button(hall, bench):
    client = client_of(hall)
    right = token(client)
    door = "/api/devices/printer/trials/print"
    assert client.post(door, json={}).status_code == 403
    assert client.post(door, json={}, headers={"X-CSRF-Token": "guess"}).status_code == 403
    assert client.post(door, json={}, headers={**right, "Origin": "http://evil.example"}).status_code == 403
    assert client.post(door, json={}, headers={**right, "Origin": "null"}).status_code == 403
    assert bench.far["printer"].obeyed == []
    assert client.post(door, json={}, headers={**right, "Origin": "http://localhost"}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "reached"),
    [
        ("/setup?device=x", "/setup?device=x"),
        ("/", "/"),
        ("//elsewhere.example/setup", "/"),
        ("https://elsewhere.example/", "/"),
        ("/api/devices", "/"),
        ("/setup/../api", "/"),
        ("http://[", "/"),
    ],
)
def test_after_signing_in_one_is_where_one_wanted_to_be_and_never_elsewhere(hall, asked: str, reached: str):
    client = client_of(hall, login=lambda given: given == PASSWORD)
    page = client.get("/login", query_string={"to": asked}).get_data(as_text=True)
    assert re.search(r'data-to="([^"]*)"', page)[1] == reached
    client.post("/api/session", json={"password": PASSWORD}, headers=token(client, "/login"))
    assert client.get("/login", query_string={"to": asked}).headers["Location"] == reached


def test_the_password_opens_and_signing_out_closes(hall):
    client = client_of(hall, login=lambda given: given == PASSWORD)
    assert client.get("/").headers["Location"] == "/login"
    for path in ("/api/devices", "/api/feed", "/api/devices/printer/still"):
        assert client.get(path).status_code == 401
    head = token(client, "/login")
    assert client.post("/api/devices/printer/trials/print", json={}, headers=head).status_code == 401
    wrong = client.post("/api/session", json={"password": "no"}, headers=head)
    assert wrong.status_code == 401
    assert wrong.json["sentence"] == ["密码不正确。", "The password is not right."]
    assert client.post("/api/session", json={"password": PASSWORD}, headers=head).status_code == 204
    assert client.get("/api/devices").status_code == 200
    assert client.get("/login").headers["Location"] == "/"
    assert client.delete("/api/session", headers=token(client)).status_code == 204
    assert client.get("/api/devices").status_code == 401


def test_a_foreign_page_holds_no_connection_but_may_lead_here(hall):
    client = client_of(hall)
    for site in ("cross-site", "same-site"):
        assert client.get("/api/feed", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status_code == 403
        assert client.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status_code == 200
    for site in ("same-origin", "none"):
        assert client.get("/api/devices", headers={"Sec-Fetch-Site": site}).status_code == 200


def test_one_secret_known_does_not_help_to_guess_another(hall):
    guard = Guard(lambda given: given == PASSWORD)
    for _ in range(TRIES):
        with pytest.raises(Turned, match="wrong figures"):
            guard.count_try(lambda: False, "wrong figures")
        guard.count_try(lambda: True, "The password is not right.")
    with pytest.raises(Turned, match="Too many tries"):
        guard.count_try(lambda: True, "wrong figures")


def test_a_fault_of_our_own_is_said_as_one(hall, caplog):
    app = create_gateway(hall, title="t")
    app.add_url_rule("/static/fault", "static_fault", lambda: [][0])
    answer = app.test_client().get("/static/fault")
    assert answer.status_code == 500
    assert answer.json["sentence"][0].startswith("本程序内部出错")
    assert "IndexError" in caplog.text


def test_guessing_is_slowed_down(hall):
    client = client_of(hall, login=lambda given: given == PASSWORD)
    head = token(client, "/login")
    codes = [client.post("/api/session", json={"password": str(n)}, headers=head).status_code for n in range(6)]
    assert codes == [401] * 5 + [429]
    assert client.post("/api/session", json={"password": PASSWORD}, headers=head).status_code == 429


def test_two_stations_on_one_machine_keep_their_cookies_apart(hall):
    names = {create_gateway(hall, title=t).config["SESSION_COOKIE_NAME"] for t in ("one", "two")}
    assert len(names) == 2


def test_the_password_file(tmp_path):
    file = PasswordFile(tmp_path / "gateway.password")
    assert not file.matches("")
    with pytest.raises(ValueError, match="at least 8"):
        file.set("short")
    file.set(PASSWORD)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in file.path.read_text()
    assert file.matches(PASSWORD) and not file.matches("wrong horse")
    file.set("another horse")
    assert file.matches("another horse") and not file.matches(PASSWORD)
    file.path.chmod(0o644)  # others could have read it, or written it
    assert not file.matches("another horse")


def test_an_open_page_stays_on_this_machine(hall):
    with pytest.raises(ValueError, match="set the technician's password first"):
        serve(create_gateway(hall, title="t"), "0.0.0.0", 0)


def test_a_taken_port_is_named(hall):
    app = create_gateway(hall, title="t")
    with serve(app, "127.0.0.1", 0) as server, pytest.raises(OSError, match=f"gateway.port: 127.0.0.1:{server.port}"):
        serve(app, "127.0.0.1", server.port)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: 127", b"POST /api/session HTTP/1.1\r\nHost: [", None])
def test_a_connection_that_stands_still_makes_room(hall, said, capfd):
    if said is None:
        said = b"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"
    with (
        serve(create_gateway(hall, title="t"), "127.0.0.1", 0, idle=0.3) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as plug,
    ):
        plug.sendall(said)
        while plug.recv(65536):
            pass  # until it is closed
    assert "Traceback" not in capfd.readouterr().err


def test_a_feed_goes_on_though_its_reader_says_nothing(hall, bench):
    with (
        serve(create_gateway(hall, title="t"), "127.0.0.1", 0, idle=0.3) as server,
        urllib.request.urlopen(f"{server.url}api/feed", timeout=20) as feed,
    ):
        threading.Timer(1.0, bench.far["printer"].unplug).start()  # long after its connection has stood still
        state = ""
        while state != "absent":
            line = feed.readline()
            assert line, "the feed was cut"
            if line.startswith(b"data:"):
                state = json.loads(line[5:])["devices"][0]["state"]


# ---- what it tells ----


def test_each_state_comes_with_word_shape_and_advice(hall, bench, until):
    client = client_of(hall)
    bench.far["printer"].happen(PaperOut())
    until(lambda: client.get("/api/devices?device=printer").json["device"]["state"] == "error", 15)
    seen = client.get("/api/devices?device=printer").json
    rows = {d["name"]: d for d in seen["devices"]}
    assert [rows[n]["state"] for n in ("printer", "strips", "old strip", "away")] == [
        "error",
        "ready",
        "mute",
        "absent",
    ]
    assert len({d["shape"] for d in rows.values()}) == 4
    assert rows["printer"]["word"] == ["故障", "Fault"]
    assert rows["printer"]["roles"] == [["小票打印机", "Ticket printer"]]
    assert "缺纸" in seen["device"]["reason"][0]
    assert seen["device"]["advice"][0][0].startswith("请装入新纸卷")
    assert client.get("/api/devices?device=away").json["device"]["advice"][0][0].startswith("请检查两端插头")
    assert {"direction": "out", "data": "10 04 01", "size": 3}.items() <= seen["device"]["exchanges"][-1].items()
    assert any("缺纸" in n["text"] for n in seen["device"]["news"])
    assert client.get("/api/devices?device=nobody").json["device"] is None


def test_better_advice_than_to_look_at_the_plug(bench):
    bench.add("away", "escpos-printer", plugged=False)
    state = replace(bench.start().state("away"), state=State.ABSENT)
    held = Sentence(IN_USE, user="picocom (process 8)", node="/dev/x")
    lost = loss_of(LinkLost(held))
    for reason in (held, lost):
        trouble = {"news": "LinkDown", "reason": reason}
        for said in (replace(state, troubles=(trouble,)), replace(state, troubles=(), reason=reason)):
            assert faces.advice(said) == [faces.BUSY]
    twice = replace(state, reason=Sentence(IN_USE, user=OURSELVES, node="/dev/x"), troubles=())
    assert faces.advice(twice) == [faces.REASON_ADVICE[OURSELVES.id]] != [faces.BUSY]
    refused = replace(state, reason=Sentence(FORBIDDEN, node="/dev/x", group="dialout"), troubles=())
    assert faces.advice(refused) == [faces.REASON_ADVICE[FORBIDDEN]]
    assert faces.advice(replace(state, reason="", troubles=())) == [faces.ADVICE["LinkDown"]]


def test_a_person_is_never_named(bench, until):
    bench.add("reader", "ga467-reader")
    station = bench.start()
    client = client_of(station)
    until(lambda: station.state("reader").state.value == "ready")
    bench.far["reader"].happen(
        CardPresented(
            kind="citizen",
            name="张三丰",
            id_number="11010519491231002X",
            sex="男",
            nation="汉",
            birth="19491231",
            address_text="武当山紫霄宫",
            authority="某公安局",
            start="20200101",
            end="长期",
        )
    )
    until(lambda: any("证件" in n["text"] for n in client.get("/api/devices?device=reader").json["device"]["news"]))
    text = client.get("/api/devices?device=reader").get_data(as_text=True)
    assert "张**" in text
    for secret in ("张三丰", "11010519491231002X", "紫霄宫", "三丰".encode("utf-16-le").hex(" ").upper()):
        assert secret not in text
    assert any(
        x["data"] == "" and x["size"] > 0 for x in client.get("/api/devices?device=reader").json["device"]["exchanges"]
    )


# ---- test buttons ----


def test_buttons_fit_the_role(hall):
    say = gateway_of(create_gateway(hall, title="t")).say
    assert [t["key"] for t in trials.trials_of(hall, "printer", say)] == ["print", "roll"]
    strips = trials.trials_of(hall, "strips", say)
    assert [t["key"] for t in strips] == ["call", "welcome"]
    assert [a["label"] for a in strips[0]["addresses"]] == ["5 号窗口 window 5", "6 号窗口 window 6"]


def test_a_test_that_is_done(hall, bench):
    client = client_of(hall)
    answer = client.post("/api/devices/printer/trials/print", json={}, headers=token(client)).json
    assert answer["result"] == "done"
    assert answer["sentence"][0] == "成功：设备已确认。"
    assert bench.far["printer"].obeyed == [PrintTest()]


def test_a_test_at_the_right_address(hall, bench):
    client = client_of(hall)
    head = token(client)
    assert client.post("/api/devices/strips/trials/call", json={"address": 2}, headers=head).json["result"] == "done"
    assert client.post("/api/devices/strips/trials/welcome", json={}, headers=head).json["result"] == "done"
    assert bench.far["strips"].obeyed == [ShowCall(number="A001", window=6, address=2), ShowWelcome()]


def test_a_test_that_is_refused_says_why_in_both_languages(hall, bench):
    client = client_of(hall)
    bench.far["printer"].happen(PaperOut())
    answer = client.post("/api/devices/printer/trials/print", json={}, headers=token(client)).json
    assert answer["result"] == "failed"
    assert answer["reason"] == ["打印机缺纸：请装入新纸卷", "the printer has no paper: put in a new roll"]
    assert client.post("/api/devices/away/trials/print", json={}, headers=token(client)).json["result"] == "failed"


def test_a_test_nobody_can_confirm_is_unknown(hall, bench, until):
    client = client_of(hall)
    answer = client.post("/api/devices/old strip/trials/welcome", json={}, headers=token(client)).json
    assert answer["result"] == "unknown"
    until(lambda: bench.far["old strip"].obeyed == [ShowWelcome()])


def test_what_cannot_be_tested(hall):
    client = client_of(hall)
    head = token(client)
    assert client.post("/api/devices/printer/trials/rate", json={}, headers=head).status_code == 404
    assert client.post("/api/devices/nobody/trials/print", json={}, headers=head).status_code == 404
    assert client.post("/api/devices/strips/trials/call", json={"address": "2"}, headers=head).status_code == 400
    closed = client_of(hall, allow_test=False)
    assert closed.post("/api/devices/printer/trials/print", json={}, headers=token(closed)).status_code == 403
    assert closed.get("/api/devices?device=printer").json["trials"] == []


def test_pictures_come_from_memory_only(hall):
    client = client_of(hall)
    assert client.get("/api/devices/printer/still").status_code == 404
    assert client.get("/api/devices/printer/live").status_code == 404
    gateway = gateway_of(client.application)
    gateway.hear("printer", FrameSeen(jpeg=b"\xff\xd8nobody looks\xff\xd9", width=4, height=3))
    assert gateway.views.kept() == []
    shown = iter(client.get("/api/devices/printer/live").response)
    assert next(shown) == b"--frame\r\n"
    gateway.hear("printer", FrameSeen(jpeg=b"\xff\xd8picture\xff\xd9", width=4, height=3))
    assert b"picture" in next(shown)
    assert gateway.views.kept() == ["printer"]
    shown.close()  # the browser has gone
    gateway.hear("printer", FrameSeen(jpeg=b"\xff\xd8one more\xff\xd9", width=4, height=3))
    assert gateway.views.kept() == []


def test_a_still_is_shown_from_memory(bench, until):
    bench.entries.append(DeviceEntry("camera", "uvc-camera", "sim:"))
    client = client_of(bench.start(tell=lambda *news: gateway_of(client.application).hear(*news)))
    until(lambda: client.get("/api/devices?device=camera").json["device"]["state"] == "ready")
    bench.station.send("camera", TakeStill()).result(5)
    assert client.get("/api/devices/camera/still").status_code == 404, "nobody here asked for that picture"
    answer = client.post("/api/devices/camera/trials/still", json={}, headers=token(client)).json
    assert answer["result"] == "done" and answer["picture"] and answer["news"] == []
    assert client.get("/api/devices/camera/still").data[:2] == b"\xff\xd8"
    assert client.get("/api/devices/camera/still").status_code == 404, "it is handed over once"
    assert [news.jpeg for _, news in bench.station.last_news("camera") if isinstance(news, StillTaken)] == [b""] * 2


def test_a_still_nobody_fetches_is_forgotten(bench, until):
    bench.entries.append(DeviceEntry("camera", "uvc-camera", "sim:"))
    client = client_of(bench.start(tell=lambda *news: gateway_of(client.application).hear(*news)))
    gateway_of(client.application).stills.fetched = 0.2
    until(lambda: client.get("/api/devices?device=camera").json["device"]["state"] == "ready")
    assert client.post("/api/devices/camera/trials/still", json={}, headers=token(client)).json["picture"]

    def over() -> bool:
        gevent.sleep(0.02)
        return not gateway_of(client.application).stills._asked

    until(over)
    assert client.get("/api/devices/camera/still").status_code == 404


def test_a_failed_still_waits_for_nobody_elses_picture(bench):
    bench.add("camera", "uvc-camera", plugged=False)
    gateway = gateway_of((client := client_of(bench.start())).application)
    head = token(client)
    assert client.post("/api/devices/camera/trials/still", json={}, headers=head).json["result"] == "failed"
    assert client.post("/api/devices/nobody/trials/still", json={}, headers=head).status_code == 404
    gateway.hear("camera", StillTaken(jpeg=b"\xff\xd8a citizen's paper\xff\xd9", width=4, height=3))
    assert client.get("/api/devices/camera/still").status_code == 404


def test_a_button_the_device_cannot_obey_says_why(bench):
    bench.add("scanner", "serial-scanner")
    station = bench.start()
    say = gateway_of(create_gateway(station, title="t")).say
    scan = trials.trials_of(station, "scanner", say)[0]
    assert scan["key"] == "scan"
    assert scan["cannot"][0].startswith("此扫码器未设置触发命令")


# ---- words ----


def test_every_message_is_translated():
    said = faces.message_ids() | trials.message_ids() | configuring.message_ids() | measuring.message_ids()
    for template in (GATEWAY / "templates").rglob("*.html"):
        said |= set(re.findall(r"""\b(?:two|_|second)\(['"](.+?)["']\)""", template.read_text("utf-8")))
    said |= set(re.findall(r'Turned\(\d+, "(.+?)"\)', "".join(p.read_text("utf-8") for p in GATEWAY.glob("*.py"))))
    said |= {sentence_of(status) for status in (400, 404, 500)}
    chinese = translator(ROOM)
    assert len(said) > 80
    assert sorted(m for m in said if not re.search(r"[\u4e00-\u9fff]", chinese(m))) == []


def test_only_the_icons_are_served(hall):
    client = client_of(hall)
    assert client.get("/static/icons/css/solid.min.css").status_code == 200
    assert client.get("/static/icons/webfonts/fa-solid-900.woff2").status_code == 200
    assert client.get("/static/icons/js/all.min.js").status_code == 404
    assert client.get("/static/icons/../__init__.py").status_code == 404
    assert "--river" in client.get("/static/look.css").get_data(as_text=True)

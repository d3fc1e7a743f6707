"""A window's program lets web pages use its devices, as hall.toml says; a kiosk's never does."""

import contextlib
import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from devices.roles import CardRemoved
from kiosk.attendant import Ears
from kiosk.demo_hall import free_port
from kiosk.roles.post import hear_too

ROOT = Path(__file__).resolve().parents[2]
BUSINESS = "https://business.example.gov.cn"


@contextlib.contextmanager
def program(folder: Path, gateway: str, role: str = "window"):
    """A role's program; the address it says."""
    (folder / "hall.toml").write_text(
        f'[machine]\nname = "w1"\nroles = ["{role}"]\nhall = "http://127.0.0.1:9"\nstate = "state"\n'
        f"[gateway]\nport = {free_port()}\n{gateway}\n"
        '[[device]]\nname = "camera"\ndriver = "uvc-camera"\nlink = "sim:"\noptions = { width = 320, height = 240 }\n'
    )
    (folder / "state").mkdir(exist_ok=True)
    (folder / "state" / f"{role}.token").touch(0o600)
    (folder / "state" / f"{role}.token").write_text("a-token")
    flags = ["--headless"] if role == "kiosk" else []
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"kiosk.roles.{role}", str(folder / "hall.toml"), *flags],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        line = process.stdout.readline()
        assert line.startswith("ready "), (folder / "errors").read_text()
        yield line.removeprefix("ready ").strip().rstrip("/")
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def ask(url: str, path: str, given=None, origin: str = BUSINESS, **headers: str):
    """Status and answer."""
    body = None if given is None else json.dumps(given).encode()
    request = urllib.request.Request(
        url + path, body, {"Origin": origin, "Content-Type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read()


def test_a_mistake_of_the_page_costs_the_hall_no_news(caplog):
    heard: list[tuple[str, object]] = []
    ears = Ears(news=lambda *told: heard.append(told))
    hear_too(ears, lambda device, news: [][1])
    ears.news("pad", CardRemoved())
    assert heard == [("pad", CardRemoved())]
    assert "IndexError" in caplog.text and "telling one more listener news of pad" in caplog.text


def test_a_page_is_paired_and_takes_a_picture_and_again_after_a_restart(tmp_path, soon):
    with program(tmp_path, f'origins = ["{BUSINESS}"]') as url:
        asked = json.loads(ask(url, "/v1/pairings", {"name": "综合受理系统"})[1])
        with urllib.request.urlopen(url + "/v1/pair", timeout=10) as page:
            cookie, html = page.headers["Set-Cookie"].partition(";")[0], page.read().decode()
        token = html.partition('name="csrf" content="')[2].partition('"')[0]
        clerk = {"X-CSRF-Token": token, "Cookie": cookie}
        assert ask(url, f"/v1/pair/{asked['pairing']}/allow", {}, url, **clerk)[0] == 204
        secret = {"Bianmin-Secret": asked["secret"]}
        given = json.loads(ask(url, f"/v1/pairings/{asked['pairing']}", **secret)[1])
        key = {"Authorization": f"Bearer {given['token']}"}
        soon(lambda: ask(url, "/v1/devices/camera/still", {}, **key)[1][:2] == b"\xff\xd8", 20)
        assert ask(url, "/v1/pairings", {}, "https://other.example")[0] == 403
        assert ask(url, "/getPic")[0] == 404  # the façade is off
    assert (tmp_path / "state" / "gateway-pairs.json").stat().st_mode & 0o777 == 0o600
    with program(tmp_path, f'origins = ["{BUSINESS}"]\nfacade = true') as url:
        assert ask(url, "/v1/devices", **key)[0] == 200
        assert ask(url, "/idcard/Open")[0] == 200


def test_https_with_the_authority_the_program_made(tmp_path):
    port = free_port()
    with program(tmp_path, f"tls_port = {port}"):
        authority = tmp_path / "state" / "gateway-tls" / "ca.crt"
        trust = ssl.create_default_context(cafile=str(authority))
        with urllib.request.urlopen(f"https://localhost:{port}/v1/sample", timeout=20, context=trust) as answer:
            assert "示例" in answer.read().decode()


@pytest.mark.parametrize(("gateway", "role"), [("api = false", "window"), ("", "kiosk")])
def test_where_pages_have_no_business(tmp_path, gateway, role):
    with program(tmp_path, gateway, role) as url:
        assert ask(url, "/v1/hello")[0] == 404
        assert ask(url, "/v1/pairings", {})[0] in (403, 404)

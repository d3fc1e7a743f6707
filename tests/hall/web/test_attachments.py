"""A ticket's papers over HTTP: a PDF in and out, and everything else turned away."""

from __future__ import annotations

import os
import sqlite3
import urllib.error
import urllib.request

import pytest

PDF = b"%PDF-1.7\n% papers of somebody\n" + bytes(range(256)) * 400 + b"\n%%EOF\n"


@pytest.fixture
def ticket(house) -> str:
    house.open_window()
    issued = house.caller("kiosk").post("/tickets", {"queue": "A"})
    house.caller("window").post("/windows/1/call-next")
    return issued.json["id"]


def test_a_clerk_attaches_lists_opens_and_removes(house, ticket, database):
    clerk = house.logged_in("li")
    first = clerk.post(f"/tickets/{ticket}/attachments", PDF, Idempotency_Key="scan-1")
    assert first.status_code == 201 and first.json["size"] == len(PDF)
    again = clerk.post(f"/tickets/{ticket}/attachments", PDF, Idempotency_Key="scan-1")
    assert again.json == first.json
    assert clerk.get(f"/tickets/{ticket}/attachments").json == {"attachments": [first.json]}
    other = clerk.post(f"/tickets/{ticket}/attachments", PDF + b"%%EOF\n", Idempotency_Key="scan-1")
    assert (other.status_code, other.json["code"]) == (422, "key_reused")
    where = f"/tickets/{ticket}/attachments/{first.json['id']}"
    opened = clerk.get(where)
    assert opened.data == PDF and opened.mimetype == "application/pdf"
    assert opened.headers["Cache-Control"] == "no-store"
    assert opened.headers["Content-Disposition"] == 'attachment; filename="scan.pdf"'
    with sqlite3.connect(database.removeprefix("sqlite:///")) as kept:
        [(sealed,)] = kept.execute("select sealed from attachments").fetchall()
    assert b"somebody" not in sealed and len(sealed) == len(PDF) + 12 + 16
    assert clerk.ask("DELETE", where).status_code == 204
    assert clerk.get(where).json["code"] == "no_attachment"


def test_strangers_get_nothing(house, ticket):
    kept = house.caller("window").post(f"/tickets/{ticket}/attachments", PDF).json["id"]
    where = f"/tickets/{ticket}/attachments"
    for role in (None, "kiosk", "screen", "technician"):
        status = 401 if role is None else 403
        stranger = house.caller(role)
        assert stranger.get(where).status_code == status
        assert stranger.get(f"{where}/{kept}").status_code == status
        assert stranger.post(where, PDF).status_code == status
        assert stranger.ask("DELETE", f"{where}/{kept}").status_code == status
    clerk = house.logged_in("li")
    clerk.headers.pop("X-CSRF-Token")
    assert clerk.post(where, PDF).json["code"] == "csrf"  # a foreign page's form cannot attach anything
    assert house.logged_in("wang").get(f"{where}/{kept}").data == PDF  # a manager


@pytest.mark.parametrize("body", [b"", b"{}", b"PK\x03\x04 a zip", b"%PDF-1.7 cut off in the mid", b"<html>%%EOF"])
def test_nothing_but_whole_pdf_documents(house, ticket, body):
    answer = house.caller("window").post(f"/tickets/{ticket}/attachments", body)
    assert (answer.status_code, answer.json["code"]) == (422, "no_pdf")
    assert "PDF" in answer.json["detail"]


def test_json_is_no_document(house, ticket):
    answer = house.caller("window").post(f"/tickets/{ticket}/attachments", {"pdf": "%PDF- %%EOF"})
    assert answer.json["code"] == "no_pdf"


def test_too_large_is_told_before_it_is_read(house, ticket):
    window = house.caller("window")
    large = PDF + b" " * (20 * 1024 * 1024) + b"%%EOF"
    assert window.post(f"/tickets/{ticket}/attachments", large).status_code == 413
    assert window.post("/windows/1/pause", b" " * 70_000).status_code == 413  # other doors are as narrow as ever


def test_a_served_hall_keeps_it_over_a_kill(serve):
    served = serve()
    token = served.token("manager")

    def send(method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
        request = urllib.request.Request(f"{served.url}/v1{path}", body, method=method)
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    import json

    ticket = json.loads(send("POST", "/tickets", b'{"queue": "A"}'))["id"]
    send("POST", "/windows/1/call-next", b"{}")
    paper = PDF * 40  # 4 MB, in many packets
    kept = json.loads(send("POST", f"/tickets/{ticket}/attachments", paper, "application/pdf"))["id"]
    served.kill()
    served.start()
    assert send("GET", f"/tickets/{ticket}/attachments/{kept}") == paper
    key = os.path.join(os.path.dirname(served.database.removeprefix("sqlite:///")), "attachments.key")
    assert os.stat(key).st_mode & 0o777 == 0o600
    os.unlink(key)
    served.kill()
    served.start()
    with pytest.raises(urllib.error.HTTPError) as trouble:
        send("GET", f"/tickets/{ticket}/attachments/{kept}")
    assert trouble.value.code == 503 and json.loads(trouble.value.read())["code"] == "no_vault"

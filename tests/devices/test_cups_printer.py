"""The A4 printer: messages laid out by RFC 8010's own rules, a CUPS of its own on loopback, and honest ends."""

from __future__ import annotations

import dataclasses
import io
import os
import pwd
import random
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from config.reader import Mistake
from devices.documents import DocumentMistake, document, trial_page
from devices.driver import OrderMistake
from devices.drivers.cups_printer import Driver, Options, Simulator
from devices.links import LinkAbsent, LinkMistake, open_link
from devices.options import read_options
from devices.roles import (
    Alive,
    CoverOpen,
    DocumentState,
    Garbled,
    LinkDown,
    News,
    Obeyed,
    PaperNearEnd,
    PaperOut,
    PrintDocument,
    PrinterError,
    PrinterOffline,
    PrintTest,
    Refused,
    Silent,
    TonerLow,
    Unconfirmed,
)
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, State, Station
from devices.words import say, to_json

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
ORDER = PrintDocument(id="d", title="一次性告知单", pdf=PDF, copies=2)
OUTCOMES = Obeyed | Refused | Unconfirmed
LOCALE = "47 0012 617474726962757465732D63686172736574 0005 7574662D38"  # attributes-charset utf-8
LOCALE += "48 001B 617474726962757465732D6E61747572616C2D6C616E6775616765 0002 656E"  # …-natural-language en


def attribute(tag: int, name: str, value: bytes | str | int) -> bytes:
    """By the picture in RFC 8010, 3.1.4: not the product's way."""
    data = value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else struct.pack(">i", value)
    return bytes((tag,)) + struct.pack(">H", len(name)) + name.encode() + struct.pack(">H", len(data)) + data


def answer(number: int, *attributes: bytes, status: int = 0, group: int = 4, http: str = "200 OK") -> bytes:
    """What a print service says."""
    body = struct.pack(">BBHI", 2, 0, status, number) + b"\x01" + bytes.fromhex(LOCALE)
    body += (bytes((group,)) + b"".join(attributes) if attributes else b"") + b"\x03"
    head = f"HTTP/1.1 {http}\r\nServer: CUPS/2.4 IPP/2.1\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def printer(number: int, state: int = 3, *reasons: str) -> bytes:
    more = [attribute(0x44, "" if i else "printer-state-reasons", one) for i, one in enumerate(reasons or ("none",))]
    return answer(number, attribute(0x23, "printer-state", state), *more)


def job(number: int, state: int, reason: str = "none", pages: int = 0) -> bytes:
    return answer(
        number,
        attribute(0x21, "job-id", 7),
        attribute(0x23, "job-state", state),
        attribute(0x44, "job-state-reasons", reason),
        attribute(0x21, "job-impressions-completed", pages),
        group=2,
    )


def asked(request: bytes) -> tuple[int, int]:
    """Operation and number of a request."""
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /printers/a4 HTTP/1.1\r\n")
    assert f"Content-Length: {len(body)}".encode() in head and b"Content-Type: application/ipp" in head
    assert body[:2] == b"\x02\x00"
    return struct.unpack_from(">HI", body, 2)


def sent(driver: Driver) -> int:
    """A document is under way to the service; the number of its question."""
    driver.take(ORDER)
    driver.feed(printer(asked(driver.owed())[1]))
    operation, number = asked(driver.owed())
    assert operation == 0x0002
    return number


# ---- the bytes of the RFC ----


def test_a_question_after_the_printer() -> None:
    driver = Driver()
    driver.poll()
    request = driver.owed()
    body = request.partition(b"\r\n\r\n")[2]
    assert body == (
        bytes.fromhex("0200 000B 00000001 01" + LOCALE)
        + attribute(0x45, "printer-uri", "ipp://localhost/printers/a4")
        + attribute(0x42, "requesting-user-name", "bianmin")
        + attribute(0x44, "requested-attributes", "printer-state")
        + attribute(0x44, "", "printer-state-reasons")
        + attribute(0x44, "", "printer-state-message")
        + b"\x03"
    )
    assert driver.feed(printer(1)) == [Alive(detail="answers IPP")]


def test_a_document_goes_with_its_name_kind_and_copies() -> None:
    body = Driver().encode(ORDER).partition(b"\r\n\r\n")[2]
    assert body == (
        bytes.fromhex("0200 0002 00000000 01" + LOCALE)
        + attribute(0x45, "printer-uri", "ipp://localhost/printers/a4")
        + attribute(0x42, "requesting-user-name", "bianmin")
        + attribute(0x42, "job-name", "一次性告知单")
        + attribute(0x49, "document-format", "application/pdf")
        + b"\x02"
        + attribute(0x21, "copies", 2)
        + b"\x03"
        + PDF
    )


@pytest.mark.parametrize(
    ("state", "reasons", "troubles"),
    [
        (3, ["none"], []),
        (4, [], []),
        (5, ["media-empty-error", "media-needed"], [PaperOut()]),
        (3, ["media-low-warning"], [PaperNearEnd()]),
        (3, ["media-low-report", "media-empty-warning"], [PaperOut()]),
        (5, ["door-open-error"], [CoverOpen()]),
        (5, ["cover-open"], [CoverOpen()]),
        (3, ["toner-low-report"], [TonerLow()]),
        (3, ["marker-supply-low-warning"], [TonerLow()]),
        (5, ["media-jam-error"], [PrinterError(detail="paper jam")]),
        (5, ["paused"], [PrinterOffline()]),
        (5, ["none"], [PrinterOffline()]),
        (3, ["offline-report"], [PrinterOffline()]),
        (3, ["cups-waiting-for-job-completed", "com.maker.unheard-of"], []),
    ],
)
def test_state_reasons_of_the_rfc(state: int, reasons: list[str], troubles: list[News]) -> None:
    driver = Driver()
    driver.poll()
    driver.owed()
    assert driver.feed(printer(1, state, *reasons)) == [Alive(detail="answers IPP"), *troubles]
    driver.poll()
    driver.owed()
    assert driver.feed(printer(2)) == [dataclasses.replace(t, over=True) for t in troubles]  # type: ignore[call-arg]


def test_a_document_from_start_to_end() -> None:
    driver = Driver()
    number = sent(driver)
    assert driver.feed(job(number, 3)) == [DocumentState(state="pending")]
    assert (driver.owed(), driver.patience, driver.idle) == (b"", 1.0, False)
    for state, words in ((5, "processing"), (5, ""), (9, "completed")):
        assert driver.silence() == []
        request = driver.owed()
        operation, number = asked(request)
        assert operation == 0x0009 and attribute(0x21, "job-id", 7) in request
        news = driver.feed(job(number, state, pages=2 * (state == 9)))
        assert [n.state for n in news if isinstance(n, DocumentState)] == ([words] if words else [])
    assert news == [DocumentState(state="completed", pages=2), Obeyed(order="PrintDocument", id="d")]
    assert driver.idle


@pytest.mark.parametrize(
    ("state", "reason", "pages", "outcome", "words"),
    [
        (7, "job-canceled-at-device", 0, Refused, "the print service has canceled it (job-canceled-at-device)"),
        (8, "document-format-error", 0, Refused, "the print service has aborted it (document-format-error)"),
        (8, "aborted-by-system", 3, Unconfirmed, "3 pages have come out already"),
    ],
)
def test_a_document_that_does_not_come_out(state: int, reason: str, pages: int, outcome: type, words: str) -> None:
    driver = Driver()
    news = driver.feed(job(sent(driver), state, reason, pages))
    assert type(news[-1]) is outcome and words in news[-1].reason  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("spoken", "words"),
    [
        (lambda n: answer(n, status=0x0506), "takes no documents"),
        (lambda n: answer(n, status=0x040A), "cannot print this kind"),
        (lambda n: answer(n, status=0x0403), "may not print there"),
        (lambda n: answer(n, status=0x05FF), "says 05ff"),
        (lambda n: answer(n, http="403 Forbidden"), "HTTP 403"),
    ],
)
def test_a_refused_document_is_known_not_to_be_printed(spoken: Any, words: str) -> None:
    driver = Driver()
    news = driver.feed(spoken(sent(driver)))
    assert [type(n) for n in news] == [Refused] and words in news[0].reason  # type: ignore[attr-defined]
    assert driver.idle


@pytest.mark.parametrize("reason", ["media-empty", "door-open-error", "media-jam", "paused"])
def test_a_printer_in_trouble_is_not_sent_the_document(reason: str) -> None:
    driver = Driver()
    driver.take(ORDER)
    news = driver.feed(printer(asked(driver.owed())[1], 5, reason))
    assert type(news[-1]) is Refused and driver.owed() == b""


def test_a_document_whose_time_is_up_is_cancelled() -> None:
    driver = Driver(Options(confirm_seconds=5.0))
    driver.feed(job(sent(driver), 5))
    for _ in range(4):
        driver.silence()
        driver.feed(job(asked(driver.owed())[1], 6, "printer-stopped"))
    driver.silence()
    request = driver.owed()
    assert asked(request)[0] == 0x0008 and attribute(0x21, "job-id", 7) in request
    news = driver.feed(answer(asked(request)[1]))
    assert [type(n) for n in news] == [Unconfirmed] and "within 5 s and was cancelled" in news[0].reason  # type: ignore[attr-defined]


def test_a_document_that_ended_just_before_it_was_cancelled_is_done() -> None:
    driver = Driver(Options(confirm_seconds=5.0))
    driver.feed(job(sent(driver), 5))
    for _ in range(5):
        driver.silence()
        operation, number = asked(driver.owed())
        if operation == 0x0009:
            driver.feed(job(number, 5))
    driver.feed(answer(number, status=0x0404))
    assert driver.feed(job(asked(driver.owed())[1], 9))[-1] == Obeyed(order="PrintDocument", id="d")


@pytest.mark.parametrize("phase", ["pause", "watch"])
def test_a_document_lost_with_the_cable_does_not_come_out_hours_later(phase: str) -> None:
    driver = Driver()
    driver.feed(job(sent(driver), 3))
    if phase == "watch":
        driver.silence()
        driver.owed()
    assert [type(n) for n in driver.lost()] == [Unconfirmed]
    driver.reset()
    driver.poll()
    assert not driver.idle, "first this"
    request = driver.owed()
    assert asked(request)[0] == 0x0008 and attribute(0x21, "job-id", 7) in request
    driver.feed(answer(asked(request)[1]))
    assert driver.idle
    driver.poll()
    assert asked(driver.owed())[0] == 0x000B


def test_late_and_double_and_damaged_answers_answer_nothing() -> None:
    driver = Driver()
    number = sent(driver)
    assert driver.feed(printer(number - 1)) == [], "twice"
    assert driver.feed(job(number - 1, 9)) == [], "another question's"
    good = job(number, 9)
    at = good.index(b"\r\n\r\n") + 4
    damaged = good[: at + 9] + b"\x47\xff\xff" + good[at + 12 :]
    assert driver.feed(damaged) == []
    assert driver.feed(good[:40]) == [] and driver.feed(good[40:])[-1] == Obeyed(order="PrintDocument", id="d")


@pytest.mark.parametrize(("phase", "outcome"), [("before", Refused), ("send", Unconfirmed), ("watch", Unconfirmed)])
def test_a_service_that_stops_answering(phase: str, outcome: type) -> None:
    driver = Driver()
    if phase == "before":
        driver.take(ORDER)
        driver.owed()
    else:
        number = sent(driver)
        if phase == "watch":
            driver.feed(job(number, 5))
    news: list[News] = []
    for _ in range(9):
        news += driver.silence()
        driver.owed()
    assert [type(n) for n in news if isinstance(n, OUTCOMES)] == [outcome]
    assert driver.idle


def test_our_own_mistakes_are_said() -> None:
    for order, words in (
        (dataclasses.replace(ORDER, pdf=b"hello"), r"PrintDocument\.pdf is not a PDF"),
        (dataclasses.replace(ORDER, copies=0), r"PrintDocument\.copies: expected 1 to 99, got 0"),
        (PrintTest(), "cannot do PrintTest"),
    ):
        with pytest.raises(OrderMistake, match=words):
            Driver().take(order)
    with pytest.raises(Mistake, match="path: expected something like /printers/a4"):
        read_options("cups-printer", {"path": "a4 hall"})


def test_a_file_becomes_an_order_and_what_is_none_is_said(tmp_path: Path) -> None:
    file = tmp_path / "张三.pdf"
    file.write_bytes(PDF)
    assert document(file, "告知单", 3) == PrintDocument(title="告知单", pdf=PDF, copies=3)
    file.write_bytes(b"GIF89a")
    with pytest.raises(DocumentMistake, match="not a PDF"):
        document(file)
    with pytest.raises(DocumentMistake) as gone:
        document(tmp_path / "李四.pdf")
    assert "李四" not in str(gone.value)


def test_the_trial_page_is_one_sheet_of_a4() -> None:
    with pikepdf.open(io.BytesIO(trial_page().pdf)) as pdf:
        assert [[float(x) for x in page.mediabox] for page in pdf.pages] == [[0, 0, 595, 842]]
    assert Driver().encode(trial_page())


def test_what_a_document_holds_is_never_written_down() -> None:
    assert Driver.private
    written = str(to_json(ORDER)) + say(ORDER)
    assert "告知" not in written and "PDF" not in written


# ---- a bad line ----


def test_a_megabyte_of_spoilt_answers_raises_nothing_and_leaves_nothing() -> None:
    driver, service, noise = Driver(), Simulator(), random.Random(9)
    said = [printer(3, 5, "media-empty"), job(4, 9), answer(2, http="100 Continue"), b"HTTP/1.1 200 OK\r\n"]
    asks = [driver.encode(ORDER), Driver().encode(ORDER)[:200]]
    fed = 0
    while fed < 1_000_000:
        for talk, take in ((said, driver.feed), (asks, service.receive)):
            data = bytearray(noise.choice(talk) if noise.random() < 0.9 else noise.randbytes(300))
            for _ in range(noise.randrange(3)):
                data[noise.randrange(len(data))] = noise.randrange(256)
            fed += len(data)
            take(bytes(data))
        if noise.random() < 0.2:
            driver.poll()
            if driver.idle and noise.random() < 0.3:
                driver.take(ORDER)
            driver.owed()
            driver.silence()
    assert len(driver._cutter._held) < 300_000
    driver.lost()
    driver.reset()
    driver.poll()
    assert [type(n) for n in driver.feed(printer(asked(driver.owed())[1]))] == [Alive]


def test_chunked_answers_and_a_continue_before_them() -> None:
    driver, service = Driver(), Simulator(None, frozenset(["chunked"]))
    driver.poll()
    reply = b"HTTP/1.1 100 Continue\r\n\r\n" + service.receive(driver.owed())
    assert b"Transfer-Encoding: chunked" in reply
    news = [n for at in range(len(reply)) for n in driver.feed(reply[at : at + 1])]
    assert news == [Alive(detail="answers IPP")]


ENDS: dict[str, tuple[type, str]] = {
    "slow": (Obeyed, ""),
    "never-ends": (Unconfirmed, "was cancelled"),
    "aborts": (Refused, "aborted-by-system"),
    "aborts-half-way": (Unconfirmed, "1 pages have come out already"),
    "paper-ends-mid-document": (Unconfirmed, "was cancelled"),
    "takes-none": (Refused, "takes no documents"),
    "forbidden": (Refused, "HTTP 403"),
    "chunked": (Obeyed, ""),
    "no-answers": (Refused, "does not answer"),
}


def test_every_fault_of_the_simulator_is_expected_here() -> None:
    assert set(ENDS) == set(Simulator.faults)


@pytest.mark.parametrize("fault", ENDS)
def test_what_becomes_of_a_document(fault: str, table: Any) -> None:
    desk = table("cups-printer", {"confirm_seconds": 30.0 if fault == "slow" else 5.0}, [fault])
    outcome = [n for n in desk.order(ORDER) if isinstance(n, OUTCOMES)]
    assert [(type(n), n.id) for n in outcome] == [(ENDS[fault][0], "d")]
    assert ENDS[fault][1] in getattr(outcome[0], "reason", "")
    assert len(desk.obeyed) == isinstance(outcome[0], Obeyed)
    if fault in ("never-ends", "paper-ends-mid-document"):
        assert [job.state for job in desk.sim.jobs.values()] == [7], "cancelled"
        assert desk.sim.receive(desk.driver.encode(ORDER)), "and it takes the next"


def test_the_simulator_refuses_what_a_print_service_refuses() -> None:
    service = Simulator()

    def say(operation: int, *attributes: bytes, uri: str = "ipp://localhost/printers/a4") -> int:
        body = struct.pack(">BBHI", 2, 0, operation, 5) + b"\x01" + attribute(0x45, "printer-uri", uri)
        body += b"".join(attributes) + b"\x03"
        request = f"POST /printers/a4 HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        return int.from_bytes(service.receive(request).partition(b"\r\n\r\n")[2][2:4], "big")

    assert say(0x000B) == 0
    assert say(0x000B, uri="ipp://localhost/printers/b") == 0x0406
    assert say(0x0009, attribute(0x21, "job-id", 99)) == 0x0406
    assert say(0x0002, attribute(0x42, "job-name", "x")) == 0
    assert [say(0x0009, attribute(0x21, "job-id", 1)) for _ in range(2)] == [0, 0]
    assert say(0x0008, attribute(0x21, "job-id", 1)) == 0x0404, "it has ended"
    assert say(0x0044, attribute(0x21, "job-id", 1)) == 0x0501
    broken = b"\x02\x00\x00\x0b\x00\x00\x00\x05\x01\x47\xff\xff"
    request = b"POST /printers/a4 HTTP/1.1\r\nContent-Length: 12\r\n\r\n" + broken
    assert service.receive(request).partition(b"\r\n\r\n")[2][2:4] == b"\x04\x00"


def test_a_printer_that_has_stopped_says_why_in_its_own_words() -> None:
    driver = Driver()
    driver.poll()
    driver.owed()
    stopped = answer(1, attribute(0x23, "printer-state", 5), attribute(0x41, "printer-state-message", "Filter failed"))
    assert driver.feed(stopped)[-1] == PrinterError(detail="Filter failed")


def test_a_document_that_the_service_has_forgotten_is_not_known_to_be_printed() -> None:
    driver = Driver()
    driver.feed(job(sent(driver), 3))
    driver.silence()
    news = driver.feed(answer(asked(driver.owed())[1], status=0x0406))
    assert [type(n) for n in news] == [Unconfirmed]


def test_a_cable_that_goes_before_the_document_was_sent() -> None:
    driver = Driver()
    driver.poll()
    driver.owed()
    driver.take(ORDER)
    assert driver.owed() == b"", "the running question is as fresh as a new one"
    assert [type(n) for n in driver.lost()] == [Refused]
    with pytest.raises(OrderMistake, match="busy"):
        driver.take(ORDER)
        driver.take(ORDER)


def test_another_kind_of_server_on_the_port_is_noise() -> None:
    driver = Driver()
    driver.poll()
    driver.owed()
    assert driver.feed(b"SSH-2.0-OpenSSH_9.2\r\n" * 100) == [Garbled()]
    assert driver.feed(b"SSH-2.0-OpenSSH_9.2\r\n" * 100) == []


# ---- on the wire ----


def ipp(device: SimulatedDevice) -> str:
    return device.link.replace("socket:", "ipp:")


def test_a_document_over_tcp_and_a_service_that_goes_and_comes(diary: Any, until: Any, closing: Any) -> None:
    device = closing(SimulatedDevice("cups-printer").on_tcp())
    entry = DeviceEntry("a4", "cups-printer", ipp(device), {"poll_seconds": 1.0})
    station = closing(Station([entry], diary, delays=(0.1,)))
    until(lambda: station.state("a4").state is State.READY)
    assert isinstance(station.send("a4", ORDER, timeout=20).result(20), Obeyed)
    assert [(o.title, o.copies) for o in device.obeyed] == [("一次性告知单", 2)]
    device.happen(PaperOut())
    until(lambda: station.state("a4").state is State.ERROR)
    assert isinstance(station.send("a4", ORDER, timeout=20).result(20), Refused)
    device.happen(PaperOut(over=True))
    device.unplug()
    until(lambda: station.state("a4").state is State.ABSENT)
    device.plug()
    until(lambda: station.state("a4").state is State.READY)
    assert len(device.obeyed) == 1
    assert station.state("a4").counters["lost"] == 1
    assert all(not exchange.data for exchange in station.exchanges("a4")), "what passed may name a person"


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("split", Obeyed),
        ("noise", Obeyed),
        ("twice", Obeyed),
        ("late", Obeyed),
        ("bad-checksum", None),
        ("echo", Obeyed),
    ],
)
def test_a_document_on_a_bad_line_ends_honestly(
    fault: str, outcome: type | None, diary: Any, until: Any, closing: Any
) -> None:
    device = closing(SimulatedDevice("cups-printer", faults=[fault]).on_tcp())
    entry = DeviceEntry("a4", "cups-printer", ipp(device), {"answer_seconds": 2.0, "confirm_seconds": 10.0})
    station = closing(Station([entry], diary))
    until(lambda: station.state("a4").counters.get("opened"))
    ended = station.send("a4", ORDER, timeout=30).result(30)
    assert type(ended) is outcome if outcome else isinstance(ended, OUTCOMES)
    assert len(device.obeyed) <= 1
    if isinstance(ended, Refused):
        assert device.obeyed == []


def test_a_service_that_hangs_up_after_each_answer_is_no_lost_cable(closing: Any) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    closing(listener)
    link = closing(open_link(f"ipp://127.0.0.1:{listener.getsockname()[1]}", 9600))
    for n in range(3):
        link.write(b"question %d" % n)
        peer, _ = listener.accept()
        assert peer.recv(100) == b"question %d" % n
        peer.sendall(b"answer %d" % n)
        peer.close()
        assert link.read(1.0) == b"answer %d" % n
        assert link.read(0.2) == b""
    link.wake()
    assert link.read(5.0) == b""


def test_link_texts_that_cannot_be_are_said() -> None:
    for text in ("ipp:///printers/a4", "ipp://127.0.0.1:631/printers/a4", "ipp://127.0.0.1?x=1"):
        with pytest.raises(LinkMistake):
            open_link(text, 9600)
    with pytest.raises(LinkAbsent, match="cannot be reached"):
        open_link("ipp://127.0.0.1:1", 9600)


# ---- an independent peer: CUPS itself ----


@pytest.fixture
def cups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A CUPS of its own on loopback, with one queue that prints into nothing; its link."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("cups")
    user = "lp" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    for folder in ("cache", "spool/tmp", "state", "log", "root/ppd"):
        (home / folder).mkdir(parents=True)
    for folder in (*home.parents, home, *home.rglob("*")):
        if folder.owner() == pwd.getpwuid(os.geteuid()).pw_name and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
        if user == "lp" and home in folder.parents:
            shutil.chown(folder, user)
    (home / "cups-files.conf").write_text(
        f"ServerRoot {home}/root\nCacheDir {home}/cache\nRequestRoot {home}/spool\nTempDir {home}/spool/tmp\n"
        f"StateDir {home}/state\nAccessLog {home}/log/access\nErrorLog {home}/log/error\nPageLog {home}/log/page\n"
        f"FileDevice Yes\nUser {user}\nGroup {user}\nSystemGroup root\n"
    )
    (home / "cupsd.conf").write_text(
        f"Listen 127.0.0.1:{port}\nBrowsing No\nWebInterface No\nDefaultAuthType None\n"
        "<Location />\n Order allow,deny\n Allow all\n</Location>\n"
        "<Policy default>\n JobPrivateAccess all\n JobPrivateValues none\n"
        " <Limit All>\n  Order deny,allow\n  Allow all\n </Limit>\n</Policy>\n"
    )
    (home / "root" / "printers.conf").write_text(
        "<Printer a4>\nInfo A4\nDeviceURI file:/dev/null\nState Idle\nAccepting Yes\nOpPolicy default\n</Printer>\n"
        "<Printer shut>\nInfo A4\nDeviceURI file:/dev/null\nState Idle\nAccepting No\nOpPolicy default\n</Printer>\n"
        "<Printer stopped>\nInfo A4\nDeviceURI file:/dev/null\nState Stopped\nReason paused\nAccepting Yes\n"
        "OpPolicy default\n</Printer>\n"
    )
    command = ["/usr/sbin/cupsd", "-f", "-c", str(home / "cupsd.conf"), "-s", str(home / "cups-files.conf")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as service:
        yield f"ipp://127.0.0.1:{port}"
        service.terminate()


def test_cups_itself_prints_refuses_and_is_stopped(cups: str, diary: Any, until: Any, closing: Any) -> None:
    paths = {"a4": "/printers/a4", "shut": "/printers/shut", "stopped": "/printers/stopped", "none": "/printers/none"}
    entries = [DeviceEntry(name, "cups-printer", cups, {"path": path}) for name, path in paths.items()]
    stations = {entry.name: closing(Station([entry], diary, delays=(0.1,))) for entry in entries}

    def state(name: str) -> State:
        return stations[name].state(name).state  # type: ignore[no-any-return]

    until(lambda: state("a4") is State.READY)
    ended = {name: station.send(name, ORDER, timeout=30).result(30) for name, station in stations.items()}
    assert isinstance(ended["a4"], Obeyed), ended["a4"]
    assert [n.state for n in diary.of(DocumentState)][-1] == "completed"
    assert isinstance(ended["shut"], Refused) and "takes no documents" in ended["shut"].reason
    assert isinstance(ended["stopped"], Refused) and "stopped or switched off" in ended["stopped"].reason
    assert isinstance(ended["none"], Refused) and "no such queue" in ended["none"].reason
    assert state("none") is State.ERROR
    assert diary.of(Garbled, Silent) == []
    assert not [n for n in diary.of(LinkDown) if not n.over and "cannot be reached" not in n.reason]

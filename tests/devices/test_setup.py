"""Setting up without a page: ports, forms, polite questions, the doctor and the bundle, over real wires."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.hall_file import HallFile, Stale
from config.machine import Machine
from config.reader import Mistake
from devices import drivers
from devices.console import sentences
from devices.ends import PtyEnd
from devices.options import describe, read_options
from devices.roles import CardPresented, CodeScanned
from devices.setup import forms, proposals
from devices.setup.bundle import bundle, without_numbers
from devices.setup.changes import Setup
from devices.setup.ports import Port, changes, ports
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, State, Station

HOUSE = Path(__file__).resolve().parents[2]
CARD = CardPresented(
    kind="citizen",
    name="张三丰",
    id_number="11010519491231002X",
    sex="男",
    nation="汉",
    birth="19491231",
    address_text="北京市东城区某某街道1号院",
    authority="北京市公安局东城分局",
    start="20200101",
    end="长期",
)


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[SimulatedDevice]:
    with SimulatedDevice("escpos-printer", None, ()).on_pty(tmp_path / "printer") as device:
        yield device


@pytest.fixture
def hall(tmp_path: Path, printer: SimulatedDevice) -> Path:
    file = tmp_path / "hall.toml"
    file.write_text(
        '[machine]\nname = "x"\nstate = "state"\n[hall]\nplan = "village"\n'
        f'[[device]]\nname = "printer"\ndriver = "escpos-printer"\nlink = "{printer.link}"\n',
        encoding="utf-8",
    )
    return file


CHINESE_ABSENT = "没有端口 {node}：请检查设备是否插好并已开机。"


def bianmin(*words: object, code: int = 0) -> list[str]:
    """The lines a device command prints."""
    run = subprocess.run(
        [sys.executable, "-P", "-m", "devices.cli", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=HOUSE,
        timeout=60,
        env={"PYTHONPATH": str(HOUSE), "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin"},
    )
    assert run.returncode == code, run.stdout + run.stderr
    return (run.stdout + run.stderr).splitlines()


def test_ports_of_a_folder_are_listed_and_go(tmp_path: Path, printer: SimulatedDevice):
    [found] = [port for port in ports((tmp_path,)) if port.links == (printer.link,)]
    assert found.kind == "serial"
    printer.unplug()
    assert printer.link not in [link for port in ports((tmp_path,)) for link in port.links]


def test_who_opens_a_port_is_not_who_plugs_it_in():
    one = Port("/dev/ttyUSB0", "serial", ("serial://by-id/x",))
    taken = replace(one, holder="picocom (process 812)")
    moved = replace(one, node="/dev/ttyUSB1")
    assert changes([one], [taken]) == changes([taken], [one]) == []
    assert changes([taken], [moved]) == [("-", taken), ("+", moved)]


def test_only_a_mistake_that_is_a_sentence_is_shown_as_one(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit), sentences():
        drivers.load("tea-kettle")
    assert "no driver is called 'tea-kettle'" in capsys.readouterr().err
    with pytest.raises(KeyError), sentences():
        {}["windows"]


def test_raw_hid_devices_are_listed_by_what_the_usb_says(tmp_path: Path):
    folder = tmp_path / "sys" / "class" / "hidraw" / "hidraw3" / "device"
    folder.mkdir(parents=True)
    (folder / "uevent").write_text("HID_ID=0003:00000400:0000C35A\nHID_NAME=IDR410\nHID_UNIQ=\n")
    found = [port for port in ports(dev=tmp_path / "dev", sys=tmp_path / "sys") if port.kind == "hid"]
    assert [(port.usb, port.about, port.links) for port in found] == [
        ("0400:c35a", "IDR410", ("hidraw://usb/0400:c35a",))
    ]


@pytest.mark.parametrize(
    ("usb", "first"),
    [("0400:c35a", []), ("1eab:8306", ["serial-scanner"]), ("1a86:7523", []), ("04b8:0202", ["escpos-printer"])],
)
def test_a_usb_number_proposes_only_what_it_says_for_sure(usb: str, first: list[str]):
    assert proposals.proposed(Port("/dev/ttyACM0", "serial", ("serial://by-id/x",), "", usb)) == (
        ["ga467-reader"] if usb == "0400:c35a" else first
    )


@pytest.mark.parametrize("driver", drivers.names())
def test_every_form_can_be_filled_in_as_it_is(driver: str):
    fields = forms.form(driver)
    assert fields and forms.filled(driver, {one["name"]: one["value"] for one in fields}) == {}
    for one in fields:
        assert one["kind"] in ("number", "decimal", "switch", "text", "choice", "list", "table")
        assert one.get("label"), f"{driver}.{one['name']} has no label"


def test_a_form_comes_back_as_text():
    said = forms.filled("queue-bus", {"addresses": "1, 2\n3", "keys": "14 = call_next\n15 = recall", "grades": "9 = 5"})
    assert said == {"addresses": [1, 2, 3], "keys": {"14": "call_next", "15": "recall"}, "grades": {"9": 5}}
    assert read_options("queue-bus", said).addresses == (1, 2, 3)
    for wrong, place in (
        ({"addresses": "one"}, "addresses"),
        ({"keys": "14"}, "keys"),
        ({"keys": "14=recall\n14=pause"}, "keys: '14' stands"),
        ({"nothing": 1}, "nothing"),
    ):
        with pytest.raises(Mistake, match=f"options.{place}"):
            forms.filled("queue-bus", wrong)


def test_asked_politely_the_right_one_answers(printer: SimulatedDevice, tmp_path: Path):
    with SimulatedDevice("pingan-strip", None, ()).on_pty(tmp_path / "strip") as strip:
        assert proposals.ask("pingan-strip", strip.link).fits
        assert not proposals.ask("pingan-strip", printer.link, patience=1.0).fits
        assert proposals.ask("escpos-printer", printer.link).fits
        assert printer.obeyed == [] and strip.obeyed == []  # asked, not ordered
    away = proposals.ask("escpos-printer", strip.link, patience=1.0)
    assert not away.fits and away.said


def test_only_families_that_can_answer_are_asked():
    asked = proposals.candidates("serial", "window-screen")
    assert "pingan-strip" in asked and "ascii-strip" not in asked and "escpos-printer" not in asked


# ---- the command line ----


def test_add_change_undo(hall: Path, tmp_path: Path):
    before = hall.read_text(encoding="utf-8")
    with SimulatedDevice("pingan-strip", None, ()).on_pty(tmp_path / "strip") as strip:
        words = ("--name", "strip", "--driver", "pingan-strip", "--link", strip.link)
        told = bianmin("add", hall, *words, "--window", "1=1", "--dry-run")
        assert told[-1] == "Not saved (--dry-run)." and hall.read_text(encoding="utf-8") == before
        assert bianmin("add", hall, *words, "--window", "1=1")[-1] == "Saved."
        assert (
            "there is no window 77" in bianmin("add", hall, *words, "--instead", "strip", "--window", "1=77", code=1)[0]
        )
        assert "two devices are called strip" in bianmin("add", hall, *words, code=1)[0]
        [told] = bianmin("test", hall, "strip", "call", "--json")
        assert json.loads(told)["result"] == "done" and len(strip.obeyed) == 1
    bianmin("undo", hall)
    assert hall.read_text(encoding="utf-8") == before
    assert "no version before" in bianmin("undo", hall, code=1)[0]


def test_in_the_place_of_a_device_what_is_not_said_stays_and_what_is_said_holds(hall: Path):
    """Said on purpose counts even where it is what a driver has by itself."""
    words = ("--name", "printer", "--driver", "escpos-printer", "--link", "sim:", "--instead", "printer")

    def options() -> object:
        return tomllib.loads(hall.read_text(encoding="utf-8"))["device"][0].get("options")

    usual = next(one["default"] for one in describe("escpos-printer") if one["name"] == "poll_seconds")
    bianmin("add", hall, *words, "--option", "width_mm=58", "--option", f"poll_seconds={usual + 1}")
    assert options() == {"width_mm": 58, "poll_seconds": usual + 1}
    bianmin("add", hall, *words, "--option", f"poll_seconds={usual}")
    assert options() == {"width_mm": 58}
    bianmin("add", hall, "--name", "printer", "--driver", "pingan-strip", "--link", "sim:", "--instead", "printer")
    assert options() is None  # they were another driver's


def test_two_technicians_save_at_once_and_what_stands_in_the_file_is_what_runs(hall: Path):
    """The first one's devices take their time to open; the second one's must not be overtaken by them."""
    applied: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def apply(machine: Machine) -> None:
        if len(machine.devices) == 2:
            begun.set()
            go_on.wait(10)
        applied.append(len(machine.devices))

    setup = Setup(HallFile(hall), apply)
    strip = {"driver": "pingan-strip", "link": "sim:"}
    first = setup.propose({"name": "one", **strip})
    one = threading.Thread(target=setup.save, args=(first.text, first.version))
    one.start()
    assert begun.wait(10)
    second = setup.propose({"name": "two", **strip})
    two = threading.Thread(target=setup.save, args=(second.text, second.version))
    two.start()
    two.join(0.3)  # so long it had the chance to overtake
    go_on.set()
    for thread in (one, two):
        thread.join(10)
    assert applied == [2, 3] and len(setup.devices()) == 3


def test_what_somebody_saved_meanwhile_is_not_undone(hall: Path):
    setup = Setup(HallFile(hall))
    for name in ("one", "two"):
        change = setup.propose({"name": name, "driver": "pingan-strip", "link": "sim:"})
        setup.save(change.text, change.version)
    looked_at = setup.back()
    assert looked_at is not None and looked_at.words == ("删除 removed: two (pingan-strip)",)
    change = setup.propose(remove="one")
    setup.save(change.text, change.version)
    with pytest.raises(Stale):
        setup.undo(looked_at.version)
    assert [device.name for device in setup.devices()] == ["printer", "two"]
    assert [device.name for device in setup.undo().devices] == ["printer", "one", "two"]


def test_what_can_be_tried_and_what_not(hall: Path):
    assert any(line.startswith("print ") for line in bianmin("test", hall, "printer"))
    assert "has no test called" in bianmin("test", hall, "printer", "sing", code=1)[0]
    assert "there is no device 'pad'; there are: printer" in bianmin("test", hall, "pad", code=1)[0]


def test_the_doctor_says_what_is_wrong_and_what_to_do(hall: Path, printer: SimulatedDevice):
    node = printer.link.removeprefix("serial://")
    assert bianmin("doctor", hall)[-1] == "一切正常。 Nothing is wrong."
    printer.unplug()
    told = [json.loads(line) for line in bianmin("doctor", hall, "--seconds", "2", "--json", code=1)]
    [wrong] = [one for one in told if one["level"] == "wrong"]
    assert wrong["what"] == "printer" and wrong["remedy"].startswith("请检查")
    said = [line for line in bianmin("doctor", hall, "--seconds", "2", code=1) if line.startswith("✗")]
    assert said == [f"✗ printer: {CHINESE_ABSENT.format(node=node)} {wrong['sentence']}"]
    text = hall.read_text(encoding="utf-8")
    hall.write_text(text.replace("escpos-printer", "escpos-printr"), encoding="utf-8")
    assert "no driver is called 'escpos-printr'" in bianmin("doctor", hall, code=1)[0]
    hall.write_text(text + "[[[", encoding="utf-8")
    assert "line" in bianmin("doctor", hall, code=1)[0]


def test_many_add_at_once_and_each_is_added(hall: Path):
    words = ("--driver", "pingan-strip", "--link", "sim:")
    adding = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "devices.cli", "add", str(hall), "--name", f"strip-{n}", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=HOUSE,
            env={"PYTHONPATH": str(HOUSE), "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin"},
        )
        for n in range(8)
    ]
    told = [one.communicate(timeout=60)[0] for one in adding]
    assert [one.returncode for one in adding] == [0] * 8, told
    names = {device.name for device in Setup(HallFile(hall)).devices()}
    assert names == {"printer", *(f"strip-{n}" for n in range(8))}


def test_a_port_another_program_holds_is_no_matter_of_plugs(hall: Path, printer: SimulatedDevice):
    held = "import fcntl, os, sys; fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); fcntl.flock(fd, fcntl.LOCK_EX);\
 print('ready', flush=True); sys.stdin.read()"
    node = printer.link.removeprefix("serial://")
    with subprocess.Popen([sys.executable, "-c", held, node], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"ready\n"
        told = [json.loads(line) for line in bianmin("doctor", hall, "--seconds", "2", "--json", code=1)]
        other.communicate()
    [wrong] = [one for one in told if one["level"] == "wrong"]
    assert f"(process {other.pid})" in wrong["sentence"] and "插头" not in wrong["remedy"]
    assert wrong["remedy"].startswith("端口正被另一程序占用") and "end it" in wrong["remedy"]


def test_the_doctor_names_a_mistake_in_the_file_once(hall: Path):
    hall.write_bytes(hall.read_text(encoding="utf-8").encode("utf-16"))
    told = bianmin("doctor", hall, code=1)
    assert told[0].startswith("✗ hall.toml: is written in UTF-16")


def test_the_doctor_knows_silence_from_absence(hall: Path, tmp_path: Path):
    """A strip's driver on a printer's cable: the cable is there, and nobody answers."""
    hall.write_text(hall.read_text(encoding="utf-8").replace("escpos-printer", "pingan-strip"), encoding="utf-8")
    told = bianmin("doctor", hall, "--seconds", "3", code=1)
    assert any(line.startswith("✗ printer:") and "answer" in line for line in told)


def test_the_doctor_leaves_alone_what_a_running_program_of_the_house_has(hall: Path):
    """Its door is taken by the program itself: that is no fault, but where another program has it, it is one."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        link = f"ws-listen://127.0.0.1:{door.getsockname()[1]}"
        change = Setup(HallFile(hall)).propose({"name": "tablet", "driver": "evaluator-tablet", "link": link})
        Setup(HallFile(hall)).save(change.text, change.version)
        told = bianmin("doctor", hall, "--seconds", "2", code=1)
        assert any(line.startswith("✗ tablet:") and "cannot be listened on" in line for line in told)
        for role, code in (("window", 0), ("hall", 1)):
            words = [sys.executable, "-c", "input()", f"kiosk.roles.{role}", hall.name]
            with subprocess.Popen(words, stdin=subprocess.PIPE, cwd=hall.parent) as running:
                told = bianmin("doctor", hall, "--seconds", "3", code=code)
                running.communicate(b"\n")
            running_well = "✓ tablet: 便民正在运行，已打开它的线缆。 Bianmin is running and has its cable open."
            assert (running_well in told) == (role == "window")


def test_a_pad_is_learnt_from_the_command_line(hall: Path, tmp_path: Path):
    far = PtyEnd(tmp_path / "pad")
    far.plug()
    learn = subprocess.Popen(
        [sys.executable, "-P", "-m", "devices.cli", "learn", far.link, "--keys", "call_next,recall", "--json",
         "--into", str(hall), "--name", "pad", "--window", "3=1"],
        stdout=subprocess.PIPE, text=True, cwd=HOUSE, env={"PYTHONPATH": str(HOUSE), "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert learn.stdout is not None
    frames = {  # FF 68 L L 68 ADDR FUNC DATA CS 16
        "call_next": bytes.fromhex("FF 68 03 03 68 03 01 0C 10 16"),
        "recall": bytes.fromhex("FF 68 03 03 68 03 01 0D 11 16"),
    }
    said, heard = {}, []
    for line in learn.stdout:
        said = json.loads(line)
        if "driver" in said:
            break
        if "press" in said:
            key, times = said["press"], said["times"]
        else:
            heard.append((said["heard"], bytes.fromhex(said["bytes"])))
            times -= 1
        if times:
            far.write(frames[key])
    assert heard == [(key, frame) for key, frame in frames.items() for _ in range(2)]
    assert said["driver"] == "framed-pad"
    assert learn.wait(20) == 0
    learn.stdout.close()
    far.unplug()
    assert 'name = "pad"' in hall.read_text(encoding="utf-8")


# ---- the bundle ----


def test_nothing_personal_is_in_the_bundle(tmp_path: Path, until: Callable[..., Any]):
    reader = SimulatedDevice("ga467-reader", None, ()).on_pty(tmp_path / "reader")
    scanner = SimulatedDevice("serial-scanner", None, ()).on_pty(tmp_path / "scanner")
    entries = [
        DeviceEntry("reader", "ga467-reader", reader.link),
        DeviceEntry("scanner", "serial-scanner", scanner.link),
    ]
    told: list[str] = []
    with reader, scanner, Station(entries, lambda device, news: told.append(type(news).__name__)) as station:
        until(lambda: station.state("reader").state is State.READY and station.state("scanner").counters.get("opened"))
        reader.happen(CARD)
        scanner.happen(CodeScanned(text="110105194912310021 张三丰"))
        until(lambda: {"CodeScanned", "CardPresented"} <= set(told))
        packed = bundle(station, '[machine]\nname = "x"\n', (tmp_path,))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        assert "cables/01 reader.txt" in archive.namelist()
    for secret in ("张三丰", "三丰", "11010519491231002X", "110105194912310021", "某某街道"):
        for encoding in ("utf-8", "utf-16-le", "gb18030"):
            data = secret.encode(encoding)
            assert data not in everything and data.hex().encode() not in everything
    assert b" in " in everything  # that something passed is told all the same


def test_each_cable_has_its_file_whatever_the_devices_are_called():
    entries = [DeviceEntry(name, "pingan-strip", "sim:") for name in ("strip 1", "strip/1", "../etc")]
    with Station(entries, lambda device, news: None) as station:
        packed = bundle(station)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        found = [name for name in archive.namelist() if name.startswith("cables/")]
    assert found == ["cables/01 strip_1.txt", "cables/02 strip_1.txt", "cables/03 _etc.txt"]


def test_long_numbers_are_made_unreadable():
    assert without_numbers("code=11010519491231002X and 138 0013 8000, A001") == "code=*** and ***, A001"

"""Links to what types and to raw HID devices: found by what they are, ours alone, one report at a time."""

from __future__ import annotations

import errno
import os
import pty
import re
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from waiting import still

from devices.condition import State
from devices.hotplug import Plugged, concerns
from devices.links import LinkAbsent, LinkLost, LinkMistake, LinkText, evdev, hidraw, open_link, sysfs
from devices.links.hidraw import Reports
from devices.links.identity import shifting
from devices.roles import CodeScanned, Garbled, Key, KeyPressed, News, PedalPressed, Rated
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station, mistakes

H = bytes.fromhex
KEYBOARD = "10000 7 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"  # as the kernel shows an ordinary one
KNOB = "1000 0 e000000000000 0"  # mute and volume, power: nothing to type on


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """A /sys with two scanners of one kind, one of them with a volume knob, and a pad; and something that is no USB."""
    sys = tmp_path / "sys"
    for place, usb_id, serial, events in (
        ("1-2", "05e0:1200", "S1", {"event3": KEYBOARD, "event4": KNOB}),
        ("1-3", "05e0:1200", "S2", {"event5": KEYBOARD}),
        ("2-1.4", "0416:5020", "", {}),
    ):
        usb = sys / "devices" / "usb" / place
        interface = usb / f"{place}:1.0" / "0003:X"
        interface.mkdir(parents=True)
        for name, text in zip(("idVendor", "idProduct"), usb_id.split(":"), strict=True):
            (usb / name).write_text(text + "\n")
        if serial:
            (usb / "serial").write_text(serial + "\n")
        for number, (event, keys) in enumerate(events.items()):
            node = interface / "input" / f"input{number}" / event
            node.mkdir(parents=True)
            (node / "device").symlink_to("..")
            (node.parent / "capabilities").mkdir()
            (node.parent / "capabilities" / "key").write_text(keys + "\n")
            _into(sys / "class" / "input", node)
        raw = interface / "hidraw" / f"hidraw{place[2]}"
        raw.mkdir(parents=True)
        (raw / "device").symlink_to("../..")
        (interface / "report_descriptor").write_bytes(BOOT_KEYBOARD)
        _into(sys / "class" / "hidraw", raw)
    power = sys / "devices" / "acpi" / "input0" / "event0"
    power.mkdir(parents=True)
    _into(sys / "class" / "input", power)
    return sys / "class"


def _into(folder: Path, node: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / node.name).symlink_to(node)


# HID 1.11, appendix B.1 and E.6: a boot keyboard has input reports of 8 bytes and output reports of 1.
BOOT_KEYBOARD = H(
    "05 01 09 06 a1 01 05 07 19 e0 29 e7 15 00 25 01 75 01 95 08 81 02 95 01 75 08 81 01 95 05 75 01"
    "05 08 19 01 29 05 91 02 95 01 75 03 91 01 95 06 75 08 15 00 25 65 05 07 19 00 29 65 81 00 c0"
)
# The same appendix, E.10: a boot mouse, 3 bytes in, none out.
BOOT_MOUSE = H(
    "05 01 09 02 a1 01 09 01 a1 00 05 09 19 01 29 03 15 00 25 01 95 03 75 01 81 02 95 01 75 05 81 01"
    "05 01 09 30 09 31 15 81 25 7f 75 08 95 02 81 06 c0 c0"
)


# ---- which node --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "node"),
    [
        ("evdev://usb/05e0:1200/S1", "/dev/input/event3"),
        ("evdev://usb/05E0:1200/S2", "/dev/input/event5"),
        ("evdev://by-path/1-2:1.0", "/dev/input/event3"),
        ("evdev://by-path/1-3", "/dev/input/event5"),
        ("hidraw://usb/0416:5020", "/dev/hidraw1"),
        ("hidraw://by-path/1-2:1.0", "/dev/hidraw2"),
        ("hidraw://by-path/2-1.4", "/dev/hidraw1"),
    ],
)
def test_a_device_is_found_by_what_it_is_or_where_it_hangs(link: str, node: str, classes: Path, tmp_path: Path) -> None:
    target = LinkText.parse(link)
    find, kind = (evdev.find_node, "event") if target.scheme == "evdev" else (hidraw.find_node, "hidraw")
    assert find(target, tmp_path / "none", sysfs.nodes(kind, classes)) == node


def test_names_that_udev_gives_come_first(classes: Path, tmp_path: Path) -> None:
    (tmp_path / "event9").touch()
    for kind in ("by-id", "by-path"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "usb-Some_Scanner-event-kbd").symlink_to(tmp_path / "event9")
        for find in (evdev.find_node, hidraw.find_node):
            link = LinkText.parse(f"evdev://{kind}/usb-Some_Scanner-event-kbd")
            assert find(link, tmp_path, []) == str(tmp_path / "event9")


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (
            "evdev://usb/05e0:1200",
            "More than one answers to 05e0:1200 (/dev/input/event3 at 1-2:1.0, /dev",
        ),
        ("evdev://usb/05e0:1200/S3", "No device 05e0:1200 with serial number S3 is plugged in"),
        ("evdev://usb/0416:5020", "No device 0416:5020 is plugged in"),
        ("evdev://by-path/1-4:1.0", "No device at the USB position 1-4:1.0 is plugged in"),
        ("evdev://by-id/usb-Other", "No device with name usb-Other is plugged in"),
        ("hidraw://usb/05e0:1200", "write hidraw://by-path/ and the place"),
    ],
)
def test_a_device_that_is_away_or_has_a_twin_is_not_guessed(
    link: str, said: str, classes: Path, tmp_path: Path
) -> None:
    target = LinkText.parse(link)
    find, kind = (evdev.find_node, "event") if target.scheme == "evdev" else (hidraw.find_node, "hidraw")
    with pytest.raises(LinkAbsent, match=re.escape(said)):
        find(target, tmp_path / "none", sysfs.nodes(kind, classes))


def test_what_has_only_a_knob_is_taken_when_there_is_nothing_else(classes: Path, tmp_path: Path) -> None:
    knob = [node for node in sysfs.nodes("event", classes) if node.path == "/dev/input/event4"]
    assert evdev.find_node(LinkText.parse("evdev://usb/05e0:1200"), tmp_path, knob) == "/dev/input/event4"


@pytest.mark.parametrize(
    "link", ["evdev://usb/05e0", "evdev://by-path/", "evdev://here/x", "hidraw://usb/x:y", "evdev:"]
)
def test_a_wrong_text_is_told_what_to_write(link: str) -> None:
    scheme = link.partition(":")[0]
    with pytest.raises(LinkMistake, match=f"write {scheme}://"):
        open_link(link, 0)


@pytest.mark.parametrize("link", ["evdev://by-id/x?grab=0", "hidraw:///tmp/x?report=many", "hidraw:///x?report=16385"])
def test_a_wrong_setting_is_named(link: str) -> None:
    with pytest.raises(LinkMistake, match=r"no setting is called 'grab'|report must be (a whole|at most)"):
        open_link(link, 0)


@pytest.mark.parametrize(
    ("link", "instead"),
    [
        ("evdev:///dev/input/event3", "evdev://by-id/usb-S1 or evdev://by-path/pci-2"),
        ("hidraw:///dev/hidraw0", "hidraw://usb/VID:PID or hidraw://by-path/"),
        ("evdev:///dev/input/event4", "evdev://by-id/NAME, as found below /dev/input"),
        ("v4l2:///dev/video0", "v4l2://by-path/NAME, as found below /dev/v4l/by-path"),
    ],
)
def test_a_name_that_shifts_is_never_an_identity(link: str, instead: str, tmp_path: Path) -> None:
    for kind, name in (("by-id", "usb-S1"), ("by-path", "pci-2")):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / name).symlink_to("/dev/input/event3")
    assert f"may be another device after the next start; write {instead}" in shifting(LinkText.parse(link), tmp_path)


def test_a_configuration_may_not_name_an_event_that_shifts() -> None:
    [said] = mistakes([DeviceEntry("gun", "hid-scanner", "evdev:///dev/input/event3")])
    assert said.startswith("gun.link: /dev/input/event3 may be another device after the next start")
    assert mistakes([DeviceEntry("gun", "hid-scanner", "evdev:///dev/input/by-id/usb-S1-event-kbd")]) == []


# ---- ours alone --------------------------------------------------------------------------------------------------


def test_what_another_has_grabbed_is_absent_in_a_plain_sentence() -> None:
    asked = []

    def kernel(fd: int, what: int, on: int) -> None:
        asked.append((fd, what, on))
        raise OSError(errno.EBUSY, "Device or resource busy")

    with pytest.raises(LinkAbsent, match="Another program has taken the keys of /dev/input/event3 for itself"):
        evdev.seize(7, "/dev/input/event3", kernel)
    assert asked == [(7, 0x40044590, 1)], "EVIOCGRAB of <linux/input.h>: _IOW('E', 0x90, int)"


def test_what_cannot_be_grabbed_is_not_used() -> None:
    with open(os.devnull, "rb") as null, pytest.raises(LinkAbsent, match="cannot be kept from other programs"):
        evdev.seize(null.fileno(), "/dev/input/event3")


@pytest.mark.parametrize("scheme", ["evdev", "hidraw"])
def test_what_is_no_such_device_is_absent(scheme: str, tmp_path: Path) -> None:
    with pytest.raises(LinkAbsent, match=r"There is no .*plugged in and switched on"):
        open_link(f"{scheme}://{tmp_path}/none", 0)
    (tmp_path / "file").touch()
    for other in (tmp_path / "file", os.devnull):
        with pytest.raises(LinkAbsent, match=r"is no device that types|is no HID device"):
            open_link(f"{scheme}://{other}", 0)


def test_a_node_that_may_not_be_used_says_which_group() -> None:
    said = evdev.why_absent("/dev/input/event3", PermissionError(errno.EACCES, "Permission denied"))
    assert said == "This user may not use /dev/input/event3; add it to the group input."
    assert "cannot be opened (Too many" in evdev.why_absent("/dev/x", OSError(errno.EMFILE, "Too many open files"))


# ---- what passes ----------------------------------------------------------------------------------------------


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("scheme", ["evdev", "hidraw"])
def test_bytes_pass_as_they_are_from_another_end(scheme: str, terminal: tuple[int, str], closing: Any) -> None:
    master, name = terminal
    link = closing(open_link(f"{scheme}://{name}", 0))
    os.write(master, bytes(range(48)))
    assert link.read(2.0) == bytes(range(48))
    assert link.read(0.0) == b""
    link.write(b"")
    if scheme == "evdev":
        with pytest.raises(LinkLost, match="takes no bytes"):
            link.write(b"x")
    else:
        link.write(b"question")
        assert os.read(master, 100) == b"question"


@pytest.mark.parametrize("scheme", ["evdev", "hidraw"])
def test_a_fifo_will_do_and_its_end_is_noticed(scheme: str, tmp_path: Path, closing: Any) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    link = closing(open_link(f"{scheme}://{fifo}", 0))
    writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    os.write(writer, b"\x01\x02")
    assert link.read(2.0) == b"\x01\x02"
    os.close(writer)
    if scheme == "evdev":
        with pytest.raises(LinkLost, match="hung up"):
            link.read(2.0)


def test_a_raw_device_belongs_to_one_program(terminal: tuple[int, str], closing: Any) -> None:
    closing(open_link(f"hidraw://{terminal[1]}", 0))
    with pytest.raises(LinkAbsent, match="is using"):
        open_link(f"hidraw://{terminal[1]}", 0)


@pytest.mark.parametrize(
    ("descriptor", "reports"),
    [
        (BOOT_KEYBOARD, Reports(8, 1, False)),
        (BOOT_MOUSE, Reports(3, 0, False)),
        # Numbered reports: 1 of 2 bytes and 2 of 4 bytes come in, 3 of 63 goes out; each has its number in front.
        (H("a1 01 75 08 85 01 95 02 81 02 85 02 95 04 81 02 85 03 95 3f 91 02 c0"), Reports(5, 64, True)),
        # Push and pop bring size and count back; a long item is passed over; a count may take two bytes.
        (H("75 08 95 40 a4 75 01 95 01 81 02 b4 fe 02 00 aa bb 91 02 b4 c0"), Reports(1, 64, False)),
        (H("75 08 96 00 02 81 02"), Reports(512, 0, False)),
        (H("75 08 95"), Reports(0, 0, False)),
        (b"\xfe", Reports(0, 0, False)),
    ],
)
def test_the_length_of_reports_is_read_from_the_descriptor(descriptor: bytes, reports: Reports) -> None:
    assert Reports.of(descriptor) == reports


def test_the_descriptor_is_found_in_sys(classes: Path) -> None:
    assert hidraw.reports_of("/dev/hidraw2", classes) == Reports(8, 1, False)
    assert hidraw.reports_of("/dev/hidraw77", classes) is None


def test_reports_keep_one_length_and_go_out_one_by_one() -> None:
    reports = Reports(8, 4)
    assert reports.filled(b"\x01\x02") == H("01 02 00 00 00 00 00 00")
    assert list(reports.cut(b"\1\2\3\4\5\6")) == [H("00 01 02 03 04"), H("00 05 06 00 00")]
    assert list(Reports(5, 3, numbered=True).cut(H("02 aa bb 02 cc"))) == [H("02 aa bb"), H("02 cc")]
    assert list(Reports(5, 0).cut(b"\x07")) == [b"\0\x07" + bytes(63)]


# ---- plugged in ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    ["evdev://usb/05e0:1200", "evdev://by-id/usb-S1-event-kbd", "evdev:///dev/input/by-id/usb-S1-event-kbd",
     "evdev://by-path/1-2:1.0"],
)  # fmt: skip
def test_udevs_word_of_an_input_device_wakes_who_waits_for_it(link: str) -> None:
    plugged = Plugged("add", "/dev/input/event7", ("/dev/input/by-id/usb-S1-event-kbd",), "S1", "1-2:1.0")
    assert concerns(plugged, LinkText.parse(link))
    assert not concerns(Plugged("remove", plugged.node, plugged.names), LinkText.parse(link))


def test_udevs_word_of_a_raw_device_wakes_who_waits_for_it() -> None:
    plugged = Plugged("add", "/dev/hidraw3", (), "S1", "1-2:1.0")
    assert concerns(plugged, LinkText.parse("hidraw://usb/0416:5020"))
    assert not concerns(plugged, LinkText.parse("hidraw:///dev/hidraw4"))


def test_a_scanner_that_types_is_gone_and_back_on_its_link(
    pty_path: Path, diary: Any, until: Any, closing: Any
) -> None:
    """Its attempts alone would come after half a minute: udev's word brings it back."""
    scanner = closing(SimulatedDevice("hid-scanner").on_pty(pty_path))
    entry = DeviceEntry("gun", "hid-scanner", f"evdev://{pty_path}")
    station = closing(Station([entry], diary, delays=(30.0,)))
    until(lambda: station.state("gun").counters.get("opened"))
    for n in range(1, 4):
        scanner.happen(CodeScanned(text=f"A-{n}"))
        until(lambda: station.state("gun").state is State.READY)
        scanner.unplug()
        until(lambda: station.state("gun").state is State.ABSENT)
        scanner.plug()
        until(lambda n=n: station.plugged(Plugged("add", str(pty_path))) or station.state("gun").counters["opened"] > n)
    until(lambda: len(diary.of(CodeScanned)) == 3)
    assert [n.text for n in diary.of(CodeScanned)] == ["A-1", "A-2", "A-3"]
    kept = " ".join(x.data for x in station.exchanges("gun"))
    assert "1e00" not in kept, "what is typed may name a person: it is never kept"


# ---- faults on the wire ---------------------------------------------------------------------------------------------

HAPPENINGS: dict[str, tuple[str, dict[str, Any], list[News]]] = {
    "hid-scanner": ("evdev", {}, [CodeScanned(text="A-1"), CodeScanned(text="b-2")]),
    "hid-pedal": ("evdev", {}, [PedalPressed(code="KEY_B"), PedalPressed(code="KEY_B")]),
    "hid-pad": ("evdev", {}, [KeyPressed(key=Key.RECALL, code="KEY_F2"), Rated(grade=1, code="KEY_KP5")]),
    "hid-pad raw": ("hidraw", {"source": "reports"}, [
        KeyPressed(key=Key.RECALL, code="00003B0000000000"), Rated(grade=1, code="00005D0000000000"),
    ]),
}  # fmt: skip


def told(diary: Any) -> list[News]:
    """What happened at the device, a code without its bytes."""
    return [
        CodeScanned(text=news.text) if isinstance(news, CodeScanned) else news
        for news in diary.of(CodeScanned, PedalPressed, KeyPressed, Rated)
    ]


@pytest.fixture
def on_wire(pty_path: Path, diary: Any, closing: Any, until: Any) -> Any:
    """A device on its link: its simulator, and the station that has it."""

    def make(what: str, *faults: str) -> tuple[SimulatedDevice, Station]:
        scheme, options, _ = HAPPENINGS[what]
        driver = what.partition(" ")[0]
        device = closing(SimulatedDevice(driver, options, faults).on_pty(pty_path))
        entry = DeviceEntry("it", driver, f"{scheme}://{pty_path}", options)
        station = closing(Station([entry], diary, delays=(0.05,), calm=0.3))
        until(lambda: station.state("it").counters.get("opened"))
        return device, station

    return make


@pytest.mark.parametrize("what", HAPPENINGS)
@pytest.mark.parametrize("fault", ["split", "late"])
def test_each_press_is_told_once_in_whatever_pieces(
    what: str, fault: str, on_wire: Any, diary: Any, until: Any
) -> None:
    device, station = on_wire(what, fault)
    for count, news in enumerate(HAPPENINGS[what][2], 1):
        device.happen(news)
        until(lambda count=count: len(told(diary)) == count)
        # That it came up again is still on the way.
        until(still(lambda: station.state("it").counters.get("bytes_in"), 0.5))
    assert told(diary) == HAPPENINGS[what][2]


@pytest.mark.parametrize("what", HAPPENINGS)
def test_babble_is_never_a_press_that_lasts_and_the_device_works_after_it(
    what: str, on_wire: Any, diary: Any, until: Any
) -> None:
    device, station = on_wire(what, "babble")
    until(lambda: station.state("it").counters["bytes_in"] > 300_000, 20)
    before = psutil.Process().memory_info().rss
    until(lambda: station.state("it").counters["bytes_in"] > 1_000_000, 20)
    assert psutil.Process().memory_info().rss - before < 20_000_000
    assert diary.of(Garbled)
    device.spoil()
    until(still(lambda: station.state("it").counters.get("bytes_in"), 0.5), 20)
    assert station.state("it").state is State.DEGRADED, "garbled until it is understood again"
    already = len(told(diary))
    assert already < 5, "chance seldom types"
    for news in HAPPENINGS[what][2]:
        device.happen(news)
    until(lambda: told(diary)[already:] == HAPPENINGS[what][2])
    until(lambda: not station.state("it").troubles)


@pytest.mark.parametrize("what", HAPPENINGS)
def test_gone_and_back_fifty_times_leaves_nothing_behind(
    what: str, on_wire: Any, pty_path: Path, diary: Any, until: Any
) -> None:
    device, station = on_wire(what)
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        device.unplug()
        until(lambda: station.state("it").state is State.ABSENT)
        device.plug()
        station.plugged(Plugged("add", str(pty_path)))
        until(lambda: station.state("it").state is not State.ABSENT)
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, files)
    assert station.state("it").counters["opened"] == 51
    device.happen(HAPPENINGS[what][2][0])
    until(lambda: told(diary))
    assert told(diary) == HAPPENINGS[what][2][:1]

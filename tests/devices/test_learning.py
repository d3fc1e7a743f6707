"""Learning mode over a real wire: recorded presses become a generic driver that understands the next ones."""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import until

from devices.drivers import ascii_strip
from devices.options import read_options
from devices.roles import PedalPressed, ShowText
from devices.setup.learning import Lesson, NotLearnt, learnt
from devices.simulate import SimulatedDevice

# A pad of a made-up family: A5, address, length of the body, body, XOR of all before, 5A.
PRESSED = {
    "call_next": bytes.fromhex("A5 03 02 10 01 B5 5A"),
    "recall": bytes.fromhex("A5 03 02 10 02 B6 5A"),
    "5": bytes.fromhex("A5 03 02 20 05 81 5A"),
    "1": bytes.fromhex("A5 03 02 20 01 85 5A"),
}


class Pad:
    """The far end of a cable, pressed by hand."""

    def __init__(self, path: Path) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        path.symlink_to(os.ttyname(self.slave))
        self.link = f"serial://{path}"

    def press(self, data: bytes) -> None:
        """One press. The next only when this one was heard: they are told apart by the quiet between them."""
        os.write(self.master, data)

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def pad(tmp_path: Path) -> Iterator[Pad]:
    made = Pad(tmp_path / "pad")
    yield made
    made.close()


def record(lesson: Lesson, pad: Pad, pressed: dict[str, bytes]) -> None:
    until(lambda: lesson.state()["trouble"] == "")
    for key, data in pressed.items():
        lesson.listen_for(key)
        for times in (1, 2):
            pad.press(data)
            until(lambda key=key, times=times: len(lesson.state()["presses"].get(key, [])) == times)


def test_a_pad_is_learnt_and_replayed(pad: Pad):
    with Lesson(pad.link) as lesson:
        record(lesson, pad, PRESSED)
        found = lesson.learn()
        assert found["driver"] == "framed-pad"
        for count, key in enumerate(("recall", "1"), 1):
            pad.press(PRESSED[key])
            until(lambda count=count: len(lesson.state()["replayed"]) == count)
        recalled, rated = lesson.state()["replayed"]
        assert "recall" in recalled and "grade=1" in rated
    read_options(found["driver"], found["options"])


def test_a_pad_that_sends_a_character(pad: Pad):
    with Lesson(pad.link) as lesson:
        record(lesson, pad, {"call_next": b"N", "recall": b"R", "pause": b"P"})
        found = lesson.learn()
    assert found["driver"] == "ascii-pad" and set(found["options"]["keys"].values()) == {"call_next", "recall", "pause"}


def test_presses_that_cannot_be_told_apart(pad: Pad):
    with Lesson(pad.link) as lesson:
        record(lesson, pad, {"call_next": b"\xa5\x03\x5a", "recall": b"\xa5\x03\x5a"})
        with pytest.raises(NotLearnt, match="send the same bytes"):
            lesson.learn()


def test_a_key_can_be_pressed_again(pad: Pad):
    with Lesson(pad.link) as lesson:
        record(lesson, pad, {"call_next": b"X"})
        lesson.forget("call_next")
        assert "call_next" not in lesson.state()["presses"]
        record(lesson, pad, {"call_next": b"N", "recall": b"R"})
        assert lesson.learn()["driver"] == "ascii-pad"


def test_a_key_pressed_again_after_learning_is_learnt_anew(pad: Pad):
    """What was learnt came out wrong: the technician presses one key once more, and that is no replay."""
    with Lesson(pad.link) as lesson:
        record(lesson, pad, {"call_next": b"X", "recall": b"R"})
        assert lesson.learn()["options"]["keys"] == {"X": "call_next", "R": "recall"}
        lesson.forget("call_next")
        record(lesson, pad, {"call_next": b"N"})
        assert lesson.state()["learnt"] is None and lesson.state()["replayed"] == []
        assert lesson.learn()["options"]["keys"] == {"N": "call_next", "R": "recall"}


def test_nothing_is_written_to_it(pad: Pad):
    os.set_blocking(pad.master, False)
    with Lesson(pad.link) as lesson:
        record(lesson, pad, PRESSED)
        lesson.learn()
        pad.press(PRESSED["5"])
        until(lambda: bool(lesson.state()["replayed"]))
    with pytest.raises(BlockingIOError):
        os.read(pad.master, 100)


def test_a_cable_that_comes_later(tmp_path: Path):
    with Lesson(f"serial://{tmp_path / 'pad'}") as lesson:
        until(lambda: "pad" in lesson.state()["trouble"])
        late = Pad(tmp_path / "pad")
        until(lambda: lesson.state()["trouble"] == "")
        late.close()


def test_a_strip_is_learnt_from_what_its_program_sends(pad: Pad):
    texts = {text: b"\xaa\x01" + text.encode("gb2312") + b"\x0d" for text in ("请A001号到3号窗口", "欢迎光临")}
    with Lesson(pad.link, kind="strip") as lesson:
        record(lesson, pad, texts)
        found = lesson.learn()
    assert found == {"driver": "ascii-strip", "options": {
        "encoding": "gb2312", "prefix_hex": "AA 01", "suffix_hex": "0D"}}  # fmt: skip
    driver = ascii_strip.Driver(read_options("ascii-strip", found["options"]))
    assert driver.encode(ShowText(text="欢迎光临")) == texts["欢迎光临"]


def test_pedals_are_learnt_by_their_numbers(tmp_path: Path):
    known = {"KEY_B": 1, "KEY_C": 2}
    pedals = SimulatedDevice("hid-pedal", {"keys": known}).on_pty(tmp_path / "pedals")
    with pedals, Lesson(f"evdev://{tmp_path / 'pedals'}", kind="pedal") as lesson:
        until(lambda: lesson.state()["trouble"] == "")
        for code, pedal in known.items():
            lesson.listen_for(str(pedal))
            for times in (1, 2):
                pedals.happen(PedalPressed(pedal=pedal, code=code))
                until(lambda key=str(pedal), times=times: len(lesson.state()["presses"].get(key, [])) == times)
        assert lesson.learn() == {"driver": "hid-pedal", "options": {"keys": known}}
        pedals.happen(PedalPressed(pedal=2))
        until(lambda: bool(lesson.state()["replayed"]))
        assert "pedal=2" in lesson.state()["replayed"][0]


def test_a_strip_that_cannot_be_learnt():
    with pytest.raises(NotLearnt, match="at least two"):
        learnt({"欢迎": [b"\xbb\xb6\xd3\xad\r"]}, ["ascii-strip"])

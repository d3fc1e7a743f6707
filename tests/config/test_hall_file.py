"""hall.toml changed by a program: comments stay, nothing wrong is saved, the version before comes back."""

from __future__ import annotations

import fcntl
import os
import stat
import tomllib
from pathlib import Path

import pytest

from config.hall_file import KEPT, HallFile, Stale, difference, exported, imported, put, remove, version
from config.machine import NAMED
from config.reader import Mistake

TEXT = """# the station at the lake
[machine]
name = "lake" # as on its door
state = "state"

[hall]
plan = "village"

[kiosk]
printer = "printer"

[[device]]
name = "printer"
driver = "escpos-printer"
link = "serial://by-path/1-2:1.0?baud=19200" # the socket at the top
options = { width_mm = 58 }
"""
STRIP = {"name": "strip", "driver": "pingan-strip", "link": "serial://by-path/1-3:1.0", "windows": {"1": 1}}


@pytest.fixture
def file(tmp_path: Path) -> HallFile:
    path = tmp_path / "hall.toml"
    path.write_text(TEXT, encoding="utf-8")
    path.chmod(0o640)
    return HallFile(path)


def test_a_device_more_changes_nothing_else():
    after = put(TEXT, STRIP)
    assert after.startswith(TEXT)
    assert [line for line in difference(TEXT, after) if line.startswith("-")] == []
    assert tomllib.loads(after)["device"][1] == STRIP


def test_one_setting_changes_one_line():
    printer = tomllib.loads(TEXT)["device"][0]
    after = put(TEXT, {**printer, "options": {"width_mm": 80}}, "printer")
    changed = [line for line in difference(TEXT, after) if line[0] in "+-"]
    assert len(changed) == 2 and "80" in changed[1]
    assert "# the socket at the top" in after and "# as on its door" in after


def test_what_stands_on_one_line_is_written_in_one_way():
    """Whether it is new, or one more setting came to what was there."""
    printer = tomllib.loads(TEXT)["device"][0]
    more = put(TEXT, {**printer, "options": {"width_mm": 80, "beep": 2}, "windows": {"1": 3}}, "printer")
    assert "options = { width_mm = 80, beep = 2 }\n" in more and "windows = { 1 = 3 }\n" in more
    noted = more.replace("beep = 2 }", "beep = 2 } # loud")
    less = put(noted, {**printer, "options": {"beep": 1}}, "printer")
    assert "options = { beep = 1 } # loud\n" in less and "windows" not in less


def test_what_was_added_and_taken_out_leaves_no_trace():
    for text in (TEXT, TEXT.partition("\n[[device]]")[0], TEXT + "\n# the end\n"):
        assert remove(put(text, STRIP), "strip") == text


def test_a_new_name_is_written_where_the_kiosk_names_it():
    printer = tomllib.loads(TEXT)["device"][0]
    told = tomllib.loads(put(TEXT, {**printer, "name": "slips"}, "printer"))
    assert told["kiosk"]["printer"] == "slips" and told["device"][0]["name"] == "slips"


@pytest.mark.parametrize("use", NAMED)
def test_whatever_the_kiosk_names_follows_its_device(use: str):
    text = TEXT.replace('printer = "printer"', f'{use} = "printer"')
    printer = tomllib.loads(text)["device"][0]
    assert tomllib.loads(put(text, {**printer, "name": "slips"}, "printer"))["kiosk"] == {use: "slips"}
    assert tomllib.loads(remove(text, "printer"))["kiosk"] == {}


def test_a_device_is_taken_out_everywhere():
    told = tomllib.loads(remove(TEXT, "printer"))
    assert "device" not in told and "printer" not in told["kiosk"]
    with pytest.raises(Mistake, match="'nobody'"):
        remove(TEXT, "nobody")


def test_devices_written_on_one_line_are_devices_too():
    text = 'device = [{ name = "a", driver = "queue-bus", link = "sim:" }]\n[machine]\nname = "x"\n'
    told = tomllib.loads(put(text, STRIP))
    assert [one["name"] for one in told["device"]] == ["a", "strip"]


def test_devices_go_to_another_machine():
    out = exported(put(TEXT, STRIP))
    assert "lake" not in out
    there = imported('# other\n[machine]\nname = "other"\n', out)
    assert there.startswith("# other") and [d["name"] for d in tomllib.loads(there)["device"]] == ["printer", "strip"]
    with pytest.raises(Mistake, match="no \\[\\[device\\]\\]"):
        imported(TEXT, "[machine]\nname = 'x'\n")
    with pytest.raises(Mistake, match="line 1"):
        imported(TEXT, "this is no TOML")


def test_saved_and_undone(file: HallFile):
    before = file.text()
    file.save(put(before, STRIP), version(before))
    assert [d.name for d in file.check(file.text()).devices] == ["printer", "strip"]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o640
    file.undo()
    assert file.text() == before
    with pytest.raises(Mistake, match="no version before"):
        file.undo()


def test_several_steps_back(file: HallFile):
    texts = [file.text()]
    for number in range(2, 14):
        after = put(texts[-1], {**STRIP, "name": f"strip{number}", "link": f"serial://by-path/1-{number}:1.0"})
        file.save(after, version(texts[-1]))
        texts.append(after)
    for earlier in reversed(texts[:-1]):
        file.undo()
        assert file.text() == earlier


def test_what_is_wrong_is_not_saved(file: HallFile):
    before = file.text()
    with pytest.raises(Mistake, match=r"device\[2\]\.windows"):
        file.save(put(before, {**STRIP, "windows": {"1": "three"}}), version(before))
    with pytest.raises(Mistake, match="there is no window 77"):
        file.save(put(before, {**STRIP, "windows": {"1": 77}}), version(before))
    assert file.text() == before and file.before() is None


def test_nobody_overwrites_what_somebody_else_saved(file: HallFile):
    before = file.text()
    file.save(put(before, STRIP), version(before))
    with pytest.raises(Stale):
        file.save(put(before, {**STRIP, "name": "mine"}), version(before))
    assert [d.name for d in file.check(file.text()).devices] == ["printer", "strip"]


def test_a_file_that_cannot_be_written_stays_as_it_was(file: HallFile):
    """Something stands where the new version is to be written; not even root gets past a folder."""
    before = file.text()
    (file.path.parent / f".{file.path.name}.half").mkdir()
    with pytest.raises(Mistake, match="cannot be written"):
        file.save(put(before, STRIP), version(before))
    assert file.text() == before and file.before() is None


def test_without_room_for_the_version_before_nothing_is_saved(tmp_path: Path):
    """The versions before cannot be kept where /dev/full stands, so nothing is saved."""
    path = tmp_path / "hall.toml"
    path.write_text(TEXT, encoding="utf-8")
    file = HallFile(path, history=Path("/dev/full"))
    before = file.text()
    with pytest.raises(Mistake, match="cannot be written"):
        file.save(put(before, STRIP), version(before))
    assert file.text() == before


BETWEEN = """[machine]
name = "x"

# about the printer
[[device]]
name = "printer"
driver = "escpos-printer"
link = "sim:"

# [[device]]
# name = "spare"

[[device]]
name = "strip"
driver = "pingan-strip"
link = "sim:"

# Never open port 9999 to the city's network.
[gateway]
port = 8765
"""


def test_no_comment_is_lost_when_devices_come_and_go():
    less = remove(remove(BETWEEN, "strip"), "printer")
    for comment in ("# about the printer", '# name = "spare"', "# Never open port 9999"):
        assert comment in less
    more = put(BETWEEN, STRIP | {"name": "new"})
    assert more.index('"new"') < more.index("# Never open") < more.index("[gateway]")
    assert [line for line in difference(BETWEEN, more) if line.startswith("-")] == []
    assert imported(BETWEEN, exported(BETWEEN)) == BETWEEN
    other = imported(BETWEEN, exported(more))
    assert "# Never open port 9999" in other and len(tomllib.loads(other)["device"]) == 3


def test_no_comment_behind_a_device_is_lost_when_its_last_table_goes():
    text = """[[device]]
name = "pad" # the one at the door
driver = "framed-pad"
link = "sim:"
[device.options]
frame = "{body}" # from its manual
[device.options.keys]
"11" = "call_next"

# Never open port 9999 to the city's network.
[gateway]
port = 8765

# the end
"""
    after = put(text, {"name": "strip", "driver": "pingan-strip", "link": "sim:"}, "pad")
    assert tomllib.loads(after)["device"] == [{"name": "strip", "driver": "pingan-strip", "link": "sim:"}]
    for comment in ("# the one at the door", "# Never open port 9999", "# the end"):
        assert comment in after
    only = put("\ufeff" + after.partition("# Never")[0].replace("\n", "\r\n"), STRIP, "strip")
    assert only.startswith("\ufeff") and only.count("\n") == only.count("\r\n") > 3


def test_line_ends_and_mark_stay(tmp_path: Path):
    path = tmp_path / "hall.toml"
    windows = ("\ufeff" + TEXT).replace("\n", "\r\n").encode()
    path.write_bytes(windows)
    file = HallFile(path)
    file.save(put(file.text(), STRIP), version(file.text()))
    saved = path.read_bytes()
    assert saved.startswith(windows[:60]) and saved.count(b"\n") == saved.count(b"\r\n")
    file.undo()
    assert path.read_bytes() == windows


def test_line_ends_and_mark_stay_when_a_device_is_changed_or_goes():
    windows = ("\ufeff" + TEXT).replace("\n", "\r\n")
    printer = tomllib.loads(TEXT)["device"][0]
    several = 'device = [{ name = "printer", driver = "queue-bus", link = "sim:" }]\r\n[machine]\r\nname = "x"\r\n'
    for after in (
        put(windows, {**printer, "windows": {"1": 1}}, "printer"),
        remove(windows, "printer"),
        imported(windows, several),
        remove("\ufeff" + several, "printer"),
    ):
        assert after.startswith("\ufeff") and after.count("\n") == after.count("\r\n") > 1, after


def test_as_many_versions_are_kept_as_promised(file: HallFile):
    for number in range(KEPT + 5):
        before = file.text()
        file.save(f"{TEXT}# {number}\n", version(before))
    kept = sorted(file.history.glob("*.toml"))
    assert len(kept) == KEPT
    assert kept[0].read_text(encoding="utf-8").endswith("# 4\n")


def test_nothing_laid_aside_is_overwritten_and_no_more_is_kept_than_promised(file: HallFile):
    for number in range(KEPT + 2):
        before = file.text()
        file.save(put(before, STRIP), version(before))
        file.path.write_text(file.text() + f"# {number}\n", encoding="utf-8")
        file.undo()
    aside = sorted(file.history.glob("*.undone"), key=lambda one: int(one.stem))
    assert [one.read_text(encoding="utf-8").splitlines()[-1] for one in aside] == [f"# {n}" for n in range(2, KEPT + 2)]
    assert list(file.history.glob("*.toml")) == []


def test_nobody_undoes_what_somebody_else_saved_meanwhile(file: HallFile):
    first = file.text()
    file.save(put(first, STRIP), version(first))
    looked_at = version(file.text())
    file.save(put(file.text(), {**STRIP, "name": "mine"}), looked_at)
    with pytest.raises(Stale):
        file.undo(looked_at)
    assert "mine" in file.text()
    file.undo(version(file.text()))
    assert version(file.text()) == looked_at


@pytest.mark.parametrize("spoilt", ["名字 = 1".encode("gb18030"), None, b"[[[ by hand"])
def test_a_file_that_an_editor_spoilt_is_undone(file: HallFile, spoilt: bytes | None):
    """Saved in another coding, deleted, or no TOML any more: the version before helps, and nothing is lost."""
    before = file.text()
    file.save(put(before, STRIP), version(before))
    file.path.unlink()
    if spoilt is not None:
        file.path.write_bytes(spoilt)
    file.undo(version(file.present()))
    assert file.text() == before
    assert [one.read_bytes() for one in file.history.glob("*.undone")] == ([] if spoilt is None else [spoilt])


def test_what_was_edited_by_hand_is_laid_aside_when_undone(file: HallFile):
    before = file.text()
    file.save(put(before, STRIP), version(before))
    by_hand = file.text() + "# two hours of work\n"
    file.path.write_text(by_hand, encoding="utf-8")
    file.undo()
    assert file.text() == before
    assert [kept.read_text(encoding="utf-8") for kept in file.history.glob("*.undone")] == [by_hand]


def test_strange_files_among_the_versions(file: HallFile):
    before = file.text()
    file.save(put(before, STRIP), version(before))
    (file.history / "backup.toml").write_text("mine")
    (file.history / "000009.toml").mkdir()
    file.undo()
    assert file.text() == before
    (file.history / "000010.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Mistake, match="cannot be read"):
        file.undo()


def test_somebody_else_is_writing(file: HallFile):
    before = file.text()
    folder = os.open(file.path.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        with pytest.raises(Mistake, match="somebody else is changing it"):
            file.save(put(before, STRIP), version(before))
    finally:
        os.close(folder)
    file.save(put(before, STRIP), version(before))


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[31m", "x" * 61, "\udcff"])
def test_names_that_cannot_be_shown(file: HallFile, name: str):
    with pytest.raises(Mistake, match="name must be 1 to 60 characters"):
        file.check(put(file.text(), {**STRIP, "name": name}))


def test_a_folder_is_no_file(tmp_path: Path):
    with pytest.raises(Mistake, match="is no file"):
        HallFile(tmp_path).text()


def test_the_file_and_its_versions_stay_their_owners(file: HallFile):
    owner = 12345 if os.geteuid() == 0 else os.geteuid()  # root writes for somebody else, others for themselves
    os.chown(file.path, owner, -1)
    before = file.text()
    file.save(put(before, STRIP), version(before))
    assert file.path.stat().st_uid == owner
    assert {one.stat().st_uid for one in (file.history, *file.history.iterdir())} == {owner}

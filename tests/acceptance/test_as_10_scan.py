"""AS-10, the scan half: whoever scans two pages and walks away leaves nothing of them on the kiosk.

The pages carry a synthetic number in print. They are laid under the camera of the kiosk's real program, on real
cables; then nobody touches anything. Searched are the memory of the window's process, every file it may have written,
and the RAM disk, for the number as text and for pieces of every picture the camera sent while the pages lay there.
"""

import contextlib
import hashlib
import os
import re
import signal
import socket
from pathlib import Path

import pytest
from waiting import until

NUMBER, NAME = "110101194903078899", "欧阳惜君"  # nobody's
IDLE, WARNING = 10, 5  # seconds, the least a hall may choose
PIECE = 48  # bytes of a compressed picture: they do not come about by chance


@pytest.fixture
def parts(kiosk_parts):
    return kiosk_parts("desk"), kiosk_parts("scanning"), kiosk_parts("conftest")


@pytest.fixture
def kiosk(parts, tmp_path):
    """(terminal, camera, program): everything runs."""
    from config.words import compile_all

    compile_all()
    desk, scanning, touching = parts
    pages = [desk.rendered([f"身份证号码 {NUMBER}", f"姓名 {NAME}", f"第 {n} 页"], n) for n in (1, 2)]
    with contextlib.ExitStack() as closing:
        camera = desk.Camera(desk.Desk(pages))
        closing.callback(camera.close)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        program = scanning.Program(tmp_path / "kiosk", camera.link, port, idle=IDLE, warning=WARNING)
        closing.callback(program.close)
        screen = touching.Screen((1080, 1920))
        closing.callback(screen.close)
        terminal = touching.Kiosk(screen, program.folder / "state", argv=program.argv)
        closing.callback(terminal.close)
        yield terminal, camera, program


def names(said, start):
    return [w["name"] for w in said["widgets"] if w["name"].startswith(start)]


def pieces(jpegs):
    """From each picture, bytes out of the middle of its compressed data, from three places."""
    return [jpeg[at : at + PIECE] for jpeg in jpegs for at in (len(jpeg) // 4, len(jpeg) // 2, 3 * len(jpeg) // 4)]


def forms(text):
    """A text as it may lie in memory or in a file."""
    return [text.encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le", "gb18030")]


def in_memory(pid, needles):
    """Which byte strings are anywhere in the writable memory of a process, which stands still meanwhile."""
    found = set()
    os.kill(pid, signal.SIGSTOP)
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if not span or "[vvar" in line:
                    continue
                start, end = (int(part, 16) for part in span.groups())
                with contextlib.suppress(OSError):  # a device's window cannot be read
                    memory.seek(start)
                    block = memory.read(end - start)
                    found |= {needle for needle in needles if needle in block}
    finally:
        os.kill(pid, signal.SIGCONT)
    return found


def files(*folders):
    """Every file below, with its bytes."""
    for folder in folders:
        for path in Path(folder).rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and not path.is_symlink():
                    yield path, path.read_bytes()


def test_the_search_finds_what_is_there():
    held = bytearray(b"needle" + NUMBER.encode() + os.urandom(64))
    child = os.fork()
    if child == 0:  # a process of its own, for it stands still while it is read
        signal.pause()  # until it is killed
        os._exit(0)
    try:
        assert in_memory(child, [bytes(held[-48:]), bytes(64)[:48] + b"never"]) == {bytes(held[-48:])}
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_as_10_two_pages_scanned_and_nobody_there(kiosk):
    terminal, camera, program = kiosk
    pid = terminal.process.pid
    terminal.wake()
    terminal.until(lambda said: names(said, "home.scan"), 20)
    terminal.tap("home.scan")
    session = terminal.page("scan")["session"]
    camera.wait(18)
    for page in (0, 1):
        camera.lay(page)
        terminal.until(lambda said, n=page + 1: names(said, f"sheet.{n}"), 30)
        camera.take_away(page)
        camera.wait(8)
    pictures = list(camera.lying)
    assert len(pictures) > 4
    pictures = pictures[:: -(-len(pictures) // 9)] + pictures[-1:]

    terminal.until(lambda said: said["warning"], IDLE + 10)
    ours = set(files_of(pid))
    assert ours, "the pages are kept as long as the warning stands"
    terminal.page("attract", WARNING + 10)
    needles = [*pieces(pictures), *forms(NUMBER), *forms(NAME)]
    # The rule gives it two seconds; a look at all its memory that begins within them may end later.
    until(lambda: not files_of(pid) and not in_memory(pid, needles), 2.0)
    hashes = {hashlib.sha256(jpeg).hexdigest().encode() for jpeg in pictures}
    pattern = re.compile(b"|".join(map(re.escape, [*needles, *hashes])))
    for path, data in files(program.folder, "/dev/shm"):
        assert not pattern.search(data), path
    assert not pattern.search(terminal.errors.read_bytes())
    assert program.documents == [], "and nothing was printed"
    with open(f"/proc/{pid}/limits") as limits:
        [core] = [line.split() for line in limits if line.startswith("Max core file size")]
    assert core[4] == "0", "no core file is written"

    terminal.quiet()
    terminal.touch(540, 960)
    assert terminal.page("home")["session"] != session
    terminal.tap("home.scan")
    assert names(terminal.page("scan"), "sheet") == []


def files_of(pid):
    """What this process keeps on the RAM disk."""
    return list(Path("/dev/shm").glob(f"bianmin-copy-{pid}-*"))

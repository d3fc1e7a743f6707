"""How fast each driver takes what its device says: the device's own frames, in pieces as a fast line hands them over.

The frames are recorded from the driver's own simulator in a real conversation (questions, orders, things that happen)
and then replayed to a fresh driver. The limit beside it is the same pieces copied into a buffer and searched once for
a byte, the least any parser in this language can do.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator

from benchmarks.row import Row
from devices import drivers, roles
from devices.driver import Driver, Simulator
from devices.roles import News

PIECE = 4096  # bytes of one read
AMOUNT = 4_000_000  # bytes of one round
ROUNDS = 5
AIM = 5.0  # MB/s

CARD = roles.CardPresented(
    kind="citizen", name="测试", id_number="110101199003070134", sex="女", nation="汉", birth="19900307",
    address_text="测试市示例区样板路1号", authority="测试市公安局", start="20200101", end="20400101",
)  # fmt: skip


def happenings(name: str) -> Iterator[News]:
    """What happens at a device while it is recorded; different each time, so that nothing is answered from memory."""
    for n in range(200):
        if name in ("serial-scanner", "hid-scanner"):
            yield roles.CodeScanned(text=f"https://hall.example/t/{n:026d}")
        elif name == "evaluator-tablet":
            yield roles.Rated(grade=1 + n % 5)
        elif name in ("framed-pad", "ascii-pad", "polled-pad"):
            yield roles.KeyPressed(key=list(roles.Key)[n % 2], address=1 + n % 3)
            yield roles.Rated(grade=1 + n % 5, address=1 + n % 3)
        elif name == "queue-bus":
            yield roles.KeyPressed(key=list(roles.Key)[n % 3], address=1 + n % 3)
            yield roles.Rated(grade=1 + n % 5, address=1 + n % 3)
        elif name == "hid-pad":
            yield roles.KeyPressed(key=list(roles.Key)[n % 3])
            yield roles.Rated(grade=1 + n % 5)
        elif name == "hid-pedal":
            yield roles.PedalPressed()
        elif name == "ga467-reader":
            yield CARD if n % 2 == 0 else roles.CardRemoved()
        elif name == "escpos-printer":
            yield roles.PaperNearEnd(over=n % 2 == 1)
        elif name == "mrz-reader":
            yield roles.DocumentRead(
                kind="TD3", code="P", document_number=f"L{n:08d}", issuer="UTO", surname="ERIKSSON"
            )


def options_of(name: str, module: object) -> object:
    """Several addresses where a cable has several."""
    options = module.Driver.Options  # type: ignore[attr-defined]
    several = name in ("queue-bus", "pingan-strip", "framed-pad", "polled-pad")
    return options(addresses=(1, 2, 3)) if several else options()


def record(name: str) -> bytes:
    """What the device says in a conversation with its driver."""
    module = drivers.load(name)
    options = options_of(name, module)
    driver, device = module.Driver(options), module.Simulator(options)
    driver.reset()
    said = bytearray()
    events = happenings(name)
    for _ in range(400):
        event = next(events, None)
        if event is not None:
            said += hear(driver, device, device.happen(event))
        if driver.idle:
            driver.poll()
        said += hear(driver, device, device.tick())
        driver.silence()
        if len(said) > AMOUNT:
            break
    return bytes(said)


def hear(driver: Driver, device: Simulator, said: bytes) -> bytes:
    """Let them talk until both are quiet; everything the device has said."""
    all_said = bytearray(said)
    driver.feed(said)
    for _ in range(50):
        asked = driver.owed()
        if not asked:
            break
        answer = device.receive(asked)
        all_said += answer
        driver.feed(answer)
    return bytes(all_said)


def speed(pieces: list[bytes], take: Callable[[bytes], object]) -> float:
    """MB/s of one pass."""
    began = time.perf_counter()
    for piece in pieces:
        take(piece)
    return sum(map(len, pieces)) / (time.perf_counter() - began) / 1e6


class Copying:
    """The floor: keep the newest bytes and look once for one of them."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def take(self, piece: bytes) -> int:
        """One piece."""
        self.buffer += piece
        found = self.buffer.find(b"\xfe")
        self.buffer.clear()
        return found


def rows() -> Iterable[Row]:
    """One row a driver."""
    for name in drivers.names():
        frames = record(name)
        if not frames:
            continue  # a device of this family never says anything
        stream = frames * (AMOUNT // len(frames) + 1)
        pieces = [stream[i : i + PIECE] for i in range(0, len(stream), PIECE)]
        module = drivers.load(name)
        ours, limit = [], []
        for _ in range(ROUNDS):
            driver = module.Driver(options_of(name, module))
            driver.reset()
            ours.append(speed(pieces, driver.feed))
            limit.append(speed(pieces, Copying().take))
        figure = statistics.median(ours)
        yield Row(
            what=f"driver feed: {name}",
            ours=figure,
            unit="MB/s",
            limit=statistics.median(limit),
            of="MB/s copied and searched",
            aim=f"≥ {AIM:g} MB/s",
            met=figure >= AIM,
            note=f"{len(frames)} bytes of its own frames, in pieces of {PIECE}; median of {ROUNDS}",
        )

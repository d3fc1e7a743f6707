"""The ID reader against the bytes of "身份证阅读器通信协议"; every frame here is the document's, none our encoder's."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import pytest

from devices.condition import State
from devices.driver import OrderMistake
from devices.drivers import ga467_reader
from devices.drivers.ga467_reader import Driver, Options, Simulator
from devices.roles import (
    Alive,
    Beep,
    CardPresented,
    CardRemoved,
    CardUnreadable,
    Garbled,
    NewestAddress,
    News,
    Obeyed,
    ReadCard,
    ReaderFault,
    ReadNewestAddress,
    Refused,
    ResetReader,
    Silent,
    Unconfirmed,
)
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

H = bytes.fromhex
FIND, SELECT, READ = H("AAAAAA96690003200122"), H("AAAAAA96690003200221"), H("AAAAAA96690003300132")
READ_FINGERS, ADDRESS = H("AAAAAA96690003301023"), H("AAAAAA96690003300330")
RESET, STATUS, IDENTITY = H("AAAAAA9669000310FFEC"), H("AAAAAA9669000311FFED"), H("AAAAAA9669000312FFEE")
FOUND = H("AAAAAA9669000800009F0000000097")
SELECTED = H("AAAAAA9669000C00009000000000000000009C")
NO_CARD, NOT_SELECTED = H("AAAAAA9669000400008084"), H("AAAAAA9669000400008185")
READ_FAILED, DONE, NO_ADDRESS = H("AAAAAA9669000400004145"), H("AAAAAA9669000400009094"), H("AAAAAA9669000400009195")
BAD_CHECK, BAD_LENGTH, BAD_COMMAND = (
    H("AAAAAA9669000400001014"),
    H("AAAAAA9669000400001115"),
    H("AAAAAA9669000400002125"),
)
UNAUTHORISED = H("AAAAAA9669000400006662")

CARD = CardPresented(
    kind="citizen",
    name="张三丰",
    id_number="110101199003070134",
    sex="男",
    nation="汉",
    birth="19900307",
    address_text="北京市东城区某某街道1号院",
    authority="北京市公安局东城分局",
    start="20200101",
    end="长期",
)


def text(card: CardPresented = CARD) -> bytes:
    out = bytearray(b" \0" * 128)
    for at, value in (
        (0, card.name),
        (30, "1"),
        (32, "01"),
        (36, card.birth),
        (52, card.address_text),
        (122, card.id_number),
        (158, card.authority),
        (188, card.start),
        (204, card.end),
    ):
        raw = value.encode("utf-16-le")
        out[at : at + len(raw)] = raw
    return bytes(out)


def reply(data: bytes) -> bytes:
    """A good answer with data, length and check worked out here."""
    counted = (len(data) + 4).to_bytes(2, "big") + b"\0\0\x90" + data
    return H("AAAAAA9669") + counted + bytes((reduce(xor, counted),))


def status(word: int) -> bytes:
    return H("AAAAAA96690004") + bytes((0, 0, word, 4 ^ word))


CARD_DATA = reply(H("01000400") + text() + b"\x77" * 1024)


class Talk:
    """A driver whose other side is written down line by line."""

    def __init__(self, driver: Driver | None = None) -> None:
        self.driver = driver or Driver()

    def poll(self) -> bytes:
        self.driver.poll()
        return self.driver.owed()

    def take(self, order: ReadCard | ReadNewestAddress | ResetReader) -> bytes:
        self.driver.take(order)
        return self.driver.owed()

    def hear(self, data: bytes) -> tuple[list[News], bytes]:
        """The news that follow, and what the driver sends next."""
        return self.driver.feed(data), self.driver.owed()

    def read(self) -> list[News]:
        """A first poll that ends with the card read."""
        assert self.poll() == FIND
        news, sent = self.hear(FOUND)
        assert sent == SELECT
        more, sent = self.hear(SELECTED)
        assert sent == READ
        last, sent = self.hear(CARD_DATA)
        assert sent == b""
        return news + more + last


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_the_documents_frames_are_the_drivers_frames() -> None:
    driver = Driver()
    assert driver.encode(ReadCard()) == READ
    assert driver.encode(ReadNewestAddress()) == ADDRESS
    assert driver.encode(ResetReader()) == RESET
    assert Driver(Options(fingers=True)).encode(ReadCard()) == READ_FINGERS
    with pytest.raises(OrderMistake, match="Beep"):
        driver.encode(Beep())


def test_the_cable_is_private_and_115200() -> None:
    assert Driver.private and Driver.baud == 115200


def test_a_card_laid_down_is_read_in_one_chain(talk: Talk) -> None:
    assert talk.read() == [Alive(), CARD]
    assert talk.driver.idle


def test_pieces_noise_and_a_next_answer_behind_do_not_matter(talk: Talk) -> None:
    talk.poll()
    for byte in b"\xaa\xaa\x96" + FOUND:
        news, sent = talk.hear(bytes((byte,)))
    assert (news, sent) == ([Alive()], SELECT)
    assert talk.hear(b"noise\xaa\xaa" + SELECTED + NO_CARD) == ([], READ)
    news: list[News] = []
    for at in range(0, len(CARD_DATA), 7):
        news += talk.driver.feed(CARD_DATA[at : at + 7])
    assert news == [CARD]


@pytest.mark.parametrize("fingers", [0, 512, 1024])
def test_the_answer_to_30_10_with_none_one_and_two_fingers(fingers: int) -> None:
    data = reply(H("01000400") + fingers.to_bytes(2, "big") + text() + bytes(1024) + b"\x66" * fingers)
    assert len(data) == {0: 1297, 512: 1809, 1024: 2321}[fingers]
    talk = Talk(Driver(Options(fingers=True)))
    talk.poll()
    talk.hear(FOUND)
    assert talk.hear(SELECTED)[1] == READ_FINGERS
    assert talk.hear(data)[0] == [CARD]


def test_the_same_card_is_told_once_and_its_lifting_is_found_out(talk: Talk) -> None:
    talk.read()
    reads = 0
    for _ in range(6):
        assert talk.poll() == FIND
        news, sent = talk.hear(NO_CARD)  # "already read" and "no card" sound alike
        assert news == []
        if sent:
            assert sent == READ
            reads += 1
            assert talk.hear(CARD_DATA) == ([], b"")
    assert reads == 3, "every second look reads, to spare the reader"
    told: list[News] = []
    for _ in range(2):
        talk.poll()
        if talk.hear(NO_CARD)[1]:
            told += talk.hear(READ_FAILED)[0]
    assert told == [CardRemoved()]
    for _ in range(4):
        talk.poll()
        assert talk.hear(NO_CARD) == ([], b""), "an empty reader is only asked to find"


def test_a_card_changed_between_two_looks(talk: Talk) -> None:
    talk.read()
    talk.poll()
    assert talk.hear(FOUND) == ([CardRemoved()], SELECT)
    talk.hear(SELECTED)
    assert talk.hear(CARD_DATA)[0] == [CARD]


def test_a_card_that_was_read_before_we_came_is_read_after_all(talk: Talk) -> None:
    talk.poll()
    assert talk.hear(NO_CARD) == ([Alive()], READ)
    assert talk.hear(CARD_DATA)[0] == [CARD]


def test_the_order_to_read(talk: Talk) -> None:
    assert talk.take(ReadCard(id="7")) == FIND
    assert not talk.driver.idle
    talk.hear(FOUND)
    talk.hear(NOT_SELECTED)  # the read is tried anyway
    assert talk.hear(CARD_DATA)[0] == [CARD, Obeyed(order="ReadCard", id="7")]
    assert talk.take(ReadCard(id="8")) == FIND  # the same card, asked for: told again
    assert talk.hear(NO_CARD)[1] == READ
    assert talk.hear(CARD_DATA)[0] == [CARD, Obeyed(order="ReadCard", id="8")]
    talk.take(ReadCard(id="9"))
    talk.hear(NO_CARD)
    assert talk.hear(READ_FAILED)[0] == [
        CardRemoved(),
        Refused(order="ReadCard", id="9", reason="No card lies on the reader."),
    ]


def test_the_newest_address(talk: Talk) -> None:
    talk.read()
    assert talk.take(ReadNewestAddress(id="a")) == ADDRESS
    moved = "上海市浦东新区某某路3号"
    data = reply((moved + " " * (35 - len(moved))).encode("utf-16-le"))
    assert talk.hear(data)[0] == [NewestAddress(address_text=moved), Obeyed(order="ReadNewestAddress", id="a")]
    talk.take(ReadNewestAddress())
    assert talk.hear(NO_ADDRESS)[0] == [NewestAddress(address_text=""), Obeyed(order="ReadNewestAddress")]
    talk.take(ReadNewestAddress())
    [refused] = talk.hear(READ_FAILED)[0]
    assert isinstance(refused, Refused) and "could not be read" in refused.reason


def test_resetting_the_reader(talk: Talk) -> None:
    assert talk.take(ResetReader(id="r")) == RESET
    assert talk.hear(DONE)[0] == [Alive(), Obeyed(order="ResetReader", id="r")]


@pytest.mark.parametrize("word", [0x24, 0x31, 0x32, 0x33, 0x40, 0x41, 0x47])
def test_what_is_wrong_with_a_card(talk: Talk, word: int) -> None:
    told: list[News] = []
    talk.poll()
    for _ in range(2):  # once more before anybody is troubled
        talk.hear(FOUND)
        talk.hear(SELECTED)
        told += talk.hear(status(word))[0]
    [unreadable] = told
    assert isinstance(unreadable, CardUnreadable)
    assert unreadable.status == f"{word:02x}" and unreadable.reason.endswith(".")
    talk.poll()
    talk.hear(FOUND)
    talk.hear(SELECTED)
    assert talk.hear(status(word)) == ([], b""), "told once"
    talk.poll()
    assert talk.hear(NO_CARD) == ([CardRemoved()], b"")


def test_a_card_that_only_moved_troubles_nobody(talk: Talk) -> None:
    talk.poll()
    talk.hear(FOUND)
    talk.hear(NOT_SELECTED)
    assert talk.hear(READ_FAILED) == ([], FIND)
    talk.hear(FOUND)
    talk.hear(SELECTED)
    assert talk.hear(CARD_DATA)[0] == [CARD]


def test_a_card_of_an_unknown_kind_is_told_as_unreadable_once(talk: Talk) -> None:
    strange = bytearray(text())
    strange[248] = ord("Q")
    data = reply(H("01000400") + strange + bytes(1024))
    talk.poll()
    talk.hear(FOUND)
    talk.hear(SELECTED)
    [unreadable] = talk.hear(data)[0]
    assert isinstance(unreadable, CardUnreadable) and "'Q'" in unreadable.reason
    talk.poll()
    talk.hear(NO_CARD)
    talk.poll()
    talk.hear(NO_CARD)
    assert talk.hear(data)[0] == []


@pytest.mark.parametrize("word", [0x05, 0x21, 0x23, 0x60, 0x66])
def test_what_is_wrong_with_the_reader_is_told_once_and_ends_once(talk: Talk, word: int) -> None:
    talk.poll()
    alive, fault = talk.hear(status(word))[0]
    assert alive == Alive()
    assert isinstance(fault, ReaderFault) and fault.status == f"{word:02x}" and fault.reason.endswith(".")
    assert talk.driver.owed() == b"" and talk.driver.idle
    talk.poll()
    assert talk.hear(status(word))[0] == []
    talk.poll()
    [over] = talk.hear(NO_CARD)[0]
    assert isinstance(over, ReaderFault) and over.over


def test_an_order_a_broken_reader_cannot_obey(talk: Talk) -> None:
    talk.take(ReadCard(id="1"))
    assert talk.hear(UNAUTHORISED)[0][-1] == Refused(
        order="ReadCard",
        id="1",
        reason="The reader's security module is not authorised; the reader must be registered again.",
    )


@pytest.mark.parametrize("refusal", [BAD_CHECK, BAD_LENGTH])
def test_a_question_that_arrived_damaged_is_put_once_more(talk: Talk, refusal: bytes) -> None:
    talk.poll()
    assert talk.hear(refusal) == ([], FIND)
    assert talk.hear(FOUND) == ([Alive()], SELECT)
    assert talk.hear(refusal) == ([], SELECT)
    assert talk.hear(refusal) == ([Garbled()], b"")
    talk.poll()
    assert talk.hear(NO_CARD)[0] == [Garbled(over=True)]


def test_a_wrong_checksum_in_an_answer_is_asked_for_once_more(talk: Talk) -> None:
    spoilt = CARD_DATA[:-1] + bytes((CARD_DATA[-1] ^ 1,))
    talk.take(ReadCard(id="c"))
    talk.hear(FOUND)
    talk.hear(SELECTED)
    assert talk.hear(spoilt) == ([], READ)
    assert talk.hear(CARD_DATA)[0] == [CARD, Obeyed(order="ReadCard", id="c")]
    talk.take(ReadCard(id="d"))
    talk.hear(NO_CARD)
    talk.hear(spoilt)
    garbled, outcome = talk.hear(spoilt)[0]
    assert garbled == Garbled() and isinstance(outcome, Unconfirmed) and outcome.id == "d"


def test_a_late_answer_is_not_taken_for_the_next_commands(talk: Talk) -> None:
    talk.poll()
    talk.hear(FOUND)
    talk.hear(SELECTED)
    assert talk.driver.patience == 2.0
    assert talk.driver.silence() == []
    assert talk.poll() == FIND
    assert talk.driver.patience == 1.0
    assert talk.hear(CARD_DATA) == ([], b""), "the first card's data, too late: dropped"
    assert talk.driver.patience == 2.0, "a late reader gets more time"
    assert talk.hear(NO_CARD) == ([], READ), "whether that card still lies there is asked, not assumed"
    assert talk.hear(READ_FAILED) == ([], b"")


def test_a_reader_always_late_is_waited_for_until_its_card_is_read(talk: Talk) -> None:
    talk.poll()
    assert talk.driver.silence() == []
    assert talk.poll() == FIND
    assert talk.hear(FOUND) == ([Alive()], SELECT), "the answer to the first question, or to the second"
    assert talk.driver.patience == 2.0, "so select is given the time this reader takes"
    assert talk.hear(FOUND) == ([], b""), "the answer to the second, or said twice"
    assert talk.hear(SELECTED) == ([], READ)
    assert isinstance(talk.hear(CARD_DATA)[0][0], CardPresented)


def test_a_reader_that_was_switched_off_is_not_taken_for_a_slow_one(talk: Talk) -> None:
    for _ in range(3):
        talk.poll()
        told = talk.driver.silence()
    assert told == [Silent()]
    talk.poll()
    talk.hear(NO_CARD)
    talk.hear(READ_FAILED)
    talk.poll()
    assert talk.driver.patience == 1.0


def test_after_a_time_out_an_order_first_gets_back_into_step(talk: Talk) -> None:
    talk.read()
    talk.take(ReadNewestAddress(id="1"))
    [outcome] = talk.driver.silence()
    assert isinstance(outcome, Unconfirmed) and "1.5 seconds" in outcome.reason
    assert talk.take(ReadNewestAddress(id="2")) == FIND
    assert talk.hear(READ_FAILED) == ([], b""), "the late answer to the first order"
    assert talk.hear(NO_CARD) == ([], ADDRESS)
    assert talk.hear(NO_ADDRESS)[0][-1] == Obeyed(order="ReadNewestAddress", id="2")


def test_answers_given_twice_are_heard_once(talk: Talk) -> None:
    talk.poll()
    assert talk.hear(FOUND * 2) == ([Alive()], SELECT)
    assert talk.hear(SELECTED * 2) == ([], READ)
    assert talk.hear(CARD_DATA * 2) == ([CARD], b"")


def test_a_silent_reader_is_told_after_three_questions_and_when_it_speaks_again(talk: Talk) -> None:
    news: list[News] = []
    for _ in range(5):
        assert talk.poll() == FIND
        news += talk.driver.silence()
    assert news == [Silent()]
    talk.poll()
    assert talk.hear(NO_CARD)[0] == [Silent(over=True), Alive()]


def test_a_babbling_line_is_told_once_and_frees_the_order(talk: Talk) -> None:
    talk.take(ReadCard(id="b"))
    news: list[News] = []
    for _ in range(100):
        news += talk.driver.feed(b"\xaa\xaa\xaa\x96\x69\xff\xff babble" * 100)
    assert news[0] == Garbled() and isinstance(news[1], Unconfirmed) and len(news) == 2
    assert talk.driver.idle
    talk.poll()
    assert talk.hear(NO_CARD) == ([Alive()], READ), "an answer gets through, but the line has babbled before it"
    assert talk.hear(READ_FAILED)[0] == [Garbled(over=True)]


def test_the_cable_goes_while_a_card_is_read(talk: Talk) -> None:
    talk.take(ReadCard(id="1"))
    [outcome] = talk.driver.lost()
    assert isinstance(outcome, Unconfirmed)
    talk.driver.take(ReadCard(id="2"))
    [outcome] = talk.driver.lost()
    assert isinstance(outcome, Refused), "nothing was sent yet"
    talk.driver.reset()
    assert talk.driver.idle and talk.read() == [Alive(), CARD]


def test_photo_and_fingerprints_are_nowhere_afterwards() -> None:
    marker = b"PHOTO-OF-A-CITIZEN"
    data = reply(H("01000400") + text() + marker.ljust(1024, b"\x01"))
    talk = Talk()
    talk.poll()
    talk.hear(FOUND)
    talk.hear(SELECTED)
    talk.hear(data)
    seen: list[object] = [talk.driver]
    held: list[bytearray] = []
    for _ in range(6):  # everything the driver can reach
        seen = [o for one in seen for o in gc.get_referents(one) if not isinstance(o, type)]
        held += [o for o in seen if isinstance(o, bytearray)]
        assert not [o for o in seen if isinstance(o, bytes | bytearray) and (marker in o or text()[:12] in o)]
    assert held and all(not any(one) for one in held)


# ---- the simulator against the document


@pytest.fixture
def reader() -> Simulator:
    return Simulator()


def test_the_simulator_answers_byte_for_byte(reader: Simulator) -> None:
    assert reader.receive(FIND) == NO_CARD
    assert reader.receive(SELECT) == NOT_SELECTED
    assert reader.receive(READ) == READ_FAILED
    assert reader.receive(RESET) == DONE
    assert reader.receive(STATUS) == DONE
    assert len(reader.receive(IDENTITY)) == 27
    reader.happen(CARD)
    assert reader.receive(FIND) == FOUND
    assert reader.receive(SELECT) == SELECTED
    data = reader.receive(READ)
    assert len(data) == 1295 and data[:14] == H("AAAAAA966905080000900100 0400") and data[14:270] == text()
    assert reader.receive(FIND) == NO_CARD, "already read"
    assert reader.receive(READ) == data, "and yet it may be read again"
    assert len(reader.receive(READ_FINGERS)) == 2321
    assert reader.receive(ADDRESS) == NO_ADDRESS
    reader.happen(CardRemoved())
    assert reader.receive(READ) == READ_FAILED
    assert reader.obeyed == [ResetReader(), ReadCard(), ReadCard(), ReadCard()]


def test_the_simulator_refuses_what_a_reader_refuses(reader: Simulator) -> None:
    assert reader.receive(FIND[:-1] + b"\x00") == BAD_CHECK
    assert reader.receive(H("AAAAAA9669FFFF")) == BAD_LENGTH
    assert reader.receive(H("AAAAAA966900037701") + bytes((3 ^ 0x77 ^ 1,))) == BAD_COMMAND
    assert reader.receive(b"noise" + FIND[:4]) == b""
    assert reader.receive(FIND[4:] + SELECT) == NO_CARD + NOT_SELECTED
    with pytest.raises(ValueError, match="Alive"):
        reader.happen(Alive())


def live(driver: Driver, reader: Simulator, polls: int = 4) -> list[News]:
    """Driver and simulator talk, for so many quiet moments."""
    news: list[News] = []

    def talk() -> None:
        while (sent := driver.owed()) or driver.patience is not None:
            answer = reader.receive(sent) if sent else b""
            news.extend(driver.feed(answer) if answer else driver.silence())

    talk()
    for _ in range(polls):
        driver.poll()
        talk()
    return news


def test_a_card_comes_and_goes_between_driver_and_simulator() -> None:
    driver, reader = Driver(), Simulator()
    assert live(driver, reader) == [Alive()]
    reader.happen(CARD)
    assert live(driver, reader) == [CARD]
    reader.happen(NewestAddress(address_text="上海市某某路"))
    driver.take(ReadNewestAddress())
    assert live(driver, reader) == [NewestAddress(address_text="上海市某某路"), Obeyed(order="ReadNewestAddress")]
    reader.happen(CardRemoved())
    assert live(driver, reader) == [CardRemoved()]
    reader.happen(CardUnreadable(reason="", status="33"))
    [unreadable] = live(driver, reader)
    assert isinstance(unreadable, CardUnreadable) and unreadable.status == "33"
    reader.happen(CardRemoved())
    assert live(driver, reader) == [CardRemoved()]
    reader.happen(ReaderFault(status="60", reason=""))
    assert [type(n) for n in live(driver, reader)] == [ReaderFault]
    reader.happen(ReaderFault(over=True))
    assert [getattr(n, "over", None) for n in live(driver, reader)] == [True]


KINDS = {
    "hmt": CardPresented(
        kind="hmt", name="陳大文", id_number="810000199901020036", pass_number="H12345678", issue_count="02"
    ),
    "foreigner2017": CardPresented(
        kind="foreigner2017", name="安娜", english_name="ERIKSSON, ANNA", id_number="UTO110074081201", nationality="UTO"
    ),
    "foreigner2023": CardPresented(
        kind="foreigner2023", name="汉斯", english_name="HANS " * 8 + "END", id_number="911124198108030024"
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_card_comes_through(kind: str) -> None:
    driver, reader = Driver(), Simulator()
    reader.happen(KINDS[kind])
    assert live(driver, reader) == [Alive(), KINDS[kind]]


def faulty(name: str) -> list[News]:
    driver, reader = Driver(), Simulator(faults=frozenset({name}))
    news = live(driver, reader, 2)
    reader.happen(CARD)
    news += live(driver, reader)
    driver.take(ReadNewestAddress())
    return news + live(driver, reader)


EXPECTED: dict[str, Callable[[list[News]], bool]] = {
    **{f"status-{w:02x}": (lambda n: any(isinstance(x, ReaderFault) for x in n)) for w in (5, 0x21, 0x23, 0x60, 0x66)},
    **{f"status-{w:02x}": (lambda n: Garbled() in n) for w in (0x10, 0x11)},
    **{
        f"status-{w:02x}": (lambda n: any(isinstance(x, CardUnreadable) for x in n))
        for w in (0x24, 0x31, 0x32, 0x33, 0x40, 0x41, 0x47)
    },
    "status-80": lambda n: CARD not in n,
    "status-81": lambda n: CARD in n or any(isinstance(x, CardUnreadable) for x in n),
    "status-91": lambda n: NewestAddress(address_text="") in n,
    "self-test-failed": lambda n: any(isinstance(x, ReaderFault) and x.status == "60" for x in n),
    "sam-unauthorised": lambda n: any(isinstance(x, ReaderFault) and x.status == "66" for x in n),
    "no-permission": lambda n: any(isinstance(x, ReaderFault) and x.status == "23" for x in n),
    "wrong-checksum": lambda n: Garbled() in n and CARD not in n,
    "wrong-checksum-once": lambda n: CARD in n and Garbled() not in n,
    "twice": lambda n: n.count(CARD) == 1 and Garbled() not in n,
    "apart": lambda n: n.count(CARD) == 1,
    "one-finger": lambda n: n.count(CARD) == 1,
    "no-fingers": lambda n: n.count(CARD) == 1,
}


def test_every_fault_of_the_simulator_is_expected_here() -> None:
    assert set(EXPECTED) == set(Simulator.faults)
    assert {int(n[-2:], 16) for n in EXPECTED if n.startswith("status-")} == set(ga467_reader.STATUSES)


@pytest.mark.parametrize("name", EXPECTED)
def test_faults(name: str) -> None:
    assert EXPECTED[name](faulty(name))


# ---- HID reports of 64 bytes


def reports(data: bytes, *, apart: bool = False) -> bytes:
    """A message in reports, by hand: a length in front of all of it, or in front of each report's share."""
    if apart:
        parts = [data[at : at + 62] for at in range(0, len(data), 62)]
        return b"".join((bytes((0, len(part))) + part).ljust(64, b"\0") for part in parts)
    message = bytes(divmod(len(data), 256)) + data
    return message.ljust(-(-len(message) // 64) * 64, b"\0")


def test_a_question_in_a_hid_report() -> None:
    assert Talk(Driver(Options(framing="hid"))).poll() == H("000A AAAAAA9669 0003 2001 22").ljust(64, b"\0")
    assert Talk(Driver(Options(framing="hid-stripped"))).poll() == H("0003 2001 22").ljust(64, b"\0")


@pytest.mark.parametrize("apart", [False, True])
def test_a_card_in_hid_reports(apart: bool) -> None:
    talk = Talk(Driver(Options(framing="hid")))
    talk.poll()
    talk.hear(reports(FOUND))
    talk.hear(reports(SELECTED))
    data = reports(CARD_DATA, apart=apart)
    news = []
    for at in range(0, len(data), 64):
        news += talk.hear(data[at : at + 64])[0]
    assert news == [CARD]


def test_a_card_in_hid_reports_without_preamble() -> None:
    talk = Talk(Driver(Options(framing="hid-stripped")))
    talk.poll()
    assert talk.hear(FOUND[5:].ljust(64, b"\0")) == ([Alive()], H("0003 2002 21").ljust(64, b"\0"))
    assert talk.hear(SELECTED[5:].ljust(64, b"\0"))[1] == H("0003 3001 32").ljust(64, b"\0")
    assert talk.hear(CARD_DATA[5:].ljust(-(-len(CARD_DATA[5:]) // 64) * 64, b"\0"))[0] == [CARD]


@pytest.mark.parametrize("framing", ["hid", "hid-stripped"])
def test_half_a_report_is_forgotten_when_the_reader_falls_silent(framing: str) -> None:
    talk = Talk(Driver(Options(framing=framing)))
    wrapped = FOUND[5:].ljust(64, b"\0") if framing == "hid-stripped" else reports(FOUND)
    talk.poll()
    talk.hear(wrapped[:30])
    talk.driver.silence()
    talk.poll()
    assert talk.hear(wrapped)[0] == [Alive()]


@pytest.mark.parametrize("framing", ["hid", "hid-stripped"])
@pytest.mark.parametrize("fault", ["", "one-finger", "no-fingers", "apart", "twice"])
def test_driver_and_simulator_over_hid(framing: str, fault: str, table: Any) -> None:
    desk = table("ga467-reader", {"framing": framing, "fingers": True}, [fault] if fault else [])
    desk.happen(CARD)
    assert [n for n in desk.settle() if isinstance(n, CardPresented)] == [CARD]


@pytest.mark.parametrize("framing", ["hid", "hid-stripped"])
def test_a_card_is_read_over_a_hid_link(framing: str, pty_path: Path, diary: Any, until: Any, closing: Any) -> None:
    """The whole way: station, link and, at the far end of a terminal, a reader that speaks in reports."""
    options = {"framing": framing}
    reader = closing(SimulatedDevice("ga467-reader", options).on_pty(pty_path))
    station = closing(Station([DeviceEntry("reader", "ga467-reader", f"hidraw://{pty_path}", options)], diary))
    until(lambda: station.state("reader").state is State.READY)
    reader.happen(CARD)
    until(lambda: diary.of(CardPresented))
    reader.happen(CardRemoved())
    until(lambda: diary.of(CardRemoved))
    assert diary.of(CardPresented) == [CARD]
    assert isinstance(station.send("reader", ResetReader()).result(10), Obeyed)


@pytest.mark.parametrize("framing", ["serial", "hid", "hid-stripped"])
def test_a_megabyte_of_spoilt_reports_raises_nothing_and_leaves_nothing(framing: str) -> None:
    driver, noise = Driver(Options(framing=framing)), random.Random(3)
    said = [reports(FOUND), reports(SELECTED), reports(CARD_DATA), SELECTED[5:].ljust(64, b"\0"), CARD_DATA, FOUND]
    fed = 0
    while fed < 1_000_000:
        data = bytearray(noise.choice(said) if noise.random() < 0.8 else noise.randbytes(200))
        for _ in range(noise.randrange(3)):
            data[noise.randrange(len(data))] ^= 1 << noise.randrange(8)
        fed += len(data)
        driver.feed(bytes(data[: noise.choice((len(data), len(data), 40))]))
        driver.poll()
        driver.owed()
        if noise.random() < 0.05:
            driver.silence()
    held = len(driver._splitter._held) + (len(driver._reports._held) if driver._reports else 0)
    assert held < 5000

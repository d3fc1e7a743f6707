"""Call pads and evaluators on one line, against frames worked out from the deployed host's rules."""

from __future__ import annotations

import pytest
from pad_desk import ALIVE_3, ASK_5, BEEP_3, CALL_3, RATED_1_5, RATED_1_5_ANSWER, SHOW_042_3, owed, refuses

from devices.drivers.queue_bus import Driver, Options, Simulator, pack
from devices.pads.keys import RATINGS
from devices.roles import (
    Alive,
    AskRating,
    Beep,
    CardRemoved,
    Garbled,
    Key,
    KeyPressed,
    News,
    Order,
    PrintTest,
    Rated,
    Refused,
    ShowNumber,
    ShowStars,
    Unconfirmed,
)

H = bytes.fromhex
CALL = KeyPressed(address=3, key=Key.CALL_NEXT, code="0c")


def frame(address: int, function: int, *data: int) -> bytes:
    body = bytes((address, function, *data))
    return H("FF68") + bytes((len(body), len(body), 0x68)) + body + bytes((sum(body) % 256, 0x16))


@pytest.fixture
def bus() -> Driver:
    return Driver()


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (ShowNumber(number="042", address=3), SHOW_042_3),
        (ShowNumber(number="A042", address=3), SHOW_042_3),
        (ShowNumber(number="7", waiting=13, address=3), frame(3, 2, 0, 1, 3, 0, 0, 7)),
        (ShowNumber(number="A1007", address=3), frame(3, 2, 10, 10, 10, 0, 0, 7)),
        (ShowNumber(waiting=1500, address=3), frame(3, 2, 9, 9, 9, 10, 10, 10)),
        (Beep(address=3), BEEP_3),
        (Beep(address=3, times=2), BEEP_3 * 2),
        (AskRating(address=5), ASK_5),
        (ShowStars(stars=5, address=3), H("FF68030368 030205 0A16")),
        (Beep(), H("FF68020268 0103 0416")),
    ],
)
def test_orders(bus: Driver, order: Order, expected: bytes) -> None:
    assert bus.encode(order) == expected


def test_an_order_without_address_goes_to_the_first_configured() -> None:
    assert Driver(Options(addresses=(3, 4))).encode(Beep()) == BEEP_3


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (ShowNumber(number="ABC"), "shows digits"),
        (ShowNumber(waiting=-1), "negative"),
        (Beep(times=0), "1 to 9"),
        (ShowStars(stars=6), "0 to 5"),
        (Beep(address=256), "1 to 255"),
        (PrintTest(), "PrintTest"),
    ],
)
def test_orders_that_do_not_fit(bus: Driver, order: Order, said: str) -> None:
    refuses(bus, order, said)


def test_the_call_key_of_the_document_is_told_and_echoed(bus: Driver) -> None:
    assert bus.feed(CALL_3) == [ALIVE_3, CALL]
    assert owed(bus) == [CALL_3]


def test_a_rating_is_acknowledged_as_function_01(bus: Driver) -> None:
    assert bus.feed(RATED_1_5)[1:] == [Rated(address=5, grade=5, code="01")]
    assert owed(bus) == [RATED_1_5_ANSWER]


@pytest.mark.parametrize(
    ("data", "key", "code"),
    [
        ((0x0C,), Key.CALL_NEXT, "0c"),
        ((0x0D,), Key.RECALL, "0d"),
        ((0x0B,), Key.EVALUATE, "0b"),
        ((0x06, 0x0F), Key.GIVE_UP, "060f"),
        ((0x00, 0x0F), Key.HOLD, "000f"),
        ((0x03, 0x0F), Key.CALL_BACK, "030f"),
        ((0x12,), Key.PAUSE, "12"),
        ((0x13,), Key.TRANSFER, "13"),
        ((0x0E,), Key.CANCEL, "0e"),
        ((0x11,), Key.ONE_METRE, "11"),
        ((0x0F,), Key.OTHER, "0f"),
        ((0x05, 0x0F), Key.OTHER, "0f"),
        ((0x01, 0x02, 0x0C), Key.CALL_NEXT, "0c"),
        ((0x77,), Key.OTHER, "77"),
    ],
)
def test_keys(bus: Driver, data: tuple[int, ...], key: Key, code: str) -> None:
    assert bus.feed(frame(9, 1, *data))[1:] == [KeyPressed(address=9, key=key, code=code)]
    assert owed(bus) == [frame(9, 1, *data)]


@pytest.mark.parametrize(
    ("preset", "grades"),
    [
        ("bank", {1: 5, 2: 4, 3: 3, 4: 2, 5: 1}),
        ("web-new", {0: None, 1: 5, 2: 4, 3: 3, 4: 2, 5: 2}),
        ("web-old", {1: 4, 2: 3, 3: 2, 4: 5}),
        ("police", {3: 5, 2: 4, 1: 3, 0: 2}),
        ("reverse", {1: 1, 5: 5}),
        ("four", {1: 5, 4: 2}),
    ],
)
def test_rating_keys_mean_what_the_installer_chose(preset: str, grades: dict[int, int | None]) -> None:
    for code, grade in grades.items():
        bus = Driver(Options(ratings=preset))
        assert bus.feed(frame(5, 0x11, code))[1:] == [Rated(address=5, grade=grade, code=f"{code:02x}")]
    assert preset in RATINGS


def test_a_rating_key_without_a_meaning_is_no_grade(bus: Driver) -> None:
    assert bus.feed(frame(5, 0x11, 9))[1:] == [KeyPressed(address=5, key=Key.OTHER, code="1109")]
    bus = Driver(Options(grades={9: 1}, keys={"14": "call_next"}))
    assert bus.feed(frame(5, 0x11, 9))[1:] == [Rated(address=5, grade=1, code="09")]
    assert bus.feed(frame(6, 1, 0x14)) == [KeyPressed(address=6, key=Key.CALL_NEXT, code="14")]


@pytest.mark.parametrize(
    "wrong",
    [{"addresses": ()}, {"grades": {1: 6}}, {"keys": {"0C": "dance"}}, {"keys": {"C": "recall"}}],
)
def test_options_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="addresses|grades|keys"):  # noqa: RUF043 - one of these words
        Options(**wrong)  # type: ignore[arg-type]


def test_pieces_noise_and_the_next_frame_behind(bus: Driver) -> None:
    news: list[News] = []
    for byte in b"\xff\x68\x03\x04" + CALL_3 + H("FF6808") + RATED_1_5:
        news += bus.feed(bytes((byte,)))
    assert news == [ALIVE_3, CALL, Rated(address=5, grade=5, code="01")]
    assert owed(bus) == [CALL_3, RATED_1_5_ANSWER]


@pytest.mark.parametrize(
    "wrong",
    [
        H("FF68030368 03010C 1116"),  # sum
        H("FF68030368 03010C 1017"),  # end
        H("FF68030468 03010C 1016"),  # lengths differ
        H("FF68020268 0303 0616"),  # only a host says so little
        H("FF68060668 03010102030C 1616"),  # or so much
    ],
)
def test_what_is_no_device_frame_is_neither_told_nor_acknowledged(bus: Driver, wrong: bytes) -> None:
    assert bus.feed(wrong) == [] and owed(bus) == []
    assert bus.feed(CALL_3)[-1:] == [CALL]


def test_a_repeat_before_our_acknowledgement_is_one_press(bus: Driver) -> None:
    assert bus.feed(CALL_3 * 3) == [ALIVE_3, CALL]
    assert owed(bus) == [CALL_3]


def test_a_repeat_after_a_lost_acknowledgement_is_acknowledged_again_but_not_told() -> None:
    bus = Driver(Options(echo="no"))
    bus.feed(CALL_3)
    assert owed(bus) == [CALL_3]
    assert bus.feed(CALL_3) == [] and owed(bus) == [CALL_3]


def test_the_same_key_after_a_quiet_moment_is_a_second_press(bus: Driver) -> None:
    bus.feed(CALL_3)
    owed(bus)
    assert bus.patience == 0.5
    assert bus.silence() == []
    assert bus.patience is None
    assert bus.feed(CALL_3) == [CALL]


def test_the_same_key_after_another_is_a_second_press(bus: Driver) -> None:
    bus.feed(CALL_3)
    owed(bus)
    assert bus.feed(frame(3, 1, 0x0D)) == [KeyPressed(address=3, key=Key.RECALL, code="0d")]
    owed(bus)
    assert bus.feed(frame(4, 1, 0x0C)) == [KeyPressed(address=4, key=Key.CALL_NEXT, code="0c")]
    owed(bus)
    bus.silence()
    assert bus.feed(CALL_3) == [CALL]


@pytest.mark.parametrize("echo", ["auto", "yes"])
def test_an_adapter_that_returns_what_is_sent(echo: str) -> None:
    bus = Driver(Options(echo=echo))
    assert bus.feed(CALL_3) == [ALIVE_3, CALL]
    for sent in owed(bus):
        assert bus.feed(sent) == []
    assert owed(bus) == [], "our acknowledgement is not acknowledged for ever"
    bus.feed(RATED_1_5)
    for sent in owed(bus):
        assert bus.feed(sent) == []
    bus.take(AskRating(address=3))
    for sent in owed(bus):
        assert bus.feed(sent) == [], "our question is not the pad's evaluate key"
    assert owed(bus) == []
    bus.silence()
    bus.silence()
    assert bus.feed(frame(3, 1, 0x0B)) == [KeyPressed(address=3, key=Key.EVALUATE, code="0b")]


def test_an_unexpected_echo_does_not_go_on_for_ever() -> None:
    bus = Driver(Options(echo="no"))
    bus.feed(CALL_3)
    rounds = 0
    while (sent := owed(bus)) and rounds < 50:
        rounds += 1
        assert bus.feed(b"".join(sent)) == []
    assert rounds <= 6


def test_a_plain_adapter_is_recognised_by_a_frame_that_does_not_come_back(bus: Driver) -> None:
    bus.take(ShowNumber(number="042", address=3))
    assert owed(bus) == [SHOW_042_3]
    bus.silence()
    bus.silence()
    bus.feed(CALL_3)
    owed(bus)
    assert bus.feed(CALL_3) == [] and owed(bus) == [CALL_3], "so this is a repeat, not our echo"


def test_no_order_can_be_confirmed(bus: Driver) -> None:
    assert bus.answers is False
    bus.take(Beep(id="b", address=3, times=2))
    assert not bus.idle
    assert owed(bus) == [BEEP_3, BEEP_3]
    assert bus.patience == 0.1
    [outcome] = bus.silence()
    assert isinstance(outcome, Unconfirmed) and (outcome.id, outcome.order, outcome.address) == ("b", "Beep", 3)
    assert bus.idle


def test_a_missing_echo_is_told_where_there_should_be_one() -> None:
    bus = Driver(Options(echo="yes"))
    bus.take(Beep(address=3))
    owed(bus)
    [outcome] = bus.silence()
    assert isinstance(outcome, Unconfirmed) and "did not return" in outcome.reason


def test_a_key_goes_before_an_order(bus: Driver) -> None:
    bus.take(ShowNumber(number="042", address=3))
    bus.feed(CALL_3)
    assert owed(bus) == [CALL_3, SHOW_042_3]


def test_the_cable_goes(bus: Driver) -> None:
    assert bus.lost() == []
    bus.take(Beep(id="1"))
    [outcome] = bus.lost()
    assert isinstance(outcome, Refused)
    bus.take(Beep(id="2"))
    bus.owed()
    [outcome] = bus.lost()
    assert isinstance(outcome, Unconfirmed)
    bus.feed(CALL_3[:5])
    bus.reset()
    assert bus.feed(CALL_3[5:]) == [] and bus.feed(CALL_3) == [ALIVE_3, CALL]


def test_a_babbling_line_is_told_once_and_its_end_once(bus: Driver) -> None:
    bus.take(Beep(id="1"))
    owed(bus)
    news = [one for _ in range(100) for one in bus.feed(b"\xff\x68\x03\x03\x00 babble" * 1000)]
    assert news[0] == Garbled() and isinstance(news[1], Unconfirmed) and len(news) == 2
    assert bus.feed(CALL_3) == [ALIVE_3, CALL], "a key gets through, but the line still babbles"
    owed(bus)
    assert bus.patience == 0.5
    bus.silence()
    assert bus.feed(CALL_3) == [Garbled(over=True), CALL]


def test_on_a_line_that_is_never_quiet_bytes_tell_the_time(bus: Driver) -> None:
    bus.feed(CALL_3)
    owed(bus)
    assert bus.feed(b"\x00" * 300) == [Garbled()]
    assert bus.feed(CALL_3) == [], "a third of a second later: a repeat"
    owed(bus)
    bus.feed(b"\x00" * 600)
    assert bus.feed(CALL_3) == [CALL]
    assert owed(bus) == [CALL_3]


# ---- the simulator


def test_pads_and_evaluators_on_one_line_remember_what_they_show() -> None:
    bus, devices = Driver(Options(addresses=(3, 5))), Simulator(Options(addresses=(3, 5)))
    for order in (
        ShowNumber(number="042", waiting=7, address=3),
        ShowNumber(waiting=6, address=3),
        ShowNumber(number="101", address=4),
        ShowStars(stars=4, address=5),
        AskRating(address=5),
        Beep(address=3, times=2),
    ):
        bus.take(order)
        for sent in owed(bus):
            assert devices.receive(sent[:4]) == b"" and devices.receive(sent[4:]) == b""
        bus.silence()
    panels = devices.panels
    assert (panels[3].number, panels[3].waiting, panels[3].beeps) == ("042", "006", 2)
    assert (panels[4].number, panels[5].stars, panels[5].asking) == ("101", 4, True)
    assert devices.obeyed[:2] == [
        ShowNumber(number="042", waiting=7, address=3),
        ShowNumber(number=None, waiting=6, address=3),
    ]
    assert len(devices.obeyed) == 7
    devices.happen(Rated(grade=5, address=5))
    assert not panels[5].asking


def test_what_happens_at_a_pad_is_the_documents_frame() -> None:
    devices = Simulator()
    assert devices.happen(KeyPressed(key=Key.CALL_NEXT, address=3)) == CALL_3
    assert devices.happen(Rated(grade=5, address=5)) == RATED_1_5
    assert devices.happen(KeyPressed(key=Key.GIVE_UP, address=9)) == frame(9, 1, 6, 0x0F)
    assert devices.happen(KeyPressed(key=Key.OTHER, code="77", address=9)) == frame(9, 1, 0x77)
    for news in (CardRemoved(), KeyPressed(key=Key.OTHER), Rated(grade=None)):
        with pytest.raises(ValueError, match=r"cannot have|give its code"):
            devices.happen(news)


def test_what_is_not_acknowledged_is_said_three_times_more() -> None:
    devices = Simulator()
    devices.happen(KeyPressed(key=Key.CALL_NEXT, address=3))
    said = [devices.tick() for _ in range(20)]
    assert [one for one in said if one] == [CALL_3] * 3
    devices.happen(KeyPressed(key=Key.CALL_NEXT, address=3))
    devices.receive(CALL_3)
    assert not any(devices.tick() for _ in range(20))
    assert devices.obeyed == [], "an acknowledgement is not an order"


@pytest.mark.parametrize("fault", ["deaf", "wrong-checksum"])
@pytest.mark.parametrize("echo", ["auto", "yes", "no"])
def test_a_press_is_told_once_whatever_is_lost(fault: str, echo: str) -> None:
    bus, devices = Driver(Options(echo=echo)), Simulator(faults=frozenset({fault}))
    news: list[News] = []
    for press in (KeyPressed(key=Key.CALL_NEXT, address=3), Rated(grade=5, address=5)):
        said = devices.happen(press)
        for _ in range(20):
            news += bus.feed(said)
            for sent in owed(bus):
                devices.receive(sent)
            said = devices.tick()
        bus.silence()
    assert [one for one in news if not isinstance(one, Alive)] == [CALL, Rated(address=5, grade=5, code="01")]


def test_on_a_line_that_is_never_quiet_the_same_key_is_a_new_press_half_a_second_later(bus: Driver) -> None:
    """Twenty pads are told their numbers one after the other: no half second without a frame of ours."""
    press = pack(1, 1, b"\x0c")
    assert [n for n in bus.feed(press) if isinstance(n, KeyPressed)]
    for n in range(8):
        bus.take(ShowNumber(address=1 + n, waiting=n))
        while bus.owed():
            pass
        if n == 2:
            assert not bus.feed(press), "the pad repeats itself"
        bus.silence()
    assert [n for n in bus.feed(press) if isinstance(n, KeyPressed)]

"""Window strips: frames as the maker's document prints them (Pingan Lihe V2.1, 2012), and acknowledgements or none."""

import pytest

from devices.driver import OrderMistake
from devices.drivers.pingan_strip import Driver, Options, Simulator
from devices.roles import (
    Alive,
    Beep,
    Garbled,
    Obeyed,
    PaperOut,
    Refused,
    ShowCall,
    ShowPaused,
    ShowServing,
    ShowText,
    ShowWelcome,
    Silent,
    Unconfirmed,
)

AT3 = Options(addresses=(3,))
ACK1 = bytes.fromhex("A0 03 14 01 50 04 FF")
ALIVE1 = Alive(address=1, detail="16-dot strip, version 33")


def talk(driver: Driver, simulator: Simulator) -> list:
    news = []
    for _ in range(50):
        frame = driver.owed()
        if frame:
            news += driver.feed(simulator.receive(frame))
        elif driver.patience is not None:
            news += driver.silence()
        else:
            return news
    raise AssertionError("the conversation does not end")


# ---- the maker's bytes ----


@pytest.mark.parametrize(
    ("order", "frame"),
    [
        (ShowCall(number="B1234", window=3), "A0 07 28 03 01 0C 22 03 42 42 FF"),
        (ShowCall(number="1234", window=3), "A0 06 28 03 01 0C 22 03 63 FF"),
        (ShowWelcome(), "A0 03 28 03 00 2E FF"),
        (ShowPaused(), "A0 03 28 03 02 30 FF"),
    ],
)
def test_frames_of_the_document(order, frame):
    driver, strip = Driver(AT3), Simulator(AT3)
    assert driver.encode(order) == bytes.fromhex(frame)
    strip.receive(bytes.fromhex(frame))
    assert strip.obeyed == [order]


def test_instant_text_of_the_document():
    # Its checksum happens to be FF, the byte that ends frames.
    frame = bytes.fromhex("AA 01 BB 51 54 FF 01 00 99 00 63 C7 EB 41 30 30 31 BA C5 FF")
    assert Driver().encode(ShowText(text="请A001号")) == frame
    strip = Simulator()
    assert strip.receive(frame) == ACK1
    assert strip.obeyed == [ShowText(text="请A001号")]


def test_version_and_acknowledgement_of_the_document():
    driver = Driver()
    driver.poll()
    assert driver.owed() == bytes.fromhex("A0 03 98 01 50 24 FF")
    card = bytes.fromhex("A0 05 98 01 50 A3 15")
    assert driver.feed(card + bytes((sum(card[1:]) % 100, 0xFF))) == [
        Alive(address=1, detail="24/32-dot instant, version 21")
    ]
    driver.take(ShowWelcome(id="w"))
    driver.owed()
    assert driver.feed(ACK1) == [Obeyed(order="ShowWelcome", id="w")]


def test_online_test_is_answered():
    body = bytes((0x02, 0x29, 0x01))
    assert Simulator().receive(b"\xa0" + body + bytes((sum(body) % 100, 0xFF))) == ACK1


# ---- numbers, texts ----


@pytest.mark.parametrize("number", ["A001", "A012", "012", "B1234", "9999", "A12345", "AB12", "A1", "A0001", "x-1"])
def test_every_number_arrives_as_the_citizen_holds_it(number):
    strip = Simulator()
    strip.receive(Driver().encode(ShowCall(number=number, window=12)))
    assert strip.obeyed == [ShowCall(number=number, window=12)]
    assert strip.shown == {1: f"请{number}号到12号窗口"}


def test_numbers_no_frame_can_carry_are_said_in_words():
    strip = Simulator()
    strip.receive(Driver().encode(ShowCall(number="综A0012", window=3)))
    strip.receive(Driver().encode(ShowServing(number="A123456", window=3)))
    assert strip.obeyed == [ShowText(text="请综A0012号到3号窗口"), ShowText(text="正在办理A123456号")]


def test_serving_carries_the_number():
    strip = Simulator()
    strip.receive(Driver().encode(ShowServing(number="A012", window=3)))
    assert strip.obeyed == [ShowServing(number="A012", window=3)]


def test_punctuation_of_today_has_its_place_in_the_font():
    strip = Simulator()
    strip.receive(Driver().encode(ShowText(text="办理中——请稍候·谢谢")))
    assert strip.obeyed == [ShowText(text="办理中——请稍候·谢谢")]


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (ShowText(text="请㑇先生"), r"ShowText.text: the strip's font \(GB 2312\) has no 㑇 \(U\+3447\)"),
        (ShowText(text="請坐"), r"請 \(U\+8ACB\)"),
        (ShowText(text=""), "ShowText.text is empty"),
        (ShowText(text="a\nb"), r"U\+000A"),
        (ShowCall(number="A001", window=0), "ShowCall.window: expected 1 to 254, got 0"),
        (ShowWelcome(address=9), "ShowWelcome.address: no strip 9 here; there are: 1"),
        (Beep(), "a window strip cannot do Beep"),
    ],
)
def test_what_a_strip_cannot_show_is_said(order, sentence):
    with pytest.raises(OrderMistake, match=sentence):
        Driver().encode(order)


def test_the_longest_text_arrives_and_a_longer_one_is_said():
    strip = Simulator()
    strip.receive(Driver().encode(ShowText(text="长" * 250)))
    assert strip.obeyed == [ShowText(text="长" * 250)]
    with pytest.raises(OrderMistake, match=r"ShowText\.text: a strip takes at most 500 bytes of text, got 501"):
        Driver().encode(ShowText(text="长" * 250 + "a"))


def test_profiles_and_colour():
    assert Driver(Options(text_profile="combined")).encode(ShowText(text="A"))[4:11].hex(" ") == "50 46 08 02 99 00 63"
    green = Driver(Options(text_profile="strip-16-immediate", text_colour="green")).encode(ShowText(text="A"))
    assert green[6:11].hex(" ") == "08 00 99 01 63"


# ---- acknowledged or not ----


@pytest.mark.parametrize("pieces", ["whole", "one by one", "noise before", "frame behind"])
def test_acknowledgements_in_any_shape(pieces):
    driver = Driver()
    driver.take(ShowPaused(id="1"))
    driver.owed()
    data = {"noise before": b"\x00\xa0\xa0\x03\xff" + ACK1, "frame behind": ACK1 + ACK1[:3]}.get(pieces, ACK1)
    helpings = [bytes((byte,)) for byte in data] if pieces == "one by one" else [data]
    news = [n for helping in helpings for n in driver.feed(helping)]
    assert news == [Alive(address=1), Obeyed(order="ShowPaused", id="1")]


def test_acknowledgements_that_do_not_count():
    driver = Driver(Options(addresses=(1, 2)))
    driver.take(ShowPaused())
    sent = driver.owed()
    assert driver.feed(sent) == []  # RS-485 echo
    assert driver.feed(bytes.fromhex("A0 03 14 01 50 05 FF")) == []  # wrong checksum
    assert driver.feed(bytes.fromhex("A0 03 14 07 50 0A FF")) == []  # a strip that is not ours
    assert driver.feed(bytes.fromhex("A0 03 14 02 50 05 FF")) == [Alive(address=2)]  # not the one that was asked
    assert not driver.idle


def test_a_lost_acknowledgement_is_made_good():
    driver, strip = Driver(), Simulator(Options(), frozenset(["first-ack-lost"]))
    driver.take(ShowCall(number="A001", window=1))
    assert Obeyed(order="ShowCall") in talk(driver, strip)


def test_a_missing_acknowledgement_is_unknown_not_an_error():
    driver, strip = Driver(), Simulator(Options(), frozenset(["no-acks"]))
    driver.take(ShowCall(id="c", number="A001", window=1))
    news = talk(driver, strip)
    assert [(type(n), n.id) for n in news] == [(Unconfirmed, "c")]
    assert strip.obeyed[0] == ShowCall(number="A001", window=1)


def test_an_acknowledgement_that_comes_too_late_is_not_taken_for_the_next_orders():
    driver = Driver(Options(repeats=0))
    driver.take(ShowCall(id="a", number="A001", window=1))
    driver.owed()
    assert [(type(n), n.id) for n in driver.silence()] == [(Unconfirmed, "a")]
    driver.take(ShowCall(id="b", number="A002", window=1))
    driver.owed()
    assert driver.feed(ACK1) == [Alive(address=1)]
    assert driver.feed(ACK1) == [Obeyed(order="ShowCall", id="b")]


def test_boards_of_the_old_make_are_not_waited_for():
    old = Options(acks=False)
    driver, strip = Driver(old), Simulator(old)
    assert not driver.answers and driver.timing.poll_every is None
    driver.poll()
    assert driver.owed() == b""
    driver.take(ShowWelcome())
    assert strip.receive(driver.owed()) == b""
    assert driver.patience is not None and driver.patience <= 0.1
    assert [type(n) for n in driver.silence()] == [Unconfirmed]
    assert driver.idle and strip.obeyed == [ShowWelcome()]


def test_each_strip_on_the_line_is_asked_in_turn_and_missed_alone():
    both = Options(addresses=(1, 2))
    driver, one = Driver(both), Simulator(Options(addresses=(1,)))
    news = []
    for _ in range(8):
        driver.poll()
        news += talk(driver, one)
    assert news == [ALIVE1, Silent(address=2)]
    two = Simulator(both)
    for _ in range(2):
        driver.poll()
        news += talk(driver, two)
    assert news[2:] == [Silent(address=2, over=True), Alive(address=2, detail="16-dot strip, version 33")]


def test_the_right_strip_of_several():
    both = Options(addresses=(1, 2))
    driver, strips = Driver(both), Simulator(both)
    driver.take(ShowPaused(address=2, id="p"))
    assert talk(driver, strips) == [Alive(address=2), Obeyed(order="ShowPaused", id="p", address=2)]
    assert strips.shown == {2: "暂停服务"}


def test_frames_keep_their_distance():
    assert Driver().timing.gap == 0.1


def test_babble_is_told_once_and_ends():
    driver = Driver()
    assert driver.feed(b"\xa0\x03\x14\x55" * 500) == [Garbled()]
    assert driver.feed(b"\xa0\x03" * 5000) == []
    assert driver.feed(ACK1) == [Garbled(over=True), Alive(address=1)]


def test_a_cable_that_goes():
    driver = Driver()
    driver.take(ShowWelcome())
    assert [type(n) for n in driver.lost()] == [Refused]
    driver.reset()
    driver.take(ShowWelcome())
    driver.owed()
    assert [type(n) for n in driver.lost()] == [Unconfirmed]
    assert driver.idle


def test_simulator_finds_frames_among_noise_and_in_pieces():
    call = bytes.fromhex("A0 07 28 01 01 0C 22 03 42 40 FF")
    text = Driver().encode(ShowText(text="请稍候"))
    strip = Simulator()
    answers = b"".join(strip.receive(bytes((b,))) for b in b"\x00\xaa\x01" + call + b"\xa0\xff" + text)
    assert strip.obeyed == [ShowCall(number="B1234", window=3), ShowText(text="请稍候")]
    assert answers == ACK1 * 2


def test_a_strip_says_nothing_by_itself():
    with pytest.raises(ValueError, match="PaperOut"):
        Simulator().happen(PaperOut())

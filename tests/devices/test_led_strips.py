"""What all LED strips that are told their text owe us: fuzz, speed, plain mistakes, honest outcomes."""

from __future__ import annotations

import random
import time
import tracemalloc
from typing import Any

import pytest

from config.reader import Mistake
from devices import drivers
from devices.driver import OrderMistake
from devices.led.strip import Strip
from devices.led.texts import Texts
from devices.options import describe, read_options
from devices.roles import (
    Beep,
    Call,
    Garbled,
    Obeyed,
    PaperOut,
    Refused,
    ShowCall,
    ShowCalls,
    ShowPaused,
    ShowServing,
    ShowText,
    ShowWelcome,
    Unconfirmed,
)
from devices.simulate import SimulatedDevice
from devices.station import DeviceEntry, Station

NAMES = [name for name in drivers.names() if issubclass(drivers.load(name).Driver, Strip)]
MUTE = [name for name in NAMES if not drivers.load(name).Driver.answers]
TOLD = [name for name in NAMES if issubclass(drivers.load(name).Options, Texts)]  # the others' cards have own words
LOSING = [
    (name, fault)
    for name in NAMES
    for fault in drivers.load(name).Simulator.faults
    if fault in ("first-ack-lost", "first-answer-lost")
]
every_strip = pytest.mark.parametrize("name", NAMES)
every_told_strip = pytest.mark.parametrize("name", TOLD)
every_mute_strip = pytest.mark.parametrize("name", MUTE)


def several(name: str) -> Any:
    """Options for three strips on one cable."""
    how = {"prefix_hex": "02 {address}"} if name == "ascii-strip" else {}
    return drivers.load(name).Options(addresses=(1, 2, 3), **how)


def recorded(name: str) -> bytes:
    """What three strips of a family say in a conversation; noise where the family says nothing."""
    module = drivers.load(name)
    driver, device = module.Driver(several(name)), module.Simulator(several(name))
    said = b""
    for i in range(60):
        if driver.idle:
            driver.take(ShowCall(number=f"A{i:03}", window=3, address=1 + i % 3))
        for _ in range(9):
            answer = device.receive(driver.owed())
            said += answer
            driver.feed(answer)
        driver.silence()
        driver.poll()
    return said or random.Random(1).randbytes(1000)


# ---- a bad line -------------------------------------------------------------------------------------------------


@every_strip
def test_two_million_random_bytes_raise_nothing_and_leave_nothing(name: str) -> None:
    module = drivers.load(name)
    driver, strip, noise = module.Driver(), module.Simulator(), random.Random(7)
    said = recorded(name)
    tracemalloc.start()
    fed = 0
    while fed < 2_000_000:
        data = noise.randbytes(noise.choice((1, 3, 20, 700, 30_000)))
        if noise.random() < 0.3:
            at = noise.randrange(len(said))
            data += said[at : at + 40]
        driver.feed(data)
        if noise.random() < 0.1:
            if driver.idle:
                driver.take(ShowText(text="请稍候"))
            driver.owed()
            driver.silence()
            driver.poll()
        if fed < 400_000:
            strip.receive(data)
        fed += len(data)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000


@every_strip
def test_keeps_up_with_five_million_bytes_a_second(name: str) -> None:
    module = drivers.load(name)
    said = recorded(name)
    stream = said * (1_000_000 // len(said) + 1)
    pieces = [stream[i : i + 4096] for i in range(0, len(stream), 4096)]
    seconds = []
    for _ in range(5):
        driver = module.Driver(several(name))
        began = time.process_time()
        for piece in pieces:
            driver.feed(piece)
        seconds.append(time.process_time() - began)
    assert len(stream) / min(seconds) >= 5_000_000


@every_strip
def test_orders_among_noise_are_shown(name: str) -> None:
    module = drivers.load(name)
    driver, strip = module.Driver(several(name)), module.Simulator(several(name))
    sent = b"".join(driver.encode(ShowText(text=text)) for text in ("请稍候", "暂停", "A007"))
    for data in (b"\x00\x37\xee" + sent, sent):
        for byte in data:
            strip.receive(bytes((byte,)))
    assert [order.text for order in strip.obeyed] == ["请稍候", "暂停", "A007"] * 2


# ---- honest outcomes --------------------------------------------------------------------------------------------


@every_strip
def test_a_cable_that_goes_before_or_after_the_first_byte(name: str) -> None:
    driver = drivers.load(name).Driver()
    driver.take(ShowWelcome(id="w"))
    assert [(type(n), n.id) for n in driver.lost()] == [(Refused, "w")]
    driver.reset()
    driver.take(ShowWelcome(id="w"))
    driver.owed()
    assert [(type(n), n.id) for n in driver.lost()] == [(Unconfirmed, "w")]
    assert driver.idle


@every_strip
def test_a_dark_strip_is_never_called_obeyed(name: str, table: Any) -> None:
    desk = table(name, None, ["dark"])
    outcomes = [n for n in desk.order(ShowPaused(id="p")) if isinstance(n, Obeyed | Refused | Unconfirmed)]
    assert [(type(n), n.id) for n in outcomes] == [(Unconfirmed, "p")]
    assert desk.sim.shown == {}


@pytest.mark.parametrize(("name", "fault"), LOSING)
def test_a_lost_answer_is_made_good_by_one_repeat(name: str, fault: str, table: Any) -> None:
    desk = table(name, None, [fault])
    outcomes = [n for n in desk.order(ShowPaused(id="p")) if isinstance(n, Obeyed | Refused | Unconfirmed)]
    assert [(type(n), n.id) for n in outcomes] == [(Obeyed, "p")]
    assert desk.obeyed == [ShowPaused(), ShowPaused()]


@every_strip
def test_an_order_ends_though_the_line_never_falls_silent(name: str) -> None:
    driver, noise = drivers.load(name).Driver(), random.Random(3)
    driver.take(ShowPaused(id="p"))
    while driver.owed():
        pass
    news = [n for _ in range(20) for n in driver.feed(noise.randbytes(1000))]
    assert [(type(n), n.id) for n in news if isinstance(n, Obeyed | Refused | Unconfirmed)] == [(Unconfirmed, "p")]
    assert news.count(Garbled()) == 1


@every_strip
def test_an_adapter_that_returns_what_is_sent_is_no_noise(name: str) -> None:
    driver = drivers.load(name).Driver()
    for _ in range(100):
        driver.take(ShowText(text="长" * 99))
        news = []
        while sent := driver.owed():
            news += driver.feed(sent)
        for _ in range(5):
            news += driver.silence()
            while sent := driver.owed():
                news += driver.feed(sent)
        assert Garbled() not in news


@every_mute_strip
def test_noise_on_a_line_nobody_answers_on_is_told_once_and_ends_with_quiet(name: str) -> None:
    driver = drivers.load(name).Driver()
    assert driver.feed(b"\x80" * 300) == [Garbled()]
    assert driver.feed(b"\x80" * 300) == []
    if driver.timing.poll_every is None:
        assert driver.patience is not None
        assert driver.silence() == [Garbled(over=True)]
        assert driver.patience is None


# ---- on a real terminal -----------------------------------------------------------------------------------------


@every_strip
@pytest.mark.parametrize("fault", ["", "split", "noise", "twice", "echo", "late", "bad-checksum", "silent"])
def test_an_order_on_a_bad_line_ends_honestly(
    name: str, fault: str, pty_path: Any, diary: Any, until: Any, closing: Any
) -> None:
    device = closing(SimulatedDevice(name, faults=[fault] if fault else []).on_pty(pty_path))
    station = closing(Station([DeviceEntry("strip", name, device.link)], diary))
    until(lambda: station.state("strip").counters.get("opened"))
    outcome = station.send("strip", ShowCall(number="A007", window=3)).result(10)
    until(lambda: ShowCall(number="A007", window=3) in device.obeyed)
    done = name not in MUTE and fault in ("", "split", "noise", "twice", "echo")
    late = name not in MUTE and fault == "late"  # in time for the repeat, or not
    assert type(outcome) in ((Obeyed, Unconfirmed) if late else (Obeyed,) if done else (Unconfirmed,))
    assert diary.of(Garbled) == []
    if done:
        assert station.state("strip").state == "ready"


# ---- our own mistakes -------------------------------------------------------------------------------------------


@every_strip
@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (ShowText(text="请㑇先生"), r"ShowText.text: the strip's font \(GB 2312\) has no 㑇 \(U\+3447\)"),
        (ShowText(text=""), "ShowText.text is empty"),
        (ShowText(text="a\x07b"), r"U\+0007"),
        (ShowText(text="长" * 600), "at most [0-9]+ bytes of text, got 1[28]00"),
        (ShowCall(number="A001", window=0), "ShowCall.window: expected (a number from 1|1 to 254), got 0"),
        (ShowServing(number="", window=1), "ShowServing.number is empty"),
        (ShowWelcome(address=9), "ShowWelcome.address: no strip 9 here; there are: 1"),
        (Beep(), "a window strip cannot do Beep"),
    ],
)
def test_what_a_strip_cannot_show_is_said(name: str, order: Any, sentence: str) -> None:
    with pytest.raises(OrderMistake, match=sentence):
        drivers.load(name).Driver().encode(order)


@every_told_strip
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"call_text": "请到{window}号窗口"}, r"call_text: expected \{number\} in it"),
        ({"serving_text": "{number} {name}"}, r"serving_text: only \{number\} and \{window\} may stand in braces"),
        ({"call_text": "{number!r}"}, "only"),
        ({"call_text": "{number"}, "call_text: expected '}'"),
        ({"welcome_text": "{number}"}, r"welcome_text: has no \{number\}"),
        ({"paused_text": " "}, "paused_text: expected a text"),
    ],
)
def test_texts_that_cannot_be_are_said(name: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Mistake, match=sentence):
        read_options(name, options)


@every_strip
@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [([], "addresses: expected at least one"), ([0], r"addresses\[1\]: must be at least 1")],
)
def test_addresses_that_cannot_be_are_said(name: str, addresses: list[int], sentence: str) -> None:
    with pytest.raises(Mistake, match=sentence):
        read_options(name, {"addresses": addresses})


@every_strip
def test_every_option_has_a_label(name: str) -> None:
    assert [option["name"] for option in describe(name) if not option.get("label")] == []


@every_told_strip
def test_words_are_the_halls_own(name: str) -> None:
    module = drivers.load(name)
    options = read_options(name, {"call_text": "{number}→{window} {number}", "welcome_text": "您好"})
    strip = module.Simulator(options)
    strip.receive(module.Driver(options).encode(ShowCall(number="综A12", window=12)))
    assert list(strip.shown.values()) == ["综A12→12 综A12"]
    strip.receive(module.Driver(options).encode(ShowWelcome()))
    assert strip.obeyed == [ShowCall(number="综A12", window=12), ShowWelcome()]


@every_strip
def test_punctuation_of_today_has_its_place_in_the_font(name: str) -> None:
    module = drivers.load(name)
    strip = module.Simulator()
    strip.receive(module.Driver().encode(ShowText(text="办理中——请稍候·谢谢\u3000A")))
    assert strip.obeyed == [ShowText(text="办理中——请稍候·谢谢\u3000A")]


@every_strip
def test_a_strip_says_nothing_by_itself(name: str) -> None:
    with pytest.raises(ValueError, match="PaperOut"):
        drivers.load(name).Simulator().happen(PaperOut())


# ---- hall boards ------------------------------------------------------------------------------------------------

FIVE = tuple(Call(number=f"A00{n}", window=n) for n in (5, 4, 3, 2, 1))


def board(name: str) -> Any:
    """Options for three strips that are the rows of one board."""
    how = {"prefix_hex": "02 {address}"} if name == "ascii-strip" else {}
    return drivers.load(name).Options(addresses=(1, 2, 3), as_board=True, **how)


@every_strip
def test_three_strips_are_a_board_whose_rows_are_written_anew_on_each_call(name: str, table: Any) -> None:
    desk = table(name, board(name))
    assert [role.name for role in desk.driver.roles] == ["hall-board"]
    wanted = Unconfirmed if name in MUTE else Obeyed
    outcomes = [n for n in desk.order(ShowCalls(calls=FIVE, id="b")) if isinstance(n, Obeyed | Refused | Unconfirmed)]
    assert [(type(n), n.id) for n in outcomes] == [(wanted, "b")]
    assert desk.sim.shown == {1: "A005 5号窗口", 2: "A004 4号窗口", 3: "A003 3号窗口"}
    desk.order(ShowCalls(calls=FIVE[4:]))
    assert desk.obeyed == [ShowCalls(calls=FIVE[4:])]
    assert {at: text.strip() for at, text in desk.sim.shown.items()} == {1: "A001 1号窗口", 2: "", 3: ""}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in MUTE])
def test_a_board_with_a_dead_row_shows_the_others_and_says_so(name: str, table: Any) -> None:
    desk = table(name, board(name))
    module, obey = drivers.load(name), desk.sim.receive
    second = module.Driver(board(name)).board(["A005 5号窗口", "A004 4号窗口", "A003 3号窗口"], "")[1][1]
    desk.sim.receive = lambda data: b"" if data in second else obey(data)
    outcomes = [n for n in desk.order(ShowCalls(calls=FIVE, id="b")) if isinstance(n, Obeyed | Refused | Unconfirmed)]
    assert [(type(n), n.id) for n in outcomes] == [(Unconfirmed, "b")]
    assert "strip 2" in outcomes[0].reason
    assert desk.sim.shown == {1: "A005 5号窗口", 3: "A003 3号窗口"}


@every_strip
def test_a_board_that_loses_its_cable_half_way_is_not_known_to_be_done(name: str) -> None:
    driver = drivers.load(name).Driver(board(name))
    driver.take(ShowCalls(calls=FIVE, id="b"))
    driver.owed()
    assert [(type(n), n.id) for n in driver.lost()] == [(Unconfirmed, "b")]
    assert driver.idle and driver.lost() == []


def test_combined_screens_take_the_whole_board_at_once() -> None:
    """Four rows of sixteen columns: `50` of Pingan's instant text, `8C` of Yinda's."""
    rows = "A005 5号窗口    A004 4号窗口    A003 3号窗口    A002 2号窗口    ".encode("gb2312")
    pingan, yinda = drivers.load("pingan-strip"), drivers.load("yinda-strip")
    frame = pingan.Driver(pingan.Options(text_profile="combined")).encode(ShowCalls(calls=FIVE))
    tail = bytes.fromhex("08 02 99 00 63") + rows + b"\xff"
    assert frame == bytes.fromhex("AA 01 BB 51 50") + bytes((sum(tail) & 0xFF,)) + tail
    frame = yinda.Driver(yinda.Options(screen="combined")).encode(ShowCalls(calls=FIVE))
    assert frame[:6] == bytes((1, 0xFE, len(rows) + 9, 1, 0x8C, 0)) and frame[6:-2] == rows + b"\0"
    with pytest.raises(OrderMistake, match="'综合A0005 12号窗口' is 18 columns wide, the board has 16"):
        yinda.Driver(yinda.Options(screen="combined")).encode(ShowCalls(calls=(Call(number="综合A0005", window=12),)))


def test_each_row_of_a_kuiwen_board_has_its_own_six_digits() -> None:
    kuiwen = drivers.load("kuiwen-strip")
    frames = kuiwen.Driver(kuiwen.Options(screen="combined", addresses=(1, 2))).encode(ShowCalls(calls=FIVE))
    head = bytes.fromhex("231424151318")
    assert [part[:7] for part in frames.split(head)[1:]] == [b"300001D", b"300002D"]
    assert "A005 5号窗口".encode("gb2312") in frames and "A004 4号窗口".encode("gb2312") in frames


def test_a_card_shows_a_board_in_the_lines_of_its_area() -> None:
    onbon = drivers.load("onbon-bx")
    options = onbon.Options(board_rows=3)
    frame = onbon.Driver(options).encode(ShowCalls(calls=FIVE[:2]))
    assert r"A005 5号窗口\nA004 4号窗口\n ".encode("gb2312") in frame
    card = onbon.Simulator(options)
    card.receive(frame)
    assert card.obeyed == [ShowCalls(calls=FIVE[:2])]

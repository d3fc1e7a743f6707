"""The ticket printer: bytes of the Epson ESC/POS reference and Chinese command sets, slips read back from paper."""

import dataclasses
import pickle
import random

import pytest

from devices.driver import OrderMistake
from devices.drivers.escpos_printer import Driver, Options, Simulator
from devices.escpos import dots
from devices.escpos.models import MODELS
from devices.escpos.slip import DOTS, Code, Dots, Drawn, cells, columns, wrap
from devices.roles import (
    Alive,
    CoverOpen,
    CutterError,
    Garbled,
    Obeyed,
    PaperNearEnd,
    PaperOut,
    PaperUsed,
    PrinterError,
    PrinterOffline,
    PrintSlip,
    PrintTest,
    Refused,
    SetRoll,
    Silent,
    Unconfirmed,
)

SLIP = PrintSlip(
    id="7",
    hall="深圳市罗湖区政务服务中心",
    service="社会保险综合业务（城乡居民）",
    number="A012",
    ahead=3,
    wait_minutes=25,
    zone="一楼A区综合窗口",
    time="2025-03-01 09:30",
    url="https://zwfw.example.gov.cn/t/Zk3mQ9xWv7Lr2pTn8sYbHc4dJf60",
    complaint_phone="0755-25181234",
)
UNNAMED = dataclasses.replace(SLIP, id="")


def answer(driver: Driver, *answers: int) -> list:
    """Answer the questions one by one with these bytes."""
    news = []
    for byte in answers:
        assert driver.owed()
        news += driver.feed(bytes((byte,)))
    return news


def talk(driver: Driver, simulator: Simulator) -> list:
    """Let both talk until neither has anything to say; silence is silence."""
    news = []
    for _ in range(200):
        frame = driver.owed()
        if frame:
            news += driver.feed(simulator.receive(frame))
        elif driver.patience is not None:
            news += driver.silence()
        else:
            return news
    raise AssertionError("the conversation does not end")


def polled(driver: Driver, simulator: Simulator) -> list:
    driver.poll()
    return talk(driver, simulator)


# ---- the slip ----


@pytest.mark.parametrize("width", [58, 80])
def test_standard_slip_fits_in_600_bytes(width):
    assert len(SLIP.url) >= 55
    assert len(Driver(Options(width_mm=width)).encode(SLIP)) <= 600


def test_commands_are_those_of_the_reference():
    job = Driver(Options(width_mm=80, cut="full", qr_size=6, qr_ec="M")).encode(SLIP)
    assert job.startswith(b"\x1b@\x1c&")  # initialise, then Chinese mode on
    assert "社会保险综合业务（城乡居民）".encode("gb18030") in job
    size = len(SLIP.url) + 3
    assert b"\x1d(k\x04\x001A2\x00" in job  # model 2
    assert b"\x1d(k\x03\x001C\x06" in job  # module size
    assert b"\x1d(k\x03\x001E1" in job  # error correction M
    assert b"\x1d(k" + bytes((size, 0)) + b"1P0" + SLIP.url.encode() in job
    assert b"\x1d(k\x03\x001Q0" in job
    assert job.endswith(b"\x1bd\x06\x1dV\x00")


@pytest.mark.parametrize(
    ("cut", "end"), [("full", b"\x1bd\x06\x1dV\x00"), ("partial", b"\x1bd\x06\x1dV\x01"), ("none", b"\x1bd\x06")]
)
def test_cut_is_the_one_chosen(cut, end):
    job = Driver(Options(cut=cut)).encode(SLIP)
    assert job.endswith(end)
    assert (b"\x1dV" in job) == (cut != "none")


def test_options_change_the_bytes():
    assert b"\x1c&" not in Driver(Options(chinese_command=False)).encode(SLIP)
    assert b"\x1bB\x03" in Driver(Options(beep=3)).encode(SLIP)


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("，。", b"\xa3\xac\xa1\xa3\n"),  # GB/T 2312: 03-12, 01-03
        ("㐂", b"\x81\x39\xef\x31\n"),  # GB 18030-2005 four-byte, extension A
        ("𠀀", b"\x95\x32\x82\x36\n"),  # U+20000, the first of extension B
    ],
)
def test_punctuation_alone_and_rare_characters_keep_their_bytes(text, raw):
    assert b"\n" + raw not in Driver().encode(SLIP)
    job = Driver().encode(dataclasses.replace(SLIP, service=text))
    assert raw in job
    assert b"??" not in job


@pytest.mark.parametrize("width", [58, 80])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"service": "，。"},
        {"service": "㑇䶮𠮷氏"},
        {"wait_minutes": None, "zone": "", "url": "", "time": "", "complaint_phone": ""},
        {"reprint": True},
        {"offline": True, "reprint": True},
        {"hall": "内蒙古自治区呼伦贝尔市新巴尔虎右旗阿拉坦额莫勒镇便民服务中心（党群服务中心）二楼大厅"},
        {"service": "Comprehensive registration of foreign residents and long-stay visitors, floor 2"},
        {"number": "综A0012"},
        {"number": "VERYLONGNUMBER0012345"},
        {
            "zone": "三楼东侧不动产登记与税务综合受理区第十二至第二十四号窗口旁的等候椅",
            "url": "https://a.cn/" + "x" * 150,
        },
    ],
)
def test_paper_holds_the_whole_order(width, change):
    order = dataclasses.replace(UNNAMED, **change)
    simulator = Simulator(Options(width_mm=width))
    simulator.receive(Driver(Options(width_mm=width)).encode(order))
    assert simulator.obeyed == [order]
    lines = [x for x in simulator.slips()[0] if hasattr(x, "text")]
    assert all(cells(x.text) * x.width <= columns(width) for x in lines)
    assert simulator.paper()[-1] == "[cut]"


def test_marks_are_on_paper():
    simulator = Simulator()
    simulator.receive(Driver().encode(dataclasses.replace(SLIP, reprint=True, offline=True)))
    assert simulator.paper()[0] == "【补打】【离线】"
    assert "前面3人  约25分钟" in simulator.paper()


def test_lines_break_where_a_reader_would():
    assert wrap("Road and land registration", 12) == ["Road and ", "land ", "registration"]
    assert (
        wrap("办理（居住证）申领", 6) == ["办理", "（居", "住证）", "申领"]
        or wrap("办理（居住证）申领", 6)[1][0] == "（"
    )
    for line in wrap("一二三，四五六。七八九、十", 6):
        assert line[0] not in "，。、"
    for text in ("A" * 100, "一" * 100, "混合 mixed 文本 text，标点。"):
        assert "".join(wrap(text, 32)) == text


def test_a_control_character_is_our_mistake_and_a_line_break_a_space():
    with pytest.raises(OrderMistake, match=r"PrintSlip.service holds U\+001B"):
        Driver().encode(dataclasses.replace(SLIP, service="x\x1bp"))
    simulator = Simulator()
    simulator.receive(Driver().encode(dataclasses.replace(SLIP, service="社保\n医保")))
    assert "社保 医保" in simulator.paper()


def test_a_code_that_fits_no_paper_is_refused_by_name():
    with pytest.raises(OrderMistake, match=r"PrintSlip\.url"):
        Driver(Options(width_mm=58)).encode(dataclasses.replace(SLIP, url="https://a.cn/" + "x" * 1200))
    with pytest.raises(OrderMistake, match="number is empty"):
        Driver().encode(dataclasses.replace(SLIP, number=" "))


def test_chinese_mode_must_be_switched_on_where_it_is_off():
    off = frozenset(["chinese-off"])
    good, bad = Simulator(Options(), off), Simulator(Options(), off)
    good.receive(Driver().encode(SLIP))
    bad.receive(Driver(Options(chinese_command=False)).encode(SLIP))
    assert good.obeyed == [UNNAMED]
    assert bad.obeyed == []
    assert "社会保险综合业务（城乡居民）" not in bad.paper()


def test_a_slip_holds_no_real_time_command():
    job = Driver().encode(dataclasses.replace(SLIP, url="https://a.cn/" + "x" * 250))
    assert b"\x10\x04" not in job
    assert b"\x10\x05" not in job
    assert b"\x10\x14" not in job


# ---- what the printer says: reference answers ----


@pytest.mark.parametrize(
    ("answers", "troubles"),
    [
        ("12 12 12 12", []),
        ("12 12 12 1E", [PaperNearEnd()]),
        ("1A 32 12 7E", [PaperOut()]),
        ("1A 36 12 7E", [PaperOut(), CoverOpen()]),
        ("1A 16 12 12", [CoverOpen()]),
        ("1A 52 1A 12", [CutterError()]),
        ("1A 52 32 12", [PrinterError(detail="unrecoverable error: switch it off and on")]),
        ("1A 12 12 12", [PrinterOffline()]),
    ],
)
def test_reference_answers(answers, troubles):
    driver = Driver()
    driver.poll()
    assert answer(driver, *bytes.fromhex(answers)) == [Alive(detail="answers DLE EOT"), *troubles]
    driver.poll()
    assert answer(driver, *bytes.fromhex(answers)) == []
    driver.poll()
    over = answer(driver, 0x12, 0x12, 0x12, 0x12)
    assert over == [dataclasses.replace(t, over=True) for t in troubles]


def test_questions_are_put_one_at_a_time():
    driver = Driver()
    driver.poll()
    for n in (1, 2, 3, 4):
        assert driver.owed() == bytes((0x10, 0x04, n))
        assert driver.owed() == b""
        driver.feed(b"\x12")
    assert driver.owed() == b""


@pytest.mark.parametrize(
    ("byte", "troubles"), [(0x00, []), (0x03, [PaperNearEnd()]), (0x0C, [PaperOut()]), (0x0F, [PaperOut()])]
)
def test_gs_r_answers(byte, troubles):
    driver = Driver(Options(status="gs-r"))
    driver.poll()
    assert driver.owed() == b"\x1dr\x01"
    assert driver.feed(bytes((byte,))) == [Alive(detail="answers GS r"), *troubles]


def test_an_empty_answer_is_never_ok():
    driver = Driver()
    driver.poll()
    driver.owed()
    assert driver.feed(b"") == []
    assert driver.patience is not None
    assert driver.silence() == []


def test_automatic_status_is_used_and_not_taken_for_an_answer():
    driver = Driver()
    driver.poll()
    driver.owed()
    # Cover opened: b0 = 10 + 08 offline + 20 cover.
    assert driver.feed(bytes.fromhex("38000000")) == [Alive(detail="automatic status"), CoverOpen()]
    assert driver.owed() == b""  # the first question still waits
    driver.feed(b"\x1a")
    assert driver.owed() == b"\x10\x04\x02"
    for byte in (0x16, 0x12, 0x12):
        driver.feed(bytes((byte,)))
        driver.owed()
    for byte in bytes.fromhex("10000F00"):  # out of paper, byte by byte, nothing asked
        news = driver.feed(bytes((byte,)))
    assert news == [CoverOpen(over=True), PaperOut()]


def test_three_missed_polls_are_silence_told_once():
    driver, simulator = Driver(), Simulator(Options(), frozenset(["no-status"]))
    assert [polled(driver, simulator) for _ in range(5)] == [[], [], [Silent()], [], []]
    assert polled(driver, Simulator()) == [Silent(over=True), Alive(detail="answers DLE EOT")]


def test_an_answer_among_noise_must_come_twice():
    driver = Driver()
    driver.poll()
    driver.owed()
    driver.feed(b"\x00\xff\x12")
    assert driver.owed() == b"\x10\x04\x01"
    driver.feed(b"\x81\x12")
    assert driver.owed() == b"\x10\x04\x02"


def test_babble_is_garbled_and_never_success():
    noise = random.Random(5)
    driver = Driver()
    driver.take(SLIP)
    news = []
    for _ in range(3000):
        driver.owed()
        news += driver.feed(noise.randbytes(64))
        if driver.idle:
            break
    assert news.count(Garbled()) == 1
    outcomes = [n for n in news if isinstance(n, Obeyed | Refused | Unconfirmed)]
    assert [type(n) for n in outcomes] == [Unconfirmed]
    assert polled(driver, Simulator())[0] == Garbled(over=True)


# ---- one slip, start to end ----


def test_a_slip_that_is_known_to_be_done():
    driver, simulator = Driver(), Simulator()
    driver.take(SLIP)
    assert not driver.idle
    news = talk(driver, simulator)
    assert news == [Alive(detail="answers DLE EOT"), Obeyed(order="PrintSlip", id="7")]
    assert simulator.obeyed == [UNNAMED]
    assert driver.idle


def test_test_page_proves_itself():
    for width in (58, 80):
        simulator = Simulator(Options(width_mm=width))
        driver = Driver(Options(width_mm=width))
        driver.take(PrintTest())
        assert Obeyed(order="PrintTest") in talk(driver, simulator)
        assert simulator.obeyed == [PrintTest()]


@pytest.mark.parametrize("trouble", [PaperOut(), CoverOpen(), CutterError(), PrinterError(), PrinterOffline()])
def test_a_printer_in_trouble_is_not_sent_the_slip(trouble):
    driver, simulator = Driver(), Simulator()
    simulator.happen(trouble)
    driver.take(SLIP)
    news = talk(driver, simulator)
    assert [type(n) for n in news] == [Alive, type(trouble), Refused]
    assert news[-1].id == "7"
    simulator.happen(dataclasses.replace(trouble, over=True))
    assert simulator.paper() == []
    driver.take(SLIP)
    assert [type(n) for n in talk(driver, simulator)] == [type(trouble), Obeyed]
    assert len(simulator.obeyed) == 1


def test_near_end_prints():
    driver, simulator = Driver(), Simulator()
    simulator.happen(PaperNearEnd())
    driver.take(SLIP)
    assert talk(driver, simulator)[1:] == [PaperNearEnd(), Obeyed(order="PrintSlip", id="7")]


@pytest.mark.parametrize("dialect", ["dle-eot", "gs-r", "both"])
def test_unknown_status_prints_but_is_never_success(dialect):
    driver, simulator = Driver(Options(status=dialect)), Simulator(Options(), frozenset(["no-status"]))
    driver.take(SLIP)
    news = talk(driver, simulator)
    assert simulator.obeyed == [UNNAMED]
    assert [type(n) for n in news if not isinstance(n, Silent)] == [Unconfirmed]


def test_without_status_the_outcome_is_unknown_at_once():
    driver, simulator = Driver(Options(status="none")), Simulator()
    assert not driver.answers
    driver.poll()
    assert driver.owed() == b""
    driver.take(SLIP)
    assert simulator.receive(driver.owed()) == b""
    assert driver.patience is not None and driver.patience <= 0.1
    assert [type(n) for n in driver.silence()] == [Unconfirmed]
    assert simulator.obeyed == [UNNAMED]


def test_gs_r_proves_the_slip_where_dle_eot_is_ignored():
    deaf = frozenset(["ignores-dle-eot"])
    driver, simulator = Driver(Options(status="gs-r")), Simulator(Options(), deaf)
    driver.take(SLIP)
    assert Obeyed(order="PrintSlip", id="7") in talk(driver, simulator)
    driver, simulator = Driver(Options(status="both")), Simulator(Options())
    driver.take(SLIP)
    assert Obeyed(order="PrintSlip", id="7") in talk(driver, simulator)


@pytest.mark.parametrize("dialect", ["dle-eot", "both"])
def test_paper_that_runs_out_in_the_middle(dialect):
    driver, simulator = Driver(Options(status=dialect)), Simulator(Options(), frozenset(["paper-ends-mid-slip"]))
    driver.take(SLIP)
    news = talk(driver, simulator)
    assert news[-2:] == [
        PaperOut(),
        Unconfirmed(order="PrintSlip", id="7", reason="paper ran out while printing; look at the slip"),
    ]
    assert "A012" in simulator.paper() and "便民热线：12345" not in simulator.paper()
    simulator.happen(PaperOut(over=True))  # the rest comes out of the printer's buffer
    assert simulator.obeyed == [UNNAMED]


def test_gs_r_is_silent_while_offline_and_then_answers():
    simulator = Simulator()
    simulator.happen(PaperOut())
    assert simulator.receive(b"\x1dr\x01") == b""
    assert simulator.receive(b"\x10\x04\x04") == b"\x7e"
    assert simulator.happen(PaperOut(over=True)) == b"\x00"


def test_a_printer_that_dies_in_the_middle():
    driver, simulator = Driver(), Simulator(Options(), frozenset(["dies-mid-slip"]))
    polled(driver, simulator)
    driver.take(SLIP)
    assert [type(n) for n in talk(driver, simulator)] == [Unconfirmed]
    assert simulator.obeyed == []


@pytest.mark.parametrize(("dialect", "well", "out"), [("dle-eot", 0x12, 0x1A), ("gs-r", 0x00, 0x0C)])
def test_an_answer_from_before_the_slip_is_no_proof_of_it(dialect, well, out):
    driver = Driver(Options(status=dialect))
    driver.take(SLIP)
    question = driver.owed()
    assert driver.silence() == []
    assert driver.owed() == driver.encode(SLIP), "unknown status does not keep a slip from being printed"
    assert driver.owed() == question
    assert driver.feed(bytes((well,))) == [] and driver.owed() == b"", "late: it tells how the printer was"
    if dialect == "gs-r":
        assert [type(n) for n in driver.feed(bytes((out,)))] == [Alive, PaperOut, Unconfirmed]
        return
    assert driver.feed(bytes((out,))) == []
    news = answer(driver, 0x32, 0x12, 0x7E)
    assert [type(n) for n in news] == [Alive, PaperOut, Unconfirmed]
    assert "paper ran out" in news[-1].reason


def test_a_question_is_put_again_when_only_the_given_up_one_was_answered():
    driver = Driver(Options())
    driver.take(SLIP)
    driver.owed(), driver.silence(), driver.owed()
    assert driver.owed() == b"\x10\x04\x01"
    assert driver.feed(b"\x12") == [] and driver.owed() == b""
    assert driver.silence() == []
    assert [type(n) for n in answer(driver, 0x12, 0x12, 0x12, 0x12)] == [Alive, Obeyed]


def test_a_cable_that_goes():
    driver = Driver()
    driver.take(SLIP)
    assert driver.owed() == b"\x10\x04\x01"
    assert [type(n) for n in driver.lost()] == [Refused]
    driver.reset()
    driver.take(SLIP)
    answer(driver, 0x12, 0x12, 0x12, 0x12)
    assert driver.owed() == driver.encode(SLIP)
    assert [type(n) for n in driver.lost()] == [Unconfirmed]
    assert driver.lost() == []


def test_an_order_may_come_in_the_middle_of_a_poll():
    driver, simulator = Driver(), Simulator()
    driver.poll()
    driver.feed(simulator.receive(driver.owed()))
    assert driver.idle
    driver.take(SLIP)
    assert talk(driver, simulator)[-1] == Obeyed(order="PrintSlip", id="7")


# ---- the simulator as hardware ----


def test_simulator_takes_bytes_in_any_pieces():
    job, simulator = Driver().encode(SLIP), Simulator()
    for i in range(len(job)):
        simulator.receive(job[i : i + 1])
    assert simulator.obeyed == [UNNAMED]


def test_real_time_bytes_inside_counted_data_stay_data():
    simulator = Simulator()
    picture = b"\x10\x04\x01" * 8
    raster = b"\x1dv0\x00\x03\x00\x08\x00" + picture
    assert simulator.receive(b"\x1b@" + raster + b"A\n\x10\x04\x01\x1bd\x06") == b"\x12"
    assert simulator.paper() == ["[picture 24x8]", "A"]
    code = b"x\x10\x04\x02y"
    assert simulator.receive(b"\x1d(k\x08\x001P0" + code + b"\x1d(k\x03\x001Q0\x1bd\x06") == b""
    assert simulator.paper()[-1] == "[QR x\x10\x04\x02y]"


def test_a_job_waits_in_the_printer_while_it_is_offline():
    simulator = Simulator()
    simulator.happen(CoverOpen())
    assert simulator.receive(Driver().encode(SLIP) + b"\x10\x04\x02") == b"\x16"
    assert simulator.paper() == []
    simulator.happen(CoverOpen(over=True))
    assert simulator.obeyed == [UNNAMED]


def test_simulator_knows_what_it_cannot_have():
    with pytest.raises(ValueError, match="cannot have Garbled"):
        Simulator().happen(Garbled())


def test_automatic_status_comes_by_itself():
    simulator = Simulator(Options(), frozenset(["automatic-status"]))
    assert simulator.happen(PaperOut()) == bytes.fromhex("18000F00")
    assert Driver().feed(bytes.fromhex("18000F00")) == [Alive(detail="automatic status"), PaperOut()]


@pytest.mark.parametrize(
    "set_up", [{}, {"status": "esc-v", "qr": "raster"}, {"status": "asb"}, {"status": "none"}], ids=str
)
@pytest.mark.parametrize("sent", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_slip_after_one_that_was_cut_off_stands_on_paper_of_its_own(sent, set_up):
    """The cable went after a part of the slip, perhaps in the middle of its code: the rest never comes."""
    driver, simulator = Driver(Options(**set_up)), Simulator()
    driver.take(SLIP)
    while not (job := driver.owed()).startswith(b"\x1b@"):
        driver.feed(simulator.receive(job))
    simulator.receive(job[: int(len(job) * sent)])
    assert driver.lost()
    driver.reset()
    again = dataclasses.replace(SLIP, number="A013", id="next")
    driver.take(again)
    for _ in range(30):
        frame = driver.owed()
        driver.feed(simulator.receive(frame)) if frame else driver.silence()
        if driver.idle:
            break
    assert [order.number for order in simulator.obeyed] == ["A013"]
    third = dataclasses.replace(SLIP, number="A014", id="third")
    driver.take(third)
    jobs = []
    while frame := driver.owed():
        jobs.append(frame)
        driver.feed(simulator.receive(frame))
    assert driver.encode(third) in jobs, "once is enough"


# ---- kinds of printers ----


@pytest.mark.parametrize("model", MODELS)
def test_every_kind_prints_the_whole_slip_on_its_paper(model):
    options = Options(model=model)
    simulator, driver = Simulator(options), Driver(options)
    driver.take(SLIP)
    outcome = talk(driver, simulator)[-1]
    assert type(outcome) is (Unconfirmed if MODELS[model].status == "none" else Obeyed)
    assert simulator.obeyed == [UNNAMED]
    assert all(
        cells(x.text) * x.width * 12 <= DOTS[MODELS[model].width_mm] for x in simulator.slips()[0] if hasattr(x, "text")
    )
    if MODELS[model].qr == "native":
        assert len(driver.encode(SLIP)) <= 600


def test_an_option_stands_above_the_kind():
    set_so = Options(model="silent-58", width_mm=80, status="gs-r", cut="full", qr="native").as_set()
    assert (set_so.width_mm, set_so.status, set_so.cut, set_so.qr, set_so.buzzer) == (
        80,
        "gs-r",
        "full",
        "native",
        False,
    )
    assert b"\x1bB" not in Driver(Options(model="silent-58", beep=3)).encode(SLIP), "it has no buzzer"


@pytest.mark.parametrize(("cut", "command"), [("esc-i", b"\x1bi"), ("esc-m", b"\x1bm")])
def test_old_printers_have_old_commands_for_the_cut(cut, command):
    job = Driver(Options(cut=cut)).encode(SLIP)
    assert job.endswith(b"\x1bd\x06" + command)
    simulator = Simulator(Options(cut=cut))
    simulator.receive(job)
    assert simulator.paper()[-1] == "[cut]"


def test_esc_v_asks_and_understands_what_chinese_printers_answer():
    driver = Driver(Options(status="esc-v"))
    driver.poll()
    assert driver.owed() == b"\x1bv"
    assert driver.feed(b"\x0f") == [Alive(detail="answers ESC v"), PaperOut()]
    driver.take(SLIP)
    assert driver.owed() == b"\x1bv"
    assert driver.feed(b"\x00") == [PaperOut(over=True)]
    assert driver.owed() == driver.encode(SLIP)
    assert driver.owed() == b"\x1bv"
    assert driver.feed(b"\x00") == [Obeyed(order="PrintSlip", id="7")]


# ---- automatic status: bytes of the reference (GS a) ----

WELL, NEAR, OUT = bytes.fromhex("10000000"), bytes.fromhex("10000300"), bytes.fromhex("18000F00")


def automatic(*frames):
    """A driver that has been told these one after the other."""
    driver = Driver(Options(status="asb"))
    for frame in frames:
        driver.poll()
        assert driver.owed() == b"\x1da\x0e"
        driver.feed(frame)
    return driver


def test_automatic_status_is_switched_on_and_answers():
    driver = automatic()
    driver.poll()
    assert driver.owed() == b"\x1da\x0e"
    assert driver.feed(WELL) == [Alive(detail="automatic status")]
    assert driver.feed(OUT) == [PaperOut()]
    driver.take(SLIP)
    assert driver.owed() == b"\x1da\x0e", "it may be well again"
    assert [type(n) for n in driver.silence()] == [Refused], "but what it told last holds"
    assert driver.feed(WELL) == [PaperOut(over=True)]


def test_status_that_came_by_itself_is_no_proof_of_the_slip():
    driver = automatic(WELL)
    driver.take(SLIP)
    driver.owed(), driver.feed(WELL)
    assert driver.owed() == driver.encode(SLIP)
    assert driver.owed() == b"\x1da\x0e"
    assert driver.feed(NEAR) == [PaperNearEnd()], "the roll's end came under the sensor while it printed"
    assert driver.owed() == b"\x1da\x0e"
    assert driver.feed(NEAR) == [Obeyed(order="PrintSlip", id="7")]


def test_paper_that_runs_out_under_an_automatic_printer():
    driver = automatic(WELL)
    driver.take(SLIP)
    driver.owed(), driver.feed(WELL), driver.owed(), driver.owed()
    assert [type(n) for n in driver.feed(OUT)] == [PaperOut, Unconfirmed]
    asked = 0
    for _ in range(12):
        driver.poll()
        asked += bool(driver.owed())
        assert driver.silence() == [], "stopped, it cannot answer: that is not silence"
    assert asked == 2, "what it is sent stays in its memory"
    assert driver.feed(WELL) == [PaperOut(over=True)]


def test_an_automatic_printer_that_says_nothing_is_silent():
    driver, simulator = Driver(Options(status="asb")), Simulator(Options(), frozenset(["no-status"]))
    assert [polled(driver, simulator) for _ in range(4)] == [[], [], [Silent()], []]
    driver.take(SLIP)
    assert [type(n) for n in talk(driver, simulator)] == [Unconfirmed]


# ---- drawn dot by dot ----


@pytest.mark.parametrize("size", [3, 4, 5, 6])
@pytest.mark.parametrize("width", [58, 80])
def test_a_printer_that_cannot_draw_codes_gets_them_drawn(width, size):
    deaf = frozenset(["no-native-qr"])
    without, drawn = Simulator(Options(width_mm=width), deaf), Simulator(Options(width_mm=width), deaf)
    without.receive(Driver(Options(width_mm=width)).encode(SLIP))
    assert [order.url for order in without.obeyed] == [""]
    drawn.receive(Driver(Options(width_mm=width, qr="raster", qr_size=size)).encode(SLIP))
    assert drawn.obeyed == [UNNAMED]


def test_a_raster_is_that_of_the_reference():
    """GS v 0 m xL xH yL yH: bytes across, dots down; a set bit is black, the highest bit is leftmost."""
    picture = dots.code("A", 1, "L")  # version 1: 21 modules and 4 of white around
    data = dots.command(picture)
    assert data[:8] == bytes.fromhex("1D 76 30 00 04 00 1D 00") and len(data) == 8 + 4 * 29
    rows = [data[at : at + 4] for at in range(8, len(data), 4)]
    assert rows[:4] == [bytes(4)] * 4, "white above"
    assert rows[4][:2] == bytes((0b00001111, rows[4][1])) and rows[4][1] & 0b11100000 == 0b11100000, "seven black"
    assert rows[5][:2] == bytes((0b00001000, rows[5][1])) and rows[5][1] & 0b11100000 == 0b00100000, "a frame"
    doubled = dots.command(picture, twice=True)
    assert doubled[:8] == bytes.fromhex("1D 76 30 03 04 00 1D 00") and doubled[8:] == data[8:]


def test_high_pictures_go_in_bands_that_small_printers_can_hold():
    simulator = Simulator()
    picture = dots.code("https://hall.example/", 9, "M")
    job = dots.command(picture)
    assert job.count(b"\x1dv0") == -(-picture.height // 128)
    simulator.receive(b"\x1b@" + job + b"\x1bd\x06")
    assert simulator.paper() == ["[QR https://hall.example/]"], "on paper they are one"


MONGOLIAN = "ᠮᠣᠩᠭᠣᠯ"


def test_mongolian_is_joined_and_stands_upright():
    picture = dots.text(Drawn(MONGOLIAN, height=2), 576)
    assert picture.height > picture.width, "one column"
    dark = [any(picture.getpixel((x, y)) < 128 for x in range(picture.width)) for y in range(picture.height)]
    first, last = dark.index(True), len(dark) - dark[::-1].index(True)
    assert all(dark[first:last]), "letters of a word hang on one stem"
    alone = sum(dots.text(Drawn(c, height=2), 576).height for c in MONGOLIAN)
    assert picture.height < alone, "inside a word letters have other forms than alone"


def test_long_mongolian_goes_on_in_the_next_column_to_the_right():
    first, both = dots.text(Drawn(MONGOLIAN), 576), dots.text(Drawn(" ".join([MONGOLIAN] * 8)), 576)
    assert both.height <= dots.COLUMN
    assert both.width > first.width
    full = [sum(both.getpixel((x, y)) < 128 for y in range(both.height)) for x in range(both.width)]
    third = both.width // (both.width // first.width)
    assert sum(full[:third]) > sum(full[-third:]), "the last column, at the right, is the short one"


@pytest.mark.parametrize("service", [MONGOLIAN, "བོད་ཡིག", "ئۇيغۇرچە", "ꆈꌠꁱꂷ", "Curaçao señor"])
def test_scripts_the_printer_lacks_are_pictures_and_the_rest_stays_text(service):
    simulator = Simulator()
    simulator.receive(Driver().encode(dataclasses.replace(SLIP, service=service)))
    pictures = [x for x in simulator.slips()[0] if isinstance(x, Dots)]
    assert len(pictures) == 1
    assert any(pictures[0].rows)
    assert pictures[0].width <= 576
    assert simulator.obeyed == [dataclasses.replace(UNNAMED, service="")], "a person reads it, the simulator cannot"


def test_two_scripts_on_one_slip_stand_one_below_the_other():
    simulator = Simulator()
    simulator.receive(Driver().encode(dataclasses.replace(SLIP, service=f"社会保险 {MONGOLIAN}（登记）")))
    paper = simulator.paper()
    at = next(i for i, line in enumerate(paper) if line.startswith("[picture"))
    assert paper[at - 1].strip() == "社会保险"
    assert paper[at + 1] == "（登记）"


@pytest.mark.parametrize("dialect", ["asb", "esc-v", "dle-eot"])
def test_a_megabyte_of_noise_and_spoilt_answers_raises_nothing_and_leaves_nothing(dialect):
    driver, noise = Driver(Options(status=dialect)), random.Random(11)
    said = [bytes.fromhex(x) for x in ("10000000", "18000F00", "12", "1A", "7E", "00", "0F", "03")]
    fed = 0
    while fed < 1_000_000:
        data = bytearray(b"".join(noise.choices(said, k=noise.randrange(40))) or noise.randbytes(4000))
        for _ in range(noise.randrange(3)):
            data[noise.randrange(len(data))] ^= 1 << noise.randrange(8)
        fed += len(data)
        driver.feed(bytes(data))
        driver.owed()
        if noise.random() < 0.1:
            driver.take(SLIP) if driver.idle else driver.silence()
            driver.poll()
    assert len(pickle.dumps(driver)) < 10_000


def test_a_code_on_paper_is_seen_once_it_is_whole():
    simulator = Simulator(Options(), frozenset(["no-native-qr"]))
    job = dots.command(dots.code("https://a.cn/1", 4, "M"))
    simulator.receive(job[:-1])
    assert simulator.paper() == []
    simulator.receive(job[-1:])
    assert simulator.paper() == ["[QR https://a.cn/1]"]
    assert not any(isinstance(x, Code) for x in simulator.slips()[0]), "on paper there are only dots"


# ---- the roll, counted for printers that cannot tell ----


def test_paper_is_counted_and_its_end_foretold():
    driver, simulator = Driver(Options(status="none", roll_metres=5.0, low_metres=3.0)), Simulator()
    used, told = [], []
    for n in range(20):
        driver.take(dataclasses.replace(SLIP, id=str(n)))
        news = talk(driver, simulator)
        used += [x for x in news if isinstance(x, PaperUsed)]
        told += [x for x in news if isinstance(x, PaperNearEnd)]
    one = used[0].used_mm
    assert 90 <= one <= 180, "a slip is as long as a hand"
    assert [x.used_mm for x in used] == [one * n for n in range(1, 21)]
    assert used[0].left_mm == 5000 - one and used[0].slips_left == (5000 - one) // one
    assert told == [PaperNearEnd()], "once, when less than three metres are left"
    driver.reset()
    driver.take(SetRoll(id="r"))
    assert (driver.owed(), driver.idle, driver.patience) == (b"", False, 0.05)
    assert driver.silence() == [Obeyed(order="SetRoll", id="r")]
    driver.take(SLIP)
    assert [x.used_mm for x in talk(driver, simulator) if isinstance(x, PaperUsed)] == [one]


def test_a_counted_paper_is_as_long_as_what_comes_out():
    """The picture of the paper has 6 dots between lines that the printer's own spacing of 30 dots has inside."""
    from devices.slip_picture import draw

    driver, simulator = Driver(Options(status="none", roll_metres=50.0)), Simulator()
    driver.take(SLIP)
    [counted] = [x for x in talk(driver, simulator) if isinstance(x, PaperUsed)]
    feed = 6 * 30
    drawn = (draw(simulator.slips()[0], 80).height - 48 - 26 + feed) / 8  # without margins and the mark of the cut
    assert abs(counted.used_mm - drawn) / drawn < 0.15


def test_a_new_roll_ends_the_warning_unless_the_printer_sees_the_end_itself():
    options = Options(roll_metres=5.0, low_metres=3.0)
    driver, simulator = Driver(options), Simulator(options)
    driver.take(SetRoll(used_mm=4000))
    assert driver.silence() == [PaperNearEnd(), Obeyed(order="SetRoll")]
    assert PaperNearEnd(over=True) not in polled(driver, simulator), "the printer has no eye for it"
    driver.take(SetRoll())
    assert driver.silence() == [PaperNearEnd(over=True), Obeyed(order="SetRoll")]
    simulator.happen(PaperNearEnd())
    assert PaperNearEnd() in polled(driver, simulator)
    driver.take(SetRoll())
    assert driver.silence() == [Obeyed(order="SetRoll")]


def test_a_roll_that_is_not_counted_is_our_own_mistake():
    with pytest.raises(OrderMistake, match="roll_metres"):
        Driver().take(SetRoll())
    with pytest.raises(OrderMistake, match="expected at least 0, got -1"):
        Driver(Options(roll_metres=50.0)).take(SetRoll(used_mm=-1))
    assert not [x for x in polled(Driver(), Simulator()) if isinstance(x, PaperUsed)]


def test_a_slip_that_may_have_come_out_is_counted_and_one_that_did_not_is_not():
    options = Options(roll_metres=50.0)
    driver, simulator = Driver(options), Simulator(options, frozenset(["paper-ends-mid-slip"]))
    driver.take(SLIP)
    assert [type(n) for n in talk(driver, simulator)] == [Alive, PaperOut, PaperUsed, Unconfirmed]
    driver.take(SLIP)
    assert [type(n) for n in talk(driver, simulator)] == [Refused]


def test_a_new_roll_may_be_told_while_the_printer_is_asked():
    options = Options(roll_metres=50.0)
    driver, simulator = Driver(options), Simulator(options)
    driver.poll()
    question = driver.owed()
    driver.take(SetRoll(used_mm=7))
    driver.feed(simulator.receive(question))
    assert Obeyed(order="SetRoll") in talk(driver, simulator)


@pytest.mark.parametrize("dialect", ["dle-eot", "gs-r", "esc-v", "asb", "both"])
@pytest.mark.parametrize("sent", [0.4, 0.6, 0.8])
def test_a_printer_that_waits_for_the_rest_of_a_picture_is_brought_back_by_the_next_poll(sent, dialect):
    driver, simulator = Driver(Options(status=dialect, qr="raster")), Simulator()
    driver.take(SLIP)
    while not (job := driver.owed()).startswith(b"\x1b@"):
        driver.feed(simulator.receive(job))
    simulator.receive(job[: int(len(job) * sent)])
    driver.lost()
    driver.reset()
    assert Alive in [type(n) for n in polled(driver, simulator)]
    assert simulator.paper()[-1] == "[cut]", "what was torn has left the printer"
    before = len(simulator.paper())
    polled(driver, simulator)
    assert len(simulator.paper()) == before, "once is enough"
    driver.take(SLIP)
    assert type(talk(driver, simulator)[-1]) is Obeyed


def test_a_font_that_is_not_installed_is_said_by_name(tmp_path):
    with pytest.raises(OrderMistake, match=r"NotoSansAtlantis-Regular\.ttf is missing; install fonts-noto-core"):
        dots.load(tmp_path / "NotoSansAtlantis-Regular.ttf", 24)
